"""The tables of review.gpkg: every column once, with its type, its owner and its words.

Types are those of GeoPackage. Geometries are MULTIPOLYGON in the project CRS, metres; mapped objects may be
MULTILINESTRING.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from geoai.publish.texts import DOMAINS, HIDDEN_CLASSES, LAYERS, Words

SqlType = Literal["TEXT", "REAL", "INTEGER", "BOOLEAN", "DATE", "DATETIME", "BLOB"]
Owner = Literal["stage", "ledger", "publish", "reviewer"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: *domain* names its codes in `texts.DOMAINS`, *decimals* rounds a REAL when written.

    *constraint* goes into the table's definition. *owner* is who fills it in: the stage that made the rows,
    the ledger, publishing, or the reviewer, whose columns no run writes again.
    """

    name: str
    type: SqlType
    alias: Words
    domain: str = ""
    decimals: int = 3
    constraint: str = ""
    owner: Owner = "stage"


@dataclass(frozen=True, slots=True)
class Table:
    """A table: *columns* come after fid and geom, which holds polygons, or *lines*."""

    name: str
    columns: tuple[Column, ...]
    spatial: bool = True
    lines: bool = False

    @property
    def title(self) -> Words:
        """What the table is called where it is listed."""
        return LAYERS[self.name]

    def sql(self) -> str:
        """Return the CREATE TABLE statement. The database itself refuses a wrong value, not only a form."""
        kind = "MULTILINESTRING" if self.lines else "MULTIPOLYGON"
        geometry = [f"geom {kind}"] if self.spatial else []
        columns = [f"{c.name} {c.type} {c.constraint}".rstrip() for c in self.columns]
        fid = "fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"  # AUTOINCREMENT: a number is never used again
        return f'CREATE TABLE "{self.name}" (\n  ' + ",\n  ".join([fid, *geometry, *columns]) + "\n)"


def _one_of(domain: str, column: str) -> str:
    return f"CHECK ({column} IN ({', '.join(repr(code) for code in DOMAINS[domain])}))"


def _share(name: str, sv: str, en: str) -> Column:
    """A column of 0..1."""
    return Column(name, "REAL", Words(sv, en))


def _metres(name: str, sv: str, en: str) -> Column:
    return Column(name, "REAL", Words(sv, en), decimals=2)


def _square_metres(name: str, sv: str, en: str) -> Column:
    return Column(name, "REAL", Words(sv, en), decimals=1)


def _text(name: str, sv: str, en: str, domain: str = "", constraint: str = "") -> Column:
    return Column(name, "TEXT", Words(sv, en), domain=domain, constraint=constraint)


def _owned(owner: Owner, *columns: Column) -> tuple[Column, ...]:
    return tuple(replace(column, owner=owner) for column in columns)


RUN_ID = _text("run_id", "Körning", "Run", constraint="NOT NULL")
FLIGHT_ID = _text("flight_id", "Flygning", "Flight", constraint="NOT NULL")
PHOTO_DATE = Column("photo_date", "DATE", Words("Fotodatum", "Photo date"))
GSD = Column("gsd_m", "REAL", Words("Pixelstorlek (m)", "Pixel size (m)"))
MODEL_ID = _text("model_id", "Modell", "Model")
CONFIG_HASH = _text("config_hash", "Inställningar", "Settings")
MAP_SNAPSHOT = _text("map_snapshot", "Kartans version", "Map snapshot")
THEME = _text("theme", "Tema", "Theme", domain="theme")
IOU = _share("iou", "Överlappning karta–bild (IoU)", "Overlap map–image (IoU)")
SHIFT = (
    _share("iou_aligned", "IoU efter inpassning", "IoU after alignment"),
    _metres("shift_dx_m", "Förskjutning öst (m)", "Shift east (m)"),
    _metres("shift_dy_m", "Förskjutning norr (m)", "Shift north (m)"),
)
CARDINALITY = _text("cardinality", "Antal karta:bild", "Count map:image")
TOLERANCE = _metres("tolerance_m", "Tolerans (m)", "Tolerance (m)")
VISIBLE_SHARE = _share("visible_share", "Synlig andel", "Visible share")
LENGTH = _metres("length_m", "Längd (m)", "Length (m)")
P_MEAN = _share("p_mean", "Sannolikhet, medel", "Probability, mean")
CONFIDENCE = _share("confidence", "Säkerhet", "Confidence")
NEAR_EDGE = Column("near_edge", "BOOLEAN", Words("Vid bildens kant", "At the imagery's edge"))

KNOWN = _text("known", "Redan känt beslut", "Decision known already")
"""What the ledger knew last of the reviewer's columns, as JSON (`verdicts.Known`); NULL where nothing."""

SIGNED = (
    _text("comment", "Kommentar", "Comment"),
    _text("reviewed_by", "Granskad av", "Reviewed by"),
    Column("reviewed_at", "DATETIME", Words("Granskad när (UTC)", "Reviewed at (UTC)")),
)
"""What a reviewer leaves with every decision and every answer."""

