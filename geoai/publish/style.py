"""QGIS styles written as plain XML: symbols, labels, form and table of every layer of review.gpkg.

QGIS is not needed to write them. The subset is what QGIS 3.22 reads; later versions convert it on opening.
The same input gives the same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from geoai.publish.actions import WIDTH_PX, add_buttons, review_actions
from geoai.publish.qml import (
    GREY,
    Category,
    Stroke,
    Symbol,
    add_container,
    add_fields,
    add_options,
    categorized,
    graduated,
    labels,
    single,
)
from geoai.publish.tables import (
    ASKED_AGAIN,
    COVERAGE,
    DETECTION,
    DISCREPANCY,
    MAP_LINES,
    MAP_STATUS,
    QUALITY_GRID,
    REGISTRATION,
    RUN,
    SAMPLE,
    SUGGESTION,
    TO_REVIEW,
    Column,
    Table,
)
from geoai.publish.texts import BLUE, CLASSES, DOMAINS, GREEN, PROJECT, PURPLE, ClassLook, Language, Words

VALUE_MAP_NULL = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
"""QGIS's own word for NULL in a list of values."""

WHITE, DARK, SKY = "#FFFFFF", "#1A1A1A", "#56B4E9"

OFFSETS_M = ((0.0, 0.25, "#FEE8C8"), (0.25, 0.5, "#FDBB84"), (0.5, 1.0, "#EF6548"), (1.0, 3.0, "#990000"))
"""Lengths of an offset: `registration.MAX_OFFSET_M` is the most."""
CELL_LABEL_SCALE = 50_000
MANY = 10**9
HEAT = ((1, 1, "#FEE8C8"), (2, 3, "#FDBB84"), (4, 7, "#EF6548"), (8, MANY, "#990000"))
"""Signals a cell, from and to, and the colour: ColorBrewer's OrRd."""

LINE, POLYGON, NO_GEOMETRY = 1, 2, 4
"""QGIS's numbers for geometry types."""

TABLE_ORDER = (
    "class",
    "status",
    "priority",
    "reason",
    "comment",
    "reject_reason",
    "field_visit",
    "reopened_because",
    "area_map_m2",
    "area_image_m2",
    "plus_m2",
    "minus_m2",
    "length_m",
    "p_mean",
    "confidence",
    "map_object_ids",
    "reviewed_by",
    "reviewed_at",
    "photo_date",
    "lifecycle",
    "discrepancy_id",
)
COLUMN_WIDTHS = {"class": 150, "status": 130, "priority": 70, "reason": 520, "comment": 220}

SIZE = "coalesce(round(\"length_m\") || ' m', round($area) || ' m²')"

CHIP = '<img height="{height}" src="data:image/jpeg;base64,[% to_base64("chip") %]"/>'
# The picture comes first: without WebKit the tip is a small window that scrolls.
MAP_TIP = (
    f'<table cellpadding="2"><tr><td>{CHIP.format(height=150)}</td></tr>'
    '<tr><td><b>[% represent_value("class") %]</b><br/>[% "reason" %]<br/>'
    '[% represent_value("status") %]</td></tr>'
    "</table>"
)
# QGIS before 3.30 shows HTML in a form by WebKit, where expressions are evaluated by script; from 3.30 a
# text element evaluates [% %] itself.
FORM_CHIP_SCRIPT = (
    '<script>document.write(\'<img height="240" src="data:image/jpeg;base64,\''
    '+expression.evaluate("to_base64(\\"chip\\")")+\'"/>\');</script>'
)
IN_3_22, FROM_3_30 = "@qgis_version_no < 33000", "@qgis_version_no >= 33000"


