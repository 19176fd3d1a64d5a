"""The map out of PostGIS: the same objects as from a file, every fault one line, nothing ever written."""

from __future__ import annotations

import datetime as dt
import socket
import time

import geopandas as gpd
import pandas as pd
import psycopg
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgis_server import PASSWORD, free_port
from rasterio.crs import CRS
from test_maplayer import fault, read

from geoai import postgis
from geoai.errors import CRSError, MapError

pytestmark = pytest.mark.postgis

SWEREF = CRS.from_epsg(3006)


def square(east, size=10):
    return shapely.box(450_000 + east, 6_400_000, 450_000 + east + size, 6_400_000 + size)


def geometry(shape, srid=3006):
    return f"ST_GeomFromText('{shape if isinstance(shape, str) else shape.wkt}', {srid})"


def hus(name="hus", kind="geometry(Polygon, 3006)"):
    """Statements for a table of three squares with ids and names."""
    rows = ", ".join(f"('{objid}', {geometry(square(20 * n))})" for n, objid in enumerate("abc"))
    return (
        f"CREATE TABLE {name} (gid serial PRIMARY KEY, objid text, geom {kind})",
        f"INSERT INTO {name} (objid, geom) VALUES {rows}",
    )


# --- the same map, wherever it is kept -------------------------------------------------------------------

HOUSES = st.lists(
    st.fixed_dictionaries(
        {
            "objid": st.none() | st.integers(1, 4),
            "namn": st.none() | st.text("aö'\"% {}", min_size=1, max_size=4),
            "sigma": st.none() | st.floats(0, 9),
            "changed": st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
            "state": st.sampled_from(["ok", "plan", "riven"]),
            "geometry": st.builds(square, st.integers(-99, 99), st.integers(1, 99)),
        }
    ),
    min_size=1,
    max_size=6,
)


def write_table(server, houses):
    row = (
        "INSERT INTO hus VALUES (%(fid)s, %(objid)s, %(namn)s, %(sigma)s, %(changed)s, %(state)s, "
        "ST_GeomFromText(%(geometry)s, 3006))"
    )
    rows = [
        {**house, "fid": fid, "geometry": house["geometry"].wkt} for fid, house in enumerate(houses, start=1)
    ]
    with psycopg.connect(server.source().removeprefix("PG:")) as connection:
        connection.execute("DROP TABLE IF EXISTS hus")
        connection.execute(
            "CREATE TABLE hus (fid int PRIMARY KEY, objid bigint, namn text, sigma float8, "
            "changed date, state varchar(9), geom geometry(Polygon, 3006))"
        )
        connection.cursor().executemany(row, rows[::-1])  # the order of a table says nothing


@pytest.mark.slow
@given(houses=HOUSES, id_column=st.sampled_from([None, "objid", "namn"]), where=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_map_from_a_file_and_from_postgis_gives_the_same_objects(
    karta, tmp_path, houses, id_column, where
):
    frame = gpd.GeoDataFrame(houses, crs="EPSG:3006").astype({"objid": "Int64", "sigma": "float64"})
    frame["changed"] = pd.to_datetime(frame["changed"])
    pyogrio.write_dataframe(frame, tmp_path / "hus.gpkg")
    write_table(karta, houses)
    keys = {
        "id_column": id_column,
        "status_column": "state",
        "planned": ("plan",),
        "sigma_column": "sigma",
        "date_column": "changed",
        "where": "state <> 'riven' OR fid % 2 = 0" if where else None,
    }
    try:
        expected = read(str(tmp_path / "hus.gpkg"), **keys)
    except MapError as error:
        message = str(error).removeprefix(str(tmp_path / "hus.gpkg"))
        assert fault(MapError, karta.source(), **keys) == message.removeprefix(": ")
    else:
        assert_geodataframe_equal(read(karta.source(), **keys), expected)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("numeric(38, 8)", "17", "17"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("char(5)", "'ab'", "ab"),
        ("bigint", "9007199254740993", "9007199254740993"),
        ("lage", "'rivet'", "rivet"),
    ],
)
def test_an_id_of_any_type_is_the_text_that_a_reader_sees(karta, kind, value, expected):
    karta.execute(
        "CREATE TYPE lage AS ENUM ('rivet')",
        f"CREATE TABLE hus (id {kind}, geom geometry)",
        f"INSERT INTO hus VALUES ({value}, {geometry(square(0))})",
    )
    assert read(karta.source(), id_column="id").map_object_id.tolist() == [expected]


