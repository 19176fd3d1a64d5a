"""Roads as centrelines against roads as seen: lengths that are missing, and that are no longer there."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from conftest import WriteOrthophoto, examples
from hypothesis import given, settings
from hypothesis import strategies as st

from geoai.compare import Comparison
from geoai.config import CompareSettings
from geoai.errors import CRSError
from geoai.lines import compare_lines
from geoai.stretches import between, beyond, cut_small, in_steps, joined, length_along, put_together

LEFT, TOP = 450_000.0, 6_401_000.0
WORLD = shapely.MultiPolygon([shapely.box(LEFT, TOP - 1000, LEFT + 1000, TOP)])
HALF_M = 3.0
"""Half the width of a carriageway."""
REACH_M = CompareSettings().lines.reach_m
LEAST_M = CompareSettings().lines.min_length_m


def road(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(LEFT + x, TOP - y) for x, y in points])


def mapped(*lines: Any, ids: list[str] | None = None, **known: Any) -> gpd.GeoDataFrame:
    columns = {
        "map_object_id": ids or [f"r{number}" for number in range(len(lines))],
        "theme": "road",
        "map_status": "current",
        "sigma_m": 0.3,
        "map_date": pd.NaT,
    }
    return gpd.GeoDataFrame(columns | known, geometry=list(lines), crs=3006)


def seen(*lines: Any) -> gpd.GeoDataFrame:
    surface = shapely.union_all([line.buffer(HALF_M, cap_style="flat") for line in lines])
    return as_detections(shapely.get_parts(surface))


def as_detections(polygons: Any) -> gpd.GeoDataFrame:
    ids = [f"d{number}" for number in range(len(polygons))]
    return gpd.GeoDataFrame({"detection_id": ids}, geometry=list(polygons), crs=3006)


@pytest.fixture(scope="module")
def rasters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return probabilities of the world: sure of roads everywhere, and sure of none anywhere."""
    made = {}
    for name, value in (("sure", 235), ("none", 5)):
        path = made[name] = tmp_path_factory.mktemp("p") / f"{name}.tif"
        profile = {"driver": "GTiff", "count": 1, "height": 350, "width": 350, "dtype": "uint8"}
        transform = Affine(4, 0, LEFT - 200, 0, -4, TOP + 200)
        with rasterio.open(path, "w", crs=3006, transform=transform, nodata=255, **profile) as target:
            target.write(np.full((1, 350, 350), value, np.uint8))
    return made


def held(
    detections: gpd.GeoDataFrame,
    drawn: gpd.GeoDataFrame,
    probability: Path,
    *,
    footprint: Any = WORLD,
    orthophoto: Path | None = None,
    **known: Any,
) -> Comparison:
    rules = CompareSettings(**known)
    return compare_lines(
        detections, drawn, footprint, probability, band=1, gsd_m=0.2, settings=rules, orthophoto=orthophoto
    )


def lengths(comparison: Comparison, code: str) -> list[float]:
    found = comparison.discrepancies
    return sorted(found.loc[found["class"] == code, "length_m"])


ALONG = st.floats(0, 1000)
NETWORK = st.lists(st.tuples(ALONG, ALONG, ALONG, ALONG), min_size=1, max_size=6).map(
    lambda ends: [road((a, b), (c, d)) for a, b, c, d in ends if np.hypot(a - c, b - d) > 1]
)


# --- laws --------------------------------------------------------------------------------------------------


@settings(max_examples=examples(25))
@given(NETWORK)
def test_a_network_held_against_itself_is_confirmed(
    rasters: dict[str, Path], lines: list[shapely.LineString]
) -> None:
    if not lines:
        return
    comparison = held(seen(*lines), mapped(*lines), rasters["none"])
    assert comparison.discrepancies.empty
    assert set(comparison.map_status["status"]) == {"confirmed"}
    assert comparison.map_status["seen_m"].tolist() == pytest.approx(
        comparison.map_status["length_m"].tolist()
    )


