"""What `geoai plan` says would change: nothing for the same list, exactly what differs else."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from conftest import Kept, WriteOrthophoto, examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from review_case import signals
from test_cli import geoai

from geoai import pipeline, tilejobs
from geoai.config import load_settings
from geoai.errors import GeoaiError
from geoai.plan import difference, make_plan
from geoai.publish.plan import write_plan

LEFT, TOP = 450_000.0, 6_401_000.0


def square(column: int, row: int = 0, *, side_m: float = 8.0, shift_m: float = 0.0) -> shapely.Polygon:
    x, y = LEFT + 30.0 * column + shift_m, TOP - 30.0 * row
    return shapely.box(x, y - side_m, x + side_m, y)


def listed(classes: list[str], geometries: list[Any], **known: Any) -> gpd.GeoDataFrame:
    families = {"extended": "extent", "reduced": "extent", "not_assessable": "assessability"}
    found = signals(classes, geometries, **known)
    found["family"] = [families.get(code, "presence") for code in classes]
    return found.assign(reason=[f"{code}." for code in classes])


CLASSES = st.lists(
    st.sampled_from(["missing", "demolished", "extended", "below_min"]), min_size=1, max_size=8
)


@settings(max_examples=examples(20))
@given(CLASSES, st.randoms())
def test_the_same_list_in_any_order_is_no_change(classes: list[str], chance: Any) -> None:
    before = listed(classes, [square(n) for n in range(len(classes))])
    order = list(range(len(classes)))
    chance.shuffle(order)
    plan = difference(before, before.iloc[order])
    assert plan.changes == 0
    assert (plan.by_class()["before"] == plan.by_class()["after"]).all()


@settings(max_examples=examples(20))
@given(CLASSES, st.data())
def test_what_comes_and_goes_is_exactly_what_was_added_and_taken_away(classes: list[str], data: Any) -> None:
    everything = listed(classes, [square(n) for n in range(len(classes))])
    kept = [data.draw(st.sampled_from(["before", "after", "both"])) for _ in classes]
    first = everything[[where != "after" for where in kept]]
    second = everything[[where != "before" for where in kept]]
    plan = difference(first, second)
    assert sorted(plan.vanishing["class"]) == sorted(first["class"][~first.index.isin(second.index)])
    assert sorted(plan.appearing["class"]) == sorted(second["class"][~second.index.isin(first.index)])
    assert len(plan.changed) == 0
    counts = plan.by_class()
    assert (
        counts["before"] + counts["come"] - counts["go"] + counts["in"] - counts["out"] == counts["after"]
    ).all()


def test_a_signal_of_the_same_family_in_its_place_changes_class() -> None:
    before = listed(["missing"], [square(0)])
    plan = difference(before, listed(["below_min"], [square(0, side_m=7.0)]))
    assert plan.changed[["class_before", "class"]].to_numpy().tolist() == [["missing", "below_min"]]
    assert plan.by_class().loc["below_min", ["in", "after"]].tolist() == [1, 1]


def test_a_signal_of_another_family_in_its_place_is_another_signal() -> None:
    plan = difference(listed(["demolished"], [square(0)]), listed(["not_assessable"], [square(0)]))
    assert (len(plan.vanishing), len(plan.appearing), len(plan.changed)) == (1, 1, 0)


def test_what_a_policy_would_hide_is_a_change() -> None:
    before = listed(["missing"], [square(0)]).assign(policy_group=None)
    plan = difference(before, before.assign(policy_group="patio_roof"))
    assert plan.changed["policy_group"].tolist() == ["patio_roof"]
    assert plan.by_class().loc["missing"].tolist() == [1, 0, 0, 0, 0, 1]


def test_verdicts_that_would_be_lost_are_named_and_open_ones_are_not() -> None:
    before = listed(["missing"] * 3, [square(n) for n in range(3)]).assign(
        discrepancy_id=["a", "b", "c"], status=["confirmed", "open", "rejected"]
    )
    after = listed(["missing"], [square(2, side_m=12.0)])
    verdicts = difference(before, after).verdicts.set_index("discrepancy_id")
    assert verdicts["effect"].to_dict() == {"a": "lost", "c": "other_area"}
    same = difference(before, listed(["below_min"] * 3, [square(n) for n in range(3)]))
    assert same.verdicts.set_index("discrepancy_id")["effect"].to_dict() == {
        "a": "other_class",
        "c": "other_class",
    }


def test_the_plans_geopackage_holds_its_three_layers_with_styles(tmp_path: Path) -> None:
    before = listed(["missing", "demolished"], [square(0), square(1)])
    plan = difference(before, listed(["missing", "below_min"], [square(5), square(1)]))
    frames = {"appearing": plan.appearing, "vanishing": plan.vanishing, "changed": plan.changed}
    for _ in range(2):  # a plan that is there is replaced
        write_plan(tmp_path / "out" / "plan.gpkg", frames, crs="EPSG:3006", language="sv")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan.gpkg"]
    for name in frames:
        layer = pyogrio.read_dataframe(tmp_path / "out" / "plan.gpkg", layer=name)
        assert len(layer) == 1
    assert layer[["class_before", "class"]].to_numpy().tolist() == [["demolished", "below_min"]]
    styles = pyogrio.read_dataframe(tmp_path / "out" / "plan.gpkg", layer="layer_styles")
    assert sorted(styles["f_table_name"]) == sorted(frames)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, write_orthophoto: WriteOrthophoto) -> Kept:
    """Make a flight with two roofs, one of them mapped, and run it."""
    folder = tmp_path_factory.mktemp("town") / "project"

    def bright_is_roof(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.where(chip[:1] > 150, chip[:1].astype(np.float32) / 255, np.float32(0.01))

    image = np.zeros((3, 250, 250), np.uint8)
    image[1] = 90
    image[0, 50:100, 50:100] = 250
    image[0, 150:200, 150:200] = 200  # p = 0.78
    write_orthophoto(folder / "flight" / "a.tif", image, left=LEFT, top=TOP)
    mapped = shapely.box(LEFT + 10, TOP - 20, LEFT + 20, TOP - 10)
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[mapped], crs=3006)
    frame.to_file(folder / "map.gpkg", layer="byggnad")
    (folder / "town.yaml").write_text(
        f"""
        data: {folder / "data"}
        flight: {{folder: {folder / "flight"}, id: F1, date: 2026-05-14}}
        tiling: {{tile_m: 50, compression: lossless}}
        prediction: {{halo_px: 32}}
        engine: {{workers: 1}}
        map: {{source: {folder / "map.gpkg"}, id_column: id}}
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tilejobs, "shared_segmenter", lambda model, precision, bands: bright_is_roof)
        assert pipeline.run(load_settings(folder / "town.yaml")).signals == {"missing": 1}
    return Kept(folder)


