"""What the project remembers of its signals: who they are, which flights saw them, what was decided.

One GeoPackage beside the catalogue, written in short transactions; a process that is killed leaves it as it
was. Nothing in it is ever deleted, and what holds follows from what happened in the order of the photos, not
of the runs: an older flight that is processed later changes nothing that a newer one said.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import math
import sqlite3
import struct
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from geoai.errors import LedgerError
from geoai.identity import carried_from
from geoai.publish import RunInfo
from geoai.publish.geopackage import timestamp
from geoai.publish.texts import CLASSES, HIDDEN_CLASSES, REOPENED, Language
from geoai.vector import Geometries
from geoai.verdicts import (
    WITHDRAWN,
    Evidence,
    Said,
    Standing,
    read_review,
    reopenings,
    rows_of,
    standing,
)

log = logging.getLogger(__name__)

SCHEMA = "1"
BUSY_S = 120.0
"""How long another run's transaction is waited for."""
SAME_PLACE_M = 100_000.0
"""A ledger whose flights all lie farther than this from a new one is another project's."""
COVERED = 0.8
"""Share of a signal that a flight must show to say that it is gone."""
MAPPED = 0.5
"""Share of a signal that other mapped objects must cover for the map to have been edited there."""
GONE_CLASSES = ("demolished", "uncertain_absence", "reduced")
"""Classes that the less probable, the surer they are."""
RESOLVABLE = ("open", "confirmed", "unclear")
"""Statuses that end by themselves when the map was edited and the signal is gone."""

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
NEWEST = """(SELECT found FROM sighting JOIN run ON run.fid = sighting.run
  WHERE signal = {signal} AND found <> 'unseen' {but} ORDER BY moment DESC, run.fid DESC LIMIT 1)"""
"""What the newest flight (of its runs the last) that could say anything says of a signal."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came out of one reviewed GeoPackage: rows that say something, of these new; and what is odd.

    *refused* says that nothing of it could be read.
    """

    path: Path
    said: int = 0
    new: int = 0
    problems: tuple[str, ...] = ()
    refused: bool = False


