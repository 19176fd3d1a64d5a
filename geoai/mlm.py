"""The STAC item of a model package, by the Machine Learning Model extension (MLM): written and read.

What MLM has no word for is under `geoai:`. An item says what the network reads and answers and how its
logits become probabilities; the weights lie beside it, under the item's name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from geoai.calibration import ObjectCalibration, PixelCalibration
from geoai.errors import ModelError
from geoai.network import ARCHITECTURES, STRIDE_PX, architecture_key

MLM = "https://stac-extensions.github.io/mlm/v1.5.2/schema.json"
FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
SHA256_MULTIHASH = "1220"
"""Prefix of a multihash: SHA-256, 32 bytes."""

Artifact = Literal["safetensors", "onnx"]
ARTIFACT_TYPES: dict[str, Artifact] = {"safetensors.torch.save_file": "safetensors", "onnx": "onnx"}
"""MLM's names of the files that are read. Those of torch.save and torch.export.save are not: both can hold
pickles, and the latter expressions as well, which run when the file is loaded."""


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A model as it lies on disk; *checksum* is that of its weights (SHA-256, hexadecimal).

    *artifact* safetensors: tensors of a network that is rebuilt from *architecture*, *encoder* and *options*
    (see `network.build_network`); onnx: an exported network, which needs no code, and whose *architecture*
    is only told. *mean* and *std* are per band, of values 0 … 1; *optional_bands* may be missing from the
    imagery; *classes* leaves the background out; chips have sides of whole *stride* pixels.
    """

    id: str
    folder: Path
    checksum: str
    artifact: Artifact
    architecture: str
    encoder: str
    bands: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    gsd_range_m: tuple[float, float]
    classes: tuple[str, ...]
    calibration: PixelCalibration = field(default_factory=PixelCalibration)
    stride: int = STRIDE_PX
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    optional_bands: tuple[str, ...] = ()
    object_calibration: ObjectCalibration | None = None

    def __post_init__(self) -> None:
        low, high = self.gsd_range_m
        optional, classes = self.optional_bands, self.classes
        numbers = (*self.mean, *self.std, low, high)
        biases, fitted = len(self.calibration.bias), self.object_calibration
        for right, expected, found in (
            (re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.id), "an id of letters, digits, . _ -", self.id),
            (0 < len(self.bands) == len(set(self.bands)), "bands, each once", self.bands),
            (set(optional) < set(self.bands), "optional bands that are some of the bands", optional),
            (len(self.mean) == len(self.bands), "a mean for each band", self.mean),
            (len(self.std) == len(self.bands), "a standard deviation for each band", self.std),
            (all(map(math.isfinite, numbers)) and min(self.std) > 0, "finite scaling of bands", numbers),
            (0 < low <= high, "a range of GSD", self.gsd_range_m),
            (0 < len(classes) == len(set(classes)), "classes, each once", classes),
            (biases in (0, len(classes)), "a bias for each class, or none", self.calibration.bias),
            (not fitted or fitted.theme in classes, "a calibration of objects of its classes", fitted),
            (self.stride > 0 and STRIDE_PX % self.stride == 0, f"a stride within {STRIDE_PX}", self.stride),
        ):
            if not right:
                raise ModelError(f"model {self.id}: expected {expected}, found {found}")

    @property
    def item(self) -> Path:
        """The STAC item."""
        return self.folder / f"{self.id}.json"

    @property
    def weights(self) -> Path:
        """The file of tensors, or of the exported network."""
        return self.folder / f"{self.id}.{self.artifact}"

    @property
    def card(self) -> Path:
        """The model card, Markdown."""
        return self.folder / "card.md"

    def properties(self) -> dict[str, Any]:
        """Return all that the item says: title, license, created, geoai:metrics …"""
        properties: dict[str, Any] = load_item(self.item)["properties"]
        return properties

    def read_bands(self, found: Sequence[str]) -> tuple[str, ...]:
        """Return those of the imagery's bands that have to be read: up to the last that the model knows."""
        known = [number for number, band in enumerate(found) if band in self.bands]
        return tuple(found[: max(known, default=-1) + 1])


def load_item(path: Path) -> dict[str, Any]:
    """Return a model's STAC item as JSON; raise ModelError where it is of another schema."""
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected a readable STAC item, found {error}") from error
    extensions = item.get("stac_extensions", []) if isinstance(item, dict) else []
    if MLM not in extensions:
        raise ModelError(f"{path}: expected a STAC item of {MLM}, found {', '.join(extensions) or 'none'}")
    return dict(item)


def read_item(path: Path) -> ModelPackage:
    """Return the package that a STAC item describes; raise ModelError where it is not one of geoai."""
    item = load_item(path)
    try:
        return _package(item, path.parent)
    except KeyError as error:
        raise ModelError(f"{path}: expected the key {error} of a geoai model, found none") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(f"{path}: expected the item of a geoai model, found {error}") from error