DISCREPANCY = Table(
    "discrepancy",
    (
        *_owned(
            "ledger",
            _text("discrepancy_id", "Avvikelse-id", "Discrepancy id", constraint="NOT NULL UNIQUE"),
        ),
        _text(
            "class",
            "Avvikelsetyp",
            "Class",
            domain="class",
            constraint="NOT NULL " + _one_of("class", "class"),
        ),
        _text(
            "family", "Slag", "Family", domain="family", constraint="NOT NULL " + _one_of("family", "family")
        ),
        THEME,
        _text("cause", "Orsak", "Cause", domain="cause", constraint=_one_of("cause", "cause")),
        CARDINALITY,
        *_owned(
            "ledger",
            _text(
                "lifecycle",
                "I senaste körningen",
                "In the latest run",
                domain="lifecycle",
                constraint="NOT NULL " + _one_of("lifecycle", "lifecycle"),
            ),
            Column("first_seen", "DATETIME", Words("Först sedd", "First seen"), constraint="NOT NULL"),
            Column("last_seen", "DATETIME", Words("Senast sedd", "Last seen"), constraint="NOT NULL"),
            Column("n_seen", "INTEGER", Words("Antal gånger sedd", "Times seen"), constraint="NOT NULL"),
            _text("reopened_because", "Öppnad igen därför att", "Reopened because"),
            Column("reopened_at", "DATETIME", Words("Öppnad igen när (UTC)", "Reopened at (UTC)")),
        ),
        _text("map_object_ids", "Kartobjekt-id", "Map object ids"),
        Column("map_date", "DATE", Words("Kartobjektets datum", "Map object's date")),
        _text("map_status", "Kartobjektets status", "Map object's status", domain="map_state"),
        _metres("map_sigma_m", "Kartans lägesosäkerhet (m)", "Map's standard error (m)"),
        _square_metres("area_map_m2", "Area i kartan (m²)", "Area in map (m²)"),
        _square_metres("area_image_m2", "Area i bilden (m²)", "Area in image (m²)"),
        _square_metres("plus_m2", "Tillkommet (m²)", "Added (m²)"),
        _square_metres("minus_m2", "Bortfallet (m²)", "Gone (m²)"),
        LENGTH,
        IOU,
        *SHIFT,
        TOLERANCE,
        *_owned("publish", _text("policy_group", "Policygrupp", "Policy group")),
        P_MEAN,
        _share("p_q10", "Sannolikhet, 10-percentil", "Probability, 10th percentile"),
        _share("p_q90", "Sannolikhet, 90-percentil", "Probability, 90th percentile"),
        CONFIDENCE,
        Column("priority", "REAL", Words("Prioritet (störst först)", "Priority (largest first)")),
        VISIBLE_SHARE,
        NEAR_EDGE,
        *_owned("publish", _text("reason", "Motivering", "Reason", constraint="NOT NULL")),
        *_owned("ledger", FLIGHT_ID, PHOTO_DATE),
        *_owned("publish", _text("stac_item", "Bildruta", "STAC item")),
        *_owned("ledger", GSD, MODEL_ID, CONFIG_HASH, MAP_SNAPSHOT, RUN_ID, KNOWN),
        *_owned(
            "reviewer",
            Column(
                "status",
                "TEXT",
                Words("Granskning", "Review"),
                domain="review",
                constraint="NOT NULL DEFAULT 'open' " + _one_of("review", "status"),
            ),
            Column(
                "reject_reason",
                "TEXT",
                Words("Orsak till avvisning", "Reason for rejection"),
                domain="reject_reason",
                constraint=_one_of("reject_reason", "reject_reason"),  # NULL passes a CHECK
            ),
            Column(
                "field_visit",
                "BOOLEAN",
                Words("Kräver fältbesök", "Needs a field visit"),
                constraint="NOT NULL DEFAULT 0",
            ),
            *SIGNED,
        ),
        # last: what stands behind it in a row is found only by reading through it
        *_owned("publish", Column("chip", "BLOB", Words("Bildutsnitt", "Image chip"))),
    ),
)

ASKED_AGAIN = 'coalesce("reopened_at" > "reviewed_at", "reopened_at" IS NOT NULL)'
"""Whether a signal was opened again since it was decided on (`review.asked_again`), as TO_REVIEW is read."""
_SHOWN_CLASSES = '"class" NOT IN ({})'.format(", ".join(f"'{code}'" for code in HIDDEN_CLASSES))
TO_REVIEW = (
    f"(\"status\" = 'open' OR {ASKED_AGAIN}) "
    f'AND "lifecycle" <> \'gone\' AND "policy_group" IS NULL AND {_SHOWN_CLASSES}'
)
"""The rows of discrepancy that wait for a reviewer, as an expression of QGIS and of SQL."""

