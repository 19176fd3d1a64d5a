"""Training samples: labelled imagery in memory, and crops of it, turned, scaled and recoloured.

Images are (row, col, band) uint8, RGB or RGB and near infrared, labels (row, col) uint8: 0 background, 1 …
the classes, IGNORE where the truth is unknown, NODATA where there is no imagery. The network gets chips
(band, row, col). All randomness comes from the generator that is passed in.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geoai.errors import ImageryError
from geoai.grid import Grid
from geoai.inputs import PICTURES, open_raster
from geoai.model import STRIDE_PX
from geoai.raster import gdal_environment
from geoai.recolouring import recolour

IGNORE = 255
NODATA = 254

RECOLOURED = 0.8
"""Part of the crops whose colours are changed."""
PADDING_LEVEL = 8
"""Brightest value of black padding: JPEG leaves some noise in it."""
PADDING_PX = 1000
"""Smallest black area at the border that counts as padding and not as shadow (px)."""


def _nowhere() -> NDArray[np.float64]:
    return np.zeros((0, 2))


@dataclass(frozen=True)
class Mapped:
    """What the labels of an image were burnt from: map objects, in the CRS of the image's *grid*.

    *ids*, *values* (the label of the object's class) and *shapes* (polygons) are (object,) each; *doubt_m* is
    the width to both sides of an outline that is not learnt.
    """

    grid: Grid
    ids: NDArray[Any]
    values: NDArray[np.uint8]
    shapes: NDArray[Any]
    doubt_m: float


@dataclass(frozen=True)
class LabelledImage:
    """An image, its labels, its GSD (m), and (row, col) places in it, shape (n, 2).

    *centres* are of its objects; *hard* are places that an earlier round got wrong (see `geoai.mining`);
    *mapped* says what the labels were burnt from, where they are a map's.
    """

    name: str
    image: NDArray[np.uint8]
    label: NDArray[np.uint8]
    gsd_m: float
    centres: NDArray[np.float64]
    hard: NDArray[np.float64] = field(default_factory=_nowhere)
    mapped: Mapped | None = None


@dataclass(frozen=True)
class Source:
    """Labelled images of one origin: *share* of the crops comes from it.

    *labels* are the values that its labels may hold. Its background is known to be none of those, and may be
    any of the model's other classes.
    """

    name: str
    images: tuple[LabelledImage, ...]
    share: float
    labels: tuple[int, ...] = (1,)


def labelled(
    name: str,
    image: NDArray[np.uint8],
    label: NDArray[np.uint8],
    gsd_m: float,
    *,
    mapped: Mapped | None = None,
) -> LabelledImage:
    """Return the image with the centres of its objects found; labels 1 … 253 are classes."""
    _, _, _, centres = cv2.connectedComponentsWithStats(((label > 0) & (label < NODATA)).astype(np.uint8))
    return LabelledImage(name, image, label, gsd_m, np.asarray(centres[1:, ::-1], np.float64), mapped=mapped)


def read_pairs(
    folder: Path, *, gsd_m: float, values: Mapping[int, int] | None = None
) -> Iterator[LabelledImage]:
    """Read images/NAME.(jpg|png|tif) with masks/NAME.(png|tif), in order of name; RGB or RGB and infrared.

    *values* gives the label of each value of a mask; without it any value but 0 is label 1. Black padding at
    the border becomes NODATA. Raises ImageryError where the folder holds no images, a mask is missing, of
    another size, or holds a value that *values* does not name.
    """
    paths = sorted(p for p in (folder / "images").glob("*") if p.suffix.lower() in PICTURES)
    if not paths:
        raise ImageryError(f"{folder}: expected images/*.jpg, *.png or *.tif with masks, found none")
    for path in paths:
        image = _read_bands(path)
        masks = [folder / "masks" / f"{path.stem}{suffix}" for suffix in (".png", ".tif")]
        mask_path = next((mask for mask in masks if mask.exists()), masks[0])
        mask = _read_bands(mask_path)[..., 0] if mask_path.exists() else None
        if image.shape[2] not in (3, 4):
            raise ImageryError(f"{path}: expected 3 or 4 bands, found {image.shape[2]}")
        if mask is None or mask.shape != image.shape[:2]:
            found = "none" if mask is None else f"{mask.shape[1]} × {mask.shape[0]} px"
            wanted = f"{image.shape[1]} × {image.shape[0]} px"
            raise ImageryError(f"{mask_path}: expected a mask of {wanted}, found {found}")
        label = _relabelled(mask, values, mask_path)
        label[black_padding(image)] = NODATA
        yield labelled(path.stem, image, label, gsd_m)


def _read_bands(path: Path) -> NDArray[np.uint8]:
    """Return an image file as (row, col, band)."""
    try:
        with gdal_environment(), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # pictures have no place
            with open_raster(path, PICTURES) as source:
                data = source.read()
    except RasterioError as error:
        raise ImageryError(
            f"{path}: expected a readable image, found {' '.join(str(error).split())}"
        ) from None
    if data.dtype != np.uint8:
        raise ImageryError(f"{path}: expected 8 bit, found {data.dtype}")
    return np.ascontiguousarray(data.transpose(1, 2, 0))


def _relabelled(mask: NDArray[np.uint8], values: Mapping[int, int] | None, path: Path) -> NDArray[np.uint8]:
    if values is None:
        return (mask > 0).astype(np.uint8)
    table = np.full(256, IGNORE, np.uint8)
    table[[0, *values]] = [0, *values.values()]
    unknown = [int(value) for value in np.unique(mask) if value and value not in values]
    if unknown:
        known = ", ".join(str(value) for value in sorted(values))
        raise ImageryError(f"{path}: expected the values 0, {known}, found {unknown[0]}")
    return table[mask]


def black_padding(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where *image* (row, col, band) is padding: large black areas that touch the border."""
    black = (image.max(axis=2) <= PADDING_LEVEL).astype(np.uint8)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(black)
    border = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]])
    padding = [n for n in np.unique(border) if n and stats[n, cv2.CC_STAT_AREA] >= PADDING_PX]
    return np.isin(numbers, padding)


