"""Polygons in arrays: what several stages do to shapely geometries, without a loop over objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[Any]
"""An object array of shapely geometries, (object,)."""
RETRACED_M = 0.01
"""An outline that runs along itself for less does not: the floats of a crossing are not exact."""


def connected_components(count: int, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the component (0, 1, … by lowest member) of each of *count* nodes; edges: first[k], second[k].

    >>> connected_components(4, np.array([0, 3]), np.array([2, 2])).tolist()
    [0, 1, 0, 0]
    """
    root = np.arange(count)
    while True:
        low = np.minimum(root[first], root[second])
        nearer = root.copy()
        for ends in (
            root[first],
            root[second],
            first,
            second,
        ):  # hooking the roots too halves the path each time
            np.minimum.at(nearer, ends, low)
        nearer = nearer[nearer]
        if np.array_equal(nearer, root):
            break
        root = nearer
    component: NDArray[np.intp] = np.unique(root, return_inverse=True)[1]
    return component


def union_by_group(geometries: Geometries, group: NDArray[np.intp], count: int) -> Geometries:
    """Return the union of the geometries of each group 0 … count − 1, (group,); an empty polygon for none."""
    unions = np.full(count, shapely.Polygon(), object)
    order = np.argsort(group, kind="stable")
    members = np.bincount(group, minlength=count)
    single = members[group[order]] == 1
    unions[group[order][single]] = geometries[order][single]
    together = order[~single]
    if len(together):
        groups, index = np.unique(group[together], return_inverse=True)
        collections = shapely.geometrycollections(geometries[together], indices=index)
        unions[groups] = shapely.union_all(collections[:, None], axis=1)
    return unions


def polygonal(geometries: Geometries) -> Geometries:
    """Return the Polygon or MultiPolygon within each geometry: lines and points beside it are left out."""
    kept = geometries.copy()
    mixed = np.flatnonzero(~np.isin(shapely.get_type_id(geometries), (3, 6)))
    parts, owner = shapely.get_parts(geometries[mixed], return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)  # a collection may hold a MultiPolygon
    polygons = shapely.get_type_id(parts) == 3
    kept[mixed] = union_by_group(parts[polygons], owner[inner][polygons], len(mixed))
    return kept


def defects_of(geometries: Geometries) -> NDArray[np.object_]:
    """Return what is wrong with each polygon: '' where it is valid, 'other', or one of ISO 19157's errors.

    'self_overlaps' is an outline that runs back along itself (a "kickback"), and a part within another;
    'self_intersects' one that crosses or touches itself otherwise (a "loop"). An object that does both
    overlaps itself.
    """
    defects = np.full(len(geometries), "", object)
    broken = np.flatnonzero(~shapely.is_valid(geometries))
    reasons = [text.partition("[")[0] for text in shapely.is_valid_reason(geometries[broken])]
    crosses = np.array(
        [reason in ("Self-intersection", "Ring Self-intersection") for reason in reasons], bool
    )
    nested = np.array([reason == "Nested shells" for reason in reasons], bool)
    outlines = shapely.boundary(geometries[broken[crosses]])
    retraced_m = shapely.length(outlines) - shapely.length(shapely.union_all(outlines[:, None], axis=1))
    nested[crosses] = retraced_m > RETRACED_M
    defects[broken] = np.select([nested, crosses], ["self_overlaps", "self_intersects"], "other")
    return defects


def shifted(geometries: Geometries, offset: NDArray[np.float64]) -> Geometries:
    """Return each geometry moved by its *offset* (geometry, 2), metres east and north; 2D."""
    points, owner = shapely.get_coordinates(geometries, return_index=True)
    flat = shapely.force_2d(geometries) if shapely.has_z(geometries).any() else geometries.copy()
    moved: Geometries = shapely.set_coordinates(flat, points + offset[owner])
    return moved


def to_millimetres(geometries: Geometries) -> Geometries:
    """Return each geometry with its vertices rounded to the millimetre, as exactextract needs them.

    exactextract 0.3 can fail ("Never get here") on a vertex that misses a pixel's border by floating-point
    noise, and on the spikes and repeated vertices that rounding leaves. What is thinner than a millimetre may
    vanish.
    """
    rounded: Geometries = shapely.remove_repeated_points(
        shapely.set_precision(geometries, 0.001, mode="pointwise")
    )
    spoilt = ~shapely.is_valid(rounded)
    rounded[spoilt] = shapely.set_precision(geometries[spoilt], 0.001)  # ten times as slow
    return rounded


def are_lines(geometries: Geometries) -> bool:
    """Return whether there are geometries, all of them lines."""
    return len(geometries) > 0 and bool(np.isin(shapely.get_type_id(geometries), (1, 5)).all())
