import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pystac
import pystac_client
import pytest
import shapely.geometry
from catalog_case import TILES, add_tile, finish

from geoai.catalog import Catalog, fingerprint
from geoai.errors import CatalogError
from geoai.stac import catalog_of, collection_of


@pytest.fixture
def store(tmp_path: Path) -> Catalog:
    store = Catalog(tmp_path / "catalog")
    for tile_id in ("450000_6400950", "450050_6400950"):
        add_tile(store, tile_id)
    finish(store)
    return store


@pytest.mark.usefixtures("stac_schemas")
def test_the_catalogue_is_valid_stac_with_its_extensions(store: Catalog) -> None:
    root = pystac.Catalog.from_file(str(store.root / "catalog.json"))
    items = list(root.get_items(recursive=True))
    for thing in (root, *root.get_all_collections(), *items):
        thing.validate()
    assert len(items) == 4
    assert any("eo" in uri for uri in items[0].stac_extensions)


@pytest.mark.filterwarnings("ignore::pystac_client.warnings.PystacClientWarning")  # a static catalogue
def test_other_tools_open_it_and_find_every_asset(store: Catalog) -> None:
    client = pystac_client.Client.open(str(store.root / "catalog.json"))
    assert sorted(collection.id for collection in client.get_all_collections()) == ["F1", "F1.m"]
    items = list(client.get_items(recursive=True))
    assert len(items) == 4
    for item in items:
        for asset in item.assets.values():
            assert Path(asset.get_absolute_href() or "").stat().st_size == asset.extra_fields["file:size"]


def test_it_can_be_moved(store: Catalog) -> None:
    moved = store.root.with_name("moved")
    store.root.rename(moved)
    text = "".join(path.read_text() for path in moved.rglob("*.json"))
    assert str(store.root.parent) not in text
    for path in moved.rglob("*.json"):
        for link in json.loads(path.read_bytes())["links"]:
            inside = link["rel"] != "derived_from" or link["type"] != "image/tiff"
            if inside and "models/" not in link["href"]:
                assert (path.parent / link["href"]).exists(), link


def test_an_item_says_where_its_valid_pixels_are(store: Catalog) -> None:
    item = next(store.items("F1"))
    footprint = shapely.geometry.shape(item["geometry"])
    assert footprint.exterior.is_ccw
    west, _, east, _ = footprint.bounds
    assert west == pytest.approx(14.168, abs=0.02)  # near Jönköping
    assert (east - west) * 111_320 * np.cos(np.radians(57.74)) == pytest.approx(25.0, abs=2.0)
    assert item["properties"]["proj:bbox"] == [450_000, 6_400_950, 450_050, 6_401_000]
    assert item["properties"]["proj:transform"] == [0.2, 0, 450_000, 0, -0.2, 6_401_000]
    assert item["properties"]["geoai:valid_share"] == 0.5
    assert item["assets"]["image"]["file:checksum"].startswith("1220")


def test_done_is_what_has_the_fingerprint_and_whole_assets(store: Catalog) -> None:
    tile = "450000_6400950"
    assert store.is_done("F1", tile, "1")
    assert not store.is_done("F1", tile, "2")
    assert not store.is_done("F1", "450100_6400950", "1")
    image = store.collection_folder("F1") / tile / "image.tif"
    image.write_bytes(image.read_bytes()[:-1])
    assert not store.is_done("F1", tile, "1")
    store.item_path("F1", tile).write_text("{")
    assert not store.is_done("F1", tile, "1")


@pytest.mark.parametrize("text", ["[]", "null", "1", "{}", '{"id": 1}', '{"id": "x", "properties": []}'])
def test_an_item_that_is_something_else_is_named_and_not_done(store: Catalog, text: str) -> None:
    path = store.item_path("F1", TILES[0])
    path.write_text(text)
    assert not store.is_done("F1", TILES[0], "1")
    with pytest.raises(CatalogError, match=f"^{path}: expected "):
        list(store.items("F1"))


@pytest.mark.parametrize(
    "lost",
    [
        *("id", "collection", "properties", "assets"),
        *("properties/geoai:fingerprint", "properties/start_datetime", "properties/updated"),
        *("assets/image/href", "assets/image/file:size"),
    ],
)
def test_an_item_that_lost_a_part_is_named_and_not_done(store: Catalog, lost: str) -> None:
    path = store.item_path("F1", TILES[0])
    content = json.loads(path.read_bytes())
    *places, last = lost.split("/")
    functools.reduce(lambda part, key: part[key], places, content).pop(last)
    path.write_text(json.dumps(content))
    assert not store.is_done("F1", TILES[0], "1")
    with pytest.raises(CatalogError, match=f"^{path}: expected "):
        store.item("F1", TILES[0])


def test_a_fingerprint_changes_with_any_part_and_only_then() -> None:
    parts = ({"a.tif": "ab"}, {"quality": 90}, None)
    assert fingerprint(*parts) == fingerprint({"a.tif": "ab"}, {"quality": 90}, None)
    assert len({fingerprint(*parts), fingerprint(*parts[:2]), fingerprint({"a.tif": "ac"}, *parts[1:])}) == 3


