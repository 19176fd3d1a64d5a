"""The synthetic municipality of `geoai demo`: its flight, its digital map, and the errors planted in the map.

The photograph shows what stands (`geoai.scene`); the map is drawn from the same buildings with a surveyor's
noise, and then spoilt in known places. `score` holds what a run reports against what was planted.

What the map leaves out on purpose: sheds under 15 m², as a municipality's map does. Each of them that can be
seen is planted as below_min. Everything else that stands is mapped, unless it is planted as missing.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from geoai.files import appearing_whole
from geoai.grid import Grid, PixelBox, TileScheme, parse_crs
from geoai.raster import gdal_environment
from geoai.scene import Roof, Scene, make_scene

CRS_NAME = "EPSG:3006"
GSD_M = 0.2
LEFT_M, TOP_M = 450_000.0, 6_405_000.0
"""North-west corner, near Jönköping; a corner of the lattice."""
SHEET_PX = 2501
"""Side of a sheet: 500.2 m, so that neighbours overlap by one pixel."""
SHEETS = 2
"""Sheets a side."""
SIDE_M = ((SHEET_PX - 1) * SHEETS + 1) * GSD_M

PLANTED_CLASSES = (
    "missing",
    "demolished",
    "uncertain_absence",
    "extended",
    "reduced",
    "not_assessable",
    "below_min",
    "confirmed",
)
STATUS_CLASSES = ("not_assessable", "confirmed")
"""Classes that are read from the status of every map object, not from the discrepancies."""

PLANTED_OF_EACH = 10
SMALL_SHED_M2 = 15.0
HIDDEN_SHARE = 0.5
"""A mapped house of which less is visible stands hidden under crowns: uncertain_absence, as by the rules.

The photograph cannot say whether it is still there. Where a roof shows through here and there the network
is unsure, which is the right answer; a house hidden wholly looks like forest, and to call it demolished is
wrong.
"""
CUT_M2 = 1.0
"""A building of which this much lies where nothing was flown is cut, and cannot be assessed."""
CLEAR_M = 3.0
"""A planted error keeps this far from other buildings, so that one class is the right answer."""
PURPOSE = {
    "house": "Bostad; småhus friliggande",
    "block": "Bostad; flerfamiljshus",
    "hall": "Industri; övrig",
    "shed": "Komplementbyggnad",
}


@dataclass(frozen=True)
class Municipality:
    """A made municipality: the folder of its sheets, its map, and the truth about the map.

    *planted* (also in *truth*, a GeoPackage to look at) has a row per planted error and per map object:
    planted_class, map_object_id (null where nothing is mapped), geometry: the building, wing or place.
    """

    flight: Path
    map: Path
    map_layer: str
    truth: Path
    planted: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of the truth: what the map draws (None: nothing), and what a comparison ought to say."""

    planted_class: str
    evidence: Polygon
    drawn: Polygon | None
    purpose: str


def make_municipality(folder: Path, *, seed: int = 7) -> Municipality:
    """Write *folder*/flight/*.tif, *folder*/map.gpkg (layer byggnad) and *folder*/planted.gpkg.

    One km² at 0.2 m in EPSG:3006: four sheets of 2501 × 2501 px that overlap by a pixel, JPEG with an
    internal mask; the north-east corner was not flown. The same seed makes the same municipality.
    """
    scene = make_scene(seed, width_m=SIDE_M, height_m=SIDE_M, gsd_m=GSD_M)
    rng = np.random.default_rng([seed, 1])
    flown = _flown_area(rng)
    entries = _plant(scene, flown, rng)
    mapped, planted = _draw_map(entries, rng)
    sheets = folder / "flight"
    _write_sheets(sheets, scene, flown)
    map_path, truth = folder / "map.gpkg", folder / "planted.gpkg"
    _write_layer(map_path, mapped, "byggnad")
    _write_layer(truth, planted, "planted")
    return Municipality(sheets, map_path, "byggnad", truth, planted)