@settings(max_examples=examples(25))
@given(st.sets(st.integers(0, 7)), st.floats(100, 900), st.floats(0, 90))
def test_of_k_roads_taken_from_the_map_k_stretches_are_missing(
    rasters: dict[str, Path], taken: set[int], length: float, angle: float
) -> None:
    lines = [
        shapely.affinity.rotate(
            road((500 - length / 2, 100 * n + 100), (500 + length / 2, 100 * n + 100)),
            angle,
            origin=(LEFT + 500, TOP - 500),
        )
        for n in range(8)
    ]
    left = [line for n, line in enumerate(lines) if n not in taken] or [road((0, 0), (1, 0))]
    comparison = held(seen(*lines), mapped(*left), rasters["sure"], footprint=WORLD.buffer(200))
    assert lengths(comparison, "missing") == pytest.approx([length] * len(taken), abs=0.01)
    missing = comparison.discrepancies.query("`class` == 'missing'")
    assert set(missing["map_object_ids"]) <= {"[]"}
    for number in taken:
        assert shapely.intersects(missing.geometry.to_numpy(), lines[number]).sum() == 1


@settings(max_examples=examples(25))
@given(st.floats(50, 400), st.floats(100, 500), st.floats(0, 180))
def test_a_stretch_taken_from_the_map_is_missing_by_its_length(
    rasters: dict[str, Path], start: float, length: float, angle: float
) -> None:
    turned = [
        shapely.affinity.rotate(line, angle, origin=(LEFT + 500, TOP - 500))
        for line in (
            road((0, 500), (1000, 500)),
            road((0, 500), (start, 500)),
            road((start + length, 500), (1000, 500)),
        )
    ]
    comparison = held(seen(turned[0]), mapped(*turned[1:]), rasters["sure"], footprint=WORLD.buffer(190))
    assert lengths(comparison, "missing") == pytest.approx([length], abs=1e-3)
    assert len(comparison.discrepancies) == 1


@settings(max_examples=examples(25))
@given(st.floats(50, 400), st.floats(100, 500))
def test_a_stretch_that_is_gone_is_obsolete_by_its_length_less_what_is_within_reach(
    rasters: dict[str, Path], start: float, length: float
) -> None:
    left, right = road((0, 500), (start, 500)), road((start + length, 500), (1000, 500))
    comparison = held(seen(left, right), mapped(road((0, 500), (1000, 500))), rasters["none"])
    (row,) = comparison.discrepancies.to_dict("records")
    assert (row["class"], row["map_object_ids"]) == ("obsolete", '["r0"]')
    assert row["length_m"] == pytest.approx(length - 2 * REACH_M, abs=0.1)
    (line,) = comparison.map_status.to_dict("records")
    assert line["status"] == "obsolete"
    assert line["obsolete_m"] == pytest.approx(row["length_m"])
    assert line["seen_m"] + line["obsolete_m"] == pytest.approx(1000)


@settings(max_examples=examples(25))
@given(NETWORK, NETWORK, st.integers(0, 5))
def test_every_line_has_one_status_and_lengths_add_up(
    rasters: dict[str, Path], there: list[Any], drawn: list[Any], shared: int
) -> None:
    drawn = drawn + there[:shared]
    if not drawn or not there:
        return
    comparison = held(seen(*there), mapped(*drawn), rasters["none"])
    status, found = comparison.map_status, comparison.discrepancies
    assert sorted(status["map_object_id"]) == sorted(mapped(*drawn)["map_object_id"])
    assert set(status["status"]) <= {"confirmed", "obsolete"}
    by_line = found[found["class"] == "obsolete"].groupby("map_object_ids")["length_m"].sum()
    told = status[status["obsolete_m"] > 0].set_index("map_object_id")["obsolete_m"]
    assert {json.loads(key)[0]: value for key, value in by_line.items()} == pytest.approx(told.to_dict())
    assert (status["status"] == "obsolete").tolist() == (status["obsolete_m"] > 0).tolist()
    # what is neither seen nor obsolete are stretches that are too short
    surface = shapely.union_all([line.buffer(HALF_M, cap_style="flat") for line in there])
    rest = shapely.difference(np.array(drawn, object), surface.buffer(REACH_M))
    short = {
        f"r{n}": sum(part.length for part in shapely.get_parts(each) if part.length < LEAST_M)
        for n, each in enumerate(rest)
    }
    left = (status["length_m"] - status["seen_m"] - status["obsolete_m"]).set_axis(status["map_object_id"])
    assert left.to_dict() == pytest.approx(short, abs=0.2)


