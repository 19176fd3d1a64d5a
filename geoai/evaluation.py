"""How good a model is: pixels against masks, and objects against a map layer.

Shares come with Wilson 95 % intervals, because a development test has some hundred buildings. A map is not
the truth: recall and precision against one say how often map and model agree; both are wrong at times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.errors import PublishError
from geoai.matching import match_groups
from geoai.model import STRIDE_PX, Segmenter, check_fits, find_package, load_segmenter
from geoai.samples import LabelledImage, is_held_out, read_pairs

if TYPE_CHECKING:
    import geopandas as gpd

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top, in metres of the layers' CRS."""

MIN_VISIBLE_SHARE = 0.8
"""A mapped object that the imagery shows less of is not held against the model."""
SIZE_BINS_M2 = ((0.0, 15.0), (15.0, 60.0), (60.0, 200.0), (200.0, math.inf))


@dataclass(frozen=True, slots=True)
class PixelScores:
    """Known pixels of one class: seen and true (hit), seen and not true (false), true and not seen."""

    hit: int
    false: int
    missed: int

    @property
    def iou(self) -> float:
        """Intersection over union; NaN where neither is."""
        return _ratio(self.hit, self.hit + self.false + self.missed)

    @property
    def precision(self) -> float:
        """Share of what is seen that is true; NaN where nothing is seen."""
        return _ratio(self.hit, self.hit + self.false)

    @property
    def recall(self) -> float:
        """Share of what is true that is seen; NaN where nothing is true."""
        return _ratio(self.hit, self.hit + self.missed)

    def __add__(self, other: PixelScores) -> PixelScores:
        return PixelScores(self.hit + other.hit, self.false + other.false, self.missed + other.missed)