class Ledger:
    """The ledger of one project, at *path*, in *crs* (an authority code); made by the first run."""

    def __init__(self, path: Path, crs: str) -> None:
        """Remember where the ledger is; nothing is opened or made."""
        self.path, self.crs = path, crs

    def check(self) -> None:
        """Raise LedgerError with one line where a file is there that is not this project's ledger."""
        if self.path.exists():
            with self._opened():
                pass

    def record(
        self,
        run: RunInfo,
        *,
        moment: dt.datetime,
        themes: Sequence[str],
        discrepancies: gpd.GeoDataFrame,
        map_status: gpd.GeoDataFrame,
        mapped: gpd.GeoDataFrame,
        footprint: shapely.Geometry,
        language: Language,
    ) -> gpd.GeoDataFrame:
        """Write down what *run* found and return its discrepancies as the review shows them.

        *moment* is when the flight was photographed, *themes* what was compared. Added are the columns that `tables.DISCREPANCY` has from
        the ledger and the reviewer: the id, the lifecycle, when it was seen, why it is asked again, what was
        decided, and the run that saw it. After the run's own rows come those that it found to be gone or
        corrected, and those it could not see and that stay open: with the measures of the run that last saw
        them. Recorded again, a run gets the same answer. Raises LedgerError.
        """
        now = timestamp(moment)
        with self._transaction(create=True) as database:
            number = _add_run(database, run, now, themes, footprint)
            old = _load_signals(database, self.crs)
            found = discrepancies.assign(map_mark=_map_marks(discrepancies, mapped))
            at = carried_from(found, old)
            signals = _write_seen(database, number, now, found, old, at, self._srs_id(database))
            missed = old.drop(index=old.index[at[at >= 0]])
            _write_absent(database, number, now, missed, map_status, discrepancies, mapped, footprint)
            _write_later_absences(database, number, now, signals, found)
            _refresh(database)
            rows = _as_shown(database, number, signals, discrepancies, self.crs, language)
            log.info(
                "%s: %d signals, %d of them new, %d carried beside", self.path.name, len(signals),
                int((rows["lifecycle"] == "new").sum()), len(rows) - len(signals),
            )  # fmt: skip
        return rows

    def import_reviews(self, paths: Sequence[Path]) -> tuple[list[Imported], list[str]]:
        """Read what reviewers said in *paths* into the ledger; return what came of each, and the conflicts.

        Each file is a transaction of its own; a file that cannot be used is told and the others go on. The
        order of the files and how often they are read make no difference. Raises LedgerError where there is
        no ledger.
        """
        if not self.path.exists():
            raise LedgerError(f"{self.path}: expected the ledger that the first run makes, found none")
        self.check()
        results, touched = [], set()
        for path in paths:
            try:
                done, signals = self._import_review(path)
            except LedgerError as error:
                done, signals = Imported(path, problems=(str(error),), refused=True), set()
            results.append(done)
            touched |= signals
        with self._opened() as database:
            return results, _conflicts(database, touched)

    def import_runs(self, folder: Path) -> list[str]:
        """Read the reviews of all runs below *folder* that changed since; return what is odd, in lines."""
        if not self.path.exists():
            return []
        with self._opened() as database:
            known = dict(database.execute("SELECT path, mark FROM imported"))
        marks = {path: _mark(path) for path in sorted(folder.glob("*/*/review.gpkg"))}
        names = {path: path.relative_to(folder).as_posix() for path in marks}
        changed = [path for path, mark in marks.items() if known.get(names[path]) != mark]
        if not changed:
            return []
        results, conflicts = self.import_reviews(changed)
        with self._transaction() as database:
            done = [(names[each.path], marks[each.path]) for each in results if not each.refused]
            database.executemany("INSERT OR REPLACE INTO imported VALUES (?, ?)", done)
        return [line for each in results for line in each.problems] + conflicts

    def _import_review(self, path: Path) -> tuple[Imported, set[int]]:
        reviewed = read_review(path, self.crs)
        problems = list(reviewed.problems)
        with self._transaction() as database:
            numbers = dict(database.execute("SELECT discrepancy_id, fid FROM signal"))
            runs = dict(database.execute("SELECT run_id, fid FROM run"))
            unknown = sorted({row[0] for row in reviewed.rows} - set(numbers))
            if unknown and len(unknown) == len({row[0] for row in reviewed.rows}):
                raise LedgerError(
                    f"{path}: expected a review of this project, found none of its {len(unknown)} ids here"
                )
            known_after = max(runs.values(), default=0)
            shown = _shown(database, {runs.get(row[1], 0) for row in reviewed.rows})
            verdicts = []
            lost = 0
            for discrepancy_id, run_id, said in reviewed.rows:
                number, run = numbers.get(discrepancy_id), runs.get(run_id, 0)
                before = shown.get((number, run), Said())
                verdict = _as_verdict(said, before)
                if verdict is None:
                    continue
                if number is None:
                    lost += 1
                    continue
                verdicts.append((number, run, known_after, *verdict))
            if unknown:
                problems.append(
                    f"{path}: expected ids of this project, found {len(unknown)} unknown ones, "
                    f"{lost} with a decision, such as {unknown[0]}"
                )
            before_count = _count(database)
            database.executemany(
                "INSERT INTO verdict (signal, run, known_after, status, reject_reason, field_visit, comment, "
                "reviewed_by, reviewed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET run = min(run, excluded.run), "
                "known_after = min(known_after, excluded.known_after)",
                verdicts,
            )
            new = _count(database) - before_count
            touched = {verdict[0] for verdict in verdicts}
            _refresh_decided(database, touched)
        return Imported(path, len(verdicts), new, tuple(problems)), touched

    def _srs_id(self, database: sqlite3.Connection) -> int:
        query = "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'signal'"
        return int(database.execute(query).fetchone()[0])

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the ledger; every refusal is one line that names it."""
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)) as database:
                self._require_ours(database)
                yield database
        except sqlite3.Error as error:
            raise LedgerError(f"{self.path}: expected a ledger that can be used, found {error}") from error

    def _require_ours(self, database: sqlite3.Connection) -> None:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return  # a first run that was killed leaves an empty file
        if "ledger" not in tables:
            raise LedgerError(f"{self.path}: expected a ledger of geoai, found another file")
        told = dict(database.execute("SELECT key, value FROM ledger"))
        for key, expected in (("schema", SCHEMA), ("crs", self.crs)):
            if told.get(key) != expected:
                raise LedgerError(
                    f"{self.path}: expected a ledger of {key} {expected}, found {told.get(key, 'none')}"
                )

    @contextmanager
    def _transaction(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """Hold the ledger for writing; all of the block happens or nothing."""
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                if create and not database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                    _make(database, self.crs)
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


def _make(database: sqlite3.Connection, crs: str) -> None:
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
    database.execute(f"PRAGMA application_id = {marks[0]}")
    database.execute(f"PRAGMA user_version = {marks[1]}")
    database.executemany("INSERT INTO ledger VALUES (?, ?)", [("schema", SCHEMA), ("crs", crs)])


# --- recording a run -------------------------------------------------------------------------------------


def _add_run(
    database: sqlite3.Connection,
    run: RunInfo,
    moment: str,
    themes: Sequence[str],
    footprint: shapely.Geometry,
) -> int:
    """Return the number of the run, the one it has where it was recorded before."""
    places = [shapely.from_wkb(wkb) for (wkb,) in database.execute("SELECT footprint FROM run")]
    apart_m = min((place.distance(footprint) for place in places), default=0.0)
    if apart_m > SAME_PLACE_M:
        raise LedgerError(
            f"{_file_of(database)}: expected the ledger of this place, found one whose flights lie "
            f"{apart_m / 1000:.0f} km from {run.flight_id}"
        )
    database.execute(
        "INSERT OR IGNORE INTO run (run_id, flight_id, photo_date, moment, themes, model_id, config_hash, "
        "map_snapshot, gsd_m, footprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.run_id, run.flight_id, run.photo_date and run.photo_date.isoformat(), moment,
            json.dumps(sorted(themes)), run.model_id, run.config_hash, run.map_snapshot, run.gsd_m,
            shapely.to_wkb(footprint),
        ),
    )  # fmt: skip
    query = "SELECT fid FROM run WHERE run_id = ?"
    return int(database.execute(query, (run.run_id,)).fetchone()[0])


def _file_of(database: sqlite3.Connection) -> str:
    return str(database.execute("PRAGMA database_list").fetchone()[2])


def _load_signals(database: sqlite3.Connection, crs: str) -> gpd.GeoDataFrame:
    """Return every signal; the index counts from 0 and the column fid is its number."""
    columns = ["fid", "family", "theme", "map_object_ids", "tolerance_m", "seen_in"]
    rows = database.execute(f"SELECT {', '.join(columns)}, geom FROM signal ORDER BY fid").fetchall()
    frame = pd.DataFrame(rows, columns=[*columns, "geom"])
    geometry = _geometries(frame.pop("geom").to_list())
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=crs)


def _write_seen(
    database: sqlite3.Connection,
    run: int,
    moment: str,
    found: gpd.GeoDataFrame,
    old: gpd.GeoDataFrame,
    at: NDArray[np.intp],
    srs_id: int,
) -> NDArray[np.intp]:
    """Write the rows of *found* as seen by *run*; return the number of each one's signal.

    A signal looks as the newest flight saw it.
    """
    numbers = np.full(len(found), 0, np.intp)
    numbers[at >= 0] = old["fid"].to_numpy(np.intp)[at[at >= 0]]
    newest = {
        fid: (when, number)
        for fid, when, number in database.execute(
            "SELECT signal.fid, moment, run.fid FROM signal JOIN run ON run.fid = seen_in"
        )
    }
    blobs = _blobs(found.geometry.to_numpy(), srs_id)
    columns = ["class", "family", "theme", "map_object_ids", "tolerance_m"]
    looks = found[columns].astype(object).where(found[columns].notna(), None).to_numpy().tolist()
    measured = _as_json(found.drop(columns=["geometry", "map_mark"]))
    next_number = max(newest, default=0) + 1
    numbers[at < 0] = next_number + np.arange(int((at < 0).sum()))
    is_new = (at < 0).tolist()
    made, updated = [], []
    for number, new, blob, look, text in zip(numbers.tolist(), is_new, blobs, looks, measured, strict=True):
        if new:
            made.append((number, str(uuid.uuid4()), blob, *look, text, run))
        elif newest[number] <= (moment, run):
            updated.append((blob, *look, text, run, number))
    database.executemany(
        f"INSERT INTO signal (fid, discrepancy_id, geom, {', '.join(columns)}, measured, seen_in) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        made,
    )
    database.executemany(
        f"UPDATE signal SET geom = ?, {' = ?, '.join(columns)} = ?, measured = ?, seen_in = ? WHERE fid = ?",
        updated,
    )
    evidence = _evidence_of(found)
    database.executemany(
        "INSERT INTO sighting (signal, run, found, class, area_m2, certainty, confidence, map_mark) "
        f"VALUES (?, {run}, 'seen', ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET found = 'seen', "
        "class = excluded.class, area_m2 = excluded.area_m2, certainty = excluded.certainty, "
        "confidence = excluded.confidence, map_mark = excluded.map_mark",
        [(number, *row) for number, row in zip(numbers.tolist(), evidence, strict=True)],
    )
    return numbers


def _evidence_of(found: gpd.GeoDataFrame) -> list[tuple[Any, ...]]:
    """Return class, area (m²), certainty, confidence (NULL where unknown) and map mark of each row."""
    p = found["p_mean"].to_numpy(dtype=np.float64)
    certainty = np.where(found["class"].isin(GONE_CLASSES), 1 - p, p)
    confidence = found["confidence"].to_numpy(dtype=np.float64)
    columns = [
        found["class"].tolist(),
        shapely.area(found.geometry.to_numpy()).tolist(),
        [None if math.isnan(value) else value for value in certainty.tolist()],
        [None if math.isnan(value) else value for value in confidence.tolist()],
        found["map_mark"].tolist(),
    ]
    return list(zip(*columns, strict=True))


def _write_absent(
    database: sqlite3.Connection,
    run: int,
    moment: str,
    missed: gpd.GeoDataFrame,
    map_status: gpd.GeoDataFrame,
    discrepancies: gpd.GeoDataFrame,
    mapped: gpd.GeoDataFrame,
    footprint: shapely.Geometry,
) -> None:
    """Write what *run* says of the signals it did not find and that were there until then.

    What it did not show, or could not assess, stays as it was.
    """
    (themes,) = database.execute("SELECT themes FROM run WHERE fid = ?", (run,)).fetchone()
    before = f"AND (moment, run.fid) < ('{moment}', {run})"
    query = f"SELECT fid, {NEWEST.format(signal='signal.fid', but=before)} FROM signal"
    there = {fid for fid, found in database.execute(query) if found == "seen"}
    missed = missed[missed["fid"].isin(there) & missed["theme"].isin(json.loads(themes))]
    geometries = missed.geometry.to_numpy()
    area_m2 = shapely.area(geometries)
    shapely.prepare(footprint)
    shows = shapely.intersects(footprint, geometries)
    missed, geometries, area_m2 = missed[shows], geometries[shows], area_m2[shows]
    covered = _share_in(geometries, footprint) >= COVERED
    hidden = _not_assessable(missed, map_status, discrepancies)
    edited = _map_edited(database, missed, mapped)
    found = np.select([hidden | ~covered, edited], ["unseen", "fixed"], "gone")
    database.executemany(
        f"INSERT INTO sighting (signal, run, found) VALUES (?, {run}, ?) "
        "ON CONFLICT DO UPDATE SET found = excluded.found",
        list(zip(missed["fid"].tolist(), found.tolist(), strict=True)),
    )


def _share_in(geometries: Geometries, footprint: shapely.Geometry) -> NDArray[np.float64]:
    share = np.ones(len(geometries))
    cut = ~shapely.covers(footprint, geometries)
    share[cut] = shapely.area(shapely.intersection(geometries[cut], footprint))
    share[cut] /= shapely.area(geometries[cut])
    return share


def _not_assessable(
    missed: gpd.GeoDataFrame, map_status: gpd.GeoDataFrame, discrepancies: gpd.GeoDataFrame
) -> NDArray[np.bool_]:
    """Return which signals lie on something that the run could not assess."""
    unclear = [
        frame.geometry.to_numpy()[(frame[column] == "not_assessable").to_numpy()]
        for frame, column in ((map_status, "status"), (discrepancies, "class"))
    ]
    return _meets(missed.geometry.to_numpy(), np.concatenate(unclear))


def _meets(geometries: Geometries, others: Geometries) -> NDArray[np.bool_]:
    mask = np.zeros(len(geometries), bool)
    mask[shapely.STRtree(others).query(geometries, predicate="intersects")[0]] = True
    return mask


def _map_edited(
    database: sqlite3.Connection, missed: gpd.GeoDataFrame, mapped: gpd.GeoDataFrame
) -> NDArray[np.bool_]:
    """Return which signals had their mapped objects changed, or are covered by others now."""
    marks = dict(
        database.execute(
            "SELECT signal.fid, map_mark FROM signal JOIN sighting ON signal = signal.fid AND run = seen_in"
        )
    )
    now = _map_marks(missed, mapped)
    edited = np.array(
        [marks[fid] != mark for fid, mark in zip(missed["fid"].tolist(), now, strict=True)], bool
    )
    geometries, objects = missed.geometry.to_numpy(), mapped.geometry.to_numpy()
    first, second = shapely.STRtree(objects).query(geometries, predicate="intersects")
    ids = mapped["map_object_id"].to_numpy(dtype=str)
    own = [set(json.loads(text)) for text in missed["map_object_ids"]]
    other = np.array(
        [ids[b] not in own[a] for a, b in zip(first.tolist(), second.tolist(), strict=True)], bool
    )
    first, second = first[other], second[other]
    shared_m2 = shapely.area(shapely.intersection(geometries[first], objects[second]))
    covered_m2 = np.bincount(first, weights=shared_m2, minlength=len(missed))
    result: NDArray[np.bool_] = edited | (covered_m2 >= MAPPED * shapely.area(geometries))
    return result


def _map_marks(frame: pd.DataFrame, mapped: gpd.GeoDataFrame) -> list[str]:
    """Return the version of each row's mapped objects (their outlines in cm and dates), '' without any."""
    lists = [json.loads(text) for text in frame["map_object_ids"]]
    wanted = {str(each) for ids in lists for each in ids}
    about = mapped[mapped["map_object_id"].isin(wanted)]
    outlines = shapely.normalize(shapely.transform(about.geometry.to_numpy(), lambda xy: np.round(xy, 2)))
    dates = about["map_date"].astype(str)
    versions = {
        str(key): uuid.uuid5(uuid.NAMESPACE_OID, f"{wkb} {date}").hex[:12]
        for key, wkb, date in zip(
            about["map_object_id"], shapely.to_wkb(outlines, hex=True), dates, strict=True
        )
    }
    return [" ".join(versions.get(str(each), "-") for each in sorted(map(str, ids))) for ids in lists]


