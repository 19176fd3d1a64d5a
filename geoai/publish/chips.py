"""A small picture of every signal: the orthophoto around it, the map's outlines and the evidence drawn on."""

from __future__ import annotations

import math
from contextlib import ExitStack
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
from geoai.vector import Geometries, are_lines

CHIP_PX = 240
GAP_PX = 4
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


def cut_chips(
    orthophoto: Path, evidence: Geometries, mapped: Geometries, *, earlier: Path | None = None
) -> list[bytes | None]:
    """Return a JPEG of *orthophoto* around each geometry of *evidence*, None where it lies off the raster.

    The outlines of *mapped* geometries in view are blue, the evidence yellow; both in the raster's CRS. Where
    an *earlier* flight's orthophoto covers the place, it stands to the left: the picture is twice as wide.
    """
    tree = shapely.STRtree(mapped)
    with ExitStack() as stack:
        stack.enter_context(gdal_environment())
        after = stack.enter_context(rasterio.open(orthophoto))
        before = stack.enter_context(rasterio.open(earlier)) if earlier else None
        return [_chip(before, after, geometry, mapped, tree) for geometry in evidence]


def _chip(
    before: rasterio.DatasetReader | None,
    after: rasterio.DatasetReader,
    evidence: Any,
    mapped: Geometries,
    tree: shapely.STRtree,
) -> bytes | None:
    picture = _picture(after, evidence, mapped, tree)
    if picture is None:
        return None
    left = _picture(before, evidence, mapped, tree) if before else None
    if left is not None:
        picture = np.hstack([left, np.full((CHIP_PX, GAP_PX, 3), 255, np.uint8), picture])
    written, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    assert written
    return bytes(jpeg)


def _picture(
    source: rasterio.DatasetReader, evidence: Any, mapped: Geometries, tree: shapely.STRtree
) -> NDArray[np.uint8] | None:
    """Return the raster around *evidence* with outlines, (row, col, colour); None off the raster."""
    gsd_m = source.transform.a
    left, bottom, right, top = evidence.bounds
    side_px = math.ceil(max(MIN_SIDE_M, CONTEXT * max(right - left, top - bottom)) / gsd_m)
    # Up to there reading everything is fast. Beyond, overviews serve windows on multiples of a power of two:
    # a step of 5 was seen to take some hundred times as long as one of 4.
    step = 1 << max(0, (side_px // (4 * CHIP_PX)).bit_length() - 1)
    side_px = -(-side_px // step) * step
    centre = from_bounds(left, bottom, right, top, source.transform)
    col = round((centre.col_off + centre.width / 2 - side_px / 2) / step) * step
    row = round((centre.row_off + centre.height / 2 - side_px / 2) / step) * step
    box = PixelBox(col, row, side_px, side_px)
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
        cv2.polylines(picture, lines, False, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)
    return picture


def _pixels(geometry: Any, left: float, top: float, scale: float) -> list[NDArray[np.int32]]:
    """Return rings, which end where they begin, or lines as (vertex, col/row) of the chip, in sub-pixels."""
    parts = shapely.get_parts(geometry)
    rings = parts if are_lines(parts) else shapely.get_rings(parts)
    corner = np.array([left, top])
    return [
        # OpenCV's pixel centres lie on whole numbers, ours on halves
        np.round(
            ((shapely.get_coordinates(ring) - corner) * (scale, -scale) - 0.5) * 2**SUBPIXEL_BITS
        ).astype(np.int32)
        for ring in rings
    ]
