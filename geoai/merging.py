"""The standing review of a flight: one GeoPackage that people keep open, and that every run is merged into.

`current/review.gpkg` beside the folders of the runs begins as a copy of the first run's review and is written
in place ever after, in short transactions, also while somebody edits it in QGIS: signals keep their rows, and
what a reviewer wrote is never written over. Every step is made by comparing, so a merge that was stopped is
completed by the next one, and merging the same run twice changes nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from geoai.errors import GeoaiError, LedgerError, MergeError
from geoai.files import appearing_whole, temporary_folder
from geoai.ledger import Answer, Ledger
from geoai.publish.functions import register_functions
from geoai.publish.geopackage import column_description, reading_uri, timestamp
from geoai.publish.opened import language_of
from geoai.publish.tables import (
    COVERAGE,
    DETECTION,
    DISCREPANCY,
    MAP_LINES,
    MAP_STATUS,
    QUALITY_GRID,
    REGISTRATION,
    RUN,
    SAMPLE,
    SUGGESTION,
    Table,
)
from geoai.publish.texts import Language
from geoai.report import POLICY, SETTINGS
from geoai.verdicts import NOTHING_SAID, Known, Said, check_review, crs_of_review, said_in

log = logging.getLogger(__name__)

FOLDER = "current"
ROWS = 20_000
"""Most rows a transaction: QGIS gives up saving after 5 s, and so many take half a second."""
TRY_S = 2.0
WAIT_S = 60.0
"""How long somebody else's transaction is waited for, in tries of TRY_S."""
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

OURS = (MAP_STATUS, MAP_LINES, DETECTION, SUGGESTION, COVERAGE, QUALITY_GRID, REGISTRATION, RUN)
"""Tables that nobody but a run writes."""
MEASURED = tuple(
    column.name
    for column in DISCREPANCY.columns
    if column.owner != "reviewer" and column.name not in ("reopened_because", "reopened_at", "known")
)
"""What a run says of a signal; the rest of the pipeline's columns follow from the ledger."""

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) as work proceeds."""
Statement = tuple[str, Sequence[Any]]
Change = list[Statement]
"""What is done to a row in one transaction."""


def standing_review(folder: Path) -> Path:
    """Return where the standing review lies of the flight that the *folder* of a run belongs to."""
    return folder.parent / FOLDER / "review.gpkg"


def ledger_beside(folder: Path) -> Ledger:
    """Return the ledger of the project that the *folder* of a run lies in; raises MergeError without any."""
    review = folder / "review.gpkg"
    try:
        return Ledger(folder.resolve().parents[2] / "ledger.gpkg", crs_of_review(review))
    except LedgerError as error:
        raise MergeError(str(error)) from error


def merge_run(folder: Path, ledger: Ledger, progress: Progress = lambda stage, done, total: None) -> Path:
    """Merge the review in the *folder* of a run into the standing one of its flight; return that one's path.

    What was decided in the standing review is read into the *ledger* first. Raises MergeError with one line
    where the standing review cannot be used or stays in use: nothing is lost then, merge again.
    """
    source, target = folder / "review.gpkg", standing_review(folder)
    if not source.is_file() or folder.name == FOLDER:
        raise MergeError(f"{folder}: expected the folder of a run, found no review of one")
    try:
        check_review(source, ledger.crs)
        if not target.exists():
            _copy(source, target)
        check_review(target, ledger.crs)
        with _opened(target, source) as database:
            _merge(_Waiting(database, target, progress), source, ledger)
        _copy_beside(folder, target.parent)
    except (OSError, sqlite3.Error, GeoaiError) as error:
        found = str(error)
        if isinstance(error, sqlite3.Error):
            found = f"{target}: expected a review that can be written, found {found}"
        raise MergeError(f"{found}; the run is whole in {folder}, merge it again") from error
    return target


def _copy(source: Path, target: Path) -> None:
    """Begin the standing review: it appears whole, and never over a file or the journal of one."""
    target.parent.mkdir(exist_ok=True)
    for suffix in ("-wal", "-journal"):
        found = target.with_name(target.name + suffix)
        if found.exists():
            raise MergeError(f"{target}: expected no review there yet, found {found.name}")
    with temporary_folder(target.parent, ".review-") as folder:
        partial = folder / target.name
        with (
            closing(sqlite3.connect(reading_uri(source), uri=True)) as read,
            closing(sqlite3.connect(partial)) as written,
        ):
            read.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")  # the source may be in another
        partial.rename(target)


def _copy_beside(folder: Path, current: Path) -> None:
    """Copy what belongs to a review: mosaics (tiles lie as far from both folders), settings, policy."""
    for path in [*folder.glob("*.vrt"), folder / SETTINGS, folder / POLICY]:
        if path.is_file():
            _replace(current / path.name, path.read_bytes())


def _replace(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        with appearing_whole(path) as partial:
            partial.write_bytes(content)


@contextmanager
def _opened(target: Path, source: Path) -> Iterator[sqlite3.Connection]:
    """Open the standing review to write, with the run's as the schema run, read only."""
    with closing(_connect(target)) as database:
        register_functions(database)
        database.execute("ATTACH ? AS run", (reading_uri(source),))
        yield database


