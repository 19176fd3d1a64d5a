"""The review as the system's QGIS sees it, and as GDAL's validator judges it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from pyqgis import PYTHON, qgis_version, render, run_in_qgis
from review_case import BOTTOM, CRS, LEFT, SIDE_M, make_case

from geoai.publish.texts import CLASSES, DOMAINS, HIDDEN_CLASSES

VALIDATOR = Path("/usr/lib/python3/dist-packages/osgeo_utils/samples/validate_gpkg.py")

pytestmark = [
    pytest.mark.qgis,
    pytest.mark.skipif(qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)"),
]

OPEN_LAYERS = """
answer = {}
for table in ("discrepancy", "map_status", "detection", "coverage", "run"):
    layer = QgsVectorLayer(sys.argv[1] + "|layername=" + table, table, "ogr")
    fields = layer.fields()
    renderer = layer.renderer()
    kind = renderer.type() if renderer else None
    categories = []
    if kind == "categorizedSymbol":
        for category in renderer.categories():
            symbol = category.symbol()
            kinds = [symbol.symbolLayer(n).layerType() for n in range(symbol.symbolLayerCount())]
            categories.append([category.value(), category.label(), category.renderState(), kinds])
    form = layer.editFormConfig()
    defaults = {}
    for number, field in enumerate(fields):
        definition = layer.defaultValueDefinition(number)
        if definition.isValid():
            defaults[field.name()] = [definition.expression(), definition.applyOnUpdate()]
    config = layer.attributeTableConfig()
    answer[table] = {
        "valid": layer.isValid(), "count": layer.featureCount(), "crs": layer.crs().authid(),
        "renderer": kind,
        "categories": categories, "labels": layer.labelsEnabled(), "tip": layer.mapTipTemplate(),
        "aliases": {field.name(): layer.attributeAlias(n) for n, field in enumerate(fields)},
        "widgets": {field.name(): layer.editorWidgetSetup(n).type() for n, field in enumerate(fields)},
        "choices": {field.name(): layer.editorWidgetSetup(n).config().get("map")
                    for n, field in enumerate(fields)},
        "editable": [field.name() for n, field in enumerate(fields) if not form.readOnly(n)],
        "defaults": defaults, "pages": [page.name() for page in form.tabs()],
        "sort": [config.sortExpression(), config.sortOrder()],
        "rows": [style.rule() for style in layer.conditionalStyles().rowStyles()],
    }
    if layer.labelsEnabled():
        settings = layer.labeling().settings()
        answer[table]["label_scale"] = settings.minimumScale if settings.scaleVisibility else None
"""

OPEN_PROJECT = """
answer = []
for name in sys.argv[1:-1]:
    project = QgsProject()
    read = project.read(name)
    layers = {}
    for layer in project.mapLayers().values():
        layers[layer.name()] = {"id": layer.id(), "valid": layer.isValid(), "source": layer.source(),
                                "crs": layer.crs().authid(), "readonly": getattr(layer, "readOnly", bool)(),
                                "renderer": layer.renderer().type()}
        if layer.type() == QgsMapLayer.VectorLayer:
            layers[layer.name()]["count"] = layer.featureCount()
            layers[layer.name()]["codes"] = sorted({f["class"] for f in layer.getFeatures()}
                                                   if "class" in layer.fields().names() else [])
            layers[layer.name()]["styled"] = layer.attributeAlias(1) != ""
    tree = project.layerTreeRoot()
    themes = project.mapThemeCollection()
    view = project.viewSettings().defaultViewExtent()
    answer.append({
        "read": read, "crs": project.crs().authid(), "layers": layers, "title": project.title(),
        "groups": [group.name() for group in tree.children()],
        "visible": [layer.name() for layer in tree.layerOrder() if tree.findLayer(layer).isVisible()],
        "themes": {name: [layer.name() for layer in themes.mapThemeVisibleLayers(name)]
                   for name in themes.mapThemes()},
        "bookmarks": [mark.name() for mark in project.bookmarkManager().bookmarks()],
        "view": [view.xMinimum(), view.yMinimum(), view.xMaximum(), view.yMaximum()],
    })
