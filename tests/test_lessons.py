"""What is learned of a policy: from the ledger's verdicts, whoever's copy they came from."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import WriteOrthophoto
from ledger_case import BOTTOM, LEFT, Flown, Signal, decide, place, record
from review_case import CRS, RUN
from rich.console import Console
from typer.testing import CliRunner

from geoai.cli import app
from geoai.commands import policy
from geoai.config import HeightSettings
from geoai.errors import LedgerError
from geoai.ledger import Ledger
from geoai.lessons import Lessons, learn_from_ledger
from geoai.policy import read_learned
from geoai.publish.geopackage import write_tables
from geoai.publish.tables import DISCREPANCY, MAP_STATUS, REGISTRATION
from geoai.publish.tables import RUN as RUN_TABLE

COUNT = 40
HOUSES = {f"h{k}": (100.0 * (k % 8) + 20, 100.0 * (k // 8) + 20) for k in range(COUNT)}


def small(number: int) -> bool:
    """Whether a house's part is a patio roof, 4 m wide, and not an extension of 12 m."""
    return number % 2 == 0


@pytest.fixture
def data(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> Path:
    """Return a project's data: a ledger, and a run whose parts stand against the northern walls of houses."""
    signals, mapped = [], {}
    for number, (name, (x, y)) in enumerate(HOUSES.items()):
        mapped[name] = place(x, y, x + 12, y + 10)
        side = 4.0 if small(number) else 12.0
        signals.append(Signal(x, y + 10, "extended", side=side, ids=(name,)))
    flown = Flown(signals, mapped=mapped)
    rows = record(Ledger(tmp_path / "ledger.gpkg", CRS), flown)
    write_run(tmp_path, flown, rows)
    photo = np.full((3, 500, 500), 100, np.uint8)
    folder = tmp_path / "runs" / flown.flight / flown.run_id
    (folder / "photo").mkdir()
    write_orthophoto(folder / "photo" / "a.tif", photo, left=LEFT, top=BOTTOM + 1000, gsd_m=2.0)
    shutil.copy(folder / "photo" / "a.tif", folder / "orthophoto.vrt")
    return tmp_path


def write_run(data: Path, flown: Flown, rows: gpd.GeoDataFrame, shift_m: float = 0.0) -> Path:
    """Write what learning reads of a review, its map *shift_m* south of the imagery."""
    folder = data / "runs" / flown.flight / flown.run_id
    folder.mkdir(parents=True, exist_ok=True)
    outlines = [shapely.affinity.translate(each, 0, -shift_m) for each in flown.mapped.values()]
    status = gpd.GeoDataFrame(
        {"map_object_id": list(flown.mapped), "theme": "building", "status": "confirmed"},
        geometry=outlines,
        crs=CRS,
    )
    run = pd.DataFrame([{"run_id": flown.run_id, "flight_id": flown.flight, "started": RUN.started}])
    frames: dict[Any, Any] = {DISCREPANCY: rows.assign(reason="."), MAP_STATUS: status, RUN_TABLE: run}
    if shift_m:
        cells = gpd.GeoDataFrame(
            {"dx_m": 0.0, "dy_m": shift_m, "pairs": 12, "spread_m": 0.1, "source": "cell"},
            geometry=[
                shapely.box(LEFT + x, BOTTOM + y, LEFT + x + 500, BOTTOM + y + 500)
                for x in (0, 500)
                for y in (0, 500)
            ],
            index=range(4),
            crs=CRS,
        )
        frames[REGISTRATION] = cells
    write_tables(folder / "review.gpkg", frames, crs=CRS, language="en")
    return folder / "review.gpkg"


def review_of(data: Path) -> Path:
    (review,) = data.glob("runs/*/*/review.gpkg")
    return review


def judge(review: Path, count: int = COUNT) -> None:
    """Reject the first patio roofs of a review and confirm the first extensions."""
    with closing(sqlite3.connect(review)) as database:
        ids = [name for (name,) in database.execute("SELECT discrepancy_id FROM discrepancy ORDER BY fid")]
    for number, name in enumerate(ids[:count]):
        verdict = {"status": "rejected", "reject_reason": "patio_roof"} if small(number) else {}
        decide(review, name, **({"status": "confirmed"} | verdict))


def learned(data: Path) -> Lessons:
    return learn_from_ledger(Ledger(data / "ledger.gpkg", CRS), data / "runs", HeightSettings())


def test_a_review_of_a_run_teaches_what_was_rejected_in_it(data: Path) -> None:
    judge(review_of(data))
    lessons = learned(data)
    (model,) = lessons.models
    assert (lessons.verdicts, lessons.problems) == (COUNT, ())
    assert (model.class_name, model.reason, model.rejected, model.kept) == ("extended", "patio_roof", 20, 20)
    assert model.helps
    assert model.weight["area_m2"] < 0
    assert model.mean["attached"] == 1.0


def test_a_colleagues_copy_teaches_the_same_and_so_does_saying_it_twice(data: Path) -> None:
    copy = data / "from_a_colleague.gpkg"
    shutil.copy(review_of(data), copy)
    judge(copy)
    Ledger(data / "ledger.gpkg", CRS).import_reviews([copy])
    theirs = learned(data)
    assert theirs.verdicts == COUNT
    judge(review_of(data))
    assert learned(data) == theirs


def test_a_verdict_that_was_taken_back_teaches_nothing(data: Path) -> None:
    judge(review_of(data))
    assert learned(data).verdicts == COUNT
    with closing(sqlite3.connect(review_of(data))) as database:
        (name,) = database.execute("SELECT discrepancy_id FROM discrepancy WHERE fid = 1").fetchone()
    copy = data / "later.gpkg"
    shutil.copy(review_of(data), copy)
    decide(copy, name, "confirmed", by="Bo", at="2024-09-05")
    Ledger(data / "ledger.gpkg", CRS).import_reviews([copy])
    assert learned(data).verdicts == COUNT - 1, "two who contradict each other teach nothing"


def test_no_verdicts_and_too_few_teach_nothing(data: Path) -> None:
    assert (learned(data).models, learned(data).verdicts) == ((), 0)
    judge(review_of(data), count=29)
    assert (learned(data).models, learned(data).verdicts) == ((), 29)


def test_a_review_that_is_broken_is_told_in_a_line_and_its_signals_left_out(data: Path) -> None:
    copy = data / "from_a_colleague.gpkg"
    shutil.copy(review_of(data), copy)
    judge(copy)
    Ledger(data / "ledger.gpkg", CRS).import_reviews([copy])
    review_of(data).write_bytes(b"no database")
    lessons = learned(data)
    assert (lessons.models, lessons.verdicts) == ((), 0)
    refused, unread = lessons.problems
    assert "review.gpkg: expected a readable GeoPackage, found " in refused
    assert f"expected the run that holds {COUNT} decided signals, found " in unread
    assert "\n" not in unread


def test_a_run_whose_folder_is_gone_is_told_and_the_verdicts_of_others_count(
    data: Path, write_orthophoto: WriteOrthophoto
) -> None:
    judge(review_of(data))
    learned(data)
    shutil.rmtree(data / "runs" / "2024")
    lessons = learned(data)
    assert lessons.verdicts == 0
    (line,) = lessons.problems
    assert line.startswith(f"{data / 'runs' / '2024' / '2024-a'}: expected the run that holds 40 decided")


def test_a_review_of_an_older_version_teaches_what_it_can_say(data: Path) -> None:
    judge(review_of(data))
    with closing(sqlite3.connect(review_of(data))) as database, database:
        for column in ("comment", "field_visit"):
            database.execute(f"ALTER TABLE discrepancy DROP COLUMN {column}")
    assert learned(data).verdicts == COUNT
    assert len(learned(data).models) == 1


def test_a_part_stands_against_its_house_also_where_the_map_lies_beside_the_imagery(data: Path) -> None:
    review = review_of(data)
    rows = gpd.read_file(review, layer="discrepancy", engine="pyogrio")
    rows["reviewed_at"] = pd.NaT
    mapped = {name: place(x, y, x + 12, y + 10) for name, (x, y) in HOUSES.items()}
    review.unlink()
    judge(write_run(data, Flown([], mapped=mapped), rows, shift_m=2.5))
    (model,) = learned(data).models
    assert model.mean["attached"] == 1.0


def test_without_a_ledger_there_is_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"ledger\.gpkg: expected the ledger that the first run makes"):
        learned(tmp_path)


