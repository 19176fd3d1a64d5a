"""Writing a GeoPackage whose tables refuse wrong values, and what QGIS looks for inside one.

GDAL makes the file, its spatial references and its spatial indexes; the tables' definitions and rows are
ours, because GDAL writes neither constraints nor NULLs of every type.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyogrio
import shapely

from geoai.errors import GeoaiError, PublishError
from geoai.publish.tables import Column, Table
from geoai.publish.texts import DOMAINS, Language
from geoai.vector import polygonal

if TYPE_CHECKING:
    import geopandas as gpd

BUSY_S = 5.0
"""How long a file in use is waited for: QGIS holds one for less than this while it saves."""

SCHEMA_EXTENSION = "http://www.geopackage.org/spec121/#extension_schema"

OPEN_DOMAINS = ("theme", "coverage_reason")
"""Their words are for show: a model may know themes that have no words yet. They are no closed lists."""

# As QGIS itself creates it. Registered as attributes, it stays out of nobody's way: unregistered tables are
# offered as layers by GDAL.
LAYER_STYLES = """
CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
  f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30),
  styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""

SCHEMA_TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
  definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT,
  description TEXT, mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL,
  value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
"""


def write_tables(
    path: Path, frames: Mapping[Table, pd.DataFrame | gpd.GeoDataFrame], *, crs: str, language: Language
) -> None:
    """Write a new GeoPackage 1.3 at *path*, one table a frame; a column the frame lacks becomes NULL.

    Geometries are in *crs*; lines and points beside their polygons are left out. Raises sqlite3.Error or
    pyogrio's errors where the disk refuses.
    """
    for table, frame in frames.items():
        if table.spatial:
            _write_geometries(path, table, frame, crs)
    with closing(sqlite3.connect(path)) as database, database:
        for table, frame in frames.items():
            _fill_table(database, table, frame, language)
        _describe_columns(database, tuple(frames), language)


def add_styles(path: Path, styles: Mapping[Table, str], *, written: dt.datetime) -> None:
    """Store the default QGIS style (QML text) of each table: QGIS loads it with the layer."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(LAYER_STYLES)
        rows = [
            (table.name, "geom" if table.spatial else "", "geoai", qml, timestamp(written))
            for table, qml in styles.items()
        ]
        database.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
            "styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time) "
            "VALUES ('', '', ?, ?, ?, ?, '', 1, '', '', ?)",
            rows,
        )
        _register_attributes(database, "layer_styles", "QGIS layer styles", len(rows))


def add_project(path: Path, name: str, archive: bytes, *, written: dt.datetime) -> None:
    """Store a zipped QGIS project in the GeoPackage, where QGIS lists it below the file; one of that name
    is replaced.
    """
    metadata = {"last_modified_time": timestamp(written), "last_modified_user": "geoai"}
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"
        )
        database.execute(
            "INSERT OR REPLACE INTO qgis_projects VALUES (?, ?, ?)",
            (name, json.dumps(metadata), archive.hex()),  # QGIS stores hexadecimal text
        )


@contextmanager
def reading(path: Path, error: type[GeoaiError] = PublishError) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage to read, and leave nothing beside it; *error* is what is raised, with one line."""
    if not path.is_file():
        raise error(f"{path}: expected a reviewed GeoPackage, found no file")
    try:
        database = sqlite3.connect(reading_uri(path), uri=True, timeout=BUSY_S)
    except (OSError, sqlite3.Error) as found:
        raise error(f"{path}: expected a readable GeoPackage, found {found}") from None
    try:
        yield database
    except sqlite3.Error as found:
        raise error(f"{path}: expected a readable GeoPackage, found {found}") from None
    finally:
        database.close()


def reading_uri(path: Path) -> str:
    """Return by what name SQLite opens *path* to read, and leaves nothing beside it."""
    # A file that QGIS left in WAL mode is read without its log where there is none: opening it the
    # ordinary way would leave two files beside it.
    with path.open("rb") as file:
        in_wal_mode = file.read(20)[18:20] == b"\2\2"
    alone = in_wal_mode and not path.with_name(f"{path.name}-wal").exists()
    return f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"


def timestamp(moment: dt.datetime) -> str:
    """Return *moment* in UTC with milliseconds: the only form GeoPackage 1.3's validator takes."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _write_geometries(path: Path, table: Table, frame: gpd.GeoDataFrame, crs: str) -> None:
    geometry = frame.geometry.to_numpy()
    pyogrio.raw.write(
        path,
        shapely.to_wkb(geometry if table.lines else polygonal(geometry)),
        [],
        [],
        layer=table.name,
        driver="GPKG",
        geometry_type="MultiLineString" if table.lines else "MultiPolygon",
        promote_to_multi=True,
        crs=crs,
        dataset_options={} if path.exists() else {"VERSION": "1.3"},
        layer_options={"FID": "fid", "GEOMETRY_NAME": "geom", "SPATIAL_INDEX": "YES"},
    )


