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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from geoai.errors import BusyError
from geoai.files import remove_abandoned
from geoai.storage import is_remote

log = logging.getLogger(__name__)

TRIES = 20
"""How often, at 20 a second, the lock of a flight is tried that is held while nobody is at work."""


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
        yield file if _took(file, fcntl.LOCK_EX) else None


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+", encoding="utf-8")


@contextmanager
def hold_flight(data: Path, flight_id: str, catalog: Path | None = None) -> Iterator[None]:
    """Hold the locks of a flight while it is worked on: one in *data*, one where its tiles lie.

    *catalog* is that of the settings, None: in *data*. One in an object store has no lock: all that work on
    it must do so from one *data*. What one that was stopped left in the making is removed first. Raises
    BusyError where another holds a lock.
    """
    with ExitStack() as held:
        for lock, guarded in _locks_of(data, flight_id, catalog).items():
            held.enter_context(_hold(lock, guarded, flight_id))
        yield


@contextmanager
def _hold(path: Path, guarded: Path, flight_id: str) -> Iterator[None]:
    """Hold one lock of a flight; clear up in the folder that it guards where its last holder was stopped."""
    with _opened(path) as lock:
        tries = 1
        while not _took(lock, fcntl.LOCK_EX):
            holder = _holder(path)
            if holder or tries == TRIES:
                raise BusyError(
                    f"flight {flight_id}: expected no other run of it, found {holder or 'another process'}; "
                    "start again when that has ended"
                )
            tries += 1
            time.sleep(0.05)  # one looks, begins or ends
        stopped = _told(lock)
        lock.truncate(0)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        lock.write(f"process {os.getpid()} on {socket.gethostname()}, at work since {now}")
        lock.flush()
        if stopped:
            for left in remove_abandoned(guarded):
                log.info("%s: removed, a run that was stopped left it", left)
        yield
        lock.truncate(0)  # ended in order: neither it nor a worker of its was killed


def who_holds(data: Path, flight_id: str, catalog: Path | None = None) -> str:
    """Return which process works on a flight, '' where none does. Nothing is changed."""
    told = map(_holder, _locks_of(data, flight_id, catalog))
    return next(filter(None, told), "")


def _locks_of(data: Path, flight_id: str, catalog: Path | None) -> dict[Path, Path]:
    """Return the locks of a flight, in the order in which they are taken, and the folder that each guards."""
    locks = {data / "locks" / f"{flight_id}.lock": data / "runs" / flight_id}
    tiles = catalog or data / "catalog"  # to the projects that share it, `data` says nothing
    if not is_remote(tiles):
        locks[tiles / ".locks" / f"{flight_id}.lock"] = tiles
    return locks


def _holder(path: Path) -> str:
    """Return who holds the lock of the file *path*, '' where nobody does."""
    try:
        with path.open(encoding="utf-8") as lock:
            told = _told(lock)  # before the lock is tried: a run that ends meanwhile takes its words along
            return "" if not told or _took(lock, fcntl.LOCK_SH) else told
    except FileNotFoundError:
        return ""


def _took(file: TextIO, kind: int) -> bool:
    """Take a lock where it is free to be taken."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _told(lock: TextIO) -> str:
    lock.seek(0)
    return lock.read().strip()
