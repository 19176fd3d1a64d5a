"""Whether a catalogue is what its items say: every file, checksum, link, and the files derived from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from geoai.catalog import Catalog
from geoai.files import sha256_of
from geoai.stac import catalog_of, collection_of
from geoai.storage import folders_in

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) as work proceeds."""
OWN_LINKS = ("root", "parent", "item")
"""Links of a collection that follow from the catalogue's layout."""


def inspect_flight(
    store: Catalog, collections: Sequence[str], progress: Progress = lambda stage, done, total: None
) -> Iterator[str]:
    """Yield a line for each thing that is wrong with the *collections* of a flight; every asset is read."""
    tiles = [(name, folder) for name in collections for folder in folders_in(store.collection_folder(name))]
    items: dict[str, list[dict[str, Any]]] = {name: [] for name in collections}
    seen: set[Path] = set()
    for done, (name, folder) in enumerate(tiles, start=1):
        item, problems = _inspect_folder(folder, name, seen)
        yield from problems
        items[name] += [item] if item else []
        progress(f"verify {collections[0]}", done, len(tiles))
    for name in collections:
        yield from _inspect_collection(store.collection_folder(name), name, items[name])


def inspect_index(store: Catalog) -> Iterator[str]:
    """Yield a line for each thing that is wrong with the models, or with `catalog.json`."""
    for folder in folders_in(store.root / "models"):
        yield from _inspect_folder(folder, None, set())[1]
    path = store.root / "catalog.json"
    found, unreadable = _read(path)
    yield from unreadable
    if found not in (None, catalog_of(store.root)):
        yield f"{path}: expected a link to each collection and model, found others"
    yield from _leftovers(store.root)


def _leftovers(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob(".*-*")):
        yield f"{path}: left by a writer that was stopped"


def _read(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the JSON object in a file, or None and the line that says what is there instead."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None, [f"{path}: expected a file, found none"]
    except (OSError, ValueError) as error:
        return None, [f"{path}: expected JSON, found {' '.join(str(error).split())}"]
    if not isinstance(content, dict):
        return None, [f"{path}: expected a JSON object, found {type(content).__name__}"]
    return content, []


def _inspect_folder(
    folder: Path, collection: str | None, seen: set[Path]
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the item of a folder, None where there is none to read, and what is wrong with the folder."""
    path = folder / f"{folder.name}.json"
    problems = list(_leftovers(folder))
    if not path.exists():
        count = len(list(folder.iterdir()))
        return None, [*problems, f"{folder}: expected an item, found {count} files without one"]
    item, unreadable = _read(path)
    if item is None:
        return None, [*problems, *unreadable]
    try:
        for key, expected in (("id", folder.name), ("collection", collection)):
            if item.get(key) != expected:
                problems.append(f"{path}: expected {key} {expected}, found {item.get(key)}")
        for asset in item["assets"].values():
            problems += _inspect_asset(path, asset, of_tile=collection is not None)
        for link in item["links"]:
            problems += _inspect_link(path, link, seen)
    except (KeyError, TypeError, AttributeError) as error:
        return None, [*problems, f"{path}: expected a STAC item, found none of {error}"]
    return item, problems


def _inspect_asset(item: Path, asset: Mapping[str, Any], *, of_tile: bool) -> Iterator[str]:
    """Yield what is wrong with an asset. Those of tiles state size and checksum; a model's card does not."""
    path = item.parent / PurePosixPath(asset["href"])
    if path.resolve().parent != item.parent.resolve():
        yield f"{item}: expected assets in its folder, found {asset['href']}"
        return
    try:
        size = path.stat().st_size
        if not of_tile and "file:checksum" not in asset:
            return
        if size != asset["file:size"]:
            yield f"{path}: expected {asset['file:size']} bytes, found {size}"
            return
        checksum = f"1220{sha256_of(path)}"
    except FileNotFoundError:
        yield f"{path}: expected a file, found none"
        return
    except OSError as error:
        yield f"{path}: expected a file that can be read, found {error.strerror}"
        return
    if checksum != asset["file:checksum"]:
        yield f"{path}: expected SHA-256 {asset['file:checksum'][4:16]}…, found {checksum[4:16]}…"


def _inspect_link(item: Path, link: Mapping[str, Any], seen: set[Path]) -> Iterator[str]:
    """Yield a line where a link leads nowhere on this disk, once for each target."""
    if "://" in link["href"]:
        return
    target = (item.parent / link["href"]).resolve()
    if target not in seen and not target.exists():
        yield f"{item}: expected {link['rel']} {target}, found none"
    seen.add(target)


def _inspect_collection(folder: Path, name: str, items: list[dict[str, Any]]) -> Iterator[str]:
    yield from _leftovers(folder)
    path = folder / "collection.json"
    if not items and not path.exists():  # a flight that was looked at, and not cut yet
        return
    found, unreadable = _read(path)
    yield from unreadable
    if found is None or not items:
        return
    links = [link for link in found.get("links", []) if link.get("rel") not in OWN_LINKS]
    try:
        derived = collection_of(name, found.get("title", ""), found.get("description", ""), items, links)
    except (KeyError, TypeError) as error:
        yield f"{folder}: expected items to derive a collection from, found one without {error}"
        return
    wrong = [key for key in derived if derived[key] != found.get(key)]
    if wrong:
        yield f"{path}: expected what follows from its {len(items)} items, found other {', '.join(wrong)}"
