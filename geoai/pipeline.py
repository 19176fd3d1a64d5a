"""The straight line: from a flight's folder to a GeoPackage, resumable at every tile.

The command line calls `run`; the Prefect flow calls the same stage functions as tasks. What is done is read
from the catalogue: a tile whose fingerprint (inputs, settings, model) is unchanged is skipped.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from rasterio.errors import RasterioError

from geoai import assessment, catalog, flight, prediction, tiling
from geoai.catalog import Catalog
from geoai.config import PredictionSettings, Settings
from geoai.errors import CatalogError
from geoai.flight import Finding, Flight
from geoai.grid import TileScheme, crs_name, parse_crs
from geoai.model import STRIDE_PX, ModelPackage, Segmenter, check_fits, load_segmenter
from geoai.raster import P_NODATA, appearing_whole
from geoai.tiling import BAND_NAMES, TileJob

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) as work proceeds."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A flight that was looked at: what can be used, what was found, and the tile scheme it goes on."""

    flight: Flight
    findings: tuple[Finding, ...]
    scheme: TileScheme


@dataclass(frozen=True, slots=True)
class TileOutcome:
    """What became of one tile in one stage; *message* says why where it failed."""

    tile_id: str
    outcome: Literal["done", "skipped", "empty", "failed"]
    message: str = ""


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


def run(settings: Settings, progress: Progress = lambda stage, done, total: None) -> RunResult:
    """Take the configured flight to a reviewed-ready GeoPackage and say what was done.

    Raises GeoaiError where nothing can be done (no usable imagery, no map, no model). Single tiles and sheets
    that fail are findings; the rest goes on.
    """
    model = assessment.open_inputs(settings)
    stages: list[StageReport] = []
    with timed("accept", stages) as stage:
        acceptance = accept(settings, progress)
        stage.counts["sheets"] = len(acceptance.flight.orthophotos)
    check_fits(model, BAND_NAMES[: acceptance.flight.band_count], acceptance.scheme.gsd_m)

    with timed("tile", stages) as stage:
        jobs = tiling.plan_tiles(acceptance.flight, acceptance.scheme)
        cut = in_parallel(partial(cut_tile, settings, acceptance), jobs, settings, partial(progress, "tile"))
        finish_tiles(settings, acceptance, cut)
        stage.count(cut)
    with timed("predict", stages) as stage:
        reader = TileReader(settings, acceptance, model)
        seen = in_parallel(reader.predict, reader.tile_ids, settings, partial(progress, "predict"))
        finish_predictions(settings, acceptance, model, seen)
        stage.count(seen)
    with timed("compare", stages) as stage:
        review, signals = assessment.make_review(
            settings,
            acceptance.flight,
            acceptance.scheme,
            model,
            failed_tiles([*cut, *seen]),
            partial(progress, "compare"),
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
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "flight": result.flight_id,
        "stages": [asdict(stage) for stage in result.stages],
        "signals": dict(result.signals),
        "findings": [asdict(finding) for finding in result.findings],
        "peak_memory_mb": result.peak_memory_mb,
    }
    with appearing_whole(result.review.parent / "run.json") as target:
        target.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def accept(settings: Settings, progress: Progress = lambda stage, done, total: None) -> Acceptance:
    """Look at the flight's folder: which sheets can be used, and what is wrong with the rest."""
    crs = parse_crs(settings.crs)
    memo = settings.data / "catalog" / "flights" / settings.flight.name / "orthophotos.memo"
    looked_at = 0

    def on_file(_: str) -> None:
        nonlocal looked_at
        looked_at += 1
        progress("accept", looked_at, 0)

    flown, findings = flight.scan_flight(settings.flight, crs, memo=memo, on_file=on_file)
    return Acceptance(flown, tuple(findings), tiling.tile_scheme(flown, settings.tiling))


def cut_tile(settings: Settings, acceptance: Acceptance, job: TileJob) -> TileOutcome:
    """Cut one tile unless it is there already, and commit its image item."""
    flown, scheme = acceptance.flight, acceptance.scheme
    store = Catalog(settings.data / "catalog")
    sources = {ortho.name: ortho.checksum for ortho in job.orthophotos}
    mark = catalog.fingerprint(
        "image",
        sources,
        settings.tiling.model_dump(),
        settings.flight.white_level,
        flown.band_count,
        (crs_name(scheme.crs), scheme.gsd_m, scheme.tile_m),
        [moment.isoformat() for moment in flown.interval] if flown.date else None,
    )
    if store.is_done(flown.id, job.tile_id, mark):
        return TileOutcome(job.tile_id, "skipped")
    try:
        data, valid = tiling.read_tile(
            job, scheme, band_count=flown.band_count, white_level=settings.flight.white_level
        )
    except RasterioError as error:
        return TileOutcome(job.tile_id, "failed", f"expected readable orthophotos, found: {error}")
    if not valid.any():
        return TileOutcome(job.tile_id, "empty")
    image = store.collection_folder(flown.id) / job.tile_id / "image.tif"
    grid = scheme.grid_of(scheme.tile_box(job.tile_id))
    tiling.write_tile(image, data, valid, grid, settings.tiling, list(sources))
    item = catalog.image_item(
        job.tile_id,
        flown.id,
        scheme,
        image=image,
        valid=valid,
        band_names=BAND_NAMES[: len(data)],
        interval=flown.interval,
        dated=flown.date is not None,
        sources={_href(ortho.path, image.parent): ortho.checksum for ortho in job.orthophotos},
        fingerprint=mark,
    )
    store.write_item(flown.id, item)
    return TileOutcome(job.tile_id, "done")


