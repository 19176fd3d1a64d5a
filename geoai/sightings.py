"""What a run says of every signal, written into the ledger: seen, gone, corrected, or nothing.

A run says that a signal is gone only where its flight shows the place and could assess it. What holds is what
the newest photo says, so runs may come in any order.
"""

from __future__ import annotations

import json
import math
import sqlite3
import uuid
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geoai.errors import LedgerError
from geoai.ledgerfile import blobs_of, geometries_of, rows_as_json
from geoai.publish import RunInfo
from geoai.vector import Geometries, are_lines

SAME_PLACE_M = 100_000.0
"""A ledger whose flights all lie farther than this from a new one is another project's."""
COVERED = 0.8
"""Share of a signal that a flight must show to say that it is gone."""
MAPPED = 0.5
"""Share of a signal that other mapped objects must cover for the map to have been edited there."""
GONE_CLASSES = ("demolished", "obsolete", "uncertain_absence", "reduced")
"""Classes that the less probable, the surer they are."""
NEWEST = """(SELECT found FROM sighting JOIN run ON run.fid = sighting.run
  WHERE signal = {signal} AND found <> 'unseen' {but} ORDER BY moment DESC, run.fid DESC LIMIT 1)"""
"""What the newest flight (of its runs the last) that could say anything says of a signal."""


def add_run(
    database: sqlite3.Connection,
    run: RunInfo,
    moment: str,
    themes: Sequence[str],
    footprint: shapely.Geometry,
) -> int:
    """Return the number of the run, the one it has where it was recorded before."""
    places = [shapely.from_wkb(wkb) for (wkb,) in database.execute("SELECT footprint FROM run")]
    apart_m = min((place.distance(footprint) for place in places), default=0.0)
    if apart_m > SAME_PLACE_M:
        raise LedgerError(
            f"{_file_of(database)}: expected the ledger of this place, found one whose flights lie "
            f"{apart_m / 1000:.0f} km from {run.flight_id}"
        )
    database.execute(
        "INSERT OR IGNORE INTO run (run_id, flight_id, photo_date, moment, themes, model_id, config_hash, "
        "map_snapshot, gsd_m, footprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.run_id, run.flight_id, run.photo_date and run.photo_date.isoformat(), moment,
            json.dumps(sorted(themes)), run.model_id, run.config_hash, run.map_snapshot, run.gsd_m,
            shapely.to_wkb(footprint),
        ),
    )  # fmt: skip
    query = "SELECT fid FROM run WHERE run_id = ?"
    return int(database.execute(query, (run.run_id,)).fetchone()[0])


def _file_of(database: sqlite3.Connection) -> str:
    return str(database.execute("PRAGMA database_list").fetchone()[2])


def load_signals(database: sqlite3.Connection, crs: str) -> gpd.GeoDataFrame:
    """Return every signal; the index counts from 0 and the column fid is its number."""
    columns = ["fid", "family", "theme", "map_object_ids", "tolerance_m", "seen_in"]
    rows = database.execute(f"SELECT {', '.join(columns)}, geom FROM signal ORDER BY fid").fetchall()
    frame = pd.DataFrame(rows, columns=[*columns, "geom"])
    geometry = geometries_of(frame.pop("geom").to_list())
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=crs)


def write_seen(
    database: sqlite3.Connection,
    run: int,
    moment: str,
    found: gpd.GeoDataFrame,
    old: gpd.GeoDataFrame,
    at: NDArray[np.intp],
    srs_id: int,
) -> NDArray[np.intp]:
    """Write the rows of *found* as seen by *run*; return the number of each one's signal.

    A signal looks as the newest flight saw it.
    """
    numbers = np.full(len(found), 0, np.intp)
    numbers[at >= 0] = old["fid"].to_numpy(np.intp)[at[at >= 0]]
    newest = {
        fid: (when, number)
        for fid, when, number in database.execute(
            "SELECT signal.fid, moment, run.fid FROM signal JOIN run ON run.fid = seen_in"
        )
    }
    blobs = blobs_of(found.geometry.to_numpy(), srs_id)
    columns = ["class", "family", "theme", "map_object_ids", "tolerance_m"]
    looks = found[columns].astype(object).where(found[columns].notna(), None).to_numpy().tolist()
    measured = rows_as_json(found.drop(columns=["geometry", "map_mark"]))
    next_number = max(newest, default=0) + 1
    numbers[at < 0] = next_number + np.arange(int((at < 0).sum()))
    is_new = (at < 0).tolist()
    made, updated = [], []
    for number, new, blob, look, text in zip(numbers.tolist(), is_new, blobs, looks, measured, strict=True):
        if new:
            made.append((number, str(uuid.uuid4()), blob, *look, text, run))
        elif newest[number] <= (moment, run):
            updated.append((blob, *look, text, run, number))
    database.executemany(
        f"INSERT INTO signal (fid, discrepancy_id, geom, {', '.join(columns)}, measured, seen_in) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        made,
    )
    database.executemany(
        f"UPDATE signal SET geom = ?, {' = ?, '.join(columns)} = ?, measured = ?, seen_in = ? WHERE fid = ?",
        updated,
    )
    evidence = _evidence_of(found)
    database.executemany(
        "INSERT INTO sighting (signal, run, found, class, area_m2, certainty, confidence, map_mark) "
        f"VALUES (?, {run}, 'seen', ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET found = 'seen', "
        "class = excluded.class, area_m2 = excluded.area_m2, certainty = excluded.certainty, "
        "confidence = excluded.confidence, map_mark = excluded.map_mark",
        [(number, *row) for number, row in zip(numbers.tolist(), evidence, strict=True)],
    )
    return numbers


