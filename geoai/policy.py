"""What this map does not hold: signals that are true and still no error of the map.

A patio roof against a house stands there, and the municipality leaves it out on purpose. Rules of the
configuration name such things by their traits; from enough verdicts on, a logistic model per class and reason
of rejection learns them (`learn`). Both set policy_group and rank a signal down; none is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from numpy.typing import NDArray

from geoai.calibration import logistic
from geoai.config import PolicyRule
from geoai.errors import ConfigError
from geoai.raster import appearing_whole
from geoai.traits import TRAITS, measure_traits
from geoai.vector import Geometries

Floats = NDArray[np.float64]

RANKED_DOWN = 0.02
"""What a priority is multiplied by: as the weight of what is below the minimum area."""
CLASSES = ("missing", "extended")
REASONS = ("greenhouse", "patio_roof", "container", "sandpit", "below_size", "temporary")
"""Reasons of rejection that say: it stands there, and this map does not hold it."""
KEPT = ("confirmed", "fixed")
LEAST_VERDICTS = 30
LEAST_OF_EACH = 8
"""A model needs so many verdicts of a class, and so many rejected for its reason and kept."""
RIDGE = 1.0
FOLDS = 5
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
        return (
            self.would_hide_rightly > 0
            and self.would_hide_rightly >= HELPS_PRECISION * self.would_hide
            and self.log_loss < HELPS_LOSS * self.log_loss_of_proportion
        )

    def probability(self, traits: pd.DataFrame) -> Floats:
        """Return the probability that each row of *traits* is of this kind."""
        names = list(self.weight)
        x = _features(traits)[names]
        scaled = (x - pd.Series(self.mean)) / pd.Series(self.scale)
        z = self.intercept + scaled.fillna(0.0).to_numpy() @ np.array([self.weight[name] for name in names])
        return logistic(z)


def set_aside(
    found: gpd.GeoDataFrame,
    mapped: Geometries,
    orthophoto: Path,
    rules: Sequence[PolicyRule],
    learned: Sequence[Learned],
) -> gpd.GeoDataFrame:
    """Return the discrepancies with what `apply_policy` says of them; traits are measured where it matters.

    *mapped* are the geometries of the map, in an order that does not change.
    """
    if not rules and not any(model.helps for model in learned):
        return found.assign(policy_group=None)
    found = found.reset_index(drop=True)
    concerned = found.index[found["class"].isin(CLASSES)]
    traits = measure_traits(found.geometry.to_numpy()[concerned], mapped, orthophoto)
    every = max(1, -(-len(mapped) // SAMPLE))
    alike = measure_traits(mapped[::every], mapped, orthophoto)
    return apply_policy(found, traits.set_axis(concerned).reindex(found.index), alike, rules, learned)


def apply_policy(
    found: gpd.GeoDataFrame,
    traits: pd.DataFrame,
    mapped: pd.DataFrame,
    rules: Sequence[PolicyRule],
    learned: Sequence[Learned],
) -> gpd.GeoDataFrame:
    """Return the discrepancies with policy_group (None: in the map's scope), and those ranked down.

    *traits* are those of the rows, *mapped* those of objects of the map: policy_mapped_share is the share of
    them that the same rule or model would take, a figure for whether the map really leaves it out.
    policy_facts says which traits spoke for a rule (trait → value), policy_like how many rejected signals it
    is like (NaN for a rule). The first rule that holds counts, then the likeliest of what was learned.
    """
    group = np.full(len(found), None, object)
    facts: list[dict[str, float]] = [{} for _ in range(len(found))]
    like, share = np.full(len(found), np.nan), np.full(len(found), np.nan)
    for rule in rules:
        of_class = found["class"].isin(rule.classes).to_numpy()
        holds = of_class & fits(rule, traits) & pd.isna(group)
        group[holds] = rule.name
        share[holds] = fits(rule, mapped).mean() if len(mapped) else np.nan
        named = [trait for trait, _, _ in rule.bounds()]
        for row in np.flatnonzero(holds):
            facts[row] = {trait: float(traits[trait].iat[row]) for trait in named}
    most = np.full(len(found), SURE)
    free = pd.isna(group)
    for model in learned:
        if not model.helps:
            continue
        p = np.where(free & (found["class"] == model.class_name), model.probability(traits), 0.0)
        likelier = p >= most
        group[likelier], like[likelier], most[likelier] = model.reason, model.rejected, p[likelier]
        share[likelier] = (model.probability(mapped) >= SURE).mean() if len(mapped) else np.nan
    named_any = ~pd.isna(group)
    priority = np.where(named_any, RANKED_DOWN, 1.0) * found["priority"]
    result = found.assign(
        policy_group=group,
        policy_facts=facts,
        policy_like=like,
        policy_mapped_share=share,
        priority=priority,
    )
    return result.iloc[np.argsort(-priority.to_numpy(), kind="stable")].reset_index(drop=True)


def fits(rule: PolicyRule, traits: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the rows within every bound of *rule*; what was not measured is within none."""
    holds = np.ones(len(traits), bool)
    for trait, least, most in rule.bounds():
        values = traits[trait].to_numpy()
        holds &= (values >= least) & (values <= most)
    return holds


def learn(decided: pd.DataFrame) -> list[Learned]:
    """Return what can be learned from *decided* signals: class, status, reject_reason, TRAITS, x, y.

    A model for each class and reason of REASONS that has enough verdicts; against what was rejected for the
    reason stands what was confirmed. The result does not depend on the order of rows.
    """
    ordered = decided.sort_values(["x", "y", "class"], kind="stable").reset_index(drop=True)
    models = []
    for name in CLASSES:
        of_class = ordered[ordered["class"] == name]
        for reason in REASONS:
            rejected = (of_class["status"] == "rejected") & (of_class["reject_reason"] == reason)
            rows = of_class[rejected | of_class["status"].isin(KEPT)]
            truth = rejected[rows.index].to_numpy()
            if len(rows) >= LEAST_VERDICTS and min(truth.sum(), (~truth).sum()) >= LEAST_OF_EACH:
                models.append(_learned(name, reason, _features(rows), truth))
    return models


def _learned(name: str, reason: str, x: pd.DataFrame, truth: NDArray[np.bool_]) -> Learned:
    x = x.loc[:, x.notna().mean() >= 0.5]
    mean, scale = x.mean(), x.std(ddof=0).clip(lower=1e-6)
    scaled = ((x - mean) / scale).fillna(0.0).to_numpy()
    weights = fit_ridge_logistic(scaled, truth)
    # every fifth of each kind, from west to east: folds are alike in proportion
    fold = np.where(truth, np.cumsum(truth), np.cumsum(~truth)) % FOLDS
    p = np.empty(len(truth))
    for number in range(FOLDS):
        held = fold == number
        fitted = fit_ridge_logistic(scaled[~held], truth[~held])
        p[held] = logistic(fitted[0] + scaled[held] @ fitted[1:])
    hidden = p >= SURE
    return Learned(
        class_name=name,
        reason=reason,
        rejected=int(truth.sum()),
        kept=int((~truth).sum()),
        intercept=float(weights[0]),
        weight=dict(zip(x.columns, weights[1:].tolist(), strict=True)),
        mean=mean.to_dict(),
        scale=scale.to_dict(),
        log_loss=_log_loss(p, truth),
        log_loss_of_proportion=_log_loss(np.full(len(truth), truth.mean()), truth),
        would_hide=int(hidden.sum()),
        would_hide_rightly=int((hidden & truth).sum()),
    )


def fit_ridge_logistic(x: Floats, truth: NDArray[np.bool_]) -> Floats:
    """Return intercept and weights that minimise the log loss + RIDGE / 2 · Σ weight².

    Newton's method (iteratively reweighted least squares); *x* (row, feature) is standardised. With the ridge
    the minimum exists and is unique, also where the two kinds can be separated.
    """
    design = np.column_stack([np.ones(len(x)), x])
    penalty = np.diag([1e-6, *np.full(x.shape[1], RIDGE)])
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        p = logistic(design @ weights)
        gradient = design.T @ (p - truth) + penalty @ weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return weights


def decided_in(review: Path) -> pd.DataFrame:
    """Return the decided signals of a review with their TRAITS, measured on the mosaic beside it.

    A stretch of a line is left out: it has no outline of its own.
    """
    columns = ["discrepancy_id", "class", "status", "reject_reason", "reviewed_at"]
    names = ", ".join(f"'{name}'" for name in CLASSES)
    where = f"status <> 'open' AND family <> 'stretch' AND class IN ({names})"
    decided = pyogrio.read_dataframe(review, layer="discrepancy", columns=columns, where=where)
    mapped = pyogrio.read_dataframe(review, layer="map_status", columns=[])
    traits = measure_traits(
        decided.geometry.to_numpy(), mapped.geometry.to_numpy(), review.parent / "orthophoto.vrt"
    )
    points = decided.centroid
    return pd.DataFrame(decided.drop(columns="geometry")).assign(x=points.x, y=points.y, **traits)


def learn_from_runs(runs: Path) -> tuple[list[Learned], int]:
    """Return what the verdicts in every review below *runs* teach, and how many verdicts there are.

    A signal that several reviews hold counts once, as it was decided last.
    """
    reviews = [decided_in(review) for review in sorted(runs.glob("*/*/review.gpkg"))]
    if not reviews:
        raise ConfigError(f"{runs}: expected reviews with verdicts, found none")
    decided = pd.concat(reviews, ignore_index=True).sort_values("reviewed_at", kind="stable")
    decided = decided.drop_duplicates("discrepancy_id", keep="last")
    return learn(decided), len(decided)


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


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _features(traits: pd.DataFrame) -> pd.DataFrame:
    x = traits[list(TRAITS)].astype(np.float64)
    logarithms = {name: np.log(x[name].clip(lower=1e-3)) for name in LOGARITHMIC}
    return x.assign(**logarithms)


def _log_loss(p: Floats, truth: NDArray[np.bool_]) -> float:
    right = np.clip(np.where(truth, p, 1 - p), 1e-12, 1.0)
    return float(-np.log(right).mean())
