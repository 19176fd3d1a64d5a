"""Files appear whole, and what killed writers left goes while what is being written stays."""

import threading
from pathlib import Path

import pytest

from geoai.files import appearing_whole, remove_abandoned, temporary_folder


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write_half() -> None:
        with appearing_whole(target) as partial:
            partial.write_text("half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "old"
    with appearing_whole(target) as partial:
        partial.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o644


def test_what_is_being_written_stays_and_what_was_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (".image-abcd1234.tif", ".450000_6400950-x_y0z9a1.json", ".item-abcdefgh"):
        (folder / name).write_text("half")
    left = folder / ".review-abcd1234"
    left.mkdir()
    (left / "review.gpkg").write_text("half")
    (left / "lock").touch()
    (folder / ".empty-abcd1234").mkdir()
    kept = [folder / name for name in ("image.tif", ".lock", ".hidden.tif", ".x-short.tif")]
    for path in kept:
        path.touch()
    with appearing_whole(folder / "image.tif") as partial, temporary_folder(folder, ".review-") as making:
        partial.write_text("whole")
        (making / "review.gpkg").touch()
        removed = remove_abandoned(tmp_path)
        assert partial.exists()
        assert (making / "review.gpkg").exists()
    assert {path.name for path in removed} == {
        ".image-abcd1234.tif", ".450000_6400950-x_y0z9a1.json", ".item-abcdefgh", ".review-abcd1234",
        ".empty-abcd1234",
    }  # fmt: skip
    assert sorted(folder.iterdir()) == sorted(kept)
    assert (folder / "image.tif").read_text() == "whole"
    assert remove_abandoned(tmp_path / "none") == []


def test_writers_and_a_sweeper_side_by_side_lose_nothing(tmp_path: Path) -> None:
    done = threading.Event()

    def sweep() -> None:
        while not done.is_set():
            remove_abandoned(tmp_path)

    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for number in range(300):
            with appearing_whole(tmp_path / f"{number}.txt") as partial:
                partial.write_text(str(number))
            with temporary_folder(tmp_path, ".folder-") as making:
                (making / "x").write_text("x")
                (making / "x").rename(tmp_path / f"{number}.x")
    finally:
        done.set()
        for sweeper in sweepers:
            sweeper.join()
    assert len(list(tmp_path.iterdir())) == 600


def test_a_full_disk_says_which_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*item\.json'"),
        appearing_whole(tmp_path / "item.json"),
        Path("/dev/full").open("w") as full,
    ):
        full.write("x" * 100_000)
    assert list(tmp_path.iterdir()) == []
