"""What verdicts teach of what this map leaves out: a logistic model for each class and reason of rejection.

The ledger says what was decided, whoever's copy it came from. A signal's traits are measured as the run that
last saw it had them: against the map and the orthophoto of that run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.errors import RasterioError

from geoai.calibration import logistic
from geoai.config import HeightSettings
from geoai.ledger import Ledger
from geoai.policy import CLASSES, SURE, Floats, Learned, features_of
from geoai.registration import Registration
from geoai.traits import measure_traits

REASONS = ("greenhouse", "patio_roof", "container", "sandpit", "below_size", "temporary")
"""Reasons of rejection that say: it stands there, and this map does not hold it."""
KEPT = ("confirmed", "fixed")
LEAST_VERDICTS = 30
LEAST_OF_EACH = 8
"""A model needs so many verdicts of a class, and so many rejected for its reason and kept."""
RIDGE = 1.0
FOLDS = 5


@dataclass(frozen=True)
class Lessons:
    """What *verdicts* of CLASSES taught, and in lines what could not be read."""

    models: tuple[Learned, ...]
    verdicts: int
    problems: tuple[str, ...]


def learn_from_ledger(ledger: Ledger, runs: Path, height: HeightSettings) -> Lessons:
    """Return what the ledger's verdicts teach, after reading the reviews below *runs* that changed.

    Verdicts on signals of a run whose folder is gone or cannot be read are left out, and told. Raises
    LedgerError where there is no ledger.
    """
    problems = ledger.import_runs(runs)
    decided = ledger.decided()
    # a stretch of a line has no outline of its own that traits could tell of
    decided = decided[decided["class"].isin(CLASSES) & (decided["family"] != "stretch")]
    known = []
    for (flight_id, run_id), signals in decided.groupby(["flight_id", "run_id"]):
        folder = runs / str(flight_id) / str(run_id)
        try:
            known.append(with_traits(signals, folder, height))
        except (DataSourceError, DataLayerError, RasterioError) as error:
            found = " ".join(str(error).split())
            problems.append(
                f"{folder}: expected the run that holds {len(signals)} decided signals, found {found}"
            )
    models = learn(pd.concat(known, ignore_index=True)) if known else []
    return Lessons(tuple(models), sum(map(len, known)), tuple(problems))


def with_traits(signals: gpd.GeoDataFrame, folder: Path, height: HeightSettings) -> pd.DataFrame:
    """Return *signals* with x, y and their TRAITS, by the map and the orthophoto of the run in *folder*."""
    review = folder / "review.gpkg"
    mapped = pyogrio.read_dataframe(review, layer="map_status", columns=[]).geometry.to_numpy()
    if "registration" in pyogrio.list_layers(review)[:, 0]:  # not in reviews of earlier versions
        mapped = Registration(pyogrio.read_dataframe(review, layer="registration")).laid(mapped)
    traits = measure_traits(signals.geometry, mapped, folder / "orthophoto.vrt", height)
    traits = traits.set_axis(signals.index)
    points = signals.centroid
    return pd.DataFrame(signals.drop(columns="geometry")).assign(x=points.x, y=points.y, **traits)


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
                models.append(_learned(name, reason, features_of(rows), truth))
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


def _log_loss(p: Floats, truth: NDArray[np.bool_]) -> float:
    right = np.clip(np.where(truth, p, 1 - p), 1e-12, 1.0)
    return float(-np.log(right).mean())
