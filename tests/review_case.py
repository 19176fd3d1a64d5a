"""A small made flight and what a comparison says of it, for the tests of what a cartographer opens."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoai.grid import TileScheme, parse_crs
from geoai.publish import RunInfo, write_review
from geoai.publish.texts import CLASSES, Language
from geoai.raster import LatticeFile, write_cog, write_mosaic

CRS = "EPSG:3006"
LEFT, BOTTOM, SIDE_M = 450_000.0, 6_404_000.0, 200.0
SCHEME = TileScheme(parse_crs(CRS), 0.2, 100)
GROUND = (90, 120, 70)

RUN = RunInfo(
    run_id="2026-11-23T120000",
    flight_id="jkpg-2026",
    photo_date=dt.date(2026, 5, 14),
    started=dt.datetime(2026, 11, 23, 12, 0, 0, tzinfo=dt.UTC),
    geoai_version="0.1.0",
    model_id="buildings",
    model_checksum="1220ab",
    config_hash="c0ffee",
    map_source="map.gpkg",
    map_snapshot="2026-10-01",
    gsd_m=0.2,
    crs=CRS,
)

UNKNOWN = dict.fromkeys(
    [
        "map_sigma_m",
        "area_map_m2",
        "area_image_m2",
        "plus_m2",
        "minus_m2",
        "length_m",
        "iou",
        "iou_aligned",
        "shift_dx_m",
        "shift_dy_m",
        "tolerance_m",
        "p_mean",
        "p_q10",
        "p_q90",
        "confidence",
        "visible_share",
    ],
    np.nan,
)


@dataclass(frozen=True)
class Case:
    """The rasters of a made flight, and the frames that go with it."""

    orthophoto: Path
    probability: Path
    discrepancies: gpd.GeoDataFrame
    map_status: gpd.GeoDataFrame
    detections: gpd.GeoDataFrame
    coverage: gpd.GeoDataFrame
    earlier: Path | None = None

    def write(self, folder: Path, *, run: RunInfo = RUN, language: Language = "sv", **frames: Any) -> Path:
        """Write the review into *folder*, *frames* in place of the case's own."""
        case = replace(self, **frames)
        return write_review(
            folder,
            run,
            discrepancies=remembered(case.discrepancies, run),
            map_status=case.map_status,
            detections=case.detections,
            coverage=case.coverage,
            orthophoto=case.orthophoto,
            probability=case.probability,
            earlier=case.earlier,
            language=language,
        )


def make_case(folder: Path, *, bands: int = 3) -> Case:
    """Write four tiles of flat ground, 200 × 200 m, the north-western 20 × 20 m without imagery; and frames.

    One signal of every class, 8 × 8 m, in rows from the south-west, 25 m apart.
    """
    images, probabilities = [], []
    tiles = sorted(SCHEME.tiles_over(SCHEME.box_around((LEFT, BOTTOM, LEFT + SIDE_M, BOTTOM + SIDE_M))))
    for tile_id in tiles:
        box = SCHEME.tile_box(tile_id)
        grid = SCHEME.grid_of(box)
        image = np.full((bands, box.height, box.width), 200, np.uint8)
        image[:3] = np.array(GROUND, np.uint8)[:, None, None]
        valid = np.ones((box.height, box.width), bool)
        if grid.bounds[0] == LEFT and grid.bounds[3] == BOTTOM + SIDE_M:
            valid[:100, :100] = False
        probability = np.where(valid, 30, 255).astype(np.uint8)
        images.append(LatticeFile(folder / "tiles" / f"{tile_id}.tif", box))
        probabilities.append(LatticeFile(folder / "predictions" / f"{tile_id}.tif", box))
        write_cog(images[-1].path, image, grid, valid=valid)
        write_cog(probabilities[-1].path, probability[None], grid, nodata=255)
    write_mosaic(folder / "orthophoto.vrt", images, SCHEME)
    write_mosaic(folder / "probability.vrt", probabilities, SCHEME)
    squares = [
        shapely.box(x, y, x + 8, y + 8)
        for y in np.arange(BOTTOM + 20, BOTTOM + 180, 25)
        for x in np.arange(LEFT + 20, LEFT + 180, 25)
    ][: len(CLASSES)]
    return Case(
        orthophoto=folder / "orthophoto.vrt",
        probability=folder / "probability.vrt",
        discrepancies=signals(list(CLASSES), squares),
        map_status=_map_status(squares),
        detections=gpd.GeoDataFrame(
            {
                "detection_id": [f"d{number}" for number in range(len(squares))],
                "theme": "building",
                "area_m2": 64.0,
                "p_mean": 0.9,
                "confidence": np.nan,
                "near_edge": False,
            },
            geometry=squares,
            crs=CRS,
        ),
        coverage=gpd.GeoDataFrame(
            {
                "tile_id": tiles,
                "status": ["not_checked", "checked", "checked", "checked"],
                "reason": ["no_imagery", "imagery", "imagery", None],
                "valid_share": [0.0, 1.0, 1.0, 0.96],
            },
            geometry=[shapely.box(*SCHEME.grid_of(SCHEME.tile_box(tile)).bounds) for tile in tiles],
            crs=CRS,
        ),
    )


