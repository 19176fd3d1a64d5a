"""What has arrived: a copy under way, what is no sheet, names nobody can write, collections of an API."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest
from stac_case import CONTENT, SECRETS, Upstream, api, upstream, waited
from watch_case import SETTLE_S, at, deliver, only, project, succeed

from geoai import dispatch, watch
from geoai.config import Settings

__all__ = ["upstream", "waited"]  # fixtures


@pytest.mark.parametrize(
    "name", [".a.tif.Xy12aB", "b.tif.part", "b.tif.filepart", "sub/c.tif.crdownload", ".rsync-partial/d.tif"]
)
def test_a_copy_under_way_holds_its_flight_back(tmp_path: Path, name: str) -> None:
    settings = project(tmp_path)
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    deliver((folder / name).parent, Path(name).name)
    assert only(settings, at(0)).status == "waits"
    stuck = only(settings, at(SETTLE_S))
    assert (stuck.status, stuck.why) == ("blocked", f"{name} is being copied")
    (folder / name).unlink()
    assert only(settings, at(SETTLE_S)).status == "new"


def test_an_empty_sheet_and_one_that_cannot_be_read_hold_their_flight_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = project(tmp_path)
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    deliver(folder, "b.tif", size=0)
    assert only(settings, at(0)).status == "waits"
    assert only(settings, at(SETTLE_S)).why == "b.tif is empty"
    deliver(folder, "b.tif")
    only(settings, at(2 * SETTLE_S))
    opened = Path.open

    def locked(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "b.tif":
            raise PermissionError(13, "locked by another program", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", locked)
    refused = only(settings, at(3 * SETTLE_S))
    assert refused.status == "blocked"
    assert "locked by another program" in refused.why
    monkeypatch.undo()
    assert only(settings, at(3 * SETTLE_S)).status == "new"


def test_what_is_no_sheet_makes_no_flight_new(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    folder = tmp_path / "flights" / "F1"
    deliver(folder, "a.tif")
    dispatch.process(settings, only(settings, at(0)), succeed)
    deliver(folder, "delivery.pdf", ".DS_Store", "._a.tif", "a.tif.aux.xml")
    deliver(folder / ".Trash-1000", "b.tif")
    assert only(settings, at(1)).status == "done"
    deliver(folder, "a.tfw")
    assert only(settings, at(2)).status == "new", "a world file moves its sheet"


def test_links_to_sheets_that_are_away_hold_the_flight_back(tmp_path: Path) -> None:
    settings = project(tmp_path, settle_minutes=0)
    folder, archive = tmp_path / "flights" / "F1", tmp_path / "archive"
    deliver(folder, "a.tif")
    deliver(archive, "b.tif")
    (folder / "b.tif").symlink_to(archive / "b.tif")
    (folder / "notes").symlink_to(tmp_path / "none")
    dispatch.process(settings, only(settings, at(0)), succeed)
    archive.rename(tmp_path / "away")
    held = only(settings, at(1))
    assert held.status == "blocked"
    assert "b.tif" in held.why
    (tmp_path / "away").rename(archive)
    assert only(settings, at(2)).status == "done"


def test_a_folder_that_breaks_off_half_way_through_the_list_says_nothing_of_the_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = project(tmp_path, settle_minutes=0)
    deliver(tmp_path / "flights" / "F1" / "sub", "a.tif")
    deliver(tmp_path / "flights" / "F1", "b.tif")
    dispatch.process(settings, only(settings, at(0)), succeed)
    scan = os.scandir

    def gone(path: Any) -> Any:
        if Path(path).name == "sub":
            raise OSError(112, "Host is down")
        return scan(path)

    monkeypatch.setattr(os, "scandir", gone)
    refused = only(settings, at(1))
    assert refused.status == "blocked"
    assert "Host is down" in refused.why
    monkeypatch.undo()
    assert only(settings, at(2)).status == "done"


@pytest.mark.parametrize("name", [b"J\xf6nk\xf6ping/a.tif", b"F1/\xf6st.tif"])
def test_a_name_that_is_no_utf8_is_refused_in_one_line(tmp_path: Path, name: bytes) -> None:
    settings = project(tmp_path, settle_minutes=0)
    path = tmp_path / "flights" / os.fsdecode(name)
    deliver(path.parent, path.name)
    refused = only(settings, at(0))
    assert refused.status == "blocked"
    assert refused.why.startswith("expected names in UTF-8, found '")
    refused.why.encode()


def test_a_collection_that_is_a_path_is_a_flight_below_data(upstream: Upstream, tmp_path: Path) -> None:
    upstream.add("a", CONTENT, collection="../../x")
    watched = {"apis": [api(upstream)], "settle_minutes": 0}
    settings = Settings.model_validate({"data": tmp_path / "data", "watch": watched})
    (sighting,) = watch.look(settings, secrets=SECRETS.get)
    assert sighting.folder == tmp_path / "data" / "flights" / "x"


def test_a_flight_of_several_days_takes_the_newest_and_says_so(upstream: Upstream, tmp_path: Path) -> None:
    upstream.add("a", CONTENT)
    upstream.add("b", CONTENT, properties={"datetime": "2026-05-20T10:00:00Z", "end_datetime": None})
    watched = {"apis": [api(upstream)], "settle_minutes": 0}
    settings = Settings.model_validate({"data": tmp_path, "watch": watched})
    (sighting,) = watch.look(settings, secrets=SECRETS.get)
    assert sighting.day == dt.date(2026, 5, 20)
    assert sighting.why == "flown on 2 days from 2026-05-14, the newest is taken"
    assert json.loads((tmp_path / "watch" / "orto-2026.json").read_text())["remark"] == sighting.why
