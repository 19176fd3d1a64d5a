"""The classes of discrepancy, in the order in which they are tried: the first that holds is the case's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoai.config import CompareSettings
from geoai.evidence import Cases
from geoai.extents import HALF, Mask

REPLACED_IOU = 0.4
REPLACED_SHARE = 0.3
"""What is added and what is gone are both as much of what is seen and what is mapped: another building."""


class Rule(NamedTuple):
    """A class of discrepancy: its family, its weight in the priority, and when it holds."""

    name: str
    family: str
    weight: float
    holds: Callable[[Cases, CompareSettings], Mask]


RULES = (
    Rule("not_assessable", "assessability", 0.05, lambda c, s: ~c.assessable | (_free(c, s) & c.near_edge)),
    Rule("duplicate_in_map", "map", 0.3, lambda c, s: c.twice),
    Rule("planned_built", "presence", 0.8, lambda c, s: c.planned & (c.seen_share >= HALF)),
    Rule("below_min", "presence", 0.02, lambda c, s: (_free(c, s) | _alone(c)) & (c.size_m2 < s.min_area_m2)),
    Rule("missing", "presence", 1.0, lambda c, s: _free(c, s)),
    Rule(
        "demolished",
        "presence",
        1.0,
        lambda c, s: (
            _alone(c)
            & (c.p_map < s.demolished_mean)
            & (c.p_map_q95 < s.demolished_p95)
            & ~(c.height_m >= s.height.standing_m)
        ),
    ),
    Rule("recomposed", "extent", 0.2, lambda c, s: c.recomposed),
    Rule("replaced", "extent", 0.9, lambda c, s: _replaced(c, s)),
    Rule("moved", "extent", 0.6, lambda c, s: c.moved & (_shift_m(c) > c.tolerance_m)),
    Rule("reshaped", "extent", 0.7, lambda c, s: (c.plus_m2 > 0) & _gone(c, s)),
    Rule("extended", "extent", 0.8, lambda c, s: c.plus_m2 > 0),
    Rule("reduced", "extent", 0.7, lambda c, s: _gone(c, s)),
    Rule(
        "uncertain_absence",
        "presence",
        0.2,
        lambda c, s: _alone(c) | ((c.minus_m2 > 0) & (c.seen_share < HALF)),
    ),
    Rule("split", "extent", 0.3, lambda c, s: c.p_split < s.reduced_mean),
    Rule("merged", "extent", 0.3, lambda c, s: c.p_merged >= s.missing_confidence),
    Rule("confirmed", "presence", 0.0, lambda c, s: c.mapped),
)
"""The first that holds. What none holds for is a detection too unsure to report."""


def _free(c: Cases, s: CompareSettings) -> Mask:
    """Seen, sure enough, and not mapped."""
    mask: Mask = ~c.mapped & (c.p_seen >= s.missing_confidence)
    return mask


def _alone(c: Cases) -> Mask:
    """Mapped as standing, and nothing seen."""
    mask: Mask = c.mapped & ~c.planned & (c.seen == 0)
    return mask


def _gone(c: Cases, s: CompareSettings) -> Mask:
    """Part of what is mapped is not there, and nothing hides it."""
    mask: Mask = (c.minus_m2 > 0) & (c.p_minus < s.reduced_mean) & (c.minus_visible >= s.visible_share)
    return mask


def _replaced(c: Cases, s: CompareSettings) -> Mask:
    """Another building stands there: much is gone and much was added, wherever the two are laid.

    Where one contains the other it is an extension or a reduction, however large; and what is gone must be
    seen to be gone, as for a reduction.
    """
    much = (c.plus_m2 >= REPLACED_SHARE * c.area_image_m2) & (c.minus_m2 >= REPLACED_SHARE * c.area_map_m2)
    mask: Mask = (c.plus_m2 > 0) & _gone(c, s) & ((c.iou_aligned < REPLACED_IOU) | much)
    return mask


def _shift_m(c: Cases) -> NDArray[np.float64]:
    """How far the image of a case lies from where the map has it."""
    metres: NDArray[np.float64] = np.hypot(c.shift_dx_m, c.shift_dy_m)
    return metres


def classify(cases: Cases, settings: CompareSettings) -> NDArray[Any]:
    """Return the first class of RULES that holds for each case, '' for none."""
    holds = [np.asarray(rule.holds(cases, settings), bool) for rule in RULES]
    return np.select(holds, [rule.name for rule in RULES], default="").astype(object)
