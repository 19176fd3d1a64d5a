"""Scores: against counts made by hand, oracles, and laws that hold for any data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import networkx
import numpy as np
import pytest
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geoai.samples import NODATA
from geoai.scoring import (
    MIN_AREA_M2,
    SAME_IOU,
    SIZE_BINS_M2,
    Held,
    Matcher,
    PixelScores,
    Verdicts,
    hold,
    match_by_group,
    match_one_to_one,
    outline_iou,
    pair_by_iou,
    pixel_masks,
    review,
    score_objects,
    score_pixels,
    wilson,
)

FEW = settings(max_examples=examples(30))
"""A layer holds a dozen objects: thirty layers are some hundreds."""
MATCHERS = pytest.mark.parametrize("matcher", [match_by_group, match_one_to_one])
BOUNDS = (0.0, 0.0, 1000.0, 1000.0)


def boxes(*corners: tuple[float, float, float, float]) -> NDArray[Any]:
    return np.array([shapely.box(*box) for box in corners], object)


def drawn(seed: int) -> NDArray[Any]:
    """Draw boxes of whole metres that do not overlap: one at most in a cell of a grid, or over two."""
    rng = np.random.default_rng(seed)
    filled = rng.random((5, 5)) < rng.choice([0.1, 0.5, 0.9])
    shapes = []
    for row, col in np.argwhere(filled[:, :4]):
        wide = not filled[row, col + 1] and rng.random() < 0.5
        x, y = np.array([20 * col, 20 * row]) + rng.integers(0, 5, 2)
        width, height = rng.integers(1, 36 if wide else 16), rng.integers(1, 16)
        shapes.append(shapely.box(x, y, x + width, y + height))
    return np.array(shapes, object)


def layers() -> st.SearchStrategy[NDArray[Any]]:
    return st.integers(0, 2**32 - 1).map(drawn)


def counts(held: Held) -> tuple[Any, ...]:
    return astuple(score_objects(held))


# --- shares and pixels -----------------------------------------------------------------------------------


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_bounds_are_where_the_score_test_just_fails(found: int, total: int) -> None:
    """The definition: p is in the interval where |share − p| ≤ z · sqrt(p (1 − p) / n)."""
    found = min(found, total)
    share = wilson(found, total)
    assert 0 <= share.low <= share.value <= share.high <= 1
    for bound in (share.low, share.high):
        if 0 < bound < 1:
            distance = abs(share.value - bound) / math.sqrt(bound * (1 - bound) / total)
            assert distance == pytest.approx(1.959964, abs=1e-4)


def test_share_of_nothing_is_unknown() -> None:
    share = wilson(0, 0)
    assert math.isnan(share.value)
    assert math.isnan(share.low)


def test_pixels_are_counted_by_hand() -> None:
    label = np.array([[1, 1, 0, 0], [1, 255, 0, 254]], np.uint8)
    seen = np.array([[True, False, True, False], [True, True, False, True]])
    scores = score_pixels(seen, label)
    assert scores == PixelScores(hit=2, false=1, missed=1)
    assert scores.iou == 0.5
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(2 / 3)


@given(st.integers(0, 2**32 - 1))
def test_unknown_pixels_never_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = rng.choice(np.array([0, 1, NODATA, 255], np.uint8), (9, 7))
    seen = rng.random((9, 7)) < 0.5
    turned = np.where(label >= NODATA, ~seen, seen)
    assert score_pixels(seen, label) == score_pixels(turned, label)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1.0, 3.3]))
def test_masks_agree_with_the_scores_of_labels_and_themselves(seed: int, width_px: float) -> None:
    rng = np.random.default_rng(seed)
    seen, true, known = (rng.random((3, 12, 9)) < 0.6).astype(bool)
    masks = pixel_masks(seen, true, known, width_px=width_px)
    counted = PixelScores(*(int(masks[f"pixels.{name}"].sum()) for name in ("hit", "false", "missed")))
    assert counted == score_pixels(seen, np.where(known, true.astype(np.uint8), NODATA).astype(np.uint8))
    for name, mask in pixel_masks(true, true, known, width_px=width_px).items():
        assert name.endswith("hit") or not mask.any()


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1.5, 2.3, 5.0]))
def test_band_is_what_lies_near_a_known_pixel_outside(seed: int, width_px: float) -> None:
    """Against the definition, pixel by pixel: the distance of the centres, not beyond what is known."""
    rng = np.random.default_rng(seed)
    true, known = rng.random((14, 11)) < 0.8, rng.random((14, 11)) < 0.9
    band = pixel_masks(true, true, known, width_px=width_px)["boundary.hit"]
    outside = np.argwhere(known & ~true)
    for row, col in np.ndindex(true.shape):
        near = len(outside) and np.hypot(*(outside - (row, col)).T).min() <= width_px
        assert band[row, col] == bool(true[row, col] and known[row, col] and near)


def test_boundary_iou_of_a_shifted_square_is_counted_by_hand() -> None:
    """Rings of 2 px of two squares of 10 px, one moved by 1 px: 64 px each."""
    true, seen, known = np.zeros((3, 16, 16), bool)
    true[3:13, 2:12], seen[3:13, 3:13], known[:] = True, True, True
    masks = pixel_masks(seen, true, known, width_px=2.0)
    both = 2 * (9 * 2) + 2 * (6 * 1)  # rows of roof and floor, one column of each wall between them
    assert masks["boundary.hit"].sum() == both
    assert masks["boundary.false"].sum() == masks["boundary.missed"].sum() == 64 - both


# --- matching --------------------------------------------------------------------------------------------


@FEW
@given(layers(), layers())
def test_one_to_one_makes_as_many_pairs_as_can_be(labels: NDArray[Any], seen: NDArray[Any]) -> None:
    """The oracle: the largest matching of the graph of all pairs, by networkx (blossom)."""
    graph = networkx.Graph()
    iou = {}
    for row, label in enumerate(labels):
        for col, detection in enumerate(seen):
            value = label.intersection(detection).area / label.union(detection).area
            if value >= SAME_IOU:
                iou[row, col] = value
                graph.add_edge(("label", row), ("seen", col), weight=value)
    most = networkx.max_weight_matching(graph, maxcardinality=True)
    first, second, values = pair_by_iou(labels, seen)
    assert len(first) == len(set(first)) == len(set(second)) == len(most)
    for row, col, value in zip(first, second, values, strict=True):
        assert iou[row, col] == pytest.approx(value)


def test_the_best_pair_goes_first_where_labels_overlap() -> None:
    labels = boxes((0, 0, 10, 10), (0, 0, 10, 12))
    first, second, iou = pair_by_iou(labels, boxes((0, 0, 10, 11.5)))
    assert (first.tolist(), second.tolist()) == ([1], [0])
    assert iou[0] == pytest.approx(115 / 120)


def test_iou_of_exactly_a_half_matches_and_less_does_not() -> None:
    found, confirmed = match_one_to_one(
        boxes((0, 0, 10, 10), (50, 0, 60, 10)), boxes((0, 0, 5, 10), (50, 0, 54.9, 10))
    )
    assert found.tolist() == confirmed.tolist() == [True, False]


def test_one_roof_drawn_as_three_matches_by_group_only() -> None:
    labels, seen = boxes((0, 0, 10, 10), (10, 0, 20, 10), (20, 0, 30, 10)), boxes((0, 0, 30, 10))
    assert match_by_group(labels, seen)[0].all()
    assert not match_one_to_one(labels, seen)[0].any()
    group, iou = outline_iou(labels, seen)
    assert len(set(group)) == 1
    assert iou.tolist() == pytest.approx([1.0, 1.0, 1.0])


@MATCHERS
@FEW
@given(shapes=layers())
def test_layer_against_itself_is_perfect(matcher: Matcher, shapes: NDArray[Any]) -> None:
    scores = score_objects(hold(shapes, shapes, matcher, bounds=None))
    large = sum(shape.area >= MIN_AREA_M2 for shape in shapes)
    assert scores.recall.found == scores.recall.total == scores.precision.found == large
    assert scores.f1 == 1 if large else math.isnan(scores.f1)


@MATCHERS
@FEW
@given(labels=layers(), seen=layers(), order=st.randoms(), shift=st.tuples(*[st.integers(-999, 999)] * 2))
def test_scores_depend_on_neither_row_order_nor_place(
    matcher: Matcher, labels: NDArray[Any], seen: NDArray[Any], order: Any, shift: tuple[int, int]
) -> None:
    bounds = (10.0, 10.0, 60.0, 50.0)
    moved_bounds = tuple(value + shift[number % 2] for number, value in enumerate(bounds))

    def moved(shapes: NDArray[Any]) -> NDArray[Any]:
        rows = list(range(len(shapes)))
        order.shuffle(rows)
        return shapely.transform(shapes[rows], lambda xy: xy + shift)

    before = hold(labels, seen, matcher, bounds=bounds)
    after = hold(moved(labels), moved(seen), matcher, bounds=moved_bounds)  # type: ignore[arg-type]
    assert str(counts(before)) == str(counts(after))


@MATCHERS
@FEW
@given(labels=layers(), seen=layers())
def test_size_bins_add_up_to_the_whole(matcher: Matcher, labels: NDArray[Any], seen: NDArray[Any]) -> None:
    held = hold(labels, seen, matcher, bounds=None)
    scores = score_objects(held)
    for name, side in (("recall", held.labels), ("precision", held.detections)):
        shares = [getattr(size, name) for size in scores.by_size]
        assert sum(share.total for share in shares) == len(side.area_m2)
        assert sum(share.found for share in shares) == side.matched.sum()
        whole = getattr(scores, name)
        assert sum(share.total for share in shares[1:]) == whole.total
        assert sum(share.found for share in shares[1:]) == whole.found
    assert SIZE_BINS_M2[1][0] == MIN_AREA_M2


def test_objects_are_counted_by_hand() -> None:
    labels = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 63, 3), (80, 0, 100, 20))
    seen = boxes((1, 1, 11, 11), (20, 0, 50, 10), (200, 0, 210, 10), (300, 0, 303, 3))
    scores = score_objects(hold(labels, seen, match_by_group, bounds=BOUNDS))
    # Found: the first house, both under one roof; not found: the large one; not counted: the shed of 9 m².
    assert (scores.recall.found, scores.recall.total) == (3, 4)
    assert (scores.precision.found, scores.precision.total) == (2, 3)
    assert scores.f1 == pytest.approx(2 * 0.75 * (2 / 3) / (0.75 + 2 / 3))
    by_size = [(s.recall.found, s.recall.total, s.precision.found, s.precision.total) for s in scores.by_size]
    assert by_size == [(0, 1, 0, 1), (0, 0, 0, 0), (3, 3, 1, 2), (0, 1, 1, 1)]
    # one to one the two under one roof are lost
    pairs = score_objects(hold(labels, seen, match_one_to_one, bounds=BOUNDS))
    assert (pairs.recall.found, pairs.precision.found) == (1, 1)


def test_only_what_lies_in_bounds_counts_but_its_counterpart_may_lie_outside() -> None:
    labels = boxes((90, 0, 102, 10), (300, 0, 310, 10))
    seen = boxes((95, 0, 110, 10), (400, 0, 410, 10))
    scores = score_objects(hold(labels, seen, match_by_group, bounds=(0, 0, 100, 100)))
    assert (scores.recall.found, scores.recall.total) == (1, 1)
    assert scores.precision.total == 0
    assert math.isnan(scores.f1)


def test_object_on_the_line_between_two_bounds_counts_in_one_of_them() -> None:
    house = boxes((0, 0, 10, 10))
    halves = [(-20.0, -20.0, 5.0, 20.0), (5.0, -20.0, 20.0, 20.0), (-20, -20, 20, 5), (-20, 5, 20, 20)]
    counted = [hold(house, house, match_by_group, bounds=half).labels.counted.tolist() for half in halves]
    assert counted == [[False], [True], [False], [True]]


def test_label_that_the_imagery_does_not_show_does_not_count_as_missed() -> None:
    labels, shown = boxes((0, 0, 10, 10), (50, 0, 60, 10)), np.array([True, False])
    held = hold(labels, labels[:1], match_by_group, bounds=None, assessable=shown)
    assert score_objects(held).recall.total == 1


@MATCHERS
def test_empty_layers_give_unknown_shares(matcher: Matcher) -> None:
    scores = score_objects(hold(boxes((0, 0, 10, 10)), boxes(), matcher, bounds=BOUNDS))
    assert scores.recall.value == 0
    assert math.isnan(scores.precision.value)
    assert math.isnan(scores.f1)
    nothing = hold(boxes(), boxes(), matcher, bounds=None)
    _, aside = review(nothing, boxes(), boxes(), matcher, ids=[], verdicts=Verdicts({"a": "unclear"}))
    assert set(astuple(aside)) == {0}


# --- verdicts --------------------------------------------------------------------------------------------


def reviewed(
    labels: NDArray[Any], seen: NDArray[Any], matcher: Matcher, verdicts: Verdicts
) -> tuple[Held, Any]:
    ids = [str(row) for row in range(len(labels))]
    held = hold(labels, seen, matcher, bounds=None)
    return review(held, labels, seen, matcher, ids=ids, verdicts=verdicts)


@MATCHERS
@FEW
@given(labels=layers(), seen=layers(), words=st.randoms())
def test_setting_aside_what_a_model_contradicts_never_lowers_a_score(
    matcher: Matcher, labels: NDArray[Any], seen: NDArray[Any], words: Any
) -> None:
    held = hold(labels, seen, matcher, bounds=None)
    missed, unmatched = np.flatnonzero(~held.labels.matched), np.flatnonzero(~held.detections.matched)
    said = {str(row): words.choice(["building", "no_building", "unclear"]) for row in missed}
    points = [shapely.point_on_surface(seen[row]).coords[0] for row in unmatched]
    verdicts = Verdicts(
        said,
        np.array(points, float).reshape(-1, 2),
        tuple(words.choice(["building", "not_building", "unclear"]) for _ in unmatched),
    )
    after, aside = reviewed(labels, seen, matcher, verdicts)
    for name in ("labels", "detections"):
        old, new = getattr(held, name), getattr(after, name)
        assert np.array_equal(new.matched, old.matched)
        assert not (new.counted & ~old.counted).any()
        assert not (old.counted & ~new.counted & old.matched).any()
    raw, clean = score_objects(held), score_objects(after)
    for key in ("recall", "precision"):
        before, value = getattr(raw, key).value, getattr(clean, key).value
        assert math.isnan(value) or value >= before
    assert aside.missed_without_verdict == aside.unmatched_without_verdict == 0
    assert aside.labels_without_building + aside.labels_unclear == raw.recall.total - clean.recall.total
    assert (
        aside.detections_of_buildings + aside.detections_unclear
        == raw.precision.total - clean.precision.total
    )


@MATCHERS
@FEW
@given(labels=layers(), seen=layers())
def test_no_verdict_changes_nothing(matcher: Matcher, labels: NDArray[Any], seen: NDArray[Any]) -> None:
    held = hold(labels, seen, matcher, bounds=None)
    after, aside = reviewed(labels, seen, matcher, Verdicts())
    assert str(counts(held)) == str(counts(after))
    scores = score_objects(held)
    assert aside.missed_without_verdict == scores.recall.total - scores.recall.found
    assert aside.unmatched_without_verdict == scores.precision.total - scores.precision.found


def test_verdicts_are_counted_by_hand() -> None:
    labels = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 70, 10), (80, 0, 90, 10))
    seen = boxes((0, 0, 10, 10), (100, 0, 110, 10), (120, 0, 130, 10), (140, 0, 150, 10), (160, 0, 170, 10))
    verdicts = Verdicts(
        {"1": "no_building", "2": "unclear", "3": "building", "other": "unclear"},
        np.array([(105, 5), (131.5, 5), (145, 5), (173, 5)], float),
        ("building", "unclear", "not_building", "building"),  # the last lies too far from any
    )
    held, aside = reviewed(labels, seen, match_by_group, verdicts)
    scores = score_objects(held)
    assert (scores.recall.found, scores.recall.total) == (1, 3)
    assert (scores.precision.found, scores.precision.total) == (1, 3)
    assert astuple(aside) == (1, 1, 1, 1, 1, 1)


def test_detection_of_what_is_no_building_is_false_and_of_what_is_unclear_takes_no_part() -> None:
    """A model that sees the register's phantom is not rewarded for it; every model has the same labels."""
    labels = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))
    held, _ = reviewed(labels, labels, match_by_group, Verdicts({"0": "no_building", "1": "unclear"}))
    scores = score_objects(held)
    assert (scores.recall.found, scores.recall.total) == (1, 1)
    assert (scores.precision.found, scores.precision.total) == (1, 2)


