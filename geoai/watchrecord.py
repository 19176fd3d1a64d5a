"""What is known of watched flights between looks: `data/watch/<flight>.json`, one readable file a flight.

Whoever holds the lock beside a record may change it, and holds it while the flight is in process: so no two
watchers start the same, and one that died is noticed. Times are told by the watching machine's own count of
seconds since it started, which nobody can set.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from geoai.errors import WatchError
from geoai.files import appearing_whole
from geoai.locks import locked_if_free

ATTEMPTS = 3
"""How often a flight of the same content is started in vain before it is left to a person.

A start is in vain where it failed, or was killed, and no tile was finished meanwhile.
"""

State = Literal["running", "handing over", "handed over", "done", "failed", "cancelled"]


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
    """The latest start of a flight. `handed over`: to a server, as *flow_run*; `running`: holds the lock.

    *attempt* counts those in vain, this one included; *contents* is the mark of what the catalogue held of
    the flight when it was started.
    """

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    attempt: int
    contents: str = ""
    marker: str = ""
    state: State
    started: dt.datetime
    ended: dt.datetime | None = None
    why: str = ""
    flow_run: str | None = None
    silent_since: dict[str, float] = {}
    """By boot: its seconds when nobody worked on the flight although the server says so."""

    def noted(
        self, state: State, why: str = "", *, flow_run: str | None = None, progress: bool = False
    ) -> Run:
        """Return the run as it stands now; one that failed with *progress* is the end of those in vain."""
        under_way = state in ("handing over", "handed over")
        news = {
            "state": state,
            "why": why,
            "flow_run": flow_run or self.flow_run,
            "ended": None if under_way else dt.datetime.now(dt.UTC).replace(microsecond=0),
            "attempt": 0 if state == "failed" and progress else self.attempt,
        }
        return Run.model_validate(self.model_dump() | news)


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

    def next_attempt(self) -> int | None:
        """Return which start of the content that was last seen would be the next; None where none is due."""
        run = self.run
        if run is None:
            return 1
        if run.state in ("running", "handed over"):
            return None
        if run.fingerprint != self.fingerprint:
            return 1
        if run.state == "handing over":  # no answer came: the server knows by the key whether it has it
            return run.attempt
        return run.attempt + 1 if run.state == "failed" and run.attempt < ATTEMPTS else None


@contextmanager
def hold_record(data: Path, flight: str) -> Iterator[bool]:
    """Try for the lock of a flight's record and say whether it is held."""
    with locked_if_free(data / "watch" / f"{flight}.lock") as lock:
        yield lock is not None


def read_record(data: Path, flight: str) -> Record | None:
    """Return what is known of a flight, None where that is nothing. Raises WatchError for a damaged file."""
    path = data / "watch" / f"{flight}.json"
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        what = f"{error.error_count()} errors, the first: {error.errors()[0]['msg']}"
        raise WatchError(f"{path}: expected a record of a watched flight, found {what}") from error


def write_record(data: Path, record: Record) -> None:
    """Write down what is known of a flight; the caller holds the lock."""
    with appearing_whole(data / "watch" / f"{record.flight}.json") as partial:
        partial.write_text(record.model_dump_json(indent=1, exclude_none=True), encoding="utf-8")


def handed_over(data: Path) -> list[Record]:
    """Return the flights that a server was asked to run and of which no end is known."""
    records = []
    for path in sorted((data / "watch").glob("*.json")):
        with suppress(WatchError):  # a look tells of it
            records.append(read_record(data, path.stem))
    return [record for record in records if record and record.run and record.run.state == "handed over"]
