"""Model packages: what is saved comes back, what is damaged is refused in one line."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import load_file, save_file

from geoai.calibration import ObjectCalibration, PixelCalibration
from geoai.errors import ModelError
from geoai.model import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    SHIPPED,
    ModelPackage,
    add_package,
    build_network,
    check_fits,
    find_package,
    fold_batch_norm,
    load_segmenter,
    package_folders,
    save_package,
)
from geoai.segmenter import shared_segmenter

SMALL: dict[str, Any] = {"decoder_channels": [32, 16, 16, 8, 8]}


def lively_network(seed: int = 3, options: dict[str, Any] = SMALL) -> torch.nn.Module:
    """A network whose batch norms have seen data, so that folding them has something to fold."""
    torch.manual_seed(seed)
    network = build_network("unet", "mobilenet_v2", band_count=3, class_count=2, options=options)
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
        "options": SMALL,
        "bands": ("red", "green", "blue"),
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "gsd_range_m": (0.12, 0.35),
        "classes": ("building",),
        "calibration": PixelCalibration(1.7),
        "properties": {"datetime": "2026-01-01T00:00:00Z", "license": "MIT"},
    }
    return save_package(folder, network.state_dict(), **(described | changes))


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return lively_network()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, network: torch.nn.Module) -> Path:
    return save(tmp_path_factory.mktemp("saved") / "roofs", network).folder


@pytest.fixture
def package(tmp_path: Path, saved: Path) -> ModelPackage:
    """A package of one's own, to be damaged."""
    return find_package(str(shutil.copytree(saved, tmp_path / "roofs")))


@pytest.fixture
def chip() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (3, 96, 64), np.uint8)


def test_what_is_saved_is_what_is_found(package: ModelPackage) -> None:
    found = find_package(str(package.folder))
    assert found == package
    assert found.bands == ("red", "green", "blue")
    assert found.classes == ("building",)
    assert found.calibration == PixelCalibration(1.7)
    assert found.stride == 32
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
    folded = build_network("unet", "mobilenet_v2", band_count=3, class_count=2, options=SMALL)
    folded.load_state_dict(network.state_dict())
    folded.eval()
    fold_batch_norm(folded)
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), network(x), atol=1e-4, rtol=1e-4)
    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_another_scaling_of_the_same_weights_is_another_network(package: ModelPackage) -> None:
    other = replace(package, mean=(0.1, 0.2, 0.3))
    first = shared_segmenter(package, "fp32", package.bands)
    assert shared_segmenter(replace(package), "fp32", package.bands) is first
    assert shared_segmenter(other, "fp32", package.bands) is not first


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
        ModelError,
        match=r"^model 'bildings': expected a folder or a shipped package \(buildings\), found none$",
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
    item = json.loads(package.item.read_text())
    item["properties"] |= properties
    package.item.write_text(json.dumps(item))
    return package.item


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"geoai:bands": ["red", "green"]}, "expected a mean for each band, found "),
        ({"geoai:bands": ["red", "red", "blue"]}, "expected bands, each once, found "),
        ({"geoai:optional_bands": ["nir"]}, "expected optional bands that are some of the bands, found "),
        ({"geoai:gsd_range_m": [0.35, 0.12]}, "expected a range of GSD, found "),
        ({"geoai:gsd_range_m": [0.12, float("nan")]}, "expected finite scaling of bands, found "),
        ({"geoai:stride_px": 14}, "expected a stride within 32, found 14"),
        ({"geoai:temperature": 0.0}, "expected a positive temperature and finite biases, found 0 and none"),
        ({"geoai:temperature": float("nan")}, "expected a positive temperature .*, found nan"),
        ({"geoai:bias": [0.1, 0.2]}, "expected a bias for each class, or none, found "),
        ({"geoai:bias": [float("inf")]}, "expected a positive temperature and finite biases, found 1.7 and"),
        ({"geoai:object_calibration": {"theme": "building"}}, "expected the item of a geoai model, found "),
        ({"mlm:output": []}, "expected the item of a geoai model, found "),
    ],
)
def test_item_that_contradicts_itself_is_refused(
    package: ModelPackage, changes: dict[str, Any], message: str
) -> None:
    path = edit_item(package, **changes)
    with pytest.raises(ModelError, match=rf"^{re.escape(str(path))}: [^\n]*{message}"):
        find_package(str(package.folder))


