"""Where the imagery and the digital map disagree.

Mapped objects and detections are held together by group, extents are judged with a tolerance of each object's
own, absence only where the imagery shows the ground, and calling a mapped building demolished takes stronger
evidence than calling a new one missing. Classes speak of the map: *missing* is seen but not mapped,
*demolished* is mapped but gone. Every mapped object gets exactly one status.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon

from geoai.config import CompareSettings
from geoai.division import drawn_twice, find_gaps
from geoai.errors import CRSError
from geoai.evidence import Cases, evidence_sides, gather_evidence, mean_by, with_evidence, zonal
from geoai.extents import (
    Changes,
    Mask,
    Near,
    align_changes,
    as_drawn,
    find_changes,
    find_near,
    judged,
    measure_shifts,
    standing,
    sure_changes,
)
from geoai.matching import match_groups
from geoai.registration import Registration, measure_registration
from geoai.rules import RULES, classify
from geoai.suggestions import SUGGESTED
from geoai.vector import Geometries, shifted, union_by_group
from geoai.visibility import with_sight

log = logging.getLogger(__name__)

MEASURES = ("area_map_m2", "area_image_m2", "plus_m2", "minus_m2", "iou")
SHIFT = ("iou_aligned", "shift_dx_m", "shift_dy_m")
LENGTHS = ("length_m", "seen_m", "obsolete_m")
"""Of mapped lines, which `geoai.lines` measures."""
CUT_M2 = 1.0
"""An object that loses more than this to the edge of the imagery is cut by it."""
INSIDE_SHARE = 0.1
"""A detection with less than this within the tolerance of mapped objects stands by itself."""
FULL_SIZE_M2 = 200.0
"""From this size on, a larger discrepancy is not more urgent."""


@dataclass(frozen=True)
class Comparison:
    """The discrepancies, most urgent first, and every mapped object with its status."""

    discrepancies: gpd.GeoDataFrame
    map_status: gpd.GeoDataFrame
    registration: Registration | None
    """None where none is measured: lines have a reach that is wider."""


def compare(
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
    """Hold *detections* against *mapped* objects inside the *footprint* of the imagery.

    *probability* is the whole flight's raster (uint8, p × 250, 255 = nodata), *band* (1-based) the theme's.
    *orthophoto* is the flight's picture, read for what tree crowns and shadow hide; without it nothing does.
    Where the detections have a column confidence, those that are missing from the map keep it.
    All are in one CRS, in metres. Raises CRSError where the layers are not. The result does not depend on the
    order of rows. The map is compared where the registration lays it; what is reported of it lies where it is
    drawn, and what is reported of the imagery where it was seen.
    """
    if detections.crs != mapped.crs:
        raise CRSError(f"map layer: expected the CRS of the detections {detections.crs}, found {mapped.crs}")
    seen = by_place(detections, "detection_id")
    if "confidence" not in seen:
        seen["confidence"] = np.nan
    drawn = by_place(mapped, "map_object_id")
    outlines = drawn.geometry.to_numpy()
    registration = measure_registration(outlines, seen.geometry.to_numpy(), drawn.crs)
    offset = registration.at(outlines)
    objects = _objects(drawn, shifted(outlines, offset), footprint, gsd_m, settings)
    objects["twice"] = drawn_twice(outlines, drawn["map_object_id"].to_numpy(dtype=str))
    objects["seen_share"] = _seen_share(objects.geometry.to_numpy(), seen.geometry.to_numpy())
    near = find_near(objects, seen)
    objects, seen = _grouped(objects, seen, near, settings)
    changes = find_changes(objects, seen, near, settings)
    shifts = measure_shifts(objects, seen, changes, settings)
    changes = align_changes(objects, seen, near, changes, shifts, settings)
    seen["evidence"] = ~seen["group"].isin(objects["group"]) | seen["group"].isin(_dislodged(changes, shifts))
    objects, seen, parts = with_evidence(objects, seen, changes.parts, probability, band)
    changes = sure_changes(changes._replace(parts=parts), settings)
    objects, parts = with_sight(objects, seen, changes.parts, orthophoto, settings)
    gaps = find_gaps(objects, seen)
    gaps["p_mean"] = zonal(gaps.geometry.to_numpy(), probability, band)[:, 0]
    objects, seen = _with_cases(objects, seen)
    cases = _with_division(_with_shifts(_cases(objects, seen, parts), shifts), objects, gaps)
    cases["class"] = classify(cases, settings)
    drawn_parts = as_drawn(changes._replace(parts=parts), offset, shifts)
    parts = parts.assign(geometry=parts.geometry.where(parts["added"], drawn_parts.geometry))
    changes, objects = changes._replace(parts=parts), objects.assign(geometry=outlines)
    found = _discrepancies(cases, objects, seen, changes)
    back = -registration.at(seen.geometry.to_numpy())
    in_map = seen.assign(geometry=shifted(seen.geometry.to_numpy(), back))
    found["as_mapped"] = _as_mapped(found, cases, objects, in_map, drawn_parts)
    found = found.reset_index(drop=True)
    status = _map_status(cases, objects, changes)
    log.info("%d discrepancies, %d mapped objects", len(found), len(status))
    return Comparison(found, status, registration)


def tolerance(
    sigma_m: NDArray[np.float64], *, gsd_m: float, settings: CompareSettings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how far (m) outlines may differ by the map's standard error, and where only presence counts.

    1.96 · √(σ_map² + σ_image²) + overhang + lean, at least max(2 · GSD, 0.6 m) and at most max_tolerance_m.
    Where the map's own error reaches that bound, its outlines say nothing about extents.
    """
    least, most = max(2 * gsd_m, 0.6), settings.max_tolerance_m
    fixed = settings.overhang_m + settings.lean_m
    wanted = 1.96 * np.hypot(sigma_m, settings.sigma_image_m) + fixed
    presence_only = (wanted > most) & (1.96 * settings.sigma_image_m + fixed <= most)
    return np.clip(wanted, least, max(least, most)), presence_only


