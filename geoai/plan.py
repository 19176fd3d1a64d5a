"""What other settings would do to the list of a run, before anyone runs them.

The stored probabilities of the flight are compared with the map again; nothing is predicted, cut or written
into the project's data. Signals of the two lists are the same where the ledger would say so.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from geoai import assessment
from geoai.catalog import open_catalog
from geoai.config import Settings, load_settings
from geoai.errors import CatalogError, ConfigError
from geoai.grid import TileScheme, crs_name, parse_crs
from geoai.identity import carried_from
from geoai.merging import FOLDER
from geoai.model import ModelPackage
from geoai.publish import put_before
from geoai.publish.plan import write_plan
from geoai.publish.reasons import reason
from geoai.publish.texts import CLASSES
from geoai.tilejobs import prediction_mark

log = logging.getLogger(__name__)

Rows = NDArray[np.intp]
OTHER_AREA = 0.3
"""A rejected signal is asked about again where its area changes by more than this share."""
DECIDED = ("confirmed", "rejected", "fixed", "unclear")


@dataclass(frozen=True)
class Plan:
    """What would come, go and change class or policy group; and the verdicts that this touches.

    All frames have the columns of `publish.plan`. *before* and *after* count the lists by class. *verdicts*
    are the rows of *vanishing* and *changed*, and of what stays with another area, that a person had decided,
    with the column effect: lost, other_class or other_area.
    """

    flight_id: str
    against: str
    appearing: gpd.GeoDataFrame
    vanishing: gpd.GeoDataFrame
    changed: gpd.GeoDataFrame
    verdicts: gpd.GeoDataFrame
    before: dict[str, int]
    after: dict[str, int]

    @property
    def changes(self) -> int:
        """How many signals would come, go or change."""
        return len(self.appearing) + len(self.vanishing) + len(self.changed)

    def by_class(self) -> pd.DataFrame:
        """Return counts by class, in the order of the legend: before, come, go, in, out, after.

        *in* and *out* are signals that stay and change to the class or from it.
        """
        moved = self.changed[self.changed["class"] != self.changed["class_before"]]
        counts = pd.DataFrame(
            {
                "before": pd.Series(self.before, dtype="int64"),
                "come": self.appearing["class"].value_counts(),
                "go": self.vanishing["class"].value_counts(),
                "in": moved["class"].value_counts(),
                "out": moved["class_before"].value_counts(),
                "after": pd.Series(self.after, dtype="int64"),
            }
        )
        return counts.reindex([code for code in CLASSES if code in counts.index]).fillna(0).astype(int)

    def to_json(self) -> str:
        """Return the plan without geometries as JSON text."""
        columns = [
            "class", "class_before", "policy_before", "policy_group", "verdict", "verdict_reason", "area_m2",
            "length_m", "map_object_ids", "discrepancy_id", "x", "y", "reason",
        ]  # fmt: skip
        content = {
            "flight": self.flight_id,
            "against": self.against,
            "changes": self.changes,
            "classes": self.by_class().to_dict("index"),
            **{
                name: _records(frame, columns)
                for name, frame in (
                    ("appearing", self.appearing),
                    ("vanishing", self.vanishing),
                    ("changed", self.changed),
                )
            },
            "verdicts": _records(self.verdicts, ["effect", *columns]),
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def make_plan(
    settings: Settings,
    against: Path | None = None,
    *,
    output: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Plan:
    """Say what *settings* would do to the list of the latest run of the flight.

    *against* names another: the folder of a run, or a YAML file whose list is computed as well (verdicts are
    then those of the latest run, if any). *output* is a folder for `plan.gpkg`. Raises CatalogError where
    predictions are missing or stale, ConfigError where there is no run to hold against, and what reading the
    map raises.
    """
    if against is not None and against.suffix.lower() in (".yaml", ".yml"):
        old = load_settings(against, {"data": settings.data})
        progress("plan", 0, 2)
        before, name = replay(old), str(against)
        reviews = _reviews(settings)
        if reviews:
            before = with_verdicts(before, read_review(reviews[-1]))
    else:
        review = _review_of(settings, against)
        before, name = read_review(review), review.parent.name
    progress("plan", 1, 2)
    after = replay(settings)
    plan = difference(
        before,
        after,
        flight_id=settings.flight.name,
        against=name,
    )
    progress("plan", 2, 2)
    if output is not None:
        frames = {"appearing": plan.appearing, "vanishing": plan.vanishing, "changed": plan.changed}
        write_plan(
            output / "plan.gpkg",
            frames,
            crs=crs_name(parse_crs(settings.crs)),
            language=settings.publish.language,
        )
    return plan


def replay(settings: Settings) -> gpd.GeoDataFrame:
    """Return the discrepancies that a run under *settings* would find in what is predicted already.

    Sheets that changed since they were cut are a run's to notice. Raises CatalogError where a tile has no
    prediction, or one of another model or other settings.
    """
    model = assessment.open_model(settings)
    mapped, _ = assessment.open_map(settings)
    flight_id = settings.flight.name
    scheme = _stored_scheme(settings, flight_id, model)
    with tempfile.TemporaryDirectory(prefix="geoai-plan-") as folder:
        compared = assessment.compare_stored(
            settings,
            scheme,
            model,
            flight_id,
            mapped,
            Path(folder),
            before=assessment.open_previous(settings, model),
            photo_date=settings.flight.date,
            keep=False,
        )
    found = compared.discrepancies
    rows = found.drop(columns="geometry").to_dict("records")
    return found.assign(reason=[reason(row, settings.publish.language) for row in rows])


def _stored_scheme(settings: Settings, flight_id: str, model: ModelPackage) -> TileScheme:
    """Return the scheme of the stored tiles; raise CatalogError unless every one is predicted as set."""
    store, name = open_catalog(settings), f"{flight_id}.{model.id}"
    images = {item["id"]: item for item in store.items(flight_id)}
    if not images:
        raise CatalogError(f"{settings.data}: expected tiles of flight {flight_id}, found none; run it first")
    properties = next(iter(images.values()))["properties"]
    scheme = TileScheme(parse_crs(settings.crs), properties["gsd"], settings.tiling.tile_m)
    wanted = crs_name(scheme.crs), settings.tiling.gsd_m or scheme.gsd_m, scheme.tile_m
    left, _, right, _ = properties["proj:bbox"]
    stored = properties["proj:code"], scheme.gsd_m, round(right - left)
    if wanted != stored:
        texts = ["{} with pixels of {:g} m and tiles of {} m".format(*each) for each in (wanted, stored)]
        raise CatalogError(f"{flight_id}: expected tiles in {texts[0]}, found {texts[1]}; run it first")
    stale = [
        tile
        for tile in images
        if not store.is_done(name, tile, prediction_mark(tile, images, scheme, settings.prediction, model)[1])
    ]
    if stale:
        missing = sum(not store.item_path(name, tile).exists() for tile in stale)
        found = f"{missing} missing and {len(stale) - missing} of other settings, e.g. {stale[0]}"
        raise CatalogError(
            f"{name}: expected {len(images)} predictions made as configured, found {found}; run it first"
        )
    return scheme


def _reviews(settings: Settings) -> list[Path]:
    """Return the reviews of the flight's runs, the latest last: the standing one after the run it shows."""
    folder = settings.data / "runs" / settings.flight.name
    started = []
    for path in folder.glob("*/review.gpkg"):
        row = pyogrio.read_dataframe(path, layer="run", columns=["started"], read_geometry=False)
        started.append((row["started"].max(), path.parent.name == FOLDER, path))
    return [path for *_, path in sorted(started)]


