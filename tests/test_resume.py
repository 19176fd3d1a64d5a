"""Runs that are killed at any step, and the ones that go on from there, as real processes.

The law: whatever a run was doing when it was killed, the next one ends well, does nothing again that was
done, leaves nothing behind, and comes to what a run comes to that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteOrthophoto
from forked import Commands, open_commands
from ledger_case import decide
from red_roofs import save_red_roofs
from test_pipeline import make_project

TIME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?")
BOOKKEEPING = {"sqlite_sequence", "imported"}
"""Tables that count attempts, and remember which files were looked at."""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with open_commands(tmp_path_factory.mktemp("commands")) as opened:
        yield opened


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, write_orthophoto: WriteOrthophoto) -> Path:
    """Make a flight, a map, and a model package that is as quick as it is real; return the settings."""
    folder = tmp_path_factory.mktemp("town")
    settings = make_project(folder, write_orthophoto)
    model = save_red_roofs(folder / "red-roofs").folder
    text = settings.read_text().replace("halo_px: 32", f"halo_px: 32, model: {model}")
    settings.write_text(text)
    return settings


@dataclass(frozen=True)
class Story:
    """A run and what was there before it; *whole* is what there is after it, *steps* how many it takes."""

    settings: Path
    before: Path | None
    whole: dict[str, Any]
    steps: int


def tell(commands: Commands, settings: Path, data: Path, before: Path | None = None) -> Story:
    """Run once to the end, undisturbed."""
    if before is not None:
        shutil.copytree(before, data)
    ended = commands("run", "--config", settings, "--data", data)
    assert ended.code == 0, ended.stderr
    return Story(settings, before, content_of(data), ended.steps)


@pytest.fixture(scope="module")
def first(town: Path, commands: Commands) -> Story:
    """Tell of the first run of a project."""
    return tell(commands, town, town.parent / "first")


@pytest.fixture(scope="module")
def second(town: Path, commands: Commands, first: Story) -> Story:
    """Tell of a run under other rules, merged into a review in which something was decided."""
    decided = shutil.copytree(town.parent / "first", town.parent / "decided")
    review = decided / "runs" / "F1" / "current" / "review.gpkg"
    with closing(sqlite3.connect(review)) as database:
        query = "SELECT discrepancy_id FROM discrepancy WHERE class = 'missing'"
        ((name,),) = database.execute(query)
    decide(review, name, "confirmed")
    stricter = town.with_name("stricter.yaml")
    stricter.write_text(f"{town.read_text().rstrip()}\n        compare: {{change_m2: 90.0}}\n")
    return tell(commands, stricter, town.parent / "second", decided)


def content_of(data: Path) -> dict[str, Any]:
    """Return all that lies below *data* but locks: bytes; of what tells times and random ids, the rest."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        name = path.relative_to(data).as_posix()
        if path.name == "last-run.json" or path.name.endswith(".lock"):
            continue
        if path.suffix == ".gpkg":
            found[name] = rows_of(path)
        elif path.suffix == ".qgz":
            with zipfile.ZipFile(path) as archive:
                found[name] = {each: timeless(archive.read(each).decode()) for each in archive.namelist()}
        elif path.name == "run.json":
            told = json.loads(path.read_text())
            found[name] = {key: told[key] for key in ("flight", "signals", "findings")}
        elif path.suffix in (".json", ".html"):
            found[name] = timeless(path.read_text("utf-8"))
        else:
            found[name] = path.read_bytes()
    return found


def timeless(text: str) -> str:
    """Return *text* with moments and random ids taken out."""
    return UUID.sub("ID", TIME.sub("TIME", text))


def rows_of(path: Path) -> dict[str, Any]:
    """Return the rows of each table of a GeoPackage but its index, times and random ids taken out."""

    def plain(value: Any) -> Any:
        return timeless(value) if isinstance(value, str) else value

    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'rtree_%'"
        tables = {name for (name,) in database.execute(query)} - BOOKKEEPING
        return {
            name: sorted(
                (tuple(map(plain, row)) for row in database.execute(f"SELECT * FROM [{name}]")), key=repr
            )
            for name in tables
        }


