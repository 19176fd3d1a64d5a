"""One sentence per signal, with its numbers, in the reader's language.

What was not measured is left out of the sentence; it never becomes a zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geoai.publish.texts import (
    AREA,
    AT_EDGE,
    ATTACHED,
    BEFORE,
    CLASSES,
    DOMAINS,
    FACTS,
    GONE,
    HIDDEN_BY,
    MAP_NEWER,
    OTHER_THEME,
    POLICY_LIKE,
    POLICY_MAPPED,
    POLICY_RULE,
    SHIFT,
    STRETCH,
    THEMES,
    TRAITS,
    Language,
)

NBSP = "\u00a0"


def reason(signal: Mapping[str, Any], language: Language) -> str:
    """Return the sentence that explains *signal*, a row of the discrepancies.

    >>> reason({"class": "missing", "theme": "building", "area_image_m2": 142.3, "p_mean": 0.934}, "en")
    'Building of 142\\xa0m² is seen in the image but missing in the map (probability 0.93).'
    """
    look = CLASSES[signal["class"]]
    noun = THEMES.get(signal.get("theme") or "", OTHER_THEME).say(language)
    length = number(signal.get("length_m"), "whole_length", language)
    size = length or number(_first_known(signal, look.area, "area_map_m2", "area_image_m2"), "area", language)
    words = (STRETCH if length else AREA).say(language)
    sentence = look.reason.say(language).format(
        noun=noun.capitalize(), area=words.format(size) if size else ""
    )
    facts = [_fact(signal, fact, noun, language) for fact in look.facts]
    hidden_by = _known(signal, "hidden_by", None)
    if signal["class"] == "not_assessable" and hidden_by:
        facts.append(HIDDEN_BY[hidden_by].say(language))
    before = number(signal.get("p_before"), "share", language)
    if before:
        facts.append(BEFORE.say(language).format(before))
    if _known(signal, "map_newer", False):
        facts.append(MAP_NEWER.say(language))
    if _known(signal, "near_edge", False):
        facts.append(AT_EDGE.say(language))
    known = "; ".join(fact for fact in facts if fact)
    before = GONE.say(language) if signal.get("lifecycle") == "gone" else ""
    return before + (f"{sentence} ({known})." if known else f"{sentence}.") + _policy(signal, language)


def number(value: Any, form: str, language: Language) -> str:
    """Return *value* as text with its unit, '' where it is unknown. Swedish has the decimal comma.

    *form*: 'area' (m²), 'length' (m, a decimal), 'whole_length' (whole m), 'share' (0..1, two decimals),
    'percent' (of a 0..1 share), 'text'.
    """
    if value is None or pd.isna(value):
        return ""
    if form == "text":
        return str(value)
    if form == "percent":
        return f"{100 * value:.0f}{NBSP if language == 'sv' else ''}%"
    if form == "area":
        return f"{_decimal(value, 0 if value >= 20 else 1, language)}{NBSP}m²"
    if form == "whole_length":
        return f"{_decimal(value, 0, language)}{NBSP}m"
    if form == "length":
        return f"{_decimal(value, 1, language)}{NBSP}m"
    return _decimal(value, 2, language)


def _decimal(value: float, decimals: int, language: Language) -> str:
    text = f"{value:,.{decimals}f}"
    return text.replace(",", NBSP).replace(".", ",") if language == "sv" else text


def _fact(signal: Mapping[str, Any], fact: str, noun: str, language: Language) -> str:
    if fact == "shift":
        shift = math.hypot(*(_known(signal, column, math.nan) for column in ("shift_dx_m", "shift_dy_m")))
        words, text = SHIFT, number(shift, "length", language)
    else:
        column, form, words = FACTS[fact]
        text = number(signal.get(column), form, language)
    return words.say(language).format(text, noun=noun) if text else ""


def _policy(signal: Mapping[str, Any], language: Language) -> str:
    """Return the sentence that says why a policy sets the signal aside, '' where none does."""
    group = _known(signal, "policy_group", None)
    if group is None:
        return ""
    known = DOMAINS["reject_reason"].get(group)
    words = known.say(language).lower() if known else group
    like = _known(signal, "policy_like", None)
    if like is not None:
        sentence = POLICY_LIKE.say(language).format(count=int(like), name=words)
    else:
        facts = ", ".join(
            _trait(name, value, language) for name, value in (signal.get("policy_facts") or {}).items()
        )
        sentence = POLICY_RULE.say(language).format(name=words, facts=facts)
    share = number(signal.get("policy_mapped_share"), "percent", language)
    mapped = f" ({POLICY_MAPPED.say(language).format(share)})" if share else ""
    return f" {sentence}{mapped}."


def _trait(name: str, value: float, language: Language) -> str:
    if name == "attached":
        return ATTACHED[int(value)].say(language)
    form, words = TRAITS[name]
    return words.say(language).format(number(value, form, language))


def _first_known(signal: Mapping[str, Any], *columns: str) -> Any:
    return next((signal[column] for column in columns if _known(signal, column, None) is not None), None)


def _known(signal: Mapping[str, Any], column: str, otherwise: Any) -> Any:
    value = signal.get(column)
    return otherwise if value is None or pd.isna(value) else value
