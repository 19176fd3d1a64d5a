"""A small picture of every signal: the orthophoto around it, the map's outlines and the evidence drawn on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.windows import from_bounds

from geoai.grid import PixelBox
from geoai.raster import gdal_environment, read_padded
from geoai.vector import Geometries

CHIP_PX = 240
JPEG_QUALITY = 80
MIN_SIDE_M = 30.0
"""A shed is shown with the plot around it."""
CONTEXT = 1.8
"""Side of the chip in longest sides of the signal."""

NO_IMAGERY = 205  # light grey
MAP_COLOUR = (86, 180, 233)  # sky blue
EVIDENCE_COLOUR = (240, 228, 66)  # yellow
CASING = (0, 0, 0)
"""Lines are cased in black so that they stand out of any ground."""
SUBPIXEL_BITS = 4


def cut_chips(orthophoto: Path, evidence: Geometries, mapped: Geometries) -> list[bytes | None]:
    """Return a JPEG of *orthophoto* around each geometry of *evidence*, None where it lies off the raster.

    The outlines of *mapped* geometries in view are blue, the evidence yellow; both in the raster's CRS.
    """
    tree = shapely.STRtree(mapped)
    with gdal_environment(), rasterio.open(orthophoto) as source:
        return [_chip(source, geometry, mapped, tree) for geometry in evidence]


def _chip(
    source: rasterio.DatasetReader, evidence: Any, mapped: Geometries, tree: shapely.STRtree
) -> bytes | None:
    gsd_m = source.transform.a
    left, bottom, right, top = evidence.bounds
    side_px = math.ceil(max(MIN_SIDE_M, CONTEXT * max(right - left, top - bottom)) / gsd_m)
    step = max(1, side_px // (4 * CHIP_PX))  # reading everything is fast up to there
    side_px = -(-side_px // step) * step
    centre = from_bounds(left, bottom, right, top, source.transform)
    box = PixelBox(
        round(centre.col_off + centre.width / 2 - side_px / 2),
        round(centre.row_off + centre.height / 2 - side_px / 2),
        side_px,
        side_px,
    )
    if box.intersection(PixelBox(0, 0, source.width, source.height)) is None:
        return None
    data, valid = read_padded(source, box, bands=(1, 2, 3), step=step)
    data[:, ~valid] = NO_IMAGERY
    shrinks = data.shape[1] > CHIP_PX
    picture: NDArray[np.uint8] = cv2.resize(
        np.ascontiguousarray(data.transpose(1, 2, 0)),
        (CHIP_PX, CHIP_PX),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC,
    ).astype(np.uint8)
    left, top = source.transform.c + box.col * gsd_m, source.transform.f - box.row * gsd_m
    view = shapely.box(left, top - side_px * gsd_m, left + side_px * gsd_m, top)
    scale = CHIP_PX / (side_px * gsd_m)
    drawn = mapped[np.sort(tree.query(view, predicate="intersects"))]
    map_lines = [line for geometry in drawn for line in _pixels(geometry, left, top, scale)]
    evidence_lines = _pixels(evidence, left, top, scale)
    # A thin line of the map on top: where both run together, blue is seen inside yellow.
    for lines, colour, width in (
        (map_lines, CASING, 4),
        (evidence_lines, CASING, 6),
        (evidence_lines, EVIDENCE_COLOUR, 4),
        (map_lines, MAP_COLOUR, 2),
    ):
        cv2.polylines(picture, lines, True, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)
    written, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    assert written
    return bytes(jpeg)


def _pixels(geometry: Any, left: float, top: float, scale: float) -> list[NDArray[np.int32]]:
    """Return the rings of a (multi)polygon as (vertex, col/row) of the chip, in sub-pixels."""
    rings = [ring for part in shapely.get_parts(geometry) for ring in shapely.get_rings(part)]
    corner = np.array([left, top])
    return [
        # OpenCV's pixel centres lie on whole numbers, ours on halves
        np.round(
            ((shapely.get_coordinates(ring) - corner) * (scale, -scale) - 0.5) * 2**SUBPIXEL_BITS
        ).astype(np.int32)
        for ring in rings
    ]
