"""A review in PostGIS, where several reviewers edit at once; each run can bring it up to date.

The pipeline's columns are written, the reviewers' never: what they decided stays, whatever a run says. No
signal is ever deleted; one that a run no longer lists is gone.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyogrio
import shapely
from psycopg import errors, sql

from geoai.errors import PublishError
from geoai.files import appearing_whole
from geoai.ledgerfile import geometries_of
from geoai.postgis import connected, connection_parameters, is_connection, line_of, split_schema
from geoai.publish.opened import Opened, read_signals, snapshot
from geoai.publish.project import Tables
from geoai.publish.qml import xml_text
from geoai.publish.review import project_archive
from geoai.publish.style import layer_styles
from geoai.publish.tables import DISCREPANCY, RUN, Table
from geoai.publish.texts import PROJECT
from geoai.redaction import without_secrets

COMMAND = "review to-postgis"
PROJECT_FILE = "review-postgis.qgz"
LOCK_S = 30
"""How long a signal that a reviewer is saving is waited for."""
LONGEST_NAME = 63
"""PostgreSQL cuts longer names off, without a word."""
TYPES = {
    "TEXT": "text",
    "REAL": "double precision",
    "INTEGER": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DATETIME": "timestamp with time zone",
    "BLOB": "bytea",
}
REVIEWER = tuple(column.name for column in DISCREPANCY.columns if column.owner == "reviewer")
PIPELINE = tuple(column.name for column in DISCREPANCY.columns if column.owner != "reviewer")

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""
SRID = "SELECT srid FROM spatial_ref_sys WHERE auth_name || ':' || auth_srid = %s"

NEWER = """
SELECT run_id FROM {run} WHERE run_id <> {run_id} AND (coalesce(photo_date, started::date), started)
  > (coalesce({photo_date}::date, {started}::timestamptz::date), {started}::timestamptz)
ORDER BY photo_date DESC, started DESC LIMIT 1
"""

# The run whose review said of a signal just what its row says: what a reviewer says is read against that.
SHOWN = (
    "CREATE TABLE {} (discrepancy_id text PRIMARY KEY REFERENCES {} (discrepancy_id), run_id text NOT NULL)"
)

# QGIS writes its local time without a zone. One clock for all also puts their decisions in order.
SIGN = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.reviewed_at := date_trunc('milliseconds', clock_timestamp()); RETURN NEW; END $$;
CREATE TRIGGER sign BEFORE UPDATE OF reviewed_at ON {table} FOR EACH ROW
WHEN (NEW.reviewed_at IS NOT NULL AND NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at)
EXECUTE FUNCTION {function}()
"""

# As QGIS itself creates it, and where it looks: on the search path.
LAYER_STYLES = """
CREATE TABLE IF NOT EXISTS layer_styles (id SERIAL PRIMARY KEY, f_table_catalog varchar,
  f_table_schema varchar, f_table_name varchar, f_geometry_column varchar, styleName text, styleQML xml,
  styleSLD xml, useAsDefault boolean, description text, owner varchar(63) DEFAULT CURRENT_USER, ui xml,
  update_time timestamp DEFAULT CURRENT_TIMESTAMP, type varchar)
"""
RESTYLE = """
UPDATE layer_styles SET styleQML = XMLPARSE(DOCUMENT %(qml)s), update_time = now()
WHERE f_table_catalog = current_database() AND f_table_schema = %(schema)s AND f_table_name = %(table)s
  AND styleName = 'geoai'
"""
STYLE = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,
  styleQML, useAsDefault) VALUES (current_database(), %(schema)s, %(table)s, %(geometry)s, 'geoai',
  XMLPARSE(DOCUMENT %(qml)s), true)
