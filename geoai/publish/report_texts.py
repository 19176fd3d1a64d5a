"""What the report says, in Swedish and English. {} are figures, already in the reader's form."""

from __future__ import annotations

from geoai.publish.texts import Words

REPORT: dict[str, Words] = {
    "title": Words("Kvalitetsrapport", "Quality report"),
    "subtitle": Words(
        "Flygning {} jämförd med den digitala kartan", "Flight {} compared with the digital map"
    ),
    "in_short": Words("I korthet", "In short"),
    "signals": Words("signaler att granska", "signals to review"),
    "signals_note": Words("{} per km²", "{} per km²"),
    "reviewed": Words("granskade", "reviewed"),
    "reviewed_note": Words("{} av {} signaler", "{} of {} signals"),
    "checked": Words("kontrollerad yta", "ground checked"),
    "checked_note": Words("{} km² av rutorna är inte kontrollerade", "{} km² of the tiles were not checked"),
    "objects": Words("kartobjekt bedömda", "map objects judged"),
    "objects_note": Words("{} kunde inte bedömas", "{} could not be judged"),
    "expected": Words("väntad träffsäkerhet", "expected precision"),
    "expected_note": Words(
        "{} i {} signaler, om modellens kalibrering håller",
        "{} in {} signals, if the model's calibration holds",
    ),
    "list_note_short": Words("{} i hela listan", "{} in the whole list"),
    "decided_note": Words("{} i {} beslutade signaler", "{} in {} decided signals"),
    "expected_none": Words("ingen kalibrerad säkerhet finns", "there is no calibrated confidence"),
    # what was run
    "run": Words("Vad som kördes", "What was run"),
    "flight": Words("Flygning", "Flight"),
    "photo_date": Words("Fotodatum", "Photo date"),
    "not_stated": Words("ej angivet", "not stated"),
    "gsd": Words("Pixelstorlek", "Pixel size"),
    "map": Words("Karta", "Map"),
    "snapshot": Words("Kartans kontrollsumma", "Checksum of the map"),
    "model": Words("Modell", "Model"),
    "settings": Words("Inställningar", "Settings"),
    "crs": Words("Referenssystem", "Reference system"),
    "run_id": Words("Körning", "Run"),
    "started": Words("Kördes", "Run on"),
    "version": Words("Programversion", "Program version"),
    # the contact sheet
    "sheet": Words("Kontaktkarta", "Contact sheet"),
    "sheet_count": Words("{} signaler", "{} signals"),
    "sheet_page": Words("{}–{} av {}", "{}–{} of {}"),
    # the map picture
    "overview": Words("Översikt", "Overview"),
    "overview_note": Words(
        "Signalerna på ortofotot. Grått saknar bild och är inte kontrollerat. Ortofotot är förminskat; "
        "norr är uppåt.",
        "The signals on the orthophoto. Grey has no imagery and was not checked. The orthophoto is "
        "reduced; north is up.",
    ),
    "no_picture": Words("Ortofotot gick inte att läsa.", "The orthophoto could not be read."),
    "first_signals": Words("De första signalerna", "The first signals"),
    "first_note": Words(
        "Högst prioritet först. Gult är signalen, blått är kartan.",
        "Highest priority first. Yellow is the signal, blue the map.",
    ),
    # the list
    "list": Words("Listan", "The list"),
    "class": Words("Avvikelse", "Difference"),
    "count": Words("Antal", "Count"),
    "open": Words("Ej granskade", "Open"),
    "true": Words("Rätt", "True"),
    "false": Words("Falsklarm", "False"),
    "unclear": Words("Oklara", "Unclear"),
    "total": Words("Summa", "Total"),
    "empty": Words("Körningen gav inga signaler.", "The run gave no signals."),
    "list_note": Words(
        "Storleken är kartobjektets area, eller den sedda där inget är karterat; för linjer sträckans längd.",
        "The size is the area of the map object, or the one seen where nothing is mapped; of lines, the "
        "length of the stretch.",
    ),
    # what the map leaves out
    "policy": Words("Vad kartan inte ska ha (policy)", "What this map does not hold (policy)"),
    "policy_unknown": Words("Körningen sparade inte sin policy.", "The run kept no record of its policy."),
    "policy_none": Words(
        "Ingen regel är satt och inget är inlärt av granskningar: ingen signal är åsidosatt.",
        "No rule is set and nothing was learnt from reviews: no signal is set aside.",
    ),
    "policy_note": Words(
        "Det här står där och lämnas utanför kartan med avsikt. Åsidosatta signaler ligger i ett eget lager "
        "(Åsidosatta enligt policy) och räknas varken i listan eller i måtten nedan; ingen är borttagen. "
        "Sista kolumnen säger hur stor del av kartans egna objekt som är likadana: är den stor har kartan "
        "sådana objekt.",
        "This stands there and is left out of the map on purpose. Signals that are set aside lie in a layer "
        "of their own (Set aside by policy) and count neither in the list nor in the measures below; none is "
        "dropped. The last column says which share of the map's own objects are alike: where it is large, "
        "the map does hold such objects.",
    ),
    "policy_rules": Words("Satta regler", "Rules that were set"),
    "policy_name": Words("Grupp", "Group"),
    "policy_takes": Words("Tar det som är", "Takes what is"),
    "policy_aside": Words("Åsidosatta i körningen", "Set aside in this run"),
    "policy_mapped": Words("Likadana av kartans objekt", "Alike of the map's objects"),
    "policy_learned": Words("Inlärt av granskningar", "Learnt from reviews"),
    "policy_learned_note": Words(
        "En logistisk modell för varje avvikelse och orsak till avvisning, mot det som bekräftats. Talet i "
        "parentes är vikten, per standardavvikelse från medelvärdet bland det granskade, som står före. "
        "Korsvalidering i fem delar: av det som modellen hade åsidosatt (sannolikhet från 0,8) var så många "
        "avvisade av den orsaken; logförlusten jämförs med den av bara andelen. En modell används där minst "
        "80 % av det åsidosatta var rätt och logförlusten är under 90 % av andelens.",
        "A logistic model for each difference and reason for rejection, against what was confirmed. The "
        "number in brackets is the weight, for a standard deviation from the mean of what was reviewed, "
        "which stands before it. Five-fold cross-validation: of what the model would have set aside "
        "(probability from 0.8), so many had been rejected for the reason; the log loss is compared with "
        "that of the mere proportion. A model is used where at least 80% of what it sets aside was right and "
        "its log loss is below 90% of the proportion's.",
    ),
    "policy_speaks": Words("Talar för: {}.", "What speaks for it: {}."),
    "policy_from": Words("Avvisade + bekräftade", "Rejected + confirmed"),
    "policy_would": Words("Rätt i korsvalidering", "Right in cross-validation"),
    "policy_rightly": Words("{} av {}", "{} of {}"),
    "policy_loss": Words("Logförlust {}, för bara andelen {}.", "Log loss {}, of the mere proportion {}."),
    "policy_used": Words("Används", "Used"),
    "policy_yes": Words("ja", "yes"),
    "hides_none": Words("nej: skulle inte åsidosätta något", "no: would set nothing aside"),
    "hides_kept": Words(
        "nej: skulle åsidosätta för mycket som bekräftats",
        "no: would set aside too much that was confirmed",
    ),
    "tells_little": Words(
        "nej: skiljer knappt bättre än andelen", "no: tells hardly more than the proportion"
    ),
    "than": Words("{} än {} ({})", "{} than {} ({})"),
    # signals
    "signals_title": Words("Del A. Är listan bra?", "Part A. Is the list good?"),
    "signals_lead": Words(
        "Den här delen handlar om signalerna, inte om kartan: hur ofta listan har rätt.",
        "This part is about the signals, not about the map: how often the list is right.",
    ),
    "by_size": Words(
        "Träffsäkerhet per avvikelse och storlek, av granskarnas beslut",
        "Precision by difference and size, from the reviewers' decisions",
    ),
    "size": Words("Storlek", "Size"),
    "precision": Words("Träffsäkerhet", "Precision"),
    "interval": Words("95 % intervall", "95% interval"),
    "precision_note": Words(
        "Träffsäkerhet = rätt / (rätt + falsklarm). Intervallen är Wilsons, 95 %. Det som granskats "
        "först hör till det som prioriterats högst, så siffran gäller det granskade, inte hela listan.",
        "Precision = true / (true + false). Intervals are Wilson's, 95%. What is reviewed first has the "
        "highest priority, so the figure is of what was reviewed, not of the whole list.",
    ),
    "nothing_reviewed": Words(
        "Ingen signal är granskad än. Träffsäkerheten kan anges när granskare satt status på signalerna "
        "i QGIS; redan 20 beslut i en grupp ger ett intervall på omkring ± 20 procentenheter.",
        "No signal has been reviewed yet. Precision can be told once reviewers have set a status on "
        "signals in QGIS; as few as 20 decisions in a group give an interval of about ± 20 percentage "
        "points.",
    ),
    "whole_list": Words("Hela listan", "The whole list"),
    "precision_of_list": Words(
        "Träffsäkerhet i hela listan (beslut och stickprov)",
        "Precision of the whole list (decisions and sample)",
    ),
    "recall": Words(
        "Andel av kartans saknade och överflödiga objekt som listan har",
        "Share of the map's missing and excess objects that the list holds",
    ),
    "per_km2": Words("Signaler per km²", "Signals per km²"),
    "unknown_yet": Words("ännu okänt", "not known yet"),
    "calibration": Words("Stämmer säkerheten?", "Does the confidence hold?"),
    "calibration_note": Words(
        "{} beslutade signaler har en beräknad säkerhet. Den sade i medel {}; rätt var {} ({}). "
        "Kalibreringsfelet är {}.",
        "{} decided signals have a computed confidence. It said {} on average; {} were true ({}). The "
        "calibration error is {}.",
    ),
    "calibration_none": Words(
        "Säkerheten kan hållas mot besluten när granskade signaler har en beräknad säkerhet.",
        "The confidence can be held against decisions once reviewed signals have a computed confidence.",
    ),
    "calibration_off": Words(
        "Säkerheten ligger utanför intervallet: väntevärdena nedan är för {}.",
        "The confidence lies outside the interval: what is expected below is too {}.",
    ),
    "too_high": Words("höga", "high"),
    "too_low": Words("låga", "low"),
    "expectation": Words("Vad kan väntas av listan?", "What can be expected of the list?"),
    "expectation_note": Words(
        "Beräknat av den kalibrerade säkerheten hos {} signaler, i prioritetsordning. Intervallen är "
        "slumpens och gäller så långt säkerheten stämmer.",
        "Computed from the calibrated confidence of {} signals, in order of priority. The intervals are "
        "those of chance and hold as far as the confidence does.",
    ),
    "expectation_without": Words(
        "{} signaler har ingen kalibrerad säkerhet och ingår inte.",
        "{} signals have no calibrated confidence and are not part of it.",
    ),
    "expectation_none": Words(
        "Ingen signal har en kalibrerad säkerhet; då kan inget väntevärde anges.",
        "No signal has a calibrated confidence; then nothing can be said of what to expect.",
    ),
    "holds": Words(
        "De första {} av {} signaler med beräknad säkerhet väntas hålla {} av de verkliga ändringarna ({}).",
        "The first {} of the {} signals with a computed confidence are expected to hold {} of the true "
        "changes ({}).",
    ),
    "first_k": Words("De första", "The first"),
    "expected_true": Words("Väntat rätta", "Expected true"),
    "expected_precision": Words("Väntad träffsäkerhet", "Expected precision"),
    "expected_share": Words("Andel av de verkliga", "Share of the true ones"),
    "plot_x": Words("granskade signaler, högst prioritet först", "signals reviewed, highest priority first"),
    "plot_y": Words("väntat antal rätta", "true ones expected"),
    "plot_all": Words("om alla vore rätt", "if all were true"),
    "plot_list": Words("väntat av listan", "expected of the list"),
    "plot_said": Words("säkerhet", "confidence"),
    "plot_so": Words("andel rätt", "share true"),
    # the map
    "map_title": Words("Del B. Är kartan bra?", "Part B. Is the map good?"),
    "map_lead": Words(
        "Mått enligt ISO 19157, om de {} kartobjekt som kunde bedömas. Modellens egna räkningar skrivs "
        "aldrig som mått: fullständighet mäts av granskade signaler tillsammans med ett stickprov som "
        "även har objekt utan signal och tomma rutor.",
        "Measures of ISO 19157, of the {} map objects that could be judged. What the model counted is "
        "never printed as a measure: completeness is measured by reviewed signals together with a sample "
        "that also holds objects without a signal and empty cells.",
    ),
    "should_be": Words(
        "Objekt som kartan borde ha: bedömbara − överflödiga + saknade",
        "Items that should be present: assessable − excess + missing",
    ),
    "iso_id": Words("ISO-id", "ISO id"),
    "measure": Words("Mått", "Measure"),
    "value": Words("Värde", "Value"),
    "of": Words("Av", "Of"),
    "verified_so_far": Words("Verifierade hittills", "Verified so far"),
    "remark": Words("Anmärkning", "Remark"),
    "not_verified": Words("ej verifierat", "not verified"),
    "completeness": Words("Fullständighet", "Completeness"),
    "logical": Words("Logisk konsistens", "Logical consistency"),
    "position": Words(
        "Lägesnoggrannhet, relativt ortofotot", "Positional accuracy, relative to the orthophoto"
    ),
    "temporal": Words("Aktualitet", "Currency"),
    "position_note": Words(
        "Av {} bekräftade byggnader från 60 m² som är en i kartan och en i bilden: tyngdpunktens avstånd "
        "mellan karta och modellens omriss. Där ingår ortofotots och takens lutning. Kartan ligger i "
        "medel {} m i öst och {} m i norr om bilden. Intervallen är från återsampling av rutor om 100 m.",
        "Of {} confirmed buildings from 60 m² that are one in the map and one in the image: distance of "
        "centroids between the map and the model's outline. The orthophoto's errors and roof lean are "
        "part of it. The map lies on average {} m east and {} m north of the image. Intervals are by "
        "resampling blocks of 100 m.",
    ),
    "counted_note": Words(
        "Varje signal räknas som ett objekt: det som bilden visar som en byggnad, eller det som kartan har. "
        "Sammanbyggda hus som bilden visar i ett stycke räknas därför som ett, även där kartan skulle dela "
        "dem; antalet saknade är då snarast för lågt.",
        "Every signal counts as one object: what the image shows as one building, or what the map has. "
        "Attached houses that the image shows in one piece therefore count as one, also where the map would "
        "divide them; the number of missing ones is then rather too low.",
    ),
    "registration": Words("Inpassning mellan karta och bild", "Offset between map and image"),
    "registration_note": Words(
        "Hur bilden systematiskt ligger från kartan, som median av säkra par (en byggnad i kartan, en i "
        "bilden, från 60 m²) i rutor om 500 m. Jämförelsen tar hänsyn till det; kartans geometri flyttas "
        "aldrig, och måtten ovan är utan inpassning. Grått i bilden är mätt i blocket runt rutan. Varje ruta "
        "finns i lagret Inpassning karta–bild.",
        "How the image systematically lies from the map: the median of safe pairs (one building in the map, "
        "one in the image, from 60 m²) in cells of 500 m. The comparison allows for it; no geometry of the "
        "map is moved, and the measures above are without it. Grey arrows are of the block around the cell. "
        "Every cell is in the layer Offset map–image.",
    ),
    "registration_source": Words("Mätt i", "Measured in"),
    "registration_cells": Words("Rutor", "Cells"),
    "registration_pairs": Words("Säkra par", "Safe pairs"),
    "registration_middle": Words("Median öst; norr", "Median east; north"),
    "registration_longest": Words("Längsta", "Longest"),
    "plot_east": Words("km i öst", "km east"),
    "plot_north": Words("km i norr", "km north"),
    "sample": Words("Stickprovet", "The sample"),
    "sample_note": Words(
        "Besvara lagret Stickprov i QGIS (en fråga per enhet) och kör sedan geoai report igen.",
        "Answer the layer Sample in QGIS (one question each) and run geoai report again.",
    ),
    "sample_none": Words(
        "Inget stickprov är draget (för en karta av linjer dras inget): fullständigheten mäts inte.",
        "No sample was drawn (none is for a map of lines): completeness is not measured.",
    ),
    "stratum": Words("Grupp", "Stratum"),
    "population": Words("Finns", "There are"),
    "decided": Words("Granskade i listan", "Reviewed in the list"),
    "drawn": Words("Dragna", "Drawn"),
    "answered": Words("Besvarade", "Answered"),
    "errors_found": Words("Fel i kartan, funna", "Errors of the map, found"),
    "errors_total": Words("Fel i kartan, uppskattade", "Errors of the map, estimated"),
    "need_answers": Words("svar behövs: {}", "answers needed: {}"),
    # what was not assessed
    "not_assessed": Words("Vad som inte kunde bedömas", "What could not be assessed"),
    "not_assessed_lead": Words(
        "{} km² har bild och är kontrollerade, av rutornas {} km². Det som står här ingår inte i något mått.",
        "{} km² have imagery and were checked, of the tiles' {} km². What stands here is part of no measure.",
    ),
    "what": Words("Vad", "What"),
    "ground": Words("Mark: {}", "Ground: {}"),
    "outside": Words("Kartobjekt utanför bilden", "Map objects outside the imagery"),
    "partly": Words(
        "Kartobjekt som bilden inte visar tillräckligt av",
        "Map objects that the imagery does not show enough of",
    ),
    "below_min": Words("Kartobjekt under minsta area", "Map objects below the minimum area"),
    "how": Words("Hur siffrorna är gjorda", "How the figures are made"),
    "how_verdicts": Words(
        "Granskningar: bekräftad och kartan rättad räknas som rätt, avvisad som falsklarm; oklart räknas "
        "inte.",
        "Reviews: confirmed and map corrected count as true, rejected as false; unclear does not count.",
    ),
    "how_strata": Words(
        "Uppskattningar över grupper: varje grupp räknas upp med antalet enheter den står för; gränserna "
        "läggs ihop enligt MOVER (Zou och Donner 2008). Beslut i listan räknas en och en.",
        "Estimates over strata: each stratum is weighted by the units it stands for; limits are combined "
        "by MOVER (Zou and Donner 2008). Decisions in the list count one by one.",
    ),
    "how_file": Words(
        "Samma siffror finns i quality.json. Rapporten skriver aldrig i review.gpkg.",
        "The same figures are in quality.json. The report never writes to review.gpkg.",
    ),
}

