"""The command that looks for new flights, for cron or a systemd timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from geoai.commands.terminal import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    console,
    progress_bars,
    read_settings,
)
from geoai.errors import ConfigError, FindingsError

if TYPE_CHECKING:
    from geoai.config import Settings
    from geoai.watch import Sighting

COLOURS = {"new": "green", "blocked": "red", "failed": "red", "running": "cyan", "waits": "yellow"}


def watch(
    config: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[bool, typer.Option("--once", help="Look once, and run what is new.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, but start nothing.")] = False,
    data: DataOption = None,
) -> None:
    """Look for new flights in the watched folders and APIs, and run each that is whole, one after the other.

    Exits 2 where a folder or an API could not be reached, or a flight could not be used or run to its end.
    """
    from geoai.dispatch import process
    from geoai.watch import look

    if not once:
        expected = "--once: to look again is for cron, a systemd timer or the flow watch-flights"
        raise ConfigError(f"watch: expected {expected}")
    settings = read_settings(config, None, None, data)
    seen = look(settings)
    new = {sighting.flight for sighting in seen if sighting.status == "new"}
    if not dry_run:
        with progress_bars() as progress:
            for place, sighting in enumerate(seen):
                if sighting.status == "new":
                    seen[place] = process(settings, sighting, lambda own: _run(own, progress))
    table = Table("flight", "state", title="Watched flights", title_justify="left")
    for name in ("sheets", "MB"):
        table.add_column(name, justify="right")
    for each in seen:
        size = f"{each.size_mb:,.1f}" if each.sheets else ""
        table.add_row(escape(each.flight), _coloured(each), str(each.sheets or ""), size)
    console.print(table)
    for each in seen:
        if each.why:
            line = f"{_coloured(each)} {escape(f'{each.flight}: {each.why}')}"
            console.print(line, soft_wrap=True, highlight=False)
    if any(each.needs_somebody(just_run=each.flight in new) for each in seen):
        raise typer.Exit(2)


def _coloured(sighting: Sighting) -> str:
    colour = COLOURS.get(sighting.status)
    return f"[{colour}]{sighting.status}[/]" if colour else sighting.status


def _run(settings: Settings, progress: Callable[[str, int, int], None]) -> str:
    """Run a flight and return what is wrong with its sheets; raise GeoaiError for what may pass."""
    from geoai import pipeline

    try:
        pipeline.run(settings, progress).raise_for_errors()
    except FindingsError as error:
        return str(error)
    return ""
