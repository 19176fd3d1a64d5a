"""Segmentation networks by name: built, made ready for inference, and started from weights trained elsewhere.

Architectures and encoders have the names of segmentation-models-pytorch (smp); torchgeo's names for the same
architectures are understood. torch and smp are imported where a network is made, not here.
"""

from __future__ import annotations

import difflib
import inspect
import itertools
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoai.errors import ModelError

if TYPE_CHECKING:
    import torch

STRIDE_PX = 32
"""Chips have sides of whole multiples of this; a network's own stride divides it."""
TRIAL_PX = (256, 288)
"""Rows and columns of the chip a network is tried on: not square, not what a fixed-size network asks for."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of red, green, blue in 0 … 1: what encoders trained on ImageNet were given."""

ARCHITECTURES = {
    "unet": "U-Net",
    "unetplusplus": "U-Net++",
    "manet": "MA-Net",
    "linknet": "LinkNet",
    "fpn": "FPN",
    "pspnet": "PSPNet",
    "deeplabv3": "DeepLabV3",
    "deeplabv3plus": "DeepLabV3+",
    "pan": "PAN",
    "upernet": "UPerNet",
    "segformer": "SegFormer",
    "dpt": "DPT",
}
"""smp's name of an architecture, and how papers write it."""
ENCODER_OPTIONS = {"dynamic_img_size"}
"""What may be said to an encoder of timm: that a vision transformer reads chips of any size."""
FIXED_OPTIONS = {
    "encoder_name",
    "encoder_weights",
    "in_channels",
    "classes",
    "activation",
    "aux_params",
    "kwargs",
}
"""Arguments of smp's constructors that are ours to give: weights come from packages, answers are logits."""


def architecture_key(name: str) -> str:
    """Return smp's name of an architecture.

    >>> architecture_key("deeplabv3+"), architecture_key("UNet++")
    ('deeplabv3plus', 'unetplusplus')
    """
    return name.lower().replace("+", "plus")


def build_network(
    architecture: str,
    encoder: str,
    *,
    band_count: int,
    class_count: int,
    options: Mapping[str, Any] | None = None,
) -> torch.nn.Module:
    """Return the network of that name with random weights; *class_count* includes the background.

    *encoder*: a name of smp, or tu-NAME of timm. *options*: further arguments of smp's constructor, such as
    decoder_channels. Nothing is ever downloaded. Raises ModelError where there is no such network.
    """
    import segmentation_models_pytorch as smp

    options = options or {}
    key = architecture_key(architecture)
    if key not in ARCHITECTURES:
        raise ModelError(f"expected an architecture of {', '.join(ARCHITECTURES)}, found {architecture}")
    _check_encoder(encoder)
    named = set(inspect.signature(smp.MODEL_ARCHITECTURES_MAPPING[key]).parameters)
    allowed = (named | ENCODER_OPTIONS) - FIXED_OPTIONS
    if unknown := sorted(set(options) - allowed):
        raise ModelError(
            f"{architecture}: expected options of {', '.join(sorted(allowed))}, found {', '.join(unknown)}"
        )
    try:
        network: torch.nn.Module = smp.create_model(
            key, encoder, encoder_weights=None, in_channels=band_count, classes=class_count, **options
        )
    # what smp and timm raise where an architecture, an encoder and options do not go together
    except (
        ValueError,
        TypeError,
        KeyError,
        RuntimeError,
        AssertionError,
        AttributeError,
        IndexError,
        NotImplementedError,
    ) as error:
        raise ModelError(
            f"{architecture} with {encoder}: expected a network that can be built, "
            f"found {' '.join(str(error).split())}"
        ) from error
    return network