def by_place(layer: gpd.GeoDataFrame, key: str) -> gpd.GeoDataFrame:
    """Return the rows of *layer* from west to east, so that nothing depends on how they came."""
    west, south, east, north = layer.bounds.to_numpy(dtype=np.float64).reshape(-1, 4).T
    order = np.lexsort((layer[key].to_numpy(dtype=str), north, east, south, west))
    return layer.iloc[order].reset_index(drop=True)


def _objects(
    mapped: gpd.GeoDataFrame,
    registered: Geometries,
    footprint: MultiPolygon,
    gsd_m: float,
    settings: CompareSettings,
) -> gpd.GeoDataFrame:
    """Lay each mapped object where it is *registered*; add its area, tolerance, and how much of it is shown.

    Shown is what the imagery covers both where it is drawn and where it is registered.
    """
    objects = mapped.assign(geometry=registered)
    objects["area_m2"] = objects.area
    objects["tolerance_m"], objects["presence_only"] = tolerance(
        mapped["sigma_m"].to_numpy(dtype=np.float64), gsd_m=gsd_m, settings=settings
    )
    visible_m2 = np.minimum(
        _visible_m2(mapped.geometry.to_numpy(), footprint), _visible_m2(registered, footprint)
    )
    objects["visible_share"] = np.minimum(visible_m2 / objects["area_m2"], 1.0)
    objects["cut"] = visible_m2 < objects["area_m2"] - CUT_M2
    objects["assessable"] = ~objects["cut"] & (objects["visible_share"] >= settings.visible_share)
    objects["planned"] = objects["map_status"] == "planned"
    return objects


def _visible_m2(geometries: Geometries, footprint: MultiPolygon) -> NDArray[np.float64]:
    shapely.prepare(footprint)
    visible: NDArray[np.float64] = shapely.area(geometries)
    whole = shapely.covers(footprint, geometries)
    cut = ~whole & shapely.intersects(footprint, geometries)
    visible[~whole] = 0.0
    visible[cut] = shapely.area(shapely.intersection(geometries[cut], footprint))
    return visible


def _seen_share(mapped: Geometries, seen: Geometries) -> NDArray[np.float64]:
    """Return the share of each mapped object that detections cover."""
    first, second = shapely.STRtree(seen).query(mapped, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(mapped[first], seen[second]))
    covered_m2 = np.bincount(first, weights=shared_m2, minlength=len(mapped))
    share: NDArray[np.float64] = covered_m2 / shapely.area(mapped)
    return share


