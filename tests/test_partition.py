"""Taking groups of many with many apart."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geoai.partition import EXHAUSTIVE_EDGES, best_partition


@st.composite
def blocks(draw, least=2, most=3):
    """A group: edges that touch every object, areas, and what each edge shares."""
    maps, seen = draw(st.integers(least, most)), draw(st.integers(least, most))
    partner, leader = draw(st.permutations(range(maps))), draw(st.permutations(range(seen)))
    edges = {(partner[k % maps], leader[k % seen]) for k in range(max(maps, seen))}
    edges |= draw(st.sets(st.tuples(st.integers(0, maps - 1), st.integers(0, seen - 1)), min_size=least))
    edges = sorted(edges)
    area = st.floats(20, 400)
    map_m2 = np.array(draw(st.lists(area, min_size=maps, max_size=maps)))
    seen_m2 = np.array(draw(st.lists(area, min_size=seen, max_size=seen)))
    shares = draw(st.lists(st.floats(0.05, 0.4), min_size=len(edges), max_size=len(edges)))
    first, second = (np.array(ends) for ends in zip(*edges, strict=True))
    return first, second, np.array(shares) * np.minimum(map_m2[first], seen_m2[second]), map_m2, seen_m2


def parts_of(kept, first, second):
    """The parts that hang together by the kept edges, as sets of ('m', k) and ('d', k)."""
    parts = []
    for a, b in zip(first[kept].tolist(), second[kept].tolist(), strict=True):
        part = {("m", a), ("d", b)}
        joined = [each for each in parts if each & part]
        parts = [each for each in parts if not each & part] + [part.union(*joined)]
    return parts


def is_allowed(kept, first, second):
    """Nobody is alone, and no part has many of both."""
    everyone = {("m", k) for k in first.tolist()} | {("d", k) for k in second.tolist()}
    parts = parts_of(kept, first, second)
    stars = all(min(sum(side == s for side, _ in part) for s in "md") == 1 for part in parts)
    return stars and set().union(*parts) == everyone


def agreement(kept, first, second, shared_m2, map_m2, seen_m2):
    """Area-weighted intersection over union, part by part."""
    total = 0.0
    for part in parts_of(kept, first, second):
        area = sum((map_m2 if side == "m" else seen_m2)[k] for side, k in part)
        inside = [
            kept[e] and ("m", a) in part and ("d", b) in part
            for e, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True))
        ]
        shared = shared_m2[inside].sum()
        total += area * shared / (area - shared)
    return total / (map_m2.sum() + seen_m2.sum())


@given(blocks())
@settings(max_examples=40, deadline=None)
def test_no_other_way_agrees_better(block):
    first, second = block[:2]
    kept, score = best_partition(*block)
    assert is_allowed(kept, first, second)
    assert np.isclose(score, agreement(kept, *block))
    ways = (np.array(way) for way in product([False, True], repeat=len(first)) if any(way))
    best = max(agreement(way, *block) for way in ways if is_allowed(way, first, second))
    assert np.isclose(score, best)


@given(blocks(least=7, most=9))
@settings(max_examples=60, deadline=None)
def test_large_blocks_leave_nobody_alone_either(block):
    first, second = block[:2]
    assume(len(first) > EXHAUSTIVE_EDGES)
    kept, score = best_partition(*block)
    assert is_allowed(kept, first, second)
    assert np.isclose(score, agreement(kept, *block))
