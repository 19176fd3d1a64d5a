"""What the report shows: the overview map, chips, plots as SVG."""

from __future__ import annotations

import io
import math
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import from_bounds

from geoai.grid import PixelBox
from geoai.mapquality import Offset
from geoai.publish import put_before
from geoai.publish.reasons import reason
from geoai.publish.report_texts import REPORT
from geoai.publish.texts import CLASSES, Language
from geoai.quality import Calibration, Expectation
from geoai.raster import gdal_environment, read_padded
from geoai.reportwords import Speaker
from geoai.vector import Geometries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_PX = 1300
"""Width of the overview, which is drawn at up to half of it on a wide screen."""
THUMBNAIL_PX = 640
"""Longer side of the overview as one picture."""
JPEG_QUALITY = 72
NO_IMAGERY = 200  # grey
SHOWN_CHIPS = 8
ARROW_KM = 0.45
"""As long as the side of a cell, nearly."""
INK, MUTED, ACCENT = "#1d2733", "#8a94a0", "#0b5394"


@dataclass(frozen=True)
class Dots:
    """Signals of one class on a panel: points (x, y) in its pixels."""

    code: str
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """The points as an SVG path."""
        return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in self.points)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.points)


@dataclass(frozen=True)
class Panel:
    """A part of the overview, from west to east: a JPEG (None: not read) under outlines and dots."""

    width: int
    height: int
    jpeg: bytes | None
    unchecked: str
    dots: tuple[Dots, ...]


@dataclass(frozen=True)
class Chip:
    """A signal as a picture (JPEG, None off the imagery), with its class and its reason."""

    id: str
    code: str
    reason: str
    status: str
    jpeg: bytes | None


@dataclass(frozen=True)
class Pictures:
    """Everything of the report that is drawn; plots are SVG, '' where there is nothing to show."""

    panels: tuple[Panel, ...]
    chips: tuple[Chip, ...]
    gain: str
    reliability: str
    registration: str


def overview(
    orthophoto: Path, coverage: gpd.GeoDataFrame, discrepancies: gpd.GeoDataFrame
) -> tuple[Panel, ...]:
    """Return the signals over the reduced orthophoto, a long strip in panels one above the other."""
    checked = coverage[coverage["status"] == "checked"]
    if checked.empty:
        return ()
    left, bottom, right, top = checked.total_bounds
    count = max(1, round(math.sqrt((right - left) / (top - bottom) / 2)))
    edges = np.linspace(left, right, count + 1)
    signals = put_before(discrepancies)
    unchecked = coverage.loc[coverage["status"] != "checked"].geometry.to_numpy()
    return tuple(
        _panel(orthophoto, (west, bottom, east, top), signals, unchecked) for west, east in pairwise(edges)
    )


def _panel(
    orthophoto: Path,
    bounds: tuple[float, float, float, float],
    signals: gpd.GeoDataFrame,
    unchecked: Geometries,
) -> Panel:
    left, bottom, right, top = bounds
    scale = PANEL_PX / max(right - left, top - bottom)
    width, height = max(1, round((right - left) * scale)), max(1, round((top - bottom) * scale))
    view = shapely.box(*bounds)
    points = shapely.point_on_surface(signals.geometry.to_numpy())
    inside = shapely.intersects(points, view)
    x = (shapely.get_x(points) - left) * scale
    y = (top - shapely.get_y(points)) * scale
    code = signals["class"].to_numpy()
    dots = []
    for name in reversed(CLASSES):  # what is worked on first is drawn last
        chosen = np.flatnonzero(inside & (code == name))
        if len(chosen):
            order = chosen[np.lexsort((y[chosen], x[chosen]))]
            dots.append(Dots(name, tuple(zip(x[order].tolist(), y[order].tolist(), strict=True))))
    hidden = shapely.intersection(unchecked, view)
    rings = shapely.get_rings(shapely.get_parts(hidden[~shapely.is_empty(hidden)]))
    paths = (
        "M" + "L".join(f"{(cx - left) * scale:.1f} {(top - cy) * scale:.1f}" for cx, cy in xy[:-1]) + "Z"
        for xy in map(shapely.get_coordinates, rings)
    )
    return Panel(width, height, _picture(orthophoto, bounds, width, height), "".join(paths), tuple(dots))


