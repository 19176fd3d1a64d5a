"""Made aerial photographs of a made Nordic town: for training, for tests, and for `geoai demo`.

A scene is laid out as streets, plots and land use, then drawn into a height field with albedo. One sun
lights every roof face and crown by its orientation and casts every shadow by marching the height field, so
shadows agree with heights. Everything follows from the seed: the same arguments give the same bytes.

Inside this module positions are metres from the upper left corner, x to the right and y **down**, as pixels
run. What leaves it (`Roof.footprint`) is in *scene metres*: origin at the lower left corner, y **up**, so
that a translation puts it on the map.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

T = TypeVar("T")
Kind = Literal["house", "shed", "block", "hall"]
Form = Literal["gable", "hip", "flat"]
Colour = tuple[float, float, float]
Floats = NDArray[np.float32]
Points = NDArray[np.float64]  # (point, xy) in metres, y down

# What the ground is, for its texture. The rows of TEXTURE are these numbers.
LAWN, MEADOW, SOIL, ASPHALT, GRAVEL, PAVING, ROOF, CROWN, WATER, SMOOTH, FLOOR = range(11)

TEXTURE = np.array(
    [
        # relative amplitude of noise at 1, 3, 12 and 80 pixels
        [0.06, 0.06, 0.035, 0.06],  # LAWN
        [0.08, 0.10, 0.07, 0.12],  # MEADOW
        [0.05, 0.06, 0.05, 0.08],  # SOIL
        [0.03, 0.02, 0.025, 0.05],  # ASPHALT
        [0.06, 0.05, 0.05, 0.07],  # GRAVEL
        [0.05, 0.03, 0.03, 0.04],  # PAVING
        [0.03, 0.03, 0.035, 0.03],  # ROOF
        [0.10, 0.08, 0.03, 0.05],  # CROWN
        [0.015, 0.015, 0.02, 0.06],  # WATER
        [0.015, 0.0, 0.0, 0.0],  # SMOOTH: cars, chimneys, markings
        [0.10, 0.14, 0.12, 0.10],  # FLOOR of the forest
    ],
    np.float32,
)

ROAD_HALF_M = 3.0
VERGE_M = 1.1
CROWN_STAMPS = 40
GAPS_OVER_CABINS = 0.3
"""Part of the wild trees that leave a gap where they would stand on a roof."""
STRIP_ROWS = 512
HIGHLIGHT = np.float32(205)
"""Brightness from which the camera's response flattens."""


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


@dataclass(frozen=True)
class Scene:
    """A made orthophoto and the truth about it.

    *image* is uint8 (3, row, col), RGB; *mask* is bool (row, col), True where the photograph shows a roof;
    *roofs* are the buildings that touch the scene; *vacant* are places on lawns, clear of crowns and
    buildings, where a house could stand and none does (scene metres, y up).
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    roofs: tuple[Roof, ...]
    vacant: tuple[Polygon, ...]
    gsd_m: float


def make_scene(
    seed: int, *, width_m: float, height_m: float, gsd_m: float = 0.2, buildings: int | None = None
) -> Scene:
    """Draw a made town of *width_m* × *height_m* metres at *gsd_m* metres a pixel.

    *buildings* limits how many houses stand on the plots (None: as many as the plots hold, some 300 a km²);
    sheds, blocks and halls come with the land use. Colours, sun, season and contrast follow from *seed*.
    """
    rng = np.random.default_rng(seed)
    style = _style(rng)
    cols, rows = round(width_m / gsd_m), round(height_m / gsd_m)
    canvas = _Canvas(rows, cols, gsd_m, style)
    town = _Town(canvas, style, rng, buildings)
    town.lay_out()
    image = _develop(canvas, style, rng)
    pixels = np.bincount(canvas.owner.ravel() + 1, minlength=len(town.roofs) + 1)[1:]
    roofs = tuple(
        replace(
            roof,
            footprint=_flipped(roof.footprint, height_m),
            parts=tuple(_flipped(part, height_m) for part in roof.parts),
            visible_share=min(1.0, float(seen) * gsd_m**2 / roof.footprint.area),
        )
        for roof, seen in zip(town.roofs, pixels, strict=True)
    )
    vacant = tuple(_flipped(place, height_m) for place in town.vacant)
    return Scene(image, canvas.owner >= 0, roofs, vacant, gsd_m)


def write_training_scenes(folder: Path, seeds: Iterable[int], size_px: int, *, gsd_m: float = 0.2) -> None:
    """Write square scenes as *folder*/images/NNN.png (RGB) and *folder*/masks/NNN.png (255 = building)."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        scene = make_scene(seed, width_m=size_px * gsd_m, height_m=size_px * gsd_m, gsd_m=gsd_m)
        cv2.imwrite(str(folder / "images" / f"{seed:03d}.png"), scene.image[::-1].transpose(1, 2, 0))
        cv2.imwrite(str(folder / "masks" / f"{seed:03d}.png"), scene.mask.astype(np.uint8) * 255)


def _flipped(polygon: Polygon, height_m: float) -> Polygon:
    """Return *polygon* with y up from the lower edge instead of down from the upper one."""
    flipped: Polygon = shapely.transform(polygon, lambda xy: np.column_stack([xy[:, 0], height_m - xy[:, 1]]))
    return flipped


# --- style ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Style:
    """What all of one flight shares: the sun, the season and the camera."""

    sun: tuple[float, float]  # unit vector towards the sun in the image plane, y down
    elevation: float  # of the sun, radians
    ambient: float  # brightness of full shadow, ground in the sun is 1
    leafless: float  # share of the broad-leaved trees that stand bare
    grass: Colour
    leaves: Colour
    needles: Colour
    asphalt: Colour
    gravel: Colour
    gain: float
    contrast: float
    saturation: float
    cast: Colour  # factor of each band
    haze: float
    blur_px: float
    noise: float


def _style(rng: np.random.Generator) -> _Style:
    azimuth, dryness = math.radians(rng.uniform(115, 245)), float(rng.uniform(0, 1) ** 1.5)
    spring = rng.random() < 0.3
    fresh, dry = np.array([92.0, 118, 66]), np.array([150.0, 142, 98])
    grass = fresh + (dry - fresh) * min(1.0, dryness * 0.8 + 0.15 * spring) + rng.normal(0, 6, 3)
    grey = rng.uniform(112, 165)
    return _Style(
        sun=(math.sin(azimuth), -math.cos(azimuth)),
        elevation=math.radians(rng.uniform(30, 54)),
        ambient=float(rng.uniform(0.22, 0.42)),
        leafless=float(rng.uniform(0.5, 1.0)) if spring else 0.0,
        grass=_colour(grass),
        leaves=_colour(np.array([72.0, 98, 50]) + rng.normal(0, 9, 3)),
        needles=_colour(np.array([44.0, 66, 42]) + rng.normal(0, 6, 3)),
        asphalt=_colour(np.array([grey, grey, grey * rng.uniform(0.96, 1.04)])),
        gravel=_colour(np.array([164.0, 155, 138]) + rng.normal(0, 10, 3)),
        gain=float(rng.uniform(0.95, 1.3)),
        contrast=float(rng.uniform(0.85, 1.15)),
        saturation=float(rng.uniform(0.55, 0.95)),
        cast=_colour(rng.normal(1.0, 0.02, 3)),
        haze=float(rng.uniform(0.0, 0.10)),
        blur_px=float(rng.uniform(0.45, 0.85)),
        noise=float(rng.uniform(1.5, 4.5)),
    )


def _colour(values: NDArray[np.float64]) -> Colour:
    return float(values[0]), float(values[1]), float(values[2])


