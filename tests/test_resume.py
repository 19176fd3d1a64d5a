"""Runs that are killed at any step, and the ones that go on from there, as real processes.

The law: whatever a run was doing when it was killed, the next one ends well, does nothing again that was
done, leaves nothing behind, and comes to what a run comes to that nobody disturbed.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import WriteOrthophoto
from forked import Commands, open_commands
from red_roofs import save_red_roofs
from test_pipeline import make_project

TIMES = {"created", "updated", "processing:datetime"}
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


@pytest.fixture(scope="module")
def undisturbed(town: Path, commands: Commands) -> tuple[dict[str, Any], int]:
    """Run once to the end; return what there is then, and how many steps it took."""
    data = town.parent / "undisturbed"
    ended = commands("run", "--config", town, "--data", data)
    assert ended.code == 0, ended.stderr
    return content_of(data), ended.steps


def content_of(data: Path) -> dict[str, Any]:
    """Return all that lies below *data* but locks: bytes; of what tells times and random ids, the rest."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        name = path.relative_to(data).as_posix()
        if path.name == ".lock" or name.startswith("locks/"):
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


def test_a(undisturbed):
    print(undisturbed[1])
    print({k: len(str(v)) for k, v in undisturbed[0].items()})


def check_resumes(town: Path, commands: Commands, undisturbed: tuple[dict[str, Any], int], step: int) -> None:
    """Kill a run before *step* and see that the next one goes on from there."""
    data = town.parent / f"killed-{step}"
    killed = commands("run", "--config", town, "--data", data, kill_at=step)
    assert killed.code == -signal.SIGKILL
    before = committed(data)
    ended = commands("run", "--config", town, "--data", data)
    assert ended.code == 0, (step, ended.stderr)
    after = committed(data)
    assert {name: after[name] for name in before} == before, f"done again after step {step}"
    assert in_the_making(data) == []
    assert content_of(data) == undisturbed[0], f"step {step}"
    shutil.rmtree(data)


@pytest.mark.parametrize("part", [0.25, 0.6, 0.9])
def test_a_killed_run_is_gone_on_with(
    town: Path, commands: Commands, undisturbed: tuple[dict[str, Any], int], part: float
) -> None:
    check_resumes(town, commands, undisturbed, round(undisturbed[1] * part))