def _connect(target: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{target.resolve().as_uri()}?mode=rw", uri=True, timeout=TRY_S, isolation_level=None
    )


class _Waiting:
    """Writes into a review that others write into as well: short transactions, and patience between them."""

    def __init__(self, database: sqlite3.Connection, path: Path, progress: Progress) -> None:
        self.database, self.path, self.progress = database, path, progress

    def write(self, changes: Sequence[Change], table: Table | None = None) -> None:
        """Make *changes* to *table*, at most ROWS in a transaction, which happens whole or not at all."""
        touched = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        touch = f"UPDATE main.gpkg_contents SET last_change = {touched} WHERE table_name = ?"
        last: list[Change] = [[(touch, (table.name,))]] if table and changes else []
        rest = iter([*changes, *last])
        while chunk := list(islice(rest, ROWS)):
            self._patiently("BEGIN IMMEDIATE")
            try:
                for change in chunk:
                    for sql, values in change:
                        self.database.execute(sql, values)
                self._patiently("COMMIT")
            except BaseException:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")
                raise

    def _patiently(self, statement: str) -> None:
        begun = time.monotonic()
        while True:
            try:
                self.database.execute(statement)
                return
            except sqlite3.OperationalError as error:
                waited = time.monotonic() - begun
                if error.sqlite_errorcode & 0xFF not in BUSY:
                    raise
                if waited >= WAIT_S:
                    raise MergeError(
                        f"{self.path}: expected a review that can be written, found somebody writing into it "
                        f"for {waited:.0f} s"
                    ) from error
                self.progress("wait for the review, which is in use", round(waited), round(WAIT_S))
                log.warning("%s: in use, waited %.0f of %.0f s", self.path, waited, WAIT_S)


def _merge(review: _Waiting, source: Path, ledger: Ledger) -> None:
    database = review.database
    run_id, flight_id = database.execute("SELECT run_id, flight_id FROM run.run").fetchone()
    found = {flight for (flight,) in database.execute("SELECT flight_id FROM main.run")}
    if found - {flight_id}:
        raise MergeError(
            f"{review.path}: expected the review of flight {flight_id}, found {', '.join(map(str, found))}"
        )
    language = language_of(database)
    _bring_up_to_date(review, language)
    now = timestamp(dt.datetime.now(dt.UTC))
    rows = _rows(database, review.path)
    # What is in the rows now is known to the ledger before anything is written: see `_decided`.
    (imported,), _ = ledger.import_reviews([review.path])
    if imported.refused:
        raise LedgerError(imported.problems[0])
    for line in imported.problems:
        log.warning("%s", line)
    listed = [name for (name,) in database.execute("SELECT discrepancy_id FROM run.discrepancy ORDER BY fid")]
    answers = ledger.answers(run_id, [*rows, *listed], language)
    review.progress("merge", 0, 1)
    review.write(_signal_changes(database, rows, listed, answers, now), DISCREPANCY)
    for table in _shared(database, (SAMPLE,)):
        review.write(_sample_changes(database, table), table)
    for table in _shared(database, OURS):
        review.write(_table_changes(database, table), table)
    _write_project(review, source.with_suffix(".qgz"))
    review.write(_style_changes(database))
    for table in _shared(database, (DISCREPANCY, SAMPLE, *OURS)):
        review.write([_contents_change(database, table)])
    review.progress("merge", 1, 1)