@pytest.mark.slow
@settings(max_examples=examples(15))
@given(NETWORK, NETWORK, st.randoms(), st.integers(-100, 100), st.integers(-100, 100))
def test_the_order_of_rows_and_the_place_are_of_no_consequence(
    rasters: dict[str, Path], there: list[Any], drawn: list[Any], chance: Any, east: int, north: int
) -> None:
    if not drawn or not there:
        return
    detections, lines = seen(*there), mapped(*drawn)
    first = held(detections, lines, rasters["sure"], lines={"obsolete_mean": 1.0})
    order = list(range(len(lines)))
    chance.shuffle(order)
    again = held(detections.iloc[::-1], lines.iloc[order], rasters["sure"], lines={"obsolete_mean": 1.0})
    assert first.discrepancies.to_json() == again.discrepancies.to_json()
    assert first.map_status.to_json() == again.map_status.to_json()
    moved = held(
        detections.set_geometry(detections.translate(east, north)),
        lines.set_geometry(lines.translate(east, north)),
        rasters["sure"],
        footprint=shapely.affinity.translate(WORLD, east, north),
        lines={"obsolete_mean": 1.0},
    )
    for code in ("missing", "obsolete"):
        assert lengths(moved, code) == pytest.approx(lengths(first, code), abs=1e-3)
    status = moved.map_status["status"].groupby(moved.map_status["map_object_id"]).first()
    assert status.to_dict() == dict(
        zip(first.map_status["map_object_id"], first.map_status["status"], strict=True)
    )


# --- cases -------------------------------------------------------------------------------------------------


def test_a_road_that_lies_a_little_off_is_the_same_road(rasters: dict[str, Path]) -> None:
    there, drawn = road((0, 500), (900, 500)), road((0, 504), (900, 504))
    assert held(seen(there), mapped(drawn), rasters["none"]).discrepancies.empty


def test_a_square_that_is_seen_is_no_road(rasters: dict[str, Path]) -> None:
    plaza = as_detections([shapely.box(LEFT + 100, TOP - 160, LEFT + 160, TOP - 100)])
    assert lengths(held(plaza, mapped(road((0, 900), (900, 900))), rasters["sure"]), "missing") == []


def test_the_rims_of_a_wide_carriageway_are_no_roads(rasters: dict[str, Path]) -> None:
    wide = as_detections([road((0, 500), (900, 500)).buffer(REACH_M + 1.9, cap_style="flat")])
    drawn = mapped(road((0, 500), (900, 500)))
    assert held(wide, drawn, rasters["sure"]).discrepancies.empty
    assert lengths(held(wide, drawn, rasters["sure"], min_width_m=1.5), "missing") == pytest.approx([900] * 2)


def test_what_the_model_is_unsure_of_is_not_missing(rasters: dict[str, Path]) -> None:
    there = seen(road((0, 500), (900, 500)))
    far = mapped(road((0, 10), (10, 10)))
    assert lengths(held(there, far, rasters["none"]), "missing") == []
    assert lengths(held(there, far, rasters["none"], missing_confidence=0.01), "missing") == [900.0]


