"""The model card: what a model is, learnt from, was measured at, fails at, and is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geoai.calibration import ObjectCalibration, PixelFit, Reliability
from geoai.files import appearing_whole
from geoai.samples import LabelledImage
from geoai.scoring import PixelScores

if TYPE_CHECKING:
    from geoai.model import ModelPackage
    from geoai.sources import FolderSource, MapSource, SceneSource
    from geoai.training import TrainingSettings

LABEL_COLOUR, SEEN_COLOUR = (255, 215, 0), (215, 25, 28)
"""Yellow and red: told apart by the colour-blind, by lightness."""
CASE_PX, CASES_A_ROW = 320, 4


@dataclass(frozen=True)
class Measured:
    """What was measured on held-out images, and the worst of them with their probabilities (row, col)."""

    pixels: Mapping[str, PixelScores]
    reliability: Mapping[str, Reliability]
    objects: ObjectCalibration | None
    worst: tuple[tuple[LabelledImage, NDArray[np.float32]], ...]


def card_text(
    settings: TrainingSettings,
    package: ModelPackage,
    *,
    run: str,
    measured: Measured | None,
    fit: PixelFit | None,
    evaluations: Sequence[dict[str, Any]],
) -> str:
    """Return the model card (Markdown) of a training."""
    low, high = package.gsd_range_m
    optional = f" ({', '.join(package.optional_bands)} may be missing)" if package.optional_bands else ""
    lines = [
        f"# Model card: {package.id}",
        "",
        f"Marks {', '.join(package.classes)}s in orthophotos: bands {', '.join(package.bands)}{optional}, "
        f"8 bit, {low:g} to {high:g} m a pixel.",
        f"{settings.architecture} with {package.encoder}; weights SHA-256 `{package.checksum}`; licence "
        f"{settings.licence} as far as the doubts below allow.",
        "",
        "## Use",
        "",
        "Made to find places where a digital map and an orthophoto disagree, for a person to look at. Not "
        "made to draw building outlines into a map, to count buildings, or to decide anything about people.",
        "",
        "## Learnt from",
        "",
        *_source_lines(settings),
        "",
        f"{run} of {settings.crop_px} × {settings.crop_px} px, drawn at {low:g} to {high:g} m a pixel, "
        "turned, mirrored and recoloured (cast, gamma, contrast, saturation, season, haze, shadow, blur, "
        "noise, JPEG). Cross entropy plus Dice, AdamW, one cycle, moving average of the weights. Before the "
        "second round, maps were moved block by block to where they lie best on what the first round's "
        "network sees; what it firmly contradicts was left out, and crops were drawn near places it had "
        "wrong.",
        "",
    ]
    if measured and fit:
        lines += _measured_lines(measured, fit)
    for evaluation in evaluations:
        lines += _evaluation_lines(evaluation)
    if settings.known_failures or measured:
        lines += ["## Known failures", "", *[f"- {text}" for text in settings.known_failures], ""]
    if measured:
        lines += [
            "The held-out images with most wrong pixels; labels in yellow, what the model sees in red:",
            "",
            "![The worst held-out images](failures.jpg)",
            "",
        ]
    return "\n".join(lines)


def _source_lines(settings: TrainingSettings) -> list[str]:
    sources: list[FolderSource | MapSource | SceneSource] = [
        *settings.folders,
        *settings.maps,
        *settings.scenes,
    ]
    shares = sum(source.share for source in sources)
    lines = [f"- **{s.name}** ({s.share / shares:.0%} of the crops). {s.origin}" for s in sources]
    if settings.start:
        lines.append(f"- **At the start.** The weights of model {Path(settings.start).name}, trained before.")
    lines.append(f"- **Encoder at the start.** {settings.encoder_origin or 'Random.'}")
    return lines


def _measured_lines(measured: Measured, fit: PixelFit) -> list[str]:
    lines = [
        "## Measured",
        "",
        "Pixels of what was held out (same regions as the training images, so rather optimistic), "
        "threshold 0.5:",
        "",
        "| held out, weights as stored, computed in | IoU | precision | recall |",
        "|---|---|---|---|",
        *[
            f"| {name} | {p.iou:.3f} | {p.precision:.3f} | {p.recall:.3f} |"
            for name, p in measured.pixels.items()
        ],
        "",
        f"Calibration: temperature {fit.calibration.temperature:g}, bias "
        f"{', '.join(f'{value:g}' for value in fit.calibration.bias) or 'none'}, fitted on the same images. "
        f"Expected calibration error {fit.ece_before:.4f} without, {fit.ece_after:.4f} with it; mean "
        f"negative log likelihood {fit.nll_before:.4f} and {fit.nll_after:.4f}.",
        "",
        "![Observed share over stated probability](reliability.png)",
        "",
    ]
    if measured.objects:
        o = measured.objects
        lines += [
            f"Confidence of a detection: logistic in {', '.join(o.features)}, fitted on {o.objects} "
            f"detections ({o.true} of them right) of {o.of}; expected calibration error {o.ece_before:.3f} "
            f"for the mean probability, {o.ece_after:.3f} for the confidence.",
            "",
        ]
    return lines


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


def failure_sheet(path: Path, cases: Sequence[tuple[LabelledImage, NDArray[np.float32]]]) -> None:
    """Draw labels and what is seen on the *cases* (image, probability), a picture each, as one JPEG."""
    tiles = [_case(image, probability) for image, probability in cases]
    tiles += [np.zeros((CASE_PX, CASE_PX, 3), np.uint8)] * (-len(tiles) % CASES_A_ROW)
    rows = [np.hstack(tiles[n : n + CASES_A_ROW]) for n in range(0, len(tiles), CASES_A_ROW)]
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    packed = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    with appearing_whole(path) as partial:
        partial.write_bytes(packed.tobytes())


def _case(image: LabelledImage, probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    side = CASE_PX / max(image.label.shape)
    size = tuple(max(1, round(length * side)) for length in image.label.shape[::-1])
    picture = cv2.resize(np.ascontiguousarray(image.image[..., :3]), size, interpolation=cv2.INTER_AREA)
    for mask, colour in (((image.label == 1), LABEL_COLOUR), (probability >= 0.5, SEEN_COLOUR)):
        small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        outlines, _ = cv2.findContours(small.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, colour, 1)
    tile = np.zeros((CASE_PX, CASE_PX, 3), np.uint8)
    tile[: size[1], : size[0]] = picture
    return tile
