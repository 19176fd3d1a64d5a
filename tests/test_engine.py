"""Where jobs run: threads, processes and Dask workers leave the same bytes."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Cluster, cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from red_roofs import save_red_roofs
from test_pipeline import counts, project, rasters

from geoai import pipeline
from geoai.config import EngineSettings, load_settings
from geoai.engine import batches, open_dask, work_on
from geoai.errors import ConfigError, EngineError
from geoai.pipeline import RunResult
from geoai.tilejobs import Predictor, TileOutcome

__all__ = ["cluster", "project"]  # fixtures


@dataclass(frozen=True)
class Named:
    tile_id: str


class Numbers:
    """Does jobs by their number; the one that is *bad* raises."""

    def __init__(self, bad: int | None = None) -> None:
        self.bad, self.seen, self.lock = bad, [], threading.Lock()  # type: ignore[var-annotated]

    def is_done(self, job: Named) -> bool:
        return False

    def __call__(self, job: Named) -> TileOutcome:
        with self.lock:
            self.seen.append(job.tile_id)
        time.sleep(0.001)
        if job.tile_id == str(self.bad):
            raise OSError("the share is gone")
        return TileOutcome(job.tile_id, "done")


@settings(deadline=None, max_examples=50)
@given(count=st.integers(0, 60), workers=st.integers(1, 8), largest=st.integers(1, 20))
def test_batches_hold_every_job_once_in_order(count: int, workers: int, largest: int) -> None:
    jobs = [Named(str(number)) for number in range(count)]
    cut = batches(jobs, workers=workers, largest=largest)
    assert [job for batch in cut for job in batch] == jobs
    assert all(1 <= len(batch) <= largest for batch in cut)
    assert len(cut) >= min(count, workers), "no worker is left without work"


def test_outcomes_come_in_the_order_of_the_jobs_and_progress_counts_them() -> None:
    jobs, told = [Named(str(number)) for number in range(20)], []
    outcomes = work_on(Numbers(), jobs, EngineSettings(workers=3), lambda done, of: told.append((done, of)))
    assert [outcome.tile_id for outcome in outcomes] == [job.tile_id for job in jobs]
    assert told == [(done, 20) for done in range(1, 21)]


def test_the_first_exception_stops_what_has_not_begun() -> None:
    jobs, worker = [Named(str(number)) for number in range(500)], Numbers(bad=3)
    with pytest.raises(OSError, match="the share is gone"):
        work_on(worker, jobs, EngineSettings(workers=1), lambda done, of: None)
    assert len(worker.seen) < 500


class Ends:
    """Has its process end, as one that the system kills for its memory."""

    def is_done(self, job: Named) -> bool:
        return False

    def __call__(self, job: Named) -> TileOutcome:
        os._exit(1)


class Raises(Ends):
    """Finds the share gone."""

    def __call__(self, job: Named) -> TileOutcome:
        raise OSError("the share is gone")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_what_goes_wrong_on_a_dask_worker_is_told_as_anywhere() -> None:
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    jobs = [Named(str(number)) for number in range(4)]
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        settings = EngineSettings(kind="dask", address=cluster.scheduler_address)
        with pytest.raises(OSError, match="the share is gone"):
            work_on(Raises(), jobs, settings, lambda done, of: None)
        with pytest.raises(EngineError, match="found one ended"):
            work_on(Ends(), jobs, settings, lambda done, of: None)


def test_without_jobs_nothing_is_started() -> None:
    nowhere = EngineSettings(kind="dask", address="tcp://127.0.0.1:1")
    assert work_on(Numbers(), [], nowhere, lambda done, of: None) == []


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_a_line() -> None:
    with (
        pytest.raises(
            ConfigError, match=r"engine\.address: expected a Dask scheduler at tcp://127\.0\.0\.1:1"
        ),
        open_dask(EngineSettings(kind="dask", address="tcp://127.0.0.1:1")),
    ):
        pass


@pytest.fixture
def red_roofs(project: Path) -> Path:
    """The made flight, to be read by a model that other processes can load as well."""
    save_red_roofs(project.parent / "data" / "models" / "red")
    project.write_text(project.read_text().replace("halo_px: 32", "halo_px: 32, model: red"))
    return project


def run(path: Path, **overrides: Any) -> RunResult:
    models = {"prediction.model": str(path.parent / "data" / "models" / "red")}
    return pipeline.run(load_settings(path, models | overrides))


def on(kind: str, path: Path, **more: Any) -> RunResult:
    engine = {"engine.kind": kind, "engine.workers": 2, "engine.batch": 1, "data": path.parent / kind}
    return run(path, **engine | more)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processes", "dask"])
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_other_processes_leave_the_bytes_that_one_thread_leaves(red_roofs: Path, kind: str) -> None:
    alone = run(red_roofs, data=red_roofs.parent / "alone", **{"engine.workers": 1})
    together = on(kind, red_roofs)
    assert together.signals == alone.signals == {"missing": 1, "demolished": 1, "extended": 1}
    assert counts(together, "predict") == {"done": 4}
    assert rasters(red_roofs.parent / kind) == rasters(red_roofs.parent / "alone")
    assert counts(on(kind, red_roofs), "predict") == {"skipped": 4}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_two_dask_workers_leave_the_bytes_of_one_thread_and_the_gpu_is_asked_for_predictions(
    red_roofs: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = run(red_roofs, data=red_roofs.parent / "alone", **{"engine.workers": 1})
    monkeypatch.chdir(red_roofs.parent)  # names are as from here; the workers stand elsewhere
    names = {"flight.folder": Path("flight"), "data": Path("dask"), "prediction.model": "data/models/red"}
    engine = {"engine.workers": None, "engine.address": cluster.address, "engine.gpu": True}
    together = on("dask", red_roofs, **names, **engine)
    assert together.signals == alone.signals
    assert rasters(red_roofs.parent / "dask") == rasters(red_roofs.parent / "alone")
    assert networks(cluster.address) == {"plain": 0, "gpu": 1}


def networks(address: str) -> dict[str, int]:
    """Return how many networks each Dask worker, by name, has loaded."""
    import distributed

    with distributed.Client(address) as client:
        loaded = client.run(lambda: len(__import__("geoai.segmenter").segmenter._LOADED))
        names = {at: str(info["name"]) for at, info in client.scheduler_info()["workers"].items()}
    return {names[at]: count for at, count in loaded.items()}


@dataclass(frozen=True)
class Slow:
    """Leaves a file for each job that it begins, and one for each that it ends."""

    folder: Path

    def is_done(self, job: Named) -> bool:
        return False

    def __call__(self, job: Named) -> TileOutcome:
        (self.folder / f"{job.tile_id}.{os.getpid()}.begun").touch()
        time.sleep(0.5)
        (self.folder / f"{job.tile_id}.done").touch()
        return TileOutcome(job.tile_id, "done")


@contextmanager
def killing_a_worker(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Kill the worker that is called plain as soon as it has begun a job of `Slow`."""
    plain = cluster.workers["plain"]

    def kill() -> None:
        while not list(folder.glob(f"*.{plain.pid}.begun")):
            time.sleep(0.01)
        plain.kill()

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    yield
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_dask_worker_that_is_killed_costs_nothing_but_what_it_had_in_hand(
    tmp_path: Path, cluster: Cluster
) -> None:
    engine = EngineSettings(kind="dask", address=cluster.address, batch=1)
    jobs = [Named(str(number)) for number in range(12)]
    with killing_a_worker(cluster, tmp_path):
        outcomes = work_on(Slow(tmp_path), jobs, engine, lambda done, of: None)
    assert [(each.tile_id, each.outcome) for each in outcomes] == [(job.tile_id, "done") for job in jobs]
    assert len(list(tmp_path.glob("*.done"))) == 12
    assert len(list(tmp_path.glob("*.begun"))) > 12, "what the killed worker had begun was begun again"


def test_a_predictor_is_a_small_value(red_roofs: Path) -> None:
    import pickle

    settings = load_settings(red_roofs, {"prediction.model": str(red_roofs.parent / "data/models/red")})
    run(red_roofs)
    from geoai import assessment

    acceptance = pipeline.accept(settings)
    model = assessment.open_model(settings)
    predictor = Predictor.of(settings, acceptance.flight, acceptance.scheme, model)
    again = pickle.loads(pickle.dumps(predictor))
    assert again.collection == predictor.collection == "F1.red"
    assert len(pickle.dumps((predictor, predictor.jobs()[0]))) < 20_000