def test_text_is_text_whatever_the_client_is_set_to(karta, monkeypatch):
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    karta.execute(*hus(), "UPDATE hus SET objid = U&'\\00e5' WHERE objid = 'a'")
    assert "å" in read(karta.source(), id_column="objid").map_object_id.tolist()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("timestamptz", "2020-05-01 23:30:00-02", "2020-05-02 01:30:00"),
        ("timestamp", "2020-05-01 23:30:00.25", "2020-05-01 23:30:00.250"),
        ("date", "2020-05-01", "2020-05-01"),
        ("text", "2020-05-01", "2020-05-01"),
        ("date", "infinity", None),
    ],
)
def test_a_date_is_read_in_utc_whatever_the_database_shows(karta, kind, value, expected):
    karta.execute(
        "ALTER DATABASE karta SET datestyle TO 'German'",
        "ALTER DATABASE karta SET timezone TO 'Europe/Stockholm'",
        f"CREATE TABLE hus (d {kind}, geom geometry)",
        f"INSERT INTO hus VALUES ('{value}', {geometry(square(0))}), ('1999-01-01', {geometry(square(20))})",
    )
    dates = read(karta.source(), date_column="d", id_column="d").map_date.dropna()
    assert set(dates) == {pd.Timestamp(text) for text in ["1999-01-01", expected] if text}


def test_a_status_may_be_a_truth_value(karta):
    karta.execute(*hus(), "ALTER TABLE hus ADD plan bool", "UPDATE hus SET plan = objid = 'b'")
    mapped = read(karta.source(), id_column="objid", status_column="plan", planned=("True",))
    assert mapped.map_status.tolist() == ["current", "planned", "current"]


@pytest.mark.parametrize(
    ("kind", "wkt", "area_m2"),
    [
        ("CurvePolygon", "CURVEPOLYGON (CIRCULARSTRING (0 0, 10 10, 20 0, 10 -10, 0 0))", 3.1416 * 100),
        ("MultiSurface", "MULTISURFACE (CURVEPOLYGON ((0 0, 4 0, 4 4, 0 0)))", 8.0),
        ("PolygonM", "POLYGON M ((0 0 7, 4 0 7, 4 4 7, 0 0 7))", 8.0),
        ("PolygonZM", "POLYGON ZM ((0 0 1 7, 4 0 1 7, 4 4 1 7, 0 0 1 7))", 8.0),
        ("MultiPolygonZ", "MULTIPOLYGON Z (((0 0 1, 4 0 1, 4 4 1, 0 0 1)))", 8.0),
    ],
)
def test_curves_heights_and_measures_become_plain_polygons(karta, kind, wkt, area_m2):
    karta.execute(
        f"CREATE TABLE hus (id int PRIMARY KEY, geom geometry({kind}, 3006))",
        f"INSERT INTO hus VALUES (1, {geometry(wkt)})",
    )
    mapped = read(karta.source())
    assert not mapped.geometry.has_z.any()
    assert not shapely.has_m(mapped.geometry.to_numpy()).any()
    assert mapped.area.tolist() == pytest.approx([area_m2], rel=1e-3)


def test_among_polygons_other_features_are_counted_and_left_out(karta, caplog):
    karta.execute(
        *hus(kind="geometry"),
        f"UPDATE hus SET geom = {geometry('POINT (0 0)')} WHERE objid = 'a'",
        "UPDATE hus SET geom = NULL WHERE objid = 'c'",
    )
    assert read(karta.source(), id_column="objid").map_object_id.tolist() == ["b"]
    assert "2 features without area left out" in caplog.text


def test_surfaces_in_space_are_an_error(karta):
    solid = "POLYHEDRALSURFACE Z (((0 0 0, 0 1 0, 1 1 0, 0 0 0)))"
    karta.execute(*hus(kind="geometry"), f"INSERT INTO hus (geom) VALUES ({geometry(solid)})")
    assert fault(MapError, karta.source()).startswith("expected polygons, found ParseException: ")