"""

# What is stored stays as it is where nothing changed, so that no more signals are held than need be.
CHANGE = """
UPDATE {discrepancy} AS d SET {settings} FROM stage AS s
WHERE d.discrepancy_id = s.discrepancy_id AND ({old}) IS DISTINCT FROM ({new})
"""
ADD = """
INSERT INTO {discrepancy} ({columns}) SELECT {columns} FROM stage ON CONFLICT (discrepancy_id) DO NOTHING
"""
END = """
UPDATE {discrepancy} AS d SET lifecycle = 'gone'
WHERE lifecycle <> 'gone' AND NOT EXISTS (SELECT FROM stage AS s WHERE s.discrepancy_id = d.discrepancy_id)
"""
REMEMBER = """
INSERT INTO {shown} SELECT d.discrepancy_id, {run_id} FROM {discrepancy} AS d JOIN stage AS s
USING (discrepancy_id) WHERE ({old}) IS NOT DISTINCT FROM ({new})
ON CONFLICT (discrepancy_id) DO UPDATE SET run_id = excluded.run_id WHERE shown.run_id <> excluded.run_id
"""
ASKED_AGAIN = """
SELECT count(*) FROM {discrepancy} AS d JOIN stage AS s USING (discrepancy_id)
WHERE d.status <> 'open' AND s.reopened_because IS NOT NULL
"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """What an update came to: signals that were added, changed, and found gone.

    *asked_again* counts those that are decided in the database while the review asks again.
    """

    schema: str
    project: Path
    added: int
    changed: int
    gone: int
    asked_again: int


@dataclass(frozen=True, slots=True)
class Target:
    """A schema to write; *srid* is what the database calls the CRS."""

    schema: str
    srid: int

    def table(self, name: str) -> sql.Identifier:
        """Return a table's name, quoted."""
        return sql.Identifier(self.schema, name)


def share_review(review: Path, source: str, *, schema: str | None = None) -> Shared:
    """Write *review* into *schema* (geoai_<flight> where none is named) of the database *source*, 'PG:…', or
    bring what is there up to date; write the project that shows it beside *review*.

    All of it is one transaction. Signals are told apart by discrepancy_id. The sample stays in *review*,
    which is only read. Raises PublishError with one line where the database does not answer, refuses, or
    holds something else under that name; then nothing is changed.
    """
    if not is_connection(source):
        raise PublishError(f"{source}: expected PG: and a libpq connection string")
    source, named = split_schema(source)
    name = without_secrets(source)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "review.gpkg"
        opened = snapshot(review, copy)
        schema = schema or named or schema_of(opened.flight_id)
        if len(schema.encode()) > LONGEST_NAME:
            raise PublishError(f"{schema}: expected a schema's name of at most {LONGEST_NAME} bytes")
        with (
            connected(source, name=name, key=COMMAND, error=PublishError, read_only=False) as connection,
            _one_line(name, schema),
        ):
            target = Target(schema, _srid(connection, opened.crs, name))
            counts = _update(connection, target, opened, copy, name)
            tables = _as_qgis_finds_them(source, connection, target, opened)
        project = review.with_name(PROJECT_FILE)
        with appearing_whole(project) as partial:
            partial.write_bytes(_project(review.parent, copy, opened, tables))
    return Shared(schema, project, *counts)


def schema_of(flight_id: str) -> str:
    """Return the schema that a flight's review goes into where none is named.

    >>> schema_of("Tartu 2024-05")
    'geoai_tartu_2024_05'
    """
    return ("geoai_" + re.sub(r"[^a-z0-9]+", "_", flight_id.lower()).strip("_"))[:LONGEST_NAME]


@contextmanager
def _one_line(name: str, schema: str) -> Iterator[None]:
    """Turn what the database refuses into a PublishError that says what it takes."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise PublishError(
            f"{name}: expected the right to write the schema {schema} and the table layer_styles, which "
            f"takes CREATE on the database and on the schema public once, found {line_of(error)}"
        ) from None
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise PublishError(
            f"{name}: expected no signal that somebody holds for {LOCK_S} s, found {line_of(error)}; nothing "
            "is changed, try again"
        ) from None
    except (errors.IntegrityError, errors.DataError, errors.DuplicateTable) as error:
        raise PublishError(f"{name}: expected what fits into {schema}, found {line_of(error)}") from None


# --- tables ----------------------------------------------------------------------------------------------


def _update(
    connection: Connection, target: Target, opened: Opened, review: Path, name: str
) -> tuple[int, int, int, int]:
    """Write all tables of *review*; return what became of the signals: they come last, held shortest."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('geoai'), hashtext(%s))", [target.schema])
    connection.execute(f"SET LOCAL lock_timeout = '{LOCK_S}s'")
    if not connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [target.schema]).rowcount:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(target.schema)))
    for table in opened.tables:
        _require_table(connection, target, table, name)
    stage = sql.SQL("CREATE TEMP TABLE stage ON COMMIT DROP AS TABLE {} WITH NO DATA")
    connection.execute(stage.format(target.table("discrepancy")))
    with closing(sqlite3.connect(review)) as database:
        run_id = _require_newest(connection, database, target, name)
        for table in opened.tables:
            into = sql.Identifier("stage") if table is DISCREPANCY else target.table(table.name)
            if table is RUN:
                connection.execute(sql.SQL("DELETE FROM {} WHERE run_id = {}").format(into, run_id))
            elif table is not DISCREPANCY:
                connection.execute(sql.SQL("DELETE FROM {}").format(into))
            _copy(connection, database, table, into, target.srid)
    styles = layer_styles(opened.language)
    _store_styles(connection, target, {table: xml_text(styles[table]) for table in opened.tables})
    return _merge(connection, target, run_id)


