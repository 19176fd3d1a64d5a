"""What is measured of a run: is the list of signals good, and is the map good? The two are never mixed.

Signals are judged here, by verdicts of reviewers and, where they have one, by their calibrated confidence;
the map by `geoai.mapquality`. Only what can be known is said: the rest is None.
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
    expected_count,
    expected_share_of_first,
    share_of,
)
from geoai.mapquality import MapQuality, measure_map
from geoai.publish import put_before
from geoai.publish.texts import CLASSES
from geoai.sampling import StratumRow, estimate_strata, stratum_of_class
from geoai.scoring import SIZE_BINS_M2

TRUE_STATUS, FALSE_STATUS = ("confirmed", "fixed"), ("rejected",)
"""What a reviewer's status says of a signal; 'unclear' and 'open' say nothing."""
FIRST = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Lengths of list that the report speaks of."""


@dataclass(frozen=True)
class Review:
    """The layers of a review as they are now; *sample* and *registration* are None where a run has none."""

    discrepancies: gpd.GeoDataFrame
    map_status: gpd.GeoDataFrame
    detections: gpd.GeoDataFrame
    coverage: gpd.GeoDataFrame
    sample: gpd.GeoDataFrame | None
    registration: gpd.GeoDataFrame | None = None


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Signals of one class of from_m2 ≤ size < to_m2: how many, their size, what reviewers said of them.

    Size is the mapped area, the seen one where nothing is mapped; stretches of lines have *length_m* instead
    (0 for others) and are in one row.
    *precision* is true / (true + false); None where nothing was decided.
    """

    code: str
    from_m2: float
    to_m2: float | None
    signals: int
    area_m2: float
    length_m: float
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
    strata = estimate_strata(signals, review.sample)
    return Quality(
        _signal_quality(signals, strata, not_assessed.checked_m2),
        measure_map(
            review.map_status,
            review.detections,
            review.registration,
            signals,
            strata,
            photo_date=photo_date,
            min_area_m2=min_area_m2,
        ),
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
