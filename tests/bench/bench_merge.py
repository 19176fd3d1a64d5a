"""How long a merge holds the lock: uv run python tests/bench/bench_merge.py [SIGNALS]

Makes a run of SIGNALS signals with a chip of 8 kB each, begins a standing review with it, and merges three
runs into that: the same one, one whose signals all have other measures, one whose signals all lie elsewhere
as well. Prints the wall time of each merge and how long its longest transaction held the file, which QGIS
waits for at most 5 s.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoai import merging
from geoai.ledger import Answer
from geoai.publish.archive import zipped
from geoai.publish.functions import register_functions
from geoai.publish.geopackage import add_project, add_styles, write_tables
from geoai.publish.review import RunInfo
from geoai.publish.tables import DISCREPANCY, RUN
from geoai.verdicts import NOTHING_SAID

CRS = "EPSG:3006"
held: list[float] = []


class Remembers:
    """Stands in for a ledger in which nothing was decided."""

    crs = CRS

    def import_reviews(self, paths: Any) -> Any:
        """Find nothing new."""
        return [type("Imported", (), {"refused": False, "problems": ()})()], []

    def answers(self, run_id: str, ids: Any, language: str) -> dict[str, Answer]:
        """Say that all is open."""
        return dict.fromkeys(ids, Answer(NOTHING_SAID, None, gone=True))


class Timed(sqlite3.Connection):
    """Notes how long each transaction holds the file."""

    def execute(self, *arguments: Any) -> Any:
        """Execute, by the clock."""
        done = super().execute(*arguments)
        if arguments[0] == "BEGIN IMMEDIATE":
            self.begun = time.perf_counter()
        elif arguments[0] == "COMMIT":
            held.append(time.perf_counter() - self.begun)
        return done


def connect(path: Path) -> sqlite3.Connection:
    """Connect as merging does."""
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, factory=Timed
    )


def write_run(folder: Path, count: int) -> None:
    """Write the review of a run: *count* squares on a plain."""
    run = RunInfo(
        run_id=folder.name,
        flight_id="F",
        photo_date=None,
        started=pd.Timestamp("2026-11-25", tz="UTC").to_pydatetime(),
        geoai_version="",
        model_id="",
        model_checksum="",
        config_hash="",
        map_source="",
        map_snapshot=None,
        gsd_m=0.2,
        crs=CRS,
    )
    x, y = np.arange(count) % 400 * 20.0 + 450_000, np.arange(count) // 400 * 20.0 + 6_400_000
    known = {column.name for column in DISCREPANCY.columns if "NOT NULL" in column.constraint}
    words = dict.fromkeys(known, "x") | {"class": "missing", "family": "presence"}
    frame = gpd.GeoDataFrame(
        words | {"discrepancy_id": [f"{number:032d}" for number in range(count)]},
        geometry=shapely.box(x, y, x + 8, y + 8),
        crs=CRS,
    ).assign(
        lifecycle="new", status="open", field_visit=False, n_seen=1, p_mean=0.5, first_seen=run.started,
        last_seen=run.started, chip=bytes(8000), run_id="x",
    )  # fmt: skip
    folder.mkdir(parents=True)
    review = folder / "review.gpkg"
    frames = {DISCREPANCY: frame, RUN: pd.DataFrame([asdict(run)])}
    write_tables(review, frames, crs=CRS, language="en")
    add_styles(review, {DISCREPANCY: "<qgis/>"}, written=run.started)
    add_project(review, "review", zipped({"review.qgs": "<qgis/>"}), written=run.started)
    (folder / "review.qgz").write_bytes(zipped({"review.qgs": "<qgis/>"}))


def main() -> None:
    """Make, merge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("signals", type=int, nargs="?", default=100_000)
    count = parser.parse_args().signals
    merging._connect = connect
    ledger: Any = Remembers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "F" / "run"
        write_run(folder, count)
        print("| merge | wall | transactions | longest |\n|---|---|---|---|")
        for title, change in (
            ("begun", ""),
            ("the same run", ""),
            ("other measures", "p_mean = p_mean + 0.1"),
            ("other measures and places", "p_mean = p_mean + 0.1, geom = moved(geom)"),
        ):
            if change:
                with closing(sqlite3.connect(folder / "review.gpkg")) as database, database:
                    register_functions(database)
                    database.create_function("moved", 1, lambda blob: blob[:-1] + bytes([blob[-1] ^ 1]))
                    database.execute(f"UPDATE discrepancy SET {change}")
            held.clear()
            begun = time.perf_counter()
            merging.merge_run(folder, ledger)
            longest = max(held, default=0.0)
            print(f"| {title} | {time.perf_counter() - begun:.1f} s | {len(held)} | {longest:.2f} s |")


if __name__ == "__main__":
    main()