def _href(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def finish_tiles(settings: Settings, acceptance: Acceptance, outcomes: Sequence[TileOutcome]) -> None:
    """Drop tiles whose sheets left the flight and write the imagery's collection.

    Raises CatalogError where no tile is there to go on with.
    """
    store, flown = Catalog(settings.data / "catalog"), acceptance.flight
    kept = {outcome.tile_id for outcome in outcomes if outcome.outcome != "empty"}
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


def prediction_mark(
    tile_id: str,
    images: Mapping[str, Any],
    scheme: TileScheme,
    options: PredictionSettings,
    model: ModelPackage,
) -> tuple[list[str], str]:
    """Return the tiles of *images* (items by id) that a tile's prediction reads, and its fingerprint."""
    reach = scheme.tile_box(tile_id).snapped(STRIDE_PX).grown(options.halo_px)
    near = [name for name in scheme.tiles_over(reach) if name in images]
    mark = catalog.fingerprint(
        "prediction",
        {name: images[name]["assets"]["image"]["file:checksum"] for name in near},
        options.model_dump(include={"window_px", "halo_px", "precision"}),
        model.checksum,
        asdict(model.calibration),
    )
    return near, mark


class TileReader:
    """Predicts the tiles of one flight; the network is loaded when the first tile needs it."""

    def __init__(self, settings: Settings, acceptance: Acceptance, model: ModelPackage) -> None:
        """Read the flight's image items."""
        self.settings, self.acceptance, self.model = settings, acceptance, model
        self.store = Catalog(settings.data / "catalog")
        self.collection = f"{acceptance.flight.id}.{model.id}"
        self.images = {item["id"]: item for item in self.store.items(acceptance.flight.id)}
        self.tile_ids = list(self.images)
        self._bands = model.read_bands(BAND_NAMES[: acceptance.flight.band_count])
        self._files = {
            tile_id: self.store.file(item, "image", acceptance.scheme)
            for tile_id, item in self.images.items()
        }
        self._lock = threading.Lock()
        self._segmenter: Segmenter | None = None

    def predict(self, tile_id: str) -> TileOutcome:
        """Predict one tile unless it is there already, and commit its item."""
        scheme, options = self.acceptance.scheme, self.settings.prediction
        box = scheme.tile_box(tile_id)
        near, mark = prediction_mark(tile_id, self.images, scheme, options, self.model)
        if self.store.is_done(self.collection, tile_id, mark):
            return TileOutcome(tile_id, "skipped")
        try:
            probability = prediction.predict_tile(
                box,
                [self._files[name] for name in near],
                self._network(),
                band_count=len(self._bands),
                class_count=len(self.model.classes),
                window_px=options.window_px,
                halo_px=options.halo_px,
            )
        except RasterioError as error:
            return TileOutcome(tile_id, "failed", f"expected readable tiles, found: {error}")
        path = self.store.collection_folder(self.collection) / tile_id / "probability.tif"
        prediction.write_prediction(path, probability, box, scheme, self.model.classes)
        item = catalog.prediction_item(
            self.images[tile_id],
            self.collection,
            scheme,
            probability=path,
            valid=probability[0] != P_NODATA,
            classes=self.model.classes,
            model_id=self.model.id,
            model_checksum=self.model.checksum,
            fingerprint=mark,
        )
        self.store.write_item(self.collection, item)
        return TileOutcome(tile_id, "done")

    def _network(self) -> Segmenter:
        import torch

        # Tiles are predicted side by side, a thread each: threads inside the network would fight over the
        # same cores. OpenMP keeps the number per calling thread, so each worker says it.
        torch.set_num_threads(1)
        with self._lock:
            if self._segmenter is None:
                precision = self.settings.prediction.precision
                self._segmenter = load_segmenter(self.model, precision=precision, bands=self._bands)
            return self._segmenter


def finish_predictions(
    settings: Settings, acceptance: Acceptance, model: ModelPackage, outcomes: Sequence[TileOutcome]
) -> None:
    """Drop predictions of tiles that are gone and write the predictions' collection and the model's item."""
    store, flown = Catalog(settings.data / "catalog"), acceptance.flight
    name = f"{flown.id}.{model.id}"
    store.remove_items(name, keep={outcome.tile_id for outcome in outcomes if outcome.outcome != "failed"})
    if store.is_empty(name):
        raise CatalogError(f"{name}: expected predictions, found none")
    store.add_model(model.folder)
    link = {"href": f"../../models/{model.id}/{model.id}.json", "type": "application/geo+json"}
    store.write_collection(
        name,
        title=f"{model.id} on flight {flown.id}",
        description=f"Class probabilities of flight {flown.id} by model {model.id}.",
        links=[{"rel": "derived_from", **link}],
    )


def in_parallel(
    work: Callable[[T], TileOutcome],
    items: Sequence[T],
    settings: Settings,
    progress: Callable[[int, int], None],
) -> list[TileOutcome]:
    """Do *work* on every item in threads (raster and network code release the GIL), in the items' order.

    The first exception cancels what has not begun and is raised.
    """
    outcomes = []
    with ThreadPoolExecutor(settings.prediction.workers or usable_cores()) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for done, future in enumerate(futures, start=1):
                outcomes.append(future.result())
                progress(done, len(items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcomes


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def timed(name: str, stages: list[StageReport]) -> Iterator[StageReport]:
    """Add a stage to *stages* and time the block."""
    stage = StageReport(name)
    stages.append(stage)
    start = time.perf_counter()
    yield stage
    stage.seconds = round(time.perf_counter() - start, 2)
    log.info("%s: %s in %.1f s", name, stage.counts, stage.seconds)
