"""The QGIS project of a review (layers, themes, bookmarks, print layout), written as plain XML without QGIS.

All paths are relative to the folder, so that it can be moved or sent. The same input gives the same bytes.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree.ElementTree import Element, SubElement

import pyproj
import rasterio

from geoai.publish.layout import add_review_sheet
from geoai.publish.qml import xml_text
from geoai.publish.style import (
    LINE,
    coverage_style,
    detection_style,
    discrepancy_style,
    map_status_style,
    map_style,
    quality_grid_style,
    registration_style,
    sample_style,
    suggestion_style,
)
from geoai.publish.tables import MAP_STATUS, TO_REVIEW, Table
from geoai.publish.texts import LAYERS, PROJECT, Language

Bounds = tuple[float, float, float, float]

PROBABILITY_RAMP = (
    # stored value (p × 250), colour, opacity 0..255: nothing below 10 %, and the roof is always seen
    (0, "#FDE725", 0),
    (25, "#FDE725", 0),
    (50, "#FDE725", 90),
    (125, "#F58C46", 150),
    (190, "#C73E62", 150),
    (250, "#5B0F6E", 150),
)
SELECTION_COLOUR = {"Red": 255, "Green": 255, "Blue": 0, "Alpha": 40}
"""Faint: the selected signal's roof must still be seen."""


@dataclass(frozen=True)
class Layer:
    """A layer of the project.

    *key* names it in `texts.LAYERS`; *source* (of a file: relative to the project) is read by *provider*;
    *style* is that of a vector layer, *raster* how a raster is drawn, with the band that holds its
    transparency or -1.
    """

    key: str
    source: str
    style: Element | None = None
    raster: Literal["colour", "probability"] | None = None
    alpha_band: int = -1
    visible: bool = True
    editable: bool = False
    provider: str = "gdal"

    @property
    def id(self) -> str:
        """Id in the project; QGIS replaces ids of ten characters and fewer, and themes then lose them."""
        return f"geoai_layer_{self.key}"


class Tables(NamedTuple):
    """Where tables lie: QGIS's name of what reads them, and the source of a table under a filter or ''."""

    provider: str
    source: Callable[[str, str], str]


def _beside(table: str, where: str) -> str:
    return f"./review.gpkg|layername={table}" + (f"|subset={where}" if where else "")


BESIDE = Tables("ogr", _beside)
"""In review.gpkg beside the project."""


EXTRA_LAYERS: dict[str, tuple[str, Callable[[Language], Element], bool]] = {
    # table: group it goes into, style, whether a reviewer writes there
    "sample": ("group_review", sample_style, True),
    "quality_grid": ("group_map", quality_grid_style, False),
    "registration": ("group_map", registration_style, False),
}


@dataclass(frozen=True)
class Bookmark:
    """A named view: left, bottom, right, top in metres."""

    name: str
    bounds: Bounds


def review_project(
    folder: Path,
    *,
    crs: str,
    extent: Bounds,
    bookmarks: Sequence[Bookmark],
    orthophoto: Path,
    probability: Path,
    title: str,
    language: Language,
    mapped: Table = MAP_STATUS,
    earlier: Path | None = None,
    extra: Sequence[str] = (),
    tables: Tables = BESIDE,
) -> str:
    """Return the text of the project that lies in *folder* and shows *tables*.

    *mapped* is the table of mapped objects: polygons or lines. *extent* is what is seen first. *earlier* is
    the orthophoto of an earlier flight, *extra* names the layers of EXTRA_LAYERS that the review holds; both
    are off at first. The rasters must exist: how they are masked is looked up.
    """
    table = functools.partial(_table, tables)
    groups = {
        "group_review": [
            table("to_review", discrepancy_style(language), "discrepancy", where=TO_REVIEW, editable=True),
            table(
                "policy",
                discrepancy_style(language),
                "discrepancy",
                where='"policy_group" IS NOT NULL',
                visible=False,
                editable=True,
            ),
            table("all", discrepancy_style(language), "discrepancy", visible=False, editable=True),
            table("suggestion", suggestion_style(language), "suggestion", visible=False),
        ],
        "group_map": [
            table("map_status", map_status_style(language, mapped), "map_status", visible=False),
            table("map", map_style(language, mapped), "map_status"),
        ],
        "group_image": [
            table("detection", detection_style(language), "detection", visible=False),
            table("coverage", coverage_style(language), "coverage"),
            Layer("probability", _relative(probability, folder), raster="probability", visible=False),
            _photo("orthophoto", orthophoto, folder),
        ],
    }
    if earlier:
        groups["group_image"].append(_photo("earlier", earlier, folder, visible=False))
    for key in extra:
        group, style, editable = EXTRA_LAYERS[key]
        groups[group].append(table(key, style(language), key, visible=False, editable=editable))
    themes = {
        "theme_review": ("to_review", "map", "coverage", "orthophoto"),
        "theme_map": ("map",),
        "theme_image": ("orthophoto",),
        "theme_probability": ("to_review", "map", "probability", "orthophoto"),
        **({"theme_earlier": ("to_review", "map", "earlier")} if earlier else {}),
    }
    layers = [layer for members in groups.values() for layer in members]
    root = Element("qgis", {"version": "3.22.0", "projectname": title, "saveDateTime": "", "saveUser": ""})
    SubElement(root, "homePath", {"path": ""})
    SubElement(root, "title").text = title
    _add_crs(SubElement(root, "projectCrs"), crs)
    _add_tree(root, groups, language)
    _add_view(root, crs, extent)
    projected = SubElement(root, "projectlayers")
    for layer in layers:
        _add_layer(projected, layer, crs, language)
    _add_themes(root, themes, language)
    _add_bookmarks(root, bookmarks, crs, PROJECT["bookmarks"].say(language))
    waiting = root.find(".//layer-tree-layer[@id='geoai_layer_to_review']")
    assert waiting is not None
    add_review_sheet(root, waiting, language)
    _add_properties(root)
    return xml_text(root)


