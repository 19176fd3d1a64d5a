"""Plots with houses: drives, garages, hedges, and what lies about on lawns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from shapely.geometry import Polygon

from geoai.scene.buildings import Form, plan_house, plan_shed
from geoai.scene.canvas import CROWN, LAWN, PAVING, SMOOTH, SOIL, WATER, Rect
from geoai.scene.confusions import glasshouse, playground, rock, slab, sports_court, trailer
from geoai.scene.streets import ROAD_HALF_M, VERGE_M
from geoai.scene.style import Colour, varied
from geoai.scene.town import Cell, Town


@dataclass(frozen=True)
class _Plot:
    """A garden: x along the street from its middle, y from the street inwards, metres."""

    town: Town
    u: float
    front: float
    side: float  # +1: the plot lies on the side of growing v
    width: float
    depth: float

    @property
    def angle(self) -> float:
        """Return the street's direction before the plot, radians in the image plane."""
        return self.town.heading(self.u, self.front)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the scene's point (x, y) of the plot's point."""
        return self.town.point(self.u + x, self.front + self.side * y)

    def rect(self, x: float, y: float, half_x: float, half_y: float) -> Rect:
        """Return the rectangle around the plot's point (x, y), *half_x* along the street."""
        at = self.at(x, y)
        return Rect(*at, half_x, half_y, self.angle)


def suburb(town: Town, cell: Cell) -> None:
    """Cut the cell into two rows of plots, back to back, now and then with a court or playground for all."""
    rng = town.rng
    edge = ROAD_HALF_M + VERGE_M
    depth = (cell.v1 - cell.v0) / 2 - edge
    formed: tuple[Form, ...] = ("gable", "hip", "flat")
    usual = formed[int(rng.choice(3, p=[0.64, 0.24, 0.12]))]
    for side in (1.0, -1.0):
        u = cell.u0 + edge + 1
        front = cell.v0 + edge if side > 0 else cell.v1 - edge
        while True:
            common = rng.random() < 0.035
            width = float(rng.uniform(36, 44) if common else rng.uniform(19, 28))
            if u + width > cell.u1 - edge:
                break
            plot = _Plot(town, u + width / 2, front, side, width, depth)
            if common:
                (sports_court if rng.random() < 0.6 else playground)(town, *plot.at(0, depth / 2), plot.angle)
                _hedges(town, plot)
            else:
                _plot(town, plot, usual)
            u += width


def _plot(town: Town, plot: _Plot, usual: Form) -> None:
    """Lay out one garden: lawn, drive, house, garage, shed, hedges, trees, and what lies about."""
    rng, style = town.rng, town.style
    w, d = plot.width, plot.depth
    town.canvas.polygon(plot.rect(0, d / 2, w / 2, d / 2).corners, varied(rng, style.grass, 0.09, 4), LAWN)
    house_half = float(rng.uniform(4.5, min(7.5, w / 2 - 4.2))), float(rng.uniform(3.6, 5.0))
    setback = float(rng.uniform(5, 9))
    side = float(rng.choice([-1.0, 1.0]))
    shift = -side * (w / 2 - house_half[0] - 1.6) * float(rng.uniform(0.6, 1.0))
    body = plot.rect(shift, setback + house_half[1], *house_half)
    if rng.random() < 0.10:
        town.vacant.append(Polygon(body.corners))
        return
    bodies = [body]
    if rng.random() < 0.42:
        bodies.append(_wing(town, plot, body))
    _yard(town, plot, side, shift, setback, house_half)
    form: Form = usual if rng.random() < 0.75 else ("gable", "hip", "flat")[int(rng.integers(3))]
    town.planned.append(plan_house(rng, tuple(bodies), eaves=float(rng.uniform(2.8, 5.6)), form=form))


def _wing(town: Town, plot: _Plot, body: Rect) -> Rect:
    """Return a wing towards the garden: it begins at the main ridge, so that its roof runs into it."""
    rng = town.rng
    out = float(rng.uniform(4.6, 7.0))
    wide = float(rng.uniform(2.7, min(3.8, body.half_length * 0.6)))
    end = float(rng.choice([-1.0, 1.0])) * (body.half_length - wide - float(rng.uniform(0.3, 0.8)))
    reach = (body.half_width + out) / 2
    return Rect(*body.at(end, plot.side * reach), wide, reach, body.angle)