def _write_later_absences(
    database: sqlite3.Connection, run: int, moment: str, signals: NDArray[np.intp], found: gpd.GeoDataFrame
) -> None:
    """Say for newer flights that were processed before that they show the place and not the signal."""
    later = database.execute(
        f"SELECT fid, themes, footprint FROM run WHERE (moment, fid) > ('{moment}', {run}) "
        "ORDER BY moment DESC, fid DESC"
    ).fetchall()
    geometries = found.geometry.to_numpy()
    for number, themes, wkb in later:
        footprint = shapely.from_wkb(wkb)
        told = {fid for (fid,) in database.execute("SELECT signal FROM sighting WHERE run = ?", (number,))}
        unclear = database.execute(
            "SELECT geom FROM signal JOIN sighting ON signal = signal.fid "
            "WHERE run = ? AND sighting.class = 'not_assessable'",
            (number,),
        ).fetchall()
        silent = (
            ~np.isin(signals, list(told))
            & found["theme"].isin(json.loads(themes)).to_numpy()
            & ~_meets(geometries, _geometries([blob for (blob,) in unclear]))
        )
        silent[silent] = _share_in(geometries[silent], footprint) >= COVERED
        database.executemany(
            f"INSERT INTO sighting (signal, run, found) VALUES (?, {number}, 'gone')",
            [(fid,) for fid in signals[silent].tolist()],
        )


