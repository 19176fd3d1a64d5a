"""One smoke test per flow, under a Prefect server shared by the test run."""

import os
import shutil
from pathlib import Path

import pyogrio
import pytest
import yaml

os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")

from dask_cluster import Cluster, cluster
from prefect import flow
from prefect.client.schemas import StateType
from prefect_harness import server
from red_roofs import save_red_roofs
from test_engine import Ends, Named, Slow, killing_a_worker, networks
from test_pipeline import RedRoofs, network, project, rasters
from test_storage import content, copy_to, far_cluster
from test_training import tiny_settings

from flows.process_flight import process_flight
from flows.tasks import open_engine
from flows.train_model import train_model
from geoai import pipeline
from geoai.catalog import Catalog
from geoai.config import EngineSettings, load_settings
from geoai.errors import EngineError, FindingsError
from geoai.model import find_package
from geoai.storage import location
from geoai.tilejobs import TileOutcome

__all__ = ["cluster", "far_cluster", "network", "project", "server"]  # fixtures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.prefect,
    pytest.mark.filterwarnings("ignore"),  # Prefect's and its server's own
]


def test_the_flow_does_what_the_command_line_does_and_goes_on_where_it_stopped(
    project: Path, network: RedRoofs
) -> None:
    review = process_flight(config=project)
    assert sorted(pyogrio.read_dataframe(review, layer="discrepancy")["class"]) == [
        "demolished",
        "extended",
        "missing",
    ]
    asked = network.asked
    store = Catalog(project.parent / "data" / "catalog")
    lost = store.item_path("F1.buildings", "450050_6400950")
    lost.unlink()
    assert process_flight(config=project) == review
    assert network.asked > asked
    assert lost.exists()
    assert network.asked - asked < asked


def test_a_flow_with_a_broken_sheet_does_the_rest_and_fails_with_the_reason(
    project: Path, network: RedRoofs
) -> None:
    east = project.parent / "flight" / "east.tif"
    east.write_bytes(east.read_bytes()[:2000])
    said = r"^east\.tif: expected a readable orthophoto, found: "
    state = process_flight(config=project, return_state=True)
    assert (state.type, state.name) == (StateType.FAILED, "Findings"), "another run would find the same"
    with pytest.raises(FindingsError, match=said):
        state.result()
    assert list((project.parent / "data" / "runs").rglob("review.gpkg"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_a_flow_on_other_processes_leaves_the_bytes_of_the_command_line(
    project: Path, cluster: Cluster, kind: str
) -> None:
    save_red_roofs(project.parent / "data" / "models" / "red")
    settings = project.read_text().replace("halo_px: 32", "halo_px: 32, model: red")
    project.write_text(settings)
    alone = pipeline.run(load_settings(project))
    before = rasters(project.parent / "data")
    shutil.rmtree(project.parent / "data" / "catalog")
    engine = (
        "processes, workers: 2" if kind == "processes" else f'dask, address: "{cluster.address}", gpu: true'
    )
    project.write_text(settings.replace("workers: 2", f"batch: 8, kind: {engine}"))
    assert process_flight(config=project) == alone.current
    assert rasters(project.parent / "data") == before
    if kind == "dask":
        assert networks(cluster.address) == {"plain": 0, "gpu": 1}


def test_a_flow_on_workers_that_share_an_object_store_only_leaves_the_bytes_of_the_command_line(
    project: Path, s3: str, far_cluster: Cluster
) -> None:
    save_red_roofs(project.parent / "data" / "models" / "red")
    copy_to(project.parent / "flight", location(f"{s3}/flow/F1"))
    text = project.read_text().replace("halo_px: 32", "halo_px: 32, model: red")
    project.write_text(text)
    on_disk = load_settings(project)
    pipeline.run(on_disk)
    text = text.replace("workers: 2", f'batch: 1, kind: dask, address: "{far_cluster.address}"')
    text = text.replace(str(project.parent / "flight"), f"{s3}/flow/F1")
    project.write_text(f"{text}\n        catalog: {s3}/flow/catalog\n")
    process_flight(config=project)
    assert content(load_settings(project)) == content(on_disk)


@pytest.mark.slow
def test_a_flow_whose_dask_worker_is_killed_goes_on_with_the_other(tmp_path: Path, cluster: Cluster) -> None:
    settings = EngineSettings(kind="dask", address=cluster.address, batch=1)
    jobs = [Named(str(number)) for number in range(12)]

    @flow
    def work() -> list[TileOutcome]:
        with open_engine(settings) as engine:
            return engine.work_on("cut tiles", Slow(tmp_path), jobs)

    with killing_a_worker(cluster, tmp_path):
        outcomes = work()
    assert [(each.tile_id, each.outcome) for each in outcomes] == [(job.tile_id, "done") for job in jobs]
    assert len(list(tmp_path.glob("*.done"))) == 12


@pytest.mark.slow
def test_the_training_flow_packs_a_model(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, samples=80)
    config = tmp_path / "train.yaml"
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json", exclude_defaults=True)))
    assert train_model(config=config) == settings.package
    assert find_package(str(settings.package)).id == "squares"
    assert (settings.package / "card.md").exists()


@pytest.mark.slow
def test_a_worker_process_that_ends_is_told_as_such() -> None:
    @flow
    def cut() -> None:
        with open_engine(EngineSettings(kind="processes", workers=1)) as engine:
            engine.work_on("cut tiles", Ends(), [Named("1")])

    with pytest.raises(EngineError, match="found one ended"):
        cut()
