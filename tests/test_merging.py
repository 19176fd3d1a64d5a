"""The standing review of a flight: what people wrote stays, whatever runs bring and wherever they are cut."""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_case import Flown, Signal, decide, record
from merge_case import Interrupted, Project, check_file, edit, id_at, on_statement, query, rows_of, waiting

from geoai import merging
from geoai.errors import MergeError
from geoai.merging import MEASURED
from geoai.publish.functions import envelope, is_empty, register_functions
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

FEW = PLACES[:3]
sides = st.tuples(*[st.sampled_from([0, 10, 10, 16])] * len(FEW))
"""What a run sees at each place: nothing, the signal, or one so large that a rejection is asked again."""
words = st.sampled_from(["confirmed", "rejected", "note", "back", "back"])
decisions = st.tuples(st.integers(0, len(FEW) - 1), words, st.sampled_from(["Anna", "Bo"]))
moments = st.one_of(st.integers(6, 12), st.integers(1, 100))
"""Number of the statement at which something happens: most often between reading and the first writing."""
interruptions = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.just("kill"), moments),
    st.tuples(st.just("edit"), moments, decisions),
    st.tuples(st.just("held"), decisions),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("run"), sides, interruptions),
        st.tuples(st.just("again"), st.integers(0, 5), interruptions),
        st.tuples(st.just("again"), st.just(-1), interruptions),
        st.tuples(st.just("decide"), decisions),
        st.tuples(st.just("decide"), decisions),
        st.tuples(st.just("copy"), decisions),
        st.tuples(st.just("answer"), st.integers(0, 20)),
        st.tuples(st.just("second thoughts"), st.integers(0, len(FEW) - 1)),
        st.tuples(st.just("at once"), st.integers(0, len(FEW) - 1), st.integers(6, 12)),
    ),
    min_size=4,
    max_size=12,
)


class World:
    """A project, people who write into its standing review, and what must be true of it at any time."""

    def __init__(self, root: Path) -> None:
        self.project = Project.at(root)
        self.said: dict[str, tuple[Any, ...]] = {}  # the last words of people in the file, by signal
        self.heard: dict[str, tuple[Any, ...]] = {}  # those that a whole merge began with
        self.taken_back: dict[str, tuple[Any, ...]] = {}
        self.cleared: set[str] = set()  # by people, in the file
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
            return id_at(self.project.current, FEW[place])
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
            self.cleared.add(name)
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
            with suppress(MergeError):  # raised where there is anything to write
                self.project.merge(folder)
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
            if name not in self.said.keys() | self.cleared and not expected[-1]:
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
    return [
        query(path, f"SELECT * FROM {table}") for table in ("discrepancy", "sample", "gpkg_contents", *TABLES)
    ]


def live(what: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name))
        world.project.merged(*FEW)
        query(world.project.current, "CREATE TABLE diary (note TEXT)")
        query(world.project.current, "INSERT INTO diary VALUES ('mine')")
        query(world.project.current, "ALTER TABLE discrepancy ADD COLUMN private TEXT")
        query(world.project.current, "UPDATE discrepancy SET private = 'x'")
        for step in what:
            match step:
                case ("run", side, interruption):
                    seen = [Signal(p.x, p.y, side=s) for p, s in zip(FEW, side, strict=True) if s]
                    world.merge(world.project.run(seen), interruption)
                case ("again", number, interruption):
                    runs = world.project.runs
                    world.merge(runs[number % len(runs)], interruption)
                case ("decide", decision):
                    world.decide(*decision)
                case ("copy", decision):
                    world.copy(*decision)
                case ("second thoughts", place):  # heard, taken back, and heard again
                    for status in ("confirmed", "back"):
                        world.decide(place, status, "Anna")
                        world.merge(world.project.runs[-1], None)
                case ("at once", place, number):  # one in a copy, another in the file while that is merged
                    world.copy(place, "confirmed", "Bo")
                    meanwhile = ("edit", number, (place, "confirmed", "Anna"))
                    world.merge(world.project.runs[-1], meanwhile)
                case ("answer", number):
                    world.answer(number)
            world.check()
        world.check_end()


