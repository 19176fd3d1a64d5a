"""The building blocks of QGIS's style files: symbols, labels, form elements and variants as XML.

QGIS is not needed to write them. The subset is what QGIS 3.22 reads; later versions convert it on opening.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
GREY = "#8C8C8C"
LABEL_SCALE = 1500
"""Labels are drawn from 1:1500 and closer."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """An outline: colour (#RRGGBB), width in millimetres on paper, opacity 0..255."""

    colour: str
    width_mm: float
    dashed: bool = False
    alpha: int = 255


@dataclass(frozen=True, slots=True)
class Symbol:
    """How polygons are drawn: *fill* (colour, alpha 0..255), hatch lines at *hatch* degrees, then *strokes*
    from below upwards; *lines* by their strokes alone.

    *opacity* in percent is a QGIS expression or a number.
    """

    strokes: tuple[Stroke, ...]
    hatch: tuple[int, ...] = ()
    hatch_colour: str = GREY
    hatch_mm: float = 2.4
    hatch_alpha: int = 255
    opacity: str = "100"
    fill: tuple[str, int] | None = None
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """An entry of a legend: the column's code, its words, and whether it starts checked."""

    code: str
    label: str
    symbol: Symbol
    shown: bool = True


def categorized(column: str, categories: Sequence[Category], order_by: str = "") -> Element:
    """Return a renderer with a symbol for each value of *column*; the highest *order_by* is drawn on top."""
    renderer = Element(
        "renderer-v2",
        {
            "type": "categorizedSymbol",
            "attr": column,
            "forceraster": "0",
            "symbollevels": "0",
            "enableorderby": "1" if order_by else "0",
            "referencescale": "-1",
        },
    )
    entries, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for number, category in enumerate(categories):
        SubElement(
            entries,
            "category",
            {
                "symbol": str(number),
                "value": category.code,
                "label": category.label,
                "render": str(category.shown).lower(),
                "type": "string",
            },
        )
        _add_symbol(symbols, str(number), category.symbol)
    if order_by:  # what is drawn last lies on top
        clauses = SubElement(renderer, "orderby")
        SubElement(clauses, "orderByClause", {"asc": "1", "nullsFirst": "1"}).text = order_by
    return renderer


def graduated(column: str, steps: Sequence[tuple[float, float, str, Symbol]]) -> Element:
    """Return a renderer by ranges of *column*: lower and upper limit, label, symbol."""
    kind = {"type": "graduatedSymbol", "attr": column, "graduatedMethod": "GraduatedColor"}
    renderer = Element("renderer-v2", kind | {"forceraster": "0", "symbollevels": "0", "enableorderby": "0"})
    ranges, symbols = SubElement(renderer, "ranges"), SubElement(renderer, "symbols")
    for number, (lower, upper, label, symbol) in enumerate(steps):
        limits = {"lower": f"{lower:.6f}", "upper": f"{upper:.6f}"}
        entry = limits | {"symbol": str(number), "label": label, "render": "true"}
        SubElement(ranges, "range", entry)
        _add_symbol(symbols, str(number), symbol)
    return renderer


def single(symbol: Symbol) -> Element:
    """Return a renderer that draws everything by *symbol*."""
    kind = {"type": "singleSymbol", "forceraster": "0", "symbollevels": "0", "enableorderby": "0"}
    renderer = Element("renderer-v2", kind | {"referencescale": "-1"})
    _add_symbol(SubElement(renderer, "symbols"), "0", symbol)
    return renderer


def labels(expression: str, *, scale: int = LABEL_SCALE, inside: bool = False) -> Element:
    """Return labels beside the polygons, or *inside* them, from 1:*scale* on.

    No font is named: one that is missing makes QGIS complain.
    """
    labeling = Element("labeling", {"type": "simple"})
    settings = SubElement(labeling, "settings", {"calloutType": "simple"})
    text = SubElement(
        settings,
        "text-style",
        {
            "fieldName": expression,
            "isExpression": "1",
            "fontSize": "8",
            "fontSizeUnit": "Point",
            "fontWeight": "63",
            "textColor": "0,0,0,255",
            "textOpacity": "1",
            "multilineHeight": "1",
        },
    )
    buffer = {
        "bufferDraw": "1",
        "bufferSize": "0.9",
        "bufferSizeUnits": "MM",
        "bufferColor": "255,255,255,230",
    }
    SubElement(text, "text-buffer", buffer | {"bufferOpacity": "1", "bufferJoinStyle": "128"})
    SubElement(settings, "text-format", {"wrapChar": "", "autoWrapLength": "0", "multilineAlign": "1"})
    where = "4" if inside else "8"  # 4: horizontal within the polygon, 8: outside it
    placement = {"placement": where, "dist": "1", "distUnits": "MM", "priority": "5"}
    SubElement(settings, "placement", placement | {"polygonPlacementFlags": "2", "placementFlags": "10"})
    rendering = {"scaleVisibility": "1", "scaleMin": "0", "scaleMax": str(scale), "drawLabels": "1"}
    obstacle = {"obstacle": "1", "obstacleFactor": "1", "obstacleType": "0", "upsidedownLabels": "0"}
    SubElement(settings, "rendering", rendering | obstacle)
    return labeling


def add_container(
    parent: Element, name: str, *, page: bool = False, columns: int = 1, visible: str = ""
) -> Element:
    """Add a page or a framed group to a form; one with the expression *visible* has no title."""
    return SubElement(
        parent,
        "attributeEditorContainer",
        {
            "name": name,
            "groupBox": str(int(not page)),
            "columnCount": str(columns),
            "showLabel": str(int(not visible)),
            "visibilityExpressionEnabled": str(int(bool(visible))),
            "visibilityExpression": visible,
            "collapsed": "0",
        },
    )


def add_fields(parent: Element, names: Iterable[str], indices: Mapping[str, int]) -> None:
    """Add the columns *names* to a form; *indices* are their places in the table."""
    for name in names:
        SubElement(
            parent, "attributeEditorField", {"name": name, "index": str(indices[name]), "showLabel": "1"}
        )


def add_options(parent: Element, value: Any, name: str | None = None) -> None:
    """Add *value* (str, bool, int, list, mapping) in QGIS's encoding of variants."""
    attributes = {} if name is None else {"name": name}
    if isinstance(value, Mapping):
        option = SubElement(parent, "Option", attributes | {"type": "Map"})
        for key, item in value.items():
            add_options(option, item, key)
    elif isinstance(value, list):
        option = SubElement(parent, "Option", attributes | {"type": "List"})
        for item in value:
            add_options(option, item)
    elif isinstance(value, bool):
        SubElement(parent, "Option", attributes | {"type": "bool", "value": str(value).lower()})
    elif isinstance(value, int):
        SubElement(parent, "Option", attributes | {"type": "int", "value": str(value)})
    else:
        SubElement(parent, "Option", attributes | {"type": "QString", "value": str(value)})


def xml_text(root: Element) -> str:
    """Return *root* (indented in place) as the text of a QML or QGS file."""
    indent(root, " ")
    return DOCTYPE + tostring(root, encoding="unicode")


def _add_symbol(parent: Element, name: str, symbol: Symbol) -> None:
    kind = "line" if symbol.lines else "fill"
    fill = SubElement(
        parent,
        "symbol",
        {"name": name, "type": kind, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"},
    )
    if symbol.lines:
        for stroke in symbol.strokes:
            _add_symbol_layer(fill, "SimpleLine", _line(stroke))
        return
    if symbol.fill:
        colour, alpha = symbol.fill
        ground = {"color": _rgba(colour, alpha), "style": "solid", "outline_style": "no"}
        _add_symbol_layer(fill, "SimpleFill", ground)
    for number, angle in enumerate(symbol.hatch):
        _add_hatch(fill, f"@{name}@{number}", angle, symbol)
    for stroke in symbol.strokes:
        properties = {
            "color": _rgba(stroke.colour, 0),
            "style": "no",
            "outline_color": _rgba(stroke.colour, stroke.alpha),
            "outline_style": "dash" if stroke.dashed else "solid",
            "outline_width": f"{stroke.width_mm:g}",
            "outline_width_unit": "MM",
            "joinstyle": "miter",
            "offset": "0,0",
            "offset_unit": "MM",
        }
        _add_symbol_layer(fill, "SimpleFill", properties)
    if symbol.opacity != "100":
        active = {"alpha": {"active": True, "expression": symbol.opacity, "type": 3}}
        add_options(
            SubElement(fill, "data_defined_properties"),
            {"name": "", "properties": active, "type": "collection"},
        )


def _line(stroke: Stroke) -> dict[str, str]:
    return {
        "line_color": _rgba(stroke.colour, stroke.alpha),
        "line_style": "dash" if stroke.dashed else "solid",
        "line_width": f"{stroke.width_mm:g}",
        "line_width_unit": "MM",
        "capstyle": "flat",
        "joinstyle": "round",
        "use_custom_dash": "0",
    }


def _add_hatch(fill: Element, name: str, angle: int, symbol: Symbol) -> None:
    properties = {
        "angle": str(angle),
        "color": _rgba(symbol.hatch_colour, symbol.hatch_alpha),
        "distance": f"{symbol.hatch_mm:g}",
        "distance_unit": "MM",
        "line_width": "0.3",
        "line_width_unit": "MM",
        "offset": "0",
        "offset_unit": "MM",
        "outline_width_unit": "MM",
    }
    layer = _add_symbol_layer(fill, "LinePatternFill", properties)
    line = SubElement(
        layer,
        "symbol",
        {"name": name, "type": "line", "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"},
    )
    properties = {
        "line_color": _rgba(symbol.hatch_colour, symbol.hatch_alpha),
        "line_width": "0.3",
        "line_width_unit": "MM",
        "line_style": "solid",
        "capstyle": "square",
        "joinstyle": "bevel",
        "use_custom_dash": "0",
    }
    _add_symbol_layer(line, "SimpleLine", properties)


def _add_symbol_layer(parent: Element, kind: str, properties: Mapping[str, str]) -> Element:
    layer = SubElement(parent, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    add_options(layer, properties)
    for key, value in properties.items():  # QGIS up to 3.24 writes and reads <prop>, later versions <Option>
        SubElement(layer, "prop", {"k": key, "v": value})
    return layer


def _rgba(colour: str, alpha: int) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"{red},{green},{blue},{alpha}"
