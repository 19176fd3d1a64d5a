"""The words and colours a cartographer meets, in Swedish and English: one table per subject.

Codes (class names, review statuses) are what is stored; the words here are what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Language = Literal["sv", "en"]


class Words(NamedTuple):
    """One thing said in both languages."""

    sv: str
    en: str

    def say(self, language: Language) -> str:
        """Return the words in *language*."""
        return self.sv if language == "sv" else self.en


@dataclass(frozen=True, slots=True)
class ClassLook:
    """How a class of discrepancy is named, drawn and explained.

    *colour* is of the Okabe–Ito palette, told apart by the colour-blind; *hatch* the angles of its lines in
    degrees, so that classes stay apart in black and white; *opacity* in percent; *shown* whether the legend
    starts with it checked. *reason* is a sentence without its full stop: {noun} is the theme, {area} the
    words ' of 142 m²' or nothing. *area* is the column that {area} tells, *facts* what follows in brackets.
    """

    name: Words
    colour: str
    hatch: tuple[int, ...]
    reason: Words
    area: Literal["area_map_m2", "area_image_m2"] = "area_map_m2"
    facts: tuple[str, ...] = ()
    dashed: bool = False
    opacity: int = 100
    shown: bool = True


BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"

# In the order of the legend: what is worked on first comes first.
CLASSES: dict[str, ClassLook] = {
    "missing": ClassLook(
        Words("Saknas i kartan", "Missing in map"),
        VERMILION,
        (45,),
        Words(
            "{noun}{area} syns i bilden men saknas i kartan",
            "{noun}{area} is seen in the image but missing in the map",
        ),
        area="area_image_m2",
        facts=("probability",),
    ),
    "demolished": ClassLook(
        Words("Riven", "Demolished"),
        PURPLE,
        (135,),
        Words(
            "{noun}{area} finns i kartan men syns inte i bilden",
            "{noun}{area} is in the map but not seen in the image",
        ),
        facts=("theme_probability", "visible_share", "height"),
        dashed=True,
    ),
    "obsolete": ClassLook(
        Words("Föråldrad", "Obsolete"),
        BLUE,
        (135,),
        Words(
            "{noun}{area} finns i kartan men syns inte i bilden",
            "{noun}{area} is in the map but not seen in the image",
        ),
        facts=("of_length", "theme_probability"),
        dashed=True,
    ),
    "extended": ClassLook(
        Words("Tillbyggd", "Extended"),
        ORANGE,
        (0,),
        Words("{noun}{area} i kartan är större i bilden", "{noun}{area} in the map is larger in the image"),
        facts=("plus", "probability"),
    ),
    "reduced": ClassLook(
        Words("Delvis riven", "Reduced"),
        BLUE,
        (90,),
        Words("{noun}{area} i kartan är mindre i bilden", "{noun}{area} in the map is smaller in the image"),
        facts=("minus", "theme_probability"),
        dashed=True,
    ),
    "reshaped": ClassLook(
        Words("Ändrad form", "Reshaped"),
        GREEN,
        (45, 135),
        Words(
            "{noun}{area} i kartan har en annan form i bilden",
            "{noun}{area} in the map has another shape in the image",
        ),
        facts=("plus", "minus"),
    ),
    "replaced": ClassLook(
        Words("Ersatt", "Replaced"),
        VERMILION,
        (0, 90),
        Words(
            "{noun}{area} i kartan tycks ha ersatts", "{noun}{area} in the map seems to have been replaced"
        ),
        facts=("image_area", "iou"),
    ),
    "moved": ClassLook(
        Words("Flyttad", "Moved"),
        SKY,
        (45,),
        Words(
            "{noun}{area} i kartan ligger på en annan plats i bilden",
            "{noun}{area} in the map lies in another place in the image",
        ),
        facts=("shift", "tolerance"),
    ),
    "planned_built": ClassLook(
        Words("Planerad, nu byggd", "Planned, now built"),
        YELLOW,
        (45,),
        Words(
            "{noun}{area} har status planerad i kartan men syns i bilden",
            "{noun}{area} is planned in the map but seen in the image",
        ),
        facts=("probability",),
    ),
    "uncertain_absence": ClassLook(
        Words("Syns inte, osäkert", "Not seen, uncertain"),
        PURPLE,
        (0,),
        Words(
            "{noun}{area} finns i kartan men kan inte säkert ses i bilden",
            "{noun}{area} is in the map but cannot be seen with certainty in the image",
        ),
        facts=("theme_probability", "visible_share", "height"),
        dashed=True,
        opacity=70,
    ),
    "split": ClassLook(
        Words("Delad", "Split"),
        SKY,
        (90,),
        Words("{noun}{area} i kartan syns som flera i bilden", "{noun}{area} in the map is seen as several"),
        facts=("cardinality",),
    ),
    "merged": ClassLook(
        Words("Sammanbyggd", "Merged"),
        SKY,
        (0,),
        Words(
            "{noun}{area} syns som en i bilden men är flera i kartan",
            "{noun}{area} is seen as one in the image but is several in the map",
        ),
        area="area_image_m2",
        facts=("cardinality",),
    ),
    "recomposed": ClassLook(
        Words("Annan indelning", "Recomposed"),
        GREEN,
        (0,),
        Words(
            "{noun}{area} i kartan är annorlunda indelad i bilden",
            "{noun}{area} in the map is divided differently in the image",
        ),
        facts=("cardinality", "iou"),
    ),
    "class_mismatch": ClassLook(
        Words("Annan objekttyp", "Class mismatch"),
        YELLOW,
        (135,),
        Words(
            "{noun}{area} i kartan ser ut att vara något annat i bilden",
            "{noun}{area} in the map looks like something else in the image",
        ),
        facts=("iou",),
    ),
    "duplicate_in_map": ClassLook(
        Words("Dubblett i kartan", "Duplicate in map"),
        BLACK,
        (45, 135),
        Words("{noun}{area} finns två gånger i kartan", "{noun}{area} is in the map twice"),
        facts=("iou",),
    ),
    "not_assessable": ClassLook(
        Words("Kan ej bedömas", "Not assessable"),
        GREY,
        (0,),
        Words("{noun}{area} kan inte bedömas i bilden", "{noun}{area} cannot be assessed in the image"),
        facts=("visible_share",),
        opacity=50,
    ),
    "below_min": ClassLook(
        Words("Under minsta area", "Below minimum area"),
        GREY,
        (45,),
        Words(
            "{noun}{area} skiljer sig mellan karta och bild men är under minsta area",
            "{noun}{area} differs between map and image but is below the minimum area",
        ),
        facts=("probability",),
        opacity=50,
        shown=False,
    ),
    "confirmed": ClassLook(
        Words("Stämmer", "Confirmed"),
        GREEN,
        (),
        Words("{noun}{area} stämmer mellan karta och bild", "{noun}{area} agrees between map and image"),
        facts=("iou",),
        opacity=50,
        shown=False,
    ),
}

HIDDEN_CLASSES = ("below_min", "not_assessable", "confirmed")
"""Classes that are not put before a reviewer: there is nothing to decide."""

FACTS: dict[str, tuple[str, str, Words]] = {
    # name: (column, format, words); formats are those of `reasons.number`
    "probability": ("p_mean", "share", Words("sannolikhet {}", "probability {}")),
    "theme_probability": ("p_mean", "share", Words("sannolikhet för {noun} {}", "probability of {noun} {}")),
    "visible_share": ("visible_share", "percent", Words("{} synligt", "{} visible")),
    "plus": ("plus_m2", "area", Words("tillkommet {}", "added {}")),
    "minus": ("minus_m2", "area", Words("bortfallet {}", "gone {}")),
    "image_area": ("area_image_m2", "area", Words("i bilden {}", "in the image {}")),
    "iou": ("iou", "share", Words("överlappning {}", "overlap {}")),
    "tolerance": ("tolerance_m", "length", Words("tolerans {}", "tolerance {}")),
    "cardinality": ("cardinality", "text", Words("karta:bild {}", "map:image {}")),
    "of_length": ("length_map_m", "whole_length", Words("kartans linje är {}", "the mapped line is {}")),
    "height": ("height_m", "length", Words("höjd över mark {}", "height above ground {}")),
}

BEFORE = Words("på den tidigare flygningen {}", "on the earlier flight {}")
MAP_NEWER = Words("kartan ändrades efter fotograferingen", "the map changed after the photo was taken")

HIDDEN_BY: dict[str, Words] = {
    "canopy": Words("skyms av trädkronor", "hidden by tree crowns"),
    "shadow": Words("i djup skugga", "in deep shadow"),
    "no_imagery": Words("bild saknas", "no imagery"),
}

TRAITS: dict[str, tuple[str, Words]] = {
    # name: (format of `reasons.number`, words)
    "contact_share": (
        "percent",
        Words("{} av omkretsen mot karterade objekt", "{} of it along mapped objects"),
    ),
    "area_m2": ("area", Words("{}", "{}")),
    "elongation": ("share", Words("långsmalhet {}", "elongation {}")),
    "rectangularity": ("share", Words("rektangularitet {}", "rectangularity {}")),
    "brightness": ("share", Words("ljushet {}", "brightness {}")),
    "texture": ("share", Words("textur {}", "texture {}")),
    "height_m": ("length", Words("höjd {}", "height {}")),
}
ATTACHED = (Words("fristående", "free-standing"), Words("sammanbyggd", "attached"))
POLICY_RULE = Words("Åsidosatt som {name}: {facts}", "Set aside as {name}: {facts}")
POLICY_LIKE = Words(
    "Åsidosatt: lik {count} avvikelser som avvisats som {name}",
    "Set aside: like {count} signals that were rejected as {name}",
)
POLICY_MAPPED = Words("{} av kartans objekt är sådana", "{} of the map's objects are like it")

SHIFT = Words("förskjutning {}", "shift {}")
AREA = Words(" om {}", " of {}")
STRETCH = Words(": en sträcka på {}", ": a stretch of {}")
"""Instead of an area, of what the map holds as lines."""
AT_EDGE = Words("vid bildens kant", "at the edge of the imagery")

REOPENED: dict[str, Words] = {
    "class": Words("avvikelsetypen var {} och är nu {}", "the class was {} and is now {}"),
    "area": Words("arean var {:.0f} m² och är nu {:.0f} m²", "the area was {:.0f} m² and is now {:.0f} m²"),
    "map": Words("kartobjektet har ändrats", "the map object has changed"),
    "confidence": Words(
        "en nyare flygning är säkrare ({1:.0%}, var {0:.0%})",
        "a newer flight is more certain ({1:.0%}, was {0:.0%})",
    ),
    "expired": Words("beslutet är äldre än fem år", "the decision is more than five years old"),
    "conflict": Words("granskarna är oense ({})", "reviewers disagree ({})"),
    "withdrawn": Words("beslutet togs tillbaka", "the decision was taken back"),
}
"""Why a signal that was decided is open again; what is filled in follows `verdicts.reopenings`."""

GONE = Words("Inte längre funnen. ", "No longer found. ")

THEMES: dict[str, Words] = {
    "building": Words("byggnad", "building"),
    "road": Words("väg", "road"),
    "path": Words("stig", "path"),
    "stream": Words("vattendrag", "stream"),
}
OTHER_THEME = Words("objekt", "object")

DOMAINS: dict[str, dict[str, Words]] = {
    "class": {code: look.name for code, look in CLASSES.items()},
    "family": {
        "presence": Words("Förekomst", "Presence"),
        "extent": Words("Utbredning", "Extent"),
        "stretch": Words("Sträcka", "Stretch"),
        "assessability": Words("Bedömbarhet", "Assessability"),
        "map": Words("Kartan själv", "The map itself"),
    },
    "theme": {code: Words(*(word.capitalize() for word in words)) for code, words in THEMES.items()},
    "cause": {
        "unknown": Words("Okänd", "Unknown"),
        "real_change": Words("Verklig förändring", "Real change"),
        "old_map_error": Words("Äldre fel i kartan", "Old map error"),
    },
    "lifecycle": {
        "new": Words("Ny", "New"),
        "persisting": Words("Kvarstår", "Persisting"),
        "gone": Words("Inte längre funnen", "Gone"),
    },
    "map_state": {"current": Words("Gällande", "Current"), "planned": Words("Planerad", "Planned")},
    "review": {
        "open": Words("Ej granskad", "Open"),
        "confirmed": Words("Bekräftad", "Confirmed"),
        "rejected": Words("Avvisad (falsklarm)", "Rejected (false alarm)"),
        "fixed": Words("Kartan rättad", "Map corrected"),
        "unclear": Words("Oklart", "Unclear"),
    },
    "reject_reason": {
        "vehicle": Words("Fordon", "Vehicle"),
        "boat": Words("Båt", "Boat"),
        "container": Words("Container", "Container"),
        "greenhouse": Words("Växthus", "Greenhouse"),
        "patio_roof": Words("Altantak", "Patio roof"),
        "sandpit": Words("Sandlåda", "Sandpit"),
        "shadow": Words("Skugga", "Shadow"),
        "vegetation": Words("Vegetation", "Vegetation"),
        "rock": Words("Berg i dagen", "Rock"),
        "lean": Words("Taket lutar ut i bilden", "Roof leans out in the image"),
        "below_size": Words("Under minsta area", "Below minimum size"),
        "temporary": Words("Tillfälligt objekt", "Temporary object"),
        "already_mapped": Words("Finns redan i kartan", "Already mapped"),
        "other": Words("Annat", "Other"),
    },
    "coverage": {
        "checked": Words("Kontrollerad", "Checked"),
        "not_checked": Words("Ej kontrollerad", "Not checked"),
    },
    "coverage_reason": {
        "imagery": Words("Bild finns", "Imagery"),
        "no_imagery": Words("Bild saknas", "No imagery"),
        "tile_failed": Words("Rutan gick inte att läsa", "The tile could not be read"),
    },
    "defect": {
        "self_intersects": Words("Skär sig självt", "Intersects itself"),
        "self_overlaps": Words("Överlappar sig självt", "Overlaps itself"),
        "other": Words("Annat", "Other"),
    },
    "registration": {
        "cell": Words("Rutan själv", "The cell itself"),
        "block": Words("Omgivande block om 2,5 km", "The block of 2.5 km around it"),
        "none": Words("För få säkra par: inget flyttat", "Too few safe pairs: nothing moved"),
    },
    "stratum": {
        "signal_missing": Words("Signal: saknas i kartan", "Signal: missing in map"),
        "signal_excess": Words("Signal: finns inte längre", "Signal: no longer there"),
        "signal_other": Words("Signal: annan skillnad", "Signal: another difference"),
        "object": Words("Kartobjekt utan signal", "Map object without a signal"),
        "cell_empty": Words("Tom ruta", "Empty cell"),
        "cell_built": Words("Ruta med objekt", "Cell with objects"),
    },
    "answer": {
        "correct": Words("Ja, stämmer", "Yes, correct"),
        "wrong": Words("Nej, stämmer inte", "No, wrong"),
        "unclear": Words("Går inte att avgöra", "Cannot tell"),
    },
}

QUESTIONS: dict[str, Words] = {
    # what is asked of a sampled unit, by its stratum: the answer is one of the domain's
    "signal_missing": Words(
        "Står det något här som borde finnas i kartan men saknas?",
        "Does something stand here that should be in the map and is not?",
    ),
    "signal_excess": Words(
        "Är kartobjektet borta i verkligheten (eller dubbelt i kartan)?",
        "Is the map object gone in reality (or twice in the map)?",
    ),
    "signal_other": Words(
        "Skiljer sig kartan från verkligheten så som signalen säger?",
        "Does the map differ from reality as the signal says?",
    ),
    "object": Words("Står kartobjektet kvar i bilden?", "Does the map object still stand in the image?"),
    "cell_empty": Words(
        "Är kartan fullständig i rutan, bortsett från signalerna? Om inte: ange hur många som saknas.",
        "Is the map complete in the cell, signals aside? If not: say how many are missing.",
    ),
    "cell_built": Words(
        "Är kartan fullständig i rutan, bortsett från signalerna? Om inte: ange hur många som saknas.",
        "Is the map complete in the cell, signals aside? If not: say how many are missing.",
    ),
}

LAYERS: dict[str, Words] = {
    "discrepancy": Words("Avvikelser", "Discrepancies"),
    "to_review": Words("Att granska", "To review"),
    "all": Words("Alla avvikelser", "All discrepancies"),
    "policy": Words("Åsidosatta enligt policy", "Set aside by policy"),
    "map": Words("Karta", "Map"),
    "map_status": Words("Kartobjekt efter status", "Map objects by status"),
    "detection": Words("Detektioner", "Detections"),
    "suggestion": Words("Förslag att kopiera till kartan", "Suggestions to copy into the map"),
    "coverage": Words("Täckning", "Coverage"),
    "run": Words("Körning", "Run"),
    "appearing": Words("Tillkommer", "Appearing"),
    "vanishing": Words("Försvinner", "Vanishing"),
    "changed": Words("Byter klass", "Changed"),
    "sample": Words("Stickprov", "Sample"),
    "quality_grid": Words("Kvalitetsrutor", "Quality grid"),
    "registration": Words("Inpassning karta–bild", "Offset map–image"),
    "probability": Words("Sannolikhet", "Probability"),
    "orthophoto": Words("Ortofoto", "Orthophoto"),
    "earlier": Words("Tidigare ortofoto", "Earlier orthophoto"),
}

ACTIONS: dict[str, Words] = {
    "confirm": Words("Bekräfta", "Confirm"),
    "reject": Words("Avvisa …", "Reject …"),
    "unclear": Words("Oklar", "Unclear"),
    "next": Words("Nästa", "Next"),
    "suggestion": Words("Kopiera förslag", "Copy suggestion"),
    "review": Words("Granskning", "Review"),
    "why": Words("Varför avvisas den?", "Why is it rejected?"),
    "done": Words("Inget kvar att granska.", "Nothing is left to review."),
    "copied": Words(
        "Förslaget ligger i urklipp: klistra in det (Ctrl+V) i kartans lager.",
        "The suggestion is on the clipboard: paste it (Ctrl+V) into the map's layer.",
    ),
    "no_suggestion": Words("Avvikelsen har inget förslag.", "The signal has no suggestion."),
}
"""The buttons of the review, and what they say."""

PROJECT: dict[str, Words] = {
    "title": Words("Granskning", "Review"),
    "part": Words("del {} av {}", "part {} of {}"),
    "group_review": Words("Granskning", "Review"),
    "group_map": Words("Karta", "Map"),
    "group_image": Words("Bild", "Imagery"),
    "theme_review": Words("Granskning", "Review"),
    "theme_map": Words("Endast karta", "Map only"),
    "theme_image": Words("Endast bild", "Imagery only"),
    "theme_probability": Words("Sannolikhet", "Probability"),
    "theme_earlier": Words("Tidigare bild", "Earlier imagery"),
    "bookmarks": Words("Högst prioritet", "Highest priority"),
    "decision": Words("Beslut", "Decision"),
    "image": Words("Bild", "Image"),
    "who": Words("Vem och när", "Who and when"),
    "evidence": Words("Underlag", "Evidence"),
    "origin": Words("Ursprung", "Origin"),
    "reason_hint": Words("Ange gärna varför den avvisas", "Please say why it is rejected"),
    "question": Words("Fråga", "Question"),
    "number_hint": Words("Ange hur många som saknas", "Please say how many are missing"),
    "cell_none": Words("Ingen signal", "No signal"),
    "cell_one": Words("1 signal", "1 signal"),
    "cell_some": Words("{} signaler", "{} signals"),
    "sheet": Words("Granskningsblad", "Review sheet"),
    "sheet_photo": Words("Bild med karta och avvikelse", "Imagery with map and signal"),
    "area": Words("Area", "Area"),
    "status_hint": Words("Välj ett av värdena i listan", "Choose one of the values in the list"),
}
