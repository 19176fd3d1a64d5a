"""The report, as a file and in a browser: it holds everything, asks for nothing, leaves the review alone."""

from __future__ import annotations

import json
import math
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from pyqgis import qgis_version, run_in_qgis
from review_case import BOTTOM, GROUND, LEFT, RUN, Case, make_case, remembered, signals
from typer.testing import CliRunner

from geoai.cli import app
from geoai.config import PolicyRule
from geoai.errors import PublishError
from geoai.policy import Applied, Learned, write_applied
from geoai.publish import put_before, write_review
from geoai.publish.report_texts import BASES, MEASURES, NEEDS, REPORT
from geoai.publish.texts import CLASSES, DOMAINS, HIDDEN_CLASSES, QUESTIONS
from geoai.report import write_contact_sheet, write_report, write_settings
from geoai.reportviews import overview, thumbnail
from geoai.sampling import draw_sample, lay_grid

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("flight"))


def write(case: Case, folder: Path, language: Any = "sv") -> Path:
    """Write a review with grid and sample, the mosaics beside it as a run has them."""
    grid = lay_grid(case.coverage, case.map_status, put_before(case.discrepancies), cell_m=50)
    sample = draw_sample(grid, case.map_status, case.discrepancies, size=20, min_area_m2=15, seed=RUN.run_id)
    write_review(
        folder,
        RUN,
        discrepancies=remembered(case.discrepancies),
        map_status=case.map_status,
        detections=case.detections,
        coverage=case.coverage,
        orthophoto=case.orthophoto,
        probability=case.probability,
        language=language,
        sample=sample,
        quality_grid=grid,
        registration=offsets(),
    )
    text = case.orthophoto.read_text(encoding="utf-8")  # its tiles lie by relative paths
    tiles = f">{case.orthophoto.parent}/tiles/"
    (folder / "orthophoto.vrt").write_text(
        text.replace('relativeToVRT="1"', 'relativeToVRT="0"').replace(">tiles/", tiles), encoding="utf-8"
    )
    return folder / "review.gpkg"


def offsets() -> gpd.GeoDataFrame:
    """Return the registration of three cells, measured in the cell, in its block, and not at all."""
    west, south = 500 * np.array([[900, 901, 902], [12808, 12808, 12808]], float)
    return gpd.GeoDataFrame(
        {
            "dx_m": [0.4, -1.2, 0.0],
            "dy_m": [-0.3, 1.6, 0.0],
            "pairs": [24, 7, 2],
            "spread_m": [0.21, 0.3, np.nan],
            "source": ["cell", "block", "none"],
        },
        geometry=shapely.box(west, south, west + 500, south + 500),
        crs=RUN.crs,
    )


def learned(**known: Any) -> Learned:
    """Return something learned that helps, but for what is *known* otherwise."""
    weight = {"area_m2": -1.4, "brightness": 1.2, "attached": 0.8, "texture": 0.02}
    mean = {"area_m2": math.log(30), "brightness": 0.62, "attached": 0.9, "texture": 0.1}
    base = Learned(
        class_name="extended",
        reason="patio_roof",
        rejected=41,
        kept=38,
        intercept=0.1,
        weight=weight,
        mean=mean,
        scale=dict.fromkeys(weight, 0.5),
        log_loss=0.31,
        log_loss_of_proportion=0.69,
        would_hide=36,
        would_hide_rightly=33,
    )
    return replace(base, **known)


def decide(review: Path, *statements: str) -> None:
    """Run SQL in a review as QGIS would: with the functions that the index's triggers ask for."""
    with closing(sqlite3.connect(review)) as database, database:
        for function in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(function, 1, lambda _: 1)
        for statement in statements:
            database.execute(statement)


