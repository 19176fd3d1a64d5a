"""Model packages: a folder with a network's weights, a STAC item that describes them, and a card.

`ID.safetensors` holds tensors and nothing else, of a network that is rebuilt from the names in its item;
`ID.onnx`, in its place, holds an exported network. `ID.json` is one STAC item of the MLM extension (see
`geoai.mlm`); `card.md` is for people. No code and no pickle is ever loaded from a package. torch is imported
where weights are read, not here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoai.calibration import ObjectCalibration, PixelCalibration
from geoai.errors import ConfigError, ModelError
from geoai.files import appearing_whole, sha256_of
from geoai.mlm import ModelPackage, model_item, read_item
from geoai.network import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    STRIDE_PX,
    build_network,
    check_tensors,
    fold_batch_norm,
    load_encoder,
    starting_weights,
    stride_of,
    try_network,
)
from geoai.segmenter import Segmenter, has_bf16, load_segmenter, open_graph, try_segmenter

if TYPE_CHECKING:
    import torch

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "SHIPPED",
    "STRIDE_PX",
    "ModelPackage",
    "Segmenter",
    "add_package",
    "band_of",
    "build_network",
    "check_fits",
    "find_package",
    "fold_batch_norm",
    "has_bf16",
    "load_encoder",
    "load_segmenter",
    "package_folders",
    "save_package",
    "starting_weights",
]

SHIPPED = Path(__file__).parent / "models"


def package_folders(folders: Sequence[Path] = ()) -> list[Path]:
    """Return the folders of packages: the shipped ones, then those in *folders*, by name."""
    return [
        path
        for folder in (SHIPPED, *folders)
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    ]


def find_package(name_or_path: str, *, folders: Sequence[Path] = ()) -> ModelPackage:
    """Return the package of that name, shipped or in one of *folders*, else the one at that path.

    Its checksum is verified. Raises ModelError where there is none, where two have the name (a path says
    which), or where its item or weights are not what they should be.
    """
    known = package_folders(folders)
    named = [path for path in known if path.name == name_or_path]
    if len(named) > 1:
        raise ModelError(
            f"model {name_or_path!r}: expected one of that name, found {' and '.join(map(str, named))}; "
            "the path of one says which"
        )
    folder = named[0] if named else Path(name_or_path)
    if not folder.is_dir():
        places = " or ".join(["a shipped package", *(f"one in {folder}" for folder in folders)])
        names = ", ".join(sorted({path.name for path in known}))
        raise ModelError(f"model {name_or_path!r}: expected a folder or {places} ({names}), found none")
    items = sorted(folder.glob("*.json"))
    if len(items) != 1:
        raise ModelError(f"{folder}: expected one STAC item (*.json), found {len(items)}")
    package = read_item(items[0])
    if package.id != items[0].stem:
        raise ModelError(f"{items[0]}: expected id {items[0].stem!r}, found {package.id!r}")
    if links := [path for path in folder.rglob("*") if path.is_symlink()]:
        raise ModelError(f"{links[0]}: expected a file of the package, found a link to {links[0].readlink()}")
    if not package.weights.is_file():
        raise ModelError(f"{package.weights}: expected the model's weights, found none")
    found = sha256_of(package.weights)
    if found != package.checksum:
        raise ModelError(f"{package.weights}: expected SHA-256 {package.checksum}, found {found}")
    return package


def band_of(package: ModelPackage, theme: str) -> int:
    """Return the band (from 1) of the class *theme* in the probabilities; ConfigError where there is none."""
    if theme not in package.classes:
        raise ConfigError(f"map.theme: expected one of {', '.join(package.classes)}, found {theme}")
    return package.classes.index(theme) + 1


def check_fits(package: ModelPackage, bands: Sequence[str], gsd_m: float) -> None:
    """Raise ModelError unless imagery with these *bands* and this GSD (m) is what the model was made for."""
    needed = [band for band in package.bands if band not in package.optional_bands]
    if missing := [band for band in needed if band not in bands]:
        raise ModelError(
            f"model {package.id}: expected the bands {', '.join(needed)}, "
            f"found {', '.join(bands) or 'none'} (no {', '.join(missing)})"
        )
    low, high = package.gsd_range_m
    if not low - 1e-6 <= gsd_m <= high + 1e-6:
        raise ModelError(
            f"model {package.id}: expected a GSD of {low:g} to {high:g} m, found {gsd_m:g} m; "
            "tiling.gsd_m sets the lattice's"
        )


def save_package(
    folder: Path,
    weights: Mapping[str, torch.Tensor] | Path,
    *,
    id: str,  # noqa: A002  (STAC's word)
    architecture: str,
    bands: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    gsd_range_m: tuple[float, float],
    classes: tuple[str, ...],
    properties: Mapping[str, Any],
    encoder: str = "",
    options: Mapping[str, Any] | None = None,
    optional_bands: tuple[str, ...] = (),
    calibration: PixelCalibration | None = None,
    object_calibration: ObjectCalibration | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> ModelPackage:
    """Write a package into *folder* (made if missing) and return it as read back.

    *weights*: the tensors of the network of that *architecture*, *encoder* and *options*, under their smp
    names, whose floating point is stored as fp16; or the ONNX file of an exported network, see
    `segmenter.open_graph`. *properties* go into the STAC item as they are (STAC asks for 'datetime'),
    *metrics* as geoai:metrics. The card, card.md, is the caller's to write. Raises ModelError, with nothing
    written, where the network is not the one described or does not run.
    """
    exported = isinstance(weights, Path)
    package = ModelPackage(
        id=id,
        folder=folder,
        checksum="",
        artifact="onnx" if exported else "safetensors",
        architecture=architecture,
        encoder=encoder,
        bands=bands,
        mean=mean,
        std=std,
        gsd_range_m=gsd_range_m,
        classes=classes,
        calibration=calibration or PixelCalibration(),
        options=options or {},
        optional_bands=optional_bands,
        object_calibration=object_calibration,
    )
    if isinstance(weights, Path):
        open_graph(weights, weights.read_bytes(), band_count=len(bands), class_count=len(classes) + 1)
        parameters = None
    else:
        package = replace(package, stride=_stride(package, weights))
        parameters = sum(tensor.numel() for tensor in weights.values() if tensor.is_floating_point())
    folder.mkdir(parents=True, exist_ok=True)
    with appearing_whole(package.weights) as partial:
        if isinstance(weights, Path):
            shutil.copyfile(weights, partial)
        else:
            _write_tensors(weights, partial)
    package = replace(package, checksum=sha256_of(package.weights))
    size = package.weights.stat().st_size
    item = model_item(package, size=size, parameters=parameters, properties=properties, metrics=metrics or {})
    with appearing_whole(package.item) as partial:
        partial.write_text(json.dumps(item, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return find_package(str(folder))


def _stride(package: ModelPackage, state: Mapping[str, torch.Tensor]) -> int:
    """Return the stride of the package's network, which is built, given its tensors and tried."""
    band_count, class_count = len(package.bands), len(package.classes) + 1
    try:
        network = build_network(
            package.architecture,
            package.encoder,
            band_count=band_count,
            class_count=class_count,
            options=package.options,
        )
        check_tensors("its tensors", network.state_dict(), state)
        network.load_state_dict(state)
        try_network(network, band_count=band_count, class_count=class_count)
    except ModelError as error:
        raise ModelError(f"model {package.id}: {error}") from error
    return stride_of(network)


