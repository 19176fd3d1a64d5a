"""Themes that the map holds as lines, such as roads: stretches that are missing, and obsolete ones.

Held against detections of the same class by buffered centrelines, as completeness and correctness of road
extraction are measured (Wiedemann et al. 1998, Empirical evaluation of automatically extracted road axes): a
detected stretch is *missing* where no mapped line runs within reach; a mapped stretch that is not seen within
reach, and that nothing hides, is *obsolete* where the probability along it is low, else an
*uncertain_absence*. What comes out has the columns of `geoai.compare`, so all that follows is the same.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon

from geoai.compare import LENGTHS, MEASURES, SHIFT, Comparison, by_place
from geoai.config import CompareSettings
from geoai.errors import CRSError
from geoai.evidence import STATISTICS, zonal
from geoai.extents import HALF
from geoai.rules import RULES
from geoai.stretches import between, beyond, cut_small, in_steps, joined, length_along, put_together
from geoai.vector import Geometries, union_by_group
from geoai.visibility import CAUSES, hidden_shares

log = logging.getLogger(__name__)

PIECE_M = 250.0
"""What was seen is worked on in pieces of this size."""
HOLES_M2 = 1.0
"""Smaller leftovers of a difference are nothing."""
STRIP_M = 3.0
"""Half the width of the strip that shows a mapped stretch as evidence: a carriageway's."""
FULL_LENGTH_M = 200.0
"""From this length on, a longer stretch is not more urgent."""
EDGE_M = 0.5
"""What comes so near to the edge of the imagery, and a pixel, may go on beyond it."""
UNSEEN = ("obsolete", "uncertain_absence", "hidden")
"""What a step of a mapped line is that was not seen."""
WEIGHTS = {rule.name: rule.weight for rule in RULES} | {"obsolete": 1.0}


def compare_lines(
    detections: gpd.GeoDataFrame,
    mapped: gpd.GeoDataFrame,
    footprint: MultiPolygon,
    probability: Path,
    *,
    band: int,
    gsd_m: float,
    settings: CompareSettings,
    orthophoto: Path | None = None,
) -> Comparison:
    """Hold *detections* (polygons) against *mapped* lines inside the *footprint*; arguments as in `compare`.

    A discrepancy is a stretch, length_m long: what was seen beyond the reach of mapped lines, or a strip
    along what is mapped and was not seen. Of each mapped line there are length_m, seen_m and obsolete_m.
    No offset between map and imagery is measured: the reach is wider. Raises CRSError.
    """
    if detections.crs != mapped.crs:
        raise CRSError(f"map layer: expected the CRS of the detections {detections.crs}, found {mapped.crs}")
    lines = by_place(mapped, "map_object_id")
    seen = cut_small(by_place(detections, "detection_id").geometry.to_numpy(), PIECE_M)
    inside = _inside(lines.geometry.to_numpy(), footprint)
    unseen = beyond(inside, seen, settings.lines.reach_m)
    stretches, hidden_m = _judged(unseen, probability, band, orthophoto, settings)
    stretches = stretches[(lines["map_status"] != "planned").to_numpy()[stretches["line"]]]
    objects = _measured(lines, inside, unseen, stretches, hidden_m, settings)
    objects["status"] = _status(objects, stretches)
    rows = pd.concat(
        [
            _missing(seen, objects.geometry.to_numpy(), settings),
            stretches.assign(geometry=_strips(stretches["geometry"].to_numpy())),
            _whole(objects, inside),
        ],
        ignore_index=True,
    )
    found = _discrepancies(rows, objects, probability, band, settings)
    at_edge = shapely.dwithin(footprint.boundary, found.geometry.to_numpy(), gsd_m + EDGE_M)
    found = found.assign(near_edge=at_edge)
    log.info("%d discrepancies, %d mapped lines", len(found), len(objects))
    return Comparison(found, _map_status(objects), None)


def _inside(lines: Geometries, footprint: MultiPolygon) -> Geometries:
    """Return what of each line the imagery shows, its pieces joined end to end."""
    shapely.prepare(footprint)
    cut = ~shapely.covers(footprint, lines)
    inside = lines.copy()
    inside[cut] = shapely.intersection(lines[cut], footprint)
    merged: Geometries = shapely.line_merge(inside)
    return merged


