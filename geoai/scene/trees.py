"""Trees: crowns that are drawn once and stamped many times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from geoai.scene.canvas import Floats, Stamp, facing
from geoai.scene.style import Style, varied


@dataclass(frozen=True, slots=True)
class Tree:
    """Where a tree stands (metres, y down) and what it is; *wild* ones grow over cabins."""

    x: float
    y: float
    sort: str
    wild: bool


def draw_crown(rng: np.random.Generator, style: Style, gsd_m: float, *, sort: str) -> Stamp:
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
    light = np.clip(facing(style, slope_x * 0.6, slope_y * 0.6) * 0.85, 0.22, 1.7)
    base = {
        "broad": style.leaves,
        "bare": (118.0, 106.0, 92.0),
        "conifer": style.needles,
        "bush": style.leaves,
    }[sort]
    own = np.array(varied(rng, base, 0.12, 6.0), np.float32)
    colour = own * (1 + 0.16 * grain[..., None])
    return Stamp(cover.astype(np.float32), height.astype(np.float32), light, np.clip(colour, 0, 255))


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