def test_outside_the_imagery_nothing_is_obsolete_and_most_of_a_line_must_be_inside(
    rasters: dict[str, Path],
) -> None:
    half = shapely.MultiPolygon([shapely.box(LEFT, TOP - 1000, LEFT + 500, TOP)])
    lines = mapped(
        road((0, 500), (1000, 500)),
        road((100, 100), (900, 100)),
        road((600, 300), (900, 300)),
        road((100, 700), (600, 700)),
    )
    there = seen(road((100, 100), (500, 100)), road((100, 700), (500, 700)))
    comparison = held(there, lines, rasters["none"], footprint=half)
    assert lengths(comparison, "obsolete") == pytest.approx([500])
    status = comparison.map_status.set_index("map_object_id")
    assert status["status"].to_dict() == {
        "r0": "obsolete",
        "r1": "not_assessable",  # half of it
        "r2": "not_assessable",
        "r3": "confirmed",
    }
    assert status["visible_share"].to_dict() == pytest.approx({"r0": 0.5, "r1": 0.5, "r2": 0.0, "r3": 0.8})
    (row,) = comparison.discrepancies.query("`class` == 'not_assessable'").to_dict("records")
    assert (row["map_object_ids"], row["hidden_by"], row["near_edge"]) == ('["r1"]', "no_imagery", True)
    assert row["length_m"] == pytest.approx(400)


def test_what_the_probability_does_not_rule_out_is_an_uncertain_absence(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    values = np.full((1, 1000, 1000), 5, np.uint8)
    values[:, :, 600:] = 100  # p = 0.4, too unsure to be detected
    path = write_orthophoto(tmp_path / "p.tif", values, gsd_m=1.0, nodata=255)
    bent = road((100, 500), (300, 480), (900, 500))
    comparison = held(seen(road((0, 10), (10, 10))), mapped(bent), path)
    rows = comparison.discrepancies.set_index("class")
    assert sorted(rows.index) == ["obsolete", "uncertain_absence"]
    assert rows["length_m"]["obsolete"] == pytest.approx(500, abs=13)
    assert rows["length_m"].sum() == pytest.approx(bent.length)
    assert rows["p_mean"].to_dict() == pytest.approx({"obsolete": 0.02, "uncertain_absence": 0.4}, abs=0.03)
    assert rows["priority"]["obsolete"] > rows["priority"]["uncertain_absence"]
    assert rows.geometry["obsolete"].bounds[2] < LEFT + 612
    assert comparison.map_status["status"].tolist() == ["obsolete"]


def test_a_line_under_trees_is_not_assessable_unless_it_is_seen(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, rasters: dict[str, Path]
) -> None:
    dark = np.full((3, 1000, 1000), 120, np.uint8)
    dark[:, 400:600] = 20  # deep shadow
    orthophoto = write_orthophoto(tmp_path / "o.tif", dark, gsd_m=1.0)
    lines = mapped(road((100, 500), (900, 500)), road((100, 450), (900, 450)), road((500, 600), (500, 900)))
    comparison = held(seen(road((100, 450), (900, 450))), lines, rasters["none"], orthophoto=orthophoto)
    status = comparison.map_status.set_index("map_object_id")["status"]
    assert status.to_dict() == {"r0": "not_assessable", "r1": "confirmed", "r2": "obsolete"}
    (row,) = comparison.discrepancies.query("`class` == 'not_assessable'").to_dict("records")
    assert (row["family"], row["hidden_by"], row["length_m"]) == ("assessability", "shadow", 800.0)


def test_a_planned_line_is_built_once_half_of_it_is_seen_and_never_obsolete(rasters: dict[str, Path]) -> None:
    lines = mapped(road((0, 500), (900, 500)), road((0, 700), (900, 700)), map_status="planned")
    comparison = held(seen(road((0, 500), (600, 500))), lines, rasters["none"])
    status = comparison.map_status.set_index("map_object_id")["status"]
    assert status.to_dict() == {"r0": "planned_built", "r1": "confirmed"}
    assert comparison.discrepancies["class"].tolist() == ["planned_built"]


def test_layers_of_different_crs_are_refused(rasters: dict[str, Path]) -> None:
    other = mapped(road((0, 0), (9, 9))).to_crs(3301)
    with pytest.raises(CRSError, match="expected the CRS of the detections"):
        held(seen(road((0, 0), (9, 9))), other, rasters["none"])


def test_no_detection_at_all_leaves_every_line_obsolete(rasters: dict[str, Path]) -> None:
    nothing = seen(road((0, 0), (9, 9))).iloc[:0]
    comparison = held(nothing, mapped(road((0, 500), (900, 500))), rasters["none"])
    assert lengths(comparison, "obsolete") == pytest.approx([900])
    assert comparison.discrepancies["cardinality"].tolist() == ["1:0"]


# --- geometry of stretches ---------------------------------------------------------------------------------


def test_the_length_of_a_strip_is_its_longer_side() -> None:
    assert length_along(np.array([shapely.box(0, 0, 7, 120), shapely.box(0, 0, 5, 5)])).tolist() == [120, 5]


POINTS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=2, max_size=6, unique=True)


