"""What all of one flight shares: the sun, the season and the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Style:
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


def choose_style(rng: np.random.Generator) -> Style:
    """Draw a style: sun from south-east to south-west, three flights in ten in spring."""
    azimuth, dryness = math.radians(rng.uniform(115, 245)), float(rng.uniform(0, 1) ** 1.5)
    spring = rng.random() < 0.3
    fresh, dry = np.array([92.0, 118, 66]), np.array([150.0, 142, 98])
    grass = fresh + (dry - fresh) * min(1.0, dryness * 0.8 + 0.15 * spring) + rng.normal(0, 6, 3)
    grey = rng.uniform(112, 165)
    return Style(
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


def varied(
    rng: np.random.Generator,
    colour: Sequence[float] | NDArray[np.floating],
    brightness: float,
    hue: float = 3.0,
) -> Colour:
    """Return *colour* made brighter or darker by the relative spread *brightness*, bands moved by *hue*."""
    values = np.asarray(colour) * max(0.3, rng.normal(1.0, brightness)) + rng.normal(0.0, hue, 3)
    return _colour(np.clip(values, 4, 252))
