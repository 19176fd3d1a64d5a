"""Records of watched flights: a damaged one stops no other, and a look that sees nothing new writes none."""

import json
from pathlib import Path

from watch_case import at, deliver, only, project, statuses, succeed

from geoai import dispatch, watch


def test_a_damaged_record_is_one_line_and_stops_no_other_flight(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    for name in ("F1", "F2"):
        deliver(tmp_path / "flights" / name, "a.tif")
    assert statuses(settings, at(0)) == {"F1": "new", "F2": "new"}
    (tmp_path / "data" / "watch" / "F1.json").write_text("{")
    seen = watch.look(settings, at(1))
    assert [sighting.status for sighting in seen] == ["blocked", "new"]
    assert seen[0].why.startswith(f"{tmp_path}/data/watch/F1.json: expected a record of a watched flight")


def test_a_look_at_what_is_known_writes_nothing(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1", "a.tif")
    dispatch.process(settings, only(settings, at(0)), succeed)
    record = tmp_path / "data" / "watch" / "F1.json"
    before = record.stat()
    only(settings, at(100))
    assert (record.stat().st_ino, record.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    said = json.loads(record.read_text())
    assert (said["flight"], said["sheets"], said["run"]["state"]) == ("F1", 1, "done")
