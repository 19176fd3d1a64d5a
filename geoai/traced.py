"""What tracing found in each prediction tile, kept beside its probabilities.

Tracing is most of what a comparison costs on a large flight, and depends on a tile's probabilities and the
settings of the polygons only: a run under another map or other rules reads it back.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoai.catalog import fingerprint
from geoai.config import PolygonSettings
from geoai.files import appearing_whole
from geoai.grid import TileScheme
from geoai.polygons import Pieces, TilePieces, trace_tile
from geoai.raster import LatticeFile
from geoai.stac import FINGERPRINT

log = logging.getLogger(__name__)

COLUMNS = ("core", "pixels", "p_sum", "corner_col", "corner_row")


def trace_tiles(
    files: Sequence[LatticeFile],
    marks: Mapping[str, str],
    scheme: TileScheme,
    settings: PolygonSettings,
    *,
    band: int,
    keep: bool,
) -> list[TilePieces]:
    """Return what `polygons.trace_tile` finds in each of *files*, read back where it is known.

    *marks* says by tile id (the name of the file's folder) what the result depends on, as hex digits. With
    *keep* what was traced anew is written, in place of what an earlier mark left.
    """
    tiles, anew = [], 0
    for file in files:
        path = traced_path(file, marks[file.path.parent.name])
        known = _known(path)
        if known is not None:
            tiles.append(known)
            continue
        tiles.append(trace_tile(file, scheme, settings, band=band))
        anew += 1
        if keep:
            _keep(path, tiles[-1])
    log.info("%d tiles traced, %d read back", anew, len(files) - anew)
    return tiles


def keep_traced(
    file: LatticeFile, mark: str, scheme: TileScheme, settings: PolygonSettings, *, band: int
) -> None:
    """Trace one tile and keep what was found."""
    _keep(traced_path(file, mark), trace_tile(file, scheme, settings, band=band))


def traced_path(file: LatticeFile, mark: str) -> Path:
    """Return where what was traced in *file* is kept."""
    return file.path.with_name(f"traced-{mark[:16]}.parquet")


def tracing_marks(items: Sequence[Mapping[str, Any]], settings: PolygonSettings, band: int) -> dict[str, str]:
    """Return, by tile, what its tracing depends on: its probabilities, the band, how outlines are made."""
    options = settings.model_dump(mode="json")
    return {
        item["id"]: fingerprint("traced", item["properties"][FINGERPRINT], band, options) for item in items
    }


def _keep(path: Path, tile: TilePieces) -> None:
    for old in path.parent.glob("traced-*.parquet"):
        old.unlink(missing_ok=True)
    _write(path, tile)


def _write(path: Path, tile: TilePieces) -> None:
    """Write pieces and valid ground as GeoParquet, in lattice pixels; column part says which is which."""
    frame = pd.concat([_frame(tile.inner, "inner"), _frame(tile.border, "border")], ignore_index=True)
    valid = pd.DataFrame({"part": "valid", "geometry": tile.valid})
    whole = gpd.GeoDataFrame(pd.concat([frame, valid], ignore_index=True), geometry="geometry")
    with appearing_whole(path) as partial:
        whole.to_parquet(partial, compression="zstd")


def _frame(pieces: Pieces, part: str) -> pd.DataFrame:
    values = (pieces.core.astype(np.float64), pieces.pixels, pieces.p_sum, *pieces.corner.T)
    return pd.DataFrame(
        {"part": part, "geometry": pieces.geometry, **dict(zip(COLUMNS, values, strict=True))}
    )


def _known(path: Path) -> TilePieces | None:
    """Return what is kept at *path*, None where nothing is, or nothing whole: a disk that lost power, say."""
    if not path.exists():
        return None
    try:
        return _read(path)
    except (OSError, ValueError, KeyError) as error:  # pyarrow's are OSError or ValueError
        log.warning("%s: expected what was traced, found %s; traced again", path, error)
        return None


def _read(path: Path) -> TilePieces:
    whole = gpd.read_parquet(io.BytesIO(path.read_bytes()))  # wherever it lies
    geometry, part = whole.geometry.to_numpy(), whole["part"].to_numpy()

    def pieces(name: str) -> Pieces:
        core, pixels, p_sum, col, row = whole.loc[part == name, list(COLUMNS)].to_numpy(dtype=np.float64).T
        corner = np.column_stack([col, row]).astype(np.int64)
        return Pieces(geometry[part == name], core > 0, pixels.astype(np.int64), p_sum, corner)

    return TilePieces(pieces("inner"), pieces("border"), geometry[part == "valid"])
