"""Trains a segmentation network on labelled imagery and packs it; `geoai.task` is the network's side of it.

A training writes into its run folder: `last.ckpt` after every epoch (a training that was stopped goes on
from there) and `log/` with the figures of every epoch. Packing takes the last checkpoint, fits the
temperature, measures what is stored, and writes the model package with its card. Evaluations (JSON) that lie
in the run's `evaluation/` go into the card.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geoai.config import Metres, Section
from geoai.errors import ModelError
from geoai.evaluation import PixelScores, score_images
from geoai.model import IMAGENET_MEAN, IMAGENET_STD, ModelPackage, load_segmenter, save_package
from geoai.raster import read_bounds
from geoai.samples import NODATA, LabelledImage, Source, label_from_map, labelled, read_pairs, split
from geoai.scene import make_scene

if TYPE_CHECKING:
    from geoai.task import SegmentationTask

logger = logging.getLogger(__name__)

ARCHITECTURE: Literal["unet"] = "unet"
ENCODER = "mobilenet_v2"
BANDS, CLASSES = ("red", "green", "blue"), ("building",)
CHECKPOINT = "last.ckpt"


class FolderSource(Section):
    """A folder of images/ and masks/ of the same names; any non-zero value in a mask is a building."""

    name: str = Field(description="What the card calls it.")
    folder: Path = Field(description="Folder with images/*.jpg|png and masks/*.png.")
    gsd_m: Annotated[float, Field(gt=0.0, le=2.0)] = Field(description="Ground sampling distance (m).")
    share: Annotated[float, Field(gt=0.0)] = Field(description="Part of the crops drawn from it.")
    held_out_every: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Files whose number is a multiple of this are validated on, never trained on."
    )
    origin: str = Field(description="Origin, licence and doubts, for the card.")


class MapSource(Section):
    """An orthophoto with the objects of a map as labels; a map is taken as noisy."""

    name: str = Field(description="What the card calls it.")
    orthophoto: Path = Field(description="Orthophoto, RGB in bands 1 to 3.")
    map: Path = Field(description="OGR source of the map's polygons.")
    layer: str | None = Field(None, description="Its layer.")
    bounds: tuple[float, float, float, float] = Field(
        description="What of it is trained on: left, bottom, right, top (m)."
    )
    doubt_m: Metres = Field(1.0, description="Band to both sides of an outline that is not learnt (m).")
    share: Annotated[float, Field(gt=0.0)] = Field(description="Part of the crops drawn from it.")
    origin: str = Field(description="Origin, licence and doubts, for the card.")


class SceneSource(Section):
    """Made scenes; see `geoai.scene`."""

    name: str = Field(description="What the card calls it.")
    first_seed: int = Field(description="Seed of the first scene; the others follow.")
    count: Annotated[int, Field(ge=1)] = Field(description="Number of scenes.")
    size_px: Annotated[int, Field(ge=64)] = Field(1024, description="Side of a scene (px).")
    gsd_m: Annotated[float, Field(gt=0.0, le=2.0)] = Field(0.2, description="Ground sampling distance (m).")
    share: Annotated[float, Field(gt=0.0)] = Field(description="Part of the crops drawn from them.")
    origin: str = Field(description="Origin, licence and doubts, for the card.")


class TrainingSettings(Section):
    """What is trained, on what, and for how long."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field("buildings", description="Model id.")
    run: Path = Field(description="Folder for checkpoints and logs.")
    package: Path = Field(description="Folder the model package is written to.")
    encoder_weights: Path | None = Field(
        None, description="MobileNetV2 weights to start from (tensors only); none: random."
    )
    folders: tuple[FolderSource, ...] = Field((), description="Labelled images.")
    maps: tuple[MapSource, ...] = Field((), description="Orthophotos under a map.")
    scenes: tuple[SceneSource, ...] = Field((), description="Made scenes.")
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
    loader_workers: Annotated[int, Field(ge=0)] = Field(0, description="Processes that cut crops.")
    threads: Annotated[int, Field(ge=1)] = Field(1, description="Threads the network may use.")
    seed: int = Field(1, description="Seed of all randomness.")
    encoder_origin: str = Field("", description="Origin and licence of the encoder's weights, for the card.")
    licence: str = Field("MIT", description="Licence of the package (SPDX).")
    known_failures: tuple[str, ...] = Field((), description="What users should know, for the card.")


