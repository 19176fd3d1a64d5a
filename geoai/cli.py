"""The command line: reads options, calls the library, shows what it says.

Everything heavy is imported inside the commands, so that `geoai --help` answers at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column, Table

from geoai import __version__
from geoai.errors import GeoaiError

if TYPE_CHECKING:
    from geoai.config import Settings
    from geoai.model import ModelPackage
    from geoai.pipeline import RunResult
    from geoai.plan import Plan

app = typer.Typer(
    help="Find where a digital map no longer agrees with the newest orthophotos.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
model_app = typer.Typer(
    help="Model packages: which there are, what they are, adding one.", no_args_is_help=True
)
app.add_typer(model_app, name="model")
review_app = typer.Typer(help="Sharing out reviews, and reading what was decided.", no_args_is_help=True)
app.add_typer(review_app, name="review")
policy_app = typer.Typer(help="What this map does not hold, learned from verdicts.", no_args_is_help=True)
app.add_typer(policy_app, name="policy")
console = Console()

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="YAML file of settings.")]
FlightOption = Annotated[
    Path | None, typer.Option("--flight", help="Folder of orthophotos, in place of flight.folder.")
]
MapOption = Annotated[
    str | None, typer.Option("--map", help="OGR source of the map, in place of map.source.")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder for results, in place of data.")]
ResultsOption = Annotated[
    Path, typer.Option("--data", help="Folder for results; added models lie in its models/.")
]
PLANNED = {"come": "+", "go": "−", "in": "+", "out": "−"}
VERDICT_EFFECTS = {
    "lost": "would be lost",
    "other_class": "would be of another class",
    "other_area": "would be asked about again, with another area",
}
NOT_USED = {
    "hides_none": "no: hides none",
    "hides_kept": "no: hides what was kept",
    "tells_little": "no: tells little",
}
DEFAULT_CONFIG = Path("configs/default.yaml")


def main() -> None:
    """Run the command line; expected errors become one line on stderr and exit status 1."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(show_path=False, show_time=False)]
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except (GeoaiError, OSError) as error:  # OSError: a disk that is full, a share that is gone
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

    settings = _settings(config, None, map_source, data)
    with nullcontext(lambda stage, done, total: None) if as_json else _progress() as progress:
        made = make_plan(settings, against, output=output, progress=progress)
    if as_json:
        print(made.to_json(), end="")
    else:
        _show_plan(made)
        if output is not None:
            console.print(f"plan     {output / 'plan.gpkg'}", soft_wrap=True)
    if made.changes:
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
    discrepancy, map_status = layers
    found = discrepancy[discrepancy["lifecycle"] != "gone"]  # what an earlier run left is not this one's
    for row in score(made.planted, found, map_status).itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    console.print(f"truth    {made.truth}", soft_wrap=True)