def _table(
    tables: Tables,
    key: str,
    style: Element,
    table: str,
    *,
    where: str = "",
    visible: bool = True,
    editable: bool = False,
) -> Layer:
    source = tables.source(table, where)
    return Layer(key, source, style, visible=visible, editable=editable, provider=tables.provider)


def _photo(key: str, mosaic: Path, folder: Path, *, visible: bool = True) -> Layer:
    alpha_band = _alpha_band(mosaic)
    return Layer(key, _relative(mosaic, folder), raster="colour", alpha_band=alpha_band, visible=visible)


def _relative(path: Path, folder: Path) -> str:
    relative = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    return relative if relative.startswith("../") else f"./{relative}"


def _alpha_band(path: Path) -> int:
    """Return the band by which QGIS knows the raster's validity mask: it numbers it after the real bands."""
    with rasterio.open(path) as source:
        return int(source.count) + 1


@functools.cache
def _wkt(crs: str) -> str:
    return str(pyproj.CRS.from_user_input(crs).to_wkt())


def _add_crs(parent: Element, crs: str) -> None:
    """Add *crs* by WKT and code; the code alone is read as no CRS at all."""
    reference = SubElement(parent, "spatialrefsys", {"nativeFormat": "Wkt"})
    SubElement(reference, "wkt").text = _wkt(crs)
    SubElement(reference, "authid").text = crs


def _add_tree(root: Element, groups: Mapping[str, Sequence[Layer]], language: Language) -> None:
    tree = SubElement(root, "layer-tree-group")
    for key, layers in groups.items():
        name = PROJECT[key].say(language)
        group = SubElement(
            tree, "layer-tree-group", {"name": name, "checked": "Qt::Checked", "expanded": "1"}
        )
        for layer in layers:
            SubElement(
                group,
                "layer-tree-layer",
                {
                    "id": layer.id,
                    "name": LAYERS[layer.key].say(language),
                    "source": layer.source,
                    "providerKey": layer.provider,
                    "checked": "Qt::Checked" if layer.visible else "Qt::Unchecked",
                    "expanded": str(int(layer.key == "to_review")),
                },
            )


