"""The whole line for a theme that the map holds as lines: a made flight, bright blue is a road."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from conftest import WriteOrthophoto
from ledger_case import decide
from numpy.typing import NDArray
from pyqgis import qgis_version, run_in_qgis
from test_model import SMALL, save
from test_qgis import OPEN_LAYERS, OPEN_PROJECT

from geoai import pipeline, tilejobs
from geoai.assessment import open_ledger
from geoai.config import load_settings
from geoai.errors import MapError
from geoai.lessons import learn_from_ledger
from geoai.model import build_network
from geoai.pipeline import RunResult
from geoai.plan import make_plan

LEFT, TOP = 450_000.0, 6_401_000.0
WIDTH_M, HEIGHT_M, GSD_M, HALF_M = 400, 200, 0.25, 3.0
SEEN = {
    "main": [(0, 100), (400, 100)],
    "side": [(100, 0), (100, 100)],
    "track": [(20, 160), (100, 160)],
    "new": [(250, 100), (250, 200)],
}
"""What stands, in metres east and south of the corner."""
MAPPED = {
    "main": [(0, 100), (400, 100)],
    "side": [(100, 0), (100, 100)],
    "track": [(20, 160), (180, 160)],
    "old": [(320, 0), (320, 100)],
    "outside": [(900, 0), (900, 100)],
}


def axis(points: list[tuple[float, float]]) -> shapely.LineString:
    return shapely.LineString([(LEFT + x, TOP - y) for x, y in points])


def write_map(path: Path, lines: dict[str, list[tuple[float, float]]], layer: str = "vag") -> None:
    frame = gpd.GeoDataFrame({"id": list(lines)}, geometry=[axis(each) for each in lines.values()], crs=3006)
    frame.to_file(path, layer=layer)


def fly(path: Path, write: WriteOrthophoto, *roads: str) -> None:
    image = np.zeros((3, round(HEIGHT_M / GSD_M), round(WIDTH_M / GSD_M)), np.uint8)
    image[:] = np.array([110, 130, 90])[:, None, None]
    image[:2, 100:160, 900:980] = np.array([250, 90])[:, None, None]  # a red roof
    for name in roads:
        (left, top), (right, bottom) = SEEN[name]
        rows = slice(max(0, round((top - HALF_M) / GSD_M)), round((bottom + HALF_M) / GSD_M))
        cols = slice(max(0, round((left - HALF_M) / GSD_M)), round((right + HALF_M) / GSD_M))
        image[2, rows, cols] = 250
    write(path, image, left=LEFT, top=TOP, gsd_m=GSD_M)


class BlueRoads:
    """Stands in for a network of two classes: red is a building, blue a road."""

    def __call__(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.where(chip[[0, 2]] > 150, np.float32(0.95), np.float32(0.01))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder that holds a model of two classes."""
    data = tmp_path_factory.mktemp("town") / "data"
    network = build_network("unet", "mobilenet_v2", band_count=3, class_count=3, options=SMALL)
    save(data / "models" / "ground", network.eval(), id="ground", classes=("building", "road"))
    return data


@pytest.fixture
def project(tmp_path: Path, town: Path, write_orthophoto: WriteOrthophoto, monkeypatch: Any) -> Path:
    monkeypatch.setattr(tilejobs, "shared_segmenter", lambda model, precision, bands: BlueRoads())
    fly(tmp_path / "flight" / "sheet.tif", write_orthophoto, *SEEN)
    write_map(tmp_path / "map.gpkg", MAPPED)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(town / "models")
    (tmp_path / "town.yaml").write_text(
        f"""
        data: {tmp_path / "data"}
        flight: {{folder: {tmp_path / "flight"}, id: F1, date: 2026-05-14}}
        tiling: {{tile_m: 200, compression: lossless}}
        prediction: {{model: ground, halo_px: 32}}
        engine: {{workers: 2}}
        map: {{source: {tmp_path / "map.gpkg"}, id_column: id, theme: road}}
        """
    )
    return tmp_path / "town.yaml"


