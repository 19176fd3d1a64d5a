"""The command line: reads options, calls the library, shows what it says.

Everything heavy is imported inside the commands, so that `geoai --help` answers at once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from geoai import __version__
from geoai.errors import GeoaiError

if TYPE_CHECKING:
    from geoai.config import Settings
    from geoai.pipeline import RunResult

app = typer.Typer(
    help="Find where a digital map no longer agrees with the newest orthophotos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="YAML file of settings.")]
FlightOption = Annotated[
    Path | None, typer.Option("--flight", help="Folder of orthophotos, in place of flight.folder.")
]
MapOption = Annotated[
    str | None, typer.Option("--map", help="OGR source of the map, in place of map.source.")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder for results, in place of data.")]
DEFAULT_CONFIG = Path("configs/default.yaml")


def main() -> None:
    """Run the command line; expected errors become one line on stderr and exit status 1."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(show_path=False, show_time=False)]
    )
    try:
        app()
    except (GeoaiError, OSError) as error:  # OSError: a disk that is full, a share that is gone
        print(f"geoai: {error}", file=sys.stderr)
        sys.exit(1)


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


@app.command()
def run(
    config: ConfigOption = DEFAULT_CONFIG,
    flight: FlightOption = None,
    map_source: MapOption = None,
    data: DataOption = None,
) -> None:
    """Take a flight to a GeoPackage to review. Run it again to go on where it stopped."""
    from geoai import pipeline

    settings = _settings(config, flight, map_source, data)
    with _progress() as progress:
        result = pipeline.run(settings, progress)
    _show(result)
    if any(finding.severity == "error" for finding in result.findings):
        raise typer.Exit(2)


@app.command()
def check(
    config: ConfigOption = DEFAULT_CONFIG, flight: FlightOption = None, data: DataOption = None
) -> None:
    """Look at a flight and say what is wrong with its files. Exits 2 where a file cannot be used."""
    from geoai import pipeline

    settings = _settings(config, flight, None, data)
    with _progress() as progress:
        acceptance = pipeline.accept(settings, progress)
    flown = acceptance.flight
    table = Table("file", "px", "GSD m", "bands", "type", "nodata", title="Usable orthophotos")
    for ortho in flown.orthophotos:
        size = f"{ortho.grid.width} × {ortho.grid.height}"
        bands, nodata = str(len(ortho.colour)), f"{1 - ortho.valid_share:.1%}"
        table.add_row(ortho.name, size, f"{ortho.grid.gsd_m:g}", bands, ortho.dtype, nodata)
    console.print(table)
    valid = sum(o.valid_share * o.grid.width * o.grid.height * o.grid.gsd_m**2 for o in flown.orthophotos)
    console.print(
        f"{flown.id}: {len(flown.orthophotos)} usable orthophotos, {valid / 1e6:.2f} km² of imagery, "
        f"GSD {flown.gsd_m:g} m, {flown.band_count} bands"
    )
    _show_findings(acceptance.findings)
    if any(finding.severity == "error" for finding in acceptance.findings):
        raise typer.Exit(2)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Seed of the municipality.")] = 7,
    config: ConfigOption = Path("configs/demo.yaml"),
) -> None:
    """Make a synthetic municipality with planted map errors, run the whole line and keep the score."""
    import pyogrio

    from geoai import pipeline
    from geoai.demo import make_municipality, score

    settings = _settings(config, None, None, None)
    with _progress() as progress:
        progress("make", 0, 1)
        made = make_municipality(settings.data, seed=seed)
        progress("make", 1, 1)
        result = pipeline.run(settings, progress)
    _show(result)
    layers = (pyogrio.read_dataframe(result.review, layer=name) for name in ("discrepancy", "map_status"))
    table = Table("class", "planted", "found", "false", title="Planted map errors")
    for row in score(made.planted, *layers).itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    console.print(f"truth    {made.truth}", soft_wrap=True)


@app.command()
def train(config: ConfigOption = Path("configs/train.yaml")) -> None:
    """Train a model on labelled imagery and pack it. Run it again to go on where it stopped."""
    from geoai.config import load
    from geoai.training import TrainingSettings
    from geoai.training import train as train_model

    logging.getLogger("geoai").setLevel(logging.INFO)
    package = train_model(load(config, TrainingSettings))
    console.print(f"model    {package.folder}", soft_wrap=True)


@app.command()
def evaluate(
    review: Annotated[
        Path | None, typer.Option(help="review.gpkg of a run: its detections against its map.")
    ] = None,
    bounds: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(help="Left, bottom, right, top (m): count only what lies in it."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of images/ and masks/: the model's pixels against them.")
    ] = None,
    gsd: Annotated[float, typer.Option(help="GSD of the images (m).")] = 0.3,
    every: Annotated[int, typer.Option(help="Only files whose number is a multiple of this.")] = 1,
    model: Annotated[str, typer.Option(help="Name of a shipped package, or the path of one.")] = "buildings",
    output: Annotated[Path | None, typer.Option(help="Write the scores here as JSON.")] = None,
) -> None:
    """Score a run's objects against its map, or a model's pixels against masks."""
    from geoai import evaluation

    if (review is None) == (images is None):
        raise typer.BadParameter("expected one of --review and --images")
    if review is not None:
        scores = evaluation.evaluate_review(review, bounds)
    else:
        assert images is not None
        scores = evaluation.evaluate_images(model, images, gsd_m=gsd, every=every)
    print(scores.to_json(), end="")
    if output is not None:
        evaluation.write_evaluation(output, scores)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
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


def _settings(config: Path, flight: Path | None, map_source: str | None, data: Path | None) -> Settings:
    from geoai.config import load_settings

    options = {"flight.folder": flight, "map.source": map_source, "data": data}
    return load_settings(config, {key: value for key, value in options.items() if value is not None})


def _show(result: RunResult) -> None:
    table = Table("stage", "seconds", "what", title=f"Flight {result.flight_id}")
    for stage in result.stages:
        what = ", ".join(f"{count} {name}" for name, count in stage.counts.items())
        table.add_row(stage.name, f"{stage.seconds:.1f}", what)
    console.print(table)
    _show_findings(result.findings)
    console.print(f"peak memory {result.peak_memory_mb} MB")
    console.print(f"review   {result.review}\nproject  {result.review.with_suffix('.qgz')}", soft_wrap=True)


def _show_findings(findings: Any) -> None:
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        console.print(f"[{colour}]{finding.severity}[/] {finding}", soft_wrap=True, highlight=False)
