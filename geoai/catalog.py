"""The STAC catalogue: the record of what is done, and the index between stages.

::

    catalog.json
    flights/<flight>/collection.json                 imagery: an Item per tile
    flights/<flight>/<tile>/<tile>.json, image.tif
    flights/<flight>.<model>/collection.json         what a model saw in it
    flights/<flight>.<model>/<tile>/<tile>.json, probability.tif
    models/<model>/<model>.json, <model>.safetensors …

A worker writes only its own item folder, and the item's JSON last: that is the commit. `collection.json` and
`catalog.json` are derived from the items, rebuilt under a lock. All links are relative, so the folder can be
moved. WGS 84 lives in this module only, because STAC asks for it.

Items follow STAC 1.1 with the projection 2.0, file 2.1, eo 2.0, raster 2.0 and processing 1.2 extensions.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
from geoai.errors import BusyError, CatalogError
from geoai.grid import TileScheme, crs_name
from geoai.raster import LatticeFile, appearing_whole, remove_abandoned

log = logging.getLogger(__name__)

STAC_VERSION = "1.1.0"
SCHEMAS = "https://stac-extensions.github.io"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
FINGERPRINT = "geoai:fingerprint"
CODE_VERSION = 1
"""Part of every fingerprint; raised when a stage starts to make other results from the same input."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """A STAC catalogue in the folder *root*."""

    root: Path

    def collection_folder(self, collection: str) -> Path:
        """Return the folder of the items of *collection*. Raises CatalogError where that is no plain name."""
        return self.root / "flights" / _plain(collection)

    def item_path(self, collection: str, item: str) -> Path:
        """Return the JSON file of an item. Raises CatalogError where its id is no plain name."""
        return self.collection_folder(collection) / _plain(item) / f"{item}.json"

    def items(self, collection: str) -> Iterator[dict[str, Any]]:
        """Yield the items of *collection* by id. Raises CatalogError for an item that cannot be read."""
        for path in self._item_paths(collection):
            yield _read_json(path)

    def item(self, collection: str, item: str) -> dict[str, Any]:
        """Return one item. Raises CatalogError where it cannot be read."""
        return _read_json(self.item_path(collection, item))

    def _item_paths(self, collection: str) -> list[Path]:
        """Return the items' files by id; a file that is being written beside them is none."""
        folders = sorted(path for path in self.collection_folder(collection).glob("*") if path.is_dir())
        items = (folder / f"{folder.name}.json" for folder in folders)
        return [path for path in items if path.is_file()]

    def is_done(self, collection: str, item: str, fingerprint: str) -> bool:
        """Whether the item exists with this fingerprint and every asset has its recorded size."""
        path = self.item_path(collection, item)
        try:
            content = json.loads(path.read_bytes())
            sizes = [(_asset_file(path, a["href"]), a["file:size"]) for a in content["assets"].values()]
            return content["properties"][FINGERPRINT] == fingerprint and all(
                asset.stat().st_size == size for asset, size in sizes
            )
        except (OSError, ValueError, KeyError, CatalogError):
            return False

    def files(self, collection: str, asset: str, scheme: TileScheme) -> list[LatticeFile]:
        """Return the raster files of one asset of every item, with the lattice pixels they cover."""
        return [self.file(item, asset, scheme) for item in self.items(collection)]

    def file(self, item: Mapping[str, Any], asset: str, scheme: TileScheme) -> LatticeFile:
        """Return the raster file of one asset of an item. Raises CatalogError where it lies elsewhere."""
        path = self.item_path(item["collection"], item["id"])
        return LatticeFile(_asset_file(path, item["assets"][asset]["href"]), scheme.tile_box(item["id"]))

    def is_empty(self, collection: str) -> bool:
        """Whether *collection* has no item."""
        return not self._item_paths(collection)

    def write_item(self, collection: str, item: Mapping[str, Any]) -> None:
        """Commit an item: its assets must be in its folder already."""
        _write_json(self.item_path(collection, item["id"]), item)

    def remove_items(self, collection: str, *, keep: set[str]) -> list[str]:
        """Remove the items that are not in *keep* (their sheets left the flight) and return their ids."""
        stale = [path for path in self._item_paths(collection) if path.stem not in keep]
        for path in stale:
            path.unlink()  # first, so that a half-removed item is no item
            shutil.rmtree(path.parent)
        return [path.stem for path in stale]

    def add_model(self, package: Path) -> Path:
        """Copy a model package (a folder named by its id) into the catalogue once and return its item.

        A package of the same id and other weights is kept apart by the collection's fingerprints; its files
        are replaced here.
        """
        target = self.root / "models" / package.name
        for source in sorted(package.iterdir(), key=lambda path: path.suffix == ".json"):
            copy = target / source.name
            if source.is_file() and not (copy.exists() and copy.read_bytes() == source.read_bytes()):
                with appearing_whole(copy) as partial:
                    shutil.copyfile(source, partial)
        return target / f"{package.name}.json"

    def write_collection(
        self, collection: str, *, title: str, description: str, links: list[dict[str, str]] | None = None
    ) -> None:
        """Derive `collection.json` from the items, and `catalog.json` from the collections."""
        folder = self.collection_folder(collection)
        with _locked(self.root):
            items = list(self.items(collection))
            if items:
                _write_json(
                    folder / "collection.json", _collection(collection, title, description, items, links)
                )
            _write_json(self.root / "catalog.json", _catalog(self.root))


