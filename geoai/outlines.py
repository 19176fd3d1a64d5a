"""Outlines with right angles, where a traced shape nearly has them.

The shape is simplified (Douglas-Peucker). The sides of a polygon vote for its direction; those near it or
across it are laid along and across, each through the middle of the pixels' edges it stands for; sides that
are neither keep their own direction. Short steps between parallel sides go. Corners are where sides meet. A
polygon without a direction, or which this moves too far, keeps its simplified outline.

A polygon's outline depends on nothing but the polygon. All rings are worked on at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.vector import Geometries

MIN_AGREEMENT = 0.3
"""How far the sides of a polygon must agree on a direction: 0 (a circle) … 1 (right angles only)."""
MAX_TURN = 30.0
"""Sides up to this far (degrees) from the polygon's direction, or the one across, are laid along it."""
MIN_IOU = 0.85
"""Less of the traced shape kept than this (intersection over union): squaring was the wrong idea."""
ALONG, ACROSS, FREE = 0, 1, 2


@dataclass(frozen=True)
class Sides:
    """Lines normal · (u, v) = offset, in the frames of their polygons; those of a ring follow each other."""

    ring: NDArray[np.intp]
    kind: NDArray[np.intp]
    normal: NDArray[np.float64]
    offset: NDArray[np.float64]
    start: NDArray[np.float64]
    """(side, 2): the simplified outline's corner where the side begins."""
    length: NDArray[np.float64]

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """Return the sides at *index*."""
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def inserted(self, before: NDArray[np.intp], others: Sides) -> Self:
        """Return the sides with *others* put in before the positions *before*."""
        names = (field.name for field in fields(self))
        return type(self)(
            *(np.insert(getattr(self, name), before, getattr(others, name), axis=0) for name in names)
        )


def square(traced: Geometries, *, tolerance: float) -> Geometries:
    """Return outlines of *traced* polygons (their corners whole numbers: lattice pixels), squared where fit.

    *tolerance* is the simplification's, in the same unit. Valid, and of at least MIN_IOU with what was traced
    wherever squared; otherwise as shapely.simplify leaves them.
    """
    simplified: Geometries = shapely.simplify(traced, tolerance)
    if not len(traced) or tolerance <= 0:
        return simplified
    rings, owner = shapely.get_rings(traced, return_index=True)
    corners, ring = _open_corners(rings)
    kept = _kept(rings, corners, ring, tolerance)
    side = _side_of(ring, kept)
    middle = shapely.get_coordinates(shapely.centroid(traced))[owner]
    corners = corners - middle[ring]
    direction, agreement = _direction(corners, ring, side, owner[ring[kept]], len(traced))
    flat = _turned(corners, -direction[owner[ring]])
    shortest = 2 * tolerance
    sides = _merged(_sides(flat, ring, kept, side, shortest), tolerance)
    sides = _without_steps(_stepped(sides), shortest)
    met = _turned(_meeting(sides), direction[owner[sides.ring]]) + middle[sides.ring]
    met = np.round(met, 4)  # of a pixel: float noise must not decide which corner is the westernmost
    fit = agreement >= MIN_AGREEMENT
    fit[owner[np.bincount(sides.ring, minlength=len(rings)) < 3]] = False
    chosen = fit[owner[sides.ring]]
    squared = _polygons(met[chosen], sides.ring[chosen], owner)
    simplified[fit] = np.where(_alike(squared, traced[fit]), squared, simplified[fit])
    return simplified


def _open_corners(rings: Geometries) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the corners of *rings*, the closing one left out, and the ring of each."""
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    closing = np.append(ring[1:] != ring[:-1], True)
    return corners[~closing], ring[~closing]


def _neighbours(ring: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the index before and the index after each member of its *ring*, around it."""
    first = np.flatnonzero(np.append(True, ring[1:] != ring[:-1]))
    last = np.append(first[1:], len(ring)) - 1
    before, after = np.arange(len(ring)) - 1, np.arange(len(ring)) + 1
    before[first], after[last] = last, first
    return before, after


