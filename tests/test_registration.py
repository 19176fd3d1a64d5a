"""The offset between map and imagery."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geoai.registration import MAX_OFFSET_M, MIN_PAIRS, measure_registration, safe_pairs

SWEREF = CRS.from_epsg(3006)
sides = st.tuples(st.integers(8, 20), st.integers(8, 15))
towns = st.lists(sides, min_size=MIN_PAIRS, max_size=20)
metres = st.integers(-16, 16).map(lambda eighths: eighths / 8)


def town(drawn, east=10_010.0, north=20_010.0):
    """Houses on a street grid of 40 m."""
    corners = [(east + 40 * (k % 10), north + 40 * (k // 10)) for k in range(len(drawn))]
    return np.array(
        [shapely.box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, drawn, strict=True)], object
    )


def moved(geometries, dx, dy):
    return shapely.transform(geometries, lambda xy: xy + np.array([dx, dy]))


@given(towns, metres, metres)
@settings(max_examples=examples(30), deadline=None)
def test_the_offset_of_a_town_is_that_by_which_it_was_moved(drawn, dx, dy):
    houses = town(drawn)
    row = measure_registration(houses, moved(houses, dx, dy), SWEREF).cells.iloc[0]
    assert (row.dx_m, row.dy_m) == pytest.approx((dx, dy), abs=1e-6)
    assert (row["source"], row.pairs) == ("cell", len(houses))
    assert row.spread_m == pytest.approx(0, abs=1e-6)


@given(towns, metres, st.data())
@settings(max_examples=examples(30), deadline=None)
def test_what_was_built_or_torn_down_does_not_move_the_offset(drawn, dx, data):
    houses = town([*drawn, *[(12, 12)] * 10])
    changed = data.draw(st.sets(st.integers(0, len(houses) - 1), max_size=len(houses) // 4))
    seen = [
        house | moved(np.array([house], object), 9, 0)[0] if k in changed else house
        for k, house in enumerate(houses)
    ]
    seen = moved(np.array(seen, object), dx, -dx)
    row = measure_registration(houses, seen, SWEREF).cells.iloc[0]
    assert (row.dx_m, row.dy_m) == pytest.approx((dx, -dx), abs=1e-6)


def test_small_houses_two_metres_off_are_pairs_all_the_same():
    houses = town([(8, 8)] * 12)  # two metres and a half off, they overlap by half
    assert len(safe_pairs(houses, moved(houses, 0, 2.5))[0]) == 12


def test_few_pairs_say_nothing():
    houses = town([(10, 10)] * (MIN_PAIRS - 1))
    registration = measure_registration(houses, moved(houses, 1, 0), SWEREF)
    row = registration.cells.iloc[0]
    assert (row.dx_m, row.dy_m, row["source"], row.pairs) == (0, 0, "none", MIN_PAIRS - 1)
    assert registration.at(houses).tolist() == [[0, 0]] * len(houses)


def test_a_cell_of_few_pairs_takes_the_offset_of_its_block():
    near, far = town([(10, 10)] * 12), town([(10, 10)] * 2, east=10_610.0)
    houses = np.concatenate([near, far])
    registration = measure_registration(houses, moved(houses, 0, 2), SWEREF)
    assert registration.cells["source"].tolist() == ["cell", "block"]
    assert registration.at(far) == pytest.approx(np.array([[0, 2], [0, 2]]))


def test_neighbouring_cells_have_offsets_of_their_own():
    west, east = town([(10, 10)] * 12), town([(10, 10)] * 12, east=10_510.0)
    seen = np.concatenate([moved(west, 1, 0), moved(east, 0, -1)])
    registration = measure_registration(np.concatenate([west, east]), seen, SWEREF)
    assert registration.at(np.array([west[0], east[0]])) == pytest.approx(np.array([[1, 0], [0, -1]]))
    assert registration.at(np.array([shapely.box(0, 0, 1, 1)])).tolist() == [[0, 0]]


def test_the_offset_is_capped():
    houses = town([(20, 20)] * 12)
    row = measure_registration(houses, moved(houses, 2.4, 3.2), SWEREF).cells.iloc[0]
    assert (row.dx_m, row.dy_m) == pytest.approx((0.6 * MAX_OFFSET_M, 0.8 * MAX_OFFSET_M))


def test_empty_layers_have_no_offset():
    nothing, houses = town([]), town([(10, 10)])
    assert measure_registration(nothing, houses, SWEREF).cells.empty
    assert measure_registration(nothing, nothing, SWEREF).at(houses).tolist() == [[0, 0]]
    assert measure_registration(houses, nothing, SWEREF).cells["source"].tolist() == ["none"]
