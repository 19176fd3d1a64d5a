"""What is drawn twice, and gaps that one side has."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoai.division import drawn_twice, find_gaps

rectangles = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20)), max_size=10
)


def boxes(drawn):
    return np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in drawn], object)


def ids(count):
    return np.array([f"m{k:02d}" for k in range(count)])


@given(rectangles)
@settings(max_examples=100, deadline=None)
def test_an_object_is_there_twice_if_and_only_if_a_larger_one_or_an_earlier_equal_one_holds_it(drawn):
    layer = boxes(drawn)
    expected = [
        any(
            each.intersection(other).area >= 0.9 * each.area - 1e-9
            and (each.area < other.area or (each.area == other.area and k > n))
            for n, other in enumerate(layer)
            if n != k
        )
        for k, each in enumerate(layer)
    ]
    assert drawn_twice(layer, ids(len(layer))).tolist() == expected


def test_neighbours_behind_a_party_wall_are_not_the_same():
    assert not drawn_twice(boxes([(0, 0, 8, 10), (8, 0, 8, 10)]), ids(2)).any()


def gaps(mapped, seen, tolerance_m=1.5):
    objects = gpd.GeoDataFrame(
        {"group": [0] * len(mapped), "judged": True, "tolerance_m": tolerance_m},
        geometry=boxes(mapped),
        crs=3006,
    )
    return find_gaps(objects, gpd.GeoDataFrame({"group": [0] * len(seen)}, geometry=boxes(seen), crs=3006))


@pytest.mark.parametrize(("apart", "count"), [(0, 0), (1, 0), (2.9, 0), (3.1, 1), (6, 1)])
def test_a_gap_counts_from_twice_the_tolerance(apart, count):
    whole, two = [(0, 0, 30 + apart, 10)], [(0, 0, 15, 10), (15 + apart, 0, 15, 10)]
    assert gaps(whole, two)["split"].tolist() == [True] * count
    assert gaps(two, whole)["split"].tolist() == [False] * count


def test_a_gap_is_the_ground_between():
    found = gaps([(0, 0, 34, 10)], [(0, 0, 15, 10), (19, 0, 15, 10)])
    assert found.geometry[0].symmetric_difference(shapely.box(15.75, 0, 18.25, 10)).area < 0.1


def test_roofs_that_hang_together_over_a_third_have_no_gap():
    assert gaps([(0, 0, 30, 10)], [(0, 0, 10, 10), (10.5, 0, 10, 10), (21, 0, 9, 10)]).empty
    assert gaps([(0, 0, 30, 10)], [(0, 0, 10, 10)]).empty
