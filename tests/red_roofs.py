"""A model package that other processes can load: bright red is a roof, as for `test_pipeline.RedRoofs`."""

from pathlib import Path

import numpy as np
import pytest

from geoai.model import ModelPackage, save_package

BRIGHT = 150 / 255


def save_red_roofs(folder: Path) -> ModelPackage:
    """Write the package *folder*: one 1 × 1 convolution, as ONNX. Skips where ONNX is not installed."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    helper, numbers, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT
    weight = np.zeros((2, 3, 1, 1), np.float32)
    weight[1, 0] = 60.0
    constants = [
        numbers.from_array(weight, "weight"),
        numbers.from_array(np.array([0, -60 * BRIGHT], np.float32), "bias"),
    ]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["chip", "weight", "bias"], ["logits"])],
        "red",
        [helper.make_tensor_value_info("chip", kind, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("logits", kind, [1, 2, "h", "w"])],
        constants,
    )
    folder.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    exported = folder.with_suffix(".onnx")
    exported.write_bytes(model.SerializeToString())
    package = save_package(
        folder,
        exported,
        id=folder.name,
        architecture="Threshold",
        bands=("red", "green", "blue"),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        gsd_range_m=(0.12, 0.35),
        classes=("building",),
        properties={"datetime": "2026-01-01T00:00:00Z", "license": "MIT"},
    )
    exported.unlink()
    return package
