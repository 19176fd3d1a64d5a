import datetime as dt
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import WriteOrthophoto, ground_image
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from geoai import flight as flight_module
from geoai.config import FlightSettings
from geoai.errors import ImageryError
from geoai.flight import Finding, scan_flight

SWEREF = CRS.from_epsg(3006)
GREY = np.full((3, 100, 100), 90, np.uint8)


def scan(folder: Path, **settings: object) -> tuple[list[str], list[Finding]]:
    options = {"folder": folder, "date": dt.date(2026, 5, 14)} | settings
    flight, findings = scan_flight(FlightSettings.model_validate(options), SWEREF)
    return [orthophoto.name for orthophoto in flight.orthophotos], findings


def refusal(folder: Path, name: str, **settings: object) -> str:
    """Scan a folder that also holds a good sheet; return the one finding, which must be about *name*."""
    names, findings = scan(folder, **settings)
    assert names == ["good.tif"]
    (finding,) = [finding for finding in findings if finding.severity == "error"]
    assert finding.file == name
    return str(finding)


@pytest.fixture
def folder(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> Path:
    write_orthophoto(tmp_path / "good.tif", GREY)
    return tmp_path


def test_sheets_side_by_side_give_no_finding(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    for col in range(3):
        write_orthophoto(tmp_path / f"{col}.tif", GREY, left=450_000 + 20 * col)
    names, findings = scan(tmp_path)
    assert names == ["0.tif", "1.tif", "2.tif"]
    assert findings == []


def test_sheets_that_share_one_pixel_give_no_finding(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    sheet = np.full((3, 101, 101), 90, np.uint8)
    for col in range(2):
        write_orthophoto(tmp_path / f"{col}.tif", sheet, left=450_000 - 0.1 + 20 * col)
    assert scan(tmp_path)[1] == []


def test_a_missing_folder_and_an_empty_one_are_said(tmp_path: Path) -> None:
    with pytest.raises(ImageryError) as error:
        scan(tmp_path / "none")
    assert str(error.value) == f"{tmp_path / 'none'}: expected a folder of orthophotos, found nothing"
    with pytest.raises(ImageryError) as error:
        scan(tmp_path)
    assert (
        str(error.value) == f"{tmp_path}: expected orthophotos (.jp2, .jpeg, .jpg, .tif, .tiff), found none"
    )


def test_a_flight_without_one_usable_sheet_says_why_for_each(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    write_orthophoto(tmp_path / "a.tif", GREY, crs="EPSG:3008")
    with pytest.raises(ImageryError) as error:
        scan(tmp_path)
    assert str(error.value).splitlines() == [
        "a.tif: expected EPSG:3006, found EPSG:3008",
        f"{tmp_path}: expected usable orthophotos, found none",
    ]


def test_another_crs_is_refused(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(folder / "bad.tif", GREY, crs="EPSG:3008")
    assert refusal(folder, "bad.tif") == "bad.tif: expected EPSG:3006, found EPSG:3008"


def test_degrees_are_refused(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(folder / "bad.tif", GREY, crs="EPSG:4326", left=14.0, top=57.0, gsd_m=1e-6)
    message = "bad.tif: expected a projected CRS in metres, found EPSG:4326"
    assert refusal(folder, "bad.tif") == message


def test_no_crs_is_refused_unless_the_configuration_gives_it(
    folder: Path, write_orthophoto: WriteOrthophoto
) -> None:
    write_orthophoto(folder / "bad.tif", GREY, crs=None, left=450_020)
    message = "bad.tif: expected EPSG:3006, found no CRS (see flight.assume_crs)"
    assert refusal(folder, "bad.tif") == message
    assert scan(folder, assume_crs=True) == (["bad.tif", "good.tif"], [])


def test_a_world_file_places_a_sheet(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    with rasterio.open(
        folder / "world.jpg", "w", driver="JPEG", width=100, height=100, count=3, dtype="uint8"
    ) as target:
        target.write(GREY)
    (folder / "world.jgw").write_text("0.2\n0\n0\n-0.2\n450020.1\n6400999.9\n")
    flight, findings = scan_flight(
        FlightSettings(folder=folder, assume_crs=True, date=dt.date(2026, 5, 14)), SWEREF
    )
    assert findings == []
    assert flight.orthophotos[1].grid.bounds == pytest.approx((450_020, 6_400_980, 450_040, 6_401_000))


def test_a_picture_without_a_place_is_refused(folder: Path) -> None:
    with rasterio.open(
        folder / "bad.jpg", "w", driver="JPEG", width=100, height=100, count=3, dtype="uint8"
    ) as target:
        target.write(GREY)
    message = "bad.jpg: expected a geotransform or world file, found none"
    assert refusal(folder, "bad.jpg", assume_crs=True) == message


@pytest.mark.parametrize(
    "transform",
    [Affine(0.2, 0.01, 450_000, 0.01, -0.2, 6_401_000), Affine(0.2, 0, 450_000, 0, 0.2, 6_401_000)],
    ids=["rotated", "south up"],
)
def test_a_grid_that_is_not_north_up_is_refused(
    folder: Path, write_orthophoto: WriteOrthophoto, transform: Affine
) -> None:
    write_orthophoto(folder / "bad.tif", GREY, transform=transform)
    message = refusal(folder, "bad.tif")
    assert message.startswith("bad.tif: expected north-up with square pixels, found transform (0.2, ")


def test_a_truncated_file_is_refused(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (3, 400, 400), np.uint8)
    path = write_orthophoto(folder / "bad.tif", noise, tiled=True, blockxsize=128, blockysize=128)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    message = refusal(folder, "bad.tif")
    assert message.startswith("bad.tif: expected a readable orthophoto, found: ")
    assert "\n" not in message


def test_a_sheet_that_goes_while_others_are_read_is_not_told_as_broken(
    folder: Path, write_orthophoto: WriteOrthophoto
) -> None:
    (folder / "bad.tif").write_text("not an image")
    last = write_orthophoto(folder / "last.tif", GREY, left=450_020)

    def share_goes(done: int, total: int) -> None:
        last.unlink(missing_ok=True)

    _, findings = scan_flight(FlightSettings(folder=folder), SWEREF, progress=share_goes)
    errors = {each.file: each.code for each in findings if each.severity == "error"}
    assert errors == {"bad.tif": "unreadable", "last.tif": "away"}


def test_a_text_file_by_the_name_of_an_image_is_refused(folder: Path) -> None:
    (folder / "bad.tif").write_text("not an image")
    message = refusal(folder, "bad.tif")
    assert message.startswith("bad.tif: expected a readable orthophoto, found: ")


def test_a_vrt_by_the_name_of_an_image_is_not_followed(folder: Path) -> None:
    with rasterio.open(folder / "good.tif") as source:
        size = f'rasterXSize="{source.width}" rasterYSize="{source.height}"'
    (folder / "bad.tif").write_text(f"<VRTDataset {size}><SRS>EPSG:3006</SRS></VRTDataset>")
    assert refusal(folder, "bad.tif").startswith("bad.tif: expected a readable orthophoto")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_other_bands_than_rgb_and_near_infrared_are_refused(
    folder: Path, write_orthophoto: WriteOrthophoto, count: int
) -> None:
    bands = np.full((count, 100, 100), 90, np.uint8)
    write_orthophoto(folder / "bad.tif", bands, photometric="MINISBLACK", alpha="NO")
    message = f"bad.tif: expected RGB or RGB + near infrared, found {count} band(s)"
    assert refusal(folder, "bad.tif") == message


def test_float_imagery_is_refused(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(folder / "bad.tif", GREY.astype(np.float32))
    assert refusal(folder, "bad.tif") == "bad.tif: expected uint8 or uint16, found float32"


def test_uint16_needs_a_white_level(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(folder / "bad.tif", GREY.astype(np.uint16), left=450_020)
    message = "bad.tif: expected flight.white_level to be set for uint16, found none"
    assert refusal(folder, "bad.tif") == message
    assert scan(folder, white_level=4095) == (["bad.tif", "good.tif"], [])


def test_a_sheet_of_nodata_is_refused(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(folder / "bad.tif", np.zeros_like(GREY), nodata=0)
    assert refusal(folder, "bad.tif") == "bad.tif: expected imagery, found nodata only"


def test_alpha_is_no_band_but_says_what_is_valid(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    alpha = np.full((1, 100, 100), 255, np.uint8)
    alpha[:, :, :25] = 0
    write_orthophoto(tmp_path / "a.tif", np.concatenate([GREY, alpha]), photometric="RGB", alpha="YES")
    flight, _ = scan_flight(FlightSettings(folder=tmp_path), SWEREF)
    assert flight.band_count == 3
    assert flight.orthophotos[0].valid_share == 0.75


def test_the_order_of_colours_is_read_from_the_file(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    path = write_orthophoto(tmp_path / "a.tif", np.concatenate([GREY, GREY[:1]]), photometric="MINISBLACK")
    with rasterio.open(path, "r+") as target:
        target.colorinterp = [ColorInterp.undefined, ColorInterp.blue, ColorInterp.green, ColorInterp.red]
    flight, _ = scan_flight(FlightSettings(folder=tmp_path), SWEREF)
    assert flight.orthophotos[0].colour == (4, 3, 2, 1)


def test_a_slit_between_sheets_is_a_gap(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(tmp_path / "a.tif", GREY)
    write_orthophoto(tmp_path / "b.tif", GREY, left=450_020.4)
    (finding,) = scan(tmp_path, id="F1")[1]
    message = "F1: expected no gap between sheets, found 8.0 m² at 450020, 6400990"
    assert (str(finding), finding.severity) == (message, "warning")


def test_a_missing_sheet_in_the_middle_is_a_gap(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    for row in range(3):
        for col in range(3):
            if (row, col) != (1, 1):
                corner = {"left": 450_000 + 20 * col, "top": 6_401_000 - 20 * row}
                write_orthophoto(tmp_path / f"{row}{col}.tif", GREY, **corner)
    (finding,) = scan(tmp_path, id="F1")[1]
    assert str(finding) == "F1: expected no gap between sheets, found 400.0 m² at 450030, 6400970"


def test_a_sheet_delivered_twice_is_an_overlap(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(tmp_path / "a.tif", GREY)
    write_orthophoto(tmp_path / "b.tif", GREY)
    (finding,) = scan(tmp_path)[1]
    message = "a.tif: expected sheets side by side, found 400 m² shared with b.tif; a.tif is used there"
    assert str(finding) == message


def test_another_gsd_and_unlike_bands_are_warnings(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(tmp_path / "a.tif", GREY)
    write_orthophoto(tmp_path / "b.tif", GREY, left=450_020)
    four = np.concatenate([GREY, GREY[:1]])
    write_orthophoto(tmp_path / "c.tif", four[:, :80, :80], left=450_040, gsd_m=0.25, photometric="RGB")
    names, findings = scan(tmp_path)
    assert len(names) == 3
    assert [str(finding) for finding in findings] == [
        "c.tif: expected a GSD of 0.2 m like the rest, found 0.25 m; it is resampled",
        "c.tif: expected 3 bands like the rest, found 4; near infrared is left out",
    ]


def test_a_flight_without_a_date_says_so(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    write_orthophoto(tmp_path / "a.tif", GREY)
    flight, (finding,) = scan_flight(FlightSettings(folder=tmp_path, id="F1"), SWEREF)
    assert str(finding) == "F1: expected flight.date, found none; the catalogue states the dates of the files"
    modified = dt.datetime.fromtimestamp(int((tmp_path / "a.tif").stat().st_mtime), dt.UTC)
    assert flight.interval == (modified, modified)


def test_what_was_read_is_remembered_until_the_file_changes(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo = tmp_path / "memo" / "sheets.memo"
    flown = tmp_path / "flight"
    write_orthophoto(flown / "a.tif", GREY)
    write_orthophoto(flown / "b.tif", GREY, left=450_020)
    read = []
    monkeypatch.setattr(
        "geoai.flight.sha256_of", lambda path: read.append(path.name) or f"sum of {path.stat().st_size}"
    )
    settings = FlightSettings(folder=flown, date=dt.date(2026, 5, 14))
    first, _ = scan_flight(settings, SWEREF, memo=memo)
    again, _ = scan_flight(settings, SWEREF, memo=memo)
    assert read == ["a.tif", "b.tif"]
    assert again == first
    write_orthophoto(flown / "b.tif", ground_image(0, 0, 0.2, 100, 100), left=450_020)
    scan_flight(settings, SWEREF, memo=memo)
    assert read == ["a.tif", "b.tif", "b.tif"]


def test_a_look_that_is_killed_has_written_down_what_it_read(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo, flown = tmp_path / "sheets.memo", tmp_path / "flight"
    for col in range(4):
        write_orthophoto(flown / f"{col}.tif", GREY, left=450_000 + 20 * col)
    settings, opened = FlightSettings(folder=flown), list[str]()
    read_header = flight_module._read_header

    def counted(path: Path) -> dict[str, Any]:
        opened.append(path.name)
        return read_header(path)

    def killed(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(flight_module, "_read_header", counted)
    monkeypatch.setattr(flight_module, "MEMO_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        scan_flight(settings, SWEREF, memo=memo, progress=killed)
    whole, _ = scan_flight(settings, SWEREF, memo=memo)
    assert opened == ["0.tif", "1.tif", "2.tif", "3.tif"]
    opened.clear()
    (flown / "3.tif").touch()
    with pytest.raises(KeyboardInterrupt):  # before it came to what changed
        scan_flight(settings, SWEREF, memo=memo, progress=killed)
    assert scan_flight(settings, SWEREF, memo=memo)[0] == whole
    assert opened == ["3.tif"]


def test_a_world_file_that_changes_moves_a_sheet_that_was_read_before(tmp_path: Path) -> None:
    memo, flown = tmp_path / "sheets.memo", tmp_path / "flight"
    flown.mkdir()
    with rasterio.open(
        flown / "a.jpg", "w", driver="JPEG", width=100, height=100, count=3, dtype="uint8"
    ) as target:
        target.write(GREY)
    settings = FlightSettings(folder=flown, assume_crs=True, date=dt.date(2026, 5, 14))
    lefts = []
    for left in (450_000, 450_020):
        (flown / "a.JGW").write_text(f"0.2\n0\n0\n-0.2\n{left}.1\n6400999.9\n")
        flight, _ = scan_flight(settings, SWEREF, memo=memo)
        lefts.append(flight.orthophotos[0].grid.bounds[0])
    assert lefts == pytest.approx([450_000, 450_020])


def test_hidden_files_are_no_sheets(folder: Path) -> None:
    for name in ("._good.tif", ".good.tif"):  # what macOS leaves on shares, what a copy is called meanwhile
        (folder / name).write_bytes(b"\0\5\x16\7")
    assert scan(folder) == (["good.tif"], [])


def test_what_lies_in_a_hidden_folder_is_no_sheet(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    """There rsync keeps the parts of files that it copies, under the files' own names."""
    (folder / ".rsync-partial").mkdir()
    write_orthophoto(folder / ".rsync-partial" / "part.tif", GREY, left=450_020)
    assert scan(folder) == (["good.tif"], [])


def test_a_name_that_is_no_utf8_is_a_finding(folder: Path, write_orthophoto: WriteOrthophoto) -> None:
    """As old archives leave them: GDAL cannot be told of it, nor can JSON or a terminal."""
    name = os.fsdecode("blåsut.tif".encode("latin-1"))
    write_orthophoto(folder / "new.tif", GREY, left=450_020).rename(folder / name)
    assert refusal(folder, "bl\ufffdsut.tif") == (
        "bl\ufffdsut.tif: expected a name in UTF-8, found other bytes; rename the file"
    )


def test_findings_are_logged(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, caplog: pytest.LogCaptureFixture
) -> None:
    write_orthophoto(tmp_path / "a.tif", GREY)
    (tmp_path / "b.tif").write_text("")
    with caplog.at_level(logging.INFO, "geoai"):
        scan(tmp_path, id="F1")
    assert caplog.records[0].levelname == "ERROR"
    assert caplog.messages[-1] == "F1: 1 of 2 orthophotos accepted"
