"""Starting the runs of new flights, in this process or on a server, each once; and how they ended."""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from geoai import download, inventory
from geoai.catalog import open_catalog
from geoai.config import FlightSettings, Settings
from geoai.delivery import folder_delivery
from geoai.errors import BusyError, CatalogError, GeoaiError, StacError
from geoai.locks import who_holds
from geoai.stacio import Secrets
from geoai.watch import Sighting, made_progress
from geoai.watchrecord import Moment, Record, Run, State, hold_record, read_record, write_record

log = logging.getLogger(__name__)

SILENT_S = 600.0
"""A run that a server takes for running, and at which nobody is seen to work for so long, has died."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The hold on a flight that is in process; *run* is its start as it was written down."""

    settings: Settings
    flight: str
    run: Run

    @property
    def key(self) -> str:
        """The same for one start, however often it is asked for, and for no other."""
        return f"{self.flight}-{self.run.fingerprint}-{self.run.attempt}-{self.run.started:%Y%m%dT%H%M%S}"

    def note(self, state: State, why: str = "", flow_run: str | None = None) -> None:
        """Write down how the run goes."""
        _note(self.settings, self.flight, state, why, flow_run)


def process(
    settings: Settings, sighting: Sighting, run: Callable[[Settings], str], secrets: Secrets = os.environ.get
) -> Sighting:
    """Fetch and *run* a new flight in this process, unless another watcher is at it; return how it went.

    *run* returns what is wrong although there is a result, or ''; what it raises is a start that failed.
    """

    def start(claim: _Claim) -> Sighting:
        why = run(flight_settings(settings, sighting))
        claim.note("done", why)
        return replace(sighting, status="done", why=why)

    return _started(settings, sighting, "running", start, secrets)


def hand_over(
    settings: Settings, sighting: Sighting, ask: Callable[[str], str], secrets: Secrets = os.environ.get
) -> Sighting:
    """Fetch a new flight and *ask* a server to run it, unless another watcher is at it; return how it went.

    *ask* gets an idempotency key and returns the id of the flow run: when this process is killed right after,
    or *ask* raises, the next look asks again by the same key, however often.
    """

    def start(claim: _Claim) -> Sighting:
        flow_run = ask(claim.key)
        claim.note("handed over", "", flow_run)
        return replace(sighting, status="running", why=f"flow run {flow_run}")

    return _started(settings, sighting, "handing over", start, secrets)


def _started(
    settings: Settings,
    sighting: Sighting,
    state: Literal["running", "handing over"],
    start: Callable[[_Claim], Sighting],
    secrets: Secrets,
) -> Sighting:
    try:
        if _has_changed(settings, sighting):
            return replace(sighting, status="waits", why="it changed since the look")
        with _claimed(settings, sighting, state) as claim:
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


def _has_changed(settings: Settings, sighting: Sighting) -> bool:
    """Whether a folder is no longer as it was seen: others may have been run since, for hours."""
    if sighting.remote is not None:
        return False
    delivery = folder_delivery(sighting.folder, settings.watch.ready_marker)
    return bool(delivery.problem) or delivery.fingerprint != sighting.fingerprint


@contextmanager
def _claimed(
    settings: Settings, sighting: Sighting, state: Literal["running", "handing over"]
) -> Iterator[_Claim | None]:
    """Hold a new flight while it is in process; None where another watcher was quicker.

    An exception is noted as the failure that it is, and goes on its way.
    """
    with hold_record(settings.data, sighting.flight) as held:
        record = read_record(settings.data, sighting.flight) if held else None
        if (
            record is None
            or record.fingerprint != sighting.fingerprint
            or record.next_attempt() != sighting.attempt
        ):
            yield None
            return
        run = record.run
        if run is None or run.state != "handing over" or run.fingerprint != sighting.fingerprint:
            run = Run(
                fingerprint=sighting.fingerprint,
                attempt=sighting.attempt,
                contents=_contents(settings, sighting.flight),
                marker=record.marker,
                state=state,
                started=dt.datetime.now(dt.UTC).replace(microsecond=0),
            )
        started = run.model_copy(update={"state": state})
        write_record(settings.data, record.model_copy(update={"run": started}))
        claim = _Claim(settings, sighting.flight, run)
        try:
            yield claim
        except (BusyError, StacError):  # somebody runs it by hand, or its files are not to be had now
            write_record(settings.data, record)
            raise
        except Exception as error:
            # a server may have done what it was asked for, though its answer is lost
            claim.note(state if state == "handing over" else "failed", str(error) or repr(error))
            raise


def _contents(settings: Settings, flight: str) -> str:
    """Return the mark of what the catalogue holds; '' with a damaged item, which the run makes anew."""
    try:
        return inventory.contents_mark(open_catalog(settings), flight)
    except CatalogError:
        return ""


def flight_settings(settings: Settings, sighting: Sighting) -> Settings:
    """Return the settings with which one sighted flight is run."""
    own = {"folder": sighting.folder, "id": sighting.flight, "date": sighting.day}
    flight = FlightSettings.model_validate(settings.flight.model_dump() | own)
    return settings.model_copy(update={"flight": flight})


def note_end(
    settings: Settings, record: Record, state: Literal["done", "failed", "cancelled"], why: str = ""
) -> None:
    """Write down how a run ended that a server was asked for."""
    with hold_record(settings.data, record.flight) as held:
        if held and read_record(settings.data, record.flight) == record:
            _note(settings, record.flight, state, why)


def _note(settings: Settings, flight: str, state: State, why: str = "", flow_run: str | None = None) -> None:
    """Write down what became of a flight's run; the caller holds the lock."""
    record = read_record(settings.data, flight)
    if record is None or record.run is None:
        return
    progress = state == "failed" and made_progress(settings, flight, record.run)
    run = record.run.noted(state, why, flow_run=flow_run, progress=progress)
    write_record(settings.data, record.model_copy(update={"run": run}))


def is_lost(settings: Settings, record: Record, moment: Moment | None = None) -> bool:
    """Whether a run that its server takes for running has died: nobody works on the flight, look after look.

    A process whose worker died with it stays "running" on the server for ever.
    """
    moment = moment or Moment.now()
    silent = {} if who_holds(settings.data, record.flight) else {moment.boot: moment.seconds}
    with hold_record(settings.data, record.flight) as held:
        if not held or record.run is None or read_record(settings.data, record.flight) != record:
            return False
        known = record.run.silent_since
        if silent and known.get(moment.boot, moment.seconds + 1) <= moment.seconds:
            return moment.seconds - known[moment.boot] >= SILENT_S
        run = record.run.model_copy(update={"silent_since": known | silent if silent else {}})
        if run != record.run:
            write_record(settings.data, record.model_copy(update={"run": run}))
    return False
