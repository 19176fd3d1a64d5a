"""A model package that takes bright red for a roof: other processes can load it, and it is quick."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from geoai.model import ModelPackage, save_package


def save_red_roofs(folder: Path) -> ModelPackage:
    """Write the package *folder*: p = 0.95 where red is above 150, 0.01 elsewhere."""
    kernel = np.zeros((2, 3, 1, 1), np.float32)
    kernel[1, 0] = 1000.0  # of red, 0 … 1: a step
    low, high = np.log(0.01 / 0.99), np.log(0.95 / 0.05)
    values = {
        "kernel": kernel,
        "shift": np.array([0.0, -1000.0 * 150.5 / 255], np.float32),
        "zero": np.array(0.0, np.float32),
        "one": np.array(1.0, np.float32),
        "gain": np.array([0.0, high - low], np.float32).reshape(1, 2, 1, 1),
        "least": np.array([0.0, low], np.float32).reshape(1, 2, 1, 1),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["chip", "kernel", "shift"], ["red"]),
            helper.make_node("Clip", ["red", "zero", "one"], ["step"]),
            helper.make_node("Mul", ["step", "gain"], ["scaled"]),
            helper.make_node("Add", ["scaled", "least"], ["logits"]),
        ],
        "red roofs",
        [helper.make_tensor_value_info("chip", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2, "h", "w"])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f"{folder.name}.onnx"
    onnx.save(made, path)
    package = save_package(
        folder,
        path,
        id=folder.name,
        architecture="red roofs",
        bands=("red", "green", "blue"),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        gsd_range_m=(0.12, 0.35),
        classes=("building",),
        properties={"datetime": "2026-01-01T00:00:00Z", "license": "MIT"},
    )
    path.unlink()
    return package
