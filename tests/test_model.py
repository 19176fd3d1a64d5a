"""Model packages: what is saved comes back, what is damaged is refused in one line."""

from __future__ import annotations

import json
import os
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import torch

from geoai.errors import ModelError
from geoai.model import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    SHIPPED,
    ModelPackage,
    build_network,
    check_fits,
    find_package,
    fold_batch_norm,
    load_segmenter,
    save_package,
)


def lively_network() -> torch.nn.Module:
    """A network whose batch norms have seen data, so that folding them has something to fold."""
    torch.manual_seed(3)
    network = build_network("unet", "mobilenet_v2", band_count=3, class_count=2)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, 64, 64) * 4 - 2)
    return network.eval()


def save(folder: Path, network: torch.nn.Module, **changes: Any) -> ModelPackage:
    described: dict[str, Any] = {
        "id": "roofs",
        "architecture": "unet",
        "encoder": "mobilenet_v2",
        "bands": ("red", "green", "blue"),
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "gsd_range_m": (0.12, 0.35),
        "classes": ("building",),
        "temperature": 1.7,
        "properties": {"datetime": "2026-01-01T00:00:00Z", "license": "MIT"},
    }
    return save_package(folder, network.state_dict(), **(described | changes))


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return lively_network()


@pytest.fixture
def package(tmp_path: Path, network: torch.nn.Module) -> ModelPackage:
    return save(tmp_path / "roofs", network)


@pytest.fixture
def chip() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (3, 96, 64), np.uint8)


def test_what_is_saved_is_what_is_found(package: ModelPackage) -> None:
    found = find_package(str(package.folder))
    assert found == package
    assert found.bands == ("red", "green", "blue")
    assert found.classes == ("building",)
    assert found.temperature == 1.7
    assert found.gsd_range_m == (0.12, 0.35)
    assert found.mean == pytest.approx(IMAGENET_MEAN, abs=1e-7)
    assert found.std == pytest.approx(IMAGENET_STD, abs=1e-7)


def test_probability_is_softmax_of_the_networks_logits_over_the_temperature(
    package: ModelPackage, network: torch.nn.Module, chip: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    with torch.inference_mode():
        scaled = torch.from_numpy(chip)[None].float() / 255
        scaled = (scaled - torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)) / torch.tensor(IMAGENET_STD).view(
            1, 3, 1, 1
        )
        background, building = (network(scaled) / 1.7)[0].double()
        expected = 1 / (1 + torch.exp(background - building))
    seen = load_segmenter(package, precision="fp32")(chip)
    assert seen.shape == (1, 96, 64)
    assert seen.dtype == np.float32
    assert expected.std() > 0.01  # a constant would agree with anything
    np.testing.assert_allclose(seen[0], expected.numpy(), atol=3e-3)  # stored in fp16


def test_bf16_stays_near_fp32(package: ModelPackage, chip: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    exact = load_segmenter(package, precision="fp32")(chip)
    fast = load_segmenter(package, precision="bf16")(chip)
    assert not np.array_equal(exact, fast)
    assert np.abs(exact - fast).mean() < 0.01


def test_folding_batch_norm_changes_nothing_and_leaves_none(network: torch.nn.Module) -> None:
    folded = build_network("unet", "mobilenet_v2", band_count=3, class_count=2)
    folded.load_state_dict(network.state_dict())
    folded.eval()
    fold_batch_norm(folded)
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), network(x), atol=1e-4, rtol=1e-4)
    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_several_threads_get_what_one_gets(package: ModelPackage) -> None:
    segment = load_segmenter(package, precision="fp32")
    chips = [np.random.default_rng(n).integers(0, 256, (3, 64, 64), np.uint8) for n in range(8)]
    alone = [segment(chip) for chip in chips]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(segment, chips))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(3, 96, 65), (3, 33, 64), (4, 64, 64)])
def test_chip_of_wrong_shape_is_refused(package: ModelPackage, shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="sides of whole 32 px"):
        load_segmenter(package, precision="fp32")(np.zeros(shape, np.uint8))


def test_unknown_name_lists_what_is_shipped() -> None:
    with pytest.raises(
        ModelError, match=r"^model 'bildings': expected a folder or a shipped package \(.*\), found"
    ):
        find_package("bildings")


def test_missing_weights_are_named(package: ModelPackage) -> None:
    package.weights.unlink()
    with pytest.raises(
        ModelError, match=rf"^{re.escape(str(package.weights))}: expected the model's weights"
    ):
        find_package(str(package.folder))


def test_folder_without_item_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected one STAC item \(\*\.json\), found 0$"):
        find_package(str(tmp_path))