def signals(classes: Sequence[str], geometries: Sequence[Any], **known: Any) -> gpd.GeoDataFrame:
    """Return discrepancies as a comparison hands them over; measurements that are not *known* are NaN."""
    rows = [
        {
            "class": code,
            "family": "presence",
            "theme": "building",
            "cause": "unknown",
            "cardinality": "0:1" if code == "missing" else "1:1",
            "map_object_ids": "[]" if code == "missing" else f'["b{number}"]',
            "map_date": pd.NaT,
            "map_status": None if code == "missing" else "current",
            "priority": float(number),
            "near_edge": False,
        }
        | UNKNOWN
        | known
        for number, code in enumerate(classes)
    ]
    return gpd.GeoDataFrame(rows, geometry=list(geometries), crs=CRS)


def remembered(discrepancies: gpd.GeoDataFrame, run: RunInfo = RUN) -> gpd.GeoDataFrame:
    """Return *discrepancies* as the ledger hands them over where it sees all of them for the first time."""
    return discrepancies.assign(
        discrepancy_id=[str(uuid.uuid4()) for _ in range(len(discrepancies))],
        lifecycle="new",
        first_seen=run.started,
        last_seen=run.started,
        n_seen=1,
        reopened_because=None,
        reopened_at=pd.NaT,
        known=None,
        flight_id=run.flight_id,
        photo_date=run.photo_date,
        gsd_m=run.gsd_m,
        model_id=run.model_id,
        config_hash=run.config_hash,
        map_snapshot=run.map_snapshot,
        run_id=run.run_id,
        status="open",
        reject_reason=None,
        field_visit=False,
        comment=None,
        reviewed_by=None,
        reviewed_at=pd.NaT,
    )


def _map_status(squares: Sequence[Any]) -> gpd.GeoDataFrame:
    codes = [code for code in CLASSES if code != "missing"]
    return gpd.GeoDataFrame(
        {
            "map_object_id": [f"b{number}" for number in range(1, len(squares))],
            "theme": "building",
            "status": codes,
            "tolerance_m": 1.2,
            "visible_share": 1.0,
            "p_mean": np.nan,
            "p_q95": np.nan,
            "area_m2": 64.0,
            "length_m": np.nan,
            "seen_m": np.nan,
            "obsolete_m": np.nan,
            "iou": np.nan,
            "iou_aligned": np.nan,
            "shift_dx_m": np.nan,
            "shift_dy_m": np.nan,
            "cardinality": "1:1",
        },
        geometry=[shapely.transform(square, lambda xy: xy + 1.0) for square in squares[1:]],
        crs=CRS,
    )
