"""The straight line: from a flight's folder to a GeoPackage, resumable at every tile.

The command line calls `run`; the Prefect flow calls the same stage functions as tasks. What is done is read
from the catalogue: a tile whose fingerprint (inputs, settings, model) is unchanged is skipped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
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
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from geoai import __version__, catalog, flight, prediction, tiling
from geoai.catalog import Catalog
from geoai.config import PredictionSettings, Settings
from geoai.errors import CatalogError, ConfigError
from geoai.flight import Finding, Flight
from geoai.grid import TileScheme, crs_name, parse_crs
from geoai.model import STRIDE_PX, ModelPackage, Segmenter, check_fits, find_package, load_segmenter
from geoai.raster import P_NODATA, LatticeFile, appearing_whole, write_mosaic
from geoai.tiling import BAND_NAMES, TileJob

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely

    from geoai.ledger import Ledger

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
    """Where a run's review lies, what each stage took, what was found on the way."""

    flight_id: str
    review: Path
    stages: tuple[StageReport, ...]
    findings: tuple[Finding, ...]
    signals: Mapping[str, int]
    peak_memory_mb: int


def run(settings: Settings, progress: Progress = lambda stage, done, total: None) -> RunResult:
    """Take the configured flight to a reviewed-ready GeoPackage and say what was done.

    Raises GeoaiError where nothing can be done (no usable imagery, no map, no model). Single tiles and sheets
    that fail are findings; the rest goes on.
    """
    model = open_model(settings)  # what is wrong with the set-up shows before the first hour of work
    open_map(settings)
    open_ledger(settings)
    open_previous(settings, model)
    check_heights(settings)
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
        review, signals = make_review(settings, acceptance, model, progress)
        stage.counts |= signals
    return finish_run(acceptance, review, signals, stages, [*cut, *seen])


