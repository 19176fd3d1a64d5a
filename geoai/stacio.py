"""The connection to a STAC API: HTTP with patience, credentials for its own hosts alone, and answers checked.

Credentials come from environment variables that the settings name. What is said of an address or an error is
without what may be a password or a signature.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pystac
from pystac_client.stac_api_io import StacApiIO
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3 import BaseHTTPResponse, Retry

from geoai.errors import ConfigError, StacError
from geoai.redaction import without_secrets
from geoai.watchconfig import ApiSettings, AuthSettings

Secrets = Callable[[str], str | None]
"""Gives what a variable named in the settings holds, e.g. `os.environ.get`."""

TIMEOUT_S = (10.0, 60.0)
"""Longest wait for a connection, and for the next bytes."""
PATIENCE_S = 600.0
"""Longest Retry-After that is waited for; what asks for more is left for the next look."""
STAC_TYPES = {"Catalog", "Collection", "Feature", "FeatureCollection"}


def connect(api: ApiSettings, secrets: Secrets) -> StacApiIO:
    """Return what reads the API: patient with 429 and 5xx, credentials for its own hosts."""
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it warns with signatures and all
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


def shown_address(href: str) -> str:
    """Return an address without what may be a signature or a password."""
    return without_secrets(href.split("?")[0])


def shown_error(error: Exception) -> str:
    """Return what an error says in one short line, without what may be a signature."""
    status = getattr(error, "status_code", None)
    said = without_secrets(" ".join(str(error).split()))
    text = re.sub(r"\?\S+", "?…", said)[:200] or type(error).__name__
    return f"HTTP {status}: {text}" if status else text


def _credentials(auth: AuthSettings, secrets: Secrets) -> AuthBase | None:
    def value(name: str | None) -> str:
        held = secrets(name or "")
        if not held:
            raise ConfigError(f"watch.apis.auth: expected the variable {name} to be set, found none")
        return held

    if auth.kind == "basic":
        return HTTPBasicAuth(value(auth.user).encode(), value(auth.password).encode())
    if auth.kind == "none":
        return None
    token = value(auth.token)
    if not (token.isascii() and token.isprintable()):  # the error of a header that cannot be shows it
        raise ConfigError(
            f"watch.apis.auth: expected a token of one line in {auth.token}, found a line break or no ASCII"
        )
    return _Bearer(token)


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
            raise StacError(f"expected JSON, found {shown_error(error)}") from error
        # a page of an API that is no page would end the search early, and sheets would seem withdrawn
        if not isinstance(content, dict) or content.get("type") not in STAC_TYPES:
            raise StacError(f"expected STAC, found {json.dumps(content)[:80]}")
        return content
