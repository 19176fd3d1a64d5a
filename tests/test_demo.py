from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.features
import shapely
from shapely.geometry import Polygon, box

from geoai import demo
from geoai.config import load_settings
from geoai.demo import PLANTED_CLASSES, Municipality, make_municipality, score

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.fixture(scope="module")
def municipality(tmp_path_factory: pytest.TempPathFactory) -> Municipality:
    return make_municipality(tmp_path_factory.mktemp("demo"))


def sheets(municipality: Municipality) -> list[Path]:
    return sorted(municipality.flight.glob("*.tif"))


def flown(municipality: Municipality) -> shapely.Geometry:
    """Return the area of valid pixels, traced by GDAL from the files."""
    parts = []
    for path in sheets(municipality):
        with rasterio.open(path) as sheet:
            shapes = rasterio.features.shapes(sheet.dataset_mask(), transform=sheet.transform)
            parts += [shapely.geometry.shape(shape) for shape, value in shapes if value]
    return shapely.union_all(parts)


# --- the municipality ---


@pytest.mark.slow
def test_sheets_overlap_by_one_pixel_and_agree_there(municipality: Municipality) -> None:
    paths = sheets(municipality)
    assert len(paths) == 4
    bounds = []
    for path in paths:
        with rasterio.open(path) as sheet:
            assert (sheet.height, sheet.width, sheet.crs.to_epsg()) == (2501, 2501, 3006)
            corner = np.array([sheet.transform.c, sheet.transform.f]) / 0.2
            assert np.allclose(corner, corner.round(), atol=1e-6)
            bounds.append(box(*sheet.bounds))
    west, east = bounds[0], bounds[1]
    assert west.intersection(east).bounds == pytest.approx((450500.0, 6403999.8, 450500.2, 6404500.0))
    with rasterio.open(paths[0]) as first, rasterio.open(paths[1]) as second:
        seam = first.read()[:, :, -1].astype(int) - second.read()[:, :, 0]
    assert np.abs(seam).mean() < 6  # JPEG only


@pytest.mark.slow
def test_a_corner_was_not_flown(municipality: Municipality) -> None:
    masked = []
    for path in sheets(municipality):
        with rasterio.open(path) as sheet:
            masked.append((sheet.dataset_mask() == 0).mean())
    assert masked[:3] == [0, 0, 0]
    assert 0.05 < masked[3] < 0.4


@pytest.mark.slow
def test_map_draws_every_object_once_with_valid_geometry(municipality: Municipality) -> None:
    mapped = gpd.read_file(municipality.map, layer=municipality.map_layer)
    assert mapped.crs.to_epsg() == 3006
    assert mapped["objektidentitet"].is_unique
    assert mapped.geometry.is_valid.all()
    assert set(mapped["status"]) == {"gällande"}
    assert mapped["lagesnoggrannhet_m"].between(0.15, 0.3).all()
    assert mapped.area.min() > 10


@pytest.mark.slow
def test_every_map_object_is_planted_once_and_every_class_is_there(municipality: Municipality) -> None:
    mapped = gpd.read_file(municipality.map, layer=municipality.map_layer)
    planted = municipality.planted
    assert sorted(planted["map_object_id"].dropna()) == sorted(mapped["objektidentitet"])
    counts = planted["planted_class"].value_counts()
    assert set(counts.index) == set(PLANTED_CLASSES)
    assert all(8 <= counts[name] <= 12 for name in ("missing", "demolished", "extended", "reduced"))
    assert counts["confirmed"] > 200


@pytest.mark.slow
def test_planted_classes_are_true_of_map_and_imagery(municipality: Municipality) -> None:
    mapped = gpd.read_file(municipality.map).set_index("objektidentitet").geometry
    planted, area = municipality.planted, flown(municipality)
    tree = shapely.STRtree(mapped.to_numpy())
    for name, object_id, place in zip(
        planted["planted_class"], planted["map_object_id"], planted.geometry, strict=True
    ):
        if name in ("missing", "below_min"):
            assert pd.isna(object_id)
            near = shapely.union_all(mapped.iloc[tree.query(place)].to_numpy())
            assert place.intersection(near).area < 0.05 * place.area
            assert (place.area < 15) == (name == "below_min")
            continue
        drawn = mapped[object_id]
        cut_m2 = place.difference(area).area
        assert cut_m2 > 0.8 if name == "not_assessable" else cut_m2 < 1.2  # area is whole pixels
        covered = place.intersection(drawn).area / place.area
        if name == "extended":
            assert covered < 0.25
        else:
            assert covered > 0.75


@pytest.mark.slow
def test_planted_errors_survive_the_truth_file(municipality: Municipality) -> None:
    read = gpd.read_file(municipality.truth)
    assert read["planted_class"].tolist() == municipality.planted["planted_class"].tolist()
    assert read.geometry.geom_equals_exact(municipality.planted.geometry, 1e-6).all()


