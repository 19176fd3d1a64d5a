"""Reading tiles with a segmentation model.

A tile is predicted in windows whose edges lie on a 32 px grid fixed to the lattice (the stride of the
networks: a shift by any other number of pixels changes their answer), with a halo read from the neighbouring
tiles and cropped afterwards. So the probabilities do not depend on where tile borders lie: to one stored step
with a halo of 256 px for U-Net on MobileNetV2, nearly with less. Nothing is blended.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoai.grid import PixelBox, TileScheme
from geoai.model import STRIDE_PX, Segmenter
from geoai.raster import P_NODATA, P_SCALE, LatticeFile, read_lattice, write_cog


def windows(box: PixelBox, window_px: int) -> Iterator[PixelBox]:
    """Yield boxes of at most *window_px* a side, on the 32 px grid, that cover *box* once, of like size."""
    outer = box.snapped(STRIDE_PX)
    for row, height in _split(outer.height, window_px):
        for col, width in _split(outer.width, window_px):
            yield PixelBox(outer.col + col, outer.row + row, width, height)


def _split(length: int, largest: int) -> Iterator[tuple[int, int]]:
    """Yield (offset, size) of near-equal parts of *length*, sizes multiples of 32 and at most *largest*."""
    count = -(-length // largest)
    edges = [length // STRIDE_PX * part // count * STRIDE_PX for part in range(count + 1)]
    yield from ((start, stop - start) for start, stop in itertools.pairwise(edges))


def predict_tile(
    box: PixelBox,
    images: Sequence[LatticeFile],
    segmenter: Segmenter,
    *,
    band_count: int,
    class_count: int,
    window_px: int,
    halo_px: int,
) -> NDArray[np.uint8]:
    """Return the probabilities of the tile *box*: uint8 (class, row, col), p × 250, 255 where no imagery is.

    *images* are the flight's image tiles that lie in or around the box (others are passed over). The model
    reads no more than the part of the tile that holds imagery, and the halo around it.
    """
    probability = np.full((class_count, box.height, box.width), P_NODATA, np.uint8)
    reach = box.snapped(STRIDE_PX).grown(halo_px)
    near = [image for image in images if image.box.intersection(reach)]
    data, valid = read_lattice(near, reach, bands=tuple(range(1, band_count + 1)))
    extent = _extent(valid[box.slices_in(reach)], box)
    for window in windows(extent, window_px) if extent else ():
        chip_rows, chip_cols = window.grown(halo_px).slices_in(reach)
        seen = segmenter(np.ascontiguousarray(data[:, chip_rows, chip_cols]))
        inner = window.intersection(box)
        assert inner  # windows cover the extent, which lies in the box
        rows, cols = inner.slices_in(window.grown(halo_px))
        stored = np.round(np.clip(seen[:, rows, cols], 0.0, 1.0) * P_SCALE).astype(np.uint8)
        stored[:, ~valid[inner.slices_in(reach)]] = P_NODATA
        tile_rows, tile_cols = inner.slices_in(box)
        probability[:, tile_rows, tile_cols] = stored
    return probability


def _extent(valid: NDArray[np.bool_], box: PixelBox) -> PixelBox | None:
    """Return the smallest box around the *valid* pixels (row, col) of *box*, None where there are none."""
    rows, cols = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    if not len(rows):
        return None
    height, width = int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1
    return PixelBox(box.col + int(cols[0]), box.row + int(rows[0]), width, height)


def write_prediction(
    path: Path, probability: NDArray[np.uint8], box: PixelBox, scheme: TileScheme, classes: tuple[str, ...]
) -> None:
    """Write a tile's probabilities (class, row, col) as a lossless COG, one band a class."""
    write_cog(path, probability, scheme.grid_of(box), nodata=P_NODATA, descriptions=classes)
