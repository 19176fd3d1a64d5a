"""What is measured of a run: is the list of signals good, and is the map good? The two are never mixed.

Signals are judged by verdicts of reviewers and, where they have one, by their calibrated confidence. The map
is judged by verified signals and a stratified sample; what a model counted by itself is no measure of the
map. Ids are those of ISO 19157:2013, annex D. Only what can be known is said: the rest is None.

*replaced* and the other differences are not counted as missing or excess: the object and its place remain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.calibration import OBJECT_BINS, Reliability, reliability
from geoai.estimators import (
    Figure,
    add,
    at_least,
    block_intervals,
    exactly,
    expected_count,
    expected_share_of_first,
    share_of,
    total_of_counts,
    total_of_shares,
)
from geoai.publish import put_before
from geoai.publish.texts import CLASSES
from geoai.sampling import STRATA, UNJUDGED, stratum_of_class
from geoai.scoring import SIZE_BINS_M2
from geoai.vector import Geometries, are_lines

TRUE_STATUS, FALSE_STATUS = ("confirmed", "fixed"), ("rejected",)
"""What a reviewer's status says of a signal; 'unclear' and 'open' say nothing."""
FIRST = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Lengths of list that the report speaks of."""
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


@dataclass(frozen=True)
class Review:
    """The layers of a review as they are now; *sample* is None where the run drew none."""

    discrepancies: gpd.GeoDataFrame
    map_status: gpd.GeoDataFrame
    detections: gpd.GeoDataFrame
    coverage: gpd.GeoDataFrame
    sample: gpd.GeoDataFrame | None


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Signals of one class of from_m2 ≤ size < to_m2: how many, their size, what reviewers said of them.

    Size is the mapped area, the seen one where nothing is mapped; stretches of lines have *length_m* instead
    (0 for others) and are in one row. *aside* belong to a policy group.
    *precision* is true / (true + false); None where nothing was decided.
    """

    code: str
    from_m2: float
    to_m2: float | None
    signals: int
    area_m2: float
    length_m: float
    aside: int
    true: int
    false: int
    unclear: int
    open: int
    precision: Figure | None


@dataclass(frozen=True, slots=True)
class FirstSignals:
    """What is expected of the first *k* signals: how many are true, which share, which share of all true."""

    k: int
    true: Figure
    precision: Figure
    share: Figure | None


@dataclass(frozen=True)
class Expectation:
    """What the calibrated confidence says of the *known* signals that have one, in order of priority.

    *without* signals have none and are not spoken of. The intervals are those of chance; they hold as far as
    the confidence is calibrated. *curve* is (signals, expected true ones so far) at up to 200 places.
    """

    known: int
    without: int
    precision: Figure | None
    first: tuple[FirstSignals, ...]
    curve: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Calibration:
    """Confidence against verdicts: of *decided* signals with both, mean confidence, share true, and error."""

    decided: int
    mean_confidence: float
    share_true: Figure
    error: float
    table: Reliability


@dataclass(frozen=True)
class SignalQuality:
    """Is the list good? *rows* by class and size, *classes* and *total* over all sizes.

    *precision_of_list* and *recall* (share of the map's missing and excess objects that the list holds) are
    estimated with the sample, None without its answers.
    """

    classes: tuple[ClassRow, ...]
    rows: tuple[ClassRow, ...]
    total: ClassRow
    per_km2: float | None
    calibration: Calibration | None
    expectation: Expectation
    precision_of_list: Figure | None
    recall: Figure | None


@dataclass(frozen=True, slots=True)
class StratumRow:
    """A stratum: *population* units, *reviewed* of them in the list itself, *drawn* and *answered* in the
    sample. *found* is how many errors of the map the answers and the verdicts found, *total* the estimate."""

    stratum: str
    population: int
    reviewed: int
    drawn: int
    answered: int
    found: int
    total: Figure | None


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


