"""Holding detections against the map."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from geoai.compare import Comparison, compare, tolerance
from geoai.config import CompareSettings
from geoai.division import drawn_twice
from geoai.errors import CRSError
from geoai.evidence import zonal
from geoai.rules import RULES, classify

GSD_M = 0.5
EAST, NORTH = 450_000.0, 6_400_000.0
SIDE_M = 100.0
WHOLE = shapely.MultiPolygon([shapely.box(0, 0, SIDE_M, SIDE_M)])
DEFAULTS = CompareSettings()

rectangles = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(2, 20), st.integers(2, 20))
layers = st.lists(rectangles, max_size=8)
many = settings(
    max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
some = settings(many, max_examples=examples(10))


def boxes(drawn):
    return [shapely.box(x, y, x + w, y + h) for x, y, w, h in drawn]


def placed(geometries, east, north):
    return shapely.transform(np.array(geometries, object), lambda xy: xy + np.array([east, north]))


class World:
    """A made place, in metres from its corner: mapped objects, detections, probabilities of the ground."""

    def __init__(self, folder, mapped=(), seen=(), *, footprint=WHOLE, ground=(), east=EAST, north=NORTH):
        self.mapped = gpd.GeoDataFrame(
            {
                "map_object_id": [f"m{k}" for k in range(len(mapped))],
                "theme": "building",
                "map_status": "current",
                "sigma_m": 0.3,
                "map_date": pd.Series(pd.NaT, index=range(len(mapped)), dtype="datetime64[ms]"),
            },
            geometry=placed(mapped, east, north),
            crs=3006,
        )
        self.seen = gpd.GeoDataFrame(
            {
                "detection_id": [f"d{k}" for k in range(len(seen))],
                "theme": "building",
                "area_m2": shapely.area(np.array(seen, object)),
                "p_mean": 0.9,
                "near_edge": False,
            },
            geometry=placed(seen, east, north),
            crs=3006,
        )
        self.footprint = placed([footprint], east, north)[0]
        self.probability = folder / "probability.tif"
        self._burn([*((outline, 0.9) for outline in seen), *ground], footprint, east, north)

    def _burn(self, ground, footprint, east, north):
        size = int(SIDE_M / GSD_M)
        local = Affine(GSD_M, 0, 0, 0, -GSD_M, SIDE_M)
        shapes = [(outline, round(p * 250)) for outline, p in ground if not outline.is_empty]
        values = np.full((size, size), 2, np.uint8)
        if shapes:
            rasterize(shapes, out=values, transform=local)
        imagery = footprint.area > 0 and rasterize([footprint], values.shape, transform=local)
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 2, "nodata": 255, "crs": "EPSG:3006"}
        there = Affine(GSD_M, 0, east, 0, -GSD_M, north + SIDE_M)
        with rasterio.open(
            self.probability, "w", **profile, width=size, height=size, transform=there
        ) as target:
            target.write(np.where(imagery, values, 255).astype(np.uint8), 2)

    def compare(self, **options) -> Comparison:
        return compare(
            self.seen,
            self.mapped,
            self.footprint,
            self.probability,
            band=2,
            gsd_m=GSD_M,
            settings=CompareSettings(**options),
        )


def only(comparison: Comparison):
    """The one discrepancy there is."""
    assert comparison.discrepancies["class"].tolist() == comparison.discrepancies["class"].tolist()[:1] != []
    return comparison.discrepancies.iloc[0]


def classes(comparison: Comparison):
    return sorted(comparison.discrepancies["class"])


def statuses(comparison: Comparison):
    return dict(zip(comparison.map_status.map_object_id, comparison.map_status.status, strict=True))


# --- laws


@given(layers)
@many
def test_comparing_a_layer_with_itself_finds_nothing(tmp_path, drawn):
    twice = drawn_twice(np.array(boxes(drawn), object), np.array([f"m{k}" for k in range(len(drawn))]))
    result = World(tmp_path, boxes(drawn), boxes(drawn)).compare()
    assert classes(result) == ["duplicate_in_map"] * twice.sum()
    assert {n for n, status in statuses(result).items() if status != "confirmed"} == {
        f"m{k}" for k in np.flatnonzero(twice)
    }


@given(layers, layers, rectangles)
@many
def test_every_mapped_object_gets_exactly_one_status_and_every_signal_is_where_its_class_says(
    tmp_path, mapped, seen, window
):
    footprint = shapely.MultiPolygon(boxes([window]))
    seen = [part for part in (each & footprint for each in boxes(seen)) if part.geom_type == "Polygon"]
    seen = [part for part in seen if not part.is_empty]
    world = World(tmp_path, boxes(mapped), seen, footprint=footprint)
    result = world.compare()
    assert sorted(result.map_status.map_object_id) == sorted(world.mapped.map_object_id)
    assert set(result.map_status.status) <= {rule.name for rule in RULES}
    everything_mapped, everything_seen = world.mapped.union_all(), world.seen.union_all()
    by_id = world.mapped.set_index("map_object_id").geometry
    shown = dict(zip(world.mapped.map_object_id, world.mapped.intersects(world.footprint), strict=True))
    for row in result.discrepancies.itertuples():
        outline = row.geometry
        assert outline.is_valid
        assert not outline.is_empty
        assert outline.geom_type == "MultiPolygon"
        ids = json.loads(row.map_object_ids)
        assert all(shown[each] for each in ids)
        name = result.discrepancies["class"][row.Index]
        assert {statuses(result)[each] for each in ids} <= {name}
        if name == "demolished":
            assert outline.within(world.footprint.buffer(0.01))
            assert outline.intersection(everything_seen).area < 0.3 * outline.area
        if name == "missing":
            assert ids == []
            assert outline.within(world.footprint.buffer(0.01))
        if name == "extended":
            lean = np.nan_to_num([row.shift_dx_m, row.shift_dy_m])
            concerned = [by_id[ids].union_all(), placed([by_id[ids].union_all()], *lean)[0]]
            assert min(outline.intersection(each).area for each in concerned) < 1e-6
            assert outline.area == pytest.approx(row.plus_m2)
        if name == "reduced":
            assert outline.within(everything_mapped.buffer(1e-6))
            lean = np.nan_to_num([row.shift_dx_m, row.shift_dy_m])
            where = [outline, placed([outline], *lean)[0]]
            assert min(each.intersection(everything_seen).area for each in where) < 1e-6


COORDINATES = [
    "class",
    "cardinality",
    "map_object_ids",
    "area_map_m2",
    "area_image_m2",
    "plus_m2",
    "minus_m2",
    "iou",
    "iou_aligned",
    "shift_dx_m",
    "shift_dy_m",
    "tolerance_m",
    "p_mean",
    "p_q10",
    "p_q90",
    "priority",
    "visible_share",
    "near_edge",
]


@pytest.mark.slow
@given(layers, layers, st.integers(-400_000, 400_000), st.integers(-5_000_000, 2_000_000))
@many
def test_moving_everything_changes_nothing_but_coordinates(tmp_path, mapped, seen, east, north):
    here = World(tmp_path, boxes(mapped), boxes(seen)).compare()
    there = World(tmp_path, boxes(mapped), boxes(seen), east=EAST + east, north=NORTH + north).compare()
    key = ["class", "map_object_ids", "area_image_m2", "plus_m2"]
    first, second = (
        each.discrepancies[COORDINATES].round(4).sort_values(key, ignore_index=True) for each in (here, there)
    )
    pd.testing.assert_frame_equal(first, second, atol=1e-3)
    assert statuses(here) == statuses(there)


@pytest.mark.slow
@given(layers, layers, st.randoms(use_true_random=False))
@many
def test_the_order_of_rows_is_of_no_consequence(tmp_path, mapped, seen, random):
    world = World(tmp_path, boxes(mapped), boxes(seen))
    first = world.compare()
    world.mapped = world.mapped.iloc[random.sample(range(len(mapped)), len(mapped))]
    world.seen = world.seen.iloc[random.sample(range(len(seen)), len(seen))]
    second = world.compare()
    assert first.discrepancies.to_json() == second.discrepancies.to_json()
    assert first.map_status.to_json() == second.map_status.to_json()


@given(layers)
@many
def test_a_house_outside_the_footprint_is_not_demolished_and_not_listed(tmp_path, mapped):
    west = shapely.MultiPolygon([shapely.box(0, 0, 40, 100)])
    outside = [placed([each], 41, 0)[0] for each in boxes(mapped)]
    result = World(tmp_path, outside, [], footprint=west).compare()
    assert result.discrepancies.empty
    assert set(result.map_status.status) <= {"not_assessable"}
    assert (result.map_status.visible_share == 0).all()
    assert result.map_status.p_mean.isna().all()


TOWN = [shapely.box(6 + 24 * k, 6 + 24 * n, 18 + 24 * k, 17 + 24 * n) for k in range(4) for n in range(4)]
houses = st.sets(st.integers(0, len(TOWN) - 1), max_size=6)


@given(houses, houses)
@some
def test_what_the_map_lacks_is_missing_and_what_it_has_on_bare_ground_demolished(tmp_path, lacking, gone):
    mapped = [house for k, house in enumerate(TOWN) if k not in lacking]
    seen = [house for k, house in enumerate(TOWN) if k not in gone or k in lacking]
    result = World(tmp_path, mapped, seen).compare()
    assert classes(result) == ["demolished"] * len(gone - lacking) + ["missing"] * len(lacking)


@given(houses, st.integers(-24, 24), st.integers(-24, 24))
@some
def test_a_map_that_lies_off_as_a_whole_is_compared_where_it_belongs(tmp_path, gone, east, north):
    seen = [placed([house], east / 10, north / 10)[0] for k, house in enumerate(TOWN) if k not in gone]
    result = World(tmp_path, TOWN, seen, footprint=shapely.MultiPolygon([shapely.box(2, 2, 98, 98)]))
    result = result.compare()
    row = result.registration.cells.iloc[0]
    assert (row.dx_m, row.dy_m) == pytest.approx(
        np.array([east, north]) / 10 * min(1, 3 / max(math.hypot(east, north) / 10, 3)), abs=1e-6
    )
    assert classes(result) == ["demolished"] * len(gone)
    drawn = shapely.union_all(placed(TOWN, EAST, NORTH))
    assert result.map_status.union_all().symmetric_difference(drawn).area < 1e-6
    assert result.discrepancies.union_all().difference(drawn).area < 1e-6  # demolished where the map has it


def test_what_is_seen_of_a_map_that_lies_off_is_told_as_the_map_would_have_it(tmp_path):
    """A wing and a new house, seen 2 m north of where the map would draw them; no lean by itself."""
    wing, new = shapely.box(18, 8, 25, 16), shapely.box(44, 44, 52, 51)
    seen = placed([TOWN[0].union(wing), *TOWN[1:], new], 0, 2)
    middle = shapely.MultiPolygon([shapely.box(2, 2, 98, 98)])
    result = World(tmp_path, TOWN, list(seen), footprint=middle).compare()
    for name, drawn in (("extended", wing), ("missing", new)):
        (row,) = result.discrepancies[result.discrepancies["class"] == name].itertuples()
        assert row.geometry.symmetric_difference(placed([drawn], EAST, NORTH + 2)[0]).area < 2
        told = shapely.from_wkb(row.as_mapped)
        assert told.symmetric_difference(placed([drawn], EAST, NORTH)[0]).area < 2


def test_a_house_drawn_across_the_edge_is_not_judged_though_the_offset_brings_it_inside(tmp_path):
    gone, middle = shapely.box(40, 95, 50, 99), shapely.MultiPolygon([shapely.box(2, 2, 98, 97.5)])
    result = World(tmp_path, [*TOWN, gone], list(placed(TOWN, 0, -2)), footprint=middle)
    assert classes(result.compare()) == ["not_assessable"]


@pytest.mark.slow
@given(layers, layers)
@some
def test_turning_the_world_turns_the_list(tmp_path, mapped, seen):
    def turned(geometries):
        return shapely.transform(np.array(geometries, object), lambda xy: np.c_[SIDE_M - xy[:, 1], xy[:, 0]])

    here = World(tmp_path, boxes(mapped), boxes(seen)).compare()
    there = World(tmp_path, turned(boxes(mapped)), turned(boxes(seen))).compare()
    assert statuses(here) == statuses(there)
    assert classes(here) == classes(there)
    assert here.discrepancies.area.sum() == pytest.approx(there.discrepancies.area.sum(), abs=0.1)


@given(houses, st.integers(2, 5))
@some
def test_splitting_houses_at_party_walls_changes_nothing(tmp_path, gone, parts):
    seen = [house for k, house in enumerate(TOWN) if k not in gone]
    wall = np.linspace(0, 12, parts + 1)
    terraces = [
        shapely.box(west + a, south, west + b, north)
        for west, south, _, north in (house.bounds for house in TOWN)
        for a, b in pairwise(wall)
    ]
    result = World(tmp_path, terraces, seen).compare()
    assert classes(result) == ["demolished"] * (len(gone) * parts)


# --- presence


def test_an_unmapped_house_is_missing(tmp_path):
    house = shapely.box(20, 20, 30, 32)
    row = only(World(tmp_path, [], [house]).compare())
    assert (row["class"], row.family, row.cardinality, row.map_object_ids) == (
        "missing",
        "presence",
        "0:1",
        "[]",
    )
    assert row.area_image_m2 == pytest.approx(120)
    assert math.isnan(row.area_map_m2)
    assert math.isnan(row.plus_m2)
    assert math.isnan(row.iou)
    assert math.isnan(row.tolerance_m)
    assert row.map_status is None
    assert row.p_mean == pytest.approx(0.9)
    assert row.geometry.equals(shapely.MultiPolygon(list(placed([house], EAST, NORTH))))


def test_a_house_that_is_gone_is_demolished(tmp_path):
    house = shapely.box(20, 20, 30, 32)
    result = World(tmp_path, [house], []).compare()
    row = only(result)
    assert (row["class"], row.family, row.cardinality) == ("demolished", "presence", "1:0")
    assert json.loads(row.map_object_ids) == ["m0"]
    assert row.area_map_m2 == pytest.approx(120)
    assert math.isnan(row.area_image_m2)
    assert row.map_sigma_m == 0.3
    assert row.map_status == "current"
    assert statuses(result) == {"m0": "demolished"}


@pytest.mark.parametrize(
    "ground",
    [
        [(shapely.box(20, 20, 30, 32), 0.1)],  # a little everywhere
        [(shapely.box(20, 20, 24, 24), 0.4)],  # sure nearly everywhere, but not in a corner
    ],
)
def test_weak_evidence_is_an_uncertain_absence_never_a_demolition(tmp_path, ground):
    result = World(tmp_path, [shapely.box(20, 20, 30, 32)], [], ground=ground).compare()
    assert classes(result) == ["uncertain_absence"]
    assert statuses(result) == {"m0": "uncertain_absence"}


def test_a_neighbour_leaning_over_the_outline_does_not_keep_a_demolished_house_standing(tmp_path):
    house = shapely.box(20, 20, 32, 32)
    result = World(tmp_path, [house], [], ground=[(shapely.box(31.5, 20, 40, 32), 0.9)]).compare()
    assert classes(result) == ["demolished"]


def test_an_unsure_detection_is_not_reported(tmp_path):
    world = World(tmp_path, [], [shapely.box(20, 20, 30, 32)])
    world.seen["p_mean"] = 0.55
    assert world.compare().discrepancies.empty
    assert classes(world.compare(missing_confidence=0.5)) == ["missing"]


def test_small_signals_are_below_min_and_come_last(tmp_path):
    small_seen, small_mapped = shapely.box(20, 20, 23, 23), shapely.box(40, 20, 43, 23)
    result = World(tmp_path, [small_mapped], [small_seen, shapely.box(60, 60, 65, 65)]).compare()
    assert result.discrepancies["class"].tolist() == ["missing", "below_min", "below_min"]
    assert statuses(result) == {"m0": "below_min"}


def test_a_planned_house_that_stands_is_planned_built_and_one_that_does_not_is_as_the_map_says(tmp_path):
    built, unbuilt = shapely.box(20, 20, 30, 30), shapely.box(60, 20, 70, 30)
    world = World(tmp_path, [built, unbuilt], [shapely.box(21, 20, 31, 30)])
    world.mapped["map_status"] = "planned"
    result = world.compare()
    row = only(result)
    assert (row["class"], row.map_status) == ("planned_built", "planned")
    assert statuses(result) == {"m0": "planned_built", "m1": "confirmed"}


def test_a_shed_on_the_plot_of_a_large_planned_house_is_missing(tmp_path):
    world = World(tmp_path, [shapely.box(20, 20, 60, 60)], [shapely.box(30, 30, 36, 36)])
    world.mapped["map_status"] = "planned"
    assert classes(world.compare()) == ["missing"]


# --- assessability


def test_a_house_cut_by_the_edge_is_not_assessable(tmp_path):
    west = shapely.MultiPolygon([shapely.box(0, 0, 40, 100)])
    houses = [shapely.box(30, 10, 50, 20), shapely.box(20, 40, 39, 50), shapely.box(20, 70, 40.04, 80)]
    result = World(tmp_path, houses, [shapely.box(30, 10, 40, 20), *houses[1:]], footprint=west).compare()
    row = only(result)
    assert (row["class"], row.family) == ("not_assessable", "assessability")
    assert row.visible_share == pytest.approx(0.5)
    assert bool(row.near_edge)
    assert statuses(result) == {"m0": "not_assessable", "m1": "confirmed", "m2": "confirmed"}


def test_a_house_with_a_hole_in_the_imagery_above_it_is_not_demolished(tmp_path):
    holed = shapely.MultiPolygon([shapely.box(0, 0, 100, 100) - shapely.box(22, 22, 28, 28)])
    assert classes(World(tmp_path, [shapely.box(20, 20, 30, 30)], [], footprint=holed).compare()) == [
        "not_assessable"
    ]


def test_an_unmapped_house_at_the_edge_cannot_be_assessed(tmp_path):
    world = World(tmp_path, [], [shapely.box(0, 20, 10, 30)])
    world.seen["near_edge"] = True
    row = only(world.compare())
    assert (row["class"], row.map_object_ids) == ("not_assessable", "[]")
    assert bool(row.near_edge)
    assert math.isnan(row.visible_share)


def test_what_is_seen_of_a_mapped_house_that_is_cut_is_not_missing(tmp_path):
    west = shapely.MultiPolygon([shapely.box(0, 0, 40, 100)])
    result = World(
        tmp_path, [shapely.box(38, 10, 60, 20)], [shapely.box(36, 10, 40, 20)], footprint=west
    ).compare()
    assert classes(result) == ["not_assessable"]


# --- groups


def test_one_roof_drawn_as_three_houses_is_confirmed(tmp_path):
    houses = [shapely.box(20 + 8 * k, 20, 28 + 8 * k, 30) for k in range(3)]
    result = World(tmp_path, houses, [shapely.box(20, 20, 44, 30)]).compare()
    assert result.discrepancies.empty
    assert set(result.map_status.cardinality) == {"n:1"}
    assert result.map_status.iou.tolist() == pytest.approx([1.0] * 3)


def test_one_house_seen_as_two_roofs_is_confirmed(tmp_path):
    result = World(
        tmp_path,
        [shapely.box(20, 20, 40, 30)],
        [shapely.box(20, 20, 29.5, 30), shapely.box(30.5, 20, 40, 30)],
    ).compare()
    assert result.discrepancies.empty
    assert result.map_status.cardinality.tolist() == ["1:n"]


@pytest.mark.slow
@given(st.integers(-3, 3), st.integers(-3, 3))
@many
def test_party_walls_raise_nothing_when_the_imagery_is_a_little_off(tmp_path, dx, dy):
    houses = [shapely.box(20 + 8 * k, 20, 28 + 8 * k, 30) for k in range(6)]
    apart = [placed([each], dx / 4, dy / 4)[0] for each in houses]
    assert World(tmp_path, houses, apart).compare().discrepancies.empty
    assert World(tmp_path, houses, [shapely.union_all(apart)]).compare().discrepancies.empty
    assert World(tmp_path, [shapely.union_all(houses)], apart).compare().discrepancies.empty


def test_the_house_at_the_end_of_a_terrace_that_was_torn_down_is_the_only_signal(tmp_path):
    houses = [shapely.box(20 + 8 * k, 20, 28 + 8 * k, 30) for k in range(4)]
    result = World(tmp_path, houses, [shapely.box(20, 20, 44, 30)]).compare()
    assert classes(result) == ["demolished"]
    assert statuses(result) == {"m0": "confirmed", "m1": "confirmed", "m2": "confirmed", "m3": "demolished"}


def test_a_terrace_does_not_hide_a_new_wing_on_one_of_its_houses(tmp_path):
    houses = [shapely.box(10 + 8 * k, 20, 18 + 8 * k, 40) for k in range(10)]  # 1600 m²: 4 % are 64 m²
    wing = shapely.box(43, 40, 49, 45)  # 30 m² on the fifth
    result = World(tmp_path, houses, [shapely.union_all([*houses, wing])]).compare()
    row = only(result)
    assert row["class"] == "extended"
    assert json.loads(row.map_object_ids) == ["m4"]
    assert row.plus_m2 == pytest.approx(30, rel=0.1)
    assert statuses(result) == {f"m{k}": "extended" if k == 4 else "confirmed" for k in range(10)}


def test_a_wing_seen_by_itself_that_leans_against_its_house_is_an_extension(tmp_path):
    house, wing = shapely.box(20, 20, 32, 32), shapely.box(31.5, 22, 40, 30)
    result = World(tmp_path, [house], [shapely.box(20, 20, 31, 32), wing]).compare()
    row = only(result)
    assert (row["class"], row.cardinality) == ("extended", "1:n")
    assert row.plus_m2 == pytest.approx(64, rel=0.1)


def test_a_new_house_beside_one_that_is_gone_is_missing_and_the_old_one_gone(tmp_path):
    result = World(tmp_path, [shapely.box(20, 20, 32, 32)], [shapely.box(33, 20, 45, 32)]).compare()
    assert classes(result) == ["demolished", "missing"]


# --- extents


@given(st.integers(5, 20), st.integers(5, 12), st.integers(0, 12))
@many
def test_the_area_of_an_extension_is_that_of_what_was_built(tmp_path, width, depth, along):
    house = shapely.box(20, 20, 40, 32)
    wing = shapely.box(20 + min(along, 20 - width), 32, 20 + min(along, 20 - width) + width, 32 + depth)
    row = only(World(tmp_path, [house], [house | wing]).compare())
    assert (row["class"], row.family, row.cardinality) == ("extended", "extent", "1:1")
    assert row.plus_m2 == pytest.approx(wing.area, rel=0.05)
    assert row.minus_m2 == 0.0
    assert placed([row.geometry], -EAST, -NORTH)[0].symmetric_difference(wing).area < 0.1 * wing.area


@pytest.mark.slow
@given(st.integers(5, 20), st.integers(5, 9), st.booleans())
@many
def test_the_area_of_a_reduction_is_that_of_what_was_torn_down(tmp_path, width, depth, at_east_end):
    house = shapely.box(20, 20, 40, 32)
    west = 40 - width if at_east_end else 20
    gone = shapely.box(west, 32 - depth, west + width, 32)
    row = only(World(tmp_path, [house], [house - gone]).compare())
    assert (row["class"], row.family) == ("reduced", "extent")
    assert row.minus_m2 == pytest.approx(gone.area, rel=0.05)
    assert row.plus_m2 == 0.0


def test_what_is_added_needs_an_imagery_that_is_sure_of_it(tmp_path):
    house, wing, terrace = (
        shapely.box(*sides) for sides in ((20, 20, 40, 32), (40, 22, 48, 30), (24, 32, 34, 40))
    )
    seen = [house.union(wing).union(terrace)]
    row = only(World(tmp_path, [house], seen, ground=[(terrace, 0.62)]).compare())
    assert (row["class"], row.plus_m2) == ("extended", pytest.approx(wing.area, rel=0.05))
    assert row.geometry.area == pytest.approx(wing.area, rel=0.05)
    unsure = World(tmp_path, [house], seen, ground=[(terrace, 0.62), (wing, 0.62)]).compare()
    assert statuses(unsure) == {"m0": "confirmed"}
    assert unsure.discrepancies.empty


def test_what_is_taken_off_needs_evidence_that_it_is_gone(tmp_path):
    house, left = shapely.box(20, 20, 40, 32), shapely.box(20, 20, 32, 32)
    canopy = [(shapely.box(32, 20, 40, 32), 0.3)]
    assert classes(World(tmp_path, [house], [left]).compare()) == ["reduced"]
    result = World(tmp_path, [house], [left], ground=canopy).compare()
    assert result.discrepancies.empty
    assert statuses(result) == {"m0": "confirmed"}


def test_a_house_of_which_little_is_seen_is_an_uncertain_absence(tmp_path):
    house, left = shapely.box(20, 20, 40, 32), shapely.box(20, 20, 25, 32)
    result = World(tmp_path, [house], [left], ground=[(shapely.box(25, 20, 40, 32), 0.3)]).compare()
    assert classes(result) == ["uncertain_absence"]
    assert statuses(result) == {"m0": "uncertain_absence"}


def test_added_here_and_taken_off_there_is_reshaped(tmp_path):
    house = shapely.box(20, 20, 40, 32)
    now = shapely.union_all([shapely.box(20, 20, 33, 32), shapely.box(20, 32, 28, 40)])
    row = only(World(tmp_path, [house], [now]).compare())
    assert row["class"] == "reshaped"
    assert row.plus_m2 == pytest.approx(64, rel=0.05)
    assert row.minus_m2 == pytest.approx(84, rel=0.05)
    assert math.isnan(row.p_mean)


@pytest.mark.parametrize("offset", [0.7, 1.0, 1.4])
def test_an_outline_within_the_tolerance_is_no_change(tmp_path, offset):
    house = shapely.box(20, 20, 40, 32)
    result = World(tmp_path, [house], [placed([house], offset, -offset / 2)[0]]).compare()
    assert result.discrepancies.empty
    assert result.map_status.tolerance_m.tolist() == pytest.approx([1.96 * math.hypot(0.3, 0.3) + 0.7])


def test_a_narrow_strip_is_no_extension(tmp_path):
    house = shapely.box(20, 20, 40, 32)
    strip = shapely.box(20, 32, 40, 35)  # 1.5 m beyond the tolerance of 1.5 m
    assert World(tmp_path, [house], [house | strip]).compare().discrepancies.empty
    assert classes(World(tmp_path, [house], [house | strip]).compare(min_width_m=1.0)) == ["extended"]


def test_an_extension_below_its_share_of_a_large_building_is_not_reported(tmp_path):
    hall, porch = shapely.box(10, 10, 50, 60), shapely.box(30, 60, 36, 65)  # 2000 m², 30 m²
    assert World(tmp_path, [hall], [hall | porch]).compare().discrepancies.empty
    assert classes(World(tmp_path, [hall], [hall | porch]).compare(change_share=0.01)) == ["extended"]


def test_an_illustrative_position_takes_part_in_presence_only(tmp_path):
    house, away = shapely.box(20, 20, 32, 32), shapely.box(70, 70, 82, 82)
    wing = shapely.box(32, 20, 42, 32)
    world = World(tmp_path, [house, away], [house | wing])
    world.mapped["sigma_m"] = 5.0
    result = world.compare()
    assert classes(result) == ["demolished"]
    assert statuses(result) == {"m0": "confirmed", "m1": "demolished"}
    assert result.map_status.tolerance_m.tolist() == [2.5, 2.5]


# --- identity: what stands elsewhere, otherwise, or twice

ANGLE = shapely.union_all([shapely.box(20, 20, 44, 30), shapely.box(20, 30, 30, 44)])


@pytest.mark.parametrize(("east", "north"), [(5, 0), (4, -4), (-6, 2)])
def test_a_house_that_stands_a_few_metres_off_was_moved(tmp_path, east, north):
    there = placed([ANGLE], east, north)[0]
    row = only(World(tmp_path, [ANGLE], [there]).compare())
    assert (row["class"], row.family, row.cardinality) == ("moved", "extent", "1:1")
    assert (row.shift_dx_m, row.shift_dy_m) == pytest.approx((east, north), abs=0.13)
    assert row.iou_aligned == pytest.approx(1.0, abs=0.02)
    assert row.iou < 0.75
    assert (row.plus_m2, row.minus_m2) == (0, 0)
    assert row.p_mean == pytest.approx(0.9, abs=0.01)
    assert placed([row.geometry], -EAST, -NORTH)[0].equals(there)


@pytest.mark.parametrize("lean", [2.2, 3.0, 3.9])
def test_a_roof_that_leans_is_reported_as_such_and_confirmed(tmp_path, lean):
    block = shapely.box(20, 20, 60, 44)
    result = World(tmp_path, [block], [placed([block], 0, lean)[0]]).compare()
    assert result.discrepancies.empty
    row = result.map_status.iloc[0]
    if row.shift_dy_m == row.shift_dy_m:  # what lies within the tolerance is not measured
        assert row.shift_dy_m == pytest.approx(lean, abs=0.13)
        assert row.iou_aligned == pytest.approx(1.0, abs=0.01)


def test_a_wing_is_found_though_the_roof_leans(tmp_path):
    block, wing = shapely.box(20, 20, 60, 44), shapely.box(60, 20, 70, 30)
    row = only(World(tmp_path, [block], [placed([block | wing], 1, 3)[0]]).compare())
    assert row["class"] == "extended"
    assert row.plus_m2 == pytest.approx(100, rel=0.15)
    assert row.area_image_m2 == pytest.approx(row.area_map_m2 + row.plus_m2 - row.minus_m2, rel=0.02)


def test_another_house_in_the_same_place_replaced_it(tmp_path):
    old, new = shapely.box(20, 20, 48, 29), shapely.box(38, 20, 50, 50)
    row = only(World(tmp_path, [old], [new]).compare())
    assert (row["class"], row.cardinality) == ("replaced", "1:1")
    assert placed([row.geometry], -EAST, -NORTH)[0].equals(new)


def test_a_map_object_drawn_twice_is_told_once_and_the_first_is_judged(tmp_path):
    house, wing = shapely.box(20, 20, 32, 32), shapely.box(32, 20, 42, 32)
    result = World(tmp_path, [house, house.buffer(-0.1)], [house | wing]).compare()
    assert classes(result) == ["duplicate_in_map", "extended"]
    assert statuses(result) == {"m0": "extended", "m1": "duplicate_in_map"}


def test_a_house_of_which_the_middle_is_gone_is_split_and_a_closed_gap_merged(tmp_path):
    whole, ends = shapely.box(20, 20, 60, 30), [shapely.box(20, 20, 38, 30), shapely.box(42.5, 20, 60, 30)]
    result = World(tmp_path, [whole], ends).compare()
    assert (only(result)["class"], only(result).cardinality) == ("split", "1:n")
    assert statuses(result) == {"m0": "split"}
    result = World(tmp_path, ends, [whole]).compare()
    assert (only(result)["class"], only(result).cardinality) == ("merged", "n:1")
    assert statuses(result) == {"m0": "merged", "m1": "merged"}


def test_a_crown_over_the_middle_does_not_split_a_house(tmp_path):
    whole, ends = shapely.box(20, 20, 60, 30), [shapely.box(20, 20, 38, 30), shapely.box(42.5, 20, 60, 30)]
    crown = [(shapely.box(38, 20, 42.5, 30), 0.3)]
    assert World(tmp_path, [whole], ends, ground=crown).compare().discrepancies.empty


def test_a_block_divided_otherwise_is_recomposed_and_one_signal(tmp_path):
    across = [shapely.box(20, 20 + 12 * k, 50, 32 + 12 * k) for k in range(2)]
    along = [shapely.box(20, 20, 34.8, 44), shapely.box(35.2, 20, 50, 44)]
    result = World(tmp_path, across, along).compare()
    row = only(result)
    assert (row["class"], row.cardinality) == ("recomposed", "n:m")
    assert json.loads(row.map_object_ids) == ["m0", "m1"]


# --- arithmetic


def test_the_tolerance_is_bounded_below_by_the_pixel_and_above_by_the_config():
    sigma = np.array([0.0, 0.3, 5.0])
    t, presence_only = tolerance(sigma, gsd_m=0.2, settings=DEFAULTS)
    assert t.tolist() == pytest.approx([1.96 * 0.3 + 0.7, 1.96 * math.hypot(0.3, 0.3) + 0.7, 2.5])
    assert presence_only.tolist() == [False, False, True]
    sharp = CompareSettings(sigma_image_m=0, overhang_m=0, lean_m=0)
    assert tolerance(np.zeros(1), gsd_m=0.2, settings=sharp)[0].tolist() == [0.6]
    assert tolerance(np.zeros(1), gsd_m=0.5, settings=sharp)[0].tolist() == [1.0]
    vague = CompareSettings(sigma_image_m=3.0)
    assert tolerance(np.zeros(1), gsd_m=0.5, settings=vague)[1].tolist() == [False]


def test_the_first_rule_that_holds_decides():
    case = {
        "mapped": True,
        "assessable": False,
        "planned": True,
        "seen_share": 1.0,
        "seen": 0,
        "near_edge": False,
        "size_m2": 100.0,
        "p_seen": np.nan,
        "p_map": 0.0,
        "p_map_q95": 0.0,
        "plus_m2": np.nan,
        "minus_m2": np.nan,
        "p_minus": np.nan,
        "minus_visible": 1.0,
        "height_m": np.nan,
        "twice": True,
        "recomposed": False,
        "moved": False,
        "area_map_m2": 100.0,
        "area_image_m2": np.nan,
        "iou_aligned": np.nan,
        "shift_dx_m": np.nan,
        "shift_dy_m": np.nan,
        "tolerance_m": 1.5,
        "p_split": np.nan,
        "p_merged": np.nan,
    }
    plain = case | {"assessable": True, "planned": False, "twice": False}
    seen = plain | {"seen": 1, "area_image_m2": 100.0, "plus_m2": 40.0, "minus_m2": 40.0, "p_minus": 0.0}
    cases = {
        "not_assessable": case,
        "duplicate_in_map": case | {"assessable": True},
        "planned_built": plain | {"planned": True},
        "demolished": plain,
        "recomposed": seen | {"recomposed": True},
        "replaced": seen | {"moved": True},
        "moved": seen | {"moved": True, "shift_dx_m": 3.0, "shift_dy_m": 4.0, "minus_m2": 0.0},
        "reshaped": seen | {"plus_m2": 20.0},
        "extended": seen | {"minus_m2": 0.0},
        "reduced": seen | {"plus_m2": 0.0},
        "uncertain_absence": seen | {"plus_m2": 0.0, "p_minus": 0.3, "seen_share": 0.4, "p_split": 0.0},
        "split": seen | {"plus_m2": 0.0, "minus_m2": 0.0, "p_split": 0.0},
        "merged": seen | {"plus_m2": 0.0, "minus_m2": 0.0, "p_merged": 0.9},
        "confirmed": seen | {"plus_m2": 0.0, "minus_m2": 0.0, "p_split": 0.3, "p_merged": 0.3},
    }
    assert classify(pd.DataFrame(cases.values()), DEFAULTS).tolist() == list(cases)
    standing = pd.DataFrame([plain | {"height_m": 1.5}, cases["reduced"] | {"minus_visible": 0.3}])
    assert classify(standing, DEFAULTS).tolist() == ["uncertain_absence", "confirmed"]
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_surest_and_largest_signals_come_first(tmp_path):
    sizes = [(5, 5), (10, 10), (14, 14)]
    seen = [shapely.box(10 + 20 * k, 10, 10 + 20 * k + w, 10 + h) for k, (w, h) in enumerate(sizes)]
    found = World(tmp_path, [shapely.box(10, 60, 24, 74)], seen, ground=[(shapely.box(10, 60, 24, 74), 0.3)])
    found = found.compare().discrepancies
    assert found["class"].tolist() == ["missing", "missing", "missing", "uncertain_absence"]
    assert found.area_image_m2.tolist()[:3] == pytest.approx([196, 100, 25])
    assert found.priority.between(0, 1).all()


def test_empty_layers_compare(tmp_path):
    columns = World(tmp_path, [shapely.box(20, 20, 30, 30)], []).compare().discrepancies.columns
    for mapped, seen in (([], []), ([], [shapely.box(0, 0, 2, 2)]), ([shapely.box(0, 0, 9, 9)], [])):
        result = World(tmp_path, mapped, seen).compare()
        assert list(result.discrepancies.columns) == list(columns)
        assert len(result.map_status) == len(mapped)
    nowhere = World(tmp_path, [shapely.box(0, 0, 9, 9)], [], footprint=shapely.MultiPolygon())
    assert nowhere.compare().map_status.status.tolist() == ["not_assessable"]


def test_layers_in_two_reference_systems_are_refused(tmp_path):
    world = World(tmp_path, [shapely.box(20, 20, 30, 30)], [])
    world.mapped = world.mapped.to_crs(3008)
    with pytest.raises(CRSError, match=r"expected the CRS of the detections EPSG:3006, found EPSG:3008"):
        world.compare()


def test_house_ids_of_other_alphabets_stay_readable(tmp_path):
    world = World(tmp_path, [shapely.box(20, 20, 30, 30)], [])
    world.mapped["map_object_id"] = "hus-Å1"
    assert only(world.compare()).map_object_ids == '["hus-Å1"]'


def test_probabilities_are_measured_also_where_vertices_miss_pixel_borders_by_a_hair(tmp_path):
    outline = shapely.from_wkt(
        "POLYGON ((659723.6745696937 6474723.703118832, 659723.196488156 6474723.998589472, "
        "659722.8571804307 6474724.446624206, 659722.7516076219 6474724.657769824, "
        "659722.5967644707 6474725.198036845, 659722.6472368818 6474725.757784458, "
        "659722.8962283022 6474726.261637737, 659722.9999999997 6474726.4, 659723 6474726.4, "
        "659726 6474730.4, 659725.9999999999 6474730.4, 659726.1811670046 6474730.641556007, "
        "659726.3784764135 6474730.811024974, 659729.6 6474727.4, 659725.6347826085 6474723.6, "
        "659725 6474723.6, 659724.2270471706 6474723.6, 659723.6745696937 6474723.703118832))"
    )
    values = np.full((100, 100), 100, np.uint8)
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": 255, "crs": "EPSG:3301"}
    place = Affine(0.2, 0, 659715.0, 0, -0.2, 6474735.0)
    with rasterio.open(tmp_path / "p.tif", "w", **profile, width=100, height=100, transform=place) as target:
        target.write(values, 1)
    # rounded to the millimetre, this one keeps a spike
    spiked = shapely.box(659720, 6474720, 659722, 6474722).union(
        shapely.Polygon([(659721.9, 6474721), (659722.4, 6474721), (659721.9, 6474721.0004)])
    )
    assert not shapely.is_valid(shapely.set_precision(spiked, 0.001, mode="pointwise"))
    repeated = shapely.segmentize(shapely.box(659720, 6474720, 659722, 6474722), 0.0004)
    measured = zonal(np.array([outline, shapely.Polygon(), spiked, repeated], object), tmp_path / "p.tif", 1)
    assert measured[0].tolist() == pytest.approx([0.4] * 4)
    assert np.isnan(measured[1]).all()
