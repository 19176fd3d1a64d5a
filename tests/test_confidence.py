"""Calibrated confidence on its way: from the package, over detections, to what the map misses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import geopandas.testing
import numpy as np
import pyogrio
import pytest
import shapely
from test_compare import World
from test_pipeline import RedRoofs, network, project

from geoai import assessment, pipeline
from geoai.calibration import ObjectCalibration, PixelCalibration
from geoai.config import load_settings
from geoai.model import ModelPackage, find_package

__all__ = ["network", "project"]  # fixtures

FITTED = ObjectCalibration("building", (0.9, 1.1), -6.5, 367, 281, 0.12, 0.03, "Tartu")


def compared(folder: Path, confidence: Any) -> gpd.GeoDataFrame:
    """Two detections of 10 × 10 m stand free, one on a mapped house; another mapped house is gone."""
    free = [shapely.box(10, 10, 20, 20), shapely.box(40, 10, 50, 20), shapely.box(70, 10, 80, 20)]
    world = World(folder, mapped=[free[2], shapely.box(70, 60, 80, 70)], seen=free)
    if confidence is not None:
        world.seen["confidence"] = confidence
    return world.compare().discrepancies


def test_what_is_missing_keeps_its_detections_confidence(tmp_path: Path) -> None:
    found = compared(tmp_path, [0.25, 0.75, 0.5])
    missing = found[found["class"] == "missing"]
    assert missing["confidence"].tolist() == [0.75, 0.25]  # the surer one is more urgent
    assert missing["priority"].tolist() == pytest.approx([0.75 * np.sqrt(0.5), 0.25 * np.sqrt(0.5)])
    assert found[found["class"] != "missing"]["confidence"].isna().all()
    assert sorted(found["class"]) == ["demolished", "missing", "missing"]


def test_without_a_calibration_nothing_changes(tmp_path: Path) -> None:
    without, unknown = compared(tmp_path, None), compared(tmp_path, np.nan)
    assert without["confidence"].isna().all()
    missing = without[without["class"] == "missing"]
    assert missing["priority"].tolist() == pytest.approx((missing["p_mean"] * np.sqrt(0.5)).tolist())
    geopandas.testing.assert_geodataframe_equal(without, unknown)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ModelPackage:
    """The shipped package with a calibration of objects, in place of the shipped one."""
    calibrated = replace(find_package("buildings"), object_calibration=FITTED)
    monkeypatch.setattr(assessment, "find_package", lambda name, folders: calibrated)
    return calibrated


def test_the_review_tells_how_likely_a_detection_is_a_building(
    project: Path, network: RedRoofs, model: ModelPackage
) -> None:
    review = pipeline.run(load_settings(project, {})).review
    detections = pyogrio.read_dataframe(review, layer="detection")
    expected = FITTED.confidence(detections["p_mean"].to_numpy(), detections["area_m2"].to_numpy())
    np.testing.assert_allclose(detections["confidence"], expected, atol=6e-4)  # shares are kept to 0.001
    signals = pyogrio.read_dataframe(review, layer="discrepancy").set_index("class")
    new = detections.sjoin(signals.loc[["missing"]][["geometry"]], predicate="covers")
    assert signals.loc["missing", "confidence"] == pytest.approx(new["confidence"].item())
    assert signals.drop("missing")["confidence"].isna().all()


@pytest.mark.slow
def test_another_calibration_is_another_review_of_the_same_predictions(
    project: Path, network: RedRoofs, model: ModelPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pipeline.run(load_settings(project, {}))
    asked = network.asked
    plain = replace(model, object_calibration=None)
    monkeypatch.setattr(assessment, "find_package", lambda name, folders: plain)
    second = pipeline.run(load_settings(project, {}))
    assert network.asked == asked
    assert second.review != first.review
    assert pyogrio.read_dataframe(second.review, layer="detection")["confidence"].isna().all()
    of_roads = replace(
        model,
        object_calibration=replace(FITTED, theme="road"),
        calibration=PixelCalibration(),
        classes=("building", "road"),
    )
    monkeypatch.setattr(assessment, "find_package", lambda name, folders: of_roads)
    third = pipeline.run(load_settings(project, {}))
    assert pyogrio.read_dataframe(third.review, layer="detection")["confidence"].isna().all()


@pytest.mark.slow
def test_a_calibration_of_pixels_has_the_tiles_predicted_again(
    project: Path, network: RedRoofs, model: ModelPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run(load_settings(project, {}))
    asked = network.asked
    changed = replace(model, calibration=replace(model.calibration, temperature=3.0))
    monkeypatch.setattr(assessment, "find_package", lambda name, folders: changed)
    pipeline.run(load_settings(project, {}))
    assert network.asked == 2 * asked