def _require_table(connection: Connection, target: Target, table: Table, name: str) -> None:
    """Make *table* where there is none; raise PublishError where another version of geoai made it."""
    place = target.table(table.name)
    found = dict(connection.execute(COLUMNS, [place.as_string(connection)]).fetchall())
    kind = "MultiLineString" if table.lines else "MultiPolygon"
    expected = {"geom": f"geometry({kind},{target.srid})"} if table.spatial else {}
    expected |= {column.name: TYPES[column.type] for column in table.columns}
    if not found:
        connection.execute(_definition(table, expected, place))
        if table is DISCREPANCY:
            connection.execute(sql.SQL(SHOWN).format(target.table("shown"), place))
            connection.execute(sql.SQL(SIGN).format(function=target.table("sign"), table=place))
        return
    for column, kind in expected.items():
        if found.get(column) != kind:
            told = f"{found[column]}" if column in found else "none"
            raise PublishError(
                f"{name}: expected {target.schema}.{table.name} as this version makes it, {column} {kind}, "
                f"found {told}; name another --schema"
            )


def _require_newest(connection: Connection, database: sqlite3.Connection, target: Target, name: str) -> str:
    """Return the review's run; raise PublishError where a later one, by its photos, is in the schema."""
    columns = ("run_id", "photo_date", "started")
    values = database.execute(f"SELECT {', '.join(columns)} FROM run ORDER BY fid DESC").fetchone()
    told = dict(zip(columns, values, strict=True))
    newer = connection.execute(sql.SQL(NEWER).format(run=target.table("run"), **told)).fetchone()
    if newer is not None:
        raise PublishError(
            f"{name}: expected a review as new as the run {newer[0]} in {target.schema}, found "
            f"{told['run_id']}; name another --schema"
        )
    return str(told["run_id"])


def _definition(table: Table, types: Mapping[str, str], place: sql.Identifier) -> sql.Composed:
    """Return the statements that make *table*, with the constraints that it has in a GeoPackage."""
    constraints = {column.name: column.constraint for column in table.columns}
    constraints |= {
        column.name: column.constraint.replace("DEFAULT 0", "DEFAULT false")
        for column in table.columns
        if column.type == "BOOLEAN"
    }
    columns: list[sql.Composable] = [sql.SQL("fid integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")]
    columns += [
        sql.SQL(" ").join((sql.Identifier(column), sql.SQL(f"{kind} {constraints.get(column, '')}")))
        for column, kind in types.items()
    ]
    made = sql.SQL("CREATE TABLE {} ({})").format(place, sql.SQL(", ").join(columns))
    return made + sql.SQL("; CREATE INDEX ON {} USING gist (geom)").format(place) if table.spatial else made


def _copy(
    connection: Connection, database: sqlite3.Connection, table: Table, into: sql.Composable, srid: int
) -> None:
    """Copy the rows of *table* out of a GeoPackage; a column that it lacks stays NULL."""
    present = {row[1] for row in database.execute(f'PRAGMA table_info("{table.name}")')}
    columns = [column for column in table.columns if column.name in present]
    names = [*(["geom"] if table.spatial else []), *(column.name for column in columns)]
    rows = database.execute(f'SELECT {", ".join(names)} FROM "{table.name}" ORDER BY fid').fetchall()
    values = [
        [None if value is None else bool(value) for value in stored] if column.type == "BOOLEAN" else stored
        for column, stored in zip(columns, _columns_of(rows, len(names))[table.spatial :], strict=True)
    ]
    if table.spatial:
        values.insert(0, _as_ewkb([row[0] for row in rows], srid))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(into, _listed(names))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in zip(*values, strict=True):
            copy.write_row(row)


