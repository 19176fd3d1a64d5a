"""What a flow run says of itself on Prefect's pages: its name, how far it is, what came of it, and what to do
when it failed.

Whatever is shown here is for people; the record is in the catalogue and beside the review. A server that is
away for a while costs a line on the page, never the run.
"""

from __future__ import annotations

import base64
import errno
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, cast
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import PrefectException
from prefect.flows import Flow
from prefect.logging.loggers import flow_run_logger
from prefect.runtime import flow_run as this_run

from geoai import errors, report
from geoai.flight import Finding
from geoai.model import ModelPackage
from geoai.pipeline import RunResult, StageReport
from geoai.publish.texts import HIDDEN_CLASSES
from geoai.training import TrainingSettings

log = logging.getLogger("geoai.flows")
P = ParamSpec("P")

UPDATE_S = 2.0
"""Least time between two updates of a progress bar: each is a call to the server."""
MOST_ROWS = 500
OUTCOMES = ("done", "skipped", "empty", "failed")
CRASHED = "What was finished is kept: start the deployment again, and only what is missing is done."
AGAIN = "Then start the deployment again: only what is missing is done."
ADVICE: dict[type[BaseException], str] = {
    errors.ConfigError: f"Mend the key that is named in the YAML file. {AGAIN}",
    errors.CRSError: f"Deliver the file in the project's CRS, or set `crs`. {AGAIN}",
    errors.ImageryError: f"Look at the folder of the flight; replace what cannot be read. {AGAIN}",
    errors.StacError: f"See that the API can be reached, and its user and password. {AGAIN}",
    errors.WatchError: "Look at each that is named, and at the page of its own run; mend or delete a file of "
    f"`data/watch` that cannot be read. {AGAIN}",
    errors.MapError: f"See that the map can be reached and is as `map:` in the YAML file says. {AGAIN}",
    errors.CatalogError: f"Replace the sheets that are named; the catalogue is made anew from them. {AGAIN}",
    errors.StorageError: f"See that the object store can be reached, and its credentials. {AGAIN}",
    errors.ModelError: f"Set `prediction.model` to a model that fits (`geoai model list`). {AGAIN}",
    errors.PublishError: f"Close the file that is named where it is open, or free space. {AGAIN}",
    errors.LedgerError: f"Close `ledger.gpkg` where it is open, or set `data` to this project's. {AGAIN}",
    errors.MergeError: f"Save and close the standing review in QGIS. {AGAIN}",
    errors.EngineError: f"See why a worker ended: out of memory asks for fewer `engine.workers`. {AGAIN}",
    errors.BusyError: f"Wait until the run that is named has ended. {AGAIN}",
    errors.FindingsError: f"The list is there without them. Replace the sheets that are named. {AGAIN}",
    errors.GeoaiError: f"Save and close a review that is in use; see that all sheets can be read. {AGAIN}",
    PermissionError: f"Give the worker's user the right to the file that is named. {AGAIN}",
    OSError: f"See that disk and network share are there. {AGAIN}",
    MemoryError: f"Set `engine.workers` lower, or give the machine more memory. {AGAIN}",
}
"""What to do by what went wrong; of the classes that an error has, the nearest counts."""
DISK_FULL = f"Free space on the disk: `geoai catalog prune` removes old probabilities. {AGAIN}"
"""A full disk comes as many an error; its words are the system's."""
UNKNOWN = f"This is a fault of geoai itself: keep the log of this run and report it. {CRASHED}"


def decoration(show: Callable[P, None]) -> Callable[P, None]:
    """Let *show* fail where Prefect's server is away, or refuses what it is given."""

    @wraps(show)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            show(*args, **kwargs)
        except (httpx.HTTPError, PrefectException) as error:
            log.warning("not shown on the run page: %s", error)

    return tried


def key(*words: str) -> str:
    """Return a stable artifact key: lower case letters, digits and dashes.

    >>> key("report", "Växjö_2026")
    'report-v-xj-2026'
    """
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")


@decoration
def name_run(*words: object) -> None:
    """Name this flow run, such as 'tartu 2026-05-14'; None is left out."""
    if this_run.id:
        with get_client(sync_client=True) as client:
            name = " ".join(str(word) for word in words if word)
            client.set_flow_run_name(UUID(this_run.id), name).raise_for_status()


class ProgressBars:
    """A progress bar for each stage; told as `geoai.pipeline.Progress` is.

    What is told from its beginning (0 of so many) has its bar at once, else what takes longer than UPDATE_S.
    """

    def __init__(self, flight_id: str) -> None:
        self.flight_id = flight_id
        self._bars: dict[str, UUID] = {}
        self._told: dict[str, float] = {}

    @decoration
    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that *done* of *total* are done, if the last time was a while ago, or all are."""
        now = time.monotonic()
        told, bar = self._told.setdefault(stage, now), self._bars.get(stage)
        at_an_end = done == total if bar else done == 0
        if now - told < UPDATE_S and not at_an_end:
            return
        self._told[stage] = now
        share, text = 100 * done / total, f"{self.flight_id}, {stage}: {done:,} of {total:,}"
        if bar:
            update_progress_artifact(bar, share, text)
        else:
            made = create_progress_artifact(share, key("progress", stage), text)
            self._bars[stage] = cast(UUID, made)


def stage_rows(stages: Iterable[StageReport]) -> list[dict[str, str]]:
    """Return a row for each stage: seconds, tiles by outcome, and what else it counted."""
    return [
        {
            "stage": stage.name,
            "seconds": f"{stage.seconds:,.1f}",
            **{name: f"{stage.counts[name]:,}" if name in stage.counts else "" for name in OUTCOMES},
            "found": ", ".join(f"{name} {n:,}" for name, n in stage.counts.items() if name not in OUTCOMES),
        }
        for stage in stages
    ]


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return a row for each finding, errors first; of more than MOST_ROWS the rest as one row."""
    ranked = sorted(findings, key=lambda finding: finding.severity != "error")
    rows = [
        {"severity": each.severity, "file": each.file, "what": each.message, "code": each.code}
        for each in ranked[:MOST_ROWS]
    ]
    if left := len(ranked) - len(rows):
        rows.append({"severity": "", "file": "", "what": f"and {left:,} more, all in run.json", "code": ""})
    return rows


