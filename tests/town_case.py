"""A town whose signals a ledger remembers, and whole reviews of its runs, for those who share them out."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
from ledger_case import Flown, Signal, decide, record
from ledger_case import write_review as write_tables_of
from review_case import CRS, RUN, Case, make_case

from geoai.ledger import Ledger
from geoai.publish import write_review
from geoai.publish.tables import TO_REVIEW

CODES = ("missing", "missing", "demolished", "extended", "reduced", "below_min", "not_assessable")
SEEN = [
    Signal(15.0 * (n % 6), 20.0 * (n // 6), CODES[n % len(CODES)], ids=(f"b{n}",)) for n in range(18)
]  # fmt: skip


@dataclass(frozen=True)
class Town:
    """A review of run 2024-b: signals that wait, are decided, gone, hidden, or set aside."""

    review: Path
    ledger: Path
    case: Case

    def ids(self, where: str = TO_REVIEW) -> list[str]:
        return ids_of(self.review, where)

    def told(self, copy: Path, reviews: Sequence[Path | str]) -> dict[str, list[tuple[Any, ...]]]:
        """Have a copy of the ledger read *reviews*, and return what it then knows, reviewed_at aside."""
        ledger = Ledger(Path(shutil.copyfile(self.ledger, copy)), CRS)
        results, conflicts = ledger.import_reviews(reviews)
        assert not conflicts
        assert not [line for each in results for line in each.problems]
        told = "discrepancy_id, run, known_after, verdict.status, comment, field_visit, reviewed_by"
        return {
            "verdict": sorted(query(copy, f"SELECT {told} FROM verdict JOIN signal ON signal.fid = signal")),
            "signal": query(copy, "SELECT discrepancy_id, status, lifecycle FROM signal ORDER BY fid"),
        }


def ids_of(review: Path, where: str = "TRUE") -> list[str]:
    return [name for (name,) in query(review, f"SELECT discrepancy_id FROM discrepancy WHERE {where}")]


def query(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        return database.execute(statement).fetchall()


def make_town(root: Path) -> Town:
    ledger = Ledger(root / "ledger.gpkg", CRS)
    first = record(ledger, Flown([*SEEN, Signal(150, 150)]))
    before = write_tables_of(root / "first.gpkg", first, "2024-a")
    decide(before, first["discrepancy_id"][3], "confirmed")
    ledger.import_reviews([before])
    rows = record(ledger, Flown(SEEN, config="b"))  # the last one is gone
    rows["priority"] = [0.9, 0.5, 0.5] * 6 + [0.1]
    rows["policy_group"] = [None] * 8 + ["patio_roof"] + [None] * 10
    case = make_case(root / "flight")
    return Town(publish(case, root / "run", rows, "2024-b"), ledger.path, case)


def publish(case: Case, folder: Path, rows: gpd.GeoDataFrame, run_id: str, **frames: Any) -> Path:
    """Write the review of a run that *rows* tell of."""
    return write_review(
        folder,
        replace(RUN, run_id=run_id),
        discrepancies=rows,
        map_status=case.map_status,
        detections=case.detections,
        coverage=case.coverage,
        orthophoto=case.orthophoto,
        probability=case.probability,
        language="en",
        **frames,
    )