def run(path: Path, **overrides: Any) -> RunResult:
    return pipeline.run(load_settings(path, overrides))


def signals_of(result: RunResult) -> gpd.GeoDataFrame:
    rows = pyogrio.read_dataframe(result.review, layer="discrepancy")
    names = rows["map_object_ids"].map(json.loads).map(lambda ids: ids[0] if ids else "new")
    return rows.set_index(names)


def test_a_map_of_roads_becomes_a_review_of_stretches(project: Path) -> None:
    result = run(project)
    assert result.signals == {"missing": 1, "obsolete": 2}
    signals = signals_of(result)
    assert signals["class"].to_dict() == {"new": "missing", "old": "obsolete", "track": "obsolete"}
    # less what lies within reach of the mapped road, or of what is seen, which is half a road wide
    expected = {"new": 100 - 8, "old": 100 - 8 - HALF_M, "track": 80 - 8 - HALF_M}
    assert signals["length_m"].to_dict() == pytest.approx(expected, abs=1.5)
    assert set(signals["theme"]) == {"road"}
    assert set(signals.geom_type) == {"MultiPolygon"}
    assert signals["reason"]["new"].startswith("Väg: en sträcka på 92\xa0m syns i bilden men saknas i kartan")
    assert signals["reason"]["track"].startswith("Väg: en sträcka på 69\xa0m finns i kartan men syns inte")
    assert "kartans linje är 160\xa0m" in signals["reason"]["track"]
    assert signals["area_map_m2"].isna().all()
    assert (signals["chip"].map(len) > 1000).all()

    lines = pyogrio.read_dataframe(result.review, layer="map_status").set_index("map_object_id")
    assert set(lines.geom_type) == {"MultiLineString"}
    assert lines["status"].to_dict() == {
        "main": "confirmed",
        "side": "confirmed",
        "track": "obsolete",
        "old": "obsolete",
        "outside": "not_assessable",
    }
    assert lines["length_m"]["track"] == pytest.approx(160)
    assert lines["obsolete_m"]["track"] == pytest.approx(signals["length_m"]["track"], abs=0.01)
    assert (lines["seen_m"] + lines["obsolete_m"])["track"] == pytest.approx(160, abs=0.1)

    figures = json.loads(result.review.with_name("quality.json").read_text("utf-8"))
    rows = {row["code"]: row for row in figures["signals"]["classes"]}
    assert rows["obsolete"]["length_m"] == pytest.approx(89 + 69, abs=3)
    assert len(figures["signals"]["rows"]) == 2
    assert figures["not_assessed"]["objects"][0]["length_m"] == pytest.approx(100)
    report = result.review.with_name("report.html").read_text("utf-8")
    assert "Föråldrad" in report
    assert "Inget stickprov är draget" in report
    assert "sample" not in pyogrio.list_layers(result.review)[:, 0]
    assert f"{rows['obsolete']['length_m']:.0f}\xa0m<" in report
    assert pyogrio.read_dataframe(result.review, layer="suggestion").empty


def test_the_same_roads_again_leave_the_review_as_it_is(project: Path) -> None:
    first = run(project)
    before = {path: path.read_bytes() for path in first.review.parent.iterdir() if path.name != "run.json"}
    again = run(project)
    assert again.review == first.review
    assert {path: path.read_bytes() for path in before} == before
    assert again.signals == first.signals


