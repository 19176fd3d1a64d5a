"""Looking for new flights: what lies in watched folders and STAC APIs, and which of it may be started.

A flight is **settled** when two looks, far enough apart, saw the same files of the same size and time, or
when its ready marker says so. What was seen is written down, see `geoai.watchrecord`.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from geoai import inventory, stacapi
from geoai.catalog import open_catalog
from geoai.config import Settings
from geoai.delivery import Delivery, check_readable, collection_delivery, flight_id, folder_delivery
from geoai.errors import ConfigError, GeoaiError, WatchError
from geoai.grid import parse_crs
from geoai.locks import who_holds
from geoai.stacapi import RemoteFlight
from geoai.stacio import Secrets
from geoai.watchconfig import WatchSettings
from geoai.watchrecord import ATTEMPTS, Moment, Record, Run, hold_record, read_record, write_record

log = logging.getLogger(__name__)

Status = Literal["new", "waits", "blocked", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A flight as a look saw it, and whether it may be started; *why* is for people.

    What is `blocked` (it cannot be reached or used) or `failed` (it was started in vain) needs somebody;
    what `waits`, or was `cancelled` by a person, does not.
    """

    flight: str
    folder: Path
    status: Status
    why: str = ""
    day: dt.date | None = None
    sheets: int = 0
    size_mb: float = 0.0
    fingerprint: str = ""
    attempt: int = 1
    remote: RemoteFlight | None = None

    def needs_somebody(self, *, just_run: bool) -> bool:
        """Whether somebody is to be told; of a flight that was *just run*, that it has findings as well."""
        found = just_run and self.status == "done" and self.why != ""
        return found or self.status in ("blocked", "failed")


def look(
    settings: Settings, moment: Moment | None = None, secrets: Secrets = os.environ.get
) -> list[Sighting]:
    """Look at every watched folder and API, remember what was seen, and say which flights may be started.

    A folder or API that cannot be reached is a sighting that is blocked, with the reason; what was known of
    its flights stays. Nothing is started, and nothing but `data/watch` is written. Raises ConfigError where
    the settings name nothing to look at.
    """
    if not (settings.watch.folders or settings.watch.apis):
        raise ConfigError("watch: expected folders or apis to look at, found none")
    if settings.flight.date is not None:
        found = settings.flight.date
        raise ConfigError(f"flight.date: expected none with watch: each flight has its own; found {found}")
    moment = moment or Moment.now()
    sightings: list[Sighting] = []
    for folder in settings.watch.folders:
        try:
            paths = sorted(path for path in folder.iterdir() if _may_be_flight(path))
        except OSError as error:
            sightings.append(_unreachable(str(folder), folder, error))
            continue
        sightings += [_look_at_folder(path, settings, moment) for path in paths]
        if not paths:  # so is a mount point without its share
            sightings.append(Sighting(str(folder), folder, "waits", "no flights there"))
    for api in settings.watch.apis:
        try:
            flights = stacapi.find_flights(api, parse_crs(settings.crs), secrets)
        except GeoaiError as error:
            sightings.append(_unreachable(api.url, settings.data / "flights", error))
            continue
        for flight in flights:
            delivery = collection_delivery(flight, settings.data)
            taken = any(each.folder == delivery.folder for each in sightings)
            sightings.append(_look_at_collection(delivery, settings, moment, taken=taken))
        if not flights:
            sightings.append(Sighting(api.url, settings.data / "flights", "waits", "no imagery there"))
    return sightings


def _may_be_flight(path: Path) -> bool:
    """Whether an entry of a watched folder is to be looked at; one that is away is, which tells why."""
    try:
        return not path.name.startswith(".") and (path.is_dir() or not path.exists())
    except OSError:
        return True


def _look_at_folder(path: Path, settings: Settings, moment: Moment) -> Sighting:
    try:
        sighting = _sight(folder_delivery(path, settings.watch.ready_marker), settings, moment)
        if sighting.status == "new":
            check_readable(path)
        return sighting
    except UnicodeEncodeError as error:  # neither STAC nor GeoPackage can say it
        return _unreachable(flight_id(path.name), path, f"expected names in UTF-8, found {error.object!a}")
    except OSError as error:  # the share is gone, or going: nothing is concluded from what is not seen
        return _unreachable(flight_id(path.name), path, error)


def _look_at_collection(delivery: Delivery, settings: Settings, moment: Moment, *, taken: bool) -> Sighting:
    if taken:
        why = f"expected one collection for {delivery.folder}: two flights of one name?"
        return Sighting(delivery.flight, delivery.folder, "blocked", why)
    try:
        return _sight(delivery, settings, moment)
    except OSError as error:  # its record cannot be kept
        return _unreachable(delivery.flight, delivery.folder, error)