# --- layers ----------------------------------------------------------------------------------------------


def test_without_an_id_column_the_primary_key_names_the_object(karta):
    karta.execute(*hus(), "UPDATE hus SET gid = 10 * gid", "CREATE UNIQUE INDEX ON hus (objid)")
    assert read(karta.source()).map_object_id.tolist() == ["10", "20", "30"]
    karta.execute("ALTER TABLE hus DROP CONSTRAINT hus_pkey, ADD PRIMARY KEY (objid)")
    assert read(karta.source()).map_object_id.tolist() == ["a", "b", "c"]
    karta.execute("ALTER TABLE hus DROP CONSTRAINT hus_pkey, ADD PRIMARY KEY (gid, objid)")
    assert read(karta.source()).map_object_id.tolist() == ["1", "2", "3"]  # two columns name no object


def test_a_view_gives_the_same_objects_in_the_same_order_however_its_rows_lie(karta):
    karta.execute(
        *hus(),
        "UPDATE hus SET objid = NULL WHERE objid <> 'c'",
        "CREATE SCHEMA vy",
        "CREATE VIEW vy.byggnad AS SELECT objid, ST_Translate(geom, 0, 5) AS form FROM hus",
    )
    before = read(karta.source(), layer="vy.byggnad", id_column="objid")
    assert before.map_object_id.tolist() == ["c", "fid-2", "fid-3"]
    assert before.geometry[0].bounds[1] == 6_400_005
    karta.execute("DELETE FROM hus WHERE gid = 1", f"INSERT INTO hus (geom) VALUES ({geometry(square(0))})")
    assert_geodataframe_equal(read(karta.source(), layer="vy.byggnad", id_column="objid"), before)


def test_a_layer_is_named_with_its_schema_where_the_search_path_does_not_lead_to_it(karta):
    karta.execute("CREATE SCHEMA bas", *hus("hus"), *hus("bas.hus"), *hus("bas.vag"), "DELETE FROM bas.hus")
    source = karta.source()
    assert len(read(source, layer="hus")) == len(read(source, layer="public.hus")) == 3
    assert len(read(source, layer="bas.vag")) == 3
    assert fault(MapError, source, layer="bas.hus") == "expected polygons in 'bas.hus', found an empty layer"
    listed = "found bas.hus, bas.vag, hus"
    assert fault(MapError, source) == f"expected map.layer to name one of several layers, {listed}"
    assert fault(MapError, source, layer="vag") == f"expected the layer 'vag', {listed}"


def test_of_several_geometry_columns_one_is_named(karta):
    karta.execute(*hus(), "ALTER TABLE hus ADD punkt geometry(Point, 3006)")
    source = karta.source()
    message = fault(MapError, source, layer="hus")
    assert message == "expected the layer 'hus', found hus(geom), hus(punkt)"
    assert len(read(source, layer="hus(geom)")) == len(read(source, layer="public.hus(geom)")) == 3


