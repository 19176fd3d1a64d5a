"""What a comparison costs: uv run python tests/bench/bench_compare.py [SIZE …] [--folder FOLDER]

Makes a town of SIZE mapped objects and about as many detections (free-standing houses and terraces, surveyed
with noise, lying 1.2 m off as a whole; 3 % missing, 3 % demolished, 4 % extended, 2 % reduced, 1 % moved)
with a probability raster of 0.25 m, and compares it end to end in a process of its own: classes, evidence,
and the ledger, in which an earlier flight saw all of it. Prints a table: seconds of wall and of CPU, those of
the ledger in them, peak memory, discrepancies, and how the CPU time grows with the size (1.0 is linear). The
raster is kept in FOLDER.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
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
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window

from geoai.compare import Comparison, compare
from geoai.config import CompareSettings
from geoai.ledger import Ledger
from geoai.publish import RunInfo
from geoai.vector import shifted

GSD_M, PLOT_M, STRIP_PX = 0.25, 32.0, 2048
WEST, NORTH = 450_000.0, 6_400_000.0
OFFSET_M = (0.7, 1.0)


def town(size: int, seed: int = 1) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, float]:
    """Return the map, the detections and the side of the town (m)."""
    rng = np.random.default_rng(seed)
    columns = math.ceil(math.sqrt(size))
    plot = np.arange(size)
    west = WEST + PLOT_M * (plot % columns) + 6
    south = NORTH - PLOT_M * (plot // columns + 1) + 6
    width, depth = rng.uniform(9, 18, size), rng.uniform(8, 14, size)
    terrace = (plot // columns) % 10 == 0  # every tenth street: plots joined wall to wall
    west[terrace] -= 6
    width[terrace], depth[terrace] = PLOT_M, 12.0
    house = shapely.box(west, south, west + width, south + depth)
    wing = shapely.box(west + 1, south + depth - 1, west + 6.5, south + depth + 6)
    kind = rng.choice(
        ["same", "missing", "demolished", "extended", "reduced", "moved"],
        size,
        p=[0.87, 0.03, 0.03, 0.04, 0.02, 0.01],
    )
    kind[terrace & np.isin(kind, ["missing", "demolished", "moved"])] = "same"
    both = shapely.union(house, wing)
    drawn = np.where(kind == "reduced", both, house)
    stands = np.where(kind == "extended", both, house)
    push = np.where((kind == "moved")[:, None], (5.0, 2.0), (0.0, 0.0)) + OFFSET_M
    mapped = _noisy(drawn, 0.2, rng)[kind != "missing"]
    seen = shifted(_noisy(stands, 0.2, rng), push)[kind != "demolished"]
    maps = gpd.GeoDataFrame(
        {
            "map_object_id": [f"m{k:07d}" for k in range(len(mapped))],
            "theme": "building",
            "map_status": "current",
            "sigma_m": 0.2,
            "map_date": pd.Series(pd.NaT, index=range(len(mapped)), dtype="datetime64[ms]"),
        },
        geometry=mapped,
        crs=3006,
    )
    detections = gpd.GeoDataFrame(
        {
            "detection_id": [f"d{k:07d}" for k in range(len(seen))],
            "theme": "building",
            "area_m2": shapely.area(seen),
            "p_mean": 0.9,
            "near_edge": False,
        },
        geometry=seen,
        crs=3006,
    )
    return maps, detections, PLOT_M * columns


def _noisy(geometries: NDArray[np.object_], sigma_m: float, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return the geometries, each moved by its own error."""
    return shifted(geometries, rng.normal(0, sigma_m, (len(geometries), 2)))


def burn(path: Path, seen: gpd.GeoDataFrame, side_m: float) -> None:
    """Write the probabilities of the town: 0.9 where something is seen, else next to nothing."""
    pixels = math.ceil(side_m / GSD_M)
    outlines = seen.geometry.to_numpy()
    tree = shapely.STRtree(outlines)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint8",
        count=1,
        nodata=255,
        crs="EPSG:3006",
        width=pixels,
        height=pixels,
        transform=Affine(GSD_M, 0, WEST, 0, -GSD_M, NORTH),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        zlevel=1,
        bigtiff="yes",
    ) as target:
        for row in range(0, pixels, STRIP_PX):
            rows = min(STRIP_PX, pixels - row)
            north = NORTH - row * GSD_M
            inside = tree.query(shapely.box(WEST, north - rows * GSD_M, WEST + side_m, north))
            place = Affine(GSD_M, 0, WEST, 0, -GSD_M, north)
            strip = np.full((rows, pixels), 2, np.uint8)
            if len(inside):
                rasterize(((outlines[k], 225) for k in inside), out=strip, transform=place)
            target.write(strip, 1, window=Window(0, row, pixels, rows))


def measure(size: int, folder: Path) -> dict[str, float]:
    """Compare a town of *size* and return what it took."""
    mapped, seen, side_m = town(size)
    probability = folder / f"probability_{size}.tif"
    if not probability.exists():
        burn(probability, seen, side_m)
    footprint = shapely.MultiPolygon([shapely.box(WEST, NORTH - side_m, WEST + side_m, NORTH)])
    ledger = Ledger(folder / f"ledger_{size}.gpkg", "EPSG:3006")
    ledger.path.unlink(missing_ok=True)

    def flown(year: int) -> tuple[Comparison, float, float, float]:
        """Compare and remember; return the seconds of wall and CPU, and of the ledger's CPU."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = compare(
            seen, mapped, footprint, probability, band=1, gsd_m=GSD_M, settings=CompareSettings()
        )
        compared = time.process_time()
        moment = dt.datetime(year, 5, 1, tzinfo=dt.UTC)
        names = f"run-{year}", f"flight-{year}", moment.date(), moment
        ledger.record(
            RunInfo(*names, *[""] * 5, map_snapshot=None, gsd_m=GSD_M, crs="EPSG:3006"),
            moment=moment,
            themes=["building"],
            discrepancies=result.discrepancies,
            map_status=result.map_status,
            mapped=mapped,
            footprint=footprint,
            language="en",
        )
        end = time.process_time()
        return result, time.perf_counter() - wall, end - cpu, end - compared

    flown(2025)
    result, wall, cpu, of_ledger = flown(2026)
    return {
        "objects": len(mapped),
        "detections": len(seen),
        "wall s": round(wall, 1),
        "CPU s": round(cpu, 1),
        "ledger s": round(of_ledger, 1),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **result.discrepancies["class"].value_counts().sort_index().to_dict(),
    }


def main() -> None:
    """Measure each size in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 30_000, 100_000])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bench_compare")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.one:
        print(json.dumps(measure(given.sizes[0], given.folder)))
        return
    rows = []
    for size in given.sizes:
        command = [sys.executable, __file__, str(size), "--one", "--folder", str(given.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    table = pd.DataFrame(rows).fillna(0)
    growth = np.diff(np.log(table["CPU s"])) / np.diff(np.log(table["objects"]))
    table["growth"] = [math.nan, *growth.round(2)]
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