def is_held_out(name: str, every: int) -> bool:
    """Whether a file is kept from training: the last number in its name is a multiple of *every*.

    >>> [is_held_out(name, 5) for name in ("000004", "000005", "tile_10")]
    [False, True, True]
    """
    numbers = re.findall(r"\d+", name)
    return bool(numbers) and int(numbers[-1]) % every == 0


def label_from_map(mapped: Mapped, valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Burn map objects into labels (row, col); NODATA where not *valid* (row, col).

    A map is displaced against the imagery by some metres: the outlines, `doubt_m` to both sides, are IGNORE.
    Where objects overlap, the later one holds.
    """
    label = np.zeros(valid.shape, np.uint8)
    for value in dict.fromkeys(mapped.values.tolist()):
        label[burn(mapped.shapes[mapped.values == value], mapped.grid) > 0] = value
    if mapped.doubt_m > 0:
        outlines = shapely.buffer(shapely.boundary(mapped.shapes), mapped.doubt_m)
        label[burn(outlines, mapped.grid) > 0] = IGNORE
    label[~valid] = NODATA
    return label


def burn(objects: Sequence[shapely.Geometry] | NDArray[Any], grid: Grid) -> NDArray[np.uint8]:
    """Return 1 where a pixel centre of *grid* lies in one of *objects*, else 0; (row, col)."""
    shape = (grid.height, grid.width)
    solid = [geometry for geometry in objects if not geometry.is_empty]
    if not solid:
        return np.zeros(shape, np.uint8)
    burnt: NDArray[np.uint8] = rasterio.features.rasterize(
        solid, out_shape=shape, transform=grid.transform, dtype=np.uint8
    )
    return burnt


@dataclass(frozen=True)
class CropSettings:
    """How crops are drawn: *size_px* a side, at a GSD in *gsd_range_m*, for a model of *band_count* bands.

    *object_share* of the crops lie near an object, *hard_share* near a place that an earlier round got wrong,
    the others anywhere. Near infrared is left out of *band_dropout* of the crops that have it.
    """

    size_px: int
    gsd_range_m: tuple[float, float]
    band_count: int = 3
    band_dropout: float = 0.0
    object_share: float = 0.4
    hard_share: float = 0.35


@dataclass(frozen=True)
class Crop:
    """A chip (band, row, col) uint8, which of its bands are there (band,), its label (row, col)."""

    chip: NDArray[np.uint8]
    present: NDArray[np.bool_]
    label: NDArray[np.uint8]
    source: Source


def draw_crop(sources: Sequence[Source], rng: np.random.Generator, settings: CropSettings) -> Crop:
    """Draw one training sample: a source by share, a place in it, a turn, a scale and a colour.

    Labels are 0 …, or IGNORE. Objects and hard places are each as likely as any other of their source, so
    that small ones are seen.
    """
    shares = np.array([source.share for source in sources])
    source = sources[rng.choice(len(sources), p=shares / shares.sum())]
    picked, places = _pick(source.images, rng, settings)
    gsd_m = float(np.exp(rng.uniform(*np.log(settings.gsd_range_m))))
    side_px = settings.size_px * gsd_m / picked.gsd_m  # of the crop, in pixels of the image
    for _ in range(20):
        centre = _centre(picked, places, rng, side_px=side_px)
        turn = float(rng.uniform(0, 360)) if rng.random() < 0.5 else 90.0 * int(rng.integers(4))
        mirrored = bool(rng.random() < 0.5)
        image, label = cut_crop(
            picked, centre, size_px=settings.size_px, gsd_m=gsd_m, turn_degrees=turn, mirrored=mirrored
        )
        if np.mean(label == NODATA) < 0.4:
            break
    if rng.random() < RECOLOURED:
        image = recolour(image, rng)
    present = np.arange(settings.band_count) < image.shape[2]
    if rng.random() < settings.band_dropout:
        present[3:] = False
    chip = np.zeros((settings.band_count, *label.shape), np.uint8)
    chip[present] = image.transpose(2, 0, 1)[: np.count_nonzero(present)]
    chip[:, label == NODATA] = 0
    label[label == NODATA] = IGNORE
    return Crop(chip, present, label, source)


def _pick(
    images: Sequence[LabelledImage], rng: np.random.Generator, settings: CropSettings
) -> tuple[LabelledImage, NDArray[np.float64]]:
    """Return an image and the places in it (n, 2) to lay a crop near; none: anywhere."""
    kind = rng.random()
    if kind < settings.object_share:
        weights = np.array([float(len(image.centres)) for image in images])
    elif kind < settings.object_share + settings.hard_share:
        weights = np.array([float(len(image.hard)) for image in images])
    else:
        weights = np.zeros(len(images))
    if not weights.any():
        area = np.array([image.label.size * image.gsd_m**2 for image in images])
        return images[rng.choice(len(images), p=area / area.sum())], _nowhere()
    picked = images[rng.choice(len(images), p=weights / weights.sum())]
    return picked, picked.centres if kind < settings.object_share else picked.hard


def _centre(
    image: LabelledImage, places: NDArray[np.float64], rng: np.random.Generator, *, side_px: float
) -> NDArray[np.float64]:
    """Return where (row, col) a crop of *side_px* is laid: within the image, if that is large enough."""
    shape = np.array(image.label.shape)
    if len(places):
        centre = places[rng.integers(len(places))] + rng.uniform(-0.4, 0.4, 2) * side_px
    else:
        centre = rng.uniform((0, 0), shape)
    margin = np.minimum(side_px, shape) / 2
    placed: NDArray[np.float64] = np.clip(centre, margin, shape - margin)
    return placed


def cut_crop(
    source: LabelledImage,
    centre: NDArray[np.float64],
    *,
    size_px: int,
    gsd_m: float,
    turn_degrees: float,
    mirrored: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cut *size_px* × *size_px* pixels of *gsd_m* around *centre* (row, col), turned and mirrored.

    Returns the image (row, col, band) and its label. What lies outside the source is black and NODATA.
    """
    scale = gsd_m / source.gsd_m
    half = math.ceil(size_px * scale / math.sqrt(2)) + 2
    row, col = math.floor(centre[0]), math.floor(centre[1])
    rows = slice(max(row - half, 0), max(row + half, 0))
    cols = slice(max(col - half, 0), max(col + half, 0))
    image, label = source.image[rows, cols], source.label[rows, cols]
    if not label.size:
        empty = np.zeros((size_px, size_px, source.image.shape[2]), np.uint8)
        return empty, np.full((size_px, size_px), NODATA, np.uint8)
    angle = math.radians(turn_degrees)
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    if mirrored:
        turn[:, 0] = -turn[:, 0]
    middle = (size_px - 1) / 2
    origin = np.array([centre[1] - 0.5 - cols.start, centre[0] - 0.5 - rows.start])
    matrix = np.column_stack([turn, origin - turn @ (middle, middle)])
    size, inverse = (size_px, size_px), cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR | inverse, borderValue=(0, 0, 0))
    truth = cv2.warpAffine(label, matrix, size, flags=cv2.INTER_NEAREST | inverse, borderValue=NODATA)
    return crop.astype(np.uint8, copy=False), truth.astype(np.uint8, copy=False)