def report_text(result: RunResult) -> str:
    """Return what came of a flight as Markdown: the picture, where things lie, and signals by class.

    Browsers follow no link from a page of the server to a file, so paths are there to copy.
    """
    waiting = {name: n for name, n in result.signals.items() if is_put_before(name)}
    aside = {name: n for name, n in result.signals.items() if not is_put_before(name)}
    wrong = sum(finding.severity == "error" for finding in result.findings)
    warnings = len(result.findings) - wrong
    places = {
        "to review in QGIS": result.current.with_suffix(".qgz"),
        "the list": result.current,
        "the report": result.review.with_name(report.HTML),
        "the record of this run": result.review.parent,
    }
    parts = [
        f"# {result.flight_id}: {sum(waiting.values()):,} signals",
        picture(result.review.with_name(report.THUMBNAIL), "Signals on the orthophoto"),
        f"{wrong:,} errors and {warnings:,} warnings: see the findings." if result.findings else "",
        table(("where", ""), [(what, f"`{path.resolve()}`") for what, path in places.items()]),
        table(("class", "signals"), by_count(waiting)),
        table(("kept, and not put before a reviewer", ""), by_count(aside)) if aside else "",
    ]
    return "\n\n".join(filter(None, parts))


def is_put_before(name: str) -> bool:
    """Tell whether a reviewer is shown what was counted under a name; see `assessment.count_signals`."""
    return name not in HIDDEN_CLASSES and not name.startswith("policy ")


def by_count(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return names and counts, the largest first."""
    return [(name, f"{n:,}") for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of two columns as Markdown."""
    return "\n".join(f"| {left} | {right} |" for left, right in (head, ("---", "---"), *rows))


def picture(path: Path, what: str) -> str:
    """Return a picture (JPEG, PNG) as Markdown that holds it, '' where there is none."""
    if not path.is_file():
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"![{what}](data:image/{path.suffix[1:].replace('jpg', 'jpeg')};base64,{data})"


@decoration
def show_result(result: RunResult) -> None:
    """Show what a run did: the report, a table of stages, and one of findings if there are any."""
    flight_id = result.flight_id
    create_markdown_artifact(report_text(result), key("report", flight_id), f"What came of {flight_id}")
    create_table_artifact(stage_rows(result.stages), key("stages", flight_id), "Tiles and seconds by stage")
    if result.findings:
        rows = finding_rows(result.findings)
        create_table_artifact(rows, key("findings", flight_id), "What was found wrong, errors first")


@decoration
def show_training(settings: TrainingSettings, package: ModelPackage) -> None:
    """Show what came of a training: its curves, and where the model and its card lie."""
    lines = [
        f"# Model {package.id}",
        f"`{package.folder.resolve()}`: `card.md` says what it learnt from and where it fails.",
        picture(settings.run / "curves.png", "Losses and IoU by epoch"),
    ]
    create_markdown_artifact("\n\n".join(lines), key("model", package.id), f"What came of {package.id}")


def advice(error: BaseException) -> str:
    """Return what to do next about an error."""
    if is_disk_full(error):
        return DISK_FULL
    return next((ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE), UNKNOWN)


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that led to it, says that a disk or a quota is full."""
    full = (errno.ENOSPC, errno.EDQUOT)
    while error is not None:
        if getattr(error, "errno", None) in full or any(os.strerror(code) in str(error) for code in full):
            return True
        error = error.__cause__ or error.__context__
    return False


@decoration
def say_what_to_do(flow: Flow[Any, Any], flow_run: FlowRun, state: State) -> None:
    """Say why a run failed or crashed, and what to do next: a log line and an artifact. A hook of flows.

    Prefect calls it by keyword: the names of the parameters are its own. After a crash the worker calls it,
    which knows the message only.
    """
    error = None if state.is_crashed() else state.result(raise_on_failure=False)
    what = str(error) if isinstance(error, errors.GeoaiError) else (state.message or "").strip()
    next_step = advice(error) if isinstance(error, BaseException) else CRASHED
    flow_run_logger(flow_run, flow).error("%s. What to do: %s", what.rstrip("."), next_step)
    text = f"# What to do\n\n{next_step}\n\n## What happened\n\n{what}"
    with get_client(sync_client=True) as client:
        client.create_artifact(
            ArtifactCreate(
                key="what-to-do",
                type="markdown",
                description=next_step,
                data=text,
                flow_run_id=flow_run.id,
            )
        )
