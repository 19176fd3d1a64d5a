"""What a worker does: one tile cut, predicted or traced, and the result committed to the catalogue.

A stage plans its jobs first; those whose fingerprint (inputs, settings, model) the catalogue holds already
are left out. `Cutter`, `Predictor` and `Tracer` say what all jobs of a stage have in common. They, and the
jobs, are small values that can be sent to another process or machine, which needs the imagery and the
catalogue, under the same paths or in an object store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeVar

from rasterio.errors import RasterioError

from geoai import catalog, prediction, stac, tiling, traced
from geoai.catalog import Catalog, open_catalog
from geoai.config import PolygonSettings, PredictionSettings, Settings, TilingSettings
from geoai.errors import CatalogError
from geoai.flight import Flight, Orthophoto
from geoai.grid import TileScheme, crs_name
from geoai.model import STRIDE_PX, ModelPackage, band_of
from geoai.raster import P_NODATA, LatticeFile
from geoai.segmenter import shared_segmenter
from geoai.storage import is_remote, relative_name
from geoai.tiling import BAND_NAMES, TileJob


class Job(Protocol):
    """A tile to work on."""

    @property
    def tile_id(self) -> str:
        """Its id in the scheme."""
        ...


BESIDE_THE_NETWORK = ("id", "folder", "gsd_range_m", "object_calibration")
"""What a package says that no probability depends on."""
READERS = 16
"""How many tiles are looked up at a time."""
J = TypeVar("J", bound=Job)
J_contra = TypeVar("J_contra", bound=Job, contravariant=True)


@dataclass(frozen=True, slots=True)
class TileOutcome:
    """What became of one tile in one stage; *message* says why where it failed."""

    tile_id: str
    outcome: Literal["done", "skipped", "empty", "failed"]
    message: str = ""


class TileWorker(Protocol[J_contra]):
    """What does the jobs of a stage."""

    def is_done(self, job: J_contra) -> bool:
        """Whether the catalogue holds the result already."""
        ...

    def __call__(self, job: J_contra) -> TileOutcome:
        """Do the job and commit its result."""
        ...


def pending(worker: TileWorker[J], jobs: Sequence[J]) -> tuple[list[J], list[TileOutcome]]:
    """Return the jobs that are to be done, and the outcomes of those that are there already."""
    with ThreadPoolExecutor(READERS) as pool:  # an object store takes a while to answer, not to work
        done = list(pool.map(worker.is_done, jobs))
    todo = [job for job, there in zip(jobs, done, strict=True) if not there]
    return todo, [TileOutcome(job.tile_id, "skipped") for job, there in zip(jobs, done, strict=True) if there]


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts tiles of one flight; those *spared* are left as they are."""

    store: Catalog
    collection: str
    scheme: TileScheme
    settings: TilingSettings
    white_level: int | None
    band_count: int
    interval: tuple[dt.datetime, dt.datetime]
    dated: bool
    spared: frozenset[str]

    @classmethod
    def of(cls, settings: Settings, flown: Flight, scheme: TileScheme) -> Self:
        """Return the cutter of a flight."""
        store = open_catalog(settings)
        return cls(
            store,
            flown.id,
            scheme,
            settings.tiling,
            settings.flight.white_level,
            flown.band_count,
            flown.interval,
            flown.date is not None,
            _spared_tiles(store, flown, scheme),
        )

    def __call__(self, job: TileJob) -> TileOutcome:
        """Cut one tile, and commit its image item, unless it is there already."""
        if self.is_done(job):  # a batch that is tried again
            return TileOutcome(job.tile_id, "done")
        scheme = self.scheme
        try:
            data, valid = tiling.read_tile(
                job, scheme, band_count=self.band_count, white_level=self.white_level
            )
        except (RasterioError, OSError) as error:
            _require_there(job)
            return TileOutcome(job.tile_id, "failed", f"expected readable orthophotos, found: {error}")
        if not valid.any():
            return TileOutcome(job.tile_id, "empty")
        image = self.store.collection_folder(self.collection) / job.tile_id / "image.tif"
        grid = scheme.grid_of(scheme.tile_box(job.tile_id))
        checksums = [orthophoto.checksum for orthophoto in job.orthophotos]
        sources = [orthophoto.name for orthophoto in job.orthophotos]
        tiling.write_tile(image, data, valid, grid, self.settings, sources)
        hrefs = (_href(orthophoto.path, image.parent) for orthophoto in job.orthophotos)
        item = stac.image_item(
            job.tile_id,
            self.collection,
            scheme,
            image=image,
            valid=valid,
            band_names=BAND_NAMES[: len(data)],
            interval=self.interval,
            dated=self.dated,
            sources=dict(zip(hrefs, checksums, strict=True)),
            fingerprint=self.mark(job),
        )
        self.store.write_item(self.collection, item)
        return TileOutcome(job.tile_id, "done")

    def is_done(self, job: TileJob) -> bool:
        """Whether the tile is there, of the same sheets and settings."""
        return job.tile_id in self.spared or self.store.is_done(self.collection, job.tile_id, self.mark(job))

    def mark(self, job: TileJob) -> str:
        """Return the fingerprint of the result."""
        return catalog.fingerprint(
            "image",
            {each.name: _content(each) for each in job.orthophotos},
            self.settings.model_dump(),
            self.white_level,
            self.band_count,
            (crs_name(self.scheme.crs), self.scheme.gsd_m, self.scheme.tile_m),
            [moment.isoformat() for moment in self.interval] if self.dated else None,
        )