@dataclass(frozen=True)
class Crops:
    """*count* random crops as a map-style dataset; crop n of an epoch is the same in every run."""

    sources: tuple[Source, ...]
    count: int
    seed: tuple[int, int]
    """Seed of the run, and number of the epoch."""
    settings: CropSettings
    class_count: int
    """Classes of the model, the background left out."""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, object]:
        """Return 'image' (band, row, col) uint8 and 'mask' (row, col) int64.

        And 'present' (band,) bool, the bands that are there; 'labelled' (class,) bool, background first: the
        classes that the source tells.
        """
        rng = np.random.default_rng((*self.seed, index))
        crop = draw_crop(self.sources, rng, self.settings)
        return {
            "image": crop.chip,
            "mask": crop.label.astype(np.int64),
            "present": crop.present,
            "labelled": labelled_classes(crop.source, self.class_count),
        }


def labelled_classes(source: Source, class_count: int) -> NDArray[np.bool_]:
    """Return which classes (class,), background first, the labels of *source* tell."""
    return np.isin(np.arange(class_count + 1), (0, *source.labels))


@dataclass(frozen=True)
class Wholes:
    """Held-out images of sources, whole, for validation; a map-style dataset, one image a batch."""

    sources: tuple[Source, ...]
    band_count: int
    class_count: int

    def __len__(self) -> int:
        return sum(len(source.images) for source in self.sources)

    def __getitem__(self, index: int) -> dict[str, object]:
        """Return what `Crops` does, of an image padded with IGNORE to sides of whole 32 px."""
        source, picked = [(s, i) for s in self.sources for i in s.images][index]
        chip, present = to_chip(picked.image, self.band_count)
        label = np.full(chip.shape[1:], IGNORE, np.int64)
        rows, cols = picked.label.shape
        label[:rows, :cols] = np.where(picked.label == NODATA, IGNORE, picked.label)
        return {
            "image": chip,
            "mask": label,
            "present": present,
            "labelled": labelled_classes(source, self.class_count),
        }


def to_chip(image: NDArray[np.uint8], band_count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return *image* (row, col, band) as a chip (band, row, col) of whole 32 px, and the bands that it has.

    It is padded with 0 to the right and below; a band that it lacks is 0.
    """
    rows, cols, bands = image.shape
    bands = min(bands, band_count)
    chip = np.zeros(
        (band_count, -(-rows // STRIDE_PX) * STRIDE_PX, -(-cols // STRIDE_PX) * STRIDE_PX), np.uint8
    )
    chip[:bands, :rows, :cols] = image[..., :bands].transpose(2, 0, 1)
    return chip, np.arange(band_count) < bands


def split(images: Iterable[LabelledImage], *, every: int) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Return the images to train on, and those held out (see `is_held_out`)."""
    train: list[LabelledImage] = []
    held_out: list[LabelledImage] = []
    for image in images:
        (held_out if is_held_out(image.name, every) else train).append(image)
    return train, held_out
