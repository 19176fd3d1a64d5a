"""What a part of the training gains: two trainings that differ in nothing else, scored side by side.

    python tests/bench/bench_training.py mining|scenes [CROPS] [SCRATCH]

mining: Tartu west under its register alone, from the labels as they are and from mined ones (moved block by
block, what is firmly contradicted left out; no crops near hard places, so that nothing else differs).
scenes: the sources of configs/train.yaml without its made scenes and with them.

All start from the shipped package and are scored on Tartu east, which none saw, with the hand-checked
verdicts, and on the held-out Inria tiles, whose outlines are exact. A bench that was stopped goes on where
it was. GEOAI_TEST_DATA names the data.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from geoai import training
from geoai.cases import remarks, tables
from geoai.config import load_settings
from geoai.evaluation import evaluate_flight, evaluate_images, read_verdicts
from geoai.packing import pack
from geoai.samples import Source
from geoai.settingsfile import load
from geoai.training import TrainingSettings, fit

EAST = (658750.0, 6474500.0, 660000.0, 6475000.0)
VERDICTS = Path(__file__).parents[1] / "data" / "tartu_verdicts.csv"

SecondRound = Callable[[TrainingSettings, tuple[Source, ...]], tuple[Source, ...]]


def without_hard_places(settings: TrainingSettings, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return what the second round would learn from, but no hard places."""
    mined = SECOND_ROUND(settings, sources)
    return tuple(
        replace(source, images=tuple(replace(image, hard=image.hard[:0]) for image in source.images))
        for source in mined
    )


SECOND_ROUND: SecondRound = training._second_round


@dataclass(frozen=True)
class Arm:
    """A training: what it changes in configs/train.yaml."""

    name: str
    changes: dict[str, Any]
    second_round: SecondRound = SECOND_ROUND


REGISTER_ALONE = {"folders": (), "scenes": ()}
COMPARISONS = {
    "mining": (
        Arm("labels-as-they-are", REGISTER_ALONE | {"first_round": 1.0}),
        Arm("labels-mined", REGISTER_ALONE, without_hard_places),
    ),
    "scenes": (Arm("without-scenes", {"scenes": ()}), Arm("with-scenes", {})),
}


def train(arm: Arm, crops: int, scratch: Path) -> str:
    """Train one arm and return the folder of its package."""
    settings = load(Path("configs/train.yaml"), TrainingSettings).model_copy(
        update={
            "id": arm.name,
            "run": scratch / f"run-{arm.name}",
            "package": scratch / arm.name,
            "samples": crops,
            "minutes": 600,
            "epoch_samples": max(200, crops // 4),
            "learning_rate": 0.0005,
            "threads": 1,
            "loader_workers": 0,
            **arm.changes,
        }
    )
    training._second_round = arm.second_round
    fit(settings)
    return str(pack(settings).folder)


def main() -> None:
    """Train both arms and print what they score."""
    logging.basicConfig(level=logging.INFO)
    what = sys.argv[1]
    crops = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    scratch = Path(sys.argv[3] if len(sys.argv) > 3 else f"data/bench/{what}")
    models = [train(arm, crops, scratch) for arm in COMPARISONS[what]]
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
