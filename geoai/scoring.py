"""How well what is seen agrees with what is labelled: pixels, outlines, objects.

Labels are a map or masks. A map is not the truth: recall and precision against one say how often map and
model agree, and both are wrong at times; what a person found wrong in the map can be set aside (`review`).

Shares come with Wilson 95 % intervals, which take objects as independent; `geoai.resampling` does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.estimators import score_limits
from geoai.matching import Groups, match_groups
from geoai.vector import Geometries, union_by_group

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top, in metres of the layers' CRS."""
Mask = NDArray[np.bool_]

MIN_AREA_M2 = 15.0
"""Smaller objects do not count in what is said of all sizes."""
SIZE_BINS_M2 = ((0.0, 15.0), (15.0, 60.0), (60.0, 200.0), (200.0, math.inf))
BOUNDARY_M = 1.0
"""Width of the band along outlines in which boundary IoU is taken: the same ground at any GSD and image size
(Cheng et al. take 2 % of an image's diagonal, which for a tile of 150 m is the whole of most houses)."""
TOLERANCE_M = 2.5
OVERLAP = 0.3
"""Share of the smaller object from which two are about the same building; see `geoai.matching`."""
SAME_IOU = 0.5
VERDICT_REACH_M = 2.0
"""How far from a detection a checked point may lie and still speak of it."""


@dataclass(frozen=True, slots=True)
class PixelScores:
    """Known pixels of one class: seen and true (hit), seen and not true (false), true and not seen."""

    hit: int
    false: int
    missed: int

    @property
    def iou(self) -> float:
        """Intersection over union; NaN where neither is."""
        return _ratio(self.hit, self.hit + self.false + self.missed)

    @property
    def precision(self) -> float:
        """Share of what is seen that is true; NaN where nothing is seen."""
        return _ratio(self.hit, self.hit + self.false)

    @property
    def recall(self) -> float:
        """Share of what is true that is seen; NaN where nothing is true."""
        return _ratio(self.hit, self.hit + self.missed)

    def __add__(self, other: PixelScores) -> PixelScores:
        return PixelScores(self.hit + other.hit, self.false + other.false, self.missed + other.missed)


@dataclass(frozen=True, slots=True)
class Share:
    """*found* of *total*, as a share with its Wilson 95 % interval; NaN where *total* is 0."""

    found: int
    total: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SizeScores:
    """Recall of labelled objects and precision of detections of from_m2 ≤ area < to_m2, and F1 of the two."""

    from_m2: float
    to_m2: float
    recall: Share
    precision: Share
    f1: float


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """Labelled objects that have a detection, and detections that have a labelled object.

    *recall*, *precision* and *f1* are of objects of at least *min_area_m2*; *by_size* is of all.
    """

    recall: Share
    precision: Share
    f1: float
    min_area_m2: float
    by_size: tuple[SizeScores, ...]


@dataclass(frozen=True)
class Outcome:
    """One side of a matching, (object,) each: area (m²), whether it counts, whether it has a counterpart."""

    area_m2: NDArray[np.float64]
    counted: Mask
    matched: Mask


@dataclass(frozen=True)
class Held:
    """Labelled objects and detections held against each other."""

    labels: Outcome
    detections: Outcome


@dataclass(frozen=True)
class Verdicts:
    """What a person found on looking: *register* says of a labelled object's id, and *words* of each of
    *points* ((point, 2), x and y), where something was detected, what stands there."""

    register: Mapping[str, str] = field(default_factory=dict)
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    words: tuple[str, ...] = ()


REGISTER_WORDS = ("building", "no_building", "unclear")
DETECTION_WORDS = ("building", "not_building", "unclear")


@dataclass(frozen=True, slots=True)
class SetAside:
    """What of the counted objects from MIN_AREA_M2 on was set aside, and what nobody has looked at yet."""

    labels_without_building: int
    labels_unclear: int
    detections_of_buildings: int
    detections_unclear: int
    missed_without_verdict: int
    unmatched_without_verdict: int


# --- pixels ----------------------------------------------------------------------------------------------


def score_pixels(seen: Mask, label: NDArray[np.uint8], *, value: int = 1) -> PixelScores:
    """Hold *seen* (row, col) against labels (row, col): 0 background, *value* the class, from 254 unknown."""
    known, true = label < 254, label == value
    return PixelScores(
        hit=int(np.count_nonzero(seen & true)),
        false=int(np.count_nonzero(seen & ~true & known)),
        missed=int(np.count_nonzero(true & ~seen)),
    )


