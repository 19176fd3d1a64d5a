"""A flight and a catalogue in an object store, asked through a real server of S3 on loopback."""

import datetime as dt
import hashlib
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
from catalog_case import SCHEME, TILES, add_tile, finish
from conftest import WriteOrthophoto
from dask_cluster import Cluster, running
from red_roofs import save_red_roofs
from test_engine import networks
from test_pipeline import RedRoofs, counts, network, project

from geoai import cli, pipeline
from geoai.catalog import Catalog, open_catalog
from geoai.config import FlightSettings, Settings, load_settings
from geoai.errors import ConfigError, ImageryError, StorageError
from geoai.flight import scan_flight
from geoai.inspection import inspect_flight, inspect_index
from geoai.inventory import export_items, flights
from geoai.pruning import prune
from geoai.raster import read_lattice, write_mosaic
from geoai.storage import files_below, folders_in, location, remove_tree
from geoai.tiling import plan_tiles, read_tile

__all__ = ["network", "project"]  # fixtures of the small flight

MEASURED = ["class", "map_object_ids", "p_mean", "priority", "plus_m2", "iou", "reason", "geometry"]


def copy_to(folder: Path, target: Path) -> None:
    for path, _ in files_below(folder):
        (target / path.relative_to(folder).as_posix()).write_bytes(path.read_bytes())


def assets(settings: Settings) -> dict[str, bytes]:
    """Return the bytes of every asset of a catalogue; each must be what its item says."""
    store = open_catalog(settings)
    found: dict[str, bytes] = {}
    for name in store.collections():
        for item in store.items(name):
            for key, asset in item["assets"].items():
                content = (store.item_path(name, item["id"]).parent / f"{key}.tif").read_bytes()
                assert asset["file:checksum"] == f"1220{hashlib.sha256(content).hexdigest()}"
                found[f"{name}/{item['id']}/{key}"] = content
    return found


@pytest.mark.slow
@pytest.mark.parametrize("stored", ["both", "imagery only"])
def test_a_run_in_an_object_store_finds_what_a_run_on_disk_finds(
    project: Path,
    network: RedRoofs,
    s3: str,
    stored: str,
) -> None:
    place = f"{s3}/{stored.replace(' ', '-')}"
    copy_to(project.parent / "flight", location(f"{place}/F1"))
    on_disk = load_settings(project)
    values: dict[str, Any] = {"flight.folder": f"{place}/F1", "data": project.parent / "driver"}
    if stored == "both":
        values["catalog"] = f"{place}/catalog"
    away = load_settings(project, values)

    first, second = pipeline.run(on_disk), pipeline.run(away)
    frames = [pyogrio.read_dataframe(result.review, layer="discrepancy") for result in (first, second)]
    assert len(frames[0]) == 3
    assert frames[0][MEASURED].to_wkt().equals(frames[1][MEASURED].to_wkt())
    assert assets(on_disk) == assets(away)
    asked = network.asked
    again = pipeline.run(away)
    assert (counts(again, "tile"), counts(again, "predict")) == ({"skipped": 4}, {"skipped": 4})
    assert network.asked == asked
    if stored == "both":
        assert not (project.parent / "driver" / "catalog").exists()
        assert not list((project.parent / "driver").rglob("*.tif"))


@pytest.mark.slow
def test_workers_of_their_own_need_the_object_store_and_no_folder(project: Path, s3: str) -> None:
    save_red_roofs(project.parent / "models" / "red_roofs")
    copy_to(project.parent / "flight", location(f"{s3}/processes/F1"))
    values: dict[str, Any] = {"prediction.model": str(project.parent / "models" / "red_roofs")}
    on_disk = load_settings(project, values)
    away = load_settings(
        project,
        values
        | {
            "flight.folder": f"{s3}/processes/F1",
            "data": project.parent / "driver",
            "catalog": f"{s3}/processes/catalog",
            "engine": {"kind": "processes", "workers": 2},
        },
    )
    pipeline.run(on_disk)
    pipeline.run(away)
    assert assets(on_disk) == assets(away)


