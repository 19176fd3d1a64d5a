"""Reading and writing pixels: the only module that knows about raster windows and formats.

Arrays are (band, row, col); validity is a bool array (row, col). What lies outside every file is invalid.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import MemoryFile
from rasterio.windows import Window, from_bounds, intersect

from geoai.errors import CatalogError, ImageryError
from geoai.files import appearing_whole
from geoai.grid import Grid, PixelBox, TileScheme
from geoai.storage import gdal_name, gdal_options, is_remote, relative_name

GDAL_OPTIONS = {
    "GDAL_CACHEMAX": 96,  # MB; a row of blocks fits, more buys nothing
    "GDAL_TIFF_INTERNAL_MASK": True,
    "GTIFF_SRS_SOURCE": "EPSG",
}


P_SCALE = 250
"""Probabilities are stored as uint8: p × 250 …"""
P_NODATA = 255
"""… and this where there is no imagery."""


@dataclass(frozen=True)
class Raster:
    """Pixels on the ground: *data* (band, row, col), *valid* (row, col) bool, and their Grid."""

    data: NDArray[Any]
    valid: NDArray[np.bool_]
    grid: Grid


@dataclass(frozen=True, slots=True)
class LatticeFile:
    """A raster file that lies on the lattice, and the pixels it covers."""

    path: Path
    box: PixelBox


_TURN = threading.RLock()


@contextmanager
def gdal_environment() -> Any:
    """Set the GDAL options every stage reads and writes under; one thread at a time.

    GDAL's block cache is one for all threads: a thread that reads, short of room in it, writes what another
    has in it into the other's file, while that one works on the same file (GDAL 3.10 crashed in libtiff:
    tests/test_raster.py). The network, which takes most of the time, runs outside.
    """
    with _TURN, rasterio.Env(**GDAL_OPTIONS, **gdal_options()):
        yield


def read_lattice(
    files: Iterable[LatticeFile], box: PixelBox, *, bands: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read the *bands* (1-based) of *box* from the files that share pixels with it.

    Returns uint8 data (band, row, col), 0 where nothing is, and valid (row, col). Files of one tile scheme
    do not overlap, so their order is of no consequence.
    """
    data = np.zeros((len(bands), box.height, box.width), np.uint8)
    valid = np.zeros((box.height, box.width), bool)
    for file in files:
        part = file.box.intersection(box)
        if part is None:
            continue
        window = Window(part.col - file.box.col, part.row - file.box.row, part.width, part.height)
        with gdal_environment(), rasterio.open(gdal_name(file.path)) as source:
            rows, cols = part.slices_in(box)
            data[:, rows, cols] = source.read(bands, window=window)
            valid[rows, cols] = read_valid(source, window)
    np.copyto(data, 0, where=~valid)
    return data, valid


def read_bounds(path: Path, bounds: tuple[float, float, float, float], *, bands: tuple[int, ...]) -> Raster:
    """Read the *bands* (1-based) of one file inside *bounds* (left, bottom, right, top; metres, its CRS).

    Only what the file covers is read, in whole pixels; ImageryError where that is nothing.
    """
    with gdal_environment(), rasterio.open(path) as source:
        whole = Window(0, 0, source.width, source.height)
        wanted = from_bounds(*bounds, transform=source.transform).round_offsets().round_lengths()
        if not intersect(whole, wanted):
            raise ImageryError(f"{path}: expected imagery within {bounds}, found {tuple(source.bounds)}")
        window = whole.intersection(wanted)
        t = source.transform
        corner = t.c + window.col_off * t.a, t.f + window.row_off * t.e
        transform = Affine(t.a, t.b, corner[0], t.d, t.e, corner[1])
        grid = Grid(source.crs, transform, int(window.height), int(window.width))
        return Raster(source.read(bands, window=window), read_valid(source, window), grid)


def read_valid(source: rasterio.DatasetReader, window: Window) -> NDArray[np.bool_]:
    """Return where *source* holds imagery in *window*: internal mask, alpha or nodata; (row, col) bool."""
    if all(flags == [MaskFlags.all_valid] for flags in source.mask_flag_enums):
        return np.ones((int(window.height), int(window.width)), bool)
    mask: NDArray[np.uint8] = source.dataset_mask(window=window)
    return mask > 0


