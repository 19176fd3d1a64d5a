"""Networks by name: every one that is promised can be built, nothing is downloaded, strangers are refused."""

from __future__ import annotations

import os
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from geoai.errors import ModelError
from geoai.network import (
    ARCHITECTURES,
    build_network,
    load_encoder,
    read_tensors,
    starting_weights,
    stride_of,
    try_network,
)

TINY_VIT = "tu-vit_tiny_patch16_224"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lead every way out to a closed port, look into no cache, and wait for nothing."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a network was built by asking another machine")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize(
    ("architecture", "encoder", "stride"),
    [
        ("unet", "mobilenet_v2", 32),
        ("fpn", "tu-mobilenetv3_small_075", 32),
        ("deeplabv3+", "mobilenet_v2", 16),  # torchgeo's name
        ("segformer", "mit_b0", 32),
    ],
)
def test_a_network_is_built_from_names_alone(architecture: str, encoder: str, stride: int) -> None:
    network = build_network(architecture, encoder, band_count=4, class_count=3)
    try_network(network, band_count=4, class_count=3)
    assert stride_of(network) == stride


@pytest.mark.slow
@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_reads_any_whole_32_px(architecture: str) -> None:
    vision = architecture == "dpt"
    encoder, options = (TINY_VIT, {"dynamic_img_size": True}) if vision else ("mobilenet_v2", {})
    network = build_network(architecture, encoder, band_count=3, class_count=2, options=options)
    try_network(network, band_count=3, class_count=2)
    assert 32 % stride_of(network) == 0


def test_options_shape_the_network() -> None:
    options = {"encoder_depth": 4, "decoder_channels": [32, 16, 16, 8]}
    network = build_network("unet", "mobilenet_v2", band_count=3, class_count=2, options=options)
    assert stride_of(network) == 16
    assert network.segmentation_head[0].in_channels == 8  # type: ignore[index, union-attr]


@pytest.mark.parametrize(
    "options",
    [
        {"encoder_weights": "imagenet"},
        {"encoder_name": "resnet18"},
        {"activation": "softmax"},
        {"aux_params": {"classes": 2}},
        {"checkpoint_path": "stranger.pth"},  # timm would load it
        {"pretrained": True},
        {"decoder_chanels": [8]},
    ],
)
def test_options_that_are_not_the_networks_own_are_refused(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ModelError, match=rf"^unet: expected options of decoder_.*, found {name}$"):
        build_network("unet", "mobilenet_v2", band_count=3, class_count=2, options=options)


def test_options_that_do_not_go_together_are_one_line() -> None:
    with pytest.raises(ModelError, match=r"^unet with mobilenet_v2: expected a network .*, found [^\n]+$"):
        build_network(
            "unet", "mobilenet_v2", band_count=3, class_count=2, options={"decoder_channels": [16, 8]}
        )


