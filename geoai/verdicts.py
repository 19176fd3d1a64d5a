"""What reviewers said about a signal: read from a review, a file or in PostGIS; weighed; and when it is asked
again.

A verdict is never changed or thrown away; what holds follows from all of them, whatever order they came in.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from geoai.errors import LedgerError
from geoai.postgis import connected, split_schema
from geoai.publish.geopackage import reading, timestamp
from geoai.publish.texts import DOMAINS
from geoai.redaction import without_secrets

WITHDRAWN = "withdrawn"
"""Stored where a decision that a review showed was set back to open."""
SHARED_TABLES = """
SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename IN ('discrepancy', 'shown')
"""
SHARED_CRS = """
SELECT auth_name || ':' || auth_srid FROM geometry_columns JOIN spatial_ref_sys USING (srid)
WHERE f_table_schema = %s AND f_table_name = 'discrepancy'
"""
RESOLVED = ("confirmed", "fixed")
AREA_CHANGE = 0.3
CERTAINTY_RISE = 0.2
EXPIRY_YEARS = 5


class Said(NamedTuple):
    """The reviewer's columns of a row, as they are compared: '' is unknown, *reviewed_at* UTC text."""

    status: str = "open"
    reject_reason: str = ""
    field_visit: bool = False
    comment: str = ""
    reviewed_by: str = ""
    reviewed_at: str = ""


NOTHING_SAID = Said()


class Known(NamedTuple):
    """What the ledger knew last of a row's words; *own*: it wrote them itself, nobody said them there."""

    said: Said = NOTHING_SAID
    own: bool = True

    def text(self) -> str | None:
        """Return what is stored in the column known."""
        return None if self.said == NOTHING_SAID else json.dumps([*self.said, self.own], ensure_ascii=False)

    @classmethod
    def of(cls, text: str | None) -> Known:
        """Return what was stored; what cannot be read is as if nothing had been known."""
        try:
            *said, own = json.loads(text or "")
            return cls(Said(*said), bool(own))
        except (TypeError, ValueError):
            return cls()


class ReviewedRow(NamedTuple):
    """What a row says; *run_id* is '' where unknown, *before* None where the file has no column known."""

    discrepancy_id: str
    run_id: str
    said: Said
    before: Said | None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review holds, and what is odd in it."""

    rows: tuple[ReviewedRow, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said in the review of run number *run*, and the newest run when the ledger heard of it."""

    said: Said
    run: int
    known_after: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of all that was said; *run* is that of the review it was said in, 0 where unknown.

    *conflict* names those who contradict each other; then, as after a decision was withdrawn, the signal is
    open.
    """

    said: Said = NOTHING_SAID
    run: int = 0
    known_after: int = 0
    conflict: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run knew of a signal when it was decided on, or knows of it now; NaN where not measured.

    *certainty* is the probability that the signal is what it says it is, by the mean of the pixels.
    *map_mark* is the version of its mapped objects, '' where there is none.
    """

    moment: str
    code: str
    area_m2: float
    certainty: float
    confidence: float
    map_mark: str


def standing(verdicts: Sequence[Verdict]) -> Standing:
    """Return what holds of *verdicts*, all about one signal, in any order.

    Of each person the newest counts, and of those the newest; but a signal that one rejects and another
    confirms is open until they agree, or until somebody decides in a review that was made when both were
    known. A review's decision overrules what it showed; so does taking one back.
    """
    taken_back = {
        (each.said.reviewed_by, each.said.reviewed_at)
        for each in verdicts
        if each.said.status == WITHDRAWN and each.said.reviewed_at
    }
    shown = max((each.run for each in verdicts if each.said.status != "open"), default=0)
    heard = [each for each in verdicts if each.known_after >= shown]
    decided = [
        each
        for each in heard
        if each.said.status not in ("open", WITHDRAWN)
        and (each.said.reviewed_by, each.said.reviewed_at) not in taken_back
    ]
    newest: dict[str, Verdict] = {}
    for each in sorted(decided, key=_age):
        newest[each.said.reviewed_by] = each
    if not newest:
        notes = sorted(heard, key=_age)
        withdrawn = any(each.said.status == WITHDRAWN for each in notes)
        if not notes:
            return Standing()
        last = notes[-1]
        said = last.said._replace(status="open", reviewed_by="", reviewed_at="")
        return Standing(said, last.run, last.known_after, withdrawn=withdrawn)
    last = max(newest.values(), key=_age)
    alike = [each for each in decided if each.said.reviewed_at == last.said.reviewed_at]
    voices = {*newest.values(), *(each for each in alike if each.said.reviewed_by == last.said.reviewed_by)}
    statuses = {each.said.status for each in voices}
    if "rejected" in statuses and statuses & set(RESOLVED):
        told = "; ".join(
            f"{each.said.reviewed_by or '?'}: {each.said.status} {each.said.reviewed_at[:10]}".rstrip()
            for each in sorted(voices, key=lambda each: (each.said.reviewed_by, _age(each)))
        )
        said = last.said._replace(status="open", reject_reason="", reviewed_by="", reviewed_at="")
        return Standing(said, last.run, last.known_after, conflict=told)
    return Standing(last.said, last.run, last.known_after)


