"""How good models are: runs them on a labelled flight or on labelled images, scores them, shows the worst.

A flight is taken through the pipeline's own stages, so what is there is used and what was stopped goes on.
Images without a place are laid on a lattice of their own, far apart, and from there on are like a flight.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio.features
import shapely
import shapely.geometry
from affine import Affine
from numpy.typing import NDArray

from geoai import assessment, pipeline, polygons, prediction, tiling
from geoai.cases import remarks, tables, worst_cases
from geoai.catalog import Catalog, open_catalog
from geoai.config import MapSettings, PolygonSettings, PredictionSettings, Settings
from geoai.contactsheet import Section, write_sheet
from geoai.engine import work_on
from geoai.errors import ConfigError, ImageryError, MapError, PublishError
from geoai.files import appearing_whole
from geoai.grid import PixelBox, TileScheme, parse_crs
from geoai.locks import hold_flight
from geoai.model import ModelPackage, check_fits, find_package, load_segmenter
from geoai.raster import LatticeFile, Raster, read_bounds, read_lattice, write_cog
from geoai.redaction import without_secrets
from geoai.resampling import Blocks
from geoai.samples import NODATA, LabelledImage, is_held_out, read_pairs
from geoai.scorecard import Probabilities, Result, Scene, Seen, assessable, judge
from geoai.scoring import DETECTION_WORDS, REGISTER_WORDS, Bounds, Mask, Verdicts, inside
from geoai.tilejobs import Cutter, Predictor, TileOutcome, pending
from geoai.vector import Geometries

if TYPE_CHECKING:
    import geopandas as gpd

MIN_VISIBLE_SHARE = 0.8
"""A labelled object that the imagery shows less of is not held against the model."""
BLOCK_M = 100.0
"""Side of the blocks of a flight that are resampled: larger than houses and what makes neighbours alike."""
MARGIN_M = 50.0
"""What is predicted around the bounds, so that an object on their edge has its counterpart."""
NOWHERE = "EPSG:3857"
"""CRS of images without a place: metres is all that is asked of it."""
PITCH_PX = 32_768
"""Distance of two such images on their lattice, a multiple of the networks' stride: none is larger."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Evaluated:
    """One or two models on one scene, the cases to look at, and warnings of what could not be used."""

    result: Result
    sections: tuple[Section, ...]
    warnings: tuple[str, ...]