def test_replacing_one_tile_rewrites_no_other(store: Catalog) -> None:
    other = store.item_path("F1", "450050_6400950")
    before = other.stat().st_mtime_ns, other.read_bytes()
    add_tile(store, "450000_6400950", mark="2", value=120)
    finish(store)
    assert (other.stat().st_mtime_ns, other.read_bytes()) == before
    assert store.is_done("F1", "450000_6400950", "2")


def test_tiles_that_left_the_flight_are_removed(store: Catalog) -> None:
    assert store.remove_items("F1", keep={"450050_6400950"}) == ["450000_6400950"]
    finish(store)
    collection = json.loads((store.collection_folder("F1") / "collection.json").read_bytes())
    assert [link["href"] for link in collection["links"] if link["rel"] == "item"] == [
        "./450050_6400950/450050_6400950.json"
    ]


def test_many_writers_of_one_catalogue_lose_nothing(tmp_path: Path) -> None:
    store = Catalog(tmp_path / "catalog")
    ids = [f"{450_000 + 50 * n}_6400950" for n in range(12)]

    def work(tile_id: str) -> None:
        add_tile(store, tile_id)
        finish(store)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, ids))
    root = pystac.Catalog.from_file(str(store.root / "catalog.json"))
    assert len(list(root.get_items(recursive=True))) == 2 * len(ids)
    assert not list(tmp_path.rglob(".*-*"))


def test_a_damaged_item_is_named(store: Catalog) -> None:
    path = store.item_path("F1", "450000_6400950")
    path.write_text("{")
    with pytest.raises(CatalogError, match=r"450000_6400950\.json: expected a STAC item, found"):
        list(store.items("F1"))


def test_a_file_that_is_being_written_is_no_item(store: Catalog) -> None:
    (store.collection_folder("F1") / "450000_6400950" / ".450000_6400950-x1.json").write_text("{")
    (store.collection_folder("F1") / "450100_6400950").mkdir()
    assert [item["id"] for item in store.items("F1")] == ["450000_6400950", "450050_6400950"]


def opened_files(store: Catalog, work: str) -> int:
    """Return how many files and folders a process opens, lists or renames while it does *work* on *store*."""
    code = f"""
import sys
from pathlib import Path
from geoai.catalog import Catalog
store, seen = Catalog(Path({str(store.root)!r})), []
item = next(store.items("F1"))
{work}
sys.addaudithook(lambda event, _: seen.append(event) if event in {TOUCHING} else None)
{work}
print(len(seen))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return int(done.stdout)


TOUCHING = ("open", "os.listdir", "os.scandir", "os.rename", "os.remove")


@pytest.mark.slow
@pytest.mark.parametrize(
    "work",
    ["store.write_item('F1', item)", "store.is_done('F1', item['id'], '1')", "store.item('F1', item['id'])"],
)
def test_what_is_done_for_a_tile_does_not_grow_with_the_catalogue(store: Catalog, work: str) -> None:
    few = opened_files(store, work)
    multiply(store, 40)
    assert opened_files(store, work) == few > 0


def multiply(store: Catalog, count: int) -> None:
    """Add so many tiles of imagery, by copying the first."""
    source = store.item_path("F1", TILES[0])
    item = json.loads(source.read_bytes())
    for number in range(count):
        name = f"{500_000 + 50 * number}_6400950"
        target = store.item_path("F1", name)
        target.parent.mkdir()
        shutil.copy(source.with_name("image.tif"), target.parent)
        store.write_item("F1", item | {"id": name})


def test_an_unchanged_collection_reads_no_item(store: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*.json")}
    monkeypatch.setattr(Catalog, "items", lambda *_: pytest.fail("an item was read"))
    finish(store)
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*.json")} == before


CHANGES: dict[str, Callable[[Catalog], object]] = {
    "one written": lambda store: add_tile(store, TILES[0], mark="2", value=120),
    "one more": lambda store: add_tile(store, "450100_6400950"),
    "one less": lambda store: [store.remove_items(name, keep={TILES[1]}) for name in ("F1", "F1.m")],
    "damaged": lambda store: (store.collection_folder("F1") / "collection.json").write_text("{"),
    "none": lambda store: (store.collection_folder("F1") / "collection.json").unlink(),
    "no index": lambda store: (store.root / "catalog.json").unlink(),
    "another's": lambda store: (store.collection_folder("F1.m") / "collection.json").write_text("{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_collection_follows(store: Catalog, change: str) -> None:
    CHANGES[change](store)
    finish(store)
    for name in ("F1", "F1.m"):
        stored = json.loads((store.collection_folder(name) / "collection.json").read_bytes())
        assert stored == collection_of(name, name, "Tiles.", list(store.items(name)), None)
    assert json.loads((store.root / "catalog.json").read_bytes()) == catalog_of(store.root)


def test_a_new_description_is_written(store: Catalog) -> None:
    links = [{"rel": "derived_from", "href": "../../models/m/m.json", "type": "application/geo+json"}]
    for description, beside in (("Fewer tiles.", None), ("Fewer tiles.", links), ("Tiles.", None)):
        store.write_collection("F1", title="F1", description=description, links=beside)
        stored = json.loads((store.collection_folder("F1") / "collection.json").read_bytes())
        assert stored == collection_of("F1", "F1", description, list(store.items("F1")), beside)
