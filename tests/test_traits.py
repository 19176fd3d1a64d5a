"""Traits of signals, held against what a ruler would say."""

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from conftest import WriteOrthophoto
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from geoai.config import HeightSettings
from geoai.traits import NO_HEIGHT, measure_traits

LEFT, TOP = 450_000.0, 6_401_000.0


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of 100 × 100 m: the western half flat and dark, the eastern one bright and checkered."""
    image = np.full((3, 200, 200), 51, np.uint8)
    image[:, :, 100:] = np.where(np.indices((200, 100)).sum(axis=0) % 2, 255, 153)
    path = tmp_path_factory.mktemp("photo") / "a.tif"
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "height": 200, "width": 200}
    with rasterio.open(
        path, "w", crs="EPSG:3006", transform=Affine(0.5, 0, LEFT, 0, -0.5, TOP), **profile
    ) as file:
        file.write(image)
    return path


def traits_of(
    parts: list[shapely.Geometry],
    mapped: list[shapely.Geometry],
    photo: Path,
    height: HeightSettings = NO_HEIGHT,
) -> pd.DataFrame:
    outlines = gpd.GeoSeries(parts, crs="EPSG:3006")
    return measure_traits(outlines, np.array(mapped, object), photo, height)


def part(left: float, top: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(LEFT + left, TOP - top - height, LEFT + left + width, TOP - top)


def test_a_part_against_a_house_is_attached_by_its_shared_wall(photo: Path) -> None:
    house, lone = part(10, 10, 12, 10), part(30, 30, 4, 4)
    against = part(12, 20, 6, 3)  # its northern wall, and 1 m of its sides, lie within reach
    traits = traits_of([against, lone], [house], photo)
    assert traits["attached"].tolist() == [1.0, 0.0]
    assert traits["contact_share"].tolist() == pytest.approx([(6 + 2) / 18, 0.0])
    assert traits["area_m2"].tolist() == pytest.approx([18.0, 16.0])


def test_a_mapped_object_is_not_attached_to_itself(photo: Path) -> None:
    house = part(10, 10, 12, 10)
    assert traits_of([house], [house], photo)["attached"].tolist() == [0.0]


def test_a_corner_that_touches_is_no_wall(photo: Path) -> None:
    traits = traits_of([part(22.5, 20.5, 5, 5)], [part(10, 10, 12, 10)], photo)
    assert traits["attached"].tolist() == [0.0]


@settings(max_examples=20)
@given(st.floats(2, 9), st.floats(2, 9), st.floats(0, 180), st.floats(15, 35), st.floats(15, 35))
def test_shape_does_not_depend_on_place_and_direction(
    photo: Path, width: float, height: float, angle: float, left: float, top: float
) -> None:
    # GEOS turns the rectangle in floats of millions of metres: a few hundred-thousandths are its noise
    turned = affinity.rotate(part(left, top, width, height), angle)
    traits = traits_of([turned], [part(80, 80, 5, 5)], photo)
    assert traits["elongation"][0] == pytest.approx(max(width, height) / min(width, height), rel=1e-3)
    assert traits["rectangularity"][0] == pytest.approx(1.0, rel=1e-3)


def test_a_triangle_fills_half_of_its_rectangle_and_the_largest_part_counts(photo: Path) -> None:
    triangle = shapely.Polygon([(LEFT + 10, TOP - 20), (LEFT + 20, TOP - 20), (LEFT + 10, TOP - 10)])
    both = shapely.MultiPolygon([part(30, 30, 9, 1), triangle])
    traits = traits_of([both], [part(80, 80, 5, 5)], photo)
    assert traits["rectangularity"][0] == pytest.approx(0.5)


def test_roofs_are_dark_and_flat_or_bright_and_rough_and_beyond_the_photo_unknown(photo: Path) -> None:
    seen = [part(10, 10, 8, 8), part(70, 10, 8, 8), part(500, 500, 8, 8)]
    traits = traits_of(seen, [part(80, 80, 5, 5)], photo)
    assert traits["brightness"].tolist() == pytest.approx([0.2, 0.8, math.nan], nan_ok=True)
    assert traits["texture"].tolist() == pytest.approx([0.0, 0.2, math.nan], abs=1e-6, nan_ok=True)
    assert traits["height_m"].isna().all()


def test_height_is_measured_where_there_is_a_raster_of_it(
    tmp_path: Path, photo: Path, write_orthophoto: WriteOrthophoto
) -> None:
    ndsm = write_orthophoto(tmp_path / "h.tif", np.full((1, 200, 200), 2.5, np.float32), gsd_m=0.5)
    traits = traits_of([part(10, 10, 8, 8)], [part(80, 80, 5, 5)], photo, HeightSettings(ndsm=ndsm))
    assert traits["height_m"].tolist() == [2.5]


def test_no_signals_have_no_traits(photo: Path) -> None:
    assert len(traits_of([], [part(80, 80, 5, 5)], photo)) == 0