def test_verdict_on_a_detection_that_has_its_label_changes_nothing() -> None:
    house = boxes((0, 0, 10, 10))
    for word in ("building", "not_building", "unclear"):
        held, aside = reviewed(house, house, match_by_group, Verdicts({}, np.array([(5.0, 5.0)]), (word,)))
        assert score_objects(held).precision.found == score_objects(held).precision.total == 1
        assert set(astuple(aside)) == {0}


def test_verdict_speaks_of_the_nearest_detection_only() -> None:
    seen = boxes((0, 0, 10, 10), (11, 0, 21, 10))
    held, aside = reviewed(boxes(), seen, match_by_group, Verdicts({}, np.array([(9.5, 5.0)]), ("building",)))
    assert held.detections.counted.tolist() == [False, True]
    assert aside.unmatched_without_verdict == 1


@pytest.mark.parametrize("first", [0, 1, 2])
def test_of_several_verdicts_a_building_goes_before_unclear_before_none(first: int) -> None:
    words = ("building", "unclear", "not_building")[first:]
    points = np.array([(5.0, 5.0 + step) for step in range(len(words))])
    rotated: Callable[[int], Verdicts] = lambda n: Verdicts({}, points, (*words[n:], *words[:n]))  # noqa: E731
    for number in range(len(words)):
        _, aside = reviewed(boxes(), boxes((0, 0, 10, 10)), match_by_group, rotated(number))
        expected = {"building": (1, 0), "unclear": (0, 1), "not_building": (0, 0)}[words[0]]
        assert (aside.detections_of_buildings, aside.detections_unclear) == expected