def _bring_up_to_date(review: _Waiting, language: Language) -> None:
    """Add the columns that a review of an older version lacks. Raises MergeError where it lacks too much."""
    database = review.database
    for schema in ("run", "main"):
        known = _columns(database, schema, DISCREPANCY)
        absent = [column for column in DISCREPANCY.columns if column.name not in known]
        if missed := [column.name for column in absent if "NOT NULL" in column.constraint]:
            query = "SELECT file FROM pragma_database_list WHERE name = ?"
            (path,) = database.execute(query, (schema,)).fetchone()
            raise MergeError(f"{path}: expected a review of this version, found none of {', '.join(missed)}")
    add = "INSERT OR IGNORE INTO main.gpkg_data_columns VALUES (?, ?, ?, ?, NULL, ?, ?)"
    changes: list[Change] = []
    for column in absent:
        definition = f"{column.name} {column.type} {column.constraint}".rstrip()
        changes.append(
            [
                (f"ALTER TABLE main.discrepancy ADD COLUMN {definition}", ()),
                (add, column_description(DISCREPANCY, column, language)),
            ]
        )
    review.write(changes)


def _columns(database: sqlite3.Connection, schema: str, table: Table) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA {schema}.table_info({table.name})")}


def _shared(database: sqlite3.Connection, tables: Sequence[Table]) -> list[Table]:
    """Return the tables that both reviews have."""
    return [
        table for table in tables if _columns(database, "run", table) and _columns(database, "main", table)
    ]


# --- signals ---------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """A row of the standing review: its reviewer's columns as stored, the words in them, what was known."""

    stored: tuple[Any, ...]
    said: Said
    known: Known
    lifecycle: str
    because: str | None
    reopened_at: str | None


NEW_ROW = _Row(("open", None, 0, None, None, None), NOTHING_SAID, Known(), "new", None, None)


def _rows(database: sqlite3.Connection, path: Path) -> dict[str, _Row]:
    query = (
        f"SELECT discrepancy_id, {', '.join(Said._fields)}, known, lifecycle, reopened_because, reopened_at "
        "FROM main.discrepancy"
    )
    rows = {}
    for name, *stored, known, lifecycle, because, reopened_at in database.execute(query):
        said = said_in(str(path), stored, [])
        rows[name] = _Row(tuple(stored), said, Known.of(known), lifecycle, because, reopened_at)
    return rows


def _signal_changes(
    database: sqlite3.Connection,
    rows: dict[str, _Row],
    listed: Sequence[str],
    answers: dict[str, Answer],
    now: str,
) -> list[Change]:
    """Return what turns the signals into the run's: new rows, other measures, what is gone, decisions."""
    measured = [name for name in MEASURED if name in _columns(database, "run", DISCREPANCY)]
    names = ", ".join(measured)
    differs = " OR ".join(f"here.{name} IS NOT there.{name}" for name in measured)
    query = (
        f"SELECT discrepancy_id, {differs}, here.geom IS NOT there.geom "
        "FROM main.discrepancy AS here JOIN run.discrepancy AS there USING (discrepancy_id)"
    )
    other = {name: (bool(measures), bool(place)) for name, measures, place in database.execute(query)}
    its = "FROM run.discrepancy WHERE discrepancy_id = ?1"
    insert = f"INSERT INTO main.discrepancy (geom, {names}) SELECT geom, {names} {its}"
    measure = f"UPDATE main.discrepancy SET ({names}) = (SELECT {names} {its}) WHERE discrepancy_id = ?1"
    # The index's triggers follow the column: a place that did not change is not written.
    move = f"UPDATE main.discrepancy SET geom = (SELECT geom {its}) WHERE discrepancy_id = ?1"
    end = "UPDATE main.discrepancy SET lifecycle = 'gone' WHERE discrepancy_id = ?1"
    changes = []
    for name in listed:
        if name not in other:
            changes.append([(insert, (name,)), *_decided(name, NEW_ROW, answers[name], now)])
            continue
        statements = zip(other[name], (measure, move), strict=True)
        changes.append(
            [
                *((sql, (name,)) for differs, sql in statements if differs),
                *_decided(name, rows[name], answers[name], now),
            ]
        )
    for name in rows.keys() - set(listed):
        if (answer := answers.get(name)) is not None:  # a row that a reviewer drew is left alone
            ends = answer.gone and rows[name].lifecycle != "gone"
            changes.append([*([(end, (name,))] if ends else []), *_decided(name, rows[name], answer, now)])
    return [change for change in changes if change]


