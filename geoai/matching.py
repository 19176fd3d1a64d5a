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

from geoai.partition import best_partition
from geoai.vector import Geometries, connected_components

MIN_INTERSECTION_M2 = 1.0
SMALL_M2 = 25.0
"""Below this, two also match by position: centroids within the tolerance, areas within a factor of two."""
CAP_OBJECTS = 6
CAP_M2 = 2000.0
"""A group of many with many above either cap is always taken apart: a city block is never one signal."""


RESOLVED_IOU = 0.6
"""A group of many with many is taken apart where its parts agree as well as this, weighted by area."""


@dataclass(frozen=True)
class Groups:
    """The group of each mapped object (map,) and of each detection (seen,): 0 … count − 1, each in one."""

    map_group: NDArray[np.intp]
    seen_group: NDArray[np.intp]
    count: int
    recomposed: NDArray[np.bool_]
    """(group,): many with many, and no way to take them apart that agrees."""


def match_groups(
    mapped: Geometries, seen: Geometries, tolerance_m: NDArray[np.float64], *, overlap: float
) -> Groups:
    """Group *mapped* (map,) and *seen* (seen,) polygons, valid and in metres; *tolerance_m* (map,).

    Two belong together where they share at least 1 m² and the share *overlap* of the smaller one. A group of
    several mapped objects with several detections is taken apart as well as can be (`best_partition`); where
    its parts would not agree it stays whole and is *recomposed*, unless it is above the cap.
    """
    first, second, shared_m2 = _edges(mapped, seen, tolerance_m, overlap)
    map_m2, seen_m2 = np.asarray(shapely.area(mapped)), np.asarray(shapely.area(seen))
    component = _components(first, second, len(mapped), len(seen))
    maps = np.bincount(component[: len(mapped)], minlength=component.max(initial=-1) + 1)
    many = (maps > 1) & (np.bincount(component[len(mapped) :], minlength=len(maps)) > 1)
    capped = _above_cap(component, len(mapped), map_m2)
    keep = np.ones(len(first), bool)
    whole = np.zeros(len(mapped) + len(seen), bool)
    contested = np.flatnonzero(many[component[first]])
    contested = contested[np.argsort(component[first[contested]], kind="stable")]
    ends = np.flatnonzero(np.diff(component[first[contested]])) + 1
    for edges in np.split(contested, ends) if len(contested) else ():
        maps_here, map_end = np.unique(first[edges], return_inverse=True)
        seen_here, seen_end = np.unique(second[edges], return_inverse=True)
        kept, score = best_partition(
            map_end, seen_end, shared_m2[edges], map_m2[maps_here], seen_m2[seen_here]
        )
        if score >= RESOLVED_IOU or capped[component[maps_here[0]]]:
            keep[edges] = kept
        else:
            whole[maps_here] = True
    component = _components(first[keep], second[keep], len(mapped), len(seen))
    count = int(component.max(initial=-1)) + 1
    recomposed = np.zeros(count, bool)
    recomposed[component[whole]] = True
    return Groups(component[: len(mapped)], component[len(mapped) :], count, recomposed)


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


def _above_cap(component: NDArray[np.intp], map_count: int, map_m2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which components hold more objects, or more mapped area, than one signal should."""
    count = int(component.max(initial=-1)) + 1
    area_m2 = np.bincount(component[:map_count], weights=map_m2, minlength=count)
    above: NDArray[np.bool_] = (np.bincount(component, minlength=count) > CAP_OBJECTS) | (area_m2 > CAP_M2)
    return above
