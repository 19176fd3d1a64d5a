"""The review sheet: a print layout of one A4 page a signal, to review with a pen. Plain XML, without QGIS."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

from geoai.publish.qml import add_options
from geoai.publish.tables import DISCREPANCY
from geoai.publish.texts import DOMAINS, PROJECT, Language

PAGE, MAP, LABEL = "65638", "65639", "65641"
"""QGIS's numbers for the kinds of items."""

WIDTH_MM, HEIGHT_MM, MARGIN_MM, GAP_MM = 297.0, 210.0, 12.0, 5.0
MAP_MM = (WIDTH_MM - 2 * MARGIN_MM - GAP_MM) / 2
"""Side of each of the two square maps."""
MAP_TOP_MM = 41.0
BOX_MM = 4.5
CLOSEST = 500
CONTEXT = 3
"""Side of the map in longest sides of the signal, but nothing is drawn larger than 1:500."""

SCALE = (
    f"max({CLOSEST}, 100 * ceil({CONTEXT} * max(bounds_width($geometry), bounds_height($geometry))"
    f" / {MAP_MM / 1000:g} / 100))"
)
"""The scale of a signal's page as an expression of QGIS: 1 to a whole hundred."""

Rectangle = tuple[float, float, float, float]
"""Left, top, width, height on the page, mm."""


def add_review_sheet(root: Element, coverage: Element, language: Language) -> None:
    """Add the layout to the project *root*: an atlas over the rows of the layer *coverage*, the most urgent
    first.

    *coverage* is the layer's <layer-tree-layer>; its filter is the atlas's.
    """
    name = PROJECT["sheet"].say(language)
    layout = SubElement(
        SubElement(root, "Layouts"),
        "Layout",
        {"name": name, "units": "mm", "printResolution": "200", "worldFileMap": ""},
    )
    _add_item(SubElement(layout, "PageCollection"), PAGE, (0, 0, WIDTH_MM, HEIGHT_MM))
    right = MARGIN_MM + MAP_MM + GAP_MM
    _add_map(layout, MARGIN_MM, PROJECT["theme_review"].say(language))
    _add_map(layout, right, PROJECT["theme_map"].say(language))
    for text, rectangle, points in _texts(right, language):
        _add_label(layout, text, rectangle, points)
    number = "[% @atlas_featurenumber %] / [% @atlas_totalfeatures %]"
    _add_label(layout, number, (right, 10, MAP_MM, 8), 16, halign="2")
    _add_answers(layout, language)
    SubElement(
        layout,
        "Atlas",
        {
            "enabled": "1",
            "coverageLayer": coverage.attrib["id"],
            "coverageLayerName": coverage.attrib["name"],
            "coverageLayerSource": coverage.attrib["source"],
            "coverageLayerProvider": coverage.attrib["providerKey"],
            "hideCoverage": "0",
            "filterFeatures": "0",
            "sortFeatures": "1",
            # Ties as they stand in the review; a priority has three decimals. Where QGIS 3.22 sorts ties
            # downwards, it crashes.
            "sortKey": '-"priority" + "fid" * 1e-9',
            "sortAscending": "1",
            "filenamePattern": f"'{name.lower().replace(' ', '_')}_' || @atlas_featurenumber",
            "pageNameExpression": '"discrepancy_id"',
        },
    )


def _texts(right: float, language: Language) -> Iterator[tuple[str, Rectangle, int]]:
    """Give what is written: text with [% expressions %], where, and its size in points."""
    words = {key: text.say(language) for key, text in PROJECT.items()}
    alias = {column.name: column.alias.say(language) for column in DISCREPANCY.columns}
    whole = WIDTH_MM - 2 * MARGIN_MM
    yield '[% represent_value("class") %]', (MARGIN_MM, 10, MAP_MM, 8), 16
    yield '[% "reason" %]', (MARGIN_MM, 19, whole, 11), 10
    facts = (
        f"{words['area']} [% round(area($geometry)) %] m²",
        f"{alias['photo_date']} [% coalesce(format_date(\"photo_date\", 'yyyy-MM-dd'), '–') %]",
        "E [% round(x(centroid($geometry))) %], N [% round(y(centroid($geometry))) %]",
        f'{alias["discrepancy_id"]} [% "discrepancy_id" %]',
    )
    yield "   ·   ".join(facts), (MARGIN_MM, 33, whole, 6), 8
    under = MAP_TOP_MM + MAP_MM + 1
    scale = f"1:[% {SCALE} %]"
    yield f"{words['sheet_photo']}, {scale}", (MARGIN_MM, under, MAP_MM, 5), 8
    yield f"{words['group_map']}, {scale}", (right, under, MAP_MM, 5), 8


