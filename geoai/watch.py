"""New flights: what lies in watched folders and STAC APIs, which of it is whole, and who may start it.

A flight is **settled** when two looks, far enough apart, saw the same files of the same size and time, or
when its ready marker says so. Times are told by the watching machine's own count of seconds since it
started, which nobody can set; times of files are only ever compared with themselves. What was seen and
started lies in `data/watch/<flight>.json`, one readable file a flight. Whoever holds the lock beside it may
change it, and holds it while the flight is in process: so no two watchers start the same, and one that died
is noticed.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from geoai import download, stacapi
from geoai.config import FlightSettings, Settings
from geoai.errors import BusyError, ConfigError, GeoaiError, WatchError
from geoai.grid import parse_crs
from geoai.inputs import ORTHOPHOTOS
from geoai.locks import who_holds
from geoai.raster import appearing_whole
from geoai.stacapi import RemoteFlight
from geoai.stacio import Secrets
from geoai.watchconfig import WatchSettings

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a flight of the same content is started before it is left to a person."""
SILENT_S = 600.0
"""A run that a server takes for running, and at which nobody is seen to work for so long, has died."""
BESIDE = {".tfw", ".tifw", ".tiffw", ".jgw", ".jpgw", ".jpegw", ".j2w", ".jp2w", ".wld", ".prj", ".msk"}
"""What lies beside a sheet and changes what it shows, and where. Programs write .aux.xml when they look."""
PARTIAL = re.compile(
    r"(?i)\.(part|partial|filepart|crdownload|download|tmp|temp)$|^\..+\.(tiff?|jp2|jpe?g)\.\w{6}$"
)
"""Names under which copying programs write what is not whole yet; the last is rsync's."""
DAY = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")