def test_weights_that_were_replaced_since_are_not_loaded(package: ModelPackage) -> None:
    """By a worker, which finds the file later, and elsewhere, than the run that names its checksum."""
    expected = f"expected SHA-256 {package.checksum}, found "
    package.weights.write_bytes(package.weights.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=rf"^model roofs: .*roofs\.safetensors: {expected}"):
        load_segmenter(package, precision="fp32")
    package.weights.unlink()
    expected = "expected the model's weights, found No such file or directory"
    with pytest.raises(ModelError, match=rf"^model roofs: .*roofs\.safetensors: {expected}$"):
        load_segmenter(package, precision="fp32")


@pytest.mark.parametrize("kind", ["torch.save", "torch.jit.save", "torch.export.save"])
def test_weights_that_can_hold_code_are_refused(package: ModelPackage, kind: str) -> None:
    item = json.loads(package.item.read_text())
    item["assets"]["model"]["mlm:artifact_type"] = kind
    package.item.write_text(json.dumps(item))
    with pytest.raises(
        ModelError, match=rf"expected weights written by safetensors\S+ or onnx, found {re.escape(kind)}$"
    ):
        find_package(str(package.folder))


def test_unknown_architecture_is_refused(package: ModelPackage) -> None:
    edit_item(package, **{"geoai:architecture": "yournet"})
    changed = find_package(str(package.folder))
    with pytest.raises(ModelError, match=r"^model roofs: expected an architecture of unet, .* found yournet"):
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
    message = r"segmentation_head\.0\.weight: expected \(3, .*\), found \(2, .*\)$"
    with pytest.raises(ModelError, match=message):
        save(tmp_path / "m", network, classes=("building", "road"))
    assert not (tmp_path / "m").exists()
    path = edit_item(save(tmp_path / "m", network))
    item = json.loads(path.read_text())
    item["properties"]["mlm:output"][0]["classification:classes"].append({"value": 2, "name": "road"})
    path.write_text(json.dumps(item))
    with pytest.raises(ModelError, match=message):
        load_segmenter(find_package(str(tmp_path / "m")), precision="fp32")


