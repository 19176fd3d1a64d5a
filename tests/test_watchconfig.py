"""Settings of watching: no secret in the file, and an API says what is wanted of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from geoai.config import load_settings
from geoai.errors import ConfigError
from geoai.watchconfig import ApiSettings, AuthSettings


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({"kind": "basic", "user": "town"}, "expected the NAME of an environment variable"),
        ({"kind": "bearer", "token": "s3cret-t0ken"}, "expected the NAME of an environment variable"),
        ({"kind": "bearer"}, "expected token for bearer, found none"),
        ({"kind": "basic", "user": "A"}, "expected password and user for basic, found user"),
        ({"token": "A"}, "expected no variable for none, found token"),
    ],
)
def test_a_secret_in_the_settings_is_refused_and_not_repeated(
    tmp_path: Path, auth: dict[str, str], message: str
) -> None:
    path = tmp_path / "town.yaml"
    path.write_text(
        json.dumps({"watch": {"apis": [{"url": "https://a", "collections": ["c"], "auth": auth}]}})
    )
    with pytest.raises(ConfigError, match=message) as error:
        load_settings(path)
    assert "s3cret" not in str(error.value)
    assert "town" not in str(error.value).replace(str(path), "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "expected collections or an area"),
        ({"collections": ["a*"]}, "expected an area with collections of"),
        ({"bbox": [1, 2, 3, 4], "bounds": [1, 2, 3, 4]}, "expected bounds or bbox, found both"),
        ({"bbox": [3, 2, 1, 4]}, "expected left, bottom, right, top"),
        ({"url": "https://user:pw@host/", "collections": ["a"]}, "String should match pattern"),
    ],
)
def test_an_api_says_what_is_wanted_of_it(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ApiSettings.model_validate({"url": "https://host"} | options)


def test_default_is_no_credentials() -> None:
    assert AuthSettings().kind == "none"
