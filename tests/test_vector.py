"""What is wrong with an outline, told apart as ISO 19157 does: loops, kickbacks, and the rest."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoai.vector import defects_of

LEFT, BOTTOM = 655_000.3, 6_474_500.7
corners = st.lists(st.integers(0, 59), min_size=4, max_size=9, unique=True)
"""On a circle, in steps of six degrees."""


def ring(steps: list[int]) -> list[tuple[float, float]]:
    """Return corners on a circle of 10 m, in their order: a convex outline."""
    angles = np.radians(6) * np.sort(steps)
    return [(LEFT + 10 * np.cos(angle), BOTTOM + 10 * np.sin(angle)) for angle in angles]


def defect(*outlines: list[tuple[float, float]]) -> str:
    parts = [shapely.Polygon(outline) for outline in outlines]
    whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    (found,) = defects_of(np.array([whole], object))
    return str(found)


@given(corners)
def test_a_convex_outline_is_valid_with_two_corners_exchanged_a_loop_with_a_spike_a_kickback(
    steps: list[int],
) -> None:
    outline = ring(steps)
    assert defect(outline) == ""
    assert defect([outline[1], outline[0], *outline[2:]]) == "self_intersects"
    out = (outline[0][0] + 25.0, outline[0][1] + 25.0)
    assert defect([outline[0], out, *outline]) == "self_overlaps"


SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]


@pytest.mark.parametrize(
    ("outlines", "expected"),
    [
        ([SQUARE, [(20.0, 0.0), (30.0, 0.0), (30.0, 10.0)]], ""),
        ([SQUARE, [(10.0, 10.0), (20.0, 10.0), (20.0, 20.0)]], ""),  # parts may touch in a point
        ([SQUARE, [(10.0, 0.0), (20.0, 0.0), (20.0, 10.0), (10.0, 10.0)]], "self_overlaps"),
        ([SQUARE, [(2.0, 2.0), (4.0, 2.0), (4.0, 4.0)]], "self_overlaps"),
        ([SQUARE, [(5.0, 5.0), (15.0, 5.0), (15.0, 15.0), (5.0, 15.0)]], "self_intersects"),
    ],
)
def test_parts_of_one_object_may_touch_and_not_share_ground_or_walls(
    outlines: list[list[tuple[float, float]]], expected: str
) -> None:
    assert defect(*outlines) == expected


def test_a_hole_beyond_its_outline_is_another_defect_and_nothing_has_none() -> None:
    hole = [(20.0, 20.0), (22.0, 20.0), (22.0, 22.0)]
    assert defects_of(np.array([shapely.Polygon(SQUARE, [hole])], object)).tolist() == ["other"]
    assert defects_of(np.array([], object)).tolist() == []
    assert defects_of(np.array([shapely.Polygon()], object)).tolist() == [""]
