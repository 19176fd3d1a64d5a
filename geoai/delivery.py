"""What has arrived of a flight, in a folder or in a collection of a STAC API, and whether it can be whole.

Times of files are only ever compared with themselves: a share's clock may be wrong.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoai.inputs import ORTHOPHOTOS, PLACING, is_hidden
from geoai.stacapi import RemoteFlight

BESIDE = {*PLACING, ".prj"}
"""What lies beside a sheet and changes what it shows, and where. Programs write .aux.xml when they look."""
PARTIAL = re.compile(
    r"(?i)\.(part|partial|filepart|crdownload|download|tmp|temp)$|^\..+\.(tiff?|jp2|jpe?g)\.\w{6}$"
)
"""Names under which copying programs write what is not whole yet; the last is rsync's."""
DAY = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What lies in a flight's folder, or in its collection: each name with what tells its content apart."""

    flight: str
    source: str
    folder: Path
    day: dt.date | None
    stamps: dict[str, list[Any]] = field(repr=False)
    sheets: int
    size_mb: float
    marker: str = ""
    problem: str = ""
    remark: str = ""
    remote: RemoteFlight | None = None

    @property
    def fingerprint(self) -> str:
        """The same as long as no name and no content changes."""
        text = json.dumps(self.stamps, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def folder_delivery(folder: Path, ready_marker: str | None) -> Delivery:
    """Return what lies in a flight's folder.

    Raises OSError where part of it cannot be read, UnicodeEncodeError where a name is no UTF-8.
    """
    folder.name.encode()
    stamps: dict[str, list[Any]] = {}
    sheets, size, marker, problems = 0, 0, "", []
    for path in _files(folder):
        name, suffix = path.relative_to(folder).as_posix(), path.suffix.lower()
        name.encode()
        if PARTIAL.search(path.name) or path.parent.name == ".rsync-partial":
            problems.append(f"{name} is being copied")
        stat = path.stat()
        if name == ready_marker:
            marker = str(stat.st_mtime_ns)
        if is_hidden(path.relative_to(folder)) or not (suffix in ORTHOPHOTOS or suffix in BESIDE):
            continue
        stamps[name] = [stat.st_size, stat.st_mtime_ns]
        if suffix in ORTHOPHOTOS:
            sheets, size = sheets + 1, size + stat.st_size
        if stat.st_size == 0:
            problems.append(f"{name} is empty")
    return Delivery(
        flight=flight_id(folder.name),
        source=str(folder.parent),
        folder=folder,
        day=day_in(folder.name),
        stamps=stamps,
        sheets=sheets,
        size_mb=round(size / 1e6, 1),
        marker=marker,
        problem=problems[0] if problems else "",
    )


def collection_delivery(flight: RemoteFlight, data: Path) -> Delivery:
    """Return what a collection holds, as it will lie below *data* once it is fetched."""
    name = flight_id(flight.collection)
    days = flight.days
    remark = f"flown on {len(days)} days from {days[0]}, the newest is taken" if len(days) > 1 else ""
    return Delivery(
        flight=name,
        source=flight.api.url,
        folder=data / "flights" / name,
        day=days[-1] if days else None,
        stamps={sheet.file: [sheet.version] for sheet in flight.sheets},
        sheets=len(flight.sheets),
        size_mb=round(sum(sheet.size or 0 for sheet in flight.sheets) / 1e6, 1),
        problem=flight.problem,
        remark=remark,
        remote=flight,
    )


def check_readable(folder: Path) -> None:
    """Open every file below *folder*: whoever copies it may hold it locked. Raises OSError where one does."""
    for file in _files(folder):
        file.open("rb").close()


def flight_id(name: str) -> str:
    """Return a folder's or collection's name as the id of a flight: letters, digits, dot, _ and -.

    >>> flight_id("Flygning 2026, öst")
    'Flygning-2026-st'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-") or "flight"


def day_in(name: str) -> dt.date | None:
    """Return the ISO date in a folder's name.

    >>> day_in("2026-05-14_town")
    datetime.date(2026, 5, 14)
    """
    for text in DAY.findall(name):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            continue
    return None


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file below *folder*, also a link to a sheet that is away.

    Unlike with a glob, what cannot be read is an OSError and no gap.
    """
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif entry.is_file() or _is_away(Path(entry.path)):
            yield Path(entry.path)


def _is_away(sheet: Path) -> bool:
    return sheet.suffix.lower() in ORTHOPHOTOS and not sheet.exists()
