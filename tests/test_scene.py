from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import rasterio.features
import shapely
from affine import Affine
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from geoai.scene import Scene, cast_shadow, confusions, make_scene
from geoai.scene.canvas import Canvas
from geoai.scene.style import choose_style
from geoai.scene.town import Town

SIDE_M, GSD_M = 240.0, 0.2

FIELDS = arrays(np.float32, (12, 17), elements=st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.5, 7.0]))
AXES = st.sampled_from([(0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0)])

CONFUSIONS = (
    confusions.sports_court, confusions.playground, confusions.rock, confusions.jetty, confusions.boat,
    confusions.glasshouse, confusions.trailer, confusions.slab, confusions.storage,
)  # fmt: skip


@pytest.fixture(scope="module", params=[2, 3, 4])
def scene(request: pytest.FixtureRequest) -> Scene:
    return make_scene(request.param, width_m=SIDE_M, height_m=SIDE_M)


def burned(scene: Scene, polygons: list[shapely.Polygon]) -> NDArray[np.bool_]:
    """Return the pixels of the scene whose centres lie in *polygons* (scene metres), by GDAL."""
    rows, cols = scene.mask.shape
    transform = Affine(scene.gsd_m, 0, 0, 0, -scene.gsd_m, rows * scene.gsd_m)
    pixels = rasterio.features.rasterize(polygons, (rows, cols), transform=transform)
    return np.asarray(pixels > 0)


def test_same_seed_gives_the_same_bytes_and_another_seed_another_scene() -> None:
    first, again, other = (make_scene(seed, width_m=80, height_m=60) for seed in (5, 5, 6))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.roofs == again.roofs
    assert first.image.tobytes() != other.image.tobytes()


def test_image_and_mask_have_the_asked_size() -> None:
    scene = make_scene(1, width_m=90.0, height_m=50.0, gsd_m=0.25)
    assert scene.image.shape == (3, 200, 360)
    assert scene.image.dtype == np.uint8
    assert scene.mask.shape == (200, 360)


def test_what_the_mask_shows_lies_on_footprints(scene: Scene) -> None:
    grown = [roof.footprint.buffer(scene.gsd_m) for roof in scene.roofs]
    assert scene.mask.any()
    assert not (scene.mask & ~burned(scene, grown)).any()


def test_visible_share_is_what_the_mask_shows_of_the_footprint(scene: Scene) -> None:
    whole = shapely.box(0, 0, SIDE_M, SIDE_M).buffer(-1)
    for roof in scene.roofs:
        if not whole.contains(roof.footprint):
            continue
        on = burned(scene, [roof.footprint])
        assert scene.mask[on].mean() == pytest.approx(roof.visible_share, abs=0.08)


def test_roofs_that_nothing_hides_are_wholly_in_the_mask(scene: Scene) -> None:
    hidden = [roof for roof in scene.roofs if roof.visible_share < 0.98]
    clear = [roof for roof in scene.roofs if roof.visible_share >= 0.98]
    assert len(clear) > len(hidden) / 4
    assert scene.mask[burned(scene, [roof.footprint for roof in clear])].mean() > 0.97


def test_footprint_is_the_union_of_its_parts(scene: Scene) -> None:
    for roof in scene.roofs:
        assert roof.footprint.symmetric_difference(shapely.union_all(roof.parts)).area < 1e-6


def test_vacant_places_hold_no_roof(scene: Scene) -> None:
    places = [place.buffer(1.0) for place in scene.vacant]
    for place in places:
        assert not any(roof.footprint.intersects(place) for roof in scene.roofs)
    if places:
        assert not scene.mask[burned(scene, places)].any()