def discrepancy_style(language: Language) -> Element:
    """Return the style of the signals: classes by colour and hatch, decided ones faded, form and table."""
    categories = [
        Category(code, look.name.say(language), _signal_symbol(look), look.shown)
        for code, look in CLASSES.items()
    ]
    style = _vector_style(DISCREPANCY, language, form=_review_form(language))
    style.append(categorized("class", categories, order_by='"priority"'))
    style.set("labelsEnabled", "1")
    style.append(labels(f"represent_value(\"class\") || '\\n' || {SIZE}"))
    style.append(_row_colours())
    style.append(review_actions(TO_REVIEW, language))
    SubElement(style, "mapTip").text = MAP_TIP
    SubElement(
        style, "previewExpression"
    ).text = f"represent_value(\"class\") || ' – ' || {SIZE} || ' – ' || represent_value(\"status\")"
    _sort_table(style, '"priority"')
    columns = style.find("attributetableconfig/columns")
    assert columns is not None
    columns.insert(0, Element("column", {"type": "actions", "hidden": "0", "width": str(WIDTH_PX)}))
    return style


def map_style(language: Language, table: Table = MAP_STATUS) -> Element:
    """Return the plain style of the digital map: dark outlines with a light casing, on any ground."""
    style = _vector_style(table, language)
    style.append(single(Symbol((Stroke(WHITE, 0.8, alpha=190), Stroke(DARK, 0.3)), lines=table.lines)))
    SubElement(style, "previewExpression").text = '"map_object_id"'
    return style


def map_status_style(language: Language, table: Table = MAP_STATUS) -> Element:
    """Return the style of the map objects by what became of them: thin outlines in the classes' colours."""
    categories = [
        Category(
            code,
            look.name.say(language),
            Symbol((Stroke(WHITE, 1.0, alpha=170), Stroke(look.colour, 0.5, look.dashed)), lines=table.lines),
        )
        for code, look in CLASSES.items()
        if code != "missing"  # never the status of what is in the map
    ]
    style = _vector_style(table, language)
    style.append(categorized("status", categories))
    SubElement(style, "previewExpression").text = '"map_object_id"'
    return style


def detection_style(language: Language) -> Element:
    """Return the style of what was seen in the imagery: light blue outlines."""
    style = _vector_style(DETECTION, language)
    style.append(single(Symbol((Stroke(DARK, 0.6, alpha=150), Stroke(SKY, 0.35)))))
    SubElement(style, "previewExpression").text = '"detection_id"'
    return style


def suggestion_style(language: Language) -> Element:
    """Return the style of what can be copied into the map: thin dashed outlines."""
    style = _vector_style(SUGGESTION, language)
    style.append(single(Symbol((Stroke(WHITE, 0.7, alpha=170), Stroke(GREEN, 0.4, True)))))
    SubElement(style, "previewExpression").text = '"discrepancy_id"'
    return style


def coverage_style(language: Language) -> Element:
    """Return the style of the coverage: what was not checked is hatched in grey, the rest hardly seen."""
    words = DOMAINS["coverage"]
    checked = Symbol((Stroke(GREY, 0.2, alpha=120),))
    unchecked = Symbol((Stroke(GREY, 0.4),), hatch=(45,), hatch_mm=5.0, hatch_alpha=150)
    categories = [
        Category("not_checked", words["not_checked"].say(language), unchecked),
        Category("checked", words["checked"].say(language), checked),
    ]
    style = _vector_style(COVERAGE, language)
    style.append(categorized("status", categories))
    SubElement(style, "previewExpression").text = '"tile_id"'
    return style


def run_style(language: Language) -> Element:
    """Return the style of the table of runs: titles only."""
    return _vector_style(RUN, language)


def plan_style(table: Table, language: Language) -> Element:
    """Return the style of a plan's layer: the classes as in a review, all of them shown."""
    categories = [
        Category(code, look.name.say(language), _signal_symbol(look, fades=False))
        for code, look in CLASSES.items()
    ]
    style = _vector_style(table, language)
    style.append(categorized("class", categories, order_by='"priority"'))
    SubElement(style, "mapTip").text = '<b>[% represent_value("class") %]</b><br/>[% "reason" %]'
    SubElement(style, "previewExpression").text = f"represent_value(\"class\") || ' – ' || {SIZE}"
    _sort_table(style, '"priority"')
    return style