REFUSE = """
import sys

def refuse(event, arguments):
    if event in ("open", "os.listdir", "os.scandir", "os.mkdir") and str(arguments[0]).startswith({folder!r}):
        raise PermissionError(f"a worker asked for {{arguments[0]}}")

sys.addaudithook(refuse)
"""
"""What a Dask worker loads first to have nothing in common with the folder of the machine that drives."""


def content(settings: Settings) -> dict[str, Any]:
    """Return what a catalogue holds, by name: bytes, and items without the times and places of the making."""
    store = open_catalog(settings)
    found: dict[str, Any] = {}
    for path, _ in files_below(store.root):
        name = path.relative_to(store.root).as_posix()
        if path.suffix in (".tif", ".parquet") or name.startswith("models/"):
            found[name] = path.read_bytes()
        elif path.suffix == ".json":
            found[name] = json.loads(path.read_bytes())
    for name, item in found.items():
        if name.startswith("flights/") and isinstance(item, dict) and item["type"] == "Feature":
            for time in ("created", "updated", "processing:datetime"):
                item["properties"].pop(time, None)
            for link in item["links"]:
                if link["type"] == "image/tiff":
                    link["href"] = link["href"].rpartition("/")[2]
    return found


@pytest.fixture
def far_cluster(project: Path, s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give workers that know the address and the key of the object store, and see no folder of *project*."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("worker")
    (folder / "refuse.py").write_text(REFUSE.format(folder=str(project.parent)))
    known = {name: value for name, value in os.environ.items() if name.startswith("AWS_") or name == "PATH"}
    options = ["--preload", str(folder / "refuse.py")]
    with running(folder, known | {"HOME": str(folder)}, options) as cluster:
        yield cluster


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_dask_workers_need_the_object_store_and_nothing_else(
    project: Path, s3: str, far_cluster: Cluster
) -> None:
    save_red_roofs(project.parent / "models" / "red")
    copy_to(project.parent / "flight", location(f"{s3}/dask/F1"))
    values: dict[str, Any] = {"prediction.model": str(project.parent / "models" / "red")}
    on_disk = load_settings(project, values | {"engine.workers": 1})
    places = {"flight.folder": f"{s3}/dask/F1", "catalog": f"{s3}/dask/catalog"}
    engine = {"kind": "dask", "address": far_cluster.address, "workers": None, "batch": 1}
    away = load_settings(project, values | places | {"data": project.parent / "driver", "engine": engine})
    alone, together = pipeline.run(on_disk), pipeline.run(away)
    assert together.signals == alone.signals == {"missing": 1, "demolished": 1, "extended": 1}
    assert [counts(together, stage) for stage in ("tile", "predict", "trace")] == 3 * [{"done": 4}]
    held = content(on_disk)
    kinds = [PurePath(name).suffix for name in held if name.startswith("flights/F1.red/")]
    assert (kinds.count(".tif"), kinds.count(".parquet")) == (4, 4)
    assert content(away) == held
    assert sum(networks(far_cluster.address).values()) > 0
    assert [counts(pipeline.run(away), stage) for stage in ("tile", "predict", "trace")] == 3 * [
        {"skipped": 4}
    ]


@pytest.fixture
def away(s3: str, tmp_path: Path, request: pytest.FixtureRequest) -> Catalog:
    """A catalogue of two tiles in a place of its own in the object store."""
    store = Catalog(location(f"{s3}/{request.node.name[:40]}/catalog"), tmp_path / "catalog.lock")
    for tile_id in TILES:
        add_tile(store, tile_id)
    finish(store)
    return store


def test_a_catalogue_there_is_the_one_on_disk(away: Catalog, tmp_path: Path) -> None:
    here = Catalog(tmp_path / "catalog")
    for tile_id in TILES:
        add_tile(here, tile_id)
    finish(here)
    names = [
        path.relative_to(here.root).as_posix() for path, _ in files_below(here.root) if path.name != ".lock"
    ]
    assert [path.relative_to(away.root).as_posix() for path, _ in files_below(away.root)] == names
    assert away.collections() == here.collections()
    for name in ("collection.json", f"{TILES[0]}/image.tif"):
        mine, theirs = (store.collection_folder("F1") / name for store in (here, away))
        assert mine.read_bytes() == theirs.read_bytes()
    assert pickle.loads(pickle.dumps(away)).is_done("F1", TILES[0], "1")
    assert not away.is_done("F1", TILES[0], "2")


def test_a_tile_that_is_replaced_is_read_anew(away: Catalog) -> None:
    """GDAL would remember what it read; so would a listing."""
    for value in (90, 120):
        add_tile(away, TILES[0], value=value)
        (file,) = [
            file for file in away.files("F1", "image", SCHEME) if file.box == SCHEME.tile_box(TILES[0])
        ]
        data, valid = read_lattice([file], file.box, bands=(1,))
        assert (data[0][valid] == value).all()
        assert valid.sum() == 125 * 250


def test_a_mosaic_on_this_disk_shows_tiles_there(away: Catalog, tmp_path: Path) -> None:
    from geoai.raster import gdal_environment

    path = tmp_path / "orthophoto.vrt"
    write_mosaic(path, away.files("F1", "image", SCHEME), SCHEME)
    with gdal_environment(), rasterio.open(path) as mosaic:
        assert (mosaic.read(1) == 90).all()
        assert (mosaic.dataset_mask() > 0).sum() == 2 * 125 * 250


def test_tiles_and_collections_are_removed_whole(away: Catalog) -> None:
    assert away.remove_items("F1", keep={TILES[1]}) == [TILES[0]]
    assert [path.name for path in folders_in(away.collection_folder("F1"))] == [TILES[1]]
    away.remove_collection("F1.m")
    assert away.collections() == ["F1"]
    index = json.loads((away.root / "catalog.json").read_bytes())
    assert [link["href"] for link in index["links"] if link["rel"] == "child"] == [
        "./flights/F1/collection.json"
    ]
    remove_tree(away.collection_folder("F1"))
    assert list(files_below(away.root / "flights")) == []


def test_what_is_wrong_there_is_told(away: Catalog, tmp_path: Path) -> None:
    def problems() -> list[str]:
        lines = [line for names in flights(away).values() for line in inspect_flight(away, names)]
        return [line for line in [*lines, *inspect_index(away)] if "derived_from" not in line]

    assert problems() == []
    image = away.collection_folder("F1") / TILES[0] / "image.tif"
    content = image.read_bytes()
    image.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (line,) = problems()
    assert line.startswith(f"{image}: expected SHA-256")
    export_items(away, ["F1"], tmp_path / "items.ndjson")
    first = json.loads((tmp_path / "items.ndjson").read_text().splitlines()[0])
    assert first["assets"]["image"]["href"] == str(image)


def test_old_probabilities_there_are_pruned(away: Catalog, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, catalog=away.root)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=400)
    images = [path.name for path, _ in files_below(away.collection_folder("F1"))]
    found = prune(open_catalog(settings), settings, unused_for=dt.timedelta(days=365), now=later)
    assert [(each.collection, each.kept_for) for each in found.old] == [("F1.m", None)]
    assert found.left == []
    assert away.collections() == ["F1"]
    assert [path.name for path, _ in files_below(away.collection_folder("F1"))] == images


