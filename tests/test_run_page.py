"""What a flow run says on its page, without any server: rows, texts, advice."""

import errno
import inspect
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import run_page
from geoai import errors
from geoai.flight import Finding
from geoai.pipeline import RunResult, StageReport

SEVERITIES = st.sampled_from(["error", "warning"])
FINDINGS = st.lists(st.builds(Finding, st.text(), st.text(), SEVERITIES, st.text()), max_size=30)


def result(folder: Path, **changes: object) -> RunResult:
    values = {
        "flight_id": "tartu",
        "review": folder / "buildings-1" / "review.gpkg",
        "current": folder / "current" / "review.gpkg",
        "stages": (),
        "findings": (),
        "signals": {},
        "peak_memory_mb": 1,
    }
    return RunResult(**(values | changes))  # type: ignore[arg-type]


@given(st.lists(st.text(), min_size=1))
def test_keys_are_what_prefect_takes(words: list[str]) -> None:
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", run_page.key(*words))
    assert run_page.key("report", *words).startswith("report")


@given(FINDINGS, st.integers(1, 40))
def test_findings_are_shown_errors_first_and_counted_to_the_last(findings: list[Finding], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_page, "MOST_ROWS", most)
        rows = run_page.finding_rows(findings)
    shown = [row for row in rows if row["severity"]]
    assert len(shown) == min(len(findings), most)
    severities = [row["severity"] for row in shown]
    assert severities == sorted(severities), "errors before warnings"
    assert severities.count("error") == min(most, sum(each.severity == "error" for each in findings))
    left = len(findings) - len(shown)
    assert [row["what"] for row in rows[len(shown) :]] == [f"and {left} more, all in run.json"] * bool(left)


def test_stages_are_rows_that_the_page_can_draw() -> None:
    stages = [
        StageReport("accept", 1.25, {"sheets": 1500}),
        StageReport("tile", 1234.0, {"done": 1490, "skipped": 8, "failed": 2}),
    ]
    first, second = run_page.stage_rows(stages)
    assert first["found"] == "sheets 1,500"
    assert (second["seconds"], second["done"], second["empty"], second["failed"]) == (
        "1,234.0", "1,490", "", "2"
    )  # fmt: skip
    assert all(first), "a column without a name breaks Prefect's page"


def test_a_report_counts_what_waits_and_names_what_is_kept_aside(tmp_path: Path) -> None:
    signals = {"missing": 12, "demolished": 1, "below_min": 300, "policy patio_roof": 4}
    findings = (Finding("a.tif", "unreadable", "error", "…"), Finding("F1", "no_date", "warning", "…"))
    text = run_page.report_text(result(tmp_path, signals=signals, findings=findings))
    assert text.startswith("# tartu: 13 signals\n")
    assert text.index("missing") < text.index("demolished") < text.index("below_min")
    assert "1 errors and 1 warnings" in text
    assert f"`{tmp_path / 'current' / 'review.qgz'}`" in text
    assert "data:image" not in text
    assert "](" not in text, "no browser follows a link to a file"
    (tmp_path / "buildings-1").mkdir()
    (tmp_path / "buildings-1" / "thumbnail.jpg").write_bytes(b"\xff\xd8")
    assert "(data:image/jpeg;base64,/9g=)" in run_page.report_text(result(tmp_path))


def test_every_error_has_its_advice() -> None:
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        assert kind in run_page.ADVICE, name
        assert run_page.advice(kind("…")).endswith(run_page.AGAIN)
    assert run_page.advice(FileNotFoundError("x")) == run_page.ADVICE[OSError]
    assert run_page.advice(KeyError("x")) == run_page.UNKNOWN


def test_a_full_disk_is_told_whatever_error_it_comes_as() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert run_page.advice(full) == run_page.DISK_FULL
    wrapped = errors.CatalogError("image.tif: expected a disk that takes it")
    wrapped.__cause__ = full
    assert run_page.advice(wrapped) == run_page.DISK_FULL
    assert run_page.advice(errors.CatalogError(f"found {full.strerror}")) == run_page.DISK_FULL
    assert run_page.advice(OSError(errno.ENOENT, "gone")) != run_page.DISK_FULL


def test_a_server_that_is_away_is_a_line_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    @run_page.decoration
    def show() -> None:
        raise httpx.ConnectError("All connection attempts failed")

    with caplog.at_level("WARNING", "geoai"):
        show()
    assert "not shown on the run page: All connection attempts failed" in caplog.text
