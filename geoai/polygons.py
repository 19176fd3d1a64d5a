"""From probabilities to detections: traced on the pixel lattice, joined over tile borders, cleaned.

Everything happens in whole lattice pixels (x = column, y = row, growing southwards) and moves to metres once:
joining in metres leaves hairline seams, because 0.2 · k depends on how it was summed. Each tile is traced by
itself (`trace_tile`; `geoai.traced` keeps it), then the tiles are joined (`join_detections`,
`join_footprint`); only pieces that touch a tile's border wait for the join, so what is kept of a flight is
its outlines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes
from shapely import MultiPolygon

from geoai.config import PolygonSettings
from geoai.grid import PixelBox, TileScheme
from geoai.outlines import square
from geoai.raster import P_NODATA, P_SCALE, LatticeFile, gdal_environment
from geoai.storage import gdal_name
from geoai.vector import Geometries, connected_components, union_by_group


@dataclass(frozen=True)
class Pieces:
    """Polygons in lattice pixels with the sum of the stored probabilities of their pixels, (piece,) each."""

    geometry: Geometries
    core: NDArray[np.bool_]
    """Whether one of the pixels reaches the core's probability."""
    pixels: NDArray[np.int64]
    p_sum: NDArray[np.float64]
    corner: NDArray[np.int64]
    """(piece, 2): the corner (col, row) furthest west, then north, as traced; it names the detection."""

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Pieces:
        """Return the pieces at *index*."""
        return Pieces(
            self.geometry[index], self.core[index], self.pixels[index], self.p_sum[index], self.corner[index]
        )


@dataclass(frozen=True)
class TilePieces:
    """What one prediction tile holds: detections within it (cleaned), pieces at its border, valid ground."""

    inner: Pieces
    border: Pieces
    valid: Geometries


def detect(
    files: Sequence[LatticeFile], scheme: TileScheme, settings: PolygonSettings, *, theme: str, band: int
) -> tuple[gpd.GeoDataFrame, MultiPolygon]:
    """Return the detections of *band* (1-based) of prediction *files*, and the footprint of their pixels."""
    tiles = [trace_tile(file, scheme, settings, band=band) for file in files]
    return join_tiles(tiles, scheme, settings, theme=theme)


def join_tiles(
    tiles: Sequence[TilePieces], scheme: TileScheme, settings: PolygonSettings, *, theme: str
) -> tuple[gpd.GeoDataFrame, MultiPolygon]:
    """Return the detections of *tiles*, and the footprint of their valid pixels.

    See `join_detections` and `join_footprint`. The order of *tiles* is of no consequence.
    """
    footprint = join_footprint(tiles, scheme)
    return join_detections(tiles, footprint, scheme, settings, theme=theme), footprint


def trace_tile(file: LatticeFile, scheme: TileScheme, settings: PolygonSettings, *, band: int) -> TilePieces:
    """Trace *band* (1-based) of a prediction tile (uint8, p × 250, 255 = nodata) where p ≥ the threshold.

    Pixels belong together across sides, not across corners. A region counts where it reaches the core's
    probability somewhere, be it in another tile (hysteresis: Canny 1986).
    """
    values = _read(file, band)
    pieces = _trace(values, file.box, settings, scheme.gsd_m)
    west, north, east, south = shapely.bounds(pieces.geometry).reshape(-1, 4).T
    box = file.box
    at_border = (west == box.col) | (east == box.col_stop) | (north == box.row) | (south == box.row_stop)
    inner = _clean(pieces.take(~at_border), settings, scheme.gsd_m)
    return TilePieces(inner, pieces.take(at_border), _outlines(values != P_NODATA, box))