def _varied(
    rng: np.random.Generator,
    colour: Sequence[float] | NDArray[np.floating],
    brightness: float,
    hue: float = 3.0,
) -> Colour:
    """Return *colour* made brighter or darker by the relative spread *brightness*, bands moved by *hue*."""
    values = np.asarray(colour) * max(0.3, rng.normal(1.0, brightness)) + rng.normal(0.0, hue, 3)
    return _colour(np.clip(values, 4, 252))


# --- canvas: height field, albedo, light -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rect:
    """A rectangle on the ground: centre (x, y), half length along *angle* (radians), half width across."""

    x: float
    y: float
    half_length: float
    half_width: float
    angle: float

    @property
    def corners(self) -> Points:
        c, s = math.cos(self.angle), math.sin(self.angle)
        a, b = self.half_length, self.half_width
        along = np.array([-a, a, a, -a])
        across = np.array([-b, -b, b, b])
        return np.column_stack([self.x + along * c - across * s, self.y + along * s + across * c])

    def at(self, along: float, across: float) -> tuple[float, float]:
        """Return the point (x, y) *along* and *across* metres from the centre."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        return self.x + along * c - across * s, self.y + along * s + across * c


@dataclass(frozen=True)
class _Stamp:
    """A drawn tree crown: coverage 0..1, height (m), relative light and RGB, all on one square of pixels."""

    cover: Floats
    height: Floats
    light: Floats
    colour: Floats  # (row, col, 3)


class _Canvas:
    """The scene while it is drawn: albedo (row, col, 3), height, light, surface class and roof index."""

    def __init__(self, rows: int, cols: int, gsd_m: float, style: _Style) -> None:
        self.gsd_m = gsd_m
        self.rows, self.cols = rows, cols
        self.albedo = np.zeros((rows, cols, 3), np.uint8)
        self.albedo[:] = np.array(style.grass, np.uint8)
        self.height = np.zeros((rows, cols), np.float32)
        self.light = np.full((rows, cols), 100, np.uint8)  # percent of what flat ground gets from the sun
        self.surface = np.full((rows, cols), LAWN, np.uint8)
        self.owner = np.full((rows, cols), -1, np.int16)
        self.style = style

    def polygon(self, points: Points, colour: Colour, surface: int) -> None:
        """Paint the ground inside *points*, with a smooth edge."""
        fixed = np.round((points / self.gsd_m - 0.5) * 16).astype(np.int32)
        if (fixed.max(axis=0) < 0).any() or (fixed.min(axis=0) > (self.cols * 16, self.rows * 16)).any():
            return
        cv2.fillPoly(self.albedo, [fixed], colour, lineType=cv2.LINE_AA, shift=4)
        cv2.fillPoly(self.surface, [fixed], surface, shift=4)

    def stripes(self, points: Points, *, angle: float, period_m: float, depth: float, sharp: float) -> None:
        """Multiply the albedo inside *points* by parallel stripes: furrows, tracks, mown lanes."""
        window = self.window(points)
        if window is None:
            return
        rows, cols = window
        inside = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.uint8)
        fixed = np.round((points / self.gsd_m - 0.5 - (cols.start, rows.start)) * 16).astype(np.int32)
        cv2.fillPoly(inside, [fixed], 1, shift=4)
        x, y = self.centres(window)
        wave = np.sin((x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / period_m))
        factor = 1 + depth * np.tanh(wave * sharp) * inside
        part = self.albedo[window]
        part[:] = np.clip(part * factor[..., None], 0, 255).astype(np.uint8)

    def window(self, points: Points, margin_m: float = 0.5) -> tuple[slice, slice] | None:
        """Return the (row, col) slices around *points*, or None where none of it is on the canvas."""
        low = np.floor((points.min(axis=0) - margin_m) / self.gsd_m).astype(int)
        high = np.ceil((points.max(axis=0) + margin_m) / self.gsd_m).astype(int)
        col, row = max(0, int(low[0])), max(0, int(low[1]))
        col_stop, row_stop = min(self.cols, int(high[0])), min(self.rows, int(high[1]))
        return (slice(row, row_stop), slice(col, col_stop)) if col < col_stop and row < row_stop else None

    def centres(self, window: tuple[slice, slice]) -> tuple[Floats, Floats]:
        """Return x (1, col) and y (row, 1) of the window's pixel centres, metres."""
        rows, cols = window
        x = ((np.arange(cols.start, cols.stop) + 0.5) * self.gsd_m).astype(np.float32)
        y = ((np.arange(rows.start, rows.stop) + 0.5) * self.gsd_m).astype(np.float32)
        return x[None, :], y[:, None]

    def frame(self, rect: _Rect, window: tuple[slice, slice]) -> tuple[Floats, Floats]:
        """Return each pixel's distance along and across *rect* from its centre, metres."""
        x, y = self.centres(window)
        c, s = np.float32(math.cos(rect.angle)), np.float32(math.sin(rect.angle))
        dx, dy = x - np.float32(rect.x), y - np.float32(rect.y)
        return dx * c + dy * s, dy * c - dx * s

    def cover(self, rect: _Rect, window: tuple[slice, slice]) -> Floats:
        """Return how much of each pixel *rect* covers, 0..1."""
        along, across = self.frame(rect, window)
        inside = np.minimum(rect.half_length - np.abs(along), rect.half_width - np.abs(across))
        covered: Floats = np.clip(inside / np.float32(self.gsd_m) + 0.5, 0, 1)
        return covered

    def blend(
        self,
        window: tuple[slice, slice],
        *,
        cover: Floats,
        colour: Floats,
        height: Floats,
        light: Floats,
        surface: int,
        owner: int = -1,
    ) -> None:
        """Lay a drawn thing over the window: colour by *cover*, the rest where it covers half a pixel."""
        part = self.albedo[window]
        part[:] = (part + (colour - part) * cover[..., None] + 0.5).astype(np.uint8)
        on = cover > 0.5
        self.height[window][on] = height[on]
        self.light[window][on] = np.clip(light[on] * 100, 0, 255).astype(np.uint8)
        self.surface[window][on] = surface
        self.owner[window][on] = owner

    def box(self, rect: _Rect, height_m: float, colour: Colour, *, surface: int = SMOOTH) -> None:
        """Set a box of *height_m* on what is there: a car, a chimney, a container. A roof stays a roof."""
        window = self.window(rect.corners)
        if window is None:
            return
        cover = self.cover(rect, window)
        owners = self.owner[window][cover > 0.5]
        owner = int(owners.max()) if owners.size else -1
        base = float(self.height[window][cover > 0.5].min()) if owners.size else 0.0
        shape = cover.shape
        self.blend(
            window,
            cover=cover,
            colour=np.broadcast_to(np.array(colour, np.float32), (*shape, 3)),
            height=np.full(shape, base + height_m, np.float32),
            light=np.ones(shape, np.float32),
            surface=surface,
            owner=owner,
        )

    def plant(self, stamp: _Stamp, x: float, y: float, tint: float) -> None:
        """Stamp a crown centred at (x, y): it covers what is lower than itself."""
        side = stamp.cover.shape[0]
        col, row = round(x / self.gsd_m - side / 2), round(y / self.gsd_m - side / 2)
        c0, r0 = max(0, -col), max(0, -row)
        c1, r1 = min(side, self.cols - col), min(side, self.rows - row)
        if c0 >= c1 or r0 >= r1:
            return
        cut, window = (slice(r0, r1), slice(c0, c1)), (slice(row + r0, row + r1), slice(col + c0, col + c1))
        higher = stamp.height[cut] > self.height[window]
        self.blend(
            window,
            cover=stamp.cover[cut] * higher,
            colour=np.clip(stamp.colour[cut] * np.float32(tint), 0, 255),
            height=stamp.height[cut],
            light=stamp.light[cut],
            surface=CROWN,
        )


