"""The scene while it is drawn: a height field with albedo, light and surface, and what is laid on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.scene.style import Colour, Style

Floats = NDArray[np.float32]
Points = NDArray[np.float64]  # (point, xy) in metres, y down

# What the surface is, for its texture: the rows of TEXTURE in light.py are these numbers.
LAWN, MEADOW, SOIL, ASPHALT, GRAVEL, PAVING, ROOF, CROWN, WATER, SMOOTH, FLOOR = range(11)


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle on the ground: centre (x, y), half length along *angle* (radians), half width across."""

    x: float
    y: float
    half_length: float
    half_width: float
    angle: float

    @property
    def corners(self) -> Points:
        """Return the four corners in order round the rectangle, (4, xy)."""
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
class Stamp:
    """A drawn tree crown: coverage 0..1, height (m), relative light and RGB, all on one square of pixels."""

    cover: Floats
    height: Floats
    light: Floats
    colour: Floats  # (row, col, 3)


class Canvas:
    """The scene while it is drawn: albedo (row, col, 3), height, light, surface class and roof index."""

    def __init__(self, rows: int, cols: int, gsd_m: float, style: Style) -> None:
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

    def ribbon(self, line: Points, half_m: float, colour: Colour, surface: int) -> None:
        """Paint a way of *half_m* metres to either side of *line*."""
        buffered = shapely.buffer(shapely.linestrings(line), half_m, quad_segs=4)
        self.polygon(np.array(buffered.exterior.coords), colour, surface)

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

    def frame(self, rect: Rect, window: tuple[slice, slice]) -> tuple[Floats, Floats]:
        """Return each pixel's distance along and across *rect* from its centre, metres."""
        x, y = self.centres(window)
        c, s = np.float32(math.cos(rect.angle)), np.float32(math.sin(rect.angle))
        dx, dy = x - np.float32(rect.x), y - np.float32(rect.y)
        return dx * c + dy * s, dy * c - dx * s

    def cover(self, rect: Rect, window: tuple[slice, slice]) -> Floats:
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

    def box(self, rect: Rect, height_m: float, colour: Colour, *, surface: int = SMOOTH) -> None:
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

    def plant(self, stamp: Stamp, x: float, y: float, tint: float) -> None:
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


def facing(style: Style, slope_x: NDArray[np.floating], slope_y: NDArray[np.floating]) -> Floats:
    """Return the sun's light on a surface z(x, y) with these slopes, 1 on flat ground (Lambert's law)."""
    toward_x, toward_y = style.sun
    flat = math.tan(style.elevation)
    dot = flat - slope_x * toward_x - slope_y * toward_y
    lit = np.maximum(dot, 0) / (flat * np.sqrt(1 + np.square(slope_x) + np.square(slope_y)))
    return np.asarray(lit, np.float32)
