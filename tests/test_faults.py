"""What goes wrong outside: shares that vanish, sheets that break, clocks that are wrong, two at once."""

# ruff: noqa: F811 (fixtures of another module)

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from conftest import WriteOrthophoto
from rasterio.crs import CRS
from test_pipeline import counts, draw, make_project, network, project, run  # noqa: F401, fixtures
from test_resume import rows_of

from geoai import tiling
from geoai.catalog import Catalog
from geoai.config import FlightSettings
from geoai.errors import BusyError, ImageryError
from geoai.flight import scan_flight
from geoai.locks import hold_flight

SWEREF = CRS.from_epsg(3006)
GREY = np.full((3, 100, 100), 90, np.uint8)


def tiles(data: Path) -> dict[str, int]:
    """Return when each image and prediction was committed."""
    items = data.glob("catalog/flights/*/*/[!.]*.json")
    return {path.relative_to(data).as_posix(): path.stat().st_mtime_ns for path in items}


# --- sheets and shares -----------------------------------------------------------------------------------


def test_a_sheet_that_breaks_keeps_its_tiles_until_it_can_be_read(
    project: Path,
    network: object,
    write_orthophoto: WriteOrthophoto,
) -> None:
    first = run(project)
    before = tiles(project.parent / "data")
    east = project.parent / "flight" / "east.tif"
    whole = east.read_bytes()
    for _ in range(2):  # a second look knows as much as the first
        east.write_bytes(whole[:2000])
        broken = run(project)
        assert [finding.file for finding in broken.findings if finding.severity == "error"] == ["east.tif"]
        assert tiles(project.parent / "data") == before
        assert broken.signals == first.signals
    built = (60, 4, 68, 14)
    draw(east, write_orthophoto, left_m=50.0, width_m=50.0, another=built)
    mended = run(project)
    assert counts(mended, "tile") == {"done": 2, "skipped": 2}
    assert mended.signals["missing"] == 2


def test_a_sheet_that_was_never_read_leaves_the_others_tiles_alone(
    project: Path,
    network: object,
) -> None:
    east = project.parent / "flight" / "east.tif"
    east.write_bytes(east.read_bytes()[:2000])
    first = run(project)
    assert counts(run(project), "tile") == {"skipped": counts(first, "tile")["done"]}


