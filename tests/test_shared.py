"""A review in PostGIS: what the file holds, what it refuses, and that no run touches what a reviewer said."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_case import Flown, Signal, decide, record
from postgis_server import PASSWORD, Server, free_port
from psycopg import sql
from pyqgis import qgis_version, run_in_qgis
from review_case import CRS, remembered
from test_plugin import WINDOW
from test_qgis import BUTTONS
from town_case import SEEN, Town, ids_of, make_town, publish, query
from typer.testing import CliRunner

import geoai
from geoai import shared
from geoai.cli import app
from geoai.errors import LedgerError, PublishError
from geoai.ledger import Ledger
from geoai.ledgerfile import geometries_of
from geoai.postgis import split_schema
from geoai.publish.archive import write_plugin
from geoai.publish.tables import TABLES, TO_REVIEW
from geoai.publish.texts import DOMAINS
from geoai.shared import PROJECT_FILE, share_review
from geoai.verdicts import Said, read_review

pytestmark = pytest.mark.postgis
needs_qgis = pytest.mark.skipif(
    qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)"
)
ODD = "Gräns \"a\" 'b' %s {0}; \\x"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return make_town(tmp_path_factory.mktemp("town"))


def rows(server: Server, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.source()[3:]) as connection:
        return connection.execute(statement, values or None).fetchall()  # type: ignore[arg-type]


def say(
    server: Server, name: str, status: str, by: str | None = "Anna", schema: str = "g", **more: Any
) -> None:
    """Do what QGIS does when a row is decided on and saved."""
    when = None if status == "open" else "2024-09-01T10:00:00Z"
    values = {"status": status, "reviewed_by": by, "reviewed_at": when} | more
    pairs = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(k), v) for k, v in values.items())
    with psycopg.connect(server.source()[3:]) as connection:
        table = sql.Identifier(schema, "discrepancy")
        statement = sql.SQL("UPDATE {} SET {} WHERE discrepancy_id = {}").format(table, pairs, name)
        assert connection.execute(statement).rowcount == 1


def fault(*arguments: Any, **options: Any) -> str:
    with pytest.raises(PublishError) as caught:
        share_review(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- the same review -------------------------------------------------------------------------------------


def test_the_database_holds_what_the_file_holds(karta: Server, town: Town) -> None:
    done = share_review(town.review, karta.source(), schema="g")
    assert (done.added, done.changed, done.gone) == (len(town.ids("TRUE")), 0, 0)
    for table in TABLES:
        names = [column.name for column in table.columns]
        kept = query(town.review, f"SELECT {', '.join(names)} FROM {table.name} ORDER BY fid")
        columns = ", ".join(f'"{name}"' for name in names)
        found = rows(karta, f"SELECT {columns} FROM g.{table.name} ORDER BY fid")
        assert len(found) == len(kept)
        for ours, theirs in zip(kept, found, strict=True):
            for column, one, other in zip(table.columns, ours, theirs, strict=True):
                if column.type == "DATETIME" and one is not None:
                    assert pd.Timestamp(one) == other
                elif column.type == "DATE" and one is not None:
                    assert one == other.isoformat()
                else:
                    assert one == other, column.name
        if table.spatial:
            blobs = [row[0] for row in query(town.review, f"SELECT geom FROM {table.name} ORDER BY fid")]
            wkb = rows(karta, f"SELECT ST_AsBinary(geom), ST_SRID(geom) FROM g.{table.name} ORDER BY fid")
            assert shapely.equals_exact(geometries_of(blobs), shapely.from_wkb([row[0] for row in wkb])).all()
            assert {row[1] for row in wkb} == {3006}
    assert town.review.with_name(PROJECT_FILE) == done.project


def test_types_and_constraints_are_those_of_the_file(karta: Server, town: Town) -> None:
    share_review(town.review, karta.source(), schema="g")
    indexes = rows(
        karta, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'g' AND tablename = 'discrepancy'"
    )
    assert sum("USING gist (geom)" in text for (text,) in indexes) == 1
    found = {
        (table, column): (kind, nullable)
        for table, column, kind, nullable in rows(
            karta,
            "SELECT table_name, column_name, udt_name, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'g'",
        )
    }
    kinds = {"TEXT": "text", "REAL": "float8", "INTEGER": "int8", "BOOLEAN": "bool", "DATE": "date",
             "DATETIME": "timestamptz", "BLOB": "bytea"}  # fmt: skip
    for table in TABLES:
        assert found[table.name, "fid"] == ("int4", "NO")  # QGIS takes it for the feature's id
        for _, name, kind, not_null, *_ in query(town.review, f"PRAGMA table_info({table.name})"):
            if name not in ("fid", "geom"):
                assert found[table.name, name] == (kinds[kind], "NO" if not_null else "YES")
    defaults = "column_default FROM information_schema.columns WHERE column_name IN ('status', 'field_visit')"
    assert rows(
        karta, f"SELECT {defaults} AND table_schema = 'g' AND table_name = 'discrepancy' ORDER BY 1"
    ) == [
        ("'open'::text",),
        ("false",),
    ]


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ("status = 'bogus'", "discrepancy_status_check"),
        ("status = NULL", 'null value in column "status"'),
        ("reject_reason = 'because'", "discrepancy_reject_reason_check"),
        ("lifecycle = 'dead'", "discrepancy_lifecycle_check"),
        ("discrepancy_id = 'x'", "discrepancy_discrepancy_id_key"),
        ("fid = 1", "discrepancy_pkey"),
        ("class = NULL", 'null value in column "class"'),
        ("field_visit = NULL", 'null value in column "field_visit"'),
        ("geom = ST_Transform(geom, 4326)", "Geometry SRID (4326) does not match column SRID (3006)"),
    ],
)
def test_the_database_refuses_what_the_file_refuses(
    karta: Server, town: Town, change: str, refused: str
) -> None:
    share_review(town.review, karta.source(), schema="g")
    with pytest.raises(psycopg.Error) as caught:
        karta.execute("DELETE FROM g.shown", f"UPDATE g.discrepancy SET {change}")
    assert refused in str(caught.value)


def test_every_code_of_the_lists_is_taken(karta: Server, town: Town) -> None:
    share_review(town.review, karta.source(), schema="g")
    for column, domain in (
        ("status", "review"),
        ("reject_reason", "reject_reason"),
        ("lifecycle", "lifecycle"),
    ):
        for code in DOMAINS[domain]:
            karta.execute(f"UPDATE g.discrepancy SET {column} = '{code}'")


answers = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["confirmed", "rejected", "unclear", "open"]),
        "by": st.sampled_from(["Anna", "Bo"]),
        "comment": st.sampled_from([None, "se 3D"]),
        "field_visit": st.booleans(),
    }
)
few = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(st.data())
@few
def test_deciding_in_the_database_is_deciding_in_the_file(
    karta: Server, town: Town, data: st.DataObject
) -> None:
    said = {name: data.draw(answers) for name in town.ids()}
    karta.execute("DROP SCHEMA IF EXISTS g CASCADE")
    share_review(town.review, karta.source(), schema="g")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(shutil.copyfile(town.review, Path(folder) / "whole.gpkg"))
        for name, answer in said.items():
            by = {"by": None} if answer["status"] == "open" else {}
            say(karta, name, **(answer | by))
            decide(whole, name, **answer)
        heard = [
            town.told(Path(folder) / f"{k}.gpkg", [source])
            for k, source in enumerate((whole, f"{karta.source()} schema=g"))
        ]
    assert heard[0] == heard[1]


# --- brought up to date ----------------------------------------------------------------------------------


@contextmanager
def editing(review: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(review)) as database, database:
        for function in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(function, 1, lambda _: 1)
        yield database


def measured_again(review: Path, folder: Path) -> Path:
    """Return a copy of *review* in which every signal has another measure."""
    copy = Path(shutil.copyfile(review, folder / "run" / "again.gpkg"))
    with editing(copy) as database:
        database.execute("UPDATE discrepancy SET p_mean = 0.123")
    return copy


def changed_review(town: Town, folder: Path) -> Path:
    """Return a later review: half of the signals with other measures, one moved, one new, two not listed."""
    review = Path(shutil.copytree(town.review.parent, folder / "run")) / "review.gpkg"
    shutil.copytree(town.review.parent.parent / "flight", folder / "flight", dirs_exist_ok=True)
    with editing(review) as database:
        database.execute("UPDATE run SET run_id = '2024-c'")
        database.execute("UPDATE discrepancy SET p_mean = 0.123, chip = x'FFD8' WHERE fid % 2 = 0")
        database.execute(
            "UPDATE discrepancy SET geom = (SELECT geom FROM discrepancy WHERE fid = 5) WHERE fid = 4"
        )
        database.execute("DELETE FROM discrepancy WHERE fid IN (1, 2)")
        database.execute("UPDATE discrepancy SET discrepancy_id = 'new' WHERE fid = 3")
    return review


SAID = f"SELECT discrepancy_id, fid, {', '.join(Said._fields)} FROM g.discrepancy"
FOUND = "SELECT discrepancy_id, p_mean, chip, lifecycle, ST_AsText(geom) FROM g.discrepancy"


@pytest.mark.slow
@given(st.data())
@few
def test_an_update_writes_what_the_pipeline_says_and_nothing_that_a_reviewer_said(
    karta: Server, town: Town, data: st.DataObject
) -> None:
    karta.execute("DROP SCHEMA IF EXISTS g CASCADE")
    share_review(town.review, karta.source(), schema="g")
    for name in data.draw(st.lists(st.sampled_from(town.ids("TRUE")), unique=True)):
        say(karta, name, **data.draw(answers))
    before, of_before = rows(karta, SAID), {row[0]: row[1:] for row in rows(karta, FOUND)}
    with tempfile.TemporaryDirectory() as folder:
        review = changed_review(town, Path(folder))
        done = share_review(review, karta.source(), schema="g")
        after = rows(karta, SAID)
        assert sorted(row for row in after if row[0] != "new") == sorted(before)
        now = {row[0]: row[1:] for row in rows(karta, FOUND)}
        listed = set(ids_of(review))
        gone = [name for name in of_before if name not in listed]
        assert {name: now[name] for name in gone} == {
            name: (*of_before[name][:2], "gone", of_before[name][3]) for name in gone
        }
        other = Path(folder) / "run" / "review.gpkg"
        told = query(other, "SELECT discrepancy_id, p_mean, chip, lifecycle FROM discrepancy")
        assert {name: now[name][:3] for name in listed} == {row[0]: row[1:] for row in told}
        changed = [name for name in listed & set(of_before) if now[name] != of_before[name]]
        assert (done.added, done.changed, done.gone) == (1, len(changed), len(gone))
        stamps = rows(karta, "SELECT fid, xmin FROM g.discrepancy")
        again = share_review(review, karta.source(), schema="g")
        assert (again.added, again.changed, again.gone) == (0, 0, 0)
        assert rows(karta, "SELECT fid, xmin FROM g.discrepancy") == stamps
    assert rows(karta, "SELECT run_id FROM g.run ORDER BY 1") == [("2024-b",), ("2024-c",)]
    counts = "SELECT (SELECT count(*) FROM g.map_status), (SELECT count(*) FROM g.coverage)"
    assert rows(karta, counts) == query(town.review, counts.replace("g.", ""))


def test_what_was_decided_elsewhere_is_not_taken_back_by_a_row_that_never_said_it(
    karta: Server, town: Town, tmp_path: Path
) -> None:
    ledger = Ledger(Path(shutil.copyfile(town.ledger, tmp_path / "ledger.gpkg")), CRS)
    share_review(town.review, karta.source(), schema="g")
    first, second, third, *_ = town.ids()
    elsewhere = Path(shutil.copyfile(town.review, tmp_path / "copy.gpkg"))
    decide(elsewhere, first, "rejected", "Bo")
    say(karta, second, "confirmed")
    source = f"{karta.source()} schema=g"
    ledger.import_reviews([elsewhere, source])
    later = record(ledger, Flown([*SEEN, Signal(120, 150)], config="c"))
    share_review(publish(town.case, tmp_path / "run", later, "2024-c"), karta.source(), schema="g")
    assert dict(rows(karta, "SELECT discrepancy_id, status FROM g.discrepancy"))[first] == "open"

    def standing() -> dict[str, str]:
        return dict(query(ledger.path, "SELECT discrepancy_id, status FROM signal"))

    ((result,), conflicts) = ledger.import_reviews([source])
    assert (result.new, conflicts) == (0, [])
    assert (standing()[first], standing()[second], standing()[third]) == ("rejected", "confirmed", "open")
    say(karta, second, "open", None)
    ledger.import_reviews([source])
    assert standing()[second] == "open", "what the last review showed as decided was taken back"


@pytest.mark.slow
def test_who_edits_while_it_is_updated_loses_nothing_and_waits_little(
    karta: Server, town: Town, tmp_path: Path
) -> None:
    share_review(town.review, karta.source(), schema="g")
    review = changed_review(town, tmp_path)
    first, second, *_ = ids_of(review, "fid % 2 = 0 AND status = 'open'")
    decided = "UPDATE g.discrepancy SET status = 'rejected', reviewed_by = 'Anna' WHERE discrepancy_id = %s"
    results: list[Any] = []
    update = threading.Thread(target=lambda: results.append(share_review(review, karta.source(), schema="g")))
    with psycopg.connect(karta.source()[3:]) as anna:
        anna.execute(decided, [first])
        update.start()
        update.join(1.5)
        assert update.is_alive(), "it waits for what Anna has not saved yet"
        readers = rows(karta, "SELECT count(*), count(*) FILTER (WHERE p_mean = 0.123) FROM g.discrepancy")
        assert readers == [(len(town.ids("TRUE")), 0)], "others see all of it as it was"
    bo = threading.Thread(target=lambda: say(karta, second, "confirmed", "Bo"))
    bo.start()
    update.join(20)
    bo.join(20)
    assert results[0].added == 1
    found = {
        row[0]: row[1:]
        for row in rows(karta, "SELECT discrepancy_id, status, reviewed_by, p_mean FROM g.discrepancy")
    }
    assert found[first] == ("rejected", "Anna", 0.123)
    assert found[second] == ("confirmed", "Bo", 0.123)


def test_a_signal_that_somebody_holds_too_long_is_told_and_nothing_changes(
    karta: Server, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "LOCK_S", 1)
    share_review(town.review, karta.source(), schema="g")
    review = changed_review(town, tmp_path)
    review.with_name(PROJECT_FILE).unlink()  # of the first time
    before = rows(karta, FOUND)
    with psycopg.connect(karta.source()[3:]) as anna:
        anna.execute("SELECT FROM g.discrepancy FOR UPDATE")
        message = fault(review, karta.source(), schema="g")
    assert message.endswith(
        "expected no signal that somebody holds for 1 s, found canceling statement due to lock timeout; "
        "nothing is changed, try again"
    )
    assert rows(karta, FOUND) == before
    assert not review.with_name(PROJECT_FILE).exists()


def test_signals_that_are_asked_again_are_counted(karta: Server, town: Town, tmp_path: Path) -> None:
    share_review(town.review, karta.source(), schema="g")
    name = town.ids()[0]
    say(karta, name, "rejected")
    review = changed_review(town, tmp_path)
    with editing(review) as database:
        database.execute(
            "UPDATE discrepancy SET discrepancy_id = ?, reopened_because = 'Area' WHERE fid = 6", [name]
        )
    assert share_review(review, karta.source(), schema="g").asked_again == 1


def test_a_style_that_the_department_chose_stays_the_default_and_ours_is_brought_up_to_date(
    karta: Server, town: Town, tmp_path: Path
) -> None:
    share_review(town.review, karta.source(), schema="g")
    karta.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, useAsDefault) "
        "VALUES ('karta', 'g', 'discrepancy', 'geom', 'own', '<qgis/>', true)",
        "UPDATE layer_styles SET useAsDefault = false, styleQML = '<qgis/>' "
        "WHERE styleName = 'geoai' AND f_table_name = 'discrepancy'",
    )
    share_review(changed_review(town, tmp_path), karta.source(), schema="g")
    styles = "SELECT styleName, useAsDefault, length(styleQML::text) > 99 FROM layer_styles"
    found = rows(karta, f"{styles} WHERE f_table_name = 'discrepancy' ORDER BY 1")
    assert found == [("geoai", False, True), ("own", True, False)]


# --- what is refused -------------------------------------------------------------------------------------


def test_another_version_of_the_tables_is_told_and_left_as_it_is(
    karta: Server, town: Town, tmp_path: Path
) -> None:
    share_review(town.review, karta.source(), schema="g")
    review = changed_review(town, tmp_path)
    before = rows(karta, FOUND)
    karta.execute("ALTER TABLE g.map_status DROP COLUMN iou")
    message = fault(review, karta.source(), schema="g")
    assert message.endswith(
        "expected g.map_status as this version makes it, iou double precision, found none; "
        "name another --schema"
    )
    karta.execute("ALTER TABLE g.map_status ADD COLUMN iou text")
    assert "iou double precision, found text" in fault(review, karta.source(), schema="g")
    assert rows(karta, FOUND) == before


def test_an_older_review_ends_nothing_that_a_newer_one_found(
    karta: Server, town: Town, tmp_path: Path
) -> None:
    review = changed_review(town, tmp_path)
    with editing(review) as database:
        database.execute("UPDATE run SET photo_date = '2027-05-01'")
    share_review(review, karta.source(), schema="g")
    before = rows(karta, FOUND)
    assert fault(town.review, karta.source(), schema="g").endswith(
        "expected a review as new as the run 2024-c in g, found 2024-b; name another --schema"
    )
    assert rows(karta, FOUND) == before
    assert share_review(review, karta.source(), schema="g").gone == 0


def test_a_column_of_the_departments_own_does_no_harm(karta: Server, town: Town, tmp_path: Path) -> None:
    share_review(town.review, karta.source(), schema="g")
    karta.execute("ALTER TABLE g.discrepancy ADD COLUMN case_number text DEFAULT 'B-1'")
    assert share_review(changed_review(town, tmp_path), karta.source(), schema="g").added == 1
    assert rows(karta, "SELECT DISTINCT case_number FROM g.discrepancy") == [("B-1",)]


def test_a_schema_that_holds_something_else_is_left_as_it_is(karta: Server, town: Town) -> None:
    karta.execute("CREATE SCHEMA bas", "CREATE TABLE bas.run (a int)")
    assert "expected bas.run as this version makes it" in fault(town.review, karta.source(), schema="bas")
    assert rows(karta, "SELECT tablename FROM pg_tables WHERE schemaname = 'bas'") == [("run",)]


def test_who_may_not_make_a_schema_is_told_what_it_takes(
    karta: Server, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    anna = f"PG:host=127.0.0.1 port={karta.port} user=anna dbname=karta"
    message = fault(town.review, anna, schema="g")
    assert message == (
        f"{anna}: expected the right to write the schema g and the table layer_styles, which takes CREATE "
        "on the database and on the schema public once, found permission denied for database karta"
    )
    karta.execute("CREATE SCHEMA g AUTHORIZATION anna")
    assert "permission denied for schema public" in fault(town.review, anna, schema="g")
    assert rows(karta, "SELECT count(*) FROM pg_tables WHERE schemaname = 'g'") == [(0,)]
    karta.execute("GRANT CREATE ON SCHEMA public TO anna")
    assert share_review(town.review, anna, schema="g").added


def test_who_cannot_be_reached_or_knows_no_password_is_one_line(karta: Server, town: Town) -> None:
    place = f"PG:host=127.0.0.1 port={karta.port} user=anna dbname=karta"
    message = fault(town.review, f"{place} password=osaglig")
    assert message.startswith(f"{place} password=***: expected a PostGIS database that answers, found ")
    assert "osaglig" not in message
    nobody = fault(town.review, f"PG:host=127.0.0.1 port={free_port()} dbname=karta")
    assert "Connection refused" in nobody
    misread = fault(town.review, "PG:host=db password=hem ligt dbname=karta")
    assert misread.startswith("review to-postgis: expected a libpq connection string after PG:")
    assert "hem" not in misread
    assert fault(town.review, "host=db") == "host=db: expected PG: and a libpq connection string"
    assert "expected a reviewed GeoPackage, found no file" in fault(Path("none.gpkg"), karta.source())
    assert "at most 63 bytes" in fault(town.review, karta.source(), schema="å" * 32)


def test_a_database_that_goes_away_midway_is_one_line_and_nothing_is_changed(
    karta: Server, town: Town, tmp_path: Path
) -> None:
    share_review(town.review, karta.source(), schema="g")
    before = rows(karta, FOUND)
    karta.execute(
        "CREATE FUNCTION bort() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$",
        "CREATE TRIGGER bort BEFORE UPDATE ON g.discrepancy FOR EACH ROW EXECUTE FUNCTION bort()",
    )
    message = fault(changed_review(town, tmp_path), karta.source(), schema="g")
    assert ": expected a PostGIS database that answers, found " in message
    karta.execute("DROP TRIGGER bort ON g.discrepancy")
    assert rows(karta, FOUND) == before


def test_a_database_without_postgis_or_without_the_crs_is_told(
    karta: Server, server: Server, town: Town
) -> None:
    message = fault(town.review, server.source("postgres"))
    assert message.endswith("expected PostGIS on the search path of the database, found none")
    karta.execute("DELETE FROM spatial_ref_sys WHERE auth_srid = 3006")
    assert fault(town.review, karta.source()).endswith(
        "expected EPSG:3006 in spatial_ref_sys, found no such row"
    )


def test_reading_back_says_what_is_missing(karta: Server, town: Town) -> None:
    def refused(source: str, crs: str = CRS) -> str:
        with pytest.raises(LedgerError) as caught:
            read_review(source, crs)
        return str(caught.value).removeprefix(f"{source}: ")

    share_review(town.review, karta.source(), schema="g")
    assert refused(karta.source()) == "expected schema=… after the connection, found none"
    assert refused(f"{karta.source()} schema=fel") == "expected a review in the schema fel, found none"
    assert (
        refused(f"{karta.source()} schema=g", "EPSG:3008")
        == "expected a review in EPSG:3008, found EPSG:3006"
    )
    gone = refused(f"PG:host=127.0.0.1 port={free_port()} dbname=karta schema=g")
    assert gone.startswith("expected a PostGIS database that answers, found ")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("PG:host=db schema=g", ("PG:host=db", "g")),
        ("PG:host=db schema = 'a b\\'c\\\\'", ("PG:host=db", "a b'c\\")),
        ("PG:postgresql://db/karta schema=g ", ("PG:postgresql://db/karta", "g")),
        ("PG:host=db password='x schema=g'", ("PG:host=db password='x schema=g'", None)),
        ("PG:schema=g host=db", ("PG:schema=g host=db", None)),
    ],
)
def test_the_schema_is_what_is_named_last(source: str, expected: tuple[str, str | None]) -> None:
    assert split_schema(source) == expected


def test_names_may_hold_any_sign(karta: Server, town: Town, tmp_path: Path) -> None:
    done = share_review(town.review, karta.source(), schema=ODD)
    assert done.schema == ODD
    name = town.ids()[0]
    say(karta, name, "confirmed", schema=ODD)
    share_review(changed_review(town, tmp_path), karta.source(), schema=ODD)
    quoted = ODD.replace("\\", "\\\\").replace("'", "\\'")
    reviewed = read_review(f"{karta.source()} schema='{quoted}'", CRS)
    assert {row.said.status for row in reviewed.rows if row.discrepancy_id == name} == {"confirmed"}


def test_the_commands_tell_what_they_did_without_a_password(
    karta: Server, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    karta.execute("GRANT CREATE ON DATABASE karta TO anna", "GRANT CREATE ON SCHEMA public TO anna")
    anna = f"PG:host=127.0.0.1 port={karta.port} user=anna password='{PASSWORD}' dbname=karta"
    run = shutil.copytree(town.review.parent, tmp_path / "run")
    shutil.copytree(town.review.parent.parent / "flight", tmp_path / "flight")
    done = CliRunner().invoke(app, ["review", "to-postgis", str(run), anna])
    assert done.exit_code == 0, done.output
    assert "schema   geoai_jkpg_2026: 19 added, 0 changed, 0 gone" in done.output
    assert str(run / PROJECT_FILE) in done.output
    say(karta, town.ids()[0], "confirmed", schema="geoai_jkpg_2026")
    (tmp_path / "data").mkdir()
    shutil.copyfile(town.ledger, tmp_path / "data" / "ledger.gpkg")
    config = tmp_path / "run.yaml"
    config.write_text(
        f"crs: {CRS}\nflight: {{folder: .}}\nmap: {{source: map.gpkg}}\ndata: {tmp_path / 'data'}\n"
    )
    source = f"{anna} schema=geoai_jkpg_2026"
    read = CliRunner().invoke(app, ["review", "import", source, "--config", str(config)])
    assert read.exit_code == 0, (read.output, read.exception)
    assert len(query(tmp_path / "data" / "ledger.gpkg", "SELECT 1 FROM verdict")) == 2
    assert "hemligt" not in done.output + read.output


# --- in QGIS ---------------------------------------------------------------------------------------------

OPEN = """
project = QgsProject.instance()
answer = {"read": project.read(sys.argv[1])}
answer["valid"] = {layer.id(): layer.isValid() for layer in project.mapLayers().values()}
layer = project.mapLayer("geoai_layer_to_review")
answer["ids"] = sorted(feature["discrepancy_id"] for feature in layer.getFeatures())
answer["provider"], answer["crs"] = layer.providerType(), layer.crs().authid()
answer["editable"] = layer.startEditing()
first, second = sorted(layer.getFeatures(), key=lambda feature: feature.id())[:2]
fields = layer.fields()
layer.changeAttributeValue(first.id(), fields.indexOf("status"), "confirmed")
layer.changeAttributeValue(first.id(), fields.indexOf("comment"), "sedd å")
layer.changeAttributeValue(first.id(), fields.indexOf("field_visit"), True)
if sys.argv[2:-1]:
    import subprocess
    subprocess.run(sys.argv[2:-1], check=True)
