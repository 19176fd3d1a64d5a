"""Old probabilities go, whole; what somebody may still look at stays; and a kill leaves nothing broken."""

import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from catalog_case import SCHEME, TILES, add_tile, finish, whole_catalog
from ledger_case import Flown, Signal, record
from typer.testing import CliRunner

from geoai.catalog import Catalog
from geoai.cli import app
from geoai.config import Settings
from geoai.errors import CatalogError
from geoai.inspection import inspect_flight, inspect_index
from geoai.inventory import flights
from geoai.ledger import Ledger
from geoai.locks import hold_flight
from geoai.pruning import prune
from geoai.raster import write_mosaic

YEAR = dt.timedelta(days=365)
NOW = dt.datetime.now(dt.UTC) + 2 * YEAR


@pytest.fixture
def store(tmp_path: Path) -> Catalog:
    return whole_catalog(tmp_path, models=("m", "m-2"))


def settings(store: Catalog, **values: object) -> Settings:
    return Settings.model_validate({"data": store.root.parent} | values)


def pruned(store: Catalog, **values: object) -> dict[str, str | None]:
    """Prune what is older than a year, two years from now; return what was old, and why it stays."""
    found = prune(store, settings(store, **values), unused_for=YEAR, now=NOW)
    return {each.collection: each.kept_for for each in found.old}


def problems(store: Catalog) -> list[str]:
    lines = [line for names in flights(store).values() for line in inspect_flight(store, names)]
    return lines + list(inspect_index(store))


def make_run(store: Catalog, name: str, *, previous: str | None = None, finished: dt.datetime = NOW) -> Path:
    folder = store.root.parent / "runs" / "F1" / name
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps({"compare": {"previous": previous}}))
    stages = [{"name": "tile", "counts": {"done": 2}}]
    (folder / "run.json").write_text(json.dumps({"finished": finished.isoformat(), "stages": stages}))
    return folder


def test_old_predictions_go_and_nothing_else(store: Catalog) -> None:
    images = {path: path.read_bytes() for path in store.collection_folder("F1").rglob("*") if path.is_file()}
    assert pruned(store) == {"F1.m": None, "F1.m-2": None}
    assert store.collections() == ["F1"]
    assert {path: path.read_bytes() for path in images} == images
    assert problems(store) == []


def test_what_is_young_or_was_read_lately_stays(store: Catalog) -> None:
    assert prune(store, settings(store), unused_for=YEAR, now=NOW - 1.5 * YEAR).old == []
    make_run(store, "m-2-0123abcd", finished=NOW - YEAR / 2)
    assert pruned(store) == {"F1.m": None}
    assert store.collections() == ["F1", "F1.m-2"]


def test_a_dry_run_says_what_a_run_does(store: Catalog) -> None:
    def held() -> list[Path]:
        return sorted(path for path in store.root.rglob("*") if ".locks" not in path.parts)

    before = held()
    told = prune(store, settings(store), unused_for=YEAR, now=NOW, dry_run=True)
    assert held() == before
    sizes = [
        sum(path.stat().st_size for path in store.collection_folder(each.collection).rglob("*.*"))
        for each in told.old
    ]
    assert [each.size for each in told.old] == sizes
    assert prune(store, settings(store), unused_for=YEAR, now=NOW) == told


def test_what_a_standing_review_shows_stays(store: Catalog) -> None:
    current = store.root.parent / "runs" / "F1" / "current"
    write_mosaic(current / "probability.vrt", store.files("F1.m", "probability", SCHEME), SCHEME)
    assert pruned(store) == {"F1.m": "the standing review of F1", "F1.m-2": None}


def test_what_a_standing_review_shows_stays_wherever_the_catalogue_lies(tmp_path: Path) -> None:
    """Also where the folder of the catalogue lies in one that is called as the catalogue's own are."""
    store = whole_catalog(tmp_path / "flights")
    own = Settings.model_validate({"data": tmp_path / "data", "catalog": store.root})
    current = own.data / "runs" / "F1" / "current"
    write_mosaic(current / "probability.vrt", store.files("F1.m", "probability", SCHEME), SCHEME)
    (old,) = prune(store, own, unused_for=YEAR, now=NOW).old
    assert old.kept_for == "the standing review of F1"


def test_what_a_standing_review_shows_stays_whatever_the_flight_is_called(store: Catalog) -> None:
    flight = "Malmö & Lund"
    for tile_id in TILES:
        add_tile(store, tile_id, flight=flight)
    finish(store, flight, f"{flight}.m")
    current = store.root.parent / "runs" / flight / "current"
    write_mosaic(current / "probability.vrt", store.files(f"{flight}.m", "probability", SCHEME), SCHEME)
    assert pruned(store)[f"{flight}.m"] == f"the standing review of {flight}"


def test_what_a_run_was_compared_with_stays(store: Catalog) -> None:
    folder = make_run(store, "m-0123abcd", previous="F1", finished=NOW - 1.5 * YEAR)
    assert pruned(store) == {"F1.m": f"compare.previous of run {folder.name}", "F1.m-2": None}


def test_what_the_next_run_is_compared_with_stays(store: Catalog) -> None:
    values = {"compare": {"previous": "F1"}, "prediction": {"model": "m-2"}}
    assert pruned(store, **values) == {"F1.m": None, "F1.m-2": "compare.previous"}


