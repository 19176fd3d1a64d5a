"""Streets, tracks, and what drives on them."""

from __future__ import annotations

import itertools
import math

import numpy as np

from geoai.scene.canvas import ASPHALT, GRAVEL, PAVING, SMOOTH, Points, Rect
from geoai.scene.style import varied
from geoai.scene.town import Cell, Town, Use

ROAD_HALF_M = 3.0
VERGE_M = 1.1
NATURAL: frozenset[Use] = frozenset({"park", "field", "forest", "water"})


def pave_streets(town: Town, rows: list[list[Cell]]) -> None:
    """Pave the borders of built cells; a border between natural cells keeps a gravel track at times."""
    paved: list[Points] = []
    tracks: list[Points] = []
    for above, below in itertools.pairwise(rows):
        for top, bottom in zip(above, below, strict=True):
            us = np.linspace(bottom.u0, bottom.u1, 24)
            line = np.array([town.point(u, bottom.v0) for u in us])
            _sort_border(town, line, top.use, bottom.use, paved, tracks)
    for row in rows:
        for left, right in itertools.pairwise(row):
            line = np.array([town.point(right.u0, v) for v in np.linspace(right.v0, right.v1, 12)])
            _sort_border(town, line, left.use, right.use, paved, tracks)
    rng, style = town.rng, town.style
    verge = varied(rng, np.array(style.asphalt) * 1.12, 0.03, 1.0)
    for line in tracks:
        town.canvas.ribbon(line, 1.5, varied(rng, style.gravel, 0.05), GRAVEL)
    for line in paved:
        town.canvas.ribbon(line, ROAD_HALF_M + VERGE_M, verge, PAVING)
    for line in paved:
        town.canvas.ribbon(line, ROAD_HALF_M, varied(rng, style.asphalt, 0.015, 1.0), ASPHALT)
    for line in paved:
        _traffic(town, line)


def _sort_border(
    town: Town, line: Points, one: Use, other: Use, paved: list[Points], tracks: list[Points]
) -> None:
    if one not in NATURAL or other not in NATURAL:
        paved.append(line)
    elif town.rng.random() < 0.35:
        tracks.append(line)


def _traffic(town: Town, line: Points) -> None:
    """Mark the middle of some streets and park or drive a few cars on them."""
    rng = town.rng
    steps = np.diff(line, axis=0)
    marked = rng.random() < 0.35
    for (x, y), (dx, dy) in zip(line[:-1], steps, strict=True):
        angle, length = math.atan2(dy, dx), math.hypot(dx, dy)
        if marked:
            dash = Rect(x + dx / 2, y + dy / 2, min(1.5, length / 3), 0.1, angle)
            town.canvas.polygon(dash.corners, (214.0, 214.0, 210.0), SMOOTH)
        if rng.random() < 0.08:
            mend = Rect(x, y, float(rng.uniform(0.8, 5)), float(rng.uniform(0.4, 1.4)), angle)
            tone = np.array(town.style.asphalt) * rng.uniform(0.8, 1.1)
            town.canvas.polygon(mend.corners, varied(rng, tone, 0.02, 1.0), ASPHALT)
        if rng.random() < 0.05:
            off = float(rng.choice([-1.6, 1.6]))
            town.car(x - math.sin(angle) * off, y + math.cos(angle) * off, angle)
