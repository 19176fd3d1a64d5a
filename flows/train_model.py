"""Training as a Prefect flow: what `geoai train` does, with its curves on the run page.

    python flows/train_model.py --config configs/train.yaml

A training keeps a checkpoint of every epoch; start it again to go on where it stopped.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import run_page
from geoai import packing, training
from geoai.errors import GeoaiError
from geoai.settingsfile import load

logging.getLogger("geoai").setLevel(logging.INFO)  # a line per epoch on the run page

fit = task(name="fit", task_run_name="fit", cache_policy=NO_CACHE)(training.fit)
pack = task(name="pack", task_run_name="pack", cache_policy=NO_CACHE)(packing.pack)


@flow(name="train-model", on_failure=[run_page.say_what_to_do], on_crashed=[run_page.say_what_to_do])
def train_model(config: Path = Path("configs/train.yaml")) -> Path:
    """Train a model on labelled imagery and pack it; start it again to go on where it stopped.

    Returns the folder of the model package.

    Args:
        config: YAML file of a training: what is learnt from, and for how long (`geoai.training`).
    """
    settings = load(config, training.TrainingSettings)
    run_page.name_run(settings.id)
    fit(settings)
    package = pack(settings)
    run_page.show_training(settings, package)
    return package.folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a model on labelled imagery and pack it.")
    parser.add_argument("--config", type=Path, default=Path("configs/train.yaml"))
    try:
        train_model(**vars(parser.parse_args()))
    except (GeoaiError, OSError) as error:
        sys.exit(f"geoai: {error}")
