"""Reading chips with a model package: the network, rebuilt or exported, between scaling and calibration."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geoai.errors import ModelError
from geoai.mlm import ModelPackage
from geoai.network import TRIAL_PX, build_network, check_tensors, fold_batch_norm, stride_of

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "bf16", "fp32"]
Network: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
"""Returns logits (1, class, row, col), float32, for a scaled chip (1, band, row, col), float32."""


class Segmenter(Protocol):
    """Reads a chip: uint8 (band, row, col), sides multiples of 32 → float32 (class, row, col), 0 … 1."""

    def __call__(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each class, the background left out."""
        ...


def load_segmenter(
    package: ModelPackage, *, precision: Precision, bands: Sequence[str] | None = None
) -> Segmenter:
    """Load the package's network; the result may be called from several threads at once.

    *bands* are those of the chips, in their order (None: the model's). The model's are picked from them by
    name; optional ones that are missing are taken to have their mean everywhere. A network of tensors
    computes on a GPU where PyTorch finds one. auto is bf16 where the device computes in it, else fp32; bf16
    moves probabilities by some 0.01. An exported network computes as it was exported, on the processor.
    Raises ModelError where bands are missing, or the weights are not the network's.
    """
    import torch

    given = package.bands if bands is None else tuple(bands)
    if absent := [band for band in package.bands if band not in (*given, *package.optional_bands)]:
        raise ModelError(
            f"model {package.id}: expected the bands {', '.join(package.bands)}, "
            f"found {', '.join(given)} (no {', '.join(absent)})"
        )
    try:
        network = _exported(package) if package.artifact == "onnx" else _rebuilt(package, precision)
    except ModelError as error:
        raise ModelError(f"model {package.id}: {error}") from error
    present = [number for number, band in enumerate(package.bands) if band in given]
    source = [given.index(package.bands[number]) for number in present]
    mean = torch.tensor(package.mean)[present].view(1, -1, 1, 1) * 255
    std = torch.tensor(package.std)[present].view(1, -1, 1, 1) * 255
    temperature, stride = package.calibration.temperature, package.stride
    bias = torch.tensor((0.0, *package.calibration.bias)).view(1, -1, 1, 1)

    def segment(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        count, height, width = chip.shape
        if count != len(given) or height % stride or width % stride:
            raise ValueError(
                f"expected a chip of {len(given)} bands and sides of whole {stride} px, found {chip.shape}"
            )
        with torch.inference_mode():
            known = torch.from_numpy(chip if given == package.bands else chip[source])
            scaled = (known.unsqueeze(0).float() - mean) / std
            if len(present) < len(package.bands):
                scaled = torch.zeros(1, len(package.bands), height, width).index_copy_(
                    1, torch.tensor(present), scaled
                )
            logits = network(scaled) / temperature
            if package.calibration.bias:
                logits = logits + bias
            return np.ascontiguousarray(torch.softmax(logits, dim=1)[0, 1:].numpy())

    return segment


_LOADED: dict[tuple[Any, ...], Segmenter] = {}
_LOADING = threading.Lock()


def shared_segmenter(package: ModelPackage, precision: Precision, bands: tuple[str, ...]) -> Segmenter:
    """Return the package's network as `load_segmenter` does, loaded once for all threads of the process."""
    key = (package, precision, bands)
    with _LOADING:
        if key not in _LOADED:
            _LOADED.clear()  # one network at a time in memory
            _LOADED[key] = load_segmenter(package, precision=precision, bands=bands)
        return _LOADED[key]


def try_segmenter(package: ModelPackage) -> None:
    """Load a package and have it read a chip; raise ModelError where it does not answer in probabilities."""
    rng = np.random.default_rng(0)
    chip = rng.integers(0, 256, (len(package.bands), *TRIAL_PX), np.uint8)
    try:
        seen = load_segmenter(package, precision="fp32")(chip)
    except (RuntimeError, AssertionError, ValueError) as error:  # how a network says that it cannot read it
        found = " ".join(str(error).split())
        raise ModelError(f"{package.weights}: expected it to read {chip.shape} px, found {found}") from error
    if seen.shape != (len(package.classes), *TRIAL_PX) or not np.isfinite(seen).all():
        raise ModelError(
            f"{package.weights}: expected finite probabilities of {len(package.classes)} classes, "
            f"found {seen.shape}, {np.isfinite(seen).mean():.0%} of them finite"
        )


def has_bf16(device: str = "cpu") -> bool:
    """Whether the device computes in bfloat16 (AVX-512 BF16, AMX, Ampere); elsewhere fp32 is faster."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _rebuilt(package: ModelPackage, precision: Precision) -> Network:
    """Return the network that the package names, with its tensors."""
    import safetensors
    import safetensors.torch
    import torch

    try:
        stored = safetensors.torch.load(_read_weights(package))
    except safetensors.SafetensorError as error:
        raise ModelError(f"{package.weights}: expected a safetensors file, found {error}") from error
    network = build_network(
        package.architecture,
        package.encoder,
        band_count=len(package.bands),
        class_count=len(package.classes) + 1,
        options=package.options,
    )
    check_tensors(str(package.weights), network.state_dict(), stored)
    if package.stride % (stride := stride_of(network)):
        raise ModelError(f"expected a stride of whole {stride} px, found {package.stride}")
    network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in stored.items()})
    network.eval()
    fold_batch_norm(network)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    in_bf16 = precision == "bf16" or (precision == "auto" and has_bf16(device))
    dtype = torch.bfloat16 if in_bf16 else torch.float32
    network.to(device, dtype).to(memory_format=torch.channels_last)

    def logits(scaled: torch.Tensor) -> torch.Tensor:
        chip = scaled.to(device, dtype).contiguous(memory_format=torch.channels_last)
        answer: torch.Tensor = network(chip)
        return answer.float().cpu()

    return logits


def _read_weights(package: ModelPackage) -> bytes:
    """Return the file of weights; a worker finds it later, and elsewhere, than the run that chose it."""
    try:
        content = package.weights.read_bytes()
    except OSError as error:
        found = error.strerror or error
        raise ModelError(f"{package.weights}: expected the model's weights, found {found}") from error
    if (checksum := hashlib.sha256(content).hexdigest()) != package.checksum:
        raise ModelError(f"{package.weights}: expected SHA-256 {package.checksum}, found {checksum}")
    return content


def _exported(package: ModelPackage) -> Network:
    """Return the network of an ONNX file."""
    import torch

    session, name = open_graph(
        package.weights,
        _read_weights(package),
        band_count=len(package.bands),
        class_count=len(package.classes) + 1,
    )

    def logits(scaled: torch.Tensor) -> torch.Tensor:
        (answer,) = session.run(None, {name: scaled.numpy()})
        return torch.from_numpy(answer)

    return logits


def open_graph(path: Path, content: bytes, *, band_count: int, class_count: int) -> tuple[Any, str]:
    """Return onnxruntime's session of the exported network at *path*, and the name of its input.

    The graph is data: no code of its author runs, and no file beside it is read (a tensor kept in one would
    escape the checksum). It reads float32 (1, band, row, col) of any size and answers logits (1, class, row,
    col). Raises ModelError where it is another, or onnxruntime is missing.
    """
    import torch

    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"{path}: expected onnxruntime to read an exported network with, found none; uv sync --extra onnx"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors come as exceptions
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path / "no files beside the graph")
    )
    try:
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise ModelError(f"{path}: expected an ONNX file, found {' '.join(str(error).split())}") from error
    _check_port(path, "input", session.get_inputs(), band_count)
    _check_port(path, "output", session.get_outputs(), class_count)
    return session, session.get_inputs()[0].name


def _check_port(path: Path, side: str, ports: Sequence[Any], channels: int) -> None:
    """Raise ModelError unless a graph's only input (or output) is (1, *channels*, any, any), float32."""
    expected = f"{path}: expected one {side}, tensor(float) of (1, {channels}, any, any)"
    if len(ports) != 1:
        raise ModelError(f"{expected}, found {len(ports)}")
    fits = ports[0].type == "tensor(float)" and len(ports[0].shape) == 4
    wanted = (1, channels, math.nan, math.nan)  # free sides have a name, not a number
    if not fits or any(isinstance(n, int) and n != w for n, w in zip(ports[0].shape, wanted, strict=True)):
        raise ModelError(f"{expected}, found {ports[0].type} of {tuple(ports[0].shape)}")
