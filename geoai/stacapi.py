"""Flights out of STAC: what an API, or a static catalogue over HTTP, holds, and fetching its imagery.

Everything an API says is untrusted: it is checked before it becomes a file name, an address or a number.
Credentials come from environment variables that the settings name, and go to the API's own hosts alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import pystac
from pydantic import BaseModel, Field, ValidationError
from pystac_client import ItemSearch
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3 import BaseHTTPResponse, Retry

from geoai.errors import ConfigError, StacError
from geoai.grid import crs_name
from geoai.inputs import ORTHOPHOTOS
from geoai.raster import appearing_whole
from geoai.redaction import without_secrets
from geoai.watchconfig import ApiSettings, AuthSettings

log = logging.getLogger(__name__)

Secrets = Callable[[str], str | None]
"""Gives what a variable named in the settings holds, e.g. `os.environ.get`."""
Bounds = tuple[float, float, float, float]

PAGE = 100
"""Items asked for at once."""
TIMEOUT_S = (10.0, 60.0)
"""Longest wait for a connection, and for the next bytes."""
PATIENCE_S = 600.0
"""Longest Retry-After that is waited for; what asks for more is left for the next look."""
RESUMES = 5
"""How often a file whose transfer breaks off is gone on with before the next look does."""
BLOCK = 1 << 16
"""Bytes written at once: so many, at most, are lost where a transfer breaks off."""
MEDIA = {"image/tiff": ".tif", "image/jp2": ".jp2", "image/jpeg": ".jpg"}
HASHES = {"1114": "sha1", "1220": "sha256", "1340": "sha512", "1620": "sha3_256", "d50110": "md5"}
"""Multihash prefixes (code and length, hex) and the algorithms they stand for."""
STAC_TYPES = {"Catalog", "Collection", "Feature", "FeatureCollection"}


@dataclass(frozen=True, slots=True)
class RemoteSheet:
    """The imagery of one item: *file* is its name in the flight's folder, *version* tells it from others.

    *href* can hold a signed address, so it is not shown. *size* in bytes, *checksum* a multihash.
    """

    item: str
    file: str
    href: str = field(repr=False)
    version: str
    size: int | None
    checksum: str | None


@dataclass(frozen=True, slots=True)
class RemoteFlight:
    """A collection with imagery in the area; *problem* says why it cannot be fetched, '' where it can."""

    collection: str
    api: ApiSettings
    sheets: tuple[RemoteSheet, ...]
    days: tuple[dt.date, ...]
    """Days of photography, oldest first."""
    problem: str = ""


class _Asset(BaseModel):
    href: str
    type: str | None = None
    roles: tuple[str, ...] | None = None
    updated: str | None = None
    size: int | None = Field(None, alias="file:size", ge=0)
    checksum: str | None = Field(None, alias="file:checksum")
    multihash: str | None = Field(None, alias="checksum:multihash")
    code: str | None = Field(None, alias="proj:code")
    epsg: int | None = Field(None, alias="proj:epsg")

    @property
    def suffix(self) -> str | None:
        """Suffix of the file that it becomes: that of its address, else of its media type."""
        named = PurePosixPath(urlsplit(self.href).path).suffix.lower()
        return named if named in ORTHOPHOTOS else MEDIA.get((self.type or "").split(";")[0].strip().lower())


class _Properties(BaseModel):
    updated: str | None = None
    datetime: dt.datetime | None = None
    end_datetime: dt.datetime | None = None
    code: str | None = Field(None, alias="proj:code")
    epsg: int | None = Field(None, alias="proj:epsg")
    bounds: tuple[float, ...] | None = Field(None, alias="proj:bbox")


class _Item(BaseModel):
    """What is used of an item of STAC 1.0.0 or 1.1.0; the rest is not looked at."""

    id: str = Field(min_length=1)
    collection: str | None = None
    bbox: tuple[float, ...] | None = None
    properties: _Properties
    assets: dict[str, _Asset]


def find_flights(api: ApiSettings, crs: CRS, secrets: Secrets) -> list[RemoteFlight]:
    """Return the flights of an API (a collection each) that have imagery in the area, by name.

    *crs* is the project's. Raises StacError where the API cannot be asked or answers nonsense, ConfigError
    where a variable that holds credentials is not set.
    """
    io = _open(api, secrets)
    area = api.bbox or (
        cast(Bounds, transform_bounds(crs, 4326, *api.bounds, densify_pts=21)) if api.bounds else None
    )
    found: dict[str, dict[str, tuple[_Item, str]]] = {}
    try:
        for content, base in _items(io, api, area):
            item = _Item.model_validate(content)
            name = item.collection or PurePosixPath(api.url.removesuffix("/catalog.json")).name
            if api.collections and not any(fnmatchcase(name, wanted) for wanted in api.collections):
                continue
            if not _in_area(item, api, area, crs):
                continue
            if item.id in found.setdefault(name, {}):
                raise StacError(f"{api.url}: expected item {item.id} of {name} once, found it again")
            found[name][item.id] = item, base
        return [
            flight
            for name, items in sorted(found.items())
            if (flight := _flight(name, list(items.values()), api, crs, io)) is not None
        ]
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise StacError(f"{api.url}: expected a STAC item, found {place}: {first['msg']}") from error
    except (APIError, RequestException) as error:
        raise StacError(f"{api.url}: expected an answer, found {_said(error)}") from error
    except (
        pystac.STACError,
        pystac.STACTypeError,
        RecursionError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise StacError(f"{api.url}: expected STAC, found {type(error).__name__}: {_said(error)}") from error


def fetch(flight: RemoteFlight, folder: Path, secrets: Secrets) -> None:
    """Bring *folder* to what the flight's items say: fetch what is missing or replaced, in part if need be.

    Sheets whose item was withdrawn are moved to `.withdrawn/` beside the folder once all others are there.
    Raises StacError where a sheet could not be fetched whole (the others are); call it again to go on.
    """
    session = _open(flight.api, secrets).session
    failures = []
    for sheet in flight.sheets:
        if _is_there(sheet, folder):
            continue
        try:
            _download(session, sheet, folder / sheet.file)
        except StacError as error:
            failures.append(str(error))
            continue
        log.info("%s: %s fetched", folder.name, sheet.file)
    if failures:
        raise StacError(
            f"{flight.collection}: expected {len(flight.sheets)} sheets, "
            f"found {len(failures)} that could not be fetched: {'; '.join(failures[:3])}"
        )
    _set_aside(folder, keep={sheet.file for sheet in flight.sheets})


class _Patience(Retry):
    """Waits as long as a server asks (Retry-After), but not for hours."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        seconds = super().get_retry_after(response)
        if seconds is not None and seconds > PATIENCE_S:
            raise StacError(
                f"HTTP {response.status}: expected to be let in within {PATIENCE_S:.0f} s, "
                f"found Retry-After {seconds:.0f} s"
            )
        return seconds


