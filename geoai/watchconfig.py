"""What people set of watching: folders and STAC APIs where new flights appear, and who may ask there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from geoai.settingsfile import Section


def _variable_name(text: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        raise ValueError(  # what was found may be the secret itself
            "watch.apis.auth: expected the NAME of an environment variable (A-Z, 0-9, _), found another text"
        )
    return text


VariableName = Annotated[str, BeforeValidator(str), AfterValidator(_variable_name)]


class AuthSettings(Section):
    """Which environment variables hold the credentials of an API; never the credentials themselves."""

    kind: Literal["none", "basic", "bearer"] = Field("none", description="How the API wants to be asked.")
    user: VariableName | None = Field(None, description="basic: variable that holds the user name.")
    password: VariableName | None = Field(None, description="basic: variable that holds the password.")
    token: VariableName | None = Field(None, description="bearer: variable that holds the token.")
    hosts: tuple[str, ...] = Field(
        (), description="Hosts that get the credentials beside the API's own, e.g. where its files lie."
    )

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Self:
        needed = {"none": set(), "basic": {"user", "password"}, "bearer": {"token"}}[self.kind]
        given = {name for name in ("user", "password", "token") if getattr(self, name) is not None}
        if given != needed:
            said = " and ".join(sorted(needed)) or "no variable"
            found = " and ".join(sorted(given)) or "none"
            raise ValueError(f"watch.apis.auth: expected {said} for {self.kind}, found {found}")
        return self


class ApiSettings(Section):
    """A STAC API, or a static STAC catalogue over HTTP, whose collections are flights."""

    url: Annotated[str, Field(pattern=r"^https?://[^@?#]+$")] = Field(
        description="Address of its landing page or catalog.json."
    )
    collections: tuple[str, ...] = Field(
        (), description="Collections that are flights, e.g. orto-*-2026; empty: all with imagery in the area."
    )
    bounds: tuple[float, float, float, float] | None = Field(
        None, description="Area: left, bottom, right, top in the project's CRS (m) …"
    )
    bbox: tuple[float, float, float, float] | None = Field(
        None, description="… or west, south, east, north in degrees (WGS84)."
    )
    asset: str | None = Field(
        None, description="Asset to fetch, e.g. *_0.1_*.tif; default: image, data, a GeoTIFF of role data."
    )
    auth: AuthSettings = AuthSettings()

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.bounds is not None and self.bbox is not None:
            raise ValueError(f"watch.apis {self.url}: expected bounds or bbox, found both")
        if not self.collections and self.bounds is None and self.bbox is None:
            raise ValueError(f"watch.apis {self.url}: expected collections or an area, found neither")
        if self.bounds is None and self.bbox is None and any("*" in name for name in self.collections):
            raise ValueError(f"watch.apis {self.url}: expected an area with collections of *, found none")
        left, bottom, right, top = self.bounds or self.bbox or (0.0, 0.0, 1.0, 1.0)
        if left >= right or bottom >= top:
            raise ValueError(
                f"watch.apis {self.url}: expected left, bottom, right, top, "
                f"found {left:g}, {bottom:g}, {right:g}, {top:g}"
            )
        return self


class WatchSettings(Section):
    """Where new flights appear."""

    folders: tuple[Path, ...] = Field(
        (), description="Folders whose subfolders are flights; 2026-05-14_town was flown on that day."
    )
    settle_minutes: Annotated[float, Field(ge=0.0)] = Field(
        30.0, description="A flight that did not change for so long is complete (minutes)."
    )
    ready_marker: Annotated[str, Field(pattern=r"^[^/\\]+$")] | None = Field(
        None, description="Or: a file of this name in a flight's folder says so."
    )
    apis: tuple[ApiSettings, ...] = Field((), description="STAC APIs whose collections are flights.")
