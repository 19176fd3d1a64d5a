"""Units, intervals and comparisons: against known distributions, and laws that hold for any data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geoai.resampling import (
    DRAWS,
    MIN_UNITS,
    Blocks,
    Comparison,
    Difference,
    add_up,
    compare,
    intervals,
    object_sums,
)
from geoai.scoring import MIN_AREA_M2, Held, Outcome, hold, match_by_group, score_objects

FEW = settings(max_examples=15)
SEEDS = st.integers(0, 2**32 - 1)
NAMES = [
    *(f"pixels.{name}" for name in ("hit", "false", "missed")),
    *(f"objects.{name}" for name in ("found", "labels", "confirmed", "detections")),
]


def counts_of(rng: np.random.Generator, units: int, skill: float = 0.8) -> pd.DataFrame:
    """Make counts of a model that finds, and is right in, about the share *skill*."""
    labels, detections = rng.integers(1, 12, (2, units))
    found, confirmed = rng.binomial(labels, skill), rng.binomial(detections, skill)
    pixels = 900 * np.stack([found, detections - confirmed, labels - found], axis=1)
    values = np.column_stack([pixels, found, labels, confirmed, detections])
    return pd.DataFrame(values, index=rng.permutation(units), columns=NAMES)


@given(SEEDS, st.sampled_from([0.7, 3.0, 4.5, 20.0]))
def test_block_sums_are_those_of_every_pixel_by_itself(seed: int, side_m: float) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((11, 7)) < 0.5
    blocks = Blocks(-2.0, 1.0, side_m)
    x, y = 5.0 + 0.5 * np.arange(7), 9.0 - 0.5 * np.arange(11)
    sums = blocks.sums({"a": mask, "all": np.ones_like(mask)}, x, y)
    by_pixel = pd.DataFrame({"a": mask.ravel().astype(int), "all": 1})
    expected = by_pixel.groupby(blocks.of(np.tile(x, 11), np.repeat(y, 7))).sum()
    assert sums.sort_index().equals(expected)
    assert sums["all"].sum() == mask.size


def test_blocks_are_told_apart_west_and_south_of_their_corner() -> None:
    x, y = np.array([-150.0, -50, 50, 50, 50]), np.array([50.0, 50, 50, -50, 199.9])
    assert len(set(Blocks(0.0, 0.0, 100.0).of(x, y))) == 5
    assert len(set(Blocks(-200.0, -100.0, 400.0).of(x, y))) == 1


@FEW
@given(SEEDS)
def test_sums_of_objects_by_unit_are_the_scores_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners, sides = rng.uniform(0, 900, (2, 30, 2)), rng.uniform(2, 12, (2, 30, 2))
    labels, seen = (
        np.array(
            [shapely.box(*corner, *(corner + side)) for corner, side in zip(*layer, strict=True)], object
        )
        for layer in zip(corners, sides, strict=True)
    )
    held = hold(labels, seen, match_by_group, bounds=None)
    blocks = Blocks(0.0, 0.0, 100.0)
    units = [
        blocks.of(*shapely.get_coordinates(shapely.point_on_surface(shapes)).T) for shapes in (labels, seen)
    ]
    total, scores = object_sums("objects", held, *units).sum(), score_objects(held)
    assert (total["objects.found"], total["objects.labels"]) == (scores.recall.found, scores.recall.total)
    assert total["objects.confirmed"] == scores.precision.found
    assert total["objects.detections"] == scores.precision.total


@FEW
@given(SEEDS, st.integers(MIN_UNITS, 60))
def test_model_against_itself_differs_by_nothing(seed: int, units: int) -> None:
    counts = counts_of(np.random.default_rng(seed), units)
    comparison = compare(counts, counts.sample(frac=1, random_state=seed))
    for each in comparison.differences.values():
        assert each.difference == 0
        assert each.low <= 0 <= each.high
        assert each.share == 1
        assert not each.is_real
    assert comparison.sentence.startswith("no difference can be told: object F1 +0.000 (+0.000 to +0.000)")


@FEW
@given(SEEDS)
def test_swapping_the_models_turns_every_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = counts_of(rng, 30), counts_of(rng, 30, skill=0.9)
    there, back = compare(a, b).differences, compare(b, a).differences
    for name, each in there.items():
        other = back[name]
        assert (each.a, each.b) == (other.b, other.a)
        assert [each.difference, each.low, each.high] == pytest.approx(
            [-other.difference, -other.high, -other.low]
        )
        assert each.share == pytest.approx(other.share)


def test_interval_is_that_of_the_binomial_where_units_hold_one_object_each() -> None:
    """1,000 labels of which 800 are found: the standard error is √(0.8 · 0.2 / 1000)."""
    found = np.repeat([1, 0], [800, 200])
    ones = np.ones(1000, int)
    counts = pd.DataFrame(dict(zip(NAMES[3:], (found, ones, found, ones), strict=True)))
    recall = intervals(counts)["objects.recall"]
    assert recall.value == 0.8
    half = 1.96 * math.sqrt(0.8 * 0.2 / 1000)
    assert [recall.low, recall.high] == pytest.approx([0.8 - half, 0.8 + half], abs=0.002)


def test_interval_is_wider_where_neighbours_fail_together() -> None:
    rng = np.random.default_rng(1)
    alike = np.repeat(rng.random(50) < 0.8, 20)

    def width(unit: NDArray[np.intp]) -> float:
        one = np.ones(1000, int)
        counts = pd.DataFrame(dict(zip(NAMES[3:], (alike.astype(int), one, one, one), strict=True)))
        found = intervals(counts.groupby(unit).sum())["objects.recall"]
        return found.high - found.low

    assert width(np.arange(1000) // 20) > 3 * width(np.arange(1000))


def test_pairing_shows_a_small_gain_that_the_intervals_of_each_do_not() -> None:
    rng = np.random.default_rng(2)
    a = counts_of(rng, 200)
    b = a.assign(
        **{"objects.found": np.minimum(a["objects.found"] + (rng.random(200) < 0.15), a["objects.labels"])}
    )
    comparison = compare(a, b)
    alone = [intervals(each)["objects.recall"] for each in (a, b)]
    assert alone[0].high > alone[1].low
    assert comparison.differences["objects.recall"].is_real
    assert comparison.differences["objects.recall"].share < 0.01
    assert not comparison.differences["objects.precision"].is_real
    f1 = comparison.differences["objects.f1"]
    assert (
        comparison.sentence
        == f"B finds more: object F1 {f1.difference:+.3f} ({f1.low:+.3f} to {f1.high:+.3f})"
    )
    assert compare(b, a).sentence.startswith("A finds more: object F1 -")


def test_draws_repeat_by_seed() -> None:
    a, b = (counts_of(np.random.default_rng(n), 20) for n in (1, 2))
    assert compare(a, b, seed=3) == compare(a, b, seed=3)
    assert compare(a, b, seed=3) != compare(a, b, seed=4)
    assert compare(a, b).draws == DRAWS == 2000


def test_too_few_units_tell_nothing() -> None:
    counts = counts_of(np.random.default_rng(0), MIN_UNITS - 1)
    better = counts.assign(**{"objects.found": counts["objects.labels"]})
    comparison = compare(counts, better)
    assert math.isnan(comparison.differences["objects.f1"].low)
    assert comparison.sentence == "no difference can be told: it takes 8 units to resample, found 7"


def test_units_that_one_model_leaves_empty_are_still_drawn_for_both() -> None:
    """B says nothing in half the units: that is no reason to leave them out of what A did there."""
    a = counts_of(np.random.default_rng(5), 40)
    b = a.iloc[:20]
    assert compare(a, b).units == 40
    assert compare(a, b).differences["pixels.iou"].a == intervals(a)["pixels.iou"].value


def test_what_is_of_nothing_has_no_measure_and_the_sentence_falls_back_on_pixels() -> None:
    a = counts_of(np.random.default_rng(6), 40)
    none: dict[Any, Any] = dict.fromkeys(NAMES[3:], 0)
    comparison = compare(a.assign(**none), a.assign(**none))
    assert math.isnan(comparison.differences["objects.f1"].difference)
    assert comparison.sentence.startswith("no difference can be told: pixel IoU +0.000")
    assert Comparison({}, 0, DRAWS, 0).sentence == "no difference can be told: nothing was measured of both"


@pytest.mark.parametrize(
    ("recall", "precision", "f1", "sentence"),
    [
        (0.1, 0.1, 0.1, "B finds more and is right more often: object F1 +0.100 (+0.090 to +0.110)"),
        (0.1, -0.05, 0.02, "B finds more and is right less often: object F1 +0.020 "),
        (0.005, 0.005, 0.02, "B is better: object F1 +0.020 "),
        (-0.1, 0.0, -0.05, "A finds more: object F1 -0.050 "),
        (-0.1, 0.05, -0.05, "A finds more and is right less often: object F1 -0.050 "),
        (
            0.1,
            -0.1,
            0.0,
            "B finds more and is right less often, but no difference in sum can be told: object F1 ",
        ),
        (0.0, 0.0, 0.0, "no difference can be told: object F1 +0.000 (-0.010 to +0.010)"),
    ],
)
def test_sentence_says_who_is_better_and_at_what(
    recall: float, precision: float, f1: float, sentence: str
) -> None:
    differences = {
        f"objects.{name}": Difference(0.5, 0.5 + value, value, value - 0.01, value + 0.01, 0.0)
        for name, value in (("recall", recall), ("precision", precision), ("f1", f1))
    }
    assert Comparison(differences, 50, DRAWS, 0).sentence.startswith(sentence)


def test_what_is_wrong_in_the_labels_does_not_decide_who_is_better() -> None:
    """B sees more of what a register lacks: raw it looks worse, reviewed it is not."""
    raw = Difference(0.85, 0.83, -0.02, -0.04, -0.01, 0.01)
    same = Difference(0.94, 0.94, 0.0, -0.01, 0.01, 0.9)
    names = ("recall", "precision", "f1")
    differences = {f"objects.{name}": raw for name in names} | {f"reviewed.objects.{n}": same for n in names}
    assert Comparison(differences, 50, DRAWS, 0).sentence == (
        "no difference can be told: object F1, label errors set aside, +0.000 (-0.010 to +0.010)"
    )


def test_counts_of_one_unit_are_added_and_units_of_nothing_left_out() -> None:
    first = pd.DataFrame({"a": [1, 0], "b": [2, 0]}, index=[7, 8])
    second = pd.DataFrame({"c": [5, 6]}, index=[7, 9])
    assert add_up([first, second]).to_dict("index") == {
        7: {"a": 1, "b": 2, "c": 5},
        9: {"a": 0, "b": 0, "c": 6},
    }


def test_small_objects_are_not_resampled() -> None:
    area = np.array([MIN_AREA_M2 - 1, MIN_AREA_M2])
    side = Outcome(area, np.ones(2, bool), np.ones(2, bool))
    sums = object_sums("objects", Held(side, side), *[np.array([1, 1])] * 2)
    assert sums.to_numpy().tolist() == [[1, 1, 1, 1]]
