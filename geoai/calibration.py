"""Probabilities that mean what they say: fitted on held-out data, applied wherever a model is.

Pixels: softmax(logits / temperature + bias), temperature scaling (Guo et al. 2017) with a bias for each class
(Alexandari et al. 2020), which for one class is Platt's line through the margin. Objects: the probability
that a detection is what it is taken for, by a logistic regression on numbers that anyone can look up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoai.errors import ModelError
from geoai.files import appearing_whole
from geoai.raster import P_SCALE

Floats = NDArray[np.float64]

UNKNOWN_FROM = 254
"""Labels from here on say that nobody knows."""
THINNED = 13
"""Every 13th pixel is looked at: neighbours say the same."""
BINS, OBJECT_BINS = 15, 10
"""Bins of probability, of equal width; fewer for objects, of which there are some hundred."""
FOLDS = 4
"""Parts of the held-out data, of neighbours; each is judged by what was fitted on the others."""
STEEPEST = 20.0
"""Logits are multiplied by at most this and at least its inverse."""
RIDGE = 1.0
"""Precision of the prior on an object's coefficients, features in standard deviations."""
MIN_OBJECTS = 20
"""Objects of either kind that a calibration of objects asks for."""
FEATURES = ("p_mean_logit", "area_m2_log")


@dataclass(frozen=True, slots=True)
class PixelCalibration:
    """How logits become probabilities; *bias* is that of each class after the background, () for none."""

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and all(map(math.isfinite, (self.temperature, *self.bias)))):
            raise ModelError(
                f"calibration: expected a positive temperature and finite biases, found {self.temperature:g} "
                f"and {', '.join(f'{bias:g}' for bias in self.bias) or 'none'}"
            )

    def probability(self, logits: NDArray[Any]) -> Floats:
        """Return the probability (class − 1, …) of every class but the background of *logits* (class, …)."""
        scaled = np.asarray(logits, np.float64) / self.temperature
        for number, bias in enumerate(self.bias, start=1):
            scaled[number] += bias
        return _softmax(scaled)[1:]


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was said and what was so, by bin of probability (empty bins left out)."""

    mean_p: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean distance of *mean_p* from *observed*, by *count*."""
        if not self.count:
            return math.nan
        apart = np.abs(np.subtract(self.mean_p, self.observed))
        return float(np.average(apart, weights=self.count))


@dataclass(frozen=True, slots=True)
class PixelFit:
    """A calibration of pixels and what it does for *pixels* held-out pixels.

    nll is the mean negative log likelihood; *before* and *after* hold a table for each class after the
    background. What is called after is of pixels judged by what was fitted on others.
    """

    calibration: PixelCalibration
    pixels: int
    nll_before: float
    nll_after: float
    before: tuple[Reliability, ...]
    after: tuple[Reliability, ...]

    @property
    def ece_before(self) -> float:
        """Expected calibration error of the logits as they are, mean of the classes."""
        return _ece(self.before)

    @property
    def ece_after(self) -> float:
        """Expected calibration error of other pixels than those fitted on, mean of the classes."""
        return _ece(self.after)


@dataclass(frozen=True, slots=True)
class ObjectCalibration:
    """The probability that a detection of *theme* is one: logistic(intercept + coefficients · features).

    Fitted on *objects* detections, *true* of them confirmed by the map; *of* says which. The errors are
    expected calibration errors of p_mean as it is and, by cross validation, of the fitted confidence.
    """

    theme: str
    coefficients: tuple[float, ...]
    intercept: float
    objects: int
    true: int
    ece_before: float
    ece_after: float
    of: str
    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        if self.features != FEATURES or len(self.coefficients) != len(FEATURES):
            raise ModelError(
                f"object calibration: expected a coefficient for each of {', '.join(FEATURES)}, "
                f"found {len(self.coefficients)} for {', '.join(self.features)}"
            )
        if not all(map(math.isfinite, (*self.coefficients, self.intercept))) or self.coefficients[0] < 0:
            raise ModelError(
                "object calibration: expected finite coefficients, none of them against the probability, "
                f"found {self.coefficients} and {self.intercept}"
            )

    def confidence(self, p_mean: NDArray[Any], area_m2: NDArray[Any]) -> Floats:
        """Return the confidence (object,) in detections of *p_mean* 0 … 1 and area; NaN where one is."""
        return logistic(object_features(p_mean, area_m2) @ np.array(self.coefficients) + self.intercept)