MAP_STATUS = Table(
    "map_status",
    (
        _text("map_object_id", "Kartobjekt-id", "Map object id", constraint="NOT NULL"),
        THEME,
        _text("status", "Status", "Status", domain="class", constraint="NOT NULL"),
        _square_metres("area_m2", "Area (m²)", "Area (m²)"),
        LENGTH,
        _metres("seen_m", "Sedd längd (m)", "Length seen (m)"),
        _metres("obsolete_m", "Föråldrad längd (m)", "Obsolete length (m)"),
        TOLERANCE,
        VISIBLE_SHARE,
        P_MEAN,
        _share("p_q95", "Sannolikhet, 95-percentil", "Probability, 95th percentile"),
        IOU,
        *SHIFT,
        CARDINALITY,
        *_owned("publish", _text("defect", "Fel i omrissets geometri", "Defect of the outline", "defect")),
    ),
)

MAP_LINES = replace(MAP_STATUS, lines=True)
"""The same where the map holds the theme as lines."""

DETECTION = Table(
    "detection",
    (
        _text("detection_id", "Detektions-id", "Detection id", constraint="NOT NULL"),
        THEME,
        _square_metres("area_m2", "Area (m²)", "Area (m²)"),
        P_MEAN,
        CONFIDENCE,
        NEAR_EDGE,
    ),
)

SUGGESTION = Table(
    "suggestion",
    (
        _text("discrepancy_id", "Avvikelse-id", "Discrepancy id", constraint="NOT NULL"),
        _text("class", "Avvikelsetyp", "Class", domain="class", constraint="NOT NULL"),
        THEME,
        _text("map_object_ids", "Kartobjekt-id", "Map object ids"),
        _square_metres("area_m2", "Area (m²)", "Area (m²)"),
    ),
)

COVERAGE = Table(
    "coverage",
    (
        _text("tile_id", "Ruta", "Tile", constraint="NOT NULL"),
        _text("status", "Status", "Status", domain="coverage", constraint="NOT NULL"),
        _text("reason", "Orsak", "Reason", domain="coverage_reason"),
        _share("valid_share", "Andel av rutan", "Share of the tile"),
    ),
)

RUN = Table(
    "run",
    (
        RUN_ID,
        FLIGHT_ID,
        PHOTO_DATE,
        Column("started", "DATETIME", Words("Startad", "Started"), constraint="NOT NULL"),
        _text("geoai_version", "Programversion", "geoai version"),
        MODEL_ID,
        _text("model_checksum", "Modellens kontrollsumma", "Model checksum"),
        CONFIG_HASH,
        _text("map_source", "Kartans källa", "Map source"),
        MAP_SNAPSHOT,
        GSD,
        _text("crs", "Referenssystem", "CRS"),
    ),
    spatial=False,
)

SAMPLE = Table(
    "sample",
    (
        _text("sample_id", "Stickprovs-id", "Sample id", constraint="NOT NULL UNIQUE"),
        _text("stratum", "Grupp", "Stratum", domain="stratum", constraint="NOT NULL"),
        Column("weight", "REAL", Words("Står för så många", "Stands for so many"), constraint="NOT NULL"),
        *_owned(
            "publish",
            _text("question", "Fråga", "Question", constraint="NOT NULL"),
            _text("discrepancy_id", "Avvikelse-id", "Discrepancy id"),
        ),
        _text("subject", "Kartobjekt eller ruta", "Map object or cell"),
        *_owned(
            "reviewer",
            _text("answer", "Svar", "Answer", domain="answer", constraint=_one_of("answer", "answer")),
            Column(
                "number",
                "INTEGER",
                Words("Antal som saknas", "Number missing"),
                constraint="CHECK (number > 0)",
            ),
            *SIGNED,
        ),
    ),
)

QUALITY_GRID = Table(
    "quality_grid",
    (
        _text("cell_id", "Ruta", "Cell", constraint="NOT NULL UNIQUE"),
        _share("checked_share", "Kontrollerad andel", "Checked share"),
        *(
            Column(name, "INTEGER", words)
            for name, words in {
                "mapped": Words("Kartobjekt", "Map objects"),
                "assessable": Words("Bedömbara kartobjekt", "Assessable map objects"),
                "signals": Words("Signaler", "Signals"),
                "missing": Words("Saknas i kartan", "Missing in map"),
                "excess": Words("Finns inte längre", "No longer there"),
                "other": Words("Andra skillnader", "Other differences"),
            }.items()
        ),
    ),
)

REGISTRATION = Table(
    "registration",
    (
        _metres("dx_m", "Bilden öst om kartan (m)", "Imagery east of the map (m)"),
        _metres("dy_m", "Bilden norr om kartan (m)", "Imagery north of the map (m)"),
        Column("pairs", "INTEGER", Words("Säkra par i rutan", "Safe pairs in the cell")),
        _metres("spread_m", "Parens spridning (m)", "Spread of the pairs (m)"),
        _text("source", "Mätt i", "Measured in", domain="registration", constraint="NOT NULL"),
    ),
)

TABLES = (DISCREPANCY, MAP_STATUS, DETECTION, SUGGESTION, COVERAGE, RUN)
"""What every review holds. A run's also holds a SAMPLE, a QUALITY_GRID and a REGISTRATION."""
