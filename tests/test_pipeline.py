"""The whole line on a small made flight, with a stand-in for the network: bright red is a roof."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import rasterio.shutil
import shapely
from conftest import Kept, WriteOrthophoto
from hypothesis import given
from ledger_case import decide
from numpy.typing import NDArray
from rasterio.errors import RasterioIOError
from typer.testing import CliRunner

from geoai import assessment, merging, pipeline, plan, tilejobs, tiling
from geoai.catalog import Catalog, open_catalog
from geoai.cli import app
from geoai.config import PredictionSettings, Settings, load_settings
from geoai.errors import BusyError, ConfigError, FindingsError, GeoaiError, LedgerError, MapError
from geoai.flight import Finding
from geoai.grid import TileScheme, parse_crs
from geoai.inspection import inspect_flight
from geoai.model import ModelPackage, find_package
from geoai.pipeline import RunResult
from geoai.report import write_report

LEFT, TOP = 450_000.0, 6_401_000.0
HOUSES = {
    "kept": (10, 10, 22, 20),
    "on four tiles": (44, 42, 58, 54),
    "new": (70, 20, 82, 30),
    "extended": (15, 70, 31, 80),
    "at the sheet's seam": (46, 80, 56, 90),
}
"""What stands, in metres east and south of the corner: left, top, right, bottom."""


def house(name: str, *, grow_m: float = 0.0) -> shapely.Polygon:
    left, top, right, bottom = HOUSES[name]
    return shapely.box(LEFT + left, TOP - bottom, LEFT + right - grow_m, TOP - top)


def draw(path: Path, write: WriteOrthophoto, *, left_m: float, width_m: float, **houses: Any) -> None:
    """Write one sheet of the flight, 100 m high."""
    image = np.zeros((3, 500, round(width_m * 5)), np.uint8)
    image[:] = np.array([90, 140, 80])[:, None, None]  # a lawn; what is darker lies in deep shadow
    for left, top, right, bottom in (HOUSES | houses).values():
        cols = [max(0, round((x - left_m) * 5)) for x in (left, right)]
        image[0, round(top * 5) : round(bottom * 5), cols[0] : cols[1]] = 250
    write(path, image, left=LEFT + left_m, top=TOP)


@pytest.fixture
def project(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> Path:
    """Make a project in a folder of its own and return its settings."""
    return make_project(tmp_path, write_orthophoto)


def make_project(folder: Path, write: WriteOrthophoto) -> Path:
    """Make a flight of two sheets that overlap by a pixel, a map with errors, and settings; return these."""
    draw(folder / "flight" / "east.tif", write, left_m=50.0, width_m=50.0)
    draw(folder / "flight" / "west.tif", write, left_m=0.0, width_m=50.2)
    mapped = {
        "a": house("kept"),
        "b": house("on four tiles"),
        "c": house("extended", grow_m=6.0),
        "d": house("at the sheet's seam"),
        "gone": shapely.box(LEFT + 70, TOP - 80, LEFT + 82, TOP - 70),
        "outside": shapely.box(LEFT + 500, TOP - 80, LEFT + 510, TOP - 70),
    }
    frame = gpd.GeoDataFrame({"id": list(mapped)}, geometry=list(mapped.values()), crs=3006)
    frame.to_file(folder / "map.gpkg", layer="byggnad")
    (folder / "town.yaml").write_text(
        f"""
        data: {folder / "data"}
        flight: {{folder: {folder / "flight"}, id: F1, date: 2026-05-14}}
        tiling: {{tile_m: 50, compression: lossless}}
        prediction: {{halo_px: 32}}
        engine: {{workers: 2}}
        map: {{source: {folder / "map.gpkg"}, id_column: id}}
        """
    )
    return folder / "town.yaml"


class RedRoofs:
    """Stands in for the network; counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += 1
        return np.where(chip[:1] > 150, np.float32(0.95), np.float32(0.01))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> RedRoofs:
    stand_in = RedRoofs()
    monkeypatch.setattr(tilejobs, "shared_segmenter", lambda model, precision, bands: stand_in)
    return stand_in


@pytest.fixture(scope="module")
def once(
    tmp_path_factory: pytest.TempPathFactory, write_orthophoto: WriteOrthophoto
) -> tuple[Kept, RunResult]:
    folder = tmp_path_factory.mktemp("town") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tilejobs, "shared_segmenter", lambda model, precision, bands: RedRoofs())
        first = run(make_project(folder, write_orthophoto))
    return Kept(folder), first


