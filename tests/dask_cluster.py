"""A Dask scheduler and two workers, started as operators start them, in a folder where nothing else lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Cluster:
    """Where the scheduler listens, and the processes of its workers by name."""

    address: str
    workers: dict[str, subprocess.Popen[bytes]]


@contextmanager
def running(folder: Path, environment: Mapping[str, str], options: Sequence[str] = ()) -> Iterator[Cluster]:
    """Start a scheduler and two workers of one thread, *plain* and *gpu*, which says that it has one."""
    distributed = pytest.importorskip("distributed")
    where = folder / "scheduler.json"
    common = ["--scheduler-file", str(where), "--host", "127.0.0.1", "--no-dashboard"]
    module = [sys.executable, "-m", "distributed.cli.dask_worker", *common, *options]
    module += ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder), "--name"]
    tests = Path(__file__).parent
    here = {**environment, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *common, "--port", "0"]
    scheduler = subprocess.Popen(command, env=here, cwd=folder)
    workers = {
        "plain": subprocess.Popen([*module, "plain"], env=here, cwd=folder),
        "gpu": subprocess.Popen([*module, "gpu", "--resources", "GPU=1"], env=here, cwd=folder),
    }
    try:
        with distributed.Client(scheduler_file=str(where), timeout="60s") as client:
            client.wait_for_workers(2, timeout=60)
        yield Cluster(json.loads(where.read_text())["address"], workers)
    finally:
        for process in (*workers.values(), scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a cluster that shares this machine's disk."""
    with running(tmp_path_factory.mktemp("cluster"), os.environ) as started:
        yield started