def _decided(name: str, row: _Row, answer: Answer, now: str) -> Change:
    """Return what the ledger writes into a row: why it is asked again, and decisions from elsewhere.

    Words that somebody wrote in this file stay. The row must still say what it said when it was read: what
    was written since is for the next merge, after the ledger has read it.
    """
    untouched = row.said == NOTHING_SAID or (row.said == row.known.said and row.known.own)
    stored = row.stored
    known = row.known if row.said == row.known.said else Known(row.said, own=False)
    asked_anew = answer.because is not None and row.said != NOTHING_SAID  # its words stay to be read
    if row.said == NOTHING_SAID and answer.said == row.known.said:  # somebody cleared it: not put back
        known = row.known
    elif untouched and not asked_anew and answer.said != row.said:
        known = Known(answer.said)
        status, reason, visit, *signed = answer.said
        stored = (status, reason or None, int(visit), *(value or None for value in signed))
    reopened_at = _reopened_at(row, answer, now)
    before = (row.known.text(), row.because, row.reopened_at)
    after = (known.text(), answer.because, reopened_at)
    if (stored, after) == (row.stored, before):
        return []
    columns = (*Said._fields, "known", "reopened_because", "reopened_at")
    sql = (
        f"UPDATE main.discrepancy SET {' = ?, '.join(columns)} = ? "
        f"WHERE discrepancy_id = ? AND {' IS ? AND '.join(Said._fields)} IS ?"
    )
    return [(sql, (*stored, *after, name, *row.stored))]


def _reopened_at(row: _Row, answer: Answer, now: str) -> str | None:
    """Return when the signal was opened again: later than the decision that no longer holds, else unchanged.

    The decision's time is of another clock than ours.
    """
    if answer.because is None:
        return None
    decided = row.said.reviewed_at
    if answer.because == row.because and row.reopened_at is not None and row.reopened_at > decided:
        return row.reopened_at
    if decided < now:
        return now
    return timestamp((pd.Timestamp(decided) + pd.Timedelta(seconds=1)).to_pydatetime())


# --- the other tables ------------------------------------------------------------------------------------


def _sample_changes(database: sqlite3.Connection, table: Table) -> list[Change]:
    """Return what turns the sample into the run's.

    What an earlier run asked and nobody answered is deleted; answers stay, and stand for nothing any more.
    """
    asked = [column.name for column in table.columns if column.owner != "reviewer"]
    names = ", ".join(["geom", *asked])
    at = asked.index("sample_id") + 2, asked.index("weight") + 2
    here, there = (
        {
            row[at[0]]: row
            for row in database.execute(f"SELECT fid, {names} FROM {schema}.sample ORDER BY fid")
        }
        for schema in ("main", "run")
    )
    silent = " AND ".join(f"{column.name} IS NULL" for column in table.columns if column.owner == "reviewer")
    unit = "stratum, subject, discrepancy_id"  # an id of an older version may name another one
    drop = f"DELETE FROM main.sample WHERE fid = ? AND {silent}"
    spend = "UPDATE main.sample SET weight = 0 WHERE fid = ? AND weight <> 0"
    insert = f"INSERT INTO main.sample ({names}) SELECT {names} FROM run.sample WHERE fid = ?"
    update = (
        f"UPDATE main.sample SET ({names}) = (SELECT {names} FROM run.sample WHERE fid = ?1) WHERE fid = ?2 "
        f"AND (({unit}) IS (SELECT {unit} FROM run.sample WHERE fid = ?1) OR {silent})"
    )
    changes: list[Change] = []
    for name, row in here.items():
        if name not in there and row[at[1]] > 0:
            changes.append([(drop, row[:1]), (spend, row[:1])])
    for name, row in there.items():
        if name not in here:
            changes.append([(insert, row[:1])])
        elif here[name][1:] != row[1:]:
            changes.append([(update, (row[0], here[name][0]))])
    return changes


