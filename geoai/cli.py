"""The command line: reads options, calls the library, shows what it says."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Annotated

import typer
from rich.logging import RichHandler

from geoai import __version__
from geoai.commands import catalog, evaluation, flight, model, policy, review, watch
from geoai.commands.terminal import console
from geoai.errors import GeoaiError
from geoai.storage import connection_errors

app = typer.Typer(
    help="Find where a digital map no longer agrees with the newest orthophotos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "run": flight.run,
    "plan": flight.plan,
    "check": flight.check,
    "demo": flight.demo,
    "report": review.report,
    "qgis-plugin": review.qgis_plugin,
    "train": model.train,
    "evaluate": evaluation.evaluate,
    "watch": watch.watch,
}
GROUPS = {"model": model.app, "review": review.app, "policy": policy.app, "catalog": catalog.app}
for name, command in COMMANDS.items():
    app.command(name)(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line; expected errors become one line on stderr and exit status 1."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(show_path=False, show_time=False)]
    )
    # a finding says so; rasterio's own silence about what it writes itself does not hold across threads
    warnings.filterwarnings("ignore", "Dataset has no geotransform")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except Exception as error:
        # OSError: a disk that is full, a share that is gone
        if not isinstance(error, (GeoaiError, OSError, *connection_errors())):
            raise
        print(f"geoai: {error}", file=sys.stderr)
        sys.exit(1)


def _stop(number: int, _: object) -> None:
    """End at once with one line. Files appear whole and items last, so nothing is to be put in order."""
    console.show_cursor()
    name = signal.Signals(number).name
    os.write(2, f"\ngeoai: stopped by {name}; start it again to go on where it stopped\n".encode())
    os._exit(128 + number)


def _version(show: bool) -> None:
    if show:
        print(f"geoai {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what the library does.")] = False,
) -> None:
    # findings are shown when a command ends; without --verbose they are not logged as well
    logging.getLogger("geoai").setLevel(logging.INFO if verbose else logging.CRITICAL)
