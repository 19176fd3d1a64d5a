import datetime as dt
import json
import shutil
from pathlib import Path

import geopandas as gpd
import pytest
import shapely.geometry
from catalog_case import TILES, add_tile, whole_catalog
from typer.testing import CliRunner

from geoai.catalog import Catalog
from geoai.cli import app
from geoai.errors import CatalogError
from geoai.inventory import Holding, export_items, flights, holdings


@pytest.fixture
def store(tmp_path: Path) -> Catalog:
    """A flight F1 that two models saw, one of them half of it, and F1.b, whose name begins alike."""
    store = whole_catalog(tmp_path, models=("m", "m-2"))
    add_tile(store, TILES[0], flight="F1.b")
    store.remove_items("F1.m-2", keep={TILES[1]})
    return store


def of(store: Catalog, flight: str) -> dict[str, Holding]:
    runs = store.root.parent / "runs" / flight
    return {each.collection: each for each in holdings(store, flight, flights(store)[flight], runs)}


def test_a_flight_is_its_imagery_and_what_models_saw_in_it(store: Catalog) -> None:
    assert flights(store) == {"F1": ["F1", "F1.m", "F1.m-2"], "F1.b": ["F1.b", "F1.b.m"]}
    assert flights(store, "F1.b") == {"F1.b": ["F1.b", "F1.b.m"]}
    store.item_path("F1.m", TILES[0]).write_text("{")  # another item tells whose they are
    assert flights(store, "F1") == {"F1": ["F1", "F1.m", "F1.m-2"]}
    with pytest.raises(CatalogError, match=r"catalog: expected F2, found F1, F1\.b"):
        flights(store, "F2")
    with pytest.raises(CatalogError, match="expected a flight, found none"):
        flights(Catalog(store.root / "nothing"))


def test_what_is_held_is_counted(store: Catalog) -> None:
    found = of(store, "F1")
    assert {name: (each.model, each.tiles, each.missing) for name, each in found.items()} == {
        "F1": (None, 2, 0),
        "F1.m": ("m", 2, 0),
        "F1.m-2": ("m-2", 1, 1),
    }
    for name, each in found.items():
        images = list(store.collection_folder(name).rglob("*.tif"))
        assert each.size == sum(path.stat().st_size for path in images)
        assert (each.first, each.last) == (dt.date(2026, 5, 14), dt.date(2026, 5, 14))
        assert each.last_run is None
        assert each.last_used == each.updated


def test_the_latest_run_counts_for_its_model(store: Catalog) -> None:
    def run(name: str, day: int, failed: int) -> None:
        folder = store.root.parent / "runs" / "F1" / name
        folder.mkdir(parents=True)
        stages = [{"name": "accept", "counts": {}}, {"name": "tile", "counts": {"failed": failed}}]
        finished = f"2026-06-0{day}T12:00:00+00:00"
        (folder / "run.json").write_text(json.dumps({"finished": finished, "stages": stages}))

    run("m-00000001", 3, failed=2)
    run("m-00000002", 1, failed=0)
    run("m-2-00000001", 2, failed=0)
    (store.root.parent / "runs" / "F1" / "m-00000002" / "settings.json").touch()
    found = of(store, "F1")
    days = {name: each.last_run and each.last_run.day for name, each in found.items()}
    assert days == {"F1": 3, "F1.m": 3, "F1.m-2": 2}
    assert found["F1"].missing == 2
    assert of(store, "F1.b")["F1.b"].last_run is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"finished": null}', '{"finished": "2026-06-01", "stages": [1]}']
)
def test_a_record_that_somebody_wrote_into_tells_nothing(store: Catalog, text: str) -> None:
    record = store.root.parent / "runs" / "F1" / "m-00000001" / "run.json"
    record.parent.mkdir(parents=True)
    record.write_text(text)
    assert of(store, "F1")["F1"].last_run is None


