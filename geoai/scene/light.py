"""The sun and the camera: light and shadow on what was drawn, then lens, haze and noise."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from geoai.scene.canvas import Canvas, Floats
from geoai.scene.style import Style

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
STRIP_ROWS = 512
HIGHLIGHT = np.float32(205)
"""Brightness from which the camera's response flattens."""


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


def develop(canvas: Canvas, style: Style, rng: np.random.Generator) -> NDArray[np.uint8]:
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
    canvas: Canvas, style: Style, rows: slice, shade: Floats, noises: list[NDArray[np.int8]]
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
