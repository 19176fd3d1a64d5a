"""Where the imagery and the digital map disagree.

Mapped objects and detections are held together by group, extents are judged with a tolerance of each object's
own, absence only where the imagery shows the ground, and calling a mapped building demolished takes stronger
evidence than calling a new one missing. Classes speak of the map: *missing* is seen but not mapped,
*demolished* is mapped but gone. Every mapped object gets exactly one status.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray
from shapely import MultiPolygon

from geoai.config import CompareSettings
from geoai.errors import CRSError
from geoai.matching import match_groups
from geoai.raster import gdal_environment
from geoai.vector import Geometries, union_by_group

log = logging.getLogger(__name__)

P_SCALE = 250
"""A stored probability is p × 250."""
CUT_M2 = 1.0
"""An object that loses more than this to the edge of the imagery is cut by it."""
INSIDE_SHARE = 0.1
"""A detection with less than this within the tolerance of mapped objects stands by itself."""
HALF = 0.5
"""A mapped object of which less is seen is not confirmed; a planned one of which as much is seen is built."""
FULL_SIZE_M2 = 200.0
"""From this size on, a larger discrepancy is not more urgent."""

Cases: TypeAlias = pd.DataFrame
Mask: TypeAlias = NDArray[np.bool_]


class Rule(NamedTuple):
    """A class of discrepancy: its family, its weight in the priority, and when it holds."""

    name: str
    family: str
    weight: float
    holds: Callable[[Cases, CompareSettings], Mask]


RULES = (
    Rule("not_assessable", "assessability", 0.05, lambda c, s: ~c.assessable | (_free(c, s) & c.near_edge)),
    Rule("planned_built", "presence", 0.8, lambda c, s: c.planned & (c.seen_share >= HALF)),
    Rule("below_min", "presence", 0.02, lambda c, s: (_free(c, s) | _alone(c)) & (c.size_m2 < s.min_area_m2)),
    Rule("missing", "presence", 1.0, lambda c, s: _free(c, s)),
    Rule(
        "demolished",
        "presence",
        1.0,
        lambda c, s: _alone(c) & (c.p_map < s.demolished_mean) & (c.p_map_q95 < s.demolished_p95),
    ),
    Rule("uncertain_absence", "presence", 0.2, lambda c, s: _alone(c)),
    Rule("reshaped", "extent", 0.7, lambda c, s: (c.plus_m2 > 0) & _gone(c, s)),
    Rule("extended", "extent", 0.8, lambda c, s: c.plus_m2 > 0),
    Rule("reduced", "extent", 0.7, lambda c, s: _gone(c, s)),
    Rule("uncertain_absence", "presence", 0.2, lambda c, s: (c.minus_m2 > 0) & (c.seen_share < HALF)),
    Rule("confirmed", "presence", 0.0, lambda c, s: c.mapped),
)
"""The first that holds. What none holds for is a detection too unsure to report."""


def _free(c: Cases, s: CompareSettings) -> Mask:
    """Seen, sure enough, and not mapped."""
    mask: Mask = ~c.mapped & (c.p_seen >= s.missing_confidence)
    return mask


def _alone(c: Cases) -> Mask:
    """Mapped as standing, and nothing seen."""
    mask: Mask = c.mapped & ~c.planned & (c.seen == 0)
    return mask


def _gone(c: Cases, s: CompareSettings) -> Mask:
    """Part of what is mapped is not there."""
    mask: Mask = (c.minus_m2 > 0) & (c.p_minus < s.reduced_mean)
    return mask


@dataclass(frozen=True)
class Comparison:
    """The discrepancies, most urgent first, and every mapped object with its status."""

    discrepancies: gpd.GeoDataFrame
    map_status: gpd.GeoDataFrame


def compare(
    detections: gpd.GeoDataFrame,
    mapped: gpd.GeoDataFrame,
    footprint: MultiPolygon,
    probability: Path,
    *,
    band: int,
    gsd_m: float,
    settings: CompareSettings,
) -> Comparison:
    """Hold *detections* against *mapped* objects inside the *footprint* of the imagery.

    *probability* is the whole flight's raster (uint8, p × 250, 255 = nodata), *band* (1-based) the theme's.
    All are in one CRS, in metres. Raises CRSError where the layers are not. The result does not depend on the
    order of rows.
    """
    if detections.crs != mapped.crs:
        raise CRSError(f"map layer: expected the CRS of the detections {detections.crs}, found {mapped.crs}")
    objects = _objects(_ordered(mapped, "map_object_id"), footprint, gsd_m, settings)
    seen = _ordered(detections, "detection_id")
    objects["seen_share"] = _seen_share(objects.geometry.to_numpy(), seen.geometry.to_numpy())
    near = _near(objects, seen)
    objects["group"], seen["group"] = _grouped(objects, seen, near, settings)
    objects["judged"] = _judged(objects, seen)
    changes = _changes(objects, seen, near, settings)
    objects, seen, changes = _with_evidence(objects, seen, changes, probability, band)
    objects, seen = _with_cases(objects, seen)
    cases = _cases(objects, seen, changes.parts)
    cases["class"] = classify(cases, settings)
    found = _discrepancies(cases, objects, seen, changes)
    status = _map_status(cases, objects, changes)
    log.info("%d discrepancies, %d mapped objects", len(found), len(status))
    return Comparison(found, status)


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


def classify(cases: Cases, settings: CompareSettings) -> NDArray[Any]:
    """Return the first class of RULES that holds for each case, '' for none."""
    holds = [np.asarray(rule.holds(cases, settings), bool) for rule in RULES]
    return np.select(holds, [rule.name for rule in RULES], default="").astype(object)


def _ordered(layer: gpd.GeoDataFrame, key: str) -> gpd.GeoDataFrame:
    """Return the rows from west to east, so that nothing depends on how they came."""
    west, south, east, north = layer.bounds.to_numpy(dtype=np.float64).reshape(-1, 4).T
    order = np.lexsort((layer[key].to_numpy(dtype=str), north, east, south, west))
    return layer.iloc[order].reset_index(drop=True)


def _objects(
    mapped: gpd.GeoDataFrame, footprint: MultiPolygon, gsd_m: float, settings: CompareSettings
) -> gpd.GeoDataFrame:
    """Add to each mapped object its area, its tolerance, and how much of it the imagery shows."""
    objects = mapped.copy()
    objects["area_m2"] = objects.area
    objects["tolerance_m"], objects["presence_only"] = tolerance(
        mapped["sigma_m"].to_numpy(dtype=np.float64), gsd_m=gsd_m, settings=settings
    )
    visible_m2 = _visible_m2(objects.geometry.to_numpy(), footprint)
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


@dataclass(frozen=True)
class _Near:
    """Pairs (object, detection) within the object's tolerance, and what of each detection lies beyond it."""

    object: NDArray[np.intp]
    detection: NDArray[np.intp]
    reach: Geometries
    """Each object grown by its tolerance; (object,)."""
    beyond: Geometries
    """Each detection without what lies within the tolerance of standing objects; (detection,)."""


