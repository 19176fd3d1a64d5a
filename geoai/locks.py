"""Locks between processes: one at a time works on a flight, or writes what others read.

A process that ends, however it ends, lets its locks go.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from geoai.errors import BusyError
from geoai.files import remove_abandoned

log = logging.getLogger(__name__)

WORDLESS = 20
"""How often, at 20 a second, a lock is tried for whose holder has not said who it is."""


@contextmanager
def locked(path: Path) -> Iterator[TextIO]:
    """Wait for the lock of the file *path*, which is made where there is none, and hold it."""
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


@contextmanager
def locked_if_free(path: Path) -> Iterator[TextIO | None]:
    """Hold the lock of the file *path*, which is made where there is none; None where another holds it."""
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+", encoding="utf-8")


@contextmanager
def hold_flight(data: Path, flight_id: str) -> Iterator[None]:
    """Hold the lock of a flight while it is worked on.

    What one that was killed left in the making is removed first. Raises BusyError where another holds it.
    """
    with _opened(_lock_of(data, flight_id)) as lock:
        if not _taken(lock, fcntl.LOCK_EX):
            raise BusyError(
                f"flight {flight_id}: expected no other run of it, found {_holder(lock)}; "
                "start again when that has ended"
            )
        killed = _told(lock)
        lock.truncate(0)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        lock.write(f"process {os.getpid()} on {socket.gethostname()}, at work since {now}")
        lock.flush()
        if killed:
            _clear_up(data, flight_id)
        try:
            yield
        finally:
            lock.truncate(0)  # says that it was not killed


def who_holds(data: Path, flight_id: str) -> str:
    """Return which process works on a flight, '' where none does. Nothing is held or changed."""
    try:
        with _lock_of(data, flight_id).open(encoding="utf-8") as lock:
            return "" if _taken(lock, fcntl.LOCK_SH) else _holder(lock)
    except FileNotFoundError:
        return ""


def _lock_of(data: Path, flight_id: str) -> Path:
    return data / "locks" / f"{flight_id}.lock"


def _taken(lock: TextIO, kind: int) -> bool:
    """Try for a lock; one that is held without a word is just being looked at, begun or ended."""
    for _ in range(WORDLESS):
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if _told(lock):
                return False
            time.sleep(0.05)
        else:
            return True
    return False


def _holder(lock: TextIO) -> str:
    return _told(lock) or "another process"


def _told(lock: TextIO) -> str:
    lock.seek(0)
    return lock.read().strip()


def _clear_up(data: Path, flight_id: str) -> None:
    for folder in (data / "catalog", data / "runs" / flight_id):
        for path in remove_abandoned(folder):
            log.info("%s: removed, a run that was killed left it", path)