def _add_view(root: Element, crs: str, extent: Bounds) -> None:
    """Add what is seen first, to the map canvas and to the project's own settings."""
    sides = dict(zip(("xmin", "ymin", "xmax", "ymax"), (repr(float(side)) for side in extent), strict=True))
    canvas = SubElement(root, "mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    SubElement(canvas, "units").text = "meters"
    element = SubElement(canvas, "extent")
    for side, value in sides.items():
        SubElement(element, side).text = value
    SubElement(canvas, "rotation").text = "0"
    _add_crs(SubElement(canvas, "destinationsrs"), crs)
    settings = SubElement(root, "ProjectViewSettings", {"UseProjectScales": "0", "rotation": "0"})
    _add_crs(SubElement(settings, "DefaultViewExtent", sides), crs)


def _add_layer(parent: Element, layer: Layer, crs: str, language: Language) -> None:
    element = SubElement(parent, "maplayer", {"type": "raster" if layer.raster else "vector"})
    SubElement(element, "id").text = layer.id
    SubElement(element, "datasource").text = layer.source
    SubElement(element, "layername").text = LAYERS[layer.key].say(language)
    _add_crs(SubElement(element, "srs"), crs)
    # Themes name the layer's style, and QGIS's own name for it is translated.
    manager = SubElement(element, "map-layer-style-manager", {"current": "default"})
    SubElement(manager, "map-layer-style", {"name": "default"})
    if layer.raster:
        SubElement(element, "provider").text = layer.provider
        _add_raster_pipe(element, layer)
        return
    SubElement(element, "provider", {"encoding": "UTF-8"}).text = layer.provider
    assert layer.style is not None
    line = layer.style.findtext("layerGeometryType") == str(LINE)
    element.attrib |= {"geometry": "Line" if line else "Polygon"}
    element.attrib |= {"wkbType": "MultiLineString" if line else "MultiPolygon"}
    element.attrib |= {key: value for key, value in layer.style.attrib.items() if key != "version"}
    element.set("readOnly", str(int(not layer.editable)))
    element.extend(layer.style)


def _add_raster_pipe(parent: Element, layer: Layer) -> None:
    """Add how the raster is drawn. Stretching is not asked for, so QGIS writes no statistics beside it."""
    pipe = SubElement(parent, "pipe")
    smooth = "bilinear" if layer.raster == "colour" else "nearestNeighbour"
    SubElement(
        SubElement(pipe, "provider"),
        "resampling",
        {
            "zoomedInResamplingMethod": "nearestNeighbour",
            "zoomedOutResamplingMethod": smooth,
            "maxOversampling": "2",
            "enabled": "true",
        },
    )
    if layer.raster == "colour":
        bands = {"redBand": "1", "greenBand": "2", "blueBand": "3", "alphaBand": str(layer.alpha_band)}
        SubElement(
            pipe, "rasterrenderer", {"type": "multibandcolor", "opacity": "1", "nodataColor": ""} | bands
        )
    else:
        _add_probability_ramp(pipe)
    SubElement(pipe, "brightnesscontrast", {"brightness": "0", "contrast": "0", "gamma": "1"})
    SubElement(pipe, "huesaturation", {"saturation": "0", "grayscaleMode": "0", "colorizeOn": "0"})
    SubElement(pipe, "rasterresampler", {"maxOversampling": "2"})
    SubElement(parent, "resamplingStage").text = "provider"


def _add_probability_ramp(pipe: Element) -> None:
    span = {"classificationMin": "0", "classificationMax": "250"}
    renderer = SubElement(
        pipe,
        "rasterrenderer",
        {"type": "singlebandpseudocolor", "band": "1", "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
        | span,
    )
    ramp = {"colorRampType": "INTERPOLATED", "classificationMode": "1", "clip": "0", "labelPrecision": "0"}
    shader = SubElement(
        SubElement(renderer, "rastershader"),
        "colorrampshader",
        ramp | {"minimumValue": "0", "maximumValue": "250"},
    )
    for value, colour, alpha in PROBABILITY_RAMP:
        item = {"value": str(value), "color": colour, "alpha": str(alpha), "label": f"{value / 2.5:.0f} %"}
        SubElement(shader, "item", item)


def _add_themes(root: Element, themes: Mapping[str, Sequence[str]], language: Language) -> None:
    presets = SubElement(root, "visibility-presets")
    for key, layers in themes.items():
        name = PROJECT[key].say(language)
        preset = SubElement(
            presets,
            "visibility-preset",
            {"name": name, "has-expanded-info": "0", "has-checked-group-info": "0"},
        )
        for layer in layers:
            shown = {"id": f"geoai_layer_{layer}", "visible": "1", "style": "default", "expanded": "0"}
            SubElement(preset, "layer", shown)


def _add_bookmarks(root: Element, bookmarks: Sequence[Bookmark], crs: str, group: str) -> None:
    element = SubElement(root, "Bookmarks")
    for number, bookmark in enumerate(bookmarks):
        left, bottom, right, top = bookmark.bounds
        ring = ((left, bottom), (right, bottom), (right, top), (left, top), (left, bottom))
        extent = "POLYGON((" + ", ".join(f"{x:.2f} {y:.2f}" for x, y in ring) + "))"
        key = "{" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"geoai:bookmark:{number}")) + "}"
        entry = {"id": key, "name": bookmark.name, "group": group, "extent": extent}
        _add_crs(SubElement(element, "Bookmark", entry), crs)


def _add_properties(root: Element) -> None:
    properties = SubElement(root, "properties")
    SubElement(SubElement(properties, "Paths"), "Absolute", {"type": "bool"}).text = "false"
    # Without this the project's CRS stays empty, whatever <projectCrs> says.
    SubElement(SubElement(properties, "SpatialRefSys"), "ProjectionsEnabled", {"type": "int"}).text = "1"
    measurement = SubElement(properties, "Measurement")
    SubElement(measurement, "AreaUnits", {"type": "QString"}).text = "m2"
    SubElement(measurement, "DistanceUnits", {"type": "QString"}).text = "meters"
    gui = SubElement(properties, "Gui")
    for part, value in SELECTION_COLOUR.items():
        SubElement(gui, f"SelectionColor{part}Part", {"type": "int"}).text = str(value)