@given(POINTS, st.floats(1, 200))
def test_steps_put_together_are_the_line(points: list[tuple[int, int]], step_m: float) -> None:
    lines = np.array([shapely.LineString(points)], object)
    steps = in_steps(lines, step_m)
    pieces = between(lines[steps.line], steps.start, steps.end)
    assert shapely.length(pieces).max() <= step_m + 1e-6
    assert shapely.length(pieces).sum() == pytest.approx(lines[0].length)
    whole, kind = joined(steps, np.zeros(len(pieces), int))
    assert (len(kind), whole.start[0], whole.end[0]) == (1, 0.0, 1.0)
    ends = shapely.get_coordinates(between(lines, whole.start, whole.end))
    np.testing.assert_allclose(ends, shapely.get_coordinates(lines), atol=1e-9)


@settings(max_examples=examples(30))
@given(NETWORK, st.floats(20, 400))
def test_pieces_are_small_and_put_together_they_are_what_was_cut(lines: list[Any], side_m: float) -> None:
    whole = seen(*lines).geometry.to_numpy() if lines else np.zeros(0, object)
    pieces = cut_small(whole, side_m)
    bounds = shapely.bounds(pieces).reshape(-1, 4)
    assert ((bounds[:, 2:] - bounds[:, :2]) <= side_m).all()
    assert shapely.area(pieces).sum() == pytest.approx(shapely.area(whole).sum())
    again = put_together(pieces)
    assert shapely.area(again).sum() == pytest.approx(shapely.area(whole).sum())
    assert shapely.length(again).sum() == pytest.approx(shapely.length(whole).sum(), abs=1e-3)


@settings(max_examples=examples(30))
@given(NETWORK, NETWORK, st.floats(1, 50))
def test_beyond_is_the_line_less_everything_in_reach(
    there: list[Any], drawn: list[Any], reach_m: float
) -> None:
    polygons = seen(*there).geometry.to_numpy() if there else np.zeros(0, object)
    lines = np.array(drawn, object)
    left = beyond(lines, cut_small(polygons, 100.0), reach_m)
    surface = shapely.union_all(polygons)
    for line, rest in zip(lines, left, strict=True):
        points = shapely.line_interpolate_point(line, np.linspace(0, 1, 101), normalized=True)
        apart_m = np.nan_to_num(shapely.distance(points, surface), nan=np.inf)  # no surface: no distance
        is_left = shapely.dwithin(points, rest, 1e-6)
        assert is_left[apart_m > reach_m + 1e-3].all()
        assert not is_left[apart_m < 0.99 * reach_m].any()  # a circle is drawn with corners
