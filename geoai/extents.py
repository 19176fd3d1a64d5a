"""What the imagery adds to mapped objects and what it takes away, beyond the tolerance of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.alignment import best_shift
from geoai.config import CompareSettings
from geoai.vector import Geometries, shifted, union_by_group

HALF = 0.5
"""A mapped object of which less is seen is not confirmed; a planned one of which as much is seen is built."""

MOVED_IOU = 0.8
MOVED_RATIO = 1.25
"""One object that agrees this well with one detection of like area, once shifted onto it, was moved."""

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
    """Return which mapped objects should be seen, or are: current ones, and planned ones that were built.

    What is drawn twice stands once.
    """
    stands: Mask = ((~objects["planned"] | (objects["seen_share"] >= HALF)) & ~objects["twice"]).to_numpy()
    return stands


def judged(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> Mask:
    """Return which mapped objects have extents to judge."""
    matched = objects["group"].isin(seen["group"])
    vague = objects["group"].isin(objects["group"][objects["presence_only"]])
    itself = objects["assessable"] & ~objects["planned"] & ~objects["twice"]
    is_judged: Mask = (matched & itself & ~vague).to_numpy()
    return is_judged


class Changes(NamedTuple):
    """What is added to and taken from groups: connected parts with their group, and the objects concerned."""

    parts: gpd.GeoDataFrame
    """Columns group, added (bool), area_m2, geometry; with evidence p_mean, p_q10, p_q90, p_q95.

    All lie where the imagery shows their ground; `as_drawn` brings them to where the map would draw them.
    """
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
    last = max(objects["group"].max(), seen["group"].max()) if len(objects) and len(seen) else 0
    reach_m = np.zeros(last + 1)  # by group
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


def measure_shifts(
    objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, changes: Changes, settings: CompareSettings
) -> pd.DataFrame:
    """Return, by group that has changes, how it agrees once the map is shifted as fits best.

    Columns iou_aligned, shift_dx_m, shift_dy_m (map to imagery, after the registration), moved (one object
    and one detection of the same size and shape, further apart than a roof leans) and aligned (whether the
    shift is a lean or a move, so that extents are judged under it).
    """
    groups = np.unique(changes.parts["group"].to_numpy())
    standing_here = objects[objects["judged"] & objects["group"].isin(groups)]
    seen_here = seen[seen["group"].isin(groups)]
    mapped, image = (
        union_by_group(layer.geometry.to_numpy(), np.searchsorted(groups, layer["group"]), len(groups))
        for layer in (standing_here, seen_here)
    )
    shift, shared_m2 = best_shift(mapped, image)
    map_m2, image_m2 = shapely.area(mapped), shapely.area(image)
    iou = shared_m2 / (map_m2 + image_m2 - shared_m2)
    one = standing_here.groupby("group").size().eq(1) & seen_here.groupby("group").size().eq(1)
    alike = np.maximum(map_m2, image_m2) <= MOVED_RATIO * np.minimum(map_m2, image_m2)
    far = np.hypot(*shift.T) > settings.max_lean_m
    moved = one.reindex(groups).to_numpy(dtype=bool) & alike & far & (iou >= MOVED_IOU)
    return pd.DataFrame(
        {
            "iou_aligned": iou,
            "shift_dx_m": shift[:, 0],
            "shift_dy_m": shift[:, 1],
            "moved": moved,
            "aligned": moved | (~far & (shift != 0).any(axis=1)),
        },
        index=pd.Index(groups, name="group"),
    )


def align_changes(
    objects: gpd.GeoDataFrame,
    seen: gpd.GeoDataFrame,
    near: Near,
    changes: Changes,
    shifts: pd.DataFrame,
    settings: CompareSettings,
) -> Changes:
    """Judge the extents of groups that lean or moved again, with their mapped objects shifted."""
    groups = shifts.index[shifts["aligned"]]
    again, image = (layer["group"].isin(groups).to_numpy(copy=True) for layer in (objects, seen))
    if not again.any():
        return changes
    offset = shifts[["shift_dx_m", "shift_dy_m"]].reindex(objects["group"][again]).to_numpy()
    geometry = objects.geometry.to_numpy().copy()
    geometry[again] = shifted(geometry[again], offset)
    beside = again.copy()
    beside[near.object[image[near.detection]]] = True
    around = _buffer(geometry[again], objects["tolerance_m"].to_numpy()[again])
    image[shapely.STRtree(seen.geometry.to_numpy()).query(around)[1]] = True
    part = objects.assign(geometry=geometry, judged=objects["judged"] & again)[beside].reset_index(drop=True)
    visible = seen[image].reset_index(drop=True)
    anew = find_changes(part, visible, find_near(part, visible), settings)
    rest = _kept(changes, ~changes.parts["group"].isin(groups).to_numpy())
    parts = pd.concat([rest.parts, anew.parts], ignore_index=True)
    return Changes(
        gpd.GeoDataFrame(parts, geometry="geometry", crs=objects.crs),
        np.concatenate([rest.part, anew.part + len(rest.parts)]),
        np.concatenate([rest.object, np.flatnonzero(beside)[anew.object]]),
    )


def sure_changes(changes: Changes, settings: CompareSettings) -> Changes:
    """Return the changes without additions of which the imagery is not sure: paving, a terrace, a street.

    The parts have their evidence. What is gone is judged by the rules, with what could be seen of it.
    """
    unsure = changes.parts["added"] & (changes.parts["p_mean"] < settings.extended_mean)
    return _kept(changes, ~unsure.to_numpy(dtype=bool))


def as_drawn(changes: Changes, offset: NDArray[np.float64], shifts: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the parts where the map would draw them: *offset* (object, 2) is its registration."""
    back = np.zeros((len(changes.parts), 2))
    back[changes.part[::-1]] = offset[changes.object[::-1]]  # the first of its objects
    aligned = shifts[shifts["aligned"]][["shift_dx_m", "shift_dy_m"]]
    back += aligned.reindex(changes.parts["group"], fill_value=0.0).to_numpy()
    return changes.parts.assign(geometry=shifted(changes.parts.geometry.to_numpy(), -back))


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
    return _kept(Changes(parts, part, owner), large)


def _kept(changes: Changes, kept: Mask) -> Changes:
    """Return the *kept* parts (part,) and their objects."""
    number, pair = np.cumsum(kept) - 1, kept[changes.part]
    return Changes(
        changes.parts[kept].reset_index(drop=True), number[changes.part[pair]], changes.object[pair]
    )


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