def _refresh(database: sqlite3.Connection) -> None:
    """Write into each signal what follows from its sightings and verdicts."""
    database.execute(
        "UPDATE signal SET (first_seen, last_seen, n_seen) = (SELECT min(moment), max(moment), "
        "count(DISTINCT flight_id) FROM sighting JOIN run ON run.fid = sighting.run "
        "WHERE signal = signal.fid AND found = 'seen'), "
        f"lifecycle = {NEWEST.format(signal='signal.fid', but='')}"
    )
    database.execute(
        "UPDATE signal SET status = CASE lifecycle WHEN 'fixed' THEN 'fixed' ELSE 'open' END "
        "WHERE fid NOT IN (SELECT signal FROM verdict)"
    )
    _refresh_decided(database, {fid for (fid,) in database.execute("SELECT DISTINCT signal FROM verdict")})


def _refresh_decided(database: sqlite3.Connection, signals: set[int]) -> None:
    held = _standings(database, signals)
    rows = dict(database.execute("SELECT fid, lifecycle FROM signal"))
    seen_in = dict(database.execute("SELECT fid, seen_in FROM signal"))
    now = _evidence(database, {(fid, seen_in[fid]) for fid in held})
    basis = _bases(database, held)
    database.executemany(
        "UPDATE signal SET status = ? WHERE fid = ?",
        [
            (_status(each, reopenings(each, basis.get(fid), now[fid, seen_in[fid]]), rows[fid]), fid)
            for fid, each in held.items()
        ],
    )


