"""The report of a run: report.html, one file that asks for nothing else, quality.json with its figures, and
thumbnail.jpg, the signals on the imagery; and the contact sheet, the signals as pictures to print.

All are made from review.gpkg as it is now, with whatever reviewers have decided in it; nothing is ever
written to it.

quality.json:
  schema      "geoai-quality-1"
  run         the row of the review's table run
  settings    what the run was set to, None where settings.json is not beside the review
  signals     `quality.SignalQuality`: classes, rows (by class and size), total, per_km2, calibration,
              expectation, precision_of_list, recall
  map         `quality.MapQuality`: assessable, should_be, strata, completeness, logical, position, shift_m,
              registration, temporal
  not_assessed  `quality.NotAssessed`
  policy      what the run's policy was and did, as `policy.write_applied` writes it; None where the run
              kept no policy.json beside the review
A figure is {"value", "low", "high"} with its 95 % interval; null is not known. Areas in m², lengths in m,
shares 0 to 1.
"""

from __future__ import annotations

import base64
import functools
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import jinja2
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataSourceError

from geoai import __version__
from geoai.errors import PublishError
from geoai.files import appearing_whole, write_json
from geoai.publish import asked_again
from geoai.publish.opened import language_of
from geoai.publish.texts import Language
from geoai.quality import Quality, Review, measure, plain
from geoai.reportviews import (
    SHOWN_CHIPS,
    Pictures,
    chips,
    gain_plot,
    overview,
    registration_plot,
    reliability_plot,
    thumbnail,
)
from geoai.reportwords import Speaker

HTML, JSON, SHEET, THUMBNAIL = "report.html", "quality.json", "contact-sheet.html", "thumbnail.jpg"
SETTINGS, POLICY = "settings.json", "policy.json"
"""Beside a run's review: what its policy was and did."""
SCHEMA = "geoai-quality-1"
TABLES = ("discrepancy", "map_status", "detection", "coverage", "run")
MIN_AREA_M2 = 15.0
"""Least area of what the map is asked about, where the run's settings are not at hand."""


def write_settings(folder: Path, sections: Mapping[str, Any]) -> None:
    """Write settings.json beside the review: what the run was set to, section by section."""
    write_json(folder / SETTINGS, sections)


def write_report(folder: Path, *, language: Language | None = None) -> Path:
    """Write report.html, quality.json and thumbnail.jpg beside *folder*/review.gpkg; return the first's path.

    The language is that of the review where none is given. Raises PublishError where there is no review, or
    one that lacks a table.
    """
    path = folder / "review.gpkg"
    review, run = read_review(path)
    language = language or _language(path)
    settings, policy = _read_beside(folder / SETTINGS), _read_beside(folder / POLICY)
    min_area_m2 = (settings or {}).get("compare", {}).get("min_area_m2", MIN_AREA_M2)
    photo_date = pd.Timestamp(run["photo_date"]) if run.get("photo_date") else None
    quality = measure(review, photo_date=photo_date, min_area_m2=min_area_m2)
    content = {"schema": SCHEMA, "run": run, "settings": settings, **plain(quality), "policy": policy}
    pictures = _pictures(path, review, quality, language)
    html = render(quality, run, settings, policy, pictures, language)
    if small := thumbnail(pictures.panels):
        with appearing_whole(folder / THUMBNAIL) as target:
            target.write_bytes(small)
    for name, text in (
        (JSON, json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)),
        (HTML, html),
    ):
        with appearing_whole(folder / name) as target:
            target.write_text(text, encoding="utf-8")
    return folder / HTML


def write_contact_sheet(folder: Path, *, language: Language | None = None) -> Path:
    """Write contact-sheet.html beside *folder*/review.gpkg and return its path: the signals that are put
    before a reviewer as a grid of pictures, the most urgent first; 15 or 16 on a printed A4.

    Language and errors are those of `write_report`.
    """
    path = folder / "review.gpkg"
    review, run = read_review(path)
    language = language or _language(path)
    shown = chips(path, review.discrepancies, _other(language, path))
    html = _template("signalsheet.html").render(
        chips=shown,
        pairs=any(_is_pair(chip.jpeg) for chip in shown if chip.jpeg),
        run=run,
        say=Speaker(language),
        language=language,
    )
    with appearing_whole(folder / SHEET) as target:
        target.write_text(html, encoding="utf-8")
    return folder / SHEET


def _is_pair(jpeg: bytes) -> bool:
    """Return whether a chip shows two flights, side by side."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    assert picture is not None
    return bool(picture.shape[1] > picture.shape[0])


def read_review(path: Path) -> tuple[Review, dict[str, Any]]:
    """Read the layers of a review (pictures aside) and its run, as text and numbers by column."""
    try:
        layers = {str(name) for name, _ in pyogrio.list_layers(path)} if path.is_file() else set()
    except DataSourceError as error:
        raise PublishError(f"{path}: expected a review, found {' '.join(str(error).split())}") from error
    if missing := [name for name in TABLES if name not in layers]:
        found = f"no table {missing[0]}" if layers else "no such file"
        raise PublishError(f"{path}: expected the review of a run, found {found}")

    def read(name: str) -> gpd.GeoDataFrame:
        columns = pyogrio.read_info(path, layer=name)["fields"]
        return pyogrio.read_dataframe(path, layer=name, columns=[c for c in columns if c != "chip"])

    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        run = dict(database.execute("SELECT * FROM run ORDER BY fid DESC LIMIT 1").fetchone() or {})
    run.pop("fid", None)
    asked, offsets = (read(name) if name in layers else None for name in ("sample", "registration"))
    if asked is not None:
        asked = asked[asked["weight"] > 0]  # what stands for nothing was drawn by an earlier run
    signals = read("discrepancy")
    signals.loc[asked_again(signals), "status"] = "open"
    review = Review(signals, read("map_status"), read("detection"), read("coverage"), asked, offsets)
    return review, run


def _language(path: Path) -> Language:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        return language_of(database)


def _other(language: Language, review: Path) -> Language | None:
    """Return *language* where the review is in another, None where its own words will do."""
    return None if language == _language(review) else language


def _read_beside(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PublishError(f"{path}: expected JSON, found {error}") from error
    return read


def _pictures(path: Path, review: Review, quality: Quality, language: Language) -> Pictures:
    first = chips(path, review.discrepancies, _other(language, path), most=SHOWN_CHIPS)
    expectation, calibration = quality.signals.expectation, quality.signals.calibration
    offsets = [each for each in quality.map.registration if each.source != "none"]
    return Pictures(
        panels=overview(path.parent / "orthophoto.vrt", review.coverage, review.discrepancies),
        chips=tuple(chip for chip in first if chip.jpeg),
        gain=gain_plot(expectation, language) if expectation.known > 1 else "",
        reliability=reliability_plot(calibration, language) if calibration else "",
        registration=registration_plot(offsets, language) if offsets else "",
    )


def render(
    quality: Quality,
    run: Mapping[str, Any],
    settings: Mapping[str, Any] | None,
    policy: Mapping[str, Any] | None,
    pictures: Pictures,
    language: Language,
) -> str:
    """Return the report as HTML, in *language*."""
    return _template(HTML).render(
        q=quality,
        run=run,
        settings=settings or {},
        policy=policy,
        pictures=pictures,
        say=Speaker(language),
        language=language,
        version=__version__,
    )


@functools.cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode("ascii")
    return environment.get_template(name)
