"""The straight line as a Prefect flow: order, retries and parallelism over `geoai.pipeline`.

    python flows/process_flight.py --config configs/demo.yaml

Without a server in PREFECT_API_URL, Prefect starts an embedded one. What is done is read from the STAC
catalogue, so a run that was killed goes on where it stopped; Prefect's own database is no record of work.
A task is a batch of tiles, tens of seconds of work.
"""

from __future__ import annotations

import os

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "geoai")

# Prefect reads the settings above when it is imported, and resolves the types of parameters at run time
import argparse
import logging
import sys
from pathlib import Path
from typing import Any, TypeVar

from prefect import flow, get_run_logger, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from geoai import assessment, pipeline, tiling
from geoai.config import Settings, load_settings
from geoai.errors import GeoaiError
from geoai.model import check_fits
from geoai.pipeline import Acceptance, StageReport, TileOutcome, TileReader

T = TypeVar("T")

BATCH = 8
"""Most tiles a task: tens of seconds of work on one core; the task itself costs some milliseconds."""
logging.getLogger("geoai").setLevel(logging.INFO)  # library lines on the run page

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=pipeline.usable_cores())
# Results are files, recorded in the catalogue: Prefect caches nothing. Retries are for the outside world,
# such as a share that is gone for a minute.
accept = task(name="accept flight", cache_policy=NO_CACHE)(pipeline.accept)
make_review = task(name="compare and publish", cache_policy=NO_CACHE)(assessment.make_review)
merge_review = task(name="merge into the standing review", cache_policy=NO_CACHE)(assessment.merge_review)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[10, 60])
def cut_tiles(settings: Settings, acceptance: Acceptance, jobs: list[tiling.TileJob]) -> list[TileOutcome]:
    """Cut a batch of tiles."""
    return [pipeline.cut_tile(settings, acceptance, job) for job in jobs]


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=[10, 60])
def predict_tiles(reader: TileReader, tile_ids: list[str]) -> list[TileOutcome]:
    """Predict a batch of tiles."""
    return [reader.predict(tile_id) for tile_id in tile_ids]


@flow(name="process-flight", task_runner=THREADS)
def process_flight(
    config: Path, flight: Path | None = None, map_source: str | None = None, data: Path | None = None
) -> Path:
    """Take a flight to a GeoPackage to review; start it again to go on where it stopped.

    config: YAML file of settings. flight, map_source, data: in place of flight.folder, map.source and data.
    Returns the path of the flight's standing review; raises GeoaiError where sheets or tiles failed or the
    review could not be merged into it (the rest is done).
    """
    options = {"flight.folder": flight, "map.source": map_source, "data": data}
    settings = load_settings(config, {key: value for key, value in options.items() if value is not None})
    log = get_run_logger()
    model = assessment.open_inputs(settings)
    stages: list[StageReport] = []
    with pipeline.timed("accept", stages) as stage:
        acceptance = accept(settings)
        stage.counts["sheets"] = len(acceptance.flight.orthophotos)
    check_fits(model, tiling.BAND_NAMES[: acceptance.flight.band_count], acceptance.scheme.gsd_m)
    with pipeline.timed("tile", stages) as stage:
        jobs = tiling.plan_tiles(acceptance.flight, acceptance.scheme)
        batches = cut_tiles.map(unmapped(settings), unmapped(acceptance), _batches(jobs))
        cut = [outcome for outcomes in batches.result() for outcome in outcomes]
        pipeline.finish_tiles(settings, acceptance, cut)
        stage.count(cut)
    with pipeline.timed("predict", stages) as stage:
        reader = TileReader(settings, acceptance, model)
        batches = predict_tiles.map(unmapped(reader), _batches(reader.tile_ids))
        seen = [outcome for outcomes in batches.result() for outcome in outcomes]
        pipeline.finish_predictions(settings, acceptance, model, seen)
        stage.count(seen)
    with pipeline.timed("compare", stages) as stage:
        failed = pipeline.failed_tiles([*cut, *seen])
        review, signals = make_review(settings, acceptance.flight, acceptance.scheme, model, failed)
        stage.counts |= signals
    with pipeline.timed("merge", stages):
        current, unmerged = merge_review(settings, review)
    result = pipeline.finish_run(acceptance, review, current, signals, stages, [*cut, *seen], unmerged)
    log.info("%s: %s", result.current, dict(result.signals))
    errors = [finding for finding in result.findings if finding.severity == "error"]
    if errors:
        raise GeoaiError("; ".join(map(str, errors)))
    return result.current


def _batches(items: list[T]) -> list[list[T]]:
    """Cut into batches of at most BATCH, smaller where that keeps every core at work."""
    size = max(1, min(BATCH, -(-len(items) // (2 * pipeline.usable_cores()))))
    return [items[start : start + size] for start in range(0, len(items), size)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=process_flight.__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--flight", type=Path)
    parser.add_argument("--map", dest="map_source")
    parser.add_argument("--data", type=Path)
    try:
        process_flight(**vars(parser.parse_args()))
    except GeoaiError as error:
        sys.exit(f"geoai: {error}")