def _facing(style: _Style, slope_x: NDArray[np.floating], slope_y: NDArray[np.floating]) -> Floats:
    """Return the sun's light on a surface z(x, y) with these slopes, 1 on flat ground (Lambert's law)."""
    toward_x, toward_y = style.sun
    flat = math.tan(style.elevation)
    dot = flat - slope_x * toward_x - slope_y * toward_y
    lit = np.maximum(dot, 0) / (flat * np.sqrt(1 + np.square(slope_x) + np.square(slope_y)))
    return np.asarray(lit, np.float32)


# --- buildings ---------------------------------------------------------------------------------------------

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
class _Building:
    """A building to draw: its body and wings, how its roof is formed, and how high its eaves are."""

    bodies: tuple[_Rect, ...]
    kind: Kind
    form: Form
    eaves_m: float
    slope: float
    colour: Colour
    seam: Literal["tile", "metal", "none"]

    @property
    def parts(self) -> tuple[Polygon, ...]:
        return tuple(Polygon(body.corners) for body in self.bodies)

    @property
    def outline(self) -> Polygon:
        merged: Polygon = shapely.union_all(self.parts)
        return merged

    @property
    def height_m(self) -> float:
        rise = max(min(body.half_width, body.half_length) for body in self.bodies) * self.slope
        return self.eaves_m + (rise if self.form != "flat" else 0.3)


def _roof_material(rng: np.random.Generator, form: Form) -> Colour:
    choices = FLAT_COLOURS if form == "flat" else PITCHED_COLOURS
    shares = np.array([share for _, share in choices])
    base = choices[int(rng.choice(len(choices), p=shares / shares.sum()))][0]
    return _varied(rng, base, 0.10, 4.0)


def _draw_building(canvas: _Canvas, building: _Building, index: int, rng: np.random.Generator) -> None:
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
    canvas: _Canvas, building: _Building, body: _Rect, window: tuple[slice, slice], rng: np.random.Generator
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
    light = 0.2 + 0.8 * _facing(canvas.style, slope_x, slope_y)  # the sky lights the face in its own shade

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


def _equip_roof(canvas: _Canvas, building: _Building, rng: np.random.Generator) -> None:
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
            vent = _Rect(x, y, size, size * rng.uniform(0.6, 1), body.angle)
            canvas.box(vent, rng.uniform(0.3, 1.6), _varied(rng, (165, 165, 165), 0.25))
        return
    for _ in range(int(rng.integers(0, 3))):
        x, y = body.at(rng.uniform(-0.6, 0.6) * body.half_length, rng.uniform(-0.35, 0.35) * body.half_width)
        size = rng.uniform(0.3, 0.55)
        colour = _varied(rng, (120, 84, 74) if rng.random() < 0.5 else (90, 90, 92), 0.15)
        canvas.box(_Rect(x, y, size, size * 0.8, body.angle), rng.uniform(0.7, 1.5), colour)
    panels = rng.random()
    if panels < 0.16:
        _panel(canvas, building, (38, 42, 58), rng.uniform(0.3, 0.7), rng)
    elif panels < 0.35:
        for _ in range(int(rng.integers(1, 4))):
            _panel(canvas, building, (70, 78, 88), 0.09, rng)


def _panel(
    canvas: _Canvas, building: _Building, colour: Colour, share: float, rng: np.random.Generator
) -> None:
    """Lay a panel or roof window of *share* of the length flat on the face that is more in the sun."""
    body = building.bodies[0]
    toward = canvas.style.sun[1] * math.cos(body.angle) - canvas.style.sun[0] * math.sin(body.angle)
    side = math.copysign(0.5, toward)
    room = (1 - share) * 0.85
    x, y = body.at(rng.uniform(-room, room) * body.half_length, side * body.half_width)
    half_width = body.half_width * (0.32 if share > 0.2 else 0.16)
    rect = _Rect(x, y, share * body.half_length, half_width, body.angle)
    canvas.polygon(rect.corners, _varied(rng, colour, 0.1), SMOOTH)


# --- trees -------------------------------------------------------------------------------------------------


def _crown(rng: np.random.Generator, style: _Style, gsd_m: float, *, sort: str) -> _Stamp:
    """Draw one crown of *sort* 'broad', 'bare', 'conifer' or 'bush', lit by the style's sun."""
    radius = {"broad": (2.2, 5.2), "bare": (2.2, 4.8), "conifer": (1.4, 3.0), "bush": (0.6, 1.5)}[sort]
    r = float(rng.uniform(*radius))
    tall = r * {"broad": 2.4, "bare": 2.5, "conifer": 5.0, "bush": 1.5}[sort] * float(rng.uniform(0.8, 1.2))
    half = math.ceil(r * 1.15 / gsd_m) + 1
    axis = (np.arange(-half, half + 1) * gsd_m).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    far: Floats = (np.hypot(x, y) / r).astype(np.float32)
    if sort == "conifer":
        height, cover = _cone(rng, x, y, far, tall)
    else:
        height, cover = _clumps(rng, x, y, r, tall)
    grain = rng.normal(0, 1, far.shape).astype(np.float32)
    if sort == "bare":
        twigs = cv2.GaussianBlur(grain, (0, 0), 0.9) * 2.2
        cover = cover * np.clip(0.45 + 0.5 * twigs, 0, 1)
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(height, (0, 0), 0.7), gsd_m)
    light = np.clip(_facing(style, slope_x * 0.6, slope_y * 0.6) * 0.85, 0.22, 1.7)
    base = {
        "broad": style.leaves,
        "bare": (118.0, 106.0, 92.0),
        "conifer": style.needles,
        "bush": style.leaves,
    }[sort]
    own = np.array(_varied(rng, base, 0.12, 6.0), np.float32)
    colour = own * (1 + 0.16 * grain[..., None])
    return _Stamp(cover.astype(np.float32), height.astype(np.float32), light, np.clip(colour, 0, 255))


def _clumps(rng: np.random.Generator, x: Floats, y: Floats, r: float, tall: float) -> tuple[Floats, Floats]:
    """Return height and cover of a crown made of overlapping balls of leaves."""
    height = np.zeros_like(x)
    cover = np.zeros_like(x)
    gsd = float(x[0, 1] - x[0, 0])
    for _ in range(int(rng.integers(9, 18))):
        angle, reach = rng.uniform(0, 2 * math.pi), r * math.sqrt(rng.random()) * 0.72
        ball = r * rng.uniform(0.26, 0.45)
        away = np.hypot(x - reach * math.cos(angle), y - reach * math.sin(angle))
        bump = np.sqrt(np.maximum(1 - np.square(away / ball), 0)) * ball
        bed = tall * (0.62 + 0.3 * (1 - (reach / r) ** 2))
        height = np.maximum(height, np.where(away < ball, bed + bump * 0.9, 0))
        cover = np.maximum(cover, np.clip((ball - away) / gsd + 0.5, 0, 1))
    return height.astype(np.float32), cover.astype(np.float32)


def _cone(rng: np.random.Generator, x: Floats, y: Floats, far: Floats, tall: float) -> tuple[Floats, Floats]:
    """Return height and cover of a conifer: a cone with branches."""
    turn = np.arctan2(y, x)
    branches = 0.12 * np.sin(turn * int(rng.integers(7, 12)) + rng.uniform(0, 6)) + 0.08 * rng.normal(
        0, 1, far.shape
    )
    reach = far * (1 + branches)
    height = tall * np.clip(1 - 0.85 * reach, 0, 1)
    return height.astype(np.float32), np.clip((1 - reach) * 5, 0, 1).astype(np.float32)


# --- the town ----------------------------------------------------------------------------------------------

Use = Literal["suburb", "flats", "works", "park", "field", "forest", "water"]
NATURAL: frozenset[Use] = frozenset({"park", "field", "forest", "water"})


@dataclass(frozen=True, slots=True)
class _Cell:
    """A block of land between streets, in the street frame (u along the streets, v across), metres."""

    u0: float
    u1: float
    v0: float
    v1: float
    use: Use