def _status(held: Standing, reopened: Sequence[Any], lifecycle: str) -> str:
    if lifecycle == "fixed" and held.said.status in RESOLVABLE and not held.withdrawn and not held.conflict:
        return "fixed"
    return "open" if reopened else held.said.status


def _standings(database: sqlite3.Connection, signals: set[int]) -> dict[int, Standing]:
    columns = "signal, run, known_after, " + ", ".join(Said._fields)
    rows = database.execute(f"SELECT {columns} FROM verdict")
    return {fid: standing(said) for fid, said in rows_of(r for r in rows if r[0] in signals).items()}


def _bases(database: sqlite3.Connection, held: dict[int, Standing]) -> dict[int, Evidence]:
    """Return what was known of each signal when it was decided on: as its review showed it.

    Where that review did not see it, as the newest flight known by then did.
    """
    runs = {}
    for fid, each in held.items():
        row = database.execute(
            "SELECT run.fid FROM sighting JOIN run ON run.fid = sighting.run "
            "WHERE signal = ? AND found = 'seen' AND (run.fid <= ? OR run.fid = ?) "
            "ORDER BY run.fid = ? DESC, moment DESC, run.fid DESC LIMIT 1",
            (fid, each.known_after, each.run, each.run),
        ).fetchone()
        if row is not None:
            runs[fid] = row[0]
    evidence = _evidence(database, set(runs.items()))
    return {fid: evidence[fid, run] for fid, run in runs.items()}


