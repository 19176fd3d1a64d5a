"""What a signal looks like, in measures that can be explained: how it stands, its shape, its roof.

They say nothing of whether a signal is true. They tell apart what a map leaves out on purpose.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray

from geoai.config import BOUNDED_TRAITS, HeightSettings
from geoai.heights import measure_heights
from geoai.raster import gdal_environment
from geoai.vector import Geometries, to_millimetres, union_by_group

TRAITS = ("attached", *BOUNDED_TRAITS)
CONTACT_M = 1.0
"""A wall that comes this near to a mapped object is in contact with it; outlines are no better than this."""
ATTACHED_M = 2.0
"""From this length of contact on, a part counts as attached."""
NO_HEIGHT = HeightSettings()


def measure_traits(
    outlines: gpd.GeoSeries, mapped: Geometries, orthophoto: Path, height: HeightSettings = NO_HEIGHT
) -> pd.DataFrame:
    """Return TRAITS of each polygon (one row each, from 0), NaN where one was not measured.

    *attached* is 1 where the outline runs along other *mapped* objects (metres, same CRS) for ATTACHED_M,
    else 0; *contact_share* the share of the outline that does; *elongation* and *rectangularity* are the
    ratio of sides and the share filled of the smallest rectangle around the largest part (1 for a square);
    *brightness* (mean of red, green, blue) and *texture* (their standard deviation) are 0 to 1; *height_m* is
    the median height above ground by the rasters of *height*. Raises what `measure_heights` raises.
    """
    geometries = outlines.to_numpy()
    traits = pd.DataFrame(index=range(len(geometries)), columns=list(TRAITS), dtype=np.float64)
    if not len(geometries):
        return traits
    contact_m = _contact_m(geometries, mapped)
    traits["attached"] = (contact_m >= ATTACHED_M).astype(np.float64)
    traits["contact_share"] = contact_m / shapely.length(geometries)
    traits["area_m2"] = shapely.area(geometries)
    traits["elongation"], traits["rectangularity"] = _shape(geometries)
    colours = zonal_bands(geometries, orthophoto, bands=(1, 2, 3)) / 255
    traits["brightness"] = colours[:, :, 0].mean(axis=1)
    traits["texture"] = colours[:, :, 1].mean(axis=1)
    traits["height_m"] = measure_heights(geometries, outlines.crs, height)
    return traits


def _contact_m(geometries: Geometries, mapped: Geometries) -> NDArray[np.float64]:
    """Return how far each outline runs along other mapped objects (m); an object is no other to itself."""
    first, second = shapely.STRtree(mapped).query(geometries, predicate="dwithin", distance=CONTACT_M)
    other = ~shapely.equals(geometries[first], mapped[second])
    first, second = first[other], second[other]
    touched, index = np.unique(first, return_inverse=True)
    reach = shapely.buffer(mapped[second], CONTACT_M, quad_segs=4)
    near = union_by_group(reach, index, len(touched))
    contact_m = np.zeros(len(geometries))
    along = shapely.intersection(shapely.boundary(geometries[touched]), near)
    contact_m[touched] = shapely.length(along)
    return contact_m


def _shape(geometries: Geometries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return elongation and rectangularity of the largest part of each polygon."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    order = np.lexsort((shapely.area(parts), owner))
    largest = parts[order[np.flatnonzero(np.diff(owner[order], append=len(geometries)))]]
    around = shapely.oriented_envelope(largest)
    corners = shapely.get_coordinates(shapely.get_exterior_ring(around)).reshape(-1, 5, 2)
    sides = np.hypot(*(corners[:, 1:3] - corners[:, :2]).transpose(2, 0, 1))
    rectangularity: NDArray[np.float64] = shapely.area(largest) / shapely.area(around)
    return sides.max(axis=1) / sides.min(axis=1), rectangularity


def zonal_bands(geometries: Geometries, raster: Path, *, bands: tuple[int, ...]) -> NDArray[np.float64]:
    """Return mean and standard deviation of each band under each polygon: (polygon, band, 2), NaN for none.

    Polygons are visited along a curve, as in `evidence.zonal`.
    """
    geometries = to_millimetres(geometries)
    result = np.full((len(geometries), len(bands), 2), np.nan)
    polygons = np.flatnonzero(~shapely.is_empty(geometries))
    if not len(polygons):
        return result
    features = gpd.GeoDataFrame(geometry=geometries[polygons])
    order = np.argsort(features.hilbert_distance().to_numpy(), kind="stable")
    with gdal_environment(), rasterio.open(raster) as source:
        ordered = features.iloc[order].set_crs(source.crs.to_wkt())
        for number, band in enumerate(bands):
            measured = exact_extract(
                RasterioRasterSource(source, band), ordered, ["mean", "stdev"], output="pandas"
            )
            result[polygons[order], number] = measured.apply(pd.to_numeric).to_numpy(dtype=np.float64)
    return result