@pytest.mark.slow
@given(steps)
@settings(max_examples=8)
def test_nothing_that_people_wrote_is_lost_whatever_happens_in_between(what: list[Any]) -> None:
    live(what)


@pytest.mark.slow
@given(steps)
@settings(max_examples=150)
def test_nothing_that_people_wrote_is_lost_in_a_thousand_steps(what: list[Any]) -> None:
    live(what)


# --- cases -----------------------------------------------------------------------------------------------


def test_the_first_run_begins_the_standing_review(project: Project) -> None:
    current = project.merged(A, B)
    (run,) = project.runs
    assert current == project.current
    assert rows_of(current, "*") == rows_of(run / "review.gpkg", "*")
    assert sorted(path.name for path in current.parent.iterdir()) == [
        "orthophoto.vrt",
        "review.gpkg",
        "review.qgz",
    ]


def test_merging_the_same_run_twice_changes_no_byte(project: Project) -> None:
    current = project.merged(A, B)
    decide(current, id_at(current, A), "rejected", reject_reason="shadow")
    project.merged(A, C)
    files = {path: path.read_bytes() for path in current.parent.iterdir()}
    project.merge(project.runs[-1])
    assert {path: path.read_bytes() for path in current.parent.iterdir()} == files


def test_the_runs_own_folder_is_never_written(project: Project) -> None:
    project.merged(A, B)
    before = {path: path.read_bytes() for path in project.runs[0].iterdir()}
    decide(project.current, id_at(project.current, A), "confirmed")
    project.merged(B, C)
    project.merge(project.runs[0])
    assert {path: path.read_bytes() for path in project.runs[0].iterdir()} == before


def test_signals_are_updated_added_and_ended_in_their_rows(project: Project) -> None:
    current = project.merged(A, B)
    fids = rows_of(current, "fid")
    larger = Signal(A.x, A.y, side=11)
    project.merged(larger, C)
    assert fids.items() <= rows_of(current, "fid").items()
    rows = rows_of(current, "reason", "lifecycle", "ST_MaxX(geom) - ST_MinX(geom)")
    assert rows[id_at(current, A)] == ("2024-1", "persisting", 11)
    assert rows[id_at(current, B)][1:] == ("gone", 10)
    assert rows[id_at(current, C)] == ("2024-1", "new", 10)


def test_a_decision_is_asked_again_with_its_words_until_somebody_decides_anew(project: Project) -> None:
    current = project.merged(A, B)
    name = id_at(current, A)
    decide(current, name, "rejected", reject_reason="shadow", comment="a lorry")
    assert waiting(current) == {id_at(current, B)}
    project.merged(Signal(A.x, A.y, side=16), B)
    status, comment, why, at, by = rows_of(
        current, "status", "comment", "reopened_because", "reopened_at", "reviewed_by"
    )[name]
    assert (status, comment, by) == ("rejected", "a lorry", "Anna")
    assert why.startswith("The area was 100 m²")
    assert at > "2026"
    assert name in waiting(current)
    decide(current, name, "confirmed", at="2099-01-01")
    assert name not in waiting(current)
    project.merge(project.runs[-1])
    assert rows_of(current, "status", "reopened_because", "reopened_at")[name] == ("confirmed", None, None)


def test_a_decision_by_a_clock_that_is_ahead_is_asked_again_as_well(project: Project) -> None:
    current = project.merged(A)
    name = id_at(current, A)
    decide(current, name, "rejected", reject_reason="shadow", at="2099-01-01")
    project.merged(Signal(A.x, A.y, side=16))
    assert name in waiting(current)
    assert rows_of(current, "reopened_at")[name] == ("2099-01-01T10:00:01.000Z",)


def test_what_was_decided_in_a_copy_is_not_asked_again(project: Project, tmp_path: Path) -> None:
    current = project.merged(A, B)
    copy = tmp_path / "bo.gpkg"
    shutil.copyfile(current, copy)
    decide(copy, id_at(copy, A), "confirmed", by="Bo", comment="seen from the street")
    decide(current, id_at(current, B), "unclear")
    project.ledger.import_reviews([copy])
    project.merge(project.runs[-1])
    rows = rows_of(current, "status", "reviewed_by", "comment")
    assert rows[id_at(current, A)] == ("confirmed", "Bo", "seen from the street")
    assert rows[id_at(current, B)] == ("unclear", "Anna", None)