@app.command("report")
def report_(
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


@app.command("qgis-plugin")
def qgis_plugin(out: Annotated[Path, typer.Argument(help="ZIP file to write.")]) -> None:
    """Write the QGIS plugin that reviews by single keys: Plugins > Manage and Install > Install from ZIP."""
    from geoai.publish.archive import write_plugin

    write_plugin(out)
    console.print(f"plugin   {out}", soft_wrap=True)


@app.command()
def train(config: ConfigOption = Path("configs/train.yaml")) -> None:
    """Train a model on labelled imagery and pack it. Run it again to go on where it stopped."""
    from geoai.config import load
    from geoai.packing import pack
    from geoai.training import TrainingSettings, fit

    logging.getLogger("geoai").setLevel(logging.INFO)
    settings = load(config, TrainingSettings)
    fit(settings)
    package = pack(settings)
    console.print(f"model    {package.folder}", soft_wrap=True)


@app.command()
def evaluate(
    model: Annotated[
        str | None, typer.Argument(help="Shipped package or folder of one; default: the configured model.")
    ] = None,
    model_b: Annotated[str | None, typer.Argument(help="Another one, to compare with.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings: run the flight, score it on the map.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="OGR source of labels, in place of the map.")] = None,
    layer: Annotated[str | None, typer.Option(help="Its layer.")] = None,
    data: DataOption = None,
    images: Annotated[Path | None, typer.Option(help="Score folder of images/ and masks/.")] = None,
    gsd: Annotated[float | None, typer.Option(help="GSD of the images (m).")] = None,
    every: Annotated[
        int | None, typer.Option(min=1, help="Only files whose number is a multiple of this.")
    ] = None,
    review: Annotated[Path | None, typer.Option(help="Score review.gpkg of a run that is there.")] = None,
    bounds: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(help="Left, bottom, right, top (m): count only what lies in it."),
    ] = None,
    verdicts: Annotated[
        Path | None, typer.Option(help="CSV of what was looked at: errors of the labels are set aside.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for scores.json and worst.html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score one or two models on a flight under a map, on images under masks, or score a run."""
    _check_options(locals())
    from geoai import cases, evaluation

    models = [name for name in (model, model_b) if name]
    said = evaluation.read_verdicts(verdicts) if verdicts else None
    with nullcontext(lambda stage, done, total: None) if as_json else _progress() as progress:
        if review is not None:
            found = evaluation.evaluate_review(review, bounds, said)
        elif images is not None and gsd is not None:
            found = evaluation.evaluate_images(
                models,
                images,
                gsd_m=gsd,
                every=every or 1,
                model_folders=[(data or Path("data")) / "models"],
                progress=progress,
            )
        else:
            assert config is not None
            settings = _settings(config, None, None, data)
            settings = evaluation.with_labels(settings, labels, layer) if labels else settings
            found = evaluation.evaluate_flight(
                settings, models, bounds=bounds, verdicts=said, progress=progress
            )
    if output is not None:
        evaluation.write_evaluated(output, found)
    if as_json:
        print(found.result.to_json(), end="")
        return
    for made in cases.tables(found.result):
        table = Table(*made.columns, title=made.title, title_justify="left")
        for row in made.rows:
            table.add_row(*row)
        console.print(table)
    for line in (*cases.remarks(found.result), *found.warnings):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if output is not None:
        console.print(f"scores   {output / 'scores.json'}\nworst    {output / 'worst.html'}", soft_wrap=True)


@model_app.command("list")
def list_models(data: ResultsOption = Path("data")) -> None:
    """List the models that prediction.model may name: shipped ones and those that were added."""
    from geoai.model import SHIPPED, find_package, package_folders

    table = Table(Column("model", no_wrap=True), "bands", "GSD m", "classes", "MB", "licence")
    table.add_column("created", no_wrap=True)
    table.add_column("where", overflow="fold")
    damaged = []
    for folder in package_folders([data / "models"]):
        try:
            package = find_package(str(folder))
        except GeoaiError as error:
            damaged.append(str(error))
            continue
        said, (low, high) = package.properties(), package.gsd_range_m
        table.add_row(
            package.id,
            _bands(package),
            f"{low:g} to {high:g}",
            ", ".join(package.classes),
            f"{package.weights.stat().st_size / 1e6:.1f}",
            str(said.get("license", "")),
            str(said.get("created", ""))[:10],
            "shipped" if folder.parent == SHIPPED else str(folder.parent),
        )
    console.print(table)
    for message in damaged:
        console.print(f"[red]damaged[/] {escape(message)}", soft_wrap=True, highlight=False)


@model_app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="Name of a model, or the folder of one.")],
    data: ResultsOption = Path("data"),
) -> None:
    """Show what a model is, what was measured of it, and its card."""
    from rich.markdown import Markdown

    from geoai.model import find_package

    package = find_package(name, folders=[data / "models"])
    said, (low, high), pixels = package.properties(), package.gsd_range_m, package.calibration
    facts = {
        "title": said.get("title", ""),
        "folder": package.folder,
        "weights": f"{package.weights.name}, {package.weights.stat().st_size / 1e6:.1f} MB",
        "SHA-256": package.checksum,
        "network": f"{said['mlm:architecture']} {package.encoder} {package.options or ''}",
        "bands": _bands(package),
        "GSD": f"{low:g} to {high:g} m",
        "classes": ", ".join(package.classes),
        "licence": said.get("license", ""),
        "created": said.get("created", ""),
        "calibration": f"temperature {pixels.temperature:g}, bias {pixels.bias or 'none'}",
    }
    if fitted := package.object_calibration:
        facts["confidence"] = (
            f"fitted on {fitted.objects} detections of {fitted.of}; expected calibration error "
            f"{fitted.ece_before:.3f} before, {fitted.ece_after:.3f} after"
        )
    table = Table("", Column(overflow="fold"), show_header=False, title=package.id)
    for key, value in facts.items():
        table.add_row(key, escape(str(value).strip()))
    console.print(table)
    if metrics := said.get("geoai:metrics"):
        console.print_json(data=metrics)
    if package.card.is_file():
        card = package.card.read_text(encoding="utf-8").replace("\x1b", "")  # no say over the terminal
        console.print(Markdown(card))


@model_app.command("add")
def add_model(
    source: Annotated[Path, typer.Argument(help="Folder of a model package.")],
    data: ResultsOption = Path("data"),
) -> None:
    """Check a model package, try it, and copy it into data/models, so that prediction.model finds it."""
    from geoai.model import add_package

    package = add_package(source, data / "models")
    console.print(f"model    {package.folder}", soft_wrap=True)


@review_app.command("import")
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
    results, conflicts = assessment.open_ledger(_settings(config, None, None, data)).import_reviews(sources)
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


@review_app.command("merge")
def merge_review(
    folder: Annotated[Path, typer.Argument(help="Folder of a run: data/runs/<flight>/<run>.")],
) -> None:
    """Merge a run into the standing review of its flight, as the run itself does when it ends.

    Exits 2 where the standing review cannot be written now; nothing is lost then.
    """
    from geoai.errors import MergeError
    from geoai.merging import ledger_beside, merge_run

    try:
        with _progress() as progress:
            current = merge_run(folder, ledger_beside(folder), progress)
    except MergeError as error:
        print(f"geoai: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    _show_current(current)


@review_app.command("split")
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


@review_app.command("to-postgis")
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


@policy_app.command("learn")
def learn_policy(config: ConfigOption = DEFAULT_CONFIG, data: DataOption = None) -> None:
    """Learn from the ledger's verdicts what this map leaves out, and write data/policy.json.

    Reviews of runs that changed are read first. The next run sets such signals aside where cross-validation
    says that it helps; `geoai plan` says which.
    """
    from geoai import assessment
    from geoai.lessons import LEAST_OF_EACH, LEAST_VERDICTS, learn_from_ledger
    from geoai.policy import write_learned

    settings = _settings(config, None, None, data)
    lessons = learn_from_ledger(
        assessment.open_ledger(settings), settings.data / "runs", settings.compare.height
    )
    for line in lessons.problems:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    table = Table("class", "rejected as", title=f"{lessons.verdicts} verdicts", title_justify="left")
    for name in ("rejected", "kept", "would hide", "rightly", "log loss", "of the proportion", "used"):
        table.add_column(name, justify="right")
    for model in lessons.models:
        hidden = str(model.would_hide), str(model.would_hide_rightly)
        losses = f"{model.log_loss:.2f}", f"{model.log_loss_of_proportion:.2f}"
        counts = str(model.rejected), str(model.kept)
        used = NOT_USED[model.shortcoming] if model.shortcoming else "yes"
        table.add_row(model.class_name, model.reason, *counts, *hidden, *losses, used)
    console.print(table)
    if not lessons.models:
        asked = f"{LEAST_VERDICTS} are asked for, {LEAST_OF_EACH} of them rejected and {LEAST_OF_EACH} kept"
        console.print(f"too few verdicts of one class and reason: {asked}", soft_wrap=True)
    write_learned(settings.data / "policy.json", lessons.models)
    console.print(f"policy   {settings.data / 'policy.json'}", soft_wrap=True)


def _bands(package: ModelPackage) -> str:
    optional = package.optional_bands
    return ", ".join(f"({band})" if band in optional else band for band in package.bands)


def _check_options(given: dict[str, Any]) -> None:
    """Raise ConfigError where the options of `evaluate` do not go together."""
    from geoai.errors import ConfigError

    belonging = {
        "config": ("model", "model_b", "labels", "layer", "data", "bounds", "verdicts"),
        "images": ("model", "model_b", "gsd", "every", "data"),
        "review": ("bounds", "verdicts"),
    }
    kinds = [kind for kind in belonging if given[kind] is not None]
    if len(kinds) != 1:
        found = " and ".join(f"--{kind}" for kind in kinds) or "none"
        raise ConfigError(f"evaluate: expected one of --config, --images and --review, found {found}")
    for name in dict.fromkeys(name for names in belonging.values() for name in names):
        if given[name] is not None and name not in belonging[kinds[0]]:
            option = "model" if name.startswith("model") else f"--{name}"
            raise ConfigError(f"evaluate: expected no {option} with --{kinds[0]}, found {given[name]}")
    for name, needed in (("images", "gsd"), ("layer", "labels")):
        if given[name] is not None and given[needed] is None:
            raise ConfigError(f"evaluate: expected --{needed} with --{name}, found none")
    left, bottom, right, top = given["bounds"] or (0.0, 0.0, 1.0, 1.0)
    if left >= right or bottom >= top:
        found = f"{left:g} {bottom:g} {right:g} {top:g}"
        raise ConfigError(f"evaluate: expected --bounds LEFT BOTTOM RIGHT TOP, found {found}")


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
    if result.current.exists():
        _show_current(result.current)
    console.print(f"record   {result.review.parent}", soft_wrap=True)


def _show_current(review: Path) -> None:
    console.print(f"review   {review}\nproject  {review.with_suffix('.qgz')}", soft_wrap=True)


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


def _show_findings(findings: Any) -> None:
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        console.print(f"[{colour}]{finding.severity}[/] {finding}", soft_wrap=True, highlight=False)