@dataclass(frozen=True)
class MapQuality:
    """Is the map good? *assessable* objects could be judged, *should_be* is how many the map should hold."""

    assessable: int
    should_be: Figure | None
    strata: tuple[StratumRow, ...]
    completeness: tuple[Measure, ...]
    logical: tuple[Measure, ...]
    position: tuple[Measure, ...]
    shift_m: tuple[float, float] | None
    temporal: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Something counted, with its area, or its length (0 for what has an area)."""

    code: str
    count: int
    area_m2: float
    length_m: float = 0.0


@dataclass(frozen=True)
class NotAssessed:
    """What could not be said: ground by reason, mapped objects by reason; of *tiles_m2*, the area
    of all tiles, *checked_m2* was."""

    tiles_m2: float
    checked_m2: float
    ground: tuple[Part, ...]
    objects: tuple[Part, ...]


@dataclass(frozen=True)
class Quality:
    """All that is measured of a run."""

    signals: SignalQuality
    map: MapQuality
    not_assessed: NotAssessed


def measure(review: Review, *, photo_date: pd.Timestamp | None, min_area_m2: float) -> Quality:
    """Measure a review as it is; the order of rows is of no account.

    Discrepancies that are gone in the latest run, and those not put before a reviewer, are no signals.
    *min_area_m2* is the least area of what the map is asked about.
    """
    found = review.discrepancies
    now = found[found["lifecycle"] != "gone"] if "lifecycle" in found else found
    signals = _in_order(put_before(now))
    not_assessed = _not_assessed(review)
    strata = _strata(signals, review, min_area_m2)
    return Quality(
        _signal_quality(signals, strata, not_assessed.checked_m2),
        _map_quality(review, signals, strata, photo_date, min_area_m2),
        not_assessed,
    )


def decisions(status: pd.Series) -> NDArray[np.float64]:
    """Return 1 for a signal that was found true, 0 for a false one, NaN for what is not decided."""
    kinds = [status.isin(TRUE_STATUS), status.isin(FALSE_STATUS)]
    return np.select(kinds, [1.0, 0.0], np.nan)


def _in_order(signals: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the signals as they are worked on: by priority, then from north to south."""
    west, south, east, north = shapely.bounds(signals.geometry.to_numpy()).reshape(-1, 4).T
    order = np.lexsort((signals["class"].to_numpy(str), east, south, west, -north, -signals["priority"]))
    ordered = signals.iloc[order].reset_index(drop=True)
    return ordered.assign(
        length_m=_lengths(ordered),
        size_m2=ordered["area_map_m2"].fillna(ordered["area_image_m2"]).astype(np.float64),
        true=decisions(ordered["status"]),
        stratum=stratum_of_class(ordered["class"]),
    )


def _lengths(rows: pd.DataFrame) -> pd.Series:
    """Return length_m of each row, NaN where it is no line, or where the review is too old to say."""
    return rows["length_m"] if "length_m" in rows else pd.Series(np.nan, rows.index)


# --- signals ---------------------------------------------------------------------------------------------


def _signal_quality(
    signals: gpd.GeoDataFrame, strata: Sequence[StratumRow], checked_m2: float
) -> SignalQuality:
    codes = [code for code in CLASSES if (signals["class"] == code).any()]
    of_class = {code: signals[signals["class"] == code] for code in codes}
    rows = [
        _row(code, rows[rows["size_m2"].fillna(0.0).between(low, high, inclusive="left")], low, high)
        for code, rows in of_class.items()
        for low, high in (((0.0, math.inf),) if rows["length_m"].notna().all() else SIZE_BINS_M2)
    ]
    listed = [row for row in strata if row.stratum.startswith("signal")]
    true = add([row.total for row in listed])
    totals = {row.stratum: row.total for row in strata}
    caught = add([totals.get("signal_missing"), totals.get("signal_excess")])
    escaped = add([totals.get(name) for name in ("object", "cell_empty", "cell_built")])
    return SignalQuality(
        classes=tuple(_row(code, rows) for code, rows in of_class.items()),
        rows=tuple(row for row in rows if row.signals),
        total=_row("", signals),
        per_km2=len(signals) / (checked_m2 / 1e6) if checked_m2 else None,
        calibration=_calibration(signals),
        expectation=expect(signals["confidence"].to_numpy(np.float64)),
        precision_of_list=true.scaled(1 / len(signals)) if true and len(signals) else None,
        recall=_part_of(caught, escaped),
    )


