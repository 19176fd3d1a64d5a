"""Sources: what becomes a label, what is held out, and what a wrong source is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import pytest
import shapely
from conftest import WriteOrthophoto

from geoai.config import FlightSettings, MapSettings
from geoai.errors import ConfigError, GeoaiError, ImageryError, MapError
from geoai.samples import IGNORE, NODATA, labelled_classes
from geoai.sources import FolderSource, MapSource, SceneSource, SourceSettings, read_held_out, read_sources

LEFT, TOP = 450_000.0, 6_401_000.0
HOUSE = shapely.box(LEFT + 10, TOP - 40, LEFT + 30, TOP - 20)


def a_town(tmp_path: Path, write: WriteOrthophoto, *, bands: int = 3, **changes: Any) -> MapSource:
    """A flight of 200 × 100 m at 0.5 m in two sheets, one house on it."""
    rng = np.random.default_rng(2)
    for number, left in enumerate((LEFT, LEFT + 100)):
        data = rng.integers(60, 200, (bands, 200, 200), dtype=np.uint8)
        path = tmp_path / "flight" / f"sheet_{number}.tif"
        if not path.exists():
            write(path, data, left=left, top=TOP, gsd_m=0.5, photometric="RGB", ALPHA="NO")
    map_path = tmp_path / "map.gpkg"
    if not map_path.exists():
        gpd.GeoDataFrame(geometry=[HOUSE], crs="EPSG:3006").to_file(map_path, layer="houses")
    values: dict[str, Any] = {
        "name": "A town",
        "crs": "EPSG:3006",
        "flight": FlightSettings(folder=tmp_path / "flight"),
        "maps": (MapSettings(source=str(map_path), layer="houses"),),
        "block_m": 50,
        "doubt_m": 1.0,
        "share": 1.0,
        "origin": "Made.",
    }
    return MapSource(**(values | changes))


def test_flight_under_a_map_becomes_blocks_on_its_lattice(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    samples = read_sources(SourceSettings(maps=(a_town(tmp_path, write_orthophoto),)), ("building",))
    (source,) = samples.train
    assert not samples.held_out
    assert len(source.images) == 8  # 4 × 2 blocks, over two sheets
    assert {image.label.shape for image in source.images} == {(100, 100)}
    (block,) = [image for image in source.images if (image.label == 1).any()]
    rows, cols = np.nonzero(block.label == 1)
    # the block begins at the sheet's corner; 1 m of doubt on all sides
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (42, 77, 22, 57)
    assert (block.label[38:42, 30:50] == IGNORE).all()
    assert block.mapped is not None
    assert len(block.mapped.ids) == 1


def test_bounds_hide_what_lies_outside_to_the_pixel(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    bounds = (LEFT, TOP - 100, LEFT + 20, TOP)
    town = a_town(tmp_path, write_orthophoto, bounds=bounds)
    (source,) = read_sources(SourceSettings(maps=(town,)), ("building",)).train
    assert len(source.images) == 2
    for image in source.images:
        assert (image.label[:, 40:] == NODATA).all()
        assert (image.label[:, :40] != NODATA).all()


def test_held_out_blocks_are_whole_and_none_is_trained_on(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    settings = SourceSettings(maps=(a_town(tmp_path, write_orthophoto, held_out_every=4),))
    samples = read_sources(settings, ("building",))
    names = [[image.name for image in source.images] for source in (*samples.train, *samples.held_out)]
    assert len(names[0]) == 6
    assert len(names[1]) == 2
    assert not set(names[0]) & set(names[1])
    assert [s.images[0].name for s in read_held_out(settings, ("building",))] == names[1][:1]


def test_a_block_is_held_out_by_its_place_and_not_by_what_else_was_flown(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    settings = SourceSettings(maps=(a_town(tmp_path, write_orthophoto, held_out_every=2),))
    before = {image.name for source in read_held_out(settings, ("building",)) for image in source.images}
    data = np.full((3, 200, 200), 99, np.uint8)
    write_orthophoto(tmp_path / "flight" / "a_new_one.tif", data, left=LEFT - 100, top=TOP, gsd_m=0.5)
    after = {image.name for source in read_held_out(settings, ("building",)) for image in source.images}
    assert before < after


def test_layers_of_several_classes_are_told_from_what_nobody_labelled(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    road = gpd.GeoDataFrame(geometry=[shapely.box(LEFT, TOP - 60, LEFT + 99, TOP - 50)], crs="EPSG:3006")
    road.to_file(tmp_path / "roads.gpkg", layer="roads")
    maps = (
        MapSettings(source=str(tmp_path / "roads.gpkg"), theme="road"),
        MapSettings(source=str(tmp_path / "map.gpkg"), layer="houses"),
    )
    town = a_town(tmp_path, write_orthophoto, maps=maps, doubt_m=0.0)
    classes = ("water", "building", "road")
    (source,) = read_sources(SourceSettings(maps=(town,)), classes).train
    assert {int(v) for image in source.images for v in np.unique(image.label)} == {0, 2, 3}
    assert labelled_classes(source, 3).tolist() == [True, False, True, True]


def test_infrared_of_a_flight_is_kept(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    town = a_town(tmp_path, write_orthophoto, bands=4)
    (source,) = read_sources(SourceSettings(maps=(town,)), ("building",)).train
    assert {image.image.shape[2] for image in source.images} == {4}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"bounds": (0.0, 0.0, 500.0, 500.0)},
            ImageryError,
            "A town: expected imagery within (0.0, 0.0, 500.0, 500.0), found none",
        ),
        (
            {"bounds": (LEFT + 150, TOP - 100, LEFT + 200, TOP)},
            MapError,
            "A town: expected objects of the map",
        ),
        (
            {"maps": ({"source": "map.gpkg", "theme": "roof"},)},
            ConfigError,
            "A town: map.theme: expected a class of building, found roof",
        ),
        ({"held_out_every": 2, "bounds": (LEFT, TOP - 100, LEFT + 20, TOP)}, None, ""),
    ],
)
def test_wrong_source_is_told_in_one_line(
    tmp_path: Path,
    write_orthophoto: WriteOrthophoto,
    changes: dict[str, Any],
    error: type[GeoaiError] | None,
    message: str,
) -> None:
    settings = SourceSettings(maps=(a_town(tmp_path, write_orthophoto, **changes),))
    if error is None:
        assert read_sources(settings, ("building",)).train
        return
    with pytest.raises(error) as caught:
        read_sources(settings, ("building",))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_empty_label_layer_is_an_error(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    empty = gpd.GeoDataFrame({"a": []}, geometry=[], crs="EPSG:3006")
    empty.to_file(tmp_path / "empty.gpkg", layer="houses", geometry_type="Polygon")
    town = a_town(
        tmp_path, write_orthophoto, maps=({"source": str(tmp_path / "empty.gpkg"), "layer": "houses"},)
    )
    with pytest.raises(MapError, match=r"empty\.gpkg.*expected .*found"):
        read_sources(SourceSettings(maps=(town,)), ("building",))


def a_folder(folder: Path, **changes: Any) -> FolderSource:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(5):
        cv2.imwrite(str(folder / "images" / f"{number}.png"), np.full((32, 32, 3), 90, np.uint8))
        mask = np.zeros((32, 32), np.uint8)
        mask[:8] = 4
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
    values: dict[str, Any] = {
        "name": "Tiles",
        "folder": folder,
        "gsd_m": 0.2,
        "share": 1.0,
        "origin": "Made.",
    }
    return FolderSource(**(values | changes))


def test_folder_tells_the_first_class_unless_it_names_its_values(tmp_path: Path) -> None:
    classes = ("building", "road")
    (plain,) = read_sources(SourceSettings(folders=(a_folder(tmp_path),)), classes).train
    assert plain.labels == (1,)
    named = a_folder(tmp_path, values={4: "road"})
    (source,) = read_sources(SourceSettings(folders=(named,)), classes).train
    assert source.labels == (2,)
    assert set(np.unique(source.images[0].label)) == {0, 2}


def test_unknown_class_of_a_mask_is_named(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, values={4: "pond"})
    with pytest.raises(ConfigError, match=r"^Tiles: values: expected a class of building, found pond$"):
        read_sources(SourceSettings(folders=(folder,)), ("building",))


def test_scenes_are_made_for_training() -> None:
    made = SceneSource(name="Made", first_seed=5, count=2, size_px=256, share=1.0, origin="Drawn.")
    (source,) = read_sources(SourceSettings(scenes=(made,)), ("road", "building")).train
    assert [image.name for image in source.images] == ["5", "6"]
    assert source.images[0].image.shape == (256, 256, 3)
    assert set(np.unique(source.images[0].label)) <= {0, 2}
    assert source.labels == (2,)
    assert not np.array_equal(source.images[0].image, source.images[1].image)