answer["saved"] = layer.commitChanges()
answer["problems"] = layer.commitErrors()
answer["decided"] = first["discrepancy_id"]
layer.startEditing()
layer.changeAttributeValue(second.id(), fields.indexOf("status"), "bogus")
answer["bogus"] = layer.commitChanges()
answer["errors"] = " ".join(layer.commitErrors())
layer.rollBack()
uri = QgsDataSourceUri(project.mapLayer("geoai_layer_all").source())
answer["names"] = [uri.schema(), uri.table(), uri.username(), uri.password()]
alone = QgsVectorLayer(uri.uri(), "alone", "postgres")
answer["style"] = alone.loadDefaultStyle()[1]
renderer = alone.renderer()
answer["renderer"] = renderer.type()
answer["alias"] = alone.attributeAlias(1)
answer["read_only"] = project.mapLayer("geoai_layer_map").startEditing()
"""


@pytest.fixture
def away(town: Town, tmp_path: Path) -> Path:
    shutil.copytree(town.review.parent, tmp_path / "run")
    shutil.copytree(town.review.parent.parent / "flight", tmp_path / "flight")
    return tmp_path / "run" / "review.gpkg"


@pytest.mark.slow
@pytest.mark.parametrize("schema", ["g", ODD])
@pytest.mark.qgis
@needs_qgis
def test_qgis_shows_it_styled_saves_a_decision_and_refuses_a_wrong_one(
    karta: Server, town: Town, away: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    karta.execute("ALTER DATABASE karta SET timezone TO 'Asia/Tokyo'")
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("TZ", "America/New_York")
    done = share_review(away, karta.source(), schema=schema)
    update = tmp_path / "update.py"  # comes while QGIS has edits that are not saved
    update.write_text(
        f"import sys; sys.path.insert(0, {str(Path(geoai.__file__).parents[1])!r})\n"
        "from geoai.cli import main; main()\n"
    )
    later = [measured_again(away, tmp_path), karta.source(), "--schema", schema]
    answer, _ = run_in_qgis(OPEN, done.project, sys.executable, update, "review", "to-postgis", *later)
    assert answer["read"]
    assert all(answer["valid"].values()), answer["valid"]
    assert answer["ids"] == sorted(town.ids())
    assert (answer["provider"], answer["crs"], answer["editable"]) == ("postgres", CRS, True)
    assert answer["names"] == [schema, "discrepancy", "", ""]
    assert answer["style"]
    assert (answer["renderer"], answer["alias"]) == ("categorizedSymbol", "Discrepancy id")
    assert answer["saved"], answer["problems"]
    assert not answer["bogus"]
    assert "discrepancy_status_check" in answer["errors"]
    assert not answer["read_only"]
    table = sql.Identifier(schema, "discrepancy")
    with psycopg.connect(karta.source()[3:]) as connection:
        statement = sql.SQL(
            "SELECT status, comment, field_visit, reviewed_by <> '', p_mean, "
            "abs(extract(epoch FROM now() - reviewed_at)) < 60 FROM {} WHERE discrepancy_id = {}"
        ).format(table, answer["decided"])
        assert connection.execute(statement).fetchone() == ("confirmed", "sedd å", True, True, 0.123, True)


@pytest.mark.qgis
@needs_qgis
def test_a_reviewer_needs_three_grants_and_may_write_the_reviewers_columns_only(
    karta: Server, town: Town, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = share_review(away, karta.source(), schema="g")
    karta.execute(
        "GRANT USAGE ON SCHEMA g TO anna",
        "GRANT SELECT ON ALL TABLES IN SCHEMA g TO anna",
        "GRANT UPDATE (status, reject_reason, field_visit, comment, reviewed_by, reviewed_at) "
        "ON g.discrepancy TO anna",
        "GRANT SELECT ON layer_styles TO anna",
    )
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGOPTIONS", "-c role=anna")
    answer, _ = run_in_qgis(OPEN, done.project)
    assert answer["saved"], answer["problems"]
    assert answer["style"]
    with (
        psycopg.connect(karta.source()[3:]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE g.discrepancy SET class = 'missing'")


@pytest.mark.slow
@pytest.mark.qgis
@needs_qgis
def test_the_buttons_do_in_the_database_what_they_do_in_the_file(
    karta: Server, town: Town, away: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    review = town.case.write(tmp_path / "sv", language="sv")
    there, _ = run_in_qgis(BUTTONS, share_review(review, karta.source(), schema="g").project)
    here, _ = run_in_qgis(BUTTONS, review.with_suffix(".qgz"))
    assert there == here
    assert here["copied"]


def test_lines_and_an_earlier_photograph_come_along(karta: Server, town: Town, tmp_path: Path) -> None:
    mapped = town.case.map_status
    lines = mapped.assign(length_m=32.0).set_geometry(mapped.geometry.boundary)
    review = publish(
        replace(town.case, map_status=lines),
        tmp_path / "run",
        remembered(town.case.discrepancies),
        "2024-c",
        earlier=town.case.orthophoto,
    )
    project = share_review(review, karta.source(), schema="g").project
    kinds = dict(rows(karta, "SELECT f_table_name, type FROM geometry_columns WHERE f_table_schema = 'g'"))
    assert (kinds.pop("map_status"), set(kinds.values())) == ("MULTILINESTRING", {"MULTIPOLYGON"})
    assert rows(karta, "SELECT sum(ST_Length(geom)) FROM g.map_status")[0][0] == pytest.approx(
        32 * len(lines)
    )
    with zipfile.ZipFile(project) as archive:
        text = archive.read("review.qgs").decode()
    assert 'type=MultiLineString table="g"."map_status" (geom)' in text
    assert "geoai_layer_earlier" in text


@pytest.mark.qgis
@needs_qgis
def test_the_plugins_keys_decide_in_the_database(
    karta: Server, town: Town, away: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGUSER", "postgres")
    project = share_review(away, karta.source(), schema="g").project
    write_plugin(tmp_path / "plugin.zip")
    shutil.unpack_archive(tmp_path / "plugin.zip", tmp_path / "plugins")
    pressing = """
