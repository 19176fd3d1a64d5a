"""Commands about the catalogue: what it holds, whether it is whole, what of it is old, a table of it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from geoai.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    console,
    progress_bars,
    read_settings,
)

app = typer.Typer(help="The catalogue: what it holds, whether it is whole, pruning it.", no_args_is_help=True)


@app.command("list")
def list_collections(config: ConfigOption = DEFAULT_CONFIG, data: DataOption = None) -> None:
    """List flights and what models saw in them: tiles, size, days of photography, the last run."""
    from geoai.catalog import open_catalog
    from geoai.inventory import flights, holdings

    settings = read_settings(config, None, None, data)
    table = Table(box=None, padding=(0, 2, 0, 0))  # fits 80 columns, which a log has
    for name in ("flight", "model"):
        table.add_column(name, no_wrap=True)  # `verify` and `export` ask for it
    for name in ("tiles", "MB"):
        table.add_column(name, justify="right")
    for name in ("photographed", "last run (UTC)", "complete"):
        table.add_column(name, min_width=10)  # a date
    store, runs = open_catalog(settings), settings.data / "runs"
    held = flights(store).items()
    for each in (row for flight, names in held for row in holdings(store, flight, names, runs / flight)):
        days = f"{each.first}" if each.first == each.last else f"{each.first} to {each.last}"
        ended = f"{each.last_run:%Y-%m-%d %H:%M}" if each.last_run else "none"
        complete = "yes" if each.last_run else "unknown"
        complete = f"[red]{each.missing} missing[/]" if each.missing else complete
        size = f"{each.size / 1e6:,.1f}"
        table.add_row(each.flight, each.model or "", str(each.tiles), size, days, ended, complete)
    console.print(table, crop=False)


@app.command()
def verify(
    flight: Annotated[str | None, typer.Argument(help="Id of a flight; default: all.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
) -> None:
    """Read every file of the catalogue and hold it against its item. Exits 2 where something is wrong.

    Each problem is a line. No run of a flight can start while its files are read; a flight that a run is at
    work on is told, and the others are read.
    """
    from geoai import inspection
    from geoai.catalog import open_catalog
    from geoai.errors import BusyError
    from geoai.inventory import flights
    from geoai.locks import hold_flight

    settings = read_settings(config, None, None, data)
    store = open_catalog(settings)
    problems: list[str] = []
    with progress_bars() as progress:
        for name, collections in flights(store, flight).items():
            try:
                with hold_flight(settings.data, name, settings.catalog):
                    problems += inspection.inspect_flight(store, collections, progress)
            except BusyError as error:  # is told, and the others are read
                problems.append(str(error))
    problems += inspection.inspect_index(store)
    for line in problems:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.print(f"problems: {len(problems)}", highlight=False)
    if problems:
        raise typer.Exit(2)


@app.command("prune")
def prune_catalog(
    older_than: Annotated[str, typer.Option(metavar="DAYS", help="Not made or read for so long, e.g. 365d.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
) -> None:
    """Remove probabilities that no run has used for long, and files of writers that were stopped.

    What the ledger, a standing review or compare.previous refers to stays.
    """
    from geoai.catalog import open_catalog
    from geoai.errors import ConfigError
    from geoai.pruning import prune

    said = re.fullmatch(r"(\d+)d", older_than)
    if said is None:
        raise ConfigError(f"catalog prune: expected --older-than in days, such as 365d, found {older_than}")
    settings = read_settings(config, None, None, data)
    store, unused_for = open_catalog(settings), dt.timedelta(days=int(said.group(1)))
    now = dt.datetime.now(dt.UTC)
    with progress_bars() as progress:
        pruned = prune(store, settings, unused_for=unused_for, now=now, dry_run=dry_run, progress=progress)
    done = "would be removed" if dry_run else "removed"
    table = Table(Column("predictions", no_wrap=True), "files", "MB", "last used", "what")
    for each in pruned.old:
        what = f"kept: {each.kept_for}" if each.kept_for else done
        day, size = f"{each.last_used:%Y-%m-%d}", f"{each.size / 1e6:,.1f}"
        table.add_row(each.collection, str(each.files), size, day, what)
    console.print(table)
    freed = sum(each.size for each in pruned.old if each.kept_for is None)
    left = f"{len(pruned.left)} files or folders that writers left"
    console.print(f"{freed:,} bytes and {left}: {done}", highlight=False)
    for line in pruned.busy:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


@app.command()
def export(
    flight: Annotated[str, typer.Argument(help="Id of a flight, or 'all'.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="OUT.parquet, or OUT.ndjson for pgstac.")],
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
) -> None:
    """Write the items, imagery and predictions, as stac-geoparquet: a table that geopandas searches."""
    from geoai.catalog import open_catalog
    from geoai.inventory import export_items, flights

    store = open_catalog(read_settings(config, None, None, data))
    held = flights(store, None if flight == "all" else flight)
    count = export_items(store, [name for names in held.values() for name in names], out)
    console.print(f"{count} items  {out}", soft_wrap=True, highlight=False)
