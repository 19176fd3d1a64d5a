"""What is stored of a flight, held against the digital map: compared, remembered in the ledger, published.

A run publishes what `compare_stored` says; `geoai plan` only looks at it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geoai import __version__, catalog, stac
from geoai.catalog import open_catalog
from geoai.config import Settings
from geoai.errors import ConfigError, MergeError
from geoai.flight import Finding, Flight
from geoai.grid import TileScheme, crs_name, parse_crs
from geoai.model import ModelPackage, band_of, find_package
from geoai.raster import LatticeFile, write_mosaic

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import shapely

    from geoai.ledger import Ledger
    from geoai.policy import Applied

log = logging.getLogger(__name__)


def open_inputs(settings: Settings) -> ModelPackage:
    """Open all that a run needs besides imagery and return the model.

    What is wrong with the set-up shows before the first hour of work: raises GeoaiError for a model, a map, a
    ledger, an earlier flight or height rasters that cannot be used.
    """
    model = open_model(settings)
    open_map(settings)
    open_ledger(settings)
    open_previous(settings, model)
    check_heights(settings)
    return model


def open_model(settings: Settings) -> ModelPackage:
    """Find the configured model package, shipped or in data/models, and see that it knows the map's theme."""
    model = find_package(settings.prediction.model, folders=[settings.data / "models"])
    band_of(model, settings.map.theme)
    return model


def open_map(settings: Settings, *, lines: bool = True) -> tuple[gpd.GeoDataFrame, str]:
    """Read the digital map and return it with a checksum of its content: what the run was held against.

    It holds polygons, or *lines*, where those are allowed.
    """
    from geoai.maplayer import read_map

    mapped = read_map(settings.map, parse_crs(settings.crs), lines=lines)
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
    items = list(open_catalog(settings).items(f"{previous}.{model.id}"))
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
    import pyproj

    from geoai import heights

    heights.check_heights(pyproj.CRS.from_user_input(parse_crs(settings.crs)), settings.compare.height)


def make_review(
    settings: Settings,
    flown: Flight,
    scheme: TileScheme,
    model: ModelPackage,
    failed: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Path, dict[str, int]]:
    """Hold the predictions against the map and write the review; return its path and the signals by class.

    *failed* are the ids of tiles that could not be read or predicted: their ground is told as not checked.

    The folder is named by what went in, so the same input finds its review (and whatever was decided in it)
    untouched, and other input gets a folder of its own. What was decided in the reviews of earlier runs is
    read into the ledger first, and is what a new review starts with.
    """
    import pyogrio

    from geoai import policy, publish, report, sampling
    from geoai.vector import are_lines

    mapped, snapshot = open_map(settings)
    ledger = open_ledger(settings)
    for line in ledger.import_runs(settings.data / "runs"):
        log.warning("%s", line)
    store = open_catalog(settings)
    name = f"{flown.id}.{model.id}"
    marks = {item["id"]: item["properties"][stac.FINGERPRINT] for item in store.items(name)}
    sections = {
        key: getattr(settings, key).model_dump(mode="json")
        for key in ("polygons", "compare", "publish", "report")
    } | {"policy": _policy_marks(settings)}
    config_hash = catalog.fingerprint(sections)
    fitted = model.object_calibration and asdict(model.object_calibration)
    before = open_previous(settings, model)
    lost = [tile_id for tile_id in failed if tile_id not in marks]
    beside = [mark for mark in (flown.date, *_marks_beside(settings, before), lost) if mark]
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
        before=before,
        photo_date=flown.date,
        progress=lambda done: progress(done, steps),
    )
    coverage = _with_lost(compared.coverage, lost, scheme)
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
    progress(3, steps)
    grid = sampling.lay_grid(
        coverage, compared.map_status, publish.put_before(signals), cell_m=settings.report.cell_m
    )
    sample = None
    if not are_lines(compared.map_status.geometry.to_numpy()):  # no line is right or wrong as a whole
        sample = sampling.draw_sample(
            grid,
            compared.map_status,
            signals,
            size=settings.report.sample,
            min_area_m2=settings.compare.min_area_m2,
            seed=run_id,
        )
    report.write_settings(folder, sections)
    policy.write_applied(folder / report.POLICY, compared.policy)
    publish.write_review(
        folder,
        info,
        discrepancies=signals,
        map_status=compared.map_status,
        detections=compared.detections,
        coverage=coverage,
        orthophoto=compared.orthophoto,
        earlier=compared.earlier,
        probability=compared.probability,
        language=settings.publish.language,
        sample=sample,
        quality_grid=grid,
        registration=compared.registration,
    )
    report.write_report(folder, language=settings.publish.language)
    progress(steps, steps)
    return review, count_signals(compared.discrepancies)


