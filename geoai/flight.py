"""What was flown: a folder of orthophotos, accepted file by file.

Bad imagery is data: checks return findings, and the rest of the flight goes on.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geoai.config import FlightSettings
from geoai.errors import CRSError, ImageryError
from geoai.files import appearing_whole, sha256_of
from geoai.grid import Grid, crs_name, require_metric, same_crs
from geoai.inputs import ORTHOPHOTOS, PLACING, is_hidden, open_raster
from geoai.raster import gdal_environment, read_valid
from geoai.storage import check_reachable, files_below

log = logging.getLogger(__name__)

BESIDE = (*PLACING, ".aux.xml")
"""What may lie beside a sheet in an object store: world files, georeferencing, a mask."""
GSD_TOLERANCE = 0.01
"""Relative difference of GSD from which a sheet is said to differ from its flight."""
MEMO_S = 30.0
"""How often what was read is written down meanwhile: sheets of so long are read again after a kill."""
SLIT_M = 5.0
"""Openings between sheets up to this width count as gaps; wider ones are the flight's own shape."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an acceptance check says. An *error* keeps the file out of the run; a *warning* does not."""

    file: str
    code: str
    severity: Literal["error", "warning"]
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


@dataclass(frozen=True, slots=True)
class Orthophoto:
    """One delivered image file that can be used.

    *name* is its path below the flight folder; *colour* the 1-based indexes of red, green, blue (and near
    infrared); *checksum* the sha256 of the file, *mask_checksum* of the mask beside it ('' where none is);
    *valid_share* the share of pixels that hold imagery.
    """

    path: Path
    name: str
    grid: Grid
    colour: tuple[int, ...]
    dtype: str
    checksum: str
    mask_checksum: str
    valid_share: float


@dataclass(frozen=True, slots=True)
class Flight:
    """One survey campaign: the orthophotos of it that can be used, ordered by name.

    *unreadable* are the grids of sheets that could be used before, are there and cannot be read now.
    """

    id: str
    folder: Path
    date: dt.date | None
    orthophotos: tuple[Orthophoto, ...]
    unreadable: tuple[Grid, ...] = ()

    @property
    def gsd_m(self) -> float:
        """The GSD of most sheets, rounded to a tenth of a millimetre."""
        sizes, counts = np.unique([round(o.grid.gsd_m, 4) for o in self.orthophotos], return_counts=True)
        return float(sizes[np.argmax(counts)])

    @property
    def band_count(self) -> int:
        """4 where every sheet has near infrared, else 3."""
        return min(len(o.colour) for o in self.orthophotos)

    @property
    def interval(self) -> tuple[dt.datetime, dt.datetime]:
        """First and last moment of photography (UTC): the stated day, else the dates of the files."""
        if self.date is not None:
            start = dt.datetime.combine(self.date, dt.time(), dt.UTC)
            return start, start + dt.timedelta(days=1, seconds=-1)
        times = [o.path.stat().st_mtime for o in self.orthophotos]
        first, last = (dt.datetime.fromtimestamp(int(t), dt.UTC) for t in (min(times), max(times)))
        return first, last


