"""The QGIS plugin: what lies in its archive, and its keys in an offscreen window and in the real desktop."""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import sqlite3
import string
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyqgis import qgis_version, run_in_qgis
from review_case import BOTTOM, LEFT, make_case, signals
from typer.testing import CliRunner

from geoai import __version__
from geoai.cli import app
from geoai.errors import PublishError
from geoai.publish import put_before
from geoai.publish.archive import PLUGIN, write_plugin
from geoai.publish.tables import TO_REVIEW
from geoai.publish.texts import CLASSES, DOMAINS, HIDDEN_CLASSES

WORDS = json.loads((PLUGIN / "words.json").read_text("utf-8"))
SOURCE = (PLUGIN / "__init__.py").read_text("utf-8")
ROWS = "SELECT fid, status, reject_reason, reviewed_by, reviewed_at FROM discrepancy ORDER BY fid"
REASONS = [None, *DOMAINS["reject_reason"]]
SHOWN = len(CLASSES) - len(HIDDEN_CLASSES)  # signals of the made review that are put before a reviewer
REASON_KEYS = (string.digits + string.ascii_lowercase)[: len(REASONS)]

in_qgis = pytest.mark.skipif(
    qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)"
)


def rows(review: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(review)) as database:
        return database.execute(ROWS).fetchall()


