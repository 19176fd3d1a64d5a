"""The functions that a GeoPackage's spatial index calls: GDAL and QGIS know them, SQLite itself does not."""

from __future__ import annotations

import sqlite3
import struct

import shapely

NO_ENVELOPE = (None, None, None, None)


def register_functions(database: sqlite3.Connection) -> None:
    """Give *database* what the triggers of GeoPackage's rtree extension need (OGC 12-128r18, F.3)."""
    database.create_function("ST_IsEmpty", 1, is_empty, deterministic=True)
    for number, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):
        database.create_function(
            name, 1, lambda blob, number=number: envelope(blob)[number], deterministic=True
        )


def is_empty(blob: bytes | None) -> bool | None:
    """Return whether a GeoPackage geometry is empty; None (NULL) where there is none."""
    return None if blob is None else bool(blob[3] >> 4 & 1)


def envelope(blob: bytes | None) -> tuple[float | None, ...]:
    """Return min x, max x, min y, max y of a GeoPackage geometry, in its CRS; Nones where it has none."""
    if blob is None or is_empty(blob):
        return NO_ENVELOPE
    if blob[3] >> 1 & 7:  # the header holds one, and its first four numbers are these
        return struct.unpack_from("<4d" if blob[3] & 1 else ">4d", blob, 8)
    left, bottom, right, top = shapely.from_wkb(blob[8:]).bounds
    return left, right, bottom, top
