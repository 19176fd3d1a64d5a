"""What people set: the sections of the project's YAML file, their keys, defaults and bounds.

`configs/default.yaml` holds every key with its unit and default; `geoai.settingsfile` reads such a file.
Paths are relative to the working directory.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from geoai.settingsfile import Section, load
from geoai.storage import location
from geoai.watchconfig import WatchSettings

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Metres = Annotated[float, Field(ge=0.0)]
Location = Annotated[Path, PlainValidator(location), PlainSerializer(str)]
"""A folder, on disk or in an object store (s3://bucket/prefix)."""
SquareMetres = Annotated[float, Field(ge=0.0)]


class FlightSettings(Section):
    """Where the orthophotos of a flight lie and what their files do not say themselves."""

    folder: Location | None = Field(
        None, description="Folder of orthophotos (GeoTIFF, COG, JPEG 2000; world files), or s3://…."
    )
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] | None = Field(
        None, description="Id of the flight in the catalogue; default: the folder's name."
    )
    date: dt.date | None = Field(None, description="Day of photography (YYYY-MM-DD).")
    assume_crs: bool = Field(
        False, description="Take the project CRS for files that carry none (world files)."
    )
    white_level: Annotated[int, Field(gt=255, le=65535)] | None = Field(
        None, description="Digital number shown as white in uint16 imagery, e.g. 4095; required for uint16."
    )

    @property
    def name(self) -> str:
        """The flight's id in the catalogue: the configured one, else its folder's name, if that has one."""
        return self.id or (self.folder and self.folder.resolve().name) or "flight"


class TilingSettings(Section):
    """How orthophotos are cut into tiles."""

    tile_m: Annotated[int, Field(ge=50, le=5000)] = Field(500, description="Side of a tile (m).")
    gsd_m: Annotated[float, Field(gt=0.0, le=5.0)] | None = Field(
        None, description="Pixel of the lattice (m); default: the flight's own."
    )
    compression: Literal["jpeg", "lossless"] = Field("jpeg", description="How tiles are stored.")
    jpeg_quality: Annotated[int, Field(ge=50, le=100)] = Field(90, description="JPEG quality of tiles.")


class PredictionSettings(Section):
    """Which model reads the tiles, and how."""

    model: str = Field("buildings", description="Name of a model, shipped or in data/models, or its folder.")
    window_px: Annotated[int, Field(ge=64, multiple_of=32)] = Field(
        1280, description="Largest side of what is predicted at once, halo not counted (px)."
    )
    halo_px: Annotated[int, Field(ge=0, multiple_of=32)] = Field(
        96,
        description="Context read around a window and cropped (px); 256 leaves no trace of tile borders.",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto: bf16 where the processor has it, else fp32."
    )


class PolygonSettings(Section):
    """How probabilities become detections."""

    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        0.5, description="Probability from which a pixel counts."
    )
    core: Fraction = Field(
        0.6, description="Probability that a detection reaches somewhere; others are dropped."
    )
    min_area_m2: SquareMetres = Field(6.0, description="Smaller detections are dropped (m²).")
    max_hole_m2: SquareMetres = Field(10.0, description="Smaller holes are filled (m²).")
    simplify_m: Metres = Field(0.5, description="Tolerance of the outline's simplification (m).")
    square: bool = Field(False, description="Lay sides at right angles where a roof nearly has them.")