class Page(HTMLParser):
    """Gathers a page's text, tags, and what it asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [value or "" for name, value in attrs if name in {"src", "href", "data", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run's folder in which some signals are decided and the sample is answered."""
    folder = tmp_path_factory.mktemp("run")
    sure = case.discrepancies.assign(confidence=np.linspace(0.5, 0.95, len(case.discrepancies)))
    review = write(replace(case, discrepancies=sure), folder)
    write_settings(folder, {"compare": {"min_area_m2": 20.0}})
    low = PolicyRule.model_validate(
        {"name": "low", "class": "missing", "attached": False, "max_height_m": 2.5}
    )
    write_applied(
        folder / "policy.json",
        [
            Applied(low, 7, 0.25),
            Applied(learned(), 5, 0.012),
            Applied(learned(reason="greenhouse", would_hide_rightly=4)),
        ],
    )
    decide(
        review,
        "UPDATE discrepancy SET status = 'confirmed' WHERE class = 'missing'",
        "UPDATE discrepancy SET status = 'rejected', reject_reason = 'boat' WHERE class = 'demolished'",
        "UPDATE sample SET answer = 'correct'",
        "UPDATE sample SET answer = 'wrong', number = 2 WHERE stratum = 'cell_built'",
    )
    write_report(folder)
    return folder


# --- the file --------------------------------------------------------------------------------------------


