"""Geometry of lines and of strips along them, in arrays: cut, measured, and put together again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.vector import Geometries, connected_components, union_by_group

Indices = NDArray[np.intp]
Metres = NDArray[np.float64]


class Steps(NamedTuple):
    """Lines cut into steps of about equal length: the line of each step, and its ends as shares of it."""

    line: Indices
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def in_steps(lines: Geometries, step_m: float) -> Steps:
    """Cut each line into the fewest equal steps that are no longer than *step_m*."""
    count = np.maximum(np.ceil(shapely.length(lines) / step_m - 1e-9).astype(int), 1)
    line = np.repeat(np.arange(len(lines)), count)
    number = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    return Steps(line, number / count[line], (number + 1) / count[line])


def joined(steps: Steps, kind: NDArray[np.intp]) -> tuple[Steps, Indices]:
    """Join steps of one *kind* (step,) that follow each other; return the stretches and their kinds."""
    if not len(kind):
        return steps, kind
    begins = np.append(True, (np.diff(steps.line) != 0) | (np.diff(kind) != 0))
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(kind)) - 1
    return Steps(steps.line[first], steps.start[first], steps.end[last]), kind[first]


def between(lines: Geometries, start: NDArray[np.float64], end: NDArray[np.float64]) -> Geometries:
    """Return the part of each LineString between two shares of its length."""
    length = shapely.length(lines)
    vertices, index = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(vertices, axis=0, prepend=vertices[:1]).T)
    step[np.flatnonzero(np.diff(index, prepend=-1))] = 0.0
    along = np.cumsum(step)
    along -= along[np.searchsorted(index, index)]
    inner = (along > (start * length)[index] + 1e-9) & (along < (end * length)[index] - 1e-9)
    heads, tails = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, share, normalized=True))
        for share in (start, end)
    )
    owner = np.concatenate([np.arange(len(lines)), index[inner], np.arange(len(lines))])
    place = np.concatenate([start * length, along[inner], end * length])
    order = np.lexsort((place, owner))
    pieces: Geometries = shapely.linestrings(
        np.concatenate([heads, vertices[inner], tails])[order], indices=owner[order]
    )
    return pieces


def length_along(polygons: Geometries) -> Metres:
    """Return how long elongated polygons are (m): of a strip with that area and perimeter, the longer side.

    For a bent or forked strip this is the length of its axis, but for its ends.

    >>> length_along(np.array([shapely.box(0, 0, 50, 6)])).tolist()
    [50.0]
    """
    half = shapely.length(polygons) / 2
    length: Metres = (half + np.sqrt(np.maximum(half**2 - 4 * shapely.area(polygons), 0.0))) / 2
    return length


def cut_small(polygons: Geometries, side_m: float) -> Geometries:
    """Return the polygons cut into pieces whose bounds are no longer than *side_m*.

    The streets of a town are seen as one polygon; whatever is done with it is done faster piece by piece.
    """
    done: list[Geometries] = []
    while len(polygons):
        west, south, east, north = shapely.bounds(polygons).T
        wide, high = east - west, north - south
        small = np.maximum(wide, high) <= side_m
        done.append(polygons[small])
        polygons, wide, high = polygons[~small], wide[~small], high[~small]
        west, south, east, north = (side[~small] for side in (west, south, east, north))
        across = wide > high
        x, y = np.where(across, (west + east) / 2, east), np.where(across, north, (south + north) / 2)
        lower = shapely.intersection(polygons, shapely.box(west, south, x, y))
        x, y = np.where(across, x, west), np.where(across, south, y)
        upper = shapely.intersection(polygons, shapely.box(x, y, east, north))
        parts = shapely.get_parts(shapely.get_parts(np.concatenate([lower, upper])))
        polygons = parts[shapely.get_type_id(parts) == 3]
    pieces: Geometries = np.concatenate([np.zeros(0, object), *done])
    return pieces


def put_together(pieces: Geometries) -> Geometries:
    """Return polygons that touch as one: what `cut_small` parted is whole again."""
    first, second = shapely.STRtree(pieces).query(pieces, predicate="intersects")
    group = connected_components(len(pieces), first, second)
    whole: Geometries = shapely.get_parts(union_by_group(pieces, group, int(group.max(initial=-1)) + 1))
    return whole


def beyond(lines: Geometries, polygons: Geometries, reach_m: float) -> Geometries:
    """Return what of each line lies farther than *reach_m* from every polygon; may be empty."""
    grown = shapely.buffer(polygons, reach_m)
    shapely.prepare(grown)
    line, polygon = shapely.STRtree(grown).query(lines, predicate="intersects")
    order = np.lexsort((polygon, line))
    line, polygon = line[order], polygon[order]
    left = lines.copy()
    left[line[shapely.covers(grown[polygon], lines[line])]] = shapely.LineString()
    rank = np.arange(len(line)) - np.searchsorted(line, line)
    for number in range(rank.max(initial=-1) + 1):  # one polygon after the other: no union of many
        now = (rank == number) & ~shapely.is_empty(left[line])
        left[line[now]] = shapely.difference(left[line[now]], grown[polygon[now]])
    return left
