"""How high stands what the map draws: a height raster as evidence against calling a building demolished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from geoai.config import HeightSettings
from geoai.errors import CRSError, ImageryError
from geoai.inputs import HEIGHTS, open_raster
from geoai.raster import gdal_environment
from geoai.vector import Geometries, to_millimetres


def measure_heights(geometries: Geometries, crs: pyproj.CRS, settings: HeightSettings) -> NDArray[np.float64]:
    """Return the median height above ground (m) inside each polygon, NaN where it is not measured.

    From `ndsm`, or as the median of `dsm` less the median of `dtm`, whose grids need not agree: under one
    building the ground is nearly a plane. The rasters are in *crs*, heights in metres; nodata is left out.
    Raises CRSError where a raster lies in another CRS, ImageryError where it cannot be read or has more bands
    than one.
    """
    if settings.ndsm is not None:
        return _medians(geometries, crs, settings.ndsm)
    if settings.dsm is not None and settings.dtm is not None:
        return _medians(geometries, crs, settings.dsm) - _medians(geometries, crs, settings.dtm)
    return np.full(len(geometries), np.nan)


def check_heights(crs: pyproj.CRS, settings: HeightSettings) -> None:
    """Look at the configured rasters before any work; raises what `measure_heights` raises."""
    for path in (settings.ndsm, settings.dsm, settings.dtm):
        if path is not None:
            _medians(np.array([], object), crs, path)


def files_of(settings: HeightSettings) -> list[Path]:
    """Return the files that the configured rasters are read from: those that a VRT names are among them."""
    files: list[Path] = []
    for path in (settings.ndsm, settings.dsm, settings.dtm):
        if path is not None:
            with gdal_environment(), open_raster(path, HEIGHTS) as source:
                files += map(Path, source.files)
    return files


def _medians(geometries: Geometries, crs: pyproj.CRS, path: Path) -> NDArray[np.float64]:
    try:
        with gdal_environment(), open_raster(path, HEIGHTS) as source:
            _check(source, crs, path)
            medians = np.full(len(geometries), np.nan)
            within = shapely.box(*source.bounds)
            shapely.prepare(within)
            there = np.flatnonzero(shapely.intersects(within, geometries) & ~shapely.is_empty(geometries))
            if len(there):
                features = gpd.GeoDataFrame(geometry=to_millimetres(geometries[there]))
                order = np.argsort(features.hilbert_distance().to_numpy(), kind="stable")
                cells = exact_extract(
                    RasterioRasterSource(source),
                    features.iloc[order].set_crs(source.crs.to_wkt()),
                    ["values", "coverage"],
                    output="pandas",
                )
                medians[there[order]] = _weighted_medians(cells["values"], cells["coverage"])
            return medians
    except RasterioError as error:
        found = " ".join(str(error).split())
        raise ImageryError(f"{path}: expected a readable height raster, found {found}") from error


def _weighted_medians(values: pd.Series[Any], shares: pd.Series[Any]) -> NDArray[np.float64]:
    """Return the lower median of each row's values, weighted; NaN for none.

    exactextract's own median interpolates between distinct values, whatever their weights: of a roof at 4 m
    with a chimney at 30 m it makes 17 m.
    """
    row = np.repeat(np.arange(len(values)), values.map(len))
    medians = np.full(len(values), np.nan)
    if not len(row):
        return medians
    value = np.concatenate([np.ma.filled(each.astype(np.float64), np.nan) for each in values])
    weight = np.where(np.isnan(value), 0.0, np.concatenate([*shares]))
    order = np.lexsort((value, row))
    value, weight, row = value[order], weight[order], row[order]
    total = np.bincount(row, weight, len(values))
    below = np.cumsum(weight) - (np.cumsum(total) - total)[row]
    half = np.flatnonzero((below >= total[row] / 2 - 1e-9) & (weight > 0))
    rows, first = np.unique(row[half], return_index=True)
    medians[rows] = value[half[first]]
    return medians


def _check(source: rasterio.DatasetReader, crs: pyproj.CRS, path: Path) -> None:
    if source.count != 1:
        raise ImageryError(f"{path}: expected one band of heights, found {source.count}")
    if source.crs is None or not _horizontal(pyproj.CRS.from_user_input(source.crs)).equals(_horizontal(crs)):
        found = source.crs.to_string() if source.crs else "none"
        raise CRSError(f"{path}: expected heights in {crs.to_string()}, found {found}")


def _horizontal(crs: pyproj.CRS) -> pyproj.CRS:
    """Return *crs* without its vertical part: heights often come in a compound one."""
    return crs.sub_crs_list[0] if crs.is_compound else crs