def fit_pixel_calibration(logits: Sequence[NDArray[Any]], labels: Sequence[NDArray[np.uint8]]) -> PixelFit:
    """Fit a calibration to held-out *logits* (class, row, col) and *labels* (row, col), image by image.

    Class 0 is the background, labels from 254 on are unknown. The likeliest temperature is taken; with a
    bias where that lowers the calibration error of pixels that were not fitted on. Raises ModelError where
    no label is known.
    """
    values, truth = _known_pixels(logits, labels)
    if not truth.size:
        raise ModelError("calibration: expected held-out pixels with a known label, found none")
    plain = _out_of_fold(values, truth, biased=False)
    biased = _out_of_fold(values, truth, biased=True)
    better = _ece(_tables(biased, truth)) < _ece(_tables(plain, truth))
    after = biased if better else plain
    before = _softmax(values)
    return PixelFit(
        _likeliest(values, truth, biased=better),
        truth.size,
        _nll(before, truth),
        _nll(after, truth),
        _tables(before, truth),
        _tables(after, truth),
    )


def object_features(p_mean: NDArray[Any], area_m2: NDArray[Any]) -> Floats:
    """Return FEATURES (object, feature) of detections by mean probability and area."""
    step = 1.0 / P_SCALE  # probabilities are stored in steps of this: nothing is surer
    p = np.clip(np.asarray(p_mean, np.float64), step, 1 - step)
    return np.stack([np.log(p / (1 - p)), np.log(np.asarray(area_m2, np.float64))], axis=-1)


def fit_object_calibration(
    p_mean: NDArray[Any], area_m2: NDArray[Any], is_true: NDArray[np.bool_], *, theme: str, of: str
) -> ObjectCalibration | None:
    """Fit a calibration to held-out detections (object,), of which *is_true* says what they are.

    Their order should be one in space, so that the parts of the cross validation lie apart. A surer
    detection never gets less confidence. *of* names the data. None with too few to fit on, see MIN_OBJECTS.
    """
    true = int(np.count_nonzero(is_true))
    if min(true, len(is_true) - true) < MIN_OBJECTS:
        return None
    features = object_features(p_mean, area_m2)
    judged = np.empty(len(is_true))
    for fold in np.array_split(np.arange(len(is_true)), FOLDS):
        others = np.setdiff1d(np.arange(len(is_true)), fold)
        coefficients, intercept = _fit_logistic(features[others], is_true[others])
        judged[fold] = logistic(features[fold] @ coefficients + intercept)
    coefficients, intercept = _fit_logistic(features, is_true)
    return ObjectCalibration(
        theme,
        tuple(float(value) for value in np.round(coefficients, 6)),
        round(intercept, 6),
        len(is_true),
        true,
        round(reliability(p_mean, is_true, bins=OBJECT_BINS).ece, 4),
        round(reliability(judged, is_true, bins=OBJECT_BINS).ece, 4),
        of,
    )


def reliability(probability: NDArray[Any], truth: NDArray[Any], *, bins: int = BINS) -> Reliability:
    """Return, by bins of equal width, mean *probability*, share of it that is true, and count (any shape)."""
    p, true = np.ravel(probability).astype(np.float64), np.ravel(truth).astype(bool)
    number = np.minimum((p * bins).astype(np.intp), bins - 1)
    count = np.bincount(number, minlength=bins)
    held = count > 0
    sums = (np.bincount(number, weights=weights, minlength=bins)[held] for weights in (p, true))
    mean_p, observed = (tuple((total / count[held]).tolist()) for total in sums)
    return Reliability(mean_p, observed, tuple(count[held].tolist()))


def expected_calibration_error(probability: NDArray[Any], truth: NDArray[Any], *, bins: int = BINS) -> float:
    """Return the expected calibration error (Naeini et al. 2015); see `reliability`."""
    return reliability(probability, truth, bins=bins).ece


