"""The flow that watches: in its own process, and by way of a deployment, under one Prefect server."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")

from prefect import get_client
from prefect.blocks.system import Secret
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.states import Cancelled, Cancelling, Completed, Failed, Pending, Running
from prefect_harness import server
from stac_case import Upstream, basic, serving
from test_pipeline import RedRoofs, network, project
from watch_case import watching

from flows import run_page
from flows import watch_flights as module
from flows.process_flight import process_flight
from flows.watch_flights import watch_flights
from geoai import dispatch, watch
from geoai.config import load_settings
from geoai.errors import GeoaiError
from geoai.locks import hold_flight

__all__ = ["network", "project", "server"]  # fixtures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.prefect,
    pytest.mark.filterwarnings("ignore"),  # Prefect's and its server's own
]


@pytest.fixture
def town(project: Path) -> Path:
    return watching(project)


def record(town: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((town.parent / "data/watch/2026-05-14_town.json").read_text())
    return said


def test_a_new_flight_is_run_here_and_once(town: Path, network: RedRoofs) -> None:
    assert watch_flights(config=town) == ["2026-05-14_town"]
    assert list((town.parent / "data/runs/2026-05-14_town").rglob("review.gpkg"))
    item = next((town.parent / "data/catalog/flights/2026-05-14_town").glob("*/*.json"))
    assert json.loads(item.read_text())["properties"]["start_datetime"].startswith("2026-05-14")
    asked = network.asked
    assert watch_flights(config=town) == []
    assert network.asked == asked


def test_one_flight_that_fails_stops_no_other_and_the_flow_says_why(town: Path, network: RedRoofs) -> None:
    bad = town.parent / "flights" / "2026-01-01_bad"
    bad.mkdir()
    (bad / "a.tif").write_text("no image")
    with pytest.raises(GeoaiError, match=r"^2026-01-01_bad: .*a\.tif: expected a readable orthophoto") as why:
        watch_flights(config=town)
    assert "Look at each that is named" in run_page.advice(why.value), "not: save and close a review"
    assert record(town)["run"]["state"] == "done"
    assert list((town.parent / "data/runs/2026-05-14_town").rglob("review.gpkg"))


class Server:
    """What the Prefect server was asked to run."""

    def __init__(self) -> None:
        self.deployment = UUID(str(process_flight.to_deployment("process").apply()))

    def runs(self) -> list[Any]:
        only = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment]))
        with get_client(sync_client=True) as client:
            return sorted(client.read_flow_runs(flow_run_filter=only), key=lambda run: run.created)

    def set_state(self, run: Any, state: Any) -> None:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.id, state, force=True)

    def clear(self) -> None:
        with get_client(sync_client=True) as client:
            for run in self.runs():
                client.delete_flow_run(run.id)


@pytest.fixture
def prefect_server(server: None) -> Server:
    made = Server()
    made.clear()
    return made


def look(town: Path) -> list[str]:
    return watch_flights(config=town, deployment="process-flight/process")


def test_a_server_is_asked_once_for_each_flight_and_its_answer_decides_what_comes_next(
    town: Path, prefect_server: Server
) -> None:
    assert look(town) == ["2026-05-14_town"]
    (run,) = prefect_server.runs()
    assert run.parameters == {
        "config": str(town),
        "flight": str(town.parent / "flights" / "2026-05-14_town"),
        "flight_id": "2026-05-14_town",
        "date": "2026-05-14",
    }
    assert look(town) == []
    prefect_server.set_state(run, Failed(message="GeoaiError: the map is away"))
    assert look(town) == ["2026-05-14_town"]
    first, second = prefect_server.runs()
    assert first.id == run.id
    prefect_server.set_state(second, Completed())
    assert look(town) == []
    assert record(town)["run"]["state"] == "done"
    assert len(prefect_server.runs()) == 2


def test_sheets_that_cannot_be_used_start_no_run_until_they_change(
    town: Path, prefect_server: Server
) -> None:
    assert look(town) == ["2026-05-14_town"]
    (run,) = prefect_server.runs()
    prefect_server.set_state(run, Failed(name="Findings", message="a.tif: expected EPSG:3006"))
    assert look(town) == look(town) == []
    assert (record(town)["run"]["state"], record(town)["run"]["why"]) == ("done", "a.tif: expected EPSG:3006")
    sheet = next((town.parent / "flights" / "2026-05-14_town").glob("*.tif"))
    os.utime(sheet, (1, 1))
    assert look(town) == ["2026-05-14_town"]


def test_a_sheet_that_cannot_be_used_fails_the_look_and_is_not_tried_again(
    town: Path, network: RedRoofs
) -> None:
    (town.parent / "flights" / "2026-05-14_town" / "bad.tif").write_text("no image")
    with pytest.raises(GeoaiError, match=r"^2026-05-14_town: bad\.tif: expected a readable orthophoto"):
        watch_flights(config=town)
    assert record(town)["run"]["state"] == "done"
    assert watch_flights(config=town) == []


def test_a_watcher_killed_after_it_asked_gets_the_run_that_it_asked_for(
    town: Path, prefect_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    asked = module.run_deployment

    def ask_and_die(*args: Any, **options: Any) -> None:
        asked(*args, **options)
        raise Killed

    settings = load_settings(town)
    monkeypatch.setattr(module, "run_deployment", ask_and_die)
    (sighting,) = watch.look(settings)
    with pytest.raises(Killed):
        module._start(settings, sighting, town, "process-flight/process")
    monkeypatch.undo()
    look(town)
    (run,) = prefect_server.runs()
    assert record(town)["run"]["flow_run"] == str(run.id)


def test_a_run_that_somebody_cancelled_is_not_started_again(town: Path, prefect_server: Server) -> None:
    look(town)
    (run,) = prefect_server.runs()
    prefect_server.set_state(run, Cancelled(message="wrong map"))
    assert look(town) == [], "and is nobody's trouble"
    (seen,) = watch.look(load_settings(town))
    assert (seen.status, seen.why) == ("cancelled", "wrong map")
    assert len(prefect_server.runs()) == 1


@pytest.mark.parametrize("state", [Pending, Running])
def test_a_run_whose_worker_died_with_it_is_started_again(
    town: Path, prefect_server: Server, monkeypatch: pytest.MonkeyPatch, state: Callable[[], Any]
) -> None:
    look(town)
    (run,) = prefect_server.runs()
    prefect_server.set_state(run, state())
    monkeypatch.setattr(dispatch, "SILENT_S", 0.0)
    with hold_flight(town.parent / "data", "2026-05-14_town"):
        assert look(town) == []
    assert look(town) == [], "seen without anybody at work for the first time"
    assert look(town) == ["2026-05-14_town"]
    first, second = prefect_server.runs()
    assert first.state.is_crashed(), "its place in the queue is free"
    assert record(town)["run"]["flow_run"] == str(second.id)
    assert record(town)["run"]["attempt"] == 2


def test_a_run_whose_worker_died_while_it_was_to_be_cancelled_is_cancelled(
    town: Path, prefect_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(town)
    (run,) = prefect_server.runs()
    with get_client(sync_client=True) as client:
        client.update_flow_run(run.id, infrastructure_pid="worker:1")
    prefect_server.set_state(run, Running())
    prefect_server.set_state(run, Cancelling())
    monkeypatch.setattr(dispatch, "SILENT_S", 0.0)
    assert look(town) == []
    assert look(town) == []
    (run,) = prefect_server.runs()
    assert run.state.is_cancelled()


def test_a_run_that_the_server_no_longer_knows_is_started_again(town: Path, prefect_server: Server) -> None:
    look(town)
    prefect_server.clear()
    assert look(town) == ["2026-05-14_town"]
    assert record(town)["run"]["attempt"] == 2


def test_credentials_come_from_a_secret_block_and_show_nowhere(
    town: Path, prefect_server: Server, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    Secret(value="pa55-w0rd").save("lm-password", overwrite=True)
    Secret(value="town").save("lm-user", overwrite=True)
    sheet = next((town.parent / "flights" / "2026-05-14_town").glob("*.tif")).read_bytes()
    shutil.rmtree(town.parent / "flights" / "2026-05-14_town")
    caplog.set_level("DEBUG")
    with serving(Upstream()) as upstream:
        upstream.auth = basic("town", "pa55-w0rd")
        upstream.add("a", sheet)
        auth = "{kind: basic, user: LM_USER, password: LM_PASSWORD}"
        api = f"{{url: '{upstream.url}/stac', collections: [orto-2026], auth: {auth}}}"
        text = town.read_text().replace("settle_minutes: 0", f"settle_minutes: 0, apis: [{api}]")
        town.write_text(text)
        assert look(town) == ["orto-2026"]
    assert (town.parent / "data/flights/orto-2026/a.tif").read_bytes() == sheet
    (run,) = prefect_server.runs()
    assert run.parameters["flight"] == str(town.parent / "data/flights/orto-2026")
    logged = "".join(each.getMessage() for each in caplog.records)
    everything = logged + "".join(capfd.readouterr()) + json.dumps(run.parameters)
    everything += "".join(path.read_text() for path in (town.parent / "data").rglob("*.json"))
    assert "pa55-w0rd" not in everything
    assert basic("town", "pa55-w0rd") not in everything