@pytest.fixture
def project(once: Kept) -> Path:
    """Return the folder of a project whose flight was run."""
    return once.put_back()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_the_settings_of_a_run_change_nothing_and_others_say_what_they_would(project: Path) -> None:
    stricter = project / "stricter.yaml"
    stricter.write_text((project / "town.yaml").read_text() + "\n        polygons: {core: 0.9}\n")
    data = contents(project / "data")
    same = geoai("plan", "--config", project / "town.yaml")
    assert same.returncode == 0, same.stderr
    other = geoai("plan", "--config", stricter, "--json", "--output", project / "out")
    assert other.returncode == 2, other.stderr
    said = json.loads(other.stdout)
    assert said["changes"] == 1
    assert said["classes"]["missing"] == {"before": 1, "come": 0, "go": 1, "in": 0, "out": 0, "after": 0}
    assert [row["class"] for row in said["vanishing"]] == ["missing"]
    assert len(pyogrio.read_dataframe(project / "out" / "plan.gpkg", layer="vanishing")) == 1
    assert contents(project / "data") == data


def test_two_files_can_be_held_against_each_other_and_verdicts_follow(project: Path) -> None:
    stricter = project / "stricter.yaml"
    stricter.write_text((project / "town.yaml").read_text() + "\n        polygons: {core: 0.9}\n")
    review = project / "data" / "runs" / "F1" / "current" / "review.gpkg"
    decided = pyogrio.read_dataframe(review, layer="discrepancy")
    assert len(decided) == 1
    with sqlite3.connect(review) as database:
        database.create_function("ST_IsEmpty", 1, lambda _: 0)
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, lambda _: 0.0)
        database.execute("UPDATE discrepancy SET status = 'confirmed'")
    plan = make_plan(load_settings(stricter), project / "town.yaml")
    assert plan.verdicts["effect"].tolist() == ["lost"]
    assert plan.verdicts["verdict"].tolist() == ["confirmed"]
    back = make_plan(load_settings(project / "town.yaml"), stricter)
    assert (len(back.appearing), len(back.vanishing)) == (1, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "prediction.halo_px",
            "F1.buildings: expected 1 predictions made as configured, found 0 missing and 1",
        ),
        ("tiling.tile_m", "F1: expected tiles in EPSG:3006 with pixels of 0.2 m and tiles of 100 m, found"),
        ("flight.id", "{data}: expected tiles of flight other, found none; run it first"),
    ],
)
def test_predictions_that_are_missing_or_stale_are_one_line(project: Path, change: str, message: str) -> None:
    values = {"prediction.halo_px": 64, "tiling.tile_m": 100, "flight.id": "other"}
    changed = load_settings(project / "town.yaml", {change: values[change]})
    against = next((project / "data" / "runs" / "F1").glob("buildings-*"))
    with pytest.raises(GeoaiError) as error:
        make_plan(changed, against)
    assert str(error.value).startswith(message.format(data=project / "data"))
    assert "\n" not in str(error.value)


def test_without_a_run_there_is_nothing_to_hold_against(project: Path) -> None:
    with pytest.raises(GeoaiError, match="expected the folder of a run or a YAML file, found"):
        make_plan(load_settings(project / "town.yaml"), project / "nothing")
