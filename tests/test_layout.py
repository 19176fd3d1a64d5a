"""The review sheet: how its page is laid out, and what QGIS prints of it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import shapely
from pyqgis import qgis_version, run_in_qgis
from review_case import BOTTOM, CRS, LEFT, make_case, signals

from geoai.publish.layout import LABEL, MAP, PAGE
from geoai.publish.project import TO_REVIEW, review_project
from geoai.publish.texts import CLASSES, DOMAINS, HIDDEN_CLASSES

A4_MM = shapely.box(0, 0, 297, 210)


@pytest.fixture(scope="module", params=["sv", "en"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """Return a language and the project in it."""
    folder = tmp_path_factory.mktemp("flight")
    case = make_case(folder)
    rasters = {"orthophoto": case.orthophoto, "probability": case.probability}
    text, again = (
        review_project(
            folder, crs=CRS, extent=(0, 0, 9, 9), bookmarks=[], title="", language=request.param, **rasters
        )
        for _ in range(2)
    )
    assert text == again
    return request.param, ElementTree.fromstring(text.split("\n", 1)[1])


def rectangle(item: Any) -> Any:
    left, top, width, height = (
        float(number) for key in ("positionOnPage", "size") for number in item.get(key).split(",")[:2]
    )
    return shapely.box(left, top, left + width, top + height)


def items(project: Any, kind: str) -> list[Any]:
    return [item for item in project.iter("LayoutItem") if item.get("type") == kind]


def test_nothing_on_the_page_overlaps_or_leaves_it(project: tuple[str, Any]) -> None:
    _, root = project
    (page,) = items(root, PAGE)
    assert rectangle(page).equals(A4_MM)
    placed = [rectangle(item) for item in (*items(root, MAP), *items(root, LABEL))]
    assert all(A4_MM.buffer(-5).contains(place) for place in placed)
    for one, other in combinations(placed, 2):
        assert one.intersection(other).area == 0
    keys = Counter(item.get("uuid") for item in root.iter("LayoutItem"))
    assert set(keys.values()) == {1}


def test_two_maps_of_one_size_and_one_scale_show_a_theme_each(project: tuple[str, Any]) -> None:
    language, root = project
    maps = items(root, MAP)
    themes = {"sv": ["Granskning", "Endast karta"], "en": ["Review", "Map only"]}[language]
    assert [item.get("followPresetName") for item in maps] == themes
    presets = {preset.get("name") for preset in root.iter("visibility-preset")}
    assert set(themes) <= presets
    assert len({item.get("size") for item in maps}) == 1
    scales = [item.find(".//Option[@name='dataDefinedMapScale']/*[@name='expression']") for item in maps]
    assert len({scale.get("value") for scale in scales}) == 1
    for item in maps:  # else QGIS reshapes the item
        left, bottom, right, top = (
            float(item.find("Extent").get(side)) for side in ("xmin", "ymin", "xmax", "ymax")
        )
        place = rectangle(item).bounds
        assert (right - left) / (top - bottom) == pytest.approx((place[2] - place[0]) / (place[3] - place[1]))


def test_every_decision_has_a_box_to_tick_and_nothing_says_open(project: tuple[str, Any]) -> None:
    language, root = project
    labels = items(root, LABEL)
    texts = [item.get("labelText") for item in labels]
    boxes = [item for item in labels if item.get("frame") == "true" and not item.get("labelText")]
    decisions = [words.say(language) for code, words in DOMAINS["review"].items() if code != "open"]
    assert len(boxes) == len(decisions) + 1  # and the field visit
    for words in decisions:
        assert words in texts
    assert DOMAINS["review"]["open"].say(language) not in texts
    assert {"sv": "Granskningsblad", "en": "Review sheet"}[language] == root.find(".//Layout").get("name")


def test_atlas_runs_over_the_layer_of_what_waits(project: tuple[str, Any]) -> None:
    _, root = project
    atlas = root.find(".//Atlas").attrib
    (layer,) = [layer for layer in root.iter("maplayer") if layer.findtext("id") == atlas["coverageLayer"]]
    assert layer.findtext("datasource") == atlas["coverageLayerSource"]
    assert atlas["coverageLayerSource"].endswith(f"subset={TO_REVIEW}")
    assert atlas["coverageLayerName"] == layer.findtext("layername")


# --- in QGIS ---------------------------------------------------------------------------------------------

PRINT = """
project = QgsProject.instance()
project.read(sys.argv[1])
manager = project.layoutManager()
layouts = manager.printLayouts()
layout = layouts[0]
atlas = layout.atlas()
answer = {"pages": [], "count": atlas.updateFeatures(), "names": [each.name() for each in layouts]}
maps = [item for item in layout.items() if isinstance(item, QgsLayoutItemMap)]
maps.sort(key=lambda item: item.x())
settings = QgsLayoutExporter.ImageExportSettings()
settings.dpi = 127  # five pixels a millimetre
atlas.beginRender()
atlas.first()
for number in range(answer["count"]):
    feature = layout.reportContext().feature()
    box = feature.geometry().boundingBox()
    extents = [item.extent() for item in maps]
    answer["pages"].append({
        "class": feature["class"], "fid": feature.id(), "priority": feature["priority"],
        "box": [box.width(), box.height()],
        "off": [box.center().distance(extent.center()) for extent in extents],
        "scales": [item.scale() for item in maps],
        "extents": [[e.xMinimum(), e.yMinimum(), e.xMaximum(), e.yMaximum()] for e in extents],
    })
    if number < 2:
        assert QgsLayoutExporter(layout).exportToImage(f"{sys.argv[2]}/{number}.png", settings) == 0
    atlas.next()
