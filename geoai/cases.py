"""What an evaluation says to people: tables, sentences, and the worst cases to look at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.contactsheet import Case, CaseMaker, Kind, Section, Table
from geoai.raster import P_SCALE, read_lattice
from geoai.resampling import Comparison
from geoai.samples import burn
from geoai.scorecard import Evaluation, Probabilities, Result, Scene, Seen
from geoai.scoring import (
    BOUNDARY_M,
    MIN_AREA_M2,
    OVERLAP,
    SAME_IOU,
    Held,
    Mask,
    ObjectScores,
    Outcome,
    Share,
    outline_iou,
)

CASES = 30
"""Cases shown of a kind."""
KINDS = {
    "pixels": "pixels",
    "boundary": f"boundary, {BOUNDARY_M:g} m",
    "objects": "objects by group",
    "one_to_one": f"objects, IoU ≥ {SAME_IOU:g}",
    "reviewed.objects": "by group, reviewed",
    "reviewed.one_to_one": f"IoU ≥ {SAME_IOU:g}, reviewed",
}
WORDS = {"iou": "IoU", "recall": "recall", "precision": "precision", "f1": "F1"}


def worst_cases(scene: Scene, seen: Sequence[Seen], result: Result) -> tuple[Section, ...]:
    """Return the cases to look at of each model, worst first."""
    return tuple(
        section
        for prefix, each, held in zip(_prefixes(result), seen, result.held, strict=True)
        for section in _worst(scene, each, held, prefix)
    )


def _prefixes(result: Result) -> tuple[str, ...]:
    return ("A: ", "B: ") if result.comparison else ("",)


def tables(result: Result) -> list[Table]:
    """Return the measures as text: of each model, by size, and the comparison of two."""
    made = []
    for prefix, evaluation in zip(_prefixes(result), result.evaluations, strict=True):
        name = prefix + evaluation.model_id
        made.append(_measure_table(evaluation, name))
        made += [_size_table(scores, f"{name}, {KINDS[kind]}") for kind, scores in _objects(evaluation)]
    if result.comparison:
        made.insert(0, _comparison_table(result.comparison))
    return made


def remarks(result: Result) -> list[str]:
    """Return in sentences what was evaluated, what was set aside, and whether two models differ."""
    first = result.evaluations[0]
    lines = [
        f"{first.name}: {' and '.join(f'{e.model_id} ({e.checksum[:8]})' for e in result.evaluations)}. "
        f"Objects are of {MIN_AREA_M2:g} m² and more unless by size. Intervals are 95 %: of shares of "
        f"objects by Wilson, of all else over {first.units}, resampled."
    ]
    if result.comparison:
        lines.insert(0, result.comparison.sentence[0].upper() + result.comparison.sentence[1:] + ".")
    for prefix, evaluation in zip(_prefixes(result), result.evaluations, strict=True):
        if evaluation.reviewed:
            aside = evaluation.reviewed.set_aside
            lines.append(
                f"{prefix}Set aside of objects ≥ {MIN_AREA_M2:g} m²: {aside.labels_without_building} labels "
                f"without a building and {aside.labels_unclear} unclear, {aside.detections_of_buildings} "
                f"detections of buildings that the labels lack and {aside.detections_unclear} unclear; "
                f"without a verdict yet: {aside.missed_without_verdict} missed labels, "
                f"{aside.unmatched_without_verdict} unmatched detections."
            )
    return lines


def _objects(evaluation: Evaluation) -> Iterator[tuple[str, ObjectScores]]:
    yield "objects", evaluation.objects
    yield "one_to_one", evaluation.one_to_one
    if evaluation.reviewed:
        yield "reviewed.objects", evaluation.reviewed.objects
        yield "reviewed.one_to_one", evaluation.reviewed.one_to_one


def _measure_table(evaluation: Evaluation, name: str) -> Table:
    shares = {
        f"{kind}.{side}": getattr(scores, side)
        for kind, scores in _objects(evaluation)
        for side in ("recall", "precision")
    }
    rows = []
    if evaluation.reliability:
        rows.append(("pixels", "calibration error", _figure(evaluation.reliability.ece)))
    if evaluation.confidence:
        rows.append(("detections", "calibration error", _figure(evaluation.confidence.ece)))
    for key, (of, measure) in _in_order(evaluation.intervals):
        interval, share = evaluation.intervals[key], shares.get(key)
        value = _share(share) if share else _figure(interval.value, interval.low, interval.high)
        rows.append((of, measure, value))
    return Table(name, ("of", "measure", "value (95 %)"), tuple(rows))


def _in_order(keys: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the measures' keys by kind, each with the words for its kind and its measure."""
    for kind, words in KINDS.items():
        for key in keys:
            if key.rpartition(".")[0] == kind:
                yield key, (words, WORDS[key.rpartition(".")[2]])


