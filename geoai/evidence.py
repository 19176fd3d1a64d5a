"""The evidence of a comparison: which geometries speak for each case, and how sure the imagery is there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.feature import FeatureSource, JSONFeature
from exactextract.raster import RasterioRasterSource
from numpy.typing import NDArray
from rasterio.windows import Window

from geoai.raster import P_SCALE, gdal_environment
from geoai.vector import Geometries, to_millimetres, union_by_group

Cases: TypeAlias = pd.DataFrame
STATISTICS = {
    "p_mean": "mean",
    "p_q10": "quantile(q=0.1)",
    "p_q90": "quantile(q=0.9)",
    "p_q95": "quantile(q=0.95)",
}


def with_evidence(
    objects: gpd.GeoDataFrame,
    seen: gpd.GeoDataFrame,
    parts: gpd.GeoDataFrame,
    probability: Path,
    band: int,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Add the probabilities within mapped objects, changes, and detections that may be evidence themselves.

    *seen* says which those are, in its column evidence.
    """
    mapped = objects.geometry.to_numpy()
    inner = shapely.buffer(mapped, -objects["tolerance_m"].to_numpy() / 2, join_style="mitre")
    inner = np.where(shapely.is_empty(inner), mapped, inner)
    inner[objects["visible_share"] == 0] = shapely.Polygon()
    free = np.where(seen["evidence"], seen.geometry.to_numpy(), shapely.Polygon())
    p = zonal(np.concatenate([inner, free, parts.geometry.to_numpy()]), probability, band)
    ends = np.cumsum([len(inner), len(free)])
    of_objects, of_seen, of_parts = p[: ends[0]], p[ends[0] : ends[1]], p[ends[1] :]
    return (
        objects.assign(**_columns(of_objects)),
        seen.rename(columns={"p_mean": "p_seen"}).assign(**_columns(of_seen)),
        parts.assign(**_columns(of_parts)),
    )


def zonal(geometries: Geometries, probability: Path, band: int) -> NDArray[np.float64]:
    """Return STATISTICS of the probability (0 to 1) under each polygon, pixels weighted by their share in it.

    (polygon, statistic); NaN where there is none. Polygons are visited along a curve, so that neighbours find
    their blocks decompressed.
    """
    geometries = to_millimetres(geometries)
    result = np.full((len(geometries), len(STATISTICS)), np.nan)
    polygons = np.flatnonzero(~shapely.is_empty(geometries))
    if not len(polygons):
        return result
    features = gpd.GeoSeries(geometries[polygons])
    order = np.argsort(features.hilbert_distance().to_numpy(), kind="stable")
    outlines = shapely.to_wkb(geometries[polygons[order]])
    with gdal_environment(), rasterio.open(probability) as source:
        measured = exact_extract(
            _Blocks(source, band),
            _Outlines(outlines, source.crs.to_wkt()),
            list(STATISTICS.values()),
            output="pandas",
        )
    result[polygons[order]] = measured.apply(pd.to_numeric).to_numpy(dtype=np.float64) / P_SCALE
    return result


class _Blocks(RasterioRasterSource):  # type: ignore[misc]
    """A raster read block by block: of many small windows in a neighbourhood, one reads for all."""

    STEP_PX, SIDE_PX, KEPT = 1024, 1280, 32

    def __init__(self, source: rasterio.DatasetReader, band: int) -> None:
        super().__init__(source, band)
        self._block = lru_cache(self.KEPT)(self._read)

    def _read(self, col: int, row: int) -> NDArray[np.uint8]:
        width, height = (min(self.SIDE_PX, all_px) for all_px in (self.ds.width - col, self.ds.height - row))
        values: NDArray[np.uint8] = self.ds.read(self.band_idx, window=Window(col, row, width, height))
        return values

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[np.uint8]:
        """Return the values of a window; which of them are nodata `nodata_value` says."""
        col, row = (first // self.STEP_PX * self.STEP_PX for first in (x0, y0))
        if x0 + nx > col + self.SIDE_PX or y0 + ny > row + self.SIDE_PX:
            values: NDArray[np.uint8] = self.ds.read(self.band_idx, window=Window(x0, y0, nx, ny))
            return values
        return self._block(col, row)[y0 - row : y0 - row + ny, x0 - col : x0 - col + nx]


class _Outlines(FeatureSource):  # type: ignore[misc]
    """Polygons as exactextract takes them, without a detour by GeoJSON."""

    def __init__(self, outlines: NDArray[np.object_], crs_wkt: str) -> None:
        super().__init__()
        self._outlines, self._crs_wkt = outlines, crs_wkt

    def count(self) -> int:
        return len(self._outlines)

    def srs_wkt(self) -> str:
        return self._crs_wkt

    def __iter__(self) -> Iterator[_Outline]:
        return map(_Outline, self._outlines)


class _Outline(JSONFeature):  # type: ignore[misc]
    def __init__(self, outline: bytes) -> None:
        super().__init__()
        self._outline = outline

    def geometry(self) -> bytes:
        return self._outline


def _columns(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return dict(zip(STATISTICS, values.T, strict=True))


def evidence_sides(cases: Cases) -> pd.DataFrame:
    """Return which geometries are the evidence of each case: of the map, the image, added or removed."""
    extent = cases["class"].isin(["extended", "reduced", "reshaped"])
    elsewhere = cases["class"].isin(["moved", "replaced"])
    partly = (cases["class"] == "uncertain_absence") & (cases["seen"] > 0)
    return pd.DataFrame(
        {
            "map": cases["mapped"] & ~extent & ~partly & ~elsewhere,
            "image": ~cases["mapped"] | elsewhere,
            "added": cases["class"].isin(["extended", "reshaped"]),
            "removed": cases["class"].isin(["reduced", "reshaped"]) | partly,
        }
    )


def gather_evidence(
    cases: Cases, objects: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, parts: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the geometry of each case and the mean probabilities within it, by area."""
    columns = ["case", "area_m2", *STATISTICS, "geometry"]
    parts = parts.rename(columns={"group": "case"})
    layers = {
        "map": objects,
        "image": seen,
        "added": parts[parts["added"]],
        "removed": parts[~parts["added"]],
    }
    sides = evidence_sides(cases)
    chosen = [
        layer.loc[sides[side].reindex(layer["case"], fill_value=False).to_numpy(dtype=bool), columns]
        for side, layer in layers.items()
    ]
    rows = pd.concat([rows for rows in chosen if len(rows)] or chosen[:1], ignore_index=True)
    geometry = union_by_group(rows.geometry.to_numpy(), cases.index.get_indexer(rows["case"]), len(cases))
    evidence = gpd.GeoDataFrame(
        mean_by(rows, "case").reindex(cases.index), geometry=geometry, crs=objects.crs
    )
    evidence.loc[sides["added"] & sides["removed"], [*STATISTICS]] = np.nan  # seen here, gone there: no mean
    return evidence


def mean_by(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the mean probabilities of the rows of each *key*, weighted by area."""
    weighted = rows[[*STATISTICS]].mul(rows["area_m2"], axis=0).groupby(rows[key]).sum(min_count=1)
    return weighted.div(rows.groupby(key)["area_m2"].sum(), axis=0)
