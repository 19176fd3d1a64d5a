"""Heights above ground as evidence that something stands."""

import numpy as np
import pyproj
import pytest
import rasterio
import rasterio.shutil
import shapely
from affine import Affine

from geoai.config import HeightSettings, load_settings
from geoai.errors import ConfigError, CRSError, ImageryError
from geoai.heights import check_heights, files_of, measure_heights

SWEREF = pyproj.CRS.from_epsg(3006)
HOUSE = np.array([shapely.box(10, 10, 20, 20), shapely.box(500, 500, 510, 510)], object)


def write(path, heights, *, crs="EPSG:3006", cell_m=1.0, bands=1):
    rows, cols = heights.shape
    profile = {"driver": "GTiff", "dtype": "float32", "count": bands, "crs": crs, "nodata": -9999}
    there = Affine(cell_m, 0, 0, 0, -cell_m, rows * cell_m)
    with rasterio.open(path, "w", **profile, height=rows, width=cols, transform=there) as target:
        for band in range(1, bands + 1):
            target.write(heights.astype(np.float32), band)
    return path


def test_the_median_height_is_that_inside_and_unknown_beyond_the_raster(tmp_path):
    ground = np.zeros((40, 40))
    ground[20:30, 10:20] = 4.0
    ground[22, 12] = 30.0  # a chimney
    found = measure_heights(HOUSE, SWEREF, HeightSettings(ndsm=write(tmp_path / "h.tif", ground)))
    assert found[0] == 4.0
    assert np.isnan(found[1])


def test_a_surface_and_the_ground_may_have_different_grids(tmp_path):
    surface, ground = np.full((40, 40), 104.5), np.full((20, 20), 100.0)
    both = HeightSettings(
        dsm=write(tmp_path / "dsm.tif", surface), dtm=write(tmp_path / "dtm.tif", ground, cell_m=2.0)
    )
    assert measure_heights(HOUSE, SWEREF, both)[0] == 4.5


def test_what_a_vrt_is_of_is_what_is_read(tmp_path):
    part = write(tmp_path / "part.tif", np.zeros((40, 40)))
    rasterio.shutil.copy(part, tmp_path / "all.vrt", driver="VRT")
    assert set(files_of(HeightSettings(ndsm=tmp_path / "all.vrt"))) == {part, tmp_path / "all.vrt"}
    assert files_of(HeightSettings(dsm=part, dtm=part)) == [part, part]
    assert files_of(HeightSettings()) == []


def test_nodata_is_no_height(tmp_path):
    nothing = HeightSettings(ndsm=write(tmp_path / "h.tif", np.full((40, 40), -9999.0)))
    assert np.isnan(measure_heights(HOUSE, SWEREF, nothing)).all()
    assert np.isnan(measure_heights(HOUSE, SWEREF, HeightSettings())).all()


def test_a_compound_crs_is_its_horizontal_part(tmp_path):
    path = write(tmp_path / "h.tif", np.ones((40, 40)), crs="EPSG:5845")  # SWEREF 99 TM + RH2000
    assert measure_heights(HOUSE, SWEREF, HeightSettings(ndsm=path))[0] == 1.0


def test_heights_elsewhere_are_refused_in_one_line(tmp_path):
    path = write(tmp_path / "h.tif", np.ones((40, 40)), crs="EPSG:3008")
    with pytest.raises(CRSError, match=r"h\.tif: expected heights in EPSG:3006, found EPSG:3008"):
        check_heights(SWEREF, HeightSettings(ndsm=path))


def test_a_raster_of_colours_or_none_is_refused_in_one_line(tmp_path):
    path = write(tmp_path / "rgb.tif", np.ones((4, 4)), bands=3)
    with pytest.raises(ImageryError, match=r"rgb\.tif: expected one band of heights, found 3"):
        check_heights(SWEREF, HeightSettings(ndsm=path))
    with pytest.raises(ImageryError, match=r"no\.tif: expected a readable height raster, found .*"):
        check_heights(SWEREF, HeightSettings(ndsm=tmp_path / "no.tif"))


def test_a_surface_without_its_ground_is_refused_with_file_and_key(tmp_path):
    config = tmp_path / "town.yaml"
    config.write_text("compare:\n  height:\n    dsm: dsm.tif\n")
    with pytest.raises(ConfigError, match=r"town\.yaml:\d: compare\.height: expected ndsm, or dsm and dtm"):
        load_settings(config)
