"""Old probabilities, and what writers that were stopped left behind, removed from the catalogue.

Probabilities can be made again from imagery and model; nothing else is removed. What people may still look at
stays, whatever its age: see `references`.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geoai.assessment import open_ledger
from geoai.catalog import Catalog
from geoai.config import Settings
from geoai.errors import BusyError, CatalogError
from geoai.inventory import flights, holdings
from geoai.ledger import Ledger
from geoai.locks import hold_flight
from geoai.merging import FOLDER
from geoai.model import package_folders
from geoai.report import SETTINGS
from geoai.storage import folders_in, remove_tree

LEFT = ".*-*"
"""Name of a file that a writer which was stopped left, see `files.appearing_whole`."""
WRITING = dt.timedelta(days=1)
"""What has no item and is younger may still be being written."""


@dataclass(frozen=True, slots=True)
class Old:
    """A collection of predictions not used for long: its files, their bytes, and what it is *kept_for*."""

    collection: str
    files: int
    size: int
    last_used: dt.datetime
    kept_for: str | None


@dataclass(slots=True)
class Pruned:
    """What is old, what was *left* by writers that were stopped, and flights that are being worked on."""

    old: list[Old]
    left: list[Path]
    busy: list[str]


def prune(
    store: Catalog,
    settings: Settings,
    *,
    unused_for: dt.timedelta,
    now: dt.datetime,
    dry_run: bool = False,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Pruned:
    """Remove the predictions that no run has made or read for so long, and what writers left.

    Stopped, it is completed by the next one. Raises GeoaiError where it cannot be told what refers to
    predictions, before anything is removed.
    """
    ledger = open_ledger(settings)
    pruned = Pruned([], [], [])
    held = flights(store)
    for done, (flight, collections) in enumerate(held.items(), start=1):
        try:
            with hold_flight(settings.data, flight, settings.catalog):
                referred = references(settings, ledger)  # under the lock: a run may just have ended
                old = _old(store, flight, collections, settings.data / "runs", referred, unused_for, now)
                left = [path for name in collections for path in _left(store.collection_folder(name), now)]
                if not dry_run:
                    _remove(store, old, left)
        except BusyError as error:
            pruned.busy.append(str(error))
            continue
        pruned.old += old
        pruned.left += left
        progress("prune", done, len(held))
    beside = (*store.root.glob(LEFT), *store.root.glob(f"models/*/{LEFT}"))
    left = [path for path in beside if _untouched(path, now)]
    if not dry_run:
        _remove(store, [], left)
    pruned.left += left
    return pruned


def _old(
    store: Catalog,
    flight: str,
    collections: Sequence[str],
    runs: Path,
    referred: Mapping[str, str],
    unused_for: dt.timedelta,
    now: dt.datetime,
) -> list[Old]:
    found = []
    for each in holdings(store, flight, collections, runs / flight):
        if each.model is None or now - each.last_used < unused_for:
            continue
        files = [path for path in store.collection_folder(each.collection).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        kept_for = referred.get(each.collection)
        found.append(Old(each.collection, len(files), size, each.last_used, kept_for))
    return found


def _remove(store: Catalog, old: Sequence[Old], left: Sequence[Path]) -> None:
    for path in left:
        if path.is_dir():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)  # it lay in a folder that is gone
    for each in old:
        if each.kept_for is None:
            store.remove_collection(each.collection)


def references(settings: Settings, ledger: Ledger) -> dict[str, str]:
    """Return the collections of predictions that something refers to, and what: these stay.

    A standing review shows the mosaics of the runs merged into it; a signal of the ledger that still stands
    was last seen by a run; a run was compared with an earlier flight, as the next will be (compare.previous).
    """
    found = {}
    runs = settings.data / "runs"
    for path in sorted(runs.glob("*/*/" + SETTINGS)):
        model = path.parent.name.rpartition("-")[0]
        if previous := _previous(path):
            found[f"{previous}.{model}"] = f"compare.previous of run {path.parent.name}"
    if settings.compare.previous:
        found[f"{settings.compare.previous}.{_model_id(settings)}"] = "compare.previous"
    for flight, model in ledger.shown_predictions():
        found[f"{flight}.{model}"] = "signals of the ledger"
    for path in sorted(runs.glob(f"*/{FOLDER}/*.vrt")):
        for name in set(re.findall("(?=/flights/([^/<]+)/)", path.read_text(encoding="utf-8"))):
            found[html.unescape(name)] = f"the standing review of {path.parent.parent.name}"
    return found


def _model_id(settings: Settings) -> str:
    """Return the id of the configured model, whose folder may have another name."""
    name = settings.prediction.model
    folders = [path for path in package_folders([settings.data / "models"]) if path.name == name]
    items = list((folders[0] if folders else Path(name)).glob("*.json"))
    return items[0].stem if items else Path(name).name


def _previous(path: Path) -> str | None:
    try:
        previous = json.loads(path.read_bytes())["compare"].get("previous")
    except (ValueError, KeyError, AttributeError) as error:
        raise CatalogError(f"{path}: expected the settings of a run, found {error}") from error
    return None if previous is None else str(previous)


def _left(collection: Path, now: dt.datetime) -> Iterator[Path]:
    """Yield temporary files, and folders without an item, that nobody has written to for a day."""
    yield from (path for path in collection.rglob(LEFT) if _untouched(path, now))
    for folder in (collection, *folders_in(collection)):
        empty = folder == collection and not any(folder.iterdir())
        without_item = folder != collection and not (folder / f"{folder.name}.json").exists()
        if (empty or without_item) and all(_untouched(path, now) for path in (folder, *folder.iterdir())):
            yield folder


def _untouched(path: Path, now: dt.datetime) -> bool:
    return now.timestamp() - path.stat().st_mtime > WRITING.total_seconds()