def test_pickle_is_never_loaded(package: ModelPackage) -> None:
    """A file of the right name and checksum that holds a pickle is refused, and nothing in it runs."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(package.folder / "boom"),))

    package.weights.write_bytes(pickle.dumps(Bomb()))
    changed = replace(package, checksum=sha256(package.weights.read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="expected a safetensors file"):
        load_segmenter(changed, precision="fp32")
    assert not (package.folder / "boom").exists()


FITTED = ObjectCalibration("building", (0.9, 1.1), -6.5, 367, 281, 0.12, 0.03, "Tartu")


def test_all_that_is_said_of_a_package_comes_back(tmp_path: Path, network: torch.nn.Module) -> None:
    said: dict[str, Any] = {
        "calibration": PixelCalibration(1.31, (-0.25,)),
        "object_calibration": FITTED,
        "optional_bands": ("blue",),
        "gsd_range_m": (0.1, 0.5),
    }
    package = save(tmp_path / "m", network, **said, metrics={"iou": 0.6, "objects": {"f1": 0.83}})
    for name, value in said.items():
        assert getattr(package, name) == value
    assert package.properties()["geoai:metrics"] == {"iou": 0.6, "objects": {"f1": 0.83}}
    assert hash(package) == hash(find_package(str(tmp_path / "m")))


def test_saving_again_changes_the_item_alone(package: ModelPackage, network: torch.nn.Module) -> None:
    again = save(package.folder, network, metrics={"iou": 0.6})
    assert again == package
    assert again.properties()["geoai:metrics"] == {"iou": 0.6}


def test_weights_beyond_fp16_are_stored_as_they_are(tmp_path: Path, network: torch.nn.Module) -> None:
    state = dict(network.state_dict())
    name = "encoder.features.0.1.running_var"
    state[name] = state[name] + 1e5
    large = build_network("unet", "mobilenet_v2", band_count=3, class_count=2, options=SMALL)
    large.load_state_dict(state)
    package = save(tmp_path / "m", large)
    stored = load_file(package.weights)
    torch.testing.assert_close(stored[name], state[name])
    assert stored["segmentation_head.0.weight"].dtype == torch.float16


def test_network_that_is_not_the_one_named_is_not_saved(tmp_path: Path, network: torch.nn.Module) -> None:
    with pytest.raises(ModelError, match=r"^model roofs: its tensors: \S+: expected \(\d.*\), found none$"):
        save(tmp_path / "m", network, architecture="fpn", options={})
    with pytest.raises(
        ModelError, match=r"^model roofs: fpn: expected options of .*, found decoder_channels$"
    ):
        save(tmp_path / "m", network, architecture="fpn")
    assert not (tmp_path / "m").exists()


def test_a_package_of_old_answers_to_the_byte_as_it_did(
    tmp_path: Path, chip: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    """The first packages' items know a temperature alone: softmax over it, and nothing else, as ever."""
    package = save(tmp_path / "m", lively_network(options={}), options={})
    properties = package.properties()
    later = {"bias", "options", "optional_bands", "object_calibration", "metrics"}
    assert not set(properties) & {f"geoai:{name}" for name in later}
    network = smp.Unet("mobilenet_v2", encoder_weights=None, in_channels=3, classes=2)
    network.load_state_dict(
        {n: t.float() if t.is_floating_point() else t for n, t in load_file(package.weights).items()}
    )
    network.eval()
    fold_batch_norm(network)
    network.to(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) * 255 for values in (package.mean, package.std))
    with torch.inference_mode():
        scaled = ((torch.from_numpy(chip)[None].float() - mean) / std).contiguous(
            memory_format=torch.channels_last
        )
        expected = torch.softmax(network(scaled) / properties["geoai:temperature"], dim=1)[0, 1:].numpy()
    seen = load_segmenter(package, precision="fp32")(chip)
    assert seen.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_model_fits_what_it_was_made_for(package: ModelPackage) -> None:
    check_fits(package, ("red", "green", "blue"), 0.12)
    check_fits(package, ("red", "green", "blue", "nir"), 0.35)
    with pytest.raises(
        ModelError, match=r"expected the bands red, green, blue, found nir, red, green \(no blue\)$"
    ):
        check_fits(package, ("nir", "red", "green"), 0.2)
    with pytest.raises(ModelError, match=r"expected a GSD of 0\.12 to 0\.35 m, found 0\.5 m; tiling\.gsd_m"):
        check_fits(package, ("red", "green", "blue"), 0.5)


def test_optional_bands_may_be_missing(tmp_path: Path, network: torch.nn.Module) -> None:
    package = save(tmp_path / "m", network, bands=("red", "green", "nir"), optional_bands=("nir",))
    check_fits(package, ("red", "green", "blue"), 0.2)
    with pytest.raises(ModelError, match=r"expected the bands red, green, found green, nir \(no red\)$"):
        check_fits(package, ("green", "nir"), 0.2)


@pytest.mark.parametrize(
    ("bands", "imagery", "read"),
    [
        (("red", "green", "blue"), ("red", "green", "blue", "nir"), ("red", "green", "blue")),
        (("red", "green", "nir"), ("red", "green", "blue", "nir"), ("red", "green", "blue", "nir")),
        (("red", "green", "nir"), ("red", "green", "blue"), ("red", "green")),
    ],
)
def test_no_band_is_read_in_vain_after_the_last_that_counts(
    package: ModelPackage, bands: tuple[str, ...], imagery: tuple[str, ...], read: tuple[str, ...]
) -> None:
    assert replace(package, bands=bands).read_bands(imagery) == read