@dataclass(frozen=True, slots=True)
class _Tree:
    """Where a tree stands (metres, y down) and what it is; *wild* ones grow over cabins."""

    x: float
    y: float
    sort: str
    wild: bool


class _Town:
    """Lays out streets, plots and land use, and draws them in the order in which they lie on each other."""

    def __init__(
        self, canvas: _Canvas, style: _Style, rng: np.random.Generator, buildings: int | None
    ) -> None:
        self.canvas, self.style, self.rng = canvas, style, rng
        self.width_m, self.height_m = canvas.cols * canvas.gsd_m, canvas.rows * canvas.gsd_m
        self.limit = buildings
        self.angle = float(rng.uniform(-math.pi / 2, math.pi / 2))
        self.bend = float(rng.uniform(6, 22)), float(rng.uniform(100, 180)), float(rng.uniform(0, 6))
        self.roofs: list[Roof] = []
        self.planned: list[_Building] = []
        self.vacant: list[Polygon] = []
        self.trees: list[_Tree] = []
        self.boxes: list[tuple[_Rect, float, Colour, int]] = []
        self.cars: list[_Rect] = []

    def lay_out(self) -> None:
        """Draw everything."""
        rows = self._cells()
        cells = [cell for row in rows for cell in row]
        for cell in cells:
            self._ground(cell)
        self._streets(rows)
        for cell in cells:
            getattr(self, f"_{cell.use}")(cell)
        self._build()
        self._plant()

    # the street frame

    def point(self, u: float, v: float) -> tuple[float, float]:
        """Return (x, y) of a point of the street frame: turned, and bent so that streets curve."""
        reach, length, phase = self.bend
        u, v = (
            u + 0.8 * reach * math.sin(v / (1.3 * length) + 2 * phase),
            v + reach * math.sin(u / length + phase) + 0.6 * reach * math.sin(u / (2.7 * length) - phase),
        )
        c, s = math.cos(self.angle), math.sin(self.angle)
        return self.width_m / 2 + u * c - v * s, self.height_m / 2 + u * s + v * c

    def heading(self, u: float, v: float) -> float:
        """Return the direction of growing u at a point, radians in the image plane."""
        (x0, y0), (x1, y1) = self.point(u - 1, v), self.point(u + 1, v)
        return math.atan2(y1 - y0, x1 - x0)

    def area(self, u0: float, u1: float, v0: float, v1: float) -> Points:
        """Return the outline of a rectangle of the street frame."""
        us = np.linspace(u0, u1, max(2, int(abs(u1 - u0) / 6)))
        ring = [self.point(u, v0) for u in us] + [self.point(u, v1) for u in us[::-1]]
        return np.array(ring)

    def _cells(self) -> list[list[_Cell]]:
        """Return the blocks by row of v, each with its use drawn from a smooth field over the ground."""
        rng = self.rng
        reach = math.hypot(self.width_m, self.height_m) / 2 + 60
        vs, us = [-reach], [-reach]
        while vs[-1] < reach:
            vs.append(vs[-1] + float(rng.uniform(70, 84)))
        while us[-1] < reach:
            us.append(us[-1] + float(rng.uniform(110, 190)))
        waves = rng.normal(0, 1 / 260, (5, 2)), rng.uniform(0, 2 * math.pi, 5)
        middles = [[(0.5 * (u0 + u1), 0.5 * (v0 + v1)) for u0, u1 in _pairs(us)] for v0, v1 in _pairs(vs)]
        field = np.array(
            [[np.sin(waves[0] @ np.array(m) * 2 + waves[1]).sum() for m in row] for row in middles]
        )
        shares = np.array([0.12, 0.11, 0.04, 0.06, 0.53, 0.08, 0.06]) * rng.uniform(0.7, 1.3, 7)
        uses: tuple[Use, ...] = ("forest", "field", "water", "park", "suburb", "flats", "works")
        edges = np.quantile(field, np.cumsum(shares / shares.sum())[:-1])
        index = np.searchsorted(edges, field)
        return [
            [_Cell(u0, u1, v0, v1, uses[index[r, c]]) for c, (u0, u1) in enumerate(_pairs(us))]
            for r, (v0, v1) in enumerate(_pairs(vs))
        ]

    def _ground(self, cell: _Cell) -> None:
        rng, style = self.rng, self.style
        outline = self.area(cell.u0, cell.u1, cell.v0, cell.v1)
        if cell.use == "forest":
            self.canvas.polygon(outline, _varied(rng, np.array(style.needles) * 1.15, 0.08), FLOOR)
        elif cell.use in ("park", "water"):
            self.canvas.polygon(outline, _varied(rng, style.grass, 0.08), MEADOW)
        elif cell.use == "field":
            self._crop(cell)
        else:
            self.canvas.polygon(outline, _varied(rng, style.grass, 0.05), LAWN)

    def _crop(self, cell: _Cell) -> None:
        """Sow one crop or two in the cell, with furrows and tramlines."""
        rng = self.rng
        middle = float(rng.uniform(0.35, 0.65)) * (cell.u1 - cell.u0) + cell.u0
        crops: tuple[Colour, ...] = (
            (176, 152, 104), (120, 96, 76), (96, 122, 62), (128, 142, 78), (196, 180, 126), (146, 120, 92)
        )  # fmt: skip
        for u0, u1 in ((cell.u0, middle), (middle, cell.u1)):
            outline = self.area(u0, u1, cell.v0, cell.v1)
            self.canvas.polygon(outline, _varied(rng, crops[int(rng.integers(len(crops)))], 0.08), SOIL)
            angle = self.heading(middle, cell.v0) + float(rng.choice([0.0, math.pi / 2]))
            self.canvas.stripes(
                outline, angle=angle, period_m=float(rng.uniform(0.9, 3.0)), depth=0.06, sharp=1.0
            )
            self.canvas.stripes(
                outline, angle=angle, period_m=float(rng.uniform(12, 24)), depth=0.05, sharp=4
            )

    # streets

    def _streets(self, rows: list[list[_Cell]]) -> None:
        """Pave the borders of built cells; a border between natural cells keeps a gravel track at times."""
        paved: list[Points] = []
        tracks: list[Points] = []
        for above, below in _pairs(rows):
            for top, bottom in zip(above, below, strict=True):
                us = np.linspace(bottom.u0, bottom.u1, 24)
                line = np.array([self.point(u, bottom.v0) for u in us])
                self._sort_border(line, top.use, bottom.use, paved, tracks)
        for row in rows:
            for left, right in _pairs(row):
                line = np.array([self.point(right.u0, v) for v in np.linspace(right.v0, right.v1, 12)])
                self._sort_border(line, left.use, right.use, paved, tracks)
        rng, style = self.rng, self.style
        verge = _varied(rng, np.array(style.asphalt) * 1.12, 0.03, 1.0)
        for line in tracks:
            self._ribbon(line, 1.5, _varied(rng, style.gravel, 0.05), GRAVEL)
        for line in paved:
            self._ribbon(line, ROAD_HALF_M + VERGE_M, verge, PAVING)
        for line in paved:
            self._ribbon(line, ROAD_HALF_M, _varied(rng, style.asphalt, 0.015, 1.0), ASPHALT)
        for line in paved:
            self._traffic(line)

    def _sort_border(
        self, line: Points, one: Use, other: Use, paved: list[Points], tracks: list[Points]
    ) -> None:
        if one not in NATURAL or other not in NATURAL:
            paved.append(line)
        elif self.rng.random() < 0.35:
            tracks.append(line)

    def _ribbon(self, line: Points, half_m: float, colour: Colour, surface: int) -> None:
        buffered = shapely.buffer(shapely.linestrings(line), half_m, quad_segs=4)
        self.canvas.polygon(np.array(buffered.exterior.coords), colour, surface)

    def _traffic(self, line: Points) -> None:
        """Mark the middle of some streets and park or drive a few cars on them."""
        rng = self.rng
        steps = np.diff(line, axis=0)
        marked = rng.random() < 0.35
        for (x, y), (dx, dy) in zip(line[:-1], steps, strict=True):
            angle, length = math.atan2(dy, dx), math.hypot(dx, dy)
            if marked:
                dash = _Rect(x + dx / 2, y + dy / 2, min(1.5, length / 3), 0.1, angle)
                self.canvas.polygon(dash.corners, (214.0, 214.0, 210.0), SMOOTH)
            if rng.random() < 0.08:
                mend = _Rect(x, y, float(rng.uniform(0.8, 5)), float(rng.uniform(0.4, 1.4)), angle)
                tone = np.array(self.style.asphalt) * rng.uniform(0.8, 1.1)
                self.canvas.polygon(mend.corners, _varied(rng, tone, 0.02, 1.0), ASPHALT)
            if rng.random() < 0.05:
                off = float(rng.choice([-1.6, 1.6]))
                self._car(x - math.sin(angle) * off, y + math.cos(angle) * off, angle)

    # land use

    def _forest(self, cell: _Cell) -> None:
        """Fill the cell with trees; cabins may stand under the crowns."""
        rng = self.rng
        step = 3.3
        us, vs = np.arange(cell.u0, cell.u1, step), np.arange(cell.v0, cell.v1, step)
        grid_u, grid_v = np.meshgrid(us, vs)
        u = (grid_u + rng.normal(0, 0.9, grid_u.shape)).ravel()
        v = (grid_v + rng.normal(0, 0.9, grid_v.shape)).ravel()
        broad = rng.random()
        keep = rng.random(u.size) < 0.93
        for a, b in zip(u[keep], v[keep], strict=True):
            sort = "broad" if rng.random() < 0.35 * broad else "conifer"
            self._tree(*self.point(a, b), sort, wild=True)
        for _ in range(int(rng.integers(0, 4))):
            a, b = rng.uniform(cell.u0 + 25, cell.u1 - 25), rng.uniform(cell.v0 + 22, cell.v1 - 22)
            x, y = self.point(a, b)
            body = _Rect(x, y, rng.uniform(4.5, 6), rng.uniform(3.4, 4.2), self.heading(a, b))
            self.planned.append(self._house((body,), eaves=2.6))

    def _field(self, cell: _Cell) -> None:
        """Leave the crop alone but for a tree at its border."""
        for _ in range(int(self.rng.integers(0, 5))):
            self._tree(*self.point(self.rng.uniform(cell.u0, cell.u1), cell.v0 + 3), "broad")

    def _water(self, cell: _Cell) -> None:
        """Dig a pond with a reedy shore."""
        rng = self.rng
        turn = np.linspace(0, 2 * math.pi, 60, endpoint=False)
        wobble = 1 + 0.12 * np.sin(2 * turn + rng.uniform(0, 6)) + 0.07 * np.sin(5 * turn + rng.uniform(0, 6))
        middle = 0.5 * (cell.u0 + cell.u1), 0.5 * (cell.v0 + cell.v1)
        reach = 0.37 * (cell.u1 - cell.u0), 0.35 * (cell.v1 - cell.v0)
        colour = _varied(rng, (46, 58, 56) if rng.random() < 0.6 else (70, 84, 84), 0.12)
        for grow, paint, surface in ((1.08, (112.0, 108.0, 74.0), MEADOW), (1.0, colour, WATER)):
            shore = [
                self.point(
                    middle[0] + grow * w * reach[0] * math.cos(t),
                    middle[1] + grow * w * reach[1] * math.sin(t),
                )
                for t, w in zip(turn, wobble, strict=True)
            ]
            self.canvas.polygon(np.array(shore), paint, surface)
        for _ in range(int(rng.integers(4, 18))):
            t = rng.uniform(0, 2 * math.pi)
            u, v = middle[0] + 1.2 * reach[0] * math.cos(t), middle[1] + 1.25 * reach[1] * math.sin(t)
            self._tree(*self.point(u, v), "broad")

    def _park(self, cell: _Cell) -> None:
        """Lay paths and a sand or gravel pitch among trees."""
        rng, style = self.rng, self.style
        us = np.linspace(cell.u0, cell.u1, 30)
        v = rng.uniform(cell.v0 + 15, cell.v1 - 15)
        path = np.array([self.point(u, v + 7 * math.sin(u / 22)) for u in us])
        self._ribbon(path, 1.2, _varied(rng, style.gravel, 0.05), GRAVEL)
        if rng.random() < 0.6:
            u, w = rng.uniform(cell.u0 + 30, cell.u1 - 30), 0.5 * (cell.v0 + cell.v1)
            pitch = _Rect(*self.point(u, w), rng.uniform(9, 20), rng.uniform(6, 13), self.heading(u, w))
            self.canvas.polygon(pitch.corners, _varied(rng, (186, 164, 130), 0.08), GRAVEL)
        for _ in range(int(rng.integers(15, 70))):
            sort = "conifer" if rng.random() < 0.2 else "broad"
            self._tree(
                *self.point(rng.uniform(cell.u0, cell.u1), rng.uniform(cell.v0 + 6, cell.v1 - 6)), sort
            )

    def _suburb(self, cell: _Cell) -> None:
        """Cut the cell into two rows of plots, back to back."""
        rng = self.rng
        edge = ROAD_HALF_M + VERGE_M
        depth = (cell.v1 - cell.v0) / 2 - edge
        formed: tuple[Form, ...] = ("gable", "hip", "flat")
        usual = formed[int(rng.choice(3, p=[0.64, 0.24, 0.12]))]
        for side in (1.0, -1.0):
            u = cell.u0 + edge + 1
            front = cell.v0 + edge if side > 0 else cell.v1 - edge
            while True:
                width = float(rng.uniform(19, 28))
                if u + width > cell.u1 - edge:
                    break
                self._plot(_Plot(self, u + width / 2, front, side, width, depth), usual)
                u += width

    def _plot(self, plot: _Plot, usual: Form) -> None:
        """Lay out one garden: lawn, drive, house, garage, shed, hedges, trees, and what lies about."""
        rng, style = self.rng, self.style
        w, d = plot.width, plot.depth
        self.canvas.polygon(
            plot.rect(0, d / 2, w / 2, d / 2).corners, _varied(rng, style.grass, 0.09, 4), LAWN
        )
        house_half = float(rng.uniform(4.5, min(7.5, w / 2 - 4.2))), float(rng.uniform(3.6, 5.0))
        setback = float(rng.uniform(5, 9))
        side = float(rng.choice([-1.0, 1.0]))
        shift = -side * (w / 2 - house_half[0] - 1.6) * float(rng.uniform(0.6, 1.0))
        body = plot.rect(shift, setback + house_half[1], *house_half)
        if rng.random() < 0.10:
            self._vacate(body)
            return
        bodies = [body]
        if rng.random() < 0.42:
            bodies.append(self._wing(plot, body))
        self._yard(plot, side, shift, setback, house_half)
        form: Form = usual if rng.random() < 0.75 else ("gable", "hip", "flat")[int(rng.integers(3))]
        self.planned.append(self._house(tuple(bodies), eaves=float(rng.uniform(2.8, 5.6)), form=form))

    def _wing(self, plot: _Plot, body: _Rect) -> _Rect:
        """Return a wing towards the garden: it begins at the main ridge, so that its roof runs into it."""
        rng = self.rng
        out = float(rng.uniform(4.6, 7.0))
        wide = float(rng.uniform(2.7, min(3.8, body.half_length * 0.6)))
        end = float(rng.choice([-1.0, 1.0])) * (body.half_length - wide - float(rng.uniform(0.3, 0.8)))
        reach = (body.half_width + out) / 2
        return _Rect(*body.at(end, plot.side * reach), wide, reach, body.angle)

    def _vacate(self, body: _Rect) -> None:
        self.vacant.append(Polygon(body.corners))

    def _yard(
        self, plot: _Plot, side: float, shift: float, setback: float, half: tuple[float, float]
    ) -> None:
        """Fill the garden around the house. *side* is where the drive is, in the plot's x."""
        rng, style = self.rng, self.style
        w, d = plot.width, plot.depth
        drive = side * (w / 2 - 2.3)
        colour = _varied(rng, style.asphalt if rng.random() < 0.5 else style.gravel, 0.10, 2.0)
        long = setback + float(rng.uniform(2, 9))
        self.canvas.polygon(plot.rect(drive, long / 2 - 0.8, 1.9, long / 2 + 0.8).corners, colour, PAVING)
        back = setback + 2 * half[1]
        if rng.random() < 0.55 and w / 2 + abs(shift) - half[0] > 6.6:
            garage = plot.rect(side * (w / 2 - 3.0), long + 2.6, 2.4, float(rng.uniform(2.9, 3.6)))
            self.planned.append(self._shed(garage, eaves=2.4))
        elif rng.random() < 0.7:
            self._car(*plot.at(drive, float(rng.uniform(2.5, max(3.0, long - 3)))), plot.angle + math.pi / 2)
        if rng.random() < 0.5:
            self._car(*plot.at(drive, 2.6), plot.angle + math.pi / 2)
        if rng.random() < 0.45:
            at = float(rng.uniform(-0.8, 0.8)) * (w / 2 - 3)
            hut = plot.rect(
                at, d - float(rng.uniform(2.6, 4.0)), rng.uniform(1.6, 1.95), rng.uniform(1.3, 1.6)
            )
            self.planned.append(self._shed(hut, eaves=2.1))
        if rng.random() < 0.6:
            deck = plot.rect(shift, back + 1.6, float(rng.uniform(1.8, 3.8)), 1.8)
            tone: Colour = (150, 122, 94) if rng.random() < 0.6 else (170, 166, 160)
            self.canvas.polygon(deck.corners, _varied(rng, tone, 0.1), PAVING)
        for _ in range(int(rng.integers(0, 4))):
            bed = plot.rect(
                float(rng.uniform(-0.8, 0.8)) * w / 2, float(rng.uniform(back + 3, d - 2)),
                float(rng.uniform(0.6, 2.5)), float(rng.uniform(0.4, 1.0)),
            )  # fmt: skip
            self.canvas.polygon(bed.corners, _varied(rng, (92, 76, 58), 0.15, 8), SOIL)
        self._toys(plot, back)
        self._hedges(plot)
        for _ in range(int(rng.integers(0, 5))):
            x, y = float(rng.uniform(-0.5, 0.5)) * w, float(rng.uniform(back + 2.5, d))
            self._tree(*plot.at(x, y), "conifer" if rng.random() < 0.2 else "broad")
        if rng.random() < 0.4:
            self._tree(
                *plot.at(shift - side * (half[0] + 1.2), setback + half[1] * rng.uniform(0, 2)), "broad"
            )
        for _ in range(int(rng.integers(1, 7))):
            self._tree(*plot.at(rng.uniform(-0.48, 0.48) * w, rng.uniform(back + 1, d)), "bush")

    def _toys(self, plot: _Plot, back: float) -> None:
        """Put a trampoline, a pool or a glasshouse on some lawns: round, blue or bright, and no building."""
        rng = self.rng
        spot = float(rng.uniform(-0.3, 0.3)) * plot.width, float(rng.uniform(back + 4, plot.depth - 3))
        dice = rng.random()
        turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        x, y = plot.at(*spot)
        ring = np.column_stack([x + np.cos(turn), y + np.sin(turn)]) - (x, y)
        if dice < 0.12:
            self.canvas.polygon(ring * 2.0 + (x, y), (58.0, 82.0, 120.0), SMOOTH)
            self.canvas.polygon(ring * 1.6 + (x, y), (40.0, 40.0, 44.0), SMOOTH)
        elif dice < 0.16:
            pool = _Rect(x, y, float(rng.uniform(2.2, 4)), float(rng.uniform(1.5, 2.2)), plot.angle)
            rim = replace(pool, half_length=pool.half_length + 0.8, half_width=pool.half_width + 0.8)
            self.canvas.polygon(rim.corners, (190.0, 186.0, 178.0), PAVING)
            self.canvas.polygon(pool.corners, (96.0, 168.0, 188.0), WATER)

    def _hedges(self, plot: _Plot) -> None:
        """Plant hedges along some borders of the garden."""
        rng = self.rng
        w, d = plot.width, plot.depth
        green = np.array(self.style.leaves)
        for x, y, a, b in (
            (-w / 2, d / 2, 0.4, d / 2 - 1),
            (w / 2, d / 2, 0.4, d / 2 - 1),
            (0.0, d, w / 2, 0.4),
        ):
            if rng.random() < 0.4:
                self.boxes.append(
                    (plot.rect(x, y, a, b), rng.uniform(1.0, 2.0), _varied(rng, green, 0.1), CROWN)
                )

    def _flats(self, cell: _Cell) -> None:
        """Set slab blocks in lawns with a car park."""
        rng, style = self.rng, self.style
        u, inner = cell.u0 + 12, (cell.v0 + 10, cell.v1 - 10)
        form: Form = "flat" if rng.random() < 0.6 else ("hip" if rng.random() < 0.5 else "gable")
        eaves = float(rng.uniform(8.5, 14))
        terraces = rng.random() < 0.35
        while u + 36 < cell.u1 - 8:
            if terraces:
                self._terraces(u + 16, inner)
            elif rng.random() < 0.68:
                length, wide = float(rng.uniform(13, 17)), float(rng.uniform(5.2, 7.0))
                v = float(rng.uniform(inner[0] + 7, inner[1] - 7))
                x, y = self.point(u + 16, v)
                body = _Rect(x, y, length, wide, self.heading(u + 16, v))
                self.planned.append(self._block(body, form, eaves, "block"))
                self._path(u + 16, v, cell)
            else:
                self._car_park(u + 2, u + 32, inner)
            u += 38
        for _ in range(int(rng.integers(6, 25))):
            self._tree(*self.point(rng.uniform(cell.u0 + 6, cell.u1 - 6), rng.choice(inner)), "broad")
        if rng.random() < 0.5:
            u, v = rng.uniform(cell.u0 + 10, cell.u1 - 10), inner[0] + 4
            pit = _Rect(*self.point(u, v), 3.5, 2.5, self.heading(u, v))
            self.canvas.polygon(pit.corners, _varied(rng, style.gravel, 0.06), GRAVEL)

    def _terraces(self, u: float, inner: tuple[float, float]) -> None:
        """Set two rows of terraced houses, each under one long roof, with strips of garden behind."""
        rng = self.rng
        for v, out in ((inner[0] + 8, 1.0), (inner[1] - 8, -1.0)):
            half = 2.9 * int(rng.integers(3, 6))
            body = _Rect(*self.point(u, v), half, float(rng.uniform(4.0, 5.0)), self.heading(u, v))
            house = self._house((body,), eaves=float(rng.uniform(3.0, 6.0)))
            self.planned.append(replace(house, kind="block"))
            for along in np.arange(-half, half + 0.1, 5.8):
                fence = _Rect(*self.point(u + along, v + out * 9), 3.6, 0.1, body.angle + math.pi / 2)
                self.boxes.append((fence, 1.6, _varied(rng, (128, 104, 84), 0.1), SMOOTH))
            for along in np.arange(2.9 - half, half, 5.8):
                patio = _Rect(*self.point(u + along, v + out * 7), 2.4, 1.5, body.angle)
                self.canvas.polygon(patio.corners, _varied(rng, (156, 150, 142), 0.12), PAVING)

    def _path(self, u: float, v: float, cell: _Cell) -> None:
        line = np.array([self.point(u, w) for w in np.linspace(cell.v0 + 4, v, 6)])
        self._ribbon(line, 1.1, _varied(self.rng, self.style.asphalt, 0.06), PAVING)

    def _car_park(self, u0: float, u1: float, inner: tuple[float, float]) -> None:
        """Pave a car park with marked bays, most of them taken."""
        rng = self.rng
        self.canvas.polygon(self.area(u0, u1, *inner), _varied(rng, self.style.asphalt, 0.06, 1.0), ASPHALT)
        taken = rng.uniform(0.3, 0.85)
        for v in (inner[0] + 3, inner[1] - 3, 0.5 * (inner[0] + inner[1])):
            for u in np.arange(u0 + 1.5, u1 - 1, 2.6):
                angle = self.heading(u, v) + math.pi / 2
                line = _Rect(*self.point(u - 1.3, v), 2.3, 0.07, angle)
                self.canvas.polygon(line.corners, (205.0, 205.0, 202.0), SMOOTH)
                if rng.random() < taken:
                    self._car(*self.point(u, v), angle + rng.normal(0, 0.03))

    def _works(self, cell: _Cell) -> None:
        """Set halls on a paved or gravelled yard with lorries and cars."""
        rng, style = self.rng, self.style
        yard = style.asphalt if rng.random() < 0.6 else style.gravel
        surface = ASPHALT if yard == style.asphalt else GRAVEL
        inner = (cell.v0 + 7, cell.v1 - 7)
        self.canvas.polygon(self.area(cell.u0 + 7, cell.u1 - 7, *inner), _varied(rng, yard, 0.06), surface)
        u = cell.u0 + 10
        while u + 44 < cell.u1 - 8:
            length, wide = float(rng.uniform(15, 20)), float(rng.uniform(9, 15))
            v = inner[0] + wide + 2 if rng.random() < 0.5 else inner[1] - wide - 2
            body = _Rect(*self.point(u + 21, v), length, wide, self.heading(u + 21, v))
            form: Form = "flat" if rng.random() < 0.6 else "gable"
            self.planned.append(self._block(body, form, float(rng.uniform(5, 9)), "hall"))
            away = inner[1] - 5 if v < 0.5 * (inner[0] + inner[1]) else inner[0] + 5
            for du in np.arange(3, 40, 3.4):
                if rng.random() < 0.35:
                    angle = self.heading(u + du, away) + math.pi / 2
                    if rng.random() < 0.3:
                        self._lorry(*self.point(u + du, away), angle)
                    else:
                        self._car(*self.point(u + du, away), angle)
            self._clutter(u, away)
            u += 46
        for _ in range(int(rng.integers(0, 8))):
            self._tree(*self.point(rng.uniform(cell.u0, cell.u1), cell.v0 + 6), "broad")

    def _clutter(self, u: float, v: float) -> None:
        """Leave containers, pallets, heaps of sand and worn ground about a yard."""
        rng = self.rng
        for _ in range(int(rng.integers(2, 8))):
            at = self.point(u + float(rng.uniform(0, 44)), v + float(rng.normal(0, 5)))
            worn = _Rect(*at, float(rng.uniform(1, 7)), float(rng.uniform(0.6, 3)), rng.uniform(0, math.pi))
            shade = np.array(self.style.asphalt) * rng.uniform(0.75, 1.2)
            self.canvas.polygon(worn.corners, _varied(rng, shade, 0.03, 2.0), ASPHALT)
        for _ in range(int(rng.integers(0, 4))):
            at = self.point(u + float(rng.uniform(0, 44)), v + float(rng.normal(0, 3)))
            box = _Rect(*at, float(rng.choice([3.0, 6.0])), 1.2, self.heading(u, v))
            paint: Colour = ((72, 92, 128), (140, 66, 54), (160, 160, 158), (84, 108, 90))[
                int(rng.integers(4))
            ]
            self.boxes.append((box, 2.6, _varied(rng, paint, 0.1), SMOOTH))
        for _ in range(int(rng.integers(0, 12))):
            at = self.point(u + float(rng.uniform(0, 44)), v + float(rng.normal(0, 5)))
            pallet = _Rect(*at, 0.6, 0.4, rng.uniform(0, math.pi))
            self.boxes.append((pallet, rng.uniform(0.2, 1.5), _varied(rng, (158, 136, 108), 0.2), SMOOTH))

    # things

    def _house(self, bodies: tuple[_Rect, ...], *, eaves: float, form: Form = "gable") -> _Building:
        rng = self.rng
        slope = float(math.tan(math.radians(rng.uniform(20, 43))))
        seam: Literal["tile", "metal", "none"] = "tile" if rng.random() < 0.7 else "metal"
        return _Building(bodies, "house", form, eaves, slope, _roof_material(rng, form), seam)

    def _shed(self, body: _Rect, *, eaves: float) -> _Building:
        rng = self.rng
        form: Form = "flat" if rng.random() < 0.45 else "gable"
        if body.half_length < body.half_width:
            body = _Rect(body.x, body.y, body.half_width, body.half_length, body.angle + math.pi / 2)
        return _Building((body,), "shed", form, eaves, 0.35, _roof_material(rng, form), "none")

    def _block(self, body: _Rect, form: Form, eaves: float, kind: Kind) -> _Building:
        rng = self.rng
        seam: Literal["tile", "metal", "none"] = "metal" if kind == "hall" else "tile"
        return _Building(
            (body,), kind, form, eaves, float(rng.uniform(0.1, 0.3)), _roof_material(rng, form), seam
        )

    def _car(self, x: float, y: float, angle: float) -> None:
        self.cars.append(_Rect(x, y, float(self.rng.uniform(1.9, 2.4)), 0.9, angle))

    def _lorry(self, x: float, y: float, angle: float) -> None:
        half = float(self.rng.uniform(3.5, 6.5))
        self.boxes.append(
            (_Rect(x, y, half, 1.25, angle), 3.4, _varied(self.rng, (205, 205, 205), 0.15, 10), SMOOTH)
        )

    def _tree(self, x: float, y: float, sort: str, *, wild: bool = False) -> None:
        bare = sort == "broad" and self.rng.random() < self.style.leafless
        self.trees.append(_Tree(x, y, "bare" if bare else sort, wild))

    # drawing what stands

    def _build(self) -> None:
        """Draw boxes, cars and buildings, low ones first."""
        rng = self.rng
        for rect, height, colour, surface in self.boxes:
            self.canvas.box(rect, height, colour, surface=surface)
        paints: tuple[Colour, ...] = (
            (212, 212, 212), (60, 60, 64), (34, 34, 38), (142, 146, 150), (128, 40, 38), (52, 70, 110),
            (168, 164, 152),
        )  # fmt: skip
        for rect in self.cars:
            paint = _varied(rng, paints[int(rng.integers(len(paints)))], 0.08)
            self.canvas.box(rect, 0.9, paint)
            cabin = replace(rect, half_length=rect.half_length * 0.55, half_width=rect.half_width * 0.86)
            self.canvas.box(cabin, 0.5, (36.0, 40.0, 46.0))
            top = replace(rect, half_length=rect.half_length * 0.34, half_width=rect.half_width * 0.8)
            self.canvas.box(top, 0.05, paint)
        scene = shapely.box(0, 0, self.width_m, self.height_m)
        houses = [n for n, b in enumerate(self.planned) if b.kind == "house"]
        left_out: set[int] = set()
        if self.limit is not None and len(houses) > self.limit:
            left_out = set(rng.permutation(houses)[self.limit :].tolist())
        for number, building in enumerate(self.planned):
            outline = building.outline
            if number in left_out or not outline.intersects(scene):
                continue
            _draw_building(self.canvas, building, len(self.roofs), rng)
            self.roofs.append(Roof(outline, building.parts, building.kind, building.form, building.height_m))
        self.vacant = [place for place in self.vacant if scene.contains(place)]

    def _plant(self) -> None:
        """Stamp the trees, but none over a vacant place."""
        rng, gsd = self.rng, self.canvas.gsd_m
        sorts = ("broad", "bare", "conifer", "bush")
        stamps = {
            sort: [_crown(rng, self.style, gsd, sort=sort) for _ in range(CROWN_STAMPS)] for sort in sorts
        }
        trees = [self.trees[n] for n in np.flatnonzero(self._rooted())]
        picks = rng.integers(0, CROWN_STAMPS, len(trees))
        tints = rng.normal(1.0, 0.09, len(trees))
        for tree, pick, tint in zip(trees, picks, tints, strict=True):
            self.canvas.plant(stamps[tree.sort][pick], tree.x, tree.y, float(tint))

    def _rooted(self) -> NDArray[np.bool_]:
        """Whether each tree has ground to stand on: no street, no vacant place, no house but in the wild.

        Garden trees keep off the walls by a metre: they overhang roofs without hiding the house. In the wild
        some leave a gap, so that a cabin shows here and there through the crowns.
        """
        places = np.array([(tree.x, tree.y) for tree in self.trees]).reshape(-1, 2)
        wild = np.array([tree.wild for tree in self.trees], bool)
        clear = shapely.union_all([place.buffer(5.5) for place in self.vacant])
        built = shapely.union_all([roof.footprint.buffer(1.0) for roof in self.roofs])
        shapely.prepare([clear, built])
        rooted = ~shapely.contains_xy(clear, places[:, 0], places[:, 1])
        sparse = wild & (self.rng.random(len(wild)) > GAPS_OVER_CABINS)
        rooted &= sparse | ~shapely.contains_xy(built, places[:, 0], places[:, 1])
        col, row = np.floor(places.T / self.canvas.gsd_m).astype(int)
        inside = (col >= 0) & (row >= 0) & (col < self.canvas.cols) & (row < self.canvas.rows)
        sealed = np.isin(self.canvas.surface[row[inside], col[inside]], (ASPHALT, PAVING, SMOOTH, WATER))
        rooted[inside] &= ~sealed
        return np.asarray(rooted, bool)