def _size_table(scores: ObjectScores, title: str) -> Table:
    rows = tuple(
        (
            f"{size.from_m2:g} to {size.to_m2:g}"
            if math.isfinite(size.to_m2)
            else f"{size.from_m2:g} and more",
            _share(size.recall),
            _share(size.precision),
            _figure(size.f1),
        )
        for size in scores.by_size
    )
    return Table(title, ("m²", "recall", "precision", "F1"), rows)


def _comparison_table(comparison: Comparison) -> Table:
    rows = []
    for key, words in _in_order(comparison.differences):
        each = comparison.differences[key]
        difference = f"{each.difference:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
        rows.append((*words, _figure(each.a), _figure(each.b), difference, _p_value(each.share)))
    return Table("B − A", ("of", "measure", "A", "B", "difference (95 %)", "p"), tuple(rows))


def _p_value(share: float) -> str:
    if math.isnan(share):
        return "none"
    return f"{share:.3f}" if share >= 0.001 else "< 0.001"


def _share(share: Share) -> str:
    figure = _figure(share.value, share.low, share.high)
    return f"{figure}, {share.found} of {share.total}" if share.total else figure


def _figure(value: float, low: float = math.nan, high: float = math.nan) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:.3f}" if math.isnan(low) else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _worst(scene: Scene, seen: Seen, held: Held, prefix: str) -> Iterator[Section]:
    """Yield what was missed and what was falsely seen, largest first, and the worst outlines of the rest."""
    labels, detections = scene.labels.geometry.to_numpy(), seen.detections.geometry.to_numpy()
    ids = scene.labels["map_object_id"].astype(str).to_numpy()
    p_mean = seen.detections["p_mean"].to_numpy(np.float64)
    maker = CaseMaker(scene.photo, labels, detections)

    def case(shape: shapely.Geometry, kind: Kind, *facts: str) -> Case:
        point = shapely.point_on_surface(shape)
        return maker.make(
            shape, kind, [*filter(None, (f"{shape.area:.0f} m²", *facts)), scene.place(point.x, point.y)]
        )

    missed = _largest(held.labels, ~held.labels.matched)
    yield Section(
        f"{prefix}labelled, not seen",
        f"Labels without a detection that shares {OVERLAP:.0%} of the smaller; largest first. "
        "p: mean probability within the label.",
        len(missed),
        tuple(
            case(labels[row], "label", _p(_mean_probability(labels[row], seen.probabilities)), ids[row])
            for row in missed[:CASES]
        ),
    )
    false = _largest(held.detections, ~held.detections.matched)
    yield Section(
        f"{prefix}seen, not labelled",
        "Detections without a label, whether they or the labels are wrong; largest first. "
        "p: mean probability of the detection.",
        len(false),
        tuple(case(detections[row], "detection", _p(p_mean[row])) for row in false[:CASES]),
    )
    group, iou = outline_iou(labels, detections)
    found = _largest(held.labels, held.labels.matched & (held.labels.area_m2 >= MIN_AREA_M2))
    outlines = found[np.unique(group[found], return_index=True)[1]]  # the largest label of each group
    outlines = outlines[np.argsort(iou[outlines], kind="stable")]
    yield Section(
        f"{prefix}outlines",
        f"Labels ≥ {MIN_AREA_M2:g} m² and detections that are matched by group; those first whose union they "
        "share least of.",
        len(outlines),
        tuple(case(labels[row], "label", f"IoU {iou[row]:.2f}", ids[row]) for row in outlines[:CASES]),
    )


def _largest(side: Outcome, mask: Mask) -> NDArray[np.intp]:
    """Return the rows that count and are in *mask*, largest first."""
    rows = np.flatnonzero(side.counted & mask)
    return rows[np.argsort(-side.area_m2[rows], kind="stable")]


def _p(value: float) -> str:
    return "" if math.isnan(value) else f"p {value:.2f}"


def _mean_probability(shape: shapely.Geometry, probabilities: Probabilities | None) -> float:
    """Return the mean probability of the pixels within *shape*; NaN where there is none."""
    if probabilities is None:
        return math.nan
    box = probabilities.scheme.box_around(shape.bounds)
    data, valid = read_lattice(probabilities.files, box, bands=(probabilities.band,))
    within = valid & (burn([shape], probabilities.scheme.grid_of(box)) > 0)
    return float(data[0][within].mean()) / P_SCALE if within.any() else math.nan