answer = []
for key in ("F8", "Q", "E", "W", "1", "Z"):
    answer.append(plugin.current)
    press(key)
"""
    shown, messages = run_in_qgis(WINDOW + pressing, tmp_path / "plugins", project)
    assert "Traceback" not in messages
    urgent_first = query(
        town.review, f"SELECT fid FROM discrepancy WHERE {TO_REVIEW} ORDER BY priority DESC, fid LIMIT 3"
    )
    assert shown[1:4] == [fid for (fid,) in urgent_first]
    told = rows(karta, "SELECT status, reviewed_by <> '' FROM g.discrepancy WHERE fid = ANY (%s)", shown[1:4])
    assert sorted(told, key=str) == [("confirmed", True), ("open", None), ("unclear", True)]


def test_the_project_holds_no_user_and_no_password(karta: Server, town: Town, away: Path) -> None:
    karta.execute("GRANT CREATE ON DATABASE karta TO anna", "GRANT CREATE ON SCHEMA public TO anna")
    anna = f"PG:host=127.0.0.1 port={karta.port} user=anna password='{PASSWORD}' dbname=karta"
    with zipfile.ZipFile(share_review(away, anna).project) as archive:
        text = archive.read("review.qgs").decode()
    assert "hemligt" not in text
    assert "anna" not in text
    assert f"host='127.0.0.1' port='{karta.port}' dbname='karta'" in text
    assert "<datasource>../flight/orthophoto.vrt</datasource>" in text
