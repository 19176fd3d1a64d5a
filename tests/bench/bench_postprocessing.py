"""What each step between probabilities and outlines gains: variants side by side, on real labels.

    GEOAI_TEST_DATA=… uv run python tests/bench/bench_postprocessing.py CACHE [--model NAME] [--flips]

Predicts the held-out Inria images (at their 0.3 m, and resampled to 0.2 m) and the Tartu flight once into the
folder CACHE, and prints a table for each: Inria (masks, exact), Tartu west (register; for tuning) and Tartu
east (register; the development test). Registers lie 1 to 4 m off the roofs: outlines are judged on the masks.
--flips adds every third Inria image, plain and as the mean of four mirrorings (four times the cost).

P, R, F: precision, recall and F1 of objects of at least 15 m², by intersection over union ≥ 0.5 one to one,
and by group. IoU: mean of the pairs. corners: a detection; right: share of them within 3° of a right angle.
CPU s: from stored probabilities to detections. buildingregulariser is compared where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import rasterio
import shapely
import torch
from numpy.typing import NDArray

from geoai import pipeline, polygons
from geoai.catalog import Catalog
from geoai.config import PolygonSettings, load_settings
from geoai.grid import PixelBox, TileScheme, parse_crs
from geoai.maplayer import read_map
from geoai.model import STRIDE_PX, ModelPackage, Segmenter, find_package, load_segmenter
from geoai.prediction import write_prediction
from geoai.raster import P_NODATA, P_SCALE, LatticeFile
from geoai.samples import NODATA, LabelledImage, is_held_out, read_pairs
from geoai.scoring import (
    MIN_AREA_M2,
    Bounds,
    hold,
    inside,
    match_by_group,
    match_one_to_one,
    pair_by_iou,
    score_objects,
)
from geoai.vector import Geometries

EXACT = PolygonSettings(core=0.0, min_area_m2=0.0, max_hole_m2=0.0, simplify_m=0.0)
CRS = parse_crs("EPSG:3006")  # of images without a place
PITCH_PX = 1920
"""Distance of images on their lattice: a whole number of pixels at 0.3 m and at 0.2 m."""
TARTU: dict[str, Bounds] = {
    "Tartu west": (655_000, 6_474_500, 658_700, 6_475_000),
    "Tartu east": (658_750, 6_474_500, 660_000, 6_475_000),
}
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Seen:
    """Predicted tiles, and the labelled ground under them: the parts that are scored, by name."""

    files: list[LatticeFile]
    scheme: TileScheme
    labels: Geometries
    parts: dict[str, Bounds | None]


@dataclass(frozen=True)
class Variant:
    """Settings, and what is done before (to a tile's values) and after (to the outlines)."""

    name: str
    settings: PolygonSettings
    before: Callable[[NDArray[np.uint8], float], NDArray[np.uint8]] | None = None
    after: Callable[[Geometries], Geometries] | None = None


def variants() -> Iterator[Variant]:
    """Yield what is compared."""
    usual = PolygonSettings()

    def changed(**values: float | bool) -> PolygonSettings:
        return PolygonSettings.model_validate(usual.model_dump() | values)

    yield Variant("default settings", usual)
    yield Variant("no core", changed(core=0.0))
    for core in (0.7, 0.9, 0.95):
        yield Variant(f"core {core}", changed(core=core))
    for threshold in (0.3, 0.4, 0.6, 0.7):
        yield Variant(f"threshold {threshold}", changed(threshold=threshold))
    yield Variant("threshold 0.4, no core", changed(threshold=0.4, core=0.0))
    for area in (3.0, 10.0, 15.0):
        yield Variant(f"min_area_m2 {area:g}", changed(min_area_m2=area))
    yield Variant("opened by 2 m", usual, after=partial(opened, width_m=2.0))
    yield Variant("split at 0.7, cores of 0.9", usual, before=partial(split, valley=0.7, core=0.9))
    yield Variant("split at 0.9, cores of 0.9", usual, before=partial(split, valley=0.9, core=0.9))
    for tolerance in (0.75, 1.0):
        yield Variant(f"simplify_m {tolerance}", changed(simplify_m=tolerance))
    for tolerance in (0.5, 0.75):
        yield Variant(f"square, simplify_m {tolerance}", changed(square=True, simplify_m=tolerance))
    if importlib.util.find_spec("buildingregulariser"):
        yield Variant("buildingregulariser 0.5", changed(simplify_m=0.0), after=regularised)


def opened(outlines: Geometries, *, width_m: float) -> Geometries:
    """Return the parts of *outlines* that are at least *width_m* wide."""
    mitred = partial(shapely.buffer, join_style="mitre", mitre_limit=2.0)
    parts = shapely.get_parts(mitred(mitred(outlines, -width_m / 2), width_m / 2))
    kept: Geometries = parts[shapely.area(parts) >= PolygonSettings().min_area_m2]
    return kept


def split(values: NDArray[np.uint8], gsd_m: float, *, valley: float, core: float) -> NDArray[np.uint8]:
    """Return *values* with regions cut that a *valley* parts into several with 15 m² and more of the *core*.

    What lies in the valley goes with the nearest of them.
    """
    cut = values.copy()
    mask = (values >= P_SCALE / 2) & (values != P_NODATA)
    _, region, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for number, (left, top, width, height, pixels) in enumerate(stats):
        if number == 0 or pixels * gsd_m**2 < 2 * MIN_AREA_M2:
            continue
        box = slice(top, top + height), slice(left, left + width)
        inner = (region[box] == number) & (values[box] >= valley * P_SCALE)
        count, part = cv2.connectedComponents(inner.astype(np.uint8), connectivity=4)
        strong = inner & (values[box] >= core * P_SCALE)
        seed = np.bincount(part[strong], minlength=count) * gsd_m**2 >= MIN_AREA_M2
        if np.count_nonzero(seed) < 2:
            continue
        seeds = inner & seed[part]
        _, nearest = cv2.distanceTransformWithLabels(
            (~seeds).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        part_of = np.zeros(nearest.max() + 1, np.int32)
        part_of[nearest[seeds]] = part[seeds]
        owner = part_of[nearest]
        border = np.zeros(owner.shape, bool)
        border[:, :-1] |= owner[:, :-1] != owner[:, 1:]
        border[:-1] |= owner[:-1] != owner[1:]
        cut[box][border & (region[box] == number)] = 0
    return cut


def regularised(outlines: Geometries) -> Geometries:
    """Return what buildingregulariser makes of traced outlines."""
    import buildingregulariser
    import geopandas as gpd

    frame = buildingregulariser.regularize_geodataframe(
        gpd.GeoDataFrame(geometry=outlines, crs=CRS), simplify_tolerance=0.5, num_cores=1, allow_circles=False
    )
    parts: Geometries = shapely.get_parts(frame.geometry.to_numpy())
    return parts


def detected(seen: Seen, variant: Variant, scratch: Path) -> tuple[Geometries, float]:
    """Return the outlines of a variant and the CPU seconds it took."""
    start, files = time.process_time(), seen.files
    if variant.before:
        files = [
            rewritten(file, variant.before, seen.scheme, scratch / file.path.parent.name) for file in files
        ]
    found, _ = polygons.detect(files, seen.scheme, variant.settings, theme="building", band=1)
    outlines = found.geometry.to_numpy()
    if variant.after:
        outlines = variant.after(outlines)
    return outlines, time.process_time() - start


def rewritten(
    file: LatticeFile,
    change: Callable[[NDArray[np.uint8], float], NDArray[np.uint8]],
    scheme: TileScheme,
    folder: Path,
) -> LatticeFile:
    """Write a tile with its values changed."""
    with rasterio.open(file.path) as source:
        values = source.read(1)
    path = folder / file.path.name
    write_prediction(path, change(values, scheme.gsd_m)[None], file.box, scheme, ("building",))
    return LatticeFile(path, file.box)


def right_corners(outlines: Geometries) -> tuple[float, float]:
    """Return the mean number of corners of an outline, and the share within 3° of a right angle."""
    turns = []
    for ring in shapely.get_rings(outlines):
        sides = np.diff(shapely.get_coordinates(ring), axis=0)
        course = np.arctan2(sides[:, 1], sides[:, 0])
        turns.append(np.abs(np.angle(np.exp(1j * (course - np.roll(course, 1))))))
    corners = np.degrees(np.concatenate([np.zeros(0), *turns]))
    return len(corners) / max(len(outlines), 1), float(np.mean(np.abs(corners - 90) < 3))


def score(seen: Seen, outlines: Geometries, bounds: Bounds | None) -> str:
    """Return the figures of one variant on one part, in columns."""
    cells = []
    for matcher in (match_one_to_one, match_by_group):
        scores = score_objects(hold(seen.labels, outlines, matcher, bounds=bounds))
        cells += [f"{value:6.3f}" for value in (scores.precision.value, scores.recall.value, scores.f1)]
        cells.append(" ")
    label, _, iou = pair_by_iou(seen.labels, outlines)
    counted = (inside(seen.labels, bounds) & (shapely.area(seen.labels) >= MIN_AREA_M2))[label]
    corners, right = right_corners(outlines[inside(outlines, bounds)])
    mean = float(iou[counted].mean()) if counted.any() else math.nan
    return " ".join([*cells, f"{mean:6.4f} {corners:7.1f} {right:6.2f}"])


def table(seen: Seen, wanted: Iterable[Variant], scratch: Path) -> None:
    """Print a table for each part."""
    lines: dict[str, list[str]] = {name: [] for name in seen.parts}
    for variant in wanted:
        outlines, seconds = detected(seen, variant, scratch)
        for name, bounds in seen.parts.items():
            lines[name].append(f"{variant.name:32}{score(seen, outlines, bounds)} {seconds:6.1f}")
    for name in seen.parts:
        print(f"\n{name}\n{'':32}  P .5   R .5   F .5    P grp  R grp  F grp      IoU corners  right  CPU s")
        print("\n".join(lines[name]), flush=True)


def inria(
    images: Sequence[LabelledImage], segmenter: Segmenter, folder: Path, *, name: str, gsd_m: float
) -> Seen:
    """Predict *images* (0.3 m), resampled to *gsd_m*, unless the folder holds them; trace their masks."""
    scheme, given = (TileScheme(CRS, gsd, 600) for gsd in (gsd_m, 0.3))
    files, masks, start = [], [], time.process_time()
    for number, image in enumerate(images):
        rows, cols = (round(side * 0.3 / gsd_m) for side in image.label.shape)
        pitch = round(PITCH_PX * 0.3 / gsd_m)
        box = PixelBox(number * pitch, -pitch, cols, rows)
        path = folder / image.name / "p.tif"
        if not path.exists():
            picture = cv2.resize(image.image, (cols, rows), interpolation=cv2.INTER_CUBIC)
            chip = np.zeros(
                (3, -(-rows // STRIDE_PX) * STRIDE_PX, -(-cols // STRIDE_PX) * STRIDE_PX), np.uint8
            )
            chip[:, :rows, :cols] = picture.transpose(2, 0, 1)
            stored = np.round(segmenter(chip)[:1, :rows, :cols] * P_SCALE).astype(np.uint8)
            known = cv2.resize(image.label, (cols, rows), interpolation=cv2.INTER_NEAREST) != NODATA
            stored[:, ~known] = P_NODATA
            write_prediction(path, stored, box, scheme, ("building",))
        files.append(LatticeFile(path, box))
        label = np.where(image.label == NODATA, P_NODATA, (image.label == 1) * P_SCALE).astype(np.uint8)
        own = PixelBox(number * PITCH_PX, -PITCH_PX, label.shape[1], label.shape[0])
        mask = folder / image.name / "mask.tif"
        write_prediction(mask, label[None], own, given, ("building",))
        masks.append(LatticeFile(mask, own))
    print(f"{name}: {len(images)} images, {time.process_time() - start:.0f} CPU s", flush=True)
    labels, _ = polygons.detect(masks, given, EXACT, theme="building", band=1)
    return Seen(files, scheme, labels.geometry.to_numpy(), {name: None})


def flipped(segmenter: Segmenter) -> Segmenter:
    """Return the mean of *segmenter* over a chip and its three mirrorings."""

    def segment(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        total = np.zeros((1, *chip.shape[1:]), np.float32)
        for axes in ((), (1,), (2,), (1, 2)):
            total += np.flip(segmenter(np.ascontiguousarray(np.flip(chip, axes)))[:1], axes)
        return total / 4

    return segment


def tartu(package: ModelPackage, model: str, folder: Path) -> Seen:
    """Run the flight of configs/tartu.yaml, what is there is used; return its predictions and register."""
    settings = load_settings(
        ROOT / "configs" / "tartu.yaml",
        {"data": str(folder), "prediction.model": model, "prediction.precision": "fp32"},
    )
    result = pipeline.run(settings)
    scheme = pipeline.accept(settings).scheme
    store = Catalog(folder / "catalog")
    files = list(store.files(f"{result.flight_id}.{package.id}", "probability", scheme))
    register = read_map(settings.map, scheme.crs).geometry.to_numpy()
    return Seen(files, scheme, shapely.get_parts(register), dict(TARTU))


def main() -> None:
    """Predict what is missing and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", type=Path)
    parser.add_argument("--model", default="buildings")
    parser.add_argument("--flips", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    package = find_package(chosen.model)
    segmenter = load_segmenter(package, precision="fp32")
    print(f"{package.id}, weights {package.checksum[:8]}")
    data = Path(os.environ["GEOAI_TEST_DATA"])
    images = [i for i in read_pairs(data / "inria", gsd_m=0.3) if is_held_out(i.name, 5)]
    cache = chosen.cache / package.checksum[:8]
    for gsd_m in (0.3, 0.2):
        name = f"Inria held out, {gsd_m} m"
        table(
            inria(images, segmenter, cache / f"inria-{gsd_m}", name=name, gsd_m=gsd_m),
            variants(),
            cache / "scratch",
        )
        if chosen.flips:
            third, usual = images[::3], [Variant("default settings", PolygonSettings())]
            for label, network in (("plain", segmenter), ("four mirrorings", flipped(segmenter))):
                name = f"Every third image, {gsd_m} m, {label}"
                folder = cache / f"third-{gsd_m}-{label.replace(' ', '-')}"
                table(inria(third, network, folder, name=name, gsd_m=gsd_m), usual, cache / "scratch")
    table(tartu(package, chosen.model, cache / "tartu"), variants(), cache / "scratch")


if __name__ == "__main__":
    main()
