"""Merging into a review that is open in the system's QGIS, and what GDAL's validator says of it then."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ledger_case import Flown, Signal, record
from merge_case import Project, id_at, query, rows_of, waiting
from pyqgis import PYTHON, qgis_version, run_in_qgis
from review_case import RUN, Case, make_case
from test_qgis import VALIDATOR

from geoai.publish import write_review

pytestmark = [
    pytest.mark.qgis,
    pytest.mark.skipif(qgis_version() is None, reason="PyQGIS is not installed (apt install python3-qgis)"),
]

A, B, C = (Signal(20.0 + 40 * number, 20.0) for number in range(3))

EDIT = """
import subprocess, time
project = QgsProject.instance()
assert project.read(sys.argv[1]), project.error()
layer = project.mapLayer("geoai_layer_all")
review = project.mapLayer("geoai_layer_to_review")
status, comment = (layer.fields().indexOf(name) for name in ("status", "comment"))
rows = {feature["discrepancy_id"]: feature.id() for feature in layer.getFeatures()}
assert layer.startEditing()
layer.changeAttributeValue(rows[sys.argv[2]], status, "rejected")
layer.changeAttributeValue(rows[sys.argv[2]], comment, "before the merge")
answer = {"listed": len(list(review.getFeatures()))}
merged = subprocess.run(sys.argv[4:-1], capture_output=True, text=True,
                        env={key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
                        | {"PYTHONPATH": os.environ["GEOAI"]})
answer["merged"] = [merged.returncode, merged.stdout, merged.stderr]
layer.changeAttributeValue(rows[sys.argv[3]], status, "confirmed")
answer["saved"] = layer.commitChanges()
answer["errors"] = layer.commitErrors()
layer.reload()
answer["rows"] = {feature["discrepancy_id"]: [feature.id(), feature["status"], feature["lifecycle"]]
                  for feature in layer.getFeatures()}
answer["waiting"] = [feature["discrepancy_id"] for feature in review.getFeatures()]
"""

ZONE = """
project = QgsProject.instance()
assert project.read(sys.argv[1]), project.error()
layer = project.mapLayer("geoai_layer_all")
first = next(layer.getFeatures())
assert layer.startEditing()
layer.changeAttributeValue(first.id(), layer.fields().indexOf("status"), "rejected")
assert layer.commitChanges(), layer.commitErrors()
from datetime import datetime, timezone
answer = {"id": first["discrepancy_id"], "now": datetime.now(timezone.utc).isoformat()}
"""

LOOK = """
project = QgsProject.instance()
assert project.read(sys.argv[1]), project.error()
layer = project.mapLayer("geoai_layer_all")
review = project.mapLayer("geoai_layer_to_review")
renderer = layer.renderer()
context = QgsRenderContext()
answer = {"waiting": [feature["discrepancy_id"] for feature in review.getFeatures()], "faded": {}, "rows": {}}
styles = layer.conditionalStyles().rowStyles()
for feature in layer.getFeatures():
    scope = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    scope.setFeature(feature)
    category = next(c for c in renderer.categories() if c.value() == feature["class"])
    symbol = category.symbol()
    opacity = symbol.dataDefinedProperties().property(QgsSymbol.PropertyOpacity)
    answer["faded"][feature["discrepancy_id"]] = opacity.valueAsDouble(scope, -1)[0]
    matching = QgsConditionalStyle.matchingConditionalStyles(styles, None, scope)
    answer["rows"][feature["discrepancy_id"]] = [style.name() for style in matching]
again = next(review.getFeatures())
assert layer.startEditing()
status = layer.fields().indexOf("status")
layer.changeAttributeValues(again.id(), {status: again["status"]})  # as a button does
assert layer.commitChanges(), layer.commitErrors()
answer["left"] = [feature["discrepancy_id"] for feature in review.getFeatures()]
"""


class Opened(Project):
    """A project whose runs write the real review, styles, form and all."""

    case: Case

    def run(self, signals: Any, **more: Any) -> Path:
        self.ledger.import_runs(self.root / "runs")
        flown = Flown(signals, config=str(len(self.runs)), **more)
        folder = self.root / "runs" / "F" / flown.run_id
        rows = record(self.ledger, flown)
        frames = {name: getattr(self.case, name) for name in ("map_status", "detections", "coverage")}
        write_review(
            folder,
            replace(RUN, run_id=flown.run_id),
            discrepancies=rows,
            orthophoto=self.case.orthophoto,
            probability=self.case.probability,
            language="en",
            **frames,
        )
        self.runs.append(folder)
        return folder


@pytest.fixture
def project(tmp_path: Path) -> Opened:
    made = Opened.at(tmp_path)
    made.case = make_case(tmp_path / "flight")
    return made


@pytest.mark.slow
def test_an_edit_session_that_a_merge_falls_into_is_saved_whole(
    project: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = project.merged(A, B)
    first, second = id_at(current, A), id_at(current, B)
    folder = project.run([A, C])
    monkeypatch.setenv("GEOAI", str(Path(__file__).parent.parent))
    code = "from geoai.cli import main; main()"
    merge = (sys.executable, "-c", code, "review", "merge", str(folder))
    found, messages = run_in_qgis(EDIT, current.with_suffix(".qgz"), first, second, *merge)
    assert found["merged"][0] == 0, found["merged"]
    assert found["saved"], found["errors"]
    assert found["listed"] == 2
    third = id_at(current, C)
    assert {name: row[1:] for name, row in found["rows"].items()} == {
        first: ["rejected", "persisting"],
        second: ["confirmed", "gone"],
        third: ["open", "new"],
    }
    assert found["waiting"] == [third]
    assert "ERROR" not in messages
    rows = rows_of(current, "status", "comment", "lifecycle")
    assert rows[first] == ("rejected", "before the merge", "persisting")
    assert rows[second] == ("confirmed", None, "gone")
    assert query(current, "PRAGMA integrity_check") == [("ok",)]
    project.merged(A, C)
    assert rows_of(current, "status", "comment")[first] == ("rejected", "before the merge")


def test_what_is_asked_again_looks_as_if_it_waits(project: Opened) -> None:
    current = project.merged(A, B)
    first, second = id_at(current, A), id_at(current, B)
    words = "status = 'rejected', reviewed_by = 'Anna', reviewed_at = '2025-01-01T00:00:00.000Z'"
    query(current, f"UPDATE discrepancy SET {words}")
    project.merged(replace(A, side=16.0), B)
    assert waiting(current) == {first}
    found, _ = run_in_qgis(LOOK, current.with_suffix(".qgz"))
    assert found["waiting"] == [first]
    assert found["faded"][first] > 2 * found["faded"][second] > 0
    assert (found["rows"][first], found["rows"][second]) == ([], ["rejected"])
    assert found["left"] == [], "saying the same again is a decision"


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Europe/Stockholm", "America/New_York", "UTC"])
def test_a_decision_is_timed_in_utc_wherever_the_reviewer_sits(
    project: Opened, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    current = project.merged(A)
    monkeypatch.setenv("TZ", zone)
    found, _ = run_in_qgis(ZONE, current.with_suffix(".qgz"))
    (when,) = rows_of(current, "reviewed_at")[found["id"]]
    assert abs(pd.to_datetime(when, utc=True) - pd.Timestamp(found["now"])) < pd.Timedelta(seconds=10)


def test_validator_of_gdal_finds_nothing_after_merges(project: Opened) -> None:
    if not VALIDATOR.exists():
        pytest.skip("GDAL's validator is not installed (apt install python3-gdal)")
    current = project.merged(A, B)
    for name in ("reopened_at", "known"):  # as a review of an older version lacks them
        query(current, f"ALTER TABLE discrepancy DROP COLUMN {name}")
        query(current, f"DELETE FROM gpkg_data_columns WHERE column_name = '{name}'")
    query(current, "UPDATE discrepancy SET status = 'rejected'")
    project.merged(replace(A, side=16.0), C)
    project.merged(B)
    found = subprocess.run(
        [PYTHON, VALIDATOR, "--extra", "--warning-as-error", current], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr
