"""The straight line as a Prefect flow: order, retries and parallelism over `geoai.pipeline`.

    python flows/process_flight.py --config configs/demo.yaml

Without a server in PREFECT_API_URL, Prefect starts an embedded one; its settings are read from pyproject.toml
where the command is given, which is the project's root. What is done is read from the STAC
catalogue, so a run that was killed goes on where it stopped; Prefect's own database is no record of work.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas import State
from prefect.states import Failed

from flows import run_page
from flows.tasks import accept, make_review, merge_review, open_engine
from geoai import assessment, pipeline, tiling
from geoai.config import Settings, load_settings
from geoai.errors import FindingsError, GeoaiError
from geoai.locks import hold_flight
from geoai.model import ModelPackage, check_fits
from geoai.pipeline import RunResult, StageReport
from geoai.tilejobs import Cutter, Predictor, Tracer, pending

logging.getLogger("geoai").setLevel(logging.INFO)  # library lines on the run page

FINDINGS = "Findings"
"""Name of the state of a run that did all that can be done with what was delivered."""


@flow(name="process-flight", on_failure=[run_page.say_what_to_do], on_crashed=[run_page.say_what_to_do])
def process_flight(
    config: Path,
    flight: Path | str | None = None,
    flight_id: str | None = None,
    date: dt.date | None = None,
    map_source: str | None = None,
    data: Path | None = None,
) -> Path | State[Any]:
    """Take a flight to a GeoPackage to review; start it again to go on where it stopped.

    Returns the path of the flight's standing review. Where sheets cannot be used, the rest is done and the
    run ends in the failed state "Findings", which raises FindingsError; raises GeoaiError where tiles failed
    or the review could not be merged (the rest is done): another run may do what is left.

    Args:
        config: YAML file of settings; what is given below stands in for its keys.
        flight: Folder of orthophotos, in place of flight.folder.
        flight_id: Id of the flight in the catalogue, in place of flight.id.
        date: Day of photography, in place of flight.date.
        map_source: OGR source of the digital map, in place of map.source.
        data: Folder for results, in place of data.
    """
    options = {
        "flight.folder": flight,
        "flight.id": flight_id,
        "flight.date": date,
        "map.source": map_source,
        "data": data,
    }
    settings = load_settings(config, {key: value for key, value in options.items() if value is not None})
    run_page.name_run(settings.flight.name, settings.flight.date)
    held = hold_flight(settings.data, settings.flight.name, settings.catalog)
    with held, pipeline.recorded(settings) as stages:
        result = _process(settings, assessment.open_inputs(settings), stages)
    get_run_logger().info("%s: %s", result.current, dict(result.signals))
    run_page.show_result(result)
    try:
        result.raise_for_errors()
    except FindingsError as error:
        return Failed(name=FINDINGS, message=str(error), data=error)
    return result.current


def _process(settings: Settings, model: ModelPackage, stages: list[StageReport]) -> RunResult:
    progress = run_page.ProgressBars(settings.flight.name)
    with pipeline.timed("accept", stages) as stage:
        acceptance = accept(settings, progress)
        stage.counts["sheets"] = len(acceptance.flight.orthophotos)
    flown, scheme = acceptance.flight, acceptance.scheme
    check_fits(model, tiling.BAND_NAMES[: flown.band_count], scheme.gsd_m)
    with open_engine(settings.engine) as engine:
        with pipeline.timed("tile", stages) as stage:
            cutter = Cutter.of(settings, flown, scheme)
            jobs, cut = pending(cutter, pipeline.plan_cuts(cutter, acceptance))
            cut += engine.work_on("cut tiles", cutter, jobs, partial(progress, "tile"))
            pipeline.finish_tiles(cutter, acceptance, cut)
            stage.count(cut)
        with pipeline.timed("predict", stages) as stage:
            stored = cutter.store.add_model(model)  # workers find what the catalogue holds
            predictor = Predictor.of(settings, flown, scheme, stored)
            to_predict, seen = pending(predictor, predictor.jobs())
            told = partial(progress, "predict")
            seen += engine.work_on("predict tiles", predictor, to_predict, told, on_gpu=True)
            pipeline.finish_predictions(predictor, seen)
            stage.count(seen)
        with pipeline.timed("trace", stages) as stage:
            tracer = Tracer.of(settings, flown, scheme, model)
            to_trace, traced = pending(tracer, tracer.jobs())
            traced += engine.work_on("trace tiles", tracer, to_trace, partial(progress, "trace"))
            stage.count(traced)
    with pipeline.timed("compare", stages) as stage:
        failed = pipeline.failed_tiles([*cut, *seen])
        review, signals = make_review(settings, flown, scheme, model, failed, partial(progress, "compare"))
        stage.counts |= signals
    with pipeline.timed("merge", stages):
        current, unmerged = merge_review(settings, review)
    return pipeline.finish_run(acceptance, review, current, signals, stages, [*cut, *seen], unmerged)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take a flight to a GeoPackage to review.")
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--flight")
    parser.add_argument("--map", dest="map_source")
    parser.add_argument("--data", type=Path)
    try:
        process_flight(**vars(parser.parse_args()))
    except (GeoaiError, OSError) as error:
        sys.exit(f"geoai: {error}")
