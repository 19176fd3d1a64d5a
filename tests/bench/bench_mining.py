"""What cleaning a noisy map gains: two trainings that differ in nothing else, scored side by side.

    python tests/bench/bench_mining.py [CROPS] [SCRATCH]

Both start from the shipped package and learn from Tartu west under its register alone: once from the labels
as they are, once from mined ones (moved block by block, what is firmly contradicted left out; no crops near
hard places, so that nothing else differs). Scored on Tartu east, which neither saw, with the hand-checked
verdicts, and on the held-out Inria tiles, whose outlines are exact. GEOAI_TEST_DATA names the data.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from geoai import training
from geoai.cases import remarks, tables
from geoai.config import load, load_settings
from geoai.evaluation import evaluate_flight, evaluate_images, read_verdicts
from geoai.packing import pack
from geoai.samples import Source
from geoai.training import TrainingSettings, fit

EAST = (658750.0, 6474500.0, 660000.0, 6475000.0)
VERDICTS = Path(__file__).parents[1] / "data" / "tartu_verdicts.csv"


def train(name: str, crops: int, scratch: Path, *, first_round: float) -> Path:
    """Train one arm and return the folder of its package."""
    settings = load(Path("configs/train.yaml"), TrainingSettings).model_copy(
        update={
            "id": name,
            "folders": (),
            "scenes": (),
            "run": scratch / f"run-{name}",
            "package": scratch / name,
            "samples": crops,
            "minutes": 600,
            "epoch_samples": max(200, crops // 4),
            "learning_rate": 0.0005,
            "first_round": first_round,
            "threads": 1,
            "loader_workers": 0,
        }
    )
    fit(settings)
    return pack(settings).folder


def without_hard_places(settings: TrainingSettings, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return what the second round would learn from, but no hard places."""
    mined = SECOND_ROUND(settings, sources)
    return tuple(
        replace(source, images=tuple(replace(image, hard=image.hard[:0]) for image in source.images))
        for source in mined
    )


SECOND_ROUND = training._second_round


def main() -> None:
    """Train both arms and print what they score."""
    crops = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    scratch = Path(sys.argv[2] if len(sys.argv) > 2 else "data/bench/mining")
    shutil.rmtree(scratch, ignore_errors=True)
    training._second_round = without_hard_places
    models = [
        str(train("labels-as-they-are", crops, scratch, first_round=1.0)),
        str(train("labels-mined", crops, scratch, first_round=0.4)),
    ]
    settings = load_settings(Path("configs/tartu.yaml"), {"data": scratch / "data"})
    inria = Path(os.environ["GEOAI_TEST_DATA"]) / "inria"
    console = Console(width=150)
    for found in (
        evaluate_flight(settings, models, bounds=EAST, verdicts=read_verdicts(VERDICTS)),
        evaluate_images(models, inria, gsd_m=0.3, every=5),
    ):
        for made in tables(found.result):
            table = Table(*made.columns, title=made.title, title_justify="left")
            for row in made.rows:
                table.add_row(*row)
            console.print(table)
        for line in remarks(found.result):
            console.print(line, markup=False)


if __name__ == "__main__":
    main()