def _grouped(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, near: Near, settings: CompareSettings
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Add the group of each mapped object (−1: not standing) and of each detection, and whose extents count.

    A detection that matches nothing but leans against a mapped object that is seen joins its group: what it
    adds is an extension.
    """
    stands = standing(objects)
    there = objects[stands]
    groups = match_groups(
        there.geometry.to_numpy(),
        seen.geometry.to_numpy(),
        there["tolerance_m"].to_numpy(),
        overlap=settings.overlap,
    )
    map_group = np.full(len(objects), -1)
    map_group[stands] = groups.map_group
    seen_group = groups.seen_group.copy()
    lonely = ~np.isin(seen_group, groups.map_group)
    leans = lonely & (
        shapely.area(near.beyond) <= (1 - INSIDE_SHARE) * shapely.area(seen.geometry.to_numpy())
    )
    pair = leans[near.detection] & np.isin(map_group[near.object], groups.seen_group)
    first, second = near.object[pair], near.detection[pair]
    contact_m2 = shapely.area(shapely.intersection(near.reach[first], seen.geometry.to_numpy()[second]))
    strongest = np.lexsort((first, -contact_m2, second))
    joining, at = np.unique(second[strongest], return_index=True)
    seen_group[joining] = map_group[first[strongest][at]]
    objects, seen = objects.assign(group=map_group), seen.assign(group=seen_group)
    whole = np.append(groups.recomposed, False)[map_group]
    return objects.assign(judged=judged(objects, seen), recomposed=whole), seen


def _dislodged(changes: Changes, shifts: pd.DataFrame) -> pd.Index[int]:
    """Return the groups that were moved, or of which something is gone and something was added."""
    groups, added = changes.parts["group"], changes.parts["added"]
    both = pd.Index(groups[added].unique()).intersection(pd.Index(groups[~added].unique()))
    return both.union(shifts.index[shifts["moved"]])


def _with_cases(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Number what is judged together (column case): a group, or a mapped object by itself.

    By itself is judged what the imagery doesn't show whole, what is planned, and what is drawn twice.
    Detections that match nothing but such objects have no case (−1).
    """
    by_itself = (~objects["assessable"] | objects["planned"] | objects["twice"]).to_numpy()
    beyond_groups = len(objects) + len(seen) + np.arange(len(objects))
    case = np.where(by_itself, beyond_groups, objects["group"])
    told = seen["group"].isin(objects["group"]) & ~seen["group"].isin(objects["group"][~by_itself])
    return objects.assign(case=case), seen.assign(case=np.where(told, -1, seen["group"]))


def _cases(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, parts: gpd.GeoDataFrame) -> Cases:
    """Return the measurements of each case, indexed by its number; NaN for what was not measured."""
    told = seen[seen["case"] >= 0]
    by_map, by_seen = objects.groupby("case"), told.groupby("case")
    cases = pd.DataFrame(index=pd.Index(np.union1d(objects["case"], told["case"]).astype(np.int64)))
    group = by_map["group"].first().reindex(cases.index).fillna(cases.index.to_series())
    maps = objects.groupby("group").size().drop(-1, errors="ignore")
    cases["mapped"] = cases.index.isin(objects["case"])
    cases["maps"] = group.map(maps).fillna(cases["mapped"].astype(float)).astype(int)
    cases["seen"] = group.map(seen.groupby("group").size()).fillna(0).astype(int)
    cases["assessable"] = by_map["assessable"].all().reindex(cases.index, fill_value=True)
    cases["planned"] = by_map["planned"].any().reindex(cases.index, fill_value=False)
    cases["near_edge"] = by_map["cut"].any().reindex(cases.index, fill_value=False)
    cases["near_edge"] |= group.map(seen.groupby("group")["near_edge"].any()).eq(True)
    cases["area_map_m2"] = by_map["area_m2"].sum()
    cases["area_image_m2"] = by_seen["area_m2"].sum()
    cases["seen_share"] = (objects["seen_share"] * objects["area_m2"]).groupby(objects["case"]).sum()
    cases["seen_share"] /= cases["area_map_m2"]
    cases["size_m2"] = cases["area_map_m2"].fillna(cases["area_image_m2"])
    cases["tolerance_m"] = by_map["tolerance_m"].max()
    cases["iou"] = _iou(cases, objects, told)
    cases["p_seen"], cases["confidence"] = by_seen["p_seen"].mean(), by_seen["confidence"].mean()
    cases["p_map"], cases["p_map_q95"] = by_map["p_mean"].mean(), by_map["p_q95"].mean()
    cases["height_m"] = by_map["height_m"].max()
    return _with_changes(cases, objects, parts)


def _with_changes(cases: Cases, objects: gpd.GeoDataFrame, parts: gpd.GeoDataFrame) -> Cases:
    """Add what was added and taken away, 0 where extents were judged and agree."""
    judged = cases.index.isin(objects["case"][objects["judged"]])
    for column, side in (("plus_m2", parts[parts["added"]]), ("minus_m2", parts[~parts["added"]])):
        area_m2 = side.groupby("group")["area_m2"].sum().reindex(cases.index, fill_value=0.0)
        cases[column] = area_m2.where(judged)
    gone = parts[~parts["added"]]
    cases["p_minus"] = mean_by(gone, "group")["p_mean"].reindex(cases.index)
    shown_m2 = (gone["visible_share"] * gone["area_m2"]).groupby(gone["group"]).sum()
    cases["minus_visible"] = (shown_m2 / gone.groupby("group")["area_m2"].sum()).reindex(cases.index)
    return cases


def _with_shifts(cases: Cases, shifts: pd.DataFrame) -> Cases:
    """Add how cases agree under the shift that fits best; NaN where extents agree as they lie."""
    cases[[*SHIFT]] = shifts[[*SHIFT]].reindex(cases.index)
    cases["moved"] = shifts["moved"].reindex(cases.index, fill_value=False)
    return cases


def _with_division(cases: Cases, objects: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame) -> Cases:
    """Add what is drawn twice, divided differently, and how sure the imagery is in gaps of one side only."""
    by_case = objects.groupby("case")[["twice", "recomposed"]].any()
    cases[["twice", "recomposed"]] = by_case.reindex(cases.index, fill_value=False)
    cases["recomposed"] &= cases["seen"] > 0
    for column, side in (("p_split", gaps[gaps["split"]]), ("p_merged", gaps[~gaps["split"]])):
        cases[column] = side.set_index("group")["p_mean"].reindex(cases.index)
    return cases


def _iou(cases: Cases, objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return intersection over union of what is mapped and what is seen, NaN where one of them is nothing."""
    mapped, image = (
        union_by_group(layer.geometry.to_numpy(), cases.index.get_indexer(layer["case"]), len(cases))
        for layer in (objects, seen)
    )
    both = ~shapely.is_empty(mapped) & ~shapely.is_empty(image)
    iou = np.full(len(cases), np.nan)
    shared_m2 = shapely.area(shapely.intersection(mapped[both], image[both]))
    iou[both] = shared_m2 / (shapely.area(mapped[both]) + shapely.area(image[both]) - shared_m2)
    return iou


def _concerned(cases: Cases, objects: gpd.GeoDataFrame, changes: Changes) -> Mask:
    """Return which mapped objects their case is about: of a terrace, only the house that was extended."""
    sides = evidence_sides(cases)
    case = changes.parts["group"].to_numpy()
    side = np.where(changes.parts["added"], sides["added"].reindex(case), sides["removed"].reindex(case))
    whole = ~(sides["added"] | sides["removed"])
    concerned: Mask = whole.reindex(objects["case"]).to_numpy(dtype=bool, copy=True)
    concerned[changes.object[side.astype(bool)[changes.part]]] = True
    return concerned


def _discrepancies(
    cases: Cases, objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, changes: Changes
) -> gpd.GeoDataFrame:
    """Return a row for each case where map and imagery disagree or the imagery cannot say, by priority.

    The index is that of *cases*.
    """
    about = objects[_concerned(cases, objects, changes)]
    by_map = about.groupby("case")
    visible = by_map["visible_share"].min().reindex(cases.index)
    covered = by_map["covered_share"].min().reindex(cases.index)
    reported = ~cases["class"].isin(["confirmed", ""]) & (covered.fillna(1.0) > 0)
    cases, visible = cases[reported], visible[reported]
    evidence = gather_evidence(cases, objects, seen, changes.parts)
    rule = cases["class"].map({rule.name: rule for rule in RULES})
    listed = about[about["case"].isin(cases.index)].groupby("case")["map_object_id"].agg(list).to_dict()
    themes = pd.concat([about[["case", "theme"]], seen[["case", "theme"]]]).drop_duplicates("case")
    planned = np.where(cases["planned"], "planned", "current")
    found = gpd.GeoDataFrame(
        {
            "class": cases["class"],
            "family": [each.family for each in rule],
            "theme": themes.set_index("case")["theme"].reindex(cases.index),
            "cause": "unknown",
            "cardinality": _cardinality(cases),
            "map_object_ids": [json.dumps(listed.get(case, []), ensure_ascii=False) for case in cases.index],
            "map_date": by_map["map_date"].max().reindex(cases.index),
            "map_status": pd.Series(planned, index=cases.index, dtype=object).where(cases["mapped"], None),
            "map_sigma_m": by_map["sigma_m"].max().reindex(cases.index),
            **{column: cases[column] for column in (*MEASURES, *SHIFT)},
            "tolerance_m": by_map["tolerance_m"].max().reindex(cases.index),
            **{column: evidence[column] for column in ("p_mean", "p_q10", "p_q90")},
            "confidence": cases["confidence"].where(cases["class"] == "missing"),
            "priority": _priority(cases, evidence, np.array([each.weight for each in rule])),
            "visible_share": visible.where(cases["mapped"] | cases["near_edge"], 1.0),
            "near_edge": cases["near_edge"],
            "hidden_by": by_map["hidden_by"].first().reindex(cases.index),
            "height_m": cases["height_m"],
            "length_m": np.nan,
        },
        geometry=_multipolygons(evidence),
        crs=objects.crs,
    )
    west, _, _, north = found.bounds.to_numpy(dtype=np.float64).reshape(-1, 4).T
    return found.iloc[np.lexsort((west, -north, -found["priority"]))]


def _as_mapped(
    found: gpd.GeoDataFrame,
    cases: Cases,
    objects: gpd.GeoDataFrame,
    seen: gpd.GeoDataFrame,
    parts: gpd.GeoDataFrame,
) -> pd.Series:
    """Return where the map would draw the change of each row: *seen* and *parts* lie there. Hex WKB.

    None where that is where it was seen, and for classes of which nothing is suggested.
    """
    told = found.index[found["class"].isin(SUGGESTED)]
    drawn = _multipolygons(gather_evidence(cases.loc[told], objects, seen, parts))
    elsewhere = ~shapely.equals_exact(drawn, found.geometry.loc[told].to_numpy(), tolerance=0.01)
    result = pd.Series(None, index=found.index, dtype=object)
    result[told[elsewhere]] = shapely.to_wkb(drawn[elsewhere], hex=True)
    return result


def _multipolygons(evidence: gpd.GeoDataFrame) -> Geometries:
    many: Geometries = np.empty(len(evidence), object)
    many[:] = [
        each if each.geom_type == "MultiPolygon" else MultiPolygon([each]) for each in evidence.geometry
    ]
    return many


def _cardinality(cases: Cases) -> NDArray[Any]:
    """Return map:image as '1:0', '0:1', '1:1', '1:n', 'n:1' or 'n:m'."""
    maps, seen = cases["maps"].to_numpy(), cases["seen"].to_numpy()
    left = np.where(maps > 1, "n", maps.astype(str)).astype(object)
    right = np.where(seen > 1, np.where(maps > 1, "m", "n"), seen.astype(str)).astype(object)
    pairs: NDArray[Any] = left + ":" + right
    return pairs


def _priority(cases: Cases, evidence: gpd.GeoDataFrame, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return certainty × size × the weight of the class, 0 to 1.

    Certainty is the calibrated confidence of what is missing, where there is one; else the mean probability
    that something stands there, or, for what is said to be gone, that nothing does; half where it was not
    measured.
    """
    gone = cases["class"].isin(["demolished", "uncertain_absence", "reduced"])
    certainty = np.where(gone, 1 - evidence["p_mean"], evidence["p_mean"])
    known = (cases["class"] == "missing") & cases["confidence"].notna()
    certainty = np.where(known, cases["confidence"], certainty)
    size = np.sqrt(np.minimum(shapely.area(evidence.geometry.to_numpy()) / FULL_SIZE_M2, 1.0))
    priority: NDArray[np.float64] = np.where(np.isnan(certainty), 0.5, certainty) * size * weight
    return priority


def _map_status(cases: Cases, objects: gpd.GeoDataFrame, changes: Changes) -> gpd.GeoDataFrame:
    """Return every mapped object once: the class of its case, 'confirmed' where that is about another."""
    own = cases.reindex(objects["case"])
    concerned = _concerned(cases, objects, changes)
    columns = ["map_object_id", "theme", "tolerance_m", "visible_share", "p_mean", "p_q95", "area_m2"]
    return gpd.GeoDataFrame(
        objects[columns].assign(
            status=np.where(concerned, own["class"], "confirmed"),
            **{column: own[column].to_numpy() for column in ("iou", *SHIFT)},
            cardinality=_cardinality(own),
            **dict.fromkeys(LENGTHS, np.nan),
        ),
        geometry=objects.geometry,
        crs=objects.crs,
    )
