"""Which signal of a run is which signal of an earlier one.

Two are the same where their family and theme are and they share a mapped object, overlap, or lie at the same
place; stretches of one line only where they meet, for a line is long. One old signal is carried on by at most
one new one, the best pair first.
"""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

MIN_IOU = 0.3
"""Intersection over union from which two signals are about the same ground."""
UNKNOWN_TOLERANCE_M = 0.6
"""How far centroids may lie apart where no mapped object says: the least tolerance there is."""


def carried_from(new: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> NDArray[np.intp]:
    """Return for each row of *new* the number of the row of *old* that it carries on, −1 for none.

    Columns: family, theme, map_object_ids (JSON list), tolerance_m (NaN where unknown), geometry (polygons in
    one CRS, metres). A pair is as good as the share of mapped objects it has in common plus its intersection
    over union; of equals, the nearer centroids win. The result does not depend on the order of rows, and is
    the same seen from either side.
    """
    pairs = _pairs(new, old)
    ranks = [_rank(frame)[pairs[side]] for frame, side in ((new, "new"), (old, "old"))]
    order = np.lexsort((ranks[1], ranks[0], pairs["apart_m"], -pairs["score"]))
    first, second = pairs["new"].to_numpy()[order], pairs["old"].to_numpy()[order]
    carried = np.full(len(new), -1, np.intp)
    while len(first):  # pairs that are the best for both; what is left are chains, which are short
        best = _is_first(first) & _is_first(second)
        carried[first[best]] = second[best]
        left = ~np.isin(first, first[best]) & ~np.isin(second, second[best])
        first, second = first[left], second[left]
    return carried


def exploded_ids(frame: pd.DataFrame) -> tuple[NDArray[np.intp], list[str]]:
    """Return (row, mapped object id) for each id in the JSON lists of the column map_object_ids."""
    lists = [json.loads(text) for text in frame["map_object_ids"]]
    rows = np.repeat(np.arange(len(lists)), [len(ids) for ids in lists])
    return rows, [str(each) for ids in lists for each in ids]


def _pairs(new: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the pairs that may be the same signal: columns new, old (row numbers), score, apart_m."""
    shared = _shared_objects(new, old)
    near = _near(new, old)
    pairs = pd.concat([shared[["new", "old"]], near], ignore_index=True).drop_duplicates(["new", "old"])
    pairs = pairs.merge(shared, on=["new", "old"], how="left").fillna({"alike": 0.0})
    kinds = [pd.MultiIndex.from_frame(frame[["family", "theme"]].astype(str)) for frame in (new, old)]
    codes = pd.factorize(kinds[0].append(kinds[1]))[0]
    same = codes[pairs["new"]] == codes[len(new) + pairs["old"].to_numpy()]
    pairs = pairs[same].reset_index(drop=True)
    ours, theirs = new.geometry.to_numpy()[pairs["new"]], old.geometry.to_numpy()[pairs["old"]]
    shared_m2 = shapely.area(shapely.intersection(ours, theirs))
    iou = shared_m2 / (shapely.area(ours) + shapely.area(theirs) - shared_m2)
    pairs["score"] = pairs["alike"] + iou
    pairs["apart_m"] = shapely.distance(shapely.centroid(ours), shapely.centroid(theirs))
    reach_m = np.maximum(_tolerance(new)[pairs["new"]], _tolerance(old)[pairs["old"]])
    stretch = (new["family"] == "stretch").to_numpy()[pairs["new"]]
    shares = (pairs["alike"] > 0) & (~stretch | (iou > 0))
    return pairs[shares | (iou >= MIN_IOU) | (pairs["apart_m"] <= reach_m)]


def _shared_objects(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that share a mapped object, and the share *alike* of all their objects they share."""
    sides = []
    for name, frame in (("new", new), ("old", old)):
        rows, ids = exploded_ids(frame)
        sides.append(pd.DataFrame({name: rows, "id": pd.Series(ids, dtype=object)}))
    counts = [np.bincount(side.iloc[:, 0], minlength=1) for side in sides]
    both = sides[0].merge(sides[1], on="id").groupby(["new", "old"]).size().reset_index(name="common")
    both["alike"] = both["common"] / (counts[0][both["new"]] + counts[1][both["old"]] - both["common"])
    return both[["new", "old", "alike"]]


def _near(new: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the pairs whose bounds, grown by their tolerances, meet."""
    boxes = [
        shapely.box(
            *(
                frame.bounds.to_numpy().reshape(-1, 4) + _tolerance(frame)[:, None] * np.array([-1, -1, 1, 1])
            ).T
        )
        for frame in (new, old)
    ]
    first, second = shapely.STRtree(boxes[1]).query(boxes[0])
    return pd.DataFrame({"new": first, "old": second})


def _tolerance(frame: pd.DataFrame) -> NDArray[np.float64]:
    known = frame["tolerance_m"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(known), UNKNOWN_TOLERANCE_M, known)


def _rank(frame: gpd.GeoDataFrame) -> NDArray[np.intp]:
    """Return the place of each row in an order that follows from what the rows hold."""
    bounds = frame.bounds.to_numpy().reshape(-1, 4)
    area = shapely.area(frame.geometry.to_numpy())
    order = np.lexsort((frame["map_object_ids"].to_numpy(dtype=str), area, *bounds.T[::-1]))
    rank = np.empty(len(frame), np.intp)
    rank[order] = np.arange(len(frame))
    return rank


def _is_first(values: NDArray[np.intp]) -> NDArray[np.bool_]:
    mask = np.zeros(len(values), bool)
    mask[np.unique(values, return_index=True)[1]] = True
    return mask
