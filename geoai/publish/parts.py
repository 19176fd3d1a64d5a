"""A review in parts, for several reviewers: what waits for a decision, each signal in exactly one part."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.errors import PublishError
from geoai.publish.geopackage import add_project
from geoai.publish.opened import Opened, read_signals, snapshot
from geoai.publish.review import one_line, project_archive, waiting
from geoai.publish.texts import CLASSES, PROJECT

if TYPE_CHECKING:
    import geopandas as gpd

By = Literal["area", "class", "count"]


class Part(NamedTuple):
    """A part that was written: the path of its review, and how many signals wait in it."""

    review: Path
    signals: int


def split_review(review: Path, out: Path, *, by: By, parts: int) -> list[Part]:
    """Write the folders part-1, part-2 … of *out*, each a review of a part of what waits in *review*.

    A part lists its own signals alone: neither what is decided, hidden or set aside nor what is another's.
    Everything else that *review* shows is whole, but for the sample, whose answers only *review* itself can
    take. A part that would be empty is left out. *review* is only read; *out* appears whole or not at all.
    Raises PublishError where *out* exists, *review* is none, or nothing waits in it.
    """
    if out.exists():
        raise PublishError(f"{out}: expected no folder there yet, found one; it is left as it is")
    with one_line(out):
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".parts-", dir=out.absolute().parent) as name:
            whole, made = Path(name) / "whole.gpkg", Path(name) / "parts"
            opened = snapshot(review, whole)
            signals = waiting(read_signals(whole))
            if signals.empty:
                raise PublishError(f"{review}: expected signals that wait for a decision, found none")
            of = divide(signals, by, parts)
            numbers = np.unique(of).tolist()
            for place, number in enumerate(numbers, start=1):
                folder = f"part-{place}"
                (made / folder).mkdir(parents=True)
                _write_part(
                    whole,
                    made / folder,
                    out / folder,
                    signals[of == number],
                    opened,
                    PROJECT["part"].say(opened.language).format(place, len(numbers)),
                )
            made.rename(out)
    sizes = [int((of == number).sum()) for number in numbers]
    return [Part(out / f"part-{k}" / "review.gpkg", size) for k, size in enumerate(sizes, start=1)]


def _write_part(
    whole: Path, folder: Path, final: Path, signals: gpd.GeoDataFrame, opened: Opened, title: str
) -> None:
    """Write the review and the project of *signals* into *folder*, which will be renamed to *final*."""
    archive = project_archive(
        final,
        signals,
        title=f"{PROJECT['title'].say(opened.language)} {opened.flight_id} – {title}",
        **opened.as_shown(),
    )
    target = folder / "review.gpkg"
    shutil.copyfile(whole, target)
    with closing(sqlite3.connect(target)) as database:
        with database:
            database.execute("CREATE TEMP TABLE kept (fid INTEGER PRIMARY KEY)")
            database.executemany("INSERT INTO kept VALUES (?)", [(int(fid),) for fid in signals.index])
            database.execute("DELETE FROM discrepancy WHERE fid NOT IN (SELECT fid FROM kept)")
            if database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'sample'").fetchone():
                database.execute("DELETE FROM sample")
            database.execute(
                "UPDATE gpkg_contents SET (min_x, min_y, max_x, max_y) = (?, ?, ?, ?) "
                "WHERE table_name = 'discrepancy'",
                signals.total_bounds.tolist(),
            )
        database.execute("VACUUM")  # the pictures of the others
    add_project(target, "review", archive, written=dt.datetime.now(dt.UTC))
    (folder / "review.qgz").write_bytes(archive)


# --- who gets what ---------------------------------------------------------------------------------------


def divide(signals: gpd.GeoDataFrame, by: By, parts: int) -> NDArray[np.intp]:
    """Return the part (0 … parts − 1) of each signal, (signal,).

    *area*: recursive bisection across the longer side of what is left, so that parts lie apart and differ by
    one signal at most. *class*: whole classes, the largest first to whoever has least. *count*: dealt like
    cards, the most urgent first. Ties go by the order of the rows.
    """
    if parts < 1:
        raise PublishError(f"expected 1 part or more, found {parts}")
    dealt: dict[By, Callable[[gpd.GeoDataFrame, int], NDArray[np.intp]]] = {
        "area": _by_area, "class": _by_class, "count": _by_count
    }  # fmt: skip
    return dealt[by](signals, parts)


def _by_area(signals: gpd.GeoDataFrame, parts: int) -> NDArray[np.intp]:
    points = shapely.get_coordinates(shapely.centroid(signals.geometry.to_numpy()))
    part = np.zeros(len(points), np.intp)
    pieces = [(np.arange(len(points)), 0, parts)]  # rows, the first of their parts, how many of them
    while pieces:
        rows, first, count = pieces.pop()
        if count == 1 or not len(rows):
            part[rows] = first
            continue
        long = int(np.argmax(np.ptp(points[rows], axis=0)))
        rows = rows[np.lexsort((points[rows, 1 - long], points[rows, long]))]
        half = count // 2
        cut = len(rows) * half // count
        pieces += [(rows[:cut], first, half), (rows[cut:], first + half, count - half)]
    return part


def _by_class(signals: gpd.GeoDataFrame, parts: int) -> NDArray[np.intp]:
    sizes = signals["class"].value_counts()
    order = list(CLASSES)
    load = np.zeros(parts, np.intp)
    owner = {}
    for code in sorted(sizes.index, key=lambda code: (-sizes[code], order.index(code))):
        owner[code] = int(np.argmin(load))
        load[owner[code]] += sizes[code]
    return signals["class"].map(owner).to_numpy(np.intp)  # type: ignore[no-any-return]


def _by_count(signals: gpd.GeoDataFrame, parts: int) -> NDArray[np.intp]:
    part = np.zeros(len(signals), np.intp)
    urgent_first = np.argsort(-signals["priority"].to_numpy(), kind="stable")
    part[urgent_first] = np.arange(len(signals)) % parts
    return part
