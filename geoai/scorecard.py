"""What models made of a scene, measured, and two of them compared: `geoai.cases` says it to people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.calibration import Reliability, reliability
from geoai.contactsheet import Photo
from geoai.grid import PixelBox, TileScheme
from geoai.raster import P_SCALE, LatticeFile, read_lattice
from geoai.resampling import Blocks, Comparison, Interval, add_up, compare, intervals, object_sums
from geoai.samples import burn
from geoai.scoring import (
    BOUNDARY_M,
    MIN_AREA_M2,
    Bounds,
    Held,
    Mask,
    ObjectScores,
    Outcome,
    PixelScores,
    SetAside,
    Verdicts,
    hold,
    inner_points,
    match_by_group,
    match_one_to_one,
    pixel_masks,
    review,
    score_objects,
)

if TYPE_CHECKING:
    import geopandas as gpd


RELIABILITY_PX = 4_000_000
"""Pixels, evenly chosen, that the worth of probabilities is told from at most: a flight has billions."""
MATCHERS = {"objects": match_by_group, "one_to_one": match_one_to_one}


@dataclass(frozen=True)
class Probabilities:
    """What detections are made of: *band* (1-based) of prediction *files* (uint8, p × 250, 255 = nodata)."""

    files: Sequence[LatticeFile]
    scheme: TileScheme
    band: int
    threshold: float


@dataclass(frozen=True)
class Scene:
    """What models are held against: *labels* with map_object_id, current (bool) and geometry, in metres.

    Only what lies in *bounds* counts. *blocks* are the *units* that are resampled; *photo* reads the
    orthophoto; *place* says where on it x and y are.
    """

    name: str
    labels: gpd.GeoDataFrame
    bounds: Bounds | None
    blocks: Blocks
    units: str
    photo: Photo
    place: Callable[[float, float], str]


@dataclass(frozen=True)
class Seen:
    """What a model made of a scene: detections and their confidence; labels shown (label,), None: all."""

    model_id: str
    checksum: str
    detections: gpd.GeoDataFrame
    shown: Mask | None
    probabilities: Probabilities | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The objects' scores with what a person found wrong in the labels set aside."""

    objects: ObjectScores
    one_to_one: ObjectScores
    set_aside: SetAside


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured of one model (id, checksum of its weights) on one set of data.

    *boundary* are the pixels of the bands of BOUNDARY_M along outlines; *reliability* is of the pixels'
    probabilities, *confidence* of that of detections from MIN_AREA_M2 on; *objects* are matched by group and
    *one_to_one* by intersection over union. *intervals* are of resampled *units*, by measure.
    """

    name: str
    model_id: str
    checksum: str
    pixels: PixelScores | None
    boundary: PixelScores | None
    reliability: Reliability | None
    confidence: Reliability | None
    objects: ObjectScores
    one_to_one: ObjectScores
    reviewed: Reviewed | None
    units: str
    intervals: Mapping[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Return the scores for JSON, ratios of pixels included; NaN and infinity are None."""
        values = asdict(self)
        for key, scores in (("pixels", self.pixels), ("boundary", self.boundary)):
            if scores:
                values[key] |= {ratio: getattr(scores, ratio) for ratio in ("iou", "precision", "recall")}
        if self.boundary:
            values["boundary"]["width_m"] = BOUNDARY_M
        for key, table in (("reliability", self.reliability), ("confidence", self.confidence)):
            if table:
                values[key]["expected_calibration_error"] = table.ece
        finite: dict[str, Any] = _finite(values)
        return finite


@dataclass(frozen=True)
class Result:
    """One or two models on one scene; *held* are the objects of each by group, without what was set aside."""

    evaluations: tuple[Evaluation, ...]
    held: tuple[Held, ...]
    comparison: Comparison | None

    def to_json(self) -> str:
        """Return the scores as JSON: those of one model, or *evaluations* of two with their comparison."""
        content = self.evaluations[0].to_dict()
        if self.comparison:
            compared = _finite(asdict(self.comparison)) | {"sentence": self.comparison.sentence}
            content = {"evaluations": [each.to_dict() for each in self.evaluations], "comparison": compared}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def judge(scene: Scene, seen: Sequence[Seen], verdicts: Verdicts | None = None) -> Result:
    """Score what one or two models have *seen* of a scene, and compare them."""
    evaluations, held, counts = zip(*(_judge(scene, each, verdicts) for each in seen), strict=True)
    return Result(evaluations, held, compare(*counts) if len(counts) == 2 else None)


def _judge(scene: Scene, seen: Seen, verdicts: Verdicts | None) -> tuple[Evaluation, Held, pd.DataFrame]:
    """Return the scores of one model, its objects by group, and what was counted in each unit."""
    held, set_aside = _hold(scene, seen, verdicts)
    scores = {name: score_objects(each) for name, each in held.items()}
    shapes = scene.labels.geometry.to_numpy(), seen.detections.geometry.to_numpy()
    units = [scene.blocks.of(*inner_points(each)) for each in shapes]
    sums = [object_sums(name, each, *units) for name, each in held.items()]
    pixels = boundary = reliable = None
    if seen.probabilities:
        of_pixels, reliable = _read_pixels(scene, seen.probabilities)
        pixels, boundary = (_pixel_scores(of_pixels, name) for name in ("pixels", "boundary"))
        sums = [of_pixels, *sums]
    counts = add_up(sums)
    evaluation = Evaluation(
        name=scene.name,
        model_id=seen.model_id,
        checksum=seen.checksum,
        pixels=pixels,
        boundary=boundary,
        reliability=reliable,
        confidence=_of_confidence(seen.detections, held.get("reviewed.objects", held["objects"]).detections),
        objects=scores["objects"],
        one_to_one=scores["one_to_one"],
        reviewed=Reviewed(scores["reviewed.objects"], scores["reviewed.one_to_one"], set_aside)
        if set_aside
        else None,
        units=f"{len(counts)} {scene.units}",
        intervals=intervals(counts),
    )
    return evaluation, held.get("reviewed.objects", held["objects"]), counts


