"""What the imagery adds to mapped objects and what it takes away, beyond the tolerance of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.config import CompareSettings
from geoai.vector import Geometries, union_by_group

HALF = 0.5
"""A mapped object of which less is seen is not confirmed; a planned one of which as much is seen is built."""

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Near:
    """Pairs (object, detection) within the object's tolerance, and what of each detection lies beyond it."""

    object: NDArray[np.intp]
    detection: NDArray[np.intp]
    reach: Geometries
    """Each object grown by its tolerance; (object,)."""
    beyond: Geometries
    """Each detection without what lies within the tolerance of standing objects; (detection,)."""


def find_near(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> Near:
    """Return which detections lie within the tolerance of standing objects, and what of them lies beyond."""
    stands = np.flatnonzero(standing(objects))
    detections = seen.geometry.to_numpy()
    reach = _buffer(objects.geometry.to_numpy(), objects["tolerance_m"].to_numpy())
    first, second = shapely.STRtree(detections).query(reach[stands], predicate="intersects")
    first = stands[first]
    beyond = _without(detections, reach[first], second)
    return Near(first, second, reach, beyond)


def standing(objects: gpd.GeoDataFrame) -> Mask:
    """Return which mapped objects should be seen, or are: current ones, and planned ones that were built."""
    stands: Mask = (~objects["planned"] | (objects["seen_share"] >= HALF)).to_numpy()
    return stands


def judged(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> Mask:
    """Return which mapped objects have extents to judge."""
    matched = objects["group"].isin(seen["group"])
    vague = objects["group"].isin(objects["group"][objects["presence_only"]])
    is_judged: Mask = (matched & objects["assessable"] & ~objects["planned"] & ~vague).to_numpy()
    return is_judged


class Changes(NamedTuple):
    """What is added to and taken from groups: connected parts with their group, and the objects concerned."""

    parts: gpd.GeoDataFrame
    """Columns group, added (bool), area_m2, geometry; with evidence p_mean, p_q10, p_q90, p_q95."""
    part: NDArray[np.intp]
    """Pairs of a part …"""
    object: NDArray[np.intp]
    """… and a mapped object that it belongs to."""


def find_changes(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, near: Near, settings: CompareSettings
) -> Changes:
    """Return the extensions and reductions of groups that are wide and large enough to report.

    Added is what lies beyond the tolerance of *every* mapped object, gone what lies beyond it of every
    detection, whichever group they are in: a party wall raises nothing.
    """
    geometry, tolerance_m = objects.geometry.to_numpy(), objects["tolerance_m"].to_numpy()
    detections = seen.geometry.to_numpy()
    is_judged = objects["judged"].to_numpy()
    reach_m = np.zeros(len(objects) + len(seen))  # by group: there are no more of them
    np.maximum.at(reach_m, objects["group"].to_numpy()[is_judged], tolerance_m[is_judged])
    added = np.isin(seen["group"], objects["group"][is_judged]) & _is_wide(near.beyond, settings)
    around = _buffer(detections[near.detection], tolerance_m[near.object])
    kept = is_judged[near.object]
    gone = _without(geometry, around[kept], near.object[kept])
    removed = is_judged & (shapely.area(gone) > 0)
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
) -> Changes:
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
    return Changes(parts[large].reset_index(drop=True), number[part[large[part]]], owner[large[part]])


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
