"""A review read back, as it is now: what a part of it, or its copy in a database, is made from."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from xml.etree import ElementTree

import pyogrio

from geoai.errors import PublishError
from geoai.publish.geopackage import reading
from geoai.publish.tables import QUALITY_GRID, TABLES, Table
from geoai.publish.texts import LAYERS, Language

if TYPE_CHECKING:
    import geopandas as gpd

TO_DIVIDE = ("discrepancy_id", "class", "priority", "status", "lifecycle", "policy_group")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a review says of itself: *tables* are those it holds of `tables.TABLES` and the quality grid.

    *crs* is an authority code; the rasters are those that its project shows.
    """

    crs: str
    flight_id: str
    language: Language
    tables: tuple[Table, ...]
    orthophoto: Path
    probability: Path


def snapshot(review: Path, target: Path) -> Opened:
    """Copy *review* to *target* as it was at one moment, also while QGIS edits it; say what it holds.

    *review* is only read. Raises PublishError with one line where it is no review, or lacks a raster.
    """
    with reading(review) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # QGIS leaves WAL, which would put two files beside it
    with reading(target) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(discrepancy)")]
        if absent := [name for name in TO_DIVIDE if name not in columns]:
            found = f"no {', '.join(absent)}" if columns else "no table discrepancy"
            raise PublishError(f"{review}: expected the review of a run, found {found}")
        crs, flight_id, project = database.execute(
            "SELECT (SELECT organization || ':' || organization_coordsys_id FROM gpkg_geometry_columns "
            "JOIN gpkg_spatial_ref_sys USING (srs_id) WHERE table_name = 'discrepancy'), "
            "(SELECT flight_id FROM run ORDER BY fid DESC), "
            "(SELECT content FROM qgis_projects WHERE name = 'review')"
        ).fetchone()
        present = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
        language = language_of(database)
    if project is None:
        raise PublishError(f"{review}: expected a review with its project inside, found none")
    orthophoto, probability = (_raster(project, key, review) for key in ("orthophoto", "probability"))
    tables = tuple(table for table in (*TABLES, QUALITY_GRID) if table.name in present)
    return Opened(crs, flight_id, language, tables, orthophoto, probability)


def language_of(database: sqlite3.Connection) -> Language:
    """Return the language that a review was written in: that of its first layer's title."""
    row = database.execute("SELECT identifier FROM gpkg_contents WHERE table_name = 'discrepancy'").fetchone()
    languages: tuple[Language, ...] = get_args(Language)
    return next((each for each in languages if row and LAYERS["discrepancy"].say(each) == row[0]), "sv")


def read_signals(review: Path) -> gpd.GeoDataFrame:
    """Read what a review puts its signals in order by, indexed by their fid."""
    return pyogrio.read_dataframe(review, layer="discrepancy", columns=list(TO_DIVIDE), fid_as_index=True)


def _raster(project: str, key: str, review: Path) -> Path:
    """Return the file that the layer *key* of a stored project shows."""
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(project))) as archive:
        root = ElementTree.fromstring(archive.read("review.qgs"))
    for layer in root.iter("maplayer"):
        if layer.findtext("id") == f"geoai_layer_{key}":
            path = review.parent / str(layer.findtext("datasource"))
            if not path.is_file():
                raise PublishError(f"{review}: expected its {key} at {path}, found no file")
            return path
    raise PublishError(f"{review}: expected a project that shows the {key}, found none")
