"""Tracing predictions into detections."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import rasterio
import rasterio.features
import shapely
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.crs import CRS

from geoai.config import PolygonSettings
from geoai.grid import PixelBox, TileScheme
from geoai.polygons import detect, join_detections, join_footprint, trace_tile
from geoai.raster import LatticeFile, write_cog

SCHEME = TileScheme(CRS.from_epsg(3006), 0.2, 500)
EXACT = PolygonSettings(threshold=0.5, core=0.0, min_area_m2=0.0, max_hole_m2=0.0, simplify_m=0.0)
CLEANED = [
    EXACT,
    PolygonSettings(min_area_m2=0.2, max_hole_m2=0.1, simplify_m=0.3),
    PolygonSettings(core=0.96, min_area_m2=0.0),
    PolygonSettings(core=0.9, min_area_m2=0.2, max_hole_m2=0.1, simplify_m=0.3, square=True),
]
WEST, NORTH = 2_250_000, -32_000_000  # the lattice pixel of the array's corner: E 450 000, N 6 400 000
masks = arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))
slow_files = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def probabilities(mask):
    """Probabilities that differ from pixel to pixel: 0.8 and more where the mask is true."""
    rows, cols = np.indices(mask.shape)
    return np.where(mask, 200 + (rows * 7 + cols * 3) % 50, 20).astype(np.uint8)


def written(folder, values, *, cuts=(), row_cuts=()):
    """Write *values* (row, col) as prediction tiles cut at the columns and rows given."""
    files = []
    for top, bottom in zip((0, *row_cuts), (*row_cuts, values.shape[0]), strict=True):
        for left, right in zip((0, *cuts), (*cuts, values.shape[1]), strict=True):
            box = PixelBox(WEST + left, NORTH + top, right - left, bottom - top)
            path = folder / f"{left}_{top}_{right}_{bottom}.tif"
            profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": 255, "crs": SCHEME.crs}
            with rasterio.open(
                path, "w", **profile, width=box.width, height=box.height, transform=SCHEME.transform_of(box)
            ) as target:
                target.write(values[top:bottom, left:right], 1)
            files.append(LatticeFile(path, box))
    return files


def found(files, options=EXACT):
    return detect(files, SCHEME, options, theme="building", band=1)[0]


def footprint_of(files):
    return detect(files, SCHEME, EXACT, theme="building", band=1)[1]


def in_pixels(geometry):
    return shapely.transform(geometry, lambda xy: np.round(xy / [0.2, -0.2] - [WEST, NORTH], 5))


def cut_points(data, size):
    return tuple(sorted(data.draw(st.sets(st.integers(1, size - 1), max_size=4)))) if size > 1 else ()


@given(masks, st.data())
@slow_files
def test_cutting_into_tiles_changes_nothing(tmp_path_factory, mask, data):
    folder = tmp_path_factory.mktemp("tiles")
    options = data.draw(st.sampled_from(CLEANED))
    values = probabilities(mask)
    values[data.draw(arrays(np.bool_, mask.shape))] = 255
    files = written(
        folder, values, cuts=cut_points(data, mask.shape[1]), row_cuts=cut_points(data, mask.shape[0])
    )
    order = data.draw(st.permutations(files))
    whole_file = written(folder, values)
    whole, cut = found(whole_file, options), found(order, options)
    assert cut.detection_id.tolist() == whole.detection_id.tolist()
    assert shapely.to_wkb(cut.geometry).tolist() == shapely.to_wkb(whole.geometry).tolist()
    assert cut.p_mean.tolist() == pytest.approx(whole.p_mean.tolist(), abs=1e-12)
    assert cut.near_edge.tolist() == whole.near_edge.tolist()
    assert footprint_of(order) == footprint_of(whole_file)


@given(masks)
@slow_files
def test_detections_cover_exactly_the_pixels_above_the_threshold(tmp_path_factory, mask):
    detections = found(written(tmp_path_factory.mktemp("tiles"), probabilities(mask), cuts=()))
    assert detections.geometry.is_valid.all()
    assert detections.detection_id.is_unique
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    assert len(detections) == count - 1
    burned = np.zeros(mask.shape, np.int32)
    for k, outline in enumerate(in_pixels(detections.geometry.to_numpy())):
        rasterio.features.rasterize([(outline, k + 1)], out=burned)
        own = labels[burned == k + 1]
        assert (own == own[0]).all()
        assert detections.p_mean[k] == pytest.approx(probabilities(mask)[burned == k + 1].mean() / 250)
    assert ((burned > 0) == mask).all()
    assert detections.area_m2.sum() == pytest.approx(mask.sum() * 0.04)


def test_a_building_on_four_tiles_is_one_polygon_without_seams(tmp_path):
    mask = np.zeros((40, 40), bool)
    mask[12:30, 15:33] = True
    detections = found(written(tmp_path, probabilities(mask), cuts=(20,), row_cuts=(20,)))
    (outline,) = in_pixels(detections.geometry.to_numpy())
    assert shapely.normalize(outline) == shapely.normalize(shapely.box(15, 12, 33, 30))


def test_buildings_that_meet_at_a_corner_of_four_tiles_stay_two(tmp_path):
    mask = np.zeros((20, 20), bool)
    mask[2:10, 2:10] = mask[10:18, 10:18] = True
    assert len(found(written(tmp_path, probabilities(mask), cuts=(10,), row_cuts=(10,)))) == 2


def test_the_threshold_belongs_to_the_building(tmp_path):
    values = np.full((6, 9), 124, np.uint8)
    values[2:4, 2:5] = 125  # 0.5 × 250
    assert found(written(tmp_path, values)).area_m2.tolist() == pytest.approx([6 * 0.04])


@given(masks, st.sampled_from([0.84, 0.9, 0.96, 0.99]))
@slow_files
def test_a_detection_reaches_the_cores_probability_somewhere(tmp_path_factory, mask, core):
    values = probabilities(mask)
    options = EXACT.model_copy(update={"core": core})
    detections = found(written(tmp_path_factory.mktemp("tiles"), values), options)
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    with_core = [k for k in range(1, count) if values[labels == k].max() / 250 >= core]
    burned = np.zeros(mask.shape, np.uint8)
    if len(detections):
        rasterio.features.rasterize(in_pixels(detections.geometry.to_numpy()), out=burned)
    assert (burned.astype(bool) == np.isin(labels, with_core)).all()


@pytest.mark.parametrize("core_at", [(15, 15), (15, 24), (24, 15), (24, 24)])
def test_a_core_in_one_of_four_tiles_carries_the_whole_building(tmp_path, core_at):
    values = np.zeros((40, 40), np.uint8)
    values[12:30, 12:30] = values[2:6, 32:38] = 150
    values[core_at] = 225
    options = EXACT.model_copy(update={"core": 0.9})
    (outline,) = in_pixels(found(written(tmp_path, values, cuts=(20,), row_cuts=(20,)), options).geometry)
    assert shapely.normalize(outline) == shapely.normalize(shapely.box(12, 12, 30, 30))


def test_small_pieces_go_and_small_holes_are_filled_also_across_a_tile_border(tmp_path):
    mask = np.zeros((40, 60), bool)
    mask[5:35, 5:35] = True
    mask[10:13, 18:22] = False  # 0.48 m², on the border
    mask[20:28, 16:24] = False  # 2.56 m², on the border
    mask[5:8, 45:48] = True  # 0.36 m²
    options = PolygonSettings(min_area_m2=0.5, max_hole_m2=1.0, simplify_m=0.0)
    (outline,) = in_pixels(found(written(tmp_path, probabilities(mask), cuts=(20,)), options).geometry)
    expected = shapely.box(5, 5, 35, 35) - shapely.box(16, 20, 24, 28)
    assert shapely.normalize(outline) == shapely.normalize(expected)


def test_a_ring_of_few_pixels_around_a_small_hole_counts_with_its_hole(tmp_path):
    mask = np.zeros((20, 20), bool)
    mask[4:16, 4:16] = True
    mask[5:15, 5:15] = False
    options = PolygonSettings(min_area_m2=5.0, max_hole_m2=5.0, simplify_m=0.0)  # 44 px of 144
    assert found(written(tmp_path, probabilities(mask)), options).area_m2.tolist() == pytest.approx(
        [144 * 0.04]
    )


@pytest.mark.parametrize("angle", [0, 10, 30, 45, 70])
def test_a_turned_house_gets_few_corners_and_keeps_its_area(tmp_path, angle):
    house = shapely.affinity.translate(shapely.affinity.rotate(shapely.box(0, 0, 70, 45), angle), 40, 50)
    mask = rasterio.features.rasterize([house], (150, 150)).astype(bool)
    (outline,) = in_pixels(
        found(written(tmp_path, probabilities(mask), cuts=(64,)), PolygonSettings()).geometry
    )
    assert len(outline.exterior.coords) - 1 <= 8
    assert outline.intersection(house).area / outline.union(house).area > 0.95


@pytest.mark.parametrize("angle", [0, 10, 30, 45, 70])
def test_a_turned_house_over_a_tile_border_is_squared(tmp_path, angle):
    house = shapely.affinity.translate(shapely.affinity.rotate(shapely.box(0, 0, 70, 45), angle), 40, 50)
    mask = rasterio.features.rasterize([house], (150, 150)).astype(bool)
    options = PolygonSettings(square=True)
    (outline,) = in_pixels(found(written(tmp_path, probabilities(mask), cuts=(64,)), options).geometry)
    assert len(outline.exterior.coords) - 1 == 4
    assert outline.intersection(house).area / outline.union(house).area > 0.98


def test_only_what_touches_the_edge_of_the_imagery_is_near_it(tmp_path):
    mask = np.zeros((200, 200), bool)
    mask[0:30, 20:60] = True  # at the outer edge
    mask[80:120, 40:80] = True  # in the middle, over the tile border
    mask[80:120, 150:180] = True  # beside a hole in the imagery
    mask[150:190, 20:60] = True  # beside a speck without imagery
    values = probabilities(mask)
    values[70:130, 180:199] = 255
    values[160:163, 60:63] = 255
    detections = found(written(tmp_path, values, cuts=(60,)), PolygonSettings())
    assert detections.near_edge.tolist() == [True, False, True, False]


def test_the_footprint_leaves_out_what_has_no_imagery_and_keeps_no_needless_vertex(tmp_path):
    values = np.zeros((60, 90), np.uint8)
    values[20:30, 25:40] = 255
    values[:, 80:] = 255
    footprint = footprint_of(written(tmp_path, values, cuts=(30, 60), row_cuts=(25,)))
    (outline,) = in_pixels(footprint).geoms
    expected = shapely.box(0, 0, 80, 60) - shapely.box(25, 20, 40, 30)
    assert shapely.normalize(outline) == shapely.normalize(expected)


def test_imagery_without_buildings_and_without_pixels_gives_empty_layers(tmp_path):
    nothing_seen = found(written(tmp_path, np.zeros((20, 30), np.uint8)))
    no_imagery = written(tmp_path, np.full((20, 30), 255, np.uint8))
    assert len(nothing_seen) == len(found(no_imagery)) == len(found([])) == 0
    assert list(nothing_seen.columns) == list(found([]).columns)
    assert nothing_seen.crs.to_epsg() == found([]).crs.to_epsg() == 3006
    assert footprint_of(no_imagery).is_empty


def test_the_band_asked_for_is_traced(tmp_path):
    values = np.zeros((2, 20, 20), np.uint8)
    values[1, 5:15, 5:15] = 240
    box = PixelBox(WEST, NORTH, 20, 20)
    write_cog(tmp_path / "two.tif", values, SCHEME.grid_of(box), nodata=255)
    (tile,) = [trace_tile(LatticeFile(tmp_path / "two.tif", box), SCHEME, EXACT, band=2)]
    detections = join_detections([tile], join_footprint([tile], SCHEME), SCHEME, EXACT, theme="wall")
    assert detections.theme.tolist() == ["wall"]
    assert detections.p_mean.tolist() == pytest.approx([0.96])