def _fill_table(database: sqlite3.Connection, table: Table, frame: pd.DataFrame, language: Language) -> None:
    """Put our definition of *table* in place of GDAL's, with all its rows.

    The index's triggers are taken off meanwhile: they call functions that only GDAL and QGIS know, and the
    index already holds these very geometries under these very fids.
    """
    triggers = _texts(
        database, "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", table
    )
    rows: Iterator[tuple[Any, ...]] = zip(*(_values(frame, c) for c in table.columns), strict=True)
    names = [column.name for column in table.columns]
    if table.spatial:
        geometries = database.execute(f'SELECT fid, geom FROM "{table.name}" ORDER BY fid').fetchall()
        database.execute(f'DROP TABLE "{table.name}"')
        rows = (key + row for key, row in zip(geometries, rows, strict=True))
        names = ["fid", "geom", *names]
    database.execute(table.sql())
    places = ", ".join("?" * len(names))
    database.executemany(f'INSERT INTO "{table.name}" ({", ".join(names)}) VALUES ({places})', rows)
    for trigger in triggers:
        database.execute(trigger)
    title = table.title.say(language)
    if table.spatial:
        database.execute("UPDATE gpkg_contents SET identifier = ? WHERE table_name = ?", (title, table.name))
    else:
        _register_attributes(database, table.name, title, len(frame))


def _texts(database: sqlite3.Connection, query: str, table: Table) -> list[str]:
    return [text for (text,) in database.execute(query, (table.name,))]


def _register_attributes(database: sqlite3.Connection, name: str, title: str, count: int) -> None:
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES (?, 'attributes', ?, '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 0)",
        (name, title),
    )
    database.execute("INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES (?, ?)", (name, count))


def _values(frame: pd.DataFrame, column: Column) -> Sequence[Any]:
    """Return the column's values as SQLite takes them; what is unknown (None, NaN, NaT) is NULL."""
    if column.name not in frame:
        return [None] * len(frame)
    series = frame[column.name]
    unknown = series.isna()
    return [None if gone else _stored(value, column) for value, gone in zip(series, unknown, strict=True)]


def _stored(value: Any, column: Column) -> Any:
    if column.type == "REAL":
        return round(float(value), column.decimals)
    if column.type in ("INTEGER", "BOOLEAN"):
        return int(value)
    if column.type == "DATETIME":
        return timestamp(pd.Timestamp(value).to_pydatetime())
    if column.type == "DATE":
        return pd.Timestamp(value).date().isoformat()
    return value if column.type == "BLOB" else str(value)


def _describe_columns(database: sqlite3.Connection, tables: Sequence[Table], language: Language) -> None:
    """Write the schema extension: titles for every column, and the codes of those that have a domain."""
    database.executescript(SCHEMA_TABLES)
    database.executemany(
        "INSERT OR IGNORE INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
        [(name, SCHEMA_EXTENSION) for name in ("gpkg_data_columns", "gpkg_data_column_constraints")],
    )
    database.executemany(
        "INSERT INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
        [
            (f"enum_{domain}", code, words.say(language))
            for domain, codes in DOMAINS.items()
            if domain not in OPEN_DOMAINS
            for code, words in codes.items()
        ],
    )
    database.executemany(
        "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, NULL, ?, ?)",
        [column_description(table, column, language) for table in tables for column in table.columns],
    )


def column_description(table: Table, column: Column, language: Language) -> tuple[str | None, ...]:
    """Return the row of gpkg_data_columns that tells of a column, its empty description left out."""
    title = column.alias.say(language)
    picture = "image/jpeg" if column.type == "BLOB" else None
    domain = f"enum_{column.domain}" if column.domain not in ("", *OPEN_DOMAINS) else None
    return table.name, column.name, title, title, picture, domain
