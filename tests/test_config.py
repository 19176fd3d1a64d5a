"""The sections of the settings: every key has its default in the shipped file, and is described."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoai.config import FlightSettings, Settings, load_settings
from geoai.settingsfile import Section

CONFIGS = Path(__file__).parent.parent / "configs"


def keys_of(schema: type[Section], prefix: str = "") -> dict[str, Any]:
    """Return every key of a schema, dotted, with its default."""
    found = {}
    for name, field in schema.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found |= keys_of(field.annotation, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = field.default
    return found


def flattened(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def test_the_default_file_holds_every_key_with_its_default() -> None:
    written = yaml.safe_load((CONFIGS / "default.yaml").read_text())
    flat = dict(flattened(written))
    assert flat.keys() == keys_of(Settings).keys()
    assert load_settings(CONFIGS / "default.yaml") == Settings()


@pytest.mark.parametrize("schema", [Settings])
def test_every_key_is_described(schema: type[Section]) -> None:
    def undescribed(section: type[Section]) -> list[str]:
        missing = []
        for name, field in section.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                missing += undescribed(field.annotation)
            elif not field.description:
                missing.append(name)
        return missing

    assert undescribed(schema) == []


SHIPPED = sorted(path for path in CONFIGS.glob("*.yaml") if path.name != "train.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_file_of_settings_is_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOAI_TEST_DATA", "/data")
    load_settings(path)


def test_a_flight_without_a_name_has_an_id_all_the_same() -> None:
    for folder in (None, "/", "s3://bucket"):
        assert FlightSettings.model_validate({"folder": folder}).name == "flight"
