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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.errors import LedgerError
from geoai.identity import carried_from
from geoai.ledgerfile import SCHEMA, geometries_of, make_tables
from geoai.publish import RunInfo
from geoai.publish.geopackage import timestamp
from geoai.publish.texts import CLASSES, HIDDEN_CLASSES, REOPENED, Language
from geoai.sightings import (
    NEWEST,
    add_run,
    load_signals,
    map_marks,
    write_absent,
    write_later_absences,
    write_seen,
)
from geoai.verdicts import (
    WITHDRAWN,
    Evidence,
    Known,
    Said,
    Standing,
    name_of,
    read_review,
    reopenings,
    rows_of,
    standing,
)

log = logging.getLogger(__name__)

BUSY_S = 120.0
"""How long another run's transaction is waited for."""
RESOLVABLE = ("open", "confirmed", "unclear")
"""Statuses that end by themselves when the map was edited and the signal is gone."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came out of one review: rows that say something, of these new; and what is odd.

    *path* is a file or, without a password, a database. *refused* says that nothing of it could be read.
    """

    path: Path | str
    said: int = 0
    new: int = 0
    problems: tuple[str, ...] = ()
    refused: bool = False


class Answer(NamedTuple):
    """What the ledger says of a signal: what was decided, *because* it is asked again, and if it is over.

    A signal that a run does not list is *gone*, unless the run could not see the place or a newer flight
    shows the signal.
    """

    said: Said
    because: str | None
    gone: bool


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

        *moment* is when the flight was photographed, *themes* what was compared. Added are the columns that
        `tables.DISCREPANCY` has from the ledger and the reviewer: id, lifecycle, when it was seen,
        why it is asked again, what was decided, and the run that saw it. After the run's own rows come those
        that it found to be gone or corrected, and those it could not see and that stay open, with the
        measures of the run that last saw them. Recorded again, a run gets the same answer.

        Raises LedgerError.
        """
        now = timestamp(moment)
        with self._transaction(create=True) as database:
            number = add_run(database, run, now, themes, footprint)
            old = load_signals(database, self.crs)
            found = discrepancies.assign(map_mark=map_marks(discrepancies, mapped))
            at = carried_from(found, old)
            signals = write_seen(database, number, now, found, old, at, self._srs_id(database))
            missed = old.drop(index=old.index[at[at >= 0]])
            write_absent(database, number, now, missed, map_status, discrepancies, mapped, footprint)
            write_later_absences(database, number, now, signals, found)
            _refresh(database)
            rows = _as_shown(database, number, run.started, signals, discrepancies, self.crs, language)
            log.info(
                "%s: %d signals, %d of them new, %d carried beside", self.path.name, len(signals),
                int((rows["lifecycle"] == "new").sum()), len(rows) - len(signals),
            )  # fmt: skip
        return rows

    def answers(self, run_id: str, ids: Sequence[str], language: Language) -> dict[str, Answer]:
        """Return what a review of run *run_id* is to say now of signals, by id; unknown ids are left out.

        Raises LedgerError where the ledger does not know the run.
        """
        with self._opened() as database:
            row = database.execute("SELECT fid, moment FROM run WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                raise LedgerError(f"{self.path}: expected the ledger of run {run_id}, found no word of it")
            run, moment = row
            wanted = set(ids)
            signals = {
                fid: (name, seen_in)
                for fid, name, seen_in in database.execute("SELECT fid, discrepancy_id, seen_in FROM signal")
                if name in wanted
            }
            words = dict(database.execute(f"SELECT signal, found FROM sighting WHERE run = {run}"))
            newest = NEWEST.format(signal="signal.fid", but=f"AND moment > '{moment}'")
            shown_later = {
                fid for (fid,) in database.execute(f"SELECT fid FROM signal WHERE {newest} = 'seen'")
            }
            source = {
                fid: run if words.get(fid) == "seen" else seen_in for fid, (_, seen_in) in signals.items()
            }
            said = _said_now(database, source, language)
        return {
            name: Answer(*said[fid], gone=words.get(fid) != "unseen" and fid not in shown_later)
            for fid, (name, _) in signals.items()
        }

    def decided(self) -> gpd.GeoDataFrame:
        """Return every signal that is decided, as the run that last saw it had it.

        Columns: discrepancy_id, class, family, status, reject_reason ('' where none), flight_id and run_id of
        that run, geometry. What is asked again is not decided. Raises LedgerError where there is no ledger.
        """
        self._require_there()
        with self._opened() as database:
            rows = database.execute(
                "SELECT signal.fid, discrepancy_id, class, family, status, flight_id, run_id, geom "
                "FROM signal JOIN run ON run.fid = seen_in WHERE status <> 'open' ORDER BY signal.fid"
            ).fetchall()
            held = _standings(database, {row[0] for row in rows})
        columns = ["fid", "discrepancy_id", "class", "family", "status", "flight_id", "run_id", "geom"]
        frame = pd.DataFrame(rows, columns=columns)
        geometry = geometries_of(frame.pop("geom").to_list())
        reasons = [held.get(fid, Standing()).said.reject_reason for fid in frame.pop("fid")]
        return gpd.GeoDataFrame(frame.assign(reject_reason=reasons), geometry=geometry, crs=self.crs)

    def shown_predictions(self) -> set[tuple[str, str]]:
        """Return (flight id, model id) of the runs that last saw a signal which still stands."""
        if not self._is_made():
            return set()
        with self._opened() as database:
            rows = database.execute(
                "SELECT DISTINCT flight_id, model_id FROM signal JOIN run ON run.fid = seen_in "
                "WHERE lifecycle = 'seen'"
            )
            return set(rows)

    def import_reviews(self, paths: Sequence[Path | str]) -> tuple[list[Imported], list[str]]:
        """Read what reviewers said in *paths* into the ledger; return what came of each, and the conflicts.

        A path is a GeoPackage, or 'PG:… schema=…' for a review in PostGIS. Each is a transaction of its own;
        one that cannot be used is told and the others go on. The order and how often they are read make no
        difference. Raises LedgerError where there is no ledger.
        """
        self._require_there()
        self.check()
        results, touched = [], set()
        for path in paths:
            try:
                done, signals = self._import_review(path)
            except LedgerError as error:
                done, signals = Imported(_shown_path(path), problems=(str(error),), refused=True), set()
            results.append(done)
            touched |= signals
        with self._opened() as database:
            return results, _conflicts(database, touched)

    def import_runs(self, folder: Path) -> list[str]:
        """Read the reviews of all runs below *folder* that changed since; return what is odd, in lines."""
        if not self._is_made():
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
            read = [path for path, each in zip(changed, results, strict=True) if not each.refused]
            done = [(names[path], marks[path]) for path in read]
            database.executemany("INSERT OR REPLACE INTO imported VALUES (?, ?)", done)
        return [line for each in results for line in each.problems] + conflicts

    def _import_review(self, source: Path | str) -> tuple[Imported, set[int]]:
        reviewed = read_review(source, self.crs)
        path = _shown_path(source)
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
            for discrepancy_id, run_id, said, before in reviewed.rows:
                number, run = numbers.get(discrepancy_id), runs.get(run_id, 0)
                verdict = _as_verdict(
                    said, before if before is not None else shown.get((number, run), Said())
                )
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

    def _is_made(self) -> bool:
        """Whether a run has made the ledger; a first one that was killed leaves a file without tables."""
        if not self.path.exists():
            return False
        with self._opened() as database:
            return database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None

    def _require_there(self) -> None:
        if not self._is_made():
            raise LedgerError(f"{self.path}: expected the ledger that the first run makes, found none")

    def _require_ours(self, database: sqlite3.Connection) -> None:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return  # see _is_made
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
                    make_tables(database, self.crs)
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


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
    started: dt.datetime,
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
    source = {fid: run if fid in own else known[fid][5] for fid in numbers}
    told = _said_now(database, source, language)
    said, because = [told[fid][0] for fid in numbers], [told[fid][1] for fid in numbers]
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
        "reopened_at": pd.to_datetime([reopened and started for reopened in because], utc=True),
        **_provenance(database, [source[fid] for fid in numbers]),
        "status": [each.status for each in said],
        "reject_reason": [each.reject_reason or None for each in said],
        "field_visit": [each.field_visit for each in said],
        "comment": [each.comment or None for each in said],
        "reviewed_by": [each.reviewed_by or None for each in said],
        "reviewed_at": pd.to_datetime([each.reviewed_at or None for each in said], utc=True),
        "known": [Known(each).text() for each in said],
    }
    database.executemany(
        f"UPDATE sighting SET shown = ? WHERE signal = ? AND run = {run}",
        [
            (None if each == Said() else json.dumps(each, ensure_ascii=False), fid)
            for fid, each in zip(numbers, said, strict=True)
        ],
    )
    return frame.assign(**{name: pd.Series(values, index=frame.index) for name, values in columns.items()})


def _said_now(
    database: sqlite3.Connection, source: Mapping[int, int], language: Language
) -> dict[int, tuple[Said, str | None]]:
    """Return what is decided of signals, and why they are asked again: *source* is the run that says what is.

    Told by number; the words of a decision that no longer holds are left out, its comment stays.
    """
    lifecycles = dict(database.execute("SELECT fid, lifecycle FROM signal"))
    held = _standings(database, set(source))
    basis = _bases(database, held)
    now = _evidence(database, {(fid, source[fid]) for fid in held})
    told: dict[int, tuple[Said, str | None]] = {}
    for fid, run in source.items():
        each = held.get(fid, Standing())
        reopened = reopenings(each, basis.get(fid), now[fid, run]) if fid in held else []
        status = _status(each, reopened, lifecycles[fid])
        said = each.said
        if status == "open":
            said = said._replace(status="open", reject_reason="", reviewed_by="", reviewed_at="")
        elif status != said.status:
            said = said._replace(status=status, reviewed_by="", reviewed_at="")
        told[fid] = said, _words(reopened, language) if status == "open" else None
    return told


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
    return gpd.GeoDataFrame(frame, geometry=geometries_of([blob for _, _, blob in rows]), crs=crs)


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
    if shown.status != "open":  # the signature says which decision is taken back
        return said._replace(status=WITHDRAWN, reviewed_by=shown.reviewed_by, reviewed_at=shown.reviewed_at)
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


def _shown_path(source: Path | str) -> Path | str:
    return source if isinstance(source, Path) else name_of(source)


def _mark(path: Path) -> str:
    """Return what changes when a review does: size and time of the file and of its log."""
    log_file = path.with_name(f"{path.name}-wal")
    stats = [each.stat() for each in (path, log_file) if each.exists()]
    return " ".join(f"{stat.st_size}:{stat.st_mtime_ns}" for stat in stats)
