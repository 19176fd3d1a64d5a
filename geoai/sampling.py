"""What a reviewer looks at so that the map's quality can be told, also where no signal points.

A grid of square cells over the flight says how much was checked and found where. From its cells, from the
mapped objects that nothing was said about, and from the signals, a stratified sample is drawn. The same run
draws the same sample: the seed is made of the run's id, which is made of its inputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.estimators import Figure, add, at_least, exactly, total_of_counts, total_of_shares
from geoai.publish import put_before
from geoai.vector import Geometries

Stratum = Literal["signal_missing", "signal_excess", "signal_other", "object", "cell_empty", "cell_built"]
STRATA: tuple[Stratum, ...] = get_args(Stratum)
PARTS = {"object": 0.4, "cell_empty": 0.2, "cell_built": 0.2}
"""What the strata get of the sample; signals share the rest by their number."""
LEAST = 3
"""Drawn of every stratum that has as many: of fewer nothing can be told."""
LEAST_CHECKED = 0.05
"""Cells of which less was checked are not asked about."""

MISSING_CLASSES = ("missing",)
"""Signals that something stands which the map lacks (ISO 19157: omission)."""
EXCESS_CLASSES = ("demolished", "obsolete", "uncertain_absence", "duplicate_in_map")
"""Signals that the map holds something which does not stand (ISO 19157: commission)."""
UNJUDGED = ("not_assessable", "below_min")
"""Status of mapped objects that nothing can be said about."""


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


def stratum_of_class(classes: pd.Series) -> NDArray[np.object_]:
    """Return the stratum of signals by their class: missing, excess, or another difference."""
    kinds = [classes.isin(MISSING_CLASSES), classes.isin(EXCESS_CLASSES)]
    return np.select(kinds, ["signal_missing", "signal_excess"], "signal_other").astype(object)


def lay_grid(
    coverage: gpd.GeoDataFrame, map_status: gpd.GeoDataFrame, signals: gpd.GeoDataFrame, *, cell_m: float
) -> gpd.GeoDataFrame:
    """Return the cells of *cell_m* metres, on multiples of it, over the *coverage*, from the south-west.

    Columns: cell_id, checked_share (0..1, of the cell), and counts of what has a point in the cell: mapped,
    assessable, signals (of *signals* as given), missing, excess, other. All layers are in one CRS, metres.
    """
    tiles = coverage.geometry.to_numpy()
    checked = (coverage["status"] == "checked").to_numpy()
    left, bottom, right, top = shapely.total_bounds(tiles) if len(tiles) else (0.0, 0.0, 0.0, 0.0)
    cols = np.arange(np.floor(left / cell_m), np.ceil(right / cell_m), dtype=np.int64)
    rows = np.arange(np.floor(bottom / cell_m), np.ceil(top / cell_m), dtype=np.int64)
    row, col = (index.ravel() for index in np.meshgrid(rows, cols, indexing="ij"))
    boxes = shapely.box(col * cell_m, row * cell_m, (col + 1) * cell_m, (row + 1) * cell_m)
    cell, tile = shapely.STRtree(tiles).query(boxes, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(boxes[cell], tiles[tile]))
    seen_m2 = np.bincount(cell, weights=shared_m2 * checked[tile], minlength=len(boxes))
    flown = np.bincount(cell, weights=shared_m2, minlength=len(boxes)) > 0

    def count(layer: gpd.GeoDataFrame) -> NDArray[np.int64]:
        x, y = _points(layer.geometry.to_numpy())
        at_col, at_row = np.floor(x / cell_m) - cols[:1], np.floor(y / cell_m) - rows[:1]
        inside = (at_col >= 0) & (at_col < len(cols)) & (at_row >= 0) & (at_row < len(rows))
        index = (at_row * len(cols) + at_col)[inside].astype(np.int64)
        return np.bincount(index, minlength=len(boxes)).astype(np.int64)

    stratum = stratum_of_class(signals["class"])
    frame = gpd.GeoDataFrame(
        {
            "cell_id": [f"{c * cell_m:.0f}_{r * cell_m:.0f}" for c, r in zip(col, row, strict=True)],
            "checked_share": np.minimum(seen_m2 / cell_m**2, 1.0),
            "mapped": count(map_status),
            "assessable": count(map_status[~map_status["status"].isin(UNJUDGED)]),
            "signals": count(signals),
            "missing": count(signals[stratum == "signal_missing"]),
            "excess": count(signals[stratum == "signal_excess"]),
            "other": count(signals[stratum == "signal_other"]),
        },
        geometry=boxes,
        crs=coverage.crs,
    )
    return frame[flown].reset_index(drop=True)


def _points(geometries: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = shapely.point_on_surface(geometries)
    return shapely.get_x(points), shapely.get_y(points)


def draw_sample(
    grid: gpd.GeoDataFrame,
    map_status: gpd.GeoDataFrame,
    signals: gpd.GeoDataFrame,
    *,
    size: int,
    min_area_m2: float,
    seed: str,
) -> gpd.GeoDataFrame:
    """Return about *size* units to ask a reviewer about, drawn by strata; the order of rows is of no account.

    Columns: sample_id, stratum, weight (units of the stratum that each one stands for), subject (id of the
    mapped object or cell, None for a signal), signal (row number in *signals*, NaN otherwise), geometry.
    Objects are those that nothing was said about, from *min_area_m2* on.
    """
    objects = map_status[(map_status["status"] == "confirmed") & (map_status["area_m2"] >= min_area_m2)]
    cells = grid[grid["checked_share"] >= LEAST_CHECKED]
    empty = (cells["mapped"] == 0) & (cells["signals"] == 0)
    asked = signals.reset_index(drop=True)
    asked = put_before(asked)
    units = pd.concat(
        [
            _units(asked, stratum_of_class(asked["class"]), signal=asked.index.to_numpy(np.float64)),
            _units(objects, "object", subject=objects["map_object_id"].to_numpy(object)),
            _units(cells, np.where(empty, "cell_empty", "cell_built"), subject=cells["cell_id"].to_numpy()),
        ],
        ignore_index=True,
    )
    west, south, east, north = shapely.bounds(units["geometry"].to_numpy()).reshape(-1, 4).T
    units = units.iloc[np.lexsort((north, east, south, west))]
    digest = hashlib.sha256(seed.encode())
    random = np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))
    chosen = []
    wanted = allocate(units["stratum"].value_counts().to_dict(), size)
    for stratum in STRATA:  # always in this order: the draws come from one stream
        members = units[units["stratum"] == stratum]
        rows = np.sort(random.permutation(len(members))[: wanted.get(stratum, 0)])
        chosen.append(members.iloc[rows].assign(weight=len(members) / max(len(rows), 1)))
    sample = pd.concat(chosen, ignore_index=True)
    drawn = digest.hexdigest()[:8]  # a standing review holds answers to the samples of several runs
    sample["sample_id"] = [f"{drawn}-{number:04d}" for number in range(1, len(sample) + 1)]
    return gpd.GeoDataFrame(sample, geometry="geometry", crs=grid.crs)


def allocate(population: Mapping[str, int], size: int) -> dict[str, int]:
    """Return how many to draw of each stratum: its part of *size*, at least LEAST, at most all; of 0 none.

    >>> allocate({"object": 500, "signal_missing": 90, "signal_other": 10, "cell_empty": 2}, 60)
    {'signal_missing': 11, 'signal_other': 3, 'object': 24, 'cell_empty': 2}
    """
    signals = sum(n for stratum, n in population.items() if stratum not in PARTS)
    rest = 1 - sum(PARTS.values())
    wanted: dict[str, int] = {}
    for stratum in STRATA:
        if size and (n := population.get(stratum, 0)):
            part = PARTS.get(stratum, rest * n / max(signals, 1))
            wanted[stratum] = min(n, max(round(part * size), LEAST))
    return wanted


def _units(
    layer: gpd.GeoDataFrame,
    stratum: NDArray[np.object_] | str,
    *,
    subject: NDArray[np.object_] | None = None,
    signal: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stratum": stratum,
            "subject": subject if subject is not None else np.full(len(layer), None, object),
            "signal": signal if signal is not None else np.full(len(layer), np.nan),
            "geometry": layer.geometry.to_numpy(),
        }
    )


# --- what the answers say --------------------------------------------------------------------------------


def estimate_strata(signals: pd.DataFrame, sample: pd.DataFrame | None) -> tuple[StratumRow, ...]:
    """Return the strata with what is known of each.

    Signals that reviewers decided in the list are known one by one; those that are left are estimated by
    sampled ones among them, which are a random part of what is left, whatever was decided. What is unclear is
    set aside from both.
    """
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