def _flown_area(rng: np.random.Generator) -> Polygon:
    """Return where there is imagery, in scene metres: all but a ragged north-east corner."""
    steps = np.linspace(0, 1, 9)
    x = SIDE_M * (0.76 + 0.24 * steps) + rng.normal(0, 4, 9)
    y = SIDE_M * (1.0 - 0.30 * steps) + rng.normal(0, 4, 9)
    edge = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    edge[0], edge[-1] = (edge[0][0], SIDE_M), (SIDE_M, edge[-1][1])
    return Polygon([(0, 0), (SIDE_M, 0), *edge[::-1], (0, SIDE_M)])


# --- planting ----------------------------------------------------------------------------------------------


def _plant(scene: Scene, flown: Polygon, rng: np.random.Generator) -> list[_Entry]:
    """Decide for every building what the map says of it, and add what the map has and nobody sees."""
    roofs = [scene.roofs[n] for n in rng.permutation(len(scene.roofs))]
    roofs = [roof for roof in roofs if roof.footprint.area >= SMALL_SHED_M2 or _seen_shed(roof, flown)]
    clear = _standing_clear(roofs)
    inside = flown.buffer(-2 * CLEAR_M)
    entries: list[_Entry] = []
    counts = dict.fromkeys(("missing", "extended", "reduced"), 0)
    for roof, free in zip(roofs, clear, strict=True):
        entry = _plain_entry(roof, flown)
        if entry.planted_class == "confirmed" and free and inside.contains(roof.footprint):
            spoilt = _spoilt(roof, roofs, {name for name, n in counts.items() if n < PLANTED_OF_EACH})
            if spoilt is not None:
                counts[spoilt.planted_class] += 1
                entry = spoilt
        entries.append(entry)
    gone = [place for place in scene.vacant if inside.contains(place)]
    chosen = rng.permutation(len(gone))[:PLANTED_OF_EACH]
    entries += [_Entry("demolished", gone[n], gone[n], PURPOSE["house"]) for n in chosen]
    return entries


def _seen_shed(roof: Roof, flown: Polygon) -> bool:
    """Whether a small shed can be seen: the map has none of them, and one that is hidden is no error."""
    return roof.visible_share >= 0.6 and flown.contains(roof.footprint)


def _standing_clear(roofs: list[Roof]) -> NDArray[np.bool_]:
    """Return for each roof whether all others keep CLEAR_M away from it."""
    outlines = np.array([roof.footprint for roof in roofs])
    first, _ = shapely.STRtree(outlines).query(outlines, predicate="dwithin", distance=CLEAR_M)
    near: NDArray[np.bool_] = np.bincount(first, minlength=len(roofs)) == 1
    return near


def _plain_entry(roof: Roof, flown: Polygon) -> _Entry:
    """Return what is true of a building that the map draws as it stands (or leaves out for its size)."""
    purpose, outline = PURPOSE[roof.kind], roof.footprint
    if outline.area < SMALL_SHED_M2:
        return _Entry("below_min", outline, None, purpose)
    if outline.difference(flown).area >= CUT_M2:
        return _Entry("not_assessable", outline, outline, purpose)
    if roof.visible_share < HIDDEN_SHARE:
        return _Entry("uncertain_absence", outline, outline, purpose)
    return _Entry("confirmed", outline, outline, purpose)


def _spoilt(roof: Roof, roofs: list[Roof], wanted: set[str]) -> _Entry | None:
    """Return an entry that gets this building wrong in one of the *wanted* ways, or None if none fits it."""
    purpose, outline = PURPOSE[roof.kind], roof.footprint
    if roof.kind not in ("house", "shed") or roof.visible_share < 0.85:
        return None
    if len(roof.parts) == 2:
        wing = roof.parts[1].difference(roof.parts[0])
        return _Entry("extended", wing, roof.parts[0], purpose) if "extended" in wanted else None
    if "reduced" in wanted and roof.kind == "house":
        wing = _pulled_down_wing(roof.footprint, roofs)
        if wing is not None:
            return _Entry("reduced", wing.difference(outline), outline.union(wing), purpose)
    return _Entry("missing", outline, None, purpose) if "missing" in wanted else None


