"""PostGIS by psycopg, and the digital map out of it: the wheels of pyogrio have no PostgreSQL driver.

A source is 'PG:' and a libpq connection string (keywords or URI); libpq itself adds the service file,
~/.pgpass and the PG… environment variables. One transaction, read-only for a map, holds all that is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geoai.errors import CRSError, GeoaiError, MapError
from geoai.redaction import without_secrets

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

CONNECT_TIMEOUT_S = "10"  # psycopg would wait 130 s for a host that is silent
AS_THEY_ARE = ("int2", "int4", "int8", "bool")
AS_FLOAT = ("float4", "float8", "numeric")

TABLES = """
SELECT c.oid, n.nspname, c.relname, f_geometry_column, pg_table_is_visible(c.oid),
       count(*) OVER (PARTITION BY c.oid) > 1
FROM geometry_columns
JOIN pg_namespace n ON n.nspname = f_table_schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = f_table_name
WHERE has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname, c.relname, f_geometry_column
"""
# a dropped column has no type and falls out of the join
COLUMNS = """
SELECT attname, typname FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
WHERE attrelid = %s AND attnum > 0 AND typname NOT IN ('geometry', 'geography')
ORDER BY attnum
"""
PRIMARY_KEY = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indrelid = %s AND indisprimary
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view with a geometry column, as PostGIS lists it in geometry_columns."""

    oid: int
    schema: str
    table: str
    geometry_column: str
    on_search_path: bool
    has_others: bool  # other geometry columns

    @property
    def qualified_name(self) -> str:
        """Return 'schema.table', with '(column)' behind it where there are several to choose from."""
        column = f"({self.geometry_column})" if self.has_others else ""
        return f"{self.schema}.{self.table}{column}"

    @property
    def name(self) -> str:
        """Return the name without the schema where the search path leads to it."""
        return self.qualified_name.removeprefix(f"{self.schema}." if self.on_search_path else "")


def is_connection(source: str) -> bool:
    """Whether *source* names a PostgreSQL database."""
    return source.upper().startswith("PG:")


def split_schema(source: str) -> tuple[str, str | None]:
    """Return *source* without the schema that it names last, and that name.

    >>> split_schema("PG:host=db dbname=city schema=geoai_2026")
    ('PG:host=db dbname=city', 'geoai_2026')
    """
    found = re.search(r"\s+schema\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'\\]+))\s*$", source)
    if found is None:
        return source, None
    quoted, plain = found.groups()
    return source[: found.start()], plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


@contextmanager
def connected(
    source: str,
    *,
    name: str,
    key: str = "map.source",
    error: type[GeoaiError] = MapError,
    read_only: bool = True,
) -> Iterator[psycopg.Connection]:
    """Open *source*, *name* in messages, for one transaction; *error* where it does not answer.

    *key* is what to mend where *source* cannot be read: then nothing of it is shown.
    """
    import psycopg

    parameters = connection_parameters(source, key=key, error=error)
    try:
        with psycopg.connect(**parameters) as connection:
            connection.read_only = read_only
            connection.execute("SET LOCAL datestyle TO ISO")  # dates come as text
            yield connection
    except psycopg.Error as found:
        raise error(f"{name}: expected a PostGIS database that answers, found {line_of(found)}") from None


def connection_parameters(source: str, *, key: str, error: type[GeoaiError]) -> dict[str, Any]:
    """Return what the connection string says.

    Where libpq misreads it, part of a password may stand for anything: nothing of it is shown.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        said = conninfo_to_dict(source[len("PG:") :])
    except psycopg.ProgrammingError:
        said = {"port": "unreadable"}
    ports = str(said.get("port", ""))
    if not re.fullmatch(r"[\d,]*", ports) or "@" in f"{said.get('host', '')}{said.get('dbname', '')}":
        raise error(
            f"{key}: expected a libpq connection string after PG:, found one that cannot be read; "
            "quote blanks in a password (password='…'), write / : @ in a URI's password as %2F %3A %40"
        )
    timeout = os.environ.get("PGCONNECT_TIMEOUT", CONNECT_TIMEOUT_S)
    return {"connect_timeout": timeout, **said, "client_encoding": "UTF8"}


def line_of(error: psycopg.Error) -> str:
    """Return what the database said, in one line and without a password."""
    return without_secrets(" ".join((error.diag.message_primary or str(error)).split()))


def list_tables(connection: psycopg.Connection, *, name: str) -> list[Table]:
    """Return what has geometry and may be read; MapError where the database has no PostGIS."""
    if connection.execute("SELECT to_regclass('geometry_columns')").fetchone() == (None,):
        raise MapError(f"{name}: expected PostGIS on the search path of the database, found none")
    return [Table(*row) for row in connection.execute(TABLES)]


def column_types(connection: psycopg.Connection, table: Table) -> dict[str, str]:
    """Return the type of each column that is no geometry, in the table's order."""
    return dict(connection.execute(COLUMNS, [table.oid]).fetchall())


