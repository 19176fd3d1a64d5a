"""Trains a segmentation network on labelled imagery, in two rounds; `geoai.task` is the network's side of it.

The first round learns from the labels as they are (a package to start from stands for it). What it says of
them decides what the second learns from: see `geoai.mining`. A training writes into its run folder:

    last.ckpt, best.ckpt    after every epoch, and at the best validation; a training goes on from the last
    curves.csv, curves.png  the figures of every epoch
    mined.npz               labels and hard places of the second round
    contradictions.gpkg     objects and detections that the second round does not learn from
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from geoai.config import Fraction
from geoai.errors import ModelError
from geoai.files import appearing_whole
from geoai.mining import Contradiction, mine, write_contradictions
from geoai.model import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ModelPackage,
    find_package,
    has_bf16,
    load_encoder,
    load_segmenter,
    starting_weights,
)
from geoai.network import read_checkpoint, read_tensors
from geoai.samples import CropSettings, Source
from geoai.sources import Samples, SourceSettings, read_sources

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from geoai.model import Segmenter
    from geoai.task import SegmentationTask

logger = logging.getLogger(__name__)

LAST, BEST, MINED, CONTRADICTIONS = "last.ckpt", "best.ckpt", "mined.npz", "contradictions.gpkg"
KNOWN_BANDS = ("red", "green", "blue", "nir")
NEAR_INFRARED = (IMAGENET_MEAN[0], IMAGENET_STD[0])
"""Mean and standard deviation of near infrared: red's, whose sensors and exposure it shares."""


class TrainingSettings(SourceSettings):
    """What is trained, on what, and for how long."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field("buildings", description="Model id.")
    run: Path = Field(description="Folder for checkpoints and curves.")
    package: Path = Field(description="Folder the model package is written to.")
    architecture: str = Field("unet", description="Any of segmentation-models-pytorch.")
    encoder: str = Field("mobilenet_v2", description="Any of segmentation-models-pytorch.")
    classes: Annotated[tuple[str, ...], Field(min_length=1, max_length=253)] = Field(
        ("building",), description="Classes, the background left out."
    )
    near_infrared: bool = Field(
        False, description="A fourth band; it is optional to the model that learns with it."
    )
    band_dropout: Fraction = Field(
        0.3, description="Part of the crops with near infrared that are learnt without it."
    )
    start: str | None = Field(
        None, description="Model package (name or folder) to go on from; it stands for the first round."
    )
    encoder_weights: str | None = Field(
        None,
        description="What the encoder starts from: file of tensors, 'imagenet', or a name of torchgeo's; "
        "none: random.",
    )
    first_round: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        0.4,
        description="Part of the training before labels are mined; 1: learnt as they are.",
    )
    minutes: Annotated[float, Field(gt=0.0)] = Field(75, description="Time at most (min).")
    samples: Annotated[int, Field(ge=1)] = Field(24_000, description="Crops at most.")
    epoch_samples: Annotated[int, Field(ge=1)] = Field(1000, description="Crops between checkpoints.")
    batch: Annotated[int, Field(ge=1)] = Field(8, description="Crops in a step.")
    crop_px: Annotated[int, Field(ge=64, multiple_of=32)] = Field(256, description="Side of a crop (px).")
    gsd_range_m: tuple[float, float] = Field(
        (0.12, 0.35), description="Ground sampling distances learnt (m)."
    )
    learning_rate: Annotated[float, Field(gt=0.0)] = Field(0.001, description="Highest learning rate.")
    validate_every: Annotated[int, Field(ge=1)] = Field(3, description="Epochs between validations.")
    validation_images: Annotated[int, Field(ge=1)] = Field(40, description="Held-out images validated on.")
    patience: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Stop after so many validations without a better one; none: never."
    )
    loader_workers: Annotated[int, Field(ge=0)] = Field(0, description="Processes that cut crops.")
    threads: Annotated[int, Field(ge=1)] = Field(1, description="Threads the network may use.")
    seed: int = Field(1, description="Seed of all randomness.")
    encoder_origin: str = Field("", description="Origin and licence of the encoder's weights, for the card.")
    licence: str = Field("MIT", description="Licence of the package (SPDX).")
    known_failures: tuple[str, ...] = Field((), description="What users should know, for the card.")

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Self:
        if not (self.folders or self.maps or self.scenes):
            raise ValueError("folders, maps, scenes: expected something to learn from, found none")
        if self.start and self.encoder_weights:
            raise ValueError("start, encoder_weights: expected one of them, found both")
        return self

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the model's bands."""
        return KNOWN_BANDS if self.near_infrared else KNOWN_BANDS[:3]

    @property
    def mean(self) -> tuple[float, ...]:
        """What is taken from each band's values 0 … 1."""
        return (*IMAGENET_MEAN, NEAR_INFRARED[0])[: len(self.bands)]

    @property
    def std(self) -> tuple[float, ...]:
        """What divides each band's values 0 … 1."""
        return (*IMAGENET_STD, NEAR_INFRARED[1])[: len(self.bands)]

    @property
    def identity(self) -> str:
        """What a checkpoint must be of, to be gone on with."""
        return f"{self.architecture} {self.encoder}, bands {', '.join(self.bands)}, {', '.join(self.classes)}"


