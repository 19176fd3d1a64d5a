"""Tasks of the flows, and where they run. A task is a batch of tiles, tens of seconds of work.

Results are files, recorded in the catalogue: Prefect caches nothing. Retries are for the outside world, such
as a share that is gone for a minute.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from prefect import task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State, TaskRun
from prefect.context import TaskRunContext
from prefect.runtime import task_run
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from geoai import assessment, engine, pipeline
from geoai.config import EngineSettings
from geoai.errors import GeoaiError
from geoai.tilejobs import J, TileOutcome, TileWorker

Progress = Callable[[int, int], None]
"""Told (done, total) as the tiles of a stage are done."""
MOST_TASKS = 2000
"""Of a stage; beyond that batches grow, since Prefect keeps every task in memory and in its database."""
RETRY_DELAYS_S = [10.0, 60.0]


class TilesFailedError(Exception):
    """Tiles of a batch could not be read; they are tried again."""


def do_batch(worker: TileWorker[J], jobs: Sequence[J]) -> list[TileOutcome]:
    """Do *jobs* one after the other; until the last attempt, a tile that failed is an exception."""
    outcomes = engine.do_batch(worker, jobs)
    failed = [f"{outcome.tile_id}: {outcome.message}" for outcome in outcomes if outcome.outcome == "failed"]
    context = TaskRunContext.get()
    if failed and context is not None and context.task_run.run_count <= len(RETRY_DELAYS_S):
        raise TilesFailedError("; ".join(failed))
    return outcomes


def _may_pass(task: Any, run: TaskRun, state: State[Any]) -> bool:
    """Whether to try again: what geoai raises on purpose (a full disk, a damaged catalogue) stays."""
    try:
        state.result()
    except GeoaiError:
        return False
    except Exception:
        return True
    return False


def _name() -> str:
    """Return the name of a batch's run: what is done, to which tiles."""
    tiles = [job.tile_id for job in task_run.parameters["jobs"]]
    more = f" and {len(tiles) - 1} more" if len(tiles) > 1 else ""
    return f"{task_run.task_name}: {tiles[0]}{more}"


accept = task(name="accept flight", task_run_name="accept flight", cache_policy=NO_CACHE)(pipeline.accept)
make_review = task(name="compare and publish", task_run_name="compare and publish", cache_policy=NO_CACHE)(
    assessment.make_review
)
merge_review = task(
    name="merge into the standing review",
    task_run_name="merge into the standing review",
    cache_policy=NO_CACHE,
)(assessment.merge_review)
_batch = task(
    task_run_name=_name,
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_S),
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_condition_fn=_may_pass,
)(do_batch)


class Engine:
    """Runs the batches of a stage as tasks, on what `engine:` of the settings names."""

    def __init__(self, settings: EngineSettings, runner: TaskRunner[Any], workers: int) -> None:
        self.settings, self.runner, self.workers = settings, runner, workers

    def work_on(
        self,
        what: str,
        worker: TileWorker[J],
        jobs: Sequence[J],
        progress: Progress = lambda done, total: None,
        *,
        on_gpu: bool = False,
    ) -> list[TileOutcome]:
        """Have *jobs* done as tasks called *what*, as `geoai.engine.work_on` has them done without."""
        largest = max(self.settings.batch, -(-len(jobs) // MOST_TASKS))
        batches = engine.batches(jobs, workers=self.workers, largest=largest)
        if not batches:
            return []
        done: list[TileOutcome] = []
        placed = _on_gpu() if on_gpu and self.settings.gpu else nullcontext()
        with engine.workers_are_there(self.settings), placed:
            named: Any = _batch.with_options(name=what)
            futures = self.runner.map(named, {"worker": unmapped(worker), "jobs": batches})
            progress(0, len(jobs))
            for future in futures:
                done += future.result()
                progress(len(done), len(jobs))
        return done


@contextmanager
def open_engine(settings: EngineSettings) -> Iterator[Engine]:
    """Start what the settings name; processes and Dask workers report to the flow's own Prefect server."""
    workers = settings.workers or engine.usable_cores()
    if settings.kind == "threads":
        threads: TaskRunner[Any]
        with ThreadPoolTaskRunner(max_workers=workers) as threads:
            yield Engine(settings, threads, workers)
        return
    with _shared_server():
        if settings.kind == "processes":
            with ProcessPoolTaskRunner(max_workers=workers) as processes:
                yield Engine(settings, processes, workers)
        else:
            with engine.open_dask(settings) as client:
                from prefect_dask.task_runners import DaskTaskRunner

                with DaskTaskRunner(address=client.scheduler.address) as dask:
                    yield Engine(settings, dask, engine.threads_of(client))


@contextmanager
def _shared_server() -> Iterator[None]:
    """Let other processes report to the embedded server of this one, else each would start its own."""
    if PREFECT_API_URL.value():
        yield
        return
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    server.start()  # the one that runs this flow
    before = os.environ.get("PREFECT_API_URL")
    os.environ["PREFECT_API_URL"] = server.api_url
    try:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            yield
    finally:
        del os.environ["PREFECT_API_URL"]
        if before is not None:
            os.environ["PREFECT_API_URL"] = before


def _on_gpu() -> Any:
    from dask.base import annotate

    return annotate(resources=engine.GPU)
