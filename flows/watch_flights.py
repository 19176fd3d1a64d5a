"""Looking for new flights on a schedule: one run of process-flight for each.

    python flows/watch_flights.py --config configs/town.yaml

What was seen and started lies in `data/watch`, not in Prefect: a look that was killed is made up for by the
next one. Credentials of APIs are environment variables, or Prefect's Secret blocks of the same name in
small letters with dashes (`LM_PASSWORD`: `lm-password`).
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed

from flows import run_page
from flows.process_flight import FINDINGS, process_flight
from geoai import dispatch, watch
from geoai.config import Settings, load_settings
from geoai.errors import FindingsError, GeoaiError, WatchError
from geoai.watch import Sighting
from geoai.watchrecord import Record, handed_over

logging.getLogger("geoai").setLevel(logging.INFO)  # library lines on the run page

look = task(name="look for flights", cache_policy=NO_CACHE)(watch.look)


@flow(name="watch-flights", on_failure=[run_page.say_what_to_do], on_crashed=[run_page.say_what_to_do])
def watch_flights(config: Path, deployment: str | None = None) -> list[str]:
    """Look at the watched folders and APIs and start a run for each flight that is new and whole.

    Returns the ids of the flights that were started. Ends *Failed*, with the reasons, where a folder or an
    API could not be reached or a flight could not be used or run; all others are looked at all the same.

    Args:
        config: YAML file of settings, with the section watch.
        deployment: Deployment of process-flight that runs the flights, e.g. process-flight/process; without
            it they are run here, one after the other.
    """
    settings = load_settings(config)
    _note_ends(settings)
    seen = look(settings, secrets=_secret)
    new = [sighting.flight for sighting in seen if sighting.status == "new"]
    seen = [
        _start(settings, sighting, config, deployment) if sighting.status == "new" else sighting
        for sighting in seen
    ]
    rows = [{"flight": each.flight, "state": each.status, "why": each.why} for each in seen]
    create_table_artifact(key="watched-flights", table=rows, description="What the last look saw")
    for each in seen:
        get_run_logger().info("%s: %s %s", each.flight, each.status, each.why)
    trouble = [
        f"{each.flight}: {each.why}" for each in seen if each.needs_somebody(just_run=each.flight in new)
    ]
    if trouble:
        raise WatchError("; ".join(trouble))
    return new


def _start(settings: Settings, sighting: Sighting, config: Path, deployment: str | None) -> Sighting:
    folder = sighting.folder.absolute()

    def ask(key: str) -> str:
        parameters = {
            "config": str(config),
            "flight": str(folder),
            "flight_id": sighting.flight,
            "date": sighting.day and sighting.day.isoformat(),
        }
        assert deployment is not None
        run = run_deployment(
            deployment, parameters=parameters, timeout=0, idempotency_key=key, as_subflow=False
        )
        return str(cast(FlowRun, run).id)

    def run(_: Settings) -> str:
        try:
            process_flight(config, folder, sighting.flight, sighting.day)
        except FindingsError as error:
            return str(error)
        return ""

    if deployment is not None:
        return dispatch.hand_over(settings, sighting, ask, _secret)
    return dispatch.process(settings, sighting, run, _secret)


def _note_ends(settings: Settings) -> None:
    """Ask the server what became of the runs that it was asked for."""
    records = handed_over(settings.data)
    if not records:
        return
    with get_client(sync_client=True) as client:
        for record in records:
            _note_end(settings, record, client)


def _note_end(settings: Settings, record: Record, client: SyncPrefectClient) -> None:
    assert record.run is not None
    try:
        run = client.read_flow_run(UUID(record.run.flow_run))
    except ObjectNotFound:
        dispatch.note_end(settings, record, "failed", f"the server knows no flow run {record.run.flow_run}")
        return
    state = run.state
    if state is None:
        return
    if state.is_completed():
        dispatch.note_end(settings, record, "done")
    elif state.name == FINDINGS:
        dispatch.note_end(settings, record, "done", state.message or "")
    elif state.is_cancelled():
        dispatch.note_end(settings, record, "cancelled", state.message or "by somebody")
    elif state.is_failed() or state.is_crashed():
        dispatch.note_end(settings, record, "failed", state.message or str(state.name))
    elif not (state.is_scheduled() or state.is_paused()) and dispatch.is_lost(settings, record):
        message, cancelled = "the run was killed, and its worker with it", state.is_cancelling()
        ended = Cancelled if cancelled else Crashed
        client.set_flow_run_state(run.id, ended(message=message), force=True)  # else its place stays taken
        dispatch.note_end(settings, record, "cancelled" if cancelled else "failed", message)


def _secret(name: str) -> str | None:
    """Return what an environment variable holds, or else the Secret block of its name."""
    if value := os.environ.get(name):
        return value
    try:
        return str(cast(Secret[str], Secret.load(name.lower().replace("_", "-"))).get())
    except ValueError:
        return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=watch_flights.__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/default.yaml"))
    parser.add_argument("--deployment")
    try:
        watch_flights(**vars(parser.parse_args()))
    except (GeoaiError, OSError) as error:
        sys.exit(f"geoai: {error}")
