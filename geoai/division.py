"""How map and imagery divide the same ground: objects drawn twice, and gaps that only one of them has."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.vector import Geometries, connected_components, union_by_group

TWICE = 0.9
"""Share of the smaller of two mapped objects from which they are the same one."""
MIN_GAP_M = 1.0


def drawn_twice(mapped: Geometries, map_object_id: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which objects lie in another one: the smaller of the two, the later id where they are equal."""
    first, second = shapely.STRtree(mapped).query(mapped)
    pair = first != second
    first, second = first[pair], second[pair]
    area_m2, bounds = np.asarray(shapely.area(mapped)), shapely.bounds(mapped).reshape(-1, 4)
    west, south = np.maximum(bounds[first, :2], bounds[second, :2]).T
    east, north = np.minimum(bounds[first, 2:], bounds[second, 2:]).T
    least_m2 = TWICE * np.minimum(area_m2[first], area_m2[second])
    close = (east - west) * (north - south) >= least_m2  # cheap: the boxes share no less than the objects
    first, second, least_m2 = first[close], second[close], least_m2[close]
    same = shapely.area(shapely.intersection(mapped[first], mapped[second])) >= least_m2
    first, second = first[same], second[same]
    equal = np.isclose(area_m2[first], area_m2[second], rtol=1e-9)
    later = map_object_id[first] > map_object_id[second]
    twice = np.zeros(len(mapped), bool)
    twice[first[np.where(equal, later, area_m2[first] < area_m2[second])]] = True
    return twice


def find_gaps(objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the ground between what one side of a group divides and the other has in one piece.

    Columns group, split (the imagery divides what the map has in one; else the map does), geometry: the
    single object less the others grown by half their tolerance. Only gaps of twice the tolerance and at least
    a metre count, so no party wall does. *objects* have the columns group, judged, tolerance_m; *seen* group.
    """
    judged = objects[objects["judged"]]
    tolerance_m = judged.groupby("group")["tolerance_m"].max()
    maps, dets = judged.groupby("group").size(), seen.groupby("group").size().reindex(tolerance_m.index)
    sides = [
        _between(judged, seen, tolerance_m[(maps == 1) & (dets > 1)]).assign(split=True),
        _between(seen, judged, tolerance_m[(maps > 1) & (dets == 1)]).assign(split=False),
    ]
    return gpd.GeoDataFrame(pd.concat(sides, ignore_index=True), geometry="geometry", crs=objects.crs)


def _between(
    whole: gpd.GeoDataFrame, divided: gpd.GeoDataFrame, tolerance_m: pd.Series[float]
) -> gpd.GeoDataFrame:
    """Return what of the *whole* object lies between those that divide it; *tolerance_m* by group."""
    if tolerance_m.empty:
        return gpd.GeoDataFrame({"group": tolerance_m.index.to_numpy()}, geometry=[], crs=whole.crs)
    parts = divided[divided["group"].isin(tolerance_m.index)]
    index = tolerance_m.index.get_indexer(parts["group"])
    least_m = np.maximum(2 * tolerance_m.to_numpy(dtype=float), MIN_GAP_M)
    geometry = parts.geometry.to_numpy()
    first, second = shapely.STRtree(geometry).query(geometry, predicate="dwithin", distance=least_m[index])
    near = index[first] == index[second]
    cluster = connected_components(len(parts), first[near], second[near])
    pieces = np.bincount(index[np.unique(cluster, return_index=True)[1]], minlength=len(tolerance_m))
    apart = np.flatnonzero(pieces > 1)
    groups, half_m = tolerance_m.index[apart], tolerance_m.to_numpy(dtype=float)[apart] / 2
    rest = union_by_group(geometry, index, len(tolerance_m))[apart]
    single = whole[whole["group"].isin(groups)].set_index("group").geometry.reindex(groups).to_numpy()
    ground = shapely.difference(single, shapely.buffer(rest, half_m, quad_segs=4))
    return gpd.GeoDataFrame({"group": groups.to_numpy()}, geometry=ground, crs=whole.crs)
