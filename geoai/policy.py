"""What this map does not hold: signals that are true and still no error of the map.

A patio roof against a house stands there, and the municipality leaves it out on purpose. Rules of the
configuration name such things by their traits; from enough verdicts on, a logistic model per class and reason
of rejection learns them (`geoai.lessons`). Both set policy_group and rank a signal down; none is dropped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoai.calibration import logistic
from geoai.config import HeightSettings, PolicyRule
from geoai.errors import ConfigError
from geoai.files import appearing_whole
from geoai.traits import NO_HEIGHT, TRAITS, measure_traits
from geoai.vector import Geometries

Floats = NDArray[np.float64]

RANKED_DOWN = 0.02
"""What a priority is multiplied by: as the weight of what is below the minimum area."""
CLASSES = ("missing", "extended")
SURE = 0.8
"""Probability from which a signal is grouped with what was rejected."""
HELPS_PRECISION = 0.8
"""A model is used where, in cross-validation, this share of what it would hide was rejected for it …"""
HELPS_LOSS = 0.9
"""… and its log loss is below this share of that of the mere proportion."""
SAMPLE = 1000
"""So many mapped objects are looked at to say how often the map holds such things."""
LOGARITHMIC = ("area_m2", "elongation")


@dataclass(frozen=True)
class Learned:
    """What verdicts taught of one class and one reason of rejection.

    The probability is logistic(intercept + Σ weight · (x − mean) / scale) of the traits, area and elongation
    as logarithms; what was not measured counts as the mean. *helps* says whether it is used.
    """

    class_name: str
    reason: str
    rejected: int
    kept: int
    intercept: float
    weight: Mapping[str, float]
    mean: Mapping[str, float]
    scale: Mapping[str, float]
    log_loss: float
    log_loss_of_proportion: float
    would_hide: int
    would_hide_rightly: int

    @property
    def helps(self) -> bool:
        """Whether cross-validation shows that it tells the two apart, and hides few that were kept."""
        return self.shortcoming is None

    @property
    def shortcoming(self) -> Literal["hides_none", "hides_kept", "tells_little"] | None:
        """Why it is not used, by cross-validation; None where it is."""
        if not self.would_hide:
            return "hides_none"
        if self.would_hide_rightly < HELPS_PRECISION * self.would_hide:
            return "hides_kept"
        if self.log_loss >= HELPS_LOSS * self.log_loss_of_proportion:
            return "tells_little"
        return None

    def probability(self, traits: pd.DataFrame) -> Floats:
        """Return the probability that each row of *traits* is of this kind."""
        names = list(self.weight)
        x = features_of(traits)[names]
        scaled = (x - pd.Series(self.mean)) / pd.Series(self.scale)
        z = self.intercept + scaled.fillna(0.0).to_numpy() @ np.array([self.weight[name] for name in names])
        return logistic(z)


@dataclass(frozen=True)
class Applied:
    """What a rule, or what was learned, did in a run: *set_aside* so many signals.

    *mapped_share* is the share of the map's objects that it would take as well, a figure for whether the map
    really leaves such things out; NaN where no object was looked at.
    """

    rule: PolicyRule | Learned
    set_aside: int = 0
    mapped_share: float = np.nan


def set_aside(
    found: gpd.GeoDataFrame,
    mapped: Geometries,
    orthophoto: Path,
    rules: Sequence[PolicyRule],
    learned: Sequence[Learned],
    height: HeightSettings = NO_HEIGHT,
) -> tuple[gpd.GeoDataFrame, list[Applied]]:
    """Return what `apply_policy` makes of the discrepancies; traits are measured where it matters.

    *mapped* are the geometries of the map, in an order that does not change, laid where the imagery shows
    them: under an offset of two metres no part would stand against its house.
    """
    if not rules and not any(model.helps for model in learned):
        return found.assign(policy_group=None), [Applied(model) for model in learned]
    found = found.reset_index(drop=True)
    concerned = found.index[found["class"].isin(CLASSES)]
    traits = measure_traits(found.geometry[concerned], mapped, orthophoto, height)
    every = max(1, -(-len(mapped) // SAMPLE))
    alike = measure_traits(gpd.GeoSeries(mapped[::every], crs=found.crs), mapped, orthophoto, height)
    return apply_policy(found, traits.set_axis(concerned).reindex(found.index), alike, rules, learned)


def apply_policy(
    found: gpd.GeoDataFrame,
    traits: pd.DataFrame,
    mapped: pd.DataFrame,
    rules: Sequence[PolicyRule],
    learned: Sequence[Learned],
) -> tuple[gpd.GeoDataFrame, list[Applied]]:
    """Return the discrepancies with policy_group (None: in the map's scope), those ranked down; and by what.

    *traits* are those of the rows, *mapped* those of objects of the map, of which policy_mapped_share says
    how many the same rule or model would take. policy_facts says which traits spoke for a rule (trait →
    value), policy_like how many rejected signals it is like (NaN for a rule). The first rule that holds
    counts, then the likeliest of what was learned and helps.
    """
    by: list[PolicyRule | Learned] = [*rules, *learned]
    share = [_mapped_share(rule, mapped) for rule in by]
    at = np.full(len(found), len(by))  # the number of what sets a row aside; the last: nothing
    for number, rule in enumerate(rules):
        holds = found["class"].isin(rule.classes).to_numpy() & fits(rule, traits)
        at[holds & (at == len(by))] = number
    free, most = at == len(by), np.full(len(found), SURE)
    for number, model in enumerate(learned, start=len(rules)):
        if model.helps:
            of_class = (found["class"] == model.class_name).to_numpy()
            p = np.where(free & of_class, model.probability(traits), 0.0)
            at[p >= most] = number
            most = np.maximum(most, p)
    names = [rule.reason if isinstance(rule, Learned) else rule.name for rule in by]
    like = [float(rule.rejected) if isinstance(rule, Learned) else np.nan for rule in by]
    priority = np.where(at < len(by), RANKED_DOWN, 1.0) * found["priority"]
    result = found.assign(
        policy_group=np.array([*names, None], object)[at],
        policy_facts=[
            {trait: float(traits[trait].iat[row]) for trait, _, _ in rules[number].bounds()}
            if number < len(rules)
            else {}
            for row, number in enumerate(at.tolist())
        ],
        policy_like=np.array([*like, np.nan])[at],
        policy_mapped_share=np.array([*share, np.nan])[at],
        priority=priority,
    )
    counts = np.bincount(at, minlength=len(by)).tolist()
    applied = [Applied(*each) for each in zip(by, counts, share, strict=False)]
    return result.iloc[np.argsort(-priority.to_numpy(), kind="stable")].reset_index(drop=True), applied


def _mapped_share(rule: PolicyRule | Learned, mapped: pd.DataFrame) -> float:
    if mapped.empty:
        return np.nan
    takes = rule.probability(mapped) >= SURE if isinstance(rule, Learned) else fits(rule, mapped)
    return float(takes.mean())


def fits(rule: PolicyRule, traits: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the rows within every bound of *rule*; what was not measured is within none."""
    holds = np.ones(len(traits), bool)
    for trait, least, most in rule.bounds():
        values = traits[trait].to_numpy()
        holds &= (values >= least) & (values <= most)
    return holds


def write_learned(path: Path, models: Sequence[Learned]) -> None:
    """Write the models as JSON that a person can read, and `read_learned` too."""
    content = {"format": 1, "models": [asdict(model) | {"used": model.helps} for model in models]}
    with appearing_whole(path) as partial:
        partial.write_text(
            json.dumps(_rounded(content), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def read_learned(path: Path) -> list[Learned]:
    """Return the models of a file, none where it is not there. Raises ConfigError where it is another's."""
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != 1:
            raise ValueError(f"format {content['format']}")
        return [Learned(**{k: v for k, v in model.items() if k != "used"}) for model in content["models"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: expected a policy that was learned (format 1), found {error}") from error


def write_applied(path: Path, applied: Sequence[Applied]) -> None:
    """Write what a run's policy was and did as JSON: rules (bounds by trait, null: none) and learned."""
    content: dict[str, Any] = {"format": 1, "rules": [], "learned": []}
    for each in applied:
        did = {"set_aside": each.set_aside, "mapped_share": _finite(each.mapped_share)}
        if isinstance(each.rule, Learned):
            content["learned"].append(
                asdict(each.rule) | {"used": each.rule.helps, "shortcoming": each.rule.shortcoming} | did
            )
            continue
        bounds = {trait: [_finite(least), _finite(most)] for trait, least, most in each.rule.bounds()}
        content["rules"].append(
            {"name": each.rule.name, "classes": each.rule.classes, "bounds": bounds} | did
        )
    with appearing_whole(path) as partial:
        partial.write_text(
            json.dumps(_rounded(content), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def features_of(traits: pd.DataFrame) -> pd.DataFrame:
    """Return TRAITS as a model sees them: area and elongation as logarithms."""
    x = traits[list(TRAITS)].astype(np.float64)
    logarithms = {name: np.log(x[name].clip(lower=1e-3)) for name in LOGARITHMIC}
    return x.assign(**logarithms)