def _pulled_down_wing(outline: Polygon, roofs: list[Roof]) -> Polygon | None:
    """Return a wing that stands 5.5 m out at the end of a long side, on ground free of buildings, or None."""
    corners = shapely.get_coordinates(outline)[:4]
    for start, end, opposite in ((0, 1, 2), (2, 3, 0)):
        along = corners[end] - corners[start]
        out = corners[end] - corners[opposite]
        length = float(np.hypot(*along))
        if length < np.hypot(*out):
            along, out, length = out, along, float(np.hypot(*out))
        along, out = along / length, out / np.hypot(*out)
        corner = corners[end] - 0.5 * along  # not flush with the gable, and a metre of it under the roof
        foot, top = corner - 1.0 * out, corner + 5.5 * out
        wing = Polygon([foot, top, top - 5.5 * along, foot - 5.5 * along])
        others = shapely.STRtree([roof.footprint for roof in roofs]).query(wing.buffer(CLEAR_M))
        if len(others) == 1:
            return wing
    return None


# --- the map -----------------------------------------------------------------------------------------------


def _draw_map(entries: list[_Entry], rng: np.random.Generator) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the map (byggnad) and the truth, both on the ground in EPSG:3006."""
    rows: list[tuple[str, str, float, str, Polygon]] = []
    truth: list[tuple[str, str | None, Polygon]] = []
    for entry in entries:
        evidence = _on_the_ground(entry.evidence)
        if entry.drawn is None:
            truth.append((entry.planted_class, None, evidence))
            continue
        object_id = str(uuid.UUID(bytes=rng.bytes(16), version=4))
        sigma_m = round(float(rng.uniform(0.15, 0.30)), 2)
        outline = _surveyed(_on_the_ground(entry.drawn), sigma_m, rng)
        rows.append((object_id, entry.purpose, sigma_m, "gällande", outline))
        truth.append((entry.planted_class, object_id, evidence))
    columns = ["objektidentitet", "andamal", "lagesnoggrannhet_m", "status", "geometry"]
    mapped = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=CRS_NAME)
    names = ["planted_class", "map_object_id", "geometry"]
    planted = gpd.GeoDataFrame(pd.DataFrame(truth, columns=names), geometry="geometry", crs=CRS_NAME)
    return mapped.sort_values("objektidentitet", ignore_index=True), planted


def _on_the_ground(polygon: Polygon) -> Polygon:
    """Move a polygon from scene metres to EPSG:3006."""
    moved: Polygon = shapely.transform(polygon, lambda xy: xy + np.array([LEFT_M, TOP_M - SIDE_M]))
    return moved


def _surveyed(polygon: Polygon, sigma_m: float, rng: np.random.Generator) -> Polygon:
    """Return *polygon* as surveyed: each coordinate off by *sigma_m*, most of it common to the object."""
    corners = shapely.get_coordinates(polygon.exterior)[:-1]
    noise = rng.normal(0, 0.8 * sigma_m, 2) + rng.normal(0, 0.6 * sigma_m, corners.shape)
    return Polygon(np.round(corners + noise, 3))


# --- files -------------------------------------------------------------------------------------------------


def _write_sheets(folder: Path, scene: Scene, flown: Polygon) -> None:
    """Write the photograph as sheets named by their south-west corner; what was not flown is masked."""
    scheme = TileScheme(parse_crs(CRS_NAME), GSD_M, 500)
    whole = scheme.box_around((LEFT_M, TOP_M - SIDE_M, LEFT_M + SIDE_M, TOP_M))
    valid = _rasterized(_on_the_ground(flown), scheme.grid_of(whole))
    step = SHEET_PX - 1
    for south in range(SHEETS):
        for east in range(SHEETS):
            box = PixelBox(whole.col + east * step, whole.row + south * step, SHEET_PX, SHEET_PX)
            rows, cols = box.slices_in(whole)
            grid = scheme.grid_of(box)
            left, bottom, _, _ = grid.bounds
            name = f"{round(bottom + GSD_M)}_{round(left)}.tif"
            _write_sheet(folder / name, scene.image[:, rows, cols], valid[rows, cols], grid)


def _rasterized(area: Polygon, grid: Grid) -> NDArray[np.bool_]:
    """Return which pixel centres lie in *area*, (row, col)."""
    from rasterio.features import geometry_mask

    inside: NDArray[np.bool_] = geometry_mask([area], (grid.height, grid.width), grid.transform, invert=True)
    return inside


def _write_sheet(path: Path, data: NDArray[np.uint8], valid: NDArray[np.bool_], grid: Grid) -> None:
    """Write *data* (3, row, col) as a delivery comes: tiled JPEG GeoTIFF with an internal mask."""
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": 3,
        "height": grid.height,
        "width": grid.width,
        "crs": grid.crs,
        "transform": grid.transform,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "jpeg",
        "jpeg_quality": 95,
        "photometric": "ycbcr",
        "interleave": "pixel",
    }
    with (
        gdal_environment(),
        appearing_whole(path) as partial,
        rasterio.open(partial, "w", **profile) as target,
    ):
        target.write(np.where(valid, data, 0))
        if not valid.all():
            target.write_mask(valid)


def _write_layer(path: Path, layer: gpd.GeoDataFrame, name: str) -> None:
    with appearing_whole(path) as partial:
        partial.unlink()  # the GeoPackage driver wants to create the file itself
        layer.to_file(partial, layer=name, driver="GPKG", engine="pyogrio")


# --- scoring -----------------------------------------------------------------------------------------------


def score(
    planted: gpd.GeoDataFrame, discrepancies: gpd.GeoDataFrame, map_status: pd.DataFrame
) -> pd.DataFrame:
    """Return a row per class: how many were *planted*, *found* and *false*.

    A planted error is found where a discrepancy of its class names its map object, or, where nothing is
    mapped, shares at least 30 % of the smaller of the two. A discrepancy that answers no planted error of
    its class is false. confirmed and not_assessable are read from the status of every map object.
    """
    rows = []
    for name in PLANTED_CLASSES:
        truth = planted[planted["planted_class"] == name]
        if name in STATUS_CLASSES:
            told = set(map_status.loc[map_status["status"] == name, "map_object_id"])
            right = told & set(truth["map_object_id"])
            found, false = len(right), len(told) - len(right)
        else:
            answers = _answers(truth, discrepancies[discrepancies["class"] == name])
            found, false = int(answers.any(axis=1).sum()), int((~answers.any(axis=0)).sum())
        rows.append((name, len(truth), found, false))
    return pd.DataFrame(rows, columns=["class", "planted", "found", "false"])


def _answers(truth: gpd.GeoDataFrame, signals: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return (planted, signal): whether the signal answers the planted error."""
    answers = np.zeros((len(truth), len(signals)), bool)
    named = [set(json.loads(ids)) for ids in signals["map_object_ids"]]
    places, seen = truth.geometry.to_numpy(), signals.geometry.to_numpy()
    for row, (object_id, place) in enumerate(zip(truth["map_object_id"], places, strict=True)):
        if isinstance(object_id, str):  # what is missing is None or NaN, as pandas likes
            answers[row] = [object_id in ids for ids in named]
            continue
        smaller = np.minimum(shapely.area(seen), place.area)
        answers[row] = shapely.area(shapely.intersection(seen, place)) >= 0.3 * smaller
    return answers
