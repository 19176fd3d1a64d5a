"""What a policy sets aside: never dropped, always with a reason, learned only where it helps."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from review_case import signals
from scipy.optimize import minimize

from geoai.config import PolicyRule, load_settings
from geoai.errors import ConfigError
from geoai.lessons import RIDGE, fit_ridge_logistic, learn
from geoai.policy import apply_policy, fits, read_learned, write_learned
from geoai.publish.reasons import reason
from geoai.traits import TRAITS

PATIO = PolicyRule.model_validate(
    {"name": "patio_roof", "class": "extended", "attached": True, "max_area_m2": 25, "min_brightness": 0.7}
)
LIKE_A_PATIO = dict(zip(TRAITS, (1.0, 0.4, 18.0, 1.5, 0.95, 0.8, 0.05, np.nan), strict=True))


def traits(*rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame([LIKE_A_PATIO | row for row in rows])


def found(classes: list[str]) -> Any:
    squares = [shapely.box(n * 20, 0, n * 20 + 5, 5) for n in range(len(classes))]
    return signals(classes, squares, priority=0.5)


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ({}, True),
        ({"area_m2": 25.0}, True),
        ({"area_m2": 25.1}, False),
        ({"attached": 0.0}, False),
        ({"brightness": 0.6}, False),
        ({"brightness": np.nan}, False),
    ],
)
def test_a_rule_holds_within_every_bound_and_never_for_what_was_not_measured(
    row: dict[str, float], holds: bool
) -> None:
    assert fits(PATIO, traits(row)).tolist() == [holds]


@pytest.mark.parametrize(("height_m", "holds"), [(1.9, True), (2.1, False), (np.nan, False)])
def test_a_rule_of_height_holds_where_height_was_measured(height_m: float, holds: bool) -> None:
    low = PolicyRule.model_validate({"name": "low", "max_height_m": 2})
    assert fits(low, traits({"height_m": height_m})).tolist() == [holds]


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["missing", "extended", "demolished"]), min_size=1, max_size=6))
def test_nothing_is_dropped_and_what_is_set_aside_comes_last(classes: list[str]) -> None:
    before = found(classes)
    after, (applied,) = apply_policy(before, traits(*[{}] * len(classes)), traits(), [PATIO], [])
    assert sorted(after["class"]) == sorted(classes)
    aside = after["policy_group"] == "patio_roof"
    assert (after["class"][aside] == "extended").all()
    assert aside.sum() == classes.count("extended") == applied.set_aside
    assert after["priority"][aside].tolist() == pytest.approx([0.01] * aside.sum())
    assert aside.tolist() == sorted(aside)


def test_the_first_rule_that_holds_counts_and_the_map_is_asked_how_often_it_has_such_things() -> None:
    shed = PolicyRule.model_validate({"name": "small", "max_area_m2": 30})
    mapped = traits({}, {"area_m2": 200.0}, {"area_m2": 28.0}, {"area_m2": 90.0})
    after, applied = apply_policy(found(["extended"]), traits({}), mapped, [PATIO, shed], [])
    assert [(each.rule, each.set_aside, each.mapped_share) for each in applied] == [
        (PATIO, 1, 0.25),
        (shed, 0, 0.5),
    ]
    assert after["policy_group"].tolist() == ["patio_roof"]
    assert after["policy_mapped_share"].tolist() == [0.25]
    other, _ = apply_policy(found(["extended"]), traits({}), mapped, [shed, PATIO], [])
    assert other["policy_group"].tolist() == ["small"]
    assert other["policy_mapped_share"].tolist() == [0.5]


def test_the_reason_says_why_in_both_languages() -> None:
    mapped = traits({}, {"area_m2": 200.0})
    after, _ = apply_policy(found(["extended"]), traits({}), mapped, [PATIO], [])
    row = after.iloc[0].to_dict()
    said = "Set aside as patio roof: attached, 18.0\xa0m², brightness 0.80 (50% of the map's objects are "
    said += "like it)."
    assert reason(row, "en").endswith(said)
    assert "Åsidosatt som altantak: sammanbyggd, 18,0\xa0m², ljushet 0,80" in reason(row, "sv")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{name: shed}", "policy shed: expected at least one trait, found none"),
        (
            "{name: shed, min_area_m2: 30, max_area_m2: 20}",
            "policy shed: expected min_area_m2 at most max_area_m2, found 30 above 20",
        ),
        ("{name: shed, max_size: 3}", "unknown key policy.0.max_size"),
        ("{name: shed, class: demolished, max_area_m2: 3}", "policy.0.class: Input should be 'missing', "),
        (
            "{name: low, max_height_m: 2}",
            "policy low: expected compare.height for a rule of height_m, found none",
        ),
        ("{name: a, max_area_m2: 3}, {name: a, max_area_m2: 4}", "policy: expected a name of its own"),
    ],
)
def test_wrong_rules_are_refused_with_what_is_wrong(tmp_path: Path, rule: str, message: str) -> None:
    path = tmp_path / "town.yaml"
    path.write_text(f"policy: [{rule}]\n")
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    assert message in str(error.value)


# --- learned ---------------------------------------------------------------------------------------------


def verdicts(count: int, *, differ: bool, seed: int = 1) -> pd.DataFrame:
    """Return as many rejected patio roofs as kept extensions, which *differ* in two traits or not."""
    chance = np.random.default_rng(seed)
    rejected = np.arange(2 * count) % 2 == 0
    bright = np.where(rejected & differ, 0.8, 0.4) + chance.normal(0, 0.1, 2 * count)
    area = np.where(rejected & differ, 15.0, 50.0) * np.exp(chance.normal(0, 0.3, 2 * count))
    rows = traits(*[{}] * (2 * count)).assign(brightness=bright, area_m2=area)
    return rows.assign(
        **{"class": "extended"},
        status=np.where(rejected, "rejected", "confirmed"),
        reject_reason=np.where(rejected, "patio_roof", None),
        x=chance.uniform(0, 1000, 2 * count),
        y=chance.uniform(0, 1000, 2 * count),
    )


def test_what_differs_is_learned_and_a_signal_like_it_says_how_many_it_is_like() -> None:
    (model,) = learn(verdicts(41, differ=True))
    assert model.helps
    assert (model.class_name, model.reason, model.rejected, model.kept) == ("extended", "patio_roof", 41, 41)
    assert model.weight["brightness"] > 0 > model.weight["area_m2"]
    looks = traits({"brightness": 0.9, "area_m2": 12.0}, {"brightness": 0.3, "area_m2": 60.0})
    after, (applied,) = apply_policy(found(["extended", "extended"]), looks, traits(), [], [model])
    assert applied.set_aside == 1
    assert after["policy_group"].iloc[1] == "patio_roof"
    assert "like 41 signals that were rejected as patio roof" in reason(after.iloc[1].to_dict(), "en")
    assert after["policy_group"].isna().iloc[0]


@pytest.mark.parametrize("seed", range(5))
def test_what_does_not_differ_is_fitted_and_not_used(seed: int) -> None:
    (model,) = learn(verdicts(30, differ=False, seed=seed))
    assert not model.helps
    assert model.shortcoming in ("hides_none", "hides_kept", "tells_little")
    after, applied = apply_policy(found(["extended"]), traits({}), traits(), [], [model])
    assert applied[0].set_aside == 0
    assert after["policy_group"].tolist() == [None]


def test_too_few_verdicts_teach_nothing() -> None:
    assert learn(verdicts(14, differ=True)) == []
    assert len(learn(verdicts(15, differ=True))) == 1


def test_errors_of_sight_are_not_what_a_map_leaves_out() -> None:
    shadows = verdicts(40, differ=True).replace({"reject_reason": {"patio_roof": "shadow"}})
    assert learn(shadows) == []


def test_what_is_learned_does_not_depend_on_the_order_of_rows() -> None:
    rows = verdicts(20, differ=True)
    assert learn(rows) == learn(rows.sample(frac=1.0, random_state=3))


def test_the_weights_are_those_of_an_independent_minimiser() -> None:
    chance = np.random.default_rng(5)
    x = chance.normal(size=(60, 3))
    truth = x[:, 0] + chance.normal(size=60) > 0.3

    def loss(weights: Any) -> float:
        z = weights[0] + x @ weights[1:]
        return float(np.sum(np.logaddexp(0, z) - truth * z) + RIDGE / 2 * np.sum(weights[1:] ** 2))

    assert fit_ridge_logistic(x, truth) == pytest.approx(minimize(loss, np.zeros(4)).x, abs=1e-4)


def test_what_was_learned_can_be_read_again_and_by_a_person(tmp_path: Path) -> None:
    models = learn(verdicts(41, differ=True))
    write_learned(tmp_path / "policy.json", models)
    (again,) = read_learned(tmp_path / "policy.json")
    looks = traits({"brightness": 0.9, "area_m2": 12.0})
    assert again.probability(looks) == pytest.approx(models[0].probability(looks), abs=1e-4)
    assert again.helps
    assert '"reason": "patio_roof"' in (tmp_path / "policy.json").read_text()
    assert read_learned(tmp_path / "none.json") == []
    (tmp_path / "policy.json").write_text('{"format": 2}')
    with pytest.raises(ConfigError, match=r"policy.json: expected a policy that was learned \(format 1\)"):
        read_learned(tmp_path / "policy.json")
