"""New flights in folders: never two starts for one content, never before it is whole, and none forgotten."""

import datetime as dt
import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from test_pipeline import RedRoofs, network
from test_pipeline import project as project_of_a_run
from typer.testing import CliRunner

from geoai import watch
from geoai.cli import app
from geoai.config import FlightSettings, Settings
from geoai.errors import ConfigError, GeoaiError
from geoai.locks import hold_flight
from geoai.watch import Moment, Sighting

__all__ = ["network", "project_of_a_run"]  # fixtures

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


class Broken(BaseException):
    """A law is; no failure of a run, which the watcher would note and go on."""


class World:
    """A share and two watchers on machines of their own, beside an account of what is true."""

    def __init__(self, root: Path) -> None:
        self.settings, self.folder = project(root), root / "flights" / "F1"
        self.folder.mkdir()
        self.time, self.changed, self.writes = 0.0, 0.0, 0
        self.skew = {"a": 0.0, "b": 5e6}
        self.boots = {"a": 0, "b": 0}
        self.content: dict[str, int] = {}
        self.starts: list[tuple[tuple[tuple[str, int], ...], str]] = []

    def moment(self, watcher: str) -> Moment:
        seconds = self.time + self.skew[watcher]
        return Moment(START, f"{watcher}{self.boots[watcher]}", seconds)

    def do(self, action: str, watcher: str, name: str) -> None:
        """Let something happen."""
        if action == "write":  # a share whose clock jumps to and fro
            self.writes += 1
            (self.folder / name).write_bytes(b"x" * (1 + self.writes % 3))
            os.utime(self.folder / name, ns=(0, (self.writes * 7919 % 1009) * 10**9))
            self.content[name], self.changed = self.writes, self.time
        elif action == "delete" and name in self.content:
            (self.folder / name).unlink()
            del self.content[name]
            self.changed = self.time
        elif action == "reboot":
            self.boots[watcher] += 1
            self.skew[watcher] = -self.time
        elif action == "set back":  # a virtual machine that goes on from a snapshot
            self.skew[watcher] -= 1e6
        elif action in ("look", "fail", "kill"):
            self.look(watcher, action)

    def look(self, watcher: str, action: str = "look") -> list[Sighting]:
        seen = watch.look(self.settings, self.moment(watcher))
        for sighting in seen:
            if sighting.status == "new":
                try:
                    watch.process(self.settings, sighting, lambda own: self.run(watcher, action))
                except Killed:
                    continue
        return seen

    def run(self, watcher: str, action: str) -> str:
        content = tuple(sorted(self.content.items()))
        ended = {"look": "done", "fail": "failed", "kill": "failed"}[action]
        of_this = []
        for earlier, how in reversed(self.starts):
            if earlier != content:
                break
            of_this.append(how)
        meanwhile = [watch.look(self.settings, self.moment(other)) for other in "ab"]
        for holds, otherwise in (
            (self.content, "started without sheets"),
            (self.time - self.changed >= SETTLE_S, "started before it was settled"),
            ("done" not in of_this, "started again although it was done"),
            (len(of_this) < watch.ATTEMPTS, "started too often"),
            ({each.status for seen in meanwhile for each in seen} == {"running"}, "seen as free"),
        ):
            if not holds:
                raise Broken(otherwise)
        self.starts.append((content, ended))
        if action == "fail":
            raise GeoaiError("the map is away")
        if action == "kill":
            raise Killed
        return ""