def _row(code: str, rows: pd.DataFrame, low: float = 0.0, high: float = math.inf) -> ClassRow:
    true, false = int((rows["true"] == 1).sum()), int((rows["true"] == 0).sum())
    return ClassRow(
        code,
        low,
        None if math.isinf(high) else high,
        len(rows),
        round(float(rows["size_m2"].sum()), 1),
        round(float(rows["length_m"].sum()), 1),
        int(rows["policy_group"].notna().sum()) if "policy_group" in rows else 0,
        true,
        false,
        int((rows["status"] == "unclear").sum()),
        int((rows["status"] == "open").sum()),
        share_of(true, true + false),
    )


def expect(confidence: NDArray[np.float64]) -> Expectation:
    """Return what is expected of signals in order of priority; NaN where a signal has no confidence."""
    p = confidence[~np.isnan(confidence)]
    first = []
    for k in [k for k in FIRST if k < len(p)] + ([len(p)] if len(p) else []):
        true = expected_count(p[:k])
        first.append(FirstSignals(k, true, true.scaled(1 / k), expected_share_of_first(p, k)))
    places = np.unique(np.linspace(0, len(p), min(len(p), 200) + 1).round().astype(int))
    so_far = np.append(0.0, np.cumsum(p))
    curve = tuple((int(k), round(float(so_far[k]), 3)) for k in places)
    precision = first[-1].precision if first else None
    return Expectation(len(p), len(confidence) - len(p), precision, tuple(first), curve)


def _calibration(signals: pd.DataFrame) -> Calibration | None:
    both = signals[signals["true"].notna() & signals["confidence"].notna()]
    share = share_of(int(both["true"].sum()), len(both))
    if share is None:
        return None
    confidence = both["confidence"].to_numpy(np.float64)
    table = reliability(confidence, both["true"].to_numpy(), bins=OBJECT_BINS)
    return Calibration(len(both), float(confidence.mean()), share, table.ece, table)


# --- completeness of the map -----------------------------------------------------------------------------


def _strata(signals: pd.DataFrame, review: Review, min_area_m2: float) -> tuple[StratumRow, ...]:
    """Return the strata with what is known of each.

    Signals that reviewers decided in the list are known one by one; those that are left are estimated by
    sampled ones among them, which are a random part of what is left, whatever was decided. What is unclear is
    set aside from both.
    """
    sample = review.sample
    rows = []
    for stratum in STRATA:
        drawn = sample[sample["stratum"] == stratum] if sample is not None else None
        if stratum.startswith("signal"):
            members = signals[signals["stratum"] == stratum]
            if len(members):
                rows.append(_signal_stratum(stratum, members, drawn))
        elif drawn is not None and len(drawn):
            rows.append(_sampled_stratum(stratum, drawn))
    return tuple(rows)


def _signal_stratum(stratum: str, members: pd.DataFrame, drawn: pd.DataFrame | None) -> StratumRow:
    known = members["true"].notna()
    left = members[~known & (members["status"] != "unclear")]
    found, true = int((members["true"] == 1).sum()), 0
    answered = pd.Series(dtype=object)
    if drawn is not None:
        among = drawn["discrepancy_id"].isin(left["discrepancy_id"])
        answered = drawn.loc[among & drawn["answer"].isin(["correct", "wrong"]), "answer"]
        true = int((answered == "correct").sum())
    rest = total_of_shares(true, len(answered), len(left))
    return StratumRow(
        stratum,
        len(members),
        int(known.sum()),
        0 if drawn is None else len(drawn),
        len(answered),
        found + true,
        at_least(add([exactly(found), rest]), found + true),
    )


def _sampled_stratum(stratum: str, drawn: pd.DataFrame) -> StratumRow:
    """Return a stratum that is known by its sample alone: objects (wrong: gone) or cells (wrong: number)."""
    population = round(float(drawn["weight"].sum()))
    answered = drawn[drawn["answer"].isin(["correct", "wrong"])]
    wrong = (answered["answer"] == "wrong").to_numpy()
    if stratum == "object":
        counts = wrong.astype(int)
        total = total_of_shares(int(counts.sum()), len(counts), population)
    else:
        counts = np.where(wrong, answered["number"].fillna(1).to_numpy(np.float64), 0).astype(int)
        total = total_of_counts(counts.tolist(), population)
    found = int(counts.sum())
    return StratumRow(stratum, population, 0, len(drawn), len(answered), found, at_least(total, found))


