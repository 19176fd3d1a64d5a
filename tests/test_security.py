"""Secrets stay out of everything that is written or said; names and references lead nowhere else."""

# ruff: noqa: F811 (fixtures of another module)

from __future__ import annotations

import io
import json
import logging
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from test_pipeline import network, project, run  # noqa: F401, fixtures
from typer.testing import CliRunner

from geoai import maplayer
from geoai.catalog import Catalog
from geoai.cli import app
from geoai.config import MapSettings, load_settings
from geoai.errors import CatalogError, ConfigError, MapError
from geoai.grid import TileScheme
from geoai.maplayer import read_map
from geoai.redaction import without_secrets
from geoai.stac import TIMES

SECRET = "hemligt-4711"
SCHEME = TileScheme(CRS.from_epsg(3006), 0.2, 50)


def texts_of(path: Path) -> Iterator[bytes]:
    """Yield all that a file holds: as it is, each value of its tables, each file of an archive, unfolded."""
    content = path.read_bytes()
    yield content
    if content.startswith(b"PK"):
        yield from _unzipped(content)
    if content.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            for (table,) in tables.fetchall():
                for row in database.execute(f"SELECT * FROM [{table}]"):
                    for value in row:
                        yield from _value(value)


def _value(value: object) -> Iterator[bytes]:
    yield value if isinstance(value, bytes) else str(value).encode()
    if isinstance(value, str) and value.startswith("504b0304"):  # how QGIS stores a project
        yield from _unzipped(bytes.fromhex(value))


