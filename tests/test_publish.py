"""The review as a file: what it holds, what it refuses, and that it never comes half-written."""

from __future__ import annotations

import io
import os
import re
import resource
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from review_case import BOTTOM, CRS, GROUND, LEFT, RUN, SCHEME, UNKNOWN, Case, make_case, signals

from geoai.errors import CRSError, PublishError
from geoai.grid import PixelBox
from geoai.publish.chips import CHIP_PX, EVIDENCE_COLOUR, GAP_PX, MIN_SIDE_M, NO_IMAGERY, cut_chips
from geoai.publish.qml import xml_text
from geoai.publish.reasons import NBSP, number, reason
from geoai.publish.style import layer_styles
from geoai.publish.tables import DISCREPANCY, TABLES
from geoai.publish.texts import CLASSES, DOMAINS, HIDDEN_CLASSES
from geoai.raster import read_padded
from geoai.redaction import without_secrets

LANGUAGES = ("sv", "en")
SPECIFIED_CLASSES = [
    "not_assessable",
    "duplicate_in_map",
    "planned_built",
    "missing",
    "demolished",
    "obsolete",
    "uncertain_absence",
    "recomposed",
    "replaced",
    "moved",
    "extended",
    "reduced",
    "reshaped",
    "split",
    "merged",
    "class_mismatch",
    "below_min",
    "confirmed",
]
SPECIFIED_COLUMNS = [
    "discrepancy_id",
    "class",
    "family",
    "theme",
    "cause",
    "cardinality",
    "lifecycle",
    "first_seen",
    "last_seen",
    "n_seen",
    "reopened_because",
    "reopened_at",
    "map_object_ids",
    "map_date",
    "map_status",
    "map_sigma_m",
    "area_map_m2",
    "area_image_m2",
    "plus_m2",
    "minus_m2",
    "length_m",
    "iou",
    "iou_aligned",
    "shift_dx_m",
    "shift_dy_m",
    "tolerance_m",
    "policy_group",
    "p_mean",
    "p_q10",
    "p_q90",
    "confidence",
    "priority",
    "visible_share",
    "near_edge",
    "reason",
    "flight_id",
    "photo_date",
    "stac_item",
    "gsd_m",
    "model_id",
    "config_hash",
    "map_snapshot",
    "run_id",
    "known",
    "status",
    "reject_reason",
    "field_visit",
    "comment",
    "reviewed_by",
    "reviewed_at",
    "chip",
]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("flight"))


