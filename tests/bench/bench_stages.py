"""What a core does of each stage that is done tile by tile: python tests/bench/bench_stages.py CONFIG

Takes the configured flight through acceptance, cutting, prediction by a network that costs nothing (what is
left is reading and writing), and tracing of what an uneven pattern leaves, one tile after the other, and
prints megapixels by second of CPU time. With --network the configured model predicts, too, on one thread.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geoai import assessment, pipeline, tilejobs
from geoai.config import load_settings
from geoai.segmenter import shared_segmenter
from geoai.tilejobs import Cutter, Predictor, Tracer


def spots(chip: Any) -> Any:
    """Answer with some 10 buildings of 12 m a hectare."""
    rows, cols = (np.arange(side) % 160 < 60 for side in chip.shape[1:])
    return np.where(rows[:, None] & cols, np.float32(0.9), np.float32(0.05))[None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--network", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(given.config, {"data": folder})
        model = assessment.open_model(settings)
        start = time.process_time()
        acceptance = pipeline.accept(settings)
        seconds, flown, scheme = time.process_time() - start, acceptance.flight, acceptance.scheme
        mpx = sum(o.grid.width * o.grid.height for o in flown.orthophotos) / 1e6

        def say(stage: str, seconds: float) -> None:
            print(f"{stage:26} {seconds:7.1f} s  {mpx / seconds:6.2f} Mpx/s", flush=True)

        def each(worker: Callable[[Any], Any], jobs: Any) -> float:
            start = time.process_time()
            for job in jobs:
                worker(job)
            return time.process_time() - start

        say("accept", seconds)
        cutter = Cutter.of(settings, flown, scheme)
        say("tile", each(cutter, pipeline.plan_cuts(cutter, acceptance)))
        predictor = Predictor.of(settings, flown, scheme, model)
        if given.network:
            shared_segmenter(model, settings.prediction.precision, predictor.bands)
            say("predict", each(predictor, predictor.jobs()))
            pipeline.open_catalog(settings).remove_items(predictor.collection, keep=set())
        tilejobs.shared_segmenter = lambda *_: spots  # type: ignore[assignment]
        say("predict without a network", each(predictor, predictor.jobs()))
        tracer = Tracer.of(settings, flown, scheme, model)
        say("trace", each(tracer, tracer.jobs()))


if __name__ == "__main__":
    main()
