"""Files that appear whole: written beside their place, under a lock, and renamed onto it in the end.

What a writer that was killed left is told by the lock that nobody holds, and removed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geoai.storage import is_remote, upload

ABANDONED = re.compile(r"\..+-[a-z0-9_]{8}(\.[a-z]+)?")
"""Names of files and folders in the making, as tempfile makes them."""
LOCK = "lock"
"""File in a folder in the making that is locked until it is done."""


@contextmanager
def appearing_whole(path: Path) -> Any:
    """Give a name beside *path* to write to; rename it onto *path* when the block ends well.

    For a *path* in an object store, the name lies on this disk, and is put there at the end.
    """
    if is_remote(path):
        with tempfile.TemporaryDirectory(prefix="geoai-") as folder:
            partial = Path(folder) / path.name
            yield partial
            upload(partial, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = _begin(path)
    try:
        yield partial
        partial.chmod(0o644)  # mkstemp makes it private
        partial.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # "No space left on device" alone does not say where
        raise
    finally:
        partial.unlink(missing_ok=True)
        os.close(descriptor)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write *content* as JSON that people can read; it appears whole."""
    with appearing_whole(path) as partial:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return the checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _begin(path: Path) -> tuple[int, Path]:
    """Make a file beside *path* and hold its lock, which says that somebody is still writing."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        if _lock(descriptor):
            return descriptor, Path(name)
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Wait for the lock of a file in the making; False where it was taken for abandoned before."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder in *parent* to make files in that will be moved out of it, and remove it in the end."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = (folder / LOCK).open("x")
        except FileNotFoundError:  # taken for abandoned
            continue
        if _lock(lock.fileno()):
            break
        lock.close()
    with lock:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(folder: Path) -> list[Path]:
    """Remove what writers that were killed left below *folder*, files and folders, and return it.

    What somebody is still writing is locked, and stays.
    """
    removed = []
    for place, folders, names in os.walk(folder):
        for path in (Path(place, name) for name in names if ABANDONED.fullmatch(name)):
            removed += _removed(path, path)
        for path in [Path(place, name) for name in folders if ABANDONED.fullmatch(name)]:
            folders.remove(path.name)
            removed += _removed(path, path / LOCK)
    return removed


def _removed(path: Path, lock: Path) -> list[Path]:
    """Remove *path* unless *lock* is held; return what was removed."""
    try:
        if path.is_dir() and not lock.exists():  # killed before it had one, or about to have it
            path.rmdir()
            return [path]
        with lock.open("r+b") as file:  # NFS locks only what is open to write
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return [path]
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.ENOENT, errno.ENOTEMPTY):  # at work, or ended meanwhile
            return []
        raise