def evaluate_flight(
    settings: Settings,
    models: Sequence[str] = (),
    *,
    bounds: Bounds | None = None,
    verdicts: Verdicts | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Evaluated:
    """Run one or two *models* (none: the configured one) on the configured flight and score them on its map.

    Only tiles that reach into *bounds* are predicted, only what lies in them counts. Mapped objects that the
    imagery shows less of than MIN_VISIBLE_SHARE do not count, nor planned ones. Raises GeoaiError where the
    imagery, the map or a model cannot be used, or no mapped object is left to hold them against.
    """
    chosen = [_with_model(settings, name) for name in models or [settings.prediction.model]]
    packages = [assessment.open_model(each) for each in chosen]
    mapped, _ = assessment.open_map(settings, lines=False)
    source = without_secrets(str(settings.map.source))
    _check_verdicts(verdicts, mapped, source)
    with hold_flight(settings.data, settings.flight.name, settings.catalog):
        acceptance = pipeline.accept(settings, progress)
        flown, scheme = acceptance.flight, acceptance.scheme
        for package in packages:
            check_fits(package, tiling.BAND_NAMES[: flown.band_count], scheme.gsd_m)
        store = open_catalog(settings)
        cutter = Cutter.of(settings, flown, scheme)
        jobs, cut = pending(cutter, pipeline.plan_cuts(cutter, acceptance))
        cut += work_on(cutter, jobs, settings.engine, partial(progress, "tile"))
        pipeline.finish_tiles(cutter, acceptance, cut)
        photos = store.files(flown.id, "image", scheme)
        scene = Scene(
            name=flown.id,
            labels=mapped.assign(current=mapped["map_status"] == "current"),
            bounds=bounds,
            blocks=Blocks(*(bounds[:2] if bounds else (0.0, 0.0)), BLOCK_M),
            units=f"blocks of {BLOCK_M:g} m",
            photo=partial(_read_photo, photos, scheme),
            place=lambda x, y: f"{x:.0f}, {y:.0f}",
        )
        seen = [
            _see_flight(each, acceptance, package, scene, progress)
            for each, package in zip(chosen, packages, strict=True)
        ]
    counted = inside(scene.labels.geometry.to_numpy(), bounds)
    if not any((counted & assessable(scene, each)).any() for each in seen):
        covered = shapely.total_bounds([shapely.box(*scheme.grid_of(file.box).bounds) for file in photos])
        asked = f" within {_plain(bounds)}" if bounds else ""
        raise MapError(
            f"{source}: expected objects on the imagery ({_plain(covered)}){asked}, "
            f"found {len(mapped)} elsewhere ({_plain(mapped.total_bounds)})"
        )
    failures = (f"{o.tile_id}: {o.message}" for o in cut if o.outcome == "failed")
    findings = (str(finding) for finding in acceptance.findings if finding.severity == "error")
    return _evaluated(scene, seen, verdicts, (*findings, *failures))


def evaluate_images(
    models: Sequence[str],
    folder: Path,
    *,
    gsd_m: float,
    every: int = 1,
    model_folders: Sequence[Path] = (),
    progress: Progress = lambda stage, done, total: None,
) -> Evaluated:
    """Score one or two *models* (none: the shipped one) on images/ and masks/, see `samples.read_pairs`.

    Models are shipped, in one of *model_folders*, or paths. Only files whose number is a multiple of *every*
    are looked at (1: all); so the images that a training held out can be scored. Raises ModelError where a
    package is not for such images, ImageryError where there are none.
    """
    names = models or [PredictionSettings().model]
    packages = [find_package(name, folders=model_folders) for name in names]
    bands = tiling.BAND_NAMES[: next(read_pairs(folder, gsd_m=gsd_m)).image.shape[2]]
    for package in packages:
        check_fits(package, bands, gsd_m)
        _band(package, MapSettings().theme)
    with TemporaryDirectory(prefix="geoai-") as name:
        target = Path(name)
        wanted = (i for i in read_pairs(folder, gsd_m=gsd_m) if every == 1 or is_held_out(i.name, every))
        scene, photos, scheme = _lay_out(folder.name, wanted, target / "images", gsd_m, bands, progress)
        if not photos:
            raise ImageryError(f"{folder}: expected images whose number is a multiple of {every}, found none")
        seen = [
            _see_images(package, photos, scheme, bands, target / str(number), progress)
            for number, package in enumerate(packages)
        ]
        return _evaluated(scene, seen)


def evaluate_review(
    review_file: Path, bounds: Bounds | None = None, verdicts: Verdicts | None = None
) -> Evaluated:
    """Score the objects of a run, read from its review.gpkg: its detections against its map."""
    import pyogrio

    try:
        detections = pyogrio.read_dataframe(review_file, layer="detection")
        mapped = pyogrio.read_dataframe(review_file, layer="map_status")
        run = pyogrio.read_dataframe(review_file, layer="run").iloc[0]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, IndexError) as error:
        found = " ".join(str(error).split())
        raise PublishError(f"{review_file}: expected the review.gpkg of a run, found {found}") from error
    _check_verdicts(verdicts, mapped, str(review_file))
    scene = Scene(
        name=str(run["flight_id"]),
        labels=mapped.assign(current=True),
        bounds=bounds,
        blocks=Blocks(*(bounds[:2] if bounds else (0.0, 0.0)), BLOCK_M),
        units=f"blocks of {BLOCK_M:g} m",
        photo=partial(read_bounds, review_file.parent / "orthophoto.vrt", bands=(1, 2, 3)),
        place=lambda x, y: f"{x:.0f}, {y:.0f}",
    )
    shown = mapped["visible_share"].to_numpy(np.float64) >= MIN_VISIBLE_SHARE
    seen = Seen(str(run["model_id"]), str(run["model_checksum"]), detections, shown)
    return _evaluated(scene, [seen], verdicts)