@pytest.fixture(scope="module")
def review(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.write(tmp_path_factory.mktemp("run"))


@contextmanager
def opened(review: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage with the functions that its index's triggers ask for; nothing is kept."""
    with closing(sqlite3.connect(review)) as database:
        for function in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(function, 1, lambda _: 1)
        yield database
        database.rollback()


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- what is in the file ---------------------------------------------------------------------------------


def test_review_holds_every_table_with_every_column(review: Path) -> None:
    assert [name for name, _ in pyogrio.list_layers(review)][:6] == [
        "discrepancy",
        "map_status",
        "detection",
        "coverage",
        "suggestion",
        "run",
    ]
    with opened(review) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(discrepancy)")]
        assert columns == ["fid", "geom", *SPECIFIED_COLUMNS]
        assert database.execute("PRAGMA user_version").fetchone() == (10300,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_geometries_and_values_come_back_as_they_went_in(case: Case, review: Path) -> None:
    for layer, frame in (
        ("discrepancy", case.discrepancies),
        ("map_status", case.map_status),
        ("detection", case.detections),
        ("coverage", case.coverage),
    ):
        found = gpd.read_file(review, layer=layer)
        assert found.crs == CRS
        assert set(found.geom_type) == {"MultiPolygon"}
        assert all(a.equals(b) for a, b in zip(found.geometry, frame.geometry, strict=True))
        shared = [c for c in frame.columns if c in found and c not in ("geometry", "map_date")]
        pd.testing.assert_frame_equal(
            pd.DataFrame(found[shared]).astype(object).where(found[shared].notna(), None),
            pd.DataFrame(frame[shared]).astype(object).where(frame[shared].notna(), None),
        )


def test_spatial_index_finds_what_shapely_finds(case: Case, review: Path) -> None:
    window = (LEFT + 40, BOTTOM + 40, LEFT + 100, BOTTOM + 100)
    found = pyogrio.read_dataframe(review, layer="discrepancy", bbox=window)
    expected = case.discrepancies[case.discrepancies.intersects(shapely.box(*window))]
    assert len(expected) > 3
    assert sorted(found["class"]) == sorted(expected["class"])


def test_missing_measurements_are_null_and_never_zero(review: Path) -> None:
    with opened(review) as database:
        for column in (*UNKNOWN, "map_date", "reopened_because", "reviewed_at", "reviewed_by", "comment"):
            (kinds,) = database.execute(f"SELECT group_concat(DISTINCT typeof({column})) FROM discrepancy")
            assert kinds == ("null",), column


def test_every_signal_has_an_identity_a_sentence_and_where_it_comes_from(review: Path) -> None:
    found = gpd.read_file(review, layer="discrepancy")
    assert found["discrepancy_id"].is_unique
    assert found["discrepancy_id"].str.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}").all()
    assert set(found["lifecycle"]) == {"new"}
    assert set(found["n_seen"]) == {1}
    assert set(found["status"]) == {"open"}
    assert set(found["run_id"]) == {RUN.run_id}
    assert set(found["first_seen"]) == {pd.Timestamp(RUN.started)}
    assert found["photo_date"].astype(str).str.startswith("2026-05-14").all()
    assert found["reason"].str.endswith(".").all()
    with opened(review) as database:
        times = database.execute("SELECT DISTINCT first_seen, last_seen FROM discrepancy").fetchall()
    assert times == [("2026-11-23T12:00:00.000Z",) * 2]


def test_signal_names_the_tile_that_holds_it(case: Case, review: Path) -> None:
    found = gpd.read_file(review, layer="discrepancy")
    tiles = case.coverage.set_index("tile_id").geometry
    assert all(
        tiles[item].contains(geometry.centroid)
        for item, geometry in zip(found["stac_item"], found.geometry, strict=True)
    )


def test_run_is_written_without_the_maps_password(case: Case, tmp_path: Path) -> None:
    from dataclasses import replace

    run = replace(RUN, map_source="PG:host=db user=map password=hemligt dbname=karta")
    review = case.write(tmp_path, run=run)
    assert b"hemligt" not in review.read_bytes()
    row = pyogrio.read_dataframe(review, layer="run").iloc[0]
    assert row["map_source"] == "PG:host=db user=map password=*** dbname=karta"
    assert (row["flight_id"], row["gsd_m"], row["crs"]) == ("jkpg-2026", 0.2, CRS)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("PG:password='två ord' host=db", "PG:password=*** host=db"),
        (r"PG:password=två\ ord host=db", "PG:password=*** host=db"),
        ("postgresql://map:secret@db/karta", "postgresql://map:***@db/karta"),
        ("https://anna:p@ss@town.example/a@b.gpkg", "https://anna:***@town.example/a@b.gpkg"),
        ("PG:postgresql://db/karta", "PG:postgresql://db/karta"),
        ("C:/karta/baskarta.gpkg", "C:/karta/baskarta.gpkg"),
    ],
)
def test_password_is_taken_out_of_a_connection_string(source: str, expected: str) -> None:
    assert without_secrets(source) == expected


# --- what the database refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE discrepancy SET status = 'bogus'",
        "UPDATE discrepancy SET status = NULL",
        "UPDATE discrepancy SET reject_reason = 'because'",
        "UPDATE discrepancy SET lifecycle = 'old'",
        "UPDATE discrepancy SET class = NULL",
        "UPDATE discrepancy SET discrepancy_id = 'same'",
        "UPDATE discrepancy SET field_visit = NULL",
    ],
)
def test_database_refuses_a_wrong_value(review: Path, statement: str) -> None:
    with opened(review) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)


def test_database_takes_every_code_that_the_form_offers(review: Path) -> None:
    with opened(review) as database:
        for column, domain in (("status", "review"), ("reject_reason", "reject_reason")):
            for code in DOMAINS[domain]:
                database.execute(f"UPDATE discrepancy SET {column} = ?", (code,))


def test_number_of_a_deleted_row_is_never_used_again(review: Path) -> None:
    with opened(review) as database:
        (last,) = database.execute("SELECT max(fid) FROM discrepancy").fetchone()
        copied = ", ".join(c for c in SPECIFIED_COLUMNS if c != "discrepancy_id")
        database.execute("DELETE FROM discrepancy WHERE fid = ?", (last,))
        database.execute(
            f"INSERT INTO discrepancy (discrepancy_id, {copied}) "
            f"SELECT 'x', {copied} FROM discrepancy LIMIT 1"
        )
        assert database.execute("SELECT max(fid) FROM discrepancy").fetchone() == (last + 1,)