def test_somebody_elses_change_of_mind_reaches_the_row_that_nobody_else_wrote_in(
    project: Project, tmp_path: Path
) -> None:
    current = project.merged(A)
    copy = tmp_path / "bo.gpkg"
    shutil.copyfile(current, copy)
    for status, at in (("confirmed", "2026-01-01"), ("unclear", "2026-01-02")):
        decide(copy, id_at(copy, A), status, by="Bo", at=at)
        project.ledger.import_reviews([copy])
        project.merge(project.runs[-1])
        assert rows_of(current, "status", "reviewed_by")[id_at(current, A)] == (status, "Bo")


def test_a_decision_taken_back_stays_taken_back(project: Project) -> None:
    current = project.merged(A)
    name = id_at(current, A)
    decide(current, name, "confirmed")
    project.merge(project.runs[-1])  # the ledger knows of it
    decide(current, name, "open")
    for signals in ([A], [A, B]):
        project.merge(project.runs[-1])
        assert rows_of(current, "status", "reopened_because")[name] == ("open", "The decision was taken back")
        project.merged(*signals)
    decide(current, name, "confirmed", at="2026-02-02")
    project.merged(A)
    assert rows_of(current, "status", "reopened_because")[name] == ("confirmed", None)


def test_a_note_that_was_cleared_is_not_put_back(project: Project) -> None:
    current = project.merged(A)
    name = id_at(current, A)
    decide(current, name, "open", comment="a shed?", field_visit=1)
    project.merged(A)  # the ledger knows of it
    decide(current, name, "open", comment=None, field_visit=0)
    for _ in range(2):
        project.merged(A)
        assert rows_of(current, "status", "comment", "field_visit")[name] == ("open", None, 0)


def test_a_note_on_a_row_is_not_taken_for_a_decision_taken_back(project: Project, tmp_path: Path) -> None:
    current = project.merged(A)
    copy = tmp_path / "bo.gpkg"
    shutil.copyfile(current, copy)
    decide(copy, id_at(copy, A), "confirmed", by="Bo")
    decide(current, id_at(current, A), "open", comment="who knows?")
    project.ledger.import_reviews([copy])
    project.merged(A, B)  # the run's own review shows Bo's decision, this row never did
    project.ledger.import_reviews([current])
    ((status,),) = query(
        project.ledger.path, "SELECT status FROM signal WHERE discrepancy_id = ?", id_at(current, A)
    )
    assert status == "confirmed"
    assert rows_of(current, "status", "comment")[id_at(current, A)] == ("open", "who knows?")


def test_answers_to_the_sample_stay_and_stand_for_nothing_any_more(project: Project) -> None:
    current = project.merged(A, B, C)
    query(current, "UPDATE sample SET answer = 'wrong', reviewed_by = 'Anna' WHERE sample_id = '2024-0-1'")
    query(current, "UPDATE sample SET comment = 'where?' WHERE sample_id = '2024-0-2'")
    project.merged(A)
    rows = query(current, "SELECT sample_id, weight, answer, comment FROM sample ORDER BY sample_id")
    assert rows == [
        ("2024-0-1", 0.0, "wrong", None),
        ("2024-0-2", 0.0, None, "where?"),
        ("2024-1-0", 2.5, None, None),
    ]


def test_a_row_that_a_reviewer_drew_is_left_alone(project: Project) -> None:
    current = project.merged(A)
    names = [name for (_, name, *_) in query(current, "PRAGMA table_info(discrepancy)") if name != "fid"]
    own = ", ".join("'mine'" if name == "discrepancy_id" else name for name in names)
    query(current, f"INSERT INTO discrepancy ({', '.join(names)}) SELECT {own} FROM discrepancy")
    before = rows_of(current, "*")["mine"]
    project.merged(B)
    assert rows_of(current, "*")["mine"] == before