def _table_changes(database: sqlite3.Connection, table: Table) -> list[Change]:
    """Return what turns a table into the run's: rows that it has not are deleted, others inserted."""
    geometry = ["geom"] if table.spatial else []
    known = _columns(database, "main", table) & _columns(database, "run", table)
    names = ", ".join([*geometry, *(c.name for c in table.columns if c.name in known)])
    unmatched: dict[tuple[Any, ...], list[int]] = {}
    for fid, *row in database.execute(f"SELECT fid, {names} FROM main.{table.name} ORDER BY fid"):
        unmatched.setdefault(tuple(row), []).append(fid)
    new = []
    for fid, *row in database.execute(f"SELECT fid, {names} FROM run.{table.name} ORDER BY fid"):
        if unmatched.get(tuple(row)):
            unmatched[tuple(row)].pop(0)
        else:
            new.append(fid)
    delete = f"DELETE FROM main.{table.name} WHERE fid = ?"
    insert = f"INSERT INTO main.{table.name} ({names}) SELECT {names} FROM run.{table.name} WHERE fid = ?"
    changes: list[Change] = [[(delete, (fid,))] for fids in unmatched.values() for fid in fids]
    changes += [[(insert, (fid,))] for fid in new]
    return changes


def _style_changes(database: sqlite3.Connection) -> list[Change]:
    """Return what puts the run's styles in place of ours; a style that somebody saved stays the default."""
    where = "styleName = 'geoai' AND f_table_name = ?1"
    its = f"(SELECT styleQML FROM run.layer_styles WHERE {where})"
    sql = f"UPDATE main.layer_styles SET styleQML = {its} WHERE {where} AND styleQML IS NOT {its}"
    names = database.execute("SELECT f_table_name FROM run.layer_styles WHERE styleName = 'geoai'")
    return [[(sql, (name,))] for (name,) in names]


def _write_project(review: _Waiting, archive: Path) -> None:
    """Put the run's project in place of ours, beside the file and inside; one that somebody saved stays."""
    if not archive.is_file():
        return
    content = archive.read_bytes()
    beside = review.path.with_suffix(".qgz")
    ours = [
        bytes.fromhex(text)
        for (text,) in review.database.execute(
            "SELECT content FROM main.qgis_projects WHERE metadata LIKE '%\"geoai\"%'"
        )
    ]
    # The one beside goes first: what is inside says which one beside is ours, also when this is cut off here.
    if not beside.exists() or beside.read_bytes() in ours:
        _replace(beside, content)
    else:
        log.info("%s: saved by somebody, left as it is", beside)
    sql = (
        "UPDATE main.qgis_projects SET content = ?1 "
        "WHERE name = 'review' AND metadata LIKE '%\"geoai\"%' AND content <> ?1"
    )
    review.write([[(sql, (content.hex(),))]])


def _contents_change(database: sqlite3.Connection, table: Table) -> Change:
    """Return what makes the GeoPackage's own list true again: how far a table reaches and its row count."""
    (count,) = database.execute(f"SELECT count(*) FROM main.{table.name}").fetchone()
    change: Change = [
        (
            "UPDATE main.gpkg_ogr_contents SET feature_count = ?1 "
            "WHERE table_name = ?2 AND feature_count <> ?1",
            (count, table.name),
        )
    ]
    if table.spatial:
        reach = database.execute(
            "SELECT min(ST_MinX(geom)), min(ST_MinY(geom)), max(ST_MaxX(geom)), max(ST_MaxY(geom)) "
            f"FROM main.{table.name}"
        ).fetchone()
        bounds = "(min_x, min_y, max_x, max_y)"
        change.append(
            (
                f"UPDATE main.gpkg_contents SET {bounds} = (?, ?, ?, ?), "
                "last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') "
                f"WHERE table_name = ? AND {bounds} IS NOT (?, ?, ?, ?)",
                (*reach, table.name, *reach),
            )
        )
    return change
