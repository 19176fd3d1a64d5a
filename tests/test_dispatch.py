"""Starts of flights: never two for one content, never before it is whole, and none forgotten."""

import datetime as dt
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from catalog_case import TILES, add_tile
from conftest import examples
from hypothesis import given, settings
from stac_case import CONTENT, SECRETS, Upstream, api, fetched, upstream, waited
from watch_case import SETTLE_S, START, Killed, at, deliver, only, project, succeed

from geoai import dispatch, watch
from geoai.catalog import open_catalog
from geoai.config import Settings
from geoai.errors import GeoaiError
from geoai.locks import hold_flight
from geoai.watch import Sighting
from geoai.watchrecord import ATTEMPTS, Moment, handed_over

__all__ = ["upstream", "waited"]  # fixtures


class Broken(BaseException):
    """A law is; no failure of a run, which the watcher would note and go on."""


class World:
    """A share and two watchers on machines of their own, beside an account of what is true."""

    def __init__(self, root: Path) -> None:
        self.settings, self.folder = project(root), root / "flights" / "F1"
        self.folder.mkdir()
        self.time, self.writes = 0.0, 0
        self.written: dict[str, float] = {}
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
            self.content[name], self.written[name] = self.writes, self.time
        elif action == "delete" and name in self.content:
            (self.folder / name).unlink()
            del self.content[name]
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
                    dispatch.process(self.settings, sighting, lambda own: self.run(watcher, action))
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
        ages = [self.time - self.written[name] for name in self.content]
        meanwhile = [watch.look(self.settings, self.moment(other)) for other in "ab"]
        for holds, otherwise in (
            (self.content, "started without sheets"),
            (all(age >= SETTLE_S for age in ages), "started before it was settled"),
            ("done" not in of_this, "started again although it was done"),
            (len(of_this) < ATTEMPTS, "started too often"),
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


@settings(max_examples=examples(100), deadline=None)
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
        assert of_this[-1] == "done" or of_this[-ATTEMPTS:] == ["failed"] * ATTEMPTS


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
                dispatch.process(settings, sighting, run)
        seen = watch.look(settings)


@pytest.mark.slow
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

    dispatch.process(settings, only(settings, at(0)), run)


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
    assert dispatch.process(settings, first, succeed).status == "done"
    late = dispatch.process(settings, second, lambda own: pytest.fail("started twice"))
    assert (late.status, late.why) == ("running", "another watcher started it")
    assert only(settings, at(1)).status == "done"


def test_what_failed_before_another_watcher_came_is_not_started_by_both(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    first, second = only(settings, at(0)), only(settings, at(0, "b"))

    def fail(own: Settings) -> str:
        raise OSError("share gone")

    assert dispatch.process(settings, first, fail).status == "failed"
    assert dispatch.process(settings, second, lambda own: pytest.fail("started twice")).status == "running"
    again = only(settings, at(1))
    assert (again.status, again.attempt, again.why) == ("new", 2, "attempt 2 of 3 after: share gone")


def test_a_flight_that_somebody_runs_by_hand_is_left_alone_and_no_attempt_is_lost(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    new = only(settings, at(0))
    with hold_flight(settings.data, "F1"):
        assert only(settings, at(1)).status == "running"

        def run(own: Settings) -> str:
            with hold_flight(own.data, own.flight.name):
                return ""

        assert dispatch.process(settings, new, run).status == "running"
    again = only(settings, at(2))
    assert (again.status, again.attempt) == ("new", 1)


def test_a_result_with_findings_is_done_and_says_so(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    dispatch.process(settings, only(settings, at(0)), lambda own: "a.tif: expected EPSG:3006")
    done = only(settings, at(1))
    assert (done.status, done.why) == ("done", "a.tif: expected EPSG:3006")


def test_a_flight_is_given_up_after_some_attempts_and_new_when_its_content_is(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")

    def fail(own: Settings) -> str:
        raise ValueError("no such thing")

    for attempt in range(ATTEMPTS):
        sighting = only(settings, at(attempt))
        assert sighting.attempt == attempt + 1
        assert dispatch.process(settings, sighting, fail).status == "failed"
    given_up = only(settings, at(9))
    assert (given_up.status, given_up.why) == ("failed", "given up after 3 attempts: no such thing")
    deliver(tmp_path / "flights" / "F1", "b.tif")
    fresh = only(settings, at(10))
    assert (fresh.status, fresh.attempt) == ("new", 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), max_size=8), st.sampled_from(["kill", "fail", "server"]))
def test_a_flight_is_given_up_after_some_attempts_that_finished_nothing(
    progress: list[bool], end: str
) -> None:
    """Each start finishes a tile, or none, and is killed, fails, or has failed as a server says."""
    with tempfile.TemporaryDirectory() as folder:
        settings = project(Path(folder), settle_minutes=0)
        deliver(Path(folder) / "flights" / "F1", "a.tif")
        store, in_vain = open_catalog(settings), 0

        def work() -> None:
            if finishes:
                add_tile(store, TILES[0], mark=str(number))

        def run(own: Settings) -> str:
            work()
            raise Killed if end == "kill" else GeoaiError("the map is away")

        for number, finishes in enumerate(progress):
            sighting = only(settings, at(number))
            assert sighting.status == ("failed" if in_vain == ATTEMPTS else "new")
            if in_vain == ATTEMPTS:
                return
            if end == "server":
                dispatch.hand_over(settings, sighting, lambda key: "run")
                work()
                (record,) = handed_over(settings.data)
                dispatch.note_end(settings, record, "failed", "worker gone")
            else:
                with suppress(Killed):
                    dispatch.process(settings, sighting, run)
            in_vain = 0 if finishes else in_vain + 1


def test_a_flight_of_an_api_goes_through_the_same_states_as_a_folder(
    upstream: Upstream, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {"data": tmp_path, "watch": {"apis": [api(upstream)], "settle_minutes": 1}}
    )
    seen: list[dict[str, bytes]] = []

    def moment(seconds: float) -> Moment:
        return Moment(dt.datetime.now(dt.UTC), "a", seconds)

    def look(seconds: float) -> watch.Sighting:
        (sighting,) = watch.look(settings, moment(seconds), SECRETS.get)
        return sighting

    def run(own: Settings) -> str:
        assert own.flight.folder is not None
        seen.append(fetched(own.flight.folder))
        return ""

    def process(sighting: watch.Sighting) -> str:
        return dispatch.process(settings, sighting, run, SECRETS.get).status

    upstream.add("a", CONTENT)
    assert look(0).status == "waits", "a collection that is being published grows like a folder"
    assert process(look(60)) == "done"
    assert look(70).status == "done"
    upstream.add("b", CONTENT)
    (file,) = (path for path in upstream.files if path.endswith("-b.tif"))
    assert look(80).status == "waits"
    for attempt in range(2 * ATTEMPTS):
        upstream.wrong[file] = [(404, {}, b"")]
        assert process(look(140 + attempt)) == "failed"
    again = look(149)
    assert (again.status, again.attempt) == ("new", 1), "a server that is away for a weekend loses no flight"
    assert process(again) == "done"
    assert [set(files) for files in seen] == [{"a.tif"}, {"a.tif", "b.tif"}]


def handed(settings: Settings, seconds: float, ask: Callable[[str], str] = lambda key: "run-1") -> Sighting:
    return dispatch.hand_over(settings, only(settings, at(seconds)), ask)


def test_what_a_server_was_asked_for_is_running_until_its_end_is_known(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    assert handed(settings, 0).why == "flow run run-1"
    deliver(tmp_path / "flights" / "F1", "b.tif")
    assert only(settings, at(1)).status == "running", "in process, and its new sheets wait"
    (record,) = handed_over(settings.data)
    dispatch.note_end(settings, record, "failed", "worker gone")
    assert handed_over(settings.data) == []
    new = only(settings, at(2))
    assert (new.status, new.attempt) == ("new", 1)


@pytest.mark.parametrize(("end", "status"), [("done", "done"), ("failed", "new"), ("cancelled", "cancelled")])
def test_the_end_of_a_flow_run_decides_what_comes_next(tmp_path: Path, end: Any, status: str) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    handed(settings, 0)
    (record,) = handed_over(settings.data)
    dispatch.note_end(settings, record, end, "so it ended")
    assert only(settings, at(1)).status == status


def test_a_watcher_killed_while_it_asks_asks_again_by_the_same_key(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    asked: list[str] = []

    def ask(key: str) -> str:
        asked.append(key)
        if len(asked) == 1:
            raise Killed
        return "run-1"

    with pytest.raises(Killed):
        handed(settings, 0, ask)
    assert handed(settings, 1, ask).why == "flow run run-1"
    assert asked[0] == asked[1]
    (record,) = handed_over(settings.data)
    dispatch.note_end(settings, record, "failed", "worker gone")
    assert handed(settings, 2, ask).status == "running"
    assert len(set(asked)) == 2, "another start is another run"


def test_a_server_whose_answer_is_lost_is_asked_again_by_the_same_key(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    made: dict[str, str] = {}

    def ask(key: str) -> str:
        made.setdefault(key, f"run-{len(made)}")
        raise TimeoutError("no answer within 30 s")

    for look in range(2 * ATTEMPTS):
        asked = handed(settings, look, ask)
        assert (asked.status, asked.why) == ("failed", "no answer within 30 s")
    again = only(settings, at(9))
    assert (again.status, again.why) == ("new", "attempt 1 of 3 after: no answer within 30 s")
    assert handed(settings, 10, lambda key: made[key]).why == "flow run run-0"
    assert len(made) == 1, "a flow run each time"


def test_a_tile_that_cannot_be_read_keeps_no_flight_from_being_started(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    store = open_catalog(settings)
    add_tile(store, TILES[0])
    store.item_path("F1", TILES[0]).write_text("{")
    assert dispatch.process(settings, only(settings, at(0)), succeed).status == "done"


def test_a_flight_that_changed_while_another_was_run_waits(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    seen = only(settings, at(0))
    deliver(tmp_path / "flights" / "F1", "b.tif.part")
    deliver(tmp_path / "flights" / "F1", "b.tif")
    late = dispatch.process(settings, seen, lambda own: pytest.fail("started while it is copied"))
    assert (late.status, late.why) == ("waits", "it changed since the look")


def test_a_flow_run_that_nobody_works_on_is_lost_after_a_while(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    handed(settings, 0)

    def lost(seconds: float, boot: str = "a") -> bool:
        (record,) = handed_over(settings.data)
        return dispatch.is_lost(settings, record, at(seconds, boot))

    assert not lost(10)
    assert not lost(10 + dispatch.SILENT_S - 1)
    assert not lost(10_000, "b"), "another machine counts for itself"
    with hold_flight(settings.data, "F1"):
        assert not lost(10 + dispatch.SILENT_S)
    assert not lost(20 + dispatch.SILENT_S), "it was seen at work since"
    assert lost(20 + 2 * dispatch.SILENT_S)
