"""What the report says: texts and figures as words in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from geoai.estimators import Figure
from geoai.mapquality import Measure, Offset
from geoai.policy import LOGARITHMIC
from geoai.publish.reasons import NBSP, number
from geoai.publish.report_texts import BASES, MEASURES, NEEDS, REPORT, TRAIT_NAMES, TRAIT_SIDES
from geoai.publish.texts import ATTACHED, CLASSES, DOMAINS, TRAITS, Language, Words
from geoai.quality import ClassRow, FirstSignals, Part

LEAST_WEIGHT = 0.1
DASH = "–"
TOGETHER = "\u2060"
"""No line breaks within a range."""
UNITS = f"{NBSP}%m²"


class OffsetRow(NamedTuple):
    """Cells whose offset is from one source: how many, their pairs, in words the median and the longest."""

    source: str
    cells: int
    pairs: int
    middle: str
    longest: str


@dataclass(frozen=True)
class Speaker:
    """Says texts and figures in one language; what is not known is a dash."""

    language: Language

    def __call__(self, key: str, *figures: Any) -> str:
        """Return the report's text *key* with its figures."""
        return REPORT[key].say(self.language).format(*figures)

    def name(self, code: str) -> str:
        """Return the name of a class."""
        return CLASSES[code].name.say(self.language)

    def domain(self, domain: str, code: str) -> str:
        """Return the words of a code."""
        return DOMAINS[domain].get(code, Words(code, code)).say(self.language)

    def measure(self, code: str) -> str:
        """Return the name of a measure."""
        return MEASURES[code].say(self.language)

    def colour(self, code: str) -> str:
        """Return the colour of a class."""
        return CLASSES[code].colour

    def faint(self, code: str) -> bool:
        """Return whether a class is drawn as a ring: less sure than the class of the same colour."""
        return CLASSES[code].opacity < 100

    def count(self, value: float | None) -> str:
        """Return a count, or an estimate of one: a decimal below 10 where it is not whole."""
        if value is None:
            return DASH
        whole = abs(value - round(value)) < 1e-9 or abs(value) >= 10
        return self._decimal(value, 0 if whole else 1)

    def percent(self, share: float | None, decimals: int | None = None) -> str:
        """Return a share as percent, with a decimal below 10 % where it matters."""
        if share is None:
            return DASH
        if decimals is None:
            decimals = 1 if 0 < share < 0.1 or 0.99 < share < 1 else 0
        return f"{self._decimal(100 * share, decimals)}{NBSP if self.language == 'sv' else ''}%"

    def length(self, value: float | None) -> str:
        """Return metres with two decimals."""
        return DASH if value is None else f"{self._decimal(value, 2)}{NBSP}m"

    def area(self, value: float | None) -> str:
        """Return square metres."""
        return DASH if value is None else f"{self._decimal(value, 0)}{NBSP}m²"

    def extent(self, part: ClassRow | Part) -> str:
        """Return how much something is: whole metres of lines, else square metres."""
        return f"{self._decimal(part.length_m, 0)}{NBSP}m" if part.length_m else self.area(part.area_m2)

    def km2(self, value_m2: float) -> str:
        """Return square kilometres, without the unit."""
        return self._decimal(value_m2 / 1e6, 2)

    def decimal(self, value: float, decimals: int = 2) -> str:
        """Return a number."""
        return self._decimal(value, decimals)

    def signed(self, value: float) -> str:
        """Return a length with its sign."""
        return ("+" if value > 0 else "−" if value < 0 else "") + self._decimal(abs(value), 2)

    def figure(self, unit: str, figure: Figure | None) -> str:
        """Return the value of a figure in its unit: items, rate, m."""
        return DASH if figure is None else self._in(unit, figure.value)

    def interval(self, unit: str, figure: Figure | None) -> str:
        """Return 'low–high' of a figure; a dash where it was counted and not estimated."""
        if figure is None or figure.low == figure.high:
            return DASH
        low, high = self._in(unit, figure.low), self._in(unit, figure.high)
        return low if low == high else f"{low.rstrip(UNITS)}{DASH}{TOGETHER}{high}"

    def range(self, low: float, high: float | None) -> str:
        """Return a bin of sizes in m², a dash for any size."""
        if high is None:
            return DASH if not low else f">{NBSP}{low:g}{NBSP}m²"
        return f"<{NBSP}{high:g}{NBSP}m²" if not low else f"{low:g}{DASH}{high:g}{NBSP}m²"

    def remark(self, made: Measure) -> str:
        """Return what a measure rests on, or what it needs before it can be told."""
        if not made.needs:
            return BASES[made.basis].say(self.language)
        strata = [self.domain("stratum", need).lower() for need in made.needs if need not in NEEDS]
        said = [NEEDS[need].say(self.language) for need in made.needs if need in NEEDS]
        if strata:
            said.insert(0, self("need_answers", "; ".join(strata)))
        return "; ".join(said)

    def policy(self, code: str) -> str:
        """Return the name of a policy group: a reason of rejection in words, else the rule's own name."""
        words = DOMAINS["reject_reason"].get(code)
        return words.say(self.language) if words else code

    def names(self, codes: Sequence[str]) -> str:
        """Return the names of classes, in one line."""
        return ", ".join(self.name(code) for code in codes)

    def bounds(self, bounds: Mapping[str, tuple[float | None, float | None]]) -> str:
        """Return what a rule takes: 'attached, area ≤ 25 m²'."""
        said = []
        for trait, (least, most) in bounds.items():
            if trait == "attached":
                said.append(ATTACHED[int(least or 0)].say(self.language))
                continue
            low, high = self._trait(trait, least), self._trait(trait, most)
            limits = f"{low}{DASH}{high}" if low and high else f"≥{NBSP}{low}" if low else f"≤{NBSP}{high}"
            said.append(f"{TRAIT_NAMES[trait].say(self.language)} {limits}")
        return ", ".join(said)

    def weights(self, model: Mapping[str, Any]) -> str:
        """Return what speaks for what was learned, the strongest first, but for weights that hardly tell."""
        said = []
        for trait, weight in sorted(model["weight"].items(), key=lambda item: -abs(item[1])):
            if abs(weight) < LEAST_WEIGHT:
                continue
            size = self._decimal(abs(weight), 1)
            if trait == "attached":
                said.append(f"{ATTACHED[int(weight > 0)].say(self.language)} ({size})")
                continue
            mean = model["mean"][trait]
            middle = self._trait(trait, math.exp(mean) if trait in LOGARITHMIC else mean)
            side = TRAIT_SIDES[trait][int(weight > 0)].say(self.language)
            said.append(self("than", side, middle, size))
        return ", ".join(said) or DASH

    def registration(self, offsets: Sequence[Offset]) -> list[OffsetRow]:
        """Return the offsets by what they were measured in."""
        rows = []
        for source in DOMAINS["registration"]:
            chosen = [each for each in offsets if each.source == source]
            if not chosen:
                continue
            east, north = np.array([(each.dx_m, each.dy_m) for each in chosen]).T
            middle = f"{self.signed(float(np.median(east)))}; {self.signed(float(np.median(north)))}{NBSP}m"
            longest = self.length(float(np.hypot(east, north).max()))
            told = (DASH, DASH) if source == "none" else (middle, longest)
            rows.append(OffsetRow(source, len(chosen), sum(each.pairs for each in chosen), *told))
        return rows

    def shown(self, first: tuple[FirstSignals, ...]) -> FirstSignals | None:
        """Return the length of list that is spoken of: 200, in a shorter list the longest up to half."""
        shorter = [each for each in first[:-1] if each.k <= 200 and each.share]
        half = [each for each in shorter if each.k <= first[-1].k / 2 or each.k == 200]
        return half[-1] if half else None

    def _trait(self, trait: str, value: float | None) -> str:
        form = TRAITS[trait][0]
        return self.percent(value) if form == "percent" and value else number(value, form, self.language)

    def _in(self, unit: str, value: float) -> str:
        if unit == "rate":
            return self.percent(value)
        return self.length(value) if unit == "m" else self.count(value)

    def _decimal(self, value: float, decimals: int) -> str:
        text = f"{value:,.{decimals}f}"
        return text.replace(",", NBSP).replace(".", ",") if self.language == "sv" else text