def _evidence_of(found: gpd.GeoDataFrame) -> list[tuple[Any, ...]]:
    """Return class, area (m²), certainty, confidence (NULL where unknown) and map mark of each row."""
    p = found["p_mean"].to_numpy(dtype=np.float64)
    certainty = np.where(found["class"].isin(GONE_CLASSES), 1 - p, p)
    confidence = found["confidence"].to_numpy(dtype=np.float64)
    columns = [
        found["class"].tolist(),
        shapely.area(found.geometry.to_numpy()).tolist(),
        [None if math.isnan(value) else value for value in certainty.tolist()],
        [None if math.isnan(value) else value for value in confidence.tolist()],
        found["map_mark"].tolist(),
    ]
    return list(zip(*columns, strict=True))


def write_absent(
    database: sqlite3.Connection,
    run: int,
    moment: str,
    missed: gpd.GeoDataFrame,
    map_status: gpd.GeoDataFrame,
    discrepancies: gpd.GeoDataFrame,
    mapped: gpd.GeoDataFrame,
    footprint: shapely.Geometry,
) -> None:
    """Write what *run* says of the signals it did not find and that were there until then.

    What it did not show, or could not assess, stays as it was.
    """
    (themes,) = database.execute("SELECT themes FROM run WHERE fid = ?", (run,)).fetchone()
    before = f"AND (moment, run.fid) < ('{moment}', {run})"
    query = f"SELECT fid, {NEWEST.format(signal='signal.fid', but=before)} FROM signal"
    there = {fid for fid, found in database.execute(query) if found == "seen"}
    missed = missed[missed["fid"].isin(there) & missed["theme"].isin(json.loads(themes))]
    geometries = missed.geometry.to_numpy()
    area_m2 = shapely.area(geometries)
    shapely.prepare(footprint)
    shows = shapely.intersects(footprint, geometries)
    missed, geometries, area_m2 = missed[shows], geometries[shows], area_m2[shows]
    covered = _share_in(geometries, footprint) >= COVERED
    hidden = _not_assessable(missed, map_status, discrepancies)
    edited = _map_edited(database, missed, _grounds(mapped, map_status))
    found = np.select([hidden | ~covered, edited], ["unseen", "fixed"], "gone")
    database.executemany(
        f"INSERT INTO sighting (signal, run, found) VALUES (?, {run}, ?) "
        "ON CONFLICT DO UPDATE SET found = excluded.found",
        list(zip(missed["fid"].tolist(), found.tolist(), strict=True)),
    )


def _share_in(geometries: Geometries, footprint: shapely.Geometry) -> NDArray[np.float64]:
    share = np.ones(len(geometries))
    cut = ~shapely.covers(footprint, geometries)
    share[cut] = shapely.area(shapely.intersection(geometries[cut], footprint))
    share[cut] /= shapely.area(geometries[cut])
    return share


def _not_assessable(
    missed: gpd.GeoDataFrame, map_status: gpd.GeoDataFrame, discrepancies: gpd.GeoDataFrame
) -> NDArray[np.bool_]:
    """Return which signals lie on something that the run could not assess."""
    unclear = [
        frame.geometry.to_numpy()[(frame[column] == "not_assessable").to_numpy()]
        for frame, column in ((map_status, "status"), (discrepancies, "class"))
    ]
    return _meets(missed.geometry.to_numpy(), np.concatenate(unclear))


