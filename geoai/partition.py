"""Taking a group of many mapped objects and many detections apart into parts that hold one of either.

Of all ways in which every object keeps a partner and each part has one mapped object or one detection, the
one with the largest area-weighted intersection over union is taken.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

EXHAUSTIVE_EDGES = 12
"""Up to here every way is tried (4096 at most); above it the best pairs are joined first."""


def best_partition(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    shared_m2: NDArray[np.float64],
    map_m2: NDArray[np.float64],
    seen_m2: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], float]:
    """Return which edges to keep, and the area-weighted intersection over union of the parts (0 to 1).

    An edge joins the mapped object first[k] and the detection second[k], numbered within the group; it shares
    shared_m2[k]. Every object has an edge. Areas of a part are added up, as if its objects did not overlap.

    >>> areas = np.array([100.0, 100.0])
    >>> best_partition(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([90.0, 35.0, 65.0]), areas, areas)
    (array([ True, False,  True]), 0.6498316498316499)
    """
    if len(first) > EXHAUSTIVE_EDGES:
        ways = _greedy(first, second, _pair_iou(first, second, shared_m2, map_m2, seen_m2))[None, :]
    else:
        ways = _ways(first, second, len(map_m2), len(seen_m2))
    scores = _scores(ways, first, second, shared_m2, map_m2, seen_m2)
    kept_m2 = ways @ shared_m2
    best = np.lexsort((-kept_m2.round(6), -scores.round(9)))[0]
    return ways[best], float(scores[best])


@lru_cache
def _subsets(count: int) -> NDArray[np.bool_]:
    """Return every subset of *count* edges, (2^count, count)."""
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    return bits.astype(bool)


def _ways(
    first: NDArray[np.intp], second: NDArray[np.intp], map_count: int, seen_count: int
) -> NDArray[np.bool_]:
    """Return the subsets of edges that leave no object alone and make no part of many with many."""
    ways = _subsets(len(first))
    at_map, at_seen = _degrees(ways, first, map_count), _degrees(ways, second, seen_count)
    covered = (at_map > 0).all(axis=1) & (at_seen > 0).all(axis=1)
    tangled = (ways & (at_map[:, first] > 1) & (at_seen[:, second] > 1)).any(axis=1)
    return ways[covered & ~tangled]


def _degrees(ways: NDArray[np.bool_], ends: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """Return how many edges each object keeps, (way, object)."""
    degrees: NDArray[np.float64] = ways.astype(float) @ (ends[:, None] == np.arange(count))
    return degrees


def _scores(
    ways: NDArray[np.bool_],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    shared_m2: NDArray[np.float64],
    map_m2: NDArray[np.float64],
    seen_m2: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the area-weighted intersection over union of each way, (way,)."""
    at_map, at_seen = _degrees(ways, first, len(map_m2)), _degrees(ways, second, len(seen_m2))
    total = np.zeros(len(ways))
    for ends, others, own_m2, other_m2, own, partner, ties in (
        (first, second, map_m2, seen_m2, at_map, at_seen, True),
        (second, first, seen_m2, map_m2, at_seen, at_map, False),
    ):
        incidence = ends[:, None] == np.arange(len(own_m2))
        kept = ways.astype(float)
        shared = kept @ (incidence * shared_m2[:, None])
        joined = own_m2 + kept @ (incidence * other_m2[others][:, None])
        partners = (kept * partner[:, others]) @ incidence
        centre = (own > 1) | (ties & (own == 1) & (partners == 1))
        iou = np.minimum(shared / np.maximum(joined - shared, 1e-9), 1.0)
        total += (centre * joined * iou).sum(axis=1)
    scores: NDArray[np.float64] = total / (map_m2.sum() + seen_m2.sum())
    return scores


def _pair_iou(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    shared_m2: NDArray[np.float64],
    map_m2: NDArray[np.float64],
    seen_m2: NDArray[np.float64],
) -> NDArray[np.float64]:
    return shared_m2 / np.maximum(map_m2[first] + seen_m2[second] - shared_m2, 1e-9)


def _greedy(first: NDArray[np.intp], second: NDArray[np.intp], iou: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Join the best pairs first; who is left alone takes its best partner out of a part of several."""
    kept = np.zeros(len(first), bool)
    at_map, at_seen = np.zeros(first.max() + 1, int), np.zeros(second.max() + 1, int)

    def count(edge: int, change: int) -> None:
        kept[edge] = change > 0
        at_map[first[edge]] += change
        at_seen[second[edge]] += change

    order = np.lexsort((second, first, -iou))
    for edge in order:
        if not at_map[first[edge]] and not at_seen[second[edge]]:
            count(edge, 1)
    for edge in order:
        map_end, seen_end = first[edge], second[edge]
        if at_map[map_end] and at_seen[seen_end]:
            continue
        taken = kept & ((first == map_end) if at_map[map_end] else (second == seen_end))
        hub = taken & ((at_seen[second] > 1) if at_map[map_end] else (at_map[first] > 1))
        if hub.any():  # the partner hangs on a larger part: it leaves that
            count(int(np.flatnonzero(hub)[0]), -1)
        count(edge, 1)
    return kept
