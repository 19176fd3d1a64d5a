"""The digital map, from whatever it is kept in, as mapped objects in the project CRS.

Wrong or missing input is one line: the source, what was expected, what was found. What can be mended without
guessing (invalid polygons, curves, heights, stray points, unreadable dates) is mended, counted and logged.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.crs import CRS

from geoai import postgis
from geoai.config import MapSettings
from geoai.errors import CRSError, MapError
from geoai.grid import crs_name, same_crs
from geoai.inputs import check_map
from geoai.redaction import without_secrets
from geoai.vector import defects_of, polygonal, union_by_group

log = logging.getLogger(__name__)


def read_map(settings: MapSettings, crs: CRS, *, lines: bool = False) -> gpd.GeoDataFrame:
    """Read the mapped objects of *settings.source* in the project's *crs*, pieces of one object joined.

    They are polygons; where *lines* will do as well, a layer holds either.

    Columns: map_object_id (str, unique), theme, map_status ('current' or 'planned'), sigma_m (standard error
    of position), map_date (datetime64, NaT where unknown), defect (of the outline as it was drawn, '' for
    none: `vector.defects_of`), geometry (2D; polygons are valid; of either kind single and multiple ones).
    Raises MapError or CRSError.
    """
    if settings.source is None:
        raise MapError("map.source: expected the digital map (file, folder or connection string), found none")
    name = without_secrets(settings.source)
    expected = "polygons or lines" if lines else "polygons"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Measured .M. geometry types are not supported")
        features = _features(settings, name, expected)
    features = _in_crs(features, settings, crs, name)
    features = _current_and_planned(features, settings, name)
    features = _repaired(features, name, expected)
    return _joined(_attributes(features, settings, name), name)


def _features(settings: MapSettings, name: str, expected: str) -> gpd.GeoDataFrame:
    """Read the features of one layer: geometry in 2D and without curves, the configured columns.

    The index is the feature id.
    """
    if postgis.is_connection(name):
        features, layer = _from_postgis(settings, name)
    else:
        with _gdals_warnings_logged(name):
            features, layer = _from_ogr(settings, name)
    if features.empty:
        found = f"none where {settings.where}" if settings.where else "an empty layer"
        raise MapError(f"{name}: expected {expected} in {layer!r}, found {found}")
    return features


@contextmanager
def _gdals_warnings_logged(name: str) -> Iterator[None]:
    """Log what GDAL warns of, which it would print with the password of an address in it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", RuntimeWarning)
        try:
            yield
        finally:
            for each in said:
                log.warning("%s: %s", name, without_secrets(" ".join(str(each.message).split())))


def _from_ogr(settings: MapSettings, name: str) -> tuple[gpd.GeoDataFrame, str]:
    source = str(settings.source)
    drivers: tuple[str, ...] = ()
    if not _is_remote(source):
        if not Path(source).exists():
            raise MapError(f"{name}: expected a file or folder, found none")
        drivers = check_map(Path(source))
    try:
        listed = pyogrio.list_layers(source)
    except DataSourceError as error:
        raise MapError(f"{name}: expected a source that OGR can open, found {_line(error)}") from None
    layers = [str(layer) for layer, geometry_type in listed if geometry_type is not None]
    layer = _layer(settings.layer, layers, name)
    info = pyogrio.read_info(source, layer=layer)
    if drivers and info["driver"] not in drivers:
        raise MapError(
            f"{name}: expected a map that {' or '.join(drivers)} reads, found one of {info['driver']}"
        )
    present = [str(field) for field in info["fields"]]
    try:
        features = pyogrio.read_dataframe(
            source,
            layer=layer,
            where=settings.where,
            columns=_columns(settings, present, name),
            force_2d=True,
            fid_as_index=True,
        )
    except (ValueError, DataLayerError) as error:
        if settings.where is None:
            raise MapError(f"{name}: expected a readable layer, found {_line(error)}") from None
        raise MapError(
            f"{name}: expected map.where to be a valid filter, found {settings.where!r}: {_line(error)}"
        ) from None
    return features, layer


def _from_postgis(settings: MapSettings, name: str) -> tuple[gpd.GeoDataFrame, str]:
    with postgis.connected(str(settings.source), name=name) as connection:
        tables = {table.name: table for table in postgis.list_tables(connection, name=name)}
        in_full = {table.qualified_name: table.name for table in tables.values()}
        layer = _layer(in_full.get(str(settings.layer), settings.layer), list(tables), name)
        present = list(postgis.column_types(connection, tables[layer]))
        features = postgis.read_table(
            connection,
            tables[layer],
            columns=_columns(settings, present, name),
            where=settings.where,
            name=name,
        )
    return features, layer