def _evidence(database: sqlite3.Connection, keys: set[tuple[int, int]]) -> dict[tuple[int, int], Evidence]:
    """Return what runs knew of signals, by (signal, run); all of *keys* were seen."""
    query = (
        "SELECT moment, class, area_m2, certainty, confidence, map_mark "
        "FROM sighting JOIN run ON run.fid = sighting.run WHERE signal = ? AND run.fid = ?"
    )
    found = {}
    for key in sorted(keys):
        moment, code, area_m2, certainty, confidence, mark = database.execute(query, key).fetchone()
        certainty, confidence = (math.nan if value is None else value for value in (certainty, confidence))
        found[key] = Evidence(moment, code, area_m2, certainty, confidence, mark)
    return found


# --- what the review shows -------------------------------------------------------------------------------


def _as_shown(
    database: sqlite3.Connection,
    run: int,
    signals: NDArray[np.intp],
    discrepancies: gpd.GeoDataFrame,
    crs: str,
    language: Language,
) -> gpd.GeoDataFrame:
    """Return the rows of the run's review, and remember what it shows of decisions."""
    beside = _carried(database, run, crs)
    frame = pd.concat([discrepancies, beside], ignore_index=True) if len(beside) else discrepancies.copy()
    numbers = [*signals.tolist(), *beside.index.tolist()]
    known = {
        row[0]: row[1:]
        for row in database.execute(
            "SELECT fid, discrepancy_id, first_seen, last_seen, n_seen, lifecycle, seen_in FROM signal"
        )
    }
    earlier = {
        fid
        for (fid,) in database.execute(
            "SELECT DISTINCT signal FROM sighting WHERE run < ? AND found = 'seen'", (run,)
        )
    }
    own = set(signals.tolist())
    held = _standings(database, set(numbers))
    basis = _bases(database, held)
    source = {fid: run if fid in own else known[fid][5] for fid in numbers}
    now = _evidence(database, {(fid, source[fid]) for fid in held})
    said, because = [], []
    for fid in numbers:
        each = held.get(fid, Standing())
        reopened = reopenings(each, basis.get(fid), now[fid, source[fid]]) if fid in held else []
        status = _status(each, reopened, known[fid][4])
        shown = each.said
        if status == "open":
            shown = shown._replace(status="open", reject_reason="", reviewed_by="", reviewed_at="")
        elif status != shown.status:
            shown = shown._replace(status=status, reviewed_by="", reviewed_at="")
        said.append(shown)
        because.append(_words(reopened, language) if status == "open" else None)
    lifecycle = [
        "gone" if known[fid][4] != "seen" else "persisting" if fid in earlier or fid not in own else "new"
        for fid in numbers
    ]
    columns: dict[str, Any] = {
        "discrepancy_id": [known[fid][0] for fid in numbers],
        "lifecycle": lifecycle,
        "first_seen": pd.to_datetime([known[fid][1] for fid in numbers], utc=True),
        "last_seen": pd.to_datetime([known[fid][2] for fid in numbers], utc=True),
        "n_seen": [known[fid][3] for fid in numbers],
        "reopened_because": because,
        **_provenance(database, [source[fid] for fid in numbers]),
        "status": [each.status for each in said],
        "reject_reason": [each.reject_reason or None for each in said],
        "field_visit": [each.field_visit for each in said],
        "comment": [each.comment or None for each in said],
        "reviewed_by": [each.reviewed_by or None for each in said],
        "reviewed_at": pd.to_datetime([each.reviewed_at or None for each in said], utc=True),
    }
    database.executemany(
        f"UPDATE sighting SET shown = ? WHERE signal = ? AND run = {run}",
        [
            (None if each == Said() else json.dumps(each, ensure_ascii=False), fid)
            for fid, each in zip(numbers, said, strict=True)
        ],
    )
    return frame.assign(**{name: pd.Series(values, index=frame.index) for name, values in columns.items()})


