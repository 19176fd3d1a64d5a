"""The styles and the project are, to the letter, what was looked at in QGIS."""

import difflib

import pytest
from golden import FOLDER, made


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return made()


@pytest.mark.parametrize("name", ["discrepancy.qml", "map_status.qml", "sample.qml", "review.qgs"])
def test_what_is_written_is_what_was_looked_at(texts: dict[str, str], name: str) -> None:
    expected = (FOLDER / name).read_text(encoding="utf-8")
    changed = difflib.unified_diff(expected.splitlines(), texts[name].splitlines(), "looked at", "now", n=0)
    assert not list(changed), "python tests/golden.py writes it anew"


def test_the_same_input_gives_the_same_text(texts: dict[str, str]) -> None:
    assert made() == texts
