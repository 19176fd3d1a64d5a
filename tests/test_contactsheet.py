"""The contact sheet: outlines where they belong, nothing from elsewhere, colours that all can tell apart."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from geoai.contactsheet import (
    CHIP_PX,
    DETECTION_COLOUR,
    LABEL_COLOUR,
    MIN_SIDE_M,
    Case,
    CaseMaker,
    Section,
    Table,
    write_sheet,
)
from geoai.grid import Grid
from geoai.raster import Raster

GSD_M = 0.5


def photo(bounds: tuple[float, float, float, float]) -> Raster:
    """Show a white house on black ground at x and y of 100 to 120 m; there is no imagery west of 80 m."""
    left, bottom, right, top = (round(value / GSD_M) * GSD_M for value in bounds)
    grid = Grid(
        CRS.from_epsg(3006),
        Affine(GSD_M, 0, left, 0, -GSD_M, top),
        round((top - bottom) / GSD_M),
        round((right - left) / GSD_M),
    )
    x = left + (np.arange(grid.width) + 0.5) * GSD_M
    y = top - (np.arange(grid.height) + 0.5) * GSD_M
    roof = (abs(x - 110) < 10) & (abs(y - 110) < 10)[:, None]
    data = np.repeat(np.where(roof, 255, 0).astype(np.uint8)[None], 3, axis=0)
    return Raster(data, np.broadcast_to(x > 80, roof.shape), grid)


HOUSE, SHED = shapely.box(100, 100, 120, 120), shapely.box(130, 90, 133, 93)


def make(shape: shapely.Polygon, **facts: str) -> Case:
    maker = CaseMaker(photo, np.array([HOUSE], object), np.array([SHED, HOUSE], object))
    return maker.make(shape, "label", facts.values())


def rings(path: str) -> list[NDArray[np.float64]]:
    return [
        np.array([pair.split() for pair in ring.split("L")], float)
        for ring in re.findall(r"M([^MZ]+)Z", path)
    ]


def picture(case: Case) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(case.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize("grow", [0.0, 30.0, 400.0])
def test_outline_runs_along_what_the_chip_shows(grow: float) -> None:
    """However far the chip reaches and is scaled: the white pixels are those within the house's outline."""
    case = make(HOUSE.buffer(grow) if grow else HOUSE)
    chip = picture(case)
    assert chip.shape == (case.side_px, case.side_px)
    assert case.side_px <= 2 * CHIP_PX
    (house,) = rings(case.labels)
    drawn = np.zeros_like(chip)
    cv2.fillPoly(drawn, [np.round(house - 0.5).astype(np.int32)], 255)
    share = np.mean((chip > 230) == (drawn > 0))
    edge = 4 * np.ptp(house[:, 0]) / chip.size
    assert share >= 1 - 1.5 * edge


def test_every_outline_in_view_is_drawn_by_its_kind_and_the_subject_by_itself() -> None:
    case = make(shapely.box(99, 89, 134, 121))
    assert (len(rings(case.labels)), len(rings(case.detections)), len(rings(case.subject))) == (1, 2, 1)
    shed = make(SHED)
    assert len(rings(shed.labels)) == 1, "a shed is shown with the plot around it"
    assert shed.side_px == MIN_SIDE_M / GSD_M
    far = make(shapely.box(300, 300, 320, 320))
    assert (far.labels, far.detections) == ("", "")


def test_holes_are_drawn() -> None:
    yard = HOUSE.difference(shapely.box(105, 105, 110, 110))
    case = CaseMaker(photo, np.array([yard], object), np.zeros(0, object)).make(yard, "label", ())
    assert len(rings(case.labels)) == 2


def test_ground_without_imagery_is_grey() -> None:
    case = make(shapely.box(70, 100, 90, 120))
    chip = picture(case)
    assert chip[5, 5] == pytest.approx(205, abs=3)
    assert chip[5, -5] == pytest.approx(0, abs=3)


def test_chip_cut_at_the_end_of_a_raster_keeps_its_scale() -> None:
    def cut(bounds: tuple[float, float, float, float]) -> Raster:
        whole = photo(bounds)
        grid = Grid(whole.grid.crs, whole.grid.transform, whole.grid.height, whole.grid.width // 2)
        return Raster(whole.data[..., : grid.width], whole.valid[..., : grid.width], grid)

    none = np.zeros(0, object)
    whole = CaseMaker(photo, none, none).make(HOUSE, "detection", ())
    half = CaseMaker(cut, none, none).make(HOUSE, "detection", ())
    assert half.side_px == whole.side_px
    assert half.subject == whole.subject


class Outside(HTMLParser):
    """Gathers what a page asks for, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [value or "" for name, value in attrs if name in {"src", "href", "data", "xlink:href"}]


def test_sheet_holds_everything_and_asks_for_nothing(tmp_path: Path) -> None:
    cases = (make(HOUSE, size="400 m²", place="<script>alert(1)</script>"), make(SHED, size="9 m²"))
    section = Section("missed", "Largest first.", 7, cases)
    table = Table("one & only", ("of", "value"), (("pixels", "0.5"),))
    path = tmp_path / "sheets" / "worst.html"
    write_sheet(path, title="A < B", remarks=["No difference."], tables=[table], sections=[section])
    text = path.read_text("utf-8")
    page = Outside()
    page.feed(text)
    assert len(page.asked) == 2
    assert all(asked.startswith("data:image/jpeg;base64,") for asked in page.asked)
    assert "script" not in page.tags
    assert not re.search(r"https?://|@import|url\(", text)
    for shown in ("A &lt; B", "one &amp; only", "Missed: 7", "The first 2 are shown.", "400 m² · ", "9 m²"):
        assert shown in text
    assert page.tags.count("figure") == 2
    assert [file.name for file in path.parent.iterdir()] == ["worst.html"]


# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0: of linear RGB
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_of_the_outlines_differ_for_the_colour_blind(kind: str) -> None:
    """A difference of 2.3 in CIELAB can just be seen; ten times as much is plain."""
    colours = []
    for colour in (LABEL_COLOUR, DETECTION_COLOUR):
        srgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1)
        back = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
        colours.append(cv2.cvtColor(back.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB))
    assert np.linalg.norm(colours[0] - colours[1]) > 23