def _write_tensors(state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write tensors as safetensors, floating point as fp16 where that can hold it."""
    import safetensors.torch

    def compact(tensor: torch.Tensor) -> torch.Tensor:
        half = tensor.half() if tensor.is_floating_point() else tensor
        return (half if half.isfinite().all() else tensor).contiguous()

    safetensors.torch.save_file({name: compact(tensor) for name, tensor in state.items()}, path)


def add_package(source: Path, folder: Path) -> ModelPackage:
    """Copy the package at *source* whole into *folder*/ID, once it is seen to be right and to run.

    A package that is there already, file for file the same item and weights, is left as it is. Raises
    ModelError where it is not right, where another is there under the id, or a shipped one has it.
    """
    import pystac

    package = find_package(str(source))
    try:
        pystac.Item.from_file(str(package.item))
    except (pystac.STACError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{package.item}: expected a STAC item, found {error}") from error
    if (SHIPPED / package.id).is_dir():
        raise ModelError(f"{package.item}: expected an id of its own, found {package.id!r}, which is shipped")
    target = folder / package.id
    if target.is_dir():
        there = find_package(str(target))
        for here, found in ((package.weights, there.weights), (package.item, there.item)):
            if (new := sha256_of(here)) != (old := sha256_of(found)):
                raise ModelError(
                    f"{found}: expected SHA-256 {new} of {here}, found {old}; remove {target} to replace it"
                )
        return there
    try_segmenter(package)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{package.id}.partial"
    shutil.rmtree(partial, ignore_errors=True)  # of an earlier copy that was stopped
    shutil.copytree(source, partial)
    partial.rename(target)
    return find_package(str(target))