"""

REVIEW = """
project = QgsProject.instance()
project.read(sys.argv[1])
layer = project.mapLayer("geoai_layer_all")
column = layer.fields().indexOf("status")
first, second = list(layer.getFeatures())[:2]
tip = QgsExpression.replaceExpressionText(
    layer.mapTipTemplate(),
    (lambda context: (context.setFeature(first), context)[1])(
        QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))))
answer = {"tip": tip, "editable": layer.startEditing()}
layer.changeAttributeValue(first.id(), column, "confirmed")
answer["saved"] = layer.commitChanges()
decided = layer.getFeature(first.id())
answer["who"], answer["when"] = bool(decided["reviewed_by"]), bool(decided["reviewed_at"])
answer["waiting"] = len(list(project.mapLayer("geoai_layer_to_review").getFeatures()))
layer.startEditing()
layer.changeAttributeValue(first.id(), column, "open")
answer["reopened"] = layer.commitChanges()
again = layer.getFeature(first.id())
answer["nobody"] = not again["reviewed_by"] and not again["reviewed_at"]
layer.startEditing()
layer.changeAttributeValue(second.id(), column, "bogus")
answer["bogus"] = layer.commitChanges()
answer["errors"] = " ".join(layer.commitErrors())
layer.rollBack()
answer["left"] = layer.getFeature(second.id())["status"]
answer["map"] = project.mapLayer("geoai_layer_map").startEditing()
"""


BUTTONS = """
from types import SimpleNamespace
from qgis.PyQt.QtWidgets import QInputDialog
import qgis.utils
project = QgsProject.instance()
project.read(sys.argv[1])
layer, said, copied = project.mapLayer("geoai_layer_to_review"), [], []
buttons = {action.shortTitle(): action for action in layer.actions().actions()}
asked = []
def press(name, fid):
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(layer.getFeature(fid))
    exec(QgsExpression.replaceExpressionText(buttons[name].command(), context), {})
    return layer.selectedFeatureIds()
def row(fid):
    found = project.mapLayer("geoai_layer_all").getFeature(fid)
    return [str(found[name]) if found[name] else None for name in ("status", "reject_reason", "reviewed_by")]
request = QgsFeatureRequest()
request.addOrderBy('"priority"', False, False)
request.addOrderBy("$id")
ranked = [f.id() for f in layer.getFeatures(request)]
answer = {"buttons": list(buttons), "ranked": ranked, "after_next": press("Nästa", ranked[0])}
answer["after_confirm"] = press("Bekräfta", ranked[0])
answer["confirmed"] = row(ranked[0])
QInputDialog.getItem = staticmethod(lambda *given: (asked.append(list(given[3])), (given[3][1], True))[1])
answer["after_reject"] = press("Avvisa …", ranked[1])
answer["rejected"], answer["asked"] = row(ranked[1]), asked
QInputDialog.getItem = staticmethod(lambda *given: ("", False))
press("Avvisa …", ranked[2])
answer["cancelled"] = row(ranked[2])
layer.startEditing()  # the reviewer edits herself: nothing is saved over her head
press("Oklar", ranked[2])
answer["buffered"], answer["editing"] = row(ranked[2]), layer.isEditable()
layer.commitChanges()
answer["unclear"] = row(ranked[2])
bar = SimpleNamespace(pushMessage=lambda title, text, level, seconds: said.append(text))
qgis.utils.iface = SimpleNamespace(
    messageBar=lambda: bar,
    copySelectionToClipboard=lambda each: copied.extend(f["discrepancy_id"] for f in each.selectedFeatures()))
suggested = {f["discrepancy_id"] for f in project.mapLayer("geoai_layer_suggestion").getFeatures()}
for fid in ranked[3:]:
    press("Kopiera förslag", fid)
answer["copied"] = copied
answer["suggested"] = [layer.getFeature(fid)["discrepancy_id"] for fid in ranked[3:]
                       if layer.getFeature(fid)["discrepancy_id"] in suggested]
answer["said"] = said
"""


@dataclass(frozen=True)
class Opened:
    """A made review and what QGIS says of it; *root* holds the flight and the review's folder."""

    root: Path
    review: Path
    layers: dict[str, Any]
    messages: str


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    root = tmp_path_factory.mktemp("review")
    review = make_case(root / "flight").write(root / "run")
    layers, messages = run_in_qgis(OPEN_LAYERS, review)
    return Opened(root, review, layers, messages)


