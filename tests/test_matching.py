"""Grouping mapped objects and detections."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from geoai.matching import Groups, match_groups
from geoai.vector import connected_components, polygonal, union_by_group

cells = st.tuples(
    st.integers(0, 60), st.integers(0, 60), st.integers(1, 20), st.integers(1, 20)
)  # x, y, width, height in metres
layers = st.lists(cells, max_size=12)


def boxes(rectangles):
    return np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in rectangles], object)


def moved(geometries, east, north):
    return shapely.transform(geometries, lambda xy: xy + np.array([east, north]))


def group(mapped, seen, *, tolerance_m=1.0, overlap=0.3) -> Groups:
    return match_groups(mapped, seen, np.full(len(mapped), tolerance_m), overlap=overlap)


def pairs(groups: Groups) -> set[tuple[int, int]]:
    """Which mapped object shares its group with which detection."""
    return {
        (int(i), int(k))
        for i, g in enumerate(groups.map_group)
        for k in np.flatnonzero(groups.seen_group == g)
    }


@given(layers, layers)
@settings(max_examples=examples(150), deadline=None)
def test_groups_are_numbered_without_gaps_and_joined_only_by_shared_ground(mapped, seen):
    map_boxes, seen_boxes = boxes(mapped), boxes(seen)
    groups = group(map_boxes, seen_boxes)
    both = np.concatenate([groups.map_group, groups.seen_group])
    assert set(both.tolist()) == set(range(groups.count))
    for i, k in pairs(groups):
        near = np.append(
            map_boxes[groups.map_group == groups.map_group[i]],
            seen_boxes[groups.seen_group == groups.seen_group[k]],
        )
        assert len(near) > 1
        assert shapely.union_all(shapely.buffer(near, 1.0)).geom_type == "Polygon"


@given(layers)
@settings(max_examples=examples(150), deadline=None)
def test_a_layer_matched_with_itself_leaves_no_object_alone(mapped):
    layer = boxes(mapped)
    groups = group(layer, layer)
    assert set(groups.map_group.tolist()) == set(groups.seen_group.tolist())


@given(layers, layers, st.integers(-5_000, 5_000_000), st.randoms(use_true_random=False))
@settings(max_examples=examples(100), deadline=None)
def test_groups_move_with_the_layers_and_do_not_depend_on_row_order(mapped, seen, shift, random):
    map_boxes, seen_boxes = boxes(mapped), boxes(seen)
    shares = shapely.area(shapely.intersection(map_boxes[:, None], seen_boxes[None, :]))
    shares = shares[shares > 0]
    there = pairs(group(map_boxes, seen_boxes))
    elsewhere = pairs(
        group(
            moved(map_boxes, shift, shift),
            moved(seen_boxes, shift, shift),
        )
    )
    assert elsewhere == there
    if len(np.unique(shares)) < len(shares):
        return  # equal shares in a crowded group are told apart by row
    map_order = random.sample(range(len(mapped)), len(mapped))
    seen_order = random.sample(range(len(seen)), len(seen))
    shuffled = pairs(group(map_boxes[map_order], seen_boxes[seen_order]))
    assert {(map_order[i], seen_order[k]) for i, k in shuffled} == there


@given(st.integers(0, 12), st.data())
@settings(max_examples=examples(200), deadline=None)
def test_components_agree_with_a_flood_fill(count, data):
    node = st.integers(0, max(count - 1, 0))
    edges = data.draw(st.lists(st.tuples(node, node), max_size=15)) if count else []
    found = connected_components(
        count, np.array([a for a, _ in edges], int), np.array([b for _, b in edges], int)
    )
    expected = list(range(count))
    for _ in range(count):
        for a, b in edges:
            expected[a] = expected[b] = min(expected[a], expected[b])
    order = sorted(set(expected))
    assert found.tolist() == [order.index(label) for label in expected]


def test_a_long_chain_is_one_component():
    nodes = np.random.default_rng(1).permutation(50_000)
    assert connected_components(50_000, nodes[:-1], nodes[1:]).max() == 0


def test_one_roof_drawn_as_three_houses_is_one_group():
    houses = boxes([(0, 0, 8, 10), (8, 0, 8, 10), (16, 0, 8, 10)])
    groups = group(houses, boxes([(0, 0, 24, 10)]))
    assert groups.count == 1


def test_neighbours_behind_a_party_wall_stay_apart_when_the_imagery_is_a_metre_off():
    houses = boxes([(0, 0, 10, 10), (10, 0, 10, 10), (20, 0, 10, 10)])
    groups = group(houses, moved(houses, 1.0, 1.0))
    assert groups.count == 3
    assert groups.map_group.tolist() == groups.seen_group.tolist()


def test_a_shed_under_lean_matches_by_position_and_a_house_does_not():
    lean = 2.4
    shed, house = boxes([(0, 0, 3, 3)]), boxes([(0, 0, 30, 3)])
    assert group(shed, moved(shed, lean, 0), tolerance_m=2.5).count == 1
    assert group(shed, moved(shed, lean, 0), tolerance_m=2.3).count == 2
    assert group(house, moved(house, 0, lean), tolerance_m=2.5).count == 2


def test_a_small_object_does_not_match_one_of_another_size_by_position():
    assert group(boxes([(0, 0, 2, 2)]), boxes([(2.5, 0, 2, 5)]), tolerance_m=4.0).count == 2


@pytest.mark.parametrize(("share", "groups"), [(2.9, 2), (3.1, 1)])
def test_the_overlap_is_a_share_of_the_smaller_object(share, groups):
    assert group(boxes([(0, 0, 10, 10)]), boxes([(10 - share, 0, 10, 20)])).count == groups


def test_less_than_a_square_metre_in_common_joins_nothing():
    assert group(boxes([(0, 0, 30, 30)]), boxes([(29.5, 0, 1.4, 1.4)])).count == 2


def test_a_city_block_is_taken_apart_at_its_weakest_links():
    # four houses 20 m wide, seen as four roofs that each cover 7 m of the next one's ground
    houses = boxes([(20 * k, 0, 20, 20) for k in range(4)])
    roofs = boxes([(20 * k, 0, 27, 20) for k in range(4)])
    groups = group(houses, roofs)
    assert groups.count == 4
    assert groups.map_group.tolist() == groups.seen_group.tolist()


def test_a_long_terrace_under_one_roof_is_never_taken_apart():
    houses = boxes([(8 * k, 0, 8, 60) for k in range(20)])
    assert group(houses, boxes([(0, 0, 160, 60)])).count == 1


def test_taking_a_block_apart_leaves_no_detection_behind():
    houses = boxes([(20 * k, 0, 20, 20) for k in range(4)])
    roofs = boxes([(20 * k, 0, 27, 15) for k in range(4)] + [(0, 16, 6, 4)])
    groups = group(houses, roofs)
    assert groups.seen_group[4] == groups.map_group[0]


def test_empty_layers_are_grouped():
    nothing = boxes([])
    house = boxes([(0, 0, 10, 10)])
    assert group(nothing, nothing).count == 0
    assert group(house, nothing).count == 1
    assert group(nothing, house).seen_group.tolist() == [0]


def test_unions_are_made_group_by_group():
    parts = boxes([(0, 0, 1, 1), (5, 5, 1, 1), (1, 0, 1, 1)])
    unions = union_by_group(parts, np.array([2, 0, 2]), 4)
    assert shapely.area(unions).tolist() == [1.0, 0.0, 2.0, 0.0]
    assert unions[2].equals(shapely.box(0, 0, 2, 1))


def test_only_the_polygons_of_a_collection_are_kept():
    square = shapely.box(0, 0, 1, 1)
    line = shapely.LineString([(0, 0), (9, 9)])
    twice = shapely.MultiPolygon([square, shapely.box(3, 3, 4, 4)])
    kept = polygonal(np.array([square, line, shapely.GeometryCollection([line, twice])], object))
    assert kept[0] is square
    assert kept[1].is_empty
    assert kept[2].equals(twice)
