"""Training: the loss and schedule by hand, and a training of seconds from folders to a package that loads."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from geoai.errors import ModelError
from geoai.model import find_package, has_bf16, load_segmenter
from geoai.packing import pack
from geoai.samples import IGNORE
from geoai.settingsfile import load
from geoai.sources import FolderSource
from geoai.training import TrainingSettings, _precision, fit, new_task

# Lightning and torchgeo warn about themselves and about how little this trains.
pytestmark = pytest.mark.filterwarnings("ignore")


def write_tiles(folder: Path, count: int) -> None:
    """Red squares on green ground: a network that learns anything learns these."""
    rng = np.random.default_rng(8)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        image = np.full((128, 128, 3), (60, 120, 60), np.uint8)
        mask = np.zeros((128, 128), np.uint8)
        for row, col in rng.integers(0, 96, (3, 2)):
            mask[row : row + 32, col : col + 32] = 255
        image[mask > 0] = (40, 40, 220)
        noisy = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number:03d}.png"), noisy)
        cv2.imwrite(str(folder / "masks" / f"{number:03d}.png"), mask)


def tiny_settings(tmp_path: Path, **changes: Any) -> TrainingSettings:
    tiles = tmp_path / "tiles"
    if not tiles.exists():
        write_tiles(tiles, 10)
    source = FolderSource(
        name="Squares", folder=tiles, gsd_m=0.2, share=1.0, held_out_every=5, origin="Drawn by this test."
    )
    values: dict[str, Any] = {
        "id": "squares",
        "run": tmp_path / "run",
        "package": tmp_path / "package",
        "folders": (source,),
        "samples": 320,
        "epoch_samples": 80,
        "learning_rate": 0.004,
        "batch": 4,
        "crop_px": 64,
        "gsd_range_m": (0.18, 0.22),
        "validate_every": 2,
        "known_failures": ("Sees nothing but squares.",),
    }
    return TrainingSettings(**(values | changes))


def test_loss_is_cross_entropy_plus_dice_of_the_known_pixels() -> None:
    import torch

    from geoai.task import CrossEntropyAndDice

    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 2, 5, 6))
    target = rng.choice([0, 1, IGNORE], (2, 5, 6))
    background, building = np.moveaxis(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 1, 0)
    known = target != IGNORE
    entropy = -np.where(target == 1, np.log(building), np.log(background))[known].mean()
    true = target == 1
    dice = (2 * building[true].sum() + 64) / (building[known].sum() + true.sum() + 64)
    loss = CrossEntropyAndDice()(torch.from_numpy(logits), torch.from_numpy(target))
    assert float(loss) == pytest.approx(entropy + 1 - dice)


def test_loss_of_nothing_known_is_nothing() -> None:
    import torch

    from geoai.task import CrossEntropyAndDice

    loss = CrossEntropyAndDice()(torch.randn(1, 2, 4, 4), torch.full((1, 4, 4), IGNORE))
    assert float(loss) == pytest.approx(0)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.lists(st.booleans(), min_size=3, max_size=3))
def test_what_a_source_does_not_tell_is_part_of_its_background(seed: int, told: list[bool]) -> None:
    """Probabilities still add up to one; the background's is its own and that of what is not told."""
    import torch

    from geoai.task import merged

    logits = torch.from_numpy(np.random.default_rng(seed).normal(0, 3, (1, 4, 2, 2)))
    before = logits.softmax(dim=1)[0].numpy()
    after = merged(logits, torch.tensor([[True, *told]])).softmax(dim=1)[0].numpy()
    assert after.sum(axis=0) == pytest.approx(1)
    silent = [n for n, is_told in enumerate(told, start=1) if not is_told]
    assert after[0] == pytest.approx(before[0] + before[silent].sum(axis=0))
    assert after[silent] == pytest.approx(0)
    kept = [n for n, is_told in enumerate(told, start=1) if is_told]
    assert after[kept] == pytest.approx(before[kept])


