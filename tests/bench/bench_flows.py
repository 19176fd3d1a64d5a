"""What orchestration costs, and how long an unchanged flight takes to be recognised.

    python tests/bench/bench_flows.py overhead 500 --seconds 2    # tiles of 2 s each, in batches of 8
    python tests/bench/bench_flows.py unchanged 1500              # sheets of a tile each, run twice

*overhead* runs the same jobs (they sleep) by the library's threads and as tasks of a flow on the embedded
server, 16 at a time. *unchanged* makes a flight of tiny sheets, takes it through the line with a stand-in for
the network, then again by the library and by the flow.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ |= {"PREFECT_LOGGING_LEVEL": "WARNING", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180"}

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from prefect import flow

from flows.process_flight import process_flight
from flows.tasks import open_engine
from geoai import pipeline, tilejobs
from geoai.config import EngineSettings, load_settings
from geoai.engine import work_on
from geoai.tilejobs import TileOutcome

WORKERS, BATCH = 16, 8
SIDE_M, GSD_M = 50, 0.25


@dataclass(frozen=True)
class Named:
    tile_id: str


@dataclass(frozen=True)
class Sleeper:
    seconds: float

    def is_done(self, job: Named) -> bool:
        return False

    def __call__(self, job: Named) -> TileOutcome:
        time.sleep(self.seconds)
        return TileOutcome(job.tile_id, "done")


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def overhead(count: int, seconds: float) -> None:
    jobs, worker = [Named(str(number)) for number in range(count)], Sleeper(seconds)
    settings = EngineSettings(workers=WORKERS, batch=BATCH)

    @flow
    def nothing() -> None: ...

    @flow
    def as_tasks() -> None:
        with open_engine(settings) as engine:
            engine.work_on("cut tiles", worker, jobs)

    batches = -(-count // BATCH)
    least = -(-batches // WORKERS) * BATCH * seconds
    start_up = timed(nothing)  # the embedded server, once
    flown = timed(as_tasks)
    plain = timed(lambda: work_on(worker, jobs, settings, lambda done, of: None))
    print(f"{count} tiles of {seconds:g} s, {WORKERS} at a time")
    print(f"  no overhead, whole batches    {least:7.1f} s")
    print(f"  library, a tile a job         {plain:7.1f} s")
    print(f"  flow, {batches} tasks of {BATCH} tiles   {flown:7.1f} s   {flown / least - 1:+.1%}")
    print(f"  start of the embedded server  {start_up:7.1f} s")


def unchanged(count: int) -> None:
    def bright(chip: Any) -> Any:
        return np.where(chip[:1] > 150, np.float32(0.95), np.float32(0.01))

    tilejobs.shared_segmenter = lambda model, precision, bands: bright  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = timed(lambda: make_flight(folder, count))
        settings = load_settings(folder / "town.yaml")
        first = timed(lambda: pipeline.run(settings))
        again = timed(lambda: pipeline.run(settings))
        print(f"{count} sheets made in {made:.1f} s; first run {first:.1f} s")
        print(f"  unchanged, library  {again:6.2f} s", flush=True)
        process_flight(config=folder / "town.yaml")  # the embedded server starts
        print(f"  unchanged, flow     {timed(lambda: process_flight(config=folder / 'town.yaml')):6.2f} s")


def make_flight(folder: Path, count: int) -> None:
    (folder / "flight").mkdir()
    px, columns = round(SIDE_M / GSD_M), 50
    rng = np.random.default_rng(1)
    profile = {"driver": "GTiff", "width": px, "height": px, "count": 3, "dtype": "uint8", "crs": "EPSG:3006"}
    houses = []
    for number in range(count):
        left, top = 450_000 + number % columns * SIDE_M, 6_400_000 - number // columns * SIDE_M
        image = rng.integers(60, 120, (3, px, px), np.uint8)
        image[0, 80:120, 80:120] = 250
        transform = rasterio.transform.from_origin(left, top, GSD_M, GSD_M)
        with rasterio.open(
            folder / "flight" / f"sheet_{number:05d}.tif", "w", transform=transform, **profile
        ) as target:
            target.write(image)
        houses.append(shapely.box(left + 20, top - 30, left + 30, top - 20))
    gpd.GeoDataFrame({"id": range(count)}, geometry=houses, crs=3006).to_file(folder / "map.gpkg")
    (folder / "town.yaml").write_text(
        f"""
        data: {folder / "data"}
        flight: {{folder: {folder / "flight"}, id: F1, date: 2026-05-14}}
        tiling: {{tile_m: {SIDE_M}}}
        prediction: {{halo_px: 32}}
        map: {{source: {folder / "map.gpkg"}, id_column: id}}
        """
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["overhead", "unchanged"])
    parser.add_argument("count", type=int)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    if given.what == "overhead":
        overhead(given.count, given.seconds)
    else:
        unchanged(given.count)
    sys.exit(0)