def _yard(
    town: Town, plot: _Plot, side: float, shift: float, setback: float, half: tuple[float, float]
) -> None:
    """Fill the garden around the house. *side* is where the drive is, in the plot's x."""
    rng, style = town.rng, town.style
    w, d = plot.width, plot.depth
    drive = side * (w / 2 - 2.3)
    colour = varied(rng, style.asphalt if rng.random() < 0.5 else style.gravel, 0.10, 2.0)
    long = setback + float(rng.uniform(2, 9))
    town.canvas.polygon(plot.rect(drive, long / 2 - 0.8, 1.9, long / 2 + 0.8).corners, colour, PAVING)
    back = setback + 2 * half[1]
    if rng.random() < 0.05:
        reach = float(rng.uniform(2, 3.5))
        slab(town, *plot.at(drive - side * (reach + 1.9), 0.6 + reach), plot.angle, reach_m=reach)
    if rng.random() < 0.55 and w / 2 + abs(shift) - half[0] > 6.6:
        garage = plot.rect(side * (w / 2 - 3.0), long + 2.6, 2.4, float(rng.uniform(2.9, 3.6)))
        town.planned.append(plan_shed(rng, garage, eaves=2.4))
    elif rng.random() < 0.7:
        town.car(*plot.at(drive, float(rng.uniform(2.5, max(3.0, long - 3)))), plot.angle + math.pi / 2)
    if rng.random() < 0.5:
        town.car(*plot.at(drive, 2.6), plot.angle + math.pi / 2)
    if rng.random() < 0.03:
        trailer(town, *plot.at(drive - side * 3.2, 3.4), plot.angle + math.pi / 2)
    if rng.random() < 0.45:
        at = float(rng.uniform(-0.8, 0.8)) * (w / 2 - 3)
        hut = plot.rect(at, d - float(rng.uniform(2.6, 4.0)), rng.uniform(1.6, 1.95), rng.uniform(1.3, 1.6))
        town.planned.append(plan_shed(rng, hut, eaves=2.1))
    if rng.random() < 0.6:
        deck = plot.rect(shift, back + 1.6, float(rng.uniform(1.8, 3.8)), 1.8)
        tone: Colour = (150, 122, 94) if rng.random() < 0.6 else (170, 166, 160)
        town.canvas.polygon(deck.corners, varied(rng, tone, 0.1), PAVING)
    for _ in range(int(rng.integers(0, 4))):
        bed = plot.rect(
            float(rng.uniform(-0.8, 0.8)) * w / 2, float(rng.uniform(back + 3, d - 2)),
            float(rng.uniform(0.6, 2.5)), float(rng.uniform(0.4, 1.0)),
        )  # fmt: skip
        town.canvas.polygon(bed.corners, varied(rng, (92, 76, 58), 0.15, 8), SOIL)
    _toys(town, plot, back)
    _hedges(town, plot)
    for _ in range(int(rng.integers(0, 5))):
        x, y = float(rng.uniform(-0.5, 0.5)) * w, float(rng.uniform(back + 2.5, d))
        town.tree(*plot.at(x, y), "conifer" if rng.random() < 0.2 else "broad")
    if rng.random() < 0.4:
        town.tree(*plot.at(shift - side * (half[0] + 1.2), setback + half[1] * rng.uniform(0, 2)), "broad")
    for _ in range(int(rng.integers(1, 7))):
        town.tree(*plot.at(rng.uniform(-0.48, 0.48) * w, rng.uniform(back + 1, d)), "bush")


def _toys(town: Town, plot: _Plot, back: float) -> None:
    """Put a trampoline, a pool, a sand pit, a glasshouse or a rock on some lawns: none is a building."""
    rng = town.rng
    spot = float(rng.uniform(-0.3, 0.3)) * plot.width, float(rng.uniform(back + 4, plot.depth - 3))
    dice = rng.random()
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    x, y = plot.at(*spot)
    ring = np.column_stack([x + np.cos(turn), y + np.sin(turn)]) - (x, y)
    if dice < 0.12:
        town.canvas.polygon(ring * 2.0 + (x, y), (58.0, 82.0, 120.0), SMOOTH)
        town.canvas.polygon(ring * 1.6 + (x, y), (40.0, 40.0, 44.0), SMOOTH)
    elif dice < 0.16:
        pool = Rect(x, y, float(rng.uniform(2.2, 4)), float(rng.uniform(1.5, 2.2)), plot.angle)
        rim = replace(pool, half_length=pool.half_length + 0.8, half_width=pool.half_width + 0.8)
        town.canvas.polygon(rim.corners, (190.0, 186.0, 178.0), PAVING)
        town.canvas.polygon(pool.corners, (96.0, 168.0, 188.0), WATER)
    elif dice < 0.21:
        playground(town, x, y, plot.angle, reach_m=float(rng.uniform(1.0, 2.4)))
    elif dice < 0.235:
        glasshouse(town, x, y, plot.angle + float(rng.choice([0.0, math.pi / 2])))
    elif dice < 0.25:
        rock(town, x, y, float(rng.uniform(0, math.pi)), reach_m=float(rng.uniform(1.5, 3.5)))


def _hedges(town: Town, plot: _Plot) -> None:
    """Plant hedges along some borders of the garden."""
    rng = town.rng
    w, d = plot.width, plot.depth
    green = np.array(town.style.leaves)
    for x, y, a, b in (
        (-w / 2, d / 2, 0.4, d / 2 - 1),
        (w / 2, d / 2, 0.4, d / 2 - 1),
        (0.0, d, w / 2, 0.4),
    ):
        if rng.random() < 0.4:
            town.boxes.append((plot.rect(x, y, a, b), rng.uniform(1.0, 2.0), varied(rng, green, 0.1), CROWN))
