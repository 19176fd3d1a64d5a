import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from catalog_case import TILES, add_tile, finish, whole_catalog
from typer.testing import CliRunner

from geoai.catalog import Catalog
from geoai.cli import app
from geoai.inspection import inspect_flight, inspect_index
from geoai.inventory import flights
from geoai.locks import hold_flight
from geoai.model import find_package


def problems(store: Catalog) -> list[str]:
    lines = [line for names in flights(store).values() for line in inspect_flight(store, names)]
    return lines + list(inspect_index(store))


def files_of(store: Catalog) -> list[Path]:
    return sorted(
        path for path in store.root.rglob("*") if path.is_file() and not path.name.endswith(".lock")
    )


@pytest.fixture
def store(tmp_path: Path) -> Catalog:
    return whole_catalog(tmp_path)


def test_a_whole_catalogue_has_no_problem_and_is_left_as_it_is(store: Catalog) -> None:
    before = {path: path.read_bytes() for path in files_of(store)}
    assert problems(store) == []
    assert {path: path.read_bytes() for path in files_of(store)} == before


def test_a_model_is_kept_under_its_id_whatever_its_folder_is_called(store: Catalog, tmp_path: Path) -> None:
    folder = shutil.copytree(find_package("buildings").folder, tmp_path / "of last week")
    package = find_package(str(folder))
    stored = store.add_model(package)
    assert stored == replace(package, folder=store.root / "models" / "buildings")
    store.write_collection("F1", title="", description="")
    assert list(inspect_index(store)) == []
    assert (stored.weights.read_bytes(), stored.card.exists()) == (package.weights.read_bytes(), True)


def test_the_shipped_model_and_its_card_are_no_problem_until_one_is_lost(store: Catalog) -> None:
    shutil.rmtree(store.root / "models")
    item = store.add_model(find_package("buildings")).item
    store.write_collection("F1", title="", description="")
    assert list(inspect_index(store)) == []
    for name in ("card.md", "buildings.safetensors"):
        item.with_name(name).rename(item.with_name("elsewhere"))
        assert list(inspect_index(store)) == [f"{item.with_name(name)}: expected a file, found none"]
        item.with_name("elsewhere").rename(item.with_name(name))


def test_whatever_file_is_lost_shows(store: Catalog) -> None:
    files = files_of(store)
    assert (
        len(files) == 2 * 2 * 2 + 2 + 1 + 1
    )  # items and assets of two collections, these, a model, the index
    for path in files:
        content = path.read_bytes()
        path.unlink()
        found = problems(store)
        assert any(str(path.parent if path.stem in TILES else path) in line for line in found), path
        path.write_bytes(content)
    assert problems(store) == []


def test_whatever_byte_of_an_asset_changes_shows(store: Catalog) -> None:
    for path in store.root.rglob("*.tif"):
        content = bytearray(path.read_bytes())
        for place in (0, len(content) // 2, len(content) - 1):
            content[place] ^= 1
            path.write_bytes(content)
            (line,) = problems(store)
            assert line.startswith(f"{path}: expected SHA-256 "), line
            content[place] ^= 1
        path.write_bytes(content[:-1])
        (line,) = problems(store)
        assert line == f"{path}: expected {len(content)} bytes, found {len(content) - 1}"
        path.write_bytes(content)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": "x", "assets": 7, "links": []}', "\xff"])
def test_an_item_that_is_none_is_told(store: Catalog, text: str) -> None:
    path = store.item_path("F1", TILES[0])
    path.write_text(text, encoding="latin-1")
    assert any(line.startswith(f"{path}: expected ") for line in problems(store))


def test_what_belongs_to_no_item_is_told(store: Catalog) -> None:
    tile = store.item_path("F1", TILES[0]).parent
    left = [tile / ".image-x1.tif", tile.parent / ".collection-x1.json", store.root / ".catalog-x1.json"]
    for path in left:
        path.touch()
    orphan = store.collection_folder("F1.m") / "450100_6400950"
    shutil.copytree(store.item_path("F1.m", TILES[0]).parent, orphan)
    (orphan / f"{TILES[0]}.json").unlink()
    expected = {f"{path}: left by a writer that was stopped" for path in left}
    assert set(problems(store)) == expected | {f"{orphan}: expected an item, found 1 files without one"}


def test_an_index_that_disagrees_with_its_items_is_told(store: Catalog) -> None:
    shutil.rmtree(store.item_path("F1", TILES[1]).parent)
    lines = problems(store)
    path = store.collection_folder("F1") / "collection.json"
    assert f"{path}: expected what follows from its 1 items, found other extent, links" in lines
    assert any("expected derived_from" in line for line in lines)  # of the prediction: its image is gone


def test_no_file_outside_an_items_folder_is_read(store: Catalog) -> None:
    """An href is a name somebody wrote; a checksum would tell whether a file holds what is guessed."""
    path = store.item_path("F1", TILES[0])
    item = json.loads(path.read_bytes())
    for href in ("../../../../flight/a.tif", str(store.root / "catalog.json")):
        item["assets"]["image"]["href"] = href
        path.write_text(json.dumps(item))
        assert f"{path}: expected assets in its folder, found {href}" in problems(store)


def test_each_lost_sheet_is_told_once(store: Catalog) -> None:
    (store.root.parent / "flight" / "a.tif").unlink()
    (line,) = problems(store)
    assert line.endswith(f"expected derived_from {store.root.parent / 'flight' / 'a.tif'}, found none")


def test_a_flight_that_was_looked_at_and_not_cut_yet_is_no_problem(store: Catalog) -> None:
    memo = store.collection_folder("F2") / "orthophotos.memo"
    memo.parent.mkdir()
    memo.write_text("{}")
    assert problems(store) == []


def test_a_flight_that_is_being_worked_on_hides_no_problem_of_another(store: Catalog, tmp_path: Path) -> None:
    for tile_id in TILES:
        add_tile(store, tile_id, flight="F2")
    finish(store, "F2", "F2.m")
    config = tmp_path / "town.yaml"
    config.write_text(f"data: {tmp_path}\n")
    image = store.collection_folder("F1") / TILES[0] / "image.tif"
    os.truncate(image, 5)
    with hold_flight(tmp_path, "F2"):
        done = CliRunner().invoke(app, ["catalog", "verify", "--config", str(config)])
    assert done.exit_code == 2
    assert f"{image}: expected" in done.output
    assert "flight F2: expected no other run of it" in done.output


def test_the_command_prints_each_problem_and_exits_2(store: Catalog, tmp_path: Path) -> None:
    config = tmp_path / "town.yaml"
    config.write_text(f"crs: EPSG:3006\ndata: {tmp_path}\n")
    done = CliRunner().invoke(app, ["catalog", "verify", "--config", str(config)])
    assert done.exit_code == 0, done.output
    image = store.collection_folder("F1") / TILES[0] / "image.tif"
    os.truncate(image, 5)
    done = CliRunner().invoke(app, ["catalog", "verify", "F1", "--config", str(config)])
    assert done.exit_code == 2
    assert f"{image}: expected" in done.output
    with hold_flight(tmp_path, "F1"):
        done = CliRunner().invoke(app, ["catalog", "verify", "F1", "--config", str(config)])
    assert done.exit_code == 2
    assert "flight F1: expected no other run of it" in done.output
    done = CliRunner().invoke(app, ["catalog", "verify", "F2", "--config", str(config)])
    assert str(done.exception) == f"{store.root}: expected F2, found F1"