def scan_flight(
    settings: FlightSettings,
    crs: CRS,
    *,
    memo: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Flight, list[Finding]]:
    """Read the flight's folder and return what can be used, and every finding.

    Each file is read once in full (checksum, valid pixels, damage); *memo* is a JSON file that remembers
    what was read by size and modification time (in an object store, ETag), of what lies beside a file too: a
    file that is unchanged is not opened. *progress* is told (done, total) files. Raises ImageryError where
    there is no folder or no usable orthophoto, or where most files of the last look are gone: a share that is
    half mounted is no flight.
    """
    if settings.folder is None:
        raise ImageryError("flight.folder: expected a folder of orthophotos, found none")
    folder = settings.folder.absolute()  # workers may stand in another
    check_reachable(folder)
    if not folder.is_dir():
        raise ImageryError(
            f"{folder}: expected a folder of orthophotos, found {'a file' if folder.exists() else 'nothing'}"
        )
    stamps = dict(files_below(folder))
    files = [path for path in stamps if not is_hidden(path.relative_to(folder))]
    paths = [path for path in files if path.suffix.lower() in ORTHOPHOTOS]
    if not paths:
        raise ImageryError(f"{folder}: expected orthophotos ({', '.join(sorted(ORTHOPHOTOS))}), found none")
    known = _read_memo(memo)
    _require_most(folder, paths, known, memo)
    beside = _beside(files, paths)
    fresh: dict[str, Facts] = {}
    accepted: list[Orthophoto] = []
    findings: list[Finding] = []
    unreadable: list[Grid] = []
    written = time.monotonic()
    for done, path in enumerate(paths, start=1):
        name = path.relative_to(folder).as_posix()
        stamp = [[each.name, *stamps[each]] for each in (path, *beside.get(path, []))]
        facts = known.get(name, {})
        if facts.get("stamp") != stamp:
            facts = {"stamp": stamp}
        orthophoto, problems, facts = _inspect(path, name, settings, crs, facts)
        unread = any(problem.code in ("unreadable", "away") for problem in problems)
        if unread and "checksum" in known.get(name, {}):
            fresh[name] = known[name]
            unreadable.append(_grid_of(known[name], crs))
        elif "height" in facts:
            fresh[name] = facts
        findings += problems
        if orthophoto is not None:
            accepted.append(orthophoto)
        if memo is not None and time.monotonic() - written > MEMO_S:
            _write_memo(memo, known | fresh)  # reading a large flight takes hours
            written = time.monotonic()
        progress(done, len(paths))
    if memo is not None and fresh != known:
        _write_memo(memo, fresh)
    if not accepted:
        raise ImageryError(
            "\n".join([*map(str, findings), f"{folder}: expected usable orthophotos, found none"])
        )
    flight = Flight(settings.name, folder, settings.date, tuple(accepted), tuple(unreadable))
    findings += _check_flight(flight)
    for finding in findings:
        log.log(logging.ERROR if finding.severity == "error" else logging.WARNING, "%s", finding)
    log.info("%s: %d of %d orthophotos accepted", flight.id, len(accepted), len(paths))
    return flight, findings