Flown = tuple[Path, RunResult]


@pytest.fixture
def flown(once: tuple[Kept, RunResult]) -> Flown:
    """Return the settings of a project like `project` and its first run, as it was when that ended."""
    kept, first = once
    return kept.put_back() / "town.yaml", first


def counts(result: RunResult, stage: str) -> dict[str, int]:
    return next(s.counts for s in result.stages if s.name == stage)


def run(path: Path, **overrides: Any) -> RunResult:
    return pipeline.run(load_settings(path, overrides))


@pytest.mark.slow
def test_where_the_tiles_begin_changes_nothing(project: Path, network: RedRoofs) -> None:
    reviews = [
        run(project, **{"tiling.tile_m": side, "data": project.parent / str(side)}).review
        for side in (50, 65)
    ]
    found = [pyogrio.read_dataframe(review, layer="discrepancy") for review in reviews]
    assert len(found[0]) == 3
    columns = ["class", "map_object_ids", "p_mean", "p_q10", "p_q90", "priority", "plus_m2", "iou", "reason"]
    assert found[0][columns].equals(found[1][columns])
    assert shapely.to_wkb(found[0].geometry).tolist() == shapely.to_wkb(found[1].geometry).tolist()


def test_a_flight_becomes_a_review(flown: Flown) -> None:
    _, result = flown
    signals = pyogrio.read_dataframe(result.review, layer="discrepancy")
    assert sorted(signals["class"]) == ["demolished", "extended", "missing"]
    by_class = signals.set_index("class")
    assert by_class.geometry["missing"].intersection(house("new")).area == pytest.approx(120, rel=0.05)
    assert json.loads(by_class.map_object_ids["demolished"]) == ["gone"]
    assert by_class.plus_m2["extended"] == pytest.approx(60, rel=0.2)
    status = pyogrio.read_dataframe(result.review, layer="map_status").set_index("map_object_id")["status"]
    assert status.to_dict() == {
        "a": "confirmed",
        "b": "confirmed",
        "c": "extended",
        "d": "confirmed",
        "gone": "demolished",
        "outside": "not_assessable",
    }
    assert len(pyogrio.read_dataframe(result.review, layer="detection")) == len(HOUSES)
    coverage = pyogrio.read_dataframe(result.review, layer="coverage")
    assert coverage[coverage.status == "checked"].area.sum() == pytest.approx(100 * 100)
    assert result.signals == {"missing": 1, "demolished": 1, "extended": 1}
    assert result.review.with_suffix(".qgz").exists()
    summary = json.loads((result.review.parent / "run.json").read_text())
    assert [stage["name"] for stage in summary["stages"]] == [
        "accept", "tile", "predict", "trace", "compare", "merge"
    ]  # fmt: skip


def test_an_unchanged_flight_is_recognised_and_its_review_left_alone(flown: Flown, network: RedRoofs) -> None:
    project, first = flown
    asked, before = network.asked, first.review.stat()
    again = run(project)
    assert network.asked == asked
    assert counts(again, "tile") == counts(again, "predict") == {"skipped": 4}
    assert again.review == first.review
    assert (again.review.stat().st_mtime_ns, again.review.stat().st_ino) == (
        before.st_mtime_ns,
        before.st_ino,
    )
    assert again.signals == first.signals


def test_a_tile_without_imagery_is_read_once_for_each_content_of_its_sheets(
    project: Path, network: RedRoofs, monkeypatch: pytest.MonkeyPatch, write_orthophoto: WriteOrthophoto
) -> None:
    sheet = project.parent / "flight" / "south.tif"
    image, valid = np.full((3, 250, 500), 90, np.uint8), np.ones((250, 500), bool)
    valid[:, 250:] = False
    write_orthophoto(sheet, image, left=LEFT, top=TOP - 100, mask=valid)
    assert counts(run(project), "tile") == {"done": 5, "empty": 1}
    read, read_tile = [], tiling.read_tile

    def reading(job: tiling.TileJob, *args: Any, **options: Any) -> Any:
        read.append(job.tile_id)
        return read_tile(job, *args, **options)

    monkeypatch.setattr(tiling, "read_tile", reading)
    assert counts(run(project), "tile") == {"skipped": 5}
    assert not read
    write_orthophoto(sheet, image, left=LEFT, top=TOP - 100)
    assert counts(run(project), "tile") == {"done": 2, "skipped": 4}
    assert len(read) == 2


