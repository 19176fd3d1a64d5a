"""Where the jobs of a stage run: threads or processes of this machine, or the workers of a Dask scheduler."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from geoai.config import EngineSettings
from geoai.errors import ConfigError, EngineError
from geoai.tilejobs import J, TileOutcome, TileWorker

if TYPE_CHECKING:
    import distributed

GPU = {"GPU": 1}
"""What a Dask worker must offer to predict where engine.gpu is set, and what a task takes of it."""


def work_on(
    worker: TileWorker[J],
    jobs: Sequence[J],
    settings: EngineSettings,
    progress: Callable[[int, int], None],
    *,
    on_gpu: bool = False,
) -> list[TileOutcome]:
    """Have *jobs* done side by side and return what became of them, in their order.

    The first exception cancels what has not begun and is raised. *on_gpu* jobs go to the workers that
    `settings.gpu` asks for. Nothing is started where there is no job. Raises EngineError where a worker
    process is killed, with Dask again and again.
    """
    if not jobs:
        return []
    outcomes: list[TileOutcome] = []
    size = 1 if settings.kind == "threads" else settings.batch
    with (
        workers_are_there(settings),
        _executor(settings, on_gpu=on_gpu and settings.gpu) as (pool, workers),
    ):
        parts = batches(jobs, workers=workers, largest=size)
        futures = [pool.submit(do_batch, worker, part) for part in parts]
        try:
            for future in futures:
                outcomes += future.result()
                progress(len(outcomes), len(jobs))
        finally:
            for future in futures:
                future.cancel()
    return outcomes


@contextmanager
def workers_are_there(settings: EngineSettings) -> Iterator[None]:
    """Raise EngineError where the block finds a worker, or the way to it, gone."""
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    if settings.kind == "dask":
        with suppress(ImportError):  # told where it is needed
            from distributed import KilledWorker

            lost = (KilledWorker, CancelledError)
    try:
        yield
    except lost as error:
        raise EngineError(
            "engine: expected its workers until the tiles are done, found one ended: killed, or out of "
            "memory (fewer engine.workers take less); what is done is kept, run it again"
        ) from error


def do_batch(worker: TileWorker[J], jobs: Sequence[J]) -> list[TileOutcome]:
    """Do *jobs* one after the other."""
    return [worker(job) for job in jobs]


def batches(jobs: Sequence[J], *, workers: int, largest: int) -> list[Sequence[J]]:
    """Cut into batches of at most *largest* jobs, smaller where that keeps every worker at work."""
    size = max(1, min(largest, len(jobs) // (2 * workers)))
    return [jobs[start : start + size] for start in range(0, len(jobs), size)]


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _executor(settings: EngineSettings, *, on_gpu: bool) -> Iterator[tuple[Executor, int]]:
    """Start what the settings name; give it and its number of workers."""
    workers = settings.workers or usable_cores()
    if settings.kind == "threads":  # raster and network code release the interpreter
        with ThreadPoolExecutor(workers) as pool:
            yield pool, workers
    elif settings.kind == "processes":  # spawned: a fork would take locks along that threads hold
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_parent) as pool:
            yield pool, workers
    else:
        with open_dask(settings) as client, client.get_executor(resources=GPU if on_gpu else None) as pool:
            yield pool, threads_of(client)


def _end_with_parent() -> None:
    """Have this worker end when the run does that started it: one that is killed cannot tell its workers."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def threads_of(client: distributed.Client) -> int:
    """Return how many tasks the workers of a Dask scheduler do at the same time; 1 while it has none."""
    return max(1, sum(map(int, client.nthreads().values())))


@contextmanager
def open_dask(settings: EngineSettings) -> Iterator[distributed.Client]:
    """Connect to the configured scheduler, or start a cluster of processes on this machine.

    Raises ConfigError where Dask is not installed or nothing answers at the address.
    """
    try:
        import distributed
    except ImportError as error:
        raise ConfigError("engine.kind: expected Dask, found none; uv sync --extra dask") from error
    if settings.address is None:
        workers = settings.workers or usable_cores()
        resources = GPU if settings.gpu else None
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None, resources=resources
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(settings.address, timeout="20s")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"engine.address: expected a Dask scheduler at {settings.address}, found {error}"
        ) from error
    with client:
        yield client
