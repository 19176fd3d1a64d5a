"""Squaring traced outlines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import rasterio.features
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from shapely import Polygon
from shapely.affinity import rotate, scale, translate

from geoai.outlines import MIN_IOU, square
from geoai.vector import Geometries

masks = arrays(np.bool_, st.tuples(st.integers(2, 40), st.integers(2, 40)))
L_SHAPE = Polygon([(0, 0), (80, 0), (80, 30), (35, 30), (35, 60), (0, 60)])
T_SHAPE = Polygon([(0, 0), (90, 0), (90, 30), (60, 30), (60, 75), (30, 75), (30, 30), (0, 30)])
COURT = shapely.box(0, 0, 100, 90) - shapely.box(30, 30, 70, 60)


def traced(mask: NDArray[np.bool_]) -> Geometries:
    """Return the polygons of the true pixels, as they are traced; far west and north, as on a lattice."""
    found = rasterio.features.shapes(mask.astype(np.uint8), mask, connectivity=4)
    shapes = np.array([shapely.Polygon(o["coordinates"][0], o["coordinates"][1:]) for o, _ in found], object)
    moved = shapely.transform(shapes, lambda xy: xy + np.array([2_250_000, -32_000_000]))
    polygons: Geometries = shapely.simplify(shapely.normalize(moved), 0.0)
    return polygons


def house(shape: Polygon, angle: float) -> tuple[Geometries, Polygon]:
    """Return what is traced of a *shape* in pixels, turned by *angle* degrees, and the shape there."""
    turned = rotate(shape, angle)
    west, north, _, _ = turned.bounds
    turned = translate(turned, 5.3 - west, 5.8 - north)
    size = tuple(int(side) + 8 for side in turned.bounds[:1:-1])
    mask = rasterio.features.rasterize([turned], size).astype(bool)
    return traced(mask), translate(turned, 2_250_000, -32_000_000)


def iou(first: Polygon, second: Polygon) -> float:
    return float(first.intersection(second).area / first.union(second).area)


def angles(polygon: Polygon) -> NDArray[np.float64]:
    """Return by how many degrees an outline turns at each corner, holes included."""
    turns = []
    for ring in (polygon.exterior, *polygon.interiors):
        sides = np.diff(shapely.get_coordinates(ring), axis=0)
        course = np.arctan2(sides[:, 1], sides[:, 0])
        turns.append(np.degrees(np.abs(np.angle(np.exp(1j * (course - np.roll(course, 1)))))))
    return np.concatenate(turns)


@pytest.mark.slow
@given(masks, st.sampled_from([0.7, 1.5, 3.0]))
@settings(max_examples=examples(200))
def test_outlines_are_valid_and_those_changed_keep_what_was_traced(
    mask: NDArray[np.bool_], tolerance: float
) -> None:
    shapes = traced(mask)
    outlines = square(shapes, tolerance=tolerance)
    assert shapely.is_valid(outlines).all()
    assert (shapely.get_type_id(outlines) == shapely.GeometryType.POLYGON).all()
    for outline, shape, simple in zip(outlines, shapes, shapely.simplify(shapes, tolerance), strict=True):
        assert outline == simple or iou(outline, shape) >= MIN_IOU - 1e-6


@given(masks)
def test_an_outline_depends_on_nothing_but_its_polygon(mask: NDArray[np.bool_]) -> None:
    shapes = traced(mask)
    together = square(shapes, tolerance=1.5)
    alone = np.array([square(shapes[k : k + 1], tolerance=1.5)[0] for k in range(len(shapes))], object)
    assert shapely.to_wkb(together).tolist() == shapely.to_wkb(alone).tolist()
    backwards = square(shapes[::-1], tolerance=1.5)[::-1]
    assert shapely.to_wkb(together).tolist() == shapely.to_wkb(backwards).tolist()


@given(
    st.sampled_from([shapely.box(0, 0, 40, 25), L_SHAPE, T_SHAPE, COURT]),
    st.floats(0.0, 90.0),
    st.booleans(),
)
def test_a_roof_of_right_angles_gets_its_corners_back(shape: Polygon, angle: float, mirrored: bool) -> None:
    shapes, truth = house(scale(shape, -1, 1) if mirrored else shape, angle)
    (outline,) = square(shapes, tolerance=2.5)
    assert len(angles(outline)) == len(angles(truth))
    assert angles(outline) == pytest.approx(90.0, abs=0.01)
    assert iou(outline, truth) >= iou(shapely.simplify(shapes, 2.5)[0], truth) - 0.005
    assert iou(outline, truth) > 0.95


@pytest.mark.parametrize("angle", [0.0, 17.0, 40.0, 71.0])
def test_squaring_a_ragged_roof_comes_nearer_to_the_roof_than_simplifying(angle: float) -> None:
    shapes, truth = house(L_SHAPE, angle)
    west, north, east, south = (int(value) for value in shapely.total_bounds(shapes))
    at = translate(truth, 8 - west, 8 - north)
    mask = rasterio.features.rasterize([at], (south - north + 16, east - west + 16)).astype(np.uint8)
    inward = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    noise = cv2.GaussianBlur(np.random.default_rng(7).standard_normal(mask.shape), (0, 0), 4.0)
    ragged = cv2.GaussianBlur(inward, (0, 0), 2.0) + noise * (2.0 / noise.std()) > 0
    shape = translate(max(traced(ragged), key=shapely.area), west - 8 - 2_250_000, north - 8 + 32_000_000)
    shape = shapely.transform(shape, np.round)
    (outline,) = square(np.array([shape], object), tolerance=3.0)
    simple = shapely.simplify(shape, 3.0)
    assert iou(outline, truth) > iou(simple, truth)
    assert shapely.get_num_coordinates(outline) < shapely.get_num_coordinates(simple)


def test_a_slanting_side_stays_and_the_others_are_squared() -> None:
    shapes, truth = house(Polygon([(0, 0), (90, 0), (90, 40), (50, 80), (0, 80)]), 25.0)
    (outline,) = square(shapes, tolerance=2.5)
    assert sorted(angles(outline).round()) == pytest.approx([45, 45, 90, 90, 90], abs=3)
    assert iou(outline, truth) > 0.97


def test_a_round_roof_is_left_as_simplified() -> None:
    shapes, _ = house(shapely.Point(0, 0).buffer(40), 0.0)
    assert square(shapes, tolerance=2.5)[0] == shapely.simplify(shapes, 2.5)[0]


def test_a_step_under_the_tolerance_goes_and_one_well_above_it_stays() -> None:
    for step, corners in ((2, 4), (9, 6)):
        stepped = shapely.box(0, 0, 90, 40) | shapely.box(0, 0, 45, 40 + step)
        shapes, _ = house(stepped, 0.0)
        (outline,) = square(shapes, tolerance=2.5)
        assert len(angles(outline)) == corners


def test_nothing_and_a_tolerance_of_nothing_change_nothing() -> None:
    assert len(square(np.zeros(0, object), tolerance=2.0)) == 0
    shapes, _ = house(L_SHAPE, 30.0)
    assert square(shapes, tolerance=0.0)[0].equals(shapes[0])
