"""One smoke test per flow, under a Prefect server shared by the test run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyogrio
import pytest

os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")

from test_pipeline import RedRoofs, network, project

from flows.process_flight import process_flight  # sets Prefect's environment before Prefect is imported
from geoai.errors import GeoaiError
from geoai.pipeline import Catalog

__all__ = ["network", "project"]  # fixtures

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.filterwarnings("ignore"),  # Prefect's and its server's own
]


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=180),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


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
    with pytest.raises(GeoaiError, match=r"^east\.tif: expected a readable orthophoto, found: "):
        process_flight(config=project)
    assert list((project.parent / "data" / "runs").rglob("review.gpkg"))