def sample_style(language: Language) -> Element:
    """Return the style of the sample: what waits for an answer is drawn strongly; a form that asks."""
    indices = {column.name: number for number, column in enumerate(SAMPLE.columns, start=1)}
    words = {key: text.say(language) for key, text in PROJECT.items()}
    form = Element("attributeEditorForm")
    page = add_container(form, words["group_review"], page=True)
    add_fields(add_container(page, words["question"]), ["stratum", "question", "subject"], indices)
    add_fields(add_container(page, words["decision"]), ["answer", "number", "comment"], indices)
    add_fields(add_container(page, words["who"]), ["reviewed_by", "reviewed_at"], indices)
    add_fields(
        add_container(form, words["origin"], page=True), ["sample_id", "weight", "discrepancy_id"], indices
    )
    style = _vector_style(SAMPLE, language, form=form)
    faded = 'CASE WHEN "answer" IS NULL THEN 100 ELSE 30 END'
    looks = {
        code: (BLUE if code.startswith("cell") else PURPLE, code.startswith("cell"))
        for code in DOMAINS["stratum"]
    }
    categories = [
        Category(
            code,
            DOMAINS["stratum"][code].say(language),
            Symbol((Stroke(WHITE, 1.2, alpha=190), Stroke(colour, 0.7, dashed)), opacity=faded),
        )
        for code, (colour, dashed) in looks.items()
    ]
    style.append(categorized("stratum", categories))
    SubElement(style, "previewExpression").text = '"sample_id" || \' – \' || represent_value("stratum")'
    return style


def quality_grid_style(language: Language) -> Element:
    """Return the style of the quality grid: a heat map of signals a cell."""
    edge = Stroke(GREY, 0.1, alpha=120)
    some = PROJECT["cell_some"].say(language)
    steps = [(-0.5, 0.5, PROJECT["cell_none"].say(language), Symbol((edge,)))]
    for lower, upper, colour in HEAT:
        count = f"≥ {lower}" if upper == MANY else f"{lower}–{upper}"
        label = PROJECT["cell_one"].say(language) if lower == upper else some.format(count)
        steps.append((lower - 0.5, upper + 0.5, label, Symbol((edge,), fill=(colour, 130))))
    style = _vector_style(QUALITY_GRID, language)
    style.append(graduated("signals", steps))
    SubElement(style, "previewExpression").text = '"cell_id"'
    return style


def registration_style(language: Language) -> Element:
    """Return the style of the registration: cells by the length of their offset, which is written in."""
    edge = Stroke(GREY, 0.2, alpha=160)
    steps = [
        (low, high, f"{low:g}–{high:g} m".replace(".", "," if language == "sv" else "."), colour)
        for low, high, colour in OFFSETS_M
    ]
    style = _vector_style(REGISTRATION, language)
    style.append(
        graduated(
            'sqrt("dx_m" * "dx_m" + "dy_m" * "dy_m")',
            # what is written is rounded to centimetres
            [
                (low, high + 0.005, text, Symbol((edge,), fill=(colour, 80)))
                for low, high, text, colour in steps
            ],
        )
    )
    style.set("labelsEnabled", "1")
    offset = "format_number(\"dx_m\", 2) || '; ' || format_number(\"dy_m\", 2) || ' m'"
    style.append(labels(offset, scale=CELL_LABEL_SCALE, inside=True))
    SubElement(style, "mapTip").text = (
        '[% format_number("dx_m", 2) %]; [% format_number("dy_m", 2) %] m ([% "pairs" %])<br/>'
        '[% represent_value("source") %]'
    )
    SubElement(style, "previewExpression").text = '"dx_m" || \'; \' || "dy_m"'
    return style


