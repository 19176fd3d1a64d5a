"""Roads as centrelines against roads as seen: lengths that are missing, and that are no longer there."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from conftest import WriteOrthophoto
from hypothesis import given, settings
from hypothesis import strategies as st

from geoai.errors import CRSError
from geoai.lines import LineRules, compare_lines, length_along

LEFT, TOP = 450_000.0, 6_401_000.0
WORLD = shapely.box(LEFT, TOP - 1000, LEFT + 1000, TOP)
HALF_M = 3.0
"""Half the width of a carriageway."""


def road(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(LEFT + x, TOP - y) for x, y in points])


def mapped(*lines: shapely.LineString) -> gpd.GeoDataFrame:
    ids = [f"r{number}" for number in range(len(lines))]
    return gpd.GeoDataFrame({"map_object_id": ids}, geometry=list(lines), crs=3006)


def seen(*lines: shapely.LineString) -> gpd.GeoDataFrame:
    surface = shapely.union_all([line.buffer(HALF_M, cap_style="flat") for line in lines])
    return gpd.GeoDataFrame(geometry=list(shapely.get_parts(surface)), crs=3006)


ALONG = st.floats(0, 1000)
NETWORK = st.lists(st.tuples(ALONG, ALONG, ALONG, ALONG), min_size=1, max_size=6)


@settings(max_examples=25)
@given(NETWORK)
def test_a_network_held_against_itself_has_no_stretch(ends: list[tuple[float, ...]]) -> None:
    lines = [road((a, b), (c, d)) for a, b, c, d in ends if np.hypot(a - c, b - d) > 1]
    if lines:
        assert len(compare_lines(seen(*lines), mapped(*lines), WORLD, None)) == 0


@settings(max_examples=25)
@given(st.floats(50, 400), st.floats(100, 500), st.floats(0, 180))
def test_a_stretch_taken_from_the_map_is_missing_by_its_length(
    start: float, length: float, angle: float
) -> None:
    turned = [
        shapely.affinity.rotate(line, angle, origin=(LEFT + 500, TOP - 500))
        for line in (
            road((0, 500), (1000, 500)),
            road((0, 500), (start, 500)),
            road((start + length, 500), (1000, 500)),
        )
    ]
    found = compare_lines(seen(turned[0]), mapped(*turned[1:]), WORLD.buffer(500), None)
    assert found["class"].tolist() == ["missing"]
    assert found["length_m"][0] == pytest.approx(length, abs=1e-3)


@settings(max_examples=25)
@given(st.floats(50, 400), st.floats(100, 500))
def test_a_stretch_that_is_gone_is_obsolete_by_its_length_less_what_is_within_reach(
    start: float, length: float
) -> None:
    left, right = road((0, 500), (start, 500)), road((start + length, 500), (1000, 500))
    found = compare_lines(seen(left, right), mapped(road((0, 500), (1000, 500))), WORLD, None)
    assert found[["class", "map_object_id"]].to_numpy().tolist() == [["obsolete", "r0"]]
    assert found["length_m"][0] == pytest.approx(length - 2 * LineRules().reach_m, abs=0.1)


def test_a_road_that_lies_a_little_off_is_the_same_road() -> None:
    assert (
        len(compare_lines(seen(road((0, 500), (900, 500))), mapped(road((0, 504), (900, 504))), WORLD, None))
        == 0
    )


def test_a_square_that_is_seen_is_no_road() -> None:
    plaza = gpd.GeoDataFrame(geometry=[shapely.box(LEFT + 100, TOP - 160, LEFT + 160, TOP - 100)], crs=3006)
    assert (
        len(
            compare_lines(plaza, mapped(road((0, 900), (900, 900))), WORLD, None).query(
                "`class` == 'missing'"
            )
        )
        == 0
    )


def test_nothing_outside_the_imagery_is_obsolete() -> None:
    half = shapely.box(LEFT, TOP - 1000, LEFT + 500, TOP)
    found = compare_lines(seen(road((0, 10), (100, 10))), mapped(road((0, 500), (1000, 500))), half, None)
    assert found.query("`class` == 'obsolete'")["length_m"].tolist() == pytest.approx([500.0])


def test_the_order_of_rows_is_of_no_consequence() -> None:
    lines = [road((0, y), (1000, y)) for y in (100, 300, 500)]
    other = seen(road((0, 700), (400, 700)), road((0, 100), (1000, 100)))
    first = compare_lines(other, mapped(*lines), WORLD, None)
    again = compare_lines(other.iloc[::-1], mapped(*lines).iloc[::-1], WORLD, None)
    assert first.to_json() == again.to_json()
    assert sorted(first["class"]) == ["missing", "obsolete", "obsolete"]


def test_what_the_probability_does_not_rule_out_is_not_obsolete(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    values = np.full((1, 1000, 1000), 5, np.uint8)
    values[:, :, 600:] = 100  # p = 0.4, too unsure to be detected
    path = write_orthophoto(tmp_path / "p.tif", values, gsd_m=1.0, nodata=255)
    bent = road((100, 500), (300, 480), (900, 500))
    found = compare_lines(seen(road((0, 10), (10, 10))), mapped(bent), WORLD, path)
    assert found["class"].tolist() == ["obsolete"]
    assert found["length_m"][0] == pytest.approx(500, abs=LineRules().step_m + 3)
    assert found["p_mean"][0] == pytest.approx(0.02, abs=0.03)
    assert found.geometry[0].distance(bent) < 1e-6
    assert found.geometry[0].bounds[2] < LEFT + 612


def test_the_length_of_a_strip_is_its_longer_side() -> None:
    assert length_along(np.array([shapely.box(0, 0, 7, 120), shapely.box(0, 0, 5, 5)])).tolist() == [120, 5]


def test_layers_of_different_crs_are_refused() -> None:
    with pytest.raises(CRSError, match="expected the CRS of the detections"):
        compare_lines(seen(road((0, 0), (9, 9))), mapped(road((0, 0), (9, 9))).to_crs(3301), WORLD, None)