def reliability_plot(tables: Mapping[str, Reliability], path: Path) -> None:
    """Draw tables, by their names, against the diagonal (PNG); the area of a dot follows its count."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(aspect="equal", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle="--")
    for name, table in tables.items():
        share = np.array(table.count) / max(sum(table.count), 1)
        (line,) = axes.plot(table.mean_p, table.observed, linewidth=1)
        label = f"{name}: ECE {table.ece:.3f}, n {sum(table.count)}"
        axes.scatter(
            table.mean_p, table.observed, s=12 + 400 * share, color=line.get_color(), alpha=0.7, label=label
        )
    axes.set(xlabel="probability said", ylabel="share that was so")
    axes.legend(loc="upper left", fontsize="small", markerscale=0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing_whole(path) as partial:
        figure.savefig(partial, format="png")


def _known_pixels(
    logits: Sequence[NDArray[Any]], labels: Sequence[NDArray[np.uint8]]
) -> tuple[Floats, NDArray[np.intp]]:
    """Return the logits (class, pixel) and classes (pixel,) of every 13th pixel, where known."""
    values, truth = [np.zeros((len(logits[0]) if len(logits) else 2, 0))], [np.zeros(0, np.intp)]
    for image, label in zip(logits, labels, strict=True):
        thin = label.ravel()[::THINNED]
        known = thin < UNKNOWN_FROM
        values.append(image.reshape(len(image), -1)[:, ::THINNED][:, known].astype(np.float64))
        truth.append(thin[known].astype(np.intp))
    return np.concatenate(values, axis=1), np.concatenate(truth)


def _likeliest(values: Floats, truth: NDArray[np.intp], *, biased: bool) -> PixelCalibration:
    """Return the calibration under which *truth* is likeliest; the problem is convex in 1 / temperature."""
    from scipy.optimize import minimize

    classes, pixels = values.shape
    at = np.arange(pixels)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scaled = parameters[0] * values
        scaled[1:] += parameters[1:, None]
        p = _softmax(scaled)
        nll = _nll(p, truth)
        p[truth, at] -= 1  # now the gradient by the scaled logits
        slope = np.vdot(p, values) / pixels
        return nll, np.append(slope, p[1:].mean(axis=1) if biased else np.zeros(classes - 1))

    free = (None, None) if biased else (0.0, 0.0)
    start = np.append(1.0, np.zeros(classes - 1))
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(1 / STEEPEST, STEEPEST), *[free] * (classes - 1)],
        options={"ftol": 1e-12, "gtol": 1e-7},
    ).x
    bias = tuple(round(float(value), 4) for value in found[1:]) if biased else ()
    return PixelCalibration(round(float(1 / found[0]), 4), bias)


def _out_of_fold(values: Floats, truth: NDArray[np.intp], *, biased: bool) -> Floats:
    """Return the probabilities (class, pixel), each by a calibration fitted on the other parts."""
    judged = np.empty_like(values)
    for fold in np.array_split(np.arange(truth.size), FOLDS):
        others = np.ones(truth.size, bool)
        others[fold] = False
        fitted = _likeliest(values[:, others], truth[others], biased=biased) if others.any() else None
        judged[1:, fold] = (fitted or PixelCalibration()).probability(values[:, fold])
    judged[0] = 1 - judged[1:].sum(axis=0)
    return judged


def _tables(p: Floats, truth: NDArray[np.intp]) -> tuple[Reliability, ...]:
    """Return the reliability of probabilities (class, pixel) of each class after the background."""
    return tuple(reliability(p[number], truth == number) for number in range(1, len(p)))


def _ece(tables: Sequence[Reliability]) -> float:
    return sum(table.ece for table in tables) / len(tables)


def _nll(p: Floats, truth: NDArray[np.intp]) -> float:
    return float(-np.log(np.maximum(p[truth, np.arange(truth.size)], 1e-12)).mean())


def _softmax(values: Floats) -> Floats:
    powers: Floats = np.exp(values - values.max(axis=0))
    powers /= powers.sum(axis=0)
    return powers


def logistic(x: Floats) -> Floats:
    """Return 1 / (1 + e^−x), also where the power would overflow; NaN where *x* is."""
    p: Floats = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
    return p


def _fit_logistic(features: Floats, truth: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return coefficients and intercept of a ridge regression, the first coefficient not negative."""
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    x = (features - mean) / spread

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, z = parameters[1:], parameters[0] + x @ parameters[1:]
        off = logistic(z) - truth
        value = np.sum(np.logaddexp(0, z) - truth * z) + RIDGE * weights @ weights / 2
        return float(value), np.append(off.sum(), x.T @ off + RIDGE * weights)

    start = np.zeros(1 + x.shape[1])
    bounds = [(None, None), (0.0, None), *[(None, None)] * (x.shape[1] - 1)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    coefficients: Floats = found[1:] / spread
    return coefficients, float(found[0] - coefficients @ mean)