def _evaluated(
    scene: Scene, seen: Sequence[Seen], verdicts: Verdicts | None = None, warnings: Sequence[str] = ()
) -> Evaluated:
    result = judge(scene, seen, verdicts)
    return Evaluated(result, worst_cases(scene, seen, result), tuple(warnings))


def read_verdicts(path: Path) -> Verdicts:
    """Read what a person found on looking: CSV with the columns kind, id, x, y, verdict, comment.

    kind register: *id* is a labelled object's; kind detection: *x* and *y* (m, the labels' CRS) lie in or
    beside a detection. Raises ConfigError with file and line.
    """
    register: dict[str, str] = {}
    points: list[tuple[float, float]] = []
    words: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            wanted = ("kind", "id", "x", "y", "verdict")
            if missing := [name for name in wanted if name not in (rows.fieldnames or ())]:
                raise ConfigError(f"{path}: expected the columns {', '.join(wanted)}, found no {missing[0]}")
            for row in rows:
                place = f"{path}:{rows.line_num}"
                known = {"register": REGISTER_WORDS, "detection": DETECTION_WORDS}.get(row["kind"])
                if known is None:
                    raise ConfigError(f"{place}: expected kind register or detection, found {row['kind']!r}")
                if row["verdict"] not in known:
                    found = f"found {row['verdict']!r}"
                    raise ConfigError(f"{place}: expected a verdict of {', '.join(known)}, {found}")
                if row["kind"] == "register":
                    register[row["id"]] = row["verdict"]
                else:
                    points.append(_point(row, place))
                    words.append(row["verdict"])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: expected a readable CSV file, found {error}") from error
    return Verdicts(register, np.array(points, np.float64).reshape(-1, 2), tuple(words))


def _point(row: Mapping[str, str], place: str) -> tuple[float, float]:
    try:
        return float(row["x"]), float(row["y"])
    except (TypeError, ValueError):
        raise ConfigError(
            f"{place}: expected x and y in metres, found {row['x']!r} and {row['y']!r}"
        ) from None


def _check_verdicts(verdicts: Verdicts | None, labels: gpd.GeoDataFrame, source: str) -> None:
    """Raise MapError where verdicts on the register are about another one."""
    if verdicts and verdicts.register and not set(verdicts.register) & set(labels["map_object_id"]):
        example = next(iter(verdicts.register))
        raise MapError(
            f"{source}: expected objects that verdicts name, such as {example}, found none of them"
        )


def with_labels(settings: Settings, source: str, layer: str | None) -> Settings:
    """Return the settings with other labels than the map's: their ids are feature ids, all of them stand."""
    theme, reproject = settings.map.theme, settings.map.reproject
    labels = MapSettings(source=source, layer=layer, theme=theme, reproject=reproject)
    return settings.model_copy(update={"map": labels})


# --- what models see -------------------------------------------------------------------------------------


def _with_model(settings: Settings, model: str) -> Settings:
    return settings.model_copy(update={"prediction": settings.prediction.model_copy(update={"model": model})})


def _band(package: ModelPackage, theme: str) -> int:
    if theme not in package.classes:
        raise ConfigError(
            f"model {package.id}: expected the class {theme}, found {', '.join(package.classes)}"
        )
    return package.classes.index(theme) + 1