def read_padded(
    source: rasterio.DatasetReader, box: PixelBox, *, bands: tuple[int, ...], step: int = 1
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read *box*, in the raster's own pixels, of an open raster; outside the raster is 0 and invalid.

    Every *step*-th pixel (overviews are used where they are); the step must divide the box's edges, and where
    it is no power of two GDAL can take minutes. Returns data (band, row, col) and valid (row, col).
    """
    shape = box.height // step, box.width // step
    data, valid = np.zeros((len(bands), *shape), np.uint8), np.zeros(shape, bool)
    part = box.intersection(PixelBox(0, 0, source.width, source.height))
    if part is None:
        return data, valid
    window = Window(part.col, part.row, part.width, part.height)
    rows, cols = (slice(s.start // step, -(-s.stop // step)) for s in part.slices_in(box))
    shape = rows.stop - rows.start, cols.stop - cols.start
    valid[rows, cols] = source.dataset_mask(window=window, out_shape=shape) > 0
    data[:, rows, cols] = source.read(bands, window=window, out_shape=(len(bands), *shape))
    np.copyto(data, 0, where=~valid)
    return data, valid


def write_cog(
    path: Path,
    data: NDArray[np.uint8],
    grid: Grid,
    *,
    valid: NDArray[np.bool_] | None = None,
    nodata: int | None = None,
    compression: Literal["jpeg", "lossless"] = "lossless",
    jpeg_quality: int = 90,
    colorinterp: tuple[ColorInterp, ...] | None = None,
    descriptions: tuple[str, ...] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write *data* (band, row, col) as a Cloud Optimized GeoTIFF that appears whole or not at all.

    Invalid pixels go into an internal mask (*valid* given) or are *nodata*. Lossless is ZSTD 1,
    with a predictor for colour. Raises CatalogError where the disk refuses.
    """
    options: dict[str, Any] = {"BLOCKSIZE": 512, "BIGTIFF": "IF_SAFER", "OVERVIEW_RESAMPLING": "AVERAGE"}
    if compression == "jpeg":
        options |= {"COMPRESS": "JPEG", "QUALITY": jpeg_quality, "OVERVIEW_QUALITY": jpeg_quality}
    else:
        options |= {"COMPRESS": "ZSTD", "LEVEL": 1, "PREDICTOR": "YES" if len(data) > 1 else "NO"}
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": len(data),
        "height": grid.height,
        "width": grid.width,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": nodata,
        "tiled": True,
        "interleave": "pixel",
    }
    with gdal_environment(), MemoryFile() as memory, MemoryFile(ext=".tif") as cog:
        with memory.open(**profile) as target:
            if colorinterp:
                target.colorinterp = colorinterp
            target.write(data)
            if valid is not None and not valid.all():
                target.write_mask(valid)
            if tags:
                target.update_tags(**tags)
            for band, description in enumerate(descriptions, start=1):
                target.set_band_description(band, description)
        # by way of memory: what a full disk says through GDAL is no error that one could catch
        rasterio.shutil.copy(memory.name, cog.name, driver="COG", **options)
        try:
            with appearing_whole(path) as partial:
                partial.write_bytes(cog.getbuffer())
        except OSError as error:
            raise CatalogError(f"{path}: expected a disk that takes it, found {error.strerror}") from error


def write_mosaic(path: Path, files: Iterable[LatticeFile], scheme: TileScheme) -> None:
    """Write a GDAL VRT at *path* that shows tiles of one kind as one raster. *files* must not be empty.

    Bands, type, nodata and colour meaning are those of the first file; validity masks are carried.
    """
    ordered = sorted(files, key=lambda file: file.box)
    col, row = min(f.box.col for f in ordered), min(f.box.row for f in ordered)
    col_stop, row_stop = max(f.box.col_stop for f in ordered), max(f.box.row_stop for f in ordered)
    box = PixelBox(col, row, col_stop - col, row_stop - row)
    with gdal_environment(), rasterio.open(gdal_name(ordered[0].path)) as first:
        count, nodata, colours = first.count, first.nodata, first.colorinterp
        names, masked = first.descriptions, nodata is None

    root = ElementTree.Element("VRTDataset", rasterXSize=str(box.width), rasterYSize=str(box.height))
    ElementTree.SubElement(root, "SRS").text = scheme.crs.to_wkt()
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(
        repr(value) for value in scheme.transform_of(box).to_gdal()
    )
    bands = [
        ElementTree.SubElement(root, "VRTRasterBand", dataType="Byte", band=str(n + 1)) for n in range(count)
    ]
    for band, colour, name in zip(bands, colours, names, strict=True):
        if name:
            ElementTree.SubElement(band, "Description").text = name
        if nodata is not None:
            ElementTree.SubElement(band, "NoDataValue").text = str(int(nodata))
        ElementTree.SubElement(band, "ColorInterp").text = colour.name.capitalize()
    sources = [(band, str(n + 1)) for n, band in enumerate(bands)]
    if masked:
        mask = ElementTree.SubElement(
            ElementTree.SubElement(root, "MaskBand"), "VRTRasterBand", dataType="Byte"
        )
        sources.append((mask, "mask,1"))
    names = [_name_in_mosaic(file.path, path.parent) for file in ordered]
    for band, number in sources:
        for file, name in zip(ordered, names, strict=True):
            _add_source(band, number, file, name, box, nodata)
    with appearing_whole(path) as partial:
        ElementTree.indent(root)
        partial.write_bytes(ElementTree.tostring(root))


def _name_in_mosaic(path: Path, folder: Path) -> str:
    return gdal_name(path) if is_remote(path) else relative_name(path, folder)


def _add_source(
    band: ElementTree.Element,
    number: str,
    file: LatticeFile,
    name: str,
    box: PixelBox,
    nodata: float | None,
) -> None:
    source = ElementTree.SubElement(band, "SimpleSource" if nodata is None else "ComplexSource")
    relative = "0" if is_remote(file.path) else "1"
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT=relative).text = name
    ElementTree.SubElement(source, "SourceBand").text = number
    size = {"xSize": str(file.box.width), "ySize": str(file.box.height)}
    ElementTree.SubElement(source, "SrcRect", {"xOff": "0", "yOff": "0", **size})
    offset = {"xOff": str(file.box.col - box.col), "yOff": str(file.box.row - box.row)}
    ElementTree.SubElement(source, "DstRect", {**offset, **size})
    if nodata is not None:
        ElementTree.SubElement(source, "NODATA").text = str(int(nodata))
