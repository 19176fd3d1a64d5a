import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from conftest import ground_image
from rasterio.crs import CRS

from geoai.grid import PixelBox, TileScheme
from geoai.raster import LatticeFile, read_lattice, write_cog, write_mosaic

SCHEME = TileScheme(CRS.from_epsg(3006), 0.2, 50)


def write_tiles(folder: Path, ids: list[str]) -> tuple[list[LatticeFile], PixelBox]:
    """Write one-off tiles of the smooth ground, lossless; a corner of the first is masked."""
    files = []
    for tile_id in ids:
        box = SCHEME.tile_box(tile_id)
        grid = SCHEME.grid_of(box)
        image = ground_image(grid.bounds[0], grid.bounds[3], 0.2, box.height, box.width)
        valid = np.ones((box.height, box.width), bool)
        if not files:
            valid[:40, :30] = False
        path = folder / tile_id / "image.tif"
        write_cog(path, image, grid, valid=valid)
        files.append(LatticeFile(path, box))
    cols = [file.box.col for file in files]
    rows = [file.box.row for file in files]
    size = SCHEME.tile_px
    outer = PixelBox(min(cols), min(rows), max(cols) - min(cols) + size, max(rows) - min(rows) + size)
    return files, outer


FOUR = ["450000_6400950", "450050_6400950", "450000_6400900", "450050_6400900"]


def test_a_box_over_four_tiles_reads_as_one_and_is_invalid_beyond_them(tmp_path: Path) -> None:
    files, outer = write_tiles(tmp_path, FOUR)
    data, valid = read_lattice(files, outer.grown(7), bands=(1, 2, 3))
    assert not valid[:7].any()
    assert not valid[:, -7:].any()
    inner = data[:, 7:-7, 7:-7]
    truth = ground_image(450_000, 6_401_000, 0.2, 500, 500)
    truth[:, :40, :30] = 0
    assert np.array_equal(inner, truth)
    assert np.array_equal(~valid[7:-7, 7:-7], truth[0] == 0)


@pytest.mark.parametrize("ids", [FOUR, FOUR[1:]], ids=["square", "one missing"])
def test_a_mosaic_shows_what_its_tiles_hold(tmp_path: Path, ids: list[str]) -> None:
    files, outer = write_tiles(tmp_path, ids)
    write_mosaic(tmp_path / "runs" / "mosaic.vrt", files, SCHEME)
    data, valid = read_lattice(files, outer, bands=(1, 2, 3))
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)  # paths in it are relative
    with rasterio.open(moved / "runs" / "mosaic.vrt") as mosaic:
        assert mosaic.crs == SCHEME.crs
        assert mosaic.transform == SCHEME.transform_of(outer)
        assert np.array_equal(mosaic.dataset_mask() > 0, valid)
        assert np.array_equal(mosaic.read() * valid, data)
    moved.rename(tmp_path)


@pytest.mark.parametrize("linked", ["runs", "tiles"])
def test_a_mosaic_finds_its_tiles_where_folders_are_links(tmp_path: Path, linked: str) -> None:
    """What is above the target of a link is not what is above the link."""
    (tmp_path / "disk" / "deep" / linked).mkdir(parents=True)
    (tmp_path / linked).symlink_to(tmp_path / "disk" / "deep" / linked)
    (tmp_path / "tiles").mkdir(exist_ok=True)
    files, outer = write_tiles(tmp_path / "tiles", FOUR)
    write_mosaic(tmp_path / "runs" / "F1" / "mosaic.vrt", files, SCHEME)
    with rasterio.open(tmp_path / "runs" / "F1" / "mosaic.vrt") as mosaic:
        assert np.array_equal(mosaic.read()[:, 250:], read_lattice(files, outer, bands=(1, 2, 3))[0][:, 250:])


def test_a_mosaic_of_probabilities_is_nodata_where_no_tile_is(tmp_path: Path) -> None:
    files = []
    for tile_id in FOUR[:1] + FOUR[3:]:
        box = SCHEME.tile_box(tile_id)
        pixels = np.full((1, box.height, box.width), 125, np.uint8)
        pixels[0, 0, 0] = 255
        path = tmp_path / f"{tile_id}.tif"
        write_cog(path, pixels, SCHEME.grid_of(box), nodata=255, descriptions=("building",))
        files.append(LatticeFile(path, box))
    write_mosaic(tmp_path / "mosaic.vrt", files, SCHEME)
    with rasterio.open(tmp_path / "mosaic.vrt") as mosaic:
        data = mosaic.read(1)
        assert (mosaic.nodata, mosaic.descriptions) == (255, ("building",))
    assert (data[:250, 250:] == 255).all()
    assert (data == 125).sum() == 2 * (250 * 250 - 1)


def test_one_thread_at_a_time_is_in_gdal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that reads can write another's blocks, out of the common cache, into a file in the making."""
    inside, most = 0, 0

    @contextmanager
    def counted(*_: Any, **__: Any) -> Iterator[None]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.002)
        yield
        inside -= 1

    monkeypatch.setattr(rasterio, "Env", counted)
    box = SCHEME.tile_box(FOUR[0])

    def there_and_back(number: int) -> None:
        path = tmp_path / f"{number}.tif"
        write_cog(path, np.full((1, box.height, box.width), number, np.uint8), SCHEME.grid_of(box))
        data, valid = read_lattice([LatticeFile(path, box)], box, bands=(1,))
        assert (data == number).all()
        assert valid.all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(there_and_back, range(16)))
    assert most == 1
