"""A small catalogue, made the way the pipeline does, for the tests of what reads and keeps it."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from rasterio.crs import CRS

from geoai.catalog import Catalog
from geoai.grid import TileScheme
from geoai.model import find_package
from geoai.raster import write_cog
from geoai.stac import image_item, prediction_item

SCHEME = TileScheme(CRS.from_epsg(3006), 0.2, 50)
TILES = ("450000_6400950", "450050_6400950")
DAY = (dt.datetime(2026, 5, 14, tzinfo=dt.UTC), dt.datetime(2026, 5, 14, 23, 59, 59, tzinfo=dt.UTC))


def add_tile(
    store: Catalog,
    tile_id: str,
    *,
    flight: str = "F1",
    model: str = "m",
    mark: str = "1",
    value: int = 90,
    bands: int = 3,
) -> None:
    """Write a tile's image and prediction the way the pipeline does; its left half is nodata."""
    box = SCHEME.tile_box(tile_id)
    valid = np.ones((box.height, box.width), bool)
    valid[:, : box.width // 2] = False
    pixels = np.full((bands, box.height, box.width), value, np.uint8)
    image = store.collection_folder(flight) / tile_id / "image.tif"
    write_cog(image, pixels, SCHEME.grid_of(box), valid=valid)
    item = image_item(
        tile_id,
        flight,
        SCHEME,
        image=image,
        valid=valid,
        band_names=("red", "green", "blue", "nir")[:bands],
        interval=DAY,
        dated=True,
        sources={"../../../../flight/a.tif": "ab" * 32},
        fingerprint=mark,
    )
    store.write_item(flight, item)
    probability = store.collection_folder(f"{flight}.{model}") / tile_id / "probability.tif"
    write_cog(probability, pixels[:1], SCHEME.grid_of(box), nodata=255)
    seen = prediction_item(
        item,
        f"{flight}.{model}",
        SCHEME,
        probability=probability,
        valid=valid,
        classes=("building",),
        model_id=model,
        model_checksum="cd" * 32,
        fingerprint=mark,
    )
    store.write_item(f"{flight}.{model}", seen)


def finish(store: Catalog, *names: str) -> None:
    for name in names or ("F1", "F1.m"):
        store.write_collection(name, title=name, description="Tiles.")


def whole_catalog(root: Path, *, models: tuple[str, ...] = ("m",)) -> Catalog:
    """Make a catalogue of two tiles, each seen by *models*, whose every link leads somewhere."""
    store = Catalog(root / "catalog")
    (root / "flight").mkdir(parents=True)
    (root / "flight" / "a.tif").touch()
    for model in models:
        package = root / "packages" / model
        package.mkdir(parents=True)
        item = {"id": model, "links": [], "assets": {}}
        (package / f"{model}.json").write_text(json.dumps(item))
        store.add_model(replace(find_package("buildings"), id=model, folder=package))
        for tile_id in TILES:
            add_tile(store, tile_id, model=model)
        finish(store, "F1", f"F1.{model}")
    return store