def test_changed_weights_are_refused(package: ModelPackage) -> None:
    changed = bytearray(package.weights.read_bytes())
    changed[-1] ^= 1
    package.weights.write_bytes(changed)
    with pytest.raises(ModelError, match=rf"expected SHA-256 {package.checksum}, found [0-9a-f]{{64}}$"):
        find_package(str(package.folder))


def edit_item(package: ModelPackage, **properties: Any) -> Path:
    path = package.folder / f"{package.id}.json"
    item = json.loads(path.read_text())
    item["properties"] |= properties
    path.write_text(json.dumps(item))
    return path


def test_unknown_architecture_is_refused(package: ModelPackage) -> None:
    edit_item(package, **{"geoai:architecture": "segformer"})
    changed = find_package(str(package.folder))
    with pytest.raises(
        ModelError, match=r"^model roofs: expected an architecture of unet .* found segformer with"
    ):
        load_segmenter(changed, precision="fp32")


def test_item_of_another_schema_is_refused(package: ModelPackage) -> None:
    path = package.folder / "roofs.json"
    item = json.loads(path.read_text())
    item["stac_extensions"] = ["https://stac-extensions.github.io/ml-model/v1.0.0/schema.json"]
    path.write_text(json.dumps(item))
    with pytest.raises(
        ModelError, match=r"expected a STAC item of .*/mlm/v1\.5\.2/.*, found .*/ml-model/v1\.0\.0/"
    ):
        find_package(str(package.folder))


def test_item_without_our_keys_is_refused(package: ModelPackage) -> None:
    path = package.folder / "roofs.json"
    item = json.loads(path.read_text())
    del item["properties"]["geoai:temperature"]
    path.write_text(json.dumps(item))
    with pytest.raises(
        ModelError, match=r"expected the key 'geoai:temperature' of a geoai model, found none$"
    ):
        find_package(str(package.folder))


def test_damaged_item_is_refused(package: ModelPackage) -> None:
    (package.folder / "roofs.json").write_text('{"type": "Feature",')
    with pytest.raises(ModelError, match=r"roofs\.json: expected a readable STAC item, found"):
        find_package(str(package.folder))


def test_tensors_of_wrong_shape_are_refused(tmp_path: Path, network: torch.nn.Module) -> None:
    with_three_classes = save(tmp_path / "m", network, classes=("building", "road"))
    with pytest.raises(
        ModelError, match=r"segmentation_head\.0\.weight: expected \(3, .*\), found \(2, .*\)$"
    ):
        load_segmenter(with_three_classes, precision="fp32")


def test_pickle_is_never_loaded(package: ModelPackage) -> None:
    """A file of the right name and checksum that holds a pickle is refused, and nothing in it runs."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(package.folder / "boom"),))

    package.weights.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match="expected a safetensors file"):
        load_segmenter(package, precision="fp32")
    assert not (package.folder / "boom").exists()


def test_model_fits_what_it_was_made_for(package: ModelPackage) -> None:
    check_fits(package, ("red", "green", "blue"), 0.12)
    check_fits(package, ("red", "green", "blue", "nir"), 0.35)
    with pytest.raises(
        ModelError, match=r"expected the bands red, green, blue, found nir, red, green \(no blue\)$"
    ):
        check_fits(package, ("nir", "red", "green"), 0.2)
    with pytest.raises(ModelError, match=r"expected a GSD of 0\.12 to 0\.35 m, found 0\.5 m; tiling\.gsd_m"):
        check_fits(package, ("red", "green", "blue"), 0.5)


def test_importing_the_module_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = "import sys, geoai.model; print([m for m in ('torch', 'torchgeo') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def items_to_validate(tmp_path: Path, network: torch.nn.Module) -> list[Path]:
    save(tmp_path / "roofs", network)
    return [tmp_path / "roofs" / "roofs.json", *SHIPPED.glob("*/*.json")]


@pytest.mark.usefixtures("stac_schemas")
def test_items_are_valid_stac_and_mlm(tmp_path: Path, network: torch.nn.Module) -> None:
    for path in items_to_validate(tmp_path, network):
        assert len(pystac.Item.from_file(str(path)).validate()) == 3


def test_items_open_in_pystac(tmp_path: Path, network: torch.nn.Module) -> None:
    for path in items_to_validate(tmp_path, network):
        item = pystac.Item.from_file(str(path))
        asset = item.assets["model"]
        weights = path.parent / asset.href
        assert asset.extra_fields["file:size"] == weights.stat().st_size
        assert weights.stat().st_size < 30e6