@pytest.fixture(scope="module")
def projects(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what QGIS finds in the project beside the file, in the one inside it, and in both once moved."""
    moved = tmp_path_factory.mktemp("elsewhere") / "flyttad mapp"
    shutil.copytree(opened.root, moved)
    away = opened.root.with_name("away")
    opened.root.rename(away)  # so that nothing is found in the old place by chance
    try:
        review = moved / "run" / "review.gpkg"
        there, _ = run_in_qgis(
            OPEN_PROJECT, review.with_suffix(".qgz"), f"geopackage:{review}?projectName=review"
        )
    finally:
        away.rename(opened.root)
    here, messages = run_in_qgis(
        OPEN_PROJECT, opened.review.with_suffix(".qgz"), f"geopackage:{opened.review}?projectName=review"
    )
    names = ("beside", "inside", "beside, moved", "inside, moved")
    return dict(zip(names, [*here, *there], strict=True)) | {"messages": messages}


PROJECTS = ("beside", "inside", "beside, moved", "inside, moved")


def test_every_layer_opens_alone_with_its_style(opened: Opened) -> None:
    renderers = {name: (layer["valid"], layer["renderer"]) for name, layer in opened.layers.items()}
    assert renderers == {
        "discrepancy": (True, "categorizedSymbol"),
        "map_status": (True, "categorizedSymbol"),
        "detection": (True, "singleSymbol"),
        "coverage": (True, "categorizedSymbol"),
        "run": (True, None),
    }
    assert {layer["crs"] for name, layer in opened.layers.items() if name != "run"} == {CRS}
    for layer in opened.layers.values():
        assert all(alias for column, alias in layer["aliases"].items() if column != "fid")
    assert "Warning" not in opened.messages
    assert "ERROR" not in opened.messages


def test_signals_are_drawn_by_class_with_hatch_and_swedish_words(opened: Opened) -> None:
    signals = opened.layers["discrepancy"]
    assert [category[:3] for category in signals["categories"]] == [
        [code, look.name.sv, look.shown] for code, look in CLASSES.items()
    ]
    for (_, _, _, kinds), look in zip(signals["categories"], CLASSES.values(), strict=True):
        assert kinds.count("LinePatternFill") == len(look.hatch)
        assert kinds.count("SimpleFill") == 2
    assert signals["labels"]
    assert signals["label_scale"] == 1500
    assert signals["sort"] == ['"priority"', 1]
    assert len(signals["rows"]) == 4


def test_form_offers_the_reviews_choices_and_locks_the_rest(opened: Opened) -> None:
    signals = opened.layers["discrepancy"]
    assert signals["aliases"]["status"] == "Granskning"
    for column, domain in (("status", "review"), ("reject_reason", "reject_reason"), ("class", "class")):
        assert signals["widgets"][column] == "ValueMap"
        choices = {code: words for choice in signals["choices"][column] for words, code in choice.items()}
        expected = {code: words.sv for code, words in DOMAINS[domain].items()}
        assert expected.items() <= choices.items()
        assert len(choices) - len(expected) == (column == "reject_reason")  # and "none"
    assert sorted(signals["editable"]) == ["comment", "field_visit", "reject_reason", "status"]
    assert signals["pages"] == ["Granskning", "Underlag", "Ursprung"]
    assert signals["defaults"]["reviewed_by"][1]
    assert signals["defaults"]["reviewed_at"][1]
    assert signals["widgets"]["chip"] == "Hidden"


@pytest.mark.parametrize("name", PROJECTS)
def test_project_opens_complete_wherever_it_lies(projects: dict[str, Any], name: str) -> None:
    project = projects[name]
    assert project["read"]
    assert project["crs"] == CRS
    assert project["title"] == "Granskning jkpg-2026"
    layers = project["layers"]
    assert {layer: found["valid"] for layer, found in layers.items()} == dict.fromkeys(
        [
            "Att granska",
            "Alla avvikelser",
            "Åsidosatta enligt policy",
            "Förslag att kopiera till kartan",
            "Karta",
            "Kartobjekt efter status",
            "Detektioner",
            "Täckning",
            "Sannolikhet",
            "Ortofoto",
        ],
        True,
    )
    assert all(layer["crs"] == CRS for layer in layers.values())
    assert all(layer["styled"] for layer in layers.values() if "styled" in layer)
    assert all(layer["id"].startswith("geoai_layer_") for layer in layers.values())
    assert layers["Alla avvikelser"]["codes"] == sorted(CLASSES)
    assert layers["Att granska"]["codes"] == sorted(set(CLASSES) - set(HIDDEN_CLASSES))
    editable = {layer for layer, found in layers.items() if "count" in found and not found["readonly"]}
    assert editable == {"Att granska", "Alla avvikelser", "Åsidosatta enligt policy"}
    assert layers["Sannolikhet"]["renderer"] == "singlebandpseudocolor"
    assert project["visible"] == ["Att granska", "Karta", "Täckning", "Ortofoto"]
    assert project["themes"]["Endast bild"] == ["Ortofoto"]
    assert sorted(project["themes"]) == ["Endast bild", "Endast karta", "Granskning", "Sannolikhet"]
    assert all(project["themes"].values())
    assert len(project["bookmarks"]) == 5
    view = shapely.box(*project["view"])
    assert view.contains(shapely.box(LEFT + 20, BOTTOM + 20, LEFT + 178, BOTTOM + 53))  # what is to review
    assert view.area < 220**2


def test_opening_says_nothing_and_leaves_nothing_beside_the_rasters(
    opened: Opened, projects: dict[str, Any]
) -> None:
    assert "Warning" not in projects["messages"]
    assert "proj_create" not in projects["messages"]
    assert [path.name for path in opened.root.rglob("*.aux.xml")] == []


def test_decision_is_signed_saved_and_taken_off_the_list(opened: Opened, tmp_path: Path) -> None:
    shutil.copytree(opened.root, tmp_path / "copy")
    found, _ = run_in_qgis(REVIEW, tmp_path / "copy" / "run" / "review.qgz")
    assert found["editable"]
    assert found["saved"]
    assert found["who"]
    assert found["when"]
    assert found["waiting"] == len(CLASSES) - len(HIDDEN_CLASSES) - 1
    assert found["reopened"]
    assert found["nobody"]
    assert not found["bogus"]
    assert "CHECK constraint failed" in found["errors"]
    assert found["left"] == "open"
    assert not found["map"]
    assert "data:image/jpeg;base64,/9j/" in found["tip"]
    assert "Saknas i kartan" in found["tip"]
    assert "Byggnad syns i bilden men saknas i kartan." in found["tip"]


def test_an_earlier_flight_is_a_layer_and_a_theme(opened: Opened, tmp_path: Path) -> None:
    case, before = make_case(tmp_path / "flight"), make_case(tmp_path / "before")
    review = case.write(tmp_path / "run", earlier=before.orthophoto)
    (found,), messages = run_in_qgis(OPEN_PROJECT, review.with_suffix(".qgz"))
    layer = found["layers"]["Tidigare ortofoto"]
    assert (layer["valid"], layer["source"]) == (True, str(before.orthophoto))
    assert "Tidigare ortofoto" not in found["visible"]
    assert set(found["themes"]["Tidigare bild"]) == {"Tidigare ortofoto", "Att granska", "Karta"}
    assert "Warning" not in messages


def test_buttons_decide_sign_and_go_on(opened: Opened, tmp_path: Path) -> None:
    shutil.copytree(opened.root, tmp_path / "copy")
    found, _ = run_in_qgis(BUTTONS, tmp_path / "copy" / "run" / "review.qgz")
    assert found["buttons"] == ["Bekräfta", "Avvisa …", "Oklar", "Nästa", "Kopiera förslag"]
    ranked = found["ranked"]
    assert found["after_next"] == [ranked[1]]
    assert found["after_confirm"] == [ranked[1]]
    assert found["confirmed"][0] == "confirmed"
    assert found["confirmed"][2]  # signed
    assert found["after_reject"] == [ranked[2]]
    assert found["rejected"][:2] == ["rejected", "vehicle"]
    assert len(found["asked"][0]) == len(DOMAINS["reject_reason"]) + 1
    assert found["cancelled"] == ["open", None, None]
    assert found["buffered"][0] == "open"
    assert found["editing"]
    assert found["unclear"][0] == "unclear"
    assert found["copied"] == found["suggested"] != []
    assert len(found["said"]) == len(ranked) - 3


def test_validator_of_gdal_finds_nothing(opened: Opened) -> None:
    if not VALIDATOR.exists():
        pytest.skip("GDAL's validator is not installed (apt install python3-gdal)")
    found = subprocess.run(
        [PYTHON, VALIDATOR, "--extra", "--warning-as-error", opened.review], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("language", ["sv", "en"])
def test_empty_review_opens_styled_and_valid(tmp_path: Path, language: Any) -> None:
    case = make_case(tmp_path / "flight")
    names = ("discrepancies", "map_status", "detections", "coverage")
    emptied = {name: getattr(case, name).iloc[:0] for name in names}
    review = case.write(tmp_path / "run", language=language, **emptied)
    layers, _ = run_in_qgis(OPEN_LAYERS, review)
    assert {name: (layer["valid"], layer["count"]) for name, layer in layers.items()} == {
        "discrepancy": (True, 0),
        "map_status": (True, 0),
        "detection": (True, 0),
        "coverage": (True, 0),
        "run": (True, 1),
    }
    assert layers["discrepancy"]["aliases"]["status"] == {"sv": "Granskning", "en": "Review"}[language]
    (project,), _ = run_in_qgis(OPEN_PROJECT, review.with_suffix(".qgz"))
    assert project["read"]
    assert all(layer["valid"] for layer in project["layers"].values())


def pixels(path: Path) -> Any:
    return cv2.imread(str(path))[..., ::-1].astype(int)


def near(picture: Any, colour: tuple[int, ...], within: int = 12) -> Any:
    return np.abs(picture - np.array(colour)).max(axis=-1) <= within


@pytest.mark.slow
def test_project_draws_every_class_in_its_colour(opened: Opened, tmp_path: Path) -> None:
    out = tmp_path / "all.png"
    drawn = render(
        opened.review.with_suffix(".qgz"),
        out,
        extent=(LEFT, BOTTOM, LEFT + SIDE_M, BOTTOM + SIDE_M),
        theme="Granskning",
        size=(2000, 2000),
    )
    assert drawn["errors"] == []
    picture = pixels(out)
    for number, (code, look) in enumerate(CLASSES.items()):
        # the case's squares: 8 m, 25 m apart, from (20, 20) m; ten pixels a metre
        col, row = 20 + 25 * (number % 7), 20 + 25 * (number // 7)
        square = picture[2000 - 10 * (row + 9) : 2000 - 10 * (row - 1), 10 * (col - 1) : 10 * (col + 9)]
        colour = tuple(bytes.fromhex(look.colour.removeprefix("#")))
        found = near(square, colour).sum()
        if code in HIDDEN_CLASSES:
            assert not near(square, colour, 5).any(), code
        elif look.opacity == 100:
            assert found > 300, code


@pytest.mark.slow
@pytest.mark.parametrize("bands", [3, 4])
def test_ground_without_imagery_is_seen_through(tmp_path: Path, bands: int) -> None:
    out = tmp_path / "corner.png"
    extent = (LEFT, BOTTOM + SIDE_M - 40, LEFT + 40, BOTTOM + SIDE_M)
    review = make_case(tmp_path / "flight", bands=bands).write(tmp_path / "run")
    render(review.with_suffix(".qgz"), out, extent=extent, theme="Endast bild", size=(400, 400))
    picture = pixels(out)
    assert near(picture[10:190, 10:190], (255, 255, 255), 0).all()
    assert near(picture[210:, 210:], (90, 120, 70), 3).all()


@pytest.mark.slow
def test_probability_is_transparent_where_it_is_low_or_unknown(opened: Opened, tmp_path: Path) -> None:
    extent = (LEFT, BOTTOM + SIDE_M - 40, LEFT + 40, BOTTOM + SIDE_M)
    project = opened.review.with_suffix(".qgz")
    with_, without = tmp_path / "p.png", tmp_path / "o.png"
    render(project, with_, extent=extent, theme="Sannolikhet", size=(400, 400))
    render(project, without, extent=extent, theme="Endast bild", size=(400, 400))
    tinted, plain = pixels(with_), pixels(without)
    assert (tinted[:190, :190] == plain[:190, :190]).all()  # no imagery, no probability
    assert (tinted[300:, 300:] != plain[300:, 300:]).any()  # 12 %