def merge_review(
    settings: Settings,
    review: Path,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> tuple[Path, list[Finding]]:
    """Merge a run's review into the standing one of its flight; return that one's path, and what is wrong.

    A standing review that cannot be written is a finding: the run is whole, and the next one merges again.
    """
    from geoai.merging import merge_run, standing_review

    try:
        return merge_run(review.parent, open_ledger(settings), progress), []
    except MergeError as error:
        return standing_review(review.parent), [Finding("standing review", "not_merged", "error", str(error))]


@dataclass(frozen=True)
class Compared:
    """What the stored predictions of a flight say of the map: a run publishes it, a plan only looks at it."""

    discrepancies: gpd.GeoDataFrame
    policy: Sequence[Applied]
    map_status: gpd.GeoDataFrame
    registration: gpd.GeoDataFrame | None
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
    *,
    before: Sequence[Mapping[str, Any]],
    photo_date: dt.date | None,
    keep: bool = True,
    progress: Callable[[int], None] = lambda done: None,
) -> Compared:
    """Hold what is stored of the flight against *mapped* objects; mosaics are made in *folder* on the way.

    *before* are the predictions of the earlier flight, as `open_previous` returns them. With *keep* what was
    traced is kept in the catalogue; without, nothing is written but the mosaics.
    """
    from geoai import compare, history, lines, policy, polygons, traced
    from geoai.vector import are_lines

    store, theme, band = (
        open_catalog(settings),
        settings.map.theme,
        band_of(model, settings.map.theme),
    )
    items = list(store.items(f"{flight_id}.{model.id}"))
    files = [store.file(item, "probability", scheme) for item in items]
    orthophoto, probability = folder / "orthophoto.vrt", folder / "probability.vrt"
    write_mosaic(orthophoto, store.files(flight_id, "image", scheme), scheme)
    write_mosaic(probability, files, scheme)

    progress(0)
    marks = traced.tracing_marks(items, settings.polygons, band)
    tiles = traced.trace_tiles(files, marks, scheme, settings.polygons, band=band, keep=keep)
    detections, footprint = polygons.join_tiles(tiles, scheme, settings.polygons, theme=theme)
    detections["confidence"] = confidence(detections, model, theme)
    progress(1)
    hold = lines.compare_lines if are_lines(mapped.geometry.to_numpy()) else compare.compare
    comparison = hold(
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
    if before:
        earlier, seen_before = _write_previous(folder, settings, scheme, before)
        found = history.with_causes(found, seen_before, band=band, settings=settings.compare)
    found = history.with_newer_maps(found, photo_date)
    progress(2)
    registration = comparison.registration
    applied: list[policy.Applied]
    if registration is None:  # lines: the traits of a policy are those of what has an outline
        found, applied = found.assign(policy_group=None), []
    else:
        learned = policy.read_learned(settings.data / "policy.json")
        objects = registration.laid(comparison.map_status.geometry.to_numpy())
        found, applied = policy.set_aside(
            found, objects, orthophoto, settings.policy, learned, settings.compare.height
        )
    return Compared(
        found,
        applied,
        _with_defects(comparison.map_status, mapped),
        registration and registration.cells,
        detections,
        footprint,
        _coverage(files, scheme, footprint),
        orthophoto,
        earlier,
        probability,
    )


def _with_defects(map_status: gpd.GeoDataFrame, mapped: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the objects with what was wrong with their outlines when the map was read, None for nothing."""
    defects = mapped.set_index("map_object_id")["defect"].replace("", None)
    return map_status.assign(defect=defects.reindex(map_status["map_object_id"]).to_numpy())


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
    from geoai.heights import files_of

    paths = [path for path in files_of(settings.compare.height) if path.exists()]
    stats = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    marks = [item["properties"][stac.FINGERPRINT] for item in before]
    return [mark for mark in (marks, stats) if mark]


def _write_previous(
    folder: Path, settings: Settings, scheme: TileScheme, before: Sequence[Mapping[str, Any]]
) -> tuple[Path, Path]:
    """Write the mosaics of the earlier flight, orthophoto and probability, beside the run's own."""
    store = open_catalog(settings)
    gsd_m = before[0]["assets"]["probability"]["raster:spatial_resolution"]
    then = TileScheme(scheme.crs, gsd_m, scheme.tile_m)
    orthophoto, probability = folder / "previous_orthophoto.vrt", folder / "previous_probability.vrt"
    write_mosaic(orthophoto, store.files(settings.compare.previous or "", "image", then), then)
    write_mosaic(probability, [store.file(item, "probability", then) for item in before], then)
    return orthophoto, probability


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


def _with_lost(coverage: gpd.GeoDataFrame, lost: Sequence[str], scheme: TileScheme) -> gpd.GeoDataFrame:
    """Return the coverage with the tiles that failed and of which nothing is stored."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    if not lost:
        return coverage
    boxes = [shapely.box(*scheme.grid_of(scheme.tile_box(tile_id)).bounds) for tile_id in lost]
    columns = {"tile_id": list(lost), "status": "not_checked", "reason": "tile_failed", "valid_share": 0.0}
    rows = gpd.GeoDataFrame(columns, geometry=boxes, crs=coverage.crs)
    return pd.concat([coverage, rows], ignore_index=True)