def test_a_package_is_found_by_name_in_the_folders_given(tmp_path: Path, network: torch.nn.Module) -> None:
    package = save(tmp_path / "models" / "roofs", network)
    assert find_package("roofs", folders=[tmp_path / "models"]) == package
    assert package.folder in package_folders([tmp_path / "models"])
    with pytest.raises(
        ModelError, match=r"expected a folder or a shipped package \(buildings\), found none$"
    ):
        find_package("roofs")
    with pytest.raises(
        ModelError, match=r"or a shipped package or one in \S+ or one in \S+ \(buildings, roofs\), found"
    ):
        find_package("rofs", folders=[tmp_path / "models", tmp_path / "none"])


def test_two_packages_of_one_name_have_to_be_told_apart(tmp_path: Path, network: torch.nn.Module) -> None:
    own = save(tmp_path / "buildings", network, id="buildings")
    with pytest.raises(
        ModelError, match=r"^model 'buildings': expected one of that name, found \S+ and \S+; the path"
    ):
        find_package("buildings", folders=[tmp_path])
    assert find_package(str(tmp_path / "buildings"), folders=[tmp_path]) == own


def test_a_package_is_added_whole_and_only_once(
    tmp_path: Path, package: ModelPackage, network: torch.nn.Module
) -> None:
    (package.folder / "failures").mkdir()
    (package.folder / "failures" / "1.jpg").write_bytes(b"a chip")
    models = tmp_path / "data" / "models"
    added = add_package(package.folder, models)
    assert added.folder == models / "roofs"
    assert (added.folder / "failures" / "1.jpg").read_bytes() == b"a chip"
    assert [path.name for path in models.iterdir()] == ["roofs"]
    assert add_package(package.folder, models) == added

    other = save(tmp_path / "other", lively_network(seed=4))
    with pytest.raises(
        ModelError,
        match=rf"expected SHA-256 {other.checksum} of .*, found {added.checksum}; remove .* to replace",
    ):
        add_package(other.folder, models)
    save(package.folder, network, calibration=PixelCalibration(2.0))
    with pytest.raises(ModelError, match=r"roofs\.json: expected SHA-256 \w{64} of .*, found \w{64}; remove"):
        add_package(package.folder, models)
    assert find_package("roofs", folders=[models]) == added