def _is_remote(source: str) -> bool:
    return re.match(r"(?i)/vsi|[a-z][a-z0-9+.-]+:", source) is not None


def _line(error: Exception) -> str:
    return without_secrets(" ".join(str(error).split()))


def _layer(wanted: str | None, layers: Sequence[str], name: str) -> str:
    """Return the layer to read: the *wanted* one, or the only one with geometry."""
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted is not None and wanted in layers:
        return wanted
    expected = f"the layer {wanted!r}" if wanted else "map.layer to name one of several layers"
    raise MapError(f"{name}: expected {expected}, found {', '.join(layers) or 'no layer with geometry'}")


def _columns(settings: MapSettings, present: Sequence[str], name: str) -> list[str]:
    """Return the configured columns, each of which must be *present*."""
    keys = ("id_column", "status_column", "date_column", "sigma_column")
    columns = {key: str(getattr(settings, key)) for key in keys if getattr(settings, key) is not None}
    for key, column in columns.items():
        if column not in present:
            raise MapError(f"{name}: expected the column {column!r} (map.{key}), found {', '.join(present)}")
    return sorted(set(columns.values()))


def _in_crs(features: gpd.GeoDataFrame, settings: MapSettings, crs: CRS, name: str) -> gpd.GeoDataFrame:
    """Return the features in *crs*; heights (a compound CRS) do not count as another one."""
    if features.crs is None:
        raise CRSError(f"{name}: expected {crs_name(crs)}, found no CRS")
    flat: pyproj.CRS = features.crs.to_2d()
    found = CRS.from_user_input(flat)
    if same_crs(found, crs):
        return features.set_crs(crs.to_wkt(), allow_override=True)
    if not settings.reproject:
        raise CRSError(
            f"{name}: expected {crs_name(crs)}, found {crs_name(found)}; set map.reproject to bring it over"
        )
    log.info("%s: reprojected from %s to %s", name, crs_name(found), crs_name(crs))
    return features.set_crs(flat, allow_override=True).to_crs(crs.to_wkt())


def _current_and_planned(features: gpd.GeoDataFrame, settings: MapSettings, name: str) -> gpd.GeoDataFrame:
    """Add map_status from the status column and leave out what is neither current nor planned."""
    if settings.status_column is None:
        return features.assign(map_status="current")
    status = features[settings.status_column].astype(str)
    planned = status.isin(settings.planned)
    current = status.isin(settings.current) if settings.current else ~planned
    kept = features.assign(map_status=np.where(planned, "planned", "current"))[planned | current]
    if kept.empty:
        wanted = ", ".join([*settings.current, *settings.planned])
        found = ", ".join(sorted(status.unique())[:10])
        raise MapError(f"{name}: expected {settings.status_column} to be one of {wanted}, found {found}")
    if len(kept) < len(features):
        log.info("%s: %d features of another status left out", name, len(features) - len(kept))
    return kept


def _repaired(features: gpd.GeoDataFrame, name: str, expected: str) -> gpd.GeoDataFrame:
    """Return the features that are polygons, made valid, or those that are lines, where they are expected.

    The column defect says what was wrong with a polygon.
    """
    geometry = features.geometry.to_numpy()
    kinds = pd.Series(features.geom_type).fillna("no geometry")
    areal = kinds.isin(["Polygon", "MultiPolygon", "GeometryCollection"]).to_numpy()
    linear = kinds.isin(["LineString", "MultiLineString", "LinearRing"]).to_numpy()
    if linear.any() and "lines" in expected:
        if areal.any():
            found = f"{_counted(kinds)}; map.where can choose"
            raise MapError(f"{name}: expected {expected} in one layer, found {found}")
        left = linear & (shapely.length(geometry) > 0)
        if not left.any():
            raise MapError(f"{name}: expected lines, found {_counted(kinds)} without length")
        if not left.all():
            log.warning("%s: %d features without length left out", name, int((~left).sum()))
        return features.assign(defect="")[left]
    geometry = np.where(areal, geometry, shapely.Polygon())
    defect = defects_of(geometry)
    invalid = defect != ""
    geometry[invalid] = shapely.make_valid(geometry[invalid], method="structure", keep_collapsed=False)
    geometry = polygonal(geometry)
    left = shapely.area(geometry) > 0
    if not left.any():
        raise MapError(f"{name}: expected {expected}, found {_counted(kinds)}")
    if invalid.any():
        log.warning("%s: %d invalid polygons repaired", name, int(invalid.sum()))
    if not left.all():
        log.warning("%s: %d features without area left out", name, int((~left).sum()))
    return features.set_geometry(geometry, crs=features.crs).assign(defect=defect)[left]


