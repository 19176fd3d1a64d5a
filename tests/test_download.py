"""Fetching a flight: what appears is whole, is what its item says, and stays in its folder."""

import contextlib
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from stac_case import (
    CONTENT,
    SECRETS,
    Upstream,
    api,
    fetched,
    multihash,
    only,
    upstream,
    waited,
)

from geoai.download import BLOCK, fetch
from geoai.errors import StacError

__all__ = ["upstream", "waited"]  # fixtures


def test_a_transfer_that_breaks_off_is_gone_on_with_where_it_stopped(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.add("a", CONTENT, asset={"file:checksum": multihash(CONTENT).upper(), "file:size": len(CONTENT)})
    (file,) = upstream.files
    upstream.breaks[file] = [2 * BLOCK + 99, BLOCK + 1]
    fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT}
    assert [headers.get("Range") for headers in upstream.asked_for(file)] == [
        None, f"bytes={2 * BLOCK}-", f"bytes={3 * BLOCK}-"
    ]  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {"a.tif", "a.tif.json"}


def test_a_transfer_goes_on_at_the_next_look_too_unless_the_file_was_replaced(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.add("a", CONTENT)
    (file,) = upstream.files
    upstream.breaks[file] = [BLOCK + 1] + [0] * 9
    with pytest.raises(StacError):
        fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {}
    upstream.breaks[file] = [BLOCK] + [0] * 9
    with pytest.raises(StacError):
        fetch(only(api(upstream)), tmp_path, SECRETS.get)
    upstream.breaks.clear()
    upstream.files[file] = CONTENT[::-1]
    fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT[::-1]}
    assert upstream.asked_for(file)[-1]["Range"] == f"bytes={2 * BLOCK}-"


def test_a_beginning_of_the_replaced_file_is_not_gone_on_with_though_the_server_tells_no_difference(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.etag = '"1"'
    upstream.add("a", CONTENT)
    (file,) = upstream.files
    upstream.breaks[file] = [BLOCK + 1] + [0] * 9
    with pytest.raises(StacError):
        fetch(only(api(upstream)), tmp_path, SECRETS.get)
    upstream.add("a", CONTENT[::-1], properties={"updated": "2026-09-01T00:00:00Z"})
    fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT[::-1]}


