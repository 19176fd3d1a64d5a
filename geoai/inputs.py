"""Opening files that others made: each by the one driver of its suffix, and nothing that leads elsewhere.

Imagery and maps are delivered from outside. A file that is really a list of other files or of addresses
(VRT, WMS, WFS) would have GDAL read what its author wants: such a file is followed where the settings name
it by its own suffix (.vrt), never where it comes under another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioIOError

from geoai.errors import MapError
from geoai.storage import gdal_name, is_remote

ORTHOPHOTOS = {".tif": "GTiff", ".tiff": "GTiff", ".jp2": "JP2OpenJPEG", ".jpg": "JPEG", ".jpeg": "JPEG"}
PLACING = (".tfw", ".tifw", ".tiffw", ".j2w", ".jp2w", ".jgw", ".jpgw", ".jpegw", ".wld", ".msk")
"""World files and masks: what lies beside an orthophoto and says where it is, and what of it is imagery."""
PICTURES = {".tif": "GTiff", ".tiff": "GTiff", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
HEIGHTS = {".tif": "GTiff", ".tiff": "GTiff", ".asc": "AAIGrid", ".vrt": "VRT"}
MAPS = {
    ".gpkg": ("GPKG", b"SQLite format 3\0"),
    ".shp": ("ESRI Shapefile", b"\0\0\x27\x0a"),
    ".fgb": ("FlatGeobuf", b"fgb"),
    ".geojson": ("GeoJSON", b"{"),
    ".vrt": ("OGR_VRT", b"<OGRVRTDataSource"),
}
"""Driver of each suffix, and how its files begin."""
FOLDERS = ("OpenFileGDB", "ESRI Shapefile")
"""Drivers of maps that are a folder."""
LEADS_ELSEWHERE = (b"<ogrvrt", b"<ogrwfs", b"gdal_streamed_alg")
"""What GDAL takes a file for something else by, wherever it stands in its beginning."""
BEGINNING = 1 << 16

FEW_PX = 10**9
PX_PER_BYTE = 1000
"""A raster of more than FEW_PX holds at most so many pixels a byte: the densest orthophotos hold 30."""
BLOCK_BYTES = 1 << 30
"""Largest block, all bands: it is read whole."""


def is_hidden(path: Path) -> bool:
    """Whether a file, named from its flight's folder, is no part of it: a program's own, or half a copy."""
    return any(name.startswith(".") for name in path.parts)


def open_raster(path: Path, drivers: Mapping[str, str]) -> rasterio.DatasetReader:
    """Open a raster by the driver of its suffix, with masks and overviews beside it that are TIFFs.

    Raises RasterioIOError where it cannot be read, where it or what lies beside it leads to other files, and
    where it says to be far larger than it can be.
    """
    driver = drivers.get(path.suffix.lower())
    if driver is None:
        raise RasterioIOError(f"{path}: expected {', '.join(drivers)}")
    return _open(path.absolute(), driver)  # absolute: no name is a URL


def _open(path: Path, driver: str) -> rasterio.DatasetReader:
    for beside in _beside(path):
        _open(beside, "GTiff").close()
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE"):  # GDAL asks for names, see _beside
        source = rasterio.open(gdal_name(path), driver=driver)
    problem = _problem(source, path)
    if problem:
        source.close()
        raise RasterioIOError(f"{path.name}: {problem}")
    return source


def _beside(path: Path) -> Iterator[Path]:
    """Yield the mask and the overviews that GDAL takes with *path*, whatever they hold.

    They are asked for by name: a listing of 1,500 sheets for each tile would take longer than its pixels.
    """
    if is_remote(path):
        mask = path.with_name(f"{path.name}.msk")
        yield from [mask] if mask.exists() else []  # overviews are not asked for there
        return
    beside = (path.with_name(path.name + suffix) for suffix in (".msk", ".MSK", ".ovr", ".OVR"))
    yield from [found for found in beside if found.exists()]


def _problem(source: rasterio.DatasetReader, path: Path) -> str | None:
    if elsewhere := source.tags(ns="OVERVIEWS").get("OVERVIEW_FILE"):
        return f"expected overviews of its own, found those of {elsewhere}"
    pixels, size = source.width * source.height, path.stat().st_size
    if source.driver != "VRT" and pixels > max(FEW_PX, PX_PER_BYTE * size):
        return f"expected a file as large as its image, found {pixels:.0e} px in {size} bytes"
    rows, cols = source.block_shapes[0]
    block = rows * cols * source.count * np.dtype(source.dtypes[0]).itemsize
    if block > BLOCK_BYTES:
        return f"expected blocks of at most {BLOCK_BYTES >> 30} GB, found {rows} × {cols} px"
    return None


def check_map(path: Path) -> tuple[str, ...]:
    """Look at a map's file before GDAL does and return the drivers that may have it.

    Raises MapError where it is no folder and none of MAPS, or another thing than its suffix says.
    """
    if path.is_dir():
        return FOLDERS
    if path.suffix.lower() not in MAPS:
        found = path.suffix or "no suffix"
        raise MapError(f"{path}: expected a folder or {', '.join(MAPS)}, found {found}")
    driver, start = MAPS[path.suffix.lower()]
    with path.open("rb") as file:
        beginning = file.read(BEGINNING)
    leads = driver != "OGR_VRT" and any(word in beginning.lower() for word in LEADS_ELSEWHERE)
    if leads or not beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(start):
        raise MapError(f"{path}: expected a source that OGR can open as {driver}, found another format")
    return (driver,)
