"""What a tile costs in a small and in a large catalogue, and what it costs to read all of it.

    python tests/bench/bench_catalog.py

Each figure is the median of several tries, in a temporary folder of this machine's disk.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from catalog_case import TILES, add_tile

from geoai.catalog import Catalog
from geoai.inventory import export_items

SIZES = (100, 1_000, 10_000)


def filled(root: Path, count: int) -> Catalog:
    """Make a catalogue of *count* image tiles, all with the pixels of one."""
    store = Catalog(root / "catalog")
    add_tile(store, TILES[0])
    path = store.item_path("F1", TILES[0])
    item, image = json.loads(path.read_bytes()), path.with_name("image.tif").read_bytes()
    for number in range(1, count):
        name = f"{500_000 + 50 * (number % 100)}_{6_400_000 + 50 * (number // 100)}"
        folder = store.item_path("F1", name).parent
        folder.mkdir()
        (folder / "image.tif").write_bytes(image)
        (folder / f"{name}.json").write_text(json.dumps(item | {"id": name}, indent=1))
    return store


def timed(work: Callable[[], object], tries: int = 5) -> float:
    """Return the median of seconds that *work* takes."""
    taken = []
    for _ in range(tries):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def figures(root: Path, count: int) -> dict[str, float]:
    """Return seconds by what is done, in a catalogue of *count* tiles."""
    store = filled(root, count)
    first = store.item("F1", TILES[0])
    ids = [item["id"] for item in store.items("F1")][:1_500]

    def derive() -> None:
        store.write_collection("F1", title="F1", description="Tiles.")

    def change_one() -> None:
        store.write_item("F1", first)
        derive()

    return {
        "write one item": timed(lambda: store.write_item("F1", first), 20),
        "is_done, up to 1,500 tiles": timed(lambda: [store.is_done("F1", tile, "1") for tile in ids]),
        "collection.json, one changed": timed(change_one, 3),
        "collection.json, none changed": timed(derive, 3),
        "export to parquet": timed(lambda: export_items(store, ["F1"], root / "items.parquet"), 1),
    }


def main() -> None:
    """Print a table: what, by number of tiles."""
    columns = []
    for count in SIZES:
        with tempfile.TemporaryDirectory() as name:
            columns.append(figures(Path(name), count))
    print(f"{'seconds':32s}" + "".join(f"{count:>12,}" for count in SIZES))
    for key in columns[0]:
        print(f"{key:32s}" + "".join(f"{column[key]:12.4f}" for column in columns))


if __name__ == "__main__":
    main()
