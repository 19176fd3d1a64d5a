"""What was traced is read back as it was, and traced again where what it depends on changed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_polygons import EXACT, SCHEME, masks, probabilities, slow_files, written

from geoai import traced
from geoai.config import PolygonSettings
from geoai.polygons import join_tiles
from geoai.raster import LatticeFile


def in_folders(folder, values, **cuts):
    """The same files, each in a folder of its own as the catalogue has them."""
    files = []
    for file in written(folder, values, **cuts):
        target = folder / file.path.stem / "probability.tif"
        target.parent.mkdir()
        file.path.rename(target)
        files.append(LatticeFile(target, file.box))
    return files


def marks_of(files, mark="0" * 64):
    return {file.path.parent.name: mark for file in files}


def joined(files, *, keep=True, mark="0" * 64, options=EXACT):
    tiles = traced.trace_tiles(files, marks_of(files, mark), SCHEME, options, band=1, keep=keep)
    return join_tiles(tiles, SCHEME, options, theme="building")


@pytest.mark.slow
@given(masks, st.data())
@slow_files
def test_what_is_read_back_makes_the_same_detections(tmp_path_factory, mask, data):
    folder = tmp_path_factory.mktemp("tiles")
    values = probabilities(mask)
    values[data.draw(arrays(np.bool_, mask.shape))] = 255
    files = in_folders(folder, values, cuts=(mask.shape[1] // 2,) if mask.shape[1] > 1 else ())
    options = PolygonSettings(min_area_m2=0.04, max_hole_m2=0.1, simplify_m=0.3)
    first, ground = joined(files, options=options)
    for file in files:
        file.path.unlink()  # so that nothing can be traced again
    again, same_ground = joined(files, options=options)
    assert first.drop(columns="geometry").equals(again.drop(columns="geometry"))
    assert shapely.to_wkb(first.geometry).tolist() == shapely.to_wkb(again.geometry).tolist()
    assert ground == same_ground


def test_other_marks_trace_again_and_leave_one_file_a_tile(tmp_path):
    mask = np.zeros((12, 12), bool)
    mask[3:9, 3:9] = True
    (file,) = in_folders(tmp_path, probabilities(mask))
    joined([file])
    with_hole = probabilities(mask)
    with_hole[5:7, 5:7] = 20
    (other,) = written(tmp_path, with_hole)
    other.path.rename(file.path)
    assert joined([file])[0].area_m2.sum() == pytest.approx(36 * 0.04)
    assert joined([file], mark="1" * 64)[0].area_m2.sum() == pytest.approx(32 * 0.04)
    assert len(list(file.path.parent.glob("traced-*"))) == 1


@pytest.mark.parametrize("left", [0, 1, 100, -1])
def test_what_is_not_whole_is_traced_again(tmp_path, left):
    """A disk that loses power may keep a file's name and not its content."""
    files = in_folders(tmp_path, probabilities(np.ones((4, 4), bool)))
    first = joined(files)[0]
    (kept,) = files[0].path.parent.glob("traced-*")
    content = kept.read_bytes()
    kept.write_bytes(content[:left])
    assert joined(files)[0].equals(first)
    assert kept.read_bytes() == content


def test_a_plan_keeps_nothing(tmp_path):
    files = in_folders(tmp_path, probabilities(np.ones((4, 4), bool)))
    joined(files, keep=False)
    assert not list(tmp_path.rglob("traced-*"))
