"""Is the map good? Completeness, logical consistency, position and currency, by the measures of ISO 19157.

Completeness rests on verified signals and a stratified sample: what a model counted by itself is no measure
of the map. Ids are those of ISO 19157:2013, annex D. Only what can be known is said: the rest is None.

*replaced* and the other differences are not counted as missing or excess: the object and its place remain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.estimators import Figure, add, block_intervals, exactly
from geoai.sampling import UNJUDGED, StratumRow
from geoai.vector import Geometries, are_lines

OVERLAP_M2 = 1.0
"""Map objects that share less do not overlap: digitised walls meet within centimetres."""
DUPLICATE_SHARE = 0.9
SLIVER_M2, SLIVER_QUOTIENT = 15.0, 0.1
"""A sliver is at most this large and has a thickness quotient 4π · area / perimeter² of at most this."""
PAIR_M2 = 60.0
"""Smaller buildings tell little of position: their outlines are too uncertain."""
PAIR_RATIO = 2.0
"""A pair whose areas differ by more is not the same outline seen twice."""
BLOCK_M = 100.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the map: *iso* its id in ISO 19157 (None: not one of them), *name* a key of the texts.

    *unit* is 'items', 'rate' or 'm'; *denominator* what it is of. *found* is what is verified so far.
    *basis*: 'verified' (reviewers), 'map' (computed from the map alone), 'orthophoto' (pairs of map and
    image). *needs*: strata without enough answers, or a key of the texts, where *figure* is None.
    """

    iso: int | None
    name: str
    unit: str
    figure: Figure | None
    denominator: float | None
    found: int | None
    basis: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the imagery lies from the map (dx_m east, dy_m north) in the cell around x, y; *pairs* safe
    ones lie in it, *source* ('cell', 'block', 'none') is where the offset is from."""

    x: float
    y: float
    dx_m: float
    dy_m: float
    pairs: int
    source: str


@dataclass(frozen=True)
class MapQuality:
    """Is the map good? *assessable* objects could be judged, *should_be* is how many the map should hold.

    *shift_m* is how far the map lies from the imagery, *registration* what was corrected for, cell by cell.
    """

    assessable: int
    should_be: Figure | None
    strata: tuple[StratumRow, ...]
    completeness: tuple[Measure, ...]
    logical: tuple[Measure, ...]
    position: tuple[Measure, ...]
    shift_m: tuple[float, float] | None
    registration: tuple[Offset, ...]
    temporal: tuple[Measure, ...]


def _completeness(strata: Sequence[StratumRow], assessable: int) -> tuple[tuple[Measure, ...], Figure | None]:
    """Return ISO 19157 measures 2, 3, 6, 7 and how many items the map should hold.

    Should be present = assessable map objects − excess + missing.
    """
    rows = {row.stratum: row for row in strata}
    sides = {}
    for side, names in (
        ("excess", ("signal_excess", "object")),
        ("missing", ("signal_missing", "cell_empty", "cell_built")),
    ):
        held = [rows[name] for name in names if name in rows]
        sampled = any(row.stratum in ("object", "cell_empty", "cell_built") for row in held)
        unknown = tuple(row.stratum for row in held if row.total is None)
        needs = unknown if sampled else (*unknown, "no_sample")
        sides[side] = (
            None if needs else add([row.total for row in held]),
            sum(row.found for row in held),
            needs,
        )
    excess, missing = sides["excess"][0], sides["missing"][0]
    should_be = None
    if excess is not None and missing is not None:
        middle = assessable - excess.value + missing.value
        below = math.hypot(excess.high - excess.value, missing.value - missing.low)
        above = math.hypot(excess.value - excess.low, missing.high - missing.value)
        should_be = Figure(middle, max(middle - below, 0.0), middle + above)
    measures = []
    for side, (number_id, rate_id) in (("excess", (2, 3)), ("missing", (6, 7))):
        figure, found, needs = sides[side]
        other = missing if side == "excess" else excess
        rate = None
        if figure is not None and other is not None and should_be is not None and should_be.value > 0:
            rate = _rate(figure, other, assessable, side)
        rate_needs = tuple(dict.fromkeys((*sides["excess"][2], *sides["missing"][2])))
        whole = should_be.value if should_be else None
        measures += [
            Measure(number_id, f"{side}_number", "items", figure, whole, found, "verified", needs),
            Measure(rate_id, f"{side}_rate", "rate", rate, whole, None, "verified", rate_needs),
        ]
    return tuple(measures), should_be


def _rate(figure: Figure, other: Figure, assessable: int, side: str) -> Figure:
    """Return a number over what should be present, with the limits of the limits."""

    def rate(number: float, counterpart: float) -> float:
        excess, missing = (number, counterpart) if side == "excess" else (counterpart, number)
        whole = assessable - excess + missing
        return number / whole if whole > 0 else math.inf

    value = rate(figure.value, other.value)
    # more missing makes the whole larger, more excess makes it smaller
    low_other, high_other = (other.high, other.low) if side == "excess" else (other.low, other.high)
    low, high = rate(figure.low, low_other), rate(figure.high, high_other)
    return Figure(value, min(low, value), max(high, value))


def measure_map(
    objects: gpd.GeoDataFrame,
    detections: gpd.GeoDataFrame,
    registration: gpd.GeoDataFrame | None,
    signals: gpd.GeoDataFrame,
    strata: tuple[StratumRow, ...],
    *,
    photo_date: pd.Timestamp | None,
    min_area_m2: float,
) -> MapQuality:
    """Measure the map by the layers of a review: map_status, detection, registration, and its *signals*."""
    linear = are_lines(objects.geometry.to_numpy())
    large = linear | (objects["area_m2"] >= min_area_m2)
    assessable = int((~objects["status"].isin(UNJUDGED) & large).sum())
    completeness, should_be = _completeness(strata, assessable)
    logical = _logical_of_lines(objects) if linear else _logical(objects)
    position, shift = _position(objects, detections)
    return MapQuality(
        assessable,
        should_be,
        strata,
        (
            *completeness[:2],
            logical[0],
            *completeness[2:],
        ),
        logical[1:],
        position,
        shift,
        _offsets(registration),
        _temporal(objects, signals, photo_date),
    )


# --- geometry of the map ---------------------------------------------------------------------------------


LOGICAL = ((4, "duplicates"), (11, "overlaps"), (25, "slivers"))
DEFECTS = ((26, "self_intersects"), (27, "self_overlaps"))


def _logical(objects: gpd.GeoDataFrame) -> tuple[Measure, ...]:
    """Return LOGICAL and DEFECTS of mapped polygons."""
    counts = logical_counts(objects.geometry.to_numpy())
    return (
        *(
            Measure(iso, name, "items", exactly(counts[name]), len(objects), None, "map")
            for iso, name in LOGICAL
        ),
        *(_defect(iso, name, objects) for iso, name in DEFECTS),
    )


def _logical_of_lines(objects: gpd.GeoDataFrame) -> tuple[Measure, ...]:
    """Return the same measures without figures: they are of surfaces."""
    return tuple(
        Measure(iso, name, "items", None, len(objects), None, "map", ("surfaces_only",))
        for iso, name in (*LOGICAL, *DEFECTS)
    )


def logical_counts(mapped: Geometries) -> dict[str, int]:
    """Return pairs of *mapped* polygons that are duplicates, or overlap otherwise, and polygons too thin.

    duplicates: intersection / smaller area ≥ DUPLICATE_SHARE; overlaps: others that share ≥ OVERLAP_M2;
    slivers: parts of at most SLIVER_M2 and SLIVER_QUOTIENT.
    """
    first, second = shapely.STRtree(mapped).query(mapped, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    area_m2 = shapely.area(mapped)
    shared_m2 = shapely.area(shapely.intersection(mapped[first], mapped[second]))
    duplicate = shared_m2 >= DUPLICATE_SHARE * np.minimum(area_m2[first], area_m2[second])
    parts = shapely.get_parts(mapped)
    part_m2, around_m = shapely.area(parts), shapely.length(parts)
    thin = 4 * np.pi * part_m2 <= SLIVER_QUOTIENT * around_m**2
    return {
        "duplicates": int(duplicate.sum()),
        "overlaps": int((~duplicate & (shared_m2 >= OVERLAP_M2)).sum()),
        "slivers": int((thin & (part_m2 <= SLIVER_M2)).sum()),
    }


def _defect(iso: int, defect: str, objects: gpd.GeoDataFrame) -> Measure:
    """Return how many outlines had a *defect* when the map was read, which mended them."""
    if "defect" not in objects:  # a review of an earlier version
        return Measure(iso, defect, "items", None, len(objects), None, "map", ("repaired",))
    count = int((objects["defect"] == defect).sum())
    return Measure(iso, defect, "items", exactly(count), len(objects), None, "map")


def position_pairs(objects: gpd.GeoDataFrame, detections: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return confirmed 1:1 pairs from PAIR_M2 on: place (x, y), map minus image (dx, dy), tolerance; metres.

    The offset is that of the centroids. The image's outline is the detection that covers most of the object;
    pairs whose areas differ by more than PAIR_RATIO are left out.
    """
    sure = (objects["status"] == "confirmed") & (objects["cardinality"] == "1:1")
    chosen = objects[sure & (objects["area_m2"] >= PAIR_M2)]
    mapped, seen = chosen.geometry.to_numpy(), detections.geometry.to_numpy()
    first, second = shapely.STRtree(seen).query(mapped, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(mapped[first], seen[second]))
    seen_m2 = shapely.area(seen)
    order = np.lexsort((seen_m2[second], -shared_m2, first))
    best = order[np.unique(first[order], return_index=True)[1]]
    first, second = first[best], second[best]
    ratio = shapely.area(mapped)[first] / seen_m2[second]
    same = (ratio >= 1 / PAIR_RATIO) & (ratio <= PAIR_RATIO)
    first, second = first[same], second[same]
    here, there = (shapely.get_coordinates(shapely.centroid(s)) for s in (mapped[first], seen[second]))
    offset = here - there
    return pd.DataFrame(
        {
            "x": here[:, 0],
            "y": here[:, 1],
            "dx": offset[:, 0],
            "dy": offset[:, 1],
            "tolerance_m": chosen["tolerance_m"].to_numpy(np.float64)[first],
        }
    )


