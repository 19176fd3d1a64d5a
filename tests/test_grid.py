import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS

from geoai.errors import ConfigError, CRSError
from geoai.grid import Grid, PixelBox, TileScheme, parse_crs, same_crs

SWEREF = CRS.from_epsg(3006)
gsds = st.sampled_from([0.08, 0.1, 0.16, 0.2, 0.25, 0.5])
pixels = st.integers(-40_000_000, 40_000_000)
boxes = st.builds(PixelBox, pixels, pixels, st.integers(1, 9000), st.integers(1, 9000))


@given(gsds, boxes)
def test_tiles_over_a_box_cover_every_pixel_of_it_once(gsd_m: float, box: PixelBox) -> None:
    scheme = TileScheme(SWEREF, gsd_m, 500)
    parts = [scheme.tile_box(tile_id).intersection(box) for tile_id in scheme.tiles_over(box)]
    assert all(parts)
    assert sum(part.width * part.height for part in parts if part) == box.width * box.height


@given(gsds, pixels, pixels)
def test_a_tile_id_is_the_south_west_corner_of_its_pixels(gsd_m: float, col: int, row: int) -> None:
    scheme = TileScheme(SWEREF, gsd_m, 500)
    (tile_id,) = scheme.tiles_over(PixelBox(col, row, 1, 1))
    left, bottom, _, _ = scheme.grid_of(scheme.tile_box(tile_id)).bounds
    east, north = (int(part) for part in tile_id.split("_"))
    assert (left, bottom) == pytest.approx((east, north), abs=1e-5)


@given(gsds, boxes)
def test_the_box_around_the_bounds_of_a_box_is_that_box(gsd_m: float, box: PixelBox) -> None:
    scheme = TileScheme(SWEREF, gsd_m, 500)
    assert scheme.box_around(scheme.grid_of(box).bounds) == box


@given(boxes, st.sampled_from([16, 32, 512]))
def test_snapping_grows_to_the_next_multiple_and_no_further(box: PixelBox, step: int) -> None:
    snapped = box.snapped(step)
    assert snapped.intersection(box) == box
    edges = (snapped.col, snapped.row, snapped.col_stop, snapped.row_stop)
    assert not any(edge % step for edge in edges)
    assert snapped.width < box.width + 2 * step
    assert snapped.height < box.height + 2 * step


def test_a_thousand_metres_of_a_16_cm_flight_are_four_tiles() -> None:
    scheme = TileScheme(SWEREF, 0.16, 500)
    assert scheme.tile_px == 3125
    sheet = scheme.box_around((450_000, 6_400_000, 451_000, 6_401_000))
    assert list(scheme.tiles_over(sheet)) == [
        "450000_6400500",
        "450500_6400500",
        "450000_6400000",
        "450500_6400000",
    ]


def test_a_tile_that_is_no_whole_number_of_pixels_is_refused_with_one_that_is() -> None:
    with pytest.raises(ConfigError) as error:
        TileScheme(SWEREF, 0.15, 500)
    message = "tiling.tile_m: expected a whole number of 0.15 m pixels, found 500; tile_m: 450 would fit"
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EPSG:4326", "crs: expected a projected CRS in metres, found EPSG:4326"),
        ("EPSG:2263", "crs: expected a projected CRS in metres, found EPSG:2263"),  # US feet
        ("sweref", "crs: expected an EPSG code such as EPSG:3006, found 'sweref'"),
    ],
)
def test_a_crs_that_is_not_metric_is_refused(text: str, message: str) -> None:
    with pytest.raises(CRSError) as error:
        parse_crs(text)
    assert str(error.value) == message


def test_a_crs_known_by_its_text_alone_is_the_same_as_its_code() -> None:
    esri = CRS.from_wkt(CRS.from_epsg(3006).to_wkt(version="WKT1_ESRI"))
    assert same_crs(esri, SWEREF)
    assert not same_crs(CRS.from_epsg(3008), SWEREF)


@pytest.mark.parametrize(
    "transform",
    [Affine(0.2, 0.01, 0, 0, -0.2, 0), Affine(0.2, 0, 0, 0, 0.2, 0), Affine(0.2, 0, 0, 0, -0.25, 0)],
    ids=["rotated", "south up", "oblong pixels"],
)
def test_a_grid_is_north_up_with_square_pixels(transform: Affine) -> None:
    with pytest.raises(CRSError, match="expected north-up with square pixels"):
        Grid(SWEREF, transform, 10, 10)