def committed(data: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of every item and its assets that is committed."""
    found = {}
    for item in data.glob("catalog/flights/*/*/[!.]*.json"):
        assets = json.loads(item.read_text())["assets"].values()
        for path in (item, *(item.parent / asset["href"] for asset in assets)):
            found[str(path)] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


def in_the_making(data: Path) -> list[str]:
    return [path.name for path in data.rglob(".*-*")]


def disturbed_folder(story: Story, name: str) -> Path:
    """Return the folder of results for one more telling of *story*."""
    data = story.settings.parent / name
    if story.before is not None:
        shutil.copytree(story.before, data)
    return data


def check_goes_on(commands: Commands, story: Story, data: Path) -> None:
    """Run again, and see that all that was done is left alone and the end is that of *story*."""
    before = committed(data)
    ended = commands("run", "--config", story.settings, "--data", data)
    assert ended.code == 0, ended.stderr
    after = committed(data)
    assert {name: after[name] for name in before} == before, "done again"
    assert in_the_making(data) == []
    assert content_of(data) == story.whole


def check_killed_before(commands: Commands, story: Story, step: int) -> None:
    data = disturbed_folder(story, "killed")
    try:
        killed = commands("run", "--config", story.settings, "--data", data, kill_at=step)
        assert killed.code == -signal.SIGKILL
        check_goes_on(commands, story, data)
    finally:
        shutil.rmtree(data)


# tiles, predictions; the ledger in the making; a review in the making
@pytest.mark.parametrize(
    "part", [pytest.param(0.2, marks=pytest.mark.slow), 0.45, pytest.param(0.6, marks=pytest.mark.slow)]
)
def test_a_run_that_is_killed_is_gone_on_with(commands: Commands, first: Story, part: float) -> None:
    check_killed_before(commands, first, round(first.steps * part))


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.7])
def test_a_merge_that_is_killed_is_gone_on_with(commands: Commands, second: Story, part: float) -> None:
    check_killed_before(commands, second, round(second.steps * part))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, 40, 3))
def test_a_run_that_is_killed_anywhere_is_gone_on_with(commands: Commands, first: Story, part: int) -> None:
    check_killed_before(commands, first, round(first.steps * part / 40))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, 24, 3))
def test_a_merge_that_is_killed_anywhere_is_gone_on_with(
    commands: Commands, second: Story, part: int
) -> None:
    check_killed_before(commands, second, round(second.steps * part / 24))


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_comes_to_its_end(commands: Commands, first: Story) -> None:
    """At moments of the clock, within what GDAL and SQLite do as well."""
    rng = random.Random(6)
    data = disturbed_folder(first, "again")
    for _ in range(12):
        pid = commands.start("run", "--config", first.settings, "--data", data)
        time.sleep(rng.uniform(0.1, 2.5))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        assert commands.wait().code in (0, -signal.SIGKILL)
    check_goes_on(commands, first, data)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_run_that_is_told_to_stop_says_one_line_and_is_gone_on_with(
    commands: Commands, first: Story, number: signal.Signals
) -> None:
    data = disturbed_folder(first, number.name)
    pid = commands.start("run", "--config", first.settings, "--data", data)
    wait_for(lambda: next(data.glob("catalog/flights/F1/*/[!.]*.json"), None) is not None)
    os.kill(pid, number)
    begun = time.monotonic()
    ended = commands.wait()
    assert time.monotonic() - begun < 2.0
    assert ended.code == 128 + number
    assert ended.line == f"geoai: stopped by {number.name}; start it again to go on where it stopped"
    check_goes_on(commands, first, data)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_nothing_listens_to_other_machines(commands: Commands, first: Story, town: Path, kind: str) -> None:
    if kind == "dask":
        pytest.importorskip("distributed", reason="Dask is not installed")
    settings = town.with_name(f"{kind}.yaml")
    settings.write_text(town.read_text().replace("engine: {", f"engine: {{kind: {kind}, "))
    data = disturbed_folder(first, f"ports-{kind}")
    pid = commands.start("run", "--config", settings, "--data", data)
    places, processes = set(), set()

    def is_done() -> bool:
        for process in (pid, *descendants(pid)):
            processes.add(process)
            places.update(listening(process))
        return next(data.glob("catalog/flights/F1/*/[!.]*.json"), None) is not None

    wait_for(is_done)
    os.kill(pid, signal.SIGTERM)
    commands.wait()
    assert len(processes) > 2
    assert bool(places) == (kind == "dask"), "the search finds what listens"
    assert {place.split(":")[0] for place in places} <= {"0100007F"}, places


def listening(pid: int) -> set[str]:
    """Return the addresses, in hexadecimal, at which a process listens."""
    try:
        open_files = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
        tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    except FileNotFoundError:
        return set()
    rows = [line.split() for table in tables for line in table.splitlines()]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in open_files}


@pytest.mark.slow
def test_a_worker_that_is_killed_stops_the_run_with_one_line(
    commands: Commands, first: Story, town: Path
) -> None:
    settings = town.with_name("processes.yaml")
    settings.write_text(town.read_text().replace("engine: {", "engine: {kind: processes, batch: 1, "))
    data = disturbed_folder(first, "worker")
    pid = commands.start("run", "--config", settings, "--data", data)
    wait_for(lambda: next(data.glob("catalog/flights/F1/*/[!.]*.json"), None) is not None)
    for worker in descendants(pid):
        if "spawn_main" in Path(f"/proc/{worker}/cmdline").read_text():
            os.kill(worker, signal.SIGKILL)
            break
    ended = commands.wait()
    assert ended.code == 1
    assert ended.line.startswith(
        "geoai: engine: expected its workers until the tiles are done, found one ended"
    )
    check_goes_on(commands, first, data)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_of_a_run_end_with_it(
    commands: Commands, first: Story, town: Path, number: signal.Signals
) -> None:
    settings = town.with_name("processes.yaml")
    settings.write_text(town.read_text().replace("engine: {", "engine: {kind: processes, batch: 1, "))
    data = disturbed_folder(first, f"processes-{number.name}")
    pid = commands.start("run", "--config", settings, "--data", data)
    wait_for(lambda: next(data.glob("catalog/flights/F1/*/[!.]*.json"), None) is not None)
    workers = descendants(pid)
    assert len(workers) >= 2
    os.kill(pid, number)
    commands.wait()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    check_goes_on(commands, first, data)


def descendants(pid: int) -> list[int]:
    """Return the processes that *pid* started, and those that they did."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(word) for each in threads for word in (each / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [*children, *(each for child in children for each in descendants(child))]


# --- a disk that is full ---------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[None]:
    """Mount a disk of *size_kb* on *folder*, or skip."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


FULL = [
    pytest.param(16, 1, "image.tif|45.*json", id="tile"),
    pytest.param(60, 1, "models/red-roofs", id="model"),
    pytest.param(72, 1, "F1.red-roofs", id="predict"),
    pytest.param(100, 1, "", id="compare"),
    pytest.param(160, 1, "ledger.gpkg", id="remember"),
    pytest.param(700, 1, "review.gpkg", id="publish"),
    pytest.param(1150, 1, "", id="report"),
    pytest.param(1500, 2, "current/review.gpkg", id="merge"),
    pytest.param(2000, 2, "current", id="end of the merge"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("size_kb", "code", "named"), FULL)
def test_a_full_disk_is_one_line_and_a_larger_one_is_gone_on_with(
    commands: Commands, first: Story, size_kb: int, code: int, named: str
) -> None:
    data = first.settings.parent / f"disk-{size_kb}"
    with small_disk(data, size_kb):
        ended = commands("run", "--config", first.settings, "--data", data)
        assert ended.code == code
        line = (
            ended.line if code == 1 else next(x for x in ended.stdout.splitlines() if x.startswith("error"))
        )
        assert re.search("No space left on device|disk is full", line)
        assert re.search(named, line)
        assert in_the_making(data) == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(data)], check=True)
        check_goes_on(commands, first, data)