@dataclass(frozen=True)
class _Plot:
    """A garden: x along the street from its middle, y from the street inwards, metres."""

    town: _Town
    u: float
    front: float
    side: float  # +1: the plot lies on the side of growing v
    width: float
    depth: float

    @property
    def angle(self) -> float:
        return self.town.heading(self.u, self.front)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.town.point(self.u + x, self.front + self.side * y)

    def rect(self, x: float, y: float, half_x: float, half_y: float) -> _Rect:
        """Return the rectangle around the plot's point (x, y), *half_x* along the street."""
        at = self.at(x, y)
        return _Rect(*at, half_x, half_y, self.angle)


def _pairs(values: Sequence[T]) -> list[tuple[T, T]]:
    return list(itertools.pairwise(values))


# --- development: sun, shadow, camera ----------------------------------------------------------------------


def cast_shadow(height: Floats, *, sun: tuple[float, float], elevation: float, gsd_m: float) -> Floats:
    """Return the height (m) of the shadow's upper surface over each pixel; a pixel below it lies in shade.

    *height* is (row, col); *sun* is the unit vector towards the sun, y down; *elevation* is in radians.
    The surface is the running maximum of the height field along the sun's ray, lowered by the ray's
    slope; doubling the step each time reaches n pixels in log2 n passes.
    """
    slope = math.tan(elevation) * gsd_m
    shade = height.copy()
    reach = float(height.max()) / slope
    step = 1
    while step <= 2 * reach:
        dx, dy = round(sun[0] * step), round(sun[1] * step)
        length = math.hypot(dx, dy)
        if length:
            _raise_by_neighbour(shade, dx, dy, length * slope)
        step *= 2
    return shade