@pytest.mark.slow
def test_a_square_kilometre_holds_two_hundred_buildings_of_every_roof_form() -> None:
    roofs = [roof for seed in range(4) for roof in make_scene(seed, width_m=300, height_m=300).roofs]
    houses = [roof for roof in roofs if roof.kind != "shed"]
    assert len(houses) / (4 * 0.09) >= 200
    assert {roof.form for roof in houses} == {"gable", "hip", "flat"}
    assert {roof.kind for roof in roofs} >= {"house", "shed", "block"}
    assert any(len(roof.parts) == 2 for roof in houses)


def test_building_limit_bounds_the_houses() -> None:
    scene = make_scene(4, width_m=SIDE_M, height_m=SIDE_M, buildings=5)
    free = make_scene(4, width_m=SIDE_M, height_m=SIDE_M)
    assert sum(roof.kind == "house" for roof in free.roofs) > 5
    assert sum(roof.kind == "house" for roof in scene.roofs) <= 5


def drawn_on_a_lawn(thing: Callable[[Town, float, float, float], None], seed: int, angle: float) -> Town:
    """Return a town of 60 × 60 m with nothing in it but *thing* in its middle."""
    rng = np.random.default_rng(seed)
    style = choose_style(rng)
    town = Town(Canvas(120, 120, 0.5, style), style, rng, None)
    thing(town, 30, 30, angle)
    town.build()
    return town


@pytest.mark.parametrize("thing", CONFUSIONS)
@given(seed=st.integers(0, 10_000), angle=st.floats(-math.pi, math.pi))
@settings(max_examples=examples(25), deadline=None)
def test_what_only_looks_like_a_building_is_seen_and_never_in_the_mask(
    thing: Callable[[Town, float, float, float], None], seed: int, angle: float
) -> None:
    town = drawn_on_a_lawn(thing, seed, angle)
    seen = (town.canvas.albedo != np.array(town.style.grass, np.uint8)).any(axis=2)
    assert seen.sum() * 0.25 >= 1.0  # m²: there is something to mistake
    assert not seen[[0, -1]].any()
    assert not seen[:, [0, -1]].any()
    assert not (town.canvas.owner >= 0).any()
    assert not town.roofs
    again = drawn_on_a_lawn(thing, seed, angle)
    assert town.canvas.albedo.tobytes() == again.canvas.albedo.tobytes()
    assert town.canvas.height.tobytes() == again.canvas.height.tobytes()


@given(FIELDS, AXES, st.floats(20, 70))
def test_shadow_is_the_highest_ray_that_leaves_the_field_towards_the_sun(
    field: NDArray[np.float32], sun: tuple[float, float], degrees: float
) -> None:
    elevation = math.radians(degrees)
    shade = cast_shadow(field, sun=sun, elevation=elevation, gsd_m=0.5)
    dx, dy = int(sun[0]), int(sun[1])
    rows, cols = field.shape
    for row in range(rows):
        for col in range(cols):
            steps = (n for n in range(40) if 0 <= row + n * dy < rows and 0 <= col + n * dx < cols)
            rays = [field[row + n * dy, col + n * dx] - n * 0.5 * math.tan(elevation) for n in steps]
            assert max(shade[row, col], 0) == pytest.approx(max(*rays, 0), abs=1e-4)


@given(st.floats(0, 2 * math.pi), st.floats(25, 60))
def test_shadow_of_a_mast_ends_where_height_and_sun_say(azimuth: float, degrees: float) -> None:
    field = np.zeros((161, 161), np.float32)
    field[79:82, 79:82] = 8.0
    sun = math.sin(azimuth), -math.cos(azimuth)
    shade = cast_shadow(field, sun=sun, elevation=math.radians(degrees), gsd_m=0.5)
    rows, cols = np.nonzero((shade > 0.01) & (field == 0))
    away = -((cols - 80) * sun[0] + (rows - 80) * sun[1])
    aside = (cols - 80) * sun[1] - (rows - 80) * sun[0]
    assert away.max() == pytest.approx(8.0 / math.tan(math.radians(degrees)) / 0.5, abs=3.5)
    assert np.abs(aside).max() <= 4.0
