"""What a network takes for buildings and what is none: courts, sand, rock, jetties, glass, trailers, slabs.

Each function draws one thing around the point (x, y), *angle* (radians) being the direction of its length
in the image plane. Flat things are painted on the ground at once; raised ones join `town.boxes`, which no
roof owns, so that none of it enters the mask.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from geoai.scene.canvas import GRAVEL, PAVING, SMOOTH, Points, Rect
from geoai.scene.style import Colour, varied
from geoai.scene.town import Town

WHITE: Colour = (222.0, 222.0, 218.0)
COURTS: tuple[Colour, ...] = (
    (72, 104, 142), (66, 112, 84), (152, 84, 66), (128, 132, 134), (178, 150, 116), (84, 128, 148),
)  # fmt: skip
TOYS: tuple[Colour, ...] = ((176, 62, 50), (56, 92, 156), (206, 172, 62), (132, 104, 78), (96, 98, 100))
SAND: Colour = (204.0, 184.0, 146.0)


def sports_court(town: Town, x: float, y: float, angle: float) -> None:
    """Lay a court with its lines in a surround of another tone; boards or a thin fence may enclose it."""
    rng, canvas = town.rng, town.canvas
    court = Rect(x, y, float(rng.uniform(8, 18)), float(rng.uniform(4, 9)), angle)
    tone, other = (COURTS[n] for n in rng.choice(len(COURTS), 2, replace=False))
    surround = _grown(court, float(rng.uniform(0.8, 2.5)))
    around: Colour = town.style.asphalt if rng.random() < 0.4 else other
    canvas.polygon(surround.corners, varied(rng, around, 0.08), PAVING)
    canvas.polygon(_grown(court, 0.1).corners, WHITE, SMOOTH)
    paint = varied(rng, tone, 0.1, 6)
    canvas.polygon(_grown(court, -0.05).corners, paint, PAVING)
    if rng.random() < 0.6:
        spot = Rect(x, y, 1.8, 1.8, angle)
        canvas.polygon(_ring(spot, np.ones(24)), WHITE, SMOOTH)
        canvas.polygon(_ring(_grown(spot, -0.14), np.ones(24)), paint, PAVING)
    for along in (-0.5, 0.0, 0.5) if rng.random() < 0.6 else (0.0,):
        middle = court.at(along * court.half_length, 0)
        line = Rect(*middle, 0.07, court.half_width, angle)
        canvas.polygon(line.corners, WHITE, SMOOTH)
    if rng.random() < 0.6:
        boards = rng.random() < 0.5
        # Mesh lets the sun through: a low stand-in casts the faint line a fence leaves on the ground.
        _enclose(town, surround, 1.1 if boards else 0.5, WHITE if boards else (86.0, 92.0, 88.0))


def playground(town: Town, x: float, y: float, angle: float, *, reach_m: float | None = None) -> None:
    """Spread sand or rubber, round, square or of free form, and set toys on it; *reach_m*: half its size."""
    rng, canvas = town.rng, town.canvas
    reach = float(rng.uniform(2.5, 8)) if reach_m is None else reach_m
    area = Rect(x, y, reach, reach * float(rng.uniform(0.55, 1)), angle)
    rubber = rng.random() < 0.2
    tone = varied(rng, COURTS[int(rng.integers(3))] if rubber else SAND, 0.1, 6)
    form = rng.random()
    if form < 0.4:
        outline = area.corners
    else:
        waves = 0.14 * np.sin(2 * _turn(36) + rng.uniform(0, 6)) + 0.08 * np.sin(3 * _turn(36))
        outline = _ring(area, 1 + (waves if form > 0.6 else np.zeros(36)))
    canvas.ribbon(np.vstack([outline, outline[:1]]), 0.15, varied(rng, (140, 120, 96), 0.15), SMOOTH)
    canvas.polygon(outline, tone, PAVING if rubber else GRAVEL)
    for turn in _turn(int(rng.integers(1, 3 + int(reach)))) + rng.uniform(0, 2 * math.pi):
        out = rng.uniform(0.1, 0.7)
        at = area.at(out * math.cos(turn) * area.half_length, out * math.sin(turn) * area.half_width)
        size = min(0.3 * reach, float(rng.choice([0.15, 0.3, 0.6, 1.1])))
        toy = Rect(*at, size, size * float(rng.uniform(0.4, 1)), float(rng.uniform(0, math.pi)))
        paint = varied(rng, TOYS[int(rng.integers(len(TOYS)))], 0.12)
        town.boxes.append((toy, float(rng.uniform(0.3, 2.2)), paint, SMOOTH))


def rock(town: Town, x: float, y: float, angle: float, *, reach_m: float | None = None) -> None:
    """Bare a pale rock of irregular outline, its faces lighter and darker; *reach_m*: half its length."""
    rng = town.rng
    reach = float(rng.uniform(2, 7)) if reach_m is None else reach_m
    body = Rect(x, y, reach, reach * float(rng.uniform(0.4, 0.9)), angle)
    grey = np.array((168.0, 162.0, 154.0)) * rng.uniform(0.85, 1.15)
    # A road or a roof keeps trees off; bare rock does so too, and PAVING is what the town knows as sealed.
    town.canvas.polygon(_ring(body, rng.uniform(0.65, 1.15, 13)), varied(rng, grey, 0.05), PAVING)
    for _ in range(int(rng.integers(4, 10))):
        at = body.at(*(rng.uniform(-0.5, 0.5, 2) * (body.half_length, body.half_width)))
        size = reach * float(rng.uniform(0.12, 0.35))
        face = Rect(*at, size, size * float(rng.uniform(0.3, 0.8)), angle + float(rng.normal(0, 0.4)))
        town.canvas.polygon(_ring(face, rng.uniform(0.6, 1.2, 8)), varied(rng, grey, 0.14), PAVING)


def jetty(town: Town, x: float, y: float, angle: float) -> None:
    """Build a light deck from the shore point along *angle*, out on the water, with boats beside it."""
    rng = town.rng
    long, wide = float(rng.uniform(3, 9)), float(rng.uniform(0.6, 1.4))
    c, s = math.cos(angle), math.sin(angle)
    deck = Rect(x + c * (long - 1.5), y + s * (long - 1.5), long, wide, angle)
    planks = varied(rng, (178, 168, 152), 0.12)
    town.boxes.append((deck, 0.5, planks, SMOOTH))
    if rng.random() < 0.5:
        head = Rect(*deck.at(long, 0), wide, float(rng.uniform(2, 4)), angle)
        town.boxes.append((head, 0.5, planks, SMOOTH))
    for along in np.arange(0.1 * long, 0.8 * long, 3.2):
        for side in (-1.0, 1.0):
            if rng.random() < 0.45:
                half = float(rng.uniform(1.8, 3.4))
                at = deck.at(float(along), side * (wide + half + 0.3))
                boat(town, *at, angle + side * math.pi / 2 + float(rng.normal(0, 0.08)))


def boat(town: Town, x: float, y: float, angle: float) -> None:
    """Paint a small hull, its bow along *angle*, with a dark or wooden inside."""
    rng = town.rng
    hull = Rect(x, y, float(rng.uniform(1.8, 3.4)), float(rng.uniform(0.7, 1.15)), angle)
    shape = np.array([(-1, -0.8), (0.3, -1), (1, 0), (0.3, 1), (-1, 0.8)])
    inside: Colour = ((72, 84, 96), (146, 112, 78), (120, 122, 120))[int(rng.integers(3))]
    for share, paint in ((1.0, varied(rng, WHITE, 0.06)), (0.66, varied(rng, inside, 0.1))):
        points = shape * share * (hull.half_length, hull.half_width)
        town.canvas.polygon(np.array([hull.at(*point) for point in points]), paint, SMOOTH)


def glasshouse(town: Town, x: float, y: float, angle: float) -> None:
    """Set a glasshouse 2–6 m long: two glazed faces of unlike brightness under bright bars."""
    rng = town.rng
    body = Rect(x, y, float(rng.uniform(1.2, 3)), float(rng.uniform(1.0, 1.6)), angle)
    glass: Colour = (172, 188, 184) if rng.random() < 0.6 else (116, 134, 122)
    for side in (-0.5, 0.5):
        at = body.at(0, side * body.half_width)
        face = replace(body, x=at[0], y=at[1], half_width=body.half_width / 2)
        town.boxes.append((face, 2.0, varied(rng, glass, 0.1), SMOOTH))
    for along in np.arange(-body.half_length, body.half_length + 0.1, body.half_length / 2):
        bar = Rect(*body.at(float(along), 0), 0.06, body.half_width, angle)
        town.boxes.append((bar, 0.02, WHITE, SMOOTH))
    town.boxes.append((replace(body, half_width=0.06), 0.1, WHITE, SMOOTH))


def trailer(town: Town, x: float, y: float, angle: float) -> None:
    """Park a caravan, a white van, an open trailer or a boat."""
    rng = town.rng
    sort = rng.random()
    if sort < 0.15:
        boat(town, x, y, angle)
    elif sort < 0.4:
        bed = Rect(x, y, float(rng.uniform(1.2, 2.2)), float(rng.uniform(0.6, 0.9)), angle)
        town.boxes.append((bed, 0.7, varied(rng, (150, 152, 152), 0.15), SMOOTH))
        load = varied(rng, (112, 104, 92), 0.25, 10)
        town.boxes.append((_grown(bed, -0.15), 0.1, load, SMOOTH))
    else:
        body = Rect(x, y, float(rng.uniform(2.3, 3.6)), float(rng.uniform(0.95, 1.2)), angle)
        town.boxes.append((body, 2.3, varied(rng, WHITE, 0.05), SMOOTH))
        hatch = Rect(*body.at(float(rng.uniform(-0.5, 0.5)), 0), 0.35, 0.3, angle)
        glass = replace(hatch, half_length=0.3, half_width=0.85)
        windscreen = Rect(*body.at(0.72 * body.half_length, 0), glass.half_length, glass.half_width, angle)
        town.boxes.append((windscreen if sort > 0.75 else hatch, 0.02, (66.0, 74.0, 82.0), SMOOTH))


def slab(town: Town, x: float, y: float, angle: float, *, reach_m: float | None = None) -> None:
    """Cast a light slab, its edges straight as a roof's, plain or in joints; *reach_m*: half its length."""
    rng = town.rng
    reach = float(rng.uniform(2.5, 7)) if reach_m is None else reach_m
    body = Rect(x, y, reach, reach * float(rng.uniform(0.45, 0.9)), angle)
    tones: tuple[Colour, ...] = ((196, 194, 188), (176, 172, 166), (168, 142, 126), (146, 144, 144))
    town.canvas.polygon(body.corners, varied(rng, tones[int(rng.integers(4))], 0.08), PAVING)
    if rng.random() < 0.6:
        period = float(rng.choice([1.0, 2.0, 3.0]))
        for turn in (angle, angle + math.pi / 2):
            town.canvas.stripes(body.corners, angle=turn, period_m=period, depth=0.025, sharp=3.0)