def test_stretches_keep_their_identity_and_their_verdicts(
    project: Path, write_orthophoto: WriteOrthophoto
) -> None:
    first = run(project)
    before = signals_of(first)
    decide(first.review, before["discrepancy_id"]["track"], "rejected", reject_reason="vegetation")
    # a flight of the same ground, against a map that has the new road by now
    write_map(project.parent / "map.gpkg", MAPPED | {"drawn": SEEN["new"]})
    fly(project.parent / "flight" / "sheet.tif", write_orthophoto, *SEEN)
    after = signals_of(run(project, **{"flight.id": "F2", "flight.date": "2027-05-14"}))
    assert after["discrepancy_id"].to_dict() == before["discrepancy_id"].to_dict()
    assert after["status"].to_dict() == {"old": "open", "track": "rejected", "new": "fixed"}
    assert after["lifecycle"].to_dict() == {"old": "persisting", "track": "persisting", "new": "gone"}
    assert after["n_seen"].to_dict() == {"old": 2, "track": 2, "new": 1}


@pytest.mark.slow
def test_verdicts_on_stretches_teach_nothing_about_outlines(project: Path) -> None:
    first = run(project)
    decide(first.review, signals_of(first)["discrepancy_id"]["new"], "rejected", reject_reason="temporary")
    settings = load_settings(project)
    lessons = learn_from_ledger(open_ledger(settings), settings.data / "runs", settings.compare.height)
    assert (lessons.models, lessons.verdicts, lessons.problems) == ((), 0, ())


@pytest.mark.slow
def test_an_earlier_flight_tells_which_road_is_new(project: Path, write_orthophoto: WriteOrthophoto) -> None:
    run(project)
    fly(project.parent / "flight" / "sheet.tif", write_orthophoto, "main", "new", "track")
    later = signals_of(run(project, **{"flight.id": "F2", "compare.previous": "F1"}))
    assert later["cause"].to_dict() == {
        "new": "old_map_error",
        "old": "old_map_error",
        "track": "old_map_error",
        "side": "real_change",
    }


@pytest.mark.slow
def test_a_plan_says_what_another_least_length_would_do(project: Path) -> None:
    run(project)
    settings = load_settings(project, {"compare.lines.min_length_m": 80.0})
    plan = make_plan(settings, output=project.parent / "plan")
    assert plan.vanishing["map_object_ids"].tolist() == ['["track"]']
    assert len(plan.appearing) == len(plan.changed) == 0
    kept = pyogrio.read_dataframe(project.parent / "plan" / "plan.gpkg", layer="vanishing")
    assert kept["length_m"].tolist() == pytest.approx([69], abs=1.5)
    assert make_plan(load_settings(project)).changes == 0


def test_lines_and_polygons_in_one_layer_are_refused_before_anything_is_cut(project: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"id": ["a", "b"]}, geometry=[axis(SEEN["main"]), axis(SEEN["side"]).buffer(5)], crs=3006
    )
    frame.to_file(project.parent / "map.gpkg", layer="vag")
    with pytest.raises(MapError) as error:
        run(project)
    expected, found = str(error.value).split(", found ")
    assert expected.endswith("map.gpkg: expected polygons or lines in one layer")
    assert found == "1 LineString, 1 Polygon; map.where can choose"
    assert not list((project.parent / "data").rglob("*.tif"))


@pytest.mark.slow
@pytest.mark.qgis
@pytest.mark.skipif(qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)")
def test_the_review_of_roads_opens_in_qgis_with_lines_for_the_map(project: Path) -> None:
    review = run(project).review
    layers, messages = run_in_qgis(OPEN_LAYERS, review)
    assert all(layer["valid"] for layer in layers.values())
    assert "Warning" not in messages
    lines = layers["map_status"]
    assert lines["renderer"] == "categorizedSymbol"
    assert all(set(kinds) == {"SimpleLine"} for _, _, _, kinds in lines["categories"])
    assert layers["discrepancy"]["aliases"]["length_m"] == "Längd (m)"
    (project_found,), _ = run_in_qgis(OPEN_PROJECT, review.with_suffix(".qgz"))
    assert project_found["read"]
    assert all(layer["valid"] for layer in project_found["layers"].values())
    assert project_found["layers"]["Karta"]["count"] == len(MAPPED)
    assert project_found["layers"]["Att granska"]["codes"] == ["missing", "obsolete"]