def test_a_package_that_does_not_run_is_not_added(tmp_path: Path, package: ModelPackage) -> None:
    stored = load_file(package.weights)
    stored["segmentation_head.0.bias"][1] = torch.nan
    save_file(stored, package.weights)
    item = json.loads(package.item.read_text())
    item["assets"]["model"]["file:checksum"] = "1220" + sha256(package.weights.read_bytes()).hexdigest()
    package.item.write_text(json.dumps(item))
    with pytest.raises(
        ModelError, match=r"expected finite probabilities of 1 classes, found \(1, .*\), 0% of"
    ):
        add_package(package.folder, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_an_item_that_is_no_stac_is_not_added(tmp_path: Path, package: ModelPackage) -> None:
    edit_item(package, datetime="yesterday")
    with pytest.raises(ModelError, match=r"roofs\.json: expected a STAC item, found"):
        add_package(package.folder, tmp_path / "models")


def test_the_id_of_a_shipped_package_stays_its_own(tmp_path: Path, network: torch.nn.Module) -> None:
    save(tmp_path / "m", network, id="buildings")
    with pytest.raises(ModelError, match=r"expected an id of its own, found 'buildings', which is shipped$"):
        add_package(tmp_path / "m", tmp_path / "models")


def tell(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """Run `geoai model …` and return what it prints."""
    from typer.main import get_command

    from geoai import cli
    from geoai.commands.terminal import console

    console.width = 200
    get_command(cli.app)(["model", *map(str, words)], standalone_mode=False)
    return capsys.readouterr().out


def test_models_are_added_listed_and_shown(
    tmp_path: Path, network: torch.nn.Module, capsys: pytest.CaptureFixture[str]
) -> None:
    package = save(
        tmp_path / "m",
        network,
        optional_bands=("blue",),
        metrics={"objects": {"f1": 0.83}},
        object_calibration=FITTED,
    )
    package.card.write_text("# Card of roofs\n\nNot for [red]greenhouses[/].\x1b[2J")
    data = tmp_path / "data"
    assert str(data / "models" / "roofs") in tell(capsys, "add", package.folder, "--data", data)
    listed = tell(capsys, "list", "--data", data)
    (line,) = [line for line in listed.splitlines() if "roofs" in line]
    for said in ("red, green, (blue)", "0.12 to 0.35", "building", "MIT"):
        assert said in line
    assert " buildings " in listed
    shown = tell(capsys, "show", "roofs", "--data", data)
    for said in (package.checksum, "temperature 1.7, bias none", '"f1": 0.83', "0.030 after"):
        assert said in shown
    assert "Card of roofs" in shown
    assert "Not for [red]greenhouses[/].[2J" in shown


def test_a_damaged_model_is_listed_as_such(
    tmp_path: Path, package: ModelPackage, capsys: pytest.CaptureFixture[str]
) -> None:
    models = tmp_path / "data" / "models"
    shutil.copytree(package.folder, models / "roofs")
    (models / "roofs" / "roofs.safetensors").write_bytes(b"")
    (models / "empty").mkdir()
    listed = tell(capsys, "list", "--data", tmp_path / "data")
    damaged = [line for line in listed.splitlines() if line.startswith("damaged")]
    assert len(damaged) == 2
    assert "expected one STAC item (*.json), found 0" in damaged[0]
    assert f"expected SHA-256 {package.checksum}" in damaged[1]


def test_importing_the_module_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = "import sys, geoai.model; print([m for m in ('torch', 'torchgeo') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def items_to_validate(tmp_path: Path, network: torch.nn.Module) -> list[Path]:
    options = {"encoder_depth": 4, "decoder_channels": [32, 16, 16, 8]}
    save(tmp_path / "roofs", network)
    save(
        tmp_path / "sheds",
        build_network("unet", "mobilenet_v2", band_count=4, class_count=3, options=options),
        id="sheds",
        options=options,
        bands=("red", "green", "blue", "nir"),
        optional_bands=("nir",),
        mean=(*IMAGENET_MEAN, 0.4),
        std=(*IMAGENET_STD, 0.2),
        classes=("building", "road"),
        calibration=PixelCalibration(1.2, (0.1, -0.1)),
        object_calibration=FITTED,
        metrics={"iou": 0.6},
    )
    return [tmp_path / "roofs" / "roofs.json", tmp_path / "sheds" / "sheds.json", *SHIPPED.glob("*/*.json")]


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


@pytest.mark.parametrize("name", ["card.md", "more/key.txt", "roofs.safetensors"])
def test_a_package_with_links_out_of_it_is_refused_and_nothing_is_copied(
    package: ModelPackage, tmp_path: Path, name: str
) -> None:
    (tmp_path / "key").write_text("secret")
    link = package.folder / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(tmp_path / "key")
    for use in (
        lambda: find_package(str(package.folder)),
        lambda: add_package(package.folder, tmp_path / "m"),
    ):
        with pytest.raises(
            ModelError, match=rf"{name}: expected a file of the package, found a link to .*key"
        ):
            use()
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("href", ["../other/other.safetensors", "/etc/passwd", "file:///etc/passwd"])
def test_the_weights_are_those_beside_the_item_whatever_its_href_says(
    package: ModelPackage, href: str
) -> None:
    item = json.loads(package.item.read_text())
    item["assets"]["model"]["href"] = href
    package.item.write_text(json.dumps(item))
    assert find_package(str(package.folder)).weights == package.folder / "roofs.safetensors"


@pytest.mark.parametrize("name", ["../roofs", "/roofs", "..", "a/b"])
def test_an_id_that_is_a_path_is_refused(package: ModelPackage, tmp_path: Path, name: str) -> None:
    item = json.loads(package.item.read_text())
    package.item.write_text(json.dumps(item | {"id": name}))
    with pytest.raises(ModelError, match="expected an id of letters, digits"):
        add_package(package.folder, tmp_path / "models")
    assert not (tmp_path / "models").exists()