def _words(reopened: Sequence[Any], language: Language) -> str | None:
    """Return why a signal is asked again, in words."""
    if not reopened:
        return None
    parts = []
    for code, values in reopened:
        shown = [CLASSES[value].name.say(language).lower() if code == "class" else value for value in values]
        parts.append(REOPENED[code].say(language).format(*shown))
    text = "; ".join(parts)
    return text[0].upper() + text[1:]


def _carried(database: sqlite3.Connection, run: int, crs: str) -> gpd.GeoDataFrame:
    """Return the signals that the run did not find and that its review tells of, indexed by their number.

    Told are those that it ended or could not assess, unless a newer flight says something else, they were
    rejected, or there was nothing to decide.
    """
    rows = database.execute(
        "SELECT signal.fid, measured, geom FROM signal JOIN sighting ON signal = signal.fid AND run = ? "
        "JOIN run AS this ON this.fid = sighting.run "
        f"WHERE found <> 'seen' AND signal.class NOT IN ({', '.join(repr(c) for c in HIDDEN_CLASSES)}) "
        "AND status <> 'rejected' AND NOT EXISTS (SELECT 1 FROM sighting AS other "
        "JOIN run ON run.fid = other.run WHERE other.signal = signal.fid AND other.found <> 'unseen' "
        "AND (run.moment, run.fid) > (this.moment, this.fid)) ORDER BY signal.fid",
        (run,),
    ).fetchall()
    frame = pd.DataFrame([json.loads(text) for _, text, _ in rows], index=[fid for fid, _, _ in rows])
    if "map_date" in frame:
        frame["map_date"] = pd.to_datetime(frame["map_date"])
    return gpd.GeoDataFrame(frame, geometry=_geometries([blob for _, _, blob in rows]), crs=crs)