TRAIT_NAMES: dict[str, Words] = {
    "contact_share": Words("väggkontakt", "share of wall contact"),
    "area_m2": Words("area", "area"),
    "elongation": Words("långsmalhet", "elongation"),
    "rectangularity": Words("rektangularitet", "rectangularity"),
    "brightness": Words("ljushet", "brightness"),
    "texture": Words("textur", "texture"),
    "height_m": Words("höjd", "height"),
}

TRAIT_SIDES: dict[str, tuple[Words, Words]] = {
    # what has less of a trait than others, and what has more
    "contact_share": (
        Words("mindre väggkontakt", "less wall contact"),
        Words("mer väggkontakt", "more wall contact"),
    ),
    "area_m2": (Words("mindre", "smaller"), Words("större", "larger")),
    "elongation": (Words("mindre långsmal", "less elongated"), Words("mer långsmal", "more elongated")),
    "rectangularity": (
        Words("mindre rektangulär", "less rectangular"),
        Words("mer rektangulär", "more rectangular"),
    ),
    "brightness": (Words("mörkare", "darker"), Words("ljusare", "brighter")),
    "texture": (Words("jämnare", "smoother"), Words("ojämnare", "rougher")),
    "height_m": (Words("lägre", "lower"), Words("högre", "higher")),
}

