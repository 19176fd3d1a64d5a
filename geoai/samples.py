"""Training samples: labelled imagery in memory, and crops of it, turned, scaled and recoloured.

Images are (row, col, band) uint8 RGB as OpenCV has them, labels (row, col) uint8: 0 background, 1 … the
classes, IGNORE where the truth is unknown, NODATA where there is no imagery. The network gets chips
(band, row, col). All randomness comes from the generator that is passed in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray

from geoai.errors import ImageryError
from geoai.grid import Grid
from geoai.raster import Raster

IGNORE = 255
NODATA = 254

PADDING_LEVEL = 8
"""Brightest value of black padding: JPEG leaves some noise in it."""
PADDING_PX = 1000
"""Smallest black area at the border that counts as padding and not as shadow (px)."""


@dataclass(frozen=True)
class LabelledImage:
    """An image, its labels, its GSD (m), and the (row, col) centres of the objects in it, shape (n, 2)."""

    name: str
    image: NDArray[np.uint8]
    label: NDArray[np.uint8]
    gsd_m: float
    centres: NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """Labelled images of one origin: *share* of the crops comes from it; *noisy* labels are a map's."""

    name: str
    images: tuple[LabelledImage, ...]
    share: float
    noisy: bool = False


def labelled(name: str, image: NDArray[np.uint8], label: NDArray[np.uint8], gsd_m: float) -> LabelledImage:
    """Return the image with the centres of its objects found; labels 1 … 253 are classes."""
    _, _, _, centres = cv2.connectedComponentsWithStats(((label > 0) & (label < NODATA)).astype(np.uint8))
    return LabelledImage(name, image, label, gsd_m, np.asarray(centres[1:, ::-1], np.float64))


def read_pairs(folder: Path, *, gsd_m: float) -> Iterator[LabelledImage]:
    """Read images/NAME.(jpg|png) with masks/NAME.png (non-zero = building), in order of name.

    Black padding at the border becomes NODATA. Raises ImageryError where the folder holds no images, a mask
    is missing or of another size.
    """
    paths = sorted(p for p in (folder / "images").glob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not paths:
        raise ImageryError(f"{folder}: expected images/*.jpg or *.png with masks/*.png, found none")
    for path in paths:
        mask_path = folder / "masks" / f"{path.stem}.png"
        colour = cv2.imread(str(path), cv2.IMREAD_COLOR)
        mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE) if mask_path.exists() else None
        if colour is None:
            raise ImageryError(f"{path}: expected a readable image, found none")
        if mask is None or mask.shape != colour.shape[:2]:
            found = "none" if mask is None else f"{mask.shape[1]} × {mask.shape[0]} px"
            wanted = f"{colour.shape[1]} × {colour.shape[0]} px"
            raise ImageryError(f"{mask_path}: expected a mask of {wanted}, found {found}")
        image = cv2.cvtColor(colour, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        label = (mask > 0).astype(np.uint8)
        label[black_padding(image)] = NODATA
        yield labelled(path.stem, image, label, gsd_m)


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


def label_from_map(
    raster: Raster, objects: Sequence[shapely.Geometry], *, doubt_m: float
) -> NDArray[np.uint8]:
    """Burn map *objects* (polygons, in the raster's CRS) into labels for *raster*, (row, col).

    A map is displaced against the imagery by some metres: the outlines, *doubt_m* to both sides, are
    IGNORE. Where the raster is invalid the label is NODATA.
    """
    label = burn(objects, raster.grid)
    if doubt_m > 0:
        outlines = [geometry.boundary.buffer(doubt_m) for geometry in objects]
        label[burn(outlines, raster.grid) > 0] = IGNORE
    label[~raster.valid] = NODATA
    return label


def burn(objects: Sequence[shapely.Geometry], grid: Grid) -> NDArray[np.uint8]:
    """Return 1 where a pixel centre of *grid* lies in one of *objects*, else 0; (row, col)."""
    shape = (grid.height, grid.width)
    solid = [geometry for geometry in objects if not geometry.is_empty]
    if not solid:
        return np.zeros(shape, np.uint8)
    burnt: NDArray[np.uint8] = rasterio.features.rasterize(
        solid, out_shape=shape, transform=grid.transform, dtype=np.uint8
    )
    return burnt


def draw_crop(
    sources: Sequence[Source],
    rng: np.random.Generator,
    *,
    size_px: int,
    gsd_range_m: tuple[float, float],
    object_share: float = 0.4,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], bool]:
    """Draw one training sample: chip (band, row, col) uint8, label (row, col) 0 … or IGNORE, and noisy.

    The source is drawn by share, the image by its area on the ground; *object_share* of the crops are laid
    near an object (every object as likely as any other, so that small ones are seen), the others anywhere.
    """
    shares = np.array([source.share for source in sources])
    source = sources[rng.choice(len(sources), p=shares / shares.sum())]
    near_object = rng.random() < object_share and any(len(image.centres) for image in source.images)
    picked = _pick(source.images, rng, with_object=near_object)
    gsd_m = float(np.exp(rng.uniform(*np.log(gsd_range_m))))
    side_px = size_px * gsd_m / picked.gsd_m  # of the crop, in pixels of the image
    for _ in range(20):
        centre = _centre(picked, rng, side_px=side_px, near_object=near_object)
        turn = float(rng.uniform(0, 360)) if rng.random() < 0.5 else 90.0 * int(rng.integers(4))
        mirrored = bool(rng.random() < 0.5)
        image, label = cut_crop(
            picked, centre, size_px=size_px, gsd_m=gsd_m, turn_degrees=turn, mirrored=mirrored
        )
        if np.mean(label == NODATA) < 0.4:
            break
    recoloured = recolour(image, rng)
    recoloured[label == NODATA] = 0
    label[label == NODATA] = IGNORE
    return np.ascontiguousarray(recoloured.transpose(2, 0, 1)), label, source.noisy


