"""STAC objects as they are written: items of tiles, and what follows from them for collection and catalogue.

They follow STAC 1.1 with the projection 2.0, file 2.1, eo 2.0, raster 2.0 and processing 1.2 extensions.
WGS 84 lives in this module only, because STAC asks for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.features
import shapely
import shapely.geometry
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.crs import CRS

from geoai import __version__
from geoai.files import sha256_of
from geoai.grid import TileScheme, crs_name
from geoai.storage import folders_in

STAC_VERSION = "1.1.0"
SCHEMAS = "https://stac-extensions.github.io"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
FINGERPRINT = "geoai:fingerprint"
TIMES = ("start_datetime", "end_datetime", "updated")
MODEL = "geoai:model"


def image_item(
    tile_id: str,
    collection: str,
    scheme: TileScheme,
    *,
    image: Path,
    valid: NDArray[np.bool_],
    band_names: tuple[str, ...],
    interval: tuple[dt.datetime, dt.datetime],
    dated: bool,
    sources: Mapping[str, str],
    fingerprint: str,
) -> dict[str, Any]:
    """Return the Item of an image tile: footprint of its *valid* pixels (row, col), checksum, bands.

    *sources* maps the href of each orthophoto to its sha256. *interval* is the time of photography; *dated*
    says whether it was stated or taken from the files.
    """
    first, last = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in interval)
    item = _tile_item(tile_id, collection, scheme, valid, first, last, fingerprint)
    item["properties"]["geoai:valid_share"] = round(float(valid.mean()), 6)
    item["properties"]["geoai:date_source"] = "stated" if dated else "files"
    item["stac_extensions"] += [f"{SCHEMAS}/eo/v2.0.0/schema.json", f"{SCHEMAS}/raster/v2.0.0/schema.json"]
    bands = [{"name": name, "eo:common_name": "nir08" if name == "nir" else name} for name in band_names]
    item["assets"]["image"] = _asset(image, "Orthophoto", ["data", "visual"]) | {
        "type": COG,
        "data_type": "uint8",
        "raster:spatial_resolution": scheme.gsd_m,
        "bands": bands,
    }
    for href, checksum in sources.items():
        item["links"].append(
            {"rel": "derived_from", "href": href, "type": "image/tiff", "geoai:sha256": checksum}
        )
    return item


def prediction_item(
    image: Mapping[str, Any],
    collection: str,
    scheme: TileScheme,
    *,
    probability: Path,
    valid: NDArray[np.bool_],
    classes: tuple[str, ...],
    model_id: str,
    model_checksum: str,
    fingerprint: str,
) -> dict[str, Any]:
    """Return the Item of a tile's prediction, derived from the image item and the model's item."""
    moments = image["properties"]["start_datetime"], image["properties"]["end_datetime"]
    tile_id = image["id"]
    item = _tile_item(tile_id, collection, scheme, valid, *moments, fingerprint)
    item["properties"] |= {
        MODEL: model_id,
        "geoai:model_checksum": f"1220{model_checksum}",
        "processing:level": "L4",
        "processing:software": {"geoai": __version__},
        "processing:datetime": item["properties"]["created"],
    }
    item["stac_extensions"] += [
        f"{SCHEMAS}/raster/v2.0.0/schema.json",
        f"{SCHEMAS}/processing/v1.2.0/schema.json",
    ]
    item["assets"]["probability"] = _asset(probability, "Class probabilities (p × 250)", ["data"]) | {
        "type": COG,
        "data_type": "uint8",
        "nodata": 255,
        "raster:scale": 0.004,
        "raster:offset": 0.0,
        "raster:spatial_resolution": scheme.gsd_m,
        "bands": [{"name": name, "description": f"p({name})"} for name in classes],
    }
    model = f"../../../models/{model_id}/{model_id}.json"
    source = f"../../{image['collection']}/{tile_id}/{tile_id}.json"
    for href, title in ((source, "image"), (model, model_id)):
        item["links"].append(
            {"rel": "derived_from", "href": href, "type": "application/geo+json", "title": title}
        )
    return item


def _tile_item(
    tile_id: str,
    collection: str,
    scheme: TileScheme,
    valid: NDArray[np.bool_],
    first: str,
    last: str,
    fingerprint: str,
) -> dict[str, Any]:
    grid = scheme.grid_of(scheme.tile_box(tile_id))
    footprint = _footprint(valid, grid.transform, scheme.crs)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    collection_file = "../collection.json"
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [f"{SCHEMAS}/projection/v2.0.0/schema.json", f"{SCHEMAS}/file/v2.1.0/schema.json"],
        "id": tile_id,
        "collection": collection,
        "geometry": shapely.geometry.mapping(footprint),
        "bbox": [round(value, 8) for value in footprint.bounds],
        "properties": {
            "datetime": first if first == last else None,
            "start_datetime": first,
            "end_datetime": last,
            "created": now,
            "updated": now,
            "gsd": scheme.gsd_m,
            "proj:code": crs_name(scheme.crs),
            "proj:bbox": [round(value, 4) for value in grid.bounds],
            "proj:shape": [grid.height, grid.width],
            "proj:transform": list(grid.transform)[:6],
            FINGERPRINT: fingerprint,
        },
        "links": [
            {"rel": "root", "href": "../../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": collection_file, "type": "application/json"},
            {"rel": "collection", "href": collection_file, "type": "application/json"},
        ],
        "assets": {},
    }


def _footprint(valid: NDArray[np.bool_], transform: Affine, crs: CRS) -> shapely.Geometry:
    """Return the valid pixels' outline in WGS 84, traced at an eighth of the resolution where not all are."""
    step = 1 if valid.all() else 8
    coarse = valid[::step, ::step]
    shapes = rasterio.features.shapes(
        coarse.astype(np.uint8), mask=coarse, transform=transform @ Affine.scale(step)
    )
    outline = shapely.union_all([shapely.geometry.shape(geometry) for geometry, _ in shapes])
    outline = outline.simplify(2.0 * step * transform.a)
    to_wgs84 = Transformer.from_crs(crs.to_wkt(), "EPSG:4326", always_xy=True)
    outline = shapely.transform(outline, lambda xy: np.stack(to_wgs84.transform(xy[:, 0], xy[:, 1]), axis=1))
    # 8 decimals of a degree are a millimetre; an exterior ring is counter-clockwise (RFC 7946)
    return shapely.orient_polygons(shapely.set_precision(outline, 1e-8))