# --- the command -----------------------------------------------------------------------------------------


@pytest.fixture
def config(data: Path) -> Path:
    path = data / "town.yaml"
    path.write_text(f"crs: {CRS}\ndata: {data}\n")
    return path


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "console", Console(width=300))


@pytest.mark.usefixtures("wide")
def test_the_command_says_what_it_learned_and_writes_it_down(data: Path, config: Path) -> None:
    judge(review_of(data))
    done = CliRunner().invoke(app, ["policy", "learn", "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert f"{COUNT} verdicts" in done.output
    (row,) = [line for line in done.output.splitlines() if "patio_roof" in line]
    assert [cell.strip() for cell in row.split("│")[1:6]] == ["extended", "patio_roof", "20", "20", "20"]
    assert row.split("│")[-2].strip() == "yes"
    (model,) = read_learned(data / "policy.json")
    assert model.helps
    assert json.loads((data / "policy.json").read_text())["models"][0]["used"] is True


@pytest.mark.usefixtures("wide")
def test_the_command_tells_too_few_verdicts_and_what_could_not_be_read(data: Path, config: Path) -> None:
    review_of(data).write_bytes(b"no database")
    done = CliRunner().invoke(app, ["policy", "learn", "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert "0 verdicts" in done.output
    assert "too few verdicts of one class and reason: 30 are asked for" in done.output
    assert "review.gpkg: expected a readable GeoPackage" in done.output
    assert read_learned(data / "policy.json") == []