def test_loss_does_not_punish_a_class_that_a_source_does_not_tell() -> None:
    import torch

    from geoai.task import CrossEntropyAndDice

    sure_of_road = torch.tensor([-8.0, -8.0, 8.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    nothing = torch.zeros((1, 8, 8), dtype=torch.long)
    loss = CrossEntropyAndDice()
    assert float(loss(sure_of_road, nothing, torch.tensor([[True, True, False]]))) < 0.01
    assert float(loss(sure_of_road, nothing, torch.tensor([[True, True, True]]))) > 5


def test_band_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    import torch

    task = new_task(tiny_settings(tmp_path, near_infrared=True)).eval()
    chips = torch.randint(0, 255, (2, 4, 64, 64), dtype=torch.uint8)
    other = chips.clone()
    other[:, 3] = 7
    missing = torch.tensor([[True, True, True, False]]).expand(2, 4)
    with torch.no_grad():
        assert torch.equal(task(chips, missing), task(other, missing))
        assert not torch.equal(task(chips), task(other))


@given(st.floats(0, 1))
def test_learning_rate_rises_then_falls(progress: float) -> None:
    from geoai.task import WARM_UP, one_cycle

    assert 0.01 <= one_cycle(progress) <= 1 + 1e-9
    later = min(1.0, progress + 0.01)
    if later <= WARM_UP:
        assert one_cycle(later) >= one_cycle(progress)
    if progress >= WARM_UP:
        assert one_cycle(later) <= one_cycle(progress)


def test_shipped_configuration_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOAI_TEST_DATA", "somewhere")
    settings = load(Path("configs/train.yaml"), TrainingSettings)
    assert settings.folders[0].folder == Path("somewhere/inria")
    assert settings.maps[0].flight.folder == Path("somewhere/tartu/flight")
    assert find_package(str(settings.package)).id == settings.id


def test_negative_share_is_refused() -> None:
    with pytest.raises(ValidationError, match="share"):
        FolderSource(name="a", folder=Path(), gsd_m=0.2, share=0.0, origin="")


def test_packing_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"last\.ckpt: expected a file of tensors and plain values, found none$"
    ):
        pack(tiny_settings(tmp_path))


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="expected something to learn from, found none"):
        tiny_settings(tmp_path, folders=())


def test_two_beginnings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="expected one of them, found both"):
        tiny_settings(tmp_path, start="buildings", encoder_weights="imagenet")


def test_package_of_other_classes_cannot_be_started_from(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, start="buildings", classes=("building", "road"))
    with pytest.raises(
        ModelError,
        match=r"^start: model buildings: expected unet mobilenet_v2, bands red, green, blue, building, road, "
        r"found unet mobilenet_v2, bands red, green, blue, building$",
    ):
        fit(settings)


def test_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    settings.run.mkdir()
    (settings.run / "last.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(
        ModelError, match=r"last\.ckpt: expected a file of tensors and plain values, found "
    ) as caught:
        fit(settings)
    assert "\n" not in str(caught.value)


def test_precision_is_what_this_processor_computes_in() -> None:
    """Emulated bf16 trains at a tenth of the speed of fp32 (measured: 0.19 against 2.0 crops a second)."""
    assert _precision() == ("bf16-mixed" if has_bf16() else "32-true")


def weights_of(path: Path) -> Any:
    import torch

    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.slow
def test_training_learns_goes_on_and_ends_in_a_package(tmp_path: Path) -> None:
    import torch

    settings = tiny_settings(tmp_path)
    fit(settings.model_copy(update={"samples": 160, "first_round": 1.0}))
    first = torch.load(settings.run / "last.ckpt", weights_only=True)
    assert first["global_step"] == 40
    assert not (settings.run / "mined.npz").exists()

    fit(settings)  # goes on from the checkpoint, through mining, into the second round
    second = torch.load(settings.run / "last.ckpt", weights_only=True)
    assert second["global_step"] == 80
    assert second["used_s"] > first["used_s"]
    assert (settings.run / "mined.npz").exists()
    from geoai.curves import read_curves  # Lightning takes long to import: not while tests are collected

    rows = read_curves(settings.run / "curves.csv")
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2, 3]
    assert [bool(row["val_iou"]) for row in rows] == [False, True, False, True]
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    assert cv2.imread(str(settings.run / "curves.png")) is not None

    package = pack(settings)
    assert find_package(str(settings.package)) == package
    segment = load_segmenter(package, precision="fp32")
    tile = cv2.imread(str(tmp_path / "tiles" / "images" / "005.png"))
    mask = cv2.imread(str(tmp_path / "tiles" / "masks" / "005.png"), cv2.IMREAD_GRAYSCALE)
    assert tile is not None
    assert mask is not None
    seen = segment(np.ascontiguousarray(tile[..., ::-1].transpose(2, 0, 1)))[0]
    assert seen[mask > 0].mean() > seen[mask == 0].mean() + 0.1

    card = (package.folder / "card.md").read_text(encoding="utf-8")
    assert package.checksum in card
    assert "Drawn by this test." in card
    assert "Sees nothing but squares." in card
    assert "320 crops in " in card
    assert cv2.imread(str(package.folder / "failures.jpg")) is not None
    assert cv2.imread(str(package.folder / "reliability.png")) is not None
    item = (package.folder / "squares.json").read_bytes()
    assert pack(settings).checksum == package.checksum
    assert (package.folder / "squares.json").read_bytes() == item


