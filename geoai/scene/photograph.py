"""A made photograph and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from geoai.scene.buildings import Roof
from geoai.scene.canvas import Canvas
from geoai.scene.layout import lay_out
from geoai.scene.light import develop
from geoai.scene.style import choose_style
from geoai.scene.town import Town


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
    style = choose_style(rng)
    cols, rows = round(width_m / gsd_m), round(height_m / gsd_m)
    canvas = Canvas(rows, cols, gsd_m, style)
    town = Town(canvas, style, rng, buildings)
    lay_out(town)
    image = develop(canvas, style, rng)
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


def _flipped(polygon: Polygon, height_m: float) -> Polygon:
    """Return *polygon* with y up from the lower edge instead of down from the upper one."""
    flipped: Polygon = shapely.transform(polygon, lambda xy: np.column_stack([xy[:, 0], height_m - xy[:, 1]]))
    return flipped
