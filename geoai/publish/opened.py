"""A review read back, as it is now: what a part of it, or its copy in a database, is made from."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from xml.etree import ElementTree

import pyogrio

from geoai.errors import PublishError
from geoai.publish.geopackage import reading
from geoai.publish.tables import MAP_LINES, MAP_STATUS, QUALITY_GRID, REGISTRATION, TABLES, Table
from geoai.publish.texts import LAYERS, Language

if TYPE_CHECKING:
    import geopandas as gpd

EXTRA = (QUALITY_GRID, REGISTRATION)
TO_DIVIDE = ("discrepancy_id", "class", "priority", "status", "lifecycle", "policy_group")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a review says of itself: *tables* are those it holds, but for the sample, which stays in it.

    *crs* is an authority code; the rasters are those that its project shows.
    """

    crs: str
    flight_id: str
    language: Language
    tables: tuple[Table, ...]
    orthophoto: Path
    probability: Path
    earlier: Path | None

    def as_shown(self) -> dict[str, Any]:
        """Return what `project.review_project` asks of a review, its title and its signals aside."""
        return {
            "crs": self.crs,
            "orthophoto": self.orthophoto,
            "probability": self.probability,
            "earlier": self.earlier,
            "language": self.language,
            "mapped": MAP_LINES if MAP_LINES in self.tables else MAP_STATUS,
            "extra": [table.name for table in self.tables if table in EXTRA],
        }


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
        kinds = dict(
            database.execute(
                "SELECT table_name, geometry_type_name FROM gpkg_contents "
                "LEFT JOIN gpkg_geometry_columns USING (table_name)"
            )
        )
        language = language_of(database)
    if project is None:
        raise PublishError(f"{review}: expected a review with its project inside, found none")
    shown = _rasters(project, review)
    for key in ("orthophoto", "probability"):
        if key not in shown:
            raise PublishError(f"{review}: expected a project that shows the {key}, found none")
    lines = kinds.get("map_status") == "MULTILINESTRING"
    held = (MAP_LINES if lines and table is MAP_STATUS else table for table in (*TABLES, *EXTRA))
    tables = tuple(table for table in held if table.name in kinds)
    return Opened(
        crs, flight_id, language, tables, shown["orthophoto"], shown["probability"], shown.get("earlier")
    )


def language_of(database: sqlite3.Connection) -> Language:
    """Return the language that a review was written in: that of its first layer's title."""
    row = database.execute("SELECT identifier FROM gpkg_contents WHERE table_name = 'discrepancy'").fetchone()
    languages: tuple[Language, ...] = get_args(Language)
    return next((each for each in languages if row and LAYERS["discrepancy"].say(each) == row[0]), "sv")


def read_signals(review: Path) -> gpd.GeoDataFrame:
    """Read what a review puts its signals in order by, indexed by their fid."""
    return pyogrio.read_dataframe(review, layer="discrepancy", columns=list(TO_DIVIDE), fid_as_index=True)


def _rasters(project: str, review: Path) -> dict[str, Path]:
    """Return the files that the raster layers of a stored project show, by the layers' keys."""
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(project))) as archive:
        root = ElementTree.fromstring(archive.read("review.qgs"))
    found = {}
    for layer in root.iterfind(".//maplayer[@type='raster']"):
        key = str(layer.findtext("id")).removeprefix("geoai_layer_")
        found[key] = review.parent / str(layer.findtext("datasource"))
        if not found[key].is_file():
            raise PublishError(f"{review}: expected its {key} at {found[key]}, found no file")
    return found
