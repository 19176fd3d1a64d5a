"""Small flights whose runs are merged into a standing review that people write into meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from ledger_case import Flown, Signal, record
from review_case import CRS, RUN

from geoai import merging
from geoai.ledger import Ledger
from geoai.publish.archive import zipped
from geoai.publish.functions import register_functions
from geoai.publish.geopackage import add_project, add_styles, write_tables
from geoai.publish.tables import DISCREPANCY, MAP_STATUS, SAMPLE, TO_REVIEW, Table
from geoai.publish.tables import RUN as RUN_TABLE


@dataclass
class Project:
    """A project's ledger and the folders of a flight's runs."""

    root: Path
    ledger: Ledger
    runs: list[Path] = field(default_factory=list)

    @classmethod
    def at(cls, root: Path) -> Project:
        return cls(root, Ledger(root / "ledger.gpkg", CRS))

    @property
    def current(self) -> Path:
        return self.root / "runs" / "F" / merging.FOLDER / "review.gpkg"

    def run(self, signals: Sequence[Signal], **more: Any) -> Path:
        """Do what a run does up to its own review; return its folder."""
        self.ledger.import_runs(self.root / "runs")
        flown = Flown(signals, config=str(len(self.runs)), **more)
        folder = self.root / "runs" / "F" / flown.run_id
        write_run(folder, record(self.ledger, flown), flown)
        self.runs.append(folder)
        return folder

    def merge(self, folder: Path, **more: Any) -> Path:
        return merging.merge_run(folder, self.ledger, **more)

    def merged(self, *signals: Signal, **more: Any) -> Path:
        """Run and merge."""
        return self.merge(self.run(signals, **more))


def write_run(folder: Path, rows: gpd.GeoDataFrame, flown: Flown) -> None:
    """Write what the folder of a run holds, as far as merging looks at it."""
    folder.mkdir(parents=True)
    objects = {
        "map_object_id": [f"b{each.x:.0f}" for each in flown.signals],
        "status": "confirmed",
        "area_m2": [each.side**2 for each in flown.signals],
    }
    sample = {
        "sample_id": [f"{flown.run_id}-{number}" for number in range(len(flown.signals))],
        "stratum": "object",
        "weight": 2.5,
        "question": "?",
        "subject": objects["map_object_id"],
    }
    squares = [each.square for each in flown.signals]
    frames: dict[Table, Any] = {
        DISCREPANCY: rows.assign(reason=flown.run_id, chip=b"jpeg"),
        MAP_STATUS: gpd.GeoDataFrame(objects, geometry=squares, crs=CRS),
        SAMPLE: gpd.GeoDataFrame(sample, geometry=squares, crs=CRS),
        RUN_TABLE: pd.DataFrame([asdict(replace(RUN, run_id=flown.run_id))]),
    }
    review = folder / "review.gpkg"
    write_tables(review, frames, crs=CRS, language="en")
    styles = dict.fromkeys((DISCREPANCY, MAP_STATUS), f"<qgis run='{flown.run_id}'/>")
    add_styles(review, styles, written=RUN.started)
    archive = zipped({"review.qgs": f"<qgis>{flown.run_id}</qgis>"})
    add_project(review, "review", archive, written=RUN.started)
    (folder / "review.qgz").write_bytes(archive)
    (folder / "orthophoto.vrt").write_text(f"<VRTDataset>{flown.run_id}</VRTDataset>")


# --- reading what is there -------------------------------------------------------------------------------


def query(path: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        register_functions(database)
        found = database.execute(sql, values).fetchall()
        database.commit()
    return found


def rows_of(path: Path, *columns: str) -> dict[str, tuple[Any, ...]]:
    """Return columns of the signals by id."""
    rows = query(path, f"SELECT discrepancy_id, {', '.join(columns)} FROM discrepancy")
    return {row[0]: row[1:] for row in rows}


def id_at(path: Path, signal: Signal) -> str:
    """Return the id of the signal whose square begins where *signal* does."""
    left, bottom, _, _ = signal.square.bounds
    corner = "SELECT discrepancy_id FROM discrepancy WHERE ST_MinX(geom) = ? AND ST_MinY(geom) = ?"
    ((name,),) = query(path, corner, left, bottom)
    return str(name)


def waiting(path: Path) -> set[str]:
    """Return what the layer 'to review' shows."""
    return {name for (name,) in query(path, f"SELECT discrepancy_id FROM discrepancy WHERE {TO_REVIEW}")}


def check_file(path: Path) -> None:
    """The database is whole, and its spatial indexes and counts say what its tables hold."""
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    box = "ST_MinX(geom), ST_MaxX(geom), ST_MinY(geom), ST_MaxY(geom)"
    for table in ("discrepancy", "map_status", "sample"):
        held = {row[0]: row[1:] for row in query(path, f"SELECT fid, {box} FROM {table}")}
        indexed = {row[0]: row[1:] for row in query(path, f"SELECT * FROM rtree_{table}_geom")}
        assert indexed.keys() == held.keys()
        for fid, bounds in held.items():
            assert indexed[fid] == pytest.approx(bounds, abs=1.0)  # the index rounds to 32 bits
        counted = query(path, "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", table)
        assert counted == [(len(held),)]


# --- people, and what happens meanwhile ------------------------------------------------------------------


def edit(path: Path, name: str, words: dict[str, Any]) -> bool:
    """Write reviewer's columns as QGIS does, at once or not at all; say whether that could be done."""
    with closing(sqlite3.connect(path, timeout=0)) as database:
        register_functions(database)
        columns = " = ?, ".join(words)
        sql = f"UPDATE discrepancy SET {columns} = ? WHERE discrepancy_id = ?"
        try:
            with database:
                database.execute(sql, (*words.values(), name))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
    return True


class Interrupted(BaseException):
    """Stands for what ends a process at any statement."""


@contextmanager
def on_statement(hook: Callable[[int], None]) -> Iterator[None]:
    """Have *hook* called with its number before each statement that a merge executes in the review."""
    count = 0

    class Watched(sqlite3.Connection):
        def execute(self, *arguments: Any) -> Any:
            nonlocal count
            count += 1
            hook(count)
            return super().execute(*arguments)

    def connect(target: Path) -> sqlite3.Connection:
        name = f"{target.resolve().as_uri()}?mode=rw"
        return sqlite3.connect(name, uri=True, timeout=0.01, isolation_level=None, factory=Watched)

    before = merging._connect
    merging._connect = connect
    try:
        yield
    finally:
        merging._connect = before
