"""From a checkpoint to a model package: calibrated and measured on what was held out, with its card.

Everything is told from the run folder and the held-out images, so packing again gives the same package.
Evaluations (JSON of `geoai evaluate`) that lie in the run's `evaluation/` and are of the same weights go into
the card.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geoai.calibration import (
    PixelFit,
    Reliability,
    fit_object_calibration,
    fit_pixel_calibration,
    reliability,
    reliability_plot,
)
from geoai.card import Measured, card_text, failure_sheet
from geoai.config import PolygonSettings
from geoai.mining import predict, register
from geoai.model import ModelPackage, has_bf16, load_segmenter, save_package
from geoai.network import read_checkpoint
from geoai.samples import NODATA, LabelledImage, Source, to_chip
from geoai.scoring import PixelScores, score_pixels
from geoai.sources import read_held_out
from geoai.training import BEST, LAST, TrainingSettings, as_segmenter, new_task

if TYPE_CHECKING:
    from geoai.task import SegmentationTask

DETECTED = PolygonSettings()
"""What makes a detection in a run that does not say otherwise, so that confidence is fitted on the same."""
MIN_KNOWN = 0.8
"""A detection of which less is labelled says nothing."""
SAME_SHARE = 0.3
"""Share of the smaller from which a detection and an object are the same; see `geoai.matching`."""


def pack(settings: TrainingSettings) -> ModelPackage:
    """Make the model package of the run's best checkpoint, else its last, with its card; return it."""
    best = settings.run / BEST
    checkpoint = read_checkpoint(best if best.exists() else settings.run / LAST)
    task = new_task(settings)
    task.load_state_dict(checkpoint["state_dict"])
    task.eval()
    held_out = _registered(read_held_out(settings, settings.classes), task, settings)
    fit = _fit_pixels(task, held_out, len(settings.classes))
    save = partial(_save, settings, task, finished=checkpoint["finished"], fit=fit)
    run = f"{checkpoint['global_step'] * settings.batch} crops in {checkpoint['used_s'] / 60:.0f} minutes"
    metrics: dict[str, Any] = {"run": run}
    measured = _measure(save(metrics=metrics), settings, held_out) if held_out else None
    if measured:
        metrics["held_out"] = {name: _scores(scores) for name, scores in measured.pixels.items()}
    if fit:
        metrics["expected_calibration_error"] = {"before": fit.ece_before, "after": fit.ece_after}
    package = save(metrics=metrics, object_calibration=measured.objects if measured else None)
    if measured:
        reliability_plot(measured.reliability, package.folder / "reliability.png")
        failure_sheet(package.folder / "failures.jpg", measured.worst)
    evaluations = [
        one
        for file in sorted(settings.run.glob("evaluation/**/*.json"))
        for one in _of(json.loads(file.read_text("utf-8")), package.checksum)
    ]
    card = card_text(settings, package, run=run, measured=measured, fit=fit, evaluations=evaluations)
    (package.folder / "card.md").write_text(card, encoding="utf-8")
    return package


def _registered(
    held_out: tuple[Source, ...], task: SegmentationTask, settings: TrainingSettings
) -> tuple[Source, ...]:
    """Return what was held out with maps moved to where they lie best; what they hold stays as it is."""
    segmenter = as_segmenter(task)
    return tuple(
        replace(
            source,
            images=tuple(
                register(image, predict(segmenter, image.image, mean=settings.mean))[0]
                if image.mapped is not None
                else image
                for image in source.images
            ),
        )
        for source in held_out
    )


def _fit_pixels(task: SegmentationTask, held_out: Sequence[Source], class_count: int) -> PixelFit | None:
    """Fit the calibration on the held-out images whose labels tell every class; None without any."""
    images = [image for source in held_out if len(source.labels) == class_count for image in source.images]
    if not images:
        return None
    return fit_pixel_calibration(
        [_logits(task, image) for image in images], [image.label for image in images]
    )


