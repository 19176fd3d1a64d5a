"""The ledger as a file: its tables in an empty GeoPackage, and what is stored in their cells."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import shapely

from geoai.vector import Geometries

SCHEMA = "1"
TABLES = """
CREATE TABLE ledger (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
CREATE TABLE run (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, run_id TEXT NOT NULL UNIQUE,
  flight_id TEXT NOT NULL, photo_date DATE, moment DATETIME NOT NULL, themes TEXT NOT NULL, model_id TEXT,
  config_hash TEXT, map_snapshot TEXT, gsd_m REAL, footprint BLOB NOT NULL);
CREATE TABLE signal (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom MULTIPOLYGON,
  discrepancy_id TEXT NOT NULL UNIQUE, class TEXT NOT NULL, family TEXT NOT NULL, theme TEXT,
  map_object_ids TEXT NOT NULL, tolerance_m REAL, lifecycle TEXT NOT NULL DEFAULT 'seen',
  status TEXT NOT NULL DEFAULT 'open', first_seen DATETIME, last_seen DATETIME, n_seen INTEGER,
  seen_in INTEGER NOT NULL REFERENCES run (fid), measured TEXT NOT NULL);
CREATE TABLE sighting (signal INTEGER NOT NULL REFERENCES signal (fid),
  run INTEGER NOT NULL REFERENCES run (fid),
  found TEXT NOT NULL CHECK (found IN ('seen', 'unseen', 'gone', 'fixed')), class TEXT, area_m2 REAL,
  certainty REAL, confidence REAL, map_mark TEXT, shown TEXT, PRIMARY KEY (signal, run)) WITHOUT ROWID;
CREATE TABLE verdict (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  signal INTEGER NOT NULL REFERENCES signal (fid), run INTEGER NOT NULL, known_after INTEGER NOT NULL,
  status TEXT NOT NULL, reject_reason TEXT NOT NULL, field_visit BOOLEAN NOT NULL, comment TEXT NOT NULL,
  reviewed_by TEXT NOT NULL, reviewed_at TEXT NOT NULL,
  UNIQUE (signal, status, reject_reason, field_visit, comment, reviewed_by, reviewed_at));
CREATE TABLE imported (path TEXT PRIMARY KEY NOT NULL, mark TEXT NOT NULL);
"""


def make_tables(database: sqlite3.Connection, crs: str) -> None:
    """Make the tables, in the running transaction: what GDAL makes of an empty GeoPackage, and ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.gpkg"
        pyogrio.raw.write(
            path, np.array([], object), [], [], layer="signal", driver="GPKG", crs=crs,
            geometry_type="MultiPolygon", dataset_options={"VERSION": "1.3"},
            layer_options={"FID": "fid", "GEOMETRY_NAME": "geom", "SPATIAL_INDEX": "NO"},
        )  # fmt: skip
        with closing(sqlite3.connect(path)) as made:
            made.execute('DROP TABLE "signal"')
            statements = [line for line in made.iterdump() if not line.startswith(("BEGIN", "COMMIT"))]
            marks = [
                made.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            ]
    for statement in (*statements, *TABLES.strip().split(";\n")):
        if "sqlite_sequence" not in statement:
            database.execute(statement)
    # the triggers that keep the count went with GDAL's own table; without a count, readers count
    database.execute("UPDATE gpkg_ogr_contents SET feature_count = NULL")
    database.execute(f"PRAGMA application_id = {marks[0]}")
    database.execute(f"PRAGMA user_version = {marks[1]}")
    database.executemany("INSERT INTO ledger VALUES (?, ?)", [("schema", SCHEMA), ("crs", crs)])


def blobs_of(geometries: Geometries, srs_id: int) -> list[bytes]:
    """Return GeoPackage blobs: header without envelope, little endian, then WKB (OGC 12-128r18, 2.1.3)."""
    header = b"GP\0\1" + struct.pack("<i", srs_id)
    return [header + wkb for wkb in shapely.to_wkb(geometries, byte_order=1)]


def geometries_of(blobs: Sequence[bytes]) -> Geometries:
    """Return the geometries of GeoPackage blobs, whatever envelope they carry."""
    sizes = (8, 40, 56, 56, 72)
    wkb = np.array([blob[sizes[blob[3] >> 1 & 7] :] for blob in blobs], object)
    geometries: Geometries = shapely.from_wkb(wkb)
    return geometries


def rows_as_json(frame: pd.DataFrame) -> list[str]:
    """Return each row as JSON; what is unknown is null."""
    text: str = frame.to_json(orient="records", date_format="iso", lines=True, double_precision=15)
    return text.splitlines()[: len(frame)]  # an empty frame makes an empty line
