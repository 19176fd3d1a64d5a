"""Commands about what a map leaves out."""

from __future__ import annotations

import typer
from rich.table import Table

from geoai.commands.terminal import DEFAULT_CONFIG, ConfigOption, DataOption, console, read_settings

app = typer.Typer(help="What this map does not hold, learned from verdicts.", no_args_is_help=True)
NOT_USED = {
    "hides_none": "no: hides none",
    "hides_kept": "no: hides what was kept",
    "tells_little": "no: tells little",
}


@app.command("learn")
def learn_policy(config: ConfigOption = DEFAULT_CONFIG, data: DataOption = None) -> None:
    """Learn from the ledger's verdicts what this map leaves out, and write data/policy.json.

    Reviews of runs that changed are read first. The next run sets such signals aside where cross-validation
    says that it helps; `geoai plan` says which.
    """
    from geoai import assessment
    from geoai.lessons import LEAST_OF_EACH, LEAST_VERDICTS, learn_from_ledger
    from geoai.policy import write_learned

    settings = read_settings(config, None, None, data)
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
