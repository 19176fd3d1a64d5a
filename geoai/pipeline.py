"""The straight line: from a flight's folder to a GeoPackage, resumable at every tile.

The command line calls `run`; the Prefect flow calls the same stage functions as tasks. What is done is read
from the catalogue: a tile whose fingerprint (inputs, settings, model) is unchanged is skipped.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from geoai import assessment, flight, tiling
from geoai.catalog import open_catalog
from geoai.config import Settings
from geoai.engine import work_on
from geoai.errors import CatalogError, FindingsError, GeoaiError
from geoai.files import write_json
from geoai.flight import Finding, Flight
from geoai.grid import TileScheme, parse_crs
from geoai.locks import hold_flight
from geoai.model import ModelPackage, check_fits
from geoai.tilejobs import Cutter, Predictor, TileOutcome, Tracer, is_there, pending
from geoai.tiling import BAND_NAMES

log = logging.getLogger(__name__)

LAST_RUN = "last-run.json"
MAY_PASS = {"away", "tile_failed", "not_merged"}
"""Findings whose cause may be gone when the flight is run again."""
SAID = 3
"""How many findings an error names."""
Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) as work proceeds."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A flight that was looked at: what can be used, what was found, and the tile scheme it goes on."""

    flight: Flight
    findings: tuple[Finding, ...]
    scheme: TileScheme


@dataclass(slots=True)
class StageReport:
    """What a stage did: seconds of wall time and tiles (or rows) by outcome."""

    name: str
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, outcomes: Sequence[TileOutcome]) -> None:
        """Add up the outcomes of tiles."""
        for outcome in outcomes:
            self.counts[outcome.outcome] = self.counts.get(outcome.outcome, 0) + 1


@dataclass(frozen=True, slots=True)
class RunResult:
    """What each stage of a run took, and what was found on the way.

    *current* is the standing review of the flight, the one to open; *review* is the run's own, its record.
    """

    flight_id: str
    review: Path
    current: Path
    stages: tuple[StageReport, ...]
    findings: tuple[Finding, ...]
    signals: Mapping[str, int]
    peak_memory_mb: int

    def raise_for_errors(self) -> None:
        """Raise FindingsError where sheets cannot be used, GeoaiError where another run may find more."""
        errors = [finding for finding in self.findings if finding.severity == "error"]
        if errors:
            more = f"; and {len(errors) - SAID:,} more, see the findings" if len(errors) > SAID else ""
            said = "; ".join(map(str, errors[:SAID])) + more
            raise GeoaiError(said) if any(each.code in MAY_PASS for each in errors) else FindingsError(said)


def run(settings: Settings, progress: Progress = lambda stage, done, total: None) -> RunResult:
    """Take the configured flight to a reviewed-ready GeoPackage and say what was done.

    Raises GeoaiError where nothing can be done (no usable imagery, no map, no model, another run of the
    flight). Single tiles and sheets that fail are findings; the rest goes on.
    """
    held = hold_flight(settings.data, settings.flight.name, settings.catalog)
    with held, recorded(settings) as stages:
        return _run(settings, assessment.open_inputs(settings), stages, progress)