def storage(town: Town, x: float, y: float, angle: float) -> None:
    """Stack pallets or pipes in rows on a light yard."""
    rng = town.rng
    yard = Rect(x, y, float(rng.uniform(6, 10)), float(rng.uniform(4, 6.5)), angle)
    town.canvas.polygon(yard.corners, varied(rng, town.style.gravel, 0.1), GRAVEL)
    pipes = rng.random() < 0.4
    tone: Colour = (176, 174, 170) if pipes else (164, 138, 104)
    half = 2.6 if pipes else 0.9
    for across in np.arange(-yard.half_width + 1.2, yard.half_width - 1, 2.6):
        for along in np.arange(-yard.half_length + half + 0.3, yard.half_length - half, 2 * half + 0.5):
            if rng.random() > 0.75:
                continue
            at, height = yard.at(float(along), float(across)), float(rng.uniform(0.4, 1.8))
            paint = varied(rng, tone, 0.15, 6)
            town.boxes.append((Rect(*at, half, 0.8, angle), height, paint, SMOOTH))
            if pipes:
                gap = Rect(*at, half, 0.07, angle)
                town.boxes.append((gap, 0.02, (92.0, 92.0, 90.0), SMOOTH))


def _grown(rect: Rect, by: float) -> Rect:
    return replace(rect, half_length=rect.half_length + by, half_width=rect.half_width + by)


def _turn(steps: int) -> Points:
    return np.linspace(0, 2 * math.pi, steps, endpoint=False)


def _ring(rect: Rect, factor: Points) -> Points:
    """Return the ellipse in *rect* with its radius multiplied by *factor*, one for each point."""
    turn = _turn(factor.size)
    along, across = factor * np.cos(turn) * rect.half_length, factor * np.sin(turn) * rect.half_width
    return np.array([rect.at(a, b) for a, b in zip(along, across, strict=True)])


def _enclose(town: Town, rect: Rect, height_m: float, paint: Colour) -> None:
    """Set thin boards or a fence along the four sides of *rect*."""
    for side in (-1.0, 1.0):
        long = Rect(*rect.at(0, side * rect.half_width), rect.half_length, 0.06, rect.angle)
        short = Rect(*rect.at(side * rect.half_length, 0), 0.06, rect.half_width, rect.angle)
        town.boxes.extend([(long, height_m, paint, SMOOTH), (short, height_m, paint, SMOOTH)])