def _check_encoder(encoder: str) -> None:
    import timm
    from segmentation_models_pytorch.encoders import encoders

    # smp would hand other names to timm, which may take them for an address to download from
    known = timm.is_model(encoder.removeprefix("tu-")) if encoder.startswith("tu-") else encoder in encoders
    if not known:
        names = [*encoders, *(f"tu-{name}" for name in timm.list_models())]
        near = difflib.get_close_matches(encoder, names, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise ModelError(
            f"expected an encoder of segmentation-models-pytorch, or tu-NAME of timm, found {encoder}{hint}"
        )


def stride_of(network: torch.nn.Module) -> int:
    """Return by how many pixels a network's input may be shifted without changing more than a shift does."""
    return int(network.encoder.output_stride)  # type: ignore[union-attr, arg-type]


def try_network(network: torch.nn.Module, *, band_count: int, class_count: int) -> None:
    """Raise ModelError unless the network reads chips of any whole multiples of 32 px and answers in numbers.

    Leaves the network in evaluation mode.
    """
    import torch

    network.eval()
    chip = torch.linspace(-2, 2, band_count * TRIAL_PX[0] * TRIAL_PX[1]).view(1, band_count, *TRIAL_PX)
    expected = f"expected logits of {class_count} classes for chips of any whole multiples of {STRIDE_PX} px"
    try:
        with torch.inference_mode():
            logits = network(chip)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(f"{expected}, found {' '.join(str(error).split())}") from error
    if tuple(logits.shape) != (1, class_count, *TRIAL_PX):
        raise ModelError(f"{expected}, found {tuple(logits.shape)} for a chip of {tuple(chip.shape)}")
    if not logits.isfinite().all():
        raise ModelError(f"{expected}, found values that are not finite")


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


def check_tensors(
    source: str, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    """Raise ModelError at the first tensor that is missing, of another shape, or not the network's."""
    for name in (*expected, *found):
        wanted = tuple(expected[name].shape) if name in expected else "no such tensor"
        shape = tuple(found[name].shape) if name in found else "none"
        if wanted != shape:
            raise ModelError(f"{source}: {name}: expected {wanted}, found {shape}")


def starting_weights(name: str | Path, encoder: str) -> dict[str, torch.Tensor]:
    """Return the tensors an encoder's training may start from; `load_encoder` puts them in.

    *name*: "imagenet" (by way of smp or timm), a weight of torchgeo such as
    ResNet18_Weights.SENTINEL2_RGB_MOCO, or a file that holds tensors only: .safetensors, or a state dict
    that torch.save wrote. Names are downloaded, or taken from the cache of an earlier download. Raises
    ModelError where there is no such name, no network, or something else in the file.
    """
    if isinstance(name, Path) or Path(name).is_file():
        return read_tensors(Path(name))
    try:
        return _imagenet(encoder) if name == "imagenet" else _torchgeo(name)
    except OSError as error:  # urllib's, requests' and huggingface_hub's errors of the network are OSErrors
        raise ModelError(
            f"weights {name}: expected a download, found {' '.join(str(error).split())}; without network, "
            "a file of the tensors may be given in encoder_weights"
        ) from error


def _imagenet(encoder: str) -> dict[str, torch.Tensor]:
    from segmentation_models_pytorch.encoders import get_encoder

    _check_encoder(encoder)
    try:
        trained = get_encoder(encoder, weights=True if encoder.startswith("tu-") else "imagenet")
    except (KeyError, RuntimeError) as error:  # smp's and timm's way to say that there are none
        raise ModelError(f"weights imagenet: expected them for {encoder}, found {error}") from error
    state: dict[str, torch.Tensor] = trained.state_dict()
    return state


def _torchgeo(name: str) -> dict[str, torch.Tensor]:
    from torchgeo.models import get_weight

    try:
        weight = get_weight(name)
    except ValueError as error:
        raise ModelError(
            f"weights {name}: expected imagenet, the name of a weight of torchgeo "
            "(ResNet18_Weights.SENTINEL2_RGB_MOCO), or a file, found none of these"
        ) from error
    state: dict[str, torch.Tensor] = weight.get_state_dict(
        progress=False, check_hash=True, weights_only=True, map_location="cpu"
    )
    return state


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors in a file by name; a training's checkpoint may hold them under state_dict.

    Only tensors are read: a pickle of anything else is refused, and nothing in it runs. Raises ModelError.
    """
    import safetensors
    import safetensors.torch
    import torch

    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load_file(path)
        except (OSError, safetensors.SafetensorError) as error:
            raise _no_tensors(path, error) from error
    state = read_checkpoint(path)
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(f"{path}: expected tensors by name, found {type(state).__name__} of other things")
    return state


def read_checkpoint(path: Path) -> Any:
    """Return what torch.save wrote: tensors and plain values. Raises ModelError for anything else."""
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise _no_tensors(path, error) from error


def _no_tensors(path: Path, error: Exception) -> ModelError:
    found = (str(error).partition("\n")[0] or type(error).__name__) if path.exists() else "none"
    return ModelError(f"{path}: expected a file of tensors and plain values, found {found}")


def load_encoder(network: torch.nn.Module, tensors: Mapping[str, torch.Tensor], *, source: str) -> None:
    """Put *tensors*, trained elsewhere, into the encoder of a network; a classifier's head is left out.

    Where they were trained on another number of bands, the filters of the first bands are repeated and
    scaled to the same sum, as smp does. *source* is what an error calls them. Raises ModelError, naming the
    first tensor that does not fit, where they are those of another encoder.
    """
    encoder: Any = network.encoder
    expected: dict[str, torch.Tensor] = encoder.state_dict()
    found = max(_namings(tensors), key=lambda naming: len(naming.keys() & expected.keys()))
    parts = {name.split(".")[0] for name in expected}
    found = {name: tensor for name, tensor in found.items() if name.split(".")[0] in parts}
    for name, tensor in expected.items():
        if name not in found and name.endswith("num_batches_tracked"):  # not in files of old
            found[name] = tensor
    entry = next((name for name, tensor in expected.items() if tensor.ndim == 4), None)
    if entry in found:
        found[entry] = _for_bands(found[entry], expected[entry])
    check_tensors(f"{source}: another encoder's tensors", expected, found)
    encoder.load_state_dict(found)


def _namings(tensors: Mapping[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """Return the tensors under the names they would have in an encoder alone, by where they may come from.

    An encoder by itself, a network of smp, a training of it, and timm (which smp wraps as 'model').
    """
    stripped = [
        {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        for prefix in ("", "encoder.", "model.encoder.")
    ]
    return [*stripped, {f"model.{name}": tensor for name, tensor in tensors.items()}]


def _for_bands(filters: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Return *filters* (out, band, row, col) for the number of bands of *expected*; others are left as is."""
    given, wanted = filters.shape[1], expected.shape[1]
    if given == wanted or filters.shape[0] != expected.shape[0] or filters.shape[2:] != expected.shape[2:]:
        return filters
    return filters[:, [band % given for band in range(wanted)]] * (given / wanted)