def read_table(
    connection: psycopg.Connection, table: Table, *, columns: Sequence[str], where: str | None, name: str
) -> gpd.GeoDataFrame:
    """Read *columns* and the geometry of the features, in 2D and without curves, in the CRS of their SRID.

    The index is the primary key; without one (views) it is the feature's number in the order of values.
    Numbers and truth values come as such, everything else as text. *where* is SQL as it stands.
    Raises MapError where the database refuses, CRSError where the SRID means no CRS, or several.
    """
    import psycopg

    key = _primary_key(connection, table)
    query = _query(table, column_types(connection, table), columns, key, where)
    try:
        # binary results are asked for by the extended protocol, which refuses a second statement in a filter
        rows = connection.execute(query, binary=True).fetchall()
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.InternalError) as error:
        wanted = "a readable layer" if where is None else "map.where to be a valid filter"
        found = line_of(error) if where is None else f"{where!r}: {line_of(error)}"
        raise MapError(f"{name}: expected {wanted}, found {found}") from None
    fids = [number if key is None else row[0] for number, row in enumerate(rows, start=1)]
    return gpd.GeoDataFrame(
        pd.DataFrame([row[1:-2] for row in rows], columns=list(columns), index=pd.Index(fids, name="fid")),
        geometry=_geometries([row[-1] for row in rows], name),
        crs=_crs(connection, {row[-2] for row in rows if row[-2] is not None}, name),
    )


def _primary_key(connection: psycopg.Connection, table: Table) -> str | None:
    """Return the column that alone is the primary key, if there is one."""
    columns = connection.execute(PRIMARY_KEY, [table.oid]).fetchall()
    return str(columns[0][0]) if len(columns) == 1 else None


def _query(
    table: Table, types: Mapping[str, str], columns: Sequence[str], key: str | None, where: str | None
) -> sql.Composed:
    """Return the query for: key, columns …, SRID, WKB; always in the same order."""
    from psycopg import sql

    def value(column: str) -> sql.Composable:
        kind = types[column]
        cast = "" if kind in AS_THEY_ARE else "::float8" if kind in AS_FLOAT else "::text"
        return sql.Identifier(column) + sql.SQL(cast)

    values = [value(key) if key else sql.SQL("NULL"), *map(value, columns)]
    order = [sql.SQL(str(position)) for position in range(1, len(values) + 1)]
    geometry = sql.Identifier(table.geometry_column)
    return sql.SQL(
        "SELECT {values}, ST_SRID({geometry}), ST_AsBinary(ST_Force2D(ST_CurveToLine({geometry}))) "
        "FROM {table} WHERE ({where}\n) ORDER BY {order}, {geometry}"  # \n ends a comment in the filter
    ).format(
        values=sql.SQL(", ").join(values),
        geometry=geometry,
        table=sql.Identifier(table.schema, table.table),
        where=sql.SQL(where or "TRUE"),
        order=sql.SQL(", ").join(order),
    )


def _geometries(wkb: Sequence[bytes | None], name: str) -> NDArray[Any]:
    try:
        geometries: NDArray[Any] = shapely.from_wkb(np.array(wkb, dtype=object))
    except shapely.errors.GEOSException as error:  # surfaces in space have no plan view
        raise MapError(f"{name}: expected polygons, found {error}") from None
    return geometries


def _crs(connection: psycopg.Connection, srids: set[int], name: str) -> pyproj.CRS | None:
    """Return the CRS that the features' SRIDs mean; None for 0, which means unknown."""
    if len(srids) > 1:
        found = ", ".join(map(str, sorted(srids)))
        raise CRSError(f"{name}: expected geometries of one SRID, found {found}")
    query = "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = ANY (%s)"
    row = connection.execute(query, [list(srids)]).fetchone()
    if row is None:
        return None
    authority, code, wkt = row
    try:
        return pyproj.CRS.from_authority(authority, code) if authority == "EPSG" else pyproj.CRS.from_wkt(wkt)
    except pyproj.exceptions.CRSError as error:
        raise CRSError(f"{name}: expected a CRS in spatial_ref_sys, found {error}") from None
