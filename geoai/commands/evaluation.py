"""The command that scores models and runs."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from geoai.commands.terminal import DataOption, console, progress_bars, read_settings


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
    with nullcontext(lambda stage, done, total: None) if as_json else progress_bars() as progress:
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
            settings = read_settings(config, None, None, data)
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
