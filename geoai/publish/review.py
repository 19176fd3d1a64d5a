"""Writing the review of a run: a GeoPackage that was never there before, and the project that shows it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyogrio.errors
import pyproj
import shapely

from geoai.errors import CRSError, PublishError
from geoai.files import temporary_folder
from geoai.publish.archive import zipped
from geoai.publish.chips import cut_chips
from geoai.publish.geopackage import add_project, add_styles, write_tables
from geoai.publish.project import Bookmark, Bounds, review_project
from geoai.publish.qml import xml_text
from geoai.publish.reasons import reason
from geoai.publish.style import layer_styles
from geoai.publish.tables import (
    COVERAGE,
    DETECTION,
    DISCREPANCY,
    MAP_LINES,
    MAP_STATUS,
    QUALITY_GRID,
    REGISTRATION,
    RUN,
    SAMPLE,
    SUGGESTION,
    Table,
)
from geoai.publish.texts import CLASSES, HIDDEN_CLASSES, PROJECT, QUESTIONS, Language
from geoai.redaction import without_secrets
from geoai.suggestions import suggest
from geoai.vector import Geometries, are_lines

if TYPE_CHECKING:
    import geopandas as gpd

BOOKMARKS = 5
BOOKMARK_SIDE_M = 80.0
MIN_EXTENT_M = 200.0


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Where a review comes from; *started* carries its time zone, *crs* is an authority code."""

    run_id: str
    flight_id: str
    photo_date: dt.date | None
    started: dt.datetime
    geoai_version: str
    model_id: str
    model_checksum: str
    config_hash: str
    map_source: str
    map_snapshot: str | None
    gsd_m: float
    crs: str

    def __post_init__(self) -> None:
        if self.started.tzinfo is None:
            raise ValueError("started: expected a time with its zone, found none")


def write_review(
    folder: Path,
    run: RunInfo,
    *,
    discrepancies: gpd.GeoDataFrame,
    map_status: gpd.GeoDataFrame,
    detections: gpd.GeoDataFrame,
    coverage: gpd.GeoDataFrame,
    orthophoto: Path,
    probability: Path,
    language: Language,
    earlier: Path | None = None,
    sample: gpd.GeoDataFrame | None = None,
    quality_grid: gpd.GeoDataFrame | None = None,
    registration: gpd.GeoDataFrame | None = None,
) -> Path:
    """Write `review.gpkg` and `review.qgz` into *folder* and return the path of the first.

    *discrepancies* are as the ledger gives them. The frames are in *run.crs*, metres; the rasters are the
    mosaics of the flight's tiles, shown where they lie; *earlier* is an earlier orthophoto, for chips
    of before and after. *sample*, *quality_grid* and *registration* are layers of their own where they are
    given; a row of the sample names a signal by its row number in *discrepancies* (signal). Mapped objects
    are polygons, or lines, for which nothing is suggested: a detection's axis is not drawn. A review that
    exists already is never touched. Both files appear whole or not at all. Raises PublishError with one line
    where the folder cannot be written, CRSError where a frame is elsewhere.
    """
    target = folder / "review.gpkg"
    _refuse_existing(target)
    for mosaic in (orthophoto, probability):
        if not mosaic.is_file():
            raise PublishError(f"{mosaic}: expected the mosaic of the flight's tiles, found no file")
    mapped = MAP_LINES if are_lines(map_status.geometry.to_numpy()) else MAP_STATUS
    frames = {
        DISCREPANCY: discrepancies,
        mapped: map_status,
        DETECTION: detections,
        COVERAGE: coverage,
    }
    for table, frame in frames.items():
        _require_columns(table, frame, run.crs)
    frames[DISCREPANCY] = _signals(
        discrepancies,
        mapped=map_status,
        coverage=coverage,
        orthophoto=orthophoto,
        earlier=earlier,
        language=language,
    )
    about = frames[DISCREPANCY].iloc[:0] if mapped.lines else _as_mapped(frames[DISCREPANCY])
    frames[SUGGESTION] = suggest(about, map_status)
    if sample is not None:
        frames[SAMPLE] = _asked(sample, frames[DISCREPANCY]["discrepancy_id"], language)
    if quality_grid is not None:
        frames[QUALITY_GRID] = quality_grid
    if registration is not None:
        frames[REGISTRATION] = registration
    archive = project_archive(
        folder,
        discrepancies,
        coverage,
        detections,
        map_status,
        crs=run.crs,
        title=f"{PROJECT['title'].say(language)} {run.flight_id}",
        orthophoto=orthophoto,
        probability=probability,
        earlier=earlier,
        language=language,
        mapped=mapped,
        extra=[table.name for table in (SAMPLE, QUALITY_GRID, REGISTRATION) if table in frames],
    )
    styles = {
        table: xml_text(style)
        for table, style in layer_styles(language).items()
        if table in frames or table is RUN
    }
    with one_line(target):
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder, ".review-") as making:
            partial = making / "review.gpkg"
            write_tables(partial, frames | {RUN: _run_row(run)}, crs=run.crs, language=language)
            add_styles(partial, styles, written=run.started)
            add_project(partial, "review", archive, written=run.started)
            beside = making / "review.qgz"
            beside.write_bytes(archive)
            beside.replace(folder / "review.qgz")
            _refuse_existing(target)
            partial.rename(target)
    return target