def _pick(images: Sequence[LabelledImage], rng: np.random.Generator, *, with_object: bool) -> LabelledImage:
    """Return one of the images, by area on the ground."""
    candidates = [image for image in images if len(image.centres) or not with_object]
    weights = np.array([image.label.size * image.gsd_m**2 for image in candidates])
    return candidates[rng.choice(len(candidates), p=weights / weights.sum())]


def _centre(
    image: LabelledImage, rng: np.random.Generator, *, side_px: float, near_object: bool
) -> NDArray[np.float64]:
    """Return where (row, col) a crop of *side_px* is laid: within the image, if that is large enough."""
    shape = np.array(image.label.shape)
    if near_object:
        centre = image.centres[rng.integers(len(image.centres))] + rng.uniform(-0.4, 0.4, 2) * side_px
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
        return np.zeros((size_px, size_px, 3), np.uint8), np.full((size_px, size_px), NODATA, np.uint8)
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


def recolour(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return *image* (row, col, RGB) as another camera, season, light and file format could have it."""
    picture: NDArray[Any] = image.astype(np.float32) / 255
    if rng.random() < 0.3:
        picture = picture * _shadow(picture.shape[:2], rng)
    if rng.random() < 0.4:  # leaves, soils and sensors differ: mix the bands a little
        mix = np.eye(3, dtype=np.float32) + rng.normal(0, 0.08, (3, 3)).astype(np.float32)
        picture = picture @ (mix / mix.sum(axis=1, keepdims=True)).T
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.03 else rng.uniform(0.4, 1.6)
    picture = grey[..., None] + np.float32(saturation) * (picture - grey[..., None])
    picture = picture * rng.normal(1, 0.07, 3).astype(np.float32)
    picture = np.clip(picture, 0, 1, dtype=np.float32) ** np.float32(np.exp(rng.normal(0, 0.3)))
    contrast, brightness = np.exp(rng.normal(0, 0.25)), rng.normal(0, 0.08)
    mean = picture.mean()
    picture = (picture - mean) * np.float32(contrast) + mean + np.float32(brightness)
    if rng.random() < 0.2:
        haze = np.float32(rng.uniform(0.05, 0.4))
        picture = picture * (1 - haze) + haze * rng.uniform(0.6, 0.95, 3).astype(np.float32)
    picture = _blurred(picture, rng)
    if rng.random() < 0.4:
        spread = np.float32(rng.uniform(0.005, 0.05))
        picture = picture + spread * rng.standard_normal(picture.shape, np.float32)
    recoloured: NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))]
        packed = cv2.imencode(".jpg", recoloured, quality)[1]
        recoloured = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return recoloured


def _shadow(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return gains (row, col, band) of a straight-edged shadow with a soft border, bluish inside."""
    centre = rng.uniform((0, 0), shape[::-1])
    angles = np.sort(rng.uniform(0, 2 * np.pi, 4))
    radii = rng.uniform(0.05, 0.4, 4) * max(shape)
    corners = centre + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    cover = np.zeros(shape, np.float32)
    cv2.fillPoly(cover, [corners.round().astype(np.int32)], (1.0,))
    cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, 2.0)).astype(np.float32)
    gain = rng.uniform(0.35, 0.75) * np.array([0.95, 1.0, 1.1])
    return 1 + cover[..., None] * (gain.astype(np.float32) - 1)


def _blurred(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return *picture* out of focus, of lower resolution, sharpened, or (mostly) as it is."""
    kind = rng.random()
    if kind < 0.2:
        blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.5))
    elif kind < 0.35:
        rows, cols = picture.shape[:2]
        factor = rng.uniform(0.4, 0.9)
        small = cv2.resize(picture, (int(cols * factor), int(rows * factor)), interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(small, (cols, rows), interpolation=cv2.INTER_LINEAR)
    elif kind < 0.5:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        blurred = picture + np.float32(rng.uniform(0.3, 1.2)) * (picture - soft)
    else:
        return picture
    return np.asarray(blurred, np.float32)


@dataclass(frozen=True)
class Crops:
    """*count* random crops as a map-style dataset; crop n of an epoch is the same in every run."""

    sources: tuple[Source, ...]
    count: int
    seed: tuple[int, int]
    """Seed of the run, and number of the epoch."""
    size_px: int
    gsd_range_m: tuple[float, float]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, object]:
        """Return 'image' (band, row, col) uint8, 'mask' (row, col) int64 and 'noisy'."""
        rng = np.random.default_rng((*self.seed, index))
        chip, label, noisy = draw_crop(self.sources, rng, size_px=self.size_px, gsd_range_m=self.gsd_range_m)
        return {"image": chip, "mask": label.astype(np.int64), "noisy": noisy}


@dataclass(frozen=True)
class Wholes:
    """Labelled images of one size as they are, for validation; a map-style dataset."""

    images: tuple[LabelledImage, ...]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, object]:
        """Return 'image' (band, row, col) uint8 and 'mask' (row, col) int64."""
        picked = self.images[index]
        label = picked.label.astype(np.int64)
        label[picked.label == NODATA] = IGNORE
        return {"image": np.ascontiguousarray(picked.image.transpose(2, 0, 1)), "mask": label}


def split(images: Iterable[LabelledImage], *, every: int) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Return the images to train on, and those held out (see `is_held_out`)."""
    train: list[LabelledImage] = []
    held_out: list[LabelledImage] = []
    for image in images:
        (held_out if is_held_out(image.name, every) else train).append(image)
    return train, held_out