def test_a_sheet_that_changes_is_read_anew_and_no_other(
    s3: str, tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    folder = location(f"{s3}/sheets, väst")
    for number in range(2):
        pixels = np.full((3, 50, 50), 100 + number, np.uint8)
        write_orthophoto(tmp_path / "sheet.tif", pixels, left=450_000 + 10 * number)
        (folder / "öst 1" / f"{number}.tif").write_bytes((tmp_path / "sheet.tif").read_bytes())
    settings, memo = FlightSettings(folder=folder), tmp_path / "memo"
    assert settings.name == "sheets, väst"
    flown, _ = scan_flight(settings, SCHEME.crs, memo=memo)
    assert [(sheet.name, sheet.grid.bounds[0]) for sheet in flown.orthophotos] == [
        ("öst 1/0.tif", 450_000.0),
        ("öst 1/1.tif", 450_010.0),
    ]
    assert flown.orthophotos[1].checksum == hashlib.sha256((tmp_path / "sheet.tif").read_bytes()).hexdigest()
    before = json.loads(memo.read_text())
    write_orthophoto(tmp_path / "sheet.tif", np.full((3, 50, 50), 7, np.uint8), left=450_010)
    (folder / "öst 1" / "1.tif").write_bytes((tmp_path / "sheet.tif").read_bytes())
    again, _ = scan_flight(settings, SCHEME.crs, memo=memo)
    after = json.loads(memo.read_text())
    assert after["öst 1/0.tif"] == before["öst 1/0.tif"]
    assert again.orthophotos[1].checksum != flown.orthophotos[1].checksum


def test_a_world_file_beside_a_sheet_counts(
    s3: str, tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    from affine import Affine

    plain = write_orthophoto(
        tmp_path / "a.jpg",
        np.full((3, 48, 48), 90, np.uint8),
        driver="JPEG",
        crs=None,
        transform=Affine.identity(),
    )
    folder = location(f"{s3}/world")
    (folder / "a.jpg").write_bytes(plain.read_bytes())
    (folder / "a.jgw").write_bytes(b"0.2\n0\n0\n-0.2\n450000.1\n6400999.9\n")
    flown, _ = scan_flight(FlightSettings(folder=folder, assume_crs=True), SCHEME.crs)
    assert flown.orthophotos[0].grid.bounds[0] == pytest.approx(450_000.0)


def test_a_mask_beside_a_sheet_counts(s3: str, tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    mask = np.ones((50, 50), bool)
    mask[:, 25:] = False
    plain = write_orthophoto(tmp_path / "a.tif", np.full((3, 50, 50), 90, np.uint8))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(plain, "r+") as target:
        target.write_mask(mask)
    copy_to(tmp_path, location(f"{s3}/masked"))
    checksum = hashlib.sha256((tmp_path / "a.tif.msk").read_bytes()).hexdigest()
    for folder in (tmp_path, location(f"{s3}/masked")):
        flown, _ = scan_flight(FlightSettings(folder=folder), SCHEME.crs)
        assert flown.orthophotos[0].valid_share == 0.5
        assert flown.orthophotos[0].mask_checksum == checksum
        (job,) = plan_tiles(flown, SCHEME)
        assert read_tile(job, SCHEME, band_count=3, white_level=None)[1].sum() == mask.sum()


def test_a_name_is_no_pattern_there(s3: str, tmp_path: Path) -> None:
    store = Catalog(location(f"{s3}/patterns/catalog"), tmp_path / "catalog.lock")
    flights = ("F 1", "F [1]", "F 1 [a]")
    for flight in flights:
        add_tile(store, TILES[0], flight=flight)
        finish(store, flight, f"{flight}.m")
    assert [item["collection"] for item in store.items("F [1]")] == ["F [1]"]
    store.remove_collection("F [1].m")
    left = sorted({*flights, "F 1.m", "F 1 [a].m"})
    assert store.collections() == left
    assert [len(list(store.items(name))) for name in left] == [1] * len(left)


def test_what_is_no_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text("flight: {folder: 'https://example.com/flight'}\n")
    with pytest.raises(ConfigError) as error:
        load_settings(tmp_path / "town.yaml")
    assert str(error.value) == (
        f"{tmp_path / 'town.yaml'}:1: expected a path or s3://bucket/prefix, found https://example.com/flight"
    )


def test_a_place_without_a_flight_is_one_line(s3: str) -> None:
    settings = FlightSettings(folder=location(f"{s3}/nothing"))
    with pytest.raises(ImageryError, match=f"{s3}/nothing: expected a folder of orthophotos, found nothing"):
        scan_flight(settings, SCHEME.crs)
    expected = r"s3://nobodys-bucket/x: expected an object store that can be read, found .* does not exist"
    with pytest.raises(StorageError, match=expected):
        open_catalog(Settings(catalog=location("s3://nobodys-bucket/x")))


def test_a_store_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs = pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(
        StorageError, match="s3://b-b/x: expected an object store that can be read, found"
    ) as error:
        open_catalog(Settings(catalog=location("s3://b-b/x")))
    assert "\n" not in str(error.value)
    assert "the-secret" not in str(error.value)
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_store_that_goes_away_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exceptions = pytest.importorskip("botocore.exceptions")

    def command() -> None:
        raise exceptions.EndpointConnectionError(endpoint_url="http://10.0.0.9/bucket")

    monkeypatch.setattr(cli, "app", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        'geoai: Could not connect to the endpoint URL: "http://10.0.0.9/bucket"\n'
    )