def _see_flight(
    settings: Settings,
    acceptance: pipeline.Acceptance,
    package: ModelPackage,
    scene: Scene,
    progress: Progress,
) -> Seen:
    """Predict the tiles that reach into the bounds, unless they are there, and detect."""
    scheme, flown = acceptance.scheme, acceptance.flight
    predictor = Predictor.of(settings, flown, scheme, package)
    store, own = predictor.store, predictor.collection
    predictor = replace(predictor, collection=_collection(store, own, package))
    if predictor.collection == own:
        predictor = replace(predictor, model=store.add_model(package))  # workers find what it holds
    jobs = predictor.jobs()
    left, bottom, right, top = scene.bounds or (-math.inf, -math.inf, math.inf, math.inf)
    reach = shapely.box(left - MARGIN_M, bottom - MARGIN_M, right + MARGIN_M, top + MARGIN_M)
    boxes = {
        name: shapely.box(*scheme.grid_of(scheme.tile_box(name)).bounds)
        for name in (job.tile_id for job in jobs)
    }
    near = [job for job in jobs if scene.bounds is None or boxes[job.tile_id].intersects(reach)]
    if not near:
        covered = _plain(shapely.total_bounds(list(boxes.values())))
        raise ConfigError(
            f"bounds: expected to meet the imagery of {flown.id} ({covered}), found {_plain(scene.bounds)}"
        )
    todo, outcomes = pending(predictor, near)
    outcomes += work_on(
        predictor, todo, settings.engine, partial(progress, f"predict {package.id}"), on_gpu=True
    )
    if predictor.collection == own:
        seen = {job.tile_id for job in near}
        rest = [TileOutcome(job.tile_id, "skipped") for job in jobs if job.tile_id not in seen]
        pipeline.finish_predictions(predictor, [*outcomes, *rest])
    else:
        title = f"{package.id} ({package.checksum[:8]}) on flight {flown.id}"
        store.write_collection(predictor.collection, title=title, description="Made to evaluate a model.")
    done = {outcome.tile_id for outcome in outcomes if outcome.outcome != "failed"}
    items = (item for item in store.items(predictor.collection) if item["id"] in done)
    files = [store.file(item, "probability", scheme) for item in items]
    band = _band(package, settings.map.theme)
    detections, footprint = polygons.detect(
        files, scheme, settings.polygons, theme=settings.map.theme, band=band
    )
    detections["confidence"] = assessment.confidence(detections, package, settings.map.theme)
    shown = _visible_share(scene.labels.geometry.to_numpy(), footprint) >= MIN_VISIBLE_SHARE
    probabilities = Probabilities(files, scheme, band, settings.polygons.threshold)
    return Seen(package.id, package.checksum, detections, shown, probabilities)


def _collection(store: Catalog, own: str, package: ModelPackage) -> str:
    """Return where predictions are kept: with the run's own, or beside where those are of other weights."""
    held = next(store.items(own), None)
    if held is None or held["properties"]["geoai:model_checksum"].endswith(package.checksum):
        return own
    return f"{own}-{package.checksum[:8]}"


def _visible_share(shapes: Geometries, footprint: shapely.Geometry) -> NDArray[np.float64]:
    """Return how much of each of *shapes* lies in the *footprint*, 0 … 1."""
    shapely.prepare(footprint)
    share: NDArray[np.float64] = np.where(shapely.covers(footprint, shapes), 1.0, 0.0)
    cut = (share == 0) & shapely.intersects(footprint, shapes)
    share[cut] = shapely.area(shapely.intersection(shapes[cut], footprint)) / shapely.area(shapes[cut])
    return share