class MapSettings(Section):
    """Where the digital map lies and what its columns mean."""

    source: str | None = Field(
        None, description="File, folder, or 'PG:' and a libpq string without a password; see the README."
    )
    layer: str | None = Field(
        None, description="Layer name, schema.table; may be left out where there is only one."
    )
    where: str | None = Field(
        None, description="Attribute filter in OGR's or PostGIS's SQL, e.g. objekttyp = 'Byggnad'."
    )
    reproject: bool = Field(
        False, description="Bring a map in another CRS to the project's; otherwise an error."
    )
    theme: str = Field("building", description="Class of the model that this layer holds.")
    id_column: str | None = Field(None, description="Column of the object id; default: the feature id.")
    status_column: str | None = Field(None, description="Column of the object's status, if any.")
    current: tuple[str, ...] = Field((), description="Values of status_column that stand now; empty: all.")
    planned: tuple[str, ...] = Field((), description="Values of status_column that are planned, kept apart.")
    date_column: str | None = Field(None, description="Column of the object's last change, if any.")
    sigma_column: str | None = Field(
        None, description="Column of the standard error of position (m), if any."
    )
    sigma_m: Metres = Field(0.3, description="Standard error of position where the map does not say (m).")


class VisibilitySettings(Section):
    """What hides the ground."""

    canopy_green: float = Field(
        0.045, ge=-1.0, le=2.0, description="Tree crowns: excess green (2g − r − b) / (r + g + b) from this …"
    )
    canopy_ndvi: float = Field(
        0.3, ge=-1.0, le=1.0, description="… or, where there is near infrared, NDVI from this …"
    )
    canopy_mottle: float = Field(
        0.14,
        ge=0.0,
        le=1.0,
        description="… and brightness that varies by this share of itself within 1.8 m …",
    )
    canopy_grain: float = Field(0.1, ge=0.0, le=1.0, description="… and by this within 1 m.")
    shadow_level: float = Field(
        60.0, ge=0.0, le=255.0, description="Deep shadow: brightness below this (0 to 255)."
    )


class HeightSettings(Section):
    """A raster of heights above ground (m), in the project CRS, where there is one."""

    ndsm: Path | None = Field(None, description="Height above ground (m), one band: .tif, .asc or .vrt.")
    dsm: Path | None = Field(None, description="Or: height of the surface (m) …")
    dtm: Path | None = Field(None, description="… and of the ground (m).")
    standing_m: Metres = Field(1.5, description="What is this high is never called demolished (m).")

    @model_validator(mode="after")
    def _one_or_both(self) -> Self:
        if (self.dsm is None) != (self.dtm is None) or (self.ndsm is not None and self.dsm is not None):
            raise ValueError("compare.height: expected ndsm, or dsm and dtm together, found another choice")
        return self


class LineSettings(Section):
    """When a stretch of a theme that the map holds as lines (roads, paths, streams) counts."""

    reach_m: Annotated[float, Field(gt=0.0)] = Field(
        8.0,
        description="Half the widest carriageway and the map's error: so near, what is seen is the line (m).",
    )
    min_length_m: Metres = Field(20.0, description="Shorter stretches do not count (m).")
    elongation: Annotated[float, Field(ge=1.0)] = Field(
        3.0, description="Length over width from which what is seen is a stretch, and no square."
    )
    step_m: Annotated[float, Field(gt=0.0)] = Field(
        10.0, description="Mapped lines are judged in steps of this length (m)."
    )
    obsolete_mean: Fraction = Field(
        0.1, description="'obsolete' needs a mean probability below this along it."
    )