def _review_of(settings: Settings, against: Path | None) -> Path:
    if against is not None:
        review = against if against.suffix == ".gpkg" else against / "review.gpkg"
        if not review.is_file():
            raise ConfigError(f"--against: expected the folder of a run or a YAML file, found {against}")
        return review
    reviews = _reviews(settings)
    if not reviews:
        folder = settings.data / "runs" / settings.flight.name
        raise ConfigError(f"{folder}: expected a run to hold against, found none; name one with --against")
    return reviews[-1]


def read_review(path: Path) -> gpd.GeoDataFrame:
    """Return the signals that the run of a review found itself, with what was decided of them."""
    try:
        found = pyogrio.read_dataframe(path, layer="discrepancy")
        runs = pyogrio.read_dataframe(path, layer="run", columns=["run_id", "started"], read_geometry=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise ConfigError(f"{path}: expected a review, found {' '.join(str(error).split())}") from None
    latest = runs.sort_values("started")["run_id"].iloc[-1]
    return found[found["run_id"] == latest].drop(columns="chip").reset_index(drop=True)


def same_signals(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> tuple[Rows, Rows]:
    """Return the rows of *before* and of *after* that are the same signal, as the ledger would say."""
    carried = carried_from(after, before)
    new = np.flatnonzero(carried >= 0)
    return carried[new], new


def with_verdicts(signals: gpd.GeoDataFrame, reviewed: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return *signals* with the identity and the verdicts of the *reviewed* ones that are the same."""
    old, new = same_signals(reviewed, signals)
    result = signals.reset_index(drop=True)
    for column in ("discrepancy_id", "status", "reject_reason", "comment"):
        result[column] = pd.Series(reviewed[column].to_numpy()[old], index=new, dtype=object)
    return result


def difference(
    before: gpd.GeoDataFrame,
    after: gpd.GeoDataFrame,
    *,
    flight_id: str = "",
    against: str = "",
) -> Plan:
    """Return what makes *after* another list than *before* (discrepancies; decided ones have a status)."""
    before, after = before.reset_index(drop=True), after.reset_index(drop=True)
    old, new = same_signals(before, after)
    rows = _rows(after).reset_index(drop=True)
    was = _rows(before)
    for column in ("discrepancy_id", "verdict", "verdict_reason", "comment"):
        rows[column] = pd.Series(was[column].to_numpy()[old], index=new, dtype=object).reindex(rows.index)
    for column, source in (("class_before", "class"), ("policy_before", "policy_group")):
        rows[column] = pd.Series(was[source].to_numpy()[old], index=new, dtype=object).reindex(rows.index)
    rows["area_before_m2"] = pd.Series(was["area_m2"].to_numpy()[old], index=new).reindex(rows.index)
    was["class_before"], was["policy_before"] = was["class"], was["policy_group"]
    stays = rows.index.isin(new)
    other_class = rows["class_before"] != rows["class"]
    other_policy = rows["policy_before"].fillna("") != rows["policy_group"].fillna("")
    other_area = (rows["area_m2"] / rows["area_before_m2"] - 1).abs() > OTHER_AREA
    gone = was[~was.index.isin(old)]
    moved = rows[stays & (other_class | other_policy)]
    asked_again = rows[stays & ~other_class & other_area & (rows["verdict"] == "rejected")]
    touched = [
        gone.assign(effect="lost"),
        moved[moved["class"] != moved["class_before"]].assign(effect="other_class"),
        asked_again.assign(effect="other_area"),
    ]
    verdicts = pd.concat([frame[frame["verdict"].isin(DECIDED)] for frame in touched], ignore_index=True)
    return Plan(
        flight_id,
        against,
        appearing=_sorted(rows[~stays]),
        vanishing=_sorted(gone),
        changed=_sorted(moved),
        verdicts=_sorted(gpd.GeoDataFrame(verdicts, geometry="geometry", crs=after.crs)),
        before=_counted(before),
        after=_counted(after),
    )


def _rows(signals: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the signals with the columns of the plan's tables; area_m2 is that of the evidence."""
    points = shapely.centroid(signals.geometry.to_numpy())
    known = {
        name: signals[name].to_numpy(dtype=object) if name in signals else None
        for name in ("policy_group", "length_m", "discrepancy_id", "status", "reject_reason", "comment")
    }
    return gpd.GeoDataFrame(
        {
            **{name: signals[name].to_numpy() for name in ("class", "theme", "map_object_ids", "p_mean")},
            "priority": signals["priority"].to_numpy(),
            "area_m2": shapely.area(signals.geometry.to_numpy()),
            "length_m": known["length_m"],
            "policy_group": known["policy_group"],
            "reason": signals["reason"].to_numpy(),
            "discrepancy_id": known["discrepancy_id"],
            "verdict": known["status"],
            "verdict_reason": known["reject_reason"],
            "comment": known["comment"],
            "x": shapely.get_x(points).round(1),
            "y": shapely.get_y(points).round(1),
        },
        geometry=signals.geometry.to_numpy(),
        crs=signals.crs,
    )


def _sorted(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows as a list is read: what is put before a reviewer first, then by priority."""
    hidden = ~frame.index.isin(put_before(frame).index)
    order = np.lexsort((frame["x"], -frame["y"], -frame["priority"], hidden))
    return frame.iloc[order].reset_index(drop=True)


def _counted(signals: gpd.GeoDataFrame) -> dict[str, int]:
    return {str(key): int(count) for key, count in signals["class"].value_counts().items()}


def _records(frame: pd.DataFrame, columns: list[str]) -> list[dict[str, Any]]:
    known = pd.DataFrame(frame[[name for name in columns if name in frame]])
    rows: list[dict[str, Any]] = json.loads(known.to_json(orient="records", double_precision=3))
    return rows