def _unreachable(name: str, folder: Path, error: Exception | str) -> Sighting:
    log.warning("%s: left for the next look: %s", name, error)
    return Sighting(name, folder, "blocked", str(error))


def _sight(delivery: Delivery, settings: Settings, moment: Moment) -> Sighting:
    """Bring the flight's record to what is seen, and say whether it may be started."""
    sighting = Sighting(
        flight=delivery.flight,
        folder=delivery.folder,
        status="waits",
        day=delivery.day,
        sheets=delivery.sheets,
        size_mb=delivery.size_mb,
        fingerprint=delivery.fingerprint,
        remote=delivery.remote,
    )
    if not delivery.sheets and not delivery.problem:  # nothing is concluded from an empty folder
        return replace(sighting, why="no orthophotos yet")
    with hold_record(settings.data, delivery.flight) as held:
        if not held:
            return replace(sighting, status="running", why="another watcher is at it")
        try:
            before = read_record(settings.data, delivery.flight)
        except WatchError as error:
            return replace(sighting, status="blocked", why=str(error))
        if before is not None and before.folder != delivery.folder:
            where = f"the folder {before.folder} as before, found {delivery.folder}"
            why = f"{delivery.flight}: expected {where}: two flights of one name?"
            return replace(sighting, status="blocked", why=why)
        record = _seen(before, delivery, moment)
        if record.run is not None and record.run.state == "running":  # and yet the lock was free
            progress = made_progress(settings, record.flight, record.run)
            killed = record.run.noted("failed", "the run was killed", progress=progress)
            record = record.model_copy(update={"run": killed})
        if record != before:
            write_record(settings.data, record)
    judged = _judged(sighting, record, delivery, settings.watch, moment)
    if judged.status == "new" and (why := who_holds(settings.data, delivery.flight, settings.catalog)):
        return replace(judged, status="running", why=why)
    return judged


def _seen(before: Record | None, delivery: Delivery, moment: Moment) -> Record:
    """Return the record of a flight after a look at *delivery*; the caller holds the lock."""
    since = {moment.boot: moment.seconds}
    if before is None or before.fingerprint != delivery.fingerprint:
        record = Record(
            flight=delivery.flight,
            source=delivery.source,
            folder=delivery.folder,
            day=delivery.day,
            remark=delivery.remark,
            sheets=delivery.sheets,
            size_mb=delivery.size_mb,
            fingerprint=delivery.fingerprint,
            seen=moment.wall.replace(microsecond=0),
            unchanged_since=since,
            marker=delivery.marker,
            run=before.run if before else None,
        )
    else:
        # another watcher, a machine that was started anew, or one that was set back to a snapshot
        known = before.unchanged_since.get(moment.boot)
        if known is None or known > moment.seconds:
            since = before.unchanged_since | since
        else:
            since = before.unchanged_since
        record = before.model_copy(update={"unchanged_since": since, "marker": delivery.marker})
    return record


def made_progress(settings: Settings, flight: str, run: Run) -> bool:
    """Whether tiles of a flight were finished since its *run* was started; no where that cannot be read."""
    try:
        return inventory.contents_mark(open_catalog(settings), flight) != run.contents
    except (GeoaiError, OSError):
        return False


def _judged(
    sighting: Sighting, record: Record, delivery: Delivery, options: WatchSettings, moment: Moment
) -> Sighting:
    """Return the sighting with what is to be done about it."""
    run = record.run
    if run is not None and run.state == "handed over":
        return replace(sighting, status="running", why=f"flow run {run.flow_run}")
    again = run is not None and run.fingerprint == record.fingerprint
    if run is not None and again and run.state in ("done", "cancelled"):
        return replace(sighting, status=run.state, why=run.why)
    attempt = record.next_attempt()
    if run is not None and attempt is None:
        why = f"given up after {run.attempt} attempts: {run.why}"
        return replace(sighting, status="failed", why=why)
    waited = moment.seconds - record.unchanged_since[moment.boot]
    settled = waited >= options.settle_minutes * 60
    if delivery.problem:
        return replace(sighting, status="blocked" if settled else "waits", why=delivery.problem)
    marked = delivery.marker and (run is None or delivery.marker != run.marker)
    if not (again or marked or settled):
        why = f"unchanged for {waited / 60:.0f} of {options.settle_minutes:g} minutes"
        return replace(sighting, why=why)
    why = record.remark
    if run is not None and again:
        why = f"attempt {attempt} of {ATTEMPTS} after: {run.why or 'the watcher was killed'}"
    return replace(sighting, status="new", why=why, attempt=attempt or 1)
