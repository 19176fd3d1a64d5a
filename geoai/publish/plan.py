"""What a plan leaves behind: `plan.gpkg`, styled, that shows which signals would come, go and change."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from geoai.publish.geopackage import add_styles, write_tables
from geoai.publish.qml import xml_text
from geoai.publish.style import plan_style
from geoai.publish.tables import DISCREPANCY, Column, Table
from geoai.publish.texts import Language, Words

if TYPE_CHECKING:
    import geopandas as gpd

_SHARED = {column.name: column for column in DISCREPANCY.columns}


def _like(name: str, as_name: str = "", alias: Words | None = None) -> Column:
    """Return a column of the discrepancies as the plan has it: any value, NULL too, and nobody edits it."""
    column = _SHARED[name]
    return replace(column, name=as_name or name, alias=alias or column.alias, constraint="", owner="publish")


COLUMNS = (
    _like("class"),
    _like("class", "class_before", Words("Avvikelsetyp nu", "Class now")),
    _like("theme"),
    _like("policy_group"),
    _like("policy_group", "policy_before", Words("Policygrupp nu", "Policy group now")),
    _like("reason"),
    _like("priority"),
    _like("area_image_m2", "area_m2", Words("Area (m²)", "Area (m²)")),
    _like("area_image_m2", "area_before_m2", Words("Area nu (m²)", "Area now (m²)")),
    _like("length_m"),
    _like("p_mean"),
    _like("map_object_ids"),
    _like("discrepancy_id"),
    _like("status", "verdict"),
    _like("reject_reason", "verdict_reason"),
    _like("comment"),
)
TABLES = {name: Table(name, COLUMNS) for name in ("appearing", "vanishing", "changed")}


def write_plan(path: Path, frames: Mapping[str, gpd.GeoDataFrame], *, crs: str, language: Language) -> None:
    """Write the frames *appearing*, *vanishing* and *changed* as the layers of a GeoPackage at *path*.

    A plan that lies there is replaced. Raises OSError where the folder cannot be written.
    """
    tables = {TABLES[name]: frame for name, frame in frames.items()}
    styles = {table: xml_text(plan_style(table, language)) for table in tables}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".plan-", dir=path.parent) as name:
        partial = Path(name) / path.name
        write_tables(partial, tables, crs=crs, language=language)
        add_styles(partial, styles, written=dt.datetime.now(dt.UTC))
        partial.replace(path)
