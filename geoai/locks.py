"""Locks between processes: one at a time works on a flight, or writes what others read.

A process that ends, however it ends, lets its locks go.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from geoai.errors import BusyError
from geoai.files import remove_abandoned

log = logging.getLogger(__name__)


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
    path = data / "locks" / f"{flight_id}.lock"
    with locked_if_free(path) as lock:
        if lock is None:
            raise BusyError(
                f"flight {flight_id}: expected no other run of it, "
                f"found {path.read_text(encoding='utf-8').strip()}; start again when that has ended"
            )
        lock.seek(0)
        if lock.read():
            _clear_up(data, flight_id)
        lock.truncate(0)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        lock.write(f"process {os.getpid()} on {socket.gethostname()}, at work since {now}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)  # says that it was not killed


def who_holds(data: Path, flight_id: str) -> str:
    """Return who is at work on a flight, '' where nobody is."""
    try:
        with hold_flight(data, flight_id):
            return ""
    except BusyError as error:
        return str(error)


def _clear_up(data: Path, flight_id: str) -> None:
    for folder in (data / "catalog", data / "runs" / flight_id):
        for path in remove_abandoned(folder):
            log.info("%s: removed, a run that was killed left it", path)