def _run(settings: Settings, model: ModelPackage, stages: list[StageReport], progress: Progress) -> RunResult:
    with timed("accept", stages) as stage:
        acceptance = accept(settings, progress)
        stage.counts["sheets"] = len(acceptance.flight.orthophotos)
    flown, scheme = acceptance.flight, acceptance.scheme
    check_fits(model, BAND_NAMES[: flown.band_count], scheme.gsd_m)

    with timed("tile", stages) as stage:
        cutter = Cutter.of(settings, flown, scheme)
        jobs, cut = pending(cutter, plan_cuts(cutter, acceptance))
        cut += work_on(cutter, jobs, settings.engine, partial(progress, "tile"))
        finish_tiles(cutter, acceptance, cut)
        stage.count(cut)
    with timed("predict", stages) as stage:
        stored = cutter.store.add_model(model)  # workers find what the catalogue holds
        predictor = Predictor.of(settings, flown, scheme, stored)
        to_predict, seen = pending(predictor, predictor.jobs())
        seen += work_on(predictor, to_predict, settings.engine, partial(progress, "predict"), on_gpu=True)
        finish_predictions(predictor, seen)
        stage.count(seen)
    with timed("trace", stages) as stage:
        tracer = Tracer.of(settings, flown, scheme, model)
        to_trace, traced = pending(tracer, tracer.jobs())
        traced += work_on(tracer, to_trace, settings.engine, partial(progress, "trace"))
        stage.count(traced)
    with timed("compare", stages) as stage:
        failed = failed_tiles([*cut, *seen])
        review, signals = assessment.make_review(
            settings, flown, scheme, model, failed, partial(progress, "compare")
        )
        stage.counts |= signals
    with timed("merge", stages):
        current, unmerged = assessment.merge_review(settings, review, progress)
    return finish_run(acceptance, review, current, signals, stages, [*cut, *seen], unmerged)


def failed_tiles(outcomes: Sequence[TileOutcome]) -> list[str]:
    """Return the ids of the tiles that failed in one of the stages."""
    return sorted({outcome.tile_id for outcome in outcomes if outcome.outcome == "failed"})


