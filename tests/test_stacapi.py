"""Flights from STAC: the stand-in of a national API, static catalogues, and a real server."""

import contextlib
import datetime as dt
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from stac_case import (
    AREA,
    BASIC,
    CONTENT,
    PASSWORD,
    SECRETS,
    USER,
    Upstream,
    api,
    basic,
    fetched,
    find,
    only,
    serving,
    upstream,
    waited,
)

from geoai import watch
from geoai.config import Settings
from geoai.download import fetch
from geoai.errors import GeoaiError, StacError
from geoai.stacapi import file_name
from geoai.watchconfig import ApiSettings

__all__ = ["upstream", "waited"]  # fixtures


def test_a_national_api_is_searched_page_by_page_and_gives_its_files_to_who_may_have_them(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.auth, upstream.page = basic(USER, PASSWORD), 2
    for number in range(5):
        upstream.add(f"o65700_6825_{number}", CONTENT + bytes([number]))
    flight = only(api(upstream, auth=BASIC))
    assert [sheet.item for sheet in flight.sheets] == [f"o65700_6825_{number}" for number in range(5)]
    assert flight.days == (dt.date(2026, 5, 14),)
    assert [path for _, path, _ in upstream.asked].count("/stac/search") == 3
    fetch(flight, tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {f"o65700_6825_{n}.tif": CONTENT + bytes([n]) for n in range(5)}
    before = len(upstream.asked)
    fetch(flight, tmp_path, SECRETS.get)
    assert len(upstream.asked) == before, "what is there is not asked for"


@pytest.mark.parametrize("refused", [(), (405, {}, b""), (501, {}, b"")])
def test_a_file_of_which_stac_tells_no_time_is_known_by_what_its_host_says(
    upstream: Upstream, refused: tuple[Any, ...]
) -> None:
    def version(content: bytes) -> str:
        upstream.files[file] = content
        upstream.wrong[file] = [refused] if refused else []
        (sheet,) = only(api(upstream)).sheets
        return sheet.version

    upstream.add("a", CONTENT, properties={"updated": None})
    (file,) = upstream.files
    assert version(CONTENT) == version(CONTENT) != version(CONTENT[::-1])


def test_an_api_that_knows_no_post_is_searched_by_get(upstream: Upstream) -> None:
    upstream.only_get, upstream.page = True, 2
    for number in range(5):
        upstream.add(f"sheet_{number}", CONTENT)
    assert len(only(api(upstream, bounds=None, collections=["orto-2026"])).sheets) == 5
    assert {method for method, _, _ in upstream.asked} == {"GET"}


WRONG = {
    "an error": (500, b"down"),
    "no JSON": (200, b"<html>maintenance</html>"),
    "no object": (200, b"[]"),
    "no STAC": (200, b'{"error": "overloaded"}'),
    "deep": (200, b"[" * 200_000),
    "no item": (200, b'{"type": "FeatureCollection", "features": [{"id": 3}]}'),
    "null": (200, b'{"type": "FeatureCollection", "features": [null]}'),
    "no links": (200, b'{"type": "FeatureCollection", "features": [{}], "links": [{"rel": 3}]}'),
    "not there": (404, b""),
    "bytes": (200, b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("path", ["/stac", "/stac/search"])
def test_nonsense_is_one_line_that_names_the_api_and_the_next_api_goes_on(
    upstream: Upstream, tmp_path: Path, what: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, body = WRONG[what]
    with serving(Upstream()) as other:
        other.add("a", CONTENT)
        upstream.wrong[path] = [(status, {}, body)] * 9
        watched = {"apis": [api(upstream), api(other)], "settle_minutes": 0}
        settings = Settings.model_validate({"data": tmp_path, "watch": watched})
        broken, whole = watch.look(settings, secrets=SECRETS.get)
    assert broken.status == "blocked"
    assert broken.why.startswith(f"{upstream.url}/stac: expected ")
    assert len(broken.why.splitlines()) == 1
    assert len(broken.why) < 400
    assert (whole.flight, whole.status) == ("orto-2026", "new")
    assert len([record for record in caplog.records if record.name == "geoai.watch"]) == 1


def test_a_search_that_breaks_off_between_pages_withdraws_nothing(upstream: Upstream) -> None:
    upstream.page = 1
    for name in ("a", "b", "c"):
        upstream.add(name, CONTENT)
    good = json.dumps(upstream.search({})).encode()
    upstream.wrong["/stac/search"] = [(200, {}, good), (200, {}, b"{}")]
    with pytest.raises(StacError, match=r"expected STAC, found \{\}"):
        find(api(upstream))


def test_pages_that_never_end_are_told(upstream: Upstream) -> None:
    upstream.add("a", CONTENT)
    page = upstream.search({})
    again = {"rel": "next", "href": f"{upstream.url}/stac/search", "method": "POST", "body": {}}
    upstream.wrong["/stac/search"] = [(200, {}, json.dumps(page | {"links": [again]}).encode())] * 9
    with pytest.raises(StacError, match="expected item a of orto-2026 once, found it again"):
        find(api(upstream))


@settings(max_examples=100)
@given(st.text(min_size=1), st.sampled_from([".tif", ".jp2"]))
def test_an_id_becomes_one_name_in_the_flights_folder(item_id: str, suffix: str) -> None:
    name = file_name(item_id, suffix)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)
    assert name.endswith(suffix)
    assert Path(name).name == name
    assert len(name) < 200


@settings(max_examples=100)
@given(st.text("ab./_-", min_size=1, max_size=6), st.text("ab./_-", min_size=1, max_size=6))
def test_two_ids_become_two_names(first: str, second: str) -> None:
    assert (first == second) == (file_name(first, ".tif") == file_name(second, ".tif"))


@pytest.mark.parametrize("href", ["file:///etc/passwd", "s3://bucket/a.tif", "ftp://host/a.tif"])
def test_a_file_that_does_not_come_over_http_is_refused(upstream: Upstream, href: str) -> None:
    upstream.add("a", CONTENT, asset={"href": href})
    flight = only(api(upstream))
    assert flight.problem == f"a: expected an http(s) address, found {href}"
    assert flight.sheets == ()


@pytest.mark.parametrize(
    ("assets", "wanted", "chosen"),
    [
        ({"image": {}, "data": {}}, None, "image"),
        ({"metadata": {"type": "application/json"}, "data": {}}, None, "data"),
        ({"thumb": {"type": "image/tiff"}, "cog": {"roles": ["data"]}}, None, "cog"),
        ({"preview": {"type": "image/jpeg", "roles": ["data"]}, "x": {"roles": ["data"]}}, None, "x"),
        ({"s_0.1_2056.tif": {}, "s_2_2056.tif": {}}, "*_0.1_2056.tif", "s_0.1_2056.tif"),
        ({"image": {"type": "application/zip"}, "data": {}}, None, "data"),
        ({"thumb": {"type": "image/png"}}, None, None),
    ],
)
def test_the_imagery_among_the_assets_is_chosen(
    upstream: Upstream, assets: dict[str, Any], wanted: str | None, chosen: str | None
) -> None:
    said = {
        key: {"href": f"{upstream.url}/{key}/file", "type": "image/tiff; application=geotiff"} | asset
        for key, asset in assets.items()
    }
    upstream.add("a", CONTENT, assets=said)
    flights = find(api(upstream, asset=wanted))
    hrefs = [sheet.href.split("/")[-2] for flight in flights for sheet in flight.sheets]
    assert hrefs == ([chosen] if chosen else [])


def test_collections_without_imagery_are_no_flights_and_an_item_without_it_stops_its_own(
    upstream: Upstream,
) -> None:
    upstream.add("a", CONTENT, collection="lidar", assets={"data": {"href": "a.laz"}})
    upstream.add("b", CONTENT, collection="orto")
    upstream.add("c", CONTENT, collection="orto", assets={"meta": {"href": "c.json"}})
    flight = only(api(upstream))
    assert flight.collection == "orto"
    assert flight.problem == "c: expected imagery in image, data, found meta"


@pytest.mark.parametrize(
    "said",
    [
        {"proj:code": "EPSG:3857"},
        {"proj:code": None, "proj:epsg": 3857},
    ],
)
def test_imagery_in_another_crs_is_told_before_it_is_fetched(
    upstream: Upstream, said: dict[str, Any]
) -> None:
    upstream.add("a", CONTENT, properties=said)
    assert only(api(upstream)).problem == "a: expected EPSG:3006, found EPSG:3857"


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_both_versions_of_stac_are_read(upstream: Upstream, version: str) -> None:
    upstream.add("a", CONTENT, stac_version=version, properties={"proj:code": None, "proj:epsg": 3006})
    assert only(api(upstream)).problem == ""


def test_only_what_shares_ground_with_the_area_is_taken(upstream: Upstream) -> None:
    upstream.add("inside", CONTENT, bounds=(450_000.0, 6_400_000.0, 452_500.0, 6_402_500.0))
    upstream.add("beside", CONTENT, bounds=(447_500.0, 6_400_000.0, 450_000.0, 6_402_500.0))
    assert [sheet.item for sheet in only(api(upstream)).sheets] == ["inside"]
    assert len(upstream.search({"bbox": [13.0, 57.0, 15.0, 58.0]})["features"]) == 2
    everything = only(api(upstream, bounds=None, bbox=[13.0, 57.0, 15.0, 58.0]))
    assert len(everything.sheets) == 2


def test_collections_are_chosen_by_name_or_pattern(upstream: Upstream) -> None:
    for name in ("orto-a-2025", "orto-a-2026", "orto-b-2026", "infra-2026"):
        upstream.add(name, CONTENT, collection=name)
    named = find(api(upstream, bounds=None, collections=["orto-a-2026"]))
    assert [flight.collection for flight in named] == ["orto-a-2026"]
    like = find(api(upstream, collections=["orto-*-2026"]))
    assert [flight.collection for flight in like] == ["orto-a-2026", "orto-b-2026"]


def static_catalog(upstream: Upstream) -> None:
    """Lay the items out as files that link to each other; the root says that it lies elsewhere."""
    base = {"stac_version": "1.0.0", "description": "d", "id": "root"}
    upstream.pages["/cat/catalog.json"] = base | {
        "type": "Catalog",
        "links": [
            {"rel": "self", "href": "https://elsewhere.invalid/catalog.json"},
            {"rel": "child", "href": "./orto/collection.json"},
        ],
    }
    upstream.pages["/cat/orto/collection.json"] = base | {
        "type": "Collection",
        "id": "orto-2026",
        "links": [
            {"rel": "root", "href": "../catalog.json"},
            {"rel": "parent", "href": "../catalog.json"},
            {"rel": "child", "href": "../catalog.json"},
            *({"rel": "item", "href": f"{item['id']}/{item['id']}.json"} for item in upstream.items),
        ],
    }
    for item in upstream.items:
        item["assets"]["data"]["href"] = "image.tif"
        upstream.pages[f"/cat/orto/{item['id']}/{item['id']}.json"] = item
        upstream.files[f"/cat/orto/{item['id']}/image.tif"] = item["id"].encode()


@pytest.mark.parametrize("path", ["/cat/catalog.json", "/cat/orto/collection.json"])
def test_a_static_catalogue_is_walked_by_its_links(upstream: Upstream, tmp_path: Path, path: str) -> None:
    upstream.add("a", CONTENT)
    upstream.add("b", CONTENT)
    upstream.add("far", CONTENT, bounds=(700_000.0, 6_400_000.0, 700_100.0, 6_400_100.0))
    static_catalog(upstream)
    flight = only(api(upstream, path))
    assert flight.collection == "orto-2026"
    fetch(flight, tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": b"a", "b.tif": b"b"}


def test_items_of_no_collection_are_a_flight_named_after_their_catalogue(upstream: Upstream) -> None:
    upstream.add("a", CONTENT)
    static_catalog(upstream)
    upstream.items[0]["collection"] = None
    assert only(api(upstream, "/cat/catalog.json")).collection == "cat"


@pytest.mark.parametrize("href", ["file:///etc/passwd", "/etc/../../etc/passwd", "http://127.0.0.1:9/x"])
def test_a_link_that_leads_astray_is_one_line(upstream: Upstream, href: str) -> None:
    upstream.add("a", CONTENT)
    static_catalog(upstream)
    upstream.pages["/cat/orto/collection.json"]["links"].append({"rel": "item", "href": href})
    with pytest.raises(StacError, match=f"^{upstream.url}/cat/catalog.json: expected "):
        find(api(upstream, "/cat/catalog.json"))


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Start stac-fastapi in an environment of its own: it needs a newer FastAPI than Prefect allows."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("server")
    items = folder / "items.json"
    items.write_text("[]")
    needs = [
        word
        for name in ("stac-fastapi-api", "stac-fastapi-extensions", "uvicorn")
        for word in ("--with", name)
    ]
    command = [uv, "run", "--no-project", "--python", "3.11", *needs, "python"]
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    there = subprocess.run(
        [*command, "-c", "import stac_fastapi.api"],
        env=environment,
        capture_output=True,
        check=False,
        cwd=folder,
    )
    if there.returncode:
        pytest.skip(f"stac-fastapi cannot be installed: {there.stderr.decode()[-300:]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "log").open("wb")
    script = Path(__file__).with_name("stac_server.py")
    process = subprocess.Popen(
        [*command, str(script), str(items), str(port)],
        env=environment,
        cwd=folder,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                pytest.fail((folder / "log").read_text())
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", items
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


@pytest.mark.slow
def test_a_real_api_server_is_searched_and_what_changes_there_is_noticed(
    real_server: tuple[str, Path], upstream: Upstream, tmp_path: Path
) -> None:
    url, file = real_server
    for number in range(25):
        left = 450_000.0 + 500 * number
        upstream.add(
            f"sheet_{number:02}",
            bytes([1 + number]) * 50,
            bounds=(left, 6_400_000.0, left + 500, 6_400_500.0),
        )

    def publish() -> None:
        file.write_text(json.dumps(upstream.items))

    publish()
    wanted = ApiSettings.model_validate({"url": url, "collections": ["orto-2026"], "bounds": AREA})
    flight = only(wanted)
    assert [sheet.item for sheet in flight.sheets] == [f"sheet_{number:02}" for number in range(20)]
    fetch(flight, tmp_path / "f", SECRETS.get)
    assert fetched(tmp_path / "f")["sheet_07.tif"] == bytes([8]) * 50
    upstream.add(
        "sheet_07",
        b"new",
        bounds=(453_500.0, 6_400_000.0, 454_000.0, 6_400_500.0),
        properties={"updated": "2026-10-01T00:00:00Z"},
    )
    upstream.items = [item for item in upstream.items if item["id"] != "sheet_03"]
    publish()
    fetch(only(wanted), tmp_path / "f", SECRETS.get)
    there = fetched(tmp_path / "f")
    assert len(there) == 19
    assert there["sheet_07.tif"] == b"new"
    everything = ApiSettings.model_validate({"url": url, "bbox": [10, 50, 20, 60]})
    assert len(only(everything).sheets) == 24
    with pytest.raises(GeoaiError):
        find(ApiSettings.model_validate({"url": f"{url}/nowhere", "bbox": [10, 50, 20, 60]}))
