"""Looks at folders: a flight is new once it is settled or marked, and nothing is forgotten."""

import datetime as dt
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stac_case import CONTENT, SECRETS, Upstream, api, upstream
from watch_case import SETTLE_S, at, deliver, only, project, statuses, succeed

from geoai import dispatch, watch
from geoai.config import FlightSettings, Settings
from geoai.errors import ConfigError

__all__ = ["upstream"]  # a fixture


def test_a_flight_that_grows_after_its_run_is_new_once_it_is_settled(tmp_path: Path) -> None:
    settings = project(tmp_path)
    folder = tmp_path / "flights" / "2026-05-14_town"
    deliver(folder, "a.tif", "b.tif")
    assert only(settings, at(0)).status == "waits"
    waiting = only(settings, at(SETTLE_S - 1))
    assert (waiting.status, waiting.why) == ("waits", "unchanged for 10 of 10 minutes")
    new = only(settings, at(SETTLE_S))
    assert (new.status, new.sheets, new.day) == ("new", 2, dt.date(2026, 5, 14))
    own = dispatch.flight_settings(settings, new).flight
    assert (own.name, own.date, own.folder) == ("2026-05-14_town", new.day, folder)
    dispatch.process(settings, new, succeed)
    assert only(settings, at(SETTLE_S + 1)).status == "done"
    deliver(folder, "c.tif")
    assert only(settings, at(2 * SETTLE_S)).status == "waits"
    assert only(settings, at(3 * SETTLE_S)).status == "new"
    (folder / "c.tif").unlink()
    assert only(settings, at(4 * SETTLE_S)).status == "done", "again as it was when it was run"


def test_a_marker_starts_a_flight_at_once_and_a_later_change_waits_for_a_new_one(tmp_path: Path) -> None:
    settings = project(tmp_path, ready_marker="READY")
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    assert only(settings, at(0)).status == "waits"
    deliver(folder, "READY")
    assert only(settings, at(1)).status == "new"
    dispatch.process(settings, only(settings, at(1)), succeed)
    deliver(folder, "b.tif")
    assert only(settings, at(2)).status == "waits", "the marker is that of the first delivery"
    os.utime(folder / "READY", ns=(0, 1))
    assert only(settings, at(3)).status == "new"


def test_a_share_that_is_gone_is_one_line_and_nothing_is_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = project(tmp_path, folders=[tmp_path / "flights", tmp_path / "other"])
    deliver(tmp_path / "flights" / "F1", "a.tif")
    deliver(tmp_path / "other" / "F2", "a.tif")
    for moment in (at(0), at(SETTLE_S)):
        seen = watch.look(settings, moment)
    for sighting in seen:
        dispatch.process(settings, sighting, succeed)
    deliver(tmp_path / "other" / "F3", "a.tif")
    before = {path: path.read_bytes() for path in (tmp_path / "data" / "watch").glob("*.json")}
    (tmp_path / "flights").rename(tmp_path / "away")
    caplog.clear()
    assert statuses(settings, at(2 * SETTLE_S)) == {
        str(tmp_path / "flights"): "blocked", "F2": "done", "F3": "waits"
    }  # fmt: skip
    assert len(caplog.records) == 1
    (tmp_path / "flights" / "F1").mkdir(parents=True)  # a mount that is not up yet
    assert statuses(settings, at(2 * SETTLE_S))["F1"] == "waits"
    assert {path: path.read_bytes() for path in before} == before
    (tmp_path / "flights" / "F1").rmdir()
    (tmp_path / "flights").rmdir()
    (tmp_path / "away").rename(tmp_path / "flights")
    assert statuses(settings, at(3 * SETTLE_S)) == {"F1": "done", "F2": "done", "F3": "new"}


def test_two_flights_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    settings = project(tmp_path, folders=[tmp_path / "flights", tmp_path / "other"], settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    deliver(tmp_path / "other" / "F1", "b.tif")
    first, second = watch.look(settings, at(0))
    assert (first.status, second.status) == ("new", "blocked")
    assert "two flights of one name?" in second.why


def test_a_share_that_is_not_mounted_is_told(tmp_path: Path) -> None:
    settings = project(tmp_path)
    seen = only(settings, at(0))
    assert (seen.flight, seen.status, seen.why) == (str(tmp_path / "flights"), "waits", "no flights there")


@pytest.mark.parametrize("how", ["link", "mount"])
def test_a_flight_that_is_away_is_told_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    away = tmp_path / "flights" / "F2"
    if how == "link":
        away.symlink_to(tmp_path / "archive" / "F2")
    else:
        away.mkdir()
        for module, name in ((os, "scandir"), (os, "stat")):
            monkeypatch.setattr(module, name, failing(getattr(module, name), away))
    (tmp_path / "flights" / "delivery.pdf").write_text("no flight")
    assert statuses(settings, at(0)) == {"F1": "new", "F2": "blocked"}


def failing(function: Callable[..., Any], away: Path) -> Callable[..., Any]:
    def fail(path: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(path, int) and Path(path) == away:
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return function(path, *args, **options)

    return fail


def test_collections_of_one_name_are_not_mixed(upstream: Upstream, tmp_path: Path) -> None:
    upstream.add("a", CONTENT, collection="orto 2026")
    upstream.add("b", CONTENT, collection="orto-2026")
    watched = {"apis": [api(upstream)], "settle_minutes": 10}
    settings = Settings.model_validate({"data": tmp_path, "watch": watched})
    for moment in (at(0), at(SETTLE_S)):
        first, second = watch.look(settings, moment, SECRETS.get)
    assert (first.status, first.sheets, second.status) == ("new", 1, "blocked")
    assert "two flights of one name?" in second.why


def test_a_record_that_cannot_be_kept_stops_no_other_flight(upstream: Upstream, tmp_path: Path) -> None:
    upstream.add("a", CONTENT, collection="x")
    upstream.add("b", CONTENT, collection="y")
    watched = {"apis": [api(upstream)], "settle_minutes": 0}
    settings = Settings.model_validate({"data": tmp_path, "watch": watched})
    (tmp_path / "watch" / "x.lock").mkdir(parents=True)  # as one that is another user's
    blocked, new = watch.look(settings, secrets=SECRETS.get)
    assert (blocked.flight, blocked.status, new.status) == ("x", "blocked", "new")
    assert "x.lock" in blocked.why


def test_settings_that_name_nothing_to_look_at_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"watch: expected folders or apis to look at"):
        watch.look(Settings())
    dated = project(tmp_path).model_copy(update={"flight": FlightSettings(date=dt.date(2026, 5, 14))})
    with pytest.raises(ConfigError, match=r"flight\.date: expected none with watch"):
        watch.look(dated)
