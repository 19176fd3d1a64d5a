"""How much of each object the imagery can show: tree crowns and deep shadow hide what stands below them.

A crown is green *and* mottled: twigs, leaves and the dark between them. Lawns and green roofs are as green
and smooth, car parks and rubble as mottled and grey; neither hides anything. Greenness is excess green in
chromatic coordinates (Woebbecke et al. 1995), or NDVI where near infrared is there; mottle and grain are the
local coefficient of variation of brightness at two sizes, medians over a wider window: a single edge is none.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from numpy.typing import NDArray

from geoai.config import CompareSettings, VisibilitySettings
from geoai.grid import PixelBox
from geoai.heights import measure_heights
from geoai.raster import gdal_environment, read_padded
from geoai.vector import Geometries, to_millimetres

BLOCK_PX = 512
BRANCH_M, TWIG_M = 1.8, 1.0
"""Sides of the windows in which brightness varies: a branch with its shade, and what is finer.

A wall with its shade varies as much, but along a line: too little of the wider window below.
"""
CROWN_M = 3.0
"""Side of the window of which more than half must vary, and whose greenness is taken."""
NEVER = 255
CAUSES = ("canopy", "shadow", "no_imagery")


class Ground(NamedTuple):
    """What hides the ground, (row, col) bool: tree crowns, and deep shadow beside them."""

    canopy: NDArray[np.bool_]
    shadow: NDArray[np.bool_]


def classify_ground(
    data: NDArray[np.uint8], valid: NDArray[np.bool_], *, gsd_m: float, settings: VisibilitySettings
) -> Ground:
    """Return where *data* (band, row, col; red, green, blue, near infrared if there) shows crowns or shadow.

    *valid* is (row, col); windows that reach over its edge say nothing about crowns.
    """
    red, green, blue = data[:3].astype(np.float32)
    luma = cv2.cvtColor(np.ascontiguousarray(data[:3].transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
    crown_px = _odd(CROWN_M, gsd_m)
    if len(data) > 3:
        near = data[3].astype(np.float32)
        green_enough = _ratio(near - red, near + red, crown_px) >= settings.canopy_ndvi
    else:
        green_enough = _ratio(2 * green - red - blue, red + green + blue, crown_px) >= settings.canopy_green
    canopy = green_enough & (_mean(valid.astype(np.float32), crown_px) > 1 - 1e-4)
    for side_m, least in ((BRANCH_M, settings.canopy_mottle), (TWIG_M, settings.canopy_grain)):
        varied = _variation(luma, _odd(side_m, gsd_m)) >= least
        canopy &= _mean(varied.astype(np.float32), crown_px) >= 0.5  # that is: the median is
    dark = _mean(luma, _odd(TWIG_M, gsd_m)) < settings.shadow_level
    return Ground(canopy, dark & ~canopy & valid)


def _odd(side_m: float, gsd_m: float) -> int:
    """Return the odd number of pixels nearest to *side_m*, at least 3."""
    return max(3, 2 * round((side_m / gsd_m - 1) / 2) + 1)


def _mean(values: NDArray[Any], side_px: int) -> NDArray[np.float32]:
    return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (side_px, side_px)), np.float32)


def _variation(luma: NDArray[Any], side_px: int) -> NDArray[np.float32]:
    """Return the coefficient of variation of brightness in the window around each pixel."""
    mean = _mean(luma, side_px)
    square = np.asarray(cv2.sqrBoxFilter(luma, cv2.CV_32F, (side_px, side_px)), np.float32)
    variation: NDArray[np.float32] = np.sqrt(np.maximum(square - np.square(mean), 0.0)) / (mean + 1.0)
    return variation


def _ratio(above: NDArray[np.float32], below: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """Return the ratio of means over a window: bright pixels count for more than dark, noisy ones."""
    return _mean(above, side_px) / (_mean(below, side_px) + 1.0)


def hidden_shares(
    geometries: Geometries, orthophoto: Path, settings: VisibilitySettings
) -> NDArray[np.float64]:
    """Return the share of each polygon under tree crowns and in deep shadow, (polygon, 2).

    *orthophoto* is uint8 in the polygons' CRS: red, green, blue, and near infrared where a band says so. NaN
    where a polygon holds no valid pixel. It is read by blocks: memory does not grow with it.
    """
    counts = np.zeros((len(geometries), 3))  # pixels under crowns, in shadow, in all
    if not len(geometries):
        return counts[:, :2]
    geometries = to_millimetres(geometries)
    tree = shapely.STRtree(geometries)
    with gdal_environment(), rasterio.open(orthophoto) as source:
        gsd_m = float(source.transform.a)
        bands = (1, 2, 3, 4) if "nir" in source.descriptions else (1, 2, 3)
        halo = _odd(CROWN_M, gsd_m) + _odd(BRANCH_M, gsd_m)
        for block in _blocks(source.width, source.height):
            around = shapely.box(*_bounds(block, source.transform))
            inside = np.sort(tree.query(around, predicate="intersects"))
            box = block.intersection(_box_of(geometries[inside], source.transform)) if len(inside) else None
            if box is None:
                continue
            data, valid = read_padded(source, box.grown(halo), bands=bands)
            ground = classify_ground(data, valid, gsd_m=gsd_m, settings=settings)
            rows, cols = box.slices_in(box.grown(halo))
            layers = (ground.canopy[rows, cols], ground.shadow[rows, cols], valid[rows, cols])
            counts[inside] += _counts(geometries[inside], layers, _bounds(box, source.transform), source)
    with np.errstate(invalid="ignore"):
        return counts[:, :2] / counts[:, 2:]


def _bounds(box: PixelBox, transform: Affine) -> tuple[float, float, float, float]:
    """Return west, south, east and north (m) of a box of pixels."""
    west, north = transform @ (box.col, box.row)
    east, south = transform @ (box.col_stop, box.row_stop)
    return west, south, east, north


def _box_of(geometries: Geometries, transform: Affine) -> PixelBox:
    """Return the pixels around *geometries*."""
    west, south, east, north = shapely.total_bounds(geometries).tolist()
    left, top = map(math.floor, ~transform @ (west, north))
    right, bottom = map(math.ceil, ~transform @ (east, south))
    return PixelBox(left, top, right - left, bottom - top)


def _blocks(width: int, height: int) -> list[PixelBox]:
    return [
        PixelBox(col, row, min(BLOCK_PX, width - col), min(BLOCK_PX, height - row))
        for row in range(0, height, BLOCK_PX)
        for col in range(0, width, BLOCK_PX)
    ]


def _counts(
    geometries: Geometries,
    layers: tuple[NDArray[np.bool_], ...],
    bounds: tuple[float, float, float, float],
    source: rasterio.DatasetReader,
) -> NDArray[np.float64]:
    """Return how many pixels of each of the *layers* (the last: what is valid) lie in each polygon."""
    wkt = source.crs.to_wkt()
    valid = layers[-1]
    rasters = [
        NumPyRasterSource(
            np.where(valid, layer, NEVER).astype(np.uint8), *bounds, nodata=NEVER, name=str(n), srs_wkt=wkt
        )
        for n, layer in enumerate(layers)
    ]
    frame = gpd.GeoDataFrame(geometry=geometries).set_crs(wkt)
    sums = exact_extract(rasters, frame, ["sum"], output="pandas")
    counts: NDArray[np.float64] = sums.apply(pd.to_numeric).fillna(0.0).to_numpy(dtype=np.float64)
    return counts


def with_sight(
    objects: gpd.GeoDataFrame,
    seen: gpd.GeoDataFrame,
    parts: gpd.GeoDataFrame,
    orthophoto: Path | None,
    settings: CompareSettings,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Say of mapped objects and of changes how much the imagery can show, and what hides the rest.

    Objects get covered_share (valid pixels), visible_share (valid and not hidden, within the object shrunk by
    half its tolerance), hidden_by (one of CAUSES, None) and a stricter assessable: an object that was not
    seen must be visible enough. One that was seen is assessable under any crown. Parts get
    visible_share, 1 where something was added.
    """
    inner = _shrunk(objects.geometry.to_numpy(), objects["tolerance_m"].to_numpy() / 2)
    found = objects["group"].isin(seen["group"]).to_numpy()
    hidden = np.zeros((len(objects) + len(parts), 2))
    asked = np.concatenate([~found & ~objects["cut"], ~parts["added"]])
    if orthophoto is not None:
        places = np.concatenate([inner, _shrunk(parts.geometry.to_numpy(), settings.min_width_m / 2)])
        hidden[asked] = np.nan_to_num(hidden_shares(places[asked], orthophoto, settings.visibility))
    of_objects, of_parts = hidden[: len(objects)], hidden[len(objects) :]
    covered = objects["visible_share"].to_numpy(dtype=np.float64)
    visible = covered * (1 - of_objects.sum(axis=1))
    cause = np.column_stack([of_objects * covered[:, None], 1 - covered])
    hidden_by = np.array(CAUSES, object)[cause.argmax(axis=1)]
    objects = objects.assign(
        covered_share=covered,
        visible_share=visible,
        hidden_by=np.where(visible < settings.visible_share, hidden_by, None),
        height_m=measure_heights(inner, objects.crs, settings.height),
        assessable=objects["assessable"] & (found | (visible >= settings.visible_share)),
    )
    return objects, parts.assign(visible_share=1 - of_parts.sum(axis=1))


def _shrunk(geometries: Geometries, by_m: NDArray[np.float64] | float) -> Geometries:
    """Return the geometries without their rims, where walls and shade meet; whole if they would vanish."""
    inner = shapely.buffer(geometries, -np.asarray(by_m), join_style="mitre")
    shrunk: Geometries = np.where(shapely.is_empty(inner), geometries, inner)
    return shrunk
