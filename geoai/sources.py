"""Where training samples come from: labelled images, flights under map layers, made scenes.

What is held out is decided by the place: whole files of a folder, whole blocks of a flight, never pixels
or crops, because neighbouring pixels say the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geoai.config import FlightSettings, MapSettings, Metres, TilingSettings
from geoai.errors import ConfigError, ImageryError, MapError
from geoai.flight import scan_flight
from geoai.grid import parse_crs
from geoai.samples import LabelledImage, Mapped, Source, label_from_map, labelled, read_pairs, split
from geoai.scene import make_scene
from geoai.settingsfile import Section
from geoai.tiling import plan_tiles, read_tile, tile_scheme

if TYPE_CHECKING:
    import geopandas as gpd

logger = logging.getLogger(__name__)

MIN_VALID_SHARE = 0.1
"""A block with less imagery is left out."""
EVERY = "Files or blocks whose number is a multiple of this are validated on, never trained on."


class FolderSource(Section):
    """A folder of images/ and masks/ of the same names."""

    name: str = Field(description="What the card calls it.")
    folder: Path = Field(description="Folder with images/*.jpg|png|tif and masks/*.png|tif.")
    gsd_m: Annotated[float, Field(gt=0.0, le=2.0)] = Field(description="Ground sampling distance (m).")
    values: dict[Annotated[int, Field(ge=1, le=255)], str] | None = Field(
        None,
        description="Class of each value of the masks; none: any but 0 is the model's first class.",
    )
    share: Annotated[float, Field(gt=0.0)] = Field(description="Part of the crops drawn from it.")
    held_out_every: Annotated[int, Field(ge=2)] | None = Field(None, description=EVERY)
    origin: str = Field(description="Origin, licence and doubts, for the card.")


class MapSource(Section):
    """A flight with the objects of one or more map layers as labels; a map is taken as noisy."""

    name: str = Field(description="What the card calls it.")
    crs: str = Field(description="CRS of the flight and the maps: projected, in metres.")
    flight: FlightSettings = Field(description="The orthophotos.")
    maps: Annotated[tuple[MapSettings, ...], Field(min_length=1)] = Field(
        description="Map layers; the theme of each is the class that it labels. Later ones lie on top."
    )
    bounds: tuple[float, float, float, float] | None = Field(
        None, description="What of it is trained on: left, bottom, right, top (m); none: all."
    )
    block_m: Annotated[int, Field(ge=50, le=1000)] = Field(250, description="Side of a block (m).")
    doubt_m: Metres = Field(1.0, description="Band to both sides of an outline that is not learnt (m).")
    share: Annotated[float, Field(gt=0.0)] = Field(description="Part of the crops drawn from it.")
    held_out_every: Annotated[int, Field(ge=2)] | None = Field(None, description=EVERY)
    origin: str = Field(description="Origin, licence and doubts, for the card.")


class SceneSource(Section):
    """Made scenes; see `geoai.scene`."""

    name: str = Field(description="What the card calls it.")
    first_seed: int = Field(description="Seed of the first scene; the others follow.")
    count: Annotated[int, Field(ge=1)] = Field(description="Number of scenes.")
    size_px: Annotated[int, Field(ge=64)] = Field(1024, description="Side of a scene (px).")
    gsd_m: Annotated[float, Field(gt=0.0, le=2.0)] = Field(0.2, description="Ground sampling distance (m).")
    share: Annotated[float, Field(gt=0.0)] = Field(description="Part of the crops drawn from them.")
    origin: str = Field(description="Origin, licence and doubts, for the card.")


class SourceSettings(Section):
    """All that a model learns from."""

    folders: tuple[FolderSource, ...] = Field((), description="Labelled images.")
    maps: tuple[MapSource, ...] = Field((), description="Flights under map layers.")
    scenes: tuple[SceneSource, ...] = Field((), description="Made scenes.")


@dataclass(frozen=True)
class Samples:
    """Sources to train on, and sources of what is held out (which have no scenes)."""

    train: tuple[Source, ...]
    held_out: tuple[Source, ...]


def read_sources(settings: SourceSettings, classes: Sequence[str]) -> Samples:
    """Read everything into memory: uint8 images with labels, 1 … for the *classes* in their order.

    Raises ConfigError where a source names another class, ImageryError where there is no imagery in the
    bounds, MapError where a map has nothing there.
    """
    train, held_out = [], []
    for kept, apart in (*_folders(settings, classes), *_maps(settings, classes)):
        train.append(kept)
        held_out.append(apart)
    train += [_scenes(scenes, classes) for scenes in settings.scenes]
    for source in train:
        count = sum(len(image.centres) for image in source.images)
        logger.info("%s: %d images, %d objects", source.name, len(source.images), count)
    return Samples(tuple(train), tuple(source for source in held_out if source.images))


def read_held_out(settings: SourceSettings, classes: Sequence[str]) -> tuple[Source, ...]:
    """Return what is never trained on."""
    return read_sources(settings.model_copy(update={"scenes": ()}), classes).held_out


def label_of(theme: str, classes: Sequence[str], where: str) -> int:
    """Return the label of the class *theme*; ConfigError, naming *where*, if the model has no such class."""
    if theme not in classes:
        raise ConfigError(f"{where}: expected a class of {', '.join(classes)}, found {theme}")
    return list(classes).index(theme) + 1


def _folders(settings: SourceSettings, classes: Sequence[str]) -> Iterator[tuple[Source, Source]]:
    for folder in settings.folders:
        values = None
        if folder.values is not None:
            values = {
                value: label_of(theme, classes, f"{folder.name}: values")
                for value, theme in folder.values.items()
            }
        images = read_pairs(folder.folder, gsd_m=folder.gsd_m, values=values)
        every = folder.held_out_every
        kept, apart = split(images, every=every) if every else (list(images), [])
        labels = tuple(sorted(set(values.values()))) if values else (1,)
        yield _both(folder, kept, apart, labels)


def _both(
    settings: FolderSource | MapSource,
    kept: Sequence[LabelledImage],
    apart: Sequence[LabelledImage],
    labels: tuple[int, ...],
) -> tuple[Source, Source]:
    if not kept:
        raise ImageryError(f"{settings.name}: expected images to train on, found all of them held out")
    source = Source(settings.name, tuple(kept), settings.share, labels)
    return source, replace(source, images=tuple(apart))


def _maps(settings: SourceSettings, classes: Sequence[str]) -> Iterator[tuple[Source, Source]]:
    for source in settings.maps:
        layers = [
            (label_of(layer.theme, classes, f"{source.name}: map.theme"), layer) for layer in source.maps
        ]
        blocks = list(_blocks(source, _objects(source, layers)))
        every = source.held_out_every
        kept, apart = split(blocks, every=every) if every else (blocks, [])
        yield _both(source, kept, apart, tuple(sorted({value for value, _ in layers})))


def _objects(source: MapSource, layers: Sequence[tuple[int, MapSettings]]) -> gpd.GeoDataFrame:
    """Return the current objects of all layers with the label of each, 'value'."""
    import pandas as pd

    from geoai.maplayer import read_map

    frames = [read_map(layer, parse_crs(source.crs)).assign(value=np.uint8(value)) for value, layer in layers]
    objects = pd.concat(frames, ignore_index=True)
    return objects[objects["map_status"] == "current"]


def _blocks(source: MapSource, objects: gpd.GeoDataFrame) -> Iterator[LabelledImage]:
    """Yield the blocks of the flight that hold imagery, named by their place and a number told by it.

    Raises ImageryError where none does, MapError where no object of the map touches any.
    """
    flown, _ = scan_flight(source.flight, parse_crs(source.crs))
    scheme = tile_scheme(flown, TilingSettings(tile_m=source.block_m))
    jobs = {job.tile_id: job for job in plan_tiles(flown, scheme)}
    extent = shapely.box(*source.bounds) if source.bounds else None
    boxes = {tile_id: scheme.tile_box(tile_id) for tile_id in jobs}
    tree = objects.sindex
    shown = mapped_count = 0
    for tile_id in sorted(jobs):
        grid = scheme.grid_of(boxes[tile_id])
        if extent is not None and not extent.intersects(shapely.box(*grid.bounds).buffer(-0.01)):
            continue
        data, valid = read_tile(
            jobs[tile_id], scheme, band_count=flown.band_count, white_level=source.flight.white_level
        )
        if source.bounds:
            valid &= _within(source.bounds, grid.bounds, valid.shape, grid.gsd_m)
        if valid.mean() < MIN_VALID_SHARE:
            continue
        shown += 1
        near = objects.iloc[np.sort(tree.query(shapely.box(*grid.bounds).buffer(10.0)))]
        mapped_count += len(near)
        mapped = Mapped(
            grid,
            near["map_object_id"].to_numpy(),
            near["value"].to_numpy(np.uint8),
            near.geometry.to_numpy(),
            source.doubt_m,
        )
        image = np.ascontiguousarray(data.transpose(1, 2, 0))
        label = label_from_map(mapped, valid)
        across, down = (side // scheme.tile_px for side in (boxes[tile_id].col, boxes[tile_id].row))
        number = abs(across + 3 * down)  # a knight's move: multiples of any number lie spread out
        yield labelled(f"{tile_id}-{number}", image, label, grid.gsd_m, mapped=mapped)
    if not shown:
        raise ImageryError(f"{source.name}: expected imagery within {source.bounds}, found none")
    if not mapped_count:
        raise MapError(f"{source.name}: expected objects of the map on the imagery, found none")


def _within(
    bounds: tuple[float, float, float, float],
    block: tuple[float, float, float, float],
    shape: tuple[int, ...],
    gsd_m: float,
) -> NDArray[np.bool_]:
    """Return which pixel centres (row, col) of a *block* lie in *bounds* (left, bottom, right, top)."""
    y = block[3] - (np.arange(shape[0]) + 0.5) * gsd_m
    x = block[0] + (np.arange(shape[1]) + 0.5) * gsd_m
    left, bottom, right, top = bounds
    inside: NDArray[np.bool_] = ((bottom <= y) & (y < top))[:, None] & ((left <= x) & (x < right))
    return inside


def _scenes(source: SceneSource, classes: Sequence[str]) -> Source:
    label_of("building", classes, f"{source.name}: made scenes")
    value = list(classes).index("building") + 1
    side_m = source.size_px * source.gsd_m
    images = []
    for seed in range(source.first_seed, source.first_seed + source.count):
        scene = make_scene(seed, width_m=side_m, height_m=side_m, gsd_m=source.gsd_m)
        image = np.ascontiguousarray(scene.image.transpose(1, 2, 0))
        label = np.where(scene.mask, value, 0).astype(np.uint8)
        images.append(labelled(str(seed), image, label, source.gsd_m))
    return Source(source.name, tuple(images), source.share, (value,))
