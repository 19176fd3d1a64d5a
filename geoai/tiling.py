"""Cutting a flight's orthophotos onto the project's tiles and pixel lattice.

Where sheets overlap, a pixel comes from the first sheet by name that holds imagery there. A sheet that lies
on the lattice is copied pixel by pixel; one that does not is resampled once (cubic).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from geoai.config import TilingSettings
from geoai.flight import Flight, Orthophoto, open_orthophoto
from geoai.grid import PIXEL_TOLERANCE, Grid, PixelBox, TileScheme
from geoai.raster import gdal_environment, read_valid, write_cog

log = logging.getLogger(__name__)

COLOURS = {
    3: (ColorInterp.red, ColorInterp.green, ColorInterp.blue),
    4: (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined),
}
BAND_NAMES = ("red", "green", "blue", "nir")


@dataclass(frozen=True, slots=True)
class TileJob:
    """A tile to cut, and the orthophotos that may hold its pixels, first come first used."""

    tile_id: str
    orthophotos: tuple[Orthophoto, ...]


def tile_scheme(flight: Flight, settings: TilingSettings) -> TileScheme:
    """Return the tile scheme of a flight: the configured GSD, else the flight's own."""
    return TileScheme(flight.orthophotos[0].grid.crs, settings.gsd_m or flight.gsd_m, settings.tile_m)


def plan_tiles(flight: Flight, scheme: TileScheme) -> list[TileJob]:
    """Return the tiles that the flight's sheets touch, in the scheme's order (north to south)."""
    sources: dict[str, list[Orthophoto]] = {}
    for orthophoto in flight.orthophotos:
        for tile_id in scheme.tiles_over(scheme.box_around(orthophoto.grid.bounds)):
            sources.setdefault(tile_id, []).append(orthophoto)
    ordered = sorted(
        sources, key=lambda tile_id: (scheme.tile_box(tile_id).row, scheme.tile_box(tile_id).col)
    )
    return [TileJob(tile_id, tuple(sources[tile_id])) for tile_id in ordered]


def tiles_under(grids: Iterable[Grid], scheme: TileScheme) -> set[str]:
    """Return the ids of the tiles that sheets of these *grids* reach into."""
    return {tile_id for grid in grids for tile_id in scheme.tiles_over(scheme.box_around(grid.bounds))}


def read_tile(
    job: TileJob, scheme: TileScheme, *, band_count: int, white_level: int | None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Mosaic the job's orthophotos over its tile: uint8 data (band, row, col), 0 where invalid, and valid.

    uint16 is scaled linearly, 0 … *white_level* to 0 … 255.
    """
    box = scheme.tile_box(job.tile_id)
    data = np.zeros((band_count, box.height, box.width), np.uint8)
    valid = np.zeros((box.height, box.width), bool)
    with gdal_environment():
        for orthophoto in job.orthophotos:
            part = scheme.box_around(orthophoto.grid.bounds).intersection(box)
            if part is None or valid.all():
                continue
            pixels, holds = _read_part(orthophoto, part, scheme, band_count)
            rows, cols = part.slices_in(box)
            fresh = holds & ~valid[rows, cols]
            np.copyto(data[:, rows, cols], _to_uint8(pixels, white_level), where=fresh)
            valid[rows, cols] |= fresh
    return data, valid


def _read_part(
    orthophoto: Orthophoto, part: PixelBox, scheme: TileScheme, band_count: int
) -> tuple[NDArray[np.uint8 | np.uint16], NDArray[np.bool_]]:
    """Read the lattice pixels *part* from one orthophoto, resampled only if it lies off the lattice."""
    bands = orthophoto.colour[:band_count]
    with open_orthophoto(orthophoto.path) as source:
        offset = _whole_offset(orthophoto.grid, part, scheme)
        if offset is not None:
            row, col = offset
            window = Window(col, row, part.width, part.height)
            return source.read(bands, window=window), read_valid(source, window)
        with WarpedVRT(
            source,
            src_crs=scheme.crs,
            crs=scheme.crs,
            transform=scheme.transform_of(part),
            width=part.width,
            height=part.height,
            resampling=Resampling.cubic,
            add_alpha=ColorInterp.alpha not in source.colorinterp,
        ) as warped:
            return warped.read(bands), warped.dataset_mask() == 255


def _whole_offset(grid: Grid, part: PixelBox, scheme: TileScheme) -> tuple[int, int] | None:
    """Return the (row, col) of *part* in a file on the lattice, None where the file lies off it."""
    if abs(grid.gsd_m - scheme.gsd_m) * max(grid.width, grid.height) > PIXEL_TOLERANCE * scheme.gsd_m:
        return None
    row = part.row + grid.transform.f / scheme.gsd_m
    col = part.col - grid.transform.c / scheme.gsd_m
    if abs(row - round(row)) > PIXEL_TOLERANCE or abs(col - round(col)) > PIXEL_TOLERANCE:
        return None
    return round(row), round(col)


def _to_uint8(data: NDArray[np.uint8 | np.uint16], white_level: int | None) -> NDArray[np.uint8]:
    if data.dtype == np.uint8:
        return data.astype(np.uint8, copy=False)
    scaled = np.round(data.astype(np.float32) * (255.0 / (white_level or 65535)))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def write_tile(
    path: Path,
    data: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    grid: Grid,
    settings: TilingSettings,
    sources: Sequence[str],
) -> None:
    """Write a tile's image as a COG with an internal mask; *sources* go into a tag of the file."""
    write_cog(
        path,
        data,
        grid,
        valid=valid,
        compression=settings.compression,
        jpeg_quality=settings.jpeg_quality,
        colorinterp=COLOURS[len(data)],
        descriptions=BAND_NAMES[: len(data)],
        tags={"SOURCES": " ".join(sources)},
    )
