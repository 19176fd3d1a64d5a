"""What the commands share: the console, common options, progress, settings, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from geoai.config import Settings

console = Console()

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="YAML file of settings.")]
FlightOption = Annotated[
    str | None, typer.Option("--flight", help="Folder of orthophotos, in place of flight.folder.")
]
MapOption = Annotated[
    str | None, typer.Option("--map", help="OGR source of the map, in place of map.source.")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder for results, in place of data.")]
ResultsOption = Annotated[
    Path, typer.Option("--data", help="Folder for results; added models lie in its models/.")
]
DEFAULT_CONFIG = Path("configs/default.yaml")


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show stages as bars on a terminal, as lines elsewhere; give the callback that the library tells."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    tasks: dict[str, Any] = {}
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)
            if not console.is_terminal and (done == total or done % 25 == 0):
                console.print(f"{stage} {done}/{total or '?'}")

        yield tell


def read_settings(config: Path, flight: str | None, map_source: str | None, data: Path | None) -> Settings:
    """Read the settings of a project; what is given on the command line comes before the file."""
    from geoai.config import load_settings

    options = {"flight.folder": flight, "map.source": map_source, "data": data}
    return load_settings(config, {key: value for key, value in options.items() if value is not None})


def show_current(review: Path) -> None:
    """Name the standing review and its project."""
    console.print(f"review   {review}\nproject  {review.with_suffix('.qgz')}", soft_wrap=True)


def show_findings(findings: Any) -> None:
    """Show each finding on a line, in the colour of its severity."""
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        said = escape(str(finding))  # a file's name may hold brackets
        console.print(f"[{colour}]{finding.severity}[/] {said}", soft_wrap=True, highlight=False)