def _of_confidence(detections: gpd.GeoDataFrame, outcome: Outcome) -> Reliability | None:
    """Hold the confidence of detections against whether they have a counterpart; None where none has any."""
    if "confidence" not in detections:  # the review of an earlier version
        return None
    confidence = detections["confidence"].to_numpy(np.float64)
    told = outcome.counted & (outcome.area_m2 >= MIN_AREA_M2) & ~np.isnan(confidence)
    return reliability(confidence[told], outcome.matched[told]) if told.any() else None


def _hold(scene: Scene, seen: Seen, verdicts: Verdicts | None) -> tuple[dict[str, Held], SetAside | None]:
    """Return the objects held against each other by the ways of matching, and what was set aside by group."""
    labels, detections = scene.labels.geometry.to_numpy(), seen.detections.geometry.to_numpy()
    held = {
        name: hold(labels, detections, matcher, bounds=scene.bounds, assessable=assessable(scene, seen))
        for name, matcher in MATCHERS.items()
    }
    if verdicts is None:
        return held, None
    ids = scene.labels["map_object_id"].astype(str).tolist()
    reviewed = {
        name: review(held[name], labels, detections, matcher, ids=ids, verdicts=verdicts)
        for name, matcher in MATCHERS.items()
    }
    held |= {f"reviewed.{name}": each for name, (each, _) in reviewed.items()}
    return held, reviewed["objects"][1]


def assessable(scene: Scene, seen: Seen) -> Mask:
    """Return which labels (label,) can be found: they stand, and the imagery shows them."""
    mask: Mask = scene.labels["current"].to_numpy(bool)
    return mask if seen.shown is None else mask & seen.shown


def _read_pixels(scene: Scene, probabilities: Probabilities) -> tuple[pd.DataFrame, Reliability]:
    """Count pixels by block: labels burnt on the lattice, where imagery is valid and within the bounds.

    And tell from some of them what the probabilities are worth. Pixels of labels that are not current are
    unknown: they may be built by now.
    """
    files, scheme = probabilities.files, probabilities.scheme
    shapes, current = scene.labels.geometry.to_numpy(), scene.labels["current"].to_numpy(bool)
    tree, width_px = shapely.STRtree(shapes), BOUNDARY_M / scheme.gsd_m
    step = -(-sum(file.box.width * file.box.height for file in files) // RELIABILITY_PX)
    frames, p_known, truth = [], [np.zeros(0, np.float32)], [np.zeros(0, bool)]
    for file in files:
        reach = file.box.grown(math.ceil(width_px) + 1)
        data, valid = read_lattice(files, reach, bands=(probabilities.band,))
        grid = scheme.grid_of(reach)
        near = np.sort(tree.query(shapely.box(*grid.bounds)))
        true = burn(shapes[near[current[near]]], grid) > 0
        known = valid & (burn(shapes[near[~current[near]]], grid) == 0)
        seen = data[0] >= math.ceil(probabilities.threshold * P_SCALE - 1e-9)
        masks = pixel_masks(seen, true, known, width_px=width_px)
        rows, cols, x, y = _within(file.box, reach, scene.bounds, scheme.gsd_m)
        if len(x) and len(y):
            frames.append(scene.blocks.sums({key: mask[rows, cols] for key, mask in masks.items()}, x, y))
            chosen = known[rows, cols].ravel()[::step]
            p_known.append(data[0, rows, cols].ravel()[::step][chosen] / np.float32(P_SCALE))
            truth.append(true[rows, cols].ravel()[::step][chosen])
    return add_up(frames), reliability(np.concatenate(p_known), np.concatenate(truth))


def _within(
    box: PixelBox, reach: PixelBox, bounds: Bounds | None, gsd_m: float
) -> tuple[slice, slice, NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """Return the (row, col) slices in *reach* of the pixels of *box* whose centres lie in *bounds*.

    And x (col,) and y (row,) of their centres.
    """
    rows, cols = box.slices_in(reach)
    x = (np.arange(box.col, box.col_stop) + 0.5) * gsd_m
    y = -(np.arange(box.row, box.row_stop) + 0.5) * gsd_m
    left, bottom, right, top = bounds or (-math.inf, -math.inf, math.inf, math.inf)
    in_x, in_y = (np.flatnonzero(mask) for mask in ((left <= x) & (x < right), (bottom <= y) & (y < top)))
    if not (len(in_x) and len(in_y)):
        return slice(0, 0), slice(0, 0), x[:0], y[:0]
    return (
        slice(rows.start + int(in_y[0]), rows.start + int(in_y[-1]) + 1),
        slice(cols.start + int(in_x[0]), cols.start + int(in_x[-1]) + 1),
        x[in_x],
        y[in_y],
    )


def _pixel_scores(counts: pd.DataFrame, name: str) -> PixelScores:
    return PixelScores(*(int(counts[f"{name}.{key}"].sum()) for key in ("hit", "false", "missed")))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
