"""Reading chips: exported networks answer as what they came from; bands and biases go where they belong."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from numpy.typing import NDArray

from geoai.calibration import PixelCalibration
from geoai.errors import ModelError
from geoai.model import ModelPackage, add_package, build_network, find_package, load_segmenter, save_package

RGBI = ("red", "green", "blue", "nir")
MEAN, STD = (0.4, 0.45, 0.5, 90 / 255), (0.2, 0.21, 0.22, 0.23)
Chip = NDArray[np.uint8]


def save(folder: Path, weights: Any, **changes: Any) -> ModelPackage:
    described: dict[str, Any] = {
        "id": "roofs",
        "architecture": "unet",
        "encoder": "mobilenet_v2",
        "options": {"encoder_depth": 3, "decoder_channels": [16, 8, 8]},
        "bands": RGBI,
        "optional_bands": ("nir",),
        "mean": MEAN,
        "std": STD,
        "gsd_range_m": (0.12, 0.35),
        "classes": ("building",),
        "properties": {"datetime": "2026-01-01T00:00:00Z", "license": "MIT"},
    }
    return save_package(folder, weights, **(described | changes))


def random_chip(bands: int, seed: int = 1) -> Chip:
    return np.random.default_rng(seed).integers(0, 256, (bands, 96, 64), np.uint8)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(5)
    options = {"encoder_depth": 3, "decoder_channels": [16, 8, 8]}
    return build_network("unet", "mobilenet_v2", band_count=4, class_count=2, options=options).eval()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, network: torch.nn.Module) -> ModelPackage:
    return save(tmp_path_factory.mktemp("m"), network.state_dict())


def test_options_and_stride_come_back(package: ModelPackage) -> None:
    assert package.stride == 8
    assert package.options == {"encoder_depth": 3, "decoder_channels": [16, 8, 8]}


@pytest.mark.parametrize(
    ("architecture", "encoder"),
    [
        ("fpn", "resnet18"),
        pytest.param("segformer", "mit_b0", marks=pytest.mark.slow),
        pytest.param("deeplabv3+", "tu-mobilenetv3_small_075", marks=pytest.mark.slow),
        pytest.param("upernet", "tu-convnext_atto", marks=pytest.mark.slow),
    ],
)
def test_a_package_answers_as_the_network_that_was_saved(
    tmp_path: Path, architecture: str, encoder: str
) -> None:
    torch.manual_seed(6)
    network = build_network(architecture, encoder, band_count=3, class_count=3).eval()
    said = {"bands": RGBI[:3], "optional_bands": (), "mean": MEAN[:3], "std": STD[:3], "options": {}}
    names = {"architecture": architecture, "encoder": encoder, "classes": ("building", "road")}
    package = save(tmp_path, network.state_dict(), **said, **names)
    chip = random_chip(3)
    with torch.inference_mode():
        scaled = (chip / 255 - np.array(MEAN[:3])[:, None, None]) / np.array(STD[:3])[:, None, None]
        expected = network(torch.from_numpy(scaled[None]).float()).softmax(dim=1)[0, 1:].numpy()
    assert expected.std() > 1e-3
    np.testing.assert_allclose(load_segmenter(package, precision="fp32")(chip), expected, atol=3e-3)


def test_a_missing_band_is_as_good_as_its_mean(package: ModelPackage) -> None:
    chip = random_chip(3)
    of_three = load_segmenter(package, precision="fp32", bands=RGBI[:3])(chip)
    mean = np.full((1, 96, 64), 90, np.uint8)
    of_four = load_segmenter(package, precision="fp32")(np.concatenate([chip, mean]))
    other = load_segmenter(package, precision="fp32")(np.concatenate([chip, mean * 2]))
    np.testing.assert_allclose(of_three, of_four, atol=1e-5)
    assert np.abs(of_three - other).max() > 2e-3


def test_bands_are_picked_by_name_wherever_they_lie(package: ModelPackage) -> None:
    chip = random_chip(4)
    expected = load_segmenter(package, precision="fp32")(chip)
    turned = load_segmenter(package, precision="fp32", bands=("height", "blue", "green", "nir", "red"))
    seen = turned(np.stack([chip[0] * 0, chip[2], chip[1], chip[3], chip[0]]))
    np.testing.assert_array_equal(seen, expected)
    with pytest.raises(ValueError, match="expected a chip of 5 bands"):
        turned(chip)
    with pytest.raises(
        ModelError, match=r"^model roofs: expected the bands .*, found red, nir \(no green, blue\)$"
    ):
        load_segmenter(package, precision="fp32", bands=("red", "nir"))


def test_a_bias_is_added_after_the_temperature(tmp_path: Path, network: torch.nn.Module) -> None:
    chip = random_chip(4)
    plain = load_segmenter(save(tmp_path / "a", network.state_dict()), precision="fp32")(chip)
    calibration = PixelCalibration(2.0, (-0.7,))
    package = save(tmp_path / "b", network.state_dict(), calibration=calibration)
    seen = load_segmenter(package, precision="fp32")(chip)
    margin = np.log(plain / (1 - plain))
    np.testing.assert_allclose(seen, 1 / (1 + np.exp(0.7 - margin / 2)), atol=1e-5)


def test_a_stride_that_is_not_the_networks_is_refused(tmp_path: Path, network: torch.nn.Module) -> None:
    package = save(tmp_path, network.state_dict())
    package.item.write_text(package.item.read_text().replace('"geoai:stride_px": 8', '"geoai:stride_px": 4'))
    with pytest.raises(ModelError, match=r"^model roofs: expected a stride of whole 8 px, found 4$"):
        load_segmenter(find_package(str(tmp_path)), precision="fp32")


class Graph:
    """A small network, made as an ONNX graph and computed by torch: halve, twice 3 × 3, double."""

    def __init__(self, bands: int = 4, classes: int = 2) -> None:
        rng = np.random.default_rng(7)
        self.first = rng.normal(0, 0.3, (6, bands, 3, 3)).astype(np.float32)
        self.last = rng.normal(0, 0.3, (classes, 6, 3, 3)).astype(np.float32)
        self.bands, self.classes = bands, classes

    def logits(self, scaled: torch.Tensor) -> torch.Tensor:
        hidden = F.conv2d(scaled, torch.from_numpy(self.first), stride=2, padding=1).relu()
        answer = F.conv2d(hidden, torch.from_numpy(self.last), padding=1)
        return F.interpolate(answer, scale_factor=2.0, mode="nearest")

    def write(
        self, path: Path, *, batch: Any = 1, height: Any = "h", width: Any = "w", beside: str = ""
    ) -> Path:
        onnx = pytest.importorskip("onnx", reason="onnx is not installed")
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
        helper, numpy_helper, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT
        constants = [
            numpy_helper.from_array(self.first, "first"),
            numpy_helper.from_array(self.last, "last"),
            numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"),
        ]
        if beside:
            (path.parent / beside).write_bytes(constants[0].raw_data)
            constants[0].ClearField("raw_data")
            constants[0].data_location = onnx.TensorProto.EXTERNAL
            entry = constants[0].external_data.add()
            entry.key, entry.value = "location", beside
        nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        nodes = [
            helper.make_node("Conv", ["chip", "first"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Conv", ["b", "last"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Resize", ["c", "", "scales"], ["logits"], **nearest),
        ]
        size = [batch, self.bands, height, width]
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("chip", kind, size)],
            [helper.make_tensor_value_info("logits", kind, [batch, self.classes, "h2", "w2"])],
            constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        path.write_bytes(model.SerializeToString())
        return path


def save_graph(folder: Path, path: Path, **changes: Any) -> ModelPackage:
    return save(folder, path, architecture="Halver", encoder="", options={}, **changes)


@pytest.mark.parametrize("batch", [1, "n"])
def test_an_exported_network_answers_as_the_network_did(tmp_path: Path, batch: Any) -> None:
    graph = Graph()
    calibration = PixelCalibration(0.8, (0.3,))
    package = save_graph(
        tmp_path / "m", graph.write(tmp_path / "net.onnx", batch=batch), calibration=calibration
    )
    assert package.weights.name == "roofs.onnx"
    assert find_package(str(tmp_path / "m")) == package
    for rows, cols in ((96, 64), (32, 320)):
        chip = np.random.default_rng(2).integers(0, 256, (4, rows, cols), np.uint8)
        scaled = (chip / 255 - np.array(MEAN)[:, None, None]) / np.array(STD)[:, None, None]
        logits = graph.logits(torch.from_numpy(scaled[None]).float()) / 0.8
        logits[:, 1] += 0.3
        seen = load_segmenter(package, precision="auto")(chip)
        np.testing.assert_allclose(seen, logits.softmax(dim=1)[0, 1:], atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch's exporter
def test_a_network_exported_by_torch_answers_as_its_tensors_do(
    tmp_path: Path, network: torch.nn.Module, package: ModelPackage
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    stored = build_network("unet", "mobilenet_v2", band_count=4, class_count=2, options=package.options)
    stored.load_state_dict(
        {n: t.half().float() if t.is_floating_point() else t for n, t in network.state_dict().items()}
    )
    path, size = tmp_path / "net.onnx", {2: "h", 3: "w"}
    torch.onnx.export(
        stored.eval(),
        (torch.zeros(1, 4, 64, 64),),
        path,
        input_names=["chip"],
        output_names=["logits"],
        dynamic_axes={"chip": size, "logits": size},
        dynamo=False,
    )
    exported = save(tmp_path / "m", path)
    chip = random_chip(4)
    np.testing.assert_allclose(
        load_segmenter(exported, precision="fp32")(chip),
        load_segmenter(package, precision="fp32")(chip),
        atol=1e-5,
    )


def test_an_exported_network_takes_part_in_all_that_packages_do(tmp_path: Path) -> None:
    package = save_graph(tmp_path / "m", Graph().write(tmp_path / "net.onnx"))
    assert add_package(package.folder, tmp_path / "models").checksum == package.checksum
    three = load_segmenter(package, precision="fp32", bands=RGBI[:3])
    assert three(random_chip(3)).shape == (1, 96, 64)
    item = package.properties()
    assert (item["mlm:framework"], item["mlm:architecture"]) == ("ONNX", "Halver")
    assert package.stride == 32


@pytest.mark.usefixtures("stac_schemas")
def test_the_item_of_an_exported_network_is_valid(tmp_path: Path) -> None:
    import pystac

    package = save_graph(tmp_path / "m", Graph().write(tmp_path / "net.onnx"))
    item = pystac.Item.from_file(str(package.item))
    assert len(item.validate()) == 3
    assert item.assets["model"].extra_fields["mlm:artifact_type"] == "onnx"


def test_a_changed_graph_is_refused(tmp_path: Path) -> None:
    package = save_graph(tmp_path / "m", Graph().write(tmp_path / "net.onnx"))
    Graph(classes=2).write(package.weights, height="rows")
    with pytest.raises(ModelError, match=rf"roofs\.onnx: expected SHA-256 {package.checksum}, found \w+$"):
        find_package(str(package.folder))


@pytest.mark.parametrize(
    ("graph", "size", "message"),
    [
        (
            Graph(),
            {"height": 512, "width": 512},
            r"one input, .* \(1, 4, any, any\), found .* \(1, 4, 512, 512\)$",
        ),
        (Graph(), {"batch": 8}, r"one input, .* \(1, 4, any, any\), found .* \(8, 4, 'h', 'w'\)$"),
        (Graph(bands=3), {}, r"one input, .* \(1, 4, any, any\), found .* \(1, 3, 'h', 'w'\)$"),
        (Graph(classes=1), {}, r"one output, .* \(1, 2, any, any\), found .* \(1, 1, 'h2', 'w2'\)$"),
    ],
)
def test_a_graph_that_reads_or_answers_something_else_is_refused(
    tmp_path: Path, graph: Graph, size: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=rf"net\.onnx: expected {message}"):
        save_graph(tmp_path / "m", graph.write(tmp_path / "net.onnx", **size))
    assert not (tmp_path / "m").exists()


def test_a_graph_reads_no_file_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors in another file would escape the checksum; and a path may lead anywhere."""
    path = Graph().write(tmp_path / "net.onnx", beside="tensors.bin")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"net\.onnx: expected an ONNX file, found [^\n]*[Ee]xternal data"):
        save_graph(tmp_path / "m", path)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x80\x04K\x01."])
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.onnx: expected an ONNX file, found [^\n]+$"):
        save_graph(tmp_path / "m", tmp_path / "net.onnx")


def test_without_onnxruntime_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    (tmp_path / "net.onnx").write_bytes(b"a graph")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        ModelError, match=r"net\.onnx: expected onnxruntime .*, found none; uv sync --extra onnx$"
    ):
        save_graph(tmp_path / "m", tmp_path / "net.onnx")


def test_a_package_of_the_wrong_kind_of_file_is_refused(tmp_path: Path, network: torch.nn.Module) -> None:
    """An item that calls tensors a graph, checksum and all."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    package = save(tmp_path, network.state_dict())
    package.weights.rename(package.weights.with_suffix(".onnx"))
    package.item.write_text(package.item.read_text().replace("safetensors.torch.save_file", "onnx"))
    changed = find_package(str(tmp_path))
    assert changed.checksum == sha256(changed.weights.read_bytes()).hexdigest()
    with pytest.raises(
        ModelError, match=r"^model roofs: .*roofs\.onnx: expected an ONNX file, found [^\n]+$"
    ):
        load_segmenter(changed, precision="fp32")
