"""Themes that the map holds as lines, such as roads: stretches that are missing, and obsolete ones.

Held against detections of the same class by buffered centrelines, as completeness and correctness of road
extraction are measured (Wiedemann et al. 1998, Empirical evaluation of automatically extracted road axes): a
detected stretch is *missing* where no mapped centreline runs within reach, a mapped stretch is *obsolete*
where next to nothing was detected along it and the probability under it is low. Both are lengths in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geoai.errors import CRSError
from geoai.evidence import zonal
from geoai.vector import Geometries

HOLES_M2 = 1.0
"""Smaller leftovers of a difference are nothing."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """When a stretch counts. Metres; *obsolete_mean* is a probability, *elongation* length over width."""

    reach_m: float = 8.0
    """Half the widest carriageway and the map's error: so far from a centreline, what is seen is it."""
    min_length_m: float = 20.0
    elongation: float = 3.0
    step_m: float = 10.0
    obsolete_mean: float = 0.1


def compare_lines(
    detections: gpd.GeoDataFrame,
    mapped: gpd.GeoDataFrame,
    footprint: shapely.Geometry,
    probability: Path | None,
    *,
    band: int = 1,
    rules: LineRules | None = None,
) -> gpd.GeoDataFrame:
    """Return missing and obsolete stretches: class, length_m, map_object_id, p_mean, geometry; longest first.

    *detections* are polygons, *mapped* lines with map_object_id, in one CRS in metres (CRSError otherwise). A
    missing stretch is the polygon that centrelines leave uncovered, an obsolete one the centreline itself;
    nothing outside the *footprint* of the imagery is judged. *probability* as in `compare`; without it p_mean
    is NaN, and
    what was not detected is obsolete.
    """
    if detections.crs != mapped.crs:
        raise CRSError(f"map layer: expected the CRS of the detections {detections.crs}, found {mapped.crs}")
    rules = rules or LineRules()
    seen = shapely.union_all(detections.geometry.to_numpy())
    lines = mapped.geometry.to_numpy()
    missing = _missing(seen, lines, rules)
    stretches, owner, p_mean = _obsolete(seen, lines, footprint, probability, band, rules)
    result = gpd.GeoDataFrame(
        {
            "class": ["missing"] * len(missing) + ["obsolete"] * len(stretches),
            "length_m": np.concatenate([length_along(missing), shapely.length(stretches)]),
            "map_object_id": [None] * len(missing) + mapped["map_object_id"].to_numpy()[owner].tolist(),
            "p_mean": np.concatenate([np.full(len(missing), np.nan), p_mean]),
        },
        geometry=np.concatenate([missing, stretches]),
        crs=mapped.crs,
    )
    west, south, _, _ = result.bounds.to_numpy(dtype=np.float64).reshape(-1, 4).T
    order = np.lexsort((south, west, -result["length_m"].round(6)))
    return result.iloc[order].reset_index(drop=True)


def length_along(polygons: Geometries) -> NDArray[np.float64]:
    """Return how long elongated polygons are (m): of a strip with that area and perimeter, the longer side.

    For a bent or forked strip this is the length of its axis, but for its ends.

    >>> length_along(np.array([shapely.box(0, 0, 50, 6)])).tolist()
    [50.0]
    """
    half = shapely.length(polygons) / 2
    length: NDArray[np.float64] = (half + np.sqrt(np.maximum(half**2 - 4 * shapely.area(polygons), 0.0))) / 2
    return length


def _missing(seen: shapely.Geometry, lines: Geometries, rules: LineRules) -> Geometries:
    """Return the elongated parts of what is *seen* that lie beyond the reach of every mapped line."""
    covered = shapely.union_all(shapely.buffer(lines, rules.reach_m, cap_style="flat"))
    left = shapely.get_parts(shapely.difference(seen, covered))
    left = left[(shapely.get_type_id(left) == 3) & (shapely.area(left) > HOLES_M2)]
    length = length_along(left)
    width = shapely.area(left) / np.maximum(length, 1e-9)
    kept: Geometries = left[(length >= rules.min_length_m) & (length >= rules.elongation * width)]
    return kept


def _obsolete(
    seen: shapely.Geometry,
    lines: Geometries,
    footprint: shapely.Geometry,
    probability: Path | None,
    band: int,
    rules: LineRules,
) -> tuple[Geometries, NDArray[np.intp], NDArray[np.float64]]:
    """Return the stretches of mapped lines that are not seen, the line of each, and the mean probability."""
    visible = shapely.intersection(lines, footprint)
    unseen = shapely.difference(visible, shapely.buffer(seen, rules.reach_m))
    parts, owner = shapely.get_parts(shapely.line_merge(unseen), return_index=True)
    line = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 0)
    parts, owner = parts[line], owner[line]
    p_mean = np.full(len(parts), np.nan)
    if probability is not None:
        parts, owner, p_mean = _improbable(parts, owner, probability, band, rules)
    # what is seen reaches reach_m along the line beyond its end: the length is given back before it is judged
    long_enough = shapely.length(parts) + rules.reach_m >= rules.min_length_m
    return parts[long_enough], owner[long_enough], p_mean[long_enough]


def _improbable(
    parts: Geometries, owner: NDArray[np.intp], probability: Path, band: int, rules: LineRules
) -> tuple[Geometries, NDArray[np.intp], NDArray[np.float64]]:
    """Cut the parts into steps, keep the steps of low probability, and join them to stretches again."""
    count = np.maximum(np.ceil(shapely.length(parts) / rules.step_m).astype(int), 1)
    part = np.repeat(np.arange(len(parts)), count)
    number = np.arange(len(part)) - np.repeat(np.cumsum(count) - count, count)
    ends = [(number + end) / count[part] for end in (0, 1)]
    steps = _between(parts[part], *ends)
    p = zonal(shapely.buffer(steps, rules.reach_m / 2, cap_style="flat"), probability, band)[:, 0]
    low = p < rules.obsolete_mean
    # a new stretch begins where the step before is of another part or not low
    begins = low & ~(np.append(False, low[:-1]) & np.append(False, part[1:] == part[:-1]))
    stretch = np.cumsum(begins)[low] - 1
    first, last = np.flatnonzero(begins), np.flatnonzero(low)[np.flatnonzero(np.diff(stretch, append=-1))]
    joined = _between(parts[part[first]], ends[0][first], ends[1][last])
    weight = np.bincount(stretch, minlength=len(first))
    return joined, owner[part[first]], np.bincount(stretch, weights=p[low], minlength=len(first)) / weight


def _between(lines: Geometries, start: NDArray[np.float64], end: NDArray[np.float64]) -> Geometries:
    """Return the part of each line between two shares of its length."""
    length = shapely.length(lines)
    vertices, index = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(vertices, axis=0, prepend=vertices[:1]).T)
    step[np.flatnonzero(np.diff(index, prepend=-1))] = 0.0
    along = np.cumsum(step)
    along -= along[np.searchsorted(index, index)]
    inner = (along > (start * length)[index] + 1e-9) & (along < (end * length)[index] - 1e-9)
    heads, tails = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, share, normalized=True))
        for share in (start, end)
    )
    owner = np.concatenate([np.arange(len(lines)), index[inner], np.arange(len(lines))])
    place = np.concatenate([start * length, along[inner], end * length])
    order = np.lexsort((place, owner))
    pieces: Geometries = shapely.linestrings(
        np.concatenate([heads, vertices[inner], tails])[order], indices=owner[order]
    )
    return pieces
