"""How far a figure would vary on other ground like this, and whether two models differ on one scene.

Neighbouring pixels and objects fail together, so what is resampled are units that are as good as independent:
blocks of ground, or images. Every measure is a ratio of sums over units.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoai.scoring import MIN_AREA_M2, Held, Mask

WEIGHED = {
    "reviewed.objects.f1": "object F1, label errors set aside,",
    "objects.f1": "object F1",
    "pixels.iou": "pixel IoU",
}
"""What decides whether a model is better: the first that was measured of both."""
Metres = NDArray[np.floating[Any]]

DRAWS = 2000
AT_ONCE = 100
"""Resamples drawn at the same time: a large flight has ten thousand blocks."""
MIN_UNITS = 8
"""Fewer units say nothing about how far a figure would vary."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Squares of *side_m* from (*left*, *bottom*) on: units that are as good as independent of each other."""

    left: float
    bottom: float
    side_m: float

    def of(self, x: Metres, y: Metres) -> NDArray[np.int64]:
        """Return the block of each place, as one number."""
        return _key(_steps(x, self.left, self.side_m), _steps(y, self.bottom, self.side_m))

    def sums(self, masks: Mapping[str, Mask], x: Metres, y: Metres) -> pd.DataFrame:
        """Count *masks* (row, col) by block; *x* (col,) and *y* (row,) of pixel centres, both monotonic.

        Index: the block; columns: the masks' names.
        """
        cols, rows = _steps(x, self.left, self.side_m), _steps(y, self.bottom, self.side_m)
        col_starts, row_starts = (
            np.flatnonzero(np.diff(steps, prepend=steps[0] - 9)) for steps in (cols, rows)
        )
        index = _key(cols[col_starts][None, :], rows[row_starts][:, None]).ravel()
        counted = {
            name: np.add.reduceat(
                np.add.reduceat(mask, row_starts, axis=0, dtype=np.int64), col_starts, axis=1
            ).ravel()
            for name, mask in masks.items()
        }
        return pd.DataFrame(counted, index=index)


def _steps(value: Metres, start: float, side_m: float) -> NDArray[np.int64]:
    steps: NDArray[np.int64] = np.floor((value - start) / side_m).astype(np.int64)
    return steps


