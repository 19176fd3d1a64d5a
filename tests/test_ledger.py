"""What is remembered over runs and flights: who a signal is, what was decided, and when it is asked again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_case import (
    ALL,
    CRS,
    Flown,
    Signal,
    decide,
    dump,
    frame_of,
    place,
    record,
    state,
    write_review,
)

from geoai.errors import LedgerError
from geoai.identity import MIN_IOU, carried_from
from geoai.ledger import Ledger
from geoai.publish.texts import REOPENED

NEW, SHED, HOUSE = Signal(10, 10), Signal(60, 10), Signal(110, 10, "demolished", ids=("x",), p=0.01)
MAP = {"x": place(110, 10, 120, 20)}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "data" / "ledger.gpkg", CRS)


@contextmanager
def new_ledger() -> Iterator[Ledger]:
    """Give an empty ledger for one example of a law."""
    with tempfile.TemporaryDirectory() as folder:
        yield Ledger(Path(folder) / "ledger.gpkg", CRS)


def at(rows: gpd.GeoDataFrame, where: Signal) -> Any:
    """Return the one row that lies at *where*."""
    (row,) = [
        row
        for row, inside in zip(rows.itertuples(), rows.intersects(where.square.centroid), strict=True)
        if inside
    ]
    return row


# --- who a signal is -------------------------------------------------------------------------------------

squares = st.lists(
    st.builds(
        Signal,
        x=st.integers(0, 30).map(float),
        y=st.integers(0, 30).map(float),
        code=st.sampled_from(["missing", "demolished", "extended"]),
        side=st.sampled_from([2.0, 6.0, 10.0]),
        ids=st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
    ),
    max_size=12,
    unique_by=lambda each: (each.x, each.y, each.side, each.code, each.ids),
)


def places(signals: list[Signal]) -> gpd.GeoDataFrame:
    """Return what tells signals apart, and no more: frames are slow to make."""
    columns = {
        "family": ["extent" if each.code == "extended" else "presence" for each in signals],
        "theme": ["building"] * len(signals),
        "map_object_ids": [json.dumps(each.ids) for each in signals],
        "tolerance_m": np.full(len(signals), np.nan),
    }
    return gpd.GeoDataFrame(columns, geometry=[each.square for each in signals], crs=CRS)


@given(squares, squares, st.randoms())
@settings(max_examples=examples(25))
def test_order_of_rows_and_side_make_no_difference_to_who_is_who(
    new: list[Signal], old: list[Signal], random: Any
) -> None:
    pairs = {(new[a], old[b]) for a, b in enumerate(carried_from(places(new), places(old))) if b >= 0}
    assert len({b for _, b in pairs}) == len(pairs), "an old signal is carried on once"
    mixed, others = random.sample(new, len(new)), random.sample(old, len(old))
    again = carried_from(places(mixed), places(others))
    assert {(mixed[a], others[b]) for a, b in enumerate(again) if b >= 0} == pairs


@given(squares, squares)
@settings(max_examples=examples(25))
def test_only_the_same_signal_is_carried_on_and_none_that_could_be_is_left(
    new: list[Signal], old: list[Signal]
) -> None:
    def same(a: Signal, b: Signal) -> bool:
        ours, theirs = a.square, b.square
        iou = ours.intersection(theirs).area / ours.union(theirs).area
        family = (a.code == "extended") == (b.code == "extended")
        near = ours.centroid.distance(theirs.centroid) <= 0.6
        return family and (bool(set(a.ids) & set(b.ids)) or iou >= MIN_IOU or near)

    carried = carried_from(places(new), places(old))
    free = [b for k, b in enumerate(old) if k not in carried]
    for each, number in zip(new, carried, strict=True):
        if number >= 0:
            assert same(each, old[number])
        else:
            assert not any(same(each, b) for b in free)


def test_the_best_pair_comes_first() -> None:
    old = [Signal(0, 0), Signal(6, 0)]
    assert carried_from(frame_of([Signal(4, 0)]), frame_of(old)).tolist() == [1]
    shared = [Signal(0, 0, "demolished", ids=("a",)), Signal(1, 0, "demolished", ids=("b",))]
    assert carried_from(frame_of([replace(shared[1], x=0.0)]), frame_of(shared)).tolist() == [1]


def test_a_signal_far_off_is_the_same_where_its_mapped_object_is() -> None:
    old, new = Signal(0, 0, "extended", ids=("a",)), Signal(30, 0, "reduced", ids=("c", "a"))
    assert carried_from(frame_of([new]), frame_of([old])).tolist() == [0]
    assert carried_from(frame_of([replace(new, ids=("c",))]), frame_of([old])).tolist() == [-1]


def test_stretches_of_one_line_are_the_same_only_where_they_meet() -> None:
    """A road is long: what was said of one end of it says nothing of the other."""

    def stretches(*places: tuple[float, float]) -> gpd.GeoDataFrame:
        signals = [Signal(x, 0, "obsolete", ids=("r1",)) for x, _ in places]
        strips = [shapely.MultiPolygon([place(x, 0, x + length, 6)]) for x, length in places]
        return frame_of(signals).assign(family="stretch").set_geometry(strips, crs=CRS)

    assert carried_from(stretches((500, 80)), stretches((0, 80))).tolist() == [-1]
    assert carried_from(stretches((0, 400)), stretches((0, 80))).tolist() == [0]  # IoU 0.2, and one line
    assert carried_from(stretches((500, 80), (10, 80)), stretches((0, 80), (480, 90))).tolist() == [1, 0]
    other = stretches((0, 400)).assign(map_object_ids='["r2"]')
    assert carried_from(other, stretches((0, 80))).tolist() == [-1]


def test_nothing_is_carried_on_where_there_is_nothing(ledger: Ledger) -> None:
    assert carried_from(frame_of([]), frame_of([NEW])).tolist() == []
    assert carried_from(frame_of([NEW]), frame_of([])).tolist() == [-1]
    assert record(ledger, Flown([])).empty
    assert record(ledger, Flown([], config="b")).empty


# --- runs and flights ------------------------------------------------------------------------------------


def test_first_run_gives_random_ids_and_all_is_new(ledger: Ledger, tmp_path: Path) -> None:
    rows = record(ledger, Flown([NEW, SHED]))
    other = record(Ledger(tmp_path / "other.gpkg", CRS), Flown([NEW, SHED]))
    assert rows["discrepancy_id"].str.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}").all()
    assert not set(rows["discrepancy_id"]) & set(other["discrepancy_id"])
    assert set(rows["lifecycle"]) == {"new"}
    assert set(rows["status"]) == {"open"}
    assert set(rows["first_seen"]) == set(rows["last_seen"]) == {pd.Timestamp("2024-05-14", tz="UTC")}
    assert set(rows["n_seen"]) == {1}


def test_the_same_run_again_is_the_same_to_the_letter(ledger: Ledger) -> None:
    flown = Flown([NEW, HOUSE], mapped=MAP)
    first = record(ledger, flown)
    record(ledger, replace(flown, config="b", signals=[NEW]))
    before = dump(ledger, "signal", "sighting", "run", "verdict")
    again = record(ledger, flown)
    pd.testing.assert_frame_equal(
        pd.DataFrame(again),
        pd.DataFrame(first).assign(
            lifecycle=["new", "gone"]  # what a later run of the same flight no longer found
        ),
    )
    assert dump(ledger, "signal", "sighting", "run", "verdict") == before


def test_other_settings_keep_the_ids_and_say_what_is_gone(ledger: Ledger) -> None:
    first = record(ledger, Flown([NEW, SHED]))
    second = record(ledger, Flown([Signal(12, 10), Signal(200, 200)], config="b"))
    assert second["lifecycle"].tolist() == ["persisting", "new", "gone"]
    assert second["discrepancy_id"][0] == first["discrepancy_id"][0]
    gone = second.iloc[2]
    assert gone["discrepancy_id"] == first["discrepancy_id"][1]
    assert gone.geometry.equals(SHED.square)
    assert (gone["run_id"], gone["n_seen"], gone["p_mean"]) == ("2024-a", 1, 0.9)
    third = record(ledger, Flown([NEW], config="c"))
    assert third["lifecycle"].tolist() == ["persisting", "gone"], "what was gone is not told again"


def test_a_signal_that_comes_back_is_the_one_it_was(ledger: Ledger) -> None:
    first = record(ledger, Flown([NEW], "2022"))
    record(ledger, Flown([], "2023"))
    (back,) = record(ledger, Flown([NEW], "2024")).itertuples()
    assert back.discrepancy_id == first["discrepancy_id"][0]
    assert (back.lifecycle, back.n_seen, back.first_seen.year, back.last_seen.year) == (
        "persisting",
        2,
        2022,
        2024,
    )


def test_what_a_flight_does_not_show_stays_as_it_was(ledger: Ledger) -> None:
    record(ledger, Flown([NEW, SHED, HOUSE], mapped=MAP))
    west = record(ledger, Flown([], "2025", area=(0, 0, 65, 100), mapped=MAP))
    assert west["lifecycle"].tolist() == ["gone", "persisting"], "half of the shed is shown, the house is not"
    assert state(ledger)["lifecycle"].tolist().count("seen") == 2


def test_what_cannot_be_assessed_stays_open(ledger: Ledger) -> None:
    first = record(ledger, Flown([HOUSE], mapped=MAP))
    again = record(ledger, Flown([], "2025", mapped=MAP, hidden=("x",)))
    assert (again["lifecycle"].item(), again["status"].item()) == ("persisting", "open")
    assert again["discrepancy_id"].item() == first["discrepancy_id"].item()
    assert again["last_seen"].item().year == 2024


@pytest.mark.parametrize(
    ("signal", "after"),
    [
        (HOUSE, {}),
        (HOUSE, {"x": place(110, 10, 115, 20)}),
        (Signal(110, 10, "extended", ids=("x",)), {"x": place(110, 10, 130, 20)}),
        (Signal(10, 10), MAP | {"y": place(9, 10, 21, 20)}),
    ],
    ids=["removed", "redrawn", "extended", "drawn"],
)
def test_a_signal_is_corrected_where_the_map_was_edited_and_it_is_gone(
    ledger: Ledger, signal: Signal, after: dict[str, Any]
) -> None:
    record(ledger, Flown([signal], mapped=MAP))
    rows = record(ledger, Flown([], config="b", mapped=after))
    assert (rows["lifecycle"].item(), rows["status"].item()) == ("gone", "fixed")
    unchanged = record(ledger, Flown([], config="c", mapped=after))
    assert unchanged.empty
    assert state(ledger)["status"].tolist() == ["fixed"]


def test_a_signal_that_is_gone_from_an_unchanged_map_is_not_called_corrected(ledger: Ledger) -> None:
    record(ledger, Flown([HOUSE], mapped=MAP))
    rows = record(ledger, Flown([], "2025", mapped=MAP | {"y": place(300, 300, 310, 310)}))
    assert (rows["lifecycle"].item(), rows["status"].item()) == ("gone", "open")


runs = st.lists(
    st.builds(
        Flown,
        signals=st.sets(st.sampled_from([NEW, SHED, HOUSE])).map(lambda s: sorted(s, key=lambda e: e.x)),
        flight=st.just("2020"),
        area=st.sampled_from([ALL, (0.0, 0.0, 80.0, 100.0)]),
        mapped=st.just(MAP),
    ),
    min_size=2,
    max_size=3,
)


@pytest.mark.slow
@given(runs)
@settings(max_examples=examples(8))
def test_flights_in_any_order_end_in_the_same_open_signals(flown: list[Flown]) -> None:
    dated = [
        replace(
            each,
            flight=str(2020 + k),
            signals=[s for s in each.signals if place(*each.area).covers(s.square)],
        )
        for k, each in enumerate(flown)
    ]
    ends = []
    for order in permutations(dated):
        with new_ledger() as ledger:
            for each in order:
                record(ledger, each)
            ends.append(state(ledger))
    for end in ends[1:]:
        pd.testing.assert_frame_equal(end, ends[0])


def test_an_older_flight_is_not_asked_about_what_a_newer_one_ended(ledger: Ledger) -> None:
    record(ledger, Flown([], "2026"))
    old = record(ledger, Flown([NEW], "2022"))
    assert old["lifecycle"].tolist() == ["gone"]


# --- decisions -------------------------------------------------------------------------------------------


def reviewed(ledger: Ledger, rows: gpd.GeoDataFrame, name: str = "review", run_id: str = "") -> Path:
    return write_review(ledger.path.parent / f"{name}.gpkg", rows, run_id or rows["run_id"].iloc[0])


def rejected(ledger: Ledger, signal: Signal = NEW, **flown: Any) -> str:
    """Record a run in which *signal* is rejected, and return its id."""
    rows = record(ledger, Flown([signal], **flown))
    review = reviewed(ledger, rows)
    decide(review, at(rows, signal).discrepancy_id, "rejected", reject_reason="shadow", comment="skugga")
    results, conflicts = ledger.import_reviews([review])
    assert (results[0].said, results[0].new, results[0].problems, conflicts) == (1, 1, (), [])
    return str(at(rows, signal).discrepancy_id)


def test_a_decision_is_carried_to_the_next_run_as_it_was_written(ledger: Ledger) -> None:
    name = rejected(ledger)
    (row,) = record(ledger, Flown([Signal(11, 10)], "2026")).itertuples()
    assert (row.discrepancy_id, row.status, row.reject_reason, row.comment, row.reviewed_by) == (
        name, "rejected", "shadow", "skugga", "Anna",
    )  # fmt: skip
    assert row.reviewed_at == pd.Timestamp("2024-09-01T10:00Z")
    assert row.reopened_because is None


@pytest.mark.parametrize(
    ("code", "now", "more"),
    [
        ("area", Signal(10, 10, side=11.5), {}),
        ("class", Signal(10, 10, "below_min"), {}),
        ("confidence", Signal(10, 10, p=0.95), {"flight": "2025"}),
        ("expired", Signal(10, 10, p=0.7), {"flight": "2030"}),
    ],
)
def test_a_rejection_is_asked_again_for_a_reason(
    ledger: Ledger, code: str, now: Signal, more: dict[str, Any]
) -> None:
    name = rejected(ledger, Signal(10, 10, p=0.7))
    (row,) = record(ledger, Flown([now], config="b", **more)).itertuples()
    assert (row.discrepancy_id, row.status, row.comment) == (name, "open", "skugga")
    assert pd.isna(row.reviewed_by)
    words = REOPENED[code].en.split("{")[0]
    assert words.strip() in row.reopened_because.lower()
    back = record(ledger, Flown([Signal(10, 10, p=0.7)], config="c", flight="2025"))
    assert back["status"].item() == "rejected", "what was rejected is there again"


@pytest.mark.parametrize(
    ("now", "more"),
    [
        (Signal(10, 10, side=11.3, p=0.7), {}),
        (Signal(10, 10, p=0.95), {}),
        (Signal(10, 10, p=0.89), {"flight": "2025"}),
        (Signal(10, 10, p=0.95, confidence=0.8), {"flight": "2025"}),
        (Signal(10, 10, p=0.7), {"flight": "2029"}),
        (Signal(10, 10, "below_min", side=15), {"flight": "2020"}),
    ],
    ids=[
        "27 % larger",
        "surer, same flight",
        "a little surer",
        "confidence alike",
        "4.7 years",
        "older flight",
    ],
)
def test_a_rejection_stays_silent_otherwise(ledger: Ledger, now: Signal, more: dict[str, Any]) -> None:
    rejected(ledger, Signal(10, 10, p=0.7, confidence=0.75))
    (row,) = record(ledger, Flown([now], config="b", **more)).itertuples()
    assert (row.status, row.reopened_because) == ("rejected", None)


def test_a_rejection_is_asked_again_where_the_mapped_object_changed(ledger: Ledger) -> None:
    rejected(ledger, HOUSE, mapped=MAP)
    same = record(ledger, Flown([HOUSE], config="b", mapped=MAP))
    assert same["status"].item() == "rejected"
    moved = record(ledger, Flown([HOUSE], config="c", mapped={"x": place(110, 10, 121, 20)}), language="sv")
    assert (moved["status"].item(), moved["reopened_because"].item()) == ("open", "Kartobjektet har ändrats")


def test_a_confirmed_signal_stays_confirmed_and_ends_corrected(ledger: Ledger) -> None:
    rows = record(ledger, Flown([NEW]))
    review = reviewed(ledger, rows)
    decide(review, rows["discrepancy_id"][0], "confirmed", field_visit=1)
    ledger.import_reviews([review])
    (row,) = record(ledger, Flown([Signal(10, 10, side=12)], "2025")).itertuples()
    assert (row.status, row.field_visit, row.reviewed_by) == ("confirmed", True, "Anna")
    (row,) = record(ledger, Flown([], "2025", config="b", mapped={"y": NEW.square})).itertuples()
    assert (row.lifecycle, row.status) == ("gone", "fixed")


def test_a_rejected_signal_that_vanishes_is_silent(ledger: Ledger) -> None:
    rejected(ledger)
    assert record(ledger, Flown([], "2025")).empty
    assert state(ledger)["status"].tolist() == ["rejected"]


def test_what_a_review_showed_is_not_said_again(ledger: Ledger) -> None:
    rejected(ledger)
    again = reviewed(ledger, record(ledger, Flown([NEW, SHED], config="b")), "again")
    results, _ = ledger.import_reviews([again])
    assert (results[0].said, results[0].new) == (0, 0)


def test_a_decision_that_is_taken_back_is_open_with_its_reason(ledger: Ledger) -> None:
    name = rejected(ledger)
    review = reviewed(ledger, record(ledger, Flown([NEW], config="b")), "again")
    decide(review, name, "open")
    ledger.import_reviews([review])
    (row,) = record(ledger, Flown([NEW], config="c")).itertuples()
    assert (row.status, row.reopened_because) == ("open", "The decision was taken back")


def test_a_note_on_an_open_signal_is_kept(ledger: Ledger) -> None:
    rows = record(ledger, Flown([NEW]))
    review = reviewed(ledger, rows)
    decide(review, rows["discrepancy_id"][0], "open", comment="fråga Bo", field_visit=1)
    ledger.import_reviews([review])
    (row,) = record(ledger, Flown([NEW], config="b")).itertuples()
    assert (row.status, row.comment, row.field_visit, row.reopened_because) == (
        "open",
        "fråga Bo",
        True,
        None,
    )


def copies(ledger: Ledger, *decisions: tuple[str, str, str]) -> tuple[str, list[Path]]:
    """Record a run and give a copy of its review to each (person, day, status)."""
    rows = record(ledger, Flown([NEW]))
    review = reviewed(ledger, rows)
    name = str(rows["discrepancy_id"][0])
    paths = []
    for who, when, status in decisions:
        paths.append(Path(shutil.copy(review, review.with_name(f"{who}-{when}.gpkg"))))
        decide(paths[-1], name, status, who, when)
    return name, paths


def test_reviewers_who_contradict_each_other_are_told_and_nothing_is_guessed(ledger: Ledger) -> None:
    name, paths = copies(ledger, ("Anna", "2024-09-01", "confirmed"), ("Bo", "2024-09-09", "rejected"))
    _, conflicts = ledger.import_reviews(paths)
    assert conflicts == [
        f"{name}: expected one verdict, found Anna: confirmed 2024-09-01; Bo: rejected 2024-09-09; left open"
    ]
    rows = record(ledger, Flown([NEW], config="b"))
    assert rows["status"].item() == "open"
    assert rows["reopened_because"].item().startswith("Reviewers disagree (Anna: confirmed")
    review = reviewed(ledger, rows, "again")
    decide(review, name, "confirmed", "Cecilia", "2024-09-20")
    assert ledger.import_reviews([review])[1] == [], "who saw both decides"
    assert record(ledger, Flown([NEW], config="c"))["status"].item() == "confirmed"


def test_reviewers_who_come_to_agree_are_no_conflict(ledger: Ledger) -> None:
    _, paths = copies(
        ledger,
        ("Anna", "2024-09-01", "confirmed"),
        ("Bo", "2024-09-09", "rejected"),
        ("Anna", "2024-09-10", "rejected"),
    )
    assert len(ledger.import_reviews(paths[:2])[1]) == 1
    assert ledger.import_reviews(paths[2:])[1] == []
    assert state(ledger)["status"].tolist() == ["rejected"]


def test_the_newest_decision_wins_where_none_contradicts(ledger: Ledger) -> None:
    _, paths = copies(
        ledger,
        ("Anna", "2024-09-01", "rejected"),
        ("Anna", "2024-09-10", "confirmed"),
        ("Bo", "2024-09-12", "fixed"),
        ("Cecilia", "2024-09-02", "unclear"),
    )
    assert ledger.import_reviews(paths)[1] == []
    assert state(ledger)["status"].tolist() == ["fixed"]


verdicts = st.lists(
    st.tuples(
        st.sampled_from(["Anna", "Bo", ""]),
        st.sampled_from(["2024-09-01", "2024-09-02", "2024-09-03"]),
        st.sampled_from(["confirmed", "rejected", "unclear", "fixed", "open"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda each: each[:2],
)


@given(verdicts, st.randoms())
@settings(max_examples=examples(12))
def test_reading_reviews_twice_or_in_another_order_changes_nothing(
    said: list[tuple[str, str, str]], random: Any
) -> None:
    with new_ledger() as ledger:
        _, paths = copies(ledger, *said)
        empty = ledger.path.read_bytes()
        kept = "SELECT signal, run, known_after, status, comment, reviewed_by, reviewed_at FROM verdict"

        def after(order: list[Path]) -> Any:
            conflicts = ledger.import_reviews(order)[1]
            with closing(sqlite3.connect(ledger.path)) as database:
                return conflicts, sorted(database.execute(kept).fetchall()), state(ledger)["status"].tolist()

        first = after(paths)
        assert after(paths) == first
        ledger.path.write_bytes(empty)
        assert after(random.sample(paths, len(paths))) == first


steps = st.lists(
    st.tuples(
        st.sampled_from([2018, 2024, 2025, 2031]),
        st.sampled_from([8.0, 10.0, 13.0]),
        st.sampled_from(["missing", "below_min"]),
        st.sampled_from([0.5, 0.95]),
        st.booleans(),
        st.sampled_from(["rejected", "open", None]),
        st.booleans(),
    ),
    min_size=2,
    max_size=5,
)


@given(steps)
@settings(max_examples=examples(12))
def test_a_rejected_signal_never_returns_as_open_without_a_reason(steps: list[Any]) -> None:
    with new_ledger() as ledger:
        ids: set[str] = set()
        said: list[Any] = []
        was_rejected = False
        for number, (year, side, code, p, shown, status, read) in enumerate(steps):
            signals = [Signal(10, 10, code, side, p=p)] if shown else []
            rows = record(ledger, Flown([*signals, SHED], str(year), config=str(number)))
            about = rows[rows.intersects(Signal(10, 10, side=2).square)]
            assert rows["discrepancy_id"].is_unique
            assert len(about) <= 1, "a signal is one row"
            for row in about.itertuples():
                if was_rejected and row.status == "open":
                    assert row.reopened_because
                review = reviewed(ledger, rows, str(number), f"{year}-{number}")
                if status is not None:
                    decide(review, row.discrepancy_id, status, at=f"{2024 + number}-09-01")
                if read:
                    ledger.import_reviews([review])
                    was_rejected |= status == "rejected" or (row.status == "rejected" and status is None)
            kept = {row[2] for row in dump(ledger, "signal")}
            assert kept >= ids, "nothing is deleted"
            ids = kept
            heard = [row[4:] for row in dump(ledger, "verdict")]
            assert heard[: len(said)] == said
            said = heard
        assert len(ids) == 1 + any(step[4] for step in steps), "each signal is one row of the ledger"


# --- bad input -------------------------------------------------------------------------------------------


def test_an_unusable_review_is_one_line_and_the_others_are_read(ledger: Ledger, tmp_path: Path) -> None:
    _, (good,) = copies(ledger, ("Anna", "2024-09-01", "rejected"))
    (tmp_path / "text.gpkg").write_text("no database")
    other = record(Ledger(tmp_path / "other.gpkg", CRS), Flown([NEW]))
    write_review(tmp_path / "stranger.gpkg", other, "2024-a")
    write_review(tmp_path / "elsewhere.gpkg", other.to_crs(3008), "2024-a", crs="EPSG:3008")
    with closing(sqlite3.connect(tmp_path / "empty.gpkg")) as database:
        database.execute("CREATE TABLE t (x)")
    names = ["text", "none", "stranger", "elsewhere", "empty"]
    results, _ = ledger.import_reviews([*(tmp_path / f"{each}.gpkg" for each in names), good])
    lines = [line for each in results for line in each.problems]
    assert [line.removeprefix(f"{tmp_path}/") for line in lines] == [
        "text.gpkg: expected a readable GeoPackage, found file is not a database",
        "none.gpkg: expected a reviewed GeoPackage, found no file",
        "stranger.gpkg: expected a review of this project, found none of its 1 ids here",
        "elsewhere.gpkg: expected a review in EPSG:3006, found EPSG:3008",
        "empty.gpkg: expected a review with discrepancy_id and status, found no table discrepancy",
    ]
    assert [each.refused for each in results] == [True] * 5 + [False]
    assert state(ledger)["status"].tolist() == ["rejected"]


def test_unknown_ids_and_codes_are_told_and_the_rest_is_kept(ledger: Ledger) -> None:
    rows = record(ledger, Flown([NEW, SHED, HOUSE], mapped=MAP))
    review = reviewed(ledger, rows)
    loosened = review.with_name("loosened.gpkg")
    pyogrio.write_dataframe(
        pyogrio.read_dataframe(review, layer="discrepancy"), loosened, layer="discrepancy"
    )
    first, second, third = rows["discrepancy_id"]
    decide(loosened, first, "maybe")
    decide(loosened, second, "rejected", reject_reason="ghost", discrepancy_id="unheard-of")
    decide(loosened, third, "rejected", reject_reason="ghost", comment="hm", reviewed_at="yesterday")
    (result,), _ = ledger.import_reviews([loosened])
    assert [line.removeprefix(f"{loosened}: ") for line in result.problems] == [
        "expected a known reject_reason, found 'ghost'; kept in the comment",
        "expected a status of open, confirmed, rejected, fixed, unclear, found 'maybe' in 1 row",
        "expected a time in reviewed_at, found 'yesterday'; kept in the comment",
        "expected ids of this project, found 1 unknown ones, 1 with a decision, such as unheard-of",
    ]
    assert (result.said, result.new) == (1, 1)
    again = record(ledger, Flown([NEW, SHED, HOUSE], config="b", mapped=MAP)).set_index("discrepancy_id")
    assert again["status"].to_dict() == {first: "open", second: "open", third: "rejected"}
    assert (again["reject_reason"][third], again["comment"][third]) == ("other", "hm (ghost) (yesterday)")


def test_a_review_of_an_older_schema_is_read(ledger: Ledger, tmp_path: Path) -> None:
    rows = record(ledger, Flown([NEW]))
    old = rows[["discrepancy_id", "geometry"]].assign(status="rejected")
    old.to_file(tmp_path / "old.gpkg", layer="discrepancy")
    (result,), _ = ledger.import_reviews([tmp_path / "old.gpkg"])
    assert (result.said, result.problems) == (1, ())
    assert record(ledger, Flown([NEW], config="b"))["status"].item() == "rejected"


def test_a_locked_review_is_one_line(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoai.publish.geopackage.BUSY_S", 0.1)
    _, (path,) = copies(ledger, ("Anna", "2024-09-01", "rejected"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        (result,), _ = ledger.import_reviews([path])
    assert result.problems == (f"{path}: expected a readable GeoPackage, found database is locked",)
    assert ledger.import_reviews([path])[0][0].new == 1


def test_a_review_that_is_open_in_wal_mode_is_read_whole_and_left_as_it_is(ledger: Ledger) -> None:
    name, (path,) = copies(ledger, ("Anna", "2024-09-01", "unclear"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal").fetchall()
        database.execute("SELECT count(*) FROM discrepancy").fetchall()
        decide(path, name, "rejected", "Anna", "2024-09-02")  # lies in the log
        assert path.with_name(f"{path.name}-wal").stat().st_size > 0
        ledger.import_reviews([path])
    assert state(ledger)["status"].tolist() == ["rejected"]
    before = {each.name: each.read_bytes() for each in path.parent.iterdir() if each != ledger.path}
    ledger.import_reviews([path])
    assert {each.name: each.read_bytes() for each in path.parent.iterdir() if each != ledger.path} == before


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (
            "UPDATE ledger SET value = 'EPSG:3008' WHERE key = 'crs'",
            "a ledger of crs EPSG:3006, found EPSG:3008",
        ),
        ("UPDATE ledger SET value = '9' WHERE key = 'schema'", "a ledger of schema 1, found 9"),
        ("DROP TABLE ledger", "a ledger of geoai, found another file"),
    ],
)
def test_a_ledger_of_another_kind_is_refused_in_one_line(ledger: Ledger, spoil: str, found: str) -> None:
    record(ledger, Flown([NEW]))
    with closing(sqlite3.connect(ledger.path)) as database, database:
        database.execute(spoil)
    before = ledger.path.read_bytes()
    for refused in (ledger.check, lambda: record(ledger, Flown([NEW])), lambda: ledger.import_reviews([])):
        with pytest.raises(LedgerError) as error:
            refused()
        assert str(error.value) == f"{ledger.path}: expected {found}"
    assert ledger.path.read_bytes() == before


def test_a_ledger_of_another_place_is_refused(ledger: Ledger) -> None:
    record(ledger, Flown([NEW]))
    before = ledger.path.read_bytes()
    with pytest.raises(
        LedgerError, match=r"expected the ledger of this place, found one whose .* 19[0-9] km"
    ):
        record(ledger, Flown([], "2025", area=(200_000.0, 0.0, 200_100.0, 100.0)))
    assert ledger.path.read_bytes() == before


def test_there_is_no_ledger_before_the_first_run(ledger: Ledger) -> None:
    ledger.check()
    assert ledger.import_runs(ledger.path.parent) == []
    with pytest.raises(LedgerError, match=r"expected the ledger that the first run makes, found none"):
        ledger.import_reviews([])
    assert not ledger.path.exists()


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ledger_case import CRS, Flown, Signal, record
import geoai.ledger as module
module._refresh = lambda database: (print("written", flush=True), time.sleep(60))
record(module.Ledger(Path(sys.argv[2]), CRS), Flown([Signal(10, 10), Signal(60, 10)], "2025"))
"""