def train(settings: TrainingSettings) -> ModelPackage:
    """Train (or go on training) and pack; return the package that was written."""
    fit(settings)
    return pack(settings)


def read_sources(settings: TrainingSettings) -> tuple[tuple[Source, ...], tuple[LabelledImage, ...]]:
    """Read everything into memory; return the Sources to train on, and the images held out."""
    sources: list[Source] = []
    for folder in settings.folders:
        every = folder.held_out_every
        images = list(read_pairs(folder.folder, gsd_m=folder.gsd_m))
        kept = split(images, every=every)[0] if every else images
        sources.append(Source(folder.name, tuple(kept), folder.share))
    sources += [Source(m.name, (_read_map(m),), m.share, noisy=True) for m in settings.maps]
    sources += [Source(s.name, tuple(_make_scenes(s)), s.share) for s in settings.scenes]
    for source in sources:
        count = sum(len(image.centres) for image in source.images)
        logger.info("%s: %d images, %d objects", source.name, len(source.images), count)
    return tuple(sources), read_held_out(settings)


def read_held_out(settings: TrainingSettings) -> tuple[LabelledImage, ...]:
    """Return the images that are never trained on."""
    held_out: list[LabelledImage] = []
    for folder in settings.folders:
        if folder.held_out_every:
            held_out += split(read_pairs(folder.folder, gsd_m=folder.gsd_m), every=folder.held_out_every)[1]
    return tuple(held_out)


def _read_map(source: MapSource) -> LabelledImage:
    import geopandas as gpd

    raster = read_bounds(source.orthophoto, source.bounds, bands=(1, 2, 3))
    objects = gpd.read_file(source.map, layer=source.layer, bbox=raster.grid.bounds).to_crs(raster.grid.crs)
    label = label_from_map(raster, list(objects.geometry), doubt_m=source.doubt_m)
    image = np.ascontiguousarray(raster.data.transpose(1, 2, 0))
    return labelled(source.name, image, label, raster.grid.gsd_m)


def _make_scenes(source: SceneSource) -> list[LabelledImage]:
    side_m = source.size_px * source.gsd_m
    images = []
    for seed in range(source.first_seed, source.first_seed + source.count):
        scene = make_scene(seed, width_m=side_m, height_m=side_m, gsd_m=source.gsd_m)
        image = np.ascontiguousarray(scene.image.transpose(1, 2, 0))
        images.append(labelled(str(seed), image, scene.mask.astype(np.uint8), source.gsd_m))
    return images