def _package(item: Mapping[str, Any], folder: Path) -> ModelPackage:
    properties, asset = item["properties"], item["assets"]["model"]
    if (kind := asset["mlm:artifact_type"]) not in ARTIFACT_TYPES:
        raise ModelError(f"expected weights written by {' or '.join(ARTIFACT_TYPES)}, found {kind}")
    given, result = properties["mlm:input"][0], properties["mlm:output"][0]
    low, high = properties["geoai:gsd_range_m"]
    return ModelPackage(
        id=item["id"],
        folder=folder,
        checksum=asset["file:checksum"].removeprefix(SHA256_MULTIHASH),
        artifact=ARTIFACT_TYPES[kind],
        architecture=properties["geoai:architecture"],
        encoder=properties["geoai:encoder"],
        bands=tuple(properties["geoai:bands"]),
        mean=tuple(band["mean"] / 255 for band in given["value_scaling"]),
        std=tuple(band["stddev"] / 255 for band in given["value_scaling"]),
        gsd_range_m=(float(low), float(high)),
        classes=tuple(entry["name"] for entry in result["classification:classes"])[1:],
        calibration=PixelCalibration(
            float(properties["geoai:temperature"]), tuple(map(float, properties.get("geoai:bias", ())))
        ),
        stride=int(properties["geoai:stride_px"]),
        options=dict(properties.get("geoai:options", {})),
        optional_bands=tuple(properties.get("geoai:optional_bands", ())),
        object_calibration=_object_calibration(properties.get("geoai:object_calibration")),
    )


def _object_calibration(said: Mapping[str, Any] | None) -> ObjectCalibration | None:
    if said is None:
        return None
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in said.items()
    }
    return ObjectCalibration(**fields)


def model_item(
    package: ModelPackage,
    *,
    size: int,
    parameters: int | None,
    properties: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the STAC item of a package whose weights take *size* bytes, with *properties* as they are.

    STAC asks for 'datetime' among them. *parameters*: how many the network has, where that is known.
    """
    shape = {"dim_order": ["batch", "channel", "height", "width"], "data_type": "float32"}
    scaling = [
        {"type": "z-score", "mean": round(m * 255, 6), "stddev": round(s * 255, 6)}
        for m, s in zip(package.mean, package.std, strict=True)
    ]
    described: dict[str, Any] = {
        "mlm:name": package.id,
        "mlm:architecture": ARCHITECTURES.get(architecture_key(package.architecture), package.architecture),
        "mlm:tasks": ["semantic-segmentation"],
        "mlm:input": [
            {
                "name": "digital numbers 0 to 255",
                "bands": [],  # naming them wants properties.bands, which STAC 1.1 forbids on such an item
                "input": {"shape": [-1, len(package.bands), -1, -1], **shape},
                "value_scaling": scaling,
                "resize_type": None,
                "pre_processing_function": None,
            }
        ],
        "mlm:output": [
            {
                "name": "logits",
                "tasks": ["semantic-segmentation"],
                "result": {
                    "shape": [-1, len(package.classes) + 1, -1, -1],
                    "dim_order": ["batch", "class", "height", "width"],
                    "data_type": "float32",
                },
                "classification:classes": [
                    {"value": value, "name": name, "description": f"{name} (probability after softmax)"}
                    for value, name in enumerate(("background", *package.classes))
                ],
                "post_processing_function": None,
            }
        ],
        "geoai:bands": list(package.bands),
        "geoai:architecture": package.architecture,
        "geoai:encoder": package.encoder,
        "geoai:gsd_range_m": list(package.gsd_range_m),
        "geoai:temperature": package.calibration.temperature,
        "geoai:stride_px": package.stride,
    }
    said = {
        "mlm:total_parameters": parameters,
        "geoai:bias": list(package.calibration.bias),
        "geoai:options": dict(package.options),
        "geoai:optional_bands": list(package.optional_bands),
        "geoai:object_calibration": package.object_calibration and asdict(package.object_calibration),
        "geoai:metrics": dict(metrics),
    }
    described |= {key: value for key, value in said.items() if value}
    model = {
        "href": f"./{package.weights.name}",
        "type": f"application/octet-stream; framework={package.artifact}",
        "title": "Weights, fp16",
        "roles": ["mlm:model", "mlm:weights", "data"],
        "mlm:artifact_type": next(kind for kind, name in ARTIFACT_TYPES.items() if name == package.artifact),
        "file:size": size,
        "file:checksum": SHA256_MULTIHASH + package.checksum,
    }
    if package.artifact == "onnx":
        model |= {"title": "Exported network", "roles": ["mlm:model", "mlm:inference", "data"]}
        described["mlm:framework"] = "ONNX"
    else:
        described |= {
            "mlm:framework": "PyTorch",
            "mlm:framework_version": version("torch").split("+")[0],
        }
    card = {"href": "./card.md", "type": "text/markdown", "title": "Model card", "roles": ["metadata"]}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [MLM, FILE],
        "id": package.id,
        "geometry": None,
        "properties": {**properties, **described},
        "links": [],
        "assets": {"model": model, "card": card},
    }