# --- what is never touched, and never half-written -------------------------------------------------------


def test_existing_review_is_refused_and_stays_byte_for_byte(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    before = files_in(tmp_path)
    with pytest.raises(PublishError) as error:
        case.write(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/review.gpkg: expected no review there yet, found review.gpkg; it is left as it is"
    )
    assert files_in(tmp_path) == before


def test_left_over_journal_is_refused(case: Case, tmp_path: Path) -> None:
    (tmp_path / "review.gpkg-wal").write_bytes(b"old")
    with pytest.raises(PublishError, match=r"found review\.gpkg-wal"):
        case.write(tmp_path)
    assert files_in(tmp_path) == {"review.gpkg-wal": b"old"}


@pytest.mark.parametrize("room", [20_000, 200_000])
def test_full_disk_gives_one_line_and_leaves_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python takes a short write of it for a whole one
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))  # the file can grow no further than this
    try:
        with pytest.raises(PublishError) as error:
            case.write(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(error.value).startswith(
        f"{tmp_path}/review.gpkg: expected a folder that can be written, found "
    )
    assert "\n" not in str(error.value)
    assert files_in(tmp_path) == {}


def test_folder_that_is_a_file_gives_one_line(case: Case, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("not a folder")
    with pytest.raises(PublishError, match="expected a folder that can be written") as error:
        case.write(tmp_path / "run")
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_read_only_folder_gives_one_line(case: Case, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PublishError, match="expected a folder that can be written"):
            case.write(tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert files_in(tmp_path) == {}


def test_nothing_but_the_two_files_is_left(review: Path) -> None:
    assert set(files_in(review.parent)) == {"review.gpkg", "review.qgz"}


# --- what is refused at the door -------------------------------------------------------------------------


def test_frame_in_another_crs_is_refused(case: Case, tmp_path: Path) -> None:
    with pytest.raises(CRSError, match=r"^detection: expected EPSG:3006, found EPSG:3008$"):
        case.write(tmp_path, detections=case.detections.set_crs("EPSG:3008", allow_override=True))
    assert files_in(tmp_path) == {}


def test_frame_without_a_column_is_refused(case: Case, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"^map_status: expected the columns p_q95, found them missing$"):
        case.write(tmp_path, map_status=case.map_status.drop(columns="p_q95"))


def test_unknown_class_is_refused(case: Case, tmp_path: Path) -> None:
    strange = signals(["vanished"], [shapely.box(LEFT, BOTTOM, LEFT + 5, BOTTOM + 5)])
    with pytest.raises(PublishError, match=r"^discrepancy: expected a known class, found vanished$"):
        case.write(tmp_path, discrepancies=strange)


def test_missing_mosaic_is_refused(case: Case, tmp_path: Path) -> None:
    with pytest.raises(
        PublishError, match=r"no\.vrt: expected the mosaic of the flight's tiles, found no file$"
    ):
        case.write(tmp_path, orthophoto=tmp_path / "no.vrt")


@pytest.mark.parametrize("empty", ["discrepancies", "map_status", "detections", "coverage", "all"])
def test_empty_layers_are_written_and_read(case: Case, tmp_path: Path, empty: str) -> None:
    names = ["discrepancies", "map_status", "detections", "coverage"]
    emptied = {name: getattr(case, name).iloc[:0] for name in names if empty in (name, "all")}
    review = case.write(tmp_path, **emptied)
    layers = dict(zip(names, ["discrepancy", "map_status", "detection", "coverage"], strict=True))
    for name, layer in layers.items():
        assert len(gpd.read_file(review, layer=layer)) == (0 if name in emptied else len(getattr(case, name)))


def test_lines_beside_a_polygon_are_left_out(case: Case, tmp_path: Path) -> None:
    tile = case.coverage.geometry[0]
    mixed = shapely.GeometryCollection([tile, shapely.LineString([(LEFT, BOTTOM), (LEFT + 1, BOTTOM)])])
    coverage = case.coverage.set_geometry([mixed, *case.coverage.geometry[1:]], crs=CRS)
    found = gpd.read_file(case.write(tmp_path, coverage=coverage), layer="coverage")
    assert found.geometry[0].equals(tile)
    assert set(found.geom_type) == {"MultiPolygon"}


# --- sentences -------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "theme": "building",
    "cardinality": "1:2",
    "area_map_m2": 142.3,
    "area_image_m2": 180.4,
    "plus_m2": 38.12,
    "minus_m2": 7.26,
    "iou": 0.614,
    "shift_dx_m": 3.0,
    "shift_dy_m": -4.0,
    "tolerance_m": 1.24,
    "p_mean": 0.934,
    "visible_share": 0.98,
    "near_edge": False,
}


@pytest.mark.parametrize(
    ("code", "language", "expected"),
    [
        ("missing", "sv", "Byggnad om 180 m² syns i bilden men saknas i kartan (sannolikhet 0,93)."),
        (
            "missing",
            "en",
            "Building of 180 m² is seen in the image but missing in the map (probability 0.93).",
        ),
        (
            "demolished",
            "sv",
            "Byggnad om 142 m² finns i kartan men syns inte i bilden "
            "(sannolikhet för byggnad 0,93; 98 % synligt).",
        ),
        (
            "extended",
            "sv",
            "Byggnad om 142 m² i kartan är större i bilden (tillkommet 38 m²; sannolikhet 0,93).",
        ),
        (
            "reshaped",
            "en",
            "Building of 142 m² in the map has another shape in the image (added 38 m²; gone 7.3 m²).",
        ),
        (
            "moved",
            "sv",
            "Byggnad om 142 m² i kartan ligger på en annan plats i bilden "
            "(förskjutning 5,0 m; tolerans 1,2 m).",
        ),
        ("not_assessable", "en", "Building of 142 m² cannot be assessed in the image (98% visible)."),
    ],
)
def test_reason_tells_the_numbers_in_the_readers_language(code: str, language: Any, expected: str) -> None:
    assert reason(FULL | {"class": code}, language).replace(NBSP, " ") == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", SPECIFIED_CLASSES)
def test_reason_of_every_class_leaves_unknown_numbers_out(code: str, language: Any) -> None:
    known = reason(FULL | {"class": code}, language)
    unknown = reason({"class": code, "theme": None} | UNKNOWN, language)
    assert re.search(r"\d", known)
    assert not re.search(r"\d|[()]", unknown)
    assert unknown.startswith("Objekt" if language == "sv" else "Object")


@given(
    code=st.sampled_from(SPECIFIED_CLASSES),
    language=st.sampled_from(LANGUAGES),
    hidden=st.sets(st.sampled_from(sorted(FULL))),
    nothing=st.sampled_from([None, np.nan, pd.NaT]),
)
def test_reason_is_one_clean_sentence_whatever_is_known(
    code: str, language: Any, hidden: set[str], nothing: Any
) -> None:
    text = reason(FULL | dict.fromkeys(hidden, nothing) | {"class": code}, language)
    assert text.endswith(".")
    assert text.count("(") == text.count(")") <= 1
    assert not re.search(r"\bnan\b|NaT|None|[{}]|\s\s|\s[.;)]|[(;]\)", text)


@pytest.mark.parametrize(
    ("value", "form", "sv", "en"),
    [
        (1234.6, "area", "1 235 m²", "1,235 m²"),
        (9.94, "area", "9,9 m²", "9.9 m²"),
        (0.5, "share", "0,50", "0.50"),
        (0.98, "percent", "98 %", "98%"),
        (2.36, "length", "2,4 m", "2.4 m"),
        ("1:2", "text", "1:2", "1:2"),
        (np.nan, "area", "", ""),
    ],
)
def test_number_has_the_languages_decimal_sign_and_spaces(value: Any, form: str, sv: str, en: str) -> None:
    assert number(value, form, "sv").replace(NBSP, " ") == sv
    assert number(value, form, "en").replace(NBSP, " ") == en


ROAD = {"theme": "road", "length_m": 84.4, "length_map_m": 1312.0, "p_mean": 0.021}


@pytest.mark.parametrize(
    ("signal", "language", "expected"),
    [
        (
            {"class": "obsolete"},
            "sv",
            "Väg: en sträcka på 84 m finns i kartan men syns inte i bilden "
            "(kartans linje är 1 312 m; sannolikhet för väg 0,02).",
        ),
        (
            {"class": "missing", "p_mean": 0.9},
            "en",
            "Road: a stretch of 84 m is seen in the image but missing in the map (probability 0.90).",
        ),
        (
            {"class": "not_assessable", "hidden_by": "canopy", "theme": "canal"},
            "en",
            "Object: a stretch of 84 m cannot be assessed in the image (hidden by tree crowns).",
        ),
    ],
)
def test_reason_of_a_stretch_tells_its_length(signal: Any, language: Any, expected: str) -> None:
    assert reason(ROAD | signal, language).replace(NBSP, " ") == expected


# --- words and colours -----------------------------------------------------------------------------------


def test_every_class_has_words_and_looks_like_no_other() -> None:
    assert sorted(CLASSES) == sorted(SPECIFIED_CLASSES)
    looks = {(look.colour, look.hatch, look.dashed) for look in CLASSES.values()}
    assert len(looks) == len(CLASSES)
    for language in LANGUAGES:
        names = {look.name.say(language) for look in CLASSES.values()}
        assert len(names) == len(CLASSES)


def test_classes_of_one_colour_differ_in_black_and_white() -> None:
    for colour in {look.colour for look in CLASSES.values()}:
        lines = [(look.hatch, look.dashed) for look in CLASSES.values() if look.colour == colour]
        assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_titles_of_a_tables_columns_are_unique(table: Any) -> None:
    for language in LANGUAGES:
        titles = [column.alias.say(language) for column in table.columns]
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("language", LANGUAGES)
def test_style_has_every_column_once_and_only_the_reviewers_editable(language: Any) -> None:
    style = layer_styles(language)[DISCREPANCY]
    columns = ["fid", *(column.name for column in DISCREPANCY.columns)]
    for part in ("fieldConfiguration/field", "editable/field", "labelOnTop/field"):
        assert [element.get("name") for element in style.findall(part)] == columns
    for part in ("aliases/alias", "defaults/default", "constraints/constraint"):
        assert [element.get("field") for element in style.findall(part)] == columns
    editable = {e.get("name") for e in style.findall("editable/field") if e.get("editable") == "1"}
    assert editable == {"status", "reject_reason", "field_visit", "comment"}
    formed = [element.get("name") for element in style.iter("attributeEditorField")]
    assert sorted(formed) == sorted(set(columns) - {"fid", "chip", "known"})
    assert all(
        columns[int(e.get("index", "-1"))] == e.get("name") for e in style.iter("attributeEditorField")
    )


def test_hidden_classes_are_faint_or_off() -> None:
    for code in HIDDEN_CLASSES:
        assert not CLASSES[code].shown or CLASSES[code].opacity <= 50


# --- project ---------------------------------------------------------------------------------------------


def project_of(review: Path) -> ElementTree.Element:
    with zipfile.ZipFile(review.with_suffix(".qgz")) as archive:
        (name,) = archive.namelist()
        return ElementTree.fromstring(archive.read(name))


def test_same_input_gives_the_same_styles_and_project(case: Case, tmp_path: Path) -> None:
    first, second = case.write(tmp_path / "a"), case.write(tmp_path / "b")
    assert first.with_suffix(".qgz").read_bytes() == second.with_suffix(".qgz").read_bytes()
    found = []
    for review in (first, second):
        with opened(review) as database:
            styles = database.execute("SELECT f_table_name, styleQML FROM layer_styles ORDER BY 1").fetchall()
            projects = database.execute("SELECT * FROM qgis_projects").fetchall()
            found.append((styles, projects))
    assert found[0] == found[1]
    every = layer_styles("sv")  # a review without a sample holds no style of one
    assert dict(found[0][0]) == {table.name: xml_text(every[table]) for table in TABLES}


def test_project_inside_the_geopackage_is_the_one_beside_it(review: Path) -> None:
    with opened(review) as database:
        ((name, content),) = database.execute("SELECT name, content FROM qgis_projects").fetchall()
    assert name == "review"
    assert bytes.fromhex(content) == review.with_suffix(".qgz").read_bytes()
    assert zipfile.ZipFile(io.BytesIO(bytes.fromhex(content))).namelist() == ["review.qgs"]


def test_project_names_only_relative_paths_that_lead_to_the_files(case: Case, review: Path) -> None:
    sources = [element.text or "" for element in project_of(review).iter("datasource")]
    assert len(sources) == 10
    paths = [source.split("|")[0] for source in sources]
    assert all(path.startswith("./") or path.startswith("../") for path in paths)
    targets = {(review.parent / path).resolve() for path in paths}
    assert targets == {review.resolve(), case.orthophoto.resolve(), case.probability.resolve()}


def test_project_starts_at_the_signals_and_bookmarks_the_most_urgent(case: Case, tmp_path: Path) -> None:
    squares = [shapely.box(LEFT + x, BOTTOM + 20, LEFT + x + 8, BOTTOM + 28) for x in range(10, 180, 20)]
    codes = [
        "missing",
        "below_min",
        "demolished",
        "extended",
        "reduced",
        "reshaped",
        "moved",
        "split",
        "merged",
    ]
    frame = signals(codes, squares).assign(priority=[1.0, 99.0, 9.0, 8.0, 7.0, 6.0, 5.0, 2.0, 2.0])
    project = project_of(case.write(tmp_path, discrepancies=frame, language="en"))
    names = [bookmark.get("name") for bookmark in project.iter("Bookmark")]
    assert names == ["1. Demolished", "2. Extended", "3. Reduced", "4. Reshaped", "5. Moved"]
    extent = project.find("mapcanvas/extent")
    assert extent is not None
    view = shapely.box(*(float(extent.findtext(side, "nan")) for side in ("xmin", "ymin", "xmax", "ymax")))
    assert view.contains(shapely.union_all(squares))
    assert view.area < 300 * 300


# --- pictures --------------------------------------------------------------------------------------------


def decoded(chip: bytes | None) -> Any:
    assert chip is not None
    return cv2.imdecode(np.frombuffer(chip, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def is_close(picture: Any, colour: tuple[int, int, int], within: int = 60) -> Any:
    return np.abs(picture - np.array(colour)).max(axis=-1) < within


def test_chips_are_stored_as_jpeg_and_read_back_by_gdal(review: Path) -> None:
    chips = pyogrio.read_dataframe(review, layer="discrepancy", read_geometry=False)["chip"]
    assert len(chips) == len(CLASSES)
    for chip in chips:
        assert chip.startswith(b"\xff\xd8\xff")
        assert decoded(chip).shape == (CHIP_PX, CHIP_PX, 3)


def test_chip_shows_the_evidence_in_its_middle_at_scale(case: Case) -> None:
    square = shapely.box(LEFT + 100, BOTTOM + 50, LEFT + 108, BOTTOM + 58)
    (chip,) = cut_chips(case.orthophoto, np.array([square]), np.array([], dtype=object))
    rows, cols = np.nonzero(is_close(decoded(chip), EVIDENCE_COLOUR))
    side = 8 * CHIP_PX / MIN_SIDE_M
    middle = (CHIP_PX - 1) / 2
    assert (cols.min() + cols.max()) / 2 == pytest.approx(middle, abs=1)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(middle, abs=1)
    assert np.ptp(cols) == pytest.approx(side, abs=5)  # and the line's width
    assert is_close(decoded(chip)[5, 5], GROUND, 12)


def test_chip_shows_north_up_what_lies_where(tmp_path: Path) -> None:
    """A red roof north-east of the signal is north-east in the chip, by the metres it lies away."""
    box = SCHEME.box_around((LEFT, BOTTOM, LEFT + 100, BOTTOM + 100))
    image = np.full((3, 500, 500), 60, np.uint8)
    image[0, 240:250, 260:270] = 255  # 2 × 2 m at 53 m east, 51 m north
    from geoai.raster import LatticeFile, write_cog, write_mosaic

    write_cog(tmp_path / "tile.tif", image, SCHEME.grid_of(box))
    write_mosaic(tmp_path / "mosaic.vrt", [LatticeFile(tmp_path / "tile.tif", box)], SCHEME)
    square = shapely.box(LEFT + 44, BOTTOM + 44, LEFT + 48, BOTTOM + 48)
    (chip,) = cut_chips(tmp_path / "mosaic.vrt", np.array([square]), np.array([], dtype=object))
    rows, cols = np.nonzero(is_close(decoded(chip), (255, 60, 60)))
    px_per_m = CHIP_PX / MIN_SIDE_M
    assert cols.mean() == pytest.approx(CHIP_PX / 2 + 7 * px_per_m, abs=1.5)
    assert rows.mean() == pytest.approx(CHIP_PX / 2 - 5 * px_per_m, abs=1.5)


def test_chip_shows_an_earlier_flight_to_the_left(case: Case, tmp_path: Path) -> None:
    earlier = make_case(tmp_path).orthophoto
    evidence = case.discrepancies.geometry.to_numpy()[:1]
    alone, pair, off = (
        cut_chips(case.orthophoto, evidence, evidence, earlier=path)[0] for path in (None, earlier, None)
    )
    assert alone is not None
    assert pair is not None
    assert alone == off
    after, both = (
        cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int) for jpeg in (alone, pair)
    )
    assert both.shape == (CHIP_PX, 2 * CHIP_PX + GAP_PX, 3)
    for half in (both[:, :CHIP_PX], both[:, -CHIP_PX:]):
        assert np.abs(half - after).mean() < 3


def test_reasons_say_what_hides_and_what_stood_before() -> None:
    hidden = {"class": "not_assessable", "theme": "building", "visible_share": 0.4, "hidden_by": "canopy"}
    assert reason(hidden, "sv").endswith("skyms av trädkronor).")
    assert reason(hidden, "en").endswith("(40% visible; hidden by tree crowns).")
    dated = {"class": "missing", "theme": "building", "p_mean": 0.9, "p_before": 0.02, "map_newer": True}
    assert reason(dated, "en").endswith(
        "(probability 0.90; on the earlier flight 0.02; the map changed after the photo was taken)."
    )
    tall = {"class": "uncertain_absence", "theme": "building", "height_m": 5.4}
    assert reason(tall, "sv").endswith("(höjd över mark 5,4\xa0m).")


def test_chip_draws_the_map_in_another_colour(case: Case) -> None:
    evidence = shapely.box(LEFT + 100, BOTTOM + 50, LEFT + 104, BOTTOM + 54)
    mapped = shapely.box(LEFT + 94, BOTTOM + 46, LEFT + 110, BOTTOM + 60)
    with_map, without = (
        decoded(cut_chips(case.orthophoto, np.array([evidence]), np.array(shown, dtype=object))[0])
        for shown in ([mapped], [])
    )
    assert is_close(with_map, (86, 180, 233)).sum() > 300
    assert is_close(without, (86, 180, 233)).sum() == 0


def test_chip_is_grey_where_nothing_was_flown_and_none_where_nothing_is_near(case: Case) -> None:
    corner = shapely.box(LEFT - 4, BOTTOM + 196, LEFT + 4, BOTTOM + 204)
    far = shapely.box(LEFT + 1000, BOTTOM, LEFT + 1008, BOTTOM + 8)
    at_corner, nowhere = cut_chips(case.orthophoto, np.array([corner, far]), np.array([], dtype=object))
    assert nowhere is None
    assert is_close(decoded(at_corner)[5, 5], (NO_IMAGERY,) * 3, 6)


def test_chip_of_a_large_signal_shows_all_of_it(case: Case) -> None:
    large = shapely.box(LEFT + 5, BOTTOM + 5, LEFT + 195, BOTTOM + 150)
    (chip,) = cut_chips(case.orthophoto, np.array([large]), np.array([], dtype=object))
    rows, cols = np.nonzero(is_close(decoded(chip), EVIDENCE_COLOUR))
    assert (cols.min(), rows.min()) > (20, 20)
    assert np.ptp(cols) / np.ptp(rows) == pytest.approx(190 / 145, rel=0.05)


@given(
    col=st.integers(-700, 1300),
    row=st.integers(-700, 1300),
    width=st.integers(1, 900),
    height=st.integers(1, 900),
)
def test_padded_reading_is_slicing_a_padded_array(
    case: Case, col: int, row: int, width: int, height: int
) -> None:
    with rasterio.open(case.orthophoto) as source:
        whole, mask = source.read(), source.dataset_mask() > 0
        pad = 1600
        expected = np.pad(whole * mask, ((0, 0), (pad, pad), (pad, pad)))
        held = np.pad(mask, pad)
        data, valid = read_padded(source, PixelBox(col, row, width, height), bands=(1, 2, 3))
    rows, cols = slice(pad + row, pad + row + height), slice(pad + col, pad + col + width)
    np.testing.assert_array_equal(data, expected[:, rows, cols])
    np.testing.assert_array_equal(valid, held[rows, cols])