def test_a_table_without_geometry_or_that_may_not_be_read_is_no_layer(karta, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    source = f"PG:host=127.0.0.1 port={karta.port} user=anna dbname=karta"
    karta.execute(
        *hus(), *hus("vag"), "CREATE SCHEMA hemlig", *hus("hemlig.hus"), "CREATE TABLE stil (id int)"
    )
    karta.execute("GRANT SELECT ON vag, stil, hemlig.hus TO anna")
    assert fault(MapError, source, layer="hus") == "expected the layer 'hus', found vag"
    karta.execute("DROP TABLE vag")
    message = fault(MapError, source)
    assert message == "expected map.layer to name one of several layers, found no layer with geometry"


def test_names_may_hold_any_sign(karta):
    karta.execute(
        'CREATE SCHEMA "Bas {0} %s"',
        'CREATE TABLE "Bas {0} %s"."Hus ""gamla""" ("Objekt; id" text, "Geom % {}" geometry)',
        f'INSERT INTO "Bas {{0}} %s"."Hus ""gamla""" VALUES (\'x\', {geometry(square(0))})',
    )
    mapped = read(karta.source(), layer='Bas {0} %s.Hus "gamla"', id_column="Objekt; id")
    assert mapped.map_object_id.tolist() == ["x"]


@pytest.mark.parametrize("key", ["id_column", "status_column", "date_column", "sigma_column"])
def test_a_missing_column_lists_those_that_exist(karta, key):
    karta.execute(*hus(), "ALTER TABLE hus ADD gammal int", "ALTER TABLE hus DROP gammal")
    message = fault(MapError, karta.source(), **{key: "fel"})
    assert message == f"expected the column 'fel' (map.{key}), found gid, objid"


# --- the filter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("objid LIKE 'a%' OR objid = '{0}'", ["a"]),
        ("objid ~ '[bc]' AND ST_Area(geom) > 99 -- de stora", ["b", "c"]),
        ("objid <> 'b'", ["a", "c"]),
    ],
)
def test_the_filter_is_sql_of_the_database(karta, where, expected):
    karta.execute(*hus())
    assert read(karta.source(), id_column="objid", where=where).map_object_id.tolist() == expected


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("objid = = 'a'", 'syntax error at or near "="'),
        ("fel = 3", 'column "fel" does not exist'),
        ("objid = 'a", 'unterminated quoted string at or near "'),
        ("gid = 'a'", 'invalid input syntax for type integer: "a"'),
        ("1 / (gid - gid) = 1", "division by zero"),
        ("true); DROP TABLE hus; SELECT (1", "cannot insert multiple commands into a prepared statement"),
        ("skriv()", "cannot execute INSERT in a read-only transaction"),
    ],
)
def test_a_wrong_filter_is_an_error_and_changes_nothing(karta, where, found):
    karta.execute(
        *hus(),
        "CREATE FUNCTION skriv() RETURNS bool LANGUAGE sql "
        "AS 'INSERT INTO hus (objid) VALUES (''x''); SELECT true'",
    )
    message = fault(MapError, karta.source(), where=where)
    assert message.startswith(f"expected map.where to be a valid filter, found {where!r}: {found}")
    assert karta.execute("SELECT count(*) FROM hus").fetchone() == (3,)


def test_nothing_left_by_the_filter_and_an_empty_layer_are_errors(karta):
    karta.execute(*hus())
    message = fault(MapError, karta.source(), where="objid = 'x'")
    assert message == "expected polygons in 'hus', found none where objid = 'x'"
    karta.execute("DELETE FROM hus")
    assert fault(MapError, karta.source()) == "expected polygons in 'hus', found an empty layer"


def test_a_view_that_fails_is_an_error(karta):
    karta.execute(*hus(), "CREATE VIEW vy AS SELECT 1 / (gid - gid) AS id, geom FROM hus")
    message = fault(MapError, karta.source(), layer="vy", id_column="id")
    assert message == "expected a readable layer, found division by zero"


# --- the CRS ---------------------------------------------------------------------------------------------


def test_another_crs_is_an_error_unless_the_config_says_so(karta):
    there = gpd.GeoSeries([square(0)], crs=3006).to_crs(3008)[0]
    karta.execute("CREATE TABLE hus (geom geometry)", f"INSERT INTO hus VALUES ({geometry(there, 3008)})")
    message = fault(CRSError, karta.source())
    assert message == "expected EPSG:3006, found EPSG:3008; set map.reproject to bring it over"
    brought = read(karta.source(), reproject=True)
    assert shapely.hausdorff_distance(brought.geometry[0], square(0)) < 0.001


def test_no_srid_is_no_crs(karta):
    karta.execute("CREATE TABLE hus (geom geometry)", f"INSERT INTO hus VALUES ({geometry(square(0), 0)})")
    assert fault(CRSError, karta.source()) == "expected EPSG:3006, found no CRS"


def test_features_of_several_srids_are_an_error(karta):
    karta.execute("CREATE TABLE hus (geom geometry)")
    karta.execute(f"INSERT INTO hus VALUES ({geometry(square(0))}), ({geometry(square(0), 3008)})")
    assert fault(CRSError, karta.source()) == "expected geometries of one SRID, found 3006, 3008"


