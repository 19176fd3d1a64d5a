"""Buildings: bodies and wings under pitched, hipped and flat roofs, with what stands on the roofs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import shapely
from shapely.geometry import Polygon

from geoai.scene.canvas import ROOF, SMOOTH, Canvas, Floats, Rect, facing
from geoai.scene.style import Colour, varied

Kind = Literal["house", "shed", "block", "hall"]
Form = Literal["gable", "hip", "flat"]

PITCHED_COLOURS: tuple[tuple[Colour, float], ...] = (
    ((178, 96, 70), 0.24),  # red tile
    ((146, 74, 58), 0.10),  # old red tile
    ((112, 84, 70), 0.15),  # brown concrete
    ((78, 78, 82), 0.20),  # dark grey
    ((60, 60, 64), 0.09),  # black
    ((176, 180, 184), 0.09),  # light metal
    ((132, 138, 144), 0.09),  # grey fibre cement
    ((92, 112, 96), 0.04),  # green metal
)
FLAT_COLOURS: tuple[tuple[Colour, float], ...] = (
    ((92, 92, 94), 0.34),  # bitumen
    ((66, 66, 70), 0.18),  # new felt
    ((138, 136, 132), 0.20),  # gravelled
    ((208, 208, 204), 0.20),  # white membrane
    ((176, 182, 188), 0.08),  # sheet metal
)


@dataclass(frozen=True, slots=True)
class Roof:
    """A building as it stands: its roof's outline in scene metres (y up) and what it is made of.

    *parts* are the rectangles whose union is *footprint*; the first is the main body, a second is a wing.
    *height_m* is the highest point above the ground. *visible_share* is the share of the footprint's pixels
    that the photograph shows as roof: crowns over it and the edge of the scene take from it.
    """

    footprint: Polygon
    parts: tuple[Polygon, ...]
    kind: Kind
    form: Form
    height_m: float
    visible_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Building:
    """A building to draw: its body and wings, how its roof is formed, and how high its eaves are."""

    bodies: tuple[Rect, ...]
    kind: Kind
    form: Form
    eaves_m: float
    slope: float
    colour: Colour
    seam: Literal["tile", "metal", "none"]

    @property
    def parts(self) -> tuple[Polygon, ...]:
        """Return the rectangles' outlines, the main body's first."""
        return tuple(Polygon(body.corners) for body in self.bodies)

    @property
    def outline(self) -> Polygon:
        """Return the union of the parts."""
        merged: Polygon = shapely.union_all(self.parts)
        return merged

    @property
    def height_m(self) -> float:
        """Return the highest point of the roof above the ground."""
        rise = max(min(body.half_width, body.half_length) for body in self.bodies) * self.slope
        return self.eaves_m + (rise if self.form != "flat" else 0.3)


def plan_house(
    rng: np.random.Generator, bodies: tuple[Rect, ...], *, eaves: float, form: Form = "gable"
) -> Building:
    """Return a house with a roof of the given form in a material of its own."""
    slope = float(math.tan(math.radians(rng.uniform(20, 43))))
    seam: Literal["tile", "metal", "none"] = "tile" if rng.random() < 0.7 else "metal"
    return Building(bodies, "house", form, eaves, slope, _roof_material(rng, form), seam)


def plan_shed(rng: np.random.Generator, body: Rect, *, eaves: float) -> Building:
    """Return a shed or garage, its ridge along the longer side."""
    form: Form = "flat" if rng.random() < 0.45 else "gable"
    if body.half_length < body.half_width:
        body = Rect(body.x, body.y, body.half_width, body.half_length, body.angle + math.pi / 2)
    return Building((body,), "shed", form, eaves, 0.35, _roof_material(rng, form), "none")


def plan_block(rng: np.random.Generator, body: Rect, form: Form, eaves: float, kind: Kind) -> Building:
    """Return a slab block or a hall under a low roof."""
    seam: Literal["tile", "metal", "none"] = "metal" if kind == "hall" else "tile"
    return Building((body,), kind, form, eaves, float(rng.uniform(0.1, 0.3)), _roof_material(rng, form), seam)


def _roof_material(rng: np.random.Generator, form: Form) -> Colour:
    choices = FLAT_COLOURS if form == "flat" else PITCHED_COLOURS
    shares = np.array([share for _, share in choices])
    base = choices[int(rng.choice(len(choices), p=shares / shares.sum()))][0]
    return varied(rng, base, 0.10, 4.0)


def draw_building(canvas: Canvas, building: Building, index: int, rng: np.random.Generator) -> None:
    """Draw *building* onto the canvas, its pixels marked with *index*, the roof's number in the scene."""
    corners = np.vstack([body.corners for body in building.bodies])
    window = canvas.window(corners, margin_m=1.0)
    if window is None:
        return
    shape = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    top = np.full(shape, -1.0, np.float32)
    shade = np.ones(shape, np.float32)
    pattern = np.ones(shape, np.float32)
    cover = np.zeros(shape, np.float32)
    for body in building.bodies:
        part_cover = canvas.cover(body, window)
        part_top, part_light, part_pattern = _roof_body(canvas, building, body, window, rng)
        use = (part_cover > 0) & (part_top > top)
        top[use], shade[use], pattern[use] = part_top[use], part_light[use], part_pattern[use]
        cover = np.maximum(cover, part_cover)
    blotches = cv2.resize(
        rng.normal(0, 1, (max(2, shape[0] // 9), max(2, shape[1] // 9))).astype(np.float32), shape[::-1]
    )
    pattern *= 1 + 0.05 * blotches
    colour = np.array(building.colour, np.float32) * pattern[..., None]
    canvas.blend(
        window,
        cover=cover,
        colour=np.clip(colour, 0, 255),
        height=top,
        light=shade,
        surface=ROOF,
        owner=index,
    )
    _equip_roof(canvas, building, rng)


def _roof_body(
    canvas: Canvas, building: Building, body: Rect, window: tuple[slice, slice], rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return height, light and albedo pattern of one rectangle's roof, (row, col) each."""
    along, across = canvas.frame(body, window)
    to_side = body.half_width - np.abs(across)
    to_end = body.half_length - np.abs(along)
    edge = np.minimum(to_side, to_end)
    if building.form == "flat":
        parapet = edge < 0.35
        top = building.eaves_m + 0.3 * parapet.astype(np.float32)
        lanes = np.sin(across * np.float32(2 * math.pi / 2.0)) > 0.96
        pattern = 1 + float(rng.uniform(-0.15, 0.25)) * parapet - 0.07 * lanes
        return top.astype(np.float32), np.ones_like(top, np.float32), pattern.astype(np.float32)

    hipped = building.form == "hip"
    on_end = (to_end < to_side) & hipped
    rise = np.where(on_end, to_end, to_side)
    top = building.eaves_m + building.slope * rise
    c, s = math.cos(body.angle), math.sin(body.angle)
    side_sign, end_sign = -np.sign(across), -np.sign(along)
    slope_x = np.where(on_end, end_sign * c, -side_sign * s) * building.slope
    slope_y = np.where(on_end, end_sign * s, side_sign * c) * building.slope
    light = 0.2 + 0.8 * facing(canvas.style, slope_x, slope_y)  # the sky lights the face in its own shade

    ridge = (to_side > body.half_width - 0.22) & ~on_end
    if hipped:
        ridge |= np.abs(to_end - to_side) < 0.2
    pattern = 1 + float(rng.choice([-0.22, 0.18])) * ridge
    if building.seam == "tile":
        pattern = pattern * (1 + 0.05 * np.sin(rise * np.float32(2 * math.pi / 0.75)))
    elif building.seam == "metal":
        coordinate = np.where(on_end, across, along)
        pattern = pattern * (1 - 0.12 * (np.sin(coordinate * np.float32(2 * math.pi / 1.1)) > 0.75))
    pattern = pattern * (1 - 0.12 * (edge < 0.22))
    pattern = pattern * np.where(across > 0, np.float32(rng.normal(1, 0.03)), np.float32(1))
    return top.astype(np.float32), light, pattern.astype(np.float32)


def _equip_roof(canvas: Canvas, building: Building, rng: np.random.Generator) -> None:
    """Set chimneys, hatches, windows and solar panels on the roof."""
    body = building.bodies[0]
    if building.kind == "shed":
        return
    if building.form == "flat":
        for _ in range(int(building.outline.area / 90) + int(rng.integers(0, 3))):
            along = rng.uniform(-0.8, 0.8) * body.half_length
            across = rng.uniform(-0.7, 0.7) * body.half_width
            size = rng.uniform(0.3, 1.3)
            x, y = body.at(along, across)
            vent = Rect(x, y, size, size * rng.uniform(0.6, 1), body.angle)
            canvas.box(vent, rng.uniform(0.3, 1.6), varied(rng, (165, 165, 165), 0.25))
        return
    for _ in range(int(rng.integers(0, 3))):
        x, y = body.at(rng.uniform(-0.6, 0.6) * body.half_length, rng.uniform(-0.35, 0.35) * body.half_width)
        size = rng.uniform(0.3, 0.55)
        colour = varied(rng, (120, 84, 74) if rng.random() < 0.5 else (90, 90, 92), 0.15)
        canvas.box(Rect(x, y, size, size * 0.8, body.angle), rng.uniform(0.7, 1.5), colour)
    panels = rng.random()
    if panels < 0.16:
        _panel(canvas, building, (38, 42, 58), rng.uniform(0.3, 0.7), rng)
    elif panels < 0.35:
        for _ in range(int(rng.integers(1, 4))):
            _panel(canvas, building, (70, 78, 88), 0.09, rng)


def _panel(
    canvas: Canvas, building: Building, colour: Colour, share: float, rng: np.random.Generator
) -> None:
    """Lay a panel or roof window of *share* of the length flat on the face that is more in the sun."""
    body = building.bodies[0]
    toward = canvas.style.sun[1] * math.cos(body.angle) - canvas.style.sun[0] * math.sin(body.angle)
    side = math.copysign(0.5, toward)
    room = (1 - share) * 0.85
    x, y = body.at(rng.uniform(-room, room) * body.half_length, side * body.half_width)
    half_width = body.half_width * (0.32 if share > 0.2 else 0.16)
    rect = Rect(x, y, share * body.half_length, half_width, body.angle)
    canvas.polygon(rect.corners, varied(rng, colour, 0.1), SMOOTH)
