"""What a comparison of lines costs: uv run python tests/bench/bench_lines.py [BLOCKS …] [--folder FOLDER]

Makes a town of BLOCKS × BLOCKS blocks of 100 m whose streets the map holds as a line a block side, 5 % of
them missing in the map and 5 % not there, seen as one connected surface, with a probability raster of 1 m;
compares it in a process of its own, and prints lines, seconds of wall and of CPU, peak memory (the making of
the town included) and signals.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from rasterio.features import rasterize

from geoai.config import CompareSettings
from geoai.lines import compare_lines

WEST, NORTH, BLOCK_M, MARGIN_M, HALF_M = 450_000.0, 6_400_000.0, 100.0, 50.0, 3.0


def town(blocks: int, seed: int = 1) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the map's lines and what is seen of the streets."""
    rng = np.random.default_rng(seed)
    col, row = np.meshgrid(np.arange(blocks + 1), np.arange(blocks + 1))
    corners = np.stack([WEST + MARGIN_M + BLOCK_M * col, NORTH - MARGIN_M - BLOCK_M * row], axis=-1)
    corners += rng.normal(0, 3, corners.shape)
    ends = [(corners[:, :-1], corners[:, 1:]), (corners[:-1], corners[1:])]
    start, end = (np.concatenate([side[k].reshape(-1, 2) for side in ends]) for k in (0, 1))
    middle = (start + end) / 2 + rng.normal(0, 2, start.shape)
    streets = shapely.linestrings(np.stack([start, middle, end], axis=1))
    mapped = streets[rng.random(len(streets)) > 0.05]
    there = shapely.buffer(streets[rng.random(len(streets)) > 0.05], HALF_M, cap_style="flat")
    surface = shapely.get_parts(shapely.union_all(there))
    columns = {"theme": "road", "map_status": "current", "sigma_m": 0.3, "map_date": pd.NaT}
    ids = {"map_object_id": [f"r{number}" for number in range(len(mapped))]}
    seen = {"detection_id": [f"d{number}" for number in range(len(surface))]}
    return (
        gpd.GeoDataFrame(ids | columns, geometry=mapped, crs=3006),
        gpd.GeoDataFrame(seen, geometry=surface, crs=3006),
    )


def measure(blocks: int, folder: Path) -> None:
    """Compare a town and print a row."""
    mapped, seen = town(blocks)
    side = round(blocks * BLOCK_M + 2 * MARGIN_M)
    path, transform = folder / f"streets_{blocks}.tif", Affine(1, 0, WEST, 0, -1, NORTH)
    surface = rasterize(
        seen.geometry, (side, side), fill=3, default_value=235, transform=transform, dtype="uint8"
    )
    profile = {"driver": "GTiff", "count": 1, "height": side, "width": side, "dtype": "uint8", "tiled": True}
    with rasterio.open(path, "w", crs=3006, transform=transform, nodata=255, **profile) as target:
        target.write(surface, 1)
    footprint = shapely.MultiPolygon([shapely.box(WEST, NORTH - side, WEST + side, NORTH)])
    wall, cpu = time.perf_counter(), time.process_time()
    comparison = compare_lines(seen, mapped, footprint, path, band=1, gsd_m=1.0, settings=CompareSettings())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    signals = comparison.discrepancies["class"].value_counts().to_dict()
    print(f"| {len(mapped):,} | {wall:.1f} s | {cpu:.1f} s | {memory_gb:.1f} GB | {signals} |", flush=True)


def main() -> None:
    """Read the arguments; each town is compared in a process of its own, so that its memory is told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("blocks", type=int, nargs="*", default=[32, 71, 100])
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.folder:
        measure(given.blocks[0], given.folder)
        return
    print("| lines | wall | CPU | peak memory | signals |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for blocks in given.blocks:
            subprocess.run([sys.executable, __file__, str(blocks), "--folder", folder], check=True)


if __name__ == "__main__":
    main()