def project_archive(
    folder: Path, discrepancies: gpd.GeoDataFrame, *others: gpd.GeoDataFrame, language: Language, **told: Any
) -> bytes:
    """Return the zipped project that lies in *folder*: see `project.review_project`.

    What waits of *discrepancies* is seen first and bookmarked; where nothing does, what else there is.
    """
    project = review_project(
        folder,
        extent=_extent(discrepancies, *others),
        bookmarks=_bookmarks(discrepancies, language),
        language=language,
        **told,
    )
    return zipped({"review.qgs": project})


def _refuse_existing(target: Path) -> None:
    """Raise PublishError where a review lies (it may hold decisions) or a journal (it would spoil ours)."""
    for suffix in ("", "-wal", "-journal"):
        found = target.with_name(target.name + suffix)
        if found.exists():
            raise PublishError(
                f"{target}: expected no review there yet, found {found.name}; it is left as it is"
            )


@contextmanager
def one_line(target: Path) -> Iterator[None]:
    """Turn what a disk or a folder says into a PublishError about *target*."""
    try:
        yield
    except (OSError, sqlite3.Error, pyogrio.errors.DataSourceError, pyogrio.errors.FeatureError) as error:
        found = " ".join(str(error).split())
        raise PublishError(f"{target}: expected a folder that can be written, found {found}") from error


def _require_columns(table: Table, frame: gpd.GeoDataFrame, crs: str) -> None:
    """Check what crosses into the file: the columns of its table, the CRS of the project."""
    given = {column.name for column in table.columns if column.owner in ("stage", "ledger", "reviewer")}
    absent = sorted(given - set(frame.columns))
    if absent:
        raise PublishError(f"{table.name}: expected the columns {', '.join(absent)}, found them missing")
    if len(frame) and (frame.crs is None or not frame.crs.equals(pyproj.CRS.from_user_input(crs))):
        raise CRSError(
            f"{table.name}: expected {crs}, found {frame.crs.to_string() if frame.crs else 'none'}"
        )


def _signals(
    discrepancies: gpd.GeoDataFrame,
    *,
    mapped: gpd.GeoDataFrame,
    coverage: gpd.GeoDataFrame,
    orthophoto: Path,
    earlier: Path | None,
    language: Language,
) -> gpd.GeoDataFrame:
    """Return the discrepancies with a sentence, a picture, and the tile they lie on."""
    unknown = sorted(set(discrepancies["class"]) - set(CLASSES))
    if unknown:
        raise PublishError(f"discrepancy: expected a known class, found {', '.join(unknown)}")
    geometries = discrepancies.geometry.to_numpy()
    return discrepancies.assign(
        reason=[reason(row, language) for row in discrepancies.drop(columns="geometry").to_dict("records")],
        chip=cut_chips(orthophoto, geometries, mapped.geometry.to_numpy(), earlier=earlier),
        stac_item=_tiles_of(geometries, coverage),
    )