def layer_styles(language: Language) -> dict[Table, Element]:
    """Return the default style of every table that a review may hold."""
    return {
        DISCREPANCY: discrepancy_style(language),
        MAP_STATUS: map_status_style(language),
        MAP_LINES: map_status_style(language, MAP_LINES),
        DETECTION: detection_style(language),
        SUGGESTION: suggestion_style(language),
        COVERAGE: coverage_style(language),
        RUN: run_style(language),
        SAMPLE: sample_style(language),
        QUALITY_GRID: quality_grid_style(language),
        REGISTRATION: registration_style(language),
    }


# --- signals ---------------------------------------------------------------------------------------------


def _signal_symbol(look: ClassLook, *, fades: bool = True) -> Symbol:
    """Return how a class is drawn; where the table has a status, what is decided *fades*."""
    opacity = (
        f"CASE WHEN \"status\" IN ('open', 'unclear') OR {ASKED_AGAIN} "
        f"THEN {look.opacity} ELSE {look.opacity * 0.35:g} END"
        if fades
        else f"{look.opacity}"
    )
    casing = DARK if _is_light(look.colour) else WHITE
    strokes = (Stroke(casing, 1.2, alpha=190), Stroke(look.colour, 0.7, look.dashed))
    spacing_mm = 2.4 if len(look.hatch) < 2 else 3.6  # crossed lines would hide the roof
    return Symbol(strokes, look.hatch, look.colour, spacing_mm, opacity=opacity)


