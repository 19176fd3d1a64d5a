"""Mining: a map is moved to where it lies, and what the network firmly contradicts is not learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.crs import CRS

from geoai.grid import Grid
from geoai.mining import Mined, best_shift, hard_places, mine, predict, write_contradictions
from geoai.samples import IGNORE, LabelledImage, Mapped, Source, label_from_map, labelled

GRID = Grid(CRS.from_epsg(3006), Affine(0.5, 0, 1000, 0, -0.5, 2100), 200, 240)
HOUSES = [
    shapely.box(x, y, x + 12, y + 9) for x, y in ((1010, 2020), (1040, 2060), (1080, 2030), (1085, 2075))
]
MEAN = (0.5, 0.5, 0.5)


def pixels(*shapes: shapely.Geometry) -> NDArray[np.bool_]:
    """Return which pixel centres of GRID lie in *shapes*; by geometry, not by rasterising."""
    x = 1000.25 + 0.5 * np.arange(GRID.width)
    y = 2099.75 - 0.5 * np.arange(GRID.height)
    return shapely.contains_xy(shapely.union_all(shapes), *np.meshgrid(x, y))


def town(mapped_houses: list[Any], *, doubt_m: float = 0.0) -> LabelledImage:
    ids = np.array([f"h{n}" for n in range(len(mapped_houses))], object)
    mapped = Mapped(GRID, ids, np.ones(len(ids), np.uint8), np.array(mapped_houses, object), doubt_m)
    label = label_from_map(mapped, np.ones((GRID.height, GRID.width), bool))
    return labelled("town", np.zeros((*label.shape, 3), np.uint8), label, 0.5, mapped=mapped)


def mined(image: LabelledImage, probability: NDArray[np.float32]) -> Mined:
    """Mine one image with a network that says *probability*, whatever it is shown."""

    def segment(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        answer = np.zeros((1, *chip.shape[1:]), np.float32)
        answer[0, : probability.shape[0], : probability.shape[1]] = probability
        return answer

    (only,) = mine(Source("town", (image,), 1.0), segment, mean=MEAN)
    return only


def seen(*shapes: shapely.Geometry) -> NDArray[np.float32]:
    return np.where(pixels(*shapes), 0.97, 0.02).astype(np.float32)


@settings(max_examples=40)
@given(rows=st.integers(-8, 8), cols=st.integers(-8, 8))
def test_shift_of_any_map_is_found(rows: int, cols: int) -> None:
    """A smaller one gains too little, with four houses, to be told from chance."""
    assume(max(abs(rows), abs(cols)) >= 3)
    x, y = 0.5 * cols, -0.5 * rows
    image = town([shapely.affinity.translate(house, -x, -y) for house in HOUSES])
    found = mined(image, seen(*HOUSES))
    assert found.shift_m == pytest.approx((x, y))
    np.testing.assert_array_equal(found.image.label == 1, pixels(*HOUSES))
    assert not found.contradictions
    assert not len(found.image.hard)


def test_shift_agrees_with_trying_every_one() -> None:
    rng = np.random.default_rng(3)
    probability = rng.random((40, 50)).astype(np.float32)
    label = rng.random((40, 50)) < 0.3

    def agreement(rows: int, cols: int) -> float:
        total = 0.0
        for row, col in np.argwhere(label):
            if 0 <= row + rows < 40 and 0 <= col + cols < 50:
                total += float(probability[row + rows, col + cols]) - 0.5
        return total

    tried = {(r, c): agreement(r, c) for r in range(-3, 4) for c in range(-3, 4)}
    rows, cols, gain = best_shift(probability, label, reach_px=3)
    assert (rows, cols) == max(tried, key=lambda shift: tried[shift])
    assert gain == pytest.approx(tried[rows, cols] - tried[0, 0], abs=1e-2)


def test_a_shift_that_gains_next_to_nothing_is_not_believed() -> None:
    image = town(HOUSES)
    noise = np.random.default_rng(1).uniform(0.4, 0.6, image.label.shape).astype(np.float32)
    assert mined(image, noise).shift_m == (0.0, 0.0)


def test_mapped_house_that_is_firmly_not_there_is_ignored_and_listed() -> None:
    image = town(HOUSES)
    found = mined(image, seen(*HOUSES[1:]))
    (one,) = found.contradictions
    assert (one.kind, one.map_object_id, one.area_m2) == ("not_seen", "h0", pytest.approx(108))
    assert (found.image.label[pixels(HOUSES[0])] == IGNORE).all()
    np.testing.assert_array_equal(found.image.label == 1, pixels(*HOUSES[1:]))


def test_house_that_is_only_doubted_stays() -> None:
    image = town(HOUSES)
    probability = np.where(pixels(HOUSES[0]), 0.2, seen(*HOUSES)).astype(np.float32)
    found = mined(image, probability)
    assert not found.contradictions
    assert (found.image.label[pixels(HOUSES[0])] == 1).all()
    assert len(found.image.hard)


def test_firm_detection_that_the_map_lacks_is_ignored_and_listed() -> None:
    image = town(HOUSES[1:])
    found = mined(image, seen(*HOUSES))
    (one,) = found.contradictions
    assert (one.kind, one.map_object_id) == ("not_mapped", None)
    assert one.geometry.symmetric_difference(HOUSES[0]).area < 0.05 * HOUSES[0].area
    assert (found.image.label[pixels(HOUSES[0])] == IGNORE).all()


def test_part_beside_a_mapped_house_is_learnt_as_the_map_has_it() -> None:
    """It may be an extension, or a terrace that the network takes for one: not firm enough to overrule."""
    beside = shapely.box(1022, 2020, 1030, 2029)
    found = mined(town(HOUSES), seen(*HOUSES, beside))
    assert not found.contradictions
    assert (found.image.label[pixels(beside)] == 0).all()


def test_hard_places_are_where_it_is_wrong_and_known() -> None:
    image = town(HOUSES)
    yard = shapely.box(1020, 2080, 1030, 2090)
    probability = seen(*HOUSES, yard)[None]
    x, y = (
        1000 + 0.5 * hard_places(probability, image)[:, 1],
        2100 - 0.5 * hard_places(probability, image)[:, 0],
    )
    assert len(x)
    assert shapely.dwithin(yard, shapely.points(x, y), 6).all()
    image.label[pixels(yard)] = IGNORE
    assert not len(hard_places(probability, image))


def test_band_that_the_image_lacks_is_shown_as_its_mean() -> None:
    shown: list[NDArray[np.uint8]] = []

    def segment(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        shown.append(chip)
        return chip[:1].astype(np.float32)

    answer = predict(segment, np.full((40, 50, 3), 9, np.uint8), mean=(0.1, 0.1, 0.1, 0.4))
    assert answer.shape == (1, 40, 50)
    assert shown[0].shape == (4, 64, 64)
    assert (shown[0][3] == 102).all()


def test_list_is_a_geopackage_with_a_layer_for_each_source(tmp_path: Path) -> None:
    found = mined(town(HOUSES[1:]), seen(*HOUSES[:3]))
    path = tmp_path / "contradictions.gpkg"
    write_contradictions(path, {"A town": (GRID.crs, list(found.contradictions))})
    frame = gpd.read_file(path, layer="A town")
    assert sorted(frame["kind"]) == ["not_mapped", "not_seen"]
    assert frame.crs.to_epsg() == 3006
