"""Reading a file of settings: what is laid over what, and what is said of a wrong one."""

from pathlib import Path

import pytest

from geoai.config import load_settings
from geoai.errors import ConfigError


def test_extends_takes_one_file_and_lays_the_rest_over_it(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("crs: EPSG:3008\nmap: {layer: byggnad, sigma_m: 0.5}\n")
    (tmp_path / "town.yaml").write_text("extends: base.yaml\nmap: {sigma_m: 0.2}\n")
    settings = load_settings(tmp_path / "town.yaml", {"map.source": "map.gpkg"})
    assert settings.crs == "EPSG:3008"
    assert (settings.map.layer, settings.map.sigma_m, settings.map.source) == ("byggnad", 0.2, "map.gpkg")


def test_environment_variables_are_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLIGHTS", "/srv/flights")
    path = tmp_path / "town.yaml"
    path.write_text("flight: {folder: '${FLIGHTS}/2026'}\n")
    assert load_settings(path).flight.folder == Path("/srv/flights/2026")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tiling:\n  jpgquality: 3\n", "{path}:2: unknown key tiling.jpgquality; did you mean jpeg_quality?"),
        ("colour: red\n", "{path}:1: unknown key colour"),
        (
            "map:\n\n  sigma_m: -1\n",
            "{path}:3: map.sigma_m: Input should be greater than or equal to 0, found -1",
        ),
        (
            "prediction: {halo_px: 50}\n",
            "{path}:1: prediction.halo_px: Input should be a multiple of 32, found 50",
        ),
        (
            "polygons: {min_area_m2: 20}\n",
            "{path}: polygons.min_area_m2: expected at most compare.min_area_m2 (15.0), found 20.0",
        ),
        (
            "map: {source: '${NOT_SET_HERE}'}\n",
            "{path}: expected the environment variable NOT_SET_HERE to be set, found none",
        ),
        ("- a\n- b\n", "{path}: expected a mapping of keys, found list"),
        ("extends: 3\n", "{path}: extends: expected the name of a file, found 3"),
        (
            "map:\n  source: PG:host=db password='a secret'\n  layer: [}\n",
            "{path}:3: expected YAML, expected the node content, but found '}}'",
        ),
        ("extends: self.yaml\n", "{path}: expected no further 'extends', found 'self.yaml'"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "self.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    assert str(error.value) == message.format(path=path)


def test_every_problem_of_a_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "town.yaml"
    path.write_text("tiling: {tile_m: 1}\npublish: {language: fi}\n")
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["1", "2"]