def _unzipped(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield archive.read(name)


@pytest.mark.parametrize(
    "source",
    [
        "PG:host=db user=geoai password=${GEOAI_SECRET} dbname=karta",
        pytest.param("PG:password='${GEOAI_SECRET}' host=db", marks=pytest.mark.slow),
        pytest.param("PG:postgresql://geoai:${GEOAI_SECRET}@db/karta", marks=pytest.mark.slow),
        pytest.param("https://geoai:${GEOAI_SECRET}@town.example/map.gpkg", marks=pytest.mark.slow),
        pytest.param("WFS:https://town.example/wfs?token=${GEOAI_SECRET}", marks=pytest.mark.slow),
    ],
)
def test_a_run_writes_and_says_no_secret(
    project: Path,
    network: object,
    source: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("GEOAI_SECRET", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, SECRET)
    plain = str(project.parent / "map.gpkg")
    read = maplayer._from_ogr

    def answer(settings: MapSettings, name: str) -> object:
        assert SECRET in str(settings.source)
        assert SECRET not in name
        return read(settings.model_copy(update={"source": plain}), name)

    monkeypatch.setattr(maplayer, "_from_postgis", answer)
    monkeypatch.setattr(maplayer, "_from_ogr", answer)
    text = project.read_text()
    project.write_text(text.replace(f"source: {plain}", f'source: "{source}"'))
    with caplog.at_level(logging.DEBUG):
        done = CliRunner().invoke(app, ["--verbose", "run", "--config", str(project)])
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    assert SECRET not in caplog.text
    files = [path for path in project.parent.rglob("*") if path.is_file()]
    assert len(files) > 40
    for path in files:
        assert not any(SECRET.encode() in text for text in texts_of(path)), path


def test_what_the_search_for_secrets_would_miss_is_nothing(tmp_path: Path) -> None:
    """The search itself can fail: it finds what is folded into a project within a review."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("review.qgs", SECRET * 100)
    (tmp_path / "a.qgz").write_bytes(archive.getvalue())
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database, database:
        database.execute("CREATE TABLE qgis_projects (content BLOB)")
        database.execute("INSERT INTO qgis_projects VALUES (?)", (archive.getvalue().hex(),))
    for path in tmp_path.iterdir():
        assert any(SECRET.encode() in text for text in texts_of(path))


@pytest.mark.parametrize(
    "text",
    [
        'map: {{source: "PG:host=db password={secret}"}}',
        'map: {{source: "PG:postgresql://geoai:{secret}@db/karta"}}',
        'prediction: {{model: "https://town.example/model?sig={secret}"}}',
        'flight: {{folder: "https://geoai:{secret}@town.example/"}}',
        'polygons: {{threshold: "password={secret}"}}',
    ],
)
def test_a_password_in_the_settings_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "town.yaml"
    path.write_text(text.format(secret=SECRET))
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    assert str(error.value).startswith(f"{path}: expected no password or key in the file, found one in ")
    assert "PGPASSWORD" in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "apis: [{{collections: [a], auth: {{kind: basic, user: A, password: {secret}}}}}]",
        "apis: {{url: 'https://town.example', auth: {{kind: bearer, token: {secret}}}}}",
        "apis: [{{url: 'https://town.example', collections: [a], auth: bearer {secret}}}]",
        "apis: [{{url: 'https://town.example', collections: [a], auth: [{secret}]}}]",
        "apis: [{{url: 'https://town.example', collections: [a], auth: {{kind: {secret}}}}}]",
    ],
)
def test_a_password_in_the_place_of_its_name_is_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "town.yaml"
    path.write_text("watch:\n  " + text.format(secret=SECRET))
    with pytest.raises(ConfigError, match=r"watch\.apis") as error:
        load_settings(path)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "text", ['map: "PG:host=db password=${GEOAI_SECRET}"', 'tiling: {tile_m: "password=${GEOAI_SECRET}"}']
)
def test_a_wrong_value_is_shown_without_its_secret(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEOAI_SECRET", SECRET)
    path = tmp_path / "town.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"password=\*\*\*") as error:
        load_settings(path)
    assert SECRET not in str(error.value)


def test_a_source_that_does_not_answer_is_named_without_its_secret(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    for source in (
        f"https://geoai:{SECRET}@127.0.0.1:9/m.gpkg",
        f"/vsicurl/http://127.0.0.1:9/?sig={SECRET}",
    ):
        with pytest.raises(MapError) as error:
            read_map(MapSettings(source=source), CRS.from_epsg(3006))
        assert SECRET not in str(error.value)
    assert "https://geoai:***@127.0.0.1:9/m.gpkg" in caplog.text
    assert SECRET not in caplog.text
    assert not list(recwarn)


WORDS = st.text("abcåÄ0189!#%*+-/?^~_.,:;()[]{}<>|$€", min_size=1)


@given(WORDS, st.sampled_from(["password={}", "password = '{}'", "PASSWORD={}", "token={}", "x?sig={}"]))
def test_no_password_is_left_of_a_connection_string(secret: str, form: str) -> None:
    marked = f"{SECRET}{secret}"
    assert SECRET not in without_secrets(f"PG:host=db {form.format(marked)}")
    assert without_secrets(f"PG:host=db {form.format(marked)}").startswith("PG:host=db ")


# --- the catalogue ---------------------------------------------------------------------------------------


def item_with(store: Catalog, href: str) -> dict[str, object]:
    """Write an item whose asset is said to lie at *href*."""
    asset = {"href": href, "file:size": 6}
    properties = {"geoai:fingerprint": "1", **dict.fromkeys(TIMES, "2026-05-14T00:00:00Z")}
    item = {"id": "450000_6400950", "collection": "F1", "properties": properties, "assets": {"image": asset}}
    store.write_item("F1", item)
    return item


@pytest.mark.parametrize(
    "href", ["../image.tif", "./../image.tif", "{root}/image.tif", "..", "", "a/../../image.tif", "./"]
)
def test_an_asset_lies_beside_its_item_or_nowhere(tmp_path: Path, href: str) -> None:
    store = Catalog(tmp_path / "catalog")
    item = item_with(store, href.format(root=tmp_path))
    for place in (tmp_path, store.collection_folder("F1")):
        (place / "image.tif").write_text("secret")
    assert not store.is_done("F1", "450000_6400950", "1")
    with pytest.raises(CatalogError, match="expected assets in its own folder, found "):
        store.file(item, "image", SCHEME)


def test_an_asset_that_lies_beside_its_item_is_found(tmp_path: Path) -> None:
    store = Catalog(tmp_path / "catalog")
    item = item_with(store, "./image.tif")
    path = store.item_path("F1", "450000_6400950").with_name("image.tif")
    path.write_text("secret")
    assert store.is_done("F1", "450000_6400950", "1")
    assert store.file(item, "image", SCHEME).path == path


@pytest.mark.parametrize("name", ["..", "../F1", "/tmp/F1", "a/b", ""])
def test_no_id_is_a_path(tmp_path: Path, name: str) -> None:
    store = Catalog(tmp_path / "catalog")
    for use in (
        lambda: store.write_item("F1", {"id": name}),
        lambda: store.write_item(name, {"id": "450000_6400950"}),
        lambda: store.file({"collection": name, "id": "450000_6400950", "assets": {}}, "image", SCHEME),
        lambda: store.is_done(name, "450000_6400950", "1"),
    ):
        with pytest.raises(
            CatalogError, match="expected the name of a folder in the catalogue, found a path"
        ):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_item_that_points_elsewhere_is_made_anew(
    project: Path,
    network: object,
) -> None:
    run(project)
    data = project.parent / "data"
    path = next(data.glob("catalog/flights/F1/*/4*.json"))
    item = json.loads(path.read_text())
    path.write_text(
        json.dumps(item | {"assets": {"image": item["assets"]["image"] | {"href": "/etc/passwd"}}})
    )
    result = run(project)
    assert next(stage.counts for stage in result.stages if stage.name == "tile") == {"done": 1, "skipped": 3}
    assert json.loads(path.read_text())["assets"]["image"]["href"] == "./image.tif"