def join_detections(
    tiles: Sequence[TilePieces],
    footprint: MultiPolygon,
    scheme: TileScheme,
    settings: PolygonSettings,
    *,
    theme: str,
) -> gpd.GeoDataFrame:
    """Join the pieces of *tiles* over their borders and return detections in metres, north to south.

    Columns: detection_id (column_row of a corner on the lattice), theme, area_m2, p_mean (mean probability of
    the pixels above the threshold), near_edge (comes within a pixel of the *footprint*'s edge or of a hole in
    it that is not tiny), geometry (Polygon). The order of *tiles* is of no consequence.
    """
    joined = _clean(_joined(_concatenated([t.border for t in tiles])), settings, scheme.gsd_m)
    pieces = _concatenated([joined, *(tile.inner for tile in tiles)])
    pieces = pieces.take(np.lexsort((pieces.corner[:, 0], pieces.corner[:, 1])))
    geometry = _to_metres(pieces.geometry, scheme)
    return gpd.GeoDataFrame(
        {
            "detection_id": np.array([f"{col}_{row}" for col, row in pieces.corner], dtype=object),
            "theme": np.full(len(geometry), theme, dtype=object),
            "area_m2": shapely.area(geometry),
            "p_mean": pieces.p_sum / (P_SCALE * pieces.pixels),
            "near_edge": _near_edge(geometry, footprint, settings, scheme.gsd_m),
        },
        geometry=geometry,
        crs=scheme.crs,
    )


def join_footprint(tiles: Sequence[TilePieces], scheme: TileScheme) -> MultiPolygon:
    """Return the outline of the valid pixels of *tiles*, in metres."""
    return _footprint([tile.valid for tile in tiles], scheme)


def _read(file: LatticeFile, band: int) -> NDArray[np.uint8]:
    with gdal_environment(), rasterio.open(gdal_name(file.path)) as source:
        values: NDArray[np.uint8] = source.read(band)
    return values


def _trace(values: NDArray[np.uint8], box: PixelBox, settings: PolygonSettings, gsd_m: float) -> Pieces:
    """Return the 4-connected regions of *values* (row, col) above the threshold, as traced."""
    seen = (values >= _stored(settings.threshold)) & (values != P_NODATA)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(seen.astype(np.uint8), connectivity=4)
    left, top, width, height = stats[:, :4].T
    inside = (left > 0) & (top > 0) & (left + width < box.width) & (top + height < box.height)
    core = np.zeros(count, bool)
    core[labels[seen & (values >= _stored(settings.core))]] = True
    # what has no core, or cannot reach the smallest area even with its holes filled, is not worth an outline
    worth = ~inside | (core & (width * height * gsd_m**2 >= settings.min_area_m2))
    seen &= worth[labels]
    polygons, found = _polygons(labels, seen, box)
    p_sum = np.bincount(labels[seen], weights=values[seen], minlength=count).astype(np.float64)
    corner = shapely.get_coordinates(shapely.get_point(shapely.get_exterior_ring(polygons), 0))
    pixels = stats[found, cv2.CC_STAT_AREA].astype(np.int64)
    return Pieces(polygons, core[found], pixels, p_sum[found], corner.astype(np.int64))


def _stored(probability: float) -> int:
    """Return the smallest stored value that is at least *probability*."""
    return math.ceil(probability * P_SCALE - 1e-9)


def _outlines(mask: NDArray[np.bool_], box: PixelBox) -> Geometries:
    """Return the polygons of the true pixels of *mask* (row, col)."""
    if mask.all():
        return np.array([shapely.box(box.col, box.row, box.col_stop, box.row_stop)], object)
    return _polygons(mask.astype(np.int32), mask, box)[0]


def _polygons(
    labels: NDArray[np.int32], mask: NDArray[np.bool_], box: PixelBox
) -> tuple[Geometries, NDArray[np.intp]]:
    """Return the outline of each label under *mask* in lattice pixels, and the labels."""
    traced = list(shapes(labels, mask, connectivity=4, transform=Affine.translation(box.col, box.row)))
    polygons = np.empty(len(traced), object)
    polygons[:] = [shapely.Polygon(rings[0], rings[1:]) for rings in (o["coordinates"] for o, _ in traced)]
    return _canonical(polygons), np.array([label for _, label in traced], np.intp)


def _canonical(geometries: Geometries) -> Geometries:
    """Return the same polygons without needless vertices, each ring beginning at its westernmost corner.

    Where a ring begins decides what a simplification leaves of it, and must not depend on tile borders.
    """
    polygons: Geometries = shapely.simplify(shapely.normalize(geometries), 0.0)
    return polygons


