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
moved.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geoai.config import Settings
from geoai.errors import CatalogError
from geoai.files import appearing_whole
from geoai.grid import TileScheme
from geoai.locks import locked
from geoai.mlm import ModelPackage
from geoai.raster import LatticeFile
from geoai.stac import FINGERPRINT, TIMES, catalog_of, collection_of
from geoai.storage import (
    check_reachable,
    files_below,
    folders_in,
    is_remote,
    read_all,
    remove_file,
    remove_tree,
)

CODE_VERSION = 1
"""Part of every fingerprint; raised when a stage starts to make other results from the same input."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """A STAC catalogue in the folder *root*, on disk or in an object store; see `open_catalog`.

    *lock* is the file by which processes take turns to write what is derived; default: in *root*.
    """

    root: Path
    lock: Path | None = None

    def collection_folder(self, collection: str) -> Path:
        """Return the folder of the items of *collection*. Raises CatalogError where that is no plain name."""
        return self.root / "flights" / _plain(collection)

    def item_path(self, collection: str, item: str) -> Path:
        """Return the JSON file of an item. Raises CatalogError where its id is no plain name."""
        return self.collection_folder(collection) / _plain(item) / f"{item}.json"

    def collections(self) -> list[str]:
        """Return the ids of the collections, of imagery and of predictions."""
        return [path.name for path in folders_in(self.root / "flights")]

    def items(self, collection: str) -> Iterator[dict[str, Any]]:
        """Yield the items of *collection* by id. Raises CatalogError for an item that cannot be read."""
        for path, content in read_all(self._item_paths(collection)):
            yield _item_of(path, content)

    def item(self, collection: str, item: str) -> dict[str, Any]:
        """Return one item. Raises CatalogError where it cannot be read."""
        path = self.item_path(collection, item)
        return _item_of(path, path.read_bytes())

    def _item_paths(self, collection: str) -> list[Path]:
        """Return the items' files by id; a file that is being written beside them is none."""
        parent = self.collection_folder(collection)
        if is_remote(parent):
            below = [path for path, _ in files_below(parent)]
            return [path for path in below if path == self.item_path(collection, path.parent.name)]
        items = (folder / f"{folder.name}.json" for folder in folders_in(parent))
        return [path for path in items if path.is_file()]

    def is_done(self, collection: str, item: str, fingerprint: str) -> bool:
        """Whether the item exists with this fingerprint and every asset has its recorded size."""
        path = self.item_path(collection, item)
        try:
            content = self.item(collection, item)
            sizes = [(_asset_file(path, a["href"]), a["file:size"]) for a in content["assets"].values()]
            return content["properties"][FINGERPRINT] == fingerprint and all(
                asset.stat().st_size == size for asset, size in sizes
            )
        except (OSError, CatalogError):
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
        """Remove the items that are not in *keep* (their sheets left the flight) and return their ids.

        Their folders go, and those that a removal or a writer which was stopped left without an item.
        """
        stale = [path for path in self._item_paths(collection) if path.stem not in keep]
        for path in stale:
            remove_file(path)  # first, so that a half-removed item is no item
        for folder in folders_in(self.collection_folder(collection)):
            if folder.name not in keep:
                remove_tree(folder)
        return [path.stem for path in stale]

    def remove_collection(self, collection: str) -> None:
        """Remove a collection from the index down: at every moment, what can be found is whole."""
        folder = self.collection_folder(collection)
        remove_file(folder / "collection.json")
        with self._locked():
            _write_json(self.root / "catalog.json", catalog_of(self.root))
        self.remove_items(collection, keep=set())
        remove_tree(folder)

    def add_model(self, package: ModelPackage) -> ModelPackage:
        """Copy a model package into the catalogue once and return it as it lies there, where workers read it.

        A package of the same id and other weights is kept apart by the collection's fingerprints; its files
        are replaced here.
        """
        target = self.root / "models" / package.id
        files = (path for path in package.folder.iterdir() if path.is_file())
        for source in sorted(files, key=lambda path: path.suffix == ".json"):
            copy, content = target / source.name, source.read_bytes()
            if not (copy.exists() and copy.read_bytes() == content):
                with appearing_whole(copy) as partial:
                    partial.write_bytes(content)
        return replace(package, folder=target)

    def write_collection(
        self, collection: str, *, title: str, description: str, links: list[dict[str, str]] | None = None
    ) -> None:
        """Derive `collection.json` from the items, and `catalog.json` from the collections.

        Items are read only where one was written, or removed, since the file was last derived (on disk; an
        object store gives its files no time that could be set).
        """
        path = self.collection_folder(collection) / "collection.json"
        with self._locked() as now_ns:
            items = self._item_paths(collection)
            if items and not _follows(path, items, title, description, links):
                content = collection_of(collection, title, description, list(self.items(collection)), links)
                _write_json(path, content)
                # its time is when reading began, by the clock of the same disk: a later item shows as later
                if not is_remote(path):
                    os.utime(path, ns=(now_ns, now_ns))
            index = catalog_of(self.root)
            if _stored(self.root / "catalog.json") != index:
                _write_json(self.root / "catalog.json", index)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the catalogue's lock: index files are rebuilt by one process at a time.

        Gives the time (ns) by the clock of the disk that the lock lies on.
        """
        with locked(self.lock or self.root / ".lock") as lock:
            os.utime(lock.fileno())
            yield os.fstat(lock.fileno()).st_mtime_ns


def open_catalog(settings: Settings) -> Catalog:
    """Return the project's catalogue by its absolute path: workers may stand in another folder.

    The lock of one in an object store lies in *data*: one machine drives the runs, others only work for it.
    Raises StorageError where the object store does not answer.
    """
    if settings.catalog is None:
        return Catalog((settings.data / "catalog").absolute())
    check_reachable(settings.catalog)
    lock = settings.data / "locks" / "catalog.lock"
    return Catalog(settings.catalog.absolute(), lock.absolute() if is_remote(settings.catalog) else None)


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


def _follows(
    path: Path,
    items: Sequence[Path],
    title: str,
    description: str,
    links: Sequence[Mapping[str, str]] | None,
) -> bool:
    """Whether the `collection.json` at *path* is of these items' files as they are, and says the same."""
    stored = None if is_remote(path) else _stored(path)
    try:
        derived_ns = path.stat().st_mtime_ns if stored else 0
        if stored is None or any(item.stat().st_mtime_ns >= derived_ns for item in items):
            return False
        said = [link["href"] for link in stored["links"] if link["rel"] == "item"]
        beside = [link for link in stored["links"] if link["rel"] not in ("root", "parent", "item")]
        about = stored["title"], stored["description"]
    except (KeyError, TypeError):  # somebody else wrote it
        return False
    own = [f"./{item.stem}/{item.name}" for item in items]
    return (about, said, beside) == ((title, description), own, list(links or []))


def _stored(path: Path) -> dict[str, Any] | None:
    """Return a derived file's content, None where it is to be derived anew."""
    try:
        return _parsed(path, path.read_bytes())
    except (FileNotFoundError, CatalogError):
        return None


def _item_of(path: Path, text: bytes) -> dict[str, Any]:
    """Return the item at *path*; raise CatalogError where it is not whole, such as one that was edited."""
    content = _parsed(path, text)
    try:
        named = (content["id"], content["collection"]) == (path.stem, path.parent.parent.name)
        properties, assets = content["properties"], content["assets"].values()
        whole = named and all(key in properties for key in (FINGERPRINT, *TIMES))
        whole = whole and all("file:size" in asset and isinstance(asset["href"], str) for asset in assets)
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise CatalogError(f"{path}: expected the item of a tile, found another or part of one")
    return content


def _parsed(path: Path, text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CatalogError(f"{path}: expected a STAC item, found {error}") from error
    if not isinstance(content, dict):
        raise CatalogError(f"{path}: expected a STAC item, found {type(content).__name__}")
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with appearing_whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())  # the item's JSON is the commit: it must not outlive its assets half-written
