"""The systematic offset between map and imagery, measured where both clearly show the same buildings.

A map may lie a metre or two beside the roofs as a whole: another datum, an old orthophoto it was drawn from,
the height model the imagery was rectified with. That is no discrepancy of any building, and it would look
like one at every wall. Safe pairs of one mapped object and one detection say how large it is, cell by cell.
It serves to compare; no geometry of the map that is reported is ever moved.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geoai.vector import Geometries, shifted

log = logging.getLogger(__name__)

CELL_M = 500.0
BLOCK_CELLS = 5
"""A cell with too few pairs takes the median of the block of 5 × 5 cells (2.5 km) it lies in."""
MIN_PAIRS = 10
MAX_OFFSET_M = 3.0
PAIR_AREA_M2 = 60.0
PAIR_REACH_M = 5.0
"""Centroids further apart than this are not taken for the same building."""
PAIR_IOU = 0.7
"""Intersection over union of a safe pair once its centroids lie on each other.

Asking for 0.6 of the outlines as they lie, as is usual, would leave out all but large buildings under an
offset of two metres: those it is to measure.
"""


@dataclass(frozen=True)
class Registration:
    """How far the imagery lies from the map, by cells of 500 m.

    *cells*: dx_m and dy_m (metres east and north, from the map to the imagery), pairs (safe ones in the
    cell), spread_m (median distance of its pairs from the offset; NaN where there are none), source ('cell',
    'block' or 'none'), geometry. A row for every cell that holds the centroid of a mapped object.
    """

    cells: gpd.GeoDataFrame

    def at(self, geometries: Geometries) -> NDArray[np.float64]:
        """Return the offset (geometry, 2) at the centroid of each; 0 in cells without mapped objects."""
        west, south = self.cells.bounds[["minx", "miny"]].to_numpy(dtype=np.float64).T
        known = pd.MultiIndex.from_arrays([_cell(west), _cell(south)])
        place = _cell(_centroids(geometries))
        row = known.get_indexer(pd.MultiIndex.from_arrays([place[:, 0], place[:, 1]]))
        offset = np.vstack([self.cells[["dx_m", "dy_m"]].to_numpy(dtype=np.float64), np.zeros((1, 2))])
        there: NDArray[np.float64] = offset[row]  # −1, the row of zeros, where no cell is known
        return there

    def laid(self, geometries: Geometries) -> Geometries:
        """Return mapped *geometries* where the imagery shows them."""
        return shifted(geometries, self.at(geometries))


def measure_registration(mapped: Geometries, seen: Geometries, crs: CRS) -> Registration:
    """Measure the offset between *mapped* (map,) and *seen* (seen,) polygons, metres in *crs*.

    The median of the pairs of a cell, of its block where they are fewer than MIN_PAIRS, else 0; at most
    MAX_OFFSET_M long.
    """
    place = _cell(_centroids(mapped))
    cells = np.unique(place, axis=0).reshape(-1, 2)
    first, offset = safe_pairs(mapped, seen)
    by_cell = _medians(place[first], offset)
    by_block = _medians(place[first] // BLOCK_CELLS, offset)
    index = pd.MultiIndex.from_arrays([cells[:, 0], cells[:, 1]])
    in_block = pd.MultiIndex.from_arrays([cells[:, 0] // BLOCK_CELLS, cells[:, 1] // BLOCK_CELLS])
    near = by_cell.reindex(index).reset_index(drop=True)
    far = by_block.reindex(in_block).reset_index(drop=True)
    sure, fair = near["pairs"] >= MIN_PAIRS, far["pairs"] >= MIN_PAIRS
    moved = near[["dx_m", "dy_m"]].where(sure, far[["dx_m", "dy_m"]].where(fair, 0.0)).astype(float)
    length = np.hypot(moved["dx_m"], moved["dy_m"])
    moved = moved.mul(np.minimum(1.0, MAX_OFFSET_M / np.maximum(length, MAX_OFFSET_M)), axis=0)
    frame = gpd.GeoDataFrame(
        moved.assign(
            pairs=near["pairs"].fillna(0).astype(int),
            spread_m=near["spread_m"],
            source=np.select([sure, fair], ["cell", "block"], default="none"),
        ),
        geometry=shapely.box(*(CELL_M * np.hstack([cells, cells + 1])).T),
        crs=crs,
    )
    _tell(frame)
    return Registration(frame)


def safe_pairs(mapped: Geometries, seen: Geometries) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the mapped objects (pair,) that have a safe partner, and how far (pair, 2) that lies from each.

    Safe is a pair of 60 m² and more whose outlines agree once their centroids lie on each other, each the
    best partner of the other.
    """
    large_map = np.flatnonzero(shapely.area(mapped) >= PAIR_AREA_M2)
    large_seen = np.flatnonzero(shapely.area(seen) >= PAIR_AREA_M2)
    points = shapely.centroid(seen[large_seen])
    first, second = shapely.STRtree(points).query(
        shapely.centroid(mapped[large_map]), predicate="dwithin", distance=PAIR_REACH_M
    )
    first, second = large_map[first], large_seen[second]
    map_m2, seen_m2 = shapely.area(mapped)[first], shapely.area(seen)[second]
    alike = np.minimum(map_m2, seen_m2) >= PAIR_IOU * np.maximum(map_m2, seen_m2)
    first, second, total = first[alike], second[alike], (map_m2 + seen_m2)[alike]
    offset = _centroids(seen[second]) - _centroids(mapped[first])
    shared = shapely.area(shapely.intersection(shifted(mapped[first], offset), seen[second]))
    iou = shared / (total - shared)
    order = np.lexsort((second, first, -iou))
    best = _leads(first, order) & _leads(second, order) & (iou >= PAIR_IOU)
    return first[best], offset[best]


def _leads(key: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which elements come first among those of their *key*, in *order*."""
    mask = np.zeros(len(key), bool)
    mask[order[np.unique(key[order], return_index=True)[1]]] = True
    return mask


def _medians(place: NDArray[np.int64], offset: NDArray[np.float64]) -> pd.DataFrame:
    """Return the median offset, the number of pairs and their spread by *place* (pair, 2)."""
    pairs = pd.DataFrame({"col": place[:, 0], "row": place[:, 1], "dx_m": offset[:, 0], "dy_m": offset[:, 1]})
    by_place = pairs.groupby(["col", "row"])
    middle = by_place[["dx_m", "dy_m"]].transform("median")
    pairs["apart_m"] = np.hypot(pairs["dx_m"] - middle["dx_m"], pairs["dy_m"] - middle["dy_m"])
    by_place = pairs.groupby(["col", "row"])
    return (
        by_place[["dx_m", "dy_m"]]
        .median()
        .assign(pairs=by_place.size(), spread_m=by_place["apart_m"].median())
    )


def _cell(metres: NDArray[np.float64]) -> NDArray[np.int64]:
    cell: NDArray[np.int64] = np.floor(metres / CELL_M).astype(np.int64)
    return cell


def _centroids(geometries: Geometries) -> NDArray[np.float64]:
    points: NDArray[np.float64] = shapely.get_coordinates(shapely.centroid(geometries))
    return points


def _tell(cells: gpd.GeoDataFrame) -> None:
    measured = cells[cells["source"] != "none"]
    dx, dy = (measured[column].median() if len(measured) else 0.0 for column in ("dx_m", "dy_m"))
    log.info(
        "registration: imagery %+.2f m east, %+.2f m north of the map (median of %d of %d cells, %d pairs)",
        dx,
        dy,
        len(measured),
        len(cells),
        cells["pairs"].sum(),
    )
