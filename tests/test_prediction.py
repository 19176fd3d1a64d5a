from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from conftest import ground_image
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.crs import CRS

from geoai.grid import PixelBox, TileScheme
from geoai.model import find_package, load_segmenter
from geoai.prediction import predict_tile, windows, write_prediction
from geoai.raster import P_NODATA, LatticeFile, write_cog
from geoai.scene import make_scene

SWEREF = CRS.from_epsg(3006)
LEFT, TOP = 450_000.0, 6_400_900.0


class Blur:
    """Stands in for a network of stride 32: looks 15 px around, and its answer depends on the phase."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.shapes.append(chip.shape)
        red = chip[0].astype(np.float64)
        smooth = cv2.boxFilter(red, -1, (31, 31), normalize=False, borderType=cv2.BORDER_CONSTANT) / 961
        phase = (np.arange(chip.shape[1]) % 32)[:, None] + (np.arange(chip.shape[2]) % 32)[None, :]
        return ((smooth + phase) / 400).astype(np.float32)[None]


def write_images(folder: Path, scheme: TileScheme, box: PixelBox) -> list[LatticeFile]:
    """Write the ground under *box* as image tiles of *scheme*; outside the box they are masked."""
    files = []
    for tile_id in scheme.tiles_over(box):
        tile = scheme.tile_box(tile_id)
        left, _, _, top = scheme.grid_of(tile).bounds
        part = tile.intersection(box)
        assert part
        valid = np.zeros((tile.height, tile.width), bool)
        valid[part.slices_in(tile)] = True
        path = folder / tile_id / "image.tif"
        write_cog(
            path, ground_image(left, top, scheme.gsd_m, *valid.shape), scheme.grid_of(tile), valid=valid
        )
        files.append(LatticeFile(path, tile))
    return files


def predict_all(
    files: list[LatticeFile], box: PixelBox, *, window_px: int = 128, halo_px: int = 32
) -> NDArray[np.uint8]:
    """Predict every tile and put the results together over *box*: (row, col)."""
    whole = np.full((box.height, box.width), 99, np.uint8)
    for file in files:
        seen = predict_tile(
            file.box, files, Blur(), band_count=3, class_count=1, window_px=window_px, halo_px=halo_px
        )
        part = file.box.intersection(box)
        assert part
        whole[part.slices_in(box)] = seen[0][part.slices_in(file.box)]
        outside = np.ones(seen.shape[1:], bool)
        outside[part.slices_in(file.box)] = False
        assert (seen[0][outside] == P_NODATA).all()
    return whole


@given(
    st.builds(
        PixelBox,
        st.integers(-5000, 5000),
        st.integers(-5000, 5000),
        st.integers(1, 5000),
        st.integers(1, 5000),
    ),
    st.sampled_from([64, 512, 1280]),
)
def test_windows_cover_every_pixel_once_on_the_grid(box: PixelBox, window_px: int) -> None:
    parts = list(windows(box, window_px))
    outer = box.snapped(32)
    assert sum(part.width * part.height for part in parts) == outer.width * outer.height
    assert all(part.intersection(outer) == part for part in parts)
    assert len({(part.col, part.row) for part in parts}) == len(parts)
    for part in parts:
        assert not any(value % 32 for value in (part.col, part.row, part.width, part.height))
        assert 0 < max(part.width, part.height) <= window_px


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(tile_m=st.sampled_from([30, 50, 70, 110]), window_px=st.sampled_from([64, 160, 1280]))
def test_probabilities_do_not_depend_on_where_tiles_and_windows_end(
    tmp_path_factory: pytest.TempPathFactory, tile_m: int, window_px: int
) -> None:
    reference = TileScheme(SWEREF, 0.2, 500)
    box = reference.box_around((LEFT, TOP - 100, LEFT + 104, TOP))
    folder = tmp_path_factory.mktemp("tiles")
    expected = predict_all(write_images(folder / "one", reference, box), box, window_px=1280)
    files = write_images(folder / "many", TileScheme(SWEREF, 0.2, tile_m), box)
    assert len(files) > 1
    seen = predict_all(files, box, window_px=window_px)
    assert np.array_equal(seen, expected)
    assert len(np.unique(seen)) > 20


def test_without_a_halo_tile_borders_show(tmp_path: Path) -> None:
    """What the law above guards against: the stand-in does tell a border that is not read over."""
    scheme = TileScheme(SWEREF, 0.2, 50)
    box = scheme.box_around((LEFT, TOP - 100, LEFT + 104, TOP))
    files = write_images(tmp_path, scheme, box)
    assert not np.array_equal(predict_all(files, box, halo_px=0), predict_all(files, box, halo_px=32))


def test_where_no_imagery_is_the_network_is_not_asked(tmp_path: Path) -> None:
    scheme = TileScheme(SWEREF, 0.2, 100)
    (tile_id,) = scheme.tiles_over(PixelBox(2_250_000, -32_000_000, 1, 1))
    tile = scheme.tile_box(tile_id)
    quarter = PixelBox(tile.col, tile.row, 128, 128)
    (file,) = write_images(tmp_path, scheme, quarter)
    network = Blur()
    seen = predict_tile(tile, [file], network, band_count=3, class_count=1, window_px=128, halo_px=32)
    assert len(network.shapes) <= 4 < len(list(windows(tile, 128)))
    assert max(network.shapes) <= (3, 192, 192)
    assert ((seen[0] != P_NODATA).sum()) == 128 * 128


def test_a_prediction_is_stored_as_it_is_with_nodata_and_class_names(tmp_path: Path) -> None:
    scheme = TileScheme(SWEREF, 0.2, 50)
    box = scheme.tile_box("450000_6400900")
    stored = np.random.default_rng(1).integers(0, 256, (2, box.height, box.width), np.uint8)
    write_prediction(tmp_path / "p.tif", stored, box, scheme, ("building", "water"))
    with rasterio.open(tmp_path / "p.tif") as source:
        assert np.array_equal(source.read(), stored)
        assert source.nodata == P_NODATA
        assert source.descriptions == ("building", "water")


@pytest.mark.parametrize(("p", "stored"), [(0.0, 0), (0.5, 125), (0.9999, 250), (1.0, 250), (0.0019, 0)])
def test_a_probability_is_stored_to_the_nearest_250th(tmp_path: Path, p: float, stored: int) -> None:
    def constant(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((1, *chip.shape[1:]), p, np.float32)

    scheme = TileScheme(SWEREF, 0.2, 50)
    (file,) = write_images(tmp_path, scheme, scheme.tile_box("450000_6400900"))
    seen = predict_tile(file.box, [file], constant, band_count=3, class_count=1, window_px=512, halo_px=0)
    assert np.unique(seen).tolist() == [stored]


@pytest.mark.slow
def test_the_shipped_network_sees_the_same_wherever_tiles_end(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    network = load_segmenter(find_package("buildings"), precision="fp32")
    scene = make_scene(5, width_m=120.0, height_m=120.0)
    mosaics = []
    for tile_m in (100, 70):
        scheme = TileScheme(SWEREF, 0.2, tile_m)
        box = scheme.box_around((LEFT, TOP - 120, LEFT + 120, TOP))
        files = []
        for tile_id in scheme.tiles_over(box):
            tile = scheme.tile_box(tile_id)
            part = tile.intersection(box)
            assert part
            image, valid = (
                np.zeros((3, tile.height, tile.width), np.uint8),
                np.zeros((tile.height, tile.width), bool),
            )
            image[:, *part.slices_in(tile)] = scene.image[:, *part.slices_in(box)]
            valid[part.slices_in(tile)] = True
            path = tmp_path / f"{tile_m}-{tile_id}.tif"
            write_cog(path, image, scheme.grid_of(tile), valid=valid)
            files.append(LatticeFile(path, tile))
        whole = np.zeros((box.height, box.width), int)
        for file in files:
            seen = predict_tile(
                file.box, files, network, band_count=3, class_count=1, window_px=320, halo_px=256
            )
            part = file.box.intersection(box)
            assert part
            whole[part.slices_in(box)] = seen[0][part.slices_in(file.box)]
        mosaics.append(whole)
    assert mosaics[0].max() > 200
    assert np.abs(mosaics[0] - mosaics[1]).max() <= 1  # a stored step is 0.004