def _plain(name: str) -> str:
    """Return *name* if it names something in a folder, and leads nowhere else."""
    if name in ("", "..") or Path(name).name != name:
        raise CatalogError(f"{name!r}: expected the name of a folder in the catalogue, found a path")
    return name


def _asset_file(item: Path, href: str) -> Path:
    """Return the file of an asset of the item at *item*: all of them lie beside it."""
    try:
        return item.with_name(_plain(href.removeprefix("./")))
    except CatalogError:
        raise CatalogError(f"{item}: expected assets in its own folder, found {href!r}") from None


def fingerprint(*parts: object) -> str:
    """Return a sha256 over JSON-able *parts*, geoai's code version included."""
    text = json.dumps([CODE_VERSION, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


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
        "geoai:model": model_id,
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
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    # 12 20: multihash prefix of a 32-byte sha2-256, as the file extension asks
    size = path.stat().st_size
    return {
        "href": f"./{path.name}",
        "title": title,
        "roles": roles,
        "file:size": size,
        "file:checksum": f"1220{checksum}",
    }


def _collection(
    name: str,
    title: str,
    description: str,
    items: list[dict[str, Any]],
    links: list[dict[str, str]] | None,
) -> dict[str, Any]:
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


def _catalog(root: Path) -> dict[str, Any]:
    children = sorted(root.glob("flights/*/collection.json"))
    models = sorted(path for path in root.glob("models/*/*.json") if path.stem == path.parent.name)
    relative = [("child", path, "application/json") for path in children]
    relative += [("item", path, "application/geo+json") for path in models]
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "geoai",
        "title": "geoai",
        "description": "Orthophotos cut into tiles, and what models saw in them.",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            *(
                {"rel": rel, "href": f"./{path.relative_to(root).as_posix()}", "type": media}
                for rel, path, media in relative
            ),
        ],
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise CatalogError(f"{path}: expected a STAC item, found {error}") from error
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with appearing_whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())  # the item's JSON is the commit: it must not outlive its assets half-written


@contextmanager
def hold_flight(data: Path, flight_id: str) -> Iterator[None]:
    """Hold the lock of a flight while it is worked on; a process that ends, however it ends, lets it go.

    What one that was killed left in the making is removed first. Raises BusyError where another holds it.
    """
    path = data / "locks" / f"{flight_id}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise BusyError(
                f"flight {flight_id}: expected no other run of it, found {lock.read().strip()}; "
                "start again when that has ended"
            ) from error
        lock.seek(0)
        if lock.read():
            _clear_up(data, flight_id)
        lock.truncate(0)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        lock.write(f"process {os.getpid()} on {socket.gethostname()}, at work since {now}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)  # says that it was not killed


def _clear_up(data: Path, flight_id: str) -> None:
    for folder in (data / "catalog", data / "runs" / flight_id):
        for path in remove_abandoned(folder):
            log.info("%s: removed, a run that was killed left it", path)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold the catalogue's lock: index files are rebuilt by one process at a time."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