def pixel_masks(seen: Mask, true: Mask, known: Mask, *, width_px: float) -> dict[str, Mask]:
    """Return which pixels (row, col) are hit, false and missed, and the same of the bands along the outlines.

    Intersection over union of the bands is boundary IoU (Cheng et al. 2021, arXiv 2103.16562): the pixels of
    a mask within *width_px* of its contour. Where imagery or array ends is no contour, so what is *known*
    should reach *width_px* beyond what is looked at.
    """
    seen_band, true_band = (_band(mask, known, width_px) for mask in (seen, true))
    return {
        "pixels.hit": seen & true & known,
        "pixels.false": seen & ~true & known,
        "pixels.missed": ~seen & true & known,
        "boundary.hit": seen_band & true_band,
        "boundary.false": seen_band & ~true_band,
        "boundary.missed": ~seen_band & true_band,
    }


def _band(mask: Mask, known: Mask, width_px: float) -> Mask:
    """Return the known pixels of *mask* whose distance from the nearest pixel known not to be in it is small.

    Pixels that touch the contour are one pixel from it.
    """
    distance_px = cv2.distanceTransform((mask | ~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    band: Mask = mask & known & (distance_px <= width_px)
    return band


# --- objects ---------------------------------------------------------------------------------------------

Matcher = Callable[[Geometries, Geometries], tuple[Mask, Mask]]
"""Takes labelled polygons (label,) and detections (seen,), valid, in metres; returns which have a match."""


def match_by_group(labels: Geometries, seen: Geometries) -> tuple[Mask, Mask]:
    """Match what is about the same buildings, one roof drawn as three houses included; `geoai.matching`."""
    groups = _groups(labels, seen)
    return np.isin(groups.map_group, groups.seen_group), np.isin(groups.seen_group, groups.map_group)


def match_one_to_one(labels: Geometries, seen: Geometries) -> tuple[Mask, Mask]:
    """Match pairs whose intersection over union is at least SAME_IOU, each polygon in one pair at most."""
    first, second, _ = pair_by_iou(labels, seen)
    found, confirmed = np.zeros(len(labels), bool), np.zeros(len(seen), bool)
    found[first], confirmed[second] = True, True
    return found, confirmed


def pair_by_iou(
    labels: Geometries, seen: Geometries
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return pairs (label, seen) and their intersection over union: the best first, then of what is left.

    Polygons of one layer do not overlap, so more than half of a union can be shared with one partner only:
    above 0.5 there is nothing to choose, and at 0.5 no choice makes more pairs. Ties go by place.
    """
    first, second = shapely.STRtree(seen).query(labels, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(labels[first], seen[second]))
    iou = shared_m2 / (shapely.area(labels)[first] + shapely.area(seen)[second] - shared_m2)
    order = np.lexsort((_rank(seen)[second], _rank(labels)[first], -iou))
    order = order[iou[order] >= SAME_IOU]
    chosen: list[NDArray[np.intp]] = [order[:0]]
    while len(order):  # pairs that are the best of both: what taking the best pair again and again comes to
        best = order[_is_first(first[order]) & _is_first(second[order])]
        chosen.append(best)
        order = order[~np.isin(first[order], first[best]) & ~np.isin(second[order], second[best])]
    pairs = np.concatenate(chosen)
    return first[pairs], second[pairs], iou[pairs]


def _is_first(key: NDArray[np.intp]) -> Mask:
    mask = np.zeros(len(key), bool)
    mask[np.unique(key, return_index=True)[1]] = True
    return mask


def _rank(shapes: Geometries) -> NDArray[np.intp]:
    """Return the place of each of *shapes* from west to east, then south to north."""
    west, south, east, north = shapely.bounds(shapes).reshape(-1, 4).T
    rank = np.empty(len(shapes), np.intp)
    rank[np.lexsort((north, east, south, west))] = np.arange(len(shapes))
    return rank


def outline_iou(labels: Geometries, seen: Geometries) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the group of each label (label,), and the intersection over union of the group's two sides."""
    groups = _groups(labels, seen)
    first, second = (
        union_by_group(shapes, group, groups.count)
        for shapes, group in ((labels, groups.map_group), (seen, groups.seen_group))
    )
    shared_m2 = shapely.area(shapely.intersection(first, second))
    iou = shared_m2 / (shapely.area(first) + shapely.area(second) - shared_m2)
    return groups.map_group, iou[groups.map_group]


def _groups(labels: Geometries, seen: Geometries) -> Groups:
    return match_groups(labels, seen, np.full(len(labels), TOLERANCE_M), overlap=OVERLAP)


def hold(
    labels: Geometries,
    detections: Geometries,
    matcher: Matcher,
    *,
    bounds: Bounds | None,
    assessable: Mask | None = None,
) -> Held:
    """Hold labelled objects (label,) against detections (seen,).

    Counted are those whose inner point lies in *bounds* (None: anywhere), labelled ones only where
    *assessable* (label,): what the imagery does not show cannot be found. All take part in the matching, so
    that an object on the edge has its counterpart.
    """
    found, confirmed = matcher(labels, detections)
    counted = inside(labels, bounds)
    if assessable is not None:
        counted &= assessable
    return Held(
        Outcome(shapely.area(labels), counted, found),
        Outcome(shapely.area(detections), inside(detections, bounds), confirmed),
    )


def review(
    held: Held,
    labels: Geometries,
    detections: Geometries,
    matcher: Matcher,
    *,
    ids: Sequence[str],
    verdicts: Verdicts,
) -> tuple[Held, SetAside]:
    """Set aside of *held* what a person found wrong in the labels (*ids* (label,)), and say how much it was.

    A label without a building, or an unclear one, takes no part: it is not counted, and what was detected
    there has no counterpart in it. A detection without counterpart counts as neither right nor wrong where
    the nearest point within reach is a building or unclear, or where it matches an unclear label. What is
    set aside does not depend on who found it, so every model is held against the same labels.
    """
    said = np.array([verdicts.register.get(name, "") for name in ids], dtype=object)
    standing, unclear = ~np.isin(said, ["no_building", "unclear"]), said == "unclear"
    found = np.zeros(len(labels), bool)
    found[standing], confirmed = matcher(labels[standing], detections)
    heard = _heard(detections, verdicts)
    heard[(heard == "") & matcher(labels[unclear], detections)[1]] = "unclear"
    aside = ~confirmed & np.isin(heard, ["building", "unclear"])
    reviewed = Held(
        Outcome(held.labels.area_m2, held.labels.counted & standing, found),
        Outcome(held.detections.area_m2, held.detections.counted & ~aside, confirmed),
    )
    label = held.labels.counted & (held.labels.area_m2 >= MIN_AREA_M2)
    seen = held.detections.counted & (held.detections.area_m2 >= MIN_AREA_M2)

    def count(mask: Mask) -> int:
        return int(np.count_nonzero(mask))

    return reviewed, SetAside(
        labels_without_building=count(label & (said == "no_building")),
        labels_unclear=count(label & unclear),
        detections_of_buildings=count(seen & aside & (heard == "building")),
        detections_unclear=count(seen & aside & (heard == "unclear")),
        missed_without_verdict=count(label & ~held.labels.matched & (said == "")),
        unmatched_without_verdict=count(seen & ~confirmed & (heard == "")),
    )


def _heard(detections: Geometries, verdicts: Verdicts) -> NDArray[Any]:
    """Return the verdict on each detection, '' for none; of several, that it is a building goes first."""
    heard = np.full(len(detections), "", dtype=object)
    words = np.array(verdicts.words, dtype=object)
    point, seen = shapely.STRtree(detections).query_nearest(
        shapely.points(verdicts.points), max_distance=VERDICT_REACH_M
    )
    for word in ("not_building", "unclear", "building"):
        heard[seen[words[point] == word]] = word
    return heard


def score_objects(held: Held) -> ObjectScores:
    """Return recall, precision and F1 of what counts, from MIN_AREA_M2 on and by size."""

    def size(low: float, high: float) -> SizeScores:
        recall, precision = (wilson(*_found(side, low, high)) for side in (held.labels, held.detections))
        return SizeScores(low, high, recall, precision, _f1(recall.value, precision.value))

    whole = size(MIN_AREA_M2, math.inf)
    by_size = tuple(size(low, high) for low, high in SIZE_BINS_M2)
    return ObjectScores(whole.recall, whole.precision, whole.f1, MIN_AREA_M2, by_size)


def _found(side: Outcome, low: float, high: float) -> tuple[int, int]:
    counted = side.counted & (low <= side.area_m2) & (side.area_m2 < high)
    return int(np.count_nonzero(counted & side.matched)), int(np.count_nonzero(counted))


def inside(shapes: Geometries, bounds: Bounds | None) -> Mask:
    """Return which *shapes* (object,) have their inner point in *bounds*."""
    if bounds is None:
        return np.ones(len(shapes), bool)
    x, y = inner_points(shapes)
    left, bottom, right, top = bounds
    mask: Mask = (left <= x) & (x < right) & (bottom <= y) & (y < top)
    return mask


def inner_points(shapes: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y (object,) of a point inside each of *shapes*."""
    points = shapely.point_on_surface(shapes)
    return shapely.get_x(points), shapely.get_y(points)


def wilson(found: int, total: int) -> Share:
    """Return the share with its 95 % score interval (Wilson 1927), which holds at 0, at 1 and for few.

    >>> share = wilson(9, 10); round(share.low, 3), round(share.high, 3)
    (0.596, 0.982)
    """
    if not total:
        return Share(found, total, math.nan, math.nan, math.nan)
    share = found / total
    return Share(found, total, share, *score_limits(share, total))


def _f1(recall: float, precision: float) -> float:
    return _ratio(2 * recall * precision, recall + precision)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