def finish_run(
    acceptance: Acceptance,
    review: Path,
    signals: Mapping[str, int],
    stages: Sequence[StageReport],
    outcomes: Sequence[TileOutcome],
) -> RunResult:
    """Put together what a run did, tiles that failed as findings, and write `run.json` beside the review."""
    failures = (
        Finding(outcome.tile_id, "tile_failed", "error", outcome.message)
        for outcome in outcomes
        if outcome.outcome == "failed"
    )
    result = RunResult(
        flight_id=acceptance.flight.id,
        review=review,
        stages=tuple(stages),
        findings=(*acceptance.findings, *failures),
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


def open_model(settings: Settings) -> ModelPackage:
    """Find the configured model package, shipped or in data/models, and see that it knows the map's theme."""
    model = find_package(settings.prediction.model, folders=[settings.data / "models"])
    _band_of(settings.map.theme, model)
    return model


def open_map(settings: Settings) -> tuple[gpd.GeoDataFrame, str]:
    """Read the digital map and return it with a checksum of its content: what the run was held against."""
    from geoai.maplayer import read_map

    mapped = read_map(settings.map, parse_crs(settings.crs))
    digest = hashlib.sha256()
    for name in sorted(mapped.columns):
        values = mapped.geometry.to_wkb() if name == mapped.geometry.name else mapped[name].astype(str)
        for value in values:
            digest.update(value if isinstance(value, bytes) else str(value).encode())
            digest.update(b"\0")
    return mapped, digest.hexdigest()


def open_ledger(settings: Settings) -> Ledger:
    """Return the project's ledger, which the first run makes; raises LedgerError where it is another's."""
    from geoai.ledger import Ledger

    ledger = Ledger(settings.data / "ledger.gpkg", crs_name(parse_crs(settings.crs)))
    ledger.check()
    return ledger


def open_previous(settings: Settings, model: ModelPackage) -> list[dict[str, Any]]:
    """Return the predictions of the flight that compare.previous names, none where it names none.

    Raises ConfigError where the catalogue holds none of *model* for it: other models mean other things by
    their probabilities.
    """
    previous = settings.compare.previous
    if previous is None:
        return []
    items = list(Catalog(settings.data / "catalog").items(f"{previous}.{model.id}"))
    checksums = {item["properties"]["geoai:model_checksum"] for item in items}
    if checksums != {f"1220{model.checksum}"}:
        found = "another version's" if items else "none"
        raise ConfigError(
            f"compare.previous: expected predictions of {model.id} for flight {previous} in the catalogue, "
            f"found {found}; run geoai on that flight first"
        )
    return items


def check_heights(settings: Settings) -> None:
    """Look at the configured height rasters; raises GeoaiError where they cannot be used."""
    from geoai import heights

    heights.check_heights(parse_crs(settings.crs), settings.compare.height)


def accept(settings: Settings, progress: Progress = lambda stage, done, total: None) -> Acceptance:
    """Look at the flight's folder: which sheets can be used, and what is wrong with the rest."""
    crs = parse_crs(settings.crs)
    memo = settings.data / "catalog" / "flights" / id_of_flight(settings) / "orthophotos.memo"
    looked_at = 0

    def on_file(_: str) -> None:
        nonlocal looked_at
        looked_at += 1
        progress("accept", looked_at, 0)

    flown, findings = flight.scan_flight(settings.flight, crs, memo=memo, on_file=on_file)
    return Acceptance(flown, tuple(findings), tiling.tile_scheme(flown, settings.tiling))


def id_of_flight(settings: Settings) -> str:
    """Return the flight's id in the catalogue: the configured one, else the name of its folder."""
    folder = settings.flight.folder
    return settings.flight.id or (folder.resolve().name if folder else "flight")


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


def make_review(
    settings: Settings,
    acceptance: Acceptance,
    model: ModelPackage,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Path, dict[str, int]]:
    """Hold the predictions against the map and write the review; return its path and the signals by class.

    The folder is named by what went in, so the same input finds its review (and whatever was decided in it)
    untouched, and other input gets a folder of its own. What was decided in the reviews of earlier runs is
    read into the ledger first, and is what a new review starts with.
    """
    import pyogrio

    from geoai import publish, report, sampling

    mapped, snapshot = open_map(settings)
    ledger = open_ledger(settings)
    for line in ledger.import_runs(settings.data / "runs"):
        log.warning("%s", line)
    store, scheme, flown = Catalog(settings.data / "catalog"), acceptance.scheme, acceptance.flight
    name = f"{flown.id}.{model.id}"
    marks = {item["id"]: item["properties"][catalog.FINGERPRINT] for item in store.items(name)}
    sections = {
        key: getattr(settings, key).model_dump(mode="json")
        for key in ("polygons", "compare", "publish", "report")
    } | {"policy": _policy_marks(settings)}
    config_hash = catalog.fingerprint(sections)
    fitted = model.object_calibration and asdict(model.object_calibration)
    before = open_previous(settings, model)
    beside = _marks_beside(settings, before)
    run_id = f"{model.id}-{catalog.fingerprint(marks, sections, snapshot, fitted, *beside)[:8]}"
    folder = settings.data / "runs" / flown.id / run_id
    review = folder / "review.gpkg"
    if review.exists():
        log.info("%s: up to date, left as it is", review)
        if not (folder / report.HTML).exists():  # stopped between the two
            report.write_report(folder, language=settings.publish.language)
        columns = ["class", "policy_group"]
        found = pyogrio.read_dataframe(
            review, layer="discrepancy", columns=columns, where=f"run_id = '{run_id}'", read_geometry=False
        )
        return review, count_signals(found)

    steps = 4
    compared = compare_stored(
        settings,
        scheme,
        model,
        flown.id,
        mapped,
        folder,
        flown.date,
        lambda done: progress("compare", done, steps),
    )
    info = publish.RunInfo(
        run_id=run_id,
        flight_id=flown.id,
        photo_date=flown.date,
        started=dt.datetime.now(dt.UTC),
        geoai_version=__version__,
        model_id=model.id,
        model_checksum=model.checksum,
        config_hash=config_hash,
        map_source=settings.map.source or "",
        map_snapshot=snapshot,
        gsd_m=scheme.gsd_m,
        crs=crs_name(scheme.crs),
    )
    signals = ledger.record(
        info,
        moment=flown.interval[0],
        themes=[settings.map.theme],
        discrepancies=compared.discrepancies,
        map_status=compared.map_status,
        mapped=mapped,
        footprint=compared.footprint,
        language=settings.publish.language,
    )
    progress("compare", 3, steps)
    grid = sampling.lay_grid(
        compared.coverage, compared.map_status, publish.put_before(signals), cell_m=settings.report.cell_m
    )
    sample = sampling.draw_sample(
        grid,
        compared.map_status,
        signals,
        size=settings.report.sample,
        min_area_m2=settings.compare.min_area_m2,
        seed=run_id,
    )
    report.write_settings(folder, sections)
    publish.write_review(
        folder,
        info,
        discrepancies=signals,
        map_status=compared.map_status,
        detections=compared.detections,
        coverage=compared.coverage,
        orthophoto=compared.orthophoto,
        earlier=compared.earlier,
        probability=compared.probability,
        language=settings.publish.language,
        sample=sample,
        quality_grid=grid,
    )
    report.write_report(folder, language=settings.publish.language)
    progress("compare", steps, steps)
    return review, count_signals(compared.discrepancies)


@dataclass(frozen=True)
class Compared:
    """What the stored predictions of a flight say of the map: a run publishes it, a plan only looks at it."""

    discrepancies: gpd.GeoDataFrame
    map_status: gpd.GeoDataFrame
    detections: gpd.GeoDataFrame
    footprint: shapely.Geometry
    coverage: gpd.GeoDataFrame
    orthophoto: Path
    earlier: Path | None
    """The orthophoto of the flight that compare.previous names."""
    probability: Path


def compare_stored(
    settings: Settings,
    scheme: TileScheme,
    model: ModelPackage,
    flight_id: str,
    mapped: gpd.GeoDataFrame,
    folder: Path,
    photo_date: dt.date | None,
    progress: Callable[[int], None] = lambda done: None,
) -> Compared:
    """Hold what is stored of the flight against *mapped* objects; mosaics are made in *folder* on the way."""
    from geoai import compare, history, policy, polygons

    store, theme, band = (
        Catalog(settings.data / "catalog"),
        settings.map.theme,
        _band_of(settings.map.theme, model),
    )
    files = store.files(f"{flight_id}.{model.id}", "probability", scheme)
    orthophoto, probability = folder / "orthophoto.vrt", folder / "probability.vrt"
    write_mosaic(orthophoto, store.files(flight_id, "image", scheme), scheme)
    write_mosaic(probability, files, scheme)

    progress(0)
    detections, footprint = polygons.detect(files, scheme, settings.polygons, theme=theme, band=band)
    detections["confidence"] = confidence(detections, model, theme)
    progress(1)
    comparison = compare.compare(
        detections,
        mapped,
        footprint,
        probability,
        band=band,
        gsd_m=scheme.gsd_m,
        settings=settings.compare,
        orthophoto=orthophoto,
    )
    found, earlier = comparison.discrepancies, None
    if before := open_previous(settings, model):
        earlier, seen_before = _write_previous(folder, settings, scheme, before)
        found = history.with_causes(found, seen_before, band=band, settings=settings.compare)
    found = history.with_newer_maps(found, photo_date)
    progress(2)
    learned = policy.read_learned(settings.data / "policy.json")
    objects = comparison.map_status.geometry.to_numpy()
    return Compared(
        policy.set_aside(found, objects, orthophoto, settings.policy, learned),
        comparison.map_status,
        detections,
        footprint,
        _coverage(files, scheme, footprint),
        orthophoto,
        earlier,
        probability,
    )


def _policy_marks(settings: Settings) -> dict[str, Any]:
    """Return what decides which signals are set aside: the rules, and what was learned."""
    learned = settings.data / "policy.json"
    rules = [rule.model_dump(mode="json") for rule in settings.policy]
    text = learned.read_text(encoding="utf-8") if learned.exists() else None
    return {"rules": rules, "learned": text and catalog.fingerprint(text)}


def count_signals(discrepancies: pd.DataFrame) -> dict[str, int]:
    """Return the signals by class; those that a policy sets aside count by its name, 'policy patio_roof'."""
    group = "policy " + discrepancies["policy_group"].astype("string")
    counts = group.fillna(discrepancies["class"]).value_counts()
    return {str(key): int(n) for key, n in counts.items()}


def _marks_beside(settings: Settings, before: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what else went in: the earlier flight's predictions, and the height rasters' sizes and times."""
    height = settings.compare.height
    paths = [path for path in (height.ndsm, height.dsm, height.dtm) if path is not None]
    stats = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.exists()]
    marks = [item["properties"][catalog.FINGERPRINT] for item in before]
    return [mark for mark in (marks, stats) if mark]


def _write_previous(
    folder: Path, settings: Settings, scheme: TileScheme, before: Sequence[Mapping[str, Any]]
) -> tuple[Path, Path]:
    """Write the mosaics of the earlier flight, orthophoto and probability, beside the run's own."""
    store = Catalog(settings.data / "catalog")
    gsd_m = before[0]["assets"]["probability"]["raster:spatial_resolution"]
    then = TileScheme(scheme.crs, gsd_m, scheme.tile_m)
    orthophoto, probability = folder / "previous_orthophoto.vrt", folder / "previous_probability.vrt"
    write_mosaic(orthophoto, store.files(settings.compare.previous or "", "image", then), then)
    write_mosaic(probability, [store.file(item, "probability", then) for item in before], then)
    return orthophoto, probability


def _band_of(theme: str, model: ModelPackage) -> int:
    if theme not in model.classes:
        raise ConfigError(f"map.theme: expected one of {', '.join(model.classes)}, found {theme}")
    return model.classes.index(theme) + 1


def confidence(detections: gpd.GeoDataFrame, model: ModelPackage, theme: str) -> NDArray[np.float64]:
    """Return the calibrated probability that each detection is what it seems; NaN where none was fitted."""
    fitted = model.object_calibration
    if fitted is None or fitted.theme != theme:
        return np.full(len(detections), np.nan)
    return fitted.confidence(detections["p_mean"].to_numpy(), detections["area_m2"].to_numpy())


def _coverage(
    files: Sequence[LatticeFile], scheme: TileScheme, footprint: shapely.Geometry
) -> gpd.GeoDataFrame:
    """Return what was checked and what was not, tile by tile."""
    import geopandas as gpd
    import shapely

    rows = []
    for file in files:
        tile = shapely.box(*scheme.grid_of(file.box).bounds)
        checked = tile.intersection(footprint)
        share = checked.area / tile.area
        tile_id = file.path.parent.name
        rows.append((tile_id, "checked", "imagery", share, checked))
        if share < 1.0:
            rows.append((tile_id, "not_checked", "no_imagery", 1.0 - share, tile.difference(footprint)))
    columns = ["tile_id", "status", "reason", "valid_share", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=crs_name(scheme.crs))
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


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