def _concatenated(parts: Sequence[Pieces]) -> Pieces:
    nothing = np.zeros(0, np.int64)
    empty = Pieces(
        np.zeros(0, object), nothing > 0, nothing, nothing.astype(np.float64), nothing.reshape(0, 2)
    )
    parts = [empty, *parts]
    return Pieces(
        np.concatenate([part.geometry for part in parts]),
        np.concatenate([part.core for part in parts]),
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.p_sum for part in parts]),
        np.concatenate([part.corner for part in parts]),
    )


def _joined(pieces: Pieces) -> Pieces:
    """Join pieces that share a side; a shared corner does not join, as within a tile."""
    first, second = shapely.STRtree(pieces.geometry).query(pieces.geometry, predicate="intersects")
    first, second = first[first < second], second[first < second]
    side = shapely.length(shapely.intersection(pieces.geometry[first], pieces.geometry[second])) > 0
    group = connected_components(len(pieces.geometry), first[side], second[side])
    count = int(group.max(initial=-1)) + 1
    firstmost = np.lexsort((pieces.corner[:, 1], pieces.corner[:, 0], group))
    firstmost = firstmost[np.unique(group[firstmost], return_index=True)[1]]
    return Pieces(
        _canonical(union_by_group(pieces.geometry, group, count)),
        np.bincount(group[pieces.core], minlength=count) > 0,
        np.bincount(group, weights=pieces.pixels, minlength=count).astype(np.int64),
        np.bincount(group, weights=pieces.p_sum, minlength=count).astype(np.float64),
        pieces.corner[firstmost],
    )


def _clean(pieces: Pieces, settings: PolygonSettings, gsd_m: float) -> Pieces:
    """Fill small holes, drop pieces that are small or without a core, simplify or square the outlines."""
    pieces = pieces.take(pieces.core)
    geometry = _without_holes(pieces.geometry, settings.max_hole_m2 / gsd_m**2)
    large = shapely.area(geometry) * gsd_m**2 >= settings.min_area_m2
    traced, tolerance = _canonical(geometry[large]), settings.simplify_m / gsd_m
    outlines = square(traced, tolerance=tolerance) if settings.square else shapely.simplify(traced, tolerance)
    return replace(pieces.take(large), geometry=shapely.normalize(outlines))


def _without_holes(polygons: Geometries, below: float) -> Geometries:
    """Return the polygons without the holes whose area is smaller than *below*."""
    rings, owner = shapely.get_rings(polygons, return_index=True)
    outer = np.diff(owner, prepend=-1) > 0
    kept = outer | (shapely.area(shapely.polygons(rings)) >= below)
    filled: Geometries = shapely.polygons(rings[kept], indices=owner[kept])
    return filled


def _footprint(parts: Sequence[Geometries], scheme: TileScheme) -> MultiPolygon:
    pixels = shapely.union_all(np.concatenate([np.zeros(0, object), *parts]))
    metres = _to_metres(_canonical(shapely.get_parts(pixels)), scheme)
    return shapely.normalize(MultiPolygon(list(metres)))


def _to_metres(geometries: Geometries, scheme: TileScheme) -> Geometries:
    a, b, d, e, x, y = scheme.to_metres()
    matrix, offset = np.array([[a, b], [d, e]]).T, np.array([x, y])
    metres: Geometries = shapely.transform(geometries, lambda xy: np.round(xy @ matrix + offset, 6))
    return metres


def _near_edge(
    geometries: Geometries, footprint: MultiPolygon, settings: PolygonSettings, gsd_m: float
) -> NDArray[np.bool_]:
    """Return which detections come within a pixel of the footprint's edge; simplifying adds its tolerance."""
    outline = _without_holes(shapely.get_parts(footprint), settings.max_hole_m2)
    rings, _ = shapely.get_rings(outline, return_index=True)
    ends, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    segments = shapely.linestrings(np.stack([ends[:-1], ends[1:]], axis=1)[same])
    reach = gsd_m + settings.simplify_m
    near, _ = shapely.STRtree(segments).query(geometries, predicate="dwithin", distance=reach)
    mask = np.zeros(len(geometries), bool)
    mask[near] = True
    return mask
