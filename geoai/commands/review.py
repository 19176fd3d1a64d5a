"""Commands about reviews: sharing out, reading decisions, merging, reports, the plugin of QGIS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.table import Column, Table

from geoai.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    console,
    progress_bars,
    read_settings,
    show_current,
)

app = typer.Typer(help="Sharing out reviews, and reading what was decided.", no_args_is_help=True)


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run: where its review.gpkg lies.")],
    language: Annotated[
        str | None, typer.Option(help="sv or en; default: that of the review.", metavar="LANGUAGE")
    ] = None,
    contact_sheet: Annotated[
        bool, typer.Option("--contact-sheet", help="Also contact-sheet.html: the signals to print.")
    ] = False,
) -> None:
    """Write report.html and quality.json anew from a review as it is now. The review is only read."""
    from geoai.errors import ConfigError
    from geoai.report import write_contact_sheet, write_report

    if language not in (None, "sv", "en"):
        raise ConfigError(f"report: expected --language sv or en, found {language}")
    written = write_report(folder, language=language)  # type: ignore[arg-type]
    console.print(f"report   {written}\nfigures  {written.with_name('quality.json')}", soft_wrap=True)
    if contact_sheet:
        sheet = write_contact_sheet(folder, language=language)  # type: ignore[arg-type]
        console.print(f"sheet    {sheet}", soft_wrap=True)


def qgis_plugin(out: Annotated[Path, typer.Argument(help="ZIP file to write.")]) -> None:
    """Write the QGIS plugin that reviews by single keys: Plugins > Manage and Install > Install from ZIP."""
    from geoai.publish.archive import write_plugin

    write_plugin(out)
    console.print(f"plugin   {out}", soft_wrap=True)


@app.command("import")
def import_reviews(
    reviews: Annotated[
        list[str],
        typer.Argument(
            help="Reviews, parts or copies of them, or 'PG:host=… dbname=… schema=…' for PostGIS."
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
) -> None:
    """Read what reviewers decided into the ledger. Exits 2 where something was left out or contradicts."""
    from geoai import assessment
    from geoai.postgis import is_connection

    sources = [each if is_connection(each) else Path(each) for each in reviews]
    results, conflicts = assessment.open_ledger(read_settings(config, None, None, data)).import_reviews(
        sources
    )
    table = Table(Column("review", overflow="fold"), "decisions", "new", "known", title="Decisions")
    for each in results:
        counts = (each.said, each.new, each.said - each.new)
        table.add_row(str(each.path), *(["–"] * 3 if each.refused else map(str, counts)))
    console.print(table)
    lines = [line for each in results for line in each.problems] + conflicts
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if all(each.refused for each in results):
        raise typer.Exit(1)
    if lines:
        raise typer.Exit(2)


@app.command("merge")
def merge_review(
    folder: Annotated[Path, typer.Argument(help="Folder of a run: data/runs/<flight>/<run>.")],
) -> None:
    """Merge a run into the standing review of its flight, as the run itself does when it ends.

    Exits 2 where the standing review cannot be written now; nothing is lost then.
    """
    from geoai.errors import MergeError
    from geoai.merging import ledger_beside, merge_run

    try:
        with progress_bars() as progress:
            current = merge_run(folder, ledger_beside(folder), progress)
    except MergeError as error:
        print(f"geoai: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    show_current(current)


@app.command("split")
def split_review(
    review: Annotated[Path, typer.Argument(help="A review.gpkg, or the folder of a run.")],
    out: Annotated[Path, typer.Argument(metavar="OUT_FOLDER", help="Folder to make, with a folder a part.")],
    by: Annotated[
        str,
        typer.Option(
            metavar="BY",
            help="area (parts lie apart), class (whole classes), or count (the most urgent dealt evenly).",
        ),
    ] = "area",
    parts: Annotated[int, typer.Option(min=1, help="How many reviewers.")] = 2,
) -> None:
    """Cut what waits for a decision into parts, a review to open each. `review import` reads them back."""
    from geoai.errors import ConfigError
    from geoai.publish import parts as dividing

    if by not in get_args(dividing.By):
        raise ConfigError(f"review split: expected --by area, class or count, found {by}")
    source = review / "review.gpkg" if review.is_dir() else review
    made = dividing.split_review(source, out, by=by, parts=parts)  # type: ignore[arg-type]
    table = Table(Column("part", overflow="fold"), Column("signals", justify="right"))
    for each in made:
        table.add_row(str(each.review.with_suffix(".qgz")), str(each.signals))
    console.print(table)


@app.command("to-postgis")
def share_review(
    review: Annotated[Path, typer.Argument(help="A review.gpkg, or the folder of a run.")],
    source: Annotated[str, typer.Argument(metavar="DATABASE", help="PG:host=… dbname=…, or PG:service=….")],
    schema: Annotated[
        str | None, typer.Option(help="Schema to write; default: geoai_ and the flight's name.")
    ] = None,
) -> None:
    """Write a review into PostGIS for many to edit at once, or bring it up to date: decisions stay.

    `review import "PG:… schema=…"` reads them back.
    """
    from geoai.shared import share_review

    done = share_review(review / "review.gpkg" if review.is_dir() else review, source, schema=schema)
    counts = f"{done.added} added, {done.changed} changed, {done.gone} gone"
    console.print(f"schema   {done.schema}: {counts}", highlight=False, markup=False)
    if done.asked_again:
        console.print(f"{done.asked_again} decided there are open again in the review: see reopened_because")
    console.print(f"project  {done.project}", soft_wrap=True)
