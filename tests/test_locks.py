"""Locks: a flight is worked on by one at a time, and who holds it is told."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from geoai.errors import BusyError, EngineError
from geoai.locks import hold_flight, who_holds
from geoai.storage import location


def test_a_flight_is_worked_on_once_at_a_time(tmp_path: Path) -> None:
    with hold_flight(tmp_path, "F1"):
        with (
            pytest.raises(BusyError, match=r"flight F1: expected no other run of it, found process \d+ on "),
            hold_flight(tmp_path, "F1"),
        ):
            pass
        with hold_flight(tmp_path, "F2"):
            pass
    with hold_flight(tmp_path, "F1"):
        pass


@contextmanager
def looking(data: Path) -> Iterator[set[str]]:
    """Look without a pause who works on a flight, three at once; what they were told."""
    ended, told = threading.Event(), set[str]()

    def look() -> None:
        while not ended.is_set():
            told.add(who_holds(data, "F1"))

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        yield told
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join()


def test_looking_who_works_on_a_flight_is_in_nobodys_way(tmp_path: Path) -> None:
    assert who_holds(tmp_path, "F1") == ""
    assert list(tmp_path.iterdir()) == []
    with looking(tmp_path) as told:
        for _ in range(300):
            with hold_flight(tmp_path, "F1"):
                pass
        with hold_flight(tmp_path, "F1"):
            assert who_holds(tmp_path, "F1").startswith(f"process {os.getpid()} on ")
    assert {each.partition(" on ")[0] for each in told} <= {"", f"process {os.getpid()}"}


def test_looking_at_a_flight_whose_run_was_killed_does_not_keep_the_next_run_out(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "F1.lock"
    lock.parent.mkdir()
    with looking(tmp_path):
        for _ in range(100):
            lock.write_text("process 1 on killed, at work since then")
            with hold_flight(tmp_path, "F1"):
                pass


PLACES = [("a", None), ("b", None), ("a", "shared"), ("b", "shared"), ("b", "a/catalog")]


@pytest.mark.parametrize("first", PLACES)
@pytest.mark.parametrize("second", PLACES)
def test_runs_that_share_a_data_folder_or_a_catalogue_take_turns(
    tmp_path: Path, first: tuple[str, str | None], second: tuple[str, str | None]
) -> None:
    def places(data: str, catalog: str | None) -> tuple[Path, str, Path | None]:
        return tmp_path / data, "F1", tmp_path / catalog if catalog else None

    def written(data: str, catalog: str | None) -> set[str]:
        return {data, catalog or f"{data}/catalog"}

    shared = written(*first) & written(*second)
    with hold_flight(*places(*first)):
        assert bool(who_holds(*places(*second))) == bool(shared)
        with pytest.raises(BusyError) if shared else nullcontext(), hold_flight(*places(*second)):
            pass
        assert who_holds(*places(*first)), "one that was refused lets go of nothing but its own"
    assert who_holds(*places(*second)) == ""
    with hold_flight(*places(*second)):
        pass


@pytest.mark.parametrize("catalog", [None, "elsewhere"])
def test_what_a_run_that_was_killed_left_is_cleared_up_by_the_next_and_by_no_look(
    tmp_path: Path, catalog: str | None
) -> None:
    data, tiles = tmp_path / "data", tmp_path / (catalog or "data/catalog")
    left = [tiles / "flights" / "F1" / ".image-abcd1234.tif", data / "runs" / "F1" / ".review-abcd1234.gpkg"]
    for path in left:
        path.parent.mkdir(parents=True)
        path.touch()
    places = data, "F1", tiles if catalog else None
    child = os.fork()
    if child == 0:
        try:
            with hold_flight(*places):
                os._exit(9)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert who_holds(*places) == ""
    assert [path.exists() for path in left] == [True, True]
    with hold_flight(tmp_path / "other", "F1", tiles):
        assert [path.exists() for path in left] == [False, True], "in the catalogue, for whoever shares it"
    with hold_flight(*places):
        assert [path.exists() for path in left] == [False, False]


def test_what_a_killed_worker_of_a_run_left_is_removed_by_the_next_run(tmp_path: Path) -> None:
    left = tmp_path / "catalog" / ".image-abcd1234.tif"
    left.parent.mkdir()
    with suppress(EngineError), hold_flight(tmp_path, "F1"):
        left.touch()
        raise EngineError("engine: expected its workers, found one ended")
    assert who_holds(tmp_path, "F1") == ""
    with hold_flight(tmp_path, "F1"):
        assert not left.exists()


def test_a_catalogue_in_an_object_store_has_no_lock(tmp_path: Path) -> None:
    pytest.importorskip("s3fs")
    with hold_flight(tmp_path, "F1", location("s3://nobodys-bucket/catalog")):
        assert who_holds(tmp_path, "F1", location("s3://nobodys-bucket/catalog"))
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]