def test_a_newer_flight_that_shows_a_signal_keeps_it_in_an_older_ones_list(project: Project) -> None:
    current = project.merged(A, B)
    record(project.ledger, Flown([A], flight="2026"))
    project.merged(C)
    lifecycle = rows_of(current, "lifecycle")
    assert lifecycle[id_at(current, A)] != ("gone",)
    assert lifecycle[id_at(current, B)] == ("gone",)


def test_going_back_to_an_earlier_run_shows_its_list_again(project: Project) -> None:
    current = project.merged(A, B)
    project.merged(A, C)
    project.merge(project.runs[0])
    assert waiting(current) == {id_at(current, A), id_at(current, B)}
    project.merge(project.runs[1])
    assert waiting(current) == {id_at(current, A), id_at(current, C)}


def test_a_style_or_project_that_somebody_saved_stays(project: Project) -> None:
    current = project.merged(A)
    query(current, "INSERT INTO layer_styles (f_table_name, styleName, styleQML) VALUES ('x', 'y', 'mine')")
    current.with_suffix(".qgz").write_bytes(b"mine")
    project.merged(A)
    styles = query(current, "SELECT styleQML FROM layer_styles ORDER BY 1")
    assert styles == [("<qgis run='2024-1'/>",), ("<qgis run='2024-1'/>",), ("mine",)]
    assert current.with_suffix(".qgz").read_bytes() == b"mine"
    ((inside,),) = query(current, "SELECT content FROM qgis_projects")
    assert bytes.fromhex(inside) == (project.runs[-1] / "review.qgz").read_bytes()


def test_a_review_of_an_older_version_gets_the_new_columns(project: Project) -> None:
    current = project.merged(A, B)
    decide(current, id_at(current, A), "rejected", reject_reason="lean")
    for name in ("reopened_at", "known", "length_m"):
        query(current, f"ALTER TABLE discrepancy DROP COLUMN {name}")
        query(current, f"DELETE FROM gpkg_data_columns WHERE column_name = '{name}'")
    folder = project.run([Signal(A.x, A.y, side=16), B])
    query(folder / "review.gpkg", "ALTER TABLE discrepancy DROP COLUMN tolerance_m")
    project.merge(folder)
    assert rows_of(current, "status", "reject_reason")[id_at(current, A)] == ("rejected", "lean")
    assert id_at(current, A) in waiting(current)
    described = query(current, "SELECT title FROM gpkg_data_columns WHERE column_name = 'reopened_at'")
    assert described == [("Reopened at (UTC)",)]
    check_file(current)


def test_many_rows_are_many_transactions(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "ROWS", 2)
    project.merged(A)
    begun = []

    class Counted(sqlite3.Connection):
        def execute(self, *arguments: Any) -> Any:
            begun.extend(arguments[:1] if arguments[0] == "BEGIN IMMEDIATE" else [])
            return super().execute(*arguments)

    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, factory=Counted)

    monkeypatch.setattr(merging, "_connect", connect)
    current = project.merged(*PLACES)
    assert len(begun) > 8
    check_file(current)
    assert len(waiting(current)) == len(PLACES)