def _counted(kinds: pd.Series[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.value_counts().sort_index().items())


def _attributes(features: gpd.GeoDataFrame, settings: MapSettings, name: str) -> gpd.GeoDataFrame:
    """Return the features with the columns of the mapped contract."""
    return gpd.GeoDataFrame(
        {
            "map_object_id": _ids(features, settings, name),
            "theme": np.full(len(features), settings.theme, dtype=object),
            "map_status": features["map_status"].to_numpy(dtype=object),
            "sigma_m": _sigmas(features, settings, name),
            "map_date": _dates(features, settings, name),
            "defect": features["defect"].to_numpy(dtype=object),
        },
        geometry=features.geometry.to_numpy(),
        crs=features.crs,
    )


def _ids(features: gpd.GeoDataFrame, settings: MapSettings, name: str) -> NDArray[Any]:
    """Return the object ids as text; the feature id where there is no other."""
    fids = features.index.to_numpy()
    if settings.id_column is None:
        return np.array([str(fid) for fid in fids], dtype=object)
    column = features[settings.id_column]
    unknown = column.isna().to_numpy() | (column.astype(str).str.strip() == "").to_numpy()
    if unknown.any():
        log.warning("%s: %d objects without %s named fid-…", name, int(unknown.sum()), settings.id_column)
    whole = pd.api.types.is_float_dtype(column)  # OGR gives whole numbers with gaps as floats
    values = [f"{value:.0f}" if whole and value == value // 1 else str(value) for value in column]
    named = [f"fid-{fid}" if gone else value for value, gone, fid in zip(values, unknown, fids, strict=True)]
    return np.array(named, dtype=object)


def _sigmas(features: gpd.GeoDataFrame, settings: MapSettings, name: str) -> NDArray[np.float64]:
    """Return the standard error of position (m); the configured one where the map does not say."""
    if settings.sigma_column is None:
        return np.full(len(features), settings.sigma_m)
    column = features[settings.sigma_column]
    sigmas = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~(sigmas >= 0) & column.notna().to_numpy()
    _check_readable(column, wrong, "a number of metres", settings.sigma_column, name)
    return np.where(sigmas >= 0, sigmas, settings.sigma_m)


def _dates(features: gpd.GeoDataFrame, settings: MapSettings, name: str) -> NDArray[np.datetime64]:
    """Return the date of each object's last change (UTC), NaT where the map does not say."""
    if settings.date_column is None:
        return np.full(len(features), np.datetime64("NaT", "ms"))
    column = features[settings.date_column]
    texts = column if pd.api.types.is_datetime64_any_dtype(column) else column.astype("string")
    dates = pd.to_datetime(texts, errors="coerce", utc=True, format=None if texts is column else "ISO8601")
    wrong = dates.isna().to_numpy() & column.notna().to_numpy()
    _check_readable(column, wrong, "a date (YYYY-MM-DD)", settings.date_column, name)
    days: NDArray[np.datetime64] = dates.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]")
    return days


def _check_readable(
    column: pd.Series[Any], wrong: NDArray[np.bool_], expected: str, key: str, name: str
) -> None:
    """Raise MapError where no value of *column* can be read, log where some cannot."""
    if not wrong.any():
        return
    example = column[wrong].iloc[0]
    if wrong.sum() == column.notna().sum():
        raise MapError(f"{name}: expected {key} to be {expected}, found {example!r}")
    log.warning("%s: %d values of %s taken as unknown, e.g. %r", name, int(wrong.sum()), key, example)


def _joined(pieces: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Join the pieces that share an id: as uncertain as the worst of them, as new as the last."""
    group, ids = pd.factorize(pieces["map_object_id"])
    if len(ids) == len(pieces):
        return pieces
    by_id = pieces.drop(columns="geometry").groupby(group)
    torn = by_id["map_status"].nunique() > 1
    if torn.any():
        raise MapError(
            f"{name}: expected one status for each object, "
            f"found {ids[int(torn.argmax())]!r} current and planned"
        )
    log.info("%s: %d pieces joined to %d objects", name, len(pieces), len(ids))
    rows = by_id.agg(
        {
            "map_object_id": "first",
            "theme": "first",
            "map_status": "first",
            "sigma_m": "max",
            "map_date": "max",
            "defect": "max",  # by the alphabet, as it happens: overlaps before intersects before other
        }
    )
    geometry = union_by_group(pieces.geometry.to_numpy(), group, len(ids))
    return gpd.GeoDataFrame(rows, geometry=geometry, crs=pieces.crs)
