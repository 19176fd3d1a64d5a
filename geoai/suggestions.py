"""What a cartographer can copy into the map: the evidence of a signal, regularised and fitted to the map.

What is new is squared, drawn up to the walls of mapped neighbours where it all but touches them, and never
laid over them. A mapped object that was extended or reduced keeps its corners where nothing changed.
"""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.outlines import square
from geoai.vector import Geometries, polygonal, union_by_group

SUGGESTED = ("missing", "extended", "reduced", "reshaped")
PER_M = 100
"""Outlines are squared in whole centimetres, each from a corner of its own."""
SQUARE_M = 1.0
"""Tolerance of squaring: a detection's corners are cut off by a metre or two."""
RECTANGLE = 0.85
"""What fills its rectangle to this share is one."""
SEAM_M = 0.5
REACH_M = 1.0
"""A gap to a neighbour's wall up to this wide is the model's, where the neighbour's tolerance is wider."""
SLIVER_M = 0.5
"""What is narrower is no part of a building."""
LEAST_M2 = 1.0


def suggest(discrepancies: gpd.GeoDataFrame, mapped: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a polygon for each discrepancy of a class in SUGGESTED, in their CRS, metres.

    *discrepancies* have discrepancy_id, class, theme, map_object_ids (a JSON list) and their evidence as
    geometry; *mapped* has map_object_id, tolerance_m and the map's outlines. Columns: discrepancy_id, class,
    theme, map_object_ids, area_m2. Valid, and no overlap with mapped objects other than its own. A signal
    whose own objects are not in *mapped*, or of which nothing is left, has no suggestion.
    """
    rows = discrepancies[discrepancies["class"].isin(SUGGESTED)]
    signals = rows[["discrepancy_id", "class", "theme", "map_object_ids"]].reset_index(drop=True)
    evidence, outlines = rows.geometry.to_numpy(), mapped.geometry.to_numpy()
    own = _own(signals["map_object_ids"], mapped["map_object_id"])
    base = union_by_group(outlines[own["object"]], own["signal"].to_numpy(), len(signals))
    missing = (signals["class"] == "missing").to_numpy()
    known = missing | ~shapely.is_empty(base)
    added, gone = shapely.difference(evidence, base), shapely.intersection(evidence, base)
    neighbours, reach_m = _neighbours(
        evidence, outlines, own, mapped["tolerance_m"].to_numpy(dtype=np.float64)
    )
    grown = _joined(base, _squared(added), added)
    grown = _up_to_walls(grown, neighbours, reach_m)
    shape = shapely.difference(_without(grown, _squared(gone)), neighbours)
    shape = _cleaned(shape)
    kept = known & (shapely.area(shape) >= LEAST_M2)
    return gpd.GeoDataFrame(
        signals.assign(area_m2=shapely.area(shape)), geometry=shape, crs=discrepancies.crs
    )[kept].reset_index(drop=True)


def _own(named: pd.Series[str], object_ids: pd.Series[str]) -> pd.DataFrame:
    """Return pairs (signal, object) of row numbers: the mapped objects that each signal names."""
    names = named.map(json.loads).explode().dropna()
    where = pd.Series(np.arange(len(object_ids)), index=object_ids.to_numpy())
    pairs = pd.DataFrame({"signal": names.index, "name": names.to_numpy()})
    at = where[~where.index.duplicated()].reindex(pairs["name"]).to_numpy()
    pairs = pairs.assign(object=at).dropna(subset="object")
    return pairs.astype({"signal": np.intp, "object": np.intp})[["signal", "object"]]


def _neighbours(
    evidence: Geometries, outlines: Geometries, own: pd.DataFrame, tolerance_m: NDArray[np.float64]
) -> tuple[Geometries, NDArray[np.float64]]:
    """Return the union of the mapped objects near each signal but its own, and how wide a gap is none (m)."""
    signal, near = shapely.STRtree(outlines).query(evidence, predicate="dwithin", distance=2 * REACH_M)
    pair = signal * np.intp(len(outlines)) + near
    other = ~np.isin(pair, own["signal"].to_numpy() * len(outlines) + own["object"].to_numpy())
    signal, near = signal[other], near[other]
    reach_m = np.full(len(evidence), REACH_M)
    np.minimum.at(reach_m, signal, tolerance_m[near])
    return union_by_group(outlines[near], signal, len(evidence)), reach_m


def _squared(geometries: Geometries) -> Geometries:
    """Return the polygons squared part by part; an empty polygon for what holds none."""
    opened = polygonal(_opened(geometries))
    parts, owner = shapely.get_parts(opened, return_index=True)
    solid = shapely.area(parts) > 0
    parts, owner = parts[solid], owner[solid]
    corner = np.floor(shapely.bounds(parts)[:, :2]) if len(parts) else np.empty((0, 2))
    local = _moved(parts, -corner, PER_M)
    local = shapely.set_precision(local, 1.0)
    whole = shapely.get_type_id(local) == 3
    local[whole] = square(local[whole], tolerance=SQUARE_M * PER_M)
    rectangle = shapely.oriented_envelope(local)
    plain = shapely.area(local) >= RECTANGLE * shapely.area(rectangle)
    local[plain] = rectangle[plain]
    return union_by_group(_moved(local, corner * PER_M, 1.0 / PER_M), owner, len(geometries))


def _moved(geometries: Geometries, offset: NDArray[np.float64], scale: float) -> Geometries:
    """Return each geometry moved by its *offset* (geometry, 2), then scaled."""
    xy, index = shapely.get_coordinates(geometries, return_index=True)
    moved: Geometries = shapely.set_coordinates(geometries.copy(), (xy + offset[index]) * scale)
    return moved


def _joined(base: Geometries, squared: Geometries, traced: Geometries) -> Geometries:
    """Return *base* with the *squared* addition; what was *traced* fills a gap that squaring left."""
    seam = shapely.intersection(traced, shapely.buffer(base, SEAM_M, join_style="mitre"))
    seam = shapely.intersection(seam, shapely.buffer(squared, SEAM_M, join_style="mitre"))
    joined: Geometries = shapely.union(shapely.union(base, squared), seam)
    return joined


def _up_to_walls(shapes: Geometries, walls: Geometries, reach_m: NDArray[np.float64]) -> Geometries:
    """Return *shapes* with the gaps to *walls* filled that are no wider than *reach_m*.

    A gap is what closing the two together fills, within reach of both: notches of the shape's own stay.
    """
    result = shapes.copy()
    near = np.flatnonzero(
        ~shapely.is_empty(walls) & ~shapely.is_empty(shapes) & shapely.dwithin(shapes, walls, reach_m)
    )
    shape, wall, reach = shapes[near], walls[near], reach_m[near]
    both = shapely.union(shape, wall)
    half = reach / 2 + 0.01
    closed = shapely.buffer(shapely.buffer(both, half, join_style="mitre"), -half, join_style="mitre")
    gap = shapely.intersection(
        shapely.difference(closed, both), shapely.buffer(wall, reach, cap_style="flat")
    )
    gap = polygonal(shapely.intersection(gap, shapely.buffer(shape, reach, join_style="mitre")))
    parts, owner = shapely.get_parts(gap, return_index=True)
    bridges = shapely.dwithin(parts, shape[owner], 0.01) & shapely.dwithin(parts, wall[owner], 0.01)
    fills = union_by_group(parts[bridges], owner[bridges], len(near))
    result[near] = shapely.union(shape, shapely.buffer(fills, 0.01, join_style="mitre"))
    return result


def _without(shapes: Geometries, gone: Geometries) -> Geometries:
    """Return *shapes* less what is *gone*, and less the hair that squaring leaves along a wall."""
    some = ~shapely.is_empty(gone)
    left = shapes.copy()
    left[some] = shapely.intersection(_opened(shapely.difference(shapes[some], gone[some])), shapes[some])
    return left


def _opened(geometries: Geometries) -> Geometries:
    """Return the geometries without what is narrower than SLIVER_M; right angles stay."""
    core = shapely.buffer(geometries, -SLIVER_M / 2, join_style="mitre")
    opened: Geometries = shapely.buffer(core, SLIVER_M / 2, join_style="mitre", mitre_limit=2.0)
    return opened


def _cleaned(geometries: Geometries) -> Geometries:
    """Return valid polygons to the millimetre, without specks."""
    parts, owner = shapely.get_parts(
        polygonal(shapely.set_precision(shapely.make_valid(geometries), 0.001)), return_index=True
    )
    real = shapely.area(parts) >= LEAST_M2
    return union_by_group(parts[real], owner[real], len(geometries))