def _save(
    settings: TrainingSettings, task: SegmentationTask, *, finished: int, fit: PixelFit | None, **more: Any
) -> ModelPackage:
    moment = dt.datetime.fromtimestamp(finished, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return save_package(
        settings.package,
        task.model.state_dict(),
        id=settings.id,
        architecture=settings.architecture,
        encoder=settings.encoder,
        bands=settings.bands,
        optional_bands=settings.bands[3:],
        mean=settings.mean,
        std=settings.std,
        gsd_range_m=settings.gsd_range_m,
        classes=settings.classes,
        calibration=fit.calibration if fit else None,
        properties={
            "title": f"Segmentation of {' and '.join(settings.classes)}s in aerial orthophotos",
            "datetime": moment,
            "created": moment,
            "license": settings.licence,
            "mlm:pretrained": bool(settings.start or settings.encoder_weights),
            "mlm:pretrained_source": settings.encoder_origin or None,
        },
        **more,
    )


def _of(values: dict[str, Any], checksum: str) -> Iterator[dict[str, Any]]:
    """Yield the evaluations in *values* that are of the weights with this checksum."""
    yield from (one for one in values.get("evaluations", [values]) if one["checksum"] == checksum)


def _scores(scores: PixelScores) -> dict[str, float]:
    return {name: round(getattr(scores, name), 4) for name in ("iou", "precision", "recall")}


def _logits(task: SegmentationTask, image: LabelledImage) -> NDArray[np.float32]:
    """Return the logits (class, row, col) of a whole image."""
    import torch

    chip, present = to_chip(image.image, task.hparams["in_channels"])
    with torch.inference_mode():
        logits: NDArray[np.float32] = task(
            torch.from_numpy(chip).unsqueeze(0), torch.from_numpy(present).unsqueeze(0)
        )[0].numpy()
    rows, cols = image.label.shape
    return logits[:, :rows, :cols]


def _measure(package: ModelPackage, settings: TrainingSettings, held_out: Sequence[Source]) -> Measured:
    """Score the stored weights on what was held out: pixels a source, objects, reliability, the worst."""
    precisions = ("fp32", "bf16") if has_bf16() else ("fp32",)
    pixels: dict[str, PixelScores] = {}
    tables: dict[str, Reliability] = {}
    objects: list[HeldOutObjects] = []
    cases = []
    for precision in precisions:
        segmenter = load_segmenter(package, precision=precision, bands=settings.bands)  # type: ignore[arg-type]
        for source in held_out:
            total = PixelScores(0, 0, 0)
            p_known, truth = [], []
            for image in source.images:
                probability = predict(segmenter, image.image, mean=settings.mean)
                value = source.labels[0]
                p = probability[value - 1]
                scores = score_pixels(p >= DETECTED.threshold, image.label, value=value)
                total += scores
                if precision != precisions[0]:
                    continue
                known = image.label < NODATA
                p_known.append(p[known][::7])
                truth.append(image.label[known][::7] == value)
                objects.append(held_out_objects(p, image.label, image.gsd_m, value=value))
                cases.append((scores.false + scores.missed, image, p))
            pixels[f"{source.name}, {precision}"] = total
            if p_known:
                tables[source.name] = reliability(np.concatenate(p_known), np.concatenate(truth))
    names = " and ".join(source.name for source in held_out)
    fields = ("p_mean", "area_m2", "is_true")
    together = [np.concatenate([getattr(each, name) for each in objects]) for name in fields]
    return Measured(
        pixels=pixels,
        reliability=tables,
        objects=fit_object_calibration(*together, theme=settings.classes[0], of=f"{names}, held out"),
        worst=tuple((image, p) for _, image, p in sorted(cases, key=lambda case: -case[0])[:12]),
    )


@dataclass(frozen=True)
class HeldOutObjects:
    """Detections (detection,): mean probability, area (m²), and whether a labelled object is there."""

    p_mean: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    is_true: NDArray[np.bool_]


def held_out_objects(
    probability: NDArray[np.float32], label: NDArray[np.uint8], gsd_m: float, *, value: int
) -> HeldOutObjects:
    """Hold the detections of *probability* (row, col) against *label* (row, col); *value* is the class.

    A detection is there where it shares SAME_SHARE of the smaller with a labelled object. Those of which the
    labels say too little are left out.
    """
    seen = (probability >= DETECTED.threshold).astype(np.uint8)
    count, regions, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=4)
    truths, labels, truth_stats, _ = cv2.connectedComponentsWithStats((label == value).astype(np.uint8))
    area_px = stats[:, cv2.CC_STAT_AREA]
    known = np.bincount(regions[label < NODATA], minlength=count) >= MIN_KNOWN * area_px
    pairs, shared = np.unique(regions.astype(np.int64) * truths + labels, return_counts=True)
    region, truth = np.divmod(pairs, truths)
    smaller = np.minimum(area_px[region], truth_stats[truth, cv2.CC_STAT_AREA])
    hit = (region > 0) & (truth > 0) & (shared >= SAME_SHARE * smaller) & (shared * gsd_m**2 >= 1.0)
    is_true = np.zeros(count, bool)
    is_true[region[hit]] = True
    p_mean = np.bincount(regions.ravel(), weights=probability.ravel(), minlength=count) / area_px
    counted = known & (area_px * gsd_m**2 >= DETECTED.min_area_m2)
    counted &= np.bincount(regions[probability >= DETECTED.core], minlength=count) > 0
    counted[0] = False
    area_m2 = (area_px * gsd_m**2).astype(np.float64)
    return HeldOutObjects(p_mean[counted].astype(np.float64), area_m2[counted], is_true[counted])
