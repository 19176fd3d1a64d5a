"""The deployments of flows/prefect.yaml on a real Prefect server and worker, as the README sets them up."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pyogrio
import pytest
from red_roofs import save_red_roofs
from test_pipeline import project

__all__ = ["project"]  # a fixture

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

ROOT = Path(__file__).parent.parent
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Site:
    """A Prefect server on loopback and a worker, with a home of their own; what they start ends with them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        own = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        self.environment = own | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GEOAI_HOME": str(ROOT),
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": self.url,
            # the waits are for machines that do other things; here they would only make the test longer
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
        }
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> None:
        """Start `prefect …` in the project's root."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.started[name] = subprocess.Popen(
                ["prefect", *command],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_server(self) -> None:
        """Start the server and wait until it answers."""
        self.start("server", "server", "start", "--port", str(self.port))
        self.wait(self.is_healthy, 180)

    def is_healthy(self) -> bool:
        """Tell whether the server answers."""
        assert self.started["server"].poll() is None, self.log("server")
        try:
            return httpx.get(f"{self.url}/health").is_success
        except httpx.HTTPError:
            return False

    def stop(self, name: str, how: int = signal.SIGTERM) -> None:
        """End one of the two and all that it started."""
        process = self.started.pop(name)
        os.killpg(process.pid, how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def end(self) -> None:
        """End all; a flow runs in a process group of its own, and would outlive the worker."""
        for name in reversed(list(self.started)):
            self.stop(name)
        mark = f"PREFECT_API_URL={self.url}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    def log(self, name: str) -> str:
        """Return what it said."""
        return (self.home / f"{name}.log").read_text(errors="replace")

    def prefect(self, *command: str) -> str:
        """Run a command to its end."""
        done = subprocess.run(
            ["prefect", "--no-prompt", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait(self, is_so: Callable[[], Any], seconds: float) -> Any:
        """Return what *is_so* answers once it is true."""
        deadline = time.monotonic() + seconds
        while not (answer := is_so()):
            assert time.monotonic() < deadline, self.log("worker") if "worker" in self.started else ""
            time.sleep(0.1)
        return answer

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Ask the API; a database that is busy is asked again, as Prefect's own clients do."""
        answer = httpx.request(method, f"{self.url}{path}", json=content, timeout=30)
        for _ in range(10):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
            answer = httpx.request(method, f"{self.url}{path}", json=content, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> dict[str, Any]:
        """Return a deployment by flow and name."""
        found: dict[str, Any] = self.ask("GET", f"/deployments/name/{name}")
        return found

    def request(self, config: Path, name: str = "process-flight/process") -> str:
        """Ask for a run of a deployment; return its id."""
        deployment = self.deployment(name)
        parameters = deployment["parameters"] | {"config": str(config)}
        path = f"/deployments/{deployment['id']}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": parameters})["id"])

    def runs_of(self, name: str) -> list[str]:
        """Return the ids of a deployment's runs."""
        asked = {"deployments": {"id": {"any_": [self.deployment(name)["id"]]}}}
        return [str(each["id"]) for each in self.ask("POST", "/flow_runs/filter", asked)]

    def flow_run(self, run: str) -> dict[str, Any]:
        """Return a run as the server knows it now."""
        found: dict[str, Any] = self.ask("GET", f"/flow_runs/{run}")
        return found

    def until(self, run: str, states: set[str], seconds: float = 240) -> dict[str, Any]:
        """Wait until a run is in one of *states* and return it; others that are final are no use waiting."""

        def look() -> dict[str, Any] | None:
            found = self.flow_run(run)
            assert found["state_type"] in states or found["state_type"] not in FINAL, found["state"][
                "message"
            ]
            return found if found["state_type"] in states else None

        found: dict[str, Any] = self.wait(look, seconds)
        return found

    def artifacts(self, run: str) -> dict[str, Any]:
        """Return what a run shows, by key."""
        asked = {"artifacts": {"flow_run_id": {"any_": [run]}}}
        return {each["key"]: each["data"] for each in self.ask("POST", "/artifacts/filter", asked)}

    def logged(self, run: str) -> list[tuple[str, str]]:
        """Return the lines on a run's page: logger and message."""
        asked = {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200}
        return [(each["name"], each["message"]) for each in self.ask("POST", "/logs/filter", asked)]

    def task_runs(self, run: str) -> list[str]:
        """Return the names of a run's tasks."""
        asked = {"flow_runs": {"id": {"any_": [run]}}}
        return sorted(each["name"] for each in self.ask("POST", "/task_runs/filter", asked))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("prefect"))
    try:
        made.start_server()
        made.prefect("work-pool", "create", "geoai", "--type", "process")
        made.prefect("deploy", "--prefect-file", "flows/prefect.yaml", "--all")
        watch = made.deployment("watch-flights/watch")
        made.ask("PATCH", f"/deployments/{watch['id']}", {"paused": True})  # no other runs meanwhile
        made.start("worker", "worker", "start", "--pool", "geoai", "--type", "process", "--limit", "2")
        yield made
    finally:
        made.end()


@pytest.fixture
def town(project: Path) -> Path:
    """Give the small project a model that other processes can load."""
    save_red_roofs(project.parent / "data" / "models" / "red-roofs")
    text = project.read_text()
    assert "prediction: {" in text
    project.write_text(text.replace("prediction: {", "prediction: {model: red-roofs, "))
    return project


def test_server_and_worker_are_on_loopback_alone(site: Site) -> None:
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local.split(":")[1], 16) == site.port:
                listening.add(local.split(":")[0])
    assert listening == {"0100007F"}, "127.0.0.1, and no other address"


