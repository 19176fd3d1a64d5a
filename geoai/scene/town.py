"""The town's plan: its street frame, and what is going to stand on the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from geoai.scene.buildings import Building, Roof, draw_building
from geoai.scene.canvas import ASPHALT, PAVING, SMOOTH, WATER, Canvas, Points, Rect
from geoai.scene.style import Colour, Style, varied
from geoai.scene.trees import Tree, draw_crown

Use = Literal["suburb", "flats", "works", "park", "field", "forest", "water"]

CROWN_STAMPS = 40
GAPS_OVER_CABINS = 0.3
"""Part of the wild trees that leave a gap where they would stand on a roof."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A block of land between streets, in the street frame (u along the streets, v across), metres."""

    u0: float
    u1: float
    v0: float
    v1: float
    use: Use


class Town:
    """Where streets bend, and what is planned on the ground; drawn when everything has its place."""

    def __init__(self, canvas: Canvas, style: Style, rng: np.random.Generator, buildings: int | None) -> None:
        self.canvas, self.style, self.rng = canvas, style, rng
        self.width_m, self.height_m = canvas.cols * canvas.gsd_m, canvas.rows * canvas.gsd_m
        self.limit = buildings
        self.angle = float(rng.uniform(-math.pi / 2, math.pi / 2))
        self.bend = float(rng.uniform(6, 22)), float(rng.uniform(100, 180)), float(rng.uniform(0, 6))
        self.roofs: list[Roof] = []
        self.planned: list[Building] = []
        self.vacant: list[Polygon] = []
        self.trees: list[Tree] = []
        self.boxes: list[tuple[Rect, float, Colour, int]] = []
        self.cars: list[Rect] = []

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

    # things

    def car(self, x: float, y: float, angle: float) -> None:
        """Park a car."""
        self.cars.append(Rect(x, y, float(self.rng.uniform(1.9, 2.4)), 0.9, angle))

    def lorry(self, x: float, y: float, angle: float) -> None:
        """Park a lorry."""
        half = float(self.rng.uniform(3.5, 6.5))
        self.boxes.append(
            (Rect(x, y, half, 1.25, angle), 3.4, varied(self.rng, (205, 205, 205), 0.15, 10), SMOOTH)
        )

    def tree(self, x: float, y: float, sort: str, *, wild: bool = False) -> None:
        """Plan a tree of *sort*; a broad-leaved one may stand bare."""
        bare = sort == "broad" and self.rng.random() < self.style.leafless
        self.trees.append(Tree(x, y, "bare" if bare else sort, wild))

    # drawing what stands

    def build(self) -> None:
        """Draw boxes, cars and buildings, low ones first."""
        rng = self.rng
        for rect, height, colour, surface in self.boxes:
            self.canvas.box(rect, height, colour, surface=surface)
        paints: tuple[Colour, ...] = (
            (212, 212, 212), (60, 60, 64), (34, 34, 38), (142, 146, 150), (128, 40, 38), (52, 70, 110),
            (168, 164, 152),
        )  # fmt: skip
        for rect in self.cars:
            paint = varied(rng, paints[int(rng.integers(len(paints)))], 0.08)
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
            draw_building(self.canvas, building, len(self.roofs), rng)
            self.roofs.append(Roof(outline, building.parts, building.kind, building.form, building.height_m))
        self.vacant = [place for place in self.vacant if scene.contains(place)]

    def plant(self) -> None:
        """Stamp the trees, but none over a vacant place."""
        rng, gsd = self.rng, self.canvas.gsd_m
        sorts = ("broad", "bare", "conifer", "bush")
        stamps = {
            sort: [draw_crown(rng, self.style, gsd, sort=sort) for _ in range(CROWN_STAMPS)] for sort in sorts
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