def _kept(
    rings: Geometries, corners: NDArray[np.float64], ring: NDArray[np.intp], tolerance: float
) -> NDArray[np.bool_]:
    """Return which *corners* the simplification of each ring by itself leaves."""
    left, ring_left = _open_corners(
        shapely.get_exterior_ring(shapely.simplify(shapely.polygons(rings), tolerance))
    )
    low = corners.min(axis=0)
    width, height = corners.max(axis=0) - low + 1

    def key(xy: NDArray[np.float64], number: NDArray[np.intp]) -> NDArray[np.int64]:
        col, row = (xy - low).astype(np.int64).T
        numbers: NDArray[np.int64] = (number * int(height) + row) * int(width) + col
        return numbers

    return np.isin(key(corners, ring), key(left, ring_left))


def _side_of(ring: NDArray[np.intp], kept: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return which side between *kept* corners each edge belongs to; edges and sides begin at corners."""
    last = np.cumsum(np.bincount(ring[kept])) - 1
    first = np.append(0, last[:-1] + 1)
    side = np.cumsum(kept) - 1
    # what comes before a ring's first kept corner belongs to its last side
    number: NDArray[np.intp] = np.where(side < first[ring], last[ring], side)
    return number


def _direction(
    corners: NDArray[np.float64],
    ring: NDArray[np.intp],
    side: NDArray[np.intp],
    polygon: NDArray[np.intp],
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the direction (radians, modulo a right angle) of each polygon and how far its sides agree on it.

    A side's own direction is the principal axis of its edges (better than the line between its corners, which
    are its extremes). Their mean: angles taken four times, which makes right angles one, weighted by about
    the square of the length. *polygon* is that of each side.
    """
    edge, weight, centre = _edges(corners, ring)
    off = centre - _means(centre, weight, side)[side]
    spread = _sums(
        weight * (off[:, 0] ** 2 - off[:, 1] ** 2 + (edge[:, 0] ** 2 - edge[:, 1] ** 2) / 12), side
    )
    mixed = _sums(weight * 2 * (off[:, 0] * off[:, 1] + edge[:, 0] * edge[:, 1] / 12), side)
    angle, strength = 2 * np.arctan2(mixed, spread), np.hypot(mixed, spread) ** (2 / 3)
    x, y = _sums(strength * np.cos(angle), polygon, count), _sums(strength * np.sin(angle), polygon, count)
    return np.arctan2(y, x) / 4, np.hypot(x, y) / np.maximum(_sums(strength, polygon, count), 1e-9)


def _edges(
    corners: NDArray[np.float64], ring: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges between corners that follow each other: as vectors, their lengths, their centres."""
    ends = corners[_neighbours(ring)[1]]
    return ends - corners, np.hypot(*(ends - corners).T), (corners + ends) / 2


def _means(
    centre: NDArray[np.float64], weight: NDArray[np.float64], side: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the weighted mean of the centres of each side's edges."""
    means: NDArray[np.float64] = np.stack([_sums(weight * centre[:, axis], side) for axis in (0, 1)], axis=1)
    return means / _sums(weight, side)[:, None]


def _sums(values: NDArray[np.float64], group: NDArray[np.intp], count: int = 0) -> NDArray[np.float64]:
    return np.bincount(group, values, count).astype(np.float64, copy=False)


def _turned(xy: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return *xy* (point, 2) turned about the origin by *angle* (point,), radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([xy[:, 0] * cos - xy[:, 1] * sin, xy[:, 0] * sin + xy[:, 1] * cos], axis=1)


def _sides(
    corners: NDArray[np.float64],
    ring: NDArray[np.intp],
    kept: NDArray[np.bool_],
    side: NDArray[np.intp],
    shortest: float,
) -> Sides:
    """Return a line for each side, through the mean of its edges; those under *shortest* are never free."""
    _, weight, centre = _edges(corners, ring)
    mean = _means(centre, weight, side)
    start, ring = corners[kept], ring[kept]
    chord = start[_neighbours(ring)[1]] - start
    length = np.hypot(*chord.T)
    turn = np.degrees(np.arctan2(chord[:, 1], chord[:, 0]))
    quarter = np.round(turn / 90)
    kind = quarter.astype(np.intp) % 2
    kind[(np.abs(turn - 90 * quarter) > MAX_TURN) & (length >= shortest)] = FREE
    own = np.stack([-chord[:, 1], chord[:, 0]], axis=1) / length[:, None]
    normal = np.where((kind == FREE)[:, None], own, np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])[kind])
    return Sides(ring, kind, normal, (normal * mean).sum(axis=1), start, length)


def _merged(sides: Sides, tolerance: float) -> Sides:
    """Return *sides* with those in a row that lie along each other, less than *tolerance* apart, as one."""
    before, _ = _neighbours(sides.ring)
    near = np.abs(sides.offset - sides.offset[before]) < tolerance
    joins = (sides.kind != FREE) & (sides.kind == sides.kind[before]) & near
    begins = np.append(True, sides.ring[1:] != sides.ring[:-1])
    # a row of sides must not be cut where the ring begins: begin each ring at one that joins nothing
    apart = np.where(joins, len(joins), np.arange(len(joins)))
    beginning = np.minimum.reduceat(apart, np.flatnonzero(begins))[np.cumsum(begins) - 1]
    order = np.lexsort((np.arange(len(joins)) < beginning, sides.ring))
    sides, joins = sides.take(order), joins[order]
    head = ~joins | begins
    row = np.cumsum(head) - 1
    length = _sums(sides.length, row)
    offset = _sums(sides.length * sides.offset, row) / length
    return replace(sides.take(head), offset=offset, length=length)


def _stepped(sides: Sides) -> Sides:
    """Return *sides* with a step put in where two that are parallel follow each other."""
    before, _ = _neighbours(sides.ring)
    at = np.flatnonzero((sides.kind != FREE) & (sides.kind == sides.kind[before]))
    kind = 1 - sides.kind[at]
    normal, start = np.array([[0.0, 1.0], [1.0, 0.0]])[kind], sides.start[at]
    steps = Sides(sides.ring[at], kind, normal, (normal * start).sum(axis=1), start, np.zeros(len(at)))
    return sides.inserted(at, steps)


def _without_steps(sides: Sides, shortest: float) -> Sides:
    """Return *sides* without those under *shortest* that only part two others, the shortest first.

    Steps, whose parallel neighbours become one side, and chamfers, whose neighbours meet without them.
    """
    while len(sides.ring):
        before, after = _neighbours(sides.ring)
        corner = _meeting(sides)
        length = np.hypot(*(corner[after] - corner).T)
        held = (sides.kind[before] != FREE) & (sides.kind[after] != FREE)
        step = held & (sides.kind[before] == sides.kind[after])
        needless = step | (held & (sides.kind == FREE))
        needless &= (length < shortest) & (np.bincount(sides.ring)[sides.ring] > 4)
        rank = np.empty(len(length), np.intp)
        rank[np.argsort(np.where(needless, length, np.inf), kind="stable")] = np.arange(len(length))
        for near in (before, after, before[before], after[after]):
            needless &= (rank < rank[near]) | (near == np.arange(len(near)))
        if not needless.any():
            break
        keep, offset = ~needless, sides.offset.copy()
        first, second = before[needless & step], after[needless & step]
        keep[second] = False
        together = np.maximum(length[first] + length[second], 1e-9)
        offset[first] = (offset[first] * length[first] + offset[second] * length[second]) / together
        sides = replace(sides, offset=offset).take(keep)
    return sides


def _meeting(sides: Sides) -> NDArray[np.float64]:
    """Return where each side meets the one before it; near-parallel ones meet at the outline's old corner."""
    before, _ = _neighbours(sides.ring)
    (a, b), (c, d) = sides.normal[before].T, sides.normal.T
    cross = a * d - b * c
    flat = np.abs(cross) < np.sin(np.radians(MAX_TURN)) / 2
    safe = np.where(flat, 1.0, cross)
    u = (sides.offset[before] * d - sides.offset * b) / safe
    v = (a * sides.offset - c * sides.offset[before]) / safe
    met: NDArray[np.float64] = np.where(flat[:, None], sides.start, np.stack([u, v], axis=1))
    return met


def _polygons(corners: NDArray[np.float64], ring: NDArray[np.intp], owner: NDArray[np.intp]) -> Geometries:
    """Return polygons of the rings that *corners* form, in the order of their *owner*."""
    number, index = np.unique(ring, return_inverse=True)
    rings = shapely.linearrings(corners, indices=index)
    polygons: Geometries = shapely.polygons(rings, indices=np.unique(owner[number], return_inverse=True)[1])
    return polygons


def _alike(squared: Geometries, traced: Geometries) -> NDArray[np.bool_]:
    """Return which *squared* polygons are valid and cover what was *traced*."""
    alike: NDArray[np.bool_] = shapely.is_valid(squared)
    common = shapely.area(shapely.intersection(squared[alike], traced[alike]))
    either = shapely.area(squared[alike]) + shapely.area(traced[alike]) - common
    alike[alike] = common >= MIN_IOU * either
    return alike
