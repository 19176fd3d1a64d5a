"""Scores: against counts made by hand, and laws that hold for any data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geoai.errors import PublishError
from geoai.evaluation import (
    Evaluation,
    PixelScores,
    evaluate_review,
    score_images,
    score_objects,
    score_pixels,
    wilson,
)
from geoai.samples import NODATA, labelled

BOUNDS = (0.0, 0.0, 1000.0, 1000.0)


def layer(*boxes: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.box(*box) for box in boxes], crs="EPSG:3006")


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


def test_image_of_odd_size_is_scored_whole_and_only_itself() -> None:
    """A segmenter that sees bright pixels: its answer on the padding must not count."""
    image = np.zeros((45, 33, 3), np.uint8)
    image[40:, 30:] = 255
    label = np.zeros((45, 33), np.uint8)
    label[40:, 29:] = 1

    def bright(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert chip.shape == (3, 64, 64)
        seen = (chip[:1] > 127).astype(np.float32)
        seen[:, 45:] = 1.0
        return seen

    scores = score_images(bright, [labelled("a", image, label, 0.2)] * 2)
    assert scores == PixelScores(hit=2 * 15, false=0, missed=2 * 5)


def test_layer_against_itself_is_perfect() -> None:
    houses = layer(*[(x, y, x + 10, y + 8) for x in range(0, 200, 20) for y in range(0, 100, 20)])
    scores = score_objects(houses, houses, BOUNDS)
    assert scores.recall.value == scores.precision.value == scores.f1 == 1
    assert scores.recall.total == 50


def test_objects_are_counted_by_hand() -> None:
    mapped = layer((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 63, 3), (80, 0, 100, 20))
    seen = layer((1, 1, 11, 11), (20, 0, 50, 10), (200, 0, 210, 10), (300, 0, 303, 3))
    scores = score_objects(seen, mapped, BOUNDS)
    # Found: the first house, both under one roof; not found: the large one; not counted: the shed of 9 m².
    assert (scores.recall.found, scores.recall.total) == (3, 4)
    assert (scores.precision.found, scores.precision.total) == (2, 3)
    assert scores.f1 == pytest.approx(2 * 0.75 * (2 / 3) / (0.75 + 2 / 3))
    by_size = [(s.recall.found, s.recall.total, s.precision.found, s.precision.total) for s in scores.by_size]
    assert by_size == [(0, 1, 0, 1), (0, 0, 0, 0), (3, 3, 1, 2), (0, 1, 1, 1)]


def test_only_what_lies_in_bounds_counts_but_its_counterpart_may_lie_outside() -> None:
    mapped = layer((90, 0, 102, 10), (300, 0, 310, 10))
    seen = layer((95, 0, 110, 10), (400, 0, 410, 10))
    scores = score_objects(seen, mapped, (0, 0, 100, 100))
    assert (scores.recall.found, scores.recall.total) == (1, 1)
    assert scores.precision.total == 0
    assert math.isnan(scores.f1)


def test_mapped_house_that_the_imagery_does_not_show_does_not_count_as_not_found() -> None:
    mapped = layer((0, 0, 10, 10), (50, 0, 60, 10))
    seen = layer((0, 0, 10, 10))
    scores = score_objects(seen, mapped, None, assessable=np.array([True, False]))
    assert (scores.recall.found, scores.recall.total) == (1, 1)


def write_review(path: Path) -> None:
    mapped = layer((0, 0, 10, 10), (50, 0, 60, 10), (90, 0, 99, 9)).assign(visible_share=[1.0, 0.9, 0.5])
    seen = layer((0, 0, 10, 10), (200, 0, 210, 10))
    run = pd.DataFrame({"flight_id": ["f1"], "model_id": ["roofs"], "model_checksum": ["00"]})
    pyogrio.write_dataframe(mapped, path, layer="map_status")
    pyogrio.write_dataframe(seen, path, layer="detection", append=True)
    pyogrio.write_dataframe(run, path, layer="run", append=True)


def test_run_is_scored_from_its_review(tmp_path: Path) -> None:
    write_review(tmp_path / "review.gpkg")
    scored = evaluate_review(tmp_path / "review.gpkg")
    assert (scored.name, scored.model_id, scored.checksum) == ("f1", "roofs", "00")
    assert scored.objects is not None
    assert (scored.objects.recall.found, scored.objects.recall.total) == (1, 2)
    assert (scored.objects.precision.found, scored.objects.precision.total) == (1, 2)
    west = evaluate_review(tmp_path / "review.gpkg", (0, 0, 40, 40)).objects
    assert west is not None
    assert (west.recall.total, west.precision.total) == (1, 1)


def test_what_is_no_review_is_named(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"none\.gpkg: expected the review\.gpkg of a run, found "):
        evaluate_review(tmp_path / "none.gpkg")


def test_empty_layers_give_unknown_shares() -> None:
    scores = score_objects(layer(), layer((0, 0, 10, 10)), BOUNDS)
    assert scores.recall.value == 0
    assert math.isnan(scores.precision.value)


def test_json_holds_ratios_and_no_nan() -> None:
    def refuse(text: str) -> Any:
        raise AssertionError(text)

    objects = score_objects(layer(), layer(), BOUNDS)
    written = Evaluation("nothing", "roofs", "00", PixelScores(1, 1, 2), objects).to_json()
    values = json.loads(written, parse_constant=refuse)
    assert values["pixels"] == {
        "hit": 1,
        "false": 1,
        "missed": 2,
        "iou": 0.25,
        "precision": 0.5,
        "recall": 1 / 3,
    }
    assert values["objects"]["f1"] is None
    assert values["objects"]["by_size"][-1]["to_m2"] is None