def constant(name: str) -> str:
    """Return a string that the plugin's module assigns; it is not imported, because it wants QGIS."""
    (value,) = (
        node.value
        for node in ast.parse(SOURCE).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return str(ast.literal_eval(value))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a flight and its review: of every class one new, one gone, one set aside."""
    root = tmp_path_factory.mktemp("review")
    case = make_case(root / "flight")
    classes = [code for code in CLASSES for _ in range(3)]
    boxes = [
        shapely.box(x, y, x + (90 if n % 6 == 0 else 8), y + 8)
        for n in range(len(classes))
        for x, y in [(LEFT + 20 + 12 * (n % 8), BOTTOM + 20 + 20 * (n // 8))]
    ]
    found = signals(classes, boxes)
    found["priority"] = np.random.default_rng(7).permutation(len(found)) // 2  # with ties
    found = found.assign(policy_group=["patio_roof" if n % 3 == 2 else None for n in range(len(found))])
    case.write(root / "run", discrepancies=found)
    with closing(sqlite3.connect(root / "run" / "review.gpkg")) as database, database:
        for function in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(function, 1, lambda _: 1)  # the index's triggers ask for them
        database.execute("UPDATE discrepancy SET lifecycle = 'gone' WHERE fid % 3 = 2")
        database.execute("UPDATE discrepancy SET status = 'fixed', reviewed_by = 'Bo' WHERE fid IN (4, 10)")
    return root


@pytest.fixture
def review(made: Path, tmp_path: Path) -> Path:
    """Return a review of its own, with the flight's folder beside it."""
    shutil.copytree(made, tmp_path / "case")
    return tmp_path / "case" / "run" / "review.gpkg"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of plugins into which the archive was unpacked, as QGIS does."""
    folder = tmp_path_factory.mktemp("plugins")
    write_plugin(folder / "plugin.zip")
    with zipfile.ZipFile(folder / "plugin.zip") as archive:
        archive.extractall(folder)
    return folder


# --- the archive -----------------------------------------------------------------------------------------


def test_command_writes_an_archive_of_one_folder_the_same_each_time(tmp_path: Path) -> None:
    archives = [tmp_path / "a.zip", tmp_path / "b" / "b.zip"]
    for path in archives:
        assert CliRunner().invoke(app, ["qgis-plugin", str(path)]).exit_code == 0
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"geoai_review"}
        kept = {name.split("/")[1]: archive.read(name) for name in archive.namelist()}
    assert kept == {path.name: path.read_bytes() for path in PLUGIN.iterdir() if path.is_file()}


def test_archive_with_another_name_is_refused_and_not_written(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"plugin\.tar: expected a name that ends in \.zip"):
        write_plugin(tmp_path / "plugin.tar")
    assert list(tmp_path.iterdir()) == []


def test_plugin_has_this_version_and_the_python_of_the_oldest_qgis() -> None:
    assert f"\nversion={__version__}\n" in (PLUGIN / "metadata.txt").read_text("utf-8")
    ast.parse(SOURCE, feature_version=(3, 9))


def test_every_word_is_said_in_both_languages() -> None:
    said = {
        node.args[0].value
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("say", "self.warn", "self._action")
        and isinstance(node.args[0], ast.Constant)
    }
    assert said == set(WORDS)
    for words in WORDS.values():
        assert words["sv"]
        assert words["en"]
        assert words["sv"].count("{}") == words["en"].count("{}")


@pytest.mark.parametrize("status", ["any", "open"])
def test_plugin_and_project_put_the_same_signals_before_a_reviewer(review: Path, status: str) -> None:
    frame = pyogrio.read_dataframe(review, layer="discrepancy")
    expected = put_before(frame)["discrepancy_id"]
    rule = constant("PUT_BEFORE")
    if status == "open":
        expected = put_before(frame[frame["status"] == "open"])["discrepancy_id"]
        rule = TO_REVIEW
    with closing(sqlite3.connect(review)) as database:
        found = [name for (name,) in database.execute(f"SELECT discrepancy_id FROM discrepancy WHERE {rule}")]
    assert 0 < len(found) < len(frame) / 2
    assert sorted(found) == sorted(expected)


# --- the keys, in a window without a screen --------------------------------------------------------------

WINDOW = """
from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QLineEdit, QMainWindow, QVBoxLayout, QWidget
sys.path.insert(0, sys.argv[1])
import geoai_review

class Interface:
    def __init__(self):
        self.window, self.canvas = QMainWindow(), QgsMapCanvas()
        self.bar, self.field = QgsMessageBar(), QLineEdit()
        middle = QWidget()
        layout = QVBoxLayout(middle)
        for widget in (self.bar, self.field, self.canvas):
            layout.addWidget(widget)
        self.window.setCentralWidget(middle)
        self.window.resize(900, 700)
        self.mapCanvas, self.mainWindow = lambda: self.canvas, lambda: self.window
        self.messageBar, self.statusBarIface = lambda: self.bar, self.window.statusBar
        self.addToolBar, self.unregisterMainWindowAction = self.window.addToolBar, lambda action: None
        self.registerMainWindowAction = lambda action, key: action.setShortcut(key)

def press(key):
    target = QApplication.activePopupWidget() or QApplication.focusWidget() or iface.window
    QTest.keyClick(target, getattr(Qt, "Key_" + key))
    QApplication.processEvents()

def said():
    return [item.text() for item in iface.bar.items()]

iface = Interface()
project = QgsProject.instance()
if sys.argv[2] != "none":
    project.read(sys.argv[2])
iface.canvas.setDestinationCrs(project.crs())
iface.window.show()
iface.window.activateWindow()
QTest.qWaitForWindowActive(iface.window)
plugin = geoai_review.classFactory(iface)
plugin.initGui()
QApplication.processEvents()  # the toolbar takes its room
"""

# Parts are parted by a bar; after each, what the database holds is read by another connection.
PRESS = """
import sqlite3
steps, held = [], []
for part in sys.argv[3].split("|"):
    for key in part.split():
        press(key)
        steps.append([plugin.current, plugin.label.text(), QApplication.activePopupWidget() is not None])
    database = sqlite3.connect(sys.argv[2].replace(".qgz", ".gpkg"))
    held.append(database.execute(sys.argv[4]).fetchall())
    database.close()
answer = {"steps": steps, "held": held, "editing": plugin.layer.isEditable()}
"""


class Reviewer:
    """What the keys ought to do, told by a list and a dictionary."""

    def __init__(self, review: Path) -> None:
        frame = put_before(pyogrio.read_dataframe(review, layer="discrepancy", fid_as_index=True))
        ranked = sorted(zip(-frame["priority"], frame.index, strict=True))
        self.order = [int(fid) for _, fid in ranked]
        self.said = {int(fid): (row["status"], row["reject_reason"]) for fid, row in frame.iterrows()}
        self.current: int | None = None
        self.done: list[tuple[int, tuple[str, str | None]]] = []
        self.asked = False

    def press(self, key: str) -> None:
        if self.asked:
            self.asked = False
            if key != "Escape":
                self.decide("rejected", REASONS[REASON_KEYS.index(key.lower())])
        elif key == "W":
            self.asked = True
        elif key == "Q":
            self.decide("confirmed", None)
        elif key == "E":
            self.decide("unclear", None)
        elif key == "Z" and self.done:
            self.current, before = self.done.pop()
            self.said[self.current] = before
        elif key in ("F8", "D"):
            self.go(self.order)
        elif key == "A":
            self.go(self.order[::-1])

    def decide(self, status: str, reason: str | None) -> None:
        assert self.current is not None
        if self.said[self.current] != (status, reason):
            self.done.append((self.current, self.said[self.current]))
        self.said[self.current] = status, reason
        self.go(self.order)

    def go(self, order: list[int]) -> None:
        start = order.index(self.current) + 1 if self.current else 0
        for number in range(start, start + len(order)):
            if self.said[order[number % len(order)]][0] == "open":
                self.current = order[number % len(order)]
                return

    def label(self, words: str) -> str:
        return words.format(sum(status != "open" for status, _ in self.said.values()), len(self.said))


@pytest.mark.qgis
@in_qgis
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_any_keys_do_what_a_list_would_and_undoing_all_brings_everything_back(
    review: Path, installed: Path, seed: int
) -> None:
    chance = random.Random(seed)
    pressed = ["F8"]
    while len(pressed) < 40:
        key = chance.choice("QQWWWEDDDAAZ")
        pressed += [key, chance.choice([*REASON_KEYS.upper(), "Escape"])] if key == "W" else [key]
    expected, before = Reviewer(review), rows(review)
    told = []
    for key in pressed:
        expected.press(key)
        told.append([expected.current, expected.label(WORDS["count"]["en"]), expected.asked])
    keys = " ".join([*pressed, "|", *["Z"] * len(expected.done)])
    found, messages = run_in_qgis(WINDOW + PRESS, installed, review.with_suffix(".qgz"), keys, ROWS)

    assert found["steps"][: len(told)] == told
    assert not found["editing"]
    assert "Traceback" not in messages
    for was, (fid, *row) in zip(before, found["held"][0], strict=True):
        said = expected.said.get(fid)
        if said is None or said == was[1:3]:
            assert row == list(was[1:])
        else:
            assert tuple(row[:2]) == said
            assert all(row[2:])  # who and when
    assert found["held"][1] == [list(was) for was in before]
    assert rows(review) == before


@pytest.mark.qgis
@in_qgis
def test_signal_fills_a_third_of_the_canvas_but_not_closer_than_1_to_500(
    review: Path, installed: Path
) -> None:
    script = """
press("F8")
answer = []
for _ in range(15):
    box = plugin.layer.getFeature(plugin.current).geometry().boundingBox()
    seen = iface.canvas.extent()
    answer.append([box.width() / seen.width(), box.height() / seen.height(), iface.canvas.scale(),
                   box.center().distance(seen.center())])
    press("D")
"""
    found, _ = run_in_qgis(WINDOW + script, installed, review.with_suffix(".qgz"))
    scales = []
    for wide, high, scale, off_centre in found:
        assert off_centre < 0.01
        assert max(wide, high) == pytest.approx(1 / 3) or (
            max(wide, high) < 1 / 3 and scale == pytest.approx(500)
        )
        scales.append(scale)
    assert max(scales) > 600 > min(scales)  # both kinds were there


@pytest.mark.qgis
@in_qgis
def test_keys_are_text_in_a_text_field_and_wait_for_a_signal_that_is_out_of_sight(
    review: Path, installed: Path
) -> None:
    script = """
press("F8")
first = plugin.current
iface.field.setFocus()
for key in "QEWDAZ":
    press(key)
answer = {"text": iface.field.text(), "stayed": plugin.current == first, "label": plugin.label.text()}
iface.canvas.setFocus()
iface.canvas.setExtent(QgsRectangle(0, 0, 100, 100))
press("Q")
box = plugin.layer.getFeature(first).geometry().boundingBox()
answer["shown"] = plugin.current == first and iface.canvas.extent().contains(box)
answer["away"] = plugin.label.text()
press("Q")
answer["then"] = plugin.label.text()
press("F8")
press("Q")
answer["off"] = plugin.label.isVisible()
"""
    found, _ = run_in_qgis(WINDOW + script, installed, review.with_suffix(".qgz"))
    count = WORDS["count"]["en"]
    assert found == {
        "text": "qewdaz",
        "stayed": True,
        "label": count.format(2, SHOWN),
        "shown": True,
        "away": count.format(2, SHOWN),
        "then": count.format(3, SHOWN),
        "off": False,
    }
    assert sum(row[1] != "open" for row in rows(review)) == 3


@pytest.mark.qgis
@in_qgis
def test_without_a_review_that_can_be_written_there_is_one_message_and_no_key_works(
    review: Path, installed: Path
) -> None:
    script = """
def turned():
    iface.bar.clearWidgets()
    press("F8")
    press("Q")
    return [said(), plugin.switch.isChecked(), any(action.isEnabled() for action in plugin.keys)]

answer = {"none": turned()}
project.read(sys.argv[3])
layer = project.mapLayer("geoai_layer_all")
layer.setReadOnly(True)
answer["read-only"] = turned()
project.removeMapLayer("geoai_layer_all")
answer["only what is open"] = turned()
project.clear()
alone = QgsVectorLayer(sys.argv[3].replace(".qgz", ".gpkg") + "|layername=discrepancy", "alone", "ogr")
project.addMapLayer(alone)
answer["alone"] = turned()
project.clear()
answer["closed"] = [said(), plugin.switch.isChecked(), any(action.isEnabled() for action in plugin.keys)]
plugin.unload()
"""
    found, messages = run_in_qgis(WINDOW + script, installed, "none", review.with_suffix(".qgz"))
    assert "Traceback" not in messages
    ours = {key: words["en"] for key, words in WORDS.items()}
    layer = "./review.gpkg|layername=discrepancy".replace("./", f"{review.parent}/")
    assert found == {
        "none": [[ours["no_review"]], False, False],
        "read-only": [[ours["read_only"].format(layer)], False, False],
        "only what is open": [[ours["no_review"]], False, False],
        "alone": [[], True, True],
        "closed": [[], False, False],
    }
    assert sum(row[1] != "open" for row in rows(review)) == 3


@pytest.mark.qgis
@pytest.mark.slow
@in_qgis
def test_locked_review_is_said_and_the_decision_is_kept_until_it_can_be_saved(
    review: Path, installed: Path
) -> None:
    script = """
import sqlite3
database = sqlite3.connect(sys.argv[2].replace(".qgz", ".gpkg"), isolation_level=None)
press("F8")
first = plugin.current
database.execute("BEGIN IMMEDIATE")
press("Q")
answer = {"said": said()[0], "stays": plugin.current == first, "editing": plugin.layer.isEditable(),
          "kept": plugin.layer.getFeature(first)["status"]}
database.execute("ROLLBACK")
press("Q")
answer |= {"goes on": plugin.current != first, "edits on": plugin.layer.isEditable()}
answer["saved"] = database.execute("SELECT status FROM discrepancy WHERE fid = ?", [first]).fetchone()[0]
press("Z")
answer["undone"] = database.execute("SELECT status FROM discrepancy WHERE fid = ?", [first]).fetchone()[0]
"""
    before = rows(review)
    found, _ = run_in_qgis(WINDOW + script, installed, review.with_suffix(".qgz"))
    assert found.pop("said").startswith(WORDS["failed"]["en"].format(WORDS["locked"]["en"]))
    assert found == {
        "stays": True,
        "editing": True,
        "kept": "confirmed",
        "goes on": True,
        "edits on": False,
        "saved": "confirmed",
        "undone": "open",
    }
    assert rows(review) == before


# --- the real desktop ------------------------------------------------------------------------------------

LOOK = """
import json, os
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication
from qgis.utils import iface, plugins
def look():
    plugin = plugins["geoai_review"]
    seen = {"label": plugin.label.text(), "menu": QApplication.activePopupWidget() is not None,
            "active": iface.mainWindow().isActiveWindow(), "focus": type(QApplication.focusWidget()).__name__}
    with open("OUT.part", "w") as file:
        json.dump(seen, file)
    os.replace("OUT.part", "OUT")
iface.looks = QTimer()
iface.looks.timeout.connect(look)
iface.looks.start(100)
"""
SETTINGS = """
[PythonPlugins]
geoai_review=true
[locale]
overrideFlag=true
userLocale=sv_SE
"""


class Desktop:
    """QGIS itself on a screen of its own, with keys pressed from outside."""

    def __init__(self, home: Path, plugin: Path, project: Path) -> None:
        profile = home / "profiles" / "profiles" / "default"
        shutil.copytree(plugin, profile / "python" / "plugins" / "geoai_review")
        (profile / "QGIS").mkdir()
        (profile / "QGIS" / "QGIS3.ini").write_text(SETTINGS)
        self.seen = home / "seen.json"
        (home / "look.py").write_text(LOOK.replace("OUT", str(self.seen)))
        reading, writing = os.pipe()
        self.screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as number:
            display = f":{number.readline().strip()}"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "QT_"))}
        # QGIS's Python takes the first python3 of the path for its own: not that of a virtual environment
        own = {"PATH": "/usr/bin:/bin", "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        self.environment = inherited | own | {"DISPLAY": display}
        options = ["--nologo", "--noversioncheck", "--profiles-path", home / "profiles"]
        with (home / "qgis.log").open("wb") as log:
            self.qgis = subprocess.Popen(
                ["qgis", *options, "--code", home / "look.py", project],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True)
        return done.stdout

    def wait(self, **expected: Any) -> dict[str, Any]:
        """Return what is seen once it is as *expected*, or after a minute."""
        seen: dict[str, Any] = {}
        for _ in range(600):
            if self.seen.exists():
                seen = json.loads(self.seen.read_text())
                if expected.items() <= seen.items():
                    break
            time.sleep(0.1)
        return {key: seen.get(key) for key in expected}

    def end(self) -> None:
        for process in (self.qgis, self.screen):
            process.kill()
            process.wait()


@pytest.fixture
def desktop(review: Path, installed: Path, tmp_path: Path) -> Iterator[Desktop]:
    absent = [name for name in ("qgis", "Xvfb", "xdotool") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)} (apt install qgis xvfb xdotool)")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    started = Desktop(home, installed / "geoai_review", review.with_suffix(".qgz"))
    yield started
    started.end()


@pytest.mark.qgis
@pytest.mark.slow
def test_keys_pressed_in_the_real_desktop_decide_and_are_text_elsewhere(
    review: Path, desktop: Desktop
) -> None:
    def pressed(*keys: str, **expected: Any) -> None:
        for key in keys:
            desktop.xdotool("key", key)
        assert desktop.wait(**expected) == expected, keys

    def count(decided: int) -> str:
        return WORDS["count"]["sv"].format(decided, SHOWN)

    assert desktop.wait(menu=False) == {"menu": False}, "QGIS did not start"
    window = desktop.xdotool("search", "--sync", "--onlyvisible", "--name", "QGIS").split()[-1]
    desktop.xdotool("windowfocus", "--sync", window)
    pressed("F8", label=count(2), focus="QgsMapCanvas")
    pressed("q", label=count(3))
    pressed("d", "d", "e", label=count(4))
    pressed("w", menu=True)
    pressed("2", label=count(5), menu=False)  # a boat
    pressed("w", menu=True)
    pressed("Escape", label=count(5), menu=False)
    pressed("w", menu=True)
    pressed("a", label=count(6), menu=False)  # the roof leans; not the key of "previous"
    pressed("z", label=count(5))
    pressed("ctrl+k", focus="QgsFilterLineEdit")
    pressed("q", "w", "e", "z", label=count(5), focus="QgsFilterLineEdit")
    assert sorted(row[1:3] for row in rows(review) if row[1] != "open") == [
        ("confirmed", None),
        ("fixed", None),
        ("fixed", None),
        ("rejected", "boat"),
        ("unclear", None),
    ]