def _content(orthophoto: Orthophoto) -> tuple[Any, ...]:
    """Return what of a sheet is in its tiles: metadata beside it say which band is which, what is nodata."""
    files = orthophoto.checksum, orthophoto.mask_checksum
    return *files, orthophoto.grid.transform, orthophoto.colour, orthophoto.valid_share


def _spared_tiles(store: Catalog, flown: Flight, scheme: TileScheme) -> frozenset[str]:
    """Return the ids of tiles that are there, under sheets that cannot be read now: they are left alone.

    One that was cut for another scheme is not among them.
    """
    under = tiling.tiles_under(flown.unreadable, scheme)
    return frozenset(tile_id for tile_id in under if is_there(store, flown.id, tile_id, scheme))


def is_there(store: Catalog, collection: str, tile_id: str, scheme: TileScheme) -> bool:
    """Whether the catalogue holds the tile, cut for this scheme. Raises OSError where that cannot be told."""
    try:
        said = store.item(collection, tile_id)["properties"]
    except (FileNotFoundError, CatalogError):
        return False
    grid = scheme.grid_of(scheme.tile_box(tile_id))
    own = crs_name(grid.crs), [grid.height, grid.width], list(grid.transform)[:6]
    return (said.get("proj:code"), said.get("proj:shape"), said.get("proj:transform")) == own


def _require_there(job: TileJob) -> None:
    """Raise OSError where a sheet is gone: no tile can be cut then, and another attempt may find it."""
    for orthophoto in job.orthophotos:
        if not orthophoto.path.exists():
            raise FileNotFoundError(
                f"{orthophoto.path}: expected the sheet until its tiles are cut, found it gone; "
                "what is done is kept, run it again when the folder is back"
            )


def _href(path: Path, base: Path) -> str:
    if is_remote(path) or is_remote(base):
        return str(path.absolute())
    return relative_name(path, base)


@dataclass(frozen=True, slots=True)
class PredictionJob:
    """A tile to predict: the fingerprint of the result, and the image tiles that it reads."""

    tile_id: str
    mark: str
    images: tuple[LatticeFile, ...]


