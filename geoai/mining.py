"""What the network of an earlier round says of the labels that a later round learns from.

A map is not the truth: it lies some metres off the imagery, lacks what was built and holds what is gone.
Learnt as truth it would teach to repeat the map. So between rounds, block by block: labels are moved to where
they lie best on what the network sees; objects that it firmly contradicts, and firm detections that the map
knows nothing of, are ignored from then on, and listed, because they are discrepancies. What remains wrong are
hard places, which later crops are drawn near: sand pits, yards and cars that were taken for buildings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray

from geoai.model import Segmenter
from geoai.samples import IGNORE, NODATA, LabelledImage, Mapped, Source, label_from_map, to_chip

if TYPE_CHECKING:
    import geopandas as gpd

REACH_M = 4.0
"""How far a map is looked for beside where it lies; roofs of tall houses lean that far."""
GAIN_M2 = 25.0
"""What a shift must gain to be believed: agreeing minus disagreeing ground (m²)."""
ABSENT_MEAN, ABSENT_P95 = 0.05, 0.3
"""Below both, an object of the map is firmly contradicted: the bar for 'demolished'."""
PRESENT_MEAN, PRESENT_M2 = 0.8, 8.0
"""From both on, a detection that the map knows nothing of is firm."""
CELL_M, WRONG_SHARE = 8.0, 0.25
"""Places are cells of this side; one is hard where that share of its known pixels is wrong."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An object or a detection that is not learnt from, and why.

    *kind* is 'not_seen' (the map's *map_object_id*) or 'not_mapped' (None); *p_mean* the mean probability
    inside *geometry* (metres).
    """

    kind: str
    map_object_id: str | None
    p_mean: float
    area_m2: float
    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Mined:
    """An image with better labels and its hard places; its map's shift (x, y; m), and what to list."""

    image: LabelledImage
    shift_m: tuple[float, float]
    contradictions: tuple[Contradiction, ...]


def mine(source: Source, segmenter: Segmenter, *, mean: Sequence[float]) -> Iterator[Mined]:
    """Yield what the network says of every image of *source*, in order; *mean* as in `predict`."""
    for image in source.images:
        probability = predict(segmenter, image.image, mean=mean)
        moved, shift = register(image, probability)
        better, found = _contradicted(moved, probability)
        yield Mined(replace(better, hard=hard_places(probability, better)), shift, found)


def predict(segmenter: Segmenter, image: NDArray[np.uint8], *, mean: Sequence[float]) -> NDArray[np.float32]:
    """Return the probability (class, row, col) of a whole *image* (row, col, band).

    *mean* (band,) is what the model takes from each of its bands; one that the image lacks is set to it.
    """
    chip, present = to_chip(image, len(mean))
    chip[~present] = np.round(np.asarray(mean)[~present, None, None] * 255)
    return segmenter(chip)[:, : image.shape[0], : image.shape[1]]


def best_shift(
    probability: NDArray[np.float32], label: NDArray[np.bool_], *, reach_px: int
) -> tuple[int, int, float]:
    """Return (rows, cols) by which *label* lies best on *probability*, both (row, col), and what it gains.

    Best is where the probability under it, less one half, adds up to most: cross-correlation, looked for up
    to *reach_px* either way. The gain is over no shift, in pixels.
    """
    weight = np.pad(probability - np.float32(0.5), reach_px)
    score = cv2.matchTemplate(weight, label.astype(np.float32), cv2.TM_CCORR)
    row, col = np.unravel_index(np.argmax(score), score.shape)
    return int(row) - reach_px, int(col) - reach_px, float(score[row, col] - score[reach_px, reach_px])


def hard_places(probability: NDArray[np.float32], image: LabelledImage) -> NDArray[np.float64]:
    """Return the (row, col) centres of cells where *probability* (class, row, col) is wrong, shape (n, 2)."""
    seen = np.where(probability.max(axis=0) >= 0.5, probability.argmax(axis=0) + 1, 0)
    wrong = (image.label < NODATA) & (seen != image.label)
    cell = max(1, round(CELL_M / image.gsd_m))
    rows, cols = (max(1, side // cell) for side in wrong.shape)
    share = cv2.resize(wrong.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
    scale = np.array(wrong.shape) / (rows, cols)
    centres: NDArray[np.float64] = (np.argwhere(share > WRONG_SHARE) + 0.5) * scale
    return centres


def register(
    image: LabelledImage, probability: NDArray[np.float32]
) -> tuple[LabelledImage, tuple[float, float]]:
    """Return *image* with its map moved to where it lies best on *probability*, and the shift (x, y; m).

    *probability* is (class, row, col). An image whose labels are no map's is returned as it is.
    """
    if image.mapped is None:
        return image, (0.0, 0.0)
    gsd_m, valid = image.gsd_m, image.label != NODATA
    built = label_from_map(replace(image.mapped, doubt_m=0.0), valid)
    rows, cols, gain = best_shift(
        probability.max(axis=0), (built > 0) & valid, reach_px=round(REACH_M / gsd_m)
    )
    if gain * gsd_m**2 < GAIN_M2:
        return image, (0.0, 0.0)
    shift = cols * gsd_m, -rows * gsd_m
    moved = replace(
        image.mapped, shapes=shapely.transform(image.mapped.shapes, lambda xy: xy + np.array(shift))
    )
    return replace(image, label=label_from_map(moved, valid), mapped=moved), shift


def _contradicted(
    image: LabelledImage, probability: NDArray[np.float32]
) -> tuple[LabelledImage, tuple[Contradiction, ...]]:
    """Return *image* without the labels that are firmly contradicted, and those."""
    if image.mapped is None:
        return image, ()
    label, valid = image.label.copy(), image.label != NODATA
    found = (
        *_not_seen(image.mapped, probability, valid, label),
        *_not_mapped(image.mapped, probability, valid, label),
    )
    return replace(image, label=label), found


def _not_seen(
    mapped: Mapped, probability: NDArray[np.float32], valid: NDArray[np.bool_], label: NDArray[np.uint8]
) -> Iterator[Contradiction]:
    """Yield the objects that the network firmly does not see, and set their ground in *label* to IGNORE."""
    for map_id, value, shape in zip(mapped.ids, mapped.values, mapped.shapes, strict=True):
        rows, cols, inside = _pixels(shape, mapped, valid)
        inside &= valid[rows, cols]
        if not inside.any():
            continue
        p = probability[value - 1, rows, cols][inside]
        if p.mean() < ABSENT_MEAN and np.quantile(p, 0.95) < ABSENT_P95:
            label[rows, cols][inside] = IGNORE
            yield Contradiction("not_seen", str(map_id), float(p.mean()), float(shape.area), shape)


def _pixels(
    shape: shapely.Geometry, mapped: Mapped, valid: NDArray[np.bool_]
) -> tuple[slice, slice, NDArray[np.bool_]]:
    """Return the rows and columns around *shape* and which of their pixels lie in it."""
    left, bottom, right, top = shape.bounds
    west, _, _, north = mapped.grid.bounds
    gsd_m = mapped.grid.gsd_m
    rows = slice(max(0, int((north - top) / gsd_m)), min(valid.shape[0], int((north - bottom) / gsd_m) + 2))
    cols = slice(max(0, int((left - west) / gsd_m)), min(valid.shape[1], int((right - west) / gsd_m) + 2))
    height, width = rows.stop - rows.start, cols.stop - cols.start
    if height <= 0 or width <= 0:
        return slice(0, 0), slice(0, 0), np.zeros((0, 0), bool)
    transform = mapped.grid.transform @ rasterio.Affine.translation(cols.start, rows.start)
    outside = rasterio.features.geometry_mask([shape], (height, width), transform)
    return rows, cols, ~outside


def _not_mapped(
    mapped: Mapped, probability: NDArray[np.float32], valid: NDArray[np.bool_], label: NDArray[np.uint8]
) -> Iterator[Contradiction]:
    """Yield firm detections that touch nothing mapped, and set their ground in *label* to IGNORE."""
    gsd_m = mapped.grid.gsd_m
    known = (label > 0).astype(np.uint8)  # outlines in doubt and what is ignored already are mapped as well
    for value in np.unique(mapped.values):
        p = probability[value - 1]
        seen = ((p >= 0.5) & valid).astype(np.uint8)
        count, regions, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=4)
        touched = np.zeros(count, bool)
        touched[np.unique(regions[known > 0])] = True
        mean = np.bincount(regions.ravel(), weights=p.ravel(), minlength=count) / stats[:, cv2.CC_STAT_AREA]
        area_m2 = stats[:, cv2.CC_STAT_AREA] * gsd_m**2
        firm = ~touched & (mean >= PRESENT_MEAN) & (area_m2 >= PRESENT_M2)
        firm[0] = False
        for region in np.flatnonzero(firm):
            here = regions == region
            outline = _outline(here, mapped)
            yield Contradiction("not_mapped", None, float(mean[region]), float(area_m2[region]), outline)
        ignored = cv2.dilate(firm[regions].astype(np.uint8), np.ones((5, 5), np.uint8))
        label[(ignored > 0) & valid] = IGNORE


def _outline(region: NDArray[np.bool_], mapped: Mapped) -> shapely.Geometry:
    shapes = rasterio.features.shapes(region.astype(np.uint8), region, transform=mapped.grid.transform)
    return shapely.union_all([shapely.geometry.shape(geometry) for geometry, _ in shapes])


def write_contradictions(path: Path, found: dict[str, tuple[Any, list[Contradiction]]]) -> None:
    """Write what is not learnt from as a GeoPackage, a layer a source: name → (CRS, contradictions)."""
    import geopandas as gpd

    path.unlink(missing_ok=True)
    for name, (crs, contradictions) in found.items():
        frame: gpd.GeoDataFrame = gpd.GeoDataFrame(
            {
                "kind": [c.kind for c in contradictions],
                "map_object_id": [c.map_object_id for c in contradictions],
                "p_mean": [round(c.p_mean, 3) for c in contradictions],
                "area_m2": [round(c.area_m2, 1) for c in contradictions],
            },
            geometry=[
                shapely.multipolygons([c.geometry]) if c.geometry.geom_type == "Polygon" else c.geometry
                for c in contradictions
            ],
            crs=crs,
        )
        frame.to_file(path, layer=name, engine="pyogrio")
