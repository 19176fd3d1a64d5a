"""What prediction costs beside the bare network, and what storing tiles as JPEG does to probabilities.

    uv run python tests/bench/bench_prediction.py SHEET.tif [SIZE_PX]

Cuts SIZE_PX × SIZE_PX pixels (default 5000, 2 × 2 tiles) out of the middle of an orthophoto and prints, in
one run on one thread: CPU seconds of the bare network on the same pixels without any halo, of predicting and
writing the tiles at two halos, their ratios, and how probabilities differ between lossless and JPEG tiles
and between two positions of the tile grid.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray
from rasterio.windows import Window

from geoai.config import TilingSettings
from geoai.grid import PixelBox, TileScheme
from geoai.model import find_package, load_segmenter
from geoai.prediction import predict_tile, windows, write_prediction
from geoai.raster import P_NODATA, LatticeFile, read_lattice
from geoai.tiling import write_tile


def cut(
    image: NDArray[np.uint8], box: PixelBox, scheme: TileScheme, folder: Path, compression: str
) -> list[LatticeFile]:
    """Write the image under *box* as tiles of *scheme*."""
    options = TilingSettings.model_validate({"compression": compression})
    files = []
    for tile_id in scheme.tiles_over(box):
        tile = scheme.tile_box(tile_id)
        part = tile.intersection(box)
        assert part
        data = np.zeros((3, tile.height, tile.width), np.uint8)
        valid = np.zeros(data.shape[1:], bool)
        data[:, *part.slices_in(tile)] = image[:, *part.slices_in(box)]
        valid[part.slices_in(tile)] = True
        path = folder / f"{compression}-{scheme.tile_m}" / tile_id / "image.tif"
        write_tile(path, data, valid, scheme.grid_of(tile), options, [])
        files.append(LatticeFile(path, tile))
    return files


def predict(
    files: list[LatticeFile], box: PixelBox, scheme: TileScheme, segmenter: object, halo_px: int
) -> tuple[NDArray[np.uint8], float]:
    """Predict and write every tile; return the mosaic over *box* and the CPU seconds."""
    whole = np.full((box.height, box.width), P_NODATA, np.uint8)
    start = time.process_time()
    for file in files:
        seen = predict_tile(
            file.box, files, segmenter, band_count=3, class_count=1, window_px=1280, halo_px=halo_px
        )
        write_prediction(file.path.with_name("p.tif"), seen, file.box, scheme, ("building",))
        part = file.box.intersection(box)
        assert part
        whole[part.slices_in(box)] = seen[0][part.slices_in(file.box)]
    return whole, time.process_time() - start


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> str:
    """Say how two mosaics of probabilities differ."""
    delta = np.abs(first.astype(int) - second) / 250
    crossed = ((first >= 125) != (second >= 125)).mean()
    return f"mean |Δp| {delta.mean():.5f}, max {delta.max():.3f}, {crossed:.4%} of pixels cross p = 0.5"


def main() -> None:
    """Run the comparison and print it."""
    torch.set_num_threads(1)
    sheet, size = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    with rasterio.open(sheet) as source:
        height, width = min(size, source.height), min(size * size // min(size, source.height), source.width)
        row, col = (source.height - height) // 2, (source.width - width) // 2
        image = source.read((1, 2, 3), window=Window(col, row, width, height))
        scheme = TileScheme(source.crs, round(source.transform.a, 4), 500)
        left, top = source.transform @ (col, row)
    box = scheme.box_around((left, top - height * scheme.gsd_m, left + width * scheme.gsd_m, top))
    segmenter = load_segmenter(find_package("buildings"), precision="auto")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lossless = cut(image, box, scheme, folder, "lossless")
        jpeg = cut(image, box, scheme, folder, "jpeg")
        shifted_scheme = TileScheme(scheme.crs, scheme.gsd_m, 350)
        shifted = cut(image, box, shifted_scheme, folder, "lossless")

        bare = 0.0
        for window in windows(box, 1280):
            chip, _ = read_lattice(lossless, window, bands=(1, 2, 3))
            start = time.process_time()
            segmenter(chip)
            bare += time.process_time() - start
        megapixels = box.width * box.height / 1e6
        print(f"{megapixels:.1f} Mpx, one thread")
        print(f"bare network, no halo      {bare:7.1f} CPU s   1.00")
        results = {}
        for halo_px in (96, 256):
            results[halo_px], seconds = predict(lossless, box, scheme, segmenter, halo_px)
            print(f"tiles, halo {halo_px:3} px, written {seconds:7.1f} CPU s   {seconds / bare:.2f}")
        print(
            "JPEG q90 tiles against lossless:",
            difference(predict(jpeg, box, scheme, segmenter, 96)[0], results[96]),
        )
        for halo_px in (96, 256):
            moved, _ = predict(shifted, box, shifted_scheme, segmenter, halo_px)
            print(f"tiles of 350 m against 500 m, halo {halo_px}:", difference(moved, results[halo_px]))


if __name__ == "__main__":
    main()