def _asset(path: Path, title: str, roles: list[str]) -> dict[str, Any]:
    # 12 20: multihash prefix of a 32-byte sha2-256, as the file extension asks
    size = path.stat().st_size
    return {
        "href": f"./{path.name}",
        "title": title,
        "roles": roles,
        "file:size": size,
        "file:checksum": f"1220{sha256_of(path)}",
    }


def collection_of(
    name: str,
    title: str,
    description: str,
    items: list[dict[str, Any]],
    links: list[dict[str, str]] | None,
) -> dict[str, Any]:
    """Return `collection.json` as it follows from the collection's *items*, of which there must be some."""
    boxes = np.array([item["bbox"] for item in items])
    properties = [item["properties"] for item in items]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [f"{SCHEMAS}/projection/v2.0.0/schema.json"],
        "id": name,
        "title": title,
        "description": description,
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]]},
            "temporal": {
                "interval": [
                    [min(p["start_datetime"] for p in properties), max(p["end_datetime"] for p in properties)]
                ]
            },
        },
        "summaries": {
            "gsd": sorted({p["gsd"] for p in properties}),
            "proj:code": sorted({p["proj:code"] for p in properties}),
        },
        "links": [
            {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../../catalog.json", "type": "application/json"},
            *(links or []),
            *(
                {"rel": "item", "href": f"./{item['id']}/{item['id']}.json", "type": "application/geo+json"}
                for item in items
            ),
        ],
    }


def catalog_of(root: Path) -> dict[str, Any]:
    """Return `catalog.json` as it follows from the collections and models below *root*."""
    links = [("child", f"flights/{each.name}/collection.json") for each in folders_in(root / "flights")]
    links += [("item", f"models/{each.name}/{each.name}.json") for each in folders_in(root / "models")]
    media = {"child": "application/json", "item": "application/geo+json"}
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "geoai",
        "title": "geoai",
        "description": "Orthophotos cut into tiles, and what models saw in them.",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            *(
                {"rel": rel, "href": f"./{name}", "type": media[rel]}
                for rel, name in links
                if (root / name).exists()
            ),
        ],
    }
