"""Polygons to copy into the map: squared, drawn up to neighbours, never over them."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoai.suggestions import suggest

EAST, NORTH = 450_000.0, 6_400_000.0


def place(*geometries):
    return [shapely.transform(each, lambda xy: xy + np.array([EAST, NORTH])) for each in geometries]


def signals(*rows):
    """Rows of (class, ids, evidence)."""
    return gpd.GeoDataFrame(
        {
            "discrepancy_id": [f"s{n}" for n in range(len(rows))],
            "class": [name for name, _, _ in rows],
            "theme": "building",
            "map_object_ids": [json.dumps(ids) for _, ids, _ in rows],
        },
        geometry=place(*(evidence for _, _, evidence in rows)),
        crs=3006,
    )


def mapped(**outlines):
    return gpd.GeoDataFrame(
        {"map_object_id": list(outlines), "tolerance_m": 1.2}, geometry=place(*outlines.values()), crs=3006
    )


def local(frame):
    return [shapely.transform(each, lambda xy: xy - np.array([EAST, NORTH])) for each in frame.geometry]


def stairs(left, bottom, right, top, step=0.2):
    """A box as a tracer leaves it: its long sides run in steps of a pixel."""
    x = np.arange(left, right + 1e-9, (right - left) / 8)
    lower = [(a, bottom + step * (n % 2)) for n, a in enumerate(np.repeat(x, 2)[1:-1])]
    return shapely.Polygon([*lower, (right, top), (left, top)]).buffer(0)


def test_a_missing_building_is_squared():
    found = suggest(signals(("missing", [], stairs(10, 10, 22, 18))), mapped(far=shapely.box(60, 60, 70, 70)))
    (outline,) = local(found)
    assert len(outline.exterior.coords) == 5
    assert outline.area == pytest.approx(96, rel=0.05)
    assert found["area_m2"][0] == pytest.approx(outline.area)
    assert found["discrepancy_id"].tolist() == ["s0"]


def test_corners_that_a_detection_cuts_off_are_put_back_and_an_angle_stays_one():
    cut = shapely.Polygon([(11, 10), (21, 10), (22, 11), (22, 17), (20.5, 18), (10, 18), (10, 11)])
    wings = shapely.union(shapely.box(40, 10, 60, 18), shapely.box(40, 10, 48, 30))
    found = suggest(
        signals(("missing", [], cut), ("missing", [], wings)), mapped(a=shapely.box(0, 80, 9, 90))
    )
    whole, angle = local(found)
    assert whole.symmetric_difference(shapely.box(10, 10, 22, 18)).area < 4
    assert len(whole.exterior.coords) == 5
    assert angle.symmetric_difference(wings).area < 0.5


def test_it_is_drawn_up_to_a_neighbour_it_all_but_touches_and_not_over_it():
    house = shapely.box(0, 0, 10, 10)
    near, across = shapely.box(10.6, 2, 18, 8), shapely.box(9.4, 2, 18, 8)
    for evidence in (near, across):
        (outline,) = local(suggest(signals(("missing", [], evidence)), mapped(a=house)))
        assert outline.intersection(house).area < 0.01
        assert outline.distance(house) < 0.002
        assert outline.symmetric_difference(shapely.box(10, 2, 18, 8)).area < 0.2


def test_it_keeps_its_distance_from_a_neighbour_further_off():
    (outline,) = local(
        suggest(signals(("missing", [], shapely.box(13, 2, 20, 8))), mapped(a=shapely.box(0, 0, 10, 10)))
    )
    assert outline.equals(shapely.box(13, 2, 20, 8))


def test_an_extension_is_joined_to_its_house_whose_other_corners_stay():
    house = shapely.box(0, 0, 10, 10)
    (outline,) = local(suggest(signals(("extended", ["a"], shapely.box(10, 2, 15, 8))), mapped(a=house)))
    assert outline.geom_type == "Polygon"
    assert outline.symmetric_difference(house.union(shapely.box(10, 2, 15, 8))).area < 0.05


def test_a_reduction_is_taken_from_its_house():
    house = shapely.box(0, 0, 10, 10)
    (outline,) = local(suggest(signals(("reduced", ["a"], shapely.box(6, 0, 10, 10))), mapped(a=house)))
    assert outline.symmetric_difference(shapely.box(0, 0, 6, 10)).area < 0.05


def test_a_reshaped_house_gains_and_loses():
    house = shapely.box(0, 0, 10, 10)
    change = shapely.MultiPolygon([shapely.box(10, 0, 15, 10), shapely.box(0, 0, 4, 10)])
    (outline,) = local(suggest(signals(("reshaped", ["a"], change)), mapped(a=house)))
    assert outline.symmetric_difference(shapely.box(4, 0, 15, 10)).area < 0.05


def test_what_has_nothing_to_draw_has_no_suggestion():
    gone = ("demolished", ["a"], shapely.box(0, 0, 10, 10))
    unknown = ("extended", ["elsewhere"], shapely.box(10, 2, 15, 8))
    assert suggest(signals(gone, unknown), mapped(a=shapely.box(0, 0, 10, 10))).empty
    assert suggest(signals(gone).iloc[:0], mapped(a=shapely.box(0, 0, 10, 10))).empty


boxes = st.tuples(*(st.floats(0, 30) for _ in range(2)), *(st.floats(3, 15) for _ in range(2)))


@settings(max_examples=40)
@given(boxes, st.lists(boxes, min_size=1, max_size=4), st.floats(0, 1.5))
def test_every_suggestion_is_valid_and_lies_over_no_neighbour(drawn, others, turn):
    x, y, width, height = drawn
    evidence = shapely.affinity.rotate(shapely.box(x, y, x + width, y + height), turn, use_radians=True)
    houses = {f"m{n}": shapely.box(a, b, a + w, b + h) for n, (a, b, w, h) in enumerate(others)}
    found = suggest(signals(("missing", [], evidence)), mapped(**houses))
    for outline in local(found):
        assert outline.is_valid
        assert all(outline.intersection(house).area < 0.05 for house in houses.values())


def test_the_order_of_rows_changes_nothing():
    rows = [("missing", [], shapely.box(10.6, 2, 18, 8)), ("extended", ["b"], shapely.box(40, 2, 45, 8))]
    there = mapped(a=shapely.box(0, 0, 10, 10), b=shapely.box(30, 0, 40, 10))
    one = suggest(signals(*rows), there).geometry
    other = suggest(signals(*rows[::-1]), there.iloc[::-1]).geometry
    assert [one[0].equals(other[1]), one[1].equals(other[0])] == [True, True]