@pytest.mark.slow
def test_whatever_breaks_off_the_file_that_appears_is_whole(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sizes = st.lists(st.integers(0, 5 * BLOCK), max_size=6)

    @settings(max_examples=25, deadline=None)
    @given(breaks=sizes, resumable=st.booleans(), replaced=st.integers(0, 6))
    def try_history(breaks: list[int], resumable: bool, replaced: int) -> None:
        folder = tmp_path_factory.mktemp("flight")
        upstream.files.clear()
        upstream.resumable = resumable
        upstream.add("a", CONTENT)
        (file,) = upstream.files
        for look, size in enumerate(breaks):
            if look == replaced:
                upstream.files[file] = CONTENT[::-1]
            upstream.breaks[file] = [size, size // 2]
            with contextlib.suppress(StacError):
                fetch(only(api(upstream)), folder, SECRETS.get)
            assert fetched(folder) in ({}, {"a.tif": CONTENT}, {"a.tif": CONTENT[::-1]})
        upstream.breaks.clear()
        fetch(only(api(upstream)), folder, SECRETS.get)
        assert fetched(folder)["a.tif"] in (CONTENT, CONTENT[::-1])

    try_history()


@pytest.mark.parametrize("key", ["file:checksum", "checksum:multihash"])
def test_a_file_that_is_not_what_the_item_says_does_not_appear(
    upstream: Upstream, tmp_path: Path, key: str
) -> None:
    upstream.add("a", CONTENT, asset={key: multihash(b"other")})
    upstream.add("b", CONTENT, asset={"file:size": 3})
    upstream.add("c", CONTENT)
    with pytest.raises(StacError) as error:
        fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert str(error.value) == (
        "orto-2026: expected 3 sheets, found 2 that could not be fetched: "
        f"a: expected checksum {multihash(b'other')}, found {multihash(CONTENT)}; "
        f"b: expected 3 bytes, found {len(CONTENT)}"
    )
    assert fetched(tmp_path) == {"c.tif": CONTENT}


def test_an_answer_without_a_file_is_said_and_the_others_are_fetched(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.add("a", CONTENT)
    upstream.wrong[next(iter(upstream.files))] = [(416, {}, b"")]
    upstream.add("a0", CONTENT, asset={"href": f"http://{64 * 'x'}.example/a.tif"})
    upstream.add("b", CONTENT)
    with pytest.raises(StacError, match=r"a: expected some bytes, found 0; a0: .*label empty or too long"):
        fetch(only(api(upstream)), tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"b.tif": CONTENT}


def test_a_replaced_item_is_fetched_anew_and_a_touched_one_is_not(upstream: Upstream, tmp_path: Path) -> None:
    upstream.add("a", CONTENT, asset={"file:checksum": multihash(CONTENT)})
    upstream.add("b", CONTENT)
    fetch(first := only(api(upstream)), tmp_path, SECRETS.get)
    later = {"updated": "2026-09-01T00:00:00Z"}
    upstream.add("a", CONTENT, asset={"file:checksum": multihash(CONTENT)}, properties=later)
    upstream.add("b", b"new", properties=later)
    second = only(api(upstream))
    versions = [{sheet.item: sheet.version for sheet in flight.sheets} for flight in (first, second)]
    assert versions[0]["a"] == versions[1]["a"], "its content is the same"
    assert versions[0]["b"] != versions[1]["b"]
    upstream.asked.clear()
    fetch(second, tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": CONTENT, "b.tif": b"new"}
    assert len(upstream.asked) == 1


def test_where_an_item_says_nothing_of_its_age_its_file_is_asked(upstream: Upstream, tmp_path: Path) -> None:
    upstream.add("a", CONTENT, properties={"updated": None})
    fetch(first := only(api(upstream)), tmp_path, SECRETS.get)
    assert only(api(upstream)) == first
    (file,) = upstream.files
    upstream.files[file] = b"new"
    second = only(api(upstream))
    assert second != first
    fetch(second, tmp_path, SECRETS.get)
    assert fetched(tmp_path) == {"a.tif": b"new"}


def test_a_withdrawn_item_leaves_the_flight_but_not_the_disk(
    upstream: Upstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "flights" / "orto-2026"
    upstream.add("a", CONTENT)
    upstream.add("b", CONTENT)
    fetch(only(api(upstream)), folder, SECRETS.get)
    (folder / "own.tif").write_bytes(b"put there by hand")
    upstream.items.pop()
    upstream.add("c", CONTENT)
    (file,) = (path for path in upstream.files if path.endswith("-c.tif"))
    upstream.wrong[file] = [(404, {}, b"")]
    with pytest.raises(StacError):
        fetch(only(api(upstream)), folder, SECRETS.get)
    assert set(fetched(folder)) == {"a.tif", "b.tif", "own.tif"}, "not half of it"
    fetch(only(api(upstream)), folder, SECRETS.get)
    assert set(fetched(folder)) == {"a.tif", "c.tif", "own.tif"}
    assert fetched(folder.parent / ".withdrawn" / "orto-2026") == {"b.tif": CONTENT}
    assert "item of b.tif was withdrawn" in caplog.text


@pytest.mark.parametrize("item_id", ["../../etc/passwd", "/etc/passwd", "..", ".ssh/x", "a\x00b", "C:\\x"])
def test_an_id_that_is_a_path_leads_nowhere(upstream: Upstream, tmp_path: Path, item_id: str) -> None:
    upstream.add(item_id, CONTENT)
    folder = tmp_path / "flights" / "orto-2026"
    fetch(only(api(upstream)), folder, SECRETS.get)
    assert len(fetched(folder)) == 1
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(folder.glob("*"))