POSITION = (
    (28, "mean_uncertainty", "m"),
    (128, "bias", "m"),
    (31, "rate_above", "rate"),
    (44, "ce90", "m"),
    (45, "ce95", "m"),
    (47, "rmse", "m"),
)


def position_measures(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return POSITION (…, measure) of totals (…, 6): pairs, Σdx, Σdy, Σ√(dx²+dy²), Σ(dx²+dy²), Σ above.

    ISO 19157 tables D.31 to D.52; circular errors under its assumption of a normal distribution around the
    true place, radius = factor / √2 · √(σx² + σy²), σ² with n − 1.
    """
    n, dx, dy, distance, squared, above = np.moveaxis(np.asarray(totals, np.float64), -1, 0)
    sigma = np.sqrt(squared / np.maximum(n - 1, 1))
    return np.stack(
        [
            distance / n,
            np.hypot(dx, dy) / n,
            above / n,
            2.1460 / math.sqrt(2) * sigma,
            2.4477 / math.sqrt(2) * sigma,
            np.sqrt(squared / n),
        ],
        axis=-1,
    )


def _position(
    objects: gpd.GeoDataFrame, detections: gpd.GeoDataFrame
) -> tuple[tuple[Measure, ...], tuple[float, float] | None]:
    """Return the measures of position with intervals over blocks of BLOCK_M, and the mean offset."""
    pairs = position_pairs(objects, detections)
    if pairs.empty:
        return tuple(
            Measure(iso, name, unit, None, 0, None, "orthophoto", ("no_pairs",))
            for iso, name, unit in POSITION
        ), None
    distance = np.hypot(pairs["dx"], pairs["dy"])
    columns = [np.ones(len(pairs)), pairs["dx"], pairs["dy"], distance, distance**2]
    values = np.stack([*columns, distance > pairs["tolerance_m"]], axis=1).astype(np.float64)
    block = np.floor(pairs[["x", "y"]].to_numpy() / BLOCK_M)
    _, index = np.unique(block, axis=0, return_inverse=True)
    sums = np.zeros((index.max() + 1, values.shape[1]))
    order = np.lexsort(values.T)  # sums of floats depend on their order
    np.add.at(sums, index[order], values[order])
    figures = block_intervals(sums, position_measures)
    measures = tuple(
        Measure(iso, name, unit, figure, len(pairs), None, "orthophoto")
        for (iso, name, unit), figure in zip(POSITION, figures, strict=True)
    )
    _, dx, dy, *_ = sums.sum(axis=0) / len(pairs)
    return measures, (round(float(dx), 2), round(float(dy), 2))


def _offsets(registration: gpd.GeoDataFrame | None) -> tuple[Offset, ...]:
    """Return the offsets of *registration*, from south-west to north-east."""
    if registration is None:
        return ()
    points = shapely.get_coordinates(shapely.centroid(registration.geometry.to_numpy())).round(1)
    rows = zip(
        *points.T.tolist(),
        registration["dx_m"].round(2).tolist(),
        registration["dy_m"].round(2).tolist(),
        registration["pairs"].tolist(),
        registration["source"].tolist(),
        strict=True,
    )
    return tuple(sorted((Offset(*row) for row in rows), key=lambda each: (each.y, each.x)))


def _temporal(
    objects: gpd.GeoDataFrame, signals: gpd.GeoDataFrame, photo_date: pd.Timestamp | None
) -> tuple[Measure, ...]:
    """Return how much of the map is newer than the photo, by the map's own dates.

    Those of all objects where the review holds them, else of the signals. None of ISO's measures 54 to 59,
    which are of the accuracy of dates.
    """
    held = objects if "map_date" in objects else signals
    dates = (
        pd.to_datetime(held["map_date"]).dropna() if "map_date" in held else pd.Series(dtype="datetime64[ns]")
    )
    if dates.empty or photo_date is None or pd.isna(photo_date):
        needs = ("no_map_date",) if dates.empty else ("no_photo_date",)
        return (Measure(None, "newer_than_photo", "rate", None, len(dates), None, "map", needs),)
    newer = int((dates.dt.tz_localize(None) > pd.Timestamp(photo_date).tz_localize(None)).sum())
    figure = exactly(newer / len(dates))
    return (Measure(None, "newer_than_photo", "rate", figure, len(dates), newer, "map"),)