def _key(col: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    return (col << 32) + row


def object_sums(
    name: str, held: Held, label_unit: NDArray[np.int64], seen_unit: NDArray[np.int64]
) -> pd.DataFrame:
    """Count what is matched and what counts, of at least MIN_AREA_M2, by the unit of each object."""
    frames = []
    for side, unit, columns in (
        (held.labels, label_unit, ("found", "labels")),
        (held.detections, seen_unit, ("confirmed", "detections")),
    ):
        counted = side.counted & (side.area_m2 >= MIN_AREA_M2)
        values = np.stack([counted & side.matched, counted], axis=1).astype(np.int64)
        frames.append(pd.DataFrame(values, index=unit, columns=[f"{name}.{column}" for column in columns]))
    return add_up(frames)


def add_up(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Add counts by unit (index) and name (column); what is not there is 0, empty units are left out."""
    total = pd.concat(frames).fillna(0).groupby(level=0).sum().astype(np.int64)
    return total[(total != 0).any(axis=1)]


def measures(sums: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return every measure that the *sums* by name allow, NaN where it is of nothing."""
    result = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name in dict.fromkeys(key.rpartition(".")[0] for key in sums):
            if f"{name}.hit" in sums:
                hit, false, missed = (sums[f"{name}.{key}"] for key in ("hit", "false", "missed"))
                result[f"{name}.iou"] = hit / (hit + false + missed)
                result[f"{name}.recall"] = hit / (hit + missed)
                result[f"{name}.precision"] = hit / (hit + false)
            else:
                recall = sums[f"{name}.found"] / sums[f"{name}.labels"]
                precision = sums[f"{name}.confirmed"] / sums[f"{name}.detections"]
                result[f"{name}.recall"], result[f"{name}.precision"] = recall, precision
                result[f"{name}.f1"] = 2 * recall * precision / (recall + precision)
    return result


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure with its 95 % interval over resampled units; NaN where there are too few of them."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of two models, *difference* = b − a with its 95 % interval over resampled units.

    *share* is how many of the resamples lie on the far side of 0, twice: small where the sign is sure.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    share: float

    @property
    def is_real(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on one scene, by measure; *units* were resampled *draws* times."""

    differences: Mapping[str, Difference]
    units: int
    draws: int
    seed: int

    @property
    def sentence(self) -> str:
        """Whether the difference is real, in one sentence: by F1 of the objects, else by pixel IoU.

        Where errors of the labels were set aside, that is what counts: a model that sees more of what the
        labels lack is not the worse one.
        """
        for name, word in WEIGHED.items():
            if name in self.differences and math.isfinite(self.differences[name].difference):
                return self._sentence(name, word)
        return "no difference can be told: nothing was measured of both"

    def _sentence(self, name: str, word: str) -> str:
        found, kind = self.differences[name], name.rpartition(".")[0]
        if math.isnan(found.low):
            return f"no difference can be told: it takes {MIN_UNITS} units to resample, found {self.units}"
        figure = f"{word} {found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        sign = -1 if found.is_real and found.difference < 0 else 1  # who is better is spoken of, else B
        finds, right = (self.differences[f"{kind}.{key}"] for key in ("recall", "precision"))
        said = [
            f"{verb} {'more' if sign * side.difference > 0 else 'less'}{rest}"
            for side, verb, rest in ((finds, "finds", ""), (right, "is right", " often"))
            if side.is_real
        ]
        if found.is_real:
            return f"{'AB'[sign > 0]} {' and '.join(said) or 'is better'}: {figure}"
        if said:
            return f"B {' and '.join(said)}, but no difference in sum can be told: {figure}"
        return f"no difference can be told: {figure}"


def intervals(counts: pd.DataFrame, *, seed: int = 0) -> dict[str, Interval]:
    """Return every measure of *counts* (unit, name) with its bootstrap interval."""
    values, drawn = measures(_sums(counts)), _draw([counts], seed)[0]
    return {name: Interval(float(value), *_interval(drawn[name])) for name, value in values.items()}


def compare(a: pd.DataFrame, b: pd.DataFrame, *, seed: int = 0) -> Comparison:
    """Hold the counts (unit, name) of two models on one scene against each other: a paired bootstrap.

    Every resample draws the same units for both, so what is hard for both does not blur the difference.
    """
    units = a.index.union(b.index)
    a, b = (counts.reindex(units, fill_value=0) for counts in (a, b))
    values_a, values_b = measures(_sums(a)), measures(_sums(b))
    drawn_a, drawn_b = _draw([a, b], seed)
    differences = {}
    for name in (name for name in values_a if name in values_b):
        drawn = drawn_b[name] - drawn_a[name]
        known = drawn[~np.isnan(drawn)]
        share = 2 * min(np.mean(known <= 0), np.mean(known >= 0)) if len(known) else math.nan
        value_a, value_b = float(values_a[name]), float(values_b[name])
        differences[name] = Difference(
            value_a, value_b, value_b - value_a, *_interval(drawn), float(min(share, 1.0))
        )
    return Comparison(differences, len(units), DRAWS, seed)


def _sums(counts: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    return {str(name): np.asarray(counts[name].sum(), np.float64) for name in counts}


def _draw(frames: Sequence[pd.DataFrame], seed: int) -> list[dict[str, NDArray[np.float64]]]:
    """Return the measures (draw,) of each frame over resampled units, the same units for all; NaN for few."""
    units = len(frames[0])
    if units < MIN_UNITS:
        return [dict.fromkeys(measures(_sums(counts)), np.full(DRAWS, math.nan)) for counts in frames]
    rng, values = np.random.default_rng(seed), [counts.to_numpy(np.float64) for counts in frames]
    sums: list[list[NDArray[np.float64]]] = [[] for _ in frames]
    for _ in range(DRAWS // AT_ONCE):
        times = rng.multinomial(units, np.full(units, 1 / units), size=AT_ONCE).astype(np.float64)
        for value, part in zip(values, sums, strict=True):
            part.append(times @ value)
    return [
        measures(dict(zip(map(str, counts.columns), np.concatenate(part).T, strict=True)))
        for counts, part in zip(frames, sums, strict=True)
    ]


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