def finish_run(
    acceptance: Acceptance,
    review: Path,
    current: Path,
    signals: Mapping[str, int],
    stages: Sequence[StageReport],
    outcomes: Sequence[TileOutcome],
    findings: Sequence[Finding] = (),
) -> RunResult:
    """Put together what a run did, tiles that failed as findings, and write `run.json` beside the review.

    *findings* are those that came after the acceptance of the flight.
    """
    failures = (
        Finding(outcome.tile_id, "tile_failed", "error", outcome.message)
        for outcome in outcomes
        if outcome.outcome == "failed"
    )
    result = RunResult(
        flight_id=acceptance.flight.id,
        review=review,
        current=current,
        stages=tuple(stages),
        findings=(*acceptance.findings, *failures, *findings),
        signals=signals,
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
    _write_summary(result)
    return result


def _write_summary(result: RunResult) -> None:
    content = {
        "finished": _now(),
        "flight": result.flight_id,
        "stages": [asdict(stage) for stage in result.stages],
        "signals": dict(result.signals),
        "findings": [asdict(finding) for finding in result.findings],
        "peak_memory_mb": result.peak_memory_mb,
    }
    write_json(result.review.parent / "run.json", content)


@contextmanager
def recorded(settings: Settings) -> Iterator[list[StageReport]]:
    """Keep `last-run.json` in the flight's folder of runs: what stages were done, and what stopped the run.

    The block adds the stages. *finished* is null of a run that is at work, or was killed; *error* of one that
    came through, whose findings are in the `run.json` beside its review.
    """
    flight_id, stages, error = settings.flight.name, list[StageReport](), None
    started = _now()

    def write(finished: str | None) -> None:
        content = {
            "flight": flight_id,
            "started": started,
            "finished": finished,
            "stages": [asdict(stage) for stage in stages],
            "error": error,
        }
        write_json(settings.data / "runs" / flight_id / LAST_RUN, content)

    write(finished=None)
    try:
        yield stages
    except BaseException as raised:
        error = {"type": type(raised).__name__, "message": str(raised)}
        with suppress(OSError):  # a full disk is what stopped the run, and is what is to be told
            write(_now())
        raise
    write(_now())


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def accept(settings: Settings, progress: Progress = lambda stage, done, total: None) -> Acceptance:
    """Look at the flight's folder: which sheets can be used, and what is wrong with the rest."""
    crs = parse_crs(settings.crs)
    memo = open_catalog(settings).collection_folder(settings.flight.name) / "orthophotos.memo"
    flown, findings = flight.scan_flight(
        settings.flight, crs, memo=memo, progress=partial(progress, "accept")
    )
    return Acceptance(flown, tuple(findings), tiling.tile_scheme(flown, settings.tiling))


def plan_cuts(cutter: Cutter, acceptance: Acceptance) -> list[tiling.TileJob]:
    """Return a job for each tile under the flight's sheets, those left out that are known to be empty."""
    empty, jobs = _read_empty(cutter), tiling.plan_tiles(acceptance.flight, acceptance.scheme)
    return [job for job in jobs if job.tile_id not in empty or empty[job.tile_id] != cutter.mark(job)]


def _remember_empty(cutter: Cutter, acceptance: Acceptance, outcomes: Sequence[TileOutcome]) -> None:
    """Note the fingerprints of tiles without imagery: they have no item that would tell."""
    known = _read_empty(cutter)
    found = {outcome.tile_id for outcome in outcomes if outcome.outcome == "empty"}
    if not (found or known):
        return
    jobs = tiling.plan_tiles(acceptance.flight, acceptance.scheme)
    marks = {job.tile_id: cutter.mark(job) for job in jobs if job.tile_id in found | known.keys()}
    empty = {name: mark for name, mark in marks.items() if name in found or known[name] == mark}
    if empty != known:
        write_json(_empty_memo(cutter), empty)


def _read_empty(cutter: Cutter) -> dict[str, str]:
    """Return the fingerprints of tiles without imagery, by id."""
    try:
        known = json.loads(_empty_memo(cutter).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _empty_memo(cutter: Cutter) -> Path:
    return cutter.store.collection_folder(cutter.collection) / "empty.memo"


def finish_tiles(cutter: Cutter, acceptance: Acceptance, outcomes: Sequence[TileOutcome]) -> None:
    """Drop tiles whose sheets left the flight and write the imagery's collection.

    Tiles of sheets that are there and cannot be read stay, unless they were cut for another scheme.
    Raises CatalogError where no tile is there to go on with.
    """
    store, flown = cutter.store, acceptance.flight
    kept = {outcome.tile_id for outcome in outcomes if outcome.outcome != "empty"} | cutter.spared
    failed = failed_tiles(outcomes)
    kept -= {tile_id for tile_id in failed if not is_there(store, flown.id, tile_id, cutter.scheme)}
    _remember_empty(cutter, acceptance, outcomes)
    for tile_id in store.remove_items(flown.id, keep=kept):
        log.info("%s: tile %s removed, its sheets left the flight", flown.id, tile_id)
    if store.is_empty(flown.id):
        reasons = sorted({outcome.message for outcome in outcomes if outcome.message})
        raise CatalogError(f"{flown.id}: expected tiles with imagery, found none; {'; '.join(reasons)}")
    store.write_collection(
        flown.id,
        title=f"Orthophotos of flight {flown.id}",
        description=f"{len(flown.orthophotos)} orthophotos cut into {acceptance.scheme.tile_m} m tiles.",
    )


def finish_predictions(predictor: Predictor, outcomes: Sequence[TileOutcome]) -> None:
    """Drop predictions of tiles that are gone and write the predictions' collection."""
    store, name, model = predictor.store, predictor.collection, predictor.model.id
    store.remove_items(name, keep={outcome.tile_id for outcome in outcomes if outcome.outcome != "failed"})
    if store.is_empty(name):
        raise CatalogError(f"{name}: expected predictions, found none")
    link = {"href": f"../../models/{model}/{model}.json", "type": "application/geo+json"}
    store.write_collection(
        name,
        title=f"{model} on flight {predictor.flight_id}",
        description=f"Class probabilities of flight {predictor.flight_id} by model {model}.",
        links=[{"rel": "derived_from", **link}],
    )


@contextmanager
def timed(name: str, stages: list[StageReport]) -> Iterator[StageReport]:
    """Add a stage to *stages* and time the block."""
    stage = StageReport(name)
    stages.append(stage)
    start = time.perf_counter()
    try:
        yield stage
    finally:
        stage.seconds = round(time.perf_counter() - start, 2)
    log.info("%s: %s in %.1f s", name, stage.counts, stage.seconds)
