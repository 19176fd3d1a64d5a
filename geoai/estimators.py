"""Figures with intervals: shares, totals of stratified samples, counts expected of probabilities.

Everything is plain numbers; 95 % throughout. What cannot be estimated is None, never 0. An interval always
contains its estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z = 1.959964
"""Half the width of a 95 % interval in standard deviations."""
EXACT_UP_TO = 1000
"""Signals up to which the distribution of a count is computed, and not taken as normal."""
RESAMPLES = 2000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate and the 95 % interval around it, in the unit of what it is of."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        assert self.low <= self.value <= self.high, self

    def scaled(self, factor: float) -> Figure:
        """Return the figure in a unit 1 / *factor* as large."""
        return Figure(self.value * factor, self.low * factor, self.high * factor)


def exactly(value: float) -> Figure:
    """Return what was counted, not estimated."""
    return Figure(value, value, value)


def score_limits(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % score interval (Wilson 1927) of a *share* of *n* > 0; it holds at 0, at 1, for few.

    >>> low, high = score_limits(0.9, 10); round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    middle = share + Z * Z / (2 * n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    # At 0 and 1 a bound is the share itself; rounding must not put it beyond.
    return max(0.0, min((middle - half) / scale, share)), min(1.0, max((middle + half) / scale, share))


def share_of(found: int, total: int, population: float = math.inf) -> Figure | None:
    """Return *found* of *total* as a share, drawn from *population* without replacement; None of nothing.

    The finite population counts as more draws, total · (N − 1) / (N − total) (Cochran 1977, 2.6): who has
    seen all knows it.
    """
    if not total:
        return None
    share = found / total
    if total >= population:
        return exactly(share)
    more = (population - 1) / (population - total) if math.isfinite(population) else 1.0
    return Figure(share, *score_limits(share, total * more))


def total_of_shares(found: int, total: int, population: int) -> Figure | None:
    """Return how many of *population* are so, when *found* of *total* drawn ones are.

    0 of an empty population; None where nothing was drawn of one that is not.
    """
    if not population:
        return exactly(0.0)
    share = share_of(found, total, population)
    return share and share.scaled(population)


def total_of_counts(counts: Sequence[int], population: int) -> Figure | None:
    """Return the sum over *population* places, of which *counts* were drawn.

    Limits of a Poisson mean (Garwood 1936), wider by the counts' own dispersion where they cluster, narrower
    by the share of places seen. None where nothing was drawn.
    """
    from scipy.special import gammaincinv

    if not population:
        return exactly(0.0)
    drawn, found = len(counts), sum(counts)
    if not drawn:
        return None
    low = float(gammaincinv(found, 0.025)) if found else 0.0
    high = float(gammaincinv(found + 1, 0.975))
    dispersion = float(np.var(counts, ddof=1) * drawn / found) if found and drawn > 1 else 1.0
    wider = math.sqrt(max(dispersion, 1.0) * max(1 - drawn / population, 0.0))
    low, high = found - (found - low) * wider, found + (high - found) * wider
    # what was seen there is there
    return Figure(found, max(low, 0.0), high).scaled(population / drawn)


def add(figures: Sequence[Figure | None]) -> Figure | None:
    """Return the sum of independent figures; None where one of them is not known.

    Distances from estimate to limit are added as squares (MOVER; Zou and Donner 2008), which, unlike
    variances, are right for a stratum in which nothing was found.
    """
    known = [figure for figure in figures if figure is not None]
    if len(known) < len(figures):
        return None
    value = sum(figure.value for figure in known)
    below = math.sqrt(sum((figure.value - figure.low) ** 2 for figure in known))
    above = math.sqrt(sum((figure.high - figure.value) ** 2 for figure in known))
    return Figure(value, value - below, value + above)


def at_least(figure: Figure | None, least: float) -> Figure | None:
    """Return *figure* with its lower limit not below *least*, what is known for certain."""
    if figure is None:
        return None
    return Figure(figure.value, min(max(figure.low, least), figure.value), figure.high)


def expected_count(p: Floats) -> Figure:
    """Return how many of events of probability *p* are expected, and the range that chance gives them.

    A Poisson binomial distribution up to EXACT_UP_TO events, a normal one beyond.
    """
    mean = float(p.sum())
    if len(p) <= EXACT_UP_TO:
        chance = np.zeros(len(p) + 1)  # of 0, 1, … true ones
        chance[0] = 1.0
        for event in p:
            chance[1:] = chance[1:] * (1 - event) + chance[:-1] * event
            chance[0] *= 1 - event
        low, high = np.searchsorted(np.cumsum(chance), [0.025, 0.975]).astype(float)
        high = min(high, float(len(p)))
    else:
        half = Z * math.sqrt(float((p * (1 - p)).sum()))
        low, high = max(mean - half, 0.0), min(mean + half, float(len(p)))
    return Figure(mean, min(low, mean), max(high, mean))


def expected_share_of_first(p: Floats, k: int) -> Figure | None:
    """Return the share of all that is expected of events *p* that the first *k* hold; None where that is 0.

    The interval is that of a ratio A / (A + B) of independent counts, by the delta method.
    """
    total = float(p.sum())
    if total <= 0:
        return None
    share = float(p[:k].sum()) / total
    spread = p * (1 - p)
    variance = (1 - share) ** 2 * spread[:k].sum() + share**2 * spread[k:].sum()
    half = Z * math.sqrt(float(variance)) / total
    return Figure(share, max(share - half, 0.0), min(share + half, 1.0))


def block_intervals(
    sums: Floats, measures: Any, *, seed: int = 0, resamples: int = RESAMPLES
) -> list[Figure]:
    """Return measures with intervals from a bootstrap over blocks: neighbours are not independent.

    *sums* (block, column) are what each block adds up to; *measures* takes totals (…, column) and returns the
    measures (…, measure). One block alone has no spread: its intervals are points.
    """
    counts = np.random.default_rng(seed).multinomial(
        len(sums), np.full(len(sums), 1 / len(sums)), size=resamples
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        values, drawn = measures(sums.sum(axis=0)), measures(counts @ sums)
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return [
        Figure(float(v), float(min(a, v)), float(max(b, v)))
        for v, a, b in zip(values, low, high, strict=True)
    ]