State = Literal["running", "handing over", "handed over", "done", "failed", "cancelled"]
Status = Literal["new", "waits", "blocked", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a look was taken: the wall clock, for people, and this boot's seconds, which only go forward."""

    wall: dt.datetime
    boot: str
    seconds: float

    @classmethod
    def now(cls) -> Moment:
        """Return this machine's present."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return cls(dt.datetime.now(dt.UTC), boot, time.clock_gettime(time.CLOCK_BOOTTIME))


class Run(BaseModel):
    """The latest start of a flight. `handed over`: to a server, as *flow_run*; `running`: holds the lock."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    attempt: int
    marker: str = ""
    state: State
    started: dt.datetime
    ended: dt.datetime | None = None
    why: str = ""
    flow_run: str | None = None
    silent_since: dict[str, float] = {}
    """By boot: its seconds when nobody worked on the flight although the server says so."""


class Record(BaseModel):
    """What is known of a flight between looks: `data/watch/<flight>.json`."""

    model_config = ConfigDict(frozen=True)

    flight: str
    source: str
    folder: Path
    day: dt.date | None = None
    remark: str = ""
    sheets: int
    size_mb: float
    fingerprint: str
    seen: dt.datetime
    unchanged_since: dict[str, float] = {}
    """By boot: its seconds when it first saw the flight as it is."""
    marker: str = ""
    """When the ready marker was written, by the share's clock; only ever compared with itself."""
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A flight as a look saw it, and whether it may be started; *why* is for people.

    What is `blocked` (it cannot be reached or used) or `failed` (it was started in vain) needs somebody;
    what `waits` does not.
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


@dataclass(frozen=True, slots=True)
class Claim:
    """The hold on a flight that is in process; *run* is its start as it was written down."""

    data: Path
    flight: str
    run: Run

    @property
    def key(self) -> str:
        """The same for one start, however often it is asked for, and for no other."""
        return f"{self.flight}-{self.run.fingerprint}-{self.run.attempt}-{self.run.started:%Y%m%dT%H%M%S}"

    def note(self, state: State, why: str = "", flow_run: str | None = None) -> None:
        """Write down how the run goes."""
        _note(self.data, self.flight, state, why, flow_run)


@dataclass(frozen=True, slots=True)
class _Content:
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
        text = json.dumps(self.stamps, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


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
            paths = sorted(
                path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
            )
        except OSError as error:
            sightings.append(_unreachable(str(folder), folder, error))
            continue
        sightings += [_look_at_folder(path, settings, moment) for path in paths]
    for api in settings.watch.apis:
        try:
            flights = stacapi.find_flights(api, parse_crs(settings.crs), secrets)
        except GeoaiError as error:
            sightings.append(_unreachable(api.url, settings.data / "flights", error))
            continue
        sightings += [_sight(_remote_content(flight, settings), settings, moment) for flight in flights]
        if not flights:
            sightings.append(Sighting(api.url, settings.data / "flights", "waits", "no imagery there"))
    return sightings


@contextmanager
def claimed(
    settings: Settings, sighting: Sighting, state: Literal["running", "handing over"] = "running"
) -> Iterator[Claim | None]:
    """Hold a new flight while it is in process; None where another watcher was quicker.

    An exception is noted as the failure that it is, and goes on its way.
    """
    with _locked(settings.data, sighting.flight) as held:
        record = _read(settings.data, sighting.flight) if held else None
        if (
            record is None
            or record.fingerprint != sighting.fingerprint
            or _next_attempt(record) != sighting.attempt
        ):
            yield None
            return
        run = record.run
        if run is None or run.state != "handing over" or run.fingerprint != sighting.fingerprint:
            run = Run(
                fingerprint=sighting.fingerprint,
                attempt=sighting.attempt,
                marker=record.marker,
                state=state,
                started=dt.datetime.now(dt.UTC).replace(microsecond=0),
            )
        _write(settings.data, record.model_copy(update={"run": run.model_copy(update={"state": state})}))
        claim = Claim(settings.data, sighting.flight, run)
        try:
            yield claim
        except BusyError:  # somebody runs it by hand: not a start that failed
            _write(settings.data, record)
            raise
        except Exception as error:
            claim.note("failed", str(error) or repr(error))
            raise


def process(
    settings: Settings, sighting: Sighting, run: Callable[[Settings], str], secrets: Secrets = os.environ.get
) -> Sighting:
    """Fetch and *run* a new flight in this process, unless another watcher is at it; return how it went.

    *run* returns what is wrong although there is a result, or ''; what it raises is a start that failed.
    """

    def start(claim: Claim) -> Sighting:
        why = run(flight_settings(settings, sighting))
        claim.note("done", why)
        return replace(sighting, status="done", why=why)

    return _started(settings, sighting, "running", start, secrets)


def hand_over(
    settings: Settings, sighting: Sighting, ask: Callable[[str], str], secrets: Secrets = os.environ.get
) -> Sighting:
    """Fetch a new flight and *ask* a server to run it, unless another watcher is at it; return how it went.

    *ask* gets an idempotency key and returns the id of the flow run: when this process is killed right after,
    the next look asks again by the same key.
    """

    def start(claim: Claim) -> Sighting:
        flow_run = ask(claim.key)
        claim.note("handed over", "", flow_run)
        return replace(sighting, status="running", why=f"flow run {flow_run}")

    return _started(settings, sighting, "handing over", start, secrets)


def _started(
    settings: Settings,
    sighting: Sighting,
    state: Literal["running", "handing over"],
    start: Callable[[Claim], Sighting],
    secrets: Secrets,
) -> Sighting:
    try:
        with claimed(settings, sighting, state) as claim:
            if claim is None:
                return replace(sighting, status="running", why="another watcher started it")
            if sighting.remote is not None:
                download.fetch(sighting.remote, sighting.folder, secrets)
            return start(claim)
    except BusyError as error:
        return replace(sighting, status="running", why=str(error))
    except Exception as error:  # whatever it is, the other flights go on
        known = isinstance(error, (GeoaiError, OSError))
        log.warning("%s: %s", sighting.flight, error, exc_info=not known)
        return replace(sighting, status="failed", why=str(error) or repr(error))


def flight_settings(settings: Settings, sighting: Sighting) -> Settings:
    """Return the settings with which one sighted flight is run."""
    own = {"folder": sighting.folder, "id": sighting.flight, "date": sighting.day}
    flight = FlightSettings.model_validate(settings.flight.model_dump() | own)
    return settings.model_copy(update={"flight": flight})


def handed_over(settings: Settings) -> list[Record]:
    """Return the flights that a server was asked to run and of which no end is known."""
    records = []
    for path in sorted((settings.data / "watch").glob("*.json")):
        with suppress(WatchError):  # a look tells of it
            records.append(_read(settings.data, path.stem))
    return [record for record in records if record and record.run and record.run.state == "handed over"]


def note_end(
    settings: Settings, record: Record, state: Literal["done", "failed", "cancelled"], why: str = ""
) -> None:
    """Write down how a run ended that a server was asked for."""
    with _locked(settings.data, record.flight) as held:
        if held and _read(settings.data, record.flight) == record:
            _note(settings.data, record.flight, state, why, record.run.flow_run if record.run else None)


def is_lost(settings: Settings, record: Record, moment: Moment | None = None) -> bool:
    """Whether a run that its server takes for running has died: nobody works on the flight, look after look.

    A process whose worker died with it stays "running" on the server for ever.
    """
    moment = moment or Moment.now()
    silent = {} if who_holds(settings.data, record.flight) else {moment.boot: moment.seconds}
    with _locked(settings.data, record.flight) as held:
        if not held or record.run is None or _read(settings.data, record.flight) != record:
            return False
        known = record.run.silent_since
        if silent and known.get(moment.boot, moment.seconds + 1) <= moment.seconds:
            return moment.seconds - known[moment.boot] >= SILENT_S
        run = record.run.model_copy(update={"silent_since": known | silent if silent else {}})
        if run != record.run:
            _write(settings.data, record.model_copy(update={"run": run}))
    return False


def _look_at_folder(path: Path, settings: Settings, moment: Moment) -> Sighting:
    try:
        sighting = _sight(_folder_content(path, settings.watch), settings, moment)
        if sighting.status == "new":
            for file in _files(path):
                file.open("rb").close()  # whoever copies it may hold it locked
        return sighting
    except UnicodeEncodeError as error:  # neither STAC nor GeoPackage can say it
        return _unreachable(flight_id(path.name), path, f"expected names in UTF-8, found {error.object!a}")
    except OSError as error:  # the share is gone, or going: nothing is concluded from what is not seen
        return _unreachable(flight_id(path.name), path, error)


def _unreachable(name: str, folder: Path, error: Exception | str) -> Sighting:
    log.warning("%s: left for the next look: %s", name, error)
    return Sighting(name, folder, "blocked", str(error))


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


def _folder_content(folder: Path, options: WatchSettings) -> _Content:
    """Return what lies in a flight's folder.

    Raises OSError where part of it cannot be read, UnicodeEncodeError where a name is no UTF-8.
    """
    folder.name.encode()
    stamps: dict[str, list[Any]] = {}
    sheets, size, marker, problems = 0, 0, "", []
    for path in _files(folder):
        name, suffix = path.relative_to(folder).as_posix(), path.suffix.lower()
        name.encode()
        if PARTIAL.search(path.name):
            problems.append(f"{name} is being copied")
        stat = path.stat()
        if name == options.ready_marker:
            marker = str(stat.st_mtime_ns)
        if path.name.startswith(".") or not (suffix in ORTHOPHOTOS or suffix in BESIDE):
            continue
        stamps[name] = [stat.st_size, stat.st_mtime_ns]
        if suffix in ORTHOPHOTOS:
            sheets, size = sheets + 1, size + stat.st_size
        if stat.st_size == 0:
            problems.append(f"{name} is empty")
    return _Content(
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


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file below *folder*; unlike a glob, what cannot be read is an OSError and no gap."""
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def _remote_content(flight: RemoteFlight, settings: Settings) -> _Content:
    name = flight_id(flight.collection)
    days = flight.days
    remark = f"flown on {len(days)} days from {days[0]}, the newest is taken" if len(days) > 1 else ""
    return _Content(
        flight=name,
        source=flight.api.url,
        folder=settings.data / "flights" / name,
        day=days[-1] if days else None,
        stamps={sheet.file: [sheet.version] for sheet in flight.sheets},
        sheets=len(flight.sheets),
        size_mb=round(sum(sheet.size or 0 for sheet in flight.sheets) / 1e6, 1),
        problem=flight.problem,
        remark=remark,
        remote=flight,
    )


def _sight(content: _Content, settings: Settings, moment: Moment) -> Sighting:
    """Bring the flight's record to what is seen, and say whether it may be started."""
    sighting = Sighting(
        flight=content.flight,
        folder=content.folder,
        status="waits",
        day=content.day,
        sheets=content.sheets,
        size_mb=content.size_mb,
        fingerprint=content.fingerprint,
        remote=content.remote,
    )
    if not content.sheets and not content.problem:  # nothing is concluded from an empty folder
        return replace(sighting, why="no orthophotos yet")
    with _locked(settings.data, content.flight) as held:
        if not held:
            return replace(sighting, status="running", why="another watcher is at it")
        try:
            before = _read(settings.data, content.flight)
        except WatchError as error:
            return replace(sighting, status="blocked", why=str(error))
        if before is not None and before.folder != content.folder:
            where = f"the folder {before.folder} as before, found {content.folder}"
            why = f"{content.flight}: expected {where}: two flights of one name?"
            return replace(sighting, status="blocked", why=why)
        record = _seen(before, content, moment)
        if record != before:
            _write(settings.data, record)
    judged = _judged(sighting, record, content, settings.watch, moment)
    if judged.status == "new" and (why := who_holds(settings.data, content.flight)):
        return replace(judged, status="running", why=why)
    return judged


def _seen(before: Record | None, content: _Content, moment: Moment) -> Record:
    """Return the record of a flight after a look at *content*; the caller holds the lock."""
    since = {moment.boot: moment.seconds}
    if before is None or before.fingerprint != content.fingerprint:
        record = Record(
            flight=content.flight,
            source=content.source,
            folder=content.folder,
            day=content.day,
            remark=content.remark,
            sheets=content.sheets,
            size_mb=content.size_mb,
            fingerprint=content.fingerprint,
            seen=moment.wall.replace(microsecond=0),
            unchanged_since=since,
            marker=content.marker,
            run=before.run if before else None,
        )
    else:
        # another watcher, a machine that was started anew, or one that was set back to a snapshot
        known = before.unchanged_since.get(moment.boot)
        if known is None or known > moment.seconds:
            since = before.unchanged_since | since
        else:
            since = before.unchanged_since
        record = before.model_copy(update={"unchanged_since": since, "marker": content.marker})
    if record.run is not None and record.run.state == "running":  # and yet the lock was free
        ended = {"state": "failed", "why": "the run was killed", "ended": moment.wall.replace(microsecond=0)}
        record = record.model_copy(update={"run": record.run.model_copy(update=ended)})
    return record


def _judged(
    sighting: Sighting, record: Record, content: _Content, options: WatchSettings, moment: Moment
) -> Sighting:
    """Return the sighting with what is to be done about it."""
    run = record.run
    if run is not None and run.state == "handed over":
        return replace(sighting, status="running", why=f"flow run {run.flow_run}")
    again = run is not None and run.fingerprint == record.fingerprint
    if run is not None and again and run.state == "done":
        return replace(sighting, status="done", why=run.why)
    attempt = _next_attempt(record)
    if run is not None and attempt is None:
        end = "cancelled" if run.state == "cancelled" else f"given up after {run.attempt} attempts"
        return replace(sighting, status="failed", why=f"{end}: {run.why}")
    waited = moment.seconds - record.unchanged_since[moment.boot]
    settled = waited >= options.settle_minutes * 60
    if content.problem:
        return replace(sighting, status="blocked" if settled else "waits", why=content.problem)
    marked = content.marker and (run is None or content.marker != run.marker)
    if not (again or marked or settled):
        why = f"unchanged for {waited / 60:.0f} of {options.settle_minutes:g} minutes"
        return replace(sighting, why=why)
    why = f"attempt {attempt} of {ATTEMPTS} after: {run.why}" if run is not None and again else record.remark
    return replace(sighting, status="new", why=why, attempt=attempt or 1)


def _next_attempt(record: Record) -> int | None:
    """Return which start of the content that was last seen would be the next; None where none is due."""
    run = record.run
    if run is None:
        return 1
    if run.state in ("running", "handed over"):
        return None
    if run.fingerprint != record.fingerprint:
        return 1
    if run.state == "handing over":  # killed meanwhile: the server knows by the key whether it has it
        return run.attempt
    return run.attempt + 1 if run.state == "failed" and run.attempt < ATTEMPTS else None


@contextmanager
def _locked(data: Path, flight: str) -> Iterator[bool]:
    """Try for the lock of a flight and say whether it is held; the system lets it go when the holder dies."""
    path = data / "watch" / f"{flight}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _read(data: Path, flight: str) -> Record | None:
    path = data / "watch" / f"{flight}.json"
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        what = f"{error.error_count()} errors, the first: {error.errors()[0]['msg']}"
        raise WatchError(f"{path}: expected a record of a watched flight, found {what}") from error


def _write(data: Path, record: Record) -> None:
    with appearing_whole(data / "watch" / f"{record.flight}.json") as partial:
        partial.write_text(record.model_dump_json(indent=1, exclude_none=True), encoding="utf-8")


def _note(data: Path, flight: str, state: State, why: str, flow_run: str | None) -> None:
    """Write down what became of a flight's run; the caller holds the lock."""
    record = _read(data, flight)
    if record is None or record.run is None:
        return
    ended = None if state == "handed over" else dt.datetime.now(dt.UTC).replace(microsecond=0)
    news = {"state": state, "why": why, "flow_run": flow_run, "ended": ended}
    run = Run.model_validate(record.run.model_dump() | news)
    _write(data, record.model_copy(update={"run": run}))
