"""What an earlier flight says of today's signals: a real change since, or an error the map had all along."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray

from geoai.config import CompareSettings
from geoai.raster import P_SCALE, gdal_environment
from geoai.vector import Geometries, to_millimetres

APPEARED = ("missing", "extended", "planned_built")
"""Classes whose evidence stands today: if it stood before as well, the map was wrong already."""
VANISHED = ("demolished", "reduced", "obsolete")
"""Classes whose evidence is gone today: if it was gone before as well, the map was wrong already."""
COVERED_SHARE = 0.8
"""Less of the evidence than this on the earlier flight: it says nothing."""
NEWER_MAP_WEIGHT = 0.1
"""What is left of the priority where the map changed after the photograph was taken."""


def with_causes(
    found: gpd.GeoDataFrame, probability: Path, *, band: int, settings: CompareSettings
) -> gpd.GeoDataFrame:
    """Say of discrepancies whether the earlier flight's *probability* (uint8, p × 250) saw the same.

    Adds p_before, the mean inside the evidence (0 to 1, NaN where less than COVERED_SHARE is covered), and
    sets cause. What stood (p_before ≥ missing_confidence) and what did not (< reduced_mean) are the limits
    that today's imagery is held to; in between, and for every other class, the cause stays unknown. The
    raster is in the CRS of *found* and of the same model, or its probabilities mean something else.
    """
    before = _mean_before(found.geometry.to_numpy(), probability, band)
    stood, empty = before >= settings.missing_confidence, before < settings.reduced_mean
    appeared, vanished = found["class"].isin(APPEARED).to_numpy(), found["class"].isin(VANISHED).to_numpy()
    old_error = (appeared & stood) | (vanished & empty)
    change = (appeared & empty) | (vanished & stood)
    cause = np.select([old_error, change], ["old_map_error", "real_change"], "unknown")
    return found.assign(cause=cause, p_before=before)


def _mean_before(geometries: Geometries, probability: Path, band: int) -> NDArray[np.float64]:
    mean = np.full(len(geometries), np.nan)
    with gdal_environment(), rasterio.open(probability) as source:
        there = np.flatnonzero(shapely.intersects(shapely.box(*source.bounds), geometries))
        if not len(there):
            return mean
        features = gpd.GeoDataFrame(geometry=to_millimetres(geometries[there]))
        order = np.argsort(features.hilbert_distance().to_numpy(), kind="stable")
        measured = exact_extract(
            RasterioRasterSource(source, band),
            features.iloc[order].set_crs(source.crs.to_wkt()),
            ["mean", "count"],
            output="pandas",
        )
        p, pixels = measured.apply(pd.to_numeric).to_numpy(dtype=np.float64).T
        pixel_m2 = source.transform.a**2
    covered = pixels * pixel_m2 >= COVERED_SHARE * shapely.area(geometries[there[order]])
    mean[there[order]] = np.where(covered, p / P_SCALE, np.nan)
    return mean


def with_newer_maps(found: gpd.GeoDataFrame, photo_date: dt.date | None) -> gpd.GeoDataFrame:
    """Flag (column map_newer) what the map changed after *photo_date*, and put it last, by priority."""
    if photo_date is None:
        return found.assign(map_newer=False)
    newer = (pd.to_datetime(found["map_date"]) > pd.Timestamp(photo_date)).to_numpy(dtype=bool)
    priority = found["priority"].to_numpy() * np.where(newer, NEWER_MAP_WEIGHT, 1.0)
    order = np.argsort(-priority, kind="stable")
    return found.assign(map_newer=newer, priority=priority).iloc[order].reset_index(drop=True)
