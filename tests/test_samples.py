"""Training samples: image and label stay together, padding is unknown, the same seed draws the same."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS

from geoai.errors import ImageryError
from geoai.grid import Grid
from geoai.recolouring import recolour
from geoai.samples import (
    IGNORE,
    NODATA,
    Crops,
    CropSettings,
    Mapped,
    Source,
    Wholes,
    black_padding,
    cut_crop,
    draw_crop,
    is_held_out,
    label_from_map,
    labelled,
    read_pairs,
    split,
)

RNG = np.random.default_rng


def two_tone(rows: int = 300, cols: int = 400) -> Any:
    """An image whose brightness *is* its label: smooth blobs of class 1 are 200, the ground is 50."""
    field = cv2.GaussianBlur(RNG(5).standard_normal((rows, cols)).astype(np.float32), (0, 0), 12)
    label = (field > 0).astype(np.uint8)
    image = np.repeat(np.where(label, 200, 50).astype(np.uint8)[..., None], 3, axis=2)
    return labelled("blobs", image, label, 0.2)


@settings(max_examples=60, deadline=None)
@given(
    row=st.floats(-50, 350),
    col=st.floats(-50, 450),
    gsd_m=st.floats(0.12, 0.35),
    turn=st.floats(0, 360),
    mirrored=st.booleans(),
)
def test_image_and_label_are_cut_alike(
    row: float, col: float, gsd_m: float, turn: float, mirrored: bool
) -> None:
    image, label = cut_crop(
        two_tone(), np.array([row, col]), size_px=64, gsd_m=gsd_m, turn_degrees=turn, mirrored=mirrored
    )
    assert image.shape == (64, 64, 3)
    known = label != NODATA
    inside = cv2.erode(known.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0) > 0
    agree = (image[..., 0] > 125) == (label == 1)
    assert agree[inside].mean() > 0.97 if inside.sum() > 100 else True
    beyond = cv2.dilate(known.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    # at the crop's edge, what is known may lie just outside it and still tint a pixel
    assert not image[2:-2, 2:-2][beyond[2:-2, 2:-2]].any()


def test_crop_at_the_sources_own_scale_is_the_source() -> None:
    source = two_tone()
    image, label = cut_crop(
        source, np.array([100.0, 150.0]), size_px=64, gsd_m=0.2, turn_degrees=0, mirrored=False
    )
    np.testing.assert_array_equal(image, source.image[68:132, 118:182])
    np.testing.assert_array_equal(label, source.label[68:132, 118:182])


def test_quarter_turns_and_mirrors_are_exact() -> None:
    source = two_tone()
    straight = source.label[68:132, 118:182]
    for turn in range(4):
        for mirrored in (False, True):
            _, label = cut_crop(
                source,
                np.array([100.0, 150.0]),
                size_px=64,
                gsd_m=0.2,
                turn_degrees=90.0 * turn,
                mirrored=mirrored,
            )
            expected = np.rot90(straight, turn)
            assert (label == (expected[:, ::-1] if mirrored else expected)).mean() > 0.999


@pytest.mark.parametrize("gsd_m", [0.1, 0.2, 0.4])
def test_square_keeps_its_size_on_the_ground(gsd_m: float) -> None:
    label = np.zeros((200, 200), np.uint8)
    label[80:120, 80:120] = 1  # 8 m × 8 m
    source = labelled("square", np.zeros((200, 200, 3), np.uint8), label, 0.2)
    _, crop = cut_crop(
        source, np.array([100.0, 100.0]), size_px=128, gsd_m=gsd_m, turn_degrees=33, mirrored=True
    )
    assert np.count_nonzero(crop == 1) * gsd_m**2 == pytest.approx(64, rel=0.05)


def test_centre_far_outside_is_all_unknown() -> None:
    image, label = cut_crop(
        two_tone(), np.array([9e4, -9e4]), size_px=32, gsd_m=0.2, turn_degrees=0, mirrored=False
    )
    assert (label == NODATA).all()
    assert not image.any()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_sample_has_only_known_classes_and_black_where_nothing_is(seed: int) -> None:
    source = two_tone()
    source.label[:60] = NODATA
    sources = (Source("a", (source,), 1.0), Source("b", (source,), 2.0))
    crop = draw_crop(sources, RNG(seed), CropSettings(64, (0.12, 0.35)))
    assert crop.chip.shape == (3, 64, 64)
    assert crop.chip.dtype == np.uint8
    assert set(np.unique(crop.label)) <= {0, 1, IGNORE}
    assert crop.source in sources
    assert crop.present.all()
    assert not crop.chip[:, crop.label == IGNORE].any()


def field_and_house() -> tuple[Any, Any]:
    """Ground without anything, and the same with a house of 4 m."""
    empty = labelled("field", np.full((300, 300, 3), 90, np.uint8), np.zeros((300, 300), np.uint8), 0.2)
    label = empty.label.copy()
    label[140:160, 140:160] = 1
    return empty, labelled("house", empty.image, label, 0.2)


def test_shares_are_kept_and_objects_are_sought() -> None:
    empty, house = field_and_house()
    sources = (Source("town", (empty,) * 9 + (house,), 3.0), Source("wood", (empty,), 1.0))
    rng = RNG(2)
    wanted = CropSettings(64, (0.2, 0.2), object_share=0.5, hard_share=0.0)
    drawn = [draw_crop(sources, rng, wanted) for _ in range(400)]
    assert np.mean([crop.source.name == "wood" for crop in drawn]) == pytest.approx(0.25, abs=0.07)
    with_house = np.mean([(crop.label == 1).any() for crop in drawn if crop.source.name == "town"])
    assert with_house == pytest.approx(0.5, abs=0.1)  # one image in ten has a house


def test_hard_places_are_sought_for_their_share() -> None:
    """A mark in the label, which counts as no object here, tells which crops hold the place."""
    label = np.zeros((400, 400), np.uint8)
    label[298:302, 298:302] = 1
    ground = labelled("yard", np.full((400, 400, 3), 90, np.uint8), label, 0.2)
    hard = dataclasses.replace(ground, centres=np.zeros((0, 2)), hard=np.array([[300.0, 300.0]]))
    rng = RNG(3)
    for share in (0.0, 0.6):
        wanted = CropSettings(64, (0.2, 0.2), object_share=0.0, hard_share=share)
        crops = [draw_crop((Source("a", (hard,), 1.0),), rng, wanted) for _ in range(300)]
        seen = np.mean([(crop.label == 1).any() for crop in crops])
        assert seen == pytest.approx(share + (1 - share) * 0.04, abs=0.09)


def test_bands_that_are_missing_or_dropped_are_black_and_said_to_be_missing() -> None:
    rgb = two_tone()
    infrared = dataclasses.replace(rgb, image=np.concatenate([rgb.image, rgb.image[..., :1]], axis=2))
    rng = RNG(7)
    for image, dropout, present in ((rgb, 0.0, 0.0), (infrared, 0.0, 1.0), (infrared, 0.3, 0.7)):
        wanted = CropSettings(64, (0.2, 0.2), band_count=4, band_dropout=dropout)
        crops = [draw_crop((Source("a", (image,), 1.0),), rng, wanted) for _ in range(200)]
        assert all(crop.chip.shape == (4, 64, 64) and crop.present[:3].all() for crop in crops)
        assert np.mean([crop.present[3] for crop in crops]) == pytest.approx(present, abs=0.1)
        assert all(crop.chip[3].any() == crop.present[3] for crop in crops)


def test_epochs_differ_and_repeat() -> None:
    def first(seed: tuple[int, int]) -> Any:
        sources = (Source("a", (two_tone(),), 1.0),)
        return Crops(sources, 4, seed, CropSettings(64, (0.12, 0.35)), 2)[0]

    np.testing.assert_array_equal(first((1, 0))["image"], first((1, 0))["image"])
    assert not np.array_equal(first((1, 0))["image"], first((1, 1))["image"])
    assert first((1, 0))["mask"].dtype == np.int64
    assert first((1, 0))["labelled"].tolist() == [True, True, False]


def test_recolouring_changes_colours_and_not_places() -> None:
    """Over many draws, where it is bright stays brighter than where it is dark."""
    source = two_tone()
    image = source.image[:128, :128]
    bright = source.label[:128, :128] == 1
    rng = RNG(4)
    drawn = [recolour(image, rng) for _ in range(60)]
    assert all(picture.shape == image.shape and picture.dtype == np.uint8 for picture in drawn)
    assert np.mean([p[bright].mean() > p[~bright].mean() for p in drawn]) == 1
    assert np.std([p.mean() for p in drawn]) > 15


def test_black_at_the_border_is_padding_and_black_inside_is_shadow() -> None:
    image = np.full((200, 200, 3), 120, np.uint8)
    image[:, :40] = 3
    image[60:120, 60:120] = 0
    image[:10, 190:] = 0  # 100 px
    padding = black_padding(image)
    assert padding[:, :40].all()
    assert np.count_nonzero(padding) == 200 * 40


def write_pair(folder: Path, name: str, image: Any, mask: Any) -> None:
    for part, pixels, suffix in (("images", image, ".jpg"), ("masks", mask, ".png")):
        (folder / part).mkdir(exist_ok=True)
        if pixels is not None:
            cv2.imwrite(str(folder / part / (name + suffix)), pixels)


def test_pairs_are_read_as_rgb_with_the_mask_of_the_same_name(tmp_path: Path) -> None:
    blue = np.zeros((64, 48, 3), np.uint8)
    blue[..., 0] = 250  # OpenCV writes blue, green, red
    mask = np.zeros((64, 48), np.uint8)
    mask[10:20, 30:40] = 255
    write_pair(tmp_path, "000002", blue, mask)
    write_pair(tmp_path, "000001", blue, np.zeros_like(mask))
    first, second = read_pairs(tmp_path, gsd_m=0.3)
    assert (first.name, second.name) == ("000001", "000002")
    assert second.image[0, 0, 2] > 240 > 30 > second.image[0, 0, 0]
    assert np.count_nonzero(second.label) == np.count_nonzero(second.label[10:20, 30:40]) == 100
    np.testing.assert_allclose(second.centres, [[14.5, 34.5]])
    assert first.centres.shape == (0, 2)


def test_missing_mask_is_named(tmp_path: Path) -> None:
    write_pair(tmp_path, "7", np.zeros((10, 20, 3), np.uint8), None)
    with pytest.raises(ImageryError, match=r"7\.png: expected a mask of 20 × 10 px, found none$"):
        list(read_pairs(tmp_path, gsd_m=0.3))


def test_mask_of_another_size_is_named(tmp_path: Path) -> None:
    write_pair(tmp_path, "7", np.zeros((10, 20, 3), np.uint8), np.zeros((20, 10), np.uint8))
    with pytest.raises(ImageryError, match=r"7\.png: expected a mask of 20 × 10 px, found 10 × 20 px$"):
        list(read_pairs(tmp_path, gsd_m=0.3))


def test_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ImageryError, match=r"expected images/\*\.jpg, \*\.png or \*\.tif with masks, found none$"
    ):
        list(read_pairs(tmp_path, gsd_m=0.3))


def test_held_out_and_trained_on_never_overlap() -> None:
    images = [
        labelled(f"{n:06d}", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), 0.3)
        for n in range(20)
    ]
    train, held_out = split(images, every=5)
    assert [image.name for image in held_out] == ["000000", "000005", "000010", "000015"]
    assert len(train) == 16
    assert not is_held_out("without number", 5)


def mapped(grid: Grid, *shapes: shapely.Geometry, doubt_m: float, values: Any = None) -> Mapped:
    told = np.array(values or [1] * len(shapes), np.uint8)
    return Mapped(grid, np.arange(len(shapes)).astype(str), told, np.array(shapes, object), doubt_m)


def test_map_is_burned_with_doubt_along_its_outlines() -> None:
    grid = Grid(CRS.from_epsg(3006), Affine(0.5, 0, 1000, 0, -0.5, 2000), 40, 60)
    valid = np.ones((40, 60), bool)
    valid[:, 50:] = False
    house = shapely.box(1005, 1985, 1015, 1995)  # columns 10 … 29, rows 10 … 29
    label = label_from_map(mapped(grid, house, shapely.Polygon(), doubt_m=1.0), valid)
    assert (label[12:28, 12:28] == 1).all()
    assert (label[8:12, 12:28] == IGNORE).all()
    assert label[4, 4] == 0
    assert (label[:, 50:] == NODATA).all()
    assert np.count_nonzero(label == 1) == 16 * 16


def test_each_class_is_burned_with_its_label_and_later_ones_lie_on_top() -> None:
    grid = Grid(CRS.from_epsg(3006), Affine(1, 0, 0, 0, -1, 10), 10, 10)
    road, house = shapely.box(0, 0, 10, 4), shapely.box(2, 2, 5, 8)
    label = label_from_map(mapped(grid, road, house, doubt_m=0, values=[2, 1]), np.ones((10, 10), bool))
    assert np.count_nonzero(label == 1) == 18
    assert np.count_nonzero(label == 2) == 40 - 6


def test_map_without_objects_is_all_background() -> None:
    grid = Grid(CRS.from_epsg(3006), Affine(0.5, 0, 0, 0, -0.5, 0), 8, 8)
    assert not label_from_map(mapped(grid, doubt_m=1.0), np.ones((8, 8), bool)).any()


def test_values_of_masks_become_labels_and_others_are_named(tmp_path: Path) -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:10], mask[10:20] = 7, 9
    write_pair(tmp_path, "1", np.full((40, 40, 3), 90, np.uint8), mask)
    (image,) = read_pairs(tmp_path, gsd_m=0.2, values={7: 2, 9: 1})
    assert [np.count_nonzero(image.label == value) for value in (0, 1, 2)] == [800, 400, 400]
    with pytest.raises(ImageryError, match=r"1\.png: expected the values 0, 7, found 9$"):
        list(read_pairs(tmp_path, gsd_m=0.2, values={7: 2}))


def test_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_pair(tmp_path, "1", np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), np.uint8))
    (tmp_path / "images" / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(ImageryError, match=r"1\.jpg: expected a readable image, found "):
        list(read_pairs(tmp_path, gsd_m=0.3))


def test_wholes_give_unknown_pixels_one_value() -> None:
    source = two_tone()
    source.label[:10] = NODATA
    sample: Any = Wholes((Source("a", (source,), 1.0),), 3, 1)[0]
    assert sample["image"].shape == (3, 320, 416)
    assert set(np.unique(sample["mask"])) == {0, 1, IGNORE}
    assert (sample["mask"][300:] == IGNORE).all()
    assert not sample["image"][:, 300:].any()


@pytest.mark.slow
def test_real_tiles_have_padding_and_buildings() -> None:
    folder = os.environ.get("GEOAI_TEST_DATA")
    if not folder or not (Path(folder) / "inria").is_dir():
        pytest.skip("GEOAI_TEST_DATA names no folder with inria/")
    images = list(read_pairs(Path(folder) / "inria", gsd_m=0.3))
    assert len(images) == 443
    assert sum(len(image.centres) > 0 for image in images) == 323
    padded = [image for image in images if (image.label == NODATA).any()]
    assert 50 < len(padded) < 100