@pytest.mark.slow
def test_same_seed_trains_the_same_weights(tmp_path: Path) -> None:
    import torch

    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(tiny_settings(tmp_path, run=tmp_path / name, seed=seed, samples=80, epoch_samples=40))
    a, b, c = (weights_of(tmp_path / name / "last.ckpt") for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


@pytest.mark.slow
def test_training_ends_when_its_time_is_used_up(tmp_path: Path) -> None:
    import torch

    settings = tiny_settings(tmp_path, samples=10_000_000, minutes=0.05, validate_every=1000, first_round=1.0)
    fit(settings)
    checkpoint = torch.load(settings.run / "last.ckpt", weights_only=True)
    assert 0 < checkpoint["global_step"] < 1000
    lr = checkpoint["optimizer_states"][0]["param_groups"][1]["lr"]
    assert lr < 0.2 * settings.learning_rate
    assert math.isfinite(checkpoint["used_s"])


@pytest.mark.slow
def test_loss_that_is_no_number_stops_and_the_last_checkpoint_is_as_it_was(tmp_path: Path) -> None:
    """One weight that is no number stands for a training that diverged."""
    import torch

    settings = tiny_settings(tmp_path, samples=160, first_round=1.0)
    fit(settings.model_copy(update={"samples": 80}))
    last = settings.run / "last.ckpt"
    checkpoint = torch.load(last, weights_only=True)
    checkpoint["current_model_state"]["model.segmentation_head.0.bias"].fill_(math.nan)
    torch.save(checkpoint, last)
    before = last.read_bytes()
    with pytest.raises(
        ModelError, match=r"^training: expected a finite loss, found nan at step \d+; "
    ) as caught:
        fit(settings)
    assert "\n" not in str(caught.value)
    assert last.read_bytes() == before


@pytest.mark.slow
def test_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, samples=40, epoch_samples=40)
    fit(settings)
    with pytest.raises(
        ModelError,
        match=r"last\.ckpt: expected a checkpoint of unet mobilenet_v2, bands red, green, blue, nir, "
        r"building, found unet mobilenet_v2, bands red, green, blue, building$",
    ):
        fit(settings.model_copy(update={"near_infrared": True}))


@pytest.mark.slow
def test_disk_that_is_full_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: writing beyond it fails as a full disk does."""
    settings = tiny_settings(tmp_path, samples=80, epoch_samples=40)
    fit(settings.model_copy(update={"samples": 40}))
    before = (settings.run / "last.ckpt").read_bytes()
    config = tmp_path / "train.yaml"
    config.write_text(yaml.safe_dump(settings.model_dump(mode="json")))
    code = (
        "import resource, sys; from geoai.cli import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000));"
        f"sys.argv = ['geoai', 'train', '--config', {str(config)!r}]; main()"
    )
    # -B: Python takes a short write for a whole one, and would leave damaged bytecode of what it imports
    command = [sys.executable, "-B", "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("geoai: ")
    assert (settings.run / "last.ckpt").read_bytes() == before


@pytest.mark.slow
def test_training_without_a_better_validation_stops_early(tmp_path: Path) -> None:
    settings = tiny_settings(
        tmp_path,
        samples=4000,
        epoch_samples=40,
        validate_every=1,
        patience=1,
        learning_rate=1e-9,
        first_round=1.0,
    )
    fit(settings)
    from geoai.curves import read_curves

    assert len(read_curves(settings.run / "curves.csv")) < 20
