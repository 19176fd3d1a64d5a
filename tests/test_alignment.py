"""The shift that fits best."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoai.alignment import STEPS_M, best_shift

eighths = st.integers(-40, 40).map(lambda k: k / 8)


def angle(x, y, width, depth):
    """A house with a wing: no shift but none lays it on itself."""
    return shapely.union_all([shapely.box(x, y, x + width, y + 6), shapely.box(x, y, x + 5, y + 6 + depth)])


def moved(geometry, dx, dy):
    return shapely.transform(geometry, lambda xy: xy + np.array([dx, dy]))


@given(eighths, eighths, st.integers(10, 25), st.integers(4, 12))
@settings(max_examples=40, deadline=None)
def test_a_house_is_found_where_it_was_moved_to(dx, dy, width, depth):
    house = angle(6_000.0, 7_000.0, width, depth)
    shift, shared_m2 = best_shift(np.array([house]), np.array([moved(house, dx, dy)]))
    assert shift[0] == pytest.approx([dx, dy], abs=STEPS_M[-1])
    assert shared_m2[0] == pytest.approx(
        moved(house, *shift[0]).intersection(moved(house, dx, dy)).area, abs=1e-6
    )


@given(eighths, eighths, st.integers(4, 20), st.integers(4, 20), st.integers(4, 20), st.integers(4, 20))
@settings(max_examples=40, deadline=None)
def test_no_shift_nearby_shares_more(dx, dy, width, depth, seen_width, seen_depth):
    house = shapely.box(0, 0, width, depth)
    roof = shapely.box(dx, dy, dx + seen_width, dy + seen_depth)
    shift, shared_m2 = best_shift(np.array([house]), np.array([roof]))
    assert shared_m2[0] >= house.intersection(roof).area - 1e-6
    for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        there = shift[0] + np.array(step)
        gain = moved(house, *there).intersection(roof).area - shared_m2[0]
        cost = 0.02 * np.sqrt(house.area) * (np.hypot(*there) - np.hypot(*shift[0]))
        assert gain <= cost + 1e-6


def test_a_house_that_was_extended_or_reduced_stays_put():
    house, wing = shapely.box(0, 0, 12, 10), shapely.box(12, 0, 18, 10)
    both = np.array([house, house | wing], object)
    shift, _ = best_shift(both, both[::-1].copy())
    assert shift.tolist() == [[0, 0], [0, 0]]


def test_no_pairs_no_shifts():
    shift, shared_m2 = best_shift(np.array([], object), np.array([], object))
    assert shift.shape == (0, 2)
    assert shared_m2.shape == (0,)