def _judged(
    unseen: Geometries, probability: Path, band: int, orthophoto: Path | None, settings: CompareSettings
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return the stretches of lines that something is to be said of, and what is hidden of each line (m).

    Stretches: class, line (row number), length_m, geometry. Hidden: (line, 2), by crowns and by shadow. What
    was not seen is cut into steps; those alike that follow each other are a stretch.
    """
    parts, line = shapely.get_parts(shapely.line_merge(unseen), return_index=True)
    linear = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 0)
    parts, line = parts[linear], line[linear]
    steps = in_steps(parts, settings.lines.step_m)
    places = between(parts[steps.line], steps.start, steps.end)
    along = shapely.buffer(places, settings.lines.reach_m / 2, cap_style="flat")
    p = zonal(along, probability, band)[:, 0]
    by_cause = np.zeros((len(along), 2))
    if orthophoto is not None:
        by_cause = np.nan_to_num(hidden_shares(along, orthophoto, settings.visibility))
    hidden = by_cause.sum(axis=1) > 1 - settings.visible_share
    hidden_m = np.zeros((len(unseen), 2))
    np.add.at(
        hidden_m,
        (line[steps.line[hidden]], by_cause[hidden].argmax(axis=1)),
        shapely.length(places[hidden]),
    )
    kind = np.where(hidden, 2, np.where(p < settings.lines.obsolete_mean, 0, 1))
    whole, kind = joined(steps, kind)
    geometry = between(parts[whole.line], whole.start, whole.end)
    length_m = shapely.length(geometry)
    kept = (length_m >= settings.lines.min_length_m) & (kind < 2)
    return pd.DataFrame(
        {
            "class": np.array(UNSEEN, object)[kind],
            "line": line[whole.line],
            "length_m": length_m,
            "geometry": geometry,
        }
    )[kept].reset_index(drop=True), hidden_m


def _measured(
    lines: gpd.GeoDataFrame,
    inside: Geometries,
    unseen: Geometries,
    stretches: pd.DataFrame,
    hidden_m: NDArray[np.float64],
    settings: CompareSettings,
) -> gpd.GeoDataFrame:
    """Add to each mapped line its lengths, the share of it that could be judged, and what hides the rest."""
    length_m, inside_m = shapely.length(lines.geometry.to_numpy()), shapely.length(inside)
    obsolete = stretches[stretches["class"] == "obsolete"]
    lost_m = np.column_stack([hidden_m, np.maximum(length_m - inside_m, 0.0)])
    visible_share = np.clip(1 - lost_m.sum(axis=1) / length_m, 0.0, 1.0)
    assessable = visible_share >= settings.visible_share
    return lines.assign(
        length_m=length_m,
        inside_m=inside_m,
        seen_m=inside_m - shapely.length(unseen),
        obsolete_m=np.bincount(obsolete["line"], weights=obsolete["length_m"], minlength=len(lines)),
        tolerance_m=settings.lines.reach_m,
        visible_share=visible_share,
        hidden_by=np.where(assessable, None, np.array(CAUSES, object)[lost_m.argmax(axis=1)]),
        assessable=assessable,
    )


def _status(objects: gpd.GeoDataFrame, stretches: pd.DataFrame) -> NDArray[Any]:
    """Return the one status of each mapped line; an obsolete stretch of it goes before all else."""
    planned = objects["map_status"] == "planned"
    unsure = np.isin(np.arange(len(objects)), stretches["line"][stretches["class"] == "uncertain_absence"])
    first = {
        "obsolete": objects["obsolete_m"] > 0,
        "planned_built": planned & (objects["seen_m"] >= HALF * objects["length_m"]),
        "not_assessable": ~objects["assessable"],
        "uncertain_absence": unsure,
    }
    status: NDArray[Any] = np.select(list(first.values()), list(first), "confirmed").astype(object)
    return status


def _missing(seen: Geometries, lines: Geometries, settings: CompareSettings) -> pd.DataFrame:
    """Return the elongated parts of what is *seen* that lie beyond the reach of every mapped line.

    What is narrower than the least width is the rim of a wide carriageway.
    """
    rules = settings.lines
    piece, line = shapely.STRtree(lines).query(seen, predicate="dwithin", distance=rules.reach_m)
    near, index = np.unique(line, return_inverse=True)
    strips = shapely.buffer(lines[near], rules.reach_m, cap_style="flat")
    left = shapely.difference(seen, union_by_group(strips[index], piece, len(seen)))
    parts = shapely.get_parts(left)
    parts = put_together(parts[shapely.get_type_id(parts) == 3])
    parts = parts[shapely.area(parts) > HOLES_M2]
    length_m = length_along(parts)
    width_m = shapely.area(parts) / length_m
    kept = (width_m >= settings.min_width_m) & (length_m >= rules.elongation * width_m)
    kept &= length_m >= rules.min_length_m
    return pd.DataFrame({"class": "missing", "line": -1, "length_m": length_m[kept], "geometry": parts[kept]})


def _whole(objects: gpd.GeoDataFrame, inside: Geometries) -> pd.DataFrame:
    """Return the mapped lines that are told of as a whole: planned and built, or hidden."""
    told = objects["status"].isin(["planned_built", "not_assessable"]) & (objects["inside_m"] > 0)
    line = np.flatnonzero(told)
    return pd.DataFrame(
        {
            "class": objects["status"].to_numpy()[line],
            "line": line,
            "length_m": objects["inside_m"].to_numpy()[line],
            "geometry": _strips(inside[line]),
        }
    )


def _strips(lines: Geometries) -> Geometries:
    strips: Geometries = shapely.buffer(lines, STRIP_M, cap_style="flat")
    return strips


def _discrepancies(
    rows: pd.DataFrame,
    objects: gpd.GeoDataFrame,
    probability: Path,
    band: int,
    settings: CompareSettings,
) -> gpd.GeoDataFrame:
    """Return the rows (class, line or −1, length_m, geometry) as discrepancies, by priority.

    A detection whose mean probability is too low to be *missing* is not told.
    """
    evidence = rows["geometry"].to_numpy()
    p = pd.DataFrame(zonal(evidence, probability, band), columns=list(STATISTICS))
    sure = ((rows["class"] != "missing") | (p["p_mean"] >= settings.missing_confidence)).to_numpy()
    rows, evidence, p = rows[sure].reset_index(drop=True), evidence[sure], p[sure].reset_index(drop=True)
    own = objects.drop(columns="geometry").reset_index(drop=True).reindex(rows["line"])
    own = own.set_axis(rows.index)  # nothing where nothing is mapped
    mapped = (rows["line"] >= 0).to_numpy()
    whole = rows["class"].isin(["planned_built", "not_assessable"])
    found = gpd.GeoDataFrame(
        {
            "class": rows["class"],
            "family": np.where(rows["class"] == "not_assessable", "assessability", "stretch"),
            "theme": objects["theme"].iloc[0],
            "cause": "unknown",
            "cardinality": np.where(~mapped, "0:1", np.where(own["seen_m"] > 0, "1:1", "1:0")),
            "map_object_ids": [
                json.dumps([each] if there else [], ensure_ascii=False)
                for each, there in zip(own["map_object_id"], mapped, strict=True)
            ],
            "map_date": own["map_date"],
            "map_status": own["map_status"].astype(object).where(mapped, None),
            "map_sigma_m": own["sigma_m"],
            **dict.fromkeys((*MEASURES, *SHIFT), np.nan),
            "tolerance_m": own["tolerance_m"],
            **{column: p[column] for column in ("p_mean", "p_q10", "p_q90")},
            "confidence": np.nan,
            "priority": _priority(rows, p["p_mean"]),
            "visible_share": own["visible_share"].where(whole, 1.0),
            "hidden_by": own["hidden_by"].where(whole, None),
            "length_m": rows["length_m"],
            "length_map_m": own["length_m"],
        },
        geometry=[each if each.geom_type == "MultiPolygon" else MultiPolygon([each]) for each in evidence],
        crs=objects.crs,
    )
    west, _, _, north = found.bounds.to_numpy(dtype=np.float64).reshape(-1, 4).T
    return found.iloc[np.lexsort((west, -north, -found["priority"]))].reset_index(drop=True)


def _priority(rows: pd.DataFrame, p_mean: pd.Series[float]) -> NDArray[np.float64]:
    """Return certainty × size × the weight of the class, 0 to 1; size is a matter of length."""
    gone = rows["class"].isin(["obsolete", "uncertain_absence"])
    certainty = np.where(gone, 1 - p_mean, p_mean)
    size = np.sqrt(np.minimum(rows["length_m"] / FULL_LENGTH_M, 1.0))
    weight = rows["class"].map(WEIGHTS)
    priority: NDArray[np.float64] = np.where(np.isnan(certainty), 0.5, certainty) * (size * weight).to_numpy()
    return priority


def _map_status(objects: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return every mapped line once, as lines."""
    columns = ["map_object_id", "theme", "status", "tolerance_m", "visible_share", *LENGTHS]
    return gpd.GeoDataFrame(
        objects[columns].assign(
            cardinality=np.where(objects["seen_m"] > 0, "1:1", "1:0"),
            **dict.fromkeys(("p_mean", "p_q95", "area_m2", "iou", *SHIFT), np.nan),
        ),
        geometry=objects.geometry,
        crs=objects.crs,
    )
