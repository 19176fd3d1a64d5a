"""What each kind of land holds, but for the gardens: woods, water, parks, blocks of flats and works."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from geoai.scene.buildings import Form, plan_block, plan_house
from geoai.scene.canvas import ASPHALT, GRAVEL, MEADOW, PAVING, SMOOTH, WATER, Rect
from geoai.scene.confusions import jetty, playground, rock, slab, sports_court, storage, trailer
from geoai.scene.style import Colour, varied
from geoai.scene.town import Cell, Town


def forest(town: Town, cell: Cell) -> None:
    """Fill the cell with trees; cabins may stand under the crowns."""
    rng = town.rng
    step = 3.3
    us, vs = np.arange(cell.u0, cell.u1, step), np.arange(cell.v0, cell.v1, step)
    grid_u, grid_v = np.meshgrid(us, vs)
    u = (grid_u + rng.normal(0, 0.9, grid_u.shape)).ravel()
    v = (grid_v + rng.normal(0, 0.9, grid_v.shape)).ravel()
    broad = rng.random()
    keep = rng.random(u.size) < 0.93
    for a, b in zip(u[keep], v[keep], strict=True):
        sort = "broad" if rng.random() < 0.35 * broad else "conifer"
        town.tree(*town.point(a, b), sort, wild=True)
    for _ in range(int(rng.integers(0, 4))):
        a, b = rng.uniform(cell.u0 + 25, cell.u1 - 25), rng.uniform(cell.v0 + 22, cell.v1 - 22)
        x, y = town.point(a, b)
        body = Rect(x, y, rng.uniform(4.5, 6), rng.uniform(3.4, 4.2), town.heading(a, b))
        town.planned.append(plan_house(rng, (body,), eaves=2.6))
    _rocks(town, cell, int(rng.integers(0, 2)))


def field(town: Town, cell: Cell) -> None:
    """Leave the crop alone but for a tree at its border."""
    for _ in range(int(town.rng.integers(0, 5))):
        town.tree(*town.point(town.rng.uniform(cell.u0, cell.u1), cell.v0 + 3), "broad")
    _rocks(town, cell, int(town.rng.random() < 0.3))


def _rocks(town: Town, cell: Cell, number: int) -> None:
    for _ in range(number):
        u, v = town.rng.uniform(cell.u0 + 10, cell.u1 - 10), town.rng.uniform(cell.v0 + 10, cell.v1 - 10)
        rock(town, *town.point(u, v), town.rng.uniform(0, math.pi))


def water(town: Town, cell: Cell) -> None:
    """Dig a pond with a reedy shore."""
    rng = town.rng
    turn = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    wobble = 1 + 0.12 * np.sin(2 * turn + rng.uniform(0, 6)) + 0.07 * np.sin(5 * turn + rng.uniform(0, 6))
    middle = 0.5 * (cell.u0 + cell.u1), 0.5 * (cell.v0 + cell.v1)
    reach = 0.37 * (cell.u1 - cell.u0), 0.35 * (cell.v1 - cell.v0)
    colour = varied(rng, (46, 58, 56) if rng.random() < 0.6 else (70, 84, 84), 0.12)
    for grow, paint, surface in ((1.08, (112.0, 108.0, 74.0), MEADOW), (1.0, colour, WATER)):
        shore = [
            town.point(
                middle[0] + grow * w * reach[0] * math.cos(t),
                middle[1] + grow * w * reach[1] * math.sin(t),
            )
            for t, w in zip(turn, wobble, strict=True)
        ]
        town.canvas.polygon(np.array(shore), paint, surface)
    heart = town.point(*middle)
    for landing in rng.choice(len(shore), int(rng.integers(0, 4)), replace=False):
        x, y = shore[landing]
        jetty(town, x, y, math.atan2(heart[1] - y, heart[0] - x))
    for _ in range(int(rng.integers(4, 18))):
        t = rng.uniform(0, 2 * math.pi)
        u, v = middle[0] + 1.2 * reach[0] * math.cos(t), middle[1] + 1.25 * reach[1] * math.sin(t)
        town.tree(*town.point(u, v), "broad")


def park(town: Town, cell: Cell) -> None:
    """Lay a path, and a pitch, a court, a playground or bare rock among trees."""
    rng, style = town.rng, town.style
    us = np.linspace(cell.u0, cell.u1, 30)
    v = rng.uniform(cell.v0 + 15, cell.v1 - 15)
    path = np.array([town.point(u, v + 7 * math.sin(u / 22)) for u in us])
    town.canvas.ribbon(path, 1.2, varied(rng, style.gravel, 0.05), GRAVEL)
    w = cell.v1 - 17 if v < 0.5 * (cell.v0 + cell.v1) else cell.v0 + 17
    things: tuple[Callable[[Town, float, float, float], None], ...]
    things = _pitch, sports_court, playground, rock
    for share, pick in zip((0.2, 0.5, 0.8), rng.permutation(4)[:3], strict=True):
        if rng.random() < 0.75:
            u = cell.u0 + share * (cell.u1 - cell.u0)
            things[pick](town, *town.point(u, w), town.heading(u, w))
    for _ in range(int(rng.integers(15, 70))):
        sort = "conifer" if rng.random() < 0.2 else "broad"
        town.tree(*town.point(rng.uniform(cell.u0, cell.u1), rng.uniform(cell.v0 + 6, cell.v1 - 6)), sort)


def _pitch(town: Town, x: float, y: float, angle: float) -> None:
    pitch = Rect(x, y, town.rng.uniform(9, 18), town.rng.uniform(6, 10), angle)
    town.canvas.polygon(pitch.corners, varied(town.rng, (186, 164, 130), 0.08), GRAVEL)


def flats(town: Town, cell: Cell) -> None:
    """Set slab blocks in lawns with car parks, courts and playgrounds."""
    rng = town.rng
    u, inner = cell.u0 + 12, (cell.v0 + 10, cell.v1 - 10)
    form: Form = "flat" if rng.random() < 0.6 else ("hip" if rng.random() < 0.5 else "gable")
    eaves = float(rng.uniform(8.5, 14))
    terraces = rng.random() < 0.35
    while u + 36 < cell.u1 - 8:
        if terraces:
            _terraces(town, u + 16, inner)
        elif rng.random() < 0.68:
            length, wide = float(rng.uniform(13, 17)), float(rng.uniform(5.2, 7.0))
            v = float(rng.uniform(inner[0] + 7, inner[1] - 7))
            x, y = town.point(u + 16, v)
            body = Rect(x, y, length, wide, town.heading(u + 16, v))
            town.planned.append(plan_block(rng, body, form, eaves, "block"))
            _path(town, u + 16, v, cell)
            _about_block(town, body, inner, u + 16, v)
        elif rng.random() < 0.6:
            v = 0.5 * (inner[0] + inner[1])
            sports_court(town, *town.point(u + 16, v), town.heading(u + 16, v) + math.pi / 2)
        else:
            _car_park(town, u + 2, u + 32, inner)
        u += 38
    for _ in range(int(rng.integers(6, 25))):
        town.tree(*town.point(rng.uniform(cell.u0 + 6, cell.u1 - 6), rng.choice(inner)), "broad")


def _about_block(town: Town, body: Rect, inner: tuple[float, float], u: float, v: float) -> None:
    """Lay a paved square along the block and a playground across the lawn from it."""
    rng = town.rng
    across = 1.0 if v < 0.5 * (inner[0] + inner[1]) else -1.0
    if rng.random() < 0.3:
        reach = float(rng.uniform(2.5, 6))
        at = body.at(rng.uniform(-7, 7), across * (body.half_width + reach))
        slab(town, *at, body.angle, reach_m=reach)
    if rng.random() < 0.3:
        w = (inner[1] if across > 0 else inner[0]) - across * 6
        playground(town, *town.point(u + float(rng.choice([-9, 9])), w), body.angle)


def _terraces(town: Town, u: float, inner: tuple[float, float]) -> None:
    """Set two rows of terraced houses, each under one long roof, with strips of garden behind."""
    rng = town.rng
    for v, out in ((inner[0] + 8, 1.0), (inner[1] - 8, -1.0)):
        half = 2.9 * int(rng.integers(3, 6))
        body = Rect(*town.point(u, v), half, float(rng.uniform(4.0, 5.0)), town.heading(u, v))
        house = plan_house(rng, (body,), eaves=float(rng.uniform(3.0, 6.0)))
        town.planned.append(replace(house, kind="block"))
        for along in np.arange(-half, half + 0.1, 5.8):
            fence = Rect(*town.point(u + along, v + out * 9), 3.6, 0.1, body.angle + math.pi / 2)
            town.boxes.append((fence, 1.6, varied(rng, (128, 104, 84), 0.1), SMOOTH))
        for along in np.arange(2.9 - half, half, 5.8):
            patio = Rect(*town.point(u + along, v + out * 7), 2.4, 1.5, body.angle)
            town.canvas.polygon(patio.corners, varied(rng, (156, 150, 142), 0.12), PAVING)


def _path(town: Town, u: float, v: float, cell: Cell) -> None:
    line = np.array([town.point(u, w) for w in np.linspace(cell.v0 + 4, v, 6)])
    town.canvas.ribbon(line, 1.1, varied(town.rng, town.style.asphalt, 0.06), PAVING)


def _car_park(town: Town, u0: float, u1: float, inner: tuple[float, float]) -> None:
    """Pave a car park with marked bays, most of them taken."""
    rng = town.rng
    town.canvas.polygon(town.area(u0, u1, *inner), varied(rng, town.style.asphalt, 0.06, 1.0), ASPHALT)
    taken = rng.uniform(0.3, 0.85)
    for v in (inner[0] + 3, inner[1] - 3, 0.5 * (inner[0] + inner[1])):
        for u in np.arange(u0 + 1.5, u1 - 1, 2.6):
            angle = town.heading(u, v) + math.pi / 2
            line = Rect(*town.point(u - 1.3, v), 2.3, 0.07, angle)
            town.canvas.polygon(line.corners, (205.0, 205.0, 202.0), SMOOTH)
            if rng.random() < taken:
                park_one = town.car if rng.random() > 0.04 else partial(trailer, town)
                park_one(*town.point(u, v), angle + rng.normal(0, 0.03))


def works(town: Town, cell: Cell) -> None:
    """Set halls on a paved or gravelled yard with lorries and cars."""
    rng, style = town.rng, town.style
    yard = style.asphalt if rng.random() < 0.6 else style.gravel
    surface = ASPHALT if yard == style.asphalt else GRAVEL
    inner = (cell.v0 + 7, cell.v1 - 7)
    town.canvas.polygon(town.area(cell.u0 + 7, cell.u1 - 7, *inner), varied(rng, yard, 0.06), surface)
    u = cell.u0 + 10
    while u + 44 < cell.u1 - 8:
        length, wide = float(rng.uniform(15, 20)), float(rng.uniform(9, 15))
        v = inner[0] + wide + 2 if rng.random() < 0.5 else inner[1] - wide - 2
        body = Rect(*town.point(u + 21, v), length, wide, town.heading(u + 21, v))
        form: Form = "flat" if rng.random() < 0.6 else "gable"
        town.planned.append(plan_block(rng, body, form, float(rng.uniform(5, 9)), "hall"))
        away = inner[1] - 5 if v < 0.5 * (inner[0] + inner[1]) else inner[0] + 5
        for du in np.arange(3, 40, 3.4):
            if rng.random() < 0.35:
                angle = town.heading(u + du, away) + math.pi / 2
                sort = rng.random()
                leave = town.lorry if sort < 0.3 else partial(trailer, town) if sort < 0.4 else town.car
                leave(*town.point(u + du, away), angle)
        _clutter(town, u, away)
        inward = away + math.copysign(13, v - away)
        for du in (12.0, 32.0):
            sort = rng.random()
            if sort < 0.5:
                at = town.point(u + du, inward)
                (storage if sort < 0.2 else slab)(town, *at, town.heading(u + du, inward))
        u += 46
    for _ in range(int(rng.integers(0, 8))):
        town.tree(*town.point(rng.uniform(cell.u0, cell.u1), cell.v0 + 6), "broad")


def _clutter(town: Town, u: float, v: float) -> None:
    """Leave containers, pallets and worn ground about a yard."""
    rng = town.rng
    for _ in range(int(rng.integers(2, 8))):
        at = town.point(u + float(rng.uniform(0, 44)), v + float(rng.normal(0, 5)))
        worn = Rect(*at, float(rng.uniform(1, 7)), float(rng.uniform(0.6, 3)), rng.uniform(0, math.pi))
        shade = np.array(town.style.asphalt) * rng.uniform(0.75, 1.2)
        town.canvas.polygon(worn.corners, varied(rng, shade, 0.03, 2.0), ASPHALT)
    for _ in range(int(rng.integers(0, 4))):
        at = town.point(u + float(rng.uniform(0, 44)), v + float(rng.normal(0, 3)))
        box = Rect(*at, float(rng.choice([3.0, 6.0])), 1.2, town.heading(u, v))
        paint: Colour = ((72, 92, 128), (140, 66, 54), (160, 160, 158), (84, 108, 90))[int(rng.integers(4))]
        town.boxes.append((box, 2.6, varied(rng, paint, 0.1), SMOOTH))
    for _ in range(int(rng.integers(0, 12))):
        at = town.point(u + float(rng.uniform(0, 44)), v + float(rng.normal(0, 5)))
        pallet = Rect(*at, 0.6, 0.4, rng.uniform(0, math.pi))
        town.boxes.append((pallet, rng.uniform(0.2, 1.5), varied(rng, (158, 136, 108), 0.2), SMOOTH))
