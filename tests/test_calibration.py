"""Calibration: what is right is left alone, what is wrong is mended, and no order is ever turned round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geoai.calibration import (
    MIN_OBJECTS,
    ObjectCalibration,
    PixelCalibration,
    Reliability,
    expected_calibration_error,
    fit_object_calibration,
    fit_pixel_calibration,
    object_features,
    reliability,
    reliability_plot,
)
from geoai.errors import ModelError

SIDE = 240  # px; every 13th pixel of six such images is looked at


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits)
    return powers / powers.sum(axis=0)


def draw(
    classes: int, temperature: float = 1.0, bias: float = 0.0, images: int = 6, seed: int = 0
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.uint8]]]:
    """Return logits of images, and labels drawn as softmax(logits / temperature + bias of class 1) says."""
    rng = np.random.default_rng(seed)
    logits, labels = [], []
    for _ in range(images):
        values = rng.normal(0, 2, (classes, SIDE, SIDE))
        right = values / temperature
        right[1] += bias
        edges = softmax(right).cumsum(axis=0)
        label = (rng.random((SIDE, SIDE)) > edges[:-1]).sum(axis=0)
        logits.append(values.astype(np.float32))
        labels.append(label.astype(np.uint8))
    return logits, labels


@pytest.mark.parametrize("classes", [2, 4])
def test_what_is_calibrated_is_left_alone(classes: int) -> None:
    fit = fit_pixel_calibration(*draw(classes))
    assert fit.calibration.temperature == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(fit.calibration.bias, 0, atol=0.06)
    assert fit.ece_before < 0.01
    assert fit.nll_after == pytest.approx(fit.nll_before, abs=2e-4)


@pytest.mark.parametrize(
    ("classes", "temperature", "bias"), [(2, 2.0, 0.0), (2, 1.5, -0.9), (4, 0.6, 0.0), (4, 1.0, 0.7)]
)
def test_what_was_said_wrongly_is_found_and_mended(classes: int, temperature: float, bias: float) -> None:
    fit = fit_pixel_calibration(*draw(classes, temperature, bias))
    assert fit.calibration.temperature == pytest.approx(temperature, rel=0.05)
    assert (fit.calibration.bias or (0.0,))[0] == pytest.approx(bias, abs=0.1)
    assert fit.ece_before > 0.02
    assert fit.ece_after < 0.01
    assert fit.nll_after < fit.nll_before
    logits, labels = draw(classes, temperature, bias, seed=1)  # pixels it never saw
    for image, label in zip(logits, labels, strict=True):
        p = fit.calibration.probability(image)
        for number in range(1, classes):
            assert expected_calibration_error(p[number - 1], label == number) < 0.02


def test_probabilities_are_those_of_scipy() -> None:
    from scipy.special import softmax as of_scipy

    logits = np.random.default_rng(2).normal(0, 3, (3, 5, 7))
    expected = of_scipy(logits / 1.7 + np.array([0, 0.4, -0.2])[:, None, None], axis=0)[1:]
    np.testing.assert_allclose(PixelCalibration(1.7, (0.4, -0.2)).probability(logits), expected)
    assert np.array_equal(
        PixelCalibration().probability(logits), PixelCalibration(1.0, (0.0, 0.0)).probability(logits)
    )


@given(
    temperature=st.floats(0.1, 10),
    bias=st.floats(-5, 5),
    logits=st.lists(st.tuples(*[st.floats(-8, 8)] * 2), min_size=2, max_size=20),
)
def test_no_order_of_probabilities_is_turned_round(
    temperature: float, bias: float, logits: list[tuple[float, float]]
) -> None:
    values = np.array(logits).T
    before = PixelCalibration().probability(values)[0]
    after = PixelCalibration(temperature, (bias,)).probability(values)[0]
    order = np.argsort(before, kind="stable")
    assert (np.diff(after[order]) >= -1e-12).all()


def test_unknown_labels_say_nothing() -> None:
    logits, labels = draw(2, 1.5)
    known = fit_pixel_calibration(logits, labels)
    wild = [np.full_like(image, 1e3) for image in logits]
    unknown = [np.full_like(label, 254 + number % 2) for number, label in enumerate(labels)]
    assert fit_pixel_calibration([*logits, *wild], [*labels, *unknown]) == known
    with pytest.raises(ModelError, match=r"^calibration: expected held-out pixels with a known label, found"):
        fit_pixel_calibration(wild, unknown)
    with pytest.raises(ModelError, match=r"^calibration: expected held-out pixels with a known label, found"):
        fit_pixel_calibration([], [])


def test_certainty_that_is_right_stays_within_bounds() -> None:
    """Labels that logits tell apart without an error ask for an infinite slope."""
    label = np.indices((SIDE, SIDE))[0] % 2
    logits = np.stack([-label, label]).astype(np.float32)
    fit = fit_pixel_calibration([logits], [label.astype(np.uint8)])
    assert 0.05 <= fit.calibration.temperature < 0.2
    assert fit.ece_after < 0.01


@pytest.mark.parametrize(
    ("temperature", "bias"), [(0.0, ()), (-1.0, ()), (float("nan"), ()), (1.0, (float("inf"),))]
)
def test_a_calibration_that_is_none_cannot_be_made(temperature: float, bias: tuple[float, ...]) -> None:
    with pytest.raises(ModelError, match=r"^calibration: expected a positive temperature and finite biases"):
        PixelCalibration(temperature, bias)


def test_reliability_of_a_hand_counted_case() -> None:
    p = np.array([[0.05, 0.15], [0.18, 1.0]])
    table = reliability(p, np.array([[0, 1], [0, 1]]), bins=10)
    assert table.mean_p == pytest.approx((0.05, 0.165, 1.0))
    assert table.observed == (0.0, 0.5, 1.0)
    assert table.count == (1, 2, 1)
    assert table.ece == pytest.approx((0.05 + 2 * 0.335 + 0) / 4)
    assert np.isnan(reliability(np.zeros(0), np.zeros(0)).ece)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(1, 20))
def test_every_probability_is_in_one_bin_and_no_error_exceeds_one(
    said: list[tuple[float, bool]], bins: int
) -> None:
    p, truth = np.array([p for p, _ in said]), np.array([t for _, t in said])
    table = reliability(p, truth, bins=bins)
    assert sum(table.count) == len(said)
    assert np.dot(table.mean_p, table.count) == pytest.approx(p.sum())
    assert np.dot(table.observed, table.count) == pytest.approx(truth.sum())
    assert 0 <= table.ece <= 1 + 1e-9
    assert expected_calibration_error(truth, truth, bins=bins) == 0
    assert expected_calibration_error(~truth, truth, bins=bins + 1) == 1


def test_the_plot_is_a_picture_that_shows_every_table(tmp_path: Path) -> None:
    import cv2

    one = Reliability((0.1, 0.9), (0.2, 0.7), (90, 10))
    reliability_plot({"before": one}, tmp_path / "new" / "one.png")
    reliability_plot({"before": one, "after": Reliability((0.5,), (0.5,), (1,))}, tmp_path / "two.png")
    reliability_plot({"none": Reliability((), (), ())}, tmp_path / "none.png")
    pictures = [cv2.imread(str(path)) for path in (tmp_path / "new" / "one.png", tmp_path / "two.png")]
    assert pictures[0].shape == pictures[1].shape == (600, 600, 3)
    assert not np.array_equal(*pictures)


def draw_objects(count: int, seed: int = 0) -> tuple[Any, Any, Any, Any]:
    """Return p_mean, area and what they are of made detections, and the probability they were drawn with."""
    rng = np.random.default_rng(seed)
    p_mean, area_m2 = rng.uniform(0.5, 0.99, count), np.exp(rng.uniform(1, 7, count))
    right = 1 / (1 + np.exp(-(object_features(p_mean, area_m2) @ [0.8, 1.2] - 6.0)))
    return p_mean, area_m2, rng.random(count) < right, right


def test_objects_are_as_likely_as_they_were_drawn() -> None:
    p_mean, area_m2, is_true, right = draw_objects(4000)
    fitted = fit_object_calibration(p_mean, area_m2, is_true, theme="building", of="made")
    assert fitted is not None
    assert fitted.coefficients == pytest.approx((0.8, 1.2), abs=0.15)
    assert fitted.intercept == pytest.approx(-6.0, abs=0.7)
    assert np.abs(fitted.confidence(p_mean, area_m2) - right).max() < 0.06
    assert fitted.ece_before > 0.1
    assert fitted.ece_after < 0.03
    assert (fitted.objects, fitted.true, fitted.of) == (4000, np.count_nonzero(is_true), "made")
    other_p, other_m2, other_true, _ = draw_objects(4000, seed=1)
    assert expected_calibration_error(fitted.confidence(other_p, other_m2), other_true, bins=10) < 0.03


def test_where_the_probability_is_right_and_size_says_nothing_confidence_is_the_probability() -> None:
    rng = np.random.default_rng(3)
    p_mean, area_m2 = rng.uniform(0.05, 0.95, 20_000), np.exp(rng.uniform(1, 7, 20_000))
    fitted = fit_object_calibration(p_mean, area_m2, rng.random(20_000) < p_mean, theme="building", of="made")
    assert fitted is not None
    assert np.abs(fitted.confidence(p_mean, area_m2) - p_mean).max() < 0.03


@given(
    seed=st.integers(0, 1000),
    area_m2=st.floats(4, 2000),
    p=st.lists(st.floats(0.01, 0.99), min_size=2, max_size=9),
)
def test_a_surer_detection_never_gets_less_confidence(seed: int, area_m2: float, p: list[float]) -> None:
    """Even where the objects fitted on say the opposite."""
    p_mean, areas_m2, is_true, _ = draw_objects(120, seed)
    fitted = fit_object_calibration(1.49 - p_mean, areas_m2, is_true, theme="building", of="made")
    if fitted is not None:
        confidence = fitted.confidence(np.sort(p), np.full(len(p), area_m2))
        assert (np.diff(confidence) >= 0).all()
        assert ((confidence >= 0) & (confidence <= 1)).all()


def test_too_few_objects_are_no_calibration() -> None:
    p_mean, area_m2 = np.full(100, 0.8), np.full(100, 50.0)
    few = np.arange(100) < MIN_OBJECTS - 1
    for is_true in (few, ~few, np.zeros(100, bool)):
        assert fit_object_calibration(p_mean, area_m2, is_true, theme="building", of="made") is None
    assert fit_object_calibration(p_mean, area_m2, np.arange(100) < 20, theme="b", of="made") is not None


def test_what_was_not_measured_has_no_confidence() -> None:
    fitted = ObjectCalibration("building", (1.0, 0.0), 0.0, 100, 50, 0.1, 0.02, "made")
    np.testing.assert_allclose(fitted.confidence([0.7, np.nan], [50, 50]), [0.7, np.nan])  # type: ignore[arg-type]
    assert 0.99 < fitted.confidence(np.array([1.0]), np.array([50]))[0] < 1


@pytest.mark.parametrize(
    ("features", "coefficients", "message"),
    [
        (("p_mean_logit", "height_m"), (1.0, 1.0), "a coefficient for each of p_mean_logit, area_m2_log"),
        (
            ("p_mean_logit", "area_m2_log"),
            (1.0,),
            "a coefficient for each of p_mean_logit, area_m2_log, found 1",
        ),
        (("p_mean_logit", "area_m2_log"), (-1.0, 0.0), "none of them against the probability"),
        (("p_mean_logit", "area_m2_log"), (1.0, float("nan")), "finite coefficients"),
    ],
)
def test_a_calibration_of_other_features_is_refused(
    features: tuple[str, ...], coefficients: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        ObjectCalibration("building", coefficients, 0.0, 100, 50, 0.1, 0.02, "made", features)