@pytest.mark.slow
def test_tiles_of_another_size_under_a_sheet_that_breaks_are_not_taken_for_the_new(
    project: Path, network: object
) -> None:
    run(project)
    sheet = project.parent / "flight" / "east.tif"
    whole = sheet.read_bytes()
    sheet.write_bytes(whole[: len(whole) // 2])
    corner = "450000_6400900"  # a tile of 50 m and one of 100 m begin there
    result = run(project, **{"tiling.tile_m": 100})
    assert counts(result, "tile") == {"done": 1}
    item = json.loads((catalog(project) / corner / f"{corner}.json").read_bytes())
    assert item["properties"]["proj:shape"] == [500, 500]
    sheet.write_bytes(whole)
    assert counts(run(project, **{"tiling.tile_m": 100}), "tile") == {"done": 1}


def catalog(project: Path) -> Path:
    return project.parent / "data" / "catalog" / "flights" / "F1"


def test_a_folder_of_the_flight_that_cannot_be_read_removes_no_tile(
    project: Path, network: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.parent / "flight"
    (folder / "more").mkdir()
    (folder / "west.tif").rename(folder / "more" / "west.tif")
    run(project)
    before = tiles(project.parent / "data")
    scandir = os.scandir

    def refused(place: Any = ".") -> Any:
        if os.fspath(place).endswith("more"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(PermissionError, match="more"):
        run(project)
    assert tiles(project.parent / "data") == before


def test_a_catalogue_that_cannot_be_read_for_a_moment_loses_no_tile(
    project: Path, network: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles of a sheet that cannot be read are kept, if they are there: of an error nothing is concluded."""
    run(project)
    before = tiles(project.parent / "data")
    os.truncate(project.parent / "flight" / "west.tif", 1000)
    item = Catalog.item

    def failing(store: Catalog, collection: str, tile_id: str) -> Any:
        if (collection, tile_id) == ("F1", "450000_6400950"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), tile_id)
        return item(store, collection, tile_id)

    monkeypatch.setattr(Catalog, "item", failing)
    with pytest.raises(OSError, match="450000_6400950"):
        run(project)
    assert tiles(project.parent / "data") == before


def test_a_share_that_is_half_there_removes_no_tile(
    project: Path,
    network: object,
    write_orthophoto: WriteOrthophoto,
) -> None:
    folder = project.parent / "flight"
    draw(folder / "more.tif", write_orthophoto, left_m=100.0, width_m=50.0)
    run(project)
    before = tiles(project.parent / "data")
    away = project.parent / "away"
    away.mkdir()
    for name in ("west.tif", "more.tif"):
        (folder / name).rename(away / name)
    with pytest.raises(
        ImageryError, match=r"expected the 3 orthophotos of the last look, found 2 of them gone"
    ):
        run(project)
    assert tiles(project.parent / "data") == before
    (folder / "east.tif").rename(away / "east.tif")
    with pytest.raises(ImageryError, match="expected orthophotos"):  # mounted empty
        run(project)
    folder.rmdir()
    with pytest.raises(ImageryError, match="expected a folder of orthophotos"):  # not mounted
        run(project)
    assert tiles(project.parent / "data") == before
    away.rename(folder)
    again = run(project)
    assert counts(again, "tile") == {"skipped": 6}
    assert tiles(project.parent / "data") == before


@pytest.mark.slow
def test_a_share_that_goes_while_tiles_are_cut_stops_the_run_and_the_next_goes_on(
    project: Path,
    network: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, away = project.parent / "flight", project.parent / "away"
    read_tile, read = tiling.read_tile, []

    def reading(job: tiling.TileJob, *args: Any, **options: Any) -> Any:
        if len(read) == 2:
            folder.rename(away)
        read.append(job.tile_id)
        return read_tile(job, *args, **options)

    monkeypatch.setattr(tiling, "read_tile", reading)
    with pytest.raises(
        OSError, match=r"t\.tif: expected the sheet until its tiles are cut, found it gone"
    ) as error:
        run(project, **{"engine.workers": 1})
    assert "\n" not in str(error.value)
    assert len(tiles(project.parent / "data")) == 2
    assert len(read) <= 4
    monkeypatch.undo()
    from geoai import tilejobs

    monkeypatch.setattr(tilejobs, "shared_segmenter", lambda model, precision, bands: network)
    away.rename(folder)
    assert counts(run(project), "tile") == {"done": 2, "skipped": 2}


@pytest.mark.slow
def test_a_sheet_delivered_twice_makes_no_signal_twice(project: Path, network: object) -> None:
    once = run(project)
    shutil.copy(project.parent / "flight" / "east.tif", project.parent / "flight" / "east-2.tif")
    twice = run(project, data=project.parent / "twice")
    assert twice.signals == once.signals
    assert "overlap" in {finding.code for finding in twice.findings}
    again = run(project)  # delivered again later
    assert again.signals == once.signals
    ledger = rows_of(project.parent / "data" / "ledger.gpkg")
    assert len(ledger["signal"]) == sum(once.signals.values())


@pytest.mark.slow
def test_a_sheet_that_moves_is_cut_anew_though_its_pixels_stay(
    project: Path,
    network: object,
) -> None:
    """A world file, or the place in a header, is no pixel: checksums of files do not tell it."""
    east = project.parent / "flight" / "east.tif"
    picture = east.with_suffix(".jpg")
    with rasterio.open(east) as source:
        data, t = source.read(), source.transform
    east.unlink()
    with rasterio.open(picture, "w", driver="JPEG", width=250, height=500, count=3, dtype="uint8") as target:
        target.write(data)
    world = picture.with_suffix(".jgw")
    world.write_text(f"0.2\n0\n0\n-0.2\n{t.c + 0.1}\n{t.f - 0.1}\n")
    run(project, **{"flight.assume_crs": True})
    world.write_text(f"0.2\n0\n0\n-0.2\n{t.c + 0.3}\n{t.f - 0.1}\n")
    moved = run(project, **{"flight.assume_crs": True})
    assert counts(moved, "tile") == {"done": 2, "skipped": 2} or counts(moved, "tile")["done"] > 1


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".msk", ".aux.xml"])
def test_what_lies_beside_a_sheet_is_part_of_it(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, suffix: str
) -> None:
    memo, folder = tmp_path / "memo", tmp_path / "flight"
    sheet = write_orthophoto(folder / "a.b.tif", GREY)
    write_orthophoto(folder / "c.tif", GREY, left=450_020)
    settings = FlightSettings(folder=folder, date=dt.date(2026, 5, 14))
    first, _ = scan_flight(settings, SWEREF, memo=memo)
    beside = sheet.with_name(f"{sheet.name}{suffix}")
    if suffix == ".msk":
        mask = np.full((1, 100, 100), 255, np.uint8)
        mask[:, :50] = 0
        write_orthophoto(folder / "mask.tmp", mask).rename(beside)
        with rasterio.open(beside, "r+", driver="GTiff") as target:
            target.update_tags(INTERNAL_MASK_FLAGS_1=2, INTERNAL_MASK_FLAGS_2=2, INTERNAL_MASK_FLAGS_3=2)
    else:
        beside.write_text(
            "<PAMDataset><GeoTransform>450000, 0.2, 0, 6401020, 0, -0.2</GeoTransform></PAMDataset>"
        )
    second, _ = scan_flight(settings, SWEREF, memo=memo)
    assert first.orthophotos[1] == second.orthophotos[1]
    changed = [
        name
        for name in ("grid", "checksum", "mask_checksum", "valid_share")
        if getattr(first.orthophotos[0], name) != getattr(second.orthophotos[0], name)
    ]
    assert changed == (["mask_checksum", "valid_share"] if suffix == ".msk" else ["grid"])
    beside.unlink()
    assert scan_flight(settings, SWEREF, memo=memo)[0] == first


def test_links_to_sheets_are_followed_and_links_to_folders_are_not(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    archive, folder = tmp_path / "archive", tmp_path / "flight"
    write_orthophoto(archive / "a.tif", GREY)
    write_orthophoto(archive / "more" / "b.tif", GREY, left=450_020)
    folder.mkdir()
    (folder / "a.tif").symlink_to(archive / "a.tif")
    (folder / "more").symlink_to(archive / "more")
    (folder / "gone.tif").symlink_to(archive / "none.tif")
    flight, findings = scan_flight(FlightSettings(folder=folder), SWEREF)
    assert [orthophoto.name for orthophoto in flight.orthophotos] == ["a.tif"]
    assert [finding.file for finding in findings if finding.severity == "error"] == ["gone.tif"]


def test_a_link_whose_archive_is_away_keeps_its_tiles(project: Path, network: object) -> None:
    folder, archive = project.parent / "flight", project.parent / "archive"
    archive.mkdir()
    (folder / "east.tif").rename(archive / "east.tif")
    (folder / "east.tif").symlink_to(archive / "east.tif")
    run(project)
    before = tiles(project.parent / "data")
    archive.rename(project.parent / "away")
    result = run(project)
    assert [finding.file for finding in result.findings if finding.severity == "error"] == ["east.tif"]
    assert tiles(project.parent / "data") == before


# --- two at once, clocks ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_run_of_a_flight_is_told_who_is_at_it(project: Path, network: object) -> None:
    with hold_flight(project.parent / "data", "F1"):
        with pytest.raises(
            BusyError, match=rf"flight F1: expected no other run of it, found process {os.getpid()}"
        ):
            run(project)
        run(project, **{"flight.id": "F2"})
    run(project)


@pytest.mark.slow
def test_two_flights_at_once_are_as_two_after_each_other(project: Path, network: object) -> None:
    settings = {"F1": dt.date(2026, 5, 14), "F2": dt.date(2027, 5, 14)}
    failed = []

    def process(data: str, flight: str) -> None:
        try:
            run(project, data=project.parent / data, **{"flight.id": flight, "flight.date": settings[flight]})
        except BaseException as error:
            failed.append(error)

    for flight in settings:
        process("after", flight)
    together = [threading.Thread(target=process, args=("beside", flight)) for flight in settings]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert failed == []
    process("beside", "F1")
    catalogs = [
        json.loads((project.parent / data / "catalog" / "catalog.json").read_text())
        for data in ("after", "beside")
    ]
    assert catalogs[0] == catalogs[1]
    ledgers = [rows_of(project.parent / data / "ledger.gpkg") for data in ("after", "beside")]
    assert len(ledgers[0]["signal"]) == len(ledgers[1]["signal"]) == 3


class _Yesterday(dt.datetime):
    """A clock that stands still in 1999, before every file."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return dt.datetime(1999, 1, 1, tzinfo=tz)


@pytest.mark.slow
def test_a_wrong_clock_changes_dates_of_making_and_nothing_else(
    project: Path,
    network: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flights = {"F1": dt.date(2026, 5, 14), "F2": dt.date(2027, 5, 14)}

    def both(data: str) -> list[Any]:
        results = []
        for flight, date in flights.items():
            if flight == "F2" and data == "wrong":  # set back between the two
                monkeypatch.setattr(dt, "datetime", _Yesterday)
            results.append(
                run(project, data=project.parent / data, **{"flight.id": flight, "flight.date": date})
            )
        monkeypatch.setattr(dt, "datetime", _Yesterday.__base__)
        return results

    right, wrong = both("right"), both("wrong")
    assert [result.signals for result in right] == [result.signals for result in wrong]
    for one, other in zip(right, wrong, strict=True):
        assert rows_of(one.current)["discrepancy"] == rows_of(other.current)["discrepancy"]
    assert rows_of(project.parent / "right" / "ledger.gpkg") == rows_of(
        project.parent / "wrong" / "ledger.gpkg"
    )
    again = run(project, data=project.parent / "wrong", **{"flight.id": "F2", "flight.date": flights["F2"]})
    assert counts(again, "tile") == counts(again, "predict") == {"skipped": 4}


@pytest.mark.slow
def test_a_changed_sheet_redoes_its_tiles_and_those_that_read_over_its_border(
    project: Path, network: object, write_orthophoto: WriteOrthophoto
) -> None:
    sheet = project.parent / "flight" / "more.tif"
    draw(sheet, write_orthophoto, left_m=100.0, width_m=50.0)
    run(project)
    data = project.parent / "data"
    before = tiles(data)
    draw(sheet, write_orthophoto, left_m=100.0, width_m=50.0, another=(120, 4, 130, 14))
    run(project)
    after = tiles(data)
    again = {Path(name).stem[:6] + name.split("/")[2][2:] for name in after if after[name] != before[name]}
    assert again == {"450100", "450050.buildings", "450100.buildings"}
    assert sum(after[name] != before[name] for name in after) == 6