def test_a_run_writes_its_report_once_and_makes_up_for_one_that_was_cut_off(
    flown: Flown, network: RedRoofs
) -> None:
    project, first = flown
    report = first.review.with_name("report.html")
    figures = json.loads(report.with_name("quality.json").read_text("utf-8"))
    assert figures["signals"]["total"]["signals"] == 3
    assert figures["settings"]["compare"]["min_area_m2"] == 15.0
    sample = pyogrio.read_dataframe(report.with_name("review.gpkg"), layer="sample")
    assert sample["stratum"].value_counts()["object"] == 3
    report.write_text("as it was")
    run(project)
    assert report.read_text() == "as it was"
    report.unlink()
    run(project)
    assert "Kvalitetsrapport" in report.read_text("utf-8")


def test_a_changed_sheet_redoes_its_tiles_and_what_depends_on_them(
    flown: Flown, network: RedRoofs, write_orthophoto: WriteOrthophoto
) -> None:
    project, first = flown
    built = (60, 4, 68, 14)
    draw(project.parent / "flight" / "east.tif", write_orthophoto, left_m=50.0, width_m=50.0, another=built)
    again = run(project)
    assert counts(again, "tile") == {"done": 2, "skipped": 2}
    assert counts(again, "predict") == {"done": 4}  # the western tiles read over the border
    assert again.signals["missing"] == 2
    assert again.review != first.review
    assert first.review.exists()


def test_a_sheet_that_its_world_file_moves_is_cut_anew(project: Path, network: RedRoofs) -> None:
    folder = project.parent / "flight"
    (folder / "west.tif").unlink()
    with rasterio.open(folder / "east.tif") as source:
        image = source.read()
    (folder / "east.tif").unlink()
    project.write_text(project.read_text().replace("id: F1,", "id: F1, assume_crs: true,"))
    with rasterio.open(
        folder / "east.jp2",
        "w",
        driver="JP2OpenJPEG",
        width=250,
        height=500,
        count=3,
        dtype="uint8",
        REVERSIBLE="YES",
    ) as target:
        target.write(image)
    moved = []
    for left in (LEFT + 50.0, LEFT + 60.0):
        (folder / "east.j2w").write_text(f"0.2\n0\n0\n-0.2\n{left + 0.1}\n{TOP - 0.1}\n")
        detections = pyogrio.read_dataframe(run(project).review, layer="detection")
        moved.append(detections.total_bounds[0])
    assert moved[1] - moved[0] == pytest.approx(10.0, abs=0.5)


def test_metadata_beside_a_sheet_that_say_what_is_nodata_cut_it_anew(flown: Flown, network: RedRoofs) -> None:
    project, _ = flown
    bands = "".join(
        f'<PAMRasterBand band="{band}"><NoDataValue>{value}</NoDataValue></PAMRasterBand>'
        for band, value in enumerate((90, 140, 80), start=1)
    )
    beside = project.parent / "flight" / "east.tif.aux.xml"
    beside.write_text(f"<PAMDataset>{bands}</PAMDataset>")
    assert counts(run(project), "tile") == {"done": 2, "skipped": 2}


def test_another_day_of_photography_is_another_review_of_the_same_predictions(
    flown: Flown, network: RedRoofs
) -> None:
    project, first = flown
    project.write_text(project.read_text().replace("2026-05-14", "2025-05-14"))
    again = run(project)
    assert counts(again, "predict") == {"skipped": 4}
    assert again.review != first.review
    assert list(pyogrio.read_dataframe(again.review, layer="run")["photo_date"].astype(str)) == ["2025-05-14"]
    assert again.findings == ()


@pytest.mark.parametrize("change", [{"mean": (0.1, 0.2, 0.3)}, {"options": {"decoder": 1}}, {"stride": 16}])
def test_what_a_package_says_of_its_network_is_in_the_mark_of_a_prediction(change: dict[str, Any]) -> None:
    model, scheme = find_package("buildings"), TileScheme(parse_crs("EPSG:3006"), 0.2, 50)
    tile = "450000_6400950"
    images = {tile: {"assets": {"image": {"file:checksum": "1"}}}}

    def mark(package: ModelPackage) -> str:
        return tilejobs.prediction_mark(tile, images, scheme, PredictionSettings(), package)[1]

    assert mark(replace(model, **change)) != mark(model)
    assert mark(replace(model, folder=Path("elsewhere"), object_calibration=None)) == mark(model)


