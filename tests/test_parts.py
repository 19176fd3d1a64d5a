"""A review in parts: every waiting signal in exactly one, each a whole review, and nothing lost on return."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pytest
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_case import decide
from pyqgis import PYTHON, qgis_version, run_in_qgis
from review_case import CRS, make_case, remembered
from test_qgis import VALIDATOR
from town_case import Town, ids_of, make_town, publish, query
from typer.testing import CliRunner

from geoai.cli import app
from geoai.errors import PublishError
from geoai.ledger import Ledger
from geoai.publish import parts as dividing
from geoai.publish.parts import By, divide, split_review
from geoai.publish.tables import TO_REVIEW
from geoai.publish.texts import CLASSES, HIDDEN_CLASSES

WAYS: tuple[By, ...] = get_args(By)
SHOWN = [code for code in CLASSES if code not in HIDDEN_CLASSES]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return make_town(tmp_path_factory.mktemp("town"))


# --- who gets what ---------------------------------------------------------------------------------------

frames = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, 9), st.sampled_from(SHOWN[:5]), st.sampled_from([0.1, 0.5, 0.9])
    ),
    max_size=40,
).map(
    lambda rows: gpd.GeoDataFrame(
        {"class": [row[2] for row in rows], "priority": [row[3] for row in rows]},
        geometry=[shapely.box(x, y, x + 1, y + 1) for x, y, *_ in rows],
    )
)  # fmt: skip
counts = st.integers(1, 9)


def members(of: np.ndarray, parts: int) -> list[list[int]]:
    """Return the rows of each part; every row is in one, because it has one number."""
    assert set(of.tolist()) <= set(range(parts))
    return [np.flatnonzero(of == part).tolist() for part in range(parts)]


@given(frames, counts)
def test_parts_by_area_lie_apart_and_differ_by_one_signal_at_most(
    frame: gpd.GeoDataFrame, parts: int
) -> None:
    pieces = members(divide(frame, "area", parts), parts)
    sizes = [len(rows) for rows in pieces]
    assert max(sizes) - min(sizes) <= 1
    points = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()))
    boxes = [(points[rows].min(axis=0), points[rows].max(axis=0)) for rows in pieces if rows]
    for number, (low, high) in enumerate(boxes):
        for lower, higher in boxes[number + 1 :]:
            assert (high <= lower).any() or (higher <= low).any(), "boxes share no inner point"


@given(frames, counts)
def test_parts_by_class_hold_whole_classes_and_no_move_of_one_would_even_them_out(
    frame: gpd.GeoDataFrame, parts: int
) -> None:
    pieces = members(divide(frame, "class", parts), parts)
    held = [Counter(frame["class"].iloc[rows]) for rows in pieces]
    assert sum(len(classes) for classes in held) == frame["class"].nunique()
    fullest = max(held, key=lambda classes: classes.total())
    if fullest:
        assert fullest.total() - min(fullest.values()) <= min(classes.total() for classes in held)


@given(frames, counts)
def test_parts_by_count_hold_as_many_of_the_most_urgent_each(frame: gpd.GeoDataFrame, parts: int) -> None:
    of = divide(frame, "count", parts)
    urgent_first = sorted(range(len(frame)), key=lambda row: (-frame["priority"].iloc[row], row))
    for many in range(len(frame) + 1):
        dealt = Counter(of[urgent_first[:many]].tolist())
        assert max(dealt.values(), default=0) - min(dealt[part] for part in range(parts)) <= 1


def test_a_row_of_houses_is_cut_across_whichever_way_it_runs() -> None:
    east = [shapely.box(x, 0, x + 1, 1) for x in range(4)]
    north = [shapely.box(0, y, 1, y + 1) for y in range(4)]
    for houses in (east, north):
        row = gpd.GeoDataFrame({"class": "missing"}, index=range(4), geometry=houses)
        assert divide(row, "area", 2).tolist() == [0, 0, 1, 1]
        assert divide(row, "area", 4).tolist() == [0, 1, 2, 3]


# --- the files -------------------------------------------------------------------------------------------


@given(st.sampled_from(WAYS), st.integers(1, 6))
@settings(max_examples=examples(6))
def test_every_signal_that_waits_is_in_exactly_one_part_and_nothing_else(
    town: Town, by: By, count: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = split_review(town.review, Path(folder) / "out", by=by, parts=count)
        held = [ids_of(part.review) for part in made]
        assert [len(ids) for ids in held] == [part.signals for part in made]
    assert sorted(name for ids in held for name in ids) == sorted(town.ids())
    assert len(town.ids()) < len(town.ids("TRUE")) - 4


answers = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["confirmed", "rejected", "unclear", "open"]),
        "by": st.sampled_from(["Anna", "Bo"]),
        "comment": st.sampled_from([None, "se 3D"]),
    }
)


@given(st.data(), st.sampled_from(WAYS), st.integers(1, 4))
@settings(max_examples=examples(5))
def test_deciding_in_the_parts_is_deciding_in_the_one_review(
    town: Town, data: st.DataObject, by: By, count: int
) -> None:
    said = {name: data.draw(answers) for name in town.ids()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [part.review for part in split_review(town.review, folder / "out", by=by, parts=count)]
        whole = Path(shutil.copyfile(town.review, folder / "whole.gpkg"))
        for review in (whole, *parts):
            for each in set(said) & set(ids_of(review)):
                decide(review, each, **said[each])
        heard = [town.told(folder / f"{k}.gpkg", files) for k, files in enumerate(([whole], parts[::-1]))]
    assert heard[0] == heard[1]
    decided = {each for each, answer in said.items() if answer["status"] != "open" or answer["comment"]}
    assert decided <= {row[0] for row in heard[0]["verdict"]}


def test_two_who_decide_differently_on_copies_of_one_part_are_told(town: Town, tmp_path: Path) -> None:
    part = split_review(town.review, tmp_path / "out", by="area", parts=2)[0].review
    other = Path(shutil.copyfile(part, tmp_path / "bo.gpkg"))
    (name, *_) = ids_of(part)
    decide(part, name, "confirmed", "Anna")
    decide(other, name, "rejected", "Bo")
    ledger = Ledger(Path(shutil.copyfile(town.ledger, tmp_path / "ledger.gpkg")), CRS)
    _, conflicts = ledger.import_reviews([part, other])
    assert conflicts == [
        f"{name}: expected one verdict, found Anna: confirmed 2024-09-01; Bo: rejected 2024-09-01; left open"
    ]


SAME = """
SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name;
SELECT * FROM layer_styles;
SELECT * FROM gpkg_data_columns;
SELECT * FROM gpkg_data_column_constraints;
SELECT * FROM gpkg_extensions;
SELECT * FROM map_status;
SELECT * FROM detection;
SELECT * FROM coverage;
SELECT * FROM suggestion;
SELECT * FROM run
"""


def test_a_part_is_a_whole_review_of_its_own(town: Town, tmp_path: Path) -> None:
    (part, _) = split_review(town.review, tmp_path / "out", by="count", parts=2)
    for statement in SAME.split(";"):
        assert query(part.review, statement) == query(town.review, statement), statement
    names = ", ".join(f"'{name}'" for name in ids_of(part.review))
    mine = "SELECT * FROM discrepancy"
    assert query(part.review, mine) == query(
        town.review, f"{mine} WHERE discrepancy_id IN ({names}) ORDER BY fid"
    )
    assert query(part.review, "PRAGMA integrity_check") == [("ok",)]
    rtree = "SELECT count(*), min(minx), max(maxx) FROM rtree_discrepancy_geom"
    extent = "SELECT {}, min_x, max_x FROM gpkg_contents WHERE table_name = 'discrepancy'"
    assert query(part.review, rtree)[0] == pytest.approx(query(part.review, extent.format(part.signals))[0])
    counted = "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = 'discrepancy'"
    assert query(part.review, counted) == [(part.signals,)]
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        decide(part.review, ids_of(part.review)[0], "bogus")
    assert not list(part.review.parent.glob(".*")) + list(tmp_path.glob(".*"))


def test_the_source_is_only_read_and_what_was_just_saved_in_qgis_counts(town: Town, tmp_path: Path) -> None:
    review = tmp_path / "run" / "review.gpkg"
    shutil.copytree(town.review.parent, review.parent)
    shutil.copytree(town.review.parent.parent / "flight", tmp_path / "flight")
    with closing(sqlite3.connect(review)) as qgis:
        assert qgis.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        first, second, *_ = ids_of(review, TO_REVIEW)
        decide(review, first, "confirmed")
        qgis.execute("BEGIN IMMEDIATE")
        qgis.execute("UPDATE run SET model_id = 'being edited'")
        before = {path: path.read_bytes() for path in review.parent.iterdir() if path.suffix != ".gpkg-shm"}
        made = split_review(review, tmp_path / "out", by="area", parts=2)
        assert {path: path.read_bytes() for path in before} == before
        qgis.rollback()
    held = [name for part in made for name in ids_of(part.review)]
    assert second in held
    assert first not in held
    assert sorted(path.name for path in made[0].review.parent.iterdir()) == ["review.gpkg", "review.qgz"]


def test_the_sample_is_answered_in_the_review_itself(town: Town, tmp_path: Path) -> None:
    case = make_case(tmp_path / "flight")
    sample = gpd.GeoDataFrame(
        {"sample_id": ["s1"], "stratum": ["signal_other"], "weight": [1.0], "signal": [0], "subject": [None],
         "answer": [None], "number": [None], "comment": [None], "reviewed_by": [None], "reviewed_at": [None]},
        geometry=[case.discrepancies.geometry[0]], crs=CRS,
    )  # fmt: skip
    review = publish(case, tmp_path / "run", remembered(case.discrepancies), "2024-c", sample=sample)
    (part,) = split_review(review, tmp_path / "out", by="area", parts=1)
    assert query(part.review, "SELECT count(*) FROM sample") == [(0,)]
    assert query(review, "SELECT count(*) FROM sample") == [(1,)]


# --- what is refused -------------------------------------------------------------------------------------


def test_a_folder_that_is_there_is_left_as_it_is(town: Town, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(
        PublishError, match=r"out: expected no folder there yet, found one; it is left as it is$"
    ):
        split_review(town.review, tmp_path / "out", by="area", parts=2)
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_disk_that_fills_up_leaves_nothing(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def full(path: Path, *_: Any, **__: Any) -> None:
        written.append(path)
        if len(written) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(dividing, "add_project", full)
    with pytest.raises(
        PublishError, match=r"out: expected a folder that can be written, found .*No space left"
    ):
        split_review(town.review, tmp_path / "out", by="area", parts=3)
    assert not list(tmp_path.iterdir())


def test_a_review_in_which_nothing_waits_is_told(town: Town, tmp_path: Path) -> None:
    (part,) = split_review(town.review, tmp_path / "one", by="area", parts=1)
    for name in ids_of(part.review):
        decide(part.review, name, "unclear")
    with pytest.raises(PublishError, match="expected signals that wait for a decision, found none"):
        split_review(part.review, tmp_path / "out", by="area", parts=2)
    assert not (tmp_path / "out").exists()


def test_what_is_no_review_is_told_in_one_line(town: Town, tmp_path: Path) -> None:
    def fault(path: Path) -> str:
        with pytest.raises(PublishError) as caught:
            split_review(path, tmp_path / "out", by="area", parts=2)
        assert not (tmp_path / "out").exists()
        return str(caught.value).removeprefix(f"{path}: ")

    assert fault(tmp_path / "none.gpkg") == "expected a reviewed GeoPackage, found no file"
    (tmp_path / "text.gpkg").write_text("text" * 99)
    assert fault(tmp_path / "text.gpkg") == "expected a readable GeoPackage, found file is not a database"
    assert fault(town.ledger) == "expected the review of a run, found no table discrepancy"
    alone = Path(shutil.copyfile(town.review, tmp_path / "alone.gpkg"))
    assert fault(alone).startswith("expected its probability at ")


def test_fewer_signals_or_classes_than_parts_make_fewer_parts(town: Town, tmp_path: Path) -> None:
    made = split_review(town.review, tmp_path / "out", by="class", parts=30)
    assert len(made) == len(set(query(town.review, f"SELECT class FROM discrepancy WHERE {TO_REVIEW}")))
    assert [part.review.parent.name for part in made] == [f"part-{k}" for k in range(1, len(made) + 1)]


def test_the_command_says_what_it_made_and_takes_the_folder_of_a_run(town: Town, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    done = CliRunner().invoke(app, ["review", "split", str(town.review.parent), out, "--parts", "3"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["part-1", "part-2", "part-3"]
    assert f"{len(town.ids()) // 3} " in done.output
    refused = CliRunner().invoke(app, ["review", "split", str(town.review), out, "--by", "street"])
    assert str(refused.exception) == "review split: expected --by area, class or count, found street"


# --- in QGIS ---------------------------------------------------------------------------------------------

OPEN = """
project = QgsProject.instance()
answer = {"read": project.read(sys.argv[1]), "title": project.title()}
answer["layers"] = {layer.id(): layer.isValid() for layer in project.mapLayers().values()}
answer["bookmarks"] = len(project.bookmarkManager().bookmarks())
view = project.viewSettings().defaultViewExtent()
layer = project.mapLayer("geoai_layer_to_review")
answer["ids"] = sorted(feature["discrepancy_id"] for feature in layer.getFeatures())
answer["inside"] = all(view.contains(feature.geometry().boundingBox()) for feature in layer.getFeatures())
layer.startEditing()
first = next(layer.getFeatures())
layer.changeAttributeValue(first.id(), layer.fields().indexOf("status"), "confirmed")
answer["saved"] = layer.commitChanges()
alone = QgsVectorLayer(sys.argv[2] + "|layername=discrepancy", "d", "ogr")
answer["styled"] = alone.renderer().type()
"""


@pytest.mark.slow
@pytest.mark.qgis
@pytest.mark.skipif(qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)")
def test_qgis_opens_a_part_where_it_lies_and_where_all_was_moved_to(town: Town, tmp_path: Path) -> None:
    here = tmp_path / "här"
    shutil.copytree(town.review.parent, here / "run")
    shutil.copytree(town.review.parent.parent / "flight", here / "flight")
    made = split_review(here / "run" / "review.gpkg", here / "parts", by="area", parts=2)
    there = here.rename(tmp_path / "där")
    ids = []
    for number in (1, 2):
        folder = there / "parts" / f"part-{number}"
        answer, _ = run_in_qgis(OPEN, folder / "review.qgz", folder / "review.gpkg")
        assert answer["read"]
        assert all(answer["layers"].values()), answer["layers"]
        assert answer["title"] == f"Review jkpg-2026 – part {number} of 2"
        assert answer["inside"]
        assert answer["saved"]
        assert answer["styled"] == "categorizedSymbol"
        assert answer["bookmarks"] == min(5, made[number - 1].signals)
        ids += answer["ids"]
    assert sorted(ids) == sorted(town.ids())


@pytest.mark.skipif(not VALIDATOR.exists(), reason="python3-gdal is not installed")
def test_gdal_finds_nothing_wrong_with_a_part(town: Town, tmp_path: Path) -> None:
    (part,) = split_review(town.review, tmp_path / "out", by="area", parts=1)
    options = ["--extra", "--warning-as-error"]
    done = subprocess.run([PYTHON, VALIDATOR, *options, part.review], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
