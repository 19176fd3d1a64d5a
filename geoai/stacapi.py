"""Flights out of STAC: what an API, or a static catalogue over HTTP, holds of imagery.

Everything an API says is untrusted: it is checked before it becomes a file name, an address or a number.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import pystac
from pydantic import BaseModel, Field, ValidationError
from pystac_client import ItemSearch
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from rasterio.crs import CRS
from rasterio.warp import transform_bounds
from requests import RequestException, Session

from geoai.errors import StacError
from geoai.grid import crs_name
from geoai.inputs import ORTHOPHOTOS
from geoai.stacio import TIMEOUT_S, Secrets, connect, shown_address, shown_error
from geoai.watchconfig import ApiSettings

Bounds = tuple[float, float, float, float]

PAGE = 100
"""Items asked for at once."""
MEDIA = {"image/tiff": ".tif", "image/jp2": ".jp2", "image/jpeg": ".jpg"}


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
    io = connect(api, secrets)
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
        raise StacError(f"{api.url}: expected an answer, found {shown_error(error)}") from error
    except (
        pystac.STACError,
        pystac.STACTypeError,
        RecursionError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise StacError(
            f"{api.url}: expected STAC, found {type(error).__name__}: {shown_error(error)}"
        ) from error


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
            problems.append(f"{item.id}: expected an http(s) address, found {shown_address(href)[:80]}")
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
    if answer.status_code in (405, 501):  # its host has no HEAD
        answer = session.get(href, timeout=TIMEOUT_S, stream=True)
        answer.close()
    if not answer.ok:
        raise StacError(f"{shown_address(href)}: expected a file, found HTTP {answer.status_code}")
    said = [answer.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Length")]
    return said[0] or f"{said[1]} {asset.size or said[2]}".strip()