MEASURES: dict[str, Words] = {
    "excess_number": Words("Antal överflödiga objekt", "Number of excess items"),
    "excess_rate": Words("Andel överflödiga objekt", "Rate of excess items"),
    "duplicates": Words("Antal dubbletter", "Number of duplicate feature instances"),
    "missing_number": Words("Antal saknade objekt", "Number of missing items"),
    "missing_rate": Words("Andel saknade objekt", "Rate of missing items"),
    "overlaps": Words("Antal otillåtna överlapp mellan ytor", "Number of invalid overlaps of surfaces"),
    "slivers": Words("Antal spillror", "Number of invalid slivers"),
    "self_intersects": Words("Antal självskärningar", "Number of invalid self-intersect errors"),
    "self_overlaps": Words("Antal självöverlapp", "Number of invalid self-overlap errors"),
    "mean_uncertainty": Words("Medelvärde av lägesavvikelser", "Mean value of positional uncertainties"),
    "bias": Words("Systematisk lägesavvikelse", "Bias of positions"),
    "rate_above": Words(
        "Andel lägesavvikelser över objektets tolerans",
        "Rate of positional uncertainties above the object's tolerance",
    ),
    "ce90": Words("Cirkelfel på 90 % nivå", "Circular error at 90% significance level"),
    "ce95": Words("Cirkelfel på 95 % nivå", "Circular error at 95% significance level"),
    "rmse": Words("Kvadratiskt medelfel i plan", "Root mean square error of planimetry"),
    "newer_than_photo": Words("Andel kartobjekt nyare än fotot", "Share of map objects newer than the photo"),
}

NEEDS: dict[str, Words] = {
    "no_sample": Words("körningen har inget stickprov", "the run has no sample"),
    "repaired": Words(
        "granskningen är från en äldre version, som lagade geometrin utan att räkna",
        "the review is of an older version, which mended geometry without counting",
    ),
    "surfaces_only": Words("mäts för ytor", "measured of surfaces"),
    "no_pairs": Words("inga bekräftade par från 60 m²", "no confirmed pairs from 60 m²"),
    "no_map_date": Words("kartan anger inga datum", "the map states no dates"),
    "no_photo_date": Words(
        "fotodatum är inte angivet (flight.date)", "no photo date is stated (flight.date)"
    ),
}

BASES: dict[str, Words] = {
    "verified": Words("granskade signaler och stickprov", "reviewed signals and sample"),
    "map": Words("räknat i kartan", "computed from the map"),
    "orthophoto": Words("relativt ortofotot", "relative to the orthophoto"),
}