def test_an_srid_of_the_municipality_means_what_spatial_ref_sys_says(karta):
    wkt = SWEREF.to_wkt(version="WKT1_GDAL")
    karta.execute(
        f"INSERT INTO spatial_ref_sys VALUES (990001, 'kommun', 1, '{wkt}', ''), (990002, 'k', 2, 'x', '')",
        "CREATE TABLE hus (geom geometry)",
        f"INSERT INTO hus VALUES ({geometry(square(0), 990001)})",
    )
    assert read(karta.source()).crs.to_epsg() == 3006
    karta.execute("UPDATE hus SET geom = ST_SetSRID(geom, 990002)")
    message = fault(CRSError, karta.source())
    assert message.startswith("expected a CRS in spatial_ref_sys, found Invalid WKT string: x")


# --- the connection --------------------------------------------------------------------------------------


def test_a_password_comes_from_the_string_a_uri_the_environment_or_a_service(karta, tmp_path, monkeypatch):
    karta.execute(*hus(), "GRANT SELECT ON hus TO anna")
    place = f"host=127.0.0.1 port={karta.port} user=anna dbname=karta"
    assert len(read(f"PG:{place} password='{PASSWORD}'")) == 3
    assert len(read(f"pg:postgresql://anna:hemligt%3A1@127.0.0.1:{karta.port}/karta")) == 3
    service = tmp_path / "pg_service.conf"
    service.write_text("[karta]\n" + f"{place} password={PASSWORD}".replace(" ", "\n"))
    with monkeypatch.context() as patch:
        patch.setenv("PGSERVICEFILE", str(service))
        assert len(read("PG:service=karta")) == 3
    with monkeypatch.context() as patch:
        patch.setenv("PGPASSWORD", PASSWORD)
        assert len(read(f"PG:{place}")) == 3


def test_who_is_not_let_in_is_told_so_without_the_password(karta):
    place = f"PG:host=127.0.0.1 port={karta.port} user=anna dbname=karta"
    with pytest.raises(MapError) as caught:
        read(f"{place} password=osaglig")
    message = str(caught.value)
    assert message.startswith(f"{place} password=***: expected a PostGIS database that answers, found ")
    assert 'password authentication failed for user "anna"' in message
    assert "osaglig" not in message
    assert "\n" not in message


def test_a_server_that_is_not_there_is_an_error():
    message = fault(MapError, f"PG:host=127.0.0.1 port={free_port()} dbname=karta")
    assert message.startswith("expected a PostGIS database that answers, found ")
    assert "Connection refused" in message


def test_a_server_that_is_silent_is_given_up(monkeypatch):
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    monkeypatch.setattr(postgis, "CONNECT_TIMEOUT_S", "2")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        message = fault(MapError, f"PG:host=127.0.0.1 port={silent.getsockname()[1]} dbname=karta")
    assert "timeout" in message
    assert time.monotonic() - start < 30


def test_a_database_that_is_not_there_is_an_error(server):
    assert 'database "fel" does not exist' in fault(MapError, server.source("fel"))


def test_a_service_that_is_not_there_is_an_error():
    assert 'service "fel" not found' in fault(MapError, "PG:service=fel")


def test_a_database_without_postgis_is_an_error(server, template):
    message = fault(MapError, server.source("postgres"))
    assert message == "expected PostGIS on the search path of the database, found none"


def test_a_database_that_goes_away_is_an_error(karta):
    karta.execute(
        *hus(),
        "CREATE FUNCTION sov() RETURNS bool LANGUAGE sql AS 'SELECT pg_terminate_backend(pg_backend_pid())'",
    )
    message = fault(MapError, karta.source(), where="sov()")
    assert message.startswith("expected a PostGIS database that answers, found ")


@pytest.mark.parametrize(
    "connection",
    [
        "host=db password=hem ligt dbname=karta",
        "host=db password=hem lig=t dbname=karta",
        "host=db password='hemligt dbname=karta",
        "postgresql://anna:hem/ligt@db/karta",
        "postgresql://anna:hem@ligt@db/karta",
        "postgresql://anna:hem:ligt%@db/karta",
        "hemligt",
    ],
)
def test_nothing_is_shown_of_a_connection_string_that_is_misread(connection):
    with pytest.raises(MapError) as caught:
        read(f"PG:{connection}")
    message = str(caught.value)
    assert message.startswith("map.source: expected a libpq connection string after PG:, found one that")
    assert "hem" not in message
    assert "lig" not in message
