"""Small runs for the tests of the ledger: squares on a plain, and reviews that people write into."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from review_case import CRS, UNKNOWN
from review_case import RUN as EXAMPLE

from geoai.ledger import Ledger
from geoai.publish.geopackage import write_tables
from geoai.publish.tables import DISCREPANCY, RUN

LEFT, BOTTOM = 450_000.0, 6_404_000.0
ALL = (0.0, 0.0, 1000.0, 1000.0)
FAMILY = {"extended": "extent", "reduced": "extent", "not_assessable": "assessability"}


@dataclass(frozen=True)
class Signal:
    """A square of *side* metres at *x*, *y* from the corner of the plain."""

    x: float
    y: float
    code: str = "missing"
    side: float = 10.0
    ids: tuple[str, ...] = ()
    p: float = 0.9
    confidence: float = np.nan

    @property
    def square(self) -> shapely.MultiPolygon:
        return shapely.MultiPolygon([place(self.x, self.y, self.x + self.side, self.y + self.side)])


@dataclass(frozen=True)
class Flown:
    """A run: what it saw of which part of the plain, held against which map ({id: square})."""

    signals: Sequence[Signal]
    flight: str = "2024"
    config: str = "a"
    area: tuple[float, float, float, float] = ALL
    mapped: dict[str, shapely.Geometry] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        return f"{self.flight}-{self.config}"


def place(left: float, bottom: float, right: float, top: float) -> shapely.Polygon:
    return shapely.box(LEFT + left, BOTTOM + bottom, LEFT + right, BOTTOM + top)


def frame_of(signals: Sequence[Signal]) -> gpd.GeoDataFrame:
    """Return *signals* as a comparison hands them over."""
    rows = [
        UNKNOWN
        | {
            "class": each.code,
            "family": FAMILY.get(each.code, "presence"),
            "theme": "building",
            "cause": "unknown",
            "cardinality": "1:1",
            "map_object_ids": json.dumps(each.ids),
            "map_date": pd.NaT,
            "map_status": None,
            "p_mean": each.p,
            "confidence": each.confidence,
            "priority": 0.5,
            "near_edge": False,
        }
        for each in signals
    ]
    columns = None if rows else list(frame_of([Signal(0, 0)]).columns.drop("geometry"))
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry=[each.square for each in signals], crs=CRS)
    return frame.astype({"p_mean": float, "confidence": float, "tolerance_m": float})


def record(ledger: Ledger, flown: Flown, language: Any = "en", crs: str = CRS) -> gpd.GeoDataFrame:
    """Have the ledger record a run, and return the rows of its review."""
    mapped = gpd.GeoDataFrame(
        {
            "map_object_id": pd.Series(list(flown.mapped), dtype=object),
            "theme": pd.Series(["building"] * len(flown.mapped), dtype=object),
            "map_date": pd.NaT,
        },
        geometry=list(flown.mapped.values()),
        crs=crs,
    )
    status = mapped.assign(
        status=np.where(mapped["map_object_id"].isin(flown.hidden), "not_assessable", "confirmed")
    )
    run = replace(
        EXAMPLE,
        run_id=flown.run_id,
        flight_id=flown.flight,
        photo_date=dt.date(int(flown.flight[:4]), 5, 14),
        config_hash=flown.config,
    )
    return ledger.record(
        run,
        moment=dt.datetime(int(flown.flight[:4]), 5, 14, tzinfo=dt.UTC),
        themes=["building"],
        discrepancies=frame_of(flown.signals),
        map_status=status,
        mapped=mapped,
        footprint=place(*flown.area),
        language=language,
    )


def write_review(path: Path, rows: gpd.GeoDataFrame, run_id: str, crs: str = CRS) -> Path:
    """Write the tables of a review that the ledger and its reviewers share."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run = pd.DataFrame([asdict(replace(EXAMPLE, run_id=run_id))])
    write_tables(path, {DISCREPANCY: rows.assign(reason="."), RUN: run}, crs=crs, language="en")
    return path


def decide(path: Path, name: str, status: str, by: str = "Anna", at: str = "2024-09-01", **more: Any) -> None:
    """Do what QGIS does when a row is decided on and saved."""
    signed = {"reviewed_by": by, "reviewed_at": f"{at[:10]}T10:00:00.000Z"}
    values = {"status": status} | (signed if status != "open" else dict.fromkeys(signed)) | more
    with closing(sqlite3.connect(path)) as database, database:
        for function in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(function, 1, lambda _: 1)
        settings = ", ".join(f"{name} = ?" for name in values)
        changed = database.execute(
            f"UPDATE discrepancy SET {settings} WHERE discrepancy_id = ?", (*values.values(), name)
        )
        assert changed.rowcount == 1


def state(ledger: Ledger) -> pd.DataFrame:
    """Return what the ledger holds of each signal, by its place: what does not follow from the order."""
    with closing(sqlite3.connect(ledger.path)) as database:
        columns = "lifecycle, status, first_seen, last_seen, n_seen, class, map_object_ids, hex(geom)"
        return pd.read_sql(f"SELECT {columns} FROM signal", database).sort_values(
            "hex(geom)", ignore_index=True
        )


def dump(ledger: Ledger, *tables: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(ledger.path)) as database:
        return [
            row for table in tables for row in database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        ]
