"""The standing review of a flight: what people wrote stays, whatever runs bring and wherever they are cut."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_case import Signal
from merge_case import Interrupted, Project, check_file, edit, id_at, on_statement, query, rows_of, waiting

from geoai import merging
from geoai.errors import MergeError
from geoai.merging import MEASURED
from geoai.publish.functions import register_functions
from geoai.verdicts import Said, said_in

REVIEWER = tuple(Said._fields)
PLACES = [Signal(40.0 * number, 0.0) for number in range(5)]
A, B, C = PLACES[:3]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.at(tmp_path)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "TRY_S", 0.01)
    monkeypatch.setattr(merging, "WAIT_S", 0.05)


# --- laws ------------------------------------------------------------------------------------------------

sides = st.tuples(*[st.sampled_from([0, 10, 10, 16])] * len(PLACES))
"""What a run sees at each place: nothing, the signal, or one so large that a rejection is asked again."""
who = st.integers(0, len(PLACES) - 1)
decisions = st.tuples(
    who,
    st.sampled_from(["confirmed", "rejected", "unclear", "note", "back"]),
    st.sampled_from(["Anna", "Bo"]),
)
interruptions = st.one_of(
    st.none(),
    st.tuples(st.just("kill"), st.integers(1, 60)),
    st.tuples(st.just("edit"), st.integers(1, 60), decisions),
    st.tuples(st.just("held"), decisions),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("run"), sides, interruptions),
        st.tuples(st.just("run"), sides, interruptions),
        st.tuples(st.just("again"), st.integers(0, 5), interruptions),
        st.tuples(st.just("decide"), decisions),
        st.tuples(st.just("decide"), decisions),
        st.tuples(st.just("copy"), decisions),
        st.tuples(st.just("answer"), st.integers(0, 20)),
    ),
    min_size=2,
    max_size=8,
)


class World:
    """A project, people who write into its standing review, and what must be true of it at any time."""

    def __init__(self, root: Path) -> None:
        self.project = Project.at(root)
        self.said: dict[str, tuple[Any, ...]] = {}  # the last words of people in the file, by signal
        self.heard: dict[str, tuple[Any, ...]] = {}  # those that a whole merge began with
        self.taken_back: dict[str, tuple[Any, ...]] = {}
        self.answers: dict[str, str] = {}  # to the sample, by its id
        self.fids: dict[str, int] = {}
        self.minute = 0

    def words(self, status: str, by: str) -> dict[str, Any]:
        self.minute += 1
        comment = f"word {self.minute}"
        if status == "back":
            return dict(zip(REVIEWER, ("open", None, 0, None, None, None), strict=True))
        if status == "note":
            return dict(zip(REVIEWER, ("open", None, 1, comment, None, None), strict=True))
        at = f"2040-01-01T{self.minute // 60:02d}:{self.minute % 60:02d}:00.000Z"
        reason = "shadow" if status == "rejected" else None
        return dict(zip(REVIEWER, (status, reason, 0, comment, by, at), strict=True))

    def name_of(self, place: int) -> str | None:
        with suppress(ValueError):
            return id_at(self.project.current, PLACES[place])
        return None

    def decide(self, place: int, status: str, by: str) -> None:
        name, words = self.name_of(place), self.words(status, by)
        if name is not None:
            before = rows_of(self.project.current, *REVIEWER)[name]
            if edit(self.project.current, name, words):
                self.note(name, before, words)

    def note(self, name: str, before: tuple[Any, ...], words: dict[str, Any]) -> None:
        self.said[name] = tuple(words.values())
        if words["status"] == "open" and words["comment"] is None:
            del self.said[name]
            if self.heard.get(name) == before:
                self.taken_back[name] = before

    def copy(self, place: int, status: str, by: str) -> None:
        name, words = self.name_of(place), self.words(status, by)
        if name is not None:
            copy = self.project.root / f"copy{self.minute}.gpkg"
            shutil.copyfile(self.project.current, copy)
            assert edit(copy, name, words)
            self.project.ledger.import_reviews([copy])

    def answer(self, number: int) -> None:
        asked = query(self.project.current, "SELECT sample_id FROM sample ORDER BY fid")
        if asked:
            (name,) = asked[number % len(asked)]
            query(self.project.current, "UPDATE sample SET answer = 'wrong' WHERE sample_id = ?", name)
            self.answers[name] = "wrong"

    def merge(self, folder: Path, interruption: Any) -> None:
        heard = dict(self.said)
        match interruption:
            case None:
                self.project.merge(folder)
            case ("kill", number):

                def kill(count: int) -> None:
                    if count == number:
                        raise Interrupted

                try:
                    with on_statement(kill):
                        self.project.merge(folder)
                except Interrupted:
                    return
            case ("edit", number, decision):

                def decide_then(count: int) -> None:
                    if count == number:
                        self.decide(*decision)

                with on_statement(decide_then):
                    self.project.merge(folder)
                return  # what was written meanwhile may not be heard yet
            case ("held", (place, status, by)):
                if not self.project.current.exists() or (name := self.name_of(place)) is None:
                    self.project.merge(folder)
                else:
                    self.refused(folder, name, self.words(status, by))
                    return
        self.heard = heard

    def refused(self, folder: Path, name: str, words: dict[str, Any]) -> None:
        """Merge while somebody has not ended a transaction; nothing happens, and theirs does."""
        before = rows_of(self.project.current, *REVIEWER)[name]
        whole = rows_of(self.project.current, "*")
        with closing(sqlite3.connect(self.project.current, isolation_level=None)) as database:
            register_functions(database)
            database.execute("BEGIN IMMEDIATE")
            columns = " = ?, ".join(words)
            database.execute(
                f"UPDATE discrepancy SET {columns} = ? WHERE discrepancy_id = ?", (*words.values(), name)
            )
            try:
                self.project.merge(folder)
            except MergeError as error:
                assert "somebody writing into it" in str(error)
                assert rows_of(self.project.current, "*") == whole
            database.execute("COMMIT")
        self.note(name, before, words)

    def check(self) -> None:
        current = self.project.current
        if not current.exists():
            return
        check_file(current)
        rows = rows_of(current, *REVIEWER)
        for name, words in self.said.items():
            assert rows[name] == words
        for name, words in self.taken_back.items():
            if name not in self.said:
                assert rows[name] != words
        fids = {name: fid for name, (fid,) in rows_of(current, "fid").items()}
        assert self.fids.items() <= fids.items()
        self.fids = fids
        assert self.answers.items() <= dict(query(current, "SELECT sample_id, answer FROM sample")).items()
        assert query(current, "SELECT note FROM diary") == [("mine",)]
        assert {length for (length,) in query(current, "SELECT private FROM discrepancy")} <= {None, "x"}

    def check_end(self) -> None:
        """After a whole merge: nothing asked is lost to the ledger, and the file is as one begun anew."""
        project, current = self.project, self.project.current
        last = project.runs[-1]
        project.merge(last)
        rows = rows_of(current, *REVIEWER)
        held = {name for name, words in self.said.items() if words[0] != "open"}
        with closing(sqlite3.connect(project.ledger.path)) as database:
            known = set(
                database.execute(
                    "SELECT discrepancy_id, verdict.status, reviewed_by, reviewed_at, comment "
                    "FROM verdict JOIN signal ON signal.fid = signal"
                )
            )
        for name in held:
            status, _, _, comment, by, at = self.said[name]
            assert (name, status, by, at, comment) in known
        everything = snapshot(current)
        project.merge(last)
        assert snapshot(current) == everything

        elsewhere = project.root / "fresh" / last.name
        shutil.copytree(last, elsewhere)
        fresh = merging.merge_run(elsewhere, project.ledger)
        said = {name: said_in(current, row, []) for name, row in rows.items()}
        begun = rows_of(fresh, *REVIEWER)
        measures = rows_of(current, "geom", *MEASURED, "reopened_because")
        for name, expected in rows_of(fresh, "geom", *MEASURED, "reopened_because").items():
            assert measures[name] == expected
            if name not in self.said and not expected[-1]:
                assert rows[name] == begun[name]
        listed = begun.keys()
        lifecycle = rows_of(current, "lifecycle", "reopened_because", "status")
        for name in lifecycle.keys() - listed:
            assert lifecycle[name][0] == "gone"
        visible = {name for name in lifecycle if lifecycle[name][0] != "gone"}
        asked = {name for name in visible if said[name].status == "open" or lifecycle[name][1]}
        assert waiting(current) == asked
        for table, columns in TABLES.items():
            found, expected = (query(path, f"SELECT {columns} FROM {table}") for path in (current, fresh))
            assert Counter(found) == Counter(expected), table
        assert Path(current.with_suffix(".qgz")).read_bytes() == (last / "review.qgz").read_bytes()
        assert current.with_name("orthophoto.vrt").read_bytes() == (last / "orthophoto.vrt").read_bytes()


TABLES = {
    "map_status": "geom, map_object_id, status, area_m2",
    "sample WHERE weight > 0": "geom, sample_id, stratum, weight, question, subject",
    "run": "run_id, flight_id, started",
    "layer_styles": "f_table_name, styleQML",
    "qgis_projects": "name, content",
    "gpkg_contents WHERE table_name = 'map_status'": "identifier, min_x, max_x, min_y, max_y",
}


def snapshot(path: Path) -> list[Any]:
    return [query(path, f"SELECT * FROM {table}") for table in ("discrepancy", "sample", "gpkg_contents", *TABLES)]


def live(what: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name))
        world.project.merged(*PLACES[:3])
        query(world.project.current, "CREATE TABLE diary (note TEXT)")
        query(world.project.current, "INSERT INTO diary VALUES ('mine')")
        query(world.project.current, "ALTER TABLE discrepancy ADD COLUMN private TEXT")
        query(world.project.current, "UPDATE discrepancy SET private = 'x'")
        for step in what:
            match step:
                case ("run", side, interruption):
                    seen = [Signal(p.x, p.y, side=s) for p, s in zip(PLACES, side, strict=True) if s]
                    world.merge(world.project.run(seen), interruption)
                case ("again", number, interruption):
                    runs = world.project.runs
                    world.merge(runs[number % len(runs)], interruption)
                case ("decide", decision):
                    world.decide(*decision)
                case ("copy", decision):
                    world.copy(*decision)
                case ("answer", number):
                    world.answer(number)
            world.check()
        world.check_end()


@given(steps)
@settings(max_examples=25)
def test_nothing_that_people_wrote_is_lost_whatever_happens_in_between(what: list[Any]) -> None:
    live(what)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(steps)
@settings(max_examples=1000)
def test_nothing_that_people_wrote_is_lost_in_a_thousand_histories(what: list[Any]) -> None:
    live(what)