def test_the_table_is_what_the_items_say(store: Catalog, tmp_path: Path) -> None:
    names = flights(store)["F1"]
    assert export_items(store, names, tmp_path / "items.parquet") == 5
    table = gpd.read_parquet(tmp_path / "items.parquet")
    assert table.crs == "OGC:CRS84" or table.crs == "EPSG:4326"
    items = {(item["collection"], item["id"]): item for name in names for item in store.items(name)}
    assert sorted(items) == sorted(zip(table["collection"], table["id"], strict=True))
    for row in table.itertuples():
        item = items[row.collection, row.id]
        assert row.geometry.equals(shapely.geometry.shape(item["geometry"]))
        for key, asset in item["assets"].items():
            held = row.assets[key]
            assert held["file:checksum"] == asset["file:checksum"]
            assert Path(held["href"]).read_bytes()
    west, east = (shapely.geometry.shape(items["F1", name]["geometry"]).bounds for name in TILES)
    found = gpd.read_parquet(tmp_path / "items.parquet", bbox=west)
    assert set(found["id"]) == {TILES[0]}
    assert west[2] < east[0]


def test_lines_of_json_hold_the_same_items(store: Catalog, tmp_path: Path) -> None:
    export_items(store, ["F1", "F1.m"], tmp_path / "items.ndjson")
    lines = [json.loads(line) for line in (tmp_path / "items.ndjson").read_text().splitlines()]
    items = [item for name in ("F1", "F1.m") for item in store.items(name)]
    assert [line["properties"] for line in lines] == [item["properties"] for item in items]
    with pytest.raises(
        CatalogError, match=r"expected a name that ends in \.parquet or \.ndjson, found items\.csv"
    ):
        export_items(store, ["F1"], tmp_path / "items.csv")
    assert sorted(path.name for path in tmp_path.glob("items*")) == ["items.ndjson"]


def test_the_commands_list_and_export(store: Catalog, tmp_path: Path) -> None:
    config = tmp_path / "town.yaml"
    config.write_text(f"crs: EPSG:3006\ndata: {tmp_path}\n")
    done = CliRunner().invoke(app, ["catalog", "list", "--config", str(config)])
    assert done.exit_code == 0, done.output
    listed = [line.split()[0] for line in done.output.splitlines() if line.startswith("F1")]
    assert listed == ["F1"] * 3 + ["F1.b"] * 2
    assert "1 missing" in done.output
    assert done.output.count("unknown") == 4
    assert "yes" not in done.output
    words = ["catalog", "export", "all", str(tmp_path / "all.parquet"), "--config", str(config)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert len(gpd.read_parquet(tmp_path / "all.parquet")) == 7


def test_ids_and_days_are_listed_whole_where_no_terminal_is(store: Catalog, tmp_path: Path) -> None:
    flight, model = "2026-05-14_town-and-north", "buildings-2026"
    add_tile(store, TILES[0], flight=flight, model=model)
    config = tmp_path / "town.yaml"
    config.write_text(f"crs: EPSG:3006\ndata: {tmp_path}\n")
    done = CliRunner().invoke(app, ["catalog", "list", "--config", str(config)])
    (line,) = (line for line in done.output.splitlines() if line.startswith(f"{flight}  {model}"))
    assert line.split()[-3:] == ["2026-05-14", "none", "unknown"]
    prune = ["catalog", "prune", "--older-than", "0d", "--dry-run", "--config", str(config)]
    assert f"│ {flight}.{model} │" in CliRunner().invoke(app, prune).output


def test_a_moved_catalogue_exports_where_it_is_now(store: Catalog, tmp_path: Path) -> None:
    moved = Catalog(Path(shutil.move(store.root, tmp_path / "moved")))
    export_items(moved, ["F1"], tmp_path / "items.ndjson")
    for line in (tmp_path / "items.ndjson").read_text().splitlines():
        assert Path(json.loads(line)["assets"]["image"]["href"]).is_relative_to(tmp_path / "moved")
