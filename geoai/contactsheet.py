"""A contact sheet: one HTML file of cases to look at, each a chip of the orthophoto under its outlines.

The file holds its pictures (JPEG) and its outlines (SVG over them, so that they can be hidden) and asks for
nothing else. Labels are dashed orange and detections solid blue, both cased in black: they differ in dash, in
lightness, and for every common kind of colour blindness in hue.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import jinja2
import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.files import appearing_whole
from geoai.raster import Raster
from geoai.vector import Geometries

LABEL_COLOUR, DETECTION_COLOUR = "#ffb000", "#56b4e9"
CHIP_PX = 280
JPEG_QUALITY = 82
MIN_SIDE_M = 30.0
"""A shed is shown with the plot around it."""
CONTEXT = 1.8
"""Side of the chip in longest sides of the case."""
NO_IMAGERY = 205  # light grey

Kind = Literal["label", "detection"]
Photo = Callable[[tuple[float, float, float, float]], Raster]
"""Reads the orthophoto (RGB) within bounds (left, bottom, right, top; metres)."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to look at: its chip (JPEG), outlines as SVG paths in the chip's pixels, and what to know.

    *subject* is the outline that the case is about, a label or a detection (*kind*).
    """

    facts: tuple[str, ...]
    jpeg: bytes
    side_px: int
    labels: str
    detections: str
    subject: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Section:
    """Cases of one kind, worst first; *total* is how many there are of the kind."""

    title: str
    note: str
    total: int
    cases: tuple[Case, ...]


class CaseMaker:
    """Cuts chips and outlines of one scene: *labels* and *detections* are polygons in the photo's CRS."""

    def __init__(self, photo: Photo, labels: Geometries, detections: Geometries) -> None:
        self._photo = photo
        self._layers = labels, detections
        self._trees = shapely.STRtree(labels), shapely.STRtree(detections)

    def make(self, shape: shapely.Geometry, kind: Kind, facts: Iterable[str]) -> Case:
        """Return the case of *shape*, with a square of ground around it."""
        left, bottom, right, top = shape.bounds
        reach = max(MIN_SIDE_M, CONTEXT * max(right - left, top - bottom)) / 2
        x, y = (left + right) / 2, (bottom + top) / 2
        raster = self._photo((x - reach, y - reach, x + reach, y + reach))
        jpeg, side_px = _picture(raster)
        view = shapely.box(*raster.grid.bounds)
        labels, detections = (
            _path(layer[np.sort(tree.query(view, predicate="intersects"))], raster, side_px)
            for layer, tree in zip(self._layers, self._trees, strict=True)
        )
        subject = _path(np.array([shape], object), raster, side_px)
        return Case(tuple(facts), jpeg, side_px, labels, detections, subject, kind)


def _picture(raster: Raster) -> tuple[bytes, int]:
    """Return the raster as a square JPEG (it may have been cut at the imagery's end), and its side (px)."""
    _, height, width = raster.data.shape
    side = max(height, width)
    square: NDArray[np.uint8] = np.full((side, side, 3), NO_IMAGERY, np.uint8)
    square[:height, :width] = np.where(
        raster.valid[..., None], raster.data[:3].transpose(1, 2, 0), NO_IMAGERY
    )
    if side > 2 * CHIP_PX:
        square = np.asarray(
            cv2.resize(square, (2 * CHIP_PX, 2 * CHIP_PX), interpolation=cv2.INTER_AREA), np.uint8
        )
    written, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(square, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    assert written
    return bytes(jpeg), len(square)


def _path(shapes: Geometries, raster: Raster, side_px: int) -> str:
    """Return the rings of *shapes* as one SVG path in pixels of the picture."""
    grid = raster.grid
    scale = side_px / (max(grid.height, grid.width) * grid.gsd_m)
    corner = np.array([grid.bounds[0], grid.bounds[3]])
    rings, _ = shapely.get_rings(shapely.get_parts(shapes), return_index=True)
    return "".join(_ring((shapely.get_coordinates(ring) - corner) * (scale, -scale)) for ring in rings)


def _ring(xy: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy[:-1]) + "Z"


def write_sheet(
    path: Path, *, title: str, remarks: Sequence[str], tables: Sequence[Table], sections: Sequence[Section]
) -> None:
    """Write the sheet; the file appears whole."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = _base64
    html = environment.get_template("contactsheet.html").render(
        title=title,
        remarks=remarks,
        tables=tables,
        sections=sections,
        label_colour=LABEL_COLOUR,
        detection_colour=DETECTION_COLOUR,
        chip_px=CHIP_PX,
    )
    with appearing_whole(path) as target:
        target.write_text(html, encoding="utf-8")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