def _standing(objects: gpd.GeoDataFrame) -> Mask:
    """Return which mapped objects should be seen, or are: current ones, and planned ones that were built."""
    standing: Mask = (~objects["planned"] | (objects["seen_share"] >= HALF)).to_numpy()
    return standing


def _near(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> _Near:
    standing = np.flatnonzero(_standing(objects))
    detections = seen.geometry.to_numpy()
    reach = _buffer(objects.geometry.to_numpy(), objects["tolerance_m"].to_numpy())
    first, second = shapely.STRtree(detections).query(reach[standing], predicate="intersects")
    first = standing[first]
    beyond = _without(detections, reach[first], second)
    return _Near(first, second, reach, beyond)


def _buffer(geometries: Geometries, distance: NDArray[np.float64] | float) -> Geometries:
    grown: Geometries = shapely.buffer(geometries, distance, quad_segs=4)
    return grown


def _without(geometries: Geometries, others: Geometries, index: NDArray[np.intp]) -> Geometries:
    """Return the geometries less the union of the *others* at their *index*."""
    left: Geometries = geometries.copy()
    touched = np.unique(index)
    taken = union_by_group(others, index, len(geometries))
    left[touched] = shapely.difference(geometries[touched], taken[touched])
    return left


def _grouped(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, near: _Near, settings: CompareSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the group of each mapped object (−1: planned, not built) and of each detection.

    A detection that matches nothing but leans against a mapped object that is seen joins its group: what it
    adds is an extension.
    """
    standing = _standing(objects)
    there = objects[standing]
    groups = match_groups(
        there.geometry.to_numpy(),
        seen.geometry.to_numpy(),
        there["tolerance_m"].to_numpy(),
        overlap=settings.overlap,
    )
    map_group = np.full(len(objects), -1)
    map_group[standing] = groups.map_group
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
    return map_group, seen_group


class _Changes(NamedTuple):
    """What is added to and taken from groups: connected parts with their group, and the objects concerned."""

    parts: gpd.GeoDataFrame
    """Columns group, added (bool), area_m2, geometry; with evidence p_mean, p_q10, p_q90, p_q95."""
    part: NDArray[np.intp]
    """Pairs of a part …"""
    object: NDArray[np.intp]
    """… and a mapped object that it belongs to."""


def _changes(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, near: _Near, settings: CompareSettings
) -> _Changes:
    """Return the extensions and reductions of groups that are wide and large enough to report.

    Added is what lies beyond the tolerance of *every* mapped object, gone what lies beyond it of every
    detection, whichever group they are in: a party wall raises nothing.
    """
    geometry, tolerance_m = objects.geometry.to_numpy(), objects["tolerance_m"].to_numpy()
    detections = seen.geometry.to_numpy()
    judged = objects["judged"].to_numpy()
    reach_m = np.zeros(len(objects) + len(seen))  # by group: there are no more of them
    np.maximum.at(reach_m, objects["group"].to_numpy()[judged], tolerance_m[judged])
    added = np.isin(seen["group"], objects["group"][judged]) & _is_wide(near.beyond, settings)
    around = _buffer(detections[near.detection], tolerance_m[near.object])
    kept = judged[near.object]
    gone = _without(geometry, around[kept], near.object[kept])
    removed = judged & (shapely.area(gone) > 0)
    touching = added[near.detection]
    room_added = _without(detections, geometry[near.object[touching]], near.detection[touching])
    touching = removed[near.object]
    room_removed = _without(geometry, detections[near.detection[touching]], near.object[touching])
    sides = [
        _parts(near.beyond[added], room_added[added], seen["group"].to_numpy()[added], reach_m, settings),
        _parts(gone[removed], room_removed[removed], objects["group"].to_numpy()[removed], reach_m, settings),
    ]
    parts = gpd.GeoDataFrame(
        {
            "group": np.concatenate([group for group, _ in sides]),
            "added": np.repeat([True, False], [len(group) for group, _ in sides]),
        },
        geometry=np.concatenate([outline for _, outline in sides]),
        crs=objects.crs,
    )
    parts["area_m2"] = parts.area
    return _large(parts, objects, reach_m, settings)


def _judged(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> Mask:
    """Return which mapped objects have extents to judge."""
    matched = objects["group"].isin(seen["group"])
    vague = objects["group"].isin(objects["group"][objects["presence_only"]])
    judged: Mask = (matched & objects["assessable"] & ~objects["planned"] & ~vague).to_numpy()
    return judged


def _is_wide(geometries: Geometries, settings: CompareSettings) -> Mask:
    """Return which geometries hold anything as wide as the smallest width."""
    wide: Mask = ~shapely.is_empty(shapely.buffer(geometries, -settings.min_width_m / 2, join_style="mitre"))
    return wide


def _parts(
    strips: Geometries,
    room: Geometries,
    group: NDArray[np.intp],
    reach_m: NDArray[np.float64],
    settings: CompareSettings,
) -> tuple[NDArray[np.intp], Geometries]:
    """Return the wide parts of the *strips* of each group, grown back by the tolerance within the *room*.

    Without growing back, each change is understated by the tolerance times its length along the wall.
    """
    groups, index = np.unique(group, return_inverse=True)
    strip, ground = (union_by_group(each, index, len(groups)) for each in (strips, room))
    half = settings.min_width_m / 2
    core = shapely.buffer(strip, -half, join_style="mitre")
    opened = shapely.buffer(core, half, join_style="mitre", mitre_limit=2.0)
    grown = shapely.intersection(_buffer(opened, reach_m[groups]), ground)
    outlines, owner = shapely.get_parts(grown, return_index=True)
    real = (shapely.get_type_id(outlines) == 3) & shapely.intersects(outlines, core[owner])
    return groups[owner[real]], outlines[real]


def _large(
    parts: gpd.GeoDataFrame,
    objects: gpd.GeoDataFrame,
    reach_m: NDArray[np.float64],
    settings: CompareSettings,
) -> _Changes:
    """Keep the parts that are large enough by themselves and beside the mapped objects they belong to.

    A part belongs to the objects of its group that it meets along most of its length: so a terrace of twenty
    houses does not hide a new wing on one of them.
    """
    geometry = objects.geometry.to_numpy()
    candidates = np.flatnonzero(objects["judged"])
    group = parts["group"].to_numpy()
    reach = _buffer(parts.geometry.to_numpy(), np.where(parts["added"], reach_m[group], 0.0))
    part, at = shapely.STRtree(geometry[candidates]).query(reach, predicate="intersects")
    owner = candidates[at]
    same = objects["group"].to_numpy()[owner] == group[part]
    part, owner = part[same], owner[same]
    contact_m2 = shapely.area(shapely.intersection(reach[part], geometry[owner]))
    most = np.zeros(len(parts))
    np.maximum.at(most, part, contact_m2)
    belongs = contact_m2 >= 0.25 * most[part]
    part, owner = part[belongs], owner[belongs]
    mapped_m2 = np.bincount(part, weights=objects["area_m2"].to_numpy()[owner], minlength=len(parts))
    least = np.maximum(settings.change_m2, settings.change_share * mapped_m2)
    large = ((parts["area_m2"] >= least) & (mapped_m2 > 0)).to_numpy()
    number = np.cumsum(large) - 1
    return _Changes(parts[large].reset_index(drop=True), number[part[large[part]]], owner[large[part]])


def _with_evidence(
    objects: gpd.GeoDataFrame,
    seen: gpd.GeoDataFrame,
    changes: _Changes,
    probability: Path,
    band: int,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, _Changes]:
    """Add the probabilities within mapped objects, detections that match nothing, and changes."""
    mapped = objects.geometry.to_numpy()
    inner = shapely.buffer(mapped, -objects["tolerance_m"].to_numpy() / 2, join_style="mitre")
    inner = np.where(shapely.is_empty(inner), mapped, inner)
    inner[objects["visible_share"] == 0] = shapely.Polygon()
    lonely = ~seen["group"].isin(objects["group"]).to_numpy()
    free = np.where(lonely, seen.geometry.to_numpy(), shapely.Polygon())
    parts = changes.parts.geometry.to_numpy()
    p = zonal(np.concatenate([inner, free, parts]), probability, band)
    ends = np.cumsum([len(inner), len(free)])
    of_objects, of_seen, of_parts = p[: ends[0]], p[ends[0] : ends[1]], p[ends[1] :]
    return (
        objects.assign(**_columns(of_objects)),
        seen.rename(columns={"p_mean": "p_seen"}).assign(**_columns(of_seen)),
        changes._replace(parts=changes.parts.assign(**_columns(of_parts))),
    )


STATISTICS = {
    "p_mean": "mean",
    "p_q10": "quantile(q=0.1)",
    "p_q90": "quantile(q=0.9)",
    "p_q95": "quantile(q=0.95)",
}


def _columns(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(STATISTICS, values.T, strict=True))


def zonal(geometries: Geometries, probability: Path, band: int) -> NDArray[np.float64]:
    """Return STATISTICS of the probability (0 to 1) under each polygon, pixels weighted by their share in it.

    (polygon, statistic); NaN where there is none. Polygons are visited along a curve, so that neighbours find
    their blocks decompressed, and rounded to the millimetre: exactextract 0.3 can fail ("Never get here") on
    a vertex that misses a pixel's border by floating-point noise.
    """
    geometries = shapely.set_precision(geometries, 0.001)
    result = np.full((len(geometries), len(STATISTICS)), np.nan)
    polygons = np.flatnonzero(~shapely.is_empty(geometries))
    if not len(polygons):
        return result
    features = gpd.GeoDataFrame(geometry=geometries[polygons])
    order = np.argsort(features.hilbert_distance().to_numpy(), kind="stable")
    with gdal_environment(), rasterio.open(probability) as source:
        measured = exact_extract(
            RasterioRasterSource(source, band),
            features.iloc[order].set_crs(source.crs.to_wkt()),
            list(STATISTICS.values()),
            output="pandas",
        )
    result[polygons[order]] = measured.apply(pd.to_numeric).to_numpy(dtype=np.float64) / P_SCALE
    return result


def _with_cases(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Number what is judged together (column case): a group, or a mapped object by itself.

    By itself is judged what the imagery doesn't show whole, and what is planned. Detections that match
    nothing but such objects have no case (−1).
    """
    by_itself = (~objects["assessable"] | objects["planned"]).to_numpy()
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
    cases["iou"] = _iou(cases, objects, told)
    cases["p_seen"] = by_seen["p_seen"].mean()
    cases["p_map"], cases["p_map_q95"] = by_map["p_mean"].mean(), by_map["p_q95"].mean()
    return _with_changes(cases, objects, parts)


def _with_changes(cases: Cases, objects: gpd.GeoDataFrame, parts: gpd.GeoDataFrame) -> Cases:
    """Add what was added and taken away, 0 where extents were judged and agree."""
    judged = cases.index.isin(objects["case"][objects["judged"]])
    for column, side in (("plus_m2", parts[parts["added"]]), ("minus_m2", parts[~parts["added"]])):
        area_m2 = side.groupby("group")["area_m2"].sum().reindex(cases.index, fill_value=0.0)
        cases[column] = area_m2.where(judged)
    cases["p_minus"] = _mean_by(parts[~parts["added"]], "group")["p_mean"].reindex(cases.index)
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


def _mean_by(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the mean probabilities of the rows of each *key*, weighted by area."""
    weighted = rows[[*STATISTICS]].mul(rows["area_m2"], axis=0).groupby(rows[key]).sum(min_count=1)
    return weighted.div(rows.groupby(key)["area_m2"].sum(), axis=0)


def _sides(cases: Cases) -> pd.DataFrame:
    """Return which geometries are the evidence of each case: of the map, the image, added or removed."""
    extent = cases["class"].isin(["extended", "reduced", "reshaped"])
    partly = (cases["class"] == "uncertain_absence") & (cases["seen"] > 0)
    return pd.DataFrame(
        {
            "map": cases["mapped"] & ~extent & ~partly,
            "image": ~cases["mapped"],
            "added": cases["class"].isin(["extended", "reshaped"]),
            "removed": cases["class"].isin(["reduced", "reshaped"]) | partly,
        }
    )


def _concerned(cases: Cases, objects: gpd.GeoDataFrame, changes: _Changes) -> Mask:
    """Return which mapped objects their case is about: of a terrace, only the house that was extended."""
    sides = _sides(cases)
    case = changes.parts["group"].to_numpy()
    side = np.where(changes.parts["added"], sides["added"].reindex(case), sides["removed"].reindex(case))
    concerned: Mask = sides["map"].reindex(objects["case"]).to_numpy(dtype=bool, copy=True)
    concerned[changes.object[side.astype(bool)[changes.part]]] = True
    return concerned


def _evidence(
    cases: Cases, objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, changes: _Changes
) -> gpd.GeoDataFrame:
    """Return the geometry of each case, what its probabilities are, and its area."""
    columns = ["case", "area_m2", *STATISTICS, "geometry"]
    parts = changes.parts.rename(columns={"group": "case"})
    layers = {
        "map": objects,
        "image": seen,
        "added": parts[parts["added"]],
        "removed": parts[~parts["added"]],
    }
    sides = _sides(cases)
    chosen = [
        layer.loc[sides[side].reindex(layer["case"], fill_value=False).to_numpy(dtype=bool), columns]
        for side, layer in layers.items()
    ]
    rows = pd.concat([rows for rows in chosen if len(rows)] or chosen[:1], ignore_index=True)
    geometry = union_by_group(rows.geometry.to_numpy(), cases.index.get_indexer(rows["case"]), len(cases))
    evidence = gpd.GeoDataFrame(
        _mean_by(rows, "case").reindex(cases.index), geometry=geometry, crs=objects.crs
    )
    evidence.loc[sides["added"] & sides["removed"], [*STATISTICS]] = np.nan  # seen here, gone there: no mean
    return evidence


def _discrepancies(
    cases: Cases, objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, changes: _Changes
) -> gpd.GeoDataFrame:
    """Return a row for each case where map and imagery disagree or the imagery cannot say, by priority."""
    about = objects[_concerned(cases, objects, changes)]
    by_map = about.groupby("case")
    visible = by_map["visible_share"].min().reindex(cases.index)
    reported = ~cases["class"].isin(["confirmed", ""]) & (visible.fillna(1.0) > 0)
    cases, visible = cases[reported], visible[reported]
    evidence = _evidence(cases, objects, seen, changes)
    rule = cases["class"].map({rule.name: rule for rule in RULES})
    named = about.groupby("case")["map_object_id"].agg(list).to_dict()
    themes = pd.concat([about[["case", "theme"]], seen[["case", "theme"]]]).drop_duplicates("case")
    planned = np.where(cases["planned"], "planned", "current")
    found = gpd.GeoDataFrame(
        {
            "class": cases["class"],
            "family": [each.family for each in rule],
            "theme": themes.set_index("case")["theme"].reindex(cases.index),
            "cause": "unknown",
            "cardinality": _cardinality(cases),
            "map_object_ids": [json.dumps(named.get(case, []), ensure_ascii=False) for case in cases.index],
            "map_date": by_map["map_date"].max().reindex(cases.index),
            "map_status": pd.Series(planned, index=cases.index, dtype=object).where(cases["mapped"], None),
            "map_sigma_m": by_map["sigma_m"].max().reindex(cases.index),
            **{
                column: cases[column]
                for column in ("area_map_m2", "area_image_m2", "plus_m2", "minus_m2", "iou")
            },
            **dict.fromkeys(("iou_aligned", "shift_dx_m", "shift_dy_m"), np.nan),
            "tolerance_m": by_map["tolerance_m"].max().reindex(cases.index),
            **{column: evidence[column] for column in ("p_mean", "p_q10", "p_q90")},
            "confidence": np.nan,
            "priority": _priority(cases, evidence, np.array([each.weight for each in rule])),
            "visible_share": visible.where(cases["mapped"] | cases["near_edge"], 1.0),
            "near_edge": cases["near_edge"],
        },
        geometry=[
            each if each.geom_type == "MultiPolygon" else MultiPolygon([each]) for each in evidence.geometry
        ],
        crs=objects.crs,
    )
    west, _, _, north = found.bounds.to_numpy(dtype=np.float64).reshape(-1, 4).T
    return found.iloc[np.lexsort((west, -north, -found["priority"]))].reset_index(drop=True)


def _cardinality(cases: Cases) -> NDArray[Any]:
    """Return map:image as '1:0', '0:1', '1:1', '1:n', 'n:1' or 'n:m'."""
    maps, seen = cases["maps"].to_numpy(), cases["seen"].to_numpy()
    left = np.where(maps > 1, "n", maps.astype(str)).astype(object)
    right = np.where(seen > 1, np.where(maps > 1, "m", "n"), seen.astype(str)).astype(object)
    pairs: NDArray[Any] = left + ":" + right
    return pairs


def _priority(cases: Cases, evidence: gpd.GeoDataFrame, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return certainty × size × the weight of the class, 0 to 1.

    Until confidence is calibrated, certainty is the mean probability that something stands there, or, for
    what is said to be gone, that nothing does; half where it was not measured.
    """
    gone = cases["class"].isin(["demolished", "uncertain_absence", "reduced"])
    certainty = np.where(gone, 1 - evidence["p_mean"], evidence["p_mean"])
    size = np.sqrt(np.minimum(shapely.area(evidence.geometry.to_numpy()) / FULL_SIZE_M2, 1.0))
    priority: NDArray[np.float64] = np.where(np.isnan(certainty), 0.5, certainty) * size * weight
    return priority


def _map_status(cases: Cases, objects: gpd.GeoDataFrame, changes: _Changes) -> gpd.GeoDataFrame:
    """Return every mapped object once: the class of its case, 'confirmed' where that is about another."""
    own = cases.reindex(objects["case"])
    concerned = _concerned(cases, objects, changes)
    columns = ["map_object_id", "theme", "tolerance_m", "visible_share", "p_mean", "p_q95", "area_m2"]
    return gpd.GeoDataFrame(
        objects[columns].assign(
            status=np.where(concerned, own["class"], "confirmed"),
            iou=own["iou"].to_numpy(),
            cardinality=_cardinality(own),
        ),
        geometry=objects.geometry,
        crs=objects.crs,
    )