def _add_answers(layout: Element, language: Language) -> None:
    """Add a box to tick for each decision, and fields to write in."""
    alias = {column.name: column.alias.say(language) for column in DISCREPANCY.columns}
    choices = [words.say(language) for code, words in DOMAINS["review"].items() if code != "open"]
    choices.append(alias["field_visit"])
    step_mm = (WIDTH_MM - 2 * MARGIN_MM) / len(choices)
    for number, choice in enumerate(choices):
        left = MARGIN_MM + number * step_mm
        _add_label(layout, "", (left, 183, BOX_MM, BOX_MM), 10, framed=True)
        _add_label(layout, choice, (left + BOX_MM + 2, 183, step_mm - BOX_MM - 3, 6), 10)
    left, half_mm = MARGIN_MM + MAP_MM + GAP_MM, (MAP_MM - GAP_MM) / 2
    fields = {
        "comment": (MARGIN_MM, MAP_MM),
        "reviewed_by": (left, half_mm),
        "reviewed_at": (left + half_mm + GAP_MM, half_mm),
    }
    for column, (left, width) in fields.items():
        _add_label(layout, f" {alias[column]}", (left, 190, width, 13), 7, framed=True)


def _add_map(layout: Element, left: float, theme: str) -> None:
    """Add a map of the layers of *theme* around the signal. Its extent has the item's shape: else QGIS
    changes the item."""
    item = _add_item(
        layout,
        MAP,
        (left, MAP_TOP_MM, MAP_MM, MAP_MM),
        frame="true",
        background="true",
        followPreset="true",
        followPresetName=theme,
        keepLayerSet="false",
        mapRotation="0",
        drawCanvasItems="false",
        mapFlags="0",
        labelMargin="0,mm",
    )
    scale = {"dataDefinedMapScale": {"active": True, "expression": SCALE, "type": 3}}
    properties = SubElement(SubElement(item, "LayoutObject"), "dataDefinedProperties")
    add_options(properties, {"name": "", "properties": scale, "type": "collection"})
    side_m = f"{CLOSEST * MAP_MM / 1000:g}"
    SubElement(item, "Extent", {"xmin": "0", "ymin": "0", "xmax": side_m, "ymax": side_m})
    SubElement(item, "LayerSet")
    SubElement(item, "AtlasMap", {"atlasDriven": "1", "scalingMode": "0", "margin": "0"})  # 0: fixed scale


def _add_label(
    layout: Element, text: str, rectangle: Rectangle, points: int, *, framed: bool = False, halign: str = "1"
) -> None:
    """Add text; *halign* is Qt's: 1 left, 2 right."""
    item = _add_item(
        layout,
        LABEL,
        rectangle,
        frame=str(framed).lower(),
        labelText=text,
        htmlState="0",
        halign=halign,
        valign="32",
        marginX="0",
        marginY="0",
    )
    SubElement(item, "LabelFont", {"description": f"Sans Serif,{points},-1,5,50,0,0,0,0,0", "style": ""})
    SubElement(item, "FontColor", {"red": "0", "green": "0", "blue": "0", "alpha": "255"})


def _add_item(parent: Element, kind: str, rectangle: Rectangle, **attributes: str) -> Element:
    left, top, width, height = rectangle
    place = f"{left:g},{top:g},mm"
    key = "{" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"geoai:sheet:{kind}:{place}")) + "}"
    shared = {
        "type": kind,
        "uuid": key,
        "templateUuid": key,
        "groupUuid": "",
        "id": "",
        "position": place,
        "positionOnPage": place,
        "size": f"{width:g},{height:g},mm",
        "referencePoint": "0",
        "itemRotation": "0",
        "positionLock": "false",
        "visibility": "1",
        "opacity": "1",
        "blendMode": "0",
        "excludeFromExports": "0",
        "zValue": "1",
        "frame": "false",
        "frameJoinStyle": "miter",
        "outlineWidthM": "0.3,mm",
        "background": "false",
    }
    item = SubElement(parent, "LayoutItem", shared | attributes)
    SubElement(item, "FrameColor", {"red": "0", "green": "0", "blue": "0", "alpha": "255"})
    SubElement(item, "BackgroundColor", {"red": "255", "green": "255", "blue": "255", "alpha": "255"})
    return item
