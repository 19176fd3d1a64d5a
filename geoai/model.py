"""Model packages: a folder with a network's weights, a STAC item that describes them, and a card.

`ID.safetensors` holds tensors and nothing else, under the names of segmentation-models-pytorch; `ID.json` is
one STAC item of the MLM extension; `card.md` is for people. A package is rebuilt from the names in its item:
no code and no pickle is ever loaded from one. torch is imported where weights are read, not here.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from geoai.errors import ModelError
from geoai.raster import appearing_whole

if TYPE_CHECKING:
    import torch

SHIPPED = Path(__file__).parent / "models"
STRIDE_PX = 32
MLM = "https://stac-extensions.github.io/mlm/v1.5.2/schema.json"
FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
SHA256_MULTIHASH = "1220"
"""Prefix of a multihash: SHA-256, 32 bytes."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of red, green, blue in 0 … 1: what encoders trained on ImageNet were given."""

ARCHITECTURES = ("unet",)
ENCODERS = ("mobilenet_v2",)


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A model as it lies on disk, its weights verified against *checksum* (SHA-256, hexadecimal).

    *mean* and *std* are per band, of values 0 … 1; *classes* leaves the background out; probability is
    softmax(logits / *temperature*); chips have sides of whole *stride* pixels.
    """

    id: str
    folder: Path
    checksum: str
    architecture: str
    encoder: str
    bands: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    gsd_range_m: tuple[float, float]
    classes: tuple[str, ...]
    temperature: float
    stride: int = STRIDE_PX

    @property
    def weights(self) -> Path:
        """The file of tensors."""
        return self.folder / f"{self.id}.safetensors"


class Segmenter(Protocol):
    """Reads a chip: uint8 (band, row, col), sides multiples of 32 → float32 (class, row, col), 0 … 1."""

    def __call__(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each class, the background left out."""
        ...


def find_package(name_or_path: str) -> ModelPackage:
    """Return the shipped package of that name, or the one in that folder, with its checksum verified.

    Raises ModelError where there is none, or its item or weights are not what they should be.
    """
    shipped = SHIPPED / name_or_path
    folder = shipped if shipped.is_dir() else Path(name_or_path)
    if not folder.is_dir():
        names = ", ".join(sorted(path.name for path in SHIPPED.iterdir() if path.is_dir()))
        raise ModelError(
            f"model {name_or_path!r}: expected a folder or a shipped package ({names}), found none"
        )
    items = sorted(folder.glob("*.json"))
    if len(items) != 1:
        raise ModelError(f"{folder}: expected one STAC item (*.json), found {len(items)}")
    package = _read_item(items[0])
    if package.id != items[0].stem:
        raise ModelError(f"{items[0]}: expected id {items[0].stem!r}, found {package.id!r}")
    if not package.weights.is_file():
        raise ModelError(f"{package.weights}: expected the model's weights, found none")
    found = _sha256(package.weights)
    if found != package.checksum:
        raise ModelError(f"{package.weights}: expected SHA-256 {package.checksum}, found {found}")
    return package


def check_fits(package: ModelPackage, bands: Sequence[str], gsd_m: float) -> None:
    """Raise ModelError unless imagery with these *bands* and this GSD (m) is what the model was made for."""
    if missing := [band for band in package.bands if band not in bands]:
        raise ModelError(
            f"model {package.id}: expected the bands {', '.join(package.bands)}, "
            f"found {', '.join(bands) or 'none'} (no {', '.join(missing)})"
        )
    low, high = package.gsd_range_m
    if not low - 1e-6 <= gsd_m <= high + 1e-6:
        raise ModelError(
            f"model {package.id}: expected a GSD of {low:g} to {high:g} m, found {gsd_m:g} m; "
            "tiling.gsd_m sets the lattice's"
        )