"""


@pytest.mark.slow
@pytest.mark.qgis
@pytest.mark.skipif(qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)")
def test_qgis_prints_a_page_a_signal_with_photo_and_map_at_one_scale(tmp_path: Path) -> None:
    case = make_case(tmp_path / "flight")
    classes = [code for code in CLASSES for _ in range(3)]
    sides = [8.0 + 2 * number for number in range(len(classes))]
    places = [(LEFT + 60 + number, BOTTOM + 60 + number) for number in range(len(classes))]
    found = signals(
        classes,
        [shapely.box(x, y, x + side, y + 6) for (x, y), side in zip(places, sides, strict=True)],
    )
    found["priority"] %= 4  # ties: where it sorts them downwards, QGIS 3.22 crashes
    review = case.write(tmp_path / "run", discrepancies=found)
    printed, messages = run_in_qgis(PRINT, review.with_suffix(".qgz"), tmp_path)

    waiting = [code for code in classes if code not in HIDDEN_CLASSES]
    assert printed["names"] == ["Granskningsblad"]
    assert printed["count"] == len(waiting)
    assert sorted(page["class"] for page in printed["pages"]) == sorted(waiting)
    order = [(-page["priority"], page["fid"]) for page in printed["pages"]]
    assert order == sorted(order)
    assert "ERROR 1" not in messages
    for page in printed["pages"]:
        longest = max(page["box"])
        hundreds = np.ceil(round(3 * longest / 0.134 / 100, 9))
        assert page["scales"] == pytest.approx([max(500, 100 * hundreds)] * 2, rel=1e-3)
        assert page["extents"][0] == pytest.approx(page["extents"][1])
        assert max(page["off"]) < 0.01
    for number in range(2):
        picture = cv2.imread(str(tmp_path / f"{number}.png")).astype(int)
        assert picture.shape[:2] == (1050, 1485)
        photo, plain = picture[210:870, 65:725], picture[210:870, 765:1425]  # inside the frames
        green = np.abs(photo - (70, 120, 90)).max(axis=-1) < 12  # the case's ground, as BGR
        assert green.mean() > 0.5
        assert (plain == 255).all(axis=-1).mean() > 0.8
        assert (plain < 100).all(axis=-1).any()  # the map's outlines
        texts = picture[40:205, 60:1430], picture[905:950, 60:1430]
        assert all((text < 128).any() for text in texts)