def _grounds(mapped: gpd.GeoDataFrame, map_status: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the mapped objects with a column ground: what each covers, a line what lies within its reach."""
    ground = mapped.geometry.to_numpy()
    if are_lines(ground):
        reach_m = map_status.set_index("map_object_id")["tolerance_m"].reindex(mapped["map_object_id"])
        ground = shapely.buffer(ground, reach_m.to_numpy(dtype=np.float64), cap_style="flat")
    return mapped.assign(ground=ground)


def _meets(geometries: Geometries, others: Geometries) -> NDArray[np.bool_]:
    mask = np.zeros(len(geometries), bool)
    mask[shapely.STRtree(others).query(geometries, predicate="intersects")[0]] = True
    return mask


def _map_edited(
    database: sqlite3.Connection, missed: gpd.GeoDataFrame, mapped: gpd.GeoDataFrame
) -> NDArray[np.bool_]:
    """Return which signals had their mapped objects changed, or are covered by others now."""
    marks = dict(
        database.execute(
            "SELECT signal.fid, map_mark FROM signal JOIN sighting ON signal = signal.fid AND run = seen_in"
        )
    )
    now = map_marks(missed, mapped)
    edited = np.array(
        [marks[fid] != mark for fid, mark in zip(missed["fid"].tolist(), now, strict=True)], bool
    )
    geometries, objects = missed.geometry.to_numpy(), mapped["ground"].to_numpy()
    first, second = shapely.STRtree(objects).query(geometries, predicate="intersects")
    ids = mapped["map_object_id"].to_numpy(dtype=str)
    own = [set(json.loads(text)) for text in missed["map_object_ids"]]
    other = np.array(
        [ids[b] not in own[a] for a, b in zip(first.tolist(), second.tolist(), strict=True)], bool
    )
    first, second = first[other], second[other]
    shared_m2 = shapely.area(shapely.intersection(geometries[first], objects[second]))
    covered_m2 = np.bincount(first, weights=shared_m2, minlength=len(missed))
    result: NDArray[np.bool_] = edited | (covered_m2 >= MAPPED * shapely.area(geometries))
    return result


def map_marks(frame: pd.DataFrame, mapped: gpd.GeoDataFrame) -> list[str]:
    """Return the version of each row's mapped objects (their outlines in cm and dates), '' without any."""
    lists = [json.loads(text) for text in frame["map_object_ids"]]
    wanted = {str(each) for ids in lists for each in ids}
    about = mapped[mapped["map_object_id"].isin(wanted)]
    outlines = shapely.normalize(shapely.transform(about.geometry.to_numpy(), lambda xy: np.round(xy, 2)))
    dates = about["map_date"].astype(str)
    versions = {
        str(key): uuid.uuid5(uuid.NAMESPACE_OID, f"{wkb} {date}").hex[:12]
        for key, wkb, date in zip(
            about["map_object_id"], shapely.to_wkb(outlines, hex=True), dates, strict=True
        )
    }
    return [" ".join(versions.get(str(each), "-") for each in sorted(map(str, ids))) for ids in lists]


def write_later_absences(
    database: sqlite3.Connection, run: int, moment: str, signals: NDArray[np.intp], found: gpd.GeoDataFrame
) -> None:
    """Say for newer flights that were processed before that they show the place and not the signal."""
    later = database.execute(
        f"SELECT fid, themes, footprint FROM run WHERE (moment, fid) > ('{moment}', {run}) "
        "ORDER BY moment DESC, fid DESC"
    ).fetchall()
    geometries = found.geometry.to_numpy()
    for number, themes, wkb in later:
        footprint = shapely.from_wkb(wkb)
        told = {fid for (fid,) in database.execute("SELECT signal FROM sighting WHERE run = ?", (number,))}
        unclear = database.execute(
            "SELECT geom FROM signal JOIN sighting ON signal = signal.fid "
            "WHERE run = ? AND sighting.class = 'not_assessable'",
            (number,),
        ).fetchall()
        silent = (
            ~np.isin(signals, list(told))
            & found["theme"].isin(json.loads(themes)).to_numpy()
            & ~_meets(geometries, geometries_of([blob for (blob,) in unclear]))
        )
        silent[silent] = _share_in(geometries[silent], footprint) >= COVERED
        database.executemany(
            f"INSERT INTO sighting (signal, run, found) VALUES (?, {number}, 'gone')",
            [(fid,) for fid in signals[silent].tolist()],
        )