def test_heights_that_change_below_a_vrt_are_compared_anew(
    project: Path, network: RedRoofs, write_orthophoto: WriteOrthophoto
) -> None:
    heights = project.parent / "heights"
    signals: list[dict[str, int]] = []
    for metres in (0.0, 9.0):
        flat = np.full((1, 100, 100), metres, np.float32)
        part = write_orthophoto(heights / "part.tif", flat, left=LEFT, top=TOP, gsd_m=1.0)
        if not signals:
            rasterio.shutil.copy(part, heights / "all.vrt", driver="VRT")
        signals.append(dict(run(project, **{"compare.height.ndsm": heights / "all.vrt"}).signals))
    assert ["demolished" in each for each in signals] == [True, False]


def test_a_tile_that_cannot_be_cut_for_another_gsd_is_none_of_the_old_one(
    flown: Flown, network: RedRoofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = flown
    lost, read_tile = "450050_6400950", tiling.read_tile

    def failing(job: tiling.TileJob, *args: Any, **options: Any) -> Any:
        if job.tile_id == lost:
            raise OSError("broken")
        return read_tile(job, *args, **options)

    monkeypatch.setattr(tiling, "read_tile", failing)
    result = run(project, **{"tiling.gsd_m": 0.25})
    coverage = pyogrio.read_dataframe(result.review, layer="coverage").set_index("tile_id")
    assert coverage["reason"][lost] == "tile_failed"
    assert "reduced" not in result.signals


def test_a_folder_for_results_may_be_a_link(project: Path, network: RedRoofs) -> None:
    (project.parent / "disk" / "deep" / "data").mkdir(parents=True)
    (project.parent / "data").symlink_to(project.parent / "disk" / "deep" / "data")
    result = run(project, catalog=str(project.parent / "catalog"))
    assert result.signals == {"missing": 1, "demolished": 1, "extended": 1}
    run(project)
    assert list(inspect_flight(open_catalog(load_settings(project)), ["F1", "F1.buildings"])) == []


def test_other_settings_of_the_comparison_redo_no_tile(flown: Flown, network: RedRoofs) -> None:
    project, first = flown
    again = run(project, **{"compare.min_area_m2": 200.0})
    assert counts(again, "predict") == {"skipped": 4}
    assert again.review != first.review
    assert again.signals == {"below_min": 2, "extended": 1}


def test_an_earlier_flight_tells_what_the_map_had_wrong_already(
    flown: Flown, network: RedRoofs, write_orthophoto: WriteOrthophoto
) -> None:
    project, first = flown
    since = (60, 4, 68, 14)
    draw(project.parent / "flight" / "east.tif", write_orthophoto, left_m=50.0, width_m=50.0, since=since)
    later = run(project, **{"flight.id": "F2", "compare.previous": "F1"})
    signals = pyogrio.read_dataframe(later.review, layer="discrepancy")
    causes = signals.groupby("class")["cause"].agg(sorted).to_dict()
    assert causes == {
        "demolished": ["old_map_error"],
        "extended": ["old_map_error"],
        "missing": ["old_map_error", "real_change"],
    }
    suggestions = pyogrio.read_dataframe(later.review, layer="suggestion")
    assert set(suggestions["discrepancy_id"]) == set(
        signals["discrepancy_id"][signals["class"].isin(["missing", "extended"])]
    )
    assert first.review.exists()


def test_an_earlier_flight_that_was_never_read_is_refused_in_one_line(
    project: Path, network: RedRoofs
) -> None:
    with pytest.raises(ConfigError, match=r"compare\.previous: expected predictions .* F0 .*, found none"):
        run(project, **{"compare.previous": "F0"})
    assert network.asked == 0


def test_a_sheet_that_leaves_the_flight_takes_its_tiles_along(flown: Flown, network: RedRoofs) -> None:
    project, _ = flown
    (project.parent / "flight" / "east.tif").unlink()
    again = run(project)
    assert counts(again, "tile") == {"done": 2, "skipped": 2} or counts(again, "tile")["done"] >= 2
    store = Catalog(project.parent / "data" / "catalog")
    kept = {item["id"] for item in store.items("F1")}
    assert kept == {item["id"] for item in store.items("F1.buildings")}
    coverage = pyogrio.read_dataframe(again.review, layer="coverage")
    assert coverage[coverage.status == "checked"].area.sum() == pytest.approx(50.2 * 100)


def test_tiles_that_fail_are_told_in_coverage_and_report_and_made_up_for_later(
    project: Path, network: RedRoofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_tile = tiling.read_tile

    def read(job: tiling.TileJob, *args: Any, **options: Any) -> Any:
        if job.tile_id == "450050_6400900":
            raise RasterioIOError("no such block")
        return read_tile(job, *args, **options)

    monkeypatch.setattr(tiling, "read_tile", read)
    failed = run(project)
    coverage = pyogrio.read_dataframe(failed.review, layer="coverage").set_index("reason")
    assert coverage["tile_id"]["tile_failed"] == "450050_6400900"
    assert coverage["status"]["tile_failed"] == "not_checked"
    figures = json.loads(failed.review.with_name("quality.json").read_text("utf-8"))
    assert figures["not_assessed"]["ground"] == [
        {"code": "tile_failed", "count": 1, "area_m2": 2500.0, "length_m": 0.0}
    ]
    assert "demolished" not in failed.signals
    monkeypatch.undo()
    monkeypatch.setattr(tilejobs, "shared_segmenter", lambda model, precision, bands: network)
    whole = run(project)
    assert whole.review != failed.review
    assert set(pyogrio.read_dataframe(whole.review, layer="coverage")["reason"]) == {"imagery"}


def test_a_run_shows_what_its_policy_did_and_the_heights_that_a_rule_asks_for(
    project: Path, network: RedRoofs, write_orthophoto: WriteOrthophoto
) -> None:
    height = np.full((1, 100, 100), 2.0, np.float32)
    height[:, :, 60:] = 5.0
    ndsm = write_orthophoto(project.parent / "ndsm.tif", height, left=LEFT, top=TOP, gsd_m=1.0)
    rules = "[{name: tall, min_height_m: 4}, {name: low, max_height_m: 3}, {name: never, max_height_m: 1}]"
    more = f"        policy: {rules}\n        compare: {{height: {{ndsm: {ndsm}}}}}\n"
    project.write_text(project.read_text().rstrip() + "\n" + more)
    result = run(project)
    signals = pyogrio.read_dataframe(result.review, layer="discrepancy").set_index("class")
    assert signals["policy_group"]["missing"] == "tall"
    assert signals["policy_group"]["extended"] == "low"
    assert "höjd 5,0" in signals["reason"]["missing"]
    policy = json.loads(result.review.with_name("quality.json").read_text("utf-8"))["policy"]
    assert [(rule["name"], rule["set_aside"]) for rule in policy["rules"]] == [
        ("tall", 1),
        ("low", 1),
        ("never", 0),
    ]
    assert policy["rules"][0]["mapped_share"] == pytest.approx(1 / 6, abs=1e-5), "of six objects one is tall"


def test_outlines_that_cross_themselves_are_counted_in_the_report(project: Path, network: RedRoofs) -> None:
    corners = [(0, 0), (8, 8), (8, 0), (0, 8)]
    bow = shapely.Polygon([(LEFT + 80 + x, TOP - 20 + y) for x, y in corners])
    frame = gpd.read_file(project.parent / "map.gpkg")
    frame = pd.concat([frame, gpd.GeoDataFrame({"id": ["bow"]}, geometry=[bow], crs=frame.crs)])
    frame.to_file(project.parent / "map.gpkg", layer="byggnad")
    review = run(project).review
    status = pyogrio.read_dataframe(review, layer="map_status").set_index("map_object_id")["defect"]
    assert status.dropna().to_dict() == {"bow": "self_intersects"}
    logical = json.loads(review.with_name("quality.json").read_text("utf-8"))["map"]["logical"]
    assert {each["iso"]: each["figure"]["value"] for each in logical if each["iso"] > 25} == {26: 1, 27: 0}


def test_a_broken_sheet_is_a_finding_and_the_rest_goes_on(project: Path, network: RedRoofs) -> None:
    east = project.parent / "flight" / "east.tif"
    east.write_bytes(east.read_bytes()[:2000])
    result = run(project)
    (finding,) = [finding for finding in result.findings if finding.severity == "error"]
    assert str(finding).startswith("east.tif: expected a readable orthophoto, found: ")
    status = pyogrio.read_dataframe(result.review, layer="map_status").set_index("map_object_id")["status"]
    assert status["gone"] == "not_assessable"
    assert status["a"] == "confirmed"
    assert "demolished" not in result.signals


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"crs": "EPSG:4326"}, "crs: expected a projected CRS in metres, found EPSG:4326"),
        ({"map.theme": "road"}, "map.theme: expected one of building, found road"),
        ({"tiling.gsd_m": 1.0}, "model buildings: expected a GSD of 0.12 to 0.35 m, found 1 m"),
        ({"prediction.model": "roofs"}, "model 'roofs': expected a folder or a shipped package"),
    ],
)
def test_what_cannot_work_is_said_before_any_tile_is_cut(
    project: Path, network: RedRoofs, overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(GeoaiError) as error:
        run(project, **overrides)
    assert str(error.value).startswith(message)
    assert not list((project.parent / "data").rglob("*.tif"))


SCRIPT = """
import sys, time
import numpy as np
from pathlib import Path
from typer.testing import CliRunner

from geoai import assessment, merging, pipeline, plan, tilejobs
from geoai.catalog import Catalog
from geoai.cli import app
from geoai.config import load_settings

def slow(chip):
    time.sleep({seconds})
    return np.where(chip[:1] > 150, np.float32(0.95), np.float32(0.01))

tilejobs.shared_segmenter = lambda model, precision, bands: slow
pipeline.run(load_settings(Path(sys.argv[1]), {{"engine.workers": 1, "data": Path(sys.argv[2])}}))
"""


def test_two_data_folders_that_share_a_catalogue_take_turns(
    project: Path, network: RedRoofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an item tells of pixels that the other run wrote, under a fingerprint that holds for ever."""
    here, write_tile, refused = project.parent, tiling.write_tile, list[str]()

    def interrupted(*arguments: Any) -> None:
        write_tile(*arguments)
        monkeypatch.setattr(tiling, "write_tile", write_tile)
        try:
            run(project, data=here / "b", catalog=here / "shared", **{"tiling.compression": "jpeg"})
        except BusyError as error:
            refused.append(str(error))

    run(project, data=here / "alone")
    own = {"data": here / "a", "catalog": here / "shared", "engine.workers": 1}
    monkeypatch.setattr(tiling, "write_tile", interrupted)
    run(project, **own)
    run(project, **own)
    assert rasters(here / "shared") == rasters(here / "alone" / "catalog")
    assert [line.partition(", found ")[0] for line in refused] == ["flight F1: expected no other run of it"]
    assert not (here / "b" / "runs").exists()


def rasters(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.tif")}


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(project: Path, network: RedRoofs) -> None:
    killed, whole = project.parent / "killed", project.parent / "whole"
    command = [sys.executable, "-c", SCRIPT.format(seconds=1.0), str(project), str(killed)]
    predictions = killed / "catalog" / "flights" / "F1.buildings"
    deadline = time.monotonic() + 240
    with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}) as process:
        try:
            while len(list(predictions.glob("*/4*.json"))) < 2:
                assert process.poll() is None, "the run ended before it could be killed"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.kill()
    done = len(list(predictions.glob("*/4*.json")))
    assert 2 <= done < 4
    resumed = run(project, data=killed)
    assert counts(resumed, "tile") == {"skipped": 4}
    assert counts(resumed, "predict") == {"skipped": done, "done": 4 - done}
    undisturbed = run(project, data=whole)
    assert resumed.signals == undisturbed.signals
    assert rasters(killed) == rasters(whole)


FULL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.argv = ["geoai", "run", "--config", sys.argv[1]]
from geoai.cli import main
main()
"""


def test_a_full_disk_stops_the_run_with_one_line_and_nothing_half_written(
    project: Path, network: RedRoofs
) -> None:
    noise = np.random.default_rng(1)
    for sheet in (project.parent / "flight").iterdir():
        with rasterio.open(sheet, "r+") as target:
            target.write(noise.integers(1, 140, (3, target.height, target.width), np.uint8))
    # -B: Python takes a short write for a whole one, and would leave damaged bytecode of what it imports
    command = [sys.executable, "-B", "-c", FULL_DISK, str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("geoai: ")]
    assert "image.tif: expected a disk that takes it, found File too large" in line
    assert "Traceback" not in done.stderr
    assert not [path for path in (project.parent / "data").rglob("*") if path.name.startswith(".image")]
    assert not list((project.parent / "data").rglob("*.tif"))
    assert counts(run(project), "tile") == {"done": 4}


def test_the_last_run_is_told_however_it_ended(
    project: Path, network: RedRoofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = project.parent / "data" / "runs" / "F1" / "last-run.json"
    at_work: list[Any] = []
    plan_tiles = tiling.plan_tiles

    def look(*args: Any) -> Any:
        at_work.append(json.loads(record.read_text("utf-8")))
        return plan_tiles(*args)

    monkeypatch.setattr(tiling, "plan_tiles", look)
    run(project)
    assert (at_work[0]["finished"], at_work[0]["error"]) == (None, None), "as a killed run leaves it"
    told = json.loads(record.read_text("utf-8"))
    assert [stage["name"] for stage in told["stages"]] == [
        "accept",
        "tile",
        "predict",
        "trace",
        "compare",
        "merge",
    ]
    assert told["started"] <= told["finished"]
    assert told["error"] is None

    def fail(*args: Any, **options: Any) -> Any:
        raise RasterioIOError("No space left on device")

    monkeypatch.setattr(assessment, "make_review", fail)
    with pytest.raises(RasterioIOError):
        run(project)
    told = json.loads(record.read_text("utf-8"))
    assert told["error"] == {"type": "RasterioIOError", "message": "No space left on device"}
    assert [stage["name"] for stage in told["stages"]] == ["accept", "tile", "predict", "trace", "compare"]
    assert told["stages"][2]["counts"] == {"skipped": 4}

    with pytest.raises(MapError):
        run(project, **{"map.source": "gone.gpkg"})
    told = json.loads(record.read_text("utf-8"))
    assert (told["stages"], told["error"]["type"]) == ([], "MapError"), "not what an earlier run left"


def told_of(findings: Sequence[Finding]) -> RunResult:
    return RunResult("F1", Path(), Path(), (), tuple(findings), {}, 0)


@given(
    st.lists(
        st.builds(
            Finding,
            file=st.sampled_from(["a.tif", "b.tif"]),
            code=st.sampled_from(["unreadable", "crs", "away", "tile_failed", "not_merged"]),
            severity=st.sampled_from(["error", "warning"]),
            message=st.sampled_from(["expected a sheet", "expected a map"]),
        )
    )
)
def test_errors_among_the_findings_are_raised_by_whether_another_run_may_help(
    findings: list[Finding],
) -> None:
    errors = [each for each in findings if each.severity == "error"]
    if not errors:
        return told_of(findings).raise_for_errors()
    with pytest.raises(GeoaiError) as caught:
        told_of(findings).raise_for_errors()
    said = str(caught.value)
    assert said.startswith("; ".join(map(str, errors[:3])))
    assert said.endswith(f"; and {len(errors) - 3} more, see the findings") == (len(errors) > 3)
    may_pass = any(each.code in ("away", "tile_failed", "not_merged") for each in errors)
    assert isinstance(caught.value, FindingsError) != may_pass
    return None


def test_settings_of_a_run_are_values(project: Path) -> None:
    assert load_settings(project) == load_settings(project)
    assert isinstance(load_settings(project), Settings)


@pytest.mark.slow
def test_what_was_decided_in_a_review_is_in_the_next_one(flown: Flown, network: RedRoofs) -> None:
    project, first = flown
    before = pyogrio.read_dataframe(first.review, layer="discrepancy").set_index("class")
    name = before["discrepancy_id"]["missing"]
    decide(first.review, name, "rejected", reject_reason="container")
    decided = first.review.read_bytes()
    second = run(project, **{"compare.change_m2": 30.0})
    after = pyogrio.read_dataframe(second.review, layer="discrepancy").set_index("class")
    assert after["discrepancy_id"].to_dict() == before["discrepancy_id"].to_dict()
    assert after["status"].to_dict() == {"missing": "rejected", "demolished": "open", "extended": "open"}
    assert (after["reject_reason"]["missing"], after["reviewed_by"]["missing"]) == ("container", "Anna")
    assert set(after["lifecycle"]) == {"persisting"}
    stricter = run(project, **{"compare.change_m2": 90.0})
    gone = pyogrio.read_dataframe(stricter.review, layer="discrepancy").set_index("class").loc["extended"]
    assert (gone["lifecycle"], gone["discrepancy_id"]) == ("gone", before["discrepancy_id"]["extended"])
    assert gone["reason"].startswith("Inte längre funnen. Byggnad")
    assert stricter.signals == {"missing": 1, "demolished": 1}
    assert run(project).review == first.review
    assert first.review.read_bytes() == decided, "no run writes into a review"


def test_the_runs_of_a_flight_share_a_review_that_stands(flown: Flown, network: RedRoofs) -> None:
    project, first = flown
    assert first.current == first.review.parent.with_name("current") / "review.gpkg"
    columns = ["class", "discrepancy_id", "status", "lifecycle", "run_id"]
    before = pyogrio.read_dataframe(first.current, layer="discrepancy", columns=columns, fid_as_index=True)
    decide(first.current, before.set_index("class")["discrepancy_id"]["missing"], "confirmed")
    second = run(project, **{"compare.change_m2": 90.0})
    assert second.current == first.current
    after = pyogrio.read_dataframe(second.current, layer="discrepancy", columns=columns, fid_as_index=True)
    assert after["discrepancy_id"].to_dict() == before["discrepancy_id"].to_dict()
    rows = after.set_index("class")
    assert rows["status"].to_dict() == {"missing": "confirmed", "demolished": "open", "extended": "open"}
    assert rows["lifecycle"].to_dict() == {
        "missing": "persisting", "demolished": "persisting", "extended": "gone"
    }  # fmt: skip
    record = pyogrio.read_dataframe(second.review, layer="discrepancy").set_index("class")
    assert record["status"]["missing"] == "confirmed"
    for name in ("orthophoto.vrt", "probability.vrt"):
        with rasterio.open(first.current.with_name(name)) as there:
            assert there.read(1).any()
    assert write_report(first.current.parent).exists()
    made = plan.make_plan(load_settings(project, {"compare.change_m2": 90.0}))
    assert (made.against, made.changes) == ("current", 0)
    back = run(project)
    assert back.review == first.review
    again = pyogrio.read_dataframe(back.current, layer="discrepancy").set_index("class")
    assert again["lifecycle"]["extended"] == "new", "the list of the run that was asked for"
    assert again["status"]["missing"] == "confirmed"


def test_a_standing_review_in_use_is_a_finding_and_merged_later(
    flown: Flown, network: RedRoofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "TRY_S", 0.01)
    monkeypatch.setattr(merging, "WAIT_S", 0.05)
    project, first = flown
    current = first.current
    geoai = CliRunner()
    with closing(sqlite3.connect(current, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        result = run(project, **{"compare.change_m2": 90.0})
        (finding,) = result.findings
        assert (finding.severity, finding.code) == ("error", "not_merged")
        assert (result.review.parent / "report.html").exists()
        refused = geoai.invoke(app, ["review", "merge", str(result.review.parent)])
        assert refused.exit_code == 2
        assert "merge it again" in refused.stderr
        assert refused.stderr.count("\n") == 1
        database.execute("ROLLBACK")
    done = geoai.invoke(app, ["review", "merge", str(result.review.parent)])
    assert done.exit_code == 0, done.output
    assert str(current.with_suffix(".qgz")) in done.stdout
    rows = pyogrio.read_dataframe(current, layer="discrepancy").set_index("class")
    assert rows["lifecycle"]["extended"] == "gone"
    assert geoai.invoke(app, ["review", "merge", str(current.parent)]).exit_code == 2


def test_a_ledger_of_another_project_stops_the_run_before_the_first_tile(
    flown: Flown, network: RedRoofs
) -> None:
    project, _ = flown
    with closing(sqlite3.connect(project.parent / "data" / "ledger.gpkg")) as database, database:
        database.execute("UPDATE ledger SET value = 'EPSG:3008' WHERE key = 'crs'")
    with pytest.raises(
        LedgerError, match=r"ledger.gpkg: expected a ledger of crs EPSG:3006, found EPSG:3008"
    ):
        run(project, **{"tiling.tile_m": 100})