@pytest.mark.slow
def test_a_killed_run_leaves_the_ledger_as_it_was(ledger: Ledger) -> None:
    first = record(ledger, Flown([NEW]))
    before = dump(ledger, "signal", "sighting", "run")
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(ledger.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ), text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert dump(ledger, "signal", "sighting", "run") == before
    rows = record(ledger, Flown([NEW, SHED], "2025"))
    assert rows["discrepancy_id"][0] == first["discrepancy_id"][0]
    assert [path.name for path in ledger.path.parent.iterdir()] == ["ledger.gpkg"], "no journal is left"


def test_the_ledger_opens_as_a_layer(ledger: Ledger) -> None:
    record(ledger, Flown([NEW, HOUSE], mapped=MAP))
    layer = gpd.read_file(ledger.path, layer="signal")
    assert layer.crs == CRS
    assert sorted(layer["class"]) == ["demolished", "missing"]
    assert any(shapely.equals(layer.geometry.to_numpy(), NEW.square))


@pytest.mark.slow
def test_a_hundred_thousand_signals_keep_their_ids(ledger: Ledger) -> None:
    rng = np.random.default_rng(1)
    x, y = (grid.ravel() * 20.0 for grid in np.mgrid[0:320, 0:320])
    signals = [Signal(a, b) for a, b in zip(x, y, strict=True)][:100_000]
    area = (0.0, 0.0, 7000.0, 7000.0)
    first = record(ledger, Flown(signals, area=area))
    moved = [
        replace(each, x=each.x + dx)
        for each, dx in zip(signals, rng.uniform(0, 3, len(signals)), strict=True)
    ]
    again = record(ledger, Flown(moved, "2025", area=area))
    assert again["discrepancy_id"].tolist() == first["discrepancy_id"].tolist()
