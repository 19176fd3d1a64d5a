"""Which mapped objects and which detections are about the same buildings: by group, not by pair.

A fixed intersection over union fails small buildings (a 5 × 5 m shed under 1.6 m of roof lean has one of 0.43
with its own footprint), and one roof may be drawn as three houses. So objects that share enough ground are
joined, and a group is what hangs together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.vector import Geometries, connected_components

MIN_INTERSECTION_M2 = 1.0
SMALL_M2 = 25.0
"""Below this, two also match by position: centroids within the tolerance, areas within a factor of two."""
CAP_OBJECTS = 6
CAP_M2 = 2000.0
"""A group of many with many above either cap is taken apart, so that a city block is never one signal."""


@dataclass(frozen=True)
class Groups:
    """The group of each mapped object (map,) and of each detection (seen,): 0 … count − 1, each in one."""

    map_group: NDArray[np.intp]
    seen_group: NDArray[np.intp]
    count: int


def match_groups(
    mapped: Geometries, seen: Geometries, tolerance_m: NDArray[np.float64], *, overlap: float
) -> Groups:
    """Group *mapped* (map,) and *seen* (seen,) polygons, valid and in metres; *tolerance_m* (map,).

    Two belong together where they share at least 1 m² and the share *overlap* of the smaller one. Groups of
    several mapped objects with several detections stay whole up to a cap; above it each mapped object keeps
    only the detection it shares most with, and a detection that none kept, its own largest share.
    """
    first, second, shared_m2 = _edges(mapped, seen, tolerance_m, overlap)
    component = _components(first, second, len(mapped), len(seen))
    crowded = _crowded(component, len(mapped), np.asarray(shapely.area(mapped)))[component[first]]
    keep = ~crowded | _strongest(first, second, np.where(crowded, shared_m2, 0.0))
    component = _components(first[keep], second[keep], len(mapped), len(seen))
    return Groups(component[: len(mapped)], component[len(mapped) :], int(component.max(initial=-1)) + 1)


def _edges(
    mapped: Geometries, seen: Geometries, tolerance_m: NDArray[np.float64], overlap: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the pairs (map, seen) that belong together and the area they share (m²)."""
    reach = shapely.bounds(mapped) + tolerance_m[:, None] * np.array([-1.0, -1.0, 1.0, 1.0])
    first, second = shapely.STRtree(seen).query(shapely.box(*reach.T))
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    shared_m2 = shapely.area(shapely.intersection(mapped[first], seen[second]))
    map_m2, seen_m2 = shapely.area(mapped)[first], shapely.area(seen)[second]
    smaller = np.minimum(map_m2, seen_m2)
    enough = (shared_m2 >= MIN_INTERSECTION_M2) & (shared_m2 >= overlap * smaller)
    apart_m = shapely.distance(shapely.centroid(mapped)[first], shapely.centroid(seen)[second])
    alike = (map_m2 <= 2 * seen_m2) & (seen_m2 <= 2 * map_m2)
    in_place = (smaller < SMALL_M2) & alike & (apart_m <= tolerance_m[first])
    edge = enough | in_place
    return first[edge], second[edge], shared_m2[edge]


def _components(
    first: NDArray[np.intp], second: NDArray[np.intp], map_count: int, seen_count: int
) -> NDArray[np.intp]:
    """Return the component of every mapped object, then of every detection."""
    return connected_components(map_count + seen_count, first, second + map_count)


def _crowded(component: NDArray[np.intp], map_count: int, map_m2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which components hold several mapped objects, several detections, and more than the cap."""
    count = int(component.max(initial=-1)) + 1
    maps = np.bincount(component[:map_count], minlength=count)
    seen = np.bincount(component[map_count:], minlength=count)
    area_m2 = np.bincount(component[:map_count], weights=map_m2, minlength=count)
    crowded: NDArray[np.bool_] = (maps > 1) & (seen > 1) & ((maps + seen > CAP_OBJECTS) | (area_m2 > CAP_M2))
    return crowded


def _strongest(
    first: NDArray[np.intp], second: NDArray[np.intp], shared_m2: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the edges to keep: the strongest of each mapped object and of each detection that none chose."""
    keep = _first_of(first, np.lexsort((second, -shared_m2, first)))
    left_over = ~np.isin(second, second[keep])
    return keep | (left_over & _first_of(second, np.lexsort((first, -shared_m2, second))))


def _first_of(key: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return a mask of the first element of each key in the order given (which sorts by key first)."""
    mask = np.zeros(len(key), bool)
    mask[order[np.unique(key[order], return_index=True)[1]]] = True
    return mask