@contextmanager
def open_orthophoto(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a delivered file, with what lies beside it, by the driver of its suffix and no other."""
    allowed = ",".join((*ORTHOPHOTOS, *BESIDE))
    with warnings.catch_warnings(), rasterio.Env(CPL_VSIL_CURL_ALLOWED_EXTENSIONS=allowed):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # becomes a finding
        with open_raster(path, ORTHOPHOTOS) as source:
            yield source  # GDAL looks for a mask when it is first asked for one


Facts: TypeAlias = dict[str, Any]
"""What was read of a file: sizes and times (stamp), header, and, where the header will do, its content."""


def _require_most(folder: Path, paths: list[Path], known: dict[str, Facts], memo: Path | None) -> None:
    """Raise ImageryError where more than half of the files that are *known* are gone."""
    there = {path.relative_to(folder).as_posix() for path in paths}
    gone = sorted(known.keys() - there)
    if len(gone) > len(known) / 2:
        raise ImageryError(
            f"{folder}: expected the {len(known)} orthophotos of the last look, found {len(gone)} of them "
            f"gone, such as {gone[0]}; if they are not to come back, give another flight.id or remove {memo}"
        )


def _beside(files: list[Path], sheets: list[Path]) -> dict[Path, list[Path]]:
    """Return for each sheet the files beside it that are named after it: world file, mask, metadata."""
    named: dict[str, list[Path]] = {}
    for sheet in sheets:
        named.setdefault(str(sheet.with_suffix("")).lower(), []).append(sheet)
    found: dict[Path, list[Path]] = {}
    taken = set(sheets)
    for path in (path for path in files if path not in taken):
        stem = path
        while stem.suffix:
            stem = stem.with_suffix("")
            for sheet in named.get(str(stem).lower(), []):
                found.setdefault(sheet, []).append(path)
    return found


def _grid_of(facts: Facts, crs: CRS) -> Grid:
    return Grid(crs, Affine(*facts["transform"]), facts["height"], facts["width"])


def _read_memo(memo: Path | None) -> dict[str, Facts]:
    try:
        known = json.loads(memo.read_text()) if memo else {}
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_memo(memo: Path, facts: dict[str, Facts]) -> None:
    with appearing_whole(memo) as partial:
        partial.write_text(json.dumps(facts, indent=1))


def _inspect(
    path: Path, name: str, settings: FlightSettings, crs: CRS, facts: Facts
) -> tuple[Orthophoto | None, list[Finding], Facts]:
    """Return the orthophoto if it can be used, its findings, and *facts* with what was read of the file.

    A file of which all is known is not opened.
    """

    def refuse(code: str, message: str) -> tuple[None, list[Finding], Facts]:
        return None, [Finding(shown, code, "error", message)], facts

    shown = os.fsencode(name).decode(errors="replace")
    if shown != name:  # GDAL could not be told of it, nor any report
        return refuse("name", "expected a name in UTF-8, found other bytes; rename the file")
    try:
        if "height" not in facts:
            facts = facts | _read_header(path)
        found = _parse_wkt(facts["crs"]) if facts["crs"] else crs if settings.assume_crs else None
        if found is None:
            return refuse("no_crs", f"expected {crs_name(crs)}, found no CRS (see flight.assume_crs)")
        require_metric(found, name)
        if not same_crs(found, crs):
            return refuse("wrong_crs", f"expected {crs_name(crs)}, found {crs_name(found)}")
        transform = Affine(*facts["transform"])
        if transform.is_identity:
            return refuse("no_transform", "expected a geotransform or world file, found none")
        try:
            grid = _grid_of(facts, crs)
        except CRSError as error:
            return refuse("bad_grid", str(error).removeprefix("grid: "))
        dtype, colour = facts["dtype"], facts["colour"]
        if dtype not in ("uint8", "uint16"):
            return refuse("dtype", f"expected uint8 or uint16, found {dtype}")
        if dtype == "uint16" and settings.white_level is None:
            return refuse("white_level", "expected flight.white_level to be set for uint16, found none")
        if colour is None:
            return refuse("bands", f"expected RGB or RGB + near infrared, found {facts['bands']} band(s)")
        if "checksum" not in facts:
            facts = facts | _read_content(path)
    except CRSError as error:
        return refuse("wrong_crs", str(error).removeprefix(f"{name}: "))
    except (RasterioError, OSError) as error:
        code = "unreadable" if _is_given(path) else "away"
        return refuse(code, f"expected a readable orthophoto, found: {' '.join(str(error).split())}")
    share = facts["valid_share"]
    if share == 0.0:
        return refuse("all_nodata", "expected imagery, found nodata only")
    checksums = facts["checksum"], facts["mask_checksum"]
    return Orthophoto(path, name, grid, tuple(colour), dtype, *checksums, share), [], facts


def _is_given(path: Path) -> bool:
    """Whether the disk or share gives a file, whatever is in it."""
    try:
        sha256_of(path)
    except OSError:
        return False
    return True


def _read_header(path: Path) -> Facts:
    with gdal_environment(), open_orthophoto(path) as source:
        return {
            "crs": source.crs.to_wkt() if source.crs else None,
            "transform": list(source.transform)[:6],
            "height": source.height,
            "width": source.width,
            "dtype": source.dtypes[0],
            "bands": source.count,
            "colour": _colour_bands(source),
        }


def _read_content(path: Path) -> Facts:
    with gdal_environment(), open_orthophoto(path) as source:
        names = (Path(name).name for name in source.files)
        masks = [path.with_name(name) for name in names if name.lower().endswith(".msk")]
        return {
            "valid_share": _valid_share(source),
            "checksum": sha256_of(path),
            "mask_checksum": sha256_of(masks[0]) if masks else "",
        }


@functools.lru_cache
def _parse_wkt(wkt: str) -> CRS:
    return CRS.from_wkt(wkt)


def _colour_bands(source: rasterio.DatasetReader) -> tuple[int, ...] | None:
    """Return the indexes of red, green, blue (, near infrared), or None where there are not three or four."""
    meanings = source.colorinterp
    bands = [n for n, meaning in enumerate(meanings, start=1) if meaning != ColorInterp.alpha]
    rgb = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if len(bands) not in (3, 4):
        return None
    if all(colour in meanings for colour in rgb):
        named = [meanings.index(colour) + 1 for colour in rgb]
        return (*named, *(n for n in bands if n not in named))
    return tuple(bands)


def _valid_share(source: rasterio.DatasetReader) -> float:
    """Read every block, so that damage shows as RasterioError, and return the share of valid pixels."""
    valid = 0
    masked = any(flags != [MaskFlags.all_valid] for flags in source.mask_flag_enums)
    for _, window in source.block_windows(1):
        source.read(window=window)
        valid += int(read_valid(source, window).sum()) if masked else int(window.width * window.height)
    return valid / int(source.width * source.height)


def _check_flight(flight: Flight) -> Iterator[Finding]:
    """Yield what can only be seen of all sheets together: odd GSD, mixed bands, overlaps, gaps, no date."""
    gsd, bands = flight.gsd_m, flight.band_count
    for ortho in flight.orthophotos:
        if abs(ortho.grid.gsd_m / gsd - 1) > GSD_TOLERANCE:
            message = (
                f"expected a GSD of {gsd:g} m like the rest, found {ortho.grid.gsd_m:g} m; it is resampled"
            )
            yield Finding(ortho.name, "gsd", "warning", message)
        if len(ortho.colour) > bands:
            message = (
                f"expected {bands} bands like the rest, found {len(ortho.colour)}; near infrared is left out"
            )
            yield Finding(ortho.name, "bands", "warning", message)
    if flight.date is None:
        message = "expected flight.date, found none; the catalogue states the dates of the files"
        yield Finding(flight.id, "no_date", "warning", message)
    boxes = np.array([shapely.box(*ortho.grid.bounds) for ortho in flight.orthophotos])
    yield from _overlaps(flight, boxes)
    yield from _gaps(flight, boxes)


def _overlaps(flight: Flight, boxes: NDArray[np.object_]) -> Iterator[Finding]:
    """Yield pairs of sheets that share more than 2 % of the smaller one: delivered twice, or out of place."""
    first, second = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    for a, b in sorted(zip(first, second, strict=True)):
        if a >= b:
            continue
        shared = boxes[a].intersection(boxes[b]).area
        if shared > 0.02 * min(boxes[a].area, boxes[b].area):
            names = flight.orthophotos[a].name, flight.orthophotos[b].name
            message = f"expected sheets side by side, found {shared:,.0f} m² shared with {names[1]}"
            yield Finding(names[0], "overlap", "warning", f"{message}; {names[0]} is used there")


def _gaps(flight: Flight, boxes: NDArray[np.object_]) -> Iterator[Finding]:
    """Yield slits between sheets and holes inside the flight."""
    covered = shapely.union_all(boxes)
    closed = covered.buffer(SLIT_M / 2, join_style="mitre").buffer(-SLIT_M / 2, join_style="mitre")
    parts = closed.geoms if closed.geom_type == "MultiPolygon" else [closed]
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in parts])
    gaps = filled.difference(covered)
    smallest = flight.gsd_m**2 / 2
    for gap in getattr(gaps, "geoms", [gaps]):
        if gap.area > smallest:
            x, y = gap.centroid.x, gap.centroid.y
            message = f"expected no gap between sheets, found {gap.area:,.1f} m² at {x:.0f}, {y:.0f}"
            yield Finding(flight.id, "gap", "warning", message)
