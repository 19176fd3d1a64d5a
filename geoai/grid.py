"""Where pixels sit on the ground: grids, and the fixed lattice and tile scheme of a project.

The **lattice** is the set of all pixels of a project: pixel (col, row) covers
x = [col, col + 1) · gsd, y = (−row − 1, −row] · gsd in the project CRS. Rows grow southwards, so northern
hemisphere rows are negative. A **tile** is one cell of a metric grid laid over it, and is the same cell
for every flight: flights compare tile by tile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS

from geoai.errors import ConfigError, CRSError

PIXEL_TOLERANCE = 0.01
"""How far, in pixels, a corner may lie from the lattice and still count as on it."""


def parse_crs(text: str) -> CRS:
    """Return the CRS named by *text* ('EPSG:3006', WKT); raise CRSError unless projected and in metres."""
    try:
        crs = CRS.from_user_input(text)
    except ValueError as error:
        raise CRSError(f"crs: expected an EPSG code such as EPSG:3006, found {text!r}") from error
    require_metric(crs, "crs")
    return crs


def require_metric(crs: CRS | None, source: object) -> None:
    """Raise CRSError naming *source* unless *crs* is projected with the metre as its unit."""
    if not crs:
        raise CRSError(f"{source}: expected a projected CRS in metres, found none")
    if not crs.is_projected or crs.linear_units_factor[1] != 1.0:
        raise CRSError(f"{source}: expected a projected CRS in metres, found {crs_name(crs)}")


def same_crs(first: CRS, second: CRS) -> bool:
    """Whether two CRSs place the same coordinates on the same ground.

    A file may carry its CRS as WKT without the authority code (old Esri and Estonian deliveries do), so
    equality of the text is not asked for: the EPSG code found with full confidence decides.
    """
    if first == second:
        return True
    codes = first.to_epsg(confidence_threshold=70), second.to_epsg(confidence_threshold=70)
    return codes[0] is not None and codes[0] == codes[1]


def crs_name(crs: CRS | None) -> str:
    """Return 'EPSG:3006' where there is a code, else the CRS's own name, for messages and metadata."""
    if not crs:
        return "none"
    code = crs.to_epsg(confidence_threshold=70)
    return f"EPSG:{code}" if code else str(crs.to_wkt().split('"')[1])


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up raster grid with square pixels in a projected CRS whose unit is the metre."""

    crs: CRS
    transform: Affine
    height: int
    width: int

    def __post_init__(self) -> None:
        require_metric(self.crs, "grid")
        t = self.transform
        if t.b or t.d or t.a <= 0 or not math.isclose(t.a, -t.e, rel_tol=1e-6):
            raise CRSError(f"grid: expected north-up with square pixels, found transform {tuple(t)[:6]}")

    @property
    def gsd_m(self) -> float:
        """Ground sampling distance: the pixel's side in metres."""
        return float(self.transform.a)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in metres."""
        left, top = self.transform.c, self.transform.f
        return left, top - self.height * self.gsd_m, left + self.width * self.gsd_m, top


@dataclass(frozen=True, slots=True, order=True)
class PixelBox:
    """A rectangle of lattice pixels: columns [col, col + width), rows [row, row + height)."""

    col: int
    row: int
    width: int
    height: int

    @property
    def col_stop(self) -> int:
        """First column to the right of the box."""
        return self.col + self.width

    @property
    def row_stop(self) -> int:
        """First row below the box."""
        return self.row + self.height

    def grown(self, px: int) -> PixelBox:
        """Return the box with *px* pixels more on every side."""
        return PixelBox(self.col - px, self.row - px, self.width + 2 * px, self.height + 2 * px)

    def snapped(self, step: int) -> PixelBox:
        """Return the smallest box around this one whose edges lie on multiples of *step* pixels."""
        col, row = self.col // step * step, self.row // step * step
        col_stop, row_stop = -(-self.col_stop // step) * step, -(-self.row_stop // step) * step
        return PixelBox(col, row, col_stop - col, row_stop - row)

    def intersection(self, other: PixelBox) -> PixelBox | None:
        """Return the pixels that both boxes hold, or None."""
        col, row = max(self.col, other.col), max(self.row, other.row)
        width = min(self.col_stop, other.col_stop) - col
        height = min(self.row_stop, other.row_stop) - row
        return PixelBox(col, row, width, height) if width > 0 and height > 0 else None

    def slices_in(self, outer: PixelBox) -> tuple[slice, slice]:
        """Return the (row, col) slices of this box in an array that covers *outer*."""
        row, col = self.row - outer.row, self.col - outer.col
        return slice(row, row + self.height), slice(col, col + self.width)


@dataclass(frozen=True, slots=True)
class TileScheme:
    """The project's lattice (CRS and GSD) and its tiles of *tile_m* metres, anchored at (0, 0).

    A tile's id is its south-west corner in metres, 'EASTING_NORTHING'.
    """

    crs: CRS
    gsd_m: float
    tile_m: int

    def __post_init__(self) -> None:
        require_metric(self.crs, "tile scheme")
        pixels = self.tile_m / self.gsd_m
        if abs(pixels - round(pixels)) > 1e-6:
            whole = [m for m in range(100, 2001, 50) if abs(m / self.gsd_m - round(m / self.gsd_m)) < 1e-6]
            nearest = min(whole, key=lambda m: abs(m - self.tile_m), default=None)
            hint = f"; tile_m: {nearest} would fit" if nearest else ""
            raise ConfigError(
                f"tiling.tile_m: expected a whole number of {self.gsd_m} m pixels, found {self.tile_m}{hint}"
            )

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels."""
        return round(self.tile_m / self.gsd_m)

    def tile_box(self, tile_id: str) -> PixelBox:
        """Return the lattice pixels of the tile *tile_id*."""
        east, north = (int(part) for part in tile_id.split("_"))
        col, row = east // self.tile_m, -north // self.tile_m - 1
        return PixelBox(col * self.tile_px, row * self.tile_px, self.tile_px, self.tile_px)

    def tiles_over(self, box: PixelBox) -> Iterator[str]:
        """Yield the ids of the tiles that share pixels with *box*, north to south, west to east."""
        px = self.tile_px
        for row in range(box.row // px, -(-box.row_stop // px)):
            for col in range(box.col // px, -(-box.col_stop // px)):
                yield f"{col * self.tile_m}_{-(row + 1) * self.tile_m}"

    def box_around(self, bounds: tuple[float, float, float, float]) -> PixelBox:
        """Return the smallest box of pixels over *bounds* (left, bottom, right, top in metres)."""
        left, bottom, right, top = (value / self.gsd_m for value in bounds)
        col, row = math.floor(left + PIXEL_TOLERANCE), math.floor(-top + PIXEL_TOLERANCE)
        col_stop, row_stop = math.ceil(right - PIXEL_TOLERANCE), math.ceil(-bottom - PIXEL_TOLERANCE)
        return PixelBox(col, row, col_stop - col, row_stop - row)

    def transform_of(self, box: PixelBox) -> Affine:
        """Return the affine transform of a raster that covers *box*."""
        x, y = round(box.col * self.gsd_m, 6), round(-box.row * self.gsd_m, 6)
        return Affine(self.gsd_m, 0.0, x, 0.0, -self.gsd_m, y)

    def grid_of(self, box: PixelBox) -> Grid:
        """Return the Grid of a raster that covers *box*."""
        return Grid(self.crs, self.transform_of(box), box.height, box.width)

    def to_metres(self) -> tuple[float, float, float, float, float, float]:
        """Return the shapely.affinity matrix [a, b, d, e, xoff, yoff] from (col, row) to (x, y)."""
        return self.gsd_m, 0.0, 0.0, -self.gsd_m, 0.0, 0.0
