"""Commands about models: which there are, adding and training one, scoring one or two."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from geoai.commands.terminal import ConfigOption, ResultsOption, console
from geoai.errors import GeoaiError

if TYPE_CHECKING:
    from geoai.model import ModelPackage

app = typer.Typer(help="Model packages: which there are, what they are, adding one.", no_args_is_help=True)


def train(config: ConfigOption = Path("configs/train.yaml")) -> None:
    """Train a model on labelled imagery and pack it. Run it again to go on where it stopped."""
    from geoai.packing import pack
    from geoai.settingsfile import load
    from geoai.training import TrainingSettings, fit

    logging.getLogger("geoai").setLevel(logging.INFO)
    settings = load(config, TrainingSettings)
    fit(settings)
    package = pack(settings)
    console.print(f"model    {package.folder}", soft_wrap=True)


@app.command("list")
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


@app.command("show")
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


@app.command("add")
def add_model(
    source: Annotated[Path, typer.Argument(help="Folder of a model package.")],
    data: ResultsOption = Path("data"),
) -> None:
    """Check a model package, try it, and copy it into data/models, so that prediction.model finds it."""
    from geoai.model import add_package

    package = add_package(source, data / "models")
    console.print(f"model    {package.folder}", soft_wrap=True)


def _bands(package: ModelPackage) -> str:
    optional = package.optional_bands
    return ", ".join(f"({band})" if band in optional else band for band in package.bands)
