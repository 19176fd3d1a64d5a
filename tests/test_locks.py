"""Locks: a flight is worked on by one at a time, and who holds it is told."""

import os
import threading
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


def test_looking_who_works_on_a_flight_is_in_nobodys_way(tmp_path: Path) -> None:
    assert who_holds(tmp_path, "F1") == ""
    assert list(tmp_path.iterdir()) == []
    ended, told = threading.Event(), set[str]()

    def look() -> None:
        while not ended.is_set():
            told.add(who_holds(tmp_path, "F1"))

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(300):
            with hold_flight(tmp_path, "F1"):
                pass
        with hold_flight(tmp_path, "F1"):
            assert who_holds(tmp_path, "F1").startswith(f"process {os.getpid()} on ")
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join()
    assert {each.partition(" on ")[0] for each in told} <= {"", f"process {os.getpid()}"}


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
