"""The connection to an API: credentials go where they belong, secrets show nowhere, patience with servers."""

import shutil
from pathlib import Path

import pytest
from stac_case import (
    BASIC,
    CONTENT,
    PASSWORD,
    SECRETS,
    SWEREF,
    TOKEN,
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

from geoai.download import fetch
from geoai.errors import ConfigError, StacError
from geoai.stacapi import find_flights

__all__ = ["upstream", "waited"]  # fixtures


def test_without_credentials_nothing_is_fetched_and_the_reason_is_said(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.auth = basic(USER, PASSWORD)
    upstream.add("a", CONTENT)
    with pytest.raises(StacError, match="a: expected the file, found HTTP 401"):
        fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="expected the variable LM_USER to be set, found none"):
        find_flights(api(upstream, auth=BASIC), SWEREF, {}.get)


def test_a_token_is_borne(upstream: Upstream, tmp_path: Path) -> None:
    upstream.auth = f"Bearer {TOKEN}"
    upstream.add("a", CONTENT)
    fetch(only(api(upstream, auth={"kind": "bearer", "token": "LM_TOKEN"})), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT}


def test_credentials_go_to_the_api_and_to_hosts_that_are_named_and_nowhere_else(
    upstream: Upstream, tmp_path: Path
) -> None:
    with serving(Upstream()) as other:
        other.files["/elsewhere.tif"] = other.files["/redirected.tif"] = CONTENT
        upstream.add("a", CONTENT, asset={"href": f"{other.url}/elsewhere.tif"})
        upstream.add("b", CONTENT)
        (moved,) = (path for path in upstream.files if path.endswith("-b.tif"))
        upstream.wrong[moved] = [(302, {"Location": f"{other.url}/redirected.tif"}, b"")]
        fetch(only(api(upstream, auth=BASIC)), tmp_path, SECRETS.get)
        assert fetched(tmp_path) == {"a.tif": CONTENT, "b.tif": CONTENT}
        assert len(other.asked) == 2
        assert not any("Authorization" in headers for _, _, headers in other.asked)
        assert upstream.asked_for(moved)[0]["Authorization"] == basic(USER, PASSWORD)

        named = BASIC | {"hosts": [other.url.removeprefix("http://")]}
        upstream.wrong[moved] = [(302, {"Location": f"{other.url}/redirected.tif"}, b"")]
        shutil.rmtree(tmp_path)
        fetch(only(api(upstream, auth=named)), tmp_path, SECRETS.get)
        assert [headers.get("Authorization") for _, _, headers in other.asked[2:]] == [
            basic(USER, PASSWORD)
        ] * 2


def test_secrets_show_nowhere(upstream: Upstream, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    upstream.auth = basic(USER, PASSWORD)
    upstream.add("a", CONTENT)
    upstream.add("b", CONTENT, asset={"href": "http://127.0.0.1:9/b.tif?sig=SIGNED"})
    flight = only(api(upstream, auth=BASIC))
    with pytest.raises(StacError) as error:
        fetch(flight, tmp_path, SECRETS.get)
    written = "".join(path.read_text("latin-1") for path in tmp_path.rglob("*"))
    logged = [(record.name, record.getMessage()) for record in caplog.records]
    shown = [each.getMessage() for each in caplog.records if each.levelname != "DEBUG"]
    for text in (str(error.value), repr(flight), written, *shown):
        assert "SIGNED" not in text
    for text in (str(error.value), repr(flight), written, *(text for _, text in logged)):
        assert PASSWORD not in text
        assert basic(USER, PASSWORD) not in text


def test_a_password_in_an_address_is_not_written_down(upstream: Upstream, tmp_path: Path) -> None:
    upstream.files["/a.tif"] = CONTENT
    upstream.add("a", CONTENT, asset={"href": upstream.url.replace("//", "//anna:INHREF@") + "/a.tif"})
    fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT}
    assert "//anna:***@" in (tmp_path / "a.tif.json").read_text()
    assert not any("INHREF" in path.read_text("latin-1") for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("token", ["t0ken\n", "t0k\u200ben"])
def test_a_token_that_no_header_holds_is_refused_and_not_repeated(upstream: Upstream, token: str) -> None:
    settings = api(upstream, auth={"kind": "bearer", "token": "LM_TOKEN"})
    with pytest.raises(ConfigError, match="expected a token of one line in LM_TOKEN, found") as error:
        find_flights(settings, SWEREF, {"LM_TOKEN": token}.get)
    assert "t0k" not in str(error.value)


def test_a_password_of_any_letters_is_sent_as_browsers_do(upstream: Upstream) -> None:
    upstream.add("a", CONTENT)
    find_flights(api(upstream, auth=BASIC), SWEREF, {"LM_USER": "town", "LM_PASSWORD": "lösen€"}.get)
    assert upstream.asked_for("/stac")[0]["Authorization"] == basic("town", "lösen€")


def test_a_server_that_asks_for_time_is_given_it(
    upstream: Upstream, tmp_path: Path, waited: list[float]
) -> None:
    upstream.add("a", CONTENT)
    (file,) = upstream.files
    upstream.wrong["/stac/search"] = [(429, {"Retry-After": "7"}, b""), (503, {}, b"")]
    upstream.wrong[file] = [(500, {}, b""), (429, {"Retry-After": "11"}, b"")]
    fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT}
    assert {7.0, 11.0} <= set(waited)


def test_a_server_that_asks_for_hours_is_left_for_the_next_look(
    upstream: Upstream, waited: list[float]
) -> None:
    upstream.wrong["/stac"] = [(429, {"Retry-After": "7200"}, b"")]
    with pytest.raises(StacError, match="expected to be let in within 600 s, found Retry-After 7200 s"):
        find(api(upstream))
    assert sum(waited) < 60