def _lay_out(
    name: str,
    images: Iterable[LabelledImage],
    target: Path,
    gsd_m: float,
    bands: Sequence[str],
    progress: Progress,
) -> tuple[Scene, list[LatticeFile], TileScheme]:
    """Lay images on a lattice, PITCH_PX apart from west to east; the outlines of their masks are labels."""
    import geopandas as gpd

    # a tile of a whole number of pixels, as a scheme has: 0.3 m is 3/10, and ten pixels make 3 m
    scheme = TileScheme(parse_crs(NOWHERE), gsd_m, Fraction(gsd_m).limit_denominator(10_000).numerator)
    photos: list[LatticeFile] = []
    traced: list[Geometries] = [np.zeros(0, object)]
    for image in images:
        height, width, count = image.image.shape
        if max(height, width) >= PITCH_PX or count != len(bands):
            raise ImageryError(
                f"{image.name}: expected {len(bands)} bands and less than {PITCH_PX} px a side, "
                f"found {count} bands, {width} × {height} px"
            )
        box = PixelBox(len(photos) * PITCH_PX, 0, width, height)
        photo = LatticeFile(target / f"{image.name}.tif", box)
        data = np.ascontiguousarray(image.image.transpose(2, 0, 1))
        write_cog(photo.path, data, scheme.grid_of(box), valid=image.label < NODATA)
        photos.append(photo)
        traced.append(_traced(image.label == 1, box, scheme))
        progress("read", len(photos), 0)
    shapes, pitch_m = np.concatenate(traced), PITCH_PX * gsd_m

    def place(x: float, y: float) -> str:
        number = int(x // pitch_m)
        return f"{photos[number].path.stem}, col {(x - number * pitch_m) / gsd_m:.0f}, row {-y / gsd_m:.0f}"

    scene = Scene(
        name=name,
        labels=gpd.GeoDataFrame(
            {"map_object_id": np.full(len(shapes), ""), "current": np.ones(len(shapes), bool)},
            geometry=shapes,
            crs=scheme.crs,
        ),
        bounds=None,
        blocks=Blocks(0.0, -pitch_m, pitch_m),
        units="images",
        photo=partial(_read_photo, photos, scheme),
        place=place,
    )
    return scene, photos, scheme


def _traced(mask: Mask, box: PixelBox, scheme: TileScheme) -> Geometries:
    """Return the polygons of *mask* (row, col) in metres; pixels belong together across sides."""
    found = rasterio.features.shapes(
        mask.astype(np.uint8), mask, connectivity=4, transform=Affine.translation(box.col, box.row)
    )
    shapes = np.array([shapely.geometry.shape(geometry) for geometry, _ in found], object)
    metres: Geometries = shapely.transform(shapes, lambda xy: xy * (scheme.gsd_m, -scheme.gsd_m))
    return metres


def _see_images(
    package: ModelPackage,
    photos: Sequence[LatticeFile],
    scheme: TileScheme,
    bands: Sequence[str],
    target: Path,
    progress: Progress,
) -> Seen:
    """Predict images that were laid out, and detect with the default settings."""
    options, theme = PredictionSettings(), MapSettings().theme
    segmenter = load_segmenter(package, precision=options.precision, bands=bands)
    files = []
    for number, photo in enumerate(photos, start=1):
        whole = max(photo.box.width, photo.box.height) <= options.window_px
        probability = prediction.predict_tile(
            photo.box,
            [photo],
            segmenter,
            band_count=len(bands),
            class_count=len(package.classes),
            window_px=options.window_px,
            halo_px=0 if whole else options.halo_px,  # nothing lies around an image that is read whole
        )
        path = target / photo.path.name
        prediction.write_prediction(path, probability, photo.box, scheme, package.classes)
        files.append(LatticeFile(path, photo.box))
        progress(f"predict {package.id}", number, len(photos))
    band = _band(package, theme)
    cleaning = PolygonSettings()
    detections, _ = polygons.detect(files, scheme, cleaning, theme=theme, band=band)
    detections["confidence"] = assessment.confidence(detections, package, theme)
    probabilities = Probabilities(files, scheme, band, cleaning.threshold)
    return Seen(package.id, package.checksum, detections, shown=None, probabilities=probabilities)


def _read_photo(files: Sequence[LatticeFile], scheme: TileScheme, bounds: Bounds) -> Raster:
    box = scheme.box_around(bounds)
    data, valid = read_lattice(files, box, bands=(1, 2, 3))
    return Raster(data, valid, scheme.grid_of(box))


def write_evaluated(folder: Path, evaluated: Evaluated) -> None:
    """Write scores.json and worst.html into *folder*."""
    result = evaluated.result
    with appearing_whole(folder / "scores.json") as target:
        target.write_text(result.to_json(), encoding="utf-8")
    write_sheet(
        folder / "worst.html",
        title=f"Evaluation: {result.evaluations[0].name}",
        remarks=[*remarks(result), *evaluated.warnings],
        tables=tables(result),
        sections=evaluated.sections,
    )


def _plain(bounds: Any) -> str:
    return " ".join(f"{value:.0f}" for value in bounds)