def test_deployments_are_scheduled_limited_and_their_forms_explained(site: Site) -> None:
    expected = {
        "watch-flights/watch": "CANCEL_NEW",
        "process-flight/process": "ENQUEUE",
        "train-model/train": "ENQUEUE",
    }
    for name, strategy in expected.items():
        found = site.deployment(name)
        assert found["global_concurrency_limit"]["limit"] == 1
        assert found["concurrency_options"]["collision_strategy"] == strategy
        assert found["pull_steps"][0]["prefect.deployments.steps.set_working_directory"] == {
            "directory": str(ROOT)
        }
        for parameter, schema in found["parameter_openapi_schema"]["properties"].items():
            assert schema.get("description"), f"{name}: {parameter}"
    (schedule,) = site.deployment("watch-flights/watch")["schedules"]
    assert schedule["schedule"]["timezone"] == "Europe/Stockholm"
    assert site.deployment("process-flight/process")["schedules"] == []


def test_a_run_shows_what_it_did_and_the_next_has_nothing_to_do(site: Site, town: Path) -> None:
    run = site.request(town)
    found = site.until(run, {"COMPLETED"})
    assert found["name"] == "F1 2026-05-14"
    review = town.parent / "data" / "runs" / "F1" / "current" / "review.gpkg"
    classes = pyogrio.read_dataframe(review, layer="discrepancy")["class"]
    assert sorted(classes) == ["demolished", "extended", "missing"]
    shown = site.artifacts(run)
    assert "| missing | 1 |" in shown["report-f1"]
    assert f"`{review.with_suffix('.qgz')}`" in shown["report-f1"]
    assert "](data:image/jpeg;base64," in shown["report-f1"]
    for name in ("accept", "tile", "predict", "trace", "compare", "merge"):
        assert f'"stage": "{name}"' in shown["stages-f1"]
    assert "what-to-do" not in shown
    lines = site.logged(run)
    assert ("geoai.flight", "F1: 2 of 2 orthophotos accepted") in lines

    again = site.request(town)
    second = site.until(again, {"COMPLETED"})
    assert second["total_run_time"] < found["total_run_time"]
    whole = ["accept flight", "compare and publish", "merge into the standing review"]
    site.wait(lambda: len(site.task_runs(again)) >= len(whole), 30)  # the server notes them by and by
    assert site.task_runs(again) == whole, "none for a tile"


def test_a_look_has_a_flight_that_arrived_processed_once(site: Site, town: Path) -> None:
    arrived = town.parent / "arrived" / "2026-05-14_north"
    shutil.copytree(town.parent / "flight", arrived)
    (arrived / "READY").touch()
    settings = textwrap.dedent(town.read_text()).replace(", id: F1, date: 2026-05-14", "")  # each has its own
    town.write_text(f"{settings}\nwatch: {{folders: [{arrived.parent}], ready_marker: READY}}\n")
    before = site.runs_of("process-flight/process")
    site.until(site.request(town, "watch-flights/watch"), {"COMPLETED"})
    (run,) = set(site.runs_of("process-flight/process")) - set(before)
    found = site.until(run, {"COMPLETED"})
    assert found["name"] == "2026-05-14_north 2026-05-14"
    assert (town.parent / "data" / "runs" / "2026-05-14_north" / "current" / "review.gpkg").exists()
    site.until(site.request(town, "watch-flights/watch"), {"COMPLETED"})
    assert set(site.runs_of("process-flight/process")) == {*before, run}


def test_two_runs_asked_for_at_once_are_done_one_after_the_other(site: Site, town: Path) -> None:
    runs = [site.request(town), site.request(town)]
    most = 0

    def are_done() -> bool:
        nonlocal most
        states = [site.flow_run(run)["state_type"] for run in runs]
        most = max(most, states.count("RUNNING"))
        return all(state in FINAL for state in states)

    site.wait(are_done, 300)
    assert [site.flow_run(run)["state_type"] for run in runs] == ["COMPLETED", "COMPLETED"]
    assert most == 1


def test_a_run_with_a_broken_sheet_fails_and_says_what_to_do(site: Site, town: Path) -> None:
    east = town.parent / "flight" / "east.tif"
    east.write_bytes(east.read_bytes()[:2000])
    run = site.request(town)
    found = site.until(run, {"FAILED"})
    assert found["state"]["name"] == "Findings"
    assert "east.tif: expected a readable orthophoto" in found["state"]["message"]
    said = site.wait(lambda: site.artifacts(run).get("what-to-do"), 30)
    assert "Replace the sheets" in said
    assert "east.tif" in said
    assert "east.tif" in site.artifacts(run)["findings-f1"]
    site.wait(lambda: any("What to do: " in message for _, message in site.logged(run)), 30)


def test_a_killed_run_is_told_crashed_and_the_next_one_goes_on(site: Site, town: Path) -> None:
    run = site.request(town)
    process = int(site.until(run, {"RUNNING"})["infrastructure_pid"].split(":")[-1])
    os.kill(process, signal.SIGKILL)
    site.until(run, {"CRASHED"}, seconds=60)
    said = site.wait(lambda: site.artifacts(run).get("what-to-do"), 30)
    assert "start the deployment again" in said
    site.until(site.request(town), {"COMPLETED"})


def test_a_server_that_is_started_anew_loses_no_run(site: Site, town: Path) -> None:
    run = site.request(town)
    before = site.until(run, {"RUNNING"})
    site.stop("server", signal.SIGKILL)
    time.sleep(3)
    site.start_server()
    lease = before["state"]["state_details"]["deployment_concurrency_lease_id"]
    # a run whose lease a server has forgotten is ended by Prefect, at the next renewal
    site.ask("POST", f"/v2/concurrency_limits/leases/{lease}/renew", {"lease_duration": 300})
    site.until(run, {"COMPLETED"})
    site.until(site.request(town), {"COMPLETED"})
