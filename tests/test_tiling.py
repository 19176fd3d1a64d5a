from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from conftest import WriteOrthophoto, ground_image
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.crs import CRS

from geoai.config import FlightSettings, TilingSettings
from geoai.flight import scan_flight
from geoai.grid import TileScheme
from geoai.tiling import plan_tiles, read_tile, tile_scheme, write_tile

SWEREF = CRS.from_epsg(3006)
LEFT, TOP = 450_000.0, 6_401_000.0


def cut(
    folder: Path, *, tile_m: int = 50, gsd_m: float | None = None, white_level: int | None = None
) -> tuple[TileScheme, dict[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]]:
    """Cut a folder of sheets; return the scheme and the data and validity of every tile."""
    flight, _ = scan_flight(FlightSettings(folder=folder, white_level=white_level), SWEREF)
    scheme = tile_scheme(flight, TilingSettings(tile_m=tile_m, gsd_m=gsd_m))
    tiles = {
        job.tile_id: read_tile(job, scheme, band_count=flight.band_count, white_level=white_level)
        for job in plan_tiles(flight, scheme)
    }
    return scheme, tiles


def whole(
    scheme: TileScheme, tiles: dict[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Put tiles together to one raster of 2 × 2 tiles of 50 m at LEFT, TOP."""
    outer = scheme.box_around((LEFT, TOP - 100, LEFT + 100, TOP))
    data = np.zeros((3, outer.height, outer.width), np.uint8)
    valid = np.zeros((outer.height, outer.width), bool)
    for tile_id, (pixels, holds) in tiles.items():
        box = scheme.tile_box(tile_id)
        part = box.intersection(outer)
        if part:
            data[:, *part.slices_in(outer)] = pixels[:, *part.slices_in(box)]
            valid[part.slices_in(outer)] = holds[part.slices_in(box)]
    return data, valid


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(30, 499), height=st.integers(30, 499), col=st.integers(0, 40), row=st.integers(0, 40)
)
def test_cutting_and_putting_together_changes_no_pixel(
    tmp_path_factory: pytest.TempPathFactory,
    write_orthophoto: WriteOrthophoto,
    width: int,
    height: int,
    col: int,
    row: int,
) -> None:
    width, height = min(width, 500 - col), min(height, 500 - row)
    left, top = LEFT + 0.2 * col, TOP - 0.2 * row
    image = ground_image(left, top, 0.2, height, width)
    path = write_orthophoto(tmp_path_factory.mktemp("flight") / "a.tif", image, left=left, top=top)
    data, valid = whole(*cut(path.parent))
    expected = np.zeros((500, 500), bool)
    expected[row : row + height, col : col + width] = True
    assert np.array_equal(valid, expected)
    assert np.array_equal(data[:, row : row + height, col : col + width], image)
    assert not data[:, ~expected].any()


def test_sheets_that_overlap_by_a_pixel_leave_no_seam_and_no_gap(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    """251 px at 0.2 m for 50 m: pixels are centred on whole metres, half a pixel off the lattice."""
    for row in range(2):
        for col in range(2):
            left, top = LEFT + 50 * col - 0.1, TOP - 50 * row + 0.1
            image = ground_image(left, top, 0.2, 251, 251)
            write_orthophoto(tmp_path / f"{row}{col}.tif", image, left=left, top=top)
    scheme, tiles = cut(tmp_path)
    data, valid = whole(scheme, tiles)
    assert valid.all()
    truth = ground_image(LEFT, TOP, 0.2, 500, 500)
    error = np.abs(data.astype(int) - truth)
    assert error.max() <= 2  # resampled by half a pixel of a ground that changes slowly
    border = error[:, 245:255, :].max(), error[:, :, 245:255].max()
    assert max(border) <= error.max()


def test_half_a_pixel_off_the_lattice_is_resampled_not_shifted(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    image = ground_image(LEFT - 0.1, TOP + 0.1, 0.2, 251, 251)
    write_orthophoto(tmp_path / "a.tif", image, left=LEFT - 0.1, top=TOP + 0.1)
    _, tiles = cut(tmp_path)
    data, valid = tiles["450000_6400950"]
    assert valid.all()
    truth = ground_image(LEFT, TOP, 0.2, 250, 250).astype(int)
    shifted = np.abs(image[:, :250, :250].astype(int) - truth).mean()
    assert np.abs(data - truth).mean() < 0.3 < shifted


def test_a_jpeg_2000_sheet_is_cut_like_any_other(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    image = ground_image(LEFT, TOP, 0.2, 250, 250)
    tif = write_orthophoto(tmp_path / "a.tif", image)
    (tmp_path / "flight").mkdir()
    options = {"QUALITY": 100, "REVERSIBLE": "YES", "YCBCR420": "NO"}
    rasterio.shutil.copy(tif, tmp_path / "flight" / "a.jp2", driver="JP2OpenJPEG", **options)
    _, tiles = cut(tmp_path / "flight")
    data, valid = tiles["450000_6400950"]
    assert valid.all()
    assert np.array_equal(data, image)


def test_the_first_sheet_by_name_that_holds_imagery_is_used(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    first, second = np.full((3, 250, 250), 50, np.uint8), np.full((3, 250, 250), 200, np.uint8)
    mask = np.ones((250, 250), bool)
    mask[:, 100:] = False
    write_orthophoto(tmp_path / "a.tif", first, mask=mask)
    write_orthophoto(tmp_path / "b.tif", second)
    _, tiles = cut(tmp_path)
    data, valid = tiles["450000_6400950"]
    assert valid.all()
    assert (data[:, :, :100] == 50).all()
    assert (data[:, :, 100:] == 200).all()


def test_nodata_islands_stay_where_they_are(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    image = np.full((3, 250, 250), 90, np.uint8)
    image[:, 10:20, 30:31] = 0
    image[0, 100, 100] = 0  # black in one band only is imagery
    write_orthophoto(tmp_path / "a.tif", image, nodata=0)
    _, tiles = cut(tmp_path)
    _, valid = tiles["450000_6400950"]
    expected = np.ones((250, 250), bool)
    expected[10:20, 30:31] = False
    assert np.array_equal(valid, expected)


@pytest.mark.parametrize("offset_m", [0.0, 0.1], ids=["on the lattice", "off it"])
def test_invalid_pixels_do_not_bleed_into_valid_ones(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, offset_m: float
) -> None:
    image = np.full((3, 251, 251), 200, np.uint8)
    mask = np.ones((251, 251), bool)
    mask[:, 120:] = False
    image[:, ~mask] = 0
    write_orthophoto(tmp_path / "a.tif", image, left=LEFT - offset_m, top=TOP + offset_m, mask=mask)
    _, tiles = cut(tmp_path)
    data, valid = tiles["450000_6400950"]
    assert 118 <= valid[100].sum() <= 120
    assert (data[:, valid] == 200).all()


def test_uint16_is_scaled_by_its_white_level(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    image = np.full((3, 250, 250), 2047, np.uint16)
    image[1], image[2] = 4095, 5000
    write_orthophoto(tmp_path / "a.tif", image)
    _, tiles = cut(tmp_path, white_level=4095)
    data, _ = tiles["450000_6400950"]
    assert data[:, 0, 0].tolist() == [127, 255, 255]


def test_another_gsd_is_brought_to_the_configured_one(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    write_orthophoto(tmp_path / "a.tif", ground_image(LEFT, TOP, 0.1, 500, 500), gsd_m=0.1)
    scheme, tiles = cut(tmp_path, gsd_m=0.2)
    data, valid = tiles["450000_6400950"]
    assert scheme.tile_px == 250
    assert valid.all()
    truth = ground_image(LEFT, TOP, 0.2, 250, 250).astype(int)
    assert np.abs(data - truth)[:, 2:-2, 2:-2].max() <= 3


@pytest.mark.parametrize("compression", ["jpeg", "lossless"])
@pytest.mark.parametrize("count", [3, 4])
def test_a_tile_is_written_as_a_cog_with_its_mask(tmp_path: Path, compression: str, count: int) -> None:
    scheme = TileScheme(SWEREF, 0.2, 250)
    box = scheme.tile_box("450000_6400750")
    image = ground_image(LEFT, TOP, 0.2, box.height, box.width)
    image = np.concatenate([image, image[:1]])[:count]
    valid = np.ones((box.height, box.width), bool)
    valid[:300, :300] = False
    image[:, ~valid] = 0
    path = tmp_path / "image.tif"
    options = TilingSettings.model_validate({"compression": compression})
    write_tile(path, image, valid, scheme.grid_of(box), options, ["a.tif", "b.tif"])
    with rasterio.open(path) as source:
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.overviews(1) == [2, 4]
        assert source.block_shapes[0] == (512, 512)
        assert source.tags()["SOURCES"] == "a.tif b.tif"
        assert source.crs == SWEREF
        assert source.bounds == (450_000, 6_400_750, 450_250, 6_401_000)
        assert np.array_equal(source.dataset_mask() > 0, valid)
        error = np.abs(source.read().astype(int) - image)[:, valid]
    assert error.max() == 0 if compression == "lossless" else error.mean() < 2
    assert [file.name for file in tmp_path.iterdir()] == ["image.tif"]