class CompareSettings(Section):
    """When the two count as disagreeing. The README explains each."""

    min_area_m2: SquareMetres = Field(15.0, description="Smaller signals are below_min: kept, hidden (m²).")
    min_width_m: Metres = Field(
        2.0, description="Narrower slivers are no extension, reduction or missing line (m)."
    )
    sigma_image_m: Metres = Field(0.3, description="Standard error of the imagery's position (m).")
    overhang_m: Metres = Field(0.4, description="How far roofs stand out over mapped walls (m).")
    lean_m: Metres = Field(0.3, description="Residual lean of roofs in the orthophoto (m).")
    max_tolerance_m: Metres = Field(2.5, description="Upper bound of the tolerance (m).")
    max_lean_m: Metres = Field(4.0, description="Roofs lean up to this (m); an object further off has moved.")
    overlap: Fraction = Field(0.3, description="Share of the smaller object from which two are the same.")
    missing_confidence: Fraction = Field(
        0.6, description="Mean probability from which a detection is 'missing'."
    )
    demolished_mean: Fraction = Field(0.02, description="'demolished' needs a mean probability below this …")
    demolished_p95: Fraction = Field(0.15, description="… and a 95th percentile below this.")
    change_m2: SquareMetres = Field(6.0, description="Smallest extension or reduction (m²) …")
    change_share: Fraction = Field(0.04, description="… and its smallest share of the mapped area.")
    extended_mean: Fraction = Field(
        0.7, description="'extended' needs a mean probability of this where something was added."
    )
    reduced_mean: Fraction = Field(
        0.1, description="'reduced' needs a mean probability below this where it is gone."
    )
    visible_share: Fraction = Field(
        0.7, description="What is not seen, and of which less than this can be seen: not_assessable."
    )
    previous: str | None = Field(
        None, description="Id of an earlier flight in the catalogue, read by the same model: tells the cause."
    )
    visibility: VisibilitySettings = VisibilitySettings()
    height: HeightSettings = HeightSettings()
    lines: LineSettings = LineSettings()


BOUNDED_TRAITS = (
    "contact_share",
    "area_m2",
    "elongation",
    "rectangularity",
    "brightness",
    "texture",
    "height_m",
)
"""Traits that a rule may give a least and a most value."""