@dataclass(frozen=True, slots=True)
class Share:
    """*found* of *total*, as a share with its Wilson 95 % interval; NaN where *total* is 0."""

    found: int
    total: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SizeScores:
    """Recall of mapped objects and precision of detections of from_m2 ≤ area < to_m2."""

    from_m2: float
    to_m2: float
    recall: Share
    precision: Share


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """Mapped objects that have a detection in their group, and detections that have a mapped object.

    *recall*, *precision* and *f1* are of objects of at least *min_area_m2*; *by_size* is of all.
    """

    recall: Share
    precision: Share
    f1: float
    min_area_m2: float
    by_size: tuple[SizeScores, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured of one model (id, checksum of its weights) on one set of data."""

    name: str
    model_id: str
    checksum: str
    pixels: PixelScores | None = None
    objects: ObjectScores | None = None

    def to_json(self) -> str:
        """Return the scores as JSON, ratios of pixels included; NaN and infinity are null."""
        values = asdict(self)
        if self.pixels:
            values["pixels"] |= {key: getattr(self.pixels, key) for key in ("iou", "precision", "recall")}
        return json.dumps(_finite(values), indent=2, ensure_ascii=False) + "\n"


def wilson(found: int, total: int) -> Share:
    """Return the share with its 95 % score interval (Wilson 1927), which holds at 0, at 1 and for few.

    >>> share = wilson(9, 10); round(share.low, 3), round(share.high, 3)
    (0.596, 0.982)
    """
    if not total:
        return Share(found, total, math.nan, math.nan, math.nan)
    z = 1.959964
    share = found / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low, high = (middle - half) / scale, (middle + half) / scale
    # At 0 and 1 a bound is the share itself; rounding must not put it beyond.
    return Share(found, total, share, max(0.0, min(low, share)), min(1.0, max(high, share)))


def evaluate_images(
    model: str, folder: Path, *, gsd_m: float, every: int = 1, threshold: float = 0.5
) -> Evaluation:
    """Score the pixels of a model package on images/ and masks/ in *folder*, see `samples.read_pairs`.

    Only files whose number is a multiple of *every* are looked at (1: all); so the images that a training
    held out can be scored. Raises ModelError where the package is not for such images.
    """
    package = find_package(model)
    check_fits(package, ("red", "green", "blue"), gsd_m)
    segmenter = load_segmenter(package, precision="auto")
    images = (i for i in read_pairs(folder, gsd_m=gsd_m) if every == 1 or is_held_out(i.name, every))
    pixels = score_images(segmenter, images, threshold=threshold)
    return Evaluation(folder.name, package.id, package.checksum, pixels=pixels)


def evaluate_review(review: Path, bounds: Bounds | None = None) -> Evaluation:
    """Score the objects of a run, read from its review.gpkg: its detections against its map.

    Mapped objects that the imagery does not show, or hides, do not count; see MIN_VISIBLE_SHARE.
    """
    import pyogrio

    try:
        detections = pyogrio.read_dataframe(review, layer="detection")
        mapped = pyogrio.read_dataframe(review, layer="map_status")
        run = pyogrio.read_dataframe(review, layer="run").iloc[0]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, IndexError) as error:
        found = " ".join(str(error).split())
        raise PublishError(f"{review}: expected the review.gpkg of a run, found {found}") from error
    shown = mapped["visible_share"].to_numpy(np.float64) >= MIN_VISIBLE_SHARE
    objects = score_objects(detections, mapped, bounds, assessable=shown)
    return Evaluation(str(run["flight_id"]), run["model_id"], run["model_checksum"], objects=objects)


def score_pixels(seen: NDArray[np.bool_], label: NDArray[np.uint8], *, value: int = 1) -> PixelScores:
    """Hold *seen* (row, col) against labels (row, col): 0 background, *value* the class, from 254 unknown."""
    known, true = label < 254, label == value
    return PixelScores(
        hit=int(np.count_nonzero(seen & true)),
        false=int(np.count_nonzero(seen & ~true & known)),
        missed=int(np.count_nonzero(true & ~seen)),
    )


def score_images(
    segmenter: Segmenter, images: Iterable[LabelledImage], *, threshold: float = 0.5
) -> PixelScores:
    """Predict every image whole and add up the pixels of the first class."""
    total = PixelScores(0, 0, 0)
    for image in images:
        rows, cols = image.label.shape
        chip = np.zeros((3, -(-rows // STRIDE_PX) * STRIDE_PX, -(-cols // STRIDE_PX) * STRIDE_PX), np.uint8)
        chip[:, :rows, :cols] = image.image.transpose(2, 0, 1)
        total += score_pixels(segmenter(chip)[0, :rows, :cols] >= threshold, image.label)
    return total


def score_objects(
    detections: gpd.GeoDataFrame,
    mapped: gpd.GeoDataFrame,
    bounds: Bounds | None,
    *,
    assessable: NDArray[np.bool_] | None = None,
    tolerance_m: float = 2.5,
    overlap: float = 0.3,
    min_area_m2: float = 15.0,
) -> ObjectScores:
    """Hold detections against mapped objects (one CRS, metres) by group matching; see `geoai.matching`.

    Counted are those whose inner point lies in *bounds* (None: anywhere), mapped objects only where
    *assessable* (map,): what the imagery does not show cannot be found. All take part in the matching, so
    that an object on the edge has its counterpart.
    """
    map_shapes, seen_shapes = mapped.geometry.to_numpy(), detections.geometry.to_numpy()
    groups = match_groups(map_shapes, seen_shapes, np.full(len(map_shapes), tolerance_m), overlap=overlap)
    found = np.isin(groups.map_group, groups.seen_group)
    confirmed = np.isin(groups.seen_group, groups.map_group)
    map_m2, seen_m2 = shapely.area(map_shapes), shapely.area(seen_shapes)
    map_inside, seen_inside = _inside(map_shapes, bounds), _inside(seen_shapes, bounds)
    if assessable is not None:
        map_inside &= assessable

    def recall(low: float, high: float) -> Share:
        return _share(found, map_inside & (low <= map_m2) & (map_m2 < high))

    def precision(low: float, high: float) -> Share:
        return _share(confirmed, seen_inside & (low <= seen_m2) & (seen_m2 < high))

    all_recall, all_precision = recall(min_area_m2, math.inf), precision(min_area_m2, math.inf)
    return ObjectScores(
        recall=all_recall,
        precision=all_precision,
        f1=_ratio(2 * all_recall.value * all_precision.value, all_recall.value + all_precision.value),
        min_area_m2=min_area_m2,
        by_size=tuple(
            SizeScores(low, high, recall(low, high), precision(low, high)) for low, high in SIZE_BINS_M2
        ),
    )


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the scores as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(evaluation.to_json(), encoding="utf-8")


def _inside(shapes: NDArray[Any], bounds: Bounds | None) -> NDArray[np.bool_]:
    """Return which *shapes* (object,) have their inner point in *bounds*."""
    if bounds is None:
        return np.ones(len(shapes), bool)
    points = shapely.point_on_surface(shapes)
    x, y = shapely.get_x(points), shapely.get_y(points)
    left, bottom, right, top = bounds
    inside: NDArray[np.bool_] = (left <= x) & (x < right) & (bottom <= y) & (y < top)
    return inside


def _share(hit: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Share:
    return wilson(int(np.count_nonzero(hit & counted)), int(np.count_nonzero(counted)))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
