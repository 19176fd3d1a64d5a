"""The shift under which what is mapped and what is seen agree best: a move, or a roof that leans."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.vector import Geometries, shifted

STEPS_M = (1.0, 0.5, 0.25, 0.125)
"""Steps of the search, from coarse to fine: the last is its precision."""
MAX_STEPS = 12
"""Steps of one size taken at most."""
COST_SHARE = 0.02
"""What a metre of shift must win: this share of the object's side, as area.

So a house that was extended, whose old outline lies within the new one wherever it is pushed, stays put.
"""
COMPASS = np.array([(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)], float)


def best_shift(mapped: Geometries, seen: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shift (pair, 2), metres, at which each of *mapped* shares most with *seen*, and that area.

    A pattern search (Hooke & Jeeves 1961) that starts from no shift and from the one that brings the
    centroids together. Both (pair,) hold polygons, none empty.
    """
    shapely.prepare(seen)
    cost = COST_SHARE * np.sqrt(shapely.area(mapped))
    shift = np.zeros((len(mapped), 2))
    value = _value(mapped, seen, shift, cost)
    here, there = (shapely.get_coordinates(shapely.centroid(each)) for each in (mapped, seen))
    centred = there - here
    centred = np.round(centred / STEPS_M[-1]) * STEPS_M[-1]
    other = _value(mapped, seen, centred, cost)
    shift[other > value] = centred[other > value]
    value = np.maximum(value, other)
    for step in STEPS_M:
        active = np.arange(len(mapped))
        for _ in range(MAX_STEPS):
            tried = shift[active][:, None] + step * COMPASS
            values = np.stack(
                [
                    _value(mapped[active], seen[active], each, cost[active])
                    for each in np.moveaxis(tried, 1, 0)
                ],
                axis=1,
            )
            best = values.argmax(axis=1)
            better = values.max(axis=1, initial=-np.inf) > value[active] + 1e-6
            rows = np.flatnonzero(better)
            shift[active[rows]] = tried[rows, best[rows]]
            value[active[rows]] = values[rows, best[rows]]
            active = active[rows]
            if not len(active):
                break
    return shift, value + cost * np.hypot(*shift.T)


def _value(
    mapped: Geometries, seen: Geometries, shift: NDArray[np.float64], cost: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the area shared under *shift* less what the shift costs (m²)."""
    shared_m2 = shapely.area(shapely.intersection(shifted(mapped, shift), seen))
    value: NDArray[np.float64] = shared_m2 - cost * np.hypot(*shift.T)
    return value
