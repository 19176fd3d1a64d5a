"""The land divided into blocks, and the order in which things are drawn on each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from geoai.scene.canvas import FLOOR, LAWN, MEADOW, SOIL
from geoai.scene.gardens import suburb
from geoai.scene.landuse import field, flats, forest, park, water, works
from geoai.scene.streets import pave_streets
from geoai.scene.style import Colour, varied
from geoai.scene.town import Cell, Town, Use

SETTLE: dict[Use, Callable[[Town, Cell], None]] = {
    "suburb": suburb,
    "flats": flats,
    "works": works,
    "park": park,
    "field": field,
    "forest": forest,
    "water": water,
}


def lay_out(town: Town) -> None:
    """Draw everything."""
    rows = _cells(town)
    cells = [cell for row in rows for cell in row]
    for cell in cells:
        _ground(town, cell)
    pave_streets(town, rows)
    for cell in cells:
        SETTLE[cell.use](town, cell)
    town.build()
    town.plant()


def _cells(town: Town) -> list[list[Cell]]:
    """Return the blocks by row of v, each with its use drawn from a smooth field over the ground."""
    rng = town.rng
    reach = math.hypot(town.width_m, town.height_m) / 2 + 60
    vs, us = [-reach], [-reach]
    while vs[-1] < reach:
        vs.append(vs[-1] + float(rng.uniform(70, 84)))
    while us[-1] < reach:
        us.append(us[-1] + float(rng.uniform(110, 190)))
    waves = rng.normal(0, 1 / 260, (5, 2)), rng.uniform(0, 2 * math.pi, 5)
    middles = [
        [(0.5 * (u0 + u1), 0.5 * (v0 + v1)) for u0, u1 in itertools.pairwise(us)]
        for v0, v1 in itertools.pairwise(vs)
    ]
    smooth = np.array([[np.sin(waves[0] @ np.array(m) * 2 + waves[1]).sum() for m in row] for row in middles])
    shares = np.array([0.12, 0.11, 0.04, 0.06, 0.53, 0.08, 0.06]) * rng.uniform(0.7, 1.3, 7)
    uses: tuple[Use, ...] = ("forest", "field", "water", "park", "suburb", "flats", "works")
    edges = np.quantile(smooth, np.cumsum(shares / shares.sum())[:-1])
    index = np.searchsorted(edges, smooth)
    return [
        [Cell(u0, u1, v0, v1, uses[index[r, c]]) for c, (u0, u1) in enumerate(itertools.pairwise(us))]
        for r, (v0, v1) in enumerate(itertools.pairwise(vs))
    ]


def _ground(town: Town, cell: Cell) -> None:
    rng, style = town.rng, town.style
    outline = town.area(cell.u0, cell.u1, cell.v0, cell.v1)
    if cell.use == "forest":
        town.canvas.polygon(outline, varied(rng, np.array(style.needles) * 1.15, 0.08), FLOOR)
    elif cell.use in ("park", "water"):
        town.canvas.polygon(outline, varied(rng, style.grass, 0.08), MEADOW)
    elif cell.use == "field":
        _crop(town, cell)
    else:
        town.canvas.polygon(outline, varied(rng, style.grass, 0.05), LAWN)


def _crop(town: Town, cell: Cell) -> None:
    """Sow one crop or two in the cell, with furrows and tramlines."""
    rng = town.rng
    middle = float(rng.uniform(0.35, 0.65)) * (cell.u1 - cell.u0) + cell.u0
    crops: tuple[Colour, ...] = (
        (176, 152, 104), (120, 96, 76), (96, 122, 62), (128, 142, 78), (196, 180, 126), (146, 120, 92)
    )  # fmt: skip
    for u0, u1 in ((cell.u0, middle), (middle, cell.u1)):
        outline = town.area(u0, u1, cell.v0, cell.v1)
        town.canvas.polygon(outline, varied(rng, crops[int(rng.integers(len(crops)))], 0.08), SOIL)
        angle = town.heading(middle, cell.v0) + float(rng.choice([0.0, math.pi / 2]))
        town.canvas.stripes(
            outline, angle=angle, period_m=float(rng.uniform(0.9, 3.0)), depth=0.06, sharp=1.0
        )
        town.canvas.stripes(outline, angle=angle, period_m=float(rng.uniform(12, 24)), depth=0.05, sharp=4)