def _age(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.said.reviewed_at, verdict.run, verdict.known_after, verdict.said


class Reopening(NamedTuple):
    """Why a decided signal is asked again: a key of `texts.REOPENED` and what is filled in."""

    code: str
    values: tuple[Any, ...] = ()


def reopenings(held: Standing, basis: Evidence | None, now: Evidence) -> list[Reopening]:
    """Return why the decision *held*, made on *basis*, no longer holds for *now*; empty where it does.

    A rejection (or 'corrected in the map') is asked again where the area changed by more than 30 %, the class
    or the mapped object changed, a newer flight is more certain by more than 0.2, or the photo is more than
    five years younger than the decision. An older flight never asks again.
    """
    if held.conflict:
        return [Reopening("conflict", (held.conflict,))]
    if held.withdrawn:
        return [Reopening("withdrawn")]
    if held.said.status not in ("rejected", "fixed"):
        return []
    found = []
    decided = held.said.reviewed_at or (basis.moment if basis else "")
    if basis is not None and now.moment >= basis.moment:
        if now.code != basis.code:
            found.append(Reopening("class", (basis.code, now.code)))
        if abs(now.area_m2 - basis.area_m2) > AREA_CHANGE * basis.area_m2:
            found.append(Reopening("area", (basis.area_m2, now.area_m2)))
        if now.map_mark != basis.map_mark and now.map_mark and basis.map_mark:
            found.append(Reopening("map"))
        before, after = _comparable(basis, now)
        if now.moment > basis.moment and after - before > CERTAINTY_RISE:
            found.append(Reopening("confidence", (before, after)))
    if decided and _moment(now.moment) > _moment(decided) + pd.DateOffset(years=EXPIRY_YEARS):
        found.append(Reopening("expired"))
    return found


def _comparable(basis: Evidence, now: Evidence) -> tuple[float, float]:
    """Return the calibrated confidences where both are known, else the certainties."""
    if basis.confidence == basis.confidence and now.confidence == now.confidence:
        return basis.confidence, now.confidence
    return basis.certainty, now.certainty


def _moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


# --- reading ---------------------------------------------------------------------------------------------


def read_review(source: Path | str, crs: str) -> Reviewed:
    """Read the reviewer's columns of *source*: a review or a copy of one, also while QGIS has it open, or
    'PG:… schema=…', a review in PostGIS.

    Older reviews may lack all columns but discrepancy_id and status. A row with an unknown status is left out
    and told; so is one whose id stands twice with different words. Raises LedgerError with one line where the
    source is none, is in another CRS than *crs*, or stays locked.
    """
    name = name_of(source)
    found, rows = _in_database(source) if isinstance(source, str) else _in_file(source)
    if found is None or found.upper() != crs.upper():
        raise LedgerError(f"{name}: expected a review in {crs}, found {found or 'no CRS'}")
    problems: list[str] = []
    said = []
    unknown: Counter[str] = Counter()
    for discrepancy_id, *values, before, run in rows:
        status = str(values[0] if values[0] is not None else "")
        if status not in DOMAINS["review"]:
            unknown[status] += 1
            continue
        said.append(ReviewedRow(str(discrepancy_id), str(run or ""), said_in(name, values, problems), before))
    expected = ", ".join(DOMAINS["review"])
    for status, count in sorted(unknown.items()):
        problems.append(f"{name}: expected a status of {expected}, found {status!r} in {_rows(count)}")
    return Reviewed(tuple(sorted(set(said))), tuple(sorted(set(problems))))


def name_of(source: Path | str) -> str:
    """Return how a review is called where people read it."""
    return without_secrets(str(source))


Rows = list[tuple[Any, ...]]
"""discrepancy_id, the columns of `Said`, what the ledger knew before where the row tells, run_id."""


def _in_file(path: Path) -> tuple[str | None, Rows]:
    """Return the CRS of a GeoPackage and its rows."""
    with reading(path, LedgerError) as database:
        columns = _columns_of_review(database, path)
        names = (*Said._fields, "known", "run_id")
        present = [name if name in columns else "NULL" for name in names]
        rows = database.execute(f"SELECT discrepancy_id, {', '.join(present)} FROM discrepancy").fetchall()
        run = _run_of(database)
        tells = "known" in columns
        return _crs_of(database), [
            (*row, Known.of(known).said if tells else None, run or of_row) for *row, known, of_row in rows
        ]


def _in_database(source: str) -> tuple[str | None, Rows]:
    """Return the CRS of a review in PostGIS and its rows, each under the run whose review it began as."""
    from psycopg import sql

    connection, schema = split_schema(source)
    if schema is None:
        raise LedgerError(f"{name_of(source)}: expected schema=… after the connection, found none")
    with connected(connection, name=name_of(source), key="review import", error=LedgerError) as database:
        if database.execute(SHARED_TABLES, [schema]).fetchone() != (2,):
            raise LedgerError(f"{name_of(source)}: expected a review in the schema {schema}, found none")
        crs = database.execute(SHARED_CRS, [schema]).fetchone()
        columns = sql.SQL(", ").join(map(sql.Identifier, ("discrepancy_id", *Said._fields)))
        rows = database.execute(
            sql.SQL(
                "SELECT {}, NULL, shown.run_id FROM {} LEFT JOIN {} AS shown USING (discrepancy_id)"
            ).format(columns, sql.Identifier(schema, "discrepancy"), sql.Identifier(schema, "shown"))
        ).fetchall()
    return crs[0] if crs else None, rows


def check_review(path: Path, crs: str) -> None:
    """Raise LedgerError as `read_review` does where the file is no review in *crs*."""
    if (found := crs_of_review(path)).upper() != crs.upper():
        raise LedgerError(f"{path}: expected a review in {crs}, found {found}")


def _columns_of_review(database: sqlite3.Connection, path: Path) -> list[str]:
    columns = [row[1] for row in database.execute("PRAGMA table_info(discrepancy)")]
    needed = [name for name in ("discrepancy_id", "status") if name not in columns]
    if needed:
        found = "no table discrepancy" if not columns else f"no {' and no '.join(needed)}"
        raise LedgerError(f"{path}: expected a review with discrepancy_id and status, found {found}")
    return columns


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def said_in(name: str, values: Sequence[Any], problems: list[str]) -> Said:
    """Return the words in a row's columns, in the order of `Said`; *name* is that of the review.

    A reason or a time that cannot be read goes into the comment, so that it is kept, and is added to
    *problems*.
    """
    status, reason, visit, comment, who, when = values
    comment = str(comment or "")
    if reason and reason not in DOMAINS["reject_reason"]:
        problems.append(f"{name}: expected a known reject_reason, found {reason!r}; kept in the comment")
        comment, reason = f"{comment} ({reason})".strip(), "other"
    at = ""
    if when is not None:
        parsed = pd.to_datetime(when, utc=True, errors="coerce")
        if pd.isna(parsed):
            problems.append(f"{name}: expected a time in reviewed_at, found {when!r}; kept in the comment")
            comment = f"{comment} ({when})".strip()
        else:
            at = timestamp(parsed.to_pydatetime())
    return Said(str(status), str(reason or ""), _truth(visit), comment, str(who or ""), at)


def _truth(value: Any) -> bool:
    return str(value).lower() in ("1", "true")


def _run_of(database: sqlite3.Connection) -> str:
    """Return the id of the run that wrote the review, '' where the file does not say."""
    try:
        runs = database.execute("SELECT DISTINCT run_id FROM run").fetchall()
    except sqlite3.OperationalError:  # no such table or column
        return ""
    return str(runs[0][0]) if len(runs) == 1 else ""


def crs_of_review(path: Path) -> str:
    """Return the authority code of a review's CRS; raises LedgerError where the file is no review."""
    with reading(path, LedgerError) as database:
        _columns_of_review(database, path)
        found = _crs_of(database)
    return found or "no CRS"


def _crs_of(database: sqlite3.Connection) -> str | None:
    found = database.execute(
        "SELECT organization || ':' || organization_coordsys_id FROM gpkg_geometry_columns "
        "JOIN gpkg_spatial_ref_sys USING (srs_id) WHERE table_name = 'discrepancy'"
    ).fetchone()
    return str(found[0]) if found else None


def rows_of(verdicts: Iterable[tuple[Any, ...]]) -> dict[int, list[Verdict]]:
    """Group (signal, run, known_after, the fields of Said …) by signal."""
    grouped: dict[int, list[Verdict]] = {}
    for signal, run, known_after, *said in verdicts:
        status, reason, visit, comment, who, when = said
        verdict = Verdict(Said(status, reason, bool(visit), comment, who, when), run, known_after)
        grouped.setdefault(signal, []).append(verdict)
    return grouped
