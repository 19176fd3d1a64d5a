"""What a catalogue holds, collection by collection, and its items as one table to search."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from geoai.catalog import Catalog, fingerprint
from geoai.errors import CatalogError
from geoai.files import appearing_whole
from geoai.stac import FINGERPRINT, MODEL
from geoai.storage import folders_in


@dataclass(frozen=True, slots=True)
class Holding:
    """A collection: the imagery of a flight, or with *model* what that model saw in it.

    *first* and *last* are days of photography, *updated* is when the newest item was written and *last_run*
    when the latest run of the flight (with the model) ended, in UTC. *missing* counts tiles that the latest
    run could not cut, or tiles of imagery without a prediction.
    """

    collection: str
    flight: str
    model: str | None
    tiles: int
    size: int
    first: dt.date
    last: dt.date
    updated: dt.datetime
    last_run: dt.datetime | None
    missing: int

    @property
    def last_used(self) -> dt.datetime:
        """The later of *updated* and *last_run*: a run reads what is there."""
        return max(self.updated, self.last_run or self.updated)


def flights(store: Catalog, flight: str | None = None) -> dict[str, list[str]]:
    """Return the collections of each flight, or of one: its imagery first, then what models saw in it.

    Raises CatalogError where the catalogue does not hold the flight, or any.
    """
    found: dict[str, list[str]] = {}
    for name in store.collections():  # sorted: the imagery comes before what is derived from it
        found.setdefault(_flight_of(store, name), []).append(name)
    if not found or (flight is not None and flight not in found):
        held = ", ".join(found) or "none"
        raise CatalogError(f"{store.root}: expected {flight or 'a flight'}, found {held}")
    return found if flight is None else {flight: found[flight]}


def contents_mark(store: Catalog, flight: str) -> str:
    """Return a text that changes whenever a tile of the flight is cut, predicted or removed.

    Raises CatalogError for an item that cannot be read.
    """
    names = [name for name in store.collections() if f"{name}.".startswith(f"{flight}.")]
    items = [item for name in names if _flight_of(store, name) == flight for item in store.items(name)]
    said = ((item["collection"], item["id"], item["properties"]) for item in items)
    return fingerprint([(name, tile, each[FINGERPRINT], each.get("updated")) for name, tile, each in said])


def holdings(store: Catalog, flight: str, collections: Sequence[str], runs: Path) -> list[Holding]:
    """Return what the *collections* of a flight hold, those with items; *runs* is the folder of its runs.

    Raises CatalogError for an item that cannot be read.
    """
    found: list[Holding] = []
    imagery: set[str] = set()
    for collection in collections:
        items = list(store.items(collection))
        if not items:
            continue
        properties, tiles = [item["properties"] for item in items], {item["id"] for item in items}
        model = properties[0].get(MODEL)
        finished, failed = _last_run(runs, model)
        if model is None:
            imagery = tiles
        found.append(
            Holding(
                collection=collection,
                flight=flight,
                model=model,
                tiles=len(items),
                size=sum(asset["file:size"] for item in items for asset in item["assets"].values()),
                first=_moment(min(each["start_datetime"] for each in properties)).date(),
                last=_moment(max(each["end_datetime"] for each in properties)).date(),
                updated=_moment(max(each["updated"] for each in properties)),
                last_run=finished,
                missing=len(imagery - tiles) if model else failed,
            )
        )
    return found


def _flight_of(store: Catalog, collection: str) -> str:
    """Return the flight of a collection: its id, without the model's where it holds what one saw."""
    for folder in folders_in(store.collection_folder(collection)):
        try:
            model = store.item(collection, folder.name)["properties"].get(MODEL)
        except (OSError, CatalogError, KeyError, AttributeError):  # the next one tells as well
            continue
        return collection.removesuffix(f".{model}")
    return collection


def _last_run(runs: Path, model: str | None) -> tuple[dt.datetime | None, int]:
    """Return when the latest run of a flight (with a model) ended, and how many tiles it could not cut."""
    latest: tuple[dt.datetime | None, int] = (None, 0)
    for path in runs.glob("*/run.json"):
        if model not in (None, path.parent.name.rpartition("-")[0]):
            continue
        try:
            content = json.loads(path.read_bytes())
            finished = _moment(content["finished"])
            failed = next(
                (each["counts"].get("failed", 0) for each in content["stages"] if each["name"] == "tile"), 0
            )
        except (ValueError, KeyError, TypeError):  # a record that somebody wrote into tells nothing
            continue
        if latest[0] is None or finished > latest[0]:
            latest = finished, failed
    return latest


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def export_items(store: Catalog, collections: Sequence[str], path: Path) -> int:
    """Write the items of *collections* to *path* and return their number; hrefs of assets become absolute.

    `.parquet` is stac-geoparquet, for geopandas and any other reader of GeoParquet; `.ndjson` has an item a
    line, for `pypgstac load items`. Raises CatalogError for another suffix.
    """
    if path.suffix not in (".parquet", ".ndjson"):
        raise CatalogError(f"{path}: expected a name that ends in .parquet or .ndjson, found {path.name}")
    items = [item for name in collections for item in _with_absolute_hrefs(store, name)]
    with appearing_whole(path) as partial:
        if path.suffix == ".ndjson":
            lines = (f"{json.dumps(item, ensure_ascii=False)}\n" for item in items)
            partial.write_text("".join(lines), encoding="utf-8")
        else:
            from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

            to_parquet(parse_stac_items_to_arrow(items), partial, compression="zstd")
    return len(items)


def _with_absolute_hrefs(store: Catalog, collection: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a collection; links, which are relative to the catalogue, are left out."""
    for item in store.items(collection):
        folder = store.item_path(collection, item["id"]).parent.absolute()
        assets = {
            key: asset | {"href": str(folder / PurePosixPath(asset["href"]))}
            for key, asset in item["assets"].items()
        }
        yield item | {"assets": assets, "links": []}