def _picture(
    orthophoto: Path, bounds: tuple[float, float, float, float], width: int, height: int
) -> bytes | None:
    """Return the orthophoto within *bounds* as a JPEG, paled so that dots stand out; None if unreadable."""
    try:
        with gdal_environment(), rasterio.open(orthophoto) as source:
            window = from_bounds(*bounds, transform=source.transform)
            # a power of two, as the tiles' overviews are: any other can take minutes
            step = 2 ** max(0, int(math.log2(max(window.width / width, 1))))
            # and a little more than asked for, so that the step divides its edges; cut off again below
            corner, sides = (window.col_off, window.row_off), (window.width, window.height)
            box = PixelBox(*map(round, (*corner, *sides))).snapped(step)
            data, valid = read_padded(source, box, bands=(1, 2, 3), step=step)
    except RasterioError:
        return None
    pale = (0.72 * data + 0.28 * 255).astype(np.uint8)
    pale[:, ~valid] = NO_IMAGERY
    size = round(width * box.width / window.width), round(height * box.height / window.height)
    whole = cv2.resize(
        np.ascontiguousarray(pale[::-1].transpose(1, 2, 0)), size, interpolation=cv2.INTER_AREA
    )
    written, jpeg = cv2.imencode(".jpg", whole[:height, :width], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert written
    return bytes(jpeg)


def thumbnail(panels: Sequence[Panel]) -> bytes | None:
    """Return the overview as one small JPEG, its signals drawn in; None where there is no imagery to show."""
    if not panels or any(panel.jpeg is None for panel in panels):
        return None
    width, height = max(panel.width for panel in panels), sum(panel.height for panel in panels)
    scale = THUMBNAIL_PX / max(width, height)
    sheet = np.concatenate([_small(panel, scale, math.ceil(width * scale)) for panel in panels])
    written, jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert written
    return bytes(jpeg)


def _small(panel: Panel, scale: float, width: int) -> NDArray[np.uint8]:
    """Return a panel's picture at *scale* (row, col, BGR), dots drawn in, white up to *width* (px)."""
    picture = cv2.imdecode(np.frombuffer(panel.jpeg or b"", np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for dots in panel.dots:
        colour = tuple(bytes.fromhex(CLASSES[dots.code].colour[1:]))[::-1]
        for x, y in dots.points:
            at = round(x * scale), round(y * scale)
            cv2.circle(small, at, 4, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
            cv2.circle(small, at, 3, colour, cv2.FILLED, cv2.LINE_AA)
    beside = max(0, width - small.shape[1])
    padded = cv2.copyMakeBorder(small, 0, 3, 0, beside, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    return np.asarray(padded, np.uint8)


def chips(
    review: Path, discrepancies: gpd.GeoDataFrame, language: Language | None, *, most: int | None = None
) -> tuple[Chip, ...]:
    """Return the signals that are put before a reviewer (at *most* so many), the most urgent first.

    Their reasons are in *language* (None: as they stand in the review).
    """
    signals = put_before(discrepancies)
    # ties as they stand in the review, as the review sheet and the plugin have them
    ranked = signals.sort_values("priority", ascending=False, kind="stable")
    first = ranked.head(len(ranked) if most is None else most).drop(columns="geometry").to_dict("records")
    with closing(sqlite3.connect(f"{review.resolve().as_uri()}?mode=ro", uri=True)) as database:
        query = "SELECT chip FROM discrepancy WHERE discrepancy_id = ?"
        pictures = [database.execute(query, (row["discrepancy_id"],)).fetchone() for row in first]
    return tuple(
        Chip(
            row["discrepancy_id"],
            row["class"],
            reason(row, language) if language else row["reason"],
            row["status"],
            jpeg,
        )
        for row, (jpeg,) in zip(first, pictures, strict=True)
    )


# --- plots -----------------------------------------------------------------------------------------------


def gain_plot(expectation: Expectation, language: Language) -> str:
    """Return how many true signals are expected of the first ones, as SVG."""
    axes, finish = _axes("gain", (5.4, 3.1))
    signals, true = np.array(expectation.curve).T
    axes.plot([0, signals[-1]], [0, signals[-1]], color=MUTED, linestyle="--", linewidth=1.2)
    axes.plot(signals, true, color=ACCENT, linewidth=2.4)
    axes.fill_between(signals, true, color=ACCENT, alpha=0.12, linewidth=0)
    middle = len(signals) // 2
    text = {key: REPORT[key].say(language) for key in ("plot_x", "plot_y", "plot_all", "plot_list")}
    at = signals[middle]
    axes.annotate(
        text["plot_all"], (at, at), (-6, 4), textcoords="offset points", ha="right", color="#5d6874"
    )
    axes.annotate(text["plot_list"], (at, true[middle]), (8, -14), textcoords="offset points", color=ACCENT)
    axes.set(xlabel=text["plot_x"], ylabel=text["plot_y"], xlim=(0, signals[-1]), ylim=(0, None))
    return finish()


def reliability_plot(calibration: Calibration, language: Language) -> str:
    """Return confidence against the share that was true, as SVG; the area of a dot follows its count."""
    axes, finish = _axes("reliability", (3.6, 3.4))
    table = calibration.table
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1.2)
    share = np.array(table.count) / sum(table.count)
    axes.scatter(table.mean_p, table.observed, s=30 + 500 * share, color=ACCENT, alpha=0.75, linewidth=0)
    axes.set(
        xlabel=REPORT["plot_said"].say(language),
        ylabel=REPORT["plot_so"].say(language),
        xlim=(-0.04, 1.04),
        ylim=(-0.04, 1.04),
        aspect="equal",
    )
    say = Speaker(language)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda share, _: say.percent(share, 0))
    return finish()


def registration_plot(offsets: Sequence[Offset], language: Language) -> str:
    """Return how far the image lies from the map as arrows from the middle of each cell, as SVG.

    Arrows are drawn longer than they are: the longest as ARROW_KM, and a key says how many metres that is.
    Grey ones are of the block around the cell.
    """
    from matplotlib.ticker import MaxNLocator

    x, y, dx_m, dy_m = np.array([(each.x, each.y, each.dx_m, each.dy_m) for each in offsets]).T
    own = [each.source == "cell" for each in offsets]
    east_km, north_km = (x - x.min()) / 1000, (y - y.min()) / 1000
    longest_m = max(float(np.hypot(dx_m, dy_m).max()), 0.01)
    width, height = np.ptp(east_km) + 1, np.ptp(north_km) + 1
    axes, finish = _axes("registration", (7.0, float(np.clip(6 * height / width, 1.8, 6.0)) + 0.6))
    colours = np.where(own, ACCENT, MUTED)
    arrows = axes.quiver(
        east_km,
        north_km,
        dx_m,
        dy_m,
        color=colours,
        angles="xy",
        scale_units="xy",
        scale=longest_m / ARROW_KM,
    )
    axes.scatter(east_km, north_km, s=10, color=colours, linewidth=0)
    axes.quiverkey(arrows, 0.85, 1.08, longest_m, Speaker(language).length(longest_m), labelpos="E")
    axes.set(
        xlabel=REPORT["plot_east"].say(language),
        ylabel=REPORT["plot_north"].say(language),
        xlim=(-0.5, width - 0.5),
        ylim=(-0.5, height - 0.5),
        aspect="equal",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    return finish()


def _axes(salt: str, size: tuple[float, float]) -> tuple[Axes, Callable[[], str]]:
    """Return axes, and what returns them as SVG; the same figure gives the same text."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    settings: Any = {
        "svg.fonttype": "none",  # text stays text: it can be read aloud, and the file stays small
        "svg.hashsalt": salt,  # ids of two plots of one page must differ
        "font.family": "sans-serif",
        "font.size": 11,
    }
    with rc_context(settings):
        canvas = Canvas(figsize=size, layout="constrained")
        FigureCanvasSVG(canvas)
        axes = canvas.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=INK, length=3)

    def finish() -> str:
        text = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        with rc_context(settings):
            canvas.savefig(text, format="svg", metadata=nothing, transparent=True)
        svg = text.getvalue()
        return svg[svg.index("<svg") :]

    return axes, finish