def fit(settings: TrainingSettings) -> None:
    """Train, or go on training from the run's last checkpoint, until time or samples are used up.

    Raises ModelError where the run's checkpoint, or the package to start from, is of another network.
    """
    import torch
    from lightning.pytorch import seed_everything

    torch.set_num_threads(settings.threads)
    settings.run.mkdir(parents=True, exist_ok=True)
    _check_checkpoint(settings)
    seed_everything(settings.seed, verbose=False)
    samples = read_sources(settings, settings.classes)
    first = settings.first_round if settings.start is None or settings.first_round == 1 else 0.0
    if _progress(settings) < first:
        _train_until(settings, samples, first)
    if first < 1:
        better = _second_round(settings, samples.train)
        _train_until(settings, replace(samples, train=better), 1.0)


def new_task(settings: TrainingSettings) -> SegmentationTask:
    """Return the task with random weights."""
    from geoai.task import SegmentationTask

    task = SegmentationTask(
        model=settings.architecture,  # type: ignore[arg-type]  # more than torchgeo knows
        backbone=settings.encoder,
        in_channels=len(settings.bands),
        task="multiclass",
        num_classes=len(settings.classes) + 1,
        lr=settings.learning_rate,
    )
    task.normalise(settings.mean, settings.std)
    task.total_steps = max(1, settings.samples // settings.batch)
    task.budget_s = settings.minutes * 60
    task.identity = settings.identity
    return task


def _check_checkpoint(settings: TrainingSettings) -> None:
    last = settings.run / LAST
    if last.exists() and (found := read_checkpoint(last)["identity"]) != settings.identity:
        raise ModelError(f"{last}: expected a checkpoint of {settings.identity}, found {found}")


def _progress(settings: TrainingSettings) -> float:
    """Return how much of the training the run's last checkpoint has behind it, 0 … 1."""
    last = settings.run / LAST
    if not last.exists():
        return 0.0
    checkpoint = read_checkpoint(last)
    steps, seconds = checkpoint["global_step"], checkpoint["used_s"]
    return float(max(steps * settings.batch / settings.samples, seconds / (settings.minutes * 60)))


def _train_until(settings: TrainingSettings, samples: Samples, until: float) -> None:
    from geoai.task import CropData

    task = new_task(settings)
    task.until = until
    last = settings.run / LAST
    if not last.exists():
        _initialise(task, settings)
    data = CropData(
        samples.train,
        _thinned(samples.held_out, settings.validation_images),
        epoch_samples=settings.epoch_samples,
        batch=settings.batch,
        seed=settings.seed,
        crops=CropSettings(
            settings.crop_px, settings.gsd_range_m, len(settings.bands), settings.band_dropout
        ),
        class_count=len(settings.classes),
        loader_workers=settings.loader_workers,
    )
    trainer = _trainer(settings, task.total_steps, validates=bool(samples.held_out))
    trainer.fit(task, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)


def _initialise(task: SegmentationTask, settings: TrainingSettings) -> None:
    """Give the network what it starts from."""
    if settings.start:
        package = find_package(settings.start)
        _check_start(package, settings)
        task.model.load_state_dict(read_tensors(package.weights))
    elif settings.encoder_weights:
        weights = starting_weights(settings.encoder_weights, settings.encoder)
        load_encoder(task.model, weights, source=settings.encoder_weights)


def _check_start(package: ModelPackage, settings: TrainingSettings) -> None:
    found = f"{package.architecture} {package.encoder}, bands {', '.join(package.bands)}"
    found = f"{found}, {', '.join(package.classes)}"
    if found != settings.identity:
        raise ModelError(f"start: model {package.id}: expected {settings.identity}, found {found}")


def _thinned(sources: tuple[Source, ...], count: int) -> tuple[Source, ...]:
    """Return *sources* with some *count* of their images, evenly chosen."""
    total = sum(len(source.images) for source in sources)
    step = max(1, total // count)
    thinned = (replace(source, images=source.images[::step]) for source in sources)
    return tuple(source for source in thinned if source.images)


def _trainer(settings: TrainingSettings, total_steps: int, *, validates: bool) -> Trainer:
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar

    from geoai.curves import Curves
    from geoai.task import averaging

    kept: dict[str, Any] = {"dirpath": settings.run, "enable_version_counter": False}
    callbacks: list[Callback] = [
        averaging(),
        Curves(settings.run),
        ModelCheckpoint(filename=Path(LAST).stem, save_on_train_epoch_end=True, **kept),
    ]
    if validates:
        callbacks.append(ModelCheckpoint(filename=Path(BEST).stem, monitor="val_iou", mode="max", **kept))
        if settings.patience:
            callbacks.append(EarlyStopping("val_iou", mode="max", patience=settings.patience))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it advertises
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        callbacks.append(RichProgressBar())
    return pl.Trainer(
        accelerator="auto",
        devices=1,
        precision=_precision(),
        max_steps=total_steps,
        check_val_every_n_epoch=settings.validate_every,
        limit_val_batches=None if validates else 0,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        callbacks=callbacks,
        enable_progress_bar=on_terminal,
        enable_model_summary=False,
    )


def _precision() -> Any:
    """Return Lightning's word for the fastest arithmetic here; emulated bf16 is tenfold slower."""
    import torch

    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    return "bf16-mixed" if has_bf16() else "32-true"


def _second_round(settings: TrainingSettings, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return *sources* with the labels and hard places of the second round, mined once in a run."""
    path = settings.run / MINED
    if not path.exists():
        _mine(settings, sources, path)
    with np.load(path) as stored:
        return tuple(
            replace(
                source,
                images=tuple(
                    replace(
                        image,
                        label=stored.get(_key(source, image.name, "label"), image.label),
                        hard=stored.get(_key(source, image.name, "hard"), image.hard),
                    )
                    for image in source.images
                ),
            )
            for source in sources
        )


def _mine(settings: TrainingSettings, sources: tuple[Source, ...], path: Path) -> None:
    segmenter = _first_round_segmenter(settings)
    arrays: dict[str, Any] = {}
    listed: dict[str, tuple[Any, list[Contradiction]]] = {}
    for source in sources:
        shifts: list[tuple[float, float]] = []
        found: list[Contradiction] = []
        for mined in mine(source, segmenter, mean=settings.mean):
            image = mined.image
            arrays[_key(source, image.name, "hard")] = image.hard
            if image.mapped is not None:
                arrays[_key(source, image.name, "label")] = image.label
                shifts.append(mined.shift_m)
                found += mined.contradictions
                listed[source.name] = (image.mapped.grid.crs, found)
        hard = sum(len(arrays[_key(source, image.name, "hard")]) for image in source.images)
        logger.info("%s: %d hard places", source.name, hard)
        if shifts:
            x, y = np.median(shifts, axis=0)
            kinds = [c.kind for c in found]
            logger.info(
                "%s: map moved by %.1f m east, %.1f m north (median of %d blocks); %d objects not seen, "
                "%d detections not mapped are not learnt from",
                *(source.name, x, y, len(shifts), kinds.count("not_seen"), kinds.count("not_mapped")),
            )
    if listed:
        write_contradictions(settings.run / CONTRADICTIONS, listed)
    with appearing_whole(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _key(source: Source, image: str, what: str) -> str:
    return f"{source.name}|{image}|{what}"


def _first_round_segmenter(settings: TrainingSettings) -> Segmenter:
    """Return what mines the labels: the package that was started from, or the first round's network."""
    if settings.start:
        return load_segmenter(find_package(settings.start), precision="auto", bands=settings.bands)
    task = new_task(settings)
    task.load_state_dict(read_checkpoint(settings.run / LAST)["state_dict"])
    task.eval()
    return as_segmenter(task)


def as_segmenter(task: SegmentationTask) -> Segmenter:
    """Return *task* as what reads chips of all its bands; its probabilities are not calibrated."""
    import torch

    def segment(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            probability: NDArray[np.float32] = (
                task(torch.from_numpy(chip).unsqueeze(0)).softmax(dim=1)[0, 1:].numpy()
            )
        return probability

    return segment
