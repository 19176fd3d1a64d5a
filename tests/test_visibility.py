"""What the imagery can show of mapped objects: crowns and deep shadow hide, lawns and green roofs do not."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.features import rasterize

from geoai.config import CompareSettings, VisibilitySettings
from geoai.visibility import BLOCK_PX, classify_ground, hidden_shares, with_sight

GSD_M = 0.2
EAST, NORTH = 450_000.0, 6_400_000.0
SIDE_PX = 300
LAWN, ASPHALT, GREEN_ROOF = (110, 140, 80), (150, 150, 152), (90, 125, 100)
DEFAULTS = VisibilitySettings()


def flat(colour, side=SIDE_PX, noise=4.0, seed=0):
    """Return ground of one colour with a camera's noise, (band, row, col)."""
    grain = np.random.default_rng(seed).normal(0, noise, (1, side, side))
    return np.clip(np.array(colour, float)[:, None, None] + grain, 0, 255).astype(np.uint8)


def crown(side=SIDE_PX, colour=(80, 105, 60), seed=0):
    """Return leaves and the dark between them: patches of 0.6 m, each of its own brightness."""
    rng = np.random.default_rng(seed)
    patches = np.kron(rng.uniform(0.45, 1.55, (side // 3 + 1, side // 3 + 1)), np.ones((3, 3)))[:side, :side]
    return np.clip(np.array(colour, float)[:, None, None] * patches, 0, 255).astype(np.uint8)


def classified(data, **settings):
    valid = np.ones(data.shape[1:], bool)
    return classify_ground(data, valid, gsd_m=GSD_M, settings=DEFAULTS.model_copy(update=settings))


def inner(mask):
    return mask[40:-40, 40:-40]


@pytest.mark.parametrize("colour", [LAWN, ASPHALT, GREEN_ROOF])
def test_what_is_smooth_hides_nothing_however_green(colour):
    ground = classified(flat(colour))
    assert not ground.canopy.any()
    assert not ground.shadow.any()


def test_a_crown_hides_the_ground():
    assert inner(classified(crown()).canopy).mean() > 0.95


def test_rubble_is_as_mottled_as_a_crown_and_hides_nothing():
    assert not classified(crown(colour=(120, 118, 116))).canopy.any()


def test_a_wall_with_its_shade_on_a_lawn_is_no_crown():
    yard = flat(LAWN)
    yard[:, :, 150:] = yard[:, :, 150:] // 3 + 25
    assert not classified(yard).canopy.any()


def test_deep_shadow_is_dark_and_no_crown():
    ground = classified(flat((40, 42, 50)))
    assert inner(ground.shadow).all()
    assert not ground.canopy.any()


def test_near_infrared_takes_the_place_of_greenness():
    grey = crown(colour=(120, 118, 116))
    leaves = np.concatenate([grey, np.minimum(grey[:1].astype(int) * 3, 255).astype(np.uint8)])
    stones = np.concatenate([grey, grey[:1]])
    assert inner(classified(leaves).canopy).mean() > 0.9
    assert not classified(stones).canopy.any()


def write(path, data, valid=None):
    profile = {"driver": "GTiff", "dtype": "uint8", "count": len(data), "crs": "EPSG:3006"}
    shape = {"height": data.shape[1], "width": data.shape[2]}
    there = Affine(GSD_M, 0, EAST, 0, -GSD_M, NORTH)
    with rasterio.open(path, "w", **profile, **shape, transform=there) as target:
        target.write(data)
        if valid is not None:
            target.write_mask(valid)
    return path


def test_shares_are_those_of_the_pixels_whatever_the_blocks(tmp_path):
    side = BLOCK_PX + 200  # polygons lie across the border of two blocks
    data = flat(LAWN, side)
    data[:, 400:700, 350:650] = crown(300)
    path = write(tmp_path / "ortho.tif", data)
    corner = np.array([[480, 480], [300, 520], [20, 20]]) * GSD_M
    houses = [shapely.box(EAST + x, NORTH - y - 12, EAST + x + 14, NORTH - y) for x, y in corner]
    shares = hidden_shares(np.array(houses, object), path, DEFAULTS)
    whole = classify_ground(data, np.ones((side, side), bool), gsd_m=GSD_M, settings=DEFAULTS)
    there = Affine(GSD_M, 0, EAST, 0, -GSD_M, NORTH)
    for house, found in zip(houses, shares, strict=True):
        under = rasterize([house], (side, side), transform=there).astype(bool)
        assert found[0] == pytest.approx(whole.canopy[under].mean(), abs=0.02)
    assert shares[0, 0] > 0.9
    assert shares[2].tolist() == [0.0, 0.0]


def test_where_no_pixel_is_valid_nothing_was_measured(tmp_path):
    valid = np.ones((SIDE_PX, SIDE_PX), bool)
    valid[:, :150] = False
    path = write(tmp_path / "ortho.tif", crown(), valid)
    off = np.array([shapely.box(EAST + 2, NORTH - 12, EAST + 12, NORTH - 2)], object)
    assert np.isnan(hidden_shares(off, path, DEFAULTS)).all()
    assert hidden_shares(off[:0], path, DEFAULTS).shape == (0, 2)


def scene(tmp_path, **columns):
    """Two mapped objects, the first under a crown, the second on a lawn."""
    data = flat(LAWN)
    data[:, :, :150] = crown()[:, :, :150]
    houses = [shapely.box(EAST + x, NORTH - 40, EAST + x + 12, NORTH - 28) for x in (8, 40)]
    objects = gpd.GeoDataFrame(
        {"group": [0, 1], "tolerance_m": 1.2, "visible_share": 1.0, "cut": False, "assessable": True}
        | columns,
        geometry=houses,
        crs=3006,
    )
    parts = gpd.GeoDataFrame({"added": [False, False]}, geometry=houses, crs=3006)
    return objects, parts, write(tmp_path / "ortho.tif", data)


def test_an_unseen_object_under_a_crown_cannot_be_assessed_and_one_on_a_lawn_can(tmp_path):
    objects, parts, path = scene(tmp_path)
    unseen = gpd.GeoDataFrame({"group": [7]}, geometry=[shapely.box(0, 0, 1, 1)], crs=3006)
    told, changes = with_sight(objects, unseen, parts, path, CompareSettings())
    assert told["assessable"].tolist() == [False, True]
    assert told["hidden_by"].fillna("").tolist() == ["canopy", ""]
    assert told["covered_share"].tolist() == [1.0, 1.0]
    assert changes["visible_share"].round(1).tolist() == [0.0, 1.0]


def test_a_seen_object_is_assessable_under_any_crown(tmp_path):
    objects, parts, path = scene(tmp_path)
    seen = gpd.GeoDataFrame({"group": [0]}, geometry=[objects.geometry[0]], crs=3006)
    told, _ = with_sight(objects, seen, parts, path, CompareSettings())
    assert told["assessable"].all()


def test_without_an_orthophoto_nothing_hides(tmp_path):
    objects, parts, _ = scene(tmp_path, visible_share=[0.5, 1.0], assessable=[False, True])
    unseen = gpd.GeoDataFrame({"group": [7]}, geometry=[shapely.box(0, 0, 1, 1)], crs=3006)
    told, _ = with_sight(objects, unseen, parts, None, CompareSettings())
    assert told["visible_share"].tolist() == [0.5, 1.0]
    assert told["hidden_by"].fillna("").tolist() == ["no_imagery", ""]


@pytest.mark.slow
def test_a_lawn_of_a_real_city_is_seen_and_its_crowns_hide(test_data: Path):
    sheet = next((test_data / "tartu" / "flight").glob("*.tif"))
    register = pyogrio.read_dataframe(test_data / "tartu" / "register.gpkg", layer="buildings")
    outlines = register.set_index("objektidentitet").geometry
    lawn, shrubs = (shapely.buffer(outlines[name], -1.2) for name in ("ee-00047", "ee-00477"))
    shares = hidden_shares(np.array([lawn, shrubs], object), sheet, DEFAULTS)
    assert shares[0].sum() < 0.3
    assert shares[1, 0] > 0.7
