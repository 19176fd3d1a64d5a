"""Where files lie: on a disk (pathlib.Path), or in an object store (a UPath of s3://bucket/prefix).

A UPath does what a Path does, so that the rest of the code need not know; here is what differs. Credentials
and the server's address come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_ENDPOINT_URL …).
"""

from __future__ import annotations

import glob
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from geoai.errors import StorageError

SCHEME = "s3://"


def location(text: str | Path) -> Path:
    """Return the path that *text* names. Raises ValueError for a URL that is not of S3.

    >>> location("data/catalog")
    PosixPath('data/catalog')
    """
    if isinstance(text, str) and text.startswith(SCHEME):
        from upath import UPath

        # a listing that is remembered does not show what another process wrote since
        return cast(Path, UPath(text, use_listings_cache=False))
    if isinstance(text, str) and "://" in text:
        raise ValueError(f"expected a path or {SCHEME}bucket/prefix, found {text}")
    return text if not isinstance(text, str) else Path(text)


def is_remote(path: Path) -> bool:
    """Whether *path* lies in an object store."""
    return not isinstance(path, Path)


def check_reachable(folder: Path) -> None:
    """Raise StorageError with one line where an object store does not answer, or not to us."""
    if not is_remote(folder):
        return
    try:
        bucket = folder.path.partition("/")[0]  # type: ignore[attr-defined]
        folder.fs.call_s3("list_objects_v2", Bucket=bucket, MaxKeys=1)  # type: ignore[attr-defined]
    except Exception as error:  # botocore's are no OSError, and botocore is not there without the extra
        raise StorageError(f"{folder}: expected an object store that can be read, found {error}") from error


def connection_errors() -> tuple[type[Exception], ...]:
    """Return the errors of a connection to an object store, none where there was no connection."""
    botocore = sys.modules.get("botocore.exceptions")
    return (botocore.BotoCoreError,) if botocore else ()


def gdal_name(path: Path) -> str:
    """Return the name by which GDAL opens *path*."""
    return f"/vsis3/{path.path}" if is_remote(path) else str(path)  # type: ignore[attr-defined]


def relative_name(path: Path, folder: Path) -> str:
    """Return the name of *path* as seen from *folder*, both on this disk; either may be reached by a link.

    What is above the target of a link is not what is above the link: '..' goes up from the target.
    """
    name = os.path.relpath(path, folder)
    if os.path.realpath(folder / name) == os.path.realpath(path):
        return name
    return os.path.relpath(path, os.path.realpath(folder))


def gdal_options() -> dict[str, Any]:
    """Return the options under which GDAL finds the same server as everybody else."""
    options: dict[str, Any] = {
        "CPL_VSIL_CURL_NON_CACHED": "/vsis3/",  # what another process replaced would be read as it was
        "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",  # ask for a world file, do not list 1,500 sheets for it
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",  # nothing lies beside our tiles: not a dozen questions
    }
    url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if url:
        scheme, _, host = url.partition("://")
        options |= {"AWS_S3_ENDPOINT": host.rstrip("/"), "AWS_HTTPS": "NO" if scheme == "http" else "YES"}
        options["AWS_VIRTUAL_HOSTING"] = "FALSE"
    return options


def files_below(folder: Path) -> Iterator[tuple[Path, list[Any]]]:
    """Yield every file below *folder*, ordered by name, and what changes when its content does.

    A link that leads nowhere is among them: what it stood for is not gone, but cannot be read. Raises OSError
    where a folder in it cannot be read: to a glob its files would be gone.
    """
    if not is_remote(folder):
        walked = os.walk(folder, onerror=_raise)
        for path in sorted(Path(place, name) for place, _, names in walked for name in names):
            if path.is_file() or not path.exists():
                stat = path.stat() if path.exists() else path.lstat()
                yield path, [stat.st_size, stat.st_mtime_ns]
        return
    root = folder.path.rstrip("/")  # type: ignore[attr-defined]
    found = folder.fs.find(root, detail=True)  # type: ignore[attr-defined]
    names = {key.removeprefix(f"{root}/"): [entry["size"], entry["ETag"]] for key, entry in found.items()}
    for name in sorted(names, key=lambda name: name.split("/")):  # as paths are ordered
        yield folder / name, names[name]


def _raise(error: OSError) -> None:
    raise error


def folders_in(folder: Path) -> list[Path]:
    """Return the folders right below *folder*, by name; none where it is not there."""
    if not is_remote(folder):
        return sorted(path for path in folder.glob("*") if path.is_dir())
    try:
        entries = folder.fs.ls(folder.path, detail=True)  # type: ignore[attr-defined]
    except FileNotFoundError:
        return []
    names = (entry["name"].rpartition("/")[2] for entry in entries if entry["type"] == "directory")
    return [folder / name for name in sorted(names)]


def read_all(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Yield the content of each of *paths*; what lies in an object store is fetched side by side."""
    ordered = list(paths)
    if not ordered or not is_remote(ordered[0]):
        yield from ((path, path.read_bytes()) for path in ordered)
        return
    for start in range(0, len(ordered), 1_000):
        part = ordered[start : start + 1_000]
        names = [glob.escape(path.path) for path in part]  # type: ignore[attr-defined]
        contents = part[0].fs.cat(names)  # type: ignore[attr-defined]  # takes them for patterns
        yield from ((path, contents[path.path]) for path in part)  # type: ignore[attr-defined]


def upload(source: Path, target: Path) -> None:
    """Write a local file into an object store, where it appears whole. Raises StorageError."""
    try:
        target.fs.put_file(str(source), target.path)  # type: ignore[attr-defined]
    except Exception as error:  # see check_reachable
        raise StorageError(f"{target}: expected an object store that takes it, found {error}") from error


def remove_file(path: Path) -> None:
    """Remove a file, where it is there."""
    if is_remote(path):
        path.fs.rm_file(path.path)  # type: ignore[attr-defined]  # unlink() takes the name for a pattern
    else:
        path.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all that is in it."""
    if is_remote(folder) and folder.exists():  # it is gone with the last file
        name = glob.escape(folder.path)  # type: ignore[attr-defined]
        folder.fs.rm(name, recursive=True)  # type: ignore[attr-defined]  # takes it for a pattern
    elif not is_remote(folder):
        shutil.rmtree(folder)
