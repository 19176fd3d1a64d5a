"""What changes between flights: camera, season, light, haze, focus, noise and file format.

Images are (row, col, band) uint8, RGB or RGB and near infrared. All randomness comes from the generator that
is passed in.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
STRAW, LEAF = np.array([1.25, 0.98, 0.7], np.float32), np.array([0.75, 1.15, 0.6], np.float32)
"""Red, green, blue of plants over their luminance: withered in spring, and in summer."""


def recolour(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return *image* (row, col, band) as another camera, season, light and file format could have it."""
    picture: NDArray[Any] = image[..., :3].astype(np.float32) / 255
    infrared: NDArray[Any] = image[..., 3:].astype(np.float32) / 255
    if rng.random() < 0.25:
        picture, infrared = _other_season(picture, infrared, rng)
    if rng.random() < 0.3:
        shadow = _shadow(picture.shape[:2], rng)
        picture, infrared = picture * shadow, infrared * shadow[..., :1]
    if rng.random() < 0.4:  # leaves, soils and sensors differ: mix the bands a little
        mix = np.eye(3, dtype=np.float32) + rng.normal(0, 0.08, (3, 3)).astype(np.float32)
        picture = picture @ (mix / mix.sum(axis=1, keepdims=True)).T
    grey = picture @ LUMINANCE
    saturation = 0.0 if rng.random() < 0.03 else rng.uniform(0.4, 1.6)
    picture = grey[..., None] + np.float32(saturation) * (picture - grey[..., None])
    picture = np.concatenate([picture, infrared], axis=2)
    bands = picture.shape[2]
    picture = picture * np.asarray(rng.normal(1, 0.07, bands), np.float32)
    picture = np.clip(picture, 0, 1, dtype=np.float32) ** np.float32(np.exp(rng.normal(0, 0.3)))
    contrast, brightness = np.exp(rng.normal(0, 0.25)), rng.normal(0, 0.08)
    mean = picture.mean()
    picture = (picture - mean) * np.float32(contrast) + mean + np.float32(brightness)
    if rng.random() < 0.2:
        haze = np.float32(rng.uniform(0.05, 0.4))
        picture = picture * (1 - haze) + haze * np.asarray(rng.uniform(0.6, 0.95, bands), np.float32)
    picture = _blurred(picture, rng)
    if rng.random() < 0.4:
        spread = np.float32(rng.uniform(0.005, 0.05))
        picture = picture + spread * rng.standard_normal(picture.shape, np.float32)
    recoloured: NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 95))]
        packed = cv2.imencode(".jpg", np.ascontiguousarray(recoloured[..., :3]), quality)[1]
        recoloured[..., :3] = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return recoloured


def _other_season(
    picture: NDArray[np.float32], infrared: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return RGB and infrared (row, col, band) with green plants turned towards straw or leaf green.

    How much of a pixel is plants is told by excess green, 2g − r − b of the chromatic coordinates (Woebbecke
    et al. 1995); roofs and paving, which are grey or red, keep their colour.
    """
    grey = picture @ LUMINANCE
    greenness = (2 * picture[..., 1] - picture[..., 0] - picture[..., 2]) / (picture.sum(axis=2) + 0.05)
    plants = np.clip(greenness / 0.15, 0, 1)[..., None] * np.float32(rng.uniform(0.4, 1.0))
    tint = STRAW if rng.random() < 0.7 else LEAF
    gain = np.float32(rng.uniform(0.8, 1.4))
    season = grey[..., None] * (tint * rng.normal(1, 0.06, 3).astype(np.float32)) * gain
    faded = infrared * (1 - np.float32(0.5 if tint is STRAW else 0.0) * plants)
    return (1 - plants) * picture + plants * season, faded


def _shadow(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return gains (row, col, band) of a straight-edged shadow with a soft border, bluish inside."""
    centre = rng.uniform((0, 0), shape[::-1])
    angles = np.sort(rng.uniform(0, 2 * np.pi, 4))
    radii = rng.uniform(0.05, 0.4, 4) * max(shape)
    corners = centre + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    cover = np.zeros(shape, np.float32)
    cv2.fillPoly(cover, [corners.round().astype(np.int32)], (1.0,))
    cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, 2.0)).astype(np.float32)
    gain = rng.uniform(0.35, 0.75) * np.array([0.95, 1.0, 1.1])
    return 1 + cover[..., None] * (gain.astype(np.float32) - 1)


def _blurred(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return *picture* out of focus, of lower resolution, sharpened, or (mostly) as it is."""
    kind = rng.random()
    if kind < 0.2:
        blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.5))
    elif kind < 0.35:
        rows, cols = picture.shape[:2]
        factor = rng.uniform(0.4, 0.9)
        small = cv2.resize(picture, (int(cols * factor), int(rows * factor)), interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(small, (cols, rows), interpolation=cv2.INTER_LINEAR)
    elif kind < 0.5:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        blurred = picture + np.float32(rng.uniform(0.3, 1.2)) * (picture - soft)
    else:
        return picture
    return np.asarray(blurred, np.float32)