def _as_mapped(discrepancies: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the signals that are there, each with its change where the map would draw it."""
    there = discrepancies[discrepancies["lifecycle"] != "gone"]
    told = there.get("as_mapped", pd.Series(None, index=there.index, dtype=object))
    drawn = shapely.from_wkb(told.where(told.notna(), None).to_numpy(dtype=object))
    return there.set_geometry(np.where(told.notna(), drawn, there.geometry.to_numpy()), crs=there.crs)


def _asked(sample: gpd.GeoDataFrame, ids: pd.Series, language: Language) -> gpd.GeoDataFrame:
    """Return the sample with its questions, and the id of the signal that each is about."""
    known = sample["signal"].notna()
    of_signal = pd.Series(None, index=sample.index, dtype=object)
    of_signal[known] = ids.to_numpy()[sample.loc[known, "signal"].astype(int)]
    questions = sample["stratum"].map({code: words.say(language) for code, words in QUESTIONS.items()})
    return sample.assign(question=questions, discrepancy_id=of_signal)


def _tiles_of(geometries: Geometries, coverage: gpd.GeoDataFrame) -> list[str | None]:
    """Return the id of the tile that holds a point of each geometry, None outside every tile."""
    points = shapely.point_on_surface(geometries)
    inside, tiles = shapely.STRtree(coverage.geometry.to_numpy()).query(points, predicate="intersects")
    ids = coverage["tile_id"].to_numpy()
    found = dict(zip(inside.tolist(), ids[tiles].tolist(), strict=True))
    return [found.get(number) for number in range(len(geometries))]


def put_before(discrepancies: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the discrepancies that are put before a reviewer: those found now, not set aside by a policy."""
    hidden = discrepancies["class"].isin(HIDDEN_CLASSES)
    if "lifecycle" in discrepancies:
        hidden |= discrepancies["lifecycle"] == "gone"
    if "policy_group" in discrepancies:
        hidden |= discrepancies["policy_group"].notna()
    return discrepancies[~hidden]


def asked_again(discrepancies: gpd.GeoDataFrame) -> pd.Series:
    """Return which discrepancies were opened again since somebody decided on them."""
    if "reopened_at" not in discrepancies:  # a review of an older version
        return pd.Series(False, index=discrepancies.index)
    reopened, reviewed = (
        pd.to_datetime(discrepancies[name], utc=True) for name in ("reopened_at", "reviewed_at")
    )
    again: pd.Series = reopened.notna() & ~(reviewed >= reopened)
    return again


def waiting(discrepancies: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return what waits for a decision."""
    return put_before(discrepancies[(discrepancies["status"] == "open") | asked_again(discrepancies)])


def _extent(discrepancies: gpd.GeoDataFrame, *others: gpd.GeoDataFrame) -> Bounds:
    """Return what is seen first: the signals with a margin, else the first of the others that has rows."""
    for frame in (waiting(discrepancies), discrepancies, *others):
        if len(frame):
            return _around(tuple(frame.total_bounds), margin=0.05, least_m=MIN_EXTENT_M)
    return 0.0, 0.0, MIN_EXTENT_M, MIN_EXTENT_M


def _bookmarks(discrepancies: gpd.GeoDataFrame, language: Language) -> list[Bookmark]:
    """Return views of the signals that come first."""
    first = waiting(discrepancies).sort_values("priority", ascending=False, kind="stable").head(BOOKMARKS)
    return [
        Bookmark(
            f"{number}. {CLASSES[code].name.say(language)}",
            _around(geometry.bounds, margin=0.5, least_m=BOOKMARK_SIDE_M),
        )
        for number, (code, geometry) in enumerate(zip(first["class"], first.geometry, strict=True), start=1)
    ]


def _around(bounds: Bounds, *, margin: float, least_m: float) -> Bounds:
    """Return *bounds* grown by *margin* of its sides, each side at least *least_m* long."""
    left, bottom, right, top = bounds
    half_width = max((right - left) * (0.5 + margin), least_m / 2)
    half_height = max((top - bottom) * (0.5 + margin), least_m / 2)
    x, y = (left + right) / 2, (bottom + top) / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


def _run_row(run: RunInfo) -> pd.DataFrame:
    return pd.DataFrame([asdict(run) | {"map_source": without_secrets(run.map_source)}])