def test_what_the_next_run_is_compared_with_stays_whatever_the_folder_of_its_model_is_called(
    store: Catalog, tmp_path: Path
) -> None:
    folder = (tmp_path / "packages" / "m-2").rename(tmp_path / "2024-05")
    values = {"compare": {"previous": "F1"}, "prediction": {"model": str(folder)}}
    assert pruned(store, **values) == {"F1.m": None, "F1.m-2": "compare.previous"}


def test_what_last_saw_a_signal_that_stands_stays(store: Catalog, tmp_path: Path) -> None:
    """Signals of the example's run, of model m-2, until a newer flight shows that they are gone."""
    ledger = Ledger(tmp_path / "ledger.gpkg", "EPSG:3006")
    record(ledger, Flown([Signal(10, 10)], flight="2024"))
    shutil.copytree(store.collection_folder("F1.m"), store.collection_folder("2024.buildings"))
    for path in store.collection_folder("2024.buildings").glob("*/*.json"):
        item = json.loads(path.read_bytes())
        item["properties"]["geoai:model"] = "buildings"
        item["collection"] = "2024.buildings"
        path.write_text(json.dumps(item))
    kept = pruned(store)
    assert kept == {"2024.buildings": "signals of the ledger", "F1.m": None, "F1.m-2": None}
    record(ledger, Flown([], flight="2025"))
    assert pruned(store) == {"2024.buildings": None}


def test_where_it_cannot_be_told_what_is_referred_to_nothing_goes(store: Catalog) -> None:
    folder = make_run(store, "m-0123abcd")
    (folder / "settings.json").write_text("{")
    with pytest.raises(CatalogError, match=r"settings\.json: expected the settings of a run, found"):
        pruned(store)
    assert store.collections() == ["F1", "F1.m", "F1.m-2"]


def test_a_flight_that_is_being_worked_on_is_left_alone(store: Catalog) -> None:
    with hold_flight(store.root.parent, "F1"):
        found = prune(store, settings(store), unused_for=YEAR, now=NOW)
    assert found.old == []
    assert "flight F1: expected no other run of it" in found.busy[0]
    assert store.collections() == ["F1", "F1.m", "F1.m-2"]


def test_what_writers_left_goes_once_it_is_a_day_old(store: Catalog) -> None:
    tile = store.item_path("F1", TILES[0]).parent
    left = [tile / ".image-x1.tif", tile.parent / ".collection-x1.json", tile.parent / "450100_6400950"]
    for path in left[:2]:
        path.touch()
    left[2].mkdir()
    (left[2] / "image.tif").touch()
    day = dt.timedelta(days=1)
    today = dt.datetime.now(dt.UTC)
    assert prune(store, settings(store), unused_for=YEAR, now=today).left == []
    assert set(prune(store, settings(store), unused_for=YEAR, now=today + 1.1 * day).left) == set(left)
    assert problems(store) == []


def killed(work: Callable[[], object], *, after: int) -> bool:
    """Do *work* in a process that ends at once after so many changes of the disk; say if it came to that.

    Changes are files and folders that are removed, renamed, or opened for writing.
    """
    child = os.fork()
    if child == 0:
        count = 0

        def stop(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            writing = event == "open" and str(arguments[1])[:1] in ("w", "a", "x")
            if writing or event in ("os.remove", "os.rmdir", "os.rename", "os.mkdir"):
                count += 1
                if count > after:
                    os._exit(9)

        sys.addaudithook(stop)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.slow
@pytest.mark.parametrize("what", ["prune", "remove items"])
def test_a_kill_at_any_moment_leaves_no_item_without_its_assets(
    store: Catalog, tmp_path: Path, what: str
) -> None:
    def work() -> None:
        if what == "prune":
            pruned(store)
        else:
            store.remove_items("F1", keep={TILES[0]})

    kept = shutil.copytree(store.root, tmp_path / "kept")
    moments = 0
    while killed(work, after=moments):
        for name in store.collections():
            for item in store.items(name):
                for asset in item["assets"].values():
                    path = store.item_path(name, item["id"]).parent / asset["href"]
                    assert path.stat().st_size == asset["file:size"], (moments, path)
        work()  # whatever was left is completed by the next one
        if what == "prune":
            prune(store, settings(store), unused_for=YEAR, now=NOW)
            assert problems(store) == []
            assert store.collections() == ["F1"]
        else:
            assert sorted(path.name for path in store.collection_folder("F1").glob("*/")) == [TILES[0]]
        shutil.rmtree(store.root)
        shutil.copytree(kept, store.root)
        moments += 1
    assert moments > (10 if what == "prune" else 2)


def test_the_command_says_what_goes(store: Catalog, tmp_path: Path) -> None:
    config = tmp_path / "town.yaml"
    config.write_text(f"crs: EPSG:3006\ndata: {tmp_path}\n")
    words = ["catalog", "prune", "--config", str(config), "--older-than"]
    done = CliRunner().invoke(app, [*words, "0d", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "would be removed" in done.output
    assert store.collections() == ["F1", "F1.m", "F1.m-2"]
    done = CliRunner().invoke(app, [*words, "0d"])
    assert done.exit_code == 0, done.output
    assert store.collections() == ["F1"]
    done = CliRunner().invoke(app, [*words, "1y"])
    assert str(done.exception) == "catalog prune: expected --older-than in days, such as 365d, found 1y"