def _provenance(database: sqlite3.Connection, runs: Sequence[int]) -> dict[str, list[Any]]:
    columns = ("run_id", "flight_id", "photo_date", "gsd_m", "model_id", "config_hash", "map_snapshot")
    known = {row[0]: row[1:] for row in database.execute(f"SELECT fid, {', '.join(columns)} FROM run")}
    return {name: [known[run][k] for run in runs] for k, name in enumerate(columns)}


# --- verdicts --------------------------------------------------------------------------------------------


def _as_verdict(said: Said, shown: Said) -> Said | None:
    """Return what a row says beyond what its run showed; None where nothing."""
    if said == shown:
        return None
    if said.status != "open":
        return said
    if shown.status != "open":
        return said._replace(status=WITHDRAWN)
    return said if said.comment or said.field_visit else None


def _shown(database: sqlite3.Connection, runs: set[int]) -> dict[tuple[int | None, int], Said]:
    """Return what the reviews of *runs* showed of decisions, by (signal, run), where it was not nothing."""
    shown: dict[tuple[int | None, int], Said] = {}
    for run in sorted(runs):
        query = "SELECT signal, shown FROM sighting WHERE run = ? AND shown IS NOT NULL"
        for signal, text in database.execute(query, (run,)):
            shown[signal, run] = Said(*json.loads(text))
    return shown


def _count(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM verdict").fetchone()[0])


def _conflicts(database: sqlite3.Connection, signals: set[int]) -> list[str]:
    ids = dict(database.execute("SELECT fid, discrepancy_id FROM signal"))
    return [
        f"{ids[fid]}: expected one verdict, found {each.conflict}; left open"
        for fid, each in sorted(_standings(database, signals).items())
        if each.conflict
    ]


def _mark(path: Path) -> str:
    """Return what changes when a review does: size and time of the file and of its log."""
    log_file = path.with_name(f"{path.name}-wal")
    stats = [each.stat() for each in (path, log_file) if each.exists()]
    return " ".join(f"{stat.st_size}:{stat.st_mtime_ns}" for stat in stats)


# --- geometry and values in SQLite -----------------------------------------------------------------------


def _blobs(geometries: Geometries, srs_id: int) -> list[bytes]:
    """Return GeoPackage blobs: header without envelope, little endian, then WKB (OGC 12-128r18, 2.1.3)."""
    header = b"GP\0\1" + struct.pack("<i", srs_id)
    return [header + wkb for wkb in shapely.to_wkb(geometries, byte_order=1)]


def _geometries(blobs: Sequence[bytes]) -> Geometries:
    """Return the geometries of GeoPackage blobs, whatever envelope they carry."""
    sizes = (8, 40, 56, 56, 72)
    wkb = np.array([blob[sizes[blob[3] >> 1 & 7] :] for blob in blobs], object)
    geometries: Geometries = shapely.from_wkb(wkb)
    return geometries


def _as_json(frame: pd.DataFrame) -> list[str]:
    """Return each row as JSON; what is unknown is null."""
    text: str = frame.to_json(orient="records", date_format="iso", lines=True, double_precision=15)
    return text.splitlines()[: len(frame)]  # an empty frame makes an empty line