def build_network(architecture: str, encoder: str, *, band_count: int, class_count: int) -> torch.nn.Module:
    """Return the network of that name with random weights; *class_count* includes the background."""
    import segmentation_models_pytorch as smp

    if architecture not in ARCHITECTURES or encoder not in ENCODERS:
        raise ModelError(
            f"expected an architecture of {', '.join(ARCHITECTURES)} with an encoder of "
            f"{', '.join(ENCODERS)}, found {architecture} with {encoder}"
        )
    network: torch.nn.Module = smp.Unet(
        encoder_name=encoder, encoder_weights=None, in_channels=band_count, classes=class_count
    )
    return network


def load_segmenter(package: ModelPackage, *, precision: Literal["auto", "bf16", "fp32"]) -> Segmenter:
    """Rebuild the package's network; the result may be called from several threads at once.

    auto is bf16 where the processor computes in it, else fp32; bf16 moves probabilities by some 0.01.
    Raises ModelError where the weights are not those of the network.
    """
    import safetensors
    import safetensors.torch
    import torch

    try:
        stored = safetensors.torch.load_file(package.weights)
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"{package.weights}: expected a safetensors file, found {error}") from error
    try:
        network = build_network(
            package.architecture,
            package.encoder,
            band_count=len(package.bands),
            class_count=len(package.classes) + 1,
        )
    except ModelError as error:
        raise ModelError(f"model {package.id}: {error}") from None
    _check_tensors(package.weights, network.state_dict(), stored)
    network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in stored.items()})
    network.eval()
    fold_batch_norm(network)
    dtype = torch.bfloat16 if precision == "bf16" or (precision == "auto" and has_bf16()) else torch.float32
    network.to(dtype).to(memory_format=torch.channels_last)
    mean = torch.tensor(package.mean).view(1, -1, 1, 1) * 255
    std = torch.tensor(package.std).view(1, -1, 1, 1) * 255

    def segment(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        bands, height, width = chip.shape
        if bands != len(package.bands) or height % package.stride or width % package.stride:
            raise ValueError(
                f"expected a chip of {len(package.bands)} bands and sides of whole {package.stride} px, "
                f"found {chip.shape}"
            )
        with torch.inference_mode():
            scaled = (torch.from_numpy(chip).unsqueeze(0).float() - mean) / std
            logits = network(scaled.to(dtype).contiguous(memory_format=torch.channels_last))
            probability = torch.softmax(logits.float() / package.temperature, dim=1)[0, 1:]
            return np.ascontiguousarray(probability.numpy())

    return segment


def has_bf16() -> bool:
    """Whether this processor computes in bfloat16 (AVX-512 BF16, AMX); elsewhere bf16 is slower than fp32."""
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def fold_batch_norm(network: torch.nn.Module) -> None:
    """Fold every batch norm that follows a convolution in a Sequential into it; for inference only."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for module in list(network.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        children = list(module.named_children())
        for (name, layer), (norm_name, norm) in itertools.pairwise(children):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(layer, norm))
                setattr(module, norm_name, nn.Identity())


def save_package(
    folder: Path,
    state: Mapping[str, torch.Tensor],
    *,
    id: str,  # noqa: A002  (STAC's word)
    architecture: str,
    encoder: str,
    bands: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    gsd_range_m: tuple[float, float],
    classes: tuple[str, ...],
    temperature: float,
    properties: Mapping[str, Any],
) -> ModelPackage:
    """Write a package into *folder* (made if missing) and return it as read back.

    *state* are the network's tensors under their smp names; floating point is stored as fp16. *properties*
    go into the STAC item as they are; STAC asks for 'datetime'. The card, card.md, is the caller's to write.
    """
    import safetensors.torch
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{id}.safetensors"
    tensors = {name: t.half().contiguous() if t.is_floating_point() else t for name, t in state.items()}
    with appearing_whole(weights) as partial:
        safetensors.torch.save_file(tensors, partial)
    shape = {"dim_order": ["batch", "channel", "height", "width"], "data_type": "float32"}
    parameters = sum(tensor.numel() for tensor in state.values() if torch.is_floating_point(tensor))
    scaling = [
        {"type": "z-score", "mean": round(m * 255, 6), "stddev": round(s * 255, 6)}
        for m, s in zip(mean, std, strict=True)
    ]
    described: dict[str, Any] = {
        "mlm:name": id,
        "mlm:architecture": "U-Net",
        "mlm:tasks": ["semantic-segmentation"],
        "mlm:framework": "PyTorch",
        "mlm:framework_version": version("torch").split("+")[0],
        "mlm:total_parameters": parameters,
        "mlm:input": [
            {
                "name": "digital numbers 0 to 255",
                "bands": [],  # naming them wants properties.bands, which STAC 1.1 forbids on such an item
                "input": {"shape": [-1, len(bands), -1, -1], **shape},
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
                    "shape": [-1, len(classes) + 1, -1, -1],
                    "dim_order": ["batch", "class", "height", "width"],
                    "data_type": "float32",
                },
                "classification:classes": [
                    {"value": value, "name": name, "description": f"{name} (probability after softmax)"}
                    for value, name in enumerate(("background", *classes))
                ],
                "post_processing_function": None,
            }
        ],
        "geoai:bands": list(bands),
        "geoai:architecture": architecture,
        "geoai:encoder": encoder,
        "geoai:gsd_range_m": list(gsd_range_m),
        "geoai:temperature": temperature,
        "geoai:stride_px": STRIDE_PX,
    }
    item = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [MLM, FILE],
        "id": id,
        "geometry": None,
        "properties": {**properties, **described},
        "links": [],
        "assets": {
            "model": {
                "href": f"./{weights.name}",
                "type": "application/octet-stream; framework=safetensors",
                "title": "Weights, fp16",
                "roles": ["mlm:model", "mlm:weights", "data"],
                "mlm:artifact_type": "safetensors.torch.save_file",
                "file:size": weights.stat().st_size,
                "file:checksum": SHA256_MULTIHASH + _sha256(weights),
            },
            "card": {
                "href": "./card.md",
                "type": "text/markdown",
                "title": "Model card",
                "roles": ["metadata"],
            },
        },
    }
    with appearing_whole(folder / f"{id}.json") as partial:
        partial.write_text(json.dumps(item, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return find_package(str(folder))


def _read_item(path: Path) -> ModelPackage:
    """Return what the STAC item says; raise ModelError where it is of another schema."""
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected a readable STAC item, found {error}") from error
    extensions = item.get("stac_extensions", []) if isinstance(item, dict) else []
    if MLM not in extensions:
        raise ModelError(f"{path}: expected a STAC item of {MLM}, found {', '.join(extensions) or 'none'}")
    try:
        properties = item["properties"]
        given, result = properties["mlm:input"][0], properties["mlm:output"][0]
        scaling = given["value_scaling"]
        low, high = properties["geoai:gsd_range_m"]
        return ModelPackage(
            id=item["id"],
            folder=path.parent,
            checksum=item["assets"]["model"]["file:checksum"].removeprefix(SHA256_MULTIHASH),
            architecture=properties["geoai:architecture"],
            encoder=properties["geoai:encoder"],
            bands=tuple(properties["geoai:bands"]),
            mean=tuple(band["mean"] / 255 for band in scaling),
            std=tuple(band["stddev"] / 255 for band in scaling),
            gsd_range_m=(float(low), float(high)),
            classes=tuple(entry["name"] for entry in result["classification:classes"])[1:],
            temperature=float(properties["geoai:temperature"]),
            stride=int(properties["geoai:stride_px"]),
        )
    except KeyError as error:
        raise ModelError(f"{path}: expected the key {error} of a geoai model, found none") from error
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(f"{path}: expected the item of a geoai model, found {error}") from error


def _check_tensors(
    path: Path, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    """Raise ModelError at the first tensor that is missing, of another shape, or not the network's."""
    for name in (*expected, *found):
        wanted = tuple(expected[name].shape) if name in expected else "no such tensor"
        shape = tuple(found[name].shape) if name in found else "none"
        if wanted != shape:
            raise ModelError(f"{path}: {name}: expected {wanted}, found {shape}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