@pytest.mark.parametrize(
    ("architecture", "encoder", "message"),
    [
        ("resnet", "mobilenet_v2", "expected an architecture of unet, .*, dpt, found resnet$"),
        ("fcn", "mobilenet_v2", "expected an architecture of unet, .*, dpt, found fcn$"),
        ("unet", "mobilnet_v2", "found mobilnet_v2; did you mean mobilenet_v2, "),
        ("unet", "tu-hf-hub:stranger/net", "found tu-hf-hub:stranger/net"),
        ("unet", "tu-local-dir:/srv/net", "found tu-local-dir:/srv/net"),
        ("unet", "vit_tiny_patch16_224", "did you mean tu-vit_tiny_patch16_224"),
    ],
)
@pytest.mark.usefixtures("no_sockets")
def test_unknown_names_are_refused_with_what_there_is(architecture: str, encoder: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build_network(architecture, encoder, band_count=3, class_count=2)


def test_a_network_of_one_size_is_refused() -> None:
    network = build_network("dpt", TINY_VIT, band_count=3, class_count=2)
    with pytest.raises(
        ModelError, match=r"chips of any whole multiples of 32 px, found Input height \(256\)"
    ):
        try_network(network, band_count=3, class_count=2)


def test_a_network_that_answers_no_numbers_is_refused() -> None:
    network = build_network("unet", "mobilenet_v2", band_count=3, class_count=2)
    with torch.no_grad():
        network.segmentation_head[0].bias[0] = torch.nan  # type: ignore[index, union-attr]
    with pytest.raises(ModelError, match=r"found values that are not finite$"):
        try_network(network, band_count=3, class_count=2)


@pytest.fixture(scope="module")
def resnet() -> torch.nn.Module:
    torch.manual_seed(1)
    return build_network("fpn", "resnet18", band_count=3, class_count=2)


def encoder_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return dict(network.encoder.state_dict())  # type: ignore[union-attr, operator]


@pytest.mark.parametrize("prefix", ["", "encoder.", "model.encoder."])
def test_an_encoder_takes_its_tensors_from_where_they_come_from(resnet: torch.nn.Module, prefix: str) -> None:
    tensors = {f"{prefix}{name}": tensor for name, tensor in encoder_of(resnet).items()}
    tensors["fc.weight"] = torch.zeros(1000, 512)  # a classifier's head is of no use
    network = build_network("fpn", "resnet18", band_count=3, class_count=2)
    assert not torch.equal(encoder_of(network)["conv1.weight"], encoder_of(resnet)["conv1.weight"])
    load_encoder(network, tensors, source="w.pth")
    for name, tensor in encoder_of(network).items():
        torch.testing.assert_close(tensor, encoder_of(resnet)[name], rtol=0, atol=0)


def test_an_encoder_of_four_bands_starts_from_three_as_smp_does_it(resnet: torch.nn.Module) -> None:
    network = build_network("fpn", "resnet18", band_count=4, class_count=2)
    load_encoder(network, encoder_of(resnet), source="w.pth")
    by_smp = build_network("fpn", "resnet18", band_count=3, class_count=2)
    by_smp.load_state_dict(resnet.state_dict())
    by_smp.encoder.set_in_channels(4, pretrained=True)  # type: ignore[union-attr, operator]
    torch.testing.assert_close(encoder_of(network)["conv1.weight"], encoder_of(by_smp)["conv1.weight"])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("resnet34", r"layer1\.2\.conv1\.weight: expected no such tensor, found \(64, 64, 3, 3\)$"),
        ("resnet50", r"layer1\.0\.conv1\.weight: expected \(64, 64, 3, 3\), found \(64, 64, 1, 1\)$"),
        ("mobilenet_v2", r"conv1\.weight: expected \(64, 3, 7, 7\), found none$"),
    ],
)
def test_tensors_of_another_encoder_are_refused(resnet: torch.nn.Module, other: str, message: str) -> None:
    tensors = encoder_of(build_network("fpn", other, band_count=3, class_count=2))
    with pytest.raises(ModelError, match=rf"^w\.pth: another encoder's tensors: {message}"):
        load_encoder(resnet, tensors, source="w.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_local_file_of_tensors_is_read(tmp_path: Path, suffix: str, nested: bool) -> None:
    path, tensors = tmp_path / f"w{suffix}", {"conv1.weight": torch.arange(6.0).view(2, 3)}
    if suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors, "epoch": 3} if nested else tensors, path)
    (found,) = starting_weights(path, "resnet18").values()
    torch.testing.assert_close(found, tensors["conv1.weight"])
    assert starting_weights(str(path), "resnet18").keys() == tensors.keys()


class Bomb:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.folder),))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("protocol", [2, None])
def test_a_pickle_is_refused_and_does_not_run(tmp_path: Path, name: str, protocol: int | None) -> None:
    path = tmp_path / name
    if protocol:
        path.write_bytes(pickle.dumps(Bomb(tmp_path / "boom"), protocol))
    else:
        torch.save({"conv1.weight": Bomb(tmp_path / "boom")}, path)
    with pytest.raises(
        ModelError, match=r"w\.\w+: expected a file of tensors and plain values, found [^\n]+$"
    ):
        read_tensors(path)
    assert not (tmp_path / "boom").exists()


def test_a_file_of_other_things_is_refused(tmp_path: Path) -> None:
    torch.save({"lr": 0.1}, tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"expected tensors by name, found dict of other things$"):
        read_tensors(tmp_path / "w.pth")
    with pytest.raises(
        ModelError, match=r"none\.pth: expected a file of tensors and plain values, found none$"
    ):
        starting_weights(tmp_path / "none.pth", "resnet18")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "encoder", ["resnet18", pytest.param("tu-mobilenetv3_small_075", marks=pytest.mark.slow)]
)
def test_imagenet_without_network_is_one_line(encoder: str) -> None:
    with pytest.raises(
        ModelError,
        match=r"^weights imagenet: expected a download, found [^\n]+; without network, a file [^\n]+ "
        r"encoder_weights$",
    ):
        starting_weights("imagenet", encoder)


@pytest.mark.slow  # importing torchgeo takes many seconds
@pytest.mark.usefixtures("no_network")
def test_weights_of_torchgeo_without_network_are_one_line() -> None:
    with pytest.raises(
        ModelError,
        match=r"^weights ResNet18_Weights\.SENTINEL2_RGB_MOCO: expected a download, found [^\n]+; without "
        r"network, a file [^\n]+ encoder_weights$",
    ):
        starting_weights("ResNet18_Weights.SENTINEL2_RGB_MOCO", "resnet18")
    with pytest.raises(ModelError, match=r"^weights ResNet19_Weights\.X: expected imagenet, the name of a"):
        starting_weights("ResNet19_Weights.X", "resnet18")


def test_real_weights_of_imagenet_load_from_a_file(test_data: Path) -> None:
    network = build_network("unet", "mobilenet_v2", band_count=4, class_count=2)
    path = test_data / "weights" / "mobilenet_v2_imagenet.pth"
    load_encoder(network, starting_weights(path, "mobilenet_v2"), source=path.name)
    given = torch.load(path, weights_only=True)
    torch.testing.assert_close(encoder_of(network)["features.18.0.weight"], given["features.18.0.weight"])