def _is_light(colour: str) -> bool:
    """Whether a colour needs a dark casing: luma (ITU-R BT.601) above the middle."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return 0.299 * red + 0.587 * green + 0.114 * blue > 127.5


# --- columns, form, table --------------------------------------------------------------------------------


def _vector_style(table: Table, language: Language, form: Element | None = None) -> Element:
    """Return a style with everything that follows from the columns; the caller adds what is drawn."""
    style = Element(
        "qgis",
        {
            "version": "3.22.0",
            "styleCategories": "AllStyleCategories",
            "labelsEnabled": "0",
            "readOnly": "0",
            "hasScaleBasedVisibilityFlag": "0",
            "minScale": "100000000",
            "maxScale": "0",
            "simplifyLocal": "1",
            "simplifyDrawingHints": "1",
            "simplifyDrawingTol": "1",
            "simplifyMaxScale": "1",
            "simplifyAlgorithm": "0",
            "symbologyReferenceScale": "-1",
        },
    )
    flags = SubElement(style, "flags")
    for flag, value in (("Identifiable", "1"), ("Removable", "1"), ("Searchable", "1"), ("Private", "0")):
        SubElement(flags, flag).text = value
    fid = Column("fid", "INTEGER", Words("fid", "fid"))
    columns = (fid, *table.columns)
    _add_widgets(style, columns, language)
    _add_column_rules(style, columns, language)
    _add_table(style, columns)
    if form is not None:
        SubElement(style, "editorlayout").text = "tablayout"
        style.append(form)
    geometry = (LINE if table.lines else POLYGON) if table.spatial else NO_GEOMETRY
    SubElement(style, "layerGeometryType").text = str(geometry)
    return style


def _add_widgets(style: Element, columns: Iterable[Column], language: Language) -> None:
    fields = SubElement(style, "fieldConfiguration")
    aliases = SubElement(style, "aliases")
    editable, above = SubElement(style, "editable"), SubElement(style, "labelOnTop")
    for index, column in enumerate(columns):
        field = SubElement(fields, "field", {"name": column.name, "configurationFlags": "None"})
        kind, config = _widget(column, language)
        widget = SubElement(field, "editWidget", {"type": kind})
        add_options(SubElement(widget, "config"), config)
        alias = column.alias.say(language)
        SubElement(aliases, "alias", {"field": column.name, "index": str(index), "name": alias})
        writes = column.owner == "reviewer" and column.name not in REVIEWER_DEFAULTS
        SubElement(editable, "field", {"name": column.name, "editable": str(int(writes))})
        on_top = str(int(column.name in ("comment", "reason")))
        SubElement(above, "field", {"name": column.name, "labelOnTop": on_top})


def _widget(column: Column, language: Language) -> tuple[str, dict[str, Any]]:
    if column.name in ("fid", "known") or column.type == "BLOB":
        return "Hidden", {}
    if column.domain:
        codes = [{words.say(language): code} for code, words in DOMAINS[column.domain].items()]
        nothing = [] if "NOT NULL" in column.constraint else [{"–": VALUE_MAP_NULL}]
        return "ValueMap", {"map": nothing + codes}
    if column.type == "BOOLEAN":
        return "CheckBox", {"CheckedState": "1", "UncheckedState": "0", "TextDisplayMethod": 0}
    if column.type in ("DATE", "DATETIME"):
        shown = "yyyy-MM-dd" if column.type == "DATE" else "yyyy-MM-dd HH:mm"
        stored = "yyyy-MM-dd" if column.type == "DATE" else "yyyy-MM-dd HH:mm:ss"
        flags = {"calendar_popup": True, "allow_null": True, "field_iso_format": False}
        return "DateTime", {"display_format": shown, "field_format": stored, **flags}
    return "TextEdit", {"IsMultiline": column.name == "comment", "UseHtml": False}


# QGIS stores the time of the clock on the wall without its zone. So it is given a time that differs from that
# by as much as the wall's time, read as UTC, differs from now.
WALL = "to_datetime(format_date({}, 'yyyy-MM-ddTHH:mm:ss') || 'Z')"
UTC_NOW = "with_variable('now', now(), {})".format(
    WALL.format(f"datetime_from_epoch(2 * epoch(@now) - epoch({WALL.format('@now')}))")
)
# Filled by QGIS whenever a row is edited, emptied when it is set back to open.
REVIEWER_DEFAULTS = {
    "reviewed_by": "if(\"status\" = 'open', NULL, coalesce(nullif(@user_full_name, ''), @user_account_name))",
    "reviewed_at": f"if(\"status\" = 'open', NULL, {UTC_NOW})",
}
# The same for the sample, where an answer stands for a status.
SAMPLE_DEFAULTS = {
    name: expression.replace("\"status\" = 'open'", '"answer" IS NULL')
    for name, expression in REVIEWER_DEFAULTS.items()
}
NEW_ROW_DEFAULTS = {"status": "'open'", "field_visit": "false"}
NOT_NULL, UNIQUE, EXPRESSION = 1, 2, 4  # bits of a constraint
HARD, SOFT = "1", "2"
NO_CHECK = ("", Words("", ""), "0")


def _add_column_rules(style: Element, columns: Sequence[Column], language: Language) -> None:
    """Add defaults and constraints: a status must be of the list, a reason for rejecting is asked for."""
    reviews = any(column.name == "reject_reason" for column in columns)
    fills = (REVIEWER_DEFAULTS | NEW_ROW_DEFAULTS) if reviews else SAMPLE_DEFAULTS
    codes = ", ".join(f"'{code}'" for code in DOMAINS["review"])
    checks = {
        "status": (f'"status" IN ({codes})', PROJECT["status_hint"], HARD),
        "reject_reason": (
            '"status" <> \'rejected\' OR "reject_reason" IS NOT NULL',
            PROJECT["reason_hint"],
            SOFT,
        ),
    }
    defaults = SubElement(style, "defaults")
    constraints, expressions = SubElement(style, "constraints"), SubElement(style, "constraintExpressions")
    for column in columns:
        on_update = column.name in REVIEWER_DEFAULTS
        default = fills.get(column.name, "") if column.owner == "reviewer" else ""
        SubElement(
            defaults,
            "default",
            {"field": column.name, "expression": default, "applyOnUpdate": str(int(on_update))},
        )
        expression, hint, strength = checks.get(column.name, NO_CHECK) if reviews else NO_CHECK
        not_null, unique = "NOT NULL" in column.constraint, "UNIQUE" in column.constraint
        bits = NOT_NULL * not_null | UNIQUE * unique | EXPRESSION * bool(expression)
        SubElement(
            constraints,
            "constraint",
            {
                "field": column.name,
                "constraints": str(bits),
                "notnull_strength": HARD if not_null else "0",
                "unique_strength": HARD if unique else "0",
                "exp_strength": strength,
            },
        )
        described = {"field": column.name, "exp": expression, "desc": hint.say(language)}
        SubElement(expressions, "constraint", described)


def _add_table(style: Element, columns: Sequence[Column]) -> None:
    """Add the attribute table: what is decided on first, what is only looked up hidden."""
    config = SubElement(
        style,
        "attributetableconfig",
        {"actionWidgetStyle": "buttonList", "sortExpression": "", "sortOrder": "0"},
    )
    names = [column.name for column in columns]
    reviews = "reject_reason" in names
    visible = TABLE_ORDER if reviews else [name for name in names if name != "fid"]
    entries = SubElement(config, "columns")
    for name in [*visible, *(name for name in names if name not in visible)]:
        width = COLUMN_WIDTHS.get(name, -1) if reviews else -1
        hidden = str(int(name not in visible))
        SubElement(entries, "column", {"type": "field", "name": name, "hidden": hidden, "width": str(width)})


def _sort_table(style: Element, expression: str) -> None:
    config = style.find("attributetableconfig")
    assert config is not None
    config.set("sortExpression", expression)
    config.set("sortOrder", "1")  # Qt::DescendingOrder


def _row_colours() -> Element:
    styles = Element("conditionalstyles")
    rows = SubElement(styles, "rowstyles")
    for status, ground, ink in (
        ("confirmed", "#d9f2d9", "#000000"),
        ("rejected", "#eeeeee", "#888888"),
        ("fixed", "#d6e6f5", "#000000"),
        ("unclear", "#fff4cc", "#000000"),
    ):
        look = {"background_color": ground, "text_color": ink, "icon": ""}
        alphas = {"background_color_alpha": "255", "text_color_alpha": "255"}
        rule = f"\"status\" = '{status}' AND NOT {ASKED_AGAIN}"
        SubElement(rows, "style", {"rule": rule, "name": status, **look, **alphas})
    SubElement(styles, "fieldstyles")
    return styles


def _review_form(language: Language) -> Element:
    """Return the form: decision and picture on the first page, evidence and origin on the next two."""
    columns = [column.name for column in DISCREPANCY.columns]
    origin = columns[columns.index("flight_id") : columns.index("status")]
    origin = [
        "discrepancy_id", "lifecycle", "first_seen", "last_seen", "n_seen", "reopened_at", *origin
    ]  # fmt: skip
    decision = ["class", "reason", "reopened_because", "status", "reject_reason", "field_visit", "comment"]
    who = ["reviewed_by", "reviewed_at"]
    hidden = ("chip", "known")
    origin = [c for c in origin if c not in hidden]
    evidence = [c for c in columns if c not in (*origin, *decision, *who, *hidden)]
    indices = {"fid": 0} | {name: number for number, name in enumerate(columns, start=1)}
    words = {key: text.say(language) for key, text in PROJECT.items()}

    form = Element("attributeEditorForm")
    review = add_container(form, words["group_review"], page=True)
    box = add_container(review, words["decision"])
    add_fields(box, decision, indices)
    add_buttons(box)
    image = add_container(review, words["image"])
    old = add_container(image, "html", visible=IN_3_22)
    SubElement(
        old, "attributeEditorHtmlElement", {"name": "chip_html", "showLabel": "0"}
    ).text = FORM_CHIP_SCRIPT
    new = add_container(image, "text", visible=FROM_3_30)
    SubElement(new, "attributeEditorTextElement", {"name": "chip_text", "showLabel": "0"}).text = CHIP.format(
        height=240
    )
    add_fields(add_container(review, words["who"]), who, indices)
    add_fields(add_container(form, words["evidence"], page=True, columns=2), evidence, indices)
    add_fields(add_container(form, words["origin"], page=True, columns=2), origin, indices)
    return form
