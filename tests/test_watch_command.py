"""The command that looks once: it runs what is new, and says of each flight why."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_pipeline import RedRoofs, network, project
from typer.testing import CliRunner
from watch_case import watching

from geoai.cli import app

__all__ = ["network", "project"]  # fixtures


@pytest.fixture
def town(project: Path) -> Path:
    return watching(project)


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
