"""Locks: a flight is worked on by one at a time, and who holds it is told."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from geoai.errors import BusyError
from geoai.locks import hold_flight, who_holds


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


def test_looking_who_works_on_a_flight_clears_nothing_up(tmp_path: Path) -> None:
    left = tmp_path / "catalog" / ".image-abcd1234.tif"
    left.parent.mkdir()
    left.touch()
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "F1.lock").write_text("process 1 on killed, at work since then")
    assert who_holds(tmp_path, "F1") == ""
    assert left.exists()
    with hold_flight(tmp_path, "F1"):
        assert not left.exists()
