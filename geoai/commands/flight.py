"""Commands that take a flight through the line, look at it, or say what would change."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from geoai.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    FlightOption,
    MapOption,
    console,
    progress_bars,
    read_settings,
    show_current,
    show_findings,
)

if TYPE_CHECKING:
    from geoai.pipeline import RunResult
    from geoai.plan import Plan

PLANNED = {"come": "+", "go": "−", "in": "+", "out": "−"}
VERDICT_EFFECTS = {
    "lost": "would be lost",
    "other_class": "would be of another class",
    "other_area": "would be asked about again, with another area",
}


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    flight: FlightOption = None,
    map_source: MapOption = None,
    data: DataOption = None,
) -> None:
    """Take a flight to a GeoPackage to review. Run it again to go on where it stopped."""
    from geoai import pipeline

    settings = read_settings(config, flight, map_source, data)
    with progress_bars() as progress:
        result = pipeline.run(settings, progress)
    _show(result)
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(2)


def plan(
    config: ConfigOption = DEFAULT_CONFIG,
    against: Annotated[
        Path | None,
        typer.Option(help="Folder of a run, or a YAML file, to hold against; default: the latest run."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for plan.gpkg, the changes as layers.")] = None,
    map_source: MapOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Say what other settings would do to the list of a run. Exits 2 where they change it.

    What is predicted already is compared again; nothing is predicted, and nothing written but plan.gpkg.
    """
    from geoai.plan import make_plan

    settings = read_settings(config, None, map_source, data)
    with nullcontext(lambda stage, done, total: None) if as_json else progress_bars() as progress:
        made = make_plan(settings, against, output=output, progress=progress)
    if as_json:
        print(made.to_json(), end="")
    else:
        _show_plan(made)
        if output is not None:
            console.print(f"plan     {output / 'plan.gpkg'}", soft_wrap=True)
    if made.changes:
        raise typer.Exit(2)


def check(
    config: ConfigOption = DEFAULT_CONFIG, flight: FlightOption = None, data: DataOption = None
) -> None:
    """Look at a flight and say what is wrong with its files. Exits 2 where a file cannot be used."""
    from geoai import pipeline

    settings = read_settings(config, flight, None, data)
    with progress_bars() as progress:
        acceptance = pipeline.accept(settings, progress)
    flown = acceptance.flight
    table = Table("file", "px", "GSD m", "bands", "type", "nodata", title="Usable orthophotos")
    for ortho in flown.orthophotos:
        size = f"{ortho.grid.width} × {ortho.grid.height}"
        bands, nodata = str(len(ortho.colour)), f"{1 - ortho.valid_share:.1%}"
        table.add_row(escape(ortho.name), size, f"{ortho.grid.gsd_m:g}", bands, ortho.dtype, nodata)
    console.print(table)
    valid = sum(o.valid_share * o.grid.width * o.grid.height * o.grid.gsd_m**2 for o in flown.orthophotos)
    console.print(
        f"{flown.id}: {len(flown.orthophotos)} usable orthophotos, {valid / 1e6:.2f} km² of imagery, "
        f"GSD {flown.gsd_m:g} m, {flown.band_count} bands"
    )
    show_findings(acceptance.findings)
    if any(finding.severity == "error" for finding in acceptance.findings):
        raise typer.Exit(2)


def demo(
    seed: Annotated[int, typer.Option(help="Seed of the municipality.")] = 7,
    config: ConfigOption = Path("configs/demo.yaml"),
) -> None:
    """Make a synthetic municipality with planted map errors, run the whole line and keep the score."""
    import pyogrio

    from geoai import pipeline
    from geoai.demo import make_municipality, score

    settings = read_settings(config, None, None, None)
    with progress_bars() as progress:
        progress("make", 0, 1)
        made = make_municipality(settings.data, seed=seed)
        progress("make", 1, 1)
        result = pipeline.run(settings, progress)
    _show(result)
    layers = (pyogrio.read_dataframe(result.review, layer=name) for name in ("discrepancy", "map_status"))
    table = Table("class", "planted", "found", "false", title="Planted map errors")
    discrepancy, map_status = layers
    found = discrepancy[discrepancy["lifecycle"] != "gone"]  # what an earlier run left is not this one's
    for row in score(made.planted, found, map_status).itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    console.print(f"truth    {made.truth}", soft_wrap=True)


def _show(result: RunResult) -> None:
    table = Table("stage", "seconds", "what", title=f"Flight {result.flight_id}")
    for stage in result.stages:
        what = ", ".join(f"{count} {name}" for name, count in stage.counts.items())
        table.add_row(stage.name, f"{stage.seconds:.1f}", what)
    console.print(table)
    show_findings(result.findings)
    console.print(f"peak memory {result.peak_memory_mb} MB")
    if result.current.exists():
        show_current(result.current)
    console.print(f"record   {result.review.parent}", soft_wrap=True)


def _show_plan(made: Plan) -> None:
    title = f"{made.flight_id}: what would change against {made.against}"
    table = Table("class", title=title, title_justify="left")
    for name in ("now", "come", "go", "becomes", "ceases", "then"):
        table.add_column(name, justify="right")
    counts = made.by_class()
    for name, row in [*counts.iterrows(), ("all", counts.sum())]:
        signed = [f"{sign}{row[key]}" if row[key] else "" for key, sign in PLANNED.items()]
        table.add_row(str(name), str(row["before"]), *signed, str(row["after"]))
    console.print(table)
    old, new = (made.changed[name].fillna("no policy") for name in ("policy_before", "policy_group"))
    regrouped = new[old != new]
    for name, count in regrouped.value_counts().sort_index().items():
        console.print(f"{count} that stay would be set aside by {name}", highlight=False)
    for effect, words in VERDICT_EFFECTS.items():
        for verdict, rows in made.verdicts[made.verdicts["effect"] == effect].groupby("verdict"):
            console.print(f"[red]{len(rows)} {verdict}[/] {words}:", highlight=False)
            for row in rows.itertuples():
                place = f"{row.x:.0f}, {row.y:.0f}"
                line = f"  {row.discrepancy_id} at {place}: {row.reason}"
                console.print(line, soft_wrap=True, highlight=False, markup=False)