STEPS = st.tuples(
    st.sampled_from([0, 0, 1, 300, 599, 600, 600]),
    st.sampled_from(["look", "look", "fail", "fail", "kill", "write", "delete", "reboot", "set back"]),
    st.sampled_from("aaab"),
    st.sampled_from(["1.tif", "2.tif"]),
)
"""Seconds that pass, what happens then, which watcher it happens to, and which sheet."""


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, min_size=6, max_size=30))
def test_every_content_is_started_once_when_it_is_settled_whatever_happens(
    history: list[tuple[int, str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.do("write", "a", "1.tif")
        for seconds, *step in history:
            world.time += seconds
            world.do(*step)
        for _ in range(3):
            world.look("a")
            world.time += SETTLE_S
        if not world.content:
            return
        content = tuple(sorted(world.content.items()))
        of_this = [how for earlier, how in world.starts if earlier == content]
        assert of_this, "settled and never started"
        assert of_this[-1] == "done" or of_this[-watch.ATTEMPTS :] == ["failed"] * watch.ATTEMPTS


def _watch_until_done(root: Path, log: Path, ready: Any) -> None:
    settings = project(root, settle_minutes=0)

    def run(own: Settings) -> str:
        with log.open("a") as file:
            file.write(f"{own.flight.name}\n")
        return ""

    ready.wait()
    seen = watch.look(settings)
    while any(sighting.status != "done" for sighting in seen):
        for sighting in seen:
            if sighting.status == "new":
                watch.process(settings, sighting, run)
        seen = watch.look(settings)


def test_two_watchers_at_once_start_every_flight_once(tmp_path: Path) -> None:
    for number in range(40):
        deliver(tmp_path / "flights" / f"F{number}", "a.tif")
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(3)
    log = tmp_path / "log"
    watchers = [
        context.Process(target=_watch_until_done, args=(tmp_path, log, ready), daemon=True) for _ in range(3)
    ]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(60)
    assert [watcher.exitcode for watcher in watchers] == [0, 0, 0]
    assert sorted(log.read_text().split()) == sorted(f"F{number}" for number in range(40))


def _start_and_hang(root: Path, started: Any) -> None:
    settings = project(root, settle_minutes=0)

    def run(own: Settings) -> str:
        started.set()
        time.sleep(60)
        return ""

    watch.process(settings, only(settings, at(0)), run)


def test_a_watcher_that_is_killed_lets_go_and_the_next_one_says_so(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    watcher = context.Process(target=_start_and_hang, args=(tmp_path, started), daemon=True)
    watcher.start()
    assert started.wait(60)
    assert only(settings, at(1)).why == "another watcher is at it"
    watcher.kill()
    watcher.join()
    again = only(settings, at(2))
    assert (again.status, again.why) == ("new", "attempt 2 of 3 after: the run was killed")


def test_a_claim_is_for_one_of_two_that_saw_the_same(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    first, second = only(settings, at(0)), only(settings, at(0, "b"))
    assert (first.status, second.status) == ("new", "new")
    assert watch.process(settings, first, succeed).status == "done"
    late = watch.process(settings, second, lambda own: pytest.fail("started twice"))
    assert (late.status, late.why) == ("running", "another watcher started it")
    assert only(settings, at(1)).status == "done"


def test_what_failed_before_another_watcher_came_is_not_started_by_both(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    first, second = only(settings, at(0)), only(settings, at(0, "b"))

    def fail(own: Settings) -> str:
        raise OSError("share gone")

    assert watch.process(settings, first, fail).status == "failed"
    assert watch.process(settings, second, lambda own: pytest.fail("started twice")).status == "running"
    again = only(settings, at(1))
    assert (again.status, again.attempt, again.why) == ("new", 2, "attempt 2 of 3 after: share gone")


def test_a_flight_that_grows_after_its_run_is_new_once_it_is_settled(tmp_path: Path) -> None:
    settings = project(tmp_path)
    folder = tmp_path / "flights" / "2026-05-14_town"
    deliver(folder, "a.tif", "b.tif")
    assert only(settings, at(0)).status == "waits"
    waiting = only(settings, at(SETTLE_S - 1))
    assert (waiting.status, waiting.why) == ("waits", "unchanged for 10 of 10 minutes")
    new = only(settings, at(SETTLE_S))
    assert (new.status, new.sheets, new.day) == ("new", 2, dt.date(2026, 5, 14))
    own = watch.flight_settings(settings, new).flight
    assert (own.name, own.date, own.folder) == ("2026-05-14_town", new.day, folder)
    watch.process(settings, new, succeed)
    assert only(settings, at(SETTLE_S + 1)).status == "done"
    deliver(folder, "c.tif")
    assert only(settings, at(2 * SETTLE_S)).status == "waits"
    assert only(settings, at(3 * SETTLE_S)).status == "new"
    (folder / "c.tif").unlink()
    assert only(settings, at(4 * SETTLE_S)).status == "done", "again as it was when it was run"


@pytest.mark.parametrize("name", [".a.tif.Xy12aB", "b.tif.part", "b.tif.filepart", "sub/c.tif.crdownload"])
def test_a_copy_under_way_holds_its_flight_back(tmp_path: Path, name: str) -> None:
    settings = project(tmp_path)
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    deliver((folder / name).parent, Path(name).name)
    assert only(settings, at(0)).status == "waits"
    stuck = only(settings, at(SETTLE_S))
    assert (stuck.status, stuck.why) == ("blocked", f"{name} is being copied")
    (folder / name).unlink()
    assert only(settings, at(SETTLE_S)).status == "new"


def test_an_empty_sheet_and_one_that_cannot_be_read_hold_their_flight_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = project(tmp_path)
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    deliver(folder, "b.tif", size=0)
    assert only(settings, at(0)).status == "waits"
    assert only(settings, at(SETTLE_S)).why == "b.tif is empty"
    deliver(folder, "b.tif")
    only(settings, at(2 * SETTLE_S))
    opened = Path.open

    def locked(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "b.tif":
            raise PermissionError(13, "locked by another program", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", locked)
    refused = only(settings, at(3 * SETTLE_S))
    assert refused.status == "blocked"
    assert "locked by another program" in refused.why
    monkeypatch.undo()
    assert only(settings, at(3 * SETTLE_S)).status == "new"


def test_what_is_no_sheet_makes_no_flight_new(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    watch.process(settings, only(settings, at(0)), succeed)
    deliver(folder, "delivery.pdf", ".DS_Store", "._a.tif", "a.tif.aux.xml")
    assert only(settings, at(1)).status == "done"
    deliver(folder, "a.tfw")
    assert only(settings, at(2)).status == "new", "a world file moves its sheet"


def test_a_marker_starts_a_flight_at_once_and_a_later_change_waits_for_a_new_one(tmp_path: Path) -> None:
    settings = project(tmp_path, ready_marker="READY")
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    assert only(settings, at(0)).status == "waits"
    deliver(folder, "READY")
    assert only(settings, at(1)).status == "new"
    watch.process(settings, only(settings, at(1)), succeed)
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
        watch.process(settings, sighting, succeed)
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


def test_a_folder_that_breaks_off_half_way_through_the_list_says_nothing_of_the_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1" / "sub", "a.tif")
    deliver(tmp_path / "flights" / "F1", "b.tif")
    watch.process(settings, only(settings, at(0)), succeed)
    scan = os.scandir

    def gone(path: Any) -> Any:
        if Path(path).name == "sub":
            raise OSError(112, "Host is down")
        return scan(path)

    monkeypatch.setattr(os, "scandir", gone)
    refused = only(settings, at(1))
    assert refused.status == "blocked"
    assert "Host is down" in refused.why
    monkeypatch.undo()
    assert only(settings, at(2)).status == "done"


def test_two_flights_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    settings = project(tmp_path, folders=[tmp_path / "flights", tmp_path / "other"], settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    deliver(tmp_path / "other" / "F1", "b.tif")
    first, second = watch.look(settings, at(0))
    assert (first.status, second.status) == ("new", "blocked")
    assert "two flights of one name?" in second.why


def test_a_flight_that_somebody_runs_by_hand_is_left_alone_and_no_attempt_is_lost(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    new = only(settings, at(0))
    with hold_flight(settings.data, "F1"):
        assert only(settings, at(1)).status == "running"

        def run(own: Settings) -> str:
            with hold_flight(own.data, own.flight.name):
                return ""

        assert watch.process(settings, new, run).status == "running"
    again = only(settings, at(2))
    assert (again.status, again.attempt) == ("new", 1)


def test_a_result_with_findings_is_done_and_says_so(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    watch.process(settings, only(settings, at(0)), lambda own: "a.tif: expected EPSG:3006")
    done = only(settings, at(1))
    assert (done.status, done.why) == ("done", "a.tif: expected EPSG:3006")


def test_a_flight_is_given_up_after_some_attempts_and_new_when_its_content_is(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")

    def fail(own: Settings) -> str:
        raise ValueError("no such thing")

    for attempt in range(watch.ATTEMPTS):
        sighting = only(settings, at(attempt))
        assert sighting.attempt == attempt + 1
        assert watch.process(settings, sighting, fail).status == "failed"
    given_up = only(settings, at(9))
    assert (given_up.status, given_up.why) == ("failed", "given up after 3 attempts: no such thing")
    deliver(tmp_path / "flights" / "F1", "b.tif")
    fresh = only(settings, at(10))
    assert (fresh.status, fresh.attempt) == ("new", 1)


def test_a_damaged_record_is_one_line_and_stops_no_other_flight(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    for name in ("F1", "F2"):
        deliver(tmp_path / "flights" / name, "a.tif")
    assert statuses(settings, at(0)) == {"F1": "new", "F2": "new"}
    (tmp_path / "data" / "watch" / "F1.json").write_text("{")
    seen = watch.look(settings, at(1))
    assert [sighting.status for sighting in seen] == ["blocked", "new"]
    assert seen[0].why.startswith(f"{tmp_path}/data/watch/F1.json: expected a record of a watched flight")


@pytest.mark.parametrize("name", [b"J\xf6nk\xf6ping/a.tif", b"F1/\xf6st.tif"])
def test_a_name_that_is_no_utf8_is_refused_in_one_line(tmp_path: Path, name: bytes) -> None:
    settings = project(tmp_path, settle_minutes=0)
    path = tmp_path / "flights" / os.fsdecode(name)
    deliver(path.parent, path.name)
    refused = only(settings, at(0))
    assert refused.status == "blocked"
    assert refused.why.startswith("expected names in UTF-8, found '")
    refused.why.encode()


def test_a_look_at_what_is_known_writes_nothing(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    watch.process(settings, only(settings, at(0)), succeed)
    record = tmp_path / "data" / "watch" / "F1.json"
    before = record.stat()
    only(settings, at(100))
    assert (record.stat().st_ino, record.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    said = json.loads(record.read_text())
    assert (said["flight"], said["sheets"], said["run"]["state"]) == ("F1", 1, "done")


def handed(settings: Settings, seconds: float, ask: Callable[[str], str] = lambda key: "run-1") -> Sighting:
    return watch.hand_over(settings, only(settings, at(seconds)), ask)


def test_what_a_server_was_asked_for_is_running_until_its_end_is_known(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    assert handed(settings, 0).why == "flow run run-1"
    deliver(tmp_path / "flights" / "F1", "b.tif")
    assert only(settings, at(1)).status == "running", "in process, and its new sheets wait"
    (record,) = watch.handed_over(settings)
    watch.note_end(settings, record, "failed", "worker gone")
    assert watch.handed_over(settings) == []
    new = only(settings, at(2))
    assert (new.status, new.attempt) == ("new", 1)


@pytest.mark.parametrize(("end", "status"), [("done", "done"), ("failed", "new"), ("cancelled", "failed")])
def test_the_end_of_a_flow_run_decides_what_comes_next(tmp_path: Path, end: Any, status: str) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    handed(settings, 0)
    (record,) = watch.handed_over(settings)
    watch.note_end(settings, record, end, "so it ended")
    assert only(settings, at(1)).status == status


def test_a_watcher_killed_while_it_asks_asks_again_by_the_same_key(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    asked: list[str] = []

    def ask(key: str) -> str:
        asked.append(key)
        if len(asked) == 1:
            raise Killed
        if len(asked) == 3:
            raise OSError("no server")
        return "run-1"

    with pytest.raises(Killed):
        handed(settings, 0, ask)
    assert handed(settings, 1, ask).why == "flow run run-1"
    assert asked[0] == asked[1]
    (record,) = watch.handed_over(settings)
    watch.note_end(settings, record, "failed", "worker gone")
    assert handed(settings, 2, ask).status == "failed"
    assert handed(settings, 3, ask).status == "running"
    assert len(set(asked)) == 3


def test_settings_that_name_nothing_to_look_at_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"watch: expected folders or apis to look at"):
        watch.look(Settings())
    dated = project(tmp_path).model_copy(update={"flight": FlightSettings(date=dt.date(2026, 5, 14))})
    with pytest.raises(ConfigError, match=r"flight\.date: expected none with watch"):
        watch.look(dated)


def test_a_flow_run_that_nobody_works_on_is_lost_after_a_while(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    handed(settings, 0)

    def lost(seconds: float, boot: str = "a") -> bool:
        (record,) = watch.handed_over(settings)
        return watch.is_lost(settings, record, at(seconds, boot))

    assert not lost(10)
    assert not lost(10 + watch.SILENT_S - 1)
    assert not lost(10_000, "b"), "another machine counts for itself"
    with hold_flight(settings.data, "F1"):
        assert not lost(10 + watch.SILENT_S)
    assert not lost(20 + watch.SILENT_S), "it was seen at work since"
    assert lost(20 + 2 * watch.SILENT_S)


@pytest.fixture
def town(project_of_a_run: Path) -> Path:
    """Turn the project into one that watches a folder with one flight in it."""
    path = project_of_a_run
    (path.parent / "flights").mkdir()
    (path.parent / "flight").rename(path.parent / "flights" / "2026-05-14_town")
    text = path.read_text().replace(f"folder: {path.parent / 'flight'}, id: F1, date: 2026-05-14", "")
    watched = f"        watch: {{folders: [{path.parent / 'flights'}], settle_minutes: 0}}"
    path.write_text(f"{text.rstrip()}\n{watched}\n")
    return path


def geoai(town: Path, *options: str) -> Any:
    done = CliRunner().invoke(app, ["watch", *options, "--config", str(town)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_the_command_runs_what_is_new_and_says_of_each_why(town: Path, network: RedRoofs) -> None:
    (town.parent / "flights" / "empty").mkdir()
    dry = geoai(town, "--once", "--dry-run")
    assert dry.exit_code == 0
    assert network.asked == 0
    done = geoai(town, "--once")
    assert done.exit_code == 0
    said = re.sub(r"\s+", " ", done.stdout)
    assert "│ 2026-05-14_town │ done │ 2 │" in said
    assert "│ empty │ waits │ │ │" in said
    assert "waits empty: no orthophotos yet\n" in done.stdout
    assert list((town.parent / "data/runs/2026-05-14_town").rglob("review.gpkg"))
    asked = network.asked
    assert geoai(town, "--once").exit_code == 0
    assert network.asked == asked


def test_a_flight_with_a_broken_sheet_is_done_told_once_and_left_alone(town: Path, network: RedRoofs) -> None:
    (town.parent / "flights" / "2026-05-14_town" / "broken.tif").write_text("no image")
    first = geoai(town, "--once")
    assert first.exit_code == 2
    assert "done 2026-05-14_town: broken.tif: expected a readable orthophoto" in first.stdout
    assert geoai(town, "--once").exit_code == 0


def test_what_may_pass_is_tried_again(town: Path, network: RedRoofs) -> None:
    (town.parent / "map.gpkg").rename(town.parent / "away.gpkg")
    failed = geoai(town, "--once")
    assert failed.exit_code == 2
    assert f"failed 2026-05-14_town: {town.parent / 'map.gpkg'}: expected " in failed.stdout
    (town.parent / "away.gpkg").rename(town.parent / "map.gpkg")
    assert geoai(town, "--once").exit_code == 0
    run = json.loads((town.parent / "data/watch/2026-05-14_town.json").read_text())["run"]
    assert (run["state"], run["attempt"]) == ("done", 2)


def test_without_once_the_command_says_who_looks_again(town: Path) -> None:
    done = CliRunner().invoke(app, ["watch", "--config", str(town)])
    assert str(done.exception).startswith("watch: expected --once")
