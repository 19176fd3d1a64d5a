"""Locks: a flight is worked on by one at a time, and who holds it is told."""

from pathlib import Path

import pytest

from geoai.errors import BusyError
from geoai.locks import hold_flight


def test_a_flight_is_worked_on_once_at_a_time(tmp_path: Path) -> None:
    with hold_flight(tmp_path, "F1"):
        with (
            pytest.raises(BusyError, match=r"flight F1: expected no other run of it, found process \d+ on "),
            hold_flight(tmp_path, "F1"),
        ):
            pass
        with hold_flight(tmp_path, "F2"):
            pass
    with hold_flight(tmp_path, "F1"):
        pass