# --- what cannot be written ------------------------------------------------------------------------------


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_review_in_use_is_waited_for_and_left_as_it_is(project: Project) -> None:
    current = project.merged(A)
    folder = project.run([B])
    before, told = files_in(current.parent), []
    with closing(sqlite3.connect(current, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(MergeError) as caught:
            project.merge(folder, progress=lambda *each: told.append(each))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{current}: expected a review that can be written, found somebody")
    assert "wait for the review, which is in use" in {stage for stage, _, _ in told}
    assert files_in(current.parent) == before
    project.merge(folder)
    assert id_at(current, B) in waiting(current)


def spoil_text(current: Path) -> None:
    current.write_text("no database at all, but a long enough text to look into")


def spoil_flight(current: Path) -> None:
    query(current, "UPDATE run SET flight_id = 'another'")


def spoil_ids(current: Path) -> None:
    query(current, "UPDATE discrepancy SET discrepancy_id = discrepancy_id || 'x'")


def spoil_version(current: Path) -> None:
    query(current, "ALTER TABLE discrepancy DROP COLUMN family")


def spoil_crs(current: Path) -> None:
    query(current, "UPDATE gpkg_spatial_ref_sys SET organization_coordsys_id = 3011 WHERE srs_id = 3006")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (spoil_text, "file is not a database"),
        (spoil_flight, "found another"),
        (spoil_ids, "found none of its 1 ids here"),
        (spoil_version, "found none of family"),
        (spoil_crs, "found EPSG:3011"),
    ],
)
def test_another_file_is_refused_in_one_line_and_left_as_it_is(
    project: Project, spoil: Any, found: str
) -> None:
    current = project.merged(A)
    folder = project.run([A, B])
    spoil(current)
    before = current.read_bytes()
    with pytest.raises(MergeError) as caught:
        project.merge(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{current}: expected")
    assert found in message
    assert message.endswith(f"the run is whole in {folder}, merge it again")
    assert current.read_bytes() == before


def test_a_file_that_may_not_be_written_is_one_line(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = project.merged(A)
    folder = project.run([B])

    def connect(path: Path) -> sqlite3.Connection:  # the superuser may write anywhere
        return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)

    monkeypatch.setattr(merging, "_connect", connect)
    with pytest.raises(MergeError, match="found attempt to write a readonly database") as caught:
        project.merge(folder)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert len(rows_of(current, "fid")) == 1


def test_a_left_over_journal_without_its_review_is_refused(project: Project) -> None:
    folder = project.run([A])
    wal = project.current.with_name("review.gpkg-wal")
    wal.parent.mkdir()
    wal.write_bytes(b"old")
    with pytest.raises(MergeError, match=r"found review\.gpkg-wal"):
        project.merge(folder)
    assert [path.name for path in wal.parent.iterdir()] == ["review.gpkg-wal"]


def test_what_a_crashed_editor_left_in_its_log_is_kept(project: Project, tmp_path: Path) -> None:
    current = project.merged(A)
    crashed = tmp_path / "crashed"
    with closing(sqlite3.connect(current, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("SELECT count(*) FROM discrepancy").fetchone()  # now its log is open
        decide(current, id_at(current, A), "rejected", reject_reason="boat")
        shutil.copytree(current.parent, crashed)  # as a process that dies leaves it
    shutil.rmtree(current.parent)
    shutil.copytree(crashed, current.parent)
    assert current.with_name("review.gpkg-wal").stat().st_size > 0
    project.merged(A, B)
    assert rows_of(current, "status", "reject_reason")[id_at(current, A)] == ("rejected", "boat")
    check_file(current)


@pytest.mark.parametrize("name", ["current", "nothing"])
def test_a_folder_that_is_no_runs_is_refused(project: Project, name: str) -> None:
    folder = project.merged(A).parent.with_name(name)
    with pytest.raises(MergeError, match=f"{name}: expected the folder of a run"):
        project.merge(folder)


# --- the functions of the spatial index ------------------------------------------------------------------

shapes = st.sampled_from(
    [
        shapely.box(1.5, -2, 3, 4.25),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(-5, 7, -4, 9)]),
        shapely.Point(3, 4),
        shapely.MultiPolygon(),
    ]
)


@given(shapes, st.sampled_from(["<", ">"]), st.booleans(), st.booleans())
def test_the_index_is_told_what_shapely_says(shape: Any, order: str, header: bool, deep: bool) -> None:
    left, bottom, right, top = shape.bounds
    flags = int(order == "<") | (shape.is_empty << 4)
    blob = b"GP\0"
    if header and not shape.is_empty:
        flags |= (2 if deep else 1) << 1
        box = struct.pack(f"{order}4d", left, right, bottom, top) + (
            struct.pack(f"{order}2d", 0, 0) if deep else b""
        )
    else:
        box = b""
    blob += bytes([flags]) + struct.pack(f"{order}i", 3006) + box + shapely.to_wkb(shape, byte_order=1)
    assert is_empty(blob) == shape.is_empty
    expected = (None,) * 4 if shape.is_empty else (left, right, bottom, top)
    assert envelope(blob) == expected


def test_no_geometry_has_no_envelope() -> None:
    assert (is_empty(None), envelope(None)) == (None, (None,) * 4)
