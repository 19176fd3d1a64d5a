"""Training: the loss and schedule by hand, and a training of seconds from folders to a package that loads."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from geoai.config import load
from geoai.errors import ModelError
from geoai.evaluation import Evaluation, PixelScores, score_objects, write_evaluation
from geoai.model import find_package, load_segmenter
from geoai.samples import IGNORE, NODATA
from geoai.training import (
    FolderSource,
    MapSource,
    TrainingSettings,
    fit_temperature,
    pack,
    read_sources,
    train,
)

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


def test_only_noisy_labels_are_overruled_and_only_where_the_network_is_sure() -> None:
    import torch

    from geoai.task import without_errors

    target = torch.tensor([[[0, 0, 1, 1, 1, IGNORE]]]).repeat(2, 1, 1)
    probability = torch.tensor([[[0.9, 0.7, 0.01, 0.1, 0.99, 0.9]]]).repeat(2, 1, 1)
    cleaned = without_errors(target, probability, torch.tensor([True, False]))
    assert cleaned[0].flatten().tolist() == [IGNORE, 0, IGNORE, 1, 1, IGNORE]
    assert cleaned[1].equal(target[1])


@given(st.floats(0, 1))
def test_learning_rate_rises_then_falls(progress: float) -> None:
    from geoai.task import WARM_UP, one_cycle

    assert 0.01 <= one_cycle(progress) <= 1 + 1e-9
    later = min(1.0, progress + 0.01)
    if later <= WARM_UP:
        assert one_cycle(later) >= one_cycle(progress)
    if progress >= WARM_UP:
        assert one_cycle(later) <= one_cycle(progress)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.5])
def test_temperature_of_overconfident_logits_is_found(temperature: float) -> None:
    """Labels are drawn from the probabilities that the logits would have at the true temperature."""
    rng = np.random.default_rng(6)
    true = rng.normal(0, 2, (2, 400, 500))
    building = 1 / (1 + np.exp(true[0] - true[1]))
    label = (rng.random(building.shape) < building).astype(np.uint8)
    label[:40] = NODATA
    label[40:80] = IGNORE
    logits = (true * temperature).astype(np.float32)
    found = fit_temperature([logits[:, :, :250], logits[:, :, 250:]], [label[:, :250], label[:, 250:]])
    assert found.temperature == pytest.approx(temperature, rel=0.06)
    assert found.nll_after <= found.nll_before + 1e-9


def test_map_becomes_labels_inside_the_bounds(tmp_path: Path) -> None:
    profile = {
        "driver": "GTiff",
        "width": 100,
        "height": 80,
        "count": 3,
        "dtype": "uint8",
        "crs": "EPSG:3006",
    }
    with rasterio.open(
        tmp_path / "o.tif", "w", transform=Affine(0.5, 0, 1000, 0, -0.5, 2040), **profile
    ) as target:
        target.write(np.full((3, 80, 100), 90, np.uint8))
    houses = gpd.GeoDataFrame(geometry=[shapely.box(1005, 2010, 1015, 2020)], crs="EPSG:3006")
    houses.to_file(tmp_path / "m.gpkg", layer="houses")
    source = MapSource(
        name="A town",
        orthophoto=tmp_path / "o.tif",
        map=tmp_path / "m.gpkg",
        layer="houses",
        bounds=(1000.0, 2000.0, 1025.0, 2100.0),
        doubt_m=1.0,
        share=1.0,
        origin="Made.",
    )
    settings = TrainingSettings(run=tmp_path / "run", package=tmp_path / "package", maps=(source,))
    (read,), held_out = read_sources(settings)
    assert read.noisy
    assert not held_out
    (image,) = read.images
    assert image.label.shape == (80, 50)
    rows, cols = np.nonzero(image.label == 1)
    # 10 m wide less 1 m of doubt on both sides, from x = 1006 and from y = 2019
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (42, 57, 12, 27)


def test_scenes_are_made_for_training(tmp_path: Path) -> None:
    made = {"name": "Made", "first_seed": 5, "count": 2, "size_px": 256, "share": 1.0, "origin": "Drawn."}
    settings = TrainingSettings(run=tmp_path, package=tmp_path, scenes=(made,))  # type: ignore[arg-type]
    (source,), _ = read_sources(settings)
    assert [image.name for image in source.images] == ["5", "6"]
    assert source.images[0].image.shape == (256, 256, 3)
    assert set(np.unique(source.images[0].label)) <= {0, 1}
    assert not np.array_equal(source.images[0].image, source.images[1].image)


def test_shipped_configuration_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOAI_TEST_DATA", "somewhere")
    settings = load(Path("configs/train.yaml"), TrainingSettings)
    assert settings.folders[0].folder == Path("somewhere/inria")
    assert find_package(str(settings.package)).id == settings.id


def test_negative_share_is_refused() -> None:
    with pytest.raises(ValidationError, match="share"):
        FolderSource(name="a", folder=Path(), gsd_m=0.2, share=0.0, origin="")


def test_packing_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"last\.ckpt: expected the checkpoint of a training, found none$"):
        pack(tiny_settings(tmp_path))


@pytest.mark.slow
def test_training_learns_goes_on_and_ends_in_a_package(tmp_path: Path) -> None:
    import torch

    settings = tiny_settings(tmp_path)
    train(settings.model_copy(update={"samples": 160}))
    first = torch.load(settings.run / "last.ckpt", weights_only=True)
    assert first["global_step"] == 40

    package = train(settings)  # goes on from the checkpoint
    second = torch.load(settings.run / "last.ckpt", weights_only=True)
    assert second["global_step"] == 80
    assert second["used_s"] > first["used_s"]

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
    assert "320 crops" in card

    evaluated(settings.run / "evaluation", package.checksum)
    assert pack(settings).checksum == package.checksum
    card = (package.folder / "card.md").read_text(encoding="utf-8")
    assert "### A town" in card
    assert "| ≥ 15 m² | 0.500 (0.095 to 0.905), 1 of 2 | 1.000 (0.207 to 1.000), 1 of 1 |" in card
    assert "Pixels: IoU 0.500" in card
    assert "Another model" not in card


def evaluated(folder: Path, checksum: str) -> None:
    houses = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 9, 9), shapely.box(50, 0, 59, 9)], crs="EPSG:3006")
    objects = score_objects(houses[:1], houses, None)
    pixels = PixelScores(2, 1, 1)
    write_evaluation(folder / "town.json", Evaluation("A town", "squares", checksum, pixels, objects))
    write_evaluation(folder / "other.json", Evaluation("Another model", "squares", "00", pixels, objects))


@pytest.mark.slow
def test_training_ends_when_its_time_is_used_up(tmp_path: Path) -> None:
    import torch

    from geoai.training import fit

    settings = tiny_settings(tmp_path, samples=10_000_000, minutes=0.05, validate_every=1000)
    fit(settings)
    checkpoint = torch.load(settings.run / "last.ckpt", weights_only=True)
    assert 0 < checkpoint["global_step"] < 1000
    lr = checkpoint["optimizer_states"][0]["param_groups"][1]["lr"]
    assert lr < 0.2 * settings.learning_rate
    assert math.isfinite(checkpoint["used_s"])