def _part_of(part: Figure | None, others: Figure | None) -> Figure | None:
    """Return part / (part + others) with the limits of the limits: a cautious interval."""
    if part is None or others is None or part.value + others.value <= 0:
        return None

    def share(first: float, second: float, otherwise: float) -> float:
        return first / (first + second) if first + second > 0 else otherwise

    value = share(part.value, others.value, 0)
    return Figure(
        value,
        min(share(part.low, others.high, value), value),
        max(share(part.high, others.low, value), value),
    )


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


def _map_quality(
    review: Review,
    signals: gpd.GeoDataFrame,
    strata: tuple[StratumRow, ...],
    photo_date: pd.Timestamp | None,
    min_area_m2: float,
) -> MapQuality:
    objects = review.map_status
    linear = are_lines(objects.geometry.to_numpy())
    large = linear | (objects["area_m2"] >= min_area_m2)
    assessable = int((~objects["status"].isin(UNJUDGED) & large).sum())
    completeness, should_be = _completeness(strata, assessable)
    of_surfaces = ("surfaces_only",) if linear else ()
    counts = None if linear else logical_counts(objects.geometry.to_numpy())

    def logical(iso: int, name: str) -> Measure:
        figure = exactly(counts[name]) if counts else None
        return Measure(iso, name, "items", figure, len(objects), None, "map", of_surfaces)

    position, shift = _position(objects, review.detections)
    return MapQuality(
        assessable,
        should_be,
        strata,
        (
            *completeness[:2],
            logical(4, "duplicates"),
            *completeness[2:],
        ),
        (
            logical(11, "overlaps"),
            logical(25, "slivers"),
            Measure(26, "self_intersects", "items", None, len(objects), None, "map", ("repaired",)),
            Measure(27, "self_overlaps", "items", None, len(objects), None, "map", ("repaired",)),
        ),
        position,
        shift,
        _temporal(review, signals, photo_date),
    )


# --- geometry of the map ---------------------------------------------------------------------------------


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


def _temporal(
    review: Review, signals: gpd.GeoDataFrame, photo_date: pd.Timestamp | None
) -> tuple[Measure, ...]:
    """Return how much of the map is newer than the photo, by the map's own dates.

    Those of all objects where the review holds them, else of the signals. None of ISO's measures 54 to 59,
    which are of the accuracy of dates.
    """
    held = review.map_status if "map_date" in review.map_status else signals
    dates = (
        pd.to_datetime(held["map_date"]).dropna() if "map_date" in held else pd.Series(dtype="datetime64[ns]")
    )
    if dates.empty or photo_date is None or pd.isna(photo_date):
        needs = ("no_map_date",) if dates.empty else ("no_photo_date",)
        return (Measure(None, "newer_than_photo", "rate", None, len(dates), None, "map", needs),)
    newer = int((dates.dt.tz_localize(None) > pd.Timestamp(photo_date).tz_localize(None)).sum())
    figure = exactly(newer / len(dates))
    return (Measure(None, "newer_than_photo", "rate", figure, len(dates), newer, "map"),)


# --- what was not assessed -------------------------------------------------------------------------------


def _not_assessed(review: Review) -> NotAssessed:
    coverage, objects = review.coverage, review.map_status
    area_m2 = pd.Series(shapely.area(coverage.geometry.to_numpy()), index=coverage.index)
    checked = coverage["status"] == "checked"
    reasons = coverage.loc[~checked, "reason"].fillna("")
    ground = tuple(
        Part(
            str(code), int((reasons == code).sum()), round(float(area_m2[~checked][reasons == code].sum()), 1)
        )
        for code in sorted(reasons.unique())
    )
    unseen = objects["visible_share"].fillna(0) <= 0
    kinds = {
        "outside": (objects["status"] == "not_assessable") & unseen,
        "partly": (objects["status"] == "not_assessable") & ~unseen,
        "below_min": objects["status"] == "below_min",
    }
    return NotAssessed(
        round(float(area_m2.sum()), 1),
        round(float(area_m2[checked].sum()), 1),
        ground,
        tuple(
            Part(
                code,
                int(mask.sum()),
                round(float(objects.loc[mask, "area_m2"].sum()), 1),
                round(float(_lengths(objects)[mask].sum()), 1),
            )
            for code, mask in kinds.items()
        ),
    )


def plain(value: Any) -> Any:
    """Return dataclasses, arrays and figures as what JSON holds; NaN becomes None, numbers are rounded."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
