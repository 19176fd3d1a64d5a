"""How good the rules are with a perfect network: uv run python tests/bench/bench_rules.py [FOLDER] [--seed N]

Makes the demo's municipality into FOLDER, writes what the photograph shows as probabilities (0.95 where it
shows a roof, 0.3 where a roof stands hidden under a crown, 0.01 elsewhere, nodata where nothing was flown),
traces and compares it with the demo's map, and prints what was planted, found and falsely reported, recall
and precision.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from geoai import polygons
from geoai.compare import compare
from geoai.config import load_settings
from geoai.demo import CRS_NAME, GSD_M, LEFT_M, SIDE_M, TOP_M, make_municipality, score
from geoai.grid import PixelBox, TileScheme, parse_crs
from geoai.maplayer import read_map
from geoai.prediction import write_prediction
from geoai.raster import P_NODATA, P_SCALE, LatticeFile
from geoai.scene import Scene, make_scene

SHOWN, HIDDEN, GROUND = 0.95, 0.3, 0.01


def shown(scene: Scene, valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the probabilities a network that makes no error would give, (1, row, col)."""
    rows, cols = scene.mask.shape
    down = [shapely.transform(roof.footprint, _to_pixels) for roof in scene.roofs]
    stands = rasterize(down, (rows, cols)).astype(bool)
    p = np.where(scene.mask, SHOWN, np.where(stands, HIDDEN, GROUND))
    return np.where(valid, np.round(p * P_SCALE), P_NODATA).astype(np.uint8)[None]


def _to_pixels(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([xy[:, 0], SIDE_M - xy[:, 1]]) / GSD_M


def flown(sheets: Path, box: PixelBox, scheme: TileScheme) -> NDArray[np.bool_]:
    """Return which pixels of *box* some sheet shows."""
    valid = np.zeros((box.height, box.width), bool)
    left, _, _, top = scheme.grid_of(box).bounds
    for path in sorted(sheets.glob("*.tif")):
        with rasterio.open(path) as sheet:
            row, col = round((top - sheet.bounds.top) / GSD_M), round((sheet.bounds.left - left) / GSD_M)
            valid[row : row + sheet.height, col : col + sheet.width] |= sheet.read_masks(1) > 0
    return valid


def main() -> None:
    """Make, compare, score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(tempfile.gettempdir()) / "bench_rules")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    folder = given.folder
    if not (folder / "planted.gpkg").exists():
        make_municipality(folder, seed=given.seed)
    planted = gpd.read_file(folder / "planted.gpkg")
    settings = load_settings(
        Path(__file__).parents[2] / "configs" / "demo.yaml", {"map.source": str(folder / "map.gpkg")}
    )
    scheme = TileScheme(parse_crs(CRS_NAME), GSD_M, 500)
    box = scheme.box_around((LEFT_M, TOP_M - SIDE_M, LEFT_M + SIDE_M, TOP_M))
    probability = folder / "perfect.tif"
    if not probability.exists():
        scene = make_scene(given.seed, width_m=SIDE_M, height_m=SIDE_M, gsd_m=GSD_M)
        p = shown(scene, flown(folder / "flight", box, scheme))
        write_prediction(probability, p, box, scheme, ("building",))
    detections, footprint = polygons.detect(
        [LatticeFile(probability, box)], scheme, settings.polygons, theme="building", band=1
    )
    result = compare(
        detections,
        read_map(settings.map, scheme.crs),
        footprint,
        probability,
        band=1,
        gsd_m=GSD_M,
        settings=settings.compare,
    )
    table = score(planted, result.discrepancies, result.map_status)
    table["recall"] = (table["found"] / table["planted"]).round(3)
    table["precision"] = (table["found"] / (table["found"] + table["false"])).round(3)
    print(table.to_string(index=False))
    print(pd.Series(result.discrepancies["class"]).value_counts().to_string())


if __name__ == "__main__":
    main()
