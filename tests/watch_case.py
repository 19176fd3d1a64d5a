"""Flights in watched folders, and the times at which they are looked at."""

import datetime as dt
from pathlib import Path
from typing import Any

from geoai import watch
from geoai.config import Settings
from geoai.watch import Sighting
from geoai.watchrecord import Moment

SETTLE_S = 600.0
START = dt.datetime(2026, 5, 14, tzinfo=dt.UTC)


def project(root: Path, **options: Any) -> Settings:
    (root / "flights").mkdir(exist_ok=True)
    watched = {"folders": [root / "flights"], "settle_minutes": SETTLE_S / 60} | options
    return Settings.model_validate({"data": root / "data", "watch": watched})


def at(seconds: float, boot: str = "a") -> Moment:
    return Moment(START + dt.timedelta(seconds=seconds), boot, seconds)


def deliver(folder: Path, *names: str, size: int = 10) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x" * size)


def statuses(settings: Settings, moment: Moment) -> dict[str, str]:
    return {sighting.flight: sighting.status for sighting in watch.look(settings, moment)}


def only(settings: Settings, moment: Moment) -> Sighting:
    (sighting,) = watch.look(settings, moment)
    return sighting


def succeed(settings: Settings) -> str:
    return ""


class Killed(BaseException):
    """The process ends here, whatever the code would still like to do."""


def watching(project: Path) -> Path:
    """Turn a project of a run into one that watches a folder with one flight in it."""
    flights = project.parent / "flights"
    flights.mkdir()
    (project.parent / "flight").rename(flights / "2026-05-14_town")
    text = project.read_text().replace(f"folder: {project.parent / 'flight'}, id: F1, date: 2026-05-14", "")
    watched = f"        watch: {{folders: [{flights}], settle_minutes: 0}}\n"
    project.write_text(text.rstrip() + "\n" + watched)
    return project