@dataclass(frozen=True, slots=True)
class Predictor:
    """Predicts tiles of one flight; each process loads the network when its first tile needs it.

    *bands* are those that are read of the imagery; *collection* is where the predictions go.
    """

    store: Catalog
    flight_id: str
    collection: str
    scheme: TileScheme
    settings: PredictionSettings
    model: ModelPackage
    bands: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings, flown: Flight, scheme: TileScheme, model: ModelPackage) -> Self:
        """Return the predictor of a flight by *model*."""
        bands = model.read_bands(BAND_NAMES[: flown.band_count])
        collection = f"{flown.id}.{model.id}"
        return cls(open_catalog(settings), flown.id, collection, scheme, settings.prediction, model, bands)

    def jobs(self) -> list[PredictionJob]:
        """Return a job for each image tile of the flight."""
        images = {item["id"]: item for item in self.store.items(self.flight_id)}
        files = {name: self.store.file(item, "image", self.scheme) for name, item in images.items()}
        jobs = []
        for tile_id in images:
            near, mark = prediction_mark(tile_id, images, self.scheme, self.settings, self.model)
            jobs.append(PredictionJob(tile_id, mark, tuple(files[name] for name in near)))
        return jobs

    def __call__(self, job: PredictionJob) -> TileOutcome:
        """Predict one tile, and commit its item, unless it is there already."""
        import torch

        if self.is_done(job):  # a batch that is tried again
            return TileOutcome(job.tile_id, "done")
        # Tiles are predicted side by side, a thread each: threads inside the network would fight over the
        # same cores. OpenMP keeps the number per calling thread, so each worker says it.
        torch.set_num_threads(1)
        box = self.scheme.tile_box(job.tile_id)
        try:
            probability = prediction.predict_tile(
                box,
                job.images,
                shared_segmenter(self.model, self.settings.precision, self.bands),
                band_count=len(self.bands),
                class_count=len(self.model.classes),
                window_px=self.settings.window_px,
                halo_px=self.settings.halo_px,
            )
        except RasterioError as error:
            return TileOutcome(job.tile_id, "failed", f"expected readable tiles, found: {error}")
        path = self.store.collection_folder(self.collection) / job.tile_id / "probability.tif"
        prediction.write_prediction(path, probability, box, self.scheme, self.model.classes)
        item = stac.prediction_item(
            self.store.item(self.flight_id, job.tile_id),
            self.collection,
            self.scheme,
            probability=path,
            valid=probability[0] != P_NODATA,
            classes=self.model.classes,
            model_id=self.model.id,
            model_checksum=self.model.checksum,
            fingerprint=job.mark,
        )
        self.store.write_item(self.collection, item)
        return TileOutcome(job.tile_id, "done")

    def is_done(self, job: PredictionJob) -> bool:
        """Whether the prediction is there, of the same tiles, settings and model."""
        return self.store.is_done(self.collection, job.tile_id, job.mark)


@dataclass(frozen=True, slots=True)
class TracingJob:
    """A predicted tile to trace: its probabilities, and what the result depends on."""

    tile_id: str
    mark: str
    probability: LatticeFile


@dataclass(frozen=True, slots=True)
class Tracer:
    """Traces the predicted tiles of one flight, so that a comparison finds it done."""

    store: Catalog
    collection: str
    scheme: TileScheme
    settings: PolygonSettings
    band: int

    @classmethod
    def of(cls, settings: Settings, flown: Flight, scheme: TileScheme, model: ModelPackage) -> Self:
        """Return the tracer of a flight, for the theme of the map."""
        band, collection = band_of(model, settings.map.theme), f"{flown.id}.{model.id}"
        return cls(open_catalog(settings), collection, scheme, settings.polygons, band)

    def jobs(self) -> list[TracingJob]:
        """Return a job for each predicted tile of the flight."""
        items = list(self.store.items(self.collection))
        marks = traced.tracing_marks(items, self.settings, self.band)
        return [
            TracingJob(item["id"], marks[item["id"]], self.store.file(item, "probability", self.scheme))
            for item in items
        ]

    def __call__(self, job: TracingJob) -> TileOutcome:
        """Trace one tile and keep what was found beside its probabilities."""
        traced.keep_traced(job.probability, job.mark, self.scheme, self.settings, band=self.band)
        return TileOutcome(job.tile_id, "done")

    def is_done(self, job: TracingJob) -> bool:
        """Whether the tile is traced, as it was predicted last and by these settings."""
        return traced.traced_path(job.probability, job.mark).exists()


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
        {key: value for key, value in asdict(model).items() if key not in BESIDE_THE_NETWORK},
    )
    return near, mark