class PolicyRule(Section):
    """Something that stands there and that this map does not hold, named by its traits.

    Every bound that is given must hold; see `geoai.traits` for what each trait measures.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(
        description="Name of the group, e.g. patio_roof."
    )
    class_name: Literal["missing", "extended", "missing|extended"] = Field(
        "missing|extended", alias="class", description="Classes of signals that it is about."
    )
    attached: bool | None = Field(None, description="Stands against a mapped object, or by itself.")
    min_contact_share: Fraction | None = Field(None, description="Share of its outline along mapped objects.")
    max_contact_share: Fraction | None = None
    min_area_m2: SquareMetres | None = Field(None, description="Area (m²).")
    max_area_m2: SquareMetres | None = None
    min_elongation: Annotated[float, Field(ge=1.0)] | None = Field(
        None, description="Longer side over shorter side."
    )
    max_elongation: Annotated[float, Field(ge=1.0)] | None = None
    min_rectangularity: Fraction | None = Field(None, description="Share that it fills of its rectangle.")
    max_rectangularity: Fraction | None = None
    min_brightness: Fraction | None = Field(None, description="Brightness of the roof, 0 to 1.")
    max_brightness: Fraction | None = None
    min_texture: Fraction | None = Field(None, description="Standard deviation of the brightness, 0 to 1.")
    max_texture: Fraction | None = None
    min_height_m: Annotated[float, Field(ge=0.0)] | None = Field(
        None, description="Height above ground (m), where compare.height names a raster of it."
    )
    max_height_m: Annotated[float, Field(ge=0.0)] | None = None

    @property
    def classes(self) -> list[str]:
        """The classes that the rule is about."""
        return self.class_name.split("|")

    def bounds(self) -> list[tuple[str, float, float]]:
        """Return (trait, least, most) for each trait that the rule names."""
        named = [] if self.attached is None else [("attached", float(self.attached), float(self.attached))]
        for trait in BOUNDED_TRAITS:
            least, most = (getattr(self, f"{end}_{trait}") for end in ("min", "max"))
            if least is not None or most is not None:
                named.append(
                    (trait, -math.inf if least is None else least, math.inf if most is None else most)
                )
        return named

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        bounds = self.bounds()
        if not bounds:
            raise ValueError(f"policy {self.name}: expected at least one trait, found none")
        for trait, least, most in bounds:
            if least > most:
                found = f"{least:g} above {most:g}"
                raise ValueError(
                    f"policy {self.name}: expected min_{trait} at most max_{trait}, found {found}"
                )
        return self


class PublishSettings(Section):
    """What the reviewer gets."""

    language: Literal["sv", "en"] = Field("sv", description="Language of aliases, legend, reasons and form.")


class ReportSettings(Section):
    """What the report is made of; language: publish.language."""

    sample: Annotated[int, Field(ge=0, le=10_000)] = Field(
        60, description="What a reviewer is asked about, so that the map's quality can be told."
    )
    cell_m: Annotated[float, Field(ge=25.0, le=5000.0)] = Field(
        100.0, description="Side of a cell of the quality grid, and of a sampled place (m)."
    )


class EngineSettings(Section):
    """Where tiles are cut and predicted: on this machine, or by the workers of a Dask scheduler.

    Workers need imagery and catalogue, which holds the model: under the same paths, or in an object store.
    """

    kind: Literal["threads", "processes", "dask"] = Field(
        "threads", description="threads, processes, or dask (uv sync --extra dask)."
    )
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="Tiles worked on at the same time, one core each; default: usable cores."
    )
    batch: Annotated[int, Field(ge=1, le=500)] = Field(
        8, description="Most tiles in a task of a flow, a process or Dask: tens of seconds of work."
    )
    address: str | None = Field(
        None, description="Dask scheduler, e.g. tcp://10.0.0.5:8786; default: a cluster on this machine."
    )
    gpu: bool = Field(
        False, description="Predict only on Dask workers started with --resources GPU=1, a tile at a time."
    )

    @model_validator(mode="after")
    def _keys_belong_to_the_kind(self) -> Self:
        for name in ("address", "gpu"):
            if self.kind != "dask" and getattr(self, name):
                raise ValueError(f"engine.{name}: expected kind: dask with it, found {self.kind}")
        if self.address and self.workers:
            raise ValueError("engine.workers: expected none where address names a scheduler; it has workers")
        return self


class Settings(Section):
    """The whole configuration of a project."""

    crs: str = Field("EPSG:3006", description="CRS of the project: projected, in metres.")
    data: Path = Field(Path("data"), description="Folder for what runs make: catalog/, runs/.")
    catalog: Location | None = Field(
        None, description="Folder of the catalogue, or s3://bucket/prefix; default: catalog/ in data."
    )
    flight: FlightSettings = FlightSettings()
    tiling: TilingSettings = TilingSettings()
    prediction: PredictionSettings = PredictionSettings()
    polygons: PolygonSettings = PolygonSettings()
    map: MapSettings = MapSettings()
    compare: CompareSettings = CompareSettings()
    policy: tuple[PolicyRule, ...] = Field((), description="What this map does not hold; first rule first.")
    publish: PublishSettings = PublishSettings()
    report: ReportSettings = ReportSettings()
    engine: EngineSettings = EngineSettings()
    watch: WatchSettings = WatchSettings()

    @model_validator(mode="after")
    def _rules_have_names_of_their_own(self) -> Self:
        names = [rule.name for rule in self.policy]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"policy: expected a name of its own for each rule, found {twice[0]} twice")
        return self

    @model_validator(mode="after")
    def _heights_are_there_for_rules(self) -> Self:
        height = self.compare.height
        for rule in self.policy:
            of_height = any(trait == "height_m" for trait, _, _ in rule.bounds())
            if of_height and height.ndsm is None and height.dsm is None:
                raise ValueError(
                    f"policy {rule.name}: expected compare.height for a rule of height_m, found none"
                )
        return self

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.polygons.min_area_m2 > self.compare.min_area_m2:
            raise ValueError(
                "polygons.min_area_m2: expected at most compare.min_area_m2 "
                f"({self.compare.min_area_m2}), found {self.polygons.min_area_m2}"
            )
        return self


def load_settings(path: Path, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read the project's settings from the YAML file *path*; see `settingsfile.load`."""
    return load(path, Settings, overrides)