def _raise_by_neighbour(shade: Floats, dx: int, dy: int, drop: float) -> None:
    """shade[p] = max(shade[p], shade[p + (dx, dy)] − drop), inside the array."""
    rows, cols = shade.shape
    if abs(dx) >= cols or abs(dy) >= rows:
        return
    to = slice(max(0, -dy), rows - max(0, dy)), slice(max(0, -dx), cols - max(0, dx))
    source = slice(max(0, dy), rows - max(0, -dy)), slice(max(0, dx), cols - max(0, -dx))
    shade[to] = np.maximum(shade[to], shade[source] - np.float32(drop))


def _develop(canvas: _Canvas, style: _Style, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the photograph (3, row, col): light and shadow on the albedo, then lens, haze and noise."""
    shade = cast_shadow(canvas.height, sun=style.sun, elevation=style.elevation, gsd_m=canvas.gsd_m)
    image = np.empty((canvas.rows, canvas.cols, 3), np.uint8)
    noises = [_noise(rng, canvas.rows, canvas.cols, step) for step in (1, 3, 12, 80)]
    for start in range(0, canvas.rows, STRIP_ROWS):
        rows = slice(start, min(canvas.rows, start + STRIP_ROWS))
        image[rows] = _expose(canvas, style, rows, shade[rows], [noise[rows] for noise in noises])
    cv2.GaussianBlur(image, (0, 0), style.blur_px, dst=image)
    for start in range(0, canvas.rows, STRIP_ROWS):
        part = image[start : start + STRIP_ROWS]
        grain = rng.standard_normal(part.shape, np.float32) * np.float32(style.noise)
        part[:] = np.clip(part + grain + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def _noise(rng: np.random.Generator, rows: int, cols: int, step: int) -> NDArray[np.int8]:
    """Return noise of unit variance × 32 whose grain is *step* pixels, (row, col)."""
    small = rng.standard_normal((rows // step + 2, cols // step + 2), np.float32)
    if step > 1:
        small = cv2.resize(small, (cols, rows), interpolation=cv2.INTER_CUBIC) * np.float32(1.25)
    noise: NDArray[np.int8] = np.clip(small[:rows, :cols] * 32, -127, 127).astype(np.int8)
    return noise


def _expose(
    canvas: _Canvas, style: _Style, rows: slice, shade: Floats, noises: list[NDArray[np.int8]]
) -> NDArray[np.uint8]:
    texture = np.ones(shade.shape, np.float32)
    for octave, noise in enumerate(noises):
        texture += cv2.LUT(canvas.surface[rows], _table(TEXTURE[:, octave] / 32)) * noise
    lit = canvas.light[rows] * np.float32(0.01)
    lit *= 1 - np.clip((shade - canvas.height[rows] - 0.25) / 0.5, 0, 1)
    colour = canvas.albedo[rows] * texture[..., None]
    sky = np.array((0.94, 1.0, 1.10), np.float32) * np.float32(style.ambient)
    direct = np.array((1.02, 1.0, 0.97), np.float32) * np.float32(1 - style.ambient)
    colour *= sky + direct * lit[..., None]
    grey = colour.mean(axis=2, keepdims=True)
    colour = (grey + (colour - grey) * np.float32(style.saturation)) * np.array(style.cast, np.float32)
    colour = (colour * np.float32(style.gain) - 110) * np.float32(style.contrast) + 110
    colour += (np.array((196, 202, 208), np.float32) - colour) * np.float32(style.haze)
    colour -= np.maximum(colour - HIGHLIGHT, 0) * np.float32(0.5)
    exposed: NDArray[np.uint8] = np.clip(colour, 0, 255).astype(np.uint8)
    return exposed


def _table(values: NDArray[np.floating]) -> Floats:
    """Return a look-up table of 256 entries that begins with *values*."""
    table = np.zeros(256, np.float32)
    table[: len(values)] = values
    return table