RULES = {
    "sv": (
        ["low", "Saknas i kartan", "fristående, höjd ≤\xa02,5\xa0m", "7", "25\xa0%"],
        ["Altantak", "Tillbyggd", "41 + 38", "33 av 36", "ja", "5", "1,2\xa0%"],
        ["Växthus", "Tillbyggd", "41 + 38", "4 av 36", REPORT["hides_kept"].sv, "0", "–"],
        ["mindre än 30\xa0m² (1,4), ljusare än 0,62 (1,2), sammanbyggd (0,8). Logförlust 0,31, för bara"],
    ),
    "en": (
        ["low", "Missing in map", "free-standing, height ≤\xa02.5\xa0m", "7", "25%"],
        ["Patio roof", "Extended", "41 + 38", "33 of 36", "yes", "5", "1.2%"],
        ["Greenhouse", "Extended", "41 + 38", "4 of 36", REPORT["hides_kept"].en, "0", "–"],
        ["smaller than 30\xa0m² (1.4), brighter than 0.62 (1.2), attached (0.8). Log loss 0.31, of the mere"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_rule_is_told_with_what_it_takes_and_did_and_what_is_not_used_with_its_reason(
    folder: Path, language: Any
) -> None:
    text = Page(write_report(folder, language=language).read_text("utf-8")).text
    write_report(folder, language="sv")
    for row in RULES[language]:
        assert "".join(row) in text.replace("\n", "")
    content = json.loads((folder / "quality.json").read_text("utf-8"))["policy"]
    assert [(rule["name"], rule["set_aside"]) for rule in content["rules"]] == [("low", 7)]
    assert content["rules"][0]["bounds"] == {"attached": [0.0, 0.0], "height_m": [None, 2.5]}
    assert [(model["used"], model["shortcoming"]) for model in content["learned"]] == [
        (True, None),
        (False, "hides_kept"),
    ]


def test_the_offset_is_told_cell_by_cell_and_drawn(folder: Path) -> None:
    content = json.loads((folder / "quality.json").read_text("utf-8"))
    assert [(each["dx_m"], each["dy_m"], each["source"]) for each in content["map"]["registration"]] == [
        (0.4, -0.3, "cell"),
        (-1.2, 1.6, "block"),
        (0.0, 0.0, "none"),
    ]
    page = Page((folder / "report.html").read_text("utf-8"))
    assert "Rutan själv124+0,40; −0,30\xa0m0,50\xa0m" in page.text.replace("\n", "")
    assert "Omgivande block om 2,5 km17−1,20; +1,60\xa0m2,00\xa0m" in page.text.replace("\n", "")


def test_tiles_that_failed_are_told_under_what_could_not_be_assessed(case: Case, tmp_path: Path) -> None:
    failed = case.coverage.assign(reason=["no_imagery", "imagery", "imagery", "tile_failed"])
    failed["status"] = ["not_checked", "checked", "checked", "not_checked"]
    write(replace(case, coverage=failed), tmp_path, "en")
    text = Page(write_report(tmp_path).read_text("utf-8")).text
    assert "Ground: the tile could not be read10.01 km²" in text.replace("\n", "")


def test_a_run_without_a_policy_says_so_and_so_does_one_that_kept_none(case: Case, tmp_path: Path) -> None:
    write(case, tmp_path, "en")
    assert REPORT["policy_unknown"].en in Page(write_report(tmp_path).read_text("utf-8")).text
    write_applied(tmp_path / "policy.json", [])
    assert REPORT["policy_none"].en in Page(write_report(tmp_path).read_text("utf-8")).text
    (tmp_path / "policy.json").write_text("{")
    with pytest.raises(PublishError, match=r"policy\.json: expected JSON, found "):
        write_report(tmp_path)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_report_holds_everything_and_asks_for_nothing(folder: Path, language: Any) -> None:
    write_report(folder, language=language)
    text = (folder / "report.html").read_text("utf-8")
    page = Page(text)
    assert all(asked.startswith(("data:", "#")) for asked in page.asked)
    assert "script" not in page.tags
    outside = re.findall(r'(?<!xmlns=")(?<!xmlns:xlink=")https?://', text)
    assert not outside
    assert not re.search(r"@import|url\((?!#)", text)
    assert f'<html lang="{language}">' in text
    shown = [code for code in CLASSES if code not in HIDDEN_CLASSES]
    for code in shown:
        assert CLASSES[code].name.say(language) in page.text
    for key in ("title", "signals_title", "map_title", "not_assessed", "run"):
        assert REPORT[key].say(language) in page.text
    for words in MEASURES.values():
        assert words.say(language) in page.text
    assert page.tags.count("img") == 8
    assert text.count('class="panel"') == 1
    assert "None" not in page.text.replace("= None", "")
    assert "nan" not in page.text.lower().split()
    write_report(folder, language="sv")


def test_swedish_figures_have_a_decimal_comma_and_a_space_before_percent(folder: Path) -> None:
    text = Page((folder / "report.html").read_text("utf-8")).text
    body = text[text.index(REPORT["in_short"].sv) : text.index(REPORT["run"].sv)]
    assert re.search(r"\d,\d", body)
    assert not re.search(r"\d%|\d\.\d", body)


def test_json_holds_the_figures_and_the_settings(folder: Path) -> None:
    content = json.loads((folder / "quality.json").read_text("utf-8"))
    assert content["schema"] == "geoai-quality-1"
    assert content["run"]["run_id"] == RUN.run_id
    assert content["settings"] == {"compare": {"min_area_m2": 20.0}}
    total = content["signals"]["total"]
    assert (total["true"], total["false"]) == (1, 1)
    assert total["precision"]["value"] == 0.5
    assert {m["iso"] for m in content["map"]["completeness"]} == {2, 3, 4, 6, 7}
    assert {m["iso"] for m in content["map"]["logical"]} == {11, 25, 26, 27}
    assert {m["iso"] for m in content["map"]["position"]} == {28, 128, 31, 44, 45, 47}
    missing = next(m for m in content["map"]["completeness"] if m["iso"] == 6)
    assert missing["figure"]["value"] > 1
    assert content["signals"]["recall"] is not None


def test_review_is_only_read_and_the_same_review_gives_the_same_bytes(folder: Path) -> None:
    names = ("review.gpkg", "report.html", "quality.json")
    before = {name: (folder / name).read_bytes() for name in names}
    listed = sorted(path.name for path in folder.iterdir())
    write_report(folder)
    assert {name: (folder / name).read_bytes() for name in names} == before
    assert sorted(path.name for path in folder.iterdir()) == listed


def test_unreviewed_run_says_so_and_prints_no_completeness(case: Case, tmp_path: Path) -> None:
    write(case, tmp_path, "en")
    write_report(tmp_path)
    text = Page((tmp_path / "report.html").read_text("utf-8")).text
    assert REPORT["nothing_reviewed"].en in text
    assert text.count(REPORT["not_verified"].en) == 5  # measures 2, 3, 6, 7 and what the map should hold
    assert REPORT["expectation_none"].en in text, "signals without a confidence promise nothing"


def test_report_of_a_review_without_sample_signals_or_imagery_is_written(case: Case, tmp_path: Path) -> None:
    nothing = case.discrepancies.iloc[:0]
    case.write(tmp_path, discrepancies=nothing, detections=case.detections.iloc[:0])
    write_report(tmp_path)
    text = Page((tmp_path / "report.html").read_text("utf-8")).text
    for key in ("empty", "no_picture"):
        assert REPORT[key].sv in text
    assert NEEDS["no_sample"].sv in text
    assert NEEDS["no_pairs"].sv in text


@pytest.mark.slow
def test_language_is_that_of_the_review_unless_another_is_asked_for(case: Case, tmp_path: Path) -> None:
    write(case, tmp_path, "en")
    runner = CliRunner()
    for options, language in (([], "en"), (["--language", "sv"], "sv")):
        assert runner.invoke(app, ["report", str(tmp_path), *options]).exit_code == 0
        text = (tmp_path / "report.html").read_text("utf-8")
        assert f'<html lang="{language}">' in text
        sentence = "är i bilden" if language == "sv" else "is in the map but"
        assert (sentence in text) or ("finns i kartan" in text and language == "sv")


@pytest.mark.parametrize("content", [None, b"no database"])
def test_folder_without_a_review_gives_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "review.gpkg").write_bytes(content)
    with pytest.raises(PublishError, match=r"review\.gpkg: expected .* found") as error:
        write_report(tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "report.html").exists()


def test_thumbnail_shows_each_signal_where_the_overview_has_it(case: Case) -> None:
    (panel,) = overview(case.orthophoto, case.coverage, case.discrepancies)
    jpeg = thumbnail([panel, panel])
    assert jpeg
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert max(picture.shape) == pytest.approx(640, abs=10)
    scale = 640 / (2 * panel.height)
    vermilion = next(dots for dots in panel.dots if dots.code == "missing")
    ((x, y),) = vermilion.points
    for top in (0, len(picture) // 2):
        at = picture[top + round(y * scale), round(x * scale)]
        assert at == pytest.approx([0xD5, 0x5E, 0], abs=60), "the colour of the class, JPEG allowed for"
    assert thumbnail([]) is None
    assert thumbnail([replace(panel, jpeg=None)]) is None


def test_overview_shows_the_ground_pale_and_grey_where_there_is_no_imagery(case: Case) -> None:
    (panel,) = overview(case.orthophoto, case.coverage, case.discrepancies)
    assert panel.jpeg
    picture = cv2.imdecode(np.frombuffer(panel.jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert picture.shape[:2] == (panel.height, panel.width)
    tenth = panel.width // 10  # 20 m of 200
    pale = [round(0.72 * value + 0.28 * 255) for value in GROUND]
    for row, col, colour in ((tenth // 2, tenth // 2, [200] * 3), (tenth * 3 // 2, tenth * 3 // 2, pale)):
        assert picture[row, col] == pytest.approx(colour, abs=4)
    last = {dots.code: dots for dots in panel.dots}["missing"]  # its 8 m lie 20 m from the south-west
    ((x, y),) = last.points
    assert last.path == f"M{x:.1f} {y:.1f}h0"
    assert (x, panel.height - y) == pytest.approx((1.2 * tenth, 1.2 * tenth), rel=0.02)
    assert panel.dots[-1].code == "missing", "what is worked on first lies on top"


def test_all_texts_are_said_in_both_languages() -> None:
    for texts in (REPORT, MEASURES, NEEDS, BASES, QUESTIONS):
        for key, words in texts.items():
            assert words.sv, key
            assert words.en, key
            assert words.sv.count("{}") == words.en.count("{}"), key


# --- the layers ------------------------------------------------------------------------------------------


def test_sample_asks_a_question_and_takes_only_the_answers_that_are_offered(
    case: Case, tmp_path: Path
) -> None:
    review = write(case, tmp_path)
    sample = pyogrio.read_dataframe(review, layer="sample")
    assert set(sample["stratum"]) == set(DOMAINS["stratum"])
    assert (sample["question"] == [QUESTIONS[code].sv for code in sample["stratum"]]).all()
    ids = pyogrio.read_dataframe(review, layer="discrepancy").set_index("discrepancy_id")
    for row in sample[sample["discrepancy_id"].notna()].itertuples():
        assert ids.loc[row.discrepancy_id].geometry.equals(row.geometry)
        assert row.stratum.startswith("signal")
    for column in ("answer", "number", "comment", "reviewed_by", "reviewed_at"):
        assert sample[column].isna().all()
    for statement in ("answer = 'maybe'", "number = 0", "weight = NULL", "stratum = NULL"):
        with pytest.raises(sqlite3.IntegrityError):
            decide(review, f"UPDATE sample SET {statement}")
    for code in DOMAINS["answer"]:
        decide(review, f"UPDATE sample SET answer = '{code}'")


ANSWER = """
project = QgsProject.instance()
answer = {"read": project.read(sys.argv[1])}
layers = {key: project.mapLayer("geoai_layer_" + key) for key in ("quality_grid", "sample", "registration")}
grid, layer, cells = layers["quality_grid"], layers["sample"], layers["registration"]
answer["cells"] = [cells.isValid(), cells.readOnly(), project.layerTreeRoot().findLayer(cells).isVisible()]
context = QgsRenderContext()
cells.renderer().startRender(context, cells.fields())
answer["coloured"] = []
for cell in cells.getFeatures():
    context.expressionContext().setFeature(cell)
    symbol = cells.renderer().symbolForFeature(cell, context)
    answer["coloured"].append(symbol.symbolLayer(0).color().name())
cells.renderer().stopRender(context)
answer["lengths"] = [r.label() for r in cells.renderer().ranges()]
answer["heat"] = [[r.lowerValue(), r.upperValue(), r.label()] for r in grid.renderer().ranges()]
answer["filled"] = [r.symbol().symbolLayer(0).color().alpha() > 0 for r in grid.renderer().ranges()]
answer["grid"] = [grid.isValid(), grid.readOnly(), project.layerTreeRoot().findLayer(grid).isVisible()]
form = layer.editFormConfig()
names = [field.name() for field in layer.fields()]
answer["editable"] = [name for number, name in enumerate(names) if not form.readOnly(number)]
answer["classes"] = [category.value() for category in layer.renderer().categories()]
first = next(layer.getFeatures())
layer.startEditing()
layer.changeAttributeValue(first.id(), names.index("answer"), "wrong")
answer["saved"] = layer.commitChanges()
answer["who"] = bool(layer.getFeature(first.id())["reviewed_by"])
answer["when"] = bool(layer.getFeature(first.id())["reviewed_at"])
layer.startEditing()
layer.changeAttributeValue(first.id(), names.index("answer"), None)
answer["cleared"] = layer.commitChanges() and not layer.getFeature(first.id())["reviewed_by"]
layer.startEditing()
layer.changeAttributeValue(first.id(), names.index("answer"), "maybe")
answer["maybe"] = layer.commitChanges()
layer.rollBack()
"""


@pytest.mark.qgis
@pytest.mark.skipif(qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)")
def test_sample_is_answered_in_qgis_and_the_grid_is_a_heat_map(case: Case, tmp_path: Path) -> None:
    review = write(case, tmp_path)
    seen, _ = run_in_qgis(ANSWER, review.with_suffix(".qgz"))
    assert seen["read"]
    assert seen["grid"] == seen["cells"] == [True, True, False]
    assert seen["coloured"] == ["#fdbb84", "#990000", "#fee8c8"]
    assert seen["lengths"] == ["0–0,25 m", "0,25–0,5 m", "0,5–1 m", "1–3 m"]
    assert seen["filled"] == [False, True, True, True, True]
    assert seen["heat"][1] == [0.5, 1.5, "1 signal"]
    lower, upper = zip(*((low, high) for low, high, _ in seen["heat"]), strict=True)
    assert lower[1:] == upper[:-1]
    assert seen["editable"] == ["answer", "number", "comment"]
    assert seen["classes"] == list(DOMAINS["stratum"])
    assert seen["saved"]
    assert seen["who"]
    assert seen["when"]
    assert seen["cleared"]
    assert not seen["maybe"]


# --- the contact sheet -----------------------------------------------------------------------------------


def figures(sheet: Path) -> list[str]:
    """Return the text of each figure of a contact sheet."""
    found = re.findall("<figure>(.*?)</figure>", sheet.read_text("utf-8"), re.DOTALL)
    return [Page(figure).text for figure in found]


def in_order(review: Path) -> Any:
    """Return what is put before a reviewer, the most urgent first, ties by fid."""
    frame = put_before(pyogrio.read_dataframe(review, layer="discrepancy", fid_as_index=True))
    return frame.iloc[np.lexsort((frame.index, -frame["priority"]))]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_contact_sheet_shows_each_signal_once_by_priority_and_asks_for_nothing(
    folder: Path, language: Any
) -> None:
    before = (folder / "review.gpkg").read_bytes()
    sheet = write_contact_sheet(folder, language=language)
    expected = in_order(folder / "review.gpkg")
    shown = figures(sheet)
    assert len(shown) == len(expected)
    for number, (text, row) in enumerate(zip(shown, expected.itertuples(), strict=True), start=1):
        name = CLASSES[row[expected.columns.get_loc("class") + 1]].name.say(language)
        assert text.startswith(f"{number} {name}")
        assert text.endswith(row.discrepancy_id)
        decided = DOMAINS["review"][row.status].say(language)
        assert (f"· {decided}" in text) == (row.status != "open")
        assert (row.reason in text) == (language == "sv")
    page = Page(sheet.read_text("utf-8"))
    assert page.tags.count("img") == len(expected)
    assert all(asked.startswith("data:") for asked in page.asked)
    assert "url(" not in sheet.read_text("utf-8")
    assert (folder / "review.gpkg").read_bytes() == before
    assert sheet.read_bytes() == write_contact_sheet(folder, language=language).read_bytes()


def test_signal_without_a_picture_keeps_its_place_on_the_contact_sheet(case: Case, tmp_path: Path) -> None:
    review = write(case, tmp_path)
    decide(review, "UPDATE discrepancy SET priority = fid % 3")
    expected = list(in_order(review)["discrepancy_id"])
    decide(review, f"UPDATE discrepancy SET chip = NULL WHERE discrepancy_id = '{expected[2]}'")
    sheet = write_contact_sheet(tmp_path)
    assert [text[-36:] for text in figures(sheet)] == expected
    assert Page(sheet.read_text("utf-8")).tags.count("img") == len(expected) - 1


def test_contact_sheet_shows_texts_as_they_are(case: Case, tmp_path: Path) -> None:
    review = write(case, tmp_path)
    decide(review, "UPDATE discrepancy SET reason = '<b onclick=x>1 & 2</b>'")
    sheet = write_contact_sheet(tmp_path)
    assert all("<b onclick=x>1 & 2</b>" in text for text in figures(sheet))


def test_empty_review_has_an_empty_contact_sheet(case: Case, tmp_path: Path) -> None:
    write(replace(case, discrepancies=case.discrepancies.iloc[:0]), tmp_path)
    assert figures(write_contact_sheet(tmp_path)) == []


def test_command_writes_the_contact_sheet_where_it_is_asked_for(case: Case, tmp_path: Path) -> None:
    write(case, tmp_path)
    assert CliRunner().invoke(app, ["report", str(tmp_path)]).exit_code == 0
    assert not (tmp_path / "contact-sheet.html").exists()
    assert CliRunner().invoke(app, ["report", str(tmp_path), "--contact-sheet"]).exit_code == 0
    assert figures(tmp_path / "contact-sheet.html")


@pytest.mark.slow
@pytest.mark.parametrize(("pairs", "per_page"), [(False, 16), (True, 15)])
def test_contact_sheet_prints_so_many_signals_on_each_a4(
    case: Case, tmp_path: Path, pairs: bool, per_page: int
) -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    count = 3 * per_page + 1
    lefts = np.linspace(LEFT + 20, LEFT + 170, count)
    boxes = [shapely.box(left, BOTTOM + 90, left + 8, BOTTOM + 98) for left in lefts]
    found = signals(["uncertain_absence"] * count, boxes, area_map_m2=1234.5, visible_share=0.5, p_mean=0.5)
    review = write(replace(case, discrepancies=found), tmp_path)
    if pairs:
        _, jpeg = cv2.imencode(".jpg", np.zeros((240, 484, 3), np.uint8))
        decide(review, f"UPDATE discrepancy SET chip = X'{bytes(jpeg).hex()}'")
    sheet = write_contact_sheet(tmp_path)
    printed = tmp_path / "sheet.pdf"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [*command, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={printed}", sheet.as_uri()],
        capture_output=True,
        timeout=180,
        check=True,
    )
    pattern = rb"/Type /Page\b.*?/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]"
    pages = re.findall(pattern, printed.read_bytes(), re.DOTALL)
    assert len(pages) == 4
    assert {(round(float(width)), round(float(height))) for width, height in pages} == {(595, 842)}


# --- in a browser ----------------------------------------------------------------------------------------

PROBE = """
<script>
const failures = [];
addEventListener("error", event => failures.push(String(event.message || event.target.outerHTML)), true);
addEventListener("load", () => parent.postMessage({
  width: innerWidth, needed: document.documentElement.scrollWidth, failures,
  wide: [...document.querySelectorAll("body *")].filter(e => !e.closest("svg") &&
    e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120)),
  asked: performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:")),
  pictures: [...document.images].map(i => i.naturalWidth),
  plots: document.querySelectorAll(".plot svg").length}, "*"));
</script>
"""
FRAME = """<!doctype html><meta charset="utf-8"><pre id="answer"></pre>
<script>
addEventListener("message", e => document.getElementById("answer").textContent = JSON.stringify(e.data));
</script>
<iframe src="probed.html" style="width:{}px;height:900px;border:0"></iframe>
"""


@pytest.fixture
def browse(tmp_path: Path) -> Callable[[Path, int], dict[str, Any]]:
    """Return what opens a report in a frame of some width and tells how it looks; skip without a browser."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]

    def look(report: Path, width: int) -> dict[str, Any]:
        text = report.read_text("utf-8")
        (tmp_path / "probed.html").write_text(text.replace("<head>", "<head>" + PROBE), encoding="utf-8")
        frame = tmp_path / "frame.html"
        frame.write_text(FRAME.replace("{}", str(width)), encoding="utf-8")
        options = [f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"]
        done = subprocess.run(
            [*command, *options, "--virtual-time-budget=20000", "--dump-dom", frame.as_uri()],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        said = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
        assert said
        assert said.group(1), done.stderr[-2000:]
        answer: dict[str, Any] = json.loads(said.group(1).replace("&amp;", "&").replace("&lt;", "<"))
        answer["console"] = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return answer

    return look


@pytest.mark.slow
@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("width", [390, 1280])
def test_browser_shows_the_report_whole_without_asking_anyone(
    folder: Path, browse: Callable[[Path, int], dict[str, Any]], language: Any, width: int
) -> None:
    seen = browse(write_report(folder, language=language), width)
    assert seen["width"] == width
    assert seen["needed"] <= width, seen["wide"]
    assert seen["wide"] == []
    assert (seen["failures"], seen["console"], seen["asked"]) == ([], [], [])
    assert len(seen["pictures"]) == 8
    assert min(seen["pictures"]) > 0
    assert seen["plots"] == 3


@pytest.mark.slow
def test_browser_test_sees_what_it_is_there_for(
    tmp_path: Path, browse: Callable[[Path, int], dict[str, Any]]
) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        '<!doctype html><html><head></head><body><div style="width:900px">wide</div>'
        '<img src="https://tile.invalid/a.png"><script>nowhere()</script></body></html>',
        encoding="utf-8",
    )
    seen = browse(page, 390)
    assert seen["needed"] > 390
    assert seen["wide"]
    assert seen["failures"]
    assert seen["console"]