def test_same_seed_makes_the_same_municipality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SHEET_PX", 501)
    monkeypatch.setattr(demo, "SIDE_M", 1001 * 0.2)
    first, again = (make_municipality(tmp_path / name, seed=3) for name in ("first", "again"))
    for one, other in zip(sheets(first), sheets(again), strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()
    pd.testing.assert_frame_equal(gpd.read_file(first.map), gpd.read_file(again.map))
    pd.testing.assert_frame_equal(first.planted, again.planted)


def test_shipped_configuration_names_what_is_made() -> None:
    settings = load_settings(CONFIGS / "demo.yaml")
    assert settings.crs == demo.CRS_NAME
    assert settings.flight.folder == settings.data / "flight"
    assert settings.map.source == str(settings.data / "map.gpkg")
    assert settings.map.layer == "byggnad"
    assert settings.map.id_column == "objektidentitet"


# --- the score ---

HOUSE, OTHER, WING = box(0, 0, 10, 10), box(30, 0, 40, 10), box(10, 0, 15, 10)


def frame(rows: list[dict[str, Any]], columns: list[str]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs="EPSG:3006")


def truth(*rows: tuple[str, str | None, Polygon]) -> gpd.GeoDataFrame:
    columns = ["planted_class", "map_object_id", "geometry"]
    return frame([dict(zip(columns, row, strict=True)) for row in rows], columns)


def signals(*rows: tuple[str, list[str], Polygon]) -> gpd.GeoDataFrame:
    columns = ["class", "map_object_ids", "geometry"]
    values = [(name, json.dumps(ids), place) for name, ids, place in rows]
    return frame([dict(zip(columns, row, strict=True)) for row in values], columns)


def statuses(**by_id: str) -> pd.DataFrame:
    return pd.DataFrame({"map_object_id": list(by_id), "status": list(by_id.values())}, dtype=object)


def counted(table: pd.DataFrame, name: str) -> tuple[int, int, int]:
    row = table.set_index("class").loc[name]
    return int(row["planted"]), int(row["found"]), int(row["false"])


def test_signal_of_the_right_class_that_names_the_object_finds_it() -> None:
    table = score(truth(("extended", "a", WING)), signals(("extended", ["b", "a"], WING)), statuses())
    assert counted(table, "extended") == (1, 1, 0)


def test_signal_of_another_class_finds_nothing_and_is_false() -> None:
    table = score(truth(("extended", "a", WING)), signals(("reduced", ["a"], WING)), statuses())
    assert counted(table, "extended") == (1, 0, 0)
    assert counted(table, "reduced") == (0, 0, 1)


def test_signal_that_names_another_object_is_false_however_near_it_lies() -> None:
    table = score(truth(("demolished", "a", HOUSE)), signals(("demolished", ["b"], HOUSE)), statuses())
    assert counted(table, "demolished") == (1, 0, 1)


@pytest.mark.parametrize(("reach", "found"), [(2.9, 0), (3.1, 1)])
def test_missing_is_found_from_thirty_percent_of_the_smaller(reach: float, found: int) -> None:
    seen = box(10 - reach, 0, 20 - reach, 10)  # as large as the house
    table = score(truth(("missing", None, HOUSE)), signals(("missing", [], seen)), statuses())
    assert counted(table, "missing") == (1, found, 1 - found)


def test_small_signal_inside_a_large_missing_house_finds_it() -> None:
    table = score(truth(("missing", None, HOUSE)), signals(("missing", [], box(1, 1, 3, 3))), statuses())
    assert counted(table, "missing") == (1, 1, 0)


def test_missing_is_found_among_errors_that_name_map_objects() -> None:
    planted = truth(("missing", None, HOUSE), ("demolished", "a", OTHER)).convert_dtypes()
    found = signals(("missing", [], HOUSE), ("demolished", ["a"], OTHER))
    table = score(planted, found, statuses())
    assert counted(table, "missing") == (1, 1, 0)
    assert counted(table, "demolished") == (1, 1, 0)


def test_two_signals_on_one_planted_error_find_it_once_and_neither_is_false() -> None:
    halves = ("missing", [], box(0, 0, 4, 10)), ("missing", [], box(6, 0, 10, 10))
    table = score(truth(("missing", None, HOUSE)), signals(*halves), statuses())
    assert counted(table, "missing") == (1, 1, 0)


def test_one_signal_over_two_planted_errors_finds_both() -> None:
    table = score(
        truth(("missing", None, HOUSE), ("missing", None, OTHER)),
        signals(("missing", [], box(0, 0, 40, 10))),
        statuses(),
    )
    assert counted(table, "missing") == (2, 2, 0)


def test_confirmed_and_not_assessable_are_read_from_the_status_of_objects() -> None:
    planted = truth(("confirmed", "a", HOUSE), ("confirmed", "b", OTHER), ("not_assessable", "c", WING))
    table = score(planted, signals(), statuses(a="confirmed", b="reduced", c="confirmed"))
    assert counted(table, "confirmed") == (2, 1, 1)
    assert counted(table, "not_assessable") == (1, 0, 0)


def test_nothing_planted_and_nothing_reported_is_a_table_of_zeros() -> None:
    table = score(truth(), signals(), statuses())
    assert table["class"].tolist() == list(PLANTED_CLASSES)
    assert (table[["planted", "found", "false"]].to_numpy() == 0).all()