def _columns_of(rows: Sequence[Sequence[Any]], count: int) -> list[list[Any]]:
    return [[row[number] for row in rows] for number in range(count)]


def _as_ewkb(blobs: Sequence[bytes], srid: int) -> list[str]:
    geometries = shapely.set_srid(geometries_of(blobs), srid)
    texts: list[str] = shapely.to_wkb(geometries, hex=True, include_srid=True).tolist()
    return texts


def _listed(names: Sequence[str], of: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*([of] if of else []), name) for name in names)


def _merge(connection: Connection, target: Target, run_id: str) -> tuple[int, int, int, int]:
    """Bring the signals up to stage; return how many were added, changed, gone, and are asked again."""
    written = ("geom", *PIPELINE)
    names = {name: target.table(name) for name in ("discrepancy", "shown")}
    settings = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(each), sql.Identifier("s", each)) for each in written
    )

    def execute(statement: str, compared: Sequence[str] = ()) -> psycopg.Cursor[Any]:
        sides = {"old": _listed(compared, "d"), "new": _listed(compared, "s")}
        composed = sql.SQL(statement).format(
            **names, **sides, settings=settings, columns=_listed((*written, *REVIEWER)), run_id=run_id
        )
        return connection.execute(composed)

    changed = execute(CHANGE, written).rowcount
    added = execute(ADD).rowcount
    gone = execute(END).rowcount
    execute(REMEMBER, REVIEWER)
    (asked_again,) = execute(ASKED_AGAIN).fetchone() or (0,)
    return added, changed, gone, asked_again


def _srid(connection: Connection, crs: str, name: str) -> int:
    """Return what the database calls *crs*; PublishError where it has no PostGIS or does not know it."""
    if connection.execute("SELECT to_regclass('spatial_ref_sys')").fetchone() == (None,):
        raise PublishError(f"{name}: expected PostGIS on the search path of the database, found none")
    row = connection.execute(SRID, [crs]).fetchone()
    if row is None:
        raise PublishError(f"{name}: expected {crs} in spatial_ref_sys, found no such row")
    return int(row[0])


# --- what QGIS finds -------------------------------------------------------------------------------------


def _store_styles(connection: Connection, target: Target, styles: Mapping[Table, str]) -> None:
    """Store our style of each table, the default unless the department has since chosen another."""
    if connection.execute("SELECT to_regclass('layer_styles')").fetchone() == (None,):
        connection.execute(LAYER_STYLES)
    for table, qml in styles.items():
        geometry = "geom" if table.spatial else None
        values = {"schema": target.schema, "table": table.name, "geometry": geometry, "qml": qml}
        if not connection.execute(RESTYLE, values).rowcount:
            connection.execute(STYLE, values)


def _as_qgis_finds_them(source: str, connection: Connection, target: Target, opened: Opened) -> Tables:
    """Return the tables as sources of QGIS: no user and no password, everyone comes by their own."""
    said = connection_parameters(source, key=COMMAND, error=PublishError)
    info = connection.info
    place = {"service": said["service"]} if "service" in said else {"host": info.host, "port": info.port}
    place |= {"dbname": info.dbname} | ({"sslmode": said["sslmode"]} if "sslmode" in said else {})
    lines = {table.name for table in opened.tables if table.lines}
    common = " ".join(f"{key}={_quoted(str(value), chr(39))}" for key, value in place.items())

    def source_of(table: str, where: str) -> str:
        name = f'{_quoted(target.schema, chr(34))}."{table}"'
        kind = "MultiLineString" if table in lines else "MultiPolygon"
        kind = f"key='fid' estimatedmetadata=true srid={target.srid} type={kind}"
        return f"{common} {kind} table={name} (geom)" + (f" sql={where}" if where else "")

    return Tables("postgres", source_of)


def _quoted(text: str, mark: str) -> str:
    """Quote as QGIS's data sources do."""
    return mark + text.replace("\\", "\\\\").replace(mark, f"\\{mark}") + mark


def _project(folder: Path, review: Path, opened: Opened, tables: Tables) -> bytes:
    return project_archive(
        folder,
        read_signals(review),
        pyogrio.read_dataframe(review, layer="coverage", columns=[]),
        title=f"{PROJECT['title'].say(opened.language)} {opened.flight_id} – PostGIS",
        tables=tables,
        **opened.as_shown(),
    )