class _Door(HTTPAdapter):
    """Puts credentials on requests to the API's own host and to those named, and on no other.

    Each hop of a redirect comes by here. The session knows nothing of them: pystac_client logs its headers.
    """

    def __init__(self, api: ApiSettings, credentials: AuthBase | None, retries: Retry) -> None:
        super().__init__(max_retries=retries)
        own = urlsplit(api.url)
        self.hosts = {own.netloc.lower(), *(host.lower() for host in api.auth.hosts)}
        self.schemes = {"https", own.scheme}  # not in the clear, unless the API itself is
        self.credentials = credentials

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        request.headers.pop("Authorization", None)
        address = urlsplit(request.url or "")
        known = address.netloc.lower() in self.hosts and address.scheme in self.schemes
        if self.credentials is not None and known:
            self.credentials(request)
        return super().send(request, *args, **kwargs)


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class _Io(StacApiIO):
    """Reads STAC over HTTP and nothing else, and refuses what is no STAC."""

    def read_text(self, source: Any, *args: Any, **kwargs: Any) -> str:
        href = source.to_dict()["href"] if isinstance(source, pystac.Link) else str(source)
        if not href.startswith(("http://", "https://")):
            raise StacError(f"expected an http(s) address, found {href[:80]}")
        return super().read_text(source, *args, **kwargs)

    def read_json(self, source: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            content = super().read_json(source, *args, **kwargs)
        except (ValueError, RecursionError) as error:
            raise StacError(f"expected JSON, found {_said(error)}") from error
        # a page of an API that is no page would end the search early, and sheets would seem withdrawn
        if not isinstance(content, dict) or content.get("type") not in STAC_TYPES:
            raise StacError(f"expected STAC, found {json.dumps(content)[:80]}")
        return content


def _open(api: ApiSettings, secrets: Secrets) -> StacApiIO:
    """Return what reads the API: patient with 429 and 5xx, credentials for its own hosts."""
    credentials = _credentials(api.auth, secrets)
    retries = _Patience(
        total=6,
        connect=3,
        backoff_factor=1.0,
        backoff_jitter=0.5,
        status_forcelist=[429, 500, 502, 503, 504],
        allowed_methods=["GET", "POST", "HEAD"],
        raise_on_status=False,
    )
    io = _Io(timeout=TIMEOUT_S)
    for scheme in ("http://", "https://"):
        io.session.mount(scheme, _Door(api, credentials, retries))
    return io


def _credentials(auth: AuthSettings, secrets: Secrets) -> AuthBase | None:
    def value(name: str | None) -> str:
        held = secrets(name or "")
        if not held:
            raise ConfigError(f"watch.apis.auth: expected the variable {name} to be set, found none")
        return held

    if auth.kind == "basic":
        return HTTPBasicAuth(value(auth.user), value(auth.password))
    return _Bearer(value(auth.token)) if auth.kind == "bearer" else None


def _items(io: StacApiIO, api: ApiSettings, area: Bounds | None) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the items of an API (by search) or of a static catalogue (by links), and the address of each."""
    try:
        root = io.read_json(api.url)
        if root["type"] not in ("Catalog", "Collection"):
            raise StacError(f"expected a landing page or catalogue, found {root['type']}")
        searches = [link for link in root.get("links", []) if link.get("rel") == "search"]
        if not searches:
            yield from _linked_items(io, root, api.url, {api.url})
            return
        whole = [name for name in api.collections if not re.search(r"[*?\[]", name)]
        search = ItemSearch(
            url=urljoin(api.url, searches[0]["href"]),
            method="POST" if any(link.get("method") == "POST" for link in searches) else "GET",
            stac_io=io,
            limit=PAGE,
            bbox=area,
            collections=whole if len(whole) == len(api.collections) and whole else None,
        )
        for item in search.items_as_dicts():
            links = item.get("links") or []
            yield item, next((link["href"] for link in links if link.get("rel") == "self"), api.url)
    except StacError as error:
        raise StacError(f"{api.url}: {error}") from error


def _linked_items(
    io: StacApiIO, catalog: Mapping[str, Any], href: str, seen: set[str]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the items below a static catalogue. pystac's walk opens local files and goes in circles."""
    for link in catalog.get("links", []):
        target = urljoin(href, link["href"])
        if link["rel"] not in ("item", "child") or target in seen:
            continue
        seen.add(target)
        content = io.read_json(target)
        if content["type"] == "Feature":
            yield content, target
        else:
            yield from _linked_items(io, content, target, seen)


def _in_area(item: _Item, api: ApiSettings, area: Bounds | None, crs: CRS) -> bool:
    """Whether an item shares ground with the area, in the project's CRS where the item says its bounds."""
    said, wanted = item.bbox, area
    if api.bounds and item.properties.bounds and _code(item.properties) == crs_name(crs):
        said, wanted = item.properties.bounds, api.bounds
    if wanted is None or said is None or len(said) not in (4, 6):
        return True
    left, bottom, right, top = (said[n] for n in ((0, 1, 2, 3) if len(said) == 4 else (0, 1, 3, 4)))
    return left < wanted[2] and right > wanted[0] and bottom < wanted[3] and top > wanted[1]


def _flight(
    name: str, items: Sequence[tuple[_Item, str]], api: ApiSettings, crs: CRS, io: StacApiIO
) -> RemoteFlight | None:
    """Return a collection as a flight; None where no item holds imagery."""
    assets = [_choose(item.assets, api.asset) for item, _ in items]
    if not any(assets):
        return None
    sheets, days, problems = [], set(), []
    for (item, base), asset in zip(items, assets, strict=True):
        if asset is None:
            found = ", ".join(item.assets) or "none"
            problems.append(f"{item.id}: expected imagery in {api.asset or 'image, data'}, found {found}")
            continue
        href = urljoin(base, asset.href)
        if urlsplit(href).scheme not in ("http", "https"):
            problems.append(f"{item.id}: expected an http(s) address, found {_place(href)[:80]}")
            continue
        code = _code(asset) or _code(item.properties)
        if code is not None and code != crs_name(crs):
            problems.append(f"{item.id}: expected {crs_name(crs)}, found {code}")
            continue
        moment = item.properties.end_datetime or item.properties.datetime
        days |= {moment.date()} if moment else set()
        checksum = (asset.checksum or asset.multihash or "").lower() or None
        version = checksum or asset.updated or item.properties.updated or _state(io.session, href, asset)
        file = file_name(item.id, asset.suffix or ".tif")
        sheets.append(RemoteSheet(item.id, file, href, version, asset.size, checksum))
    return RemoteFlight(name, api, tuple(sheets), tuple(sorted(days)), "; ".join(problems[:3]))


def _code(said: _Asset | _Properties) -> str | None:
    return said.code or (f"EPSG:{said.epsg}" if said.epsg else None)


def _choose(assets: Mapping[str, _Asset], wanted: str | None) -> _Asset | None:
    """Return the imagery among an item's assets: as configured, else image, data, a GeoTIFF of role data."""
    images = {key: asset for key, asset in assets.items() if asset.suffix}
    if wanted is not None:
        return next((asset for key, asset in images.items() if fnmatchcase(key, wanted)), None)
    of_role = (asset for asset in images.values() if asset.suffix != ".jpg" and "data" in (asset.roles or ()))
    return images.get("image") or images.get("data") or next(of_role, None)


def file_name(item_id: str, suffix: str) -> str:
    """Return the name of an item's file: safe letters only, and a hash where the id had others.

    >>> file_name("o65700_6825_25_mr25", ".tif")
    'o65700_6825_25_mr25.tif'
    >>> file_name("../../etc/passwd", ".tif")
    'etc_passwd-a4cf8b64.tif'
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", item_id).strip("._-")[:120]
    if safe != item_id:
        safe = f"{safe or 'item'}-{hashlib.sha256(item_id.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return safe + suffix


def _state(session: Session, href: str, asset: _Asset) -> str:
    """Return what tells one content of a file from another where STAC does not: ETag, time and size."""
    answer = session.head(href, timeout=TIMEOUT_S, allow_redirects=True)
    if not answer.ok:
        raise StacError(f"{_place(href)}: expected a file, found HTTP {answer.status_code}")
    said = [answer.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Length")]
    return said[0] or f"{said[1]} {asset.size or said[2]}".strip()


def _is_there(sheet: RemoteSheet, folder: Path) -> bool:
    try:
        note = json.loads(_note(folder / sheet.file).read_text(encoding="utf-8"))
        return bool(note["version"] == sheet.version and note["size"] == (folder / sheet.file).stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _note(path: Path) -> Path:
    """Where it is written which item a fetched file is: the last thing that is written of it."""
    return path.with_name(f"{path.name}.json")


def _download(session: Session, sheet: RemoteSheet, target: Path) -> None:
    """Fetch one sheet whole, going on with what is there of it; it appears under its name when it is right.

    Raises StacError where the server does not give it or what it gives is not what the item says.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    for again in range(RESUMES, -1, -1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _transfer(session, sheet, part)
            break
        except RequestException as error:
            grown = part.exists() and part.stat().st_size > before
            if not again or not grown:
                raise StacError(f"{sheet.item}: expected the whole file, found {_said(error)}") from error
    try:
        _verify(sheet, part)
    except StacError:
        part.unlink()
        raise
    _note(target).unlink(missing_ok=True)
    part.chmod(0o644)
    part.replace(target)
    _state_of(part).unlink(missing_ok=True)
    content = {
        "item": sheet.item,
        "version": sheet.version,
        "href": _place(sheet.href),
        "size": target.stat().st_size,
    }
    with appearing_whole(_note(target)) as partial:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _state_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _transfer(session: Session, sheet: RemoteSheet, part: Path) -> None:
    """Add to *part* what it lacks, or begin anew where the file on the server is no longer the same."""
    etag, headers = _resumable(sheet, part), {"Accept-Encoding": "identity"}
    start = part.stat().st_size if etag else 0
    if etag and start:
        headers |= {"Range": f"bytes={start}-", "If-Range": etag}
    with session.get(sheet.href, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if answer.status_code == 416:  # nothing is missing, or it is another file: the check tells
            return
        if answer.status_code not in (200, 206):
            raise StacError(f"{sheet.item}: expected the file, found HTTP {answer.status_code}")
        if answer.status_code == 206 and not answer.headers.get("Content-Range", "").startswith(
            f"bytes {start}-"
        ):
            raise StacError(f"{sheet.item}: expected the rest of the file, found another part")
        if answer.status_code == 200 or not start:
            part.unlink(missing_ok=True)
            _state_of(part).unlink(missing_ok=True)
            found = answer.headers.get("ETag", "")
            if found and not found.startswith("W/"):
                _state_of(part).write_text(json.dumps([sheet.version, found]), encoding="utf-8")
        with part.open("ab") as file:
            for block in answer.iter_content(BLOCK):
                file.write(block)


def _resumable(sheet: RemoteSheet, part: Path) -> str | None:
    """Return the ETag of the file that *part* is the beginning of; None where that is not this sheet's."""
    try:
        version, etag = json.loads(_state_of(part).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return str(etag) if version == sheet.version and part.exists() else None


def _verify(sheet: RemoteSheet, path: Path) -> None:
    size = path.stat().st_size if path.exists() else 0
    if size == 0 or (sheet.size is not None and size != sheet.size):
        raise StacError(f"{sheet.item}: expected {sheet.size or 'some'} bytes, found {size}")
    if sheet.checksum is None:
        return
    prefix = next((known for known in HASHES if sheet.checksum.startswith(known)), None)
    if prefix is None:
        log.warning("%s: checksum %s… is of an unknown kind and not checked", sheet.item, sheet.checksum[:8])
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, HASHES[prefix]).hexdigest()
    if digest != sheet.checksum.removeprefix(prefix):
        raise StacError(f"{sheet.item}: expected checksum {sheet.checksum}, found {prefix}{digest}")


def _set_aside(folder: Path, *, keep: set[str]) -> None:
    """Move fetched files whose item was withdrawn to `.withdrawn/<flight>/` beside the folder."""
    for note in sorted(folder.glob("*.json")):
        name = note.name.removesuffix(".json")
        if name in keep:
            continue
        aside = folder.parent / ".withdrawn" / folder.name
        aside.mkdir(parents=True, exist_ok=True)
        for path in (folder / name, note):
            if path.exists():
                path.replace(aside / path.name)
        log.warning("%s: item of %s was withdrawn, the file is now in %s", folder.name, name, aside)


def _place(href: str) -> str:
    """Return an address without what may be a signature or a password."""
    return without_secrets(href.split("?")[0])


def _said(error: Exception) -> str:
    """Return what an error says in one short line, without what may be a signature."""
    status = getattr(error, "status_code", None)
    said = without_secrets(" ".join(str(error).split()))
    text = re.sub(r"\?\S+", "?…", said)[:200] or type(error).__name__
    return f"HTTP {status}: {text}" if status else text
