"""What is measured of a run: against other people's estimators, and by laws that hold for any review."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geoai.calibration import reliability
from geoai.estimators import (
    EXACT_UP_TO,
    Figure,
    add,
    block_intervals,
    exactly,
    expected_count,
    expected_share_of_first,
    share_of,
    total_of_counts,
    total_of_shares,
)
from geoai.mapquality import POSITION, Offset, logical_counts, position_measures, position_pairs
from geoai.publish.texts import CLASSES, DOMAINS, HIDDEN_CLASSES, QUESTIONS
from geoai.quality import (
    FIRST,
    Review,
    expect,
    measure,
    plain,
)
from geoai.sampling import LEAST, STRATA, allocate, draw_sample, lay_grid, stratum_of_class

CRS = "EPSG:3006"
SIDE_M = 1000.0

FEW = settings(max_examples=examples(12))  # each measures whole reviews
counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


# --- estimators ------------------------------------------------------------------------------------------


@given(counts)
def test_share_is_that_of_scipys_wilson_interval(found_of: tuple[int, int]) -> None:
    found, total = found_of
    figure = share_of(found, total)
    if not total:
        assert figure is None
        return
    theirs = stats.binomtest(found, total).proportion_ci(method="wilson")
    assert figure is not None
    assert (figure.low, figure.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


@given(counts, st.integers(0, 400))
def test_the_more_of_a_population_is_seen_the_narrower_and_all_of_it_is_certain(
    found_of: tuple[int, int], unseen: int
) -> None:
    found, total = found_of
    if total:
        some, all_seen = share_of(found, total, total + unseen), share_of(found, total, total)
        endless = share_of(found, total)
        assert some
        assert endless
        assert some.high - some.low <= endless.high - endless.low + 1e-12
        assert all_seen == exactly(found / total)
    sum_of = total_of_shares(found, total, total + unseen)
    assert (sum_of is None) == (total == 0 and unseen > 0)
    if sum_of and total:
        assert sum_of.value == pytest.approx(found / total * (total + unseen))


@given(st.integers(0, 60), st.integers(1, 50))
def test_counts_have_the_limits_of_a_poisson_mean(found: int, places: int) -> None:
    """Evenly spread counts, a negligible part of the places seen: Garwood's limits, here by their law."""
    each = [found // places + (k < found % places) for k in range(places)]
    figure = total_of_counts(each, 10**9)
    assert figure is not None
    low, high = (limit / 1e9 * places for limit in (figure.low, figure.high))
    assert stats.poisson.cdf(found, high) == pytest.approx(0.025, abs=1e-4)
    assert low == pytest.approx(0, abs=1e-6) if not found else True
    if found:
        assert stats.poisson.sf(found - 1, low) == pytest.approx(0.025, abs=1e-4)


def test_clustered_counts_are_less_sure_and_seen_places_are_sure() -> None:
    even, clustered = total_of_counts([1] * 10, 1000), total_of_counts([10] + [0] * 9, 1000)
    assert even
    assert clustered
    assert even.value == clustered.value == 1000
    assert clustered.high > 1.5 * even.high
    assert total_of_counts([3, 0, 2], 3) == exactly(5)
    assert total_of_counts([], 3) is None
    assert total_of_counts([], 0) == exactly(0)


@given(probabilities)
def test_expected_count_is_scipys_poisson_binomial(p: np.ndarray[Any, Any]) -> None:
    figure = expected_count(p)
    theirs = stats.poisson_binom(p)
    assert figure.value == pytest.approx(p.sum())
    assert theirs.cdf(figure.high) >= 0.975 - 1e-9
    if figure.low > 0 and figure.low < figure.value:
        assert theirs.cdf(figure.low - 1) <= 0.025 + 1e-9


def test_long_lists_go_on_where_the_exact_distribution_ends() -> None:
    p = np.random.default_rng(1).uniform(0.2, 1, EXACT_UP_TO + 1)
    short, long = expected_count(p[:-1]), expected_count(p)
    assert long.low == pytest.approx(short.low, abs=2)
    assert long.high == pytest.approx(short.high, abs=2)


@given(probabilities, st.integers(0, 40))
def test_first_signals_hold_no_more_than_all_and_the_interval_holds_the_share(
    p: np.ndarray[Any, Any], k: int
) -> None:
    share = expected_share_of_first(p, k)
    if p.sum() > 0:
        assert share is not None
        assert 0 <= share.low <= share.value <= share.high <= 1
        assert share.value == pytest.approx(p[:k].sum() / p.sum())


def test_share_of_the_first_covers_what_chance_brings() -> None:
    random = np.random.default_rng(3)
    p = np.sort(random.uniform(0.3, 1, 120))[::-1]
    figure = expected_share_of_first(p, 40)
    assert figure
    drawn = random.random((4000, 120)) < p
    shares = drawn[:, :40].sum(1) / drawn.sum(1)
    assert np.mean((shares >= figure.low) & (shares <= figure.high)) == pytest.approx(0.95, abs=0.03)


def test_sums_of_strata_cover_the_truth() -> None:
    """Drawn again and again, 95 % intervals of a stratified total hold the truth about that often."""
    random = np.random.default_rng(5)
    strata = [(600, 30, 25), (100, 20, 20), (40, 10, 12)]  # population, errors, drawn
    held = 0
    for _ in range(400):
        figures = [
            total_of_shares(int(random.hypergeometric(errors, of - errors, drawn)), drawn, of)
            for of, errors, drawn in strata
        ]
        total = add(figures)
        assert total
        held += total.low <= 60 <= total.high
    assert held / 400 >= 0.92
    assert add([exactly(1), None]) is None


def test_blocks_give_wider_intervals_than_independent_pairs_where_neighbours_agree() -> None:
    random = np.random.default_rng(7)
    mean = random.normal(0, 1, 40)
    values = (mean[:, None] + random.normal(0, 0.1, (40, 25))).ravel()
    block = np.repeat(np.arange(40), 25)

    def sums(of: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        totals = np.zeros((of.max() + 1, 2))
        np.add.at(totals, of, np.stack([np.ones(1000), values], axis=1))
        return totals

    def average(t: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return (t[..., 1] / t[..., 0])[..., None]

    (blocks,), (alone,) = (block_intervals(sums(of), average) for of in (block, np.arange(1000)))
    assert blocks.high - blocks.low > 3 * (alone.high - alone.low)
    half = 1.96 * np.std(mean, ddof=1) / math.sqrt(40)
    assert (blocks.high - blocks.low) / 2 == pytest.approx(half, rel=0.15)


# --- a review --------------------------------------------------------------------------------------------


def place(number: int, side: float = 10.0) -> Any:
    x, y = 40.0 * (number % 24) + 5, 40.0 * (number // 24) + 5
    return shapely.box(x, y, x + side, y + side)


def make_review(
    classes: list[str], status: list[str], confidence: list[float], *, unflagged: int = 30
) -> Review:
    n = len(classes)
    frame = gpd.GeoDataFrame(
        {
            "discrepancy_id": [f"d{k}" for k in range(n)],
            "class": pd.Series(classes, dtype=object),
            "status": pd.Series(status, dtype=object),
            "lifecycle": "new",
            "confidence": pd.Series(confidence, dtype=float),
            "priority": np.linspace(1, 0, n) if n else np.zeros(0),
            "area_map_m2": np.nan,
            "area_image_m2": [20.0 + 40 * (k % 6) for k in range(n)],
            "policy_group": None,
            "map_date": pd.NaT,
        },
        geometry=[place(k) for k in range(n)],
        crs=CRS,
    )
    mapped = [place(300 + k) for k in range(unflagged)]
    objects = gpd.GeoDataFrame(
        {
            "map_object_id": [f"b{k}" for k in range(unflagged)],
            "status": "confirmed",
            "area_m2": 100.0,
            "visible_share": 1.0,
            "tolerance_m": 1.2,
            "cardinality": "1:1",
        },
        geometry=mapped,
        crs=CRS,
    )
    seen = gpd.GeoDataFrame(
        geometry=[shapely.transform(g, lambda c: c - (0.3, 0.4)) for g in mapped], crs=CRS
    )
    coverage = gpd.GeoDataFrame(
        {"tile_id": ["a", "a"], "status": ["checked", "not_checked"], "reason": ["imagery", "no_imagery"]},
        geometry=[shapely.box(0, 0, SIDE_M, 900), shapely.box(0, 900, SIDE_M, SIDE_M)],
        crs=CRS,
    )
    return Review(frame, objects, seen, coverage, None)


def with_sample(review: Review, *, size: int = 60, seed: str = "run") -> Review:
    grid = lay_grid(review.coverage, review.map_status, review.discrepancies, cell_m=100)
    sample = draw_sample(grid, review.map_status, review.discrepancies, size=size, min_area_m2=15, seed=seed)
    ids = review.discrepancies["discrepancy_id"].to_numpy()
    named = [None if math.isnan(row) else ids[int(row)] for row in sample["signal"]]
    return replace(review, sample=sample.assign(discrepancy_id=named, answer=None, number=np.nan))


def measured(review: Review) -> Any:
    return measure(review, photo_date=pd.Timestamp("2026-05-14"), min_area_m2=15)


rows = st.tuples(
    st.sampled_from(list(CLASSES)),
    st.sampled_from(["open", "confirmed", "rejected", "fixed", "unclear"]),
    st.one_of(st.just(math.nan), st.floats(0, 1)),
)
reviews = st.lists(rows, max_size=25).map(
    lambda drawn: make_review([r[0] for r in drawn], [r[1] for r in drawn], [r[2] for r in drawn])
)


@FEW
@given(reviews, st.randoms(use_true_random=False))
def test_counts_add_up_and_the_order_of_rows_is_of_no_account(review: Review, random: Any) -> None:
    found = measured(review)
    signals = found.signals
    for row in (*signals.rows, *signals.classes, signals.total):
        assert row.signals == row.true + row.false + row.unclear + row.open
    for field in ("signals", "true", "false", "unclear", "open"):
        whole = getattr(signals.total, field)
        assert sum(getattr(row, field) for row in signals.classes) == whole
        assert sum(getattr(row, field) for row in signals.rows) == whole
    assert signals.expectation.known + signals.expectation.without == signals.total.signals
    assert signals.total.signals == (~review.discrepancies["class"].isin(HIDDEN_CLASSES)).sum()
    shuffled = {}
    for name in ("discrepancies", "map_status", "detections", "coverage"):
        layer = getattr(review, name)
        shuffled[name] = layer.iloc[random.sample(range(len(layer)), len(layer))]
    assert plain(measured(replace(review, **shuffled))) == plain(found)


def test_precision_is_of_what_was_decided_and_nothing_else() -> None:
    review = make_review(
        ["missing"] * 6, ["confirmed", "fixed", "rejected", "unclear", "open", "confirmed"], [0.9] * 6
    )
    row = measured(review).signals.classes[0]
    assert (row.true, row.false, row.unclear, row.open) == (3, 1, 1, 1)
    assert row.precision == share_of(3, 4)
    gone = review.discrepancies.assign(lifecycle=["new"] * 5 + ["gone"])
    assert measured(replace(review, discrepancies=gone)).signals.total.signals == 5


def test_calibration_holds_confidence_against_decisions_only() -> None:
    review = make_review(
        ["missing", "missing", "demolished", "missing"],
        ["confirmed", "rejected", "confirmed", "open"],
        [0.9, 0.8, math.nan, 0.1],
    )
    calibration = measured(review).signals.calibration
    assert calibration is not None
    assert calibration.decided == 2
    assert calibration.mean_confidence == pytest.approx(0.85)
    assert calibration.error == reliability(np.array([0.9, 0.8]), np.array([True, False]), bins=10).ece


def test_first_signals_are_those_of_highest_priority() -> None:
    expectation = expect(np.array([1.0] * 10 + [math.nan] * 3 + [0.5] * 10))
    assert [each.k for each in expectation.first] == [10, 20]
    assert expectation.first[0].true == Figure(10, 10, 10)
    assert expectation.first[0].share
    assert expectation.first[0].share.value == pytest.approx(10 / 15)
    assert expectation.without == 3
    assert all(k in FIRST for k in (10, 20, 200))


# --- completeness ----------------------------------------------------------------------------------------


def by_id(quality: Any) -> dict[int, Any]:
    return {m.iso: m for m in quality.map.completeness}


def test_nothing_reviewed_is_said_and_no_model_count_becomes_a_measure() -> None:
    review = make_review(["missing"] * 5 + ["demolished"] * 4, ["open"] * 9, [0.9] * 9)
    for each in (review, with_sample(review)):
        quality = measured(each)
        for iso in (2, 3, 6, 7):
            assert by_id(quality)[iso].figure is None
            assert by_id(quality)[iso].needs
        assert quality.map.should_be is None
        assert quality.signals.recall is None
        assert quality.signals.precision_of_list is None
    assert "no_sample" in by_id(measured(review))[2].needs
    assert "no_sample" not in by_id(measured(with_sample(review)))[2].needs


def test_a_sample_of_everything_gives_exactly_what_is_there() -> None:
    """30 unflagged objects of which 2 are gone; 9 signals, 3 decided in the list; 4 missing in the cells."""
    status = ["confirmed", "rejected", *["open"] * 3, "confirmed", *["open"] * 3]
    review = with_sample(make_review(["missing"] * 5 + ["demolished"] * 4, status, [0.9] * 9), size=10_000)
    sample = review.sample
    assert sample is not None
    assert (sample["weight"] == 1).all()
    answer = pd.Series("correct", index=sample.index, dtype=object)
    answer[sample["subject"].isin(["b3", "b7"])] = "wrong"
    answer[sample["discrepancy_id"] == "d4"] = "wrong"  # of three open missing, one is false
    cells = sample.index[sample["stratum"].isin(["cell_empty", "cell_built"])][:2]
    answer[cells] = "wrong"
    number = pd.Series(np.nan, index=sample.index)
    number[cells[0]] = 3
    quality = measured(replace(review, sample=sample.assign(answer=answer, number=number)))
    found = by_id(quality)
    assert found[2].figure == exactly(2 + 1 + 3)
    assert found[6].figure == exactly(1 + 2 + 4)
    assert quality.map.should_be == exactly(30 - 6 + 7)
    assert found[3].figure.value == pytest.approx(6 / 31)
    assert found[7].figure.value == pytest.approx(7 / 31)
    assert quality.signals.recall.value == pytest.approx((3 + 4) / (3 + 4 + 2 + 4))
    assert quality.signals.precision_of_list.value == pytest.approx(7 / 9)


def test_part_of_a_sample_gives_an_interval_around_what_it_found() -> None:
    review = with_sample(make_review(["missing"] * 20, ["confirmed"] * 8 + ["open"] * 12, [0.9] * 20))
    sample = review.sample
    assert sample is not None
    quality = measured(replace(review, sample=sample.assign(answer="correct")))
    missing = by_id(quality)[6].figure
    assert missing.low <= missing.value == 20 < missing.high
    assert missing.low >= 8, "what was decided one by one is certain"
    excess = by_id(quality)[2].figure
    assert excess.value == excess.low == 0 < excess.high


def test_unclear_answers_are_set_aside() -> None:
    review = with_sample(make_review(["missing"] * 4, ["open"] * 4, [0.9] * 4), size=10_000)
    sample = review.sample
    assert sample is not None
    quality = measured(replace(review, sample=sample.assign(answer="unclear")))
    assert by_id(quality)[6].figure is None
    assert all(row.answered == 0 for row in quality.map.strata)


# --- the map's own geometry ------------------------------------------------------------------------------


def test_overlaps_duplicates_and_slivers_are_counted_once() -> None:
    house = shapely.box(0, 0, 10, 10)
    mapped = np.array(
        [
            house,
            shapely.box(0.2, 0, 10.2, 10),  # a duplicate
            shapely.box(8, 20, 18, 30),
            shapely.box(15, 20, 25, 30),  # overlaps by 30 m²
            shapely.box(25, 20, 35, 30),  # a party wall
            shapely.box(60, 0, 100, 0.2),  # 8 m², 0.2 m wide
        ],
        object,
    )
    assert logical_counts(mapped) == {"duplicates": 1, "overlaps": 1, "slivers": 1}
    assert logical_counts(mapped[::-1]) == logical_counts(mapped)
    assert logical_counts(mapped[:0]) == {"duplicates": 0, "overlaps": 0, "slivers": 0}


def test_outlines_that_were_mended_are_counted_by_what_was_wrong_and_an_older_review_says_nothing() -> None:
    review = make_review([], [], [])
    logical = {m.iso: m for m in measured(review).map.logical}
    assert (logical[26].figure, logical[26].needs) == (None, ("repaired",))
    defects = ["self_intersects"] * 3 + ["self_overlaps"] * 2 + ["other"] + [None] * 24
    objects = review.map_status.assign(defect=defects)
    logical = {m.iso: m for m in measured(replace(review, map_status=objects)).map.logical}
    assert (logical[26].figure, logical[27].figure) == (exactly(3), exactly(2))
    assert logical[27].denominator == 30


def test_offsets_are_told_cell_by_cell_from_south_west_in_any_order() -> None:
    cells = gpd.GeoDataFrame(
        {"dx_m": [0.5, 0.0], "dy_m": [-1.256, 0.0], "pairs": [12, 3], "source": ["cell", "none"]},
        geometry=[shapely.box(500, 0, 1000, 500), shapely.box(0, 0, 500, 500)],
        crs=CRS,
    )
    review = replace(make_review([], [], []), registration=cells)
    told = measured(review).map.registration
    assert told == (Offset(250, 250, 0, 0, 3, "none"), Offset(750, 250, 0.5, -1.26, 12, "cell"))
    assert measured(replace(review, registration=cells[::-1])).map.registration == told


@FEW
@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_shift_of_the_whole_map_is_its_bias(dx: float, dy: float) -> None:
    review = make_review([], [], [])
    seen = review.detections.set_geometry(
        shapely.transform(review.map_status.geometry.to_numpy(), lambda c: c - (dx, dy))
    )
    quality = measured(replace(review, detections=seen))
    found = {m.iso: m.figure for m in quality.map.position}
    far = math.hypot(dx, dy)
    assert quality.map.shift_m == pytest.approx((dx, dy), abs=0.006)
    for iso in (28, 128, 47):
        assert found[iso].value == pytest.approx(far, abs=1e-6)
    assert found[31].value == float(far > 1.2 + 1e-9) or abs(far - 1.2) < 1e-6


def test_circular_errors_hold_their_share_of_normal_offsets() -> None:
    xy = np.random.default_rng(2).normal(0, 0.8, (20_000, 2))
    distance = np.hypot(*xy.T)
    totals = np.array([len(xy), *xy.sum(0), distance.sum(), (distance**2).sum(), 0.0])
    found = dict(zip([iso for iso, _, _ in POSITION], position_measures(totals), strict=True))
    assert np.mean(distance <= found[44]) == pytest.approx(0.90, abs=0.006)
    assert np.mean(distance <= found[45]) == pytest.approx(0.95, abs=0.006)
    assert found[47] == pytest.approx(math.sqrt(np.mean(distance**2)))


def test_only_confirmed_pairs_of_like_size_speak_of_position() -> None:
    review = make_review([], [], [])
    objects = review.map_status.assign(status=["confirmed"] * 10 + ["extended"] * 20)
    objects.loc[0, "cardinality"], objects.loc[1, "area_m2"] = "1:n", 30.0
    assert len(position_pairs(objects, review.detections)) == 8
    large = review.detections.set_geometry(review.detections.buffer(8))
    assert position_pairs(objects, large).empty


def test_map_newer_than_the_photo_is_told_from_its_dates() -> None:
    review = make_review(["missing"], ["open"], [0.9])
    dated = review.map_status.assign(map_date=pd.Timestamp("2020-01-01"))
    dated.loc[:2, "map_date"] = pd.Timestamp("2026-09-01")
    assert measured(replace(review, map_status=dated)).map.temporal[0].figure == exactly(0.1)
    assert measured(review).map.temporal[0].needs == ("no_map_date",)


def test_what_was_not_checked_is_told_with_its_area() -> None:
    missed = measured(make_review([], [], [])).not_assessed
    assert (missed.tiles_m2, missed.checked_m2) == (1e6, 9e5)
    assert [(part.code, part.area_m2) for part in missed.ground] == [("no_imagery", 1e5)]


# --- grid and sample -------------------------------------------------------------------------------------


@FEW
@given(reviews, st.sampled_from([50.0, 100.0, 333.0]))
def test_cells_hold_every_object_and_all_checked_ground(review: Review, cell_m: float) -> None:
    grid = lay_grid(review.coverage, review.map_status, review.discrepancies, cell_m=cell_m)
    assert grid["mapped"].sum() == len(review.map_status)
    assert grid["signals"].sum() == len(review.discrepancies)
    assert (grid["missing"] + grid["excess"] + grid["other"] == grid["signals"]).all()
    assert (grid["checked_share"] * cell_m**2).sum() == pytest.approx(9e5)
    assert grid["cell_id"].is_unique


@FEW
@given(reviews, st.integers(0, 200), st.randoms(use_true_random=False))
def test_sample_stands_for_everything_and_order_changes_nothing(
    review: Review, size: int, random: Any
) -> None:
    review = with_sample(review, size=size)
    sample = review.sample
    assert sample is not None
    if not size:
        assert sample.empty
        return
    stands = sample.groupby("stratum")["weight"].sum()
    asked = review.discrepancies[~review.discrepancies["class"].isin(HIDDEN_CLASSES)]
    strata = pd.Series(stratum_of_class(asked["class"])).value_counts()
    for stratum, count in strata.items():
        assert stands[stratum] == pytest.approx(count)
    assert stands["object"] == pytest.approx(30)
    assert sample["sample_id"].is_unique
    assert not sample["subject"].dropna().duplicated().any()
    shuffled = replace(
        review,
        discrepancies=review.discrepancies.iloc[
            random.sample(range(len(review.discrepancies)), len(review.discrepancies))
        ].reset_index(drop=True),
        map_status=review.map_status.iloc[::-1].reset_index(drop=True),
        sample=None,
    )
    again = with_sample(shuffled, size=size).sample
    assert again is not None
    assert again["discrepancy_id"].tolist() == sample["discrepancy_id"].tolist()
    assert again["subject"].tolist() == sample["subject"].tolist()


def test_another_run_draws_another_sample_and_the_same_run_the_same() -> None:
    review = make_review(["missing"] * 25, ["open"] * 25, [0.9] * 25)
    a, b, c = (with_sample(review, seed=seed).sample for seed in ("x", "x", "y"))
    assert a is not None
    assert b is not None
    assert c is not None
    assert a["subject"].tolist() == b["subject"].tolist()
    assert a["subject"].tolist() != c["subject"].tolist()


def test_every_stratum_has_words_a_question_and_some_of_the_sample() -> None:
    assert set(STRATA) == set(DOMAINS["stratum"]) == set(QUESTIONS)
    drawn = allocate(dict.fromkeys(STRATA, 100), 60)
    assert set(drawn) == set(STRATA)
    assert min(drawn.values()) >= LEAST
    assert sum(drawn.values()) == pytest.approx(60, abs=3)
