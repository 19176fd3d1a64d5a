"""What an earlier flight and the map's dates say of a signal."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from geoai.config import CompareSettings
from geoai.history import APPEARED, NEWER_MAP_WEIGHT, VANISHED, with_causes, with_newer_maps

DEFAULTS = CompareSettings()
HERE, BEYOND = shapely.box(20, 20, 30, 30), shapely.box(95, 20, 105, 30)


def probability(folder, p, *, hole=None):
    """Write a raster of one probability, 100 × 100 m, its second band the theme's."""
    values = np.full((2, 100, 100), 7, np.uint8)
    values[1] = round(p * 250)
    if hole:
        values[1][hole] = 255
    path = folder / f"p{p}.tif"
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 2, "nodata": 255, "crs": "EPSG:3006"}
    with rasterio.open(
        path, "w", **profile, width=100, height=100, transform=Affine(1, 0, 0, 0, -1, 100)
    ) as target:
        target.write(values)
    return path


def signals(names, places):
    return gpd.GeoDataFrame({"class": names, "cause": "unknown"}, geometry=places, crs=3006)


@pytest.mark.parametrize(
    ("p", "appeared", "vanished"),
    [
        (0.9, "old_map_error", "real_change"),
        (0.02, "real_change", "old_map_error"),
        (0.4, "unknown", "unknown"),
    ],
)
def test_what_stood_before_was_an_old_error_where_it_is_missing_and_a_change_where_it_is_gone(
    tmp_path, p, appeared, vanished
):
    names = [*APPEARED, *VANISHED, "reshaped", "uncertain_absence"]
    path = probability(tmp_path, p)
    told = with_causes(signals(names, [HERE] * len(names)), path, band=2, settings=DEFAULTS)
    assert told["cause"].tolist() == [appeared] * len(APPEARED) + [vanished] * len(VANISHED) + ["unknown"] * 2
    assert told["p_before"].to_numpy() == pytest.approx(p, abs=0.002)


def test_what_the_earlier_flight_does_not_cover_has_no_cause(tmp_path):
    path = probability(tmp_path, 0.9, hole=(slice(60, 90), slice(0, 25)))
    places = [shapely.box(200, 200, 210, 210), BEYOND, shapely.box(20, 15, 30, 35)]
    told = with_causes(signals(["missing"] * 3, places), path, band=2, settings=DEFAULTS)
    assert told["cause"].tolist() == ["unknown"] * 3
    assert told["p_before"].isna().all()


def dated(dates):
    frame = signals(["demolished"] * len(dates), [HERE] * len(dates))
    return frame.assign(
        map_date=pd.Series(dates, dtype="datetime64[ms]"), priority=np.linspace(1.0, 0.5, len(dates))
    )


def test_a_map_newer_than_the_flight_comes_last_and_says_so():
    told = with_newer_maps(dated(["2026-06-01", None, "2025-01-01"]), dt.date(2026, 5, 14))
    assert told["map_newer"].tolist() == [False, False, True]
    assert told["priority"].tolist() == [0.75, 0.5, NEWER_MAP_WEIGHT]


def test_without_a_photo_date_nothing_is_newer():
    told = with_newer_maps(dated(["2026-06-01"]), None)
    assert told["map_newer"].tolist() == [False]
    assert told["priority"].tolist() == [1.0]


@given(st.lists(st.sampled_from(["2026-05-13", "2026-05-14", "2026-05-15", None]), max_size=6))
def test_only_what_changed_after_the_day_of_photography_loses_priority(dates):
    told = with_newer_maps(dated(dates), dt.date(2026, 5, 14))
    assert told["map_newer"].sum() == dates.count("2026-05-15")
    assert told["priority"].is_monotonic_decreasing