def fit(settings: TrainingSettings) -> None:
    """Train, or go on training from the run's last checkpoint, until time or samples are used up."""
    import lightning.pytorch as pl
    import torch
    from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
    from lightning.pytorch.loggers import CSVLogger

    from geoai.task import CropData

    torch.set_num_threads(settings.threads)
    pl.seed_everything(settings.seed)
    task = _new_task(settings)
    if settings.encoder_weights:
        state = torch.load(settings.encoder_weights, map_location="cpu", weights_only=True)
        task.model.encoder.load_state_dict(state)
    sources, held_out = read_sources(settings)
    step = max(1, len(held_out) // settings.validation_images)
    data = CropData(
        sources,
        held_out[::step][: settings.validation_images],
        epoch_samples=settings.epoch_samples,
        batch=settings.batch,
        seed=settings.seed,
        size_px=settings.crop_px,
        gsd_range_m=settings.gsd_range_m,
        loader_workers=settings.loader_workers,
    )
    trainer = pl.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        max_steps=task.total_steps,
        check_val_every_n_epoch=settings.validate_every,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        logger=CSVLogger(settings.run, name="log"),
        callbacks=[
            ModelCheckpoint(
                settings.run,
                filename=Path(CHECKPOINT).stem,
                enable_version_counter=False,
                save_on_train_epoch_end=True,
            ),
            LearningRateMonitor("epoch"),
        ],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    last = settings.run / CHECKPOINT
    trainer.fit(task, datamodule=data, ckpt_path=last if last.exists() else None)


def _new_task(settings: TrainingSettings) -> SegmentationTask:
    from geoai.task import SegmentationTask

    task = SegmentationTask(
        model=ARCHITECTURE,
        backbone=ENCODER,
        in_channels=len(BANDS),
        task="multiclass",
        num_classes=len(CLASSES) + 1,
        lr=settings.learning_rate,
    )
    task.total_steps = settings.samples // settings.batch
    task.budget_s = settings.minutes * 60
    return task


@dataclass(frozen=True, slots=True)
class Calibration:
    """The temperature, and the mean negative log likelihood of held-out pixels without and with it."""

    temperature: float
    nll_before: float
    nll_after: float


def pack(settings: TrainingSettings) -> ModelPackage:
    """Make the model package of the run's last checkpoint, measured on the held-out images, with its card."""
    import torch

    path = settings.run / CHECKPOINT
    if not path.is_file():
        raise ModelError(f"{path}: expected the checkpoint of a training, found none")
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    task = _new_task(settings)
    task.load_state_dict(checkpoint["state_dict"])
    task.eval()
    held_out = read_held_out(settings)
    logits = (_logits(task, image) for image in held_out)
    calibration = fit_temperature(list(logits), [image.label for image in held_out])
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    package = save_package(
        settings.package,
        task.model.state_dict(),
        id=settings.id,
        architecture=ARCHITECTURE,
        encoder=ENCODER,
        bands=BANDS,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        gsd_range_m=settings.gsd_range_m,
        classes=CLASSES,
        temperature=calibration.temperature,
        properties={
            "title": f"Segmentation of {' and '.join(CLASSES)}s in aerial orthophotos",
            "datetime": now,
            "created": now,
            "license": settings.licence,
            "mlm:pretrained": settings.encoder_weights is not None,
            "mlm:pretrained_source": settings.encoder_origin or None,
        },
    )
    scores = {
        precision: score_images(load_segmenter(package, precision=precision), held_out)
        for precision in ("fp32", "bf16")
    }
    run = f"{checkpoint['global_step'] * settings.batch} crops in {checkpoint['used_s'] / 60:.0f} minutes"
    evaluations = [
        json.loads(file.read_text("utf-8")) for file in sorted(settings.run.glob("evaluation/*.json"))
    ]
    current = [values for values in evaluations if values["checksum"] == package.checksum]
    card = card_text(settings, package, run=run, calibration=calibration, pixels=scores, evaluations=current)
    (package.folder / "card.md").write_text(card, encoding="utf-8")
    return package


def _logits(task: SegmentationTask, image: LabelledImage) -> NDArray[np.float32]:
    """Return the logits (class, row, col) of a whole image."""
    import torch

    with torch.inference_mode():
        chip = torch.from_numpy(np.ascontiguousarray(image.image.transpose(2, 0, 1)))
        logits: NDArray[np.float32] = task(chip.unsqueeze(0))[0].numpy()
    return logits


def fit_temperature(
    logits: Sequence[NDArray[np.float32]], labels: Sequence[NDArray[np.uint8]]
) -> Calibration:
    """Find the temperature that makes held-out labels likeliest (Guo et al. 2017), by search over 0.3 … 6.

    *logits* (class, row, col) and *labels* (row, col) image by image; every 13th pixel is looked at, as
    neighbours say the same. Unknown pixels are left out.
    """
    thinned = [
        (image.reshape(len(image), -1)[:, ::13], label.ravel()[::13])
        for image, label in zip(logits, labels, strict=True)
    ]
    values = np.concatenate([image[:, label < NODATA] for image, label in thinned], axis=1)
    truth = np.concatenate([label[label < NODATA] for _, label in thinned]).astype(np.intp)

    def nll(temperature: float) -> float:
        scaled = values / temperature
        highest = scaled.max(axis=0)
        total = highest + np.log(np.exp(scaled - highest).sum(axis=0))
        return float(np.mean(total - scaled[truth, np.arange(truth.size)]))

    candidates = [1.0, *np.geomspace(0.3, 6.0, 150)]
    best = min(candidates, key=nll)
    return Calibration(round(float(best), 3), nll(1.0), nll(float(best)))


def card_text(
    settings: TrainingSettings,
    package: ModelPackage,
    *,
    run: str,
    calibration: Calibration,
    pixels: dict[str, PixelScores],
    evaluations: Sequence[dict[str, Any]],
) -> str:
    """Return the model card (Markdown): what the model is, learnt from, was measured at, and is not for."""
    low, high = package.gsd_range_m
    sources: list[FolderSource | MapSource | SceneSource] = [
        *settings.folders,
        *settings.maps,
        *settings.scenes,
    ]
    shares = sum(source.share for source in sources)
    lines = [
        f"# Model card: {package.id}",
        "",
        f"Marks {', '.join(package.classes)}s in orthophotos: bands {', '.join(package.bands)}, 8 bit, "
        f"{low:g} to {high:g} m a pixel.",
        f"U-Net with {package.encoder}; weights SHA-256 `{package.checksum}`; licence {settings.licence} "
        "as far as the doubts below allow.",
        "",
        "## Use",
        "",
        "Made to find places where a digital map and an orthophoto disagree, for a person to look at. Not "
        "made to draw building outlines into a map, to count buildings, or to decide anything about people.",
        "",
        "## Learnt from",
        "",
        *[f"- **{s.name}** ({s.share / shares:.0%} of the crops). {s.origin}" for s in sources],
        f"- **Encoder at the start.** {settings.encoder_origin or 'Random.'}",
        "",
        f"{run} of {settings.crop_px} × {settings.crop_px} px, drawn at {low:g} to {high:g} m a pixel, "
        "turned, mirrored and recoloured (cast, gamma, contrast, saturation, haze, shadow, blur, noise, "
        "JPEG). Cross entropy plus Dice, AdamW, one cycle. Labels that come from a map are taken as noisy: "
        "outlines are left out, and after a quarter of the training what the network is sure is wrong.",
        "",
        "## Measured",
        "",
        "Pixels of the images held out (same regions as the training images, so rather optimistic), "
        "threshold 0.5:",
        "",
        "| weights as stored, computed in | IoU | precision | recall |",
        "|---|---|---|---|",
        *[f"| {name} | {p.iou:.3f} | {p.precision:.3f} | {p.recall:.3f} |" for name, p in pixels.items()],
        "",
        f"Temperature {calibration.temperature:g}, fitted on the same images: mean negative log likelihood "
        f"{calibration.nll_before:.4f} without, {calibration.nll_after:.4f} with it.",
        "",
    ]
    for evaluation in evaluations:
        lines += _evaluation_lines(evaluation)
    if settings.known_failures:
        lines += ["## Known failures", "", *[f"- {text}" for text in settings.known_failures], ""]
    return "\n".join(lines)


def _evaluation_lines(evaluation: dict[str, Any]) -> list[str]:
    """Return the card's part about one evaluation of objects or pixels."""
    lines = [f"### {evaluation['name']}", ""]
    if pixels := evaluation["pixels"]:
        lines += [
            f"Pixels: IoU {pixels['iou']:.3f}, precision {pixels['precision']:.3f}, "
            f"recall {pixels['recall']:.3f}.",
            "",
        ]
    if objects := evaluation["objects"]:
        lines += [
            "| objects | recall (95 %) | precision (95 %) |",
            "|---|---|---|",
            f"| ≥ {objects['min_area_m2']:g} m² | {_share(objects['recall'])} "
            f"| {_share(objects['precision'])} |",
        ]
        for size in objects["by_size"]:
            to_m2 = f"to {size['to_m2']:g}" if size["to_m2"] else "and more"
            lines.append(
                f"| {size['from_m2']:g} {to_m2} m² | {_share(size['recall'])} | {_share(size['precision'])} |"
            )
        lines += ["", f"F1 {objects['f1']:.3f}." if objects["f1"] is not None else "No F1.", ""]
    return lines


def _share(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "none"
    return (
        f"{share['value']:.3f} ({share['low']:.3f} to {share['high']:.3f}), "
        f"{share['found']} of {share['total']}"
    )
