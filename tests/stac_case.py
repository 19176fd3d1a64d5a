"""A stand-in for a national STAC API and its file server, on loopback, that can be told to misbehave."""

import base64
import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from geoai.stacapi import RemoteFlight, find_flights
from geoai.watchconfig import ApiSettings

USER, PASSWORD, TOKEN = "town", "pass:word", "t0ken"
SWEREF = CRS.from_epsg(3006)
SECRETS = {"LM_USER": USER, "LM_PASSWORD": PASSWORD, "LM_TOKEN": TOKEN}
BASIC = {"kind": "basic", "user": "LM_USER", "password": "LM_PASSWORD"}
AREA = (450_000.0, 6_400_000.0, 460_000.0, 6_410_000.0)
CONTENT = bytes(range(256)) * 1600


class Upstream:
    """What the server holds (*files*, *items* or *pages*), what it does wrong next, and what it was asked.

    *wrong* maps a path to answers (status, headers, body) that are given before the right one. *breaks* maps
    a path to numbers of bytes after which the transfer breaks off.
    """

    def __init__(self) -> None:
        self.url = ""
        self.page = 100
        self.auth: str | None = None
        self.resumable = True
        self.only_get = False
        self.etag: str | None = None
        self.files: dict[str, bytes] = {}
        self.items: list[dict[str, Any]] = []
        self.pages: dict[str, Any] = {}
        self.wrong: dict[str, list[tuple[int, dict[str, str], bytes]]] = defaultdict(list)
        self.breaks: dict[str, list[int]] = defaultdict(list)
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def add(self, item_id: str, content: bytes, *, collection: str = "orto-2026", **changes: Any) -> None:
        """Add an item as stac-bild's are (or put it in place of the one of its id), and its file."""
        name = f"/data/{len(self.files)}-{re.sub(r'[^a-z0-9]', '', item_id)}.tif"
        self.files[name] = content
        bounds = changes.pop("bounds", (450_000.0, 6_400_000.0, 450_100.0, 6_400_100.0))
        west, south, east, north = bbox = transform_bounds("EPSG:3006", "EPSG:4326", *bounds)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        asset = {"href": self.url + name, "type": "image/tiff", "roles": ["data"]}
        properties = {
            "datetime": None,
            "start_datetime": "2026-05-14T08:00:00Z",
            "end_datetime": "2026-05-14T10:00:00Z",
            "updated": "2026-08-01T00:00:00Z",
            "proj:code": "EPSG:3006",
            "proj:bbox": list(bounds),
            "flyghojd": 3700,
        }
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": item_id,
            "collection": collection,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": list(bbox),
            "properties": properties | changes.pop("properties", {}),
            "assets": {
                "metadata": {"href": f"{self.url}/meta/{item_id}.json", "type": "application/json"},
                "thumbnail": {"href": f"{self.url}/thumb/{item_id}.jpg", "type": "image/jpeg"},
                "data": asset | changes.pop("asset", {}),
            },
            "links": [],
        }
        self.items = [other for other in self.items if other["id"] != item_id] + [item | changes]

    def search(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer a search by bbox and collections, a page at a time; the token says nothing to the client."""
        found = [
            item
            for item in self.items
            if item["collection"] in (asked.get("collections") or [item["collection"]])
            and _meet(item["bbox"], asked.get("bbox"))
        ]
        start = int(base64.b64decode(asked.get("token", "MA==")))
        more = start + self.page
        links = []
        if more < len(found):
            token = base64.b64encode(str(more).encode()).decode()
            body = {**asked, "token": token}
            href = f"{self.url}/stac/search"
            links = [{"rel": "next", "href": href, "method": "POST", "body": body, "merge": False}]
            if self.only_get:
                links = [{"rel": "next", "href": f"{href}?{urlencode({'token': token})}"}]
        page = found[start:more]
        return {"type": "FeatureCollection", "numberMatched": None, "features": page, "links": links}

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """Return the headers of each request for *path*."""
        return [headers for _, asked, headers in self.asked if asked.startswith(path)]


def _meet(bbox: list[float], area: list[float] | None) -> bool:
    if area is None:
        return True
    return bbox[0] <= area[2] and bbox[2] >= area[0] and bbox[1] <= area[3] and bbox[3] >= area[1]


def multihash(content: bytes) -> str:
    return f"1220{hashlib.sha256(content).hexdigest()}"


@contextmanager
def serving(upstream: Upstream) -> Iterator[Upstream]:
    """Serve *upstream* at its url while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(json.loads(body or b"{}"))

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            asked: dict[str, Any] = {key: values[0] for key, values in query.items()}
            if "collections" in asked:
                asked["collections"] = asked["collections"].split(",")
            self.answer(asked)

        do_HEAD = do_GET  # noqa: N815

        def answer(self, asked: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            upstream.asked.append((self.command, path, dict(self.headers)))
            if upstream.wrong[path]:
                self.give(*upstream.wrong[path].pop(0))
            elif path == "/stac":
                search = {
                    "rel": "search",
                    "href": f"{upstream.url}/stac/search",
                    "type": "application/geo+json",
                }
                methods = ["GET"] if upstream.only_get else ["GET", "POST"]
                links = [search | {"method": method} for method in methods]
                root = {"type": "Catalog", "id": "stac-bild", "stac_version": "1.0.0", "description": "d"}
                self.give(200, {}, json.dumps(root | {"links": links}).encode())
            elif path == "/stac/search":
                self.give(200, {}, json.dumps(upstream.search(asked)).encode())
            elif path in upstream.pages:
                self.give(200, {}, json.dumps(upstream.pages[path]).encode())
            elif path in upstream.files:
                self.give_file(path)
            else:
                self.give(404, {}, b"no such thing")

        def give(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def give_file(self, path: str) -> None:
            if upstream.auth and self.headers.get("Authorization") != upstream.auth:
                self.give(401, {"WWW-Authenticate": "Basic"}, b"")
                return
            content, start = upstream.files[path], 0
            etag = upstream.etag or f'"{hashlib.md5(content).hexdigest()}"'
            headers = {"ETag": etag} if upstream.resumable else {}
            ranged = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if ranged and upstream.resumable and self.headers.get("If-Range") in (None, etag):
                start = int(ranged[1])
                if start >= len(content):
                    self.give(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
                    return
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            body = content[start:]
            if upstream.breaks[path]:
                self.give(
                    206 if start else 200,
                    headers | {"Content-Length": str(len(body))},
                    body[: upstream.breaks[path].pop(0)],
                )
                self.close_connection = True
                return
            self.give(206 if start else 200, headers, body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    upstream.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving(Upstream()) as up:
        yield up


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait in no time, and say for how long."""
    asked: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", asked.append)
    return asked


def api(upstream: Upstream, path: str = "/stac", **options: Any) -> ApiSettings:
    return ApiSettings.model_validate({"url": upstream.url + path, "bounds": AREA} | options)


def find(settings: ApiSettings) -> list[RemoteFlight]:
    return find_flights(settings, SWEREF, SECRETS.get)


def only(settings: ApiSettings) -> RemoteFlight:
    (flight,) = find(settings)
    return flight


def fetched(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}
