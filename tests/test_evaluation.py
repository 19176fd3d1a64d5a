"""Models on a small made flight, on made images and on a run: counted by hand, with a stand-in network."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from conftest import WriteOrthophoto
from numpy.typing import NDArray

from geoai import cli, evaluation, tilejobs
from geoai.cases import remarks, tables
from geoai.config import Settings, load_settings
from geoai.errors import ConfigError, GeoaiError, ImageryError, MapError, ModelError, PublishError
from geoai.evaluation import (
    Evaluated,
    evaluate_flight,
    evaluate_images,
    evaluate_review,
    read_verdicts,
    with_labels,
    write_evaluated,
)
from geoai.model import SHIPPED
from geoai.scorecard import Evaluation
from geoai.scoring import Verdicts

LEFT, TOP = 450_000.0, 6_401_000.0
SIDE_M = 200
SEEN = {
    "right": (10, 10, 30, 20),
    "on four tiles": (90, 90, 120, 120),
    "not mapped": (150, 20, 162, 30),
    "small": (40, 60, 43, 63),
}
"""What stands, in metres east and south of the corner: left, top, right, bottom."""


def house(left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
    return shapely.box(LEFT + left, TOP - bottom, LEFT + right, TOP - top)


MAPPED = {
    "right": house(*SEEN["right"]),
    "on four tiles": house(*SEEN["on four tiles"]),
    "gone": house(150, 150, 170, 160),
    "beyond the imagery": house(190, 100, 230, 110),
}


class RedRoofs:
    """Stands in for the network; counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += 1
        return np.where(chip[:1] > 150, np.float32(0.96), np.float32(0.04))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> RedRoofs:
    stand_in = RedRoofs()
    monkeypatch.setattr(tilejobs, "shared_segmenter", lambda *_: stand_in)
    monkeypatch.setattr(evaluation, "load_segmenter", lambda *_, **__: stand_in)
    return stand_in


@pytest.fixture
def settings(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> Settings:
    """Make a flight of 200 × 200 m on four tiles, and a map."""
    image = np.zeros((3, SIDE_M * 5, SIDE_M * 5), np.uint8)
    image[1] = 90
    for left, top, right, bottom in SEEN.values():
        image[0, top * 5 : bottom * 5, left * 5 : right * 5] = 250
    write_orthophoto(tmp_path / "flight" / "sheet.tif", image, left=LEFT, top=TOP)
    write_map(tmp_path / "map.gpkg", MAPPED)
    (tmp_path / "town.yaml").write_text(
        f"""
        data: {tmp_path / "data"}
        flight: {{folder: {tmp_path / "flight"}, id: F1, date: 2026-05-14}}
        tiling: {{tile_m: 100, compression: lossless}}
        prediction: {{halo_px: 32}}
        engine: {{workers: 1}}
        map: {{source: {tmp_path / "map.gpkg"}, id_column: id}}
        """
    )
    return load_settings(tmp_path / "town.yaml")


def write_map(path: Path, shapes: dict[str, shapely.Polygon], **columns: list[str]) -> None:
    frame = gpd.GeoDataFrame({"id": list(shapes), **columns}, geometry=list(shapes.values()), crs=3006)
    pyogrio.write_dataframe(frame, path, layer="byggnad", geometry_type="Polygon")


def other_package(folder: Path) -> Path:
    """Copy the shipped package with another last byte of its weights."""
    shutil.copytree(SHIPPED / "buildings", folder)
    weights, item = folder / "buildings.safetensors", folder / "buildings.json"
    before = weights.read_bytes()
    after = before[:-1] + bytes([before[-1] ^ 1])
    weights.write_bytes(after)
    digests = (hashlib.sha256(data).hexdigest() for data in (before, after))
    item.write_text(item.read_text("utf-8").replace(*digests), encoding="utf-8")
    return folder


def only(evaluated: Evaluated) -> Evaluation:
    (scores,) = evaluated.result.evaluations
    return scores


# --- flights ---------------------------------------------------------------------------------------------


def test_flight_is_scored_by_hand(settings: Settings, network: RedRoofs) -> None:
    evaluated = evaluate_flight(settings)
    scores = only(evaluated)
    assert (scores.name, scores.model_id) == ("F1", "buildings")
    # the house beyond the imagery does not count, what stands in the map's gap is false, small is below 15 m²
    assert (scores.objects.recall.found, scores.objects.recall.total) == (2, 3)
    assert (scores.objects.precision.found, scores.objects.precision.total) == (2, 3)
    assert scores.one_to_one.f1 == scores.objects.f1 == pytest.approx(2 / 3)
    small = scores.objects.by_size[0]
    assert (small.recall.total, small.precision.found, small.precision.total) == (0, 0, 1)
    assert scores.pixels is not None
    m2 = {"hit": 20 * 10 + 30 * 30, "false": 12 * 10 + 3 * 3, "missed": 20 * 10 + 10 * 10}
    assert {key: getattr(scores.pixels, key) for key in m2} == {key: 25 * area for key, area in m2.items()}
    rings_m2 = {"hit": 200 - 18 * 8 + 900 - 28 * 28, "false": 120 - 10 * 8 + 9 - 1, "missed": 200 - 18 * 8}
    rings_m2["missed"] += 100 - 9 * 8  # no contour where the imagery ends
    assert scores.boundary is not None
    assert {key: getattr(scores.boundary, key) for key in rings_m2} == {
        key: 25 * area for key, area in rings_m2.items()
    }
    assert scores.reliability is not None
    assert scores.reliability.mean_p == pytest.approx((0.04, 0.96))
    assert sum(scores.reliability.count) == (5 * SIDE_M) ** 2
    assert [(section.title, section.total) for section in evaluated.sections] == [
        ("labelled, not seen", 1),
        ("seen, not labelled", 2),
        ("outlines", 2),
    ]
    missed, false = evaluated.sections[0].cases[0], evaluated.sections[1].cases[0]
    assert missed.facts == ("200 m²", "p 0.04", "gone", "450160, 6400845")
    assert false.facts == ("120 m²", "p 0.96", "450156, 6400975")
    asked = network.asked
    assert evaluate_flight(settings).result.to_json() == evaluated.result.to_json()
    assert network.asked == asked, "what was predicted is there"


def test_flight_against_what_it_shows_is_perfect(
    settings: Settings, network: RedRoofs, tmp_path: Path
) -> None:
    write_map(tmp_path / "same.gpkg", {name: house(*box) for name, box in SEEN.items()})
    scores = only(evaluate_flight(with_labels(settings, str(tmp_path / "same.gpkg"), "byggnad")))
    assert scores.pixels is not None
    assert scores.boundary is not None
    assert scores.pixels.iou == scores.boundary.iou == scores.objects.f1 == scores.one_to_one.f1 == 1
    assert scores.objects.by_size[0].f1 == 1


def test_only_tiles_near_the_bounds_are_predicted_and_only_what_lies_in_them_counts(
    settings: Settings, network: RedRoofs
) -> None:
    bounds = (LEFT, TOP - 45, LEFT + 45, TOP)
    scores = only(evaluate_flight(settings, bounds=bounds))
    assert (scores.objects.recall.found, scores.objects.recall.total) == (1, 1)
    assert scores.objects.precision.total == 1
    assert scores.pixels is not None
    assert (scores.pixels.hit, scores.pixels.false, scores.pixels.missed) == (25 * 200, 0, 0)
    folder = settings.data / "catalog" / "flights" / "F1.buildings"
    assert len(list(folder.glob("*/probability.tif"))) == 1
    evaluate_flight(settings)
    assert len(list(folder.glob("*/probability.tif"))) == 4
    evaluate_flight(settings, bounds=bounds)
    assert len(list(folder.glob("*/probability.tif"))) == 4, "what lies outside the bounds is left alone"


def test_two_models_of_one_id_are_compared_and_do_not_disturb_each_other(
    settings: Settings, network: RedRoofs, tmp_path: Path
) -> None:
    other = str(other_package(tmp_path / "other"))
    evaluated = evaluate_flight(settings, ["buildings", other])
    a, b = evaluated.result.evaluations
    assert a.checksum != b.checksum
    assert str(a.objects) == str(b.objects)
    comparison = evaluated.result.comparison
    assert comparison is not None
    assert {each.difference for each in comparison.differences.values()} == {0.0}
    assert comparison.sentence.startswith("no difference can be told: it takes 8 units")
    content = json.loads(evaluated.result.to_json())
    assert [each["checksum"] for each in content["evaluations"]] == [a.checksum, b.checksum]
    assert content["comparison"]["differences"]["objects.f1"]["low"] is None
    asked = network.asked
    evaluate_flight(settings, [other])
    evaluate_flight(settings)
    assert network.asked == asked
    flights = settings.data / "catalog" / "flights"
    assert {path.name for path in flights.iterdir()} == {
        "F1",
        "F1.buildings",
        f"F1.buildings-{b.checksum[:8]}",
    }
    assert [section.title[:3] for section in evaluated.sections] == ["A: "] * 3 + ["B: "] * 3
    assert tables(evaluated.result)[0].columns == ("of", "measure", "A", "B", "difference (95 %)", "p")


def test_what_is_planned_is_neither_missed_nor_false_where_it_is_built(
    settings: Settings, network: RedRoofs, tmp_path: Path
) -> None:
    planned = MAPPED | {"new": house(*SEEN["not mapped"]), "later": house(20, 150, 40, 170)}
    status = ["stands"] * len(MAPPED) + ["planned"] * 2
    write_map(tmp_path / "plans.gpkg", planned, status=status)
    mapped = settings.map.model_copy(
        update={"source": str(tmp_path / "plans.gpkg"), "status_column": "status", "planned": ("planned",)}
    )
    scores = only(evaluate_flight(settings.model_copy(update={"map": mapped})))
    assert (scores.objects.recall.found, scores.objects.recall.total) == (2, 3)
    assert scores.objects.precision.found == scores.objects.precision.total == 3
    assert scores.pixels is not None
    assert scores.pixels.false == 25 * 9


def test_confidence_is_held_against_what_a_person_found(settings: Settings, network: RedRoofs) -> None:
    """Two of three detections from 15 m² on are mapped; the verdict says that the third stands as well."""
    confidence = only(evaluate_flight(settings)).confidence
    assert confidence is not None
    assert sum(confidence.count) == 3
    assert np.dot(confidence.observed, confidence.count) == pytest.approx(2)
    verdicts = Verdicts({}, np.array([(LEFT + 156, TOP - 25)]), ("building",))
    reviewed = only(evaluate_flight(settings, verdicts=verdicts)).confidence
    assert reviewed is not None
    assert np.dot(reviewed.observed, reviewed.count) == pytest.approx(sum(reviewed.count))


def test_verdicts_set_errors_of_the_map_aside(settings: Settings, network: RedRoofs) -> None:
    verdicts = Verdicts({"gone": "no_building"}, np.array([(LEFT + 156, TOP - 25)]), ("building",))
    evaluated = evaluate_flight(settings, verdicts=verdicts)
    scores = only(evaluated)
    assert scores.objects.f1 == pytest.approx(2 / 3)
    assert scores.reviewed is not None
    assert scores.reviewed.objects.f1 == scores.reviewed.one_to_one.f1 == 1
    assert scores.reviewed.set_aside.labels_without_building == 1
    assert scores.reviewed.set_aside.detections_of_buildings == 1
    # what was set aside is not shown again; the small one nobody looked at is
    assert [section.total for section in evaluated.sections] == [0, 1, 2]
    assert "1 labels without a building and 0 unclear, 1 detections of buildings" in " ".join(
        remarks(evaluated.result)
    )


def test_tile_that_cannot_be_read_is_a_warning(
    settings: Settings, network: RedRoofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = tilejobs.Cutter.__call__

    def broken(self: tilejobs.Cutter, job: Any) -> Any:
        if job.tile_id == "450000_6400800":
            return tilejobs.TileOutcome(job.tile_id, "failed", "expected readable orthophotos, found: none")
        return cut(self, job)

    monkeypatch.setattr(tilejobs.Cutter, "__call__", broken)
    evaluated = evaluate_flight(settings)
    assert evaluated.warnings == ("450000_6400800: expected readable orthophotos, found: none",)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"map.layer": "tak"}, MapError, r"map\.gpkg: expected the layer 'tak', found byggnad"),
        (
            {"map.where": "id = 'none'"},
            MapError,
            r"map\.gpkg: expected polygons in 'byggnad', found none where",
        ),
        ({"map.theme": "road"}, ConfigError, r"expected one of building, found road"),
        (
            {"tiling.gsd_m": 0.5},
            ModelError,
            r"model buildings: expected a GSD of 0\.\d+ to 0\.\d+ m, found 0\.5",
        ),
        (
            {"map.where": "id = 'beyond the imagery'"},
            MapError,
            r"map\.gpkg: expected objects on the imagery \(450000 6400800 450200 6401000\), "
            r"found 1 elsewhere \(450190 6400890 450230 6400900\)",
        ),
    ],
)
def test_what_cannot_be_scored_is_one_line(
    settings: Settings, network: RedRoofs, change: dict[str, Any], error: type[GeoaiError], message: str
) -> None:
    path = settings.data.parent / "town.yaml"
    with pytest.raises(error, match=message) as caught:
        evaluate_flight(load_settings(path, change))
    assert "\n" not in str(caught.value)


def test_empty_label_layer_is_named(settings: Settings, tmp_path: Path) -> None:
    write_map(tmp_path / "empty.gpkg", {})
    with pytest.raises(MapError, match=r"empty\.gpkg: expected polygons in 'byggnad', found an empty layer"):
        evaluate_flight(with_labels(settings, str(tmp_path / "empty.gpkg"), None))


def test_bounds_off_the_imagery_or_without_labels_are_named(settings: Settings, network: RedRoofs) -> None:
    with pytest.raises(ConfigError, match=r"bounds: expected to meet the imagery of F1 \(450000 "):
        evaluate_flight(settings, bounds=(0, 0, 100, 100))
    with pytest.raises(MapError, match=r"within 450060 6400940 450080 6400960, found 4 elsewhere"):
        evaluate_flight(settings, bounds=(LEFT + 60, TOP - 60, LEFT + 80, TOP - 40))
    assert network.asked


# --- verdicts --------------------------------------------------------------------------------------------

HEADER = "kind,id,x,y,verdict,comment\n"


def test_verdicts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    path.write_text(
        f'{HEADER}register,7,,,no_building,"bare, flat"\ndetection,,1.5,2,unclear,\n', "utf-8-sig"
    )
    verdicts = read_verdicts(path)
    assert verdicts.register == {"7": "no_building"}
    assert verdicts.points.tolist() == [[1.5, 2.0]]
    assert verdicts.words == ("unclear",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind,id,x,y\n", r"expected the columns kind, id, x, y, verdict, found no verdict"),
        (f"{HEADER}map,1,,,building,\n", r"checked\.csv:2: expected kind register or detection, found 'map'"),
        (
            f"{HEADER}register,1,,,not_building,\n",
            r"checked\.csv:2: expected a verdict of building, no_building, unclear, found 'not_building'",
        ),
        (
            f"{HEADER}detection,,east,2,building,\n",
            r"checked\.csv:2: expected x and y in metres, found 'east'",
        ),
        (f"{HEADER}detection,,1\n", r"expected a verdict of building, not_building, unclear, found None"),
    ],
)
def test_wrong_verdicts_are_named_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "checked.csv").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_verdicts(tmp_path / "checked.csv")


def test_missing_file_of_verdicts_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.csv: expected a readable CSV file, found "):
        read_verdicts(tmp_path / "none.csv")


def test_verdicts_on_another_register_are_refused(settings: Settings) -> None:
    with pytest.raises(
        MapError, match=r"map\.gpkg: expected objects that verdicts name, such as 17, found none"
    ):
        evaluate_flight(settings, verdicts=Verdicts({"17": "unclear"}))


def test_verdicts_of_the_development_test_are_of_its_register(test_data: Path) -> None:
    verdicts = read_verdicts(Path(__file__).parent / "data" / "tartu_verdicts.csv")
    register = pyogrio.read_dataframe(
        test_data / "tartu" / "register.gpkg", columns=["objektidentitet"], read_geometry=False
    )
    assert set(verdicts.register) <= set(register["objektidentitet"].astype(str))
    assert len(verdicts.words) > 100


# --- images ----------------------------------------------------------------------------------------------


def write_pair(folder: Path, name: str, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    for kind, data in (("images", image[..., ::-1]), ("masks", mask.astype(np.uint8) * 255)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / kind / f"{name}.png"), data)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Make ten images of odd size: a roof that is labelled, and in the fifth another one that is not."""
    for number in range(1, 11):
        image = np.full((93, 121, 3), 60, np.uint8)
        image[20:40, 30:60] = (250, 60, 60)
        mask = np.zeros((93, 121), bool)
        mask[20:40, 30:60] = True
        if number == 5:
            image[60:93, 90:121] = (250, 60, 60)
        if number == 10:
            image[:, 100:] = 0  # padding: what the mask says there is not counted
            mask[:, 110:] = True
        write_pair(tmp_path / "pairs", f"tile_{number}", image, mask)
    return tmp_path / "pairs"


def test_images_are_scored_by_hand(pairs: Path, network: RedRoofs) -> None:
    evaluated = evaluate_images([], pairs, gsd_m=0.3)
    scores = only(evaluated)
    assert scores.name == "pairs"
    assert scores.pixels is not None
    assert (scores.pixels.hit, scores.pixels.false, scores.pixels.missed) == (10 * 20 * 30, 33 * 31, 0)
    assert (scores.objects.recall.found, scores.objects.recall.total) == (10, 10)
    assert (scores.objects.precision.found, scores.objects.precision.total) == (10, 11)
    assert scores.units == "10 images"
    assert scores.reliability is not None
    assert sum(scores.reliability.count) == 93 * (10 * 121 - 21)
    false = evaluated.sections[1]
    assert false.total == 1
    assert false.cases[0].facts[0] == f"{33 * 31 * 0.09:.0f} m²"
    assert false.cases[0].facts[-1].startswith("tile_5, col 10")
    picture = cv2.imdecode(np.frombuffer(false.cases[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture[picture.shape[0] // 2, picture.shape[1] // 2, 2] > 200, "the chip shows the roof"


def test_only_images_held_out_are_scored(pairs: Path, network: RedRoofs) -> None:
    assert only(evaluate_images([], pairs, gsd_m=0.3, every=5)).objects.precision.total == 3
    with pytest.raises(
        ImageryError, match=r"pairs: expected images whose number is a multiple of 99, found none"
    ):
        evaluate_images([], pairs, gsd_m=0.3, every=99)


def test_models_are_compared_image_by_image(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """B is blind to what A sees falsely in one image; one of ten is no proof."""
    networks = {
        "buildings": RedRoofs(),
        "other": lambda chip: RedRoofs()(chip) * (np.arange(chip.shape[1]) < 50)[None, :, None],
    }
    monkeypatch.setattr(evaluation, "load_segmenter", lambda package, **_: networks[package.folder.name])
    other_package(tmp_path / "other")
    result = evaluate_images(["buildings", "other"], pairs, gsd_m=0.3, model_folders=[tmp_path]).result
    assert result.comparison is not None
    assert result.comparison.units == 10
    gain = result.comparison.differences["objects.precision"]
    assert gain.difference == pytest.approx(1 - 10 / 11)
    assert gain.low == 0
    assert result.comparison.sentence.startswith("no difference can be told: object F1 +0.048 (+0.000 to ")


def test_image_of_other_bands_and_model_that_does_not_fit_are_named(pairs: Path, network: RedRoofs) -> None:
    with pytest.raises(ModelError, match=r"model buildings: expected a GSD of .* found 0\.9 m"):
        evaluate_images([], pairs, gsd_m=0.9)
    four = np.zeros((93, 121, 4), np.uint8)
    write_pair(pairs, "tile_2", four, np.zeros((93, 121), bool))
    with pytest.raises(ImageryError, match=r"tile_2: expected 3 bands .* found 4 bands, 121 × 93 px"):
        evaluate_images([], pairs, gsd_m=0.3)


# --- runs that are there ---------------------------------------------------------------------------------


def write_review(path: Path, write: WriteOrthophoto) -> None:
    mapped = gpd.GeoDataFrame(
        {"map_object_id": ["a", "b", "c"], "visible_share": [1.0, 0.9, 0.5]},
        geometry=[house(0, 0, 10, 10), house(50, 0, 60, 10), house(90, 0, 99, 9)],
        crs=3006,
    )
    seen = gpd.GeoDataFrame(
        {"p_mean": [0.9, 0.8]}, geometry=[house(0, 0, 10, 10), house(70, 20, 80, 30)], crs=3006
    )
    run = pd.DataFrame({"flight_id": ["f1"], "model_id": ["roofs"], "model_checksum": ["00"]})
    pyogrio.write_dataframe(mapped, path, layer="map_status")
    pyogrio.write_dataframe(seen, path, layer="detection", append=True)
    pyogrio.write_dataframe(run, path, layer="run", append=True)
    write(path.with_name("orthophoto.vrt"), np.full((3, 200, 600), 90, np.uint8), left=LEFT, top=TOP)


def test_run_is_scored_from_its_review(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    review = tmp_path / "review.gpkg"
    write_review(review, write_orthophoto)
    evaluated = evaluate_review(review)
    scores = only(evaluated)
    assert (scores.name, scores.model_id, scores.checksum) == ("f1", "roofs", "00")
    assert (scores.objects.recall.found, scores.objects.recall.total) == (1, 2)
    assert (scores.objects.precision.found, scores.objects.precision.total) == (1, 2)
    assert scores.pixels is None
    assert evaluated.sections[0].cases[0].facts == ("100 m²", "b", "450055, 6400995")
    west = only(evaluate_review(review, (LEFT, TOP - 40, LEFT + 40, TOP)))
    assert (west.objects.recall.total, west.objects.precision.total) == (1, 1)
    said = only(evaluate_review(review, verdicts=Verdicts({"b": "no_building"}))).reviewed
    assert said is not None
    assert said.objects.recall.total == 1


def test_what_is_no_review_is_named(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"none\.gpkg: expected the review\.gpkg of a run, found "):
        evaluate_review(tmp_path / "none.gpkg")


def test_json_holds_ratios_and_no_nan(tmp_path: Path, write_orthophoto: WriteOrthophoto, pairs: Path) -> None:
    def refuse(text: str) -> Any:
        raise AssertionError(text)

    write_review(tmp_path / "review.gpkg", write_orthophoto)
    evaluated = evaluate_review(tmp_path / "review.gpkg", (0, 0, 1, 1))
    write_evaluated(tmp_path / "scores", evaluated)
    text = (tmp_path / "scores" / "scores.json").read_text("utf-8")
    values = json.loads(text, parse_constant=refuse)
    assert {"name", "model_id", "checksum", "pixels", "objects"} <= set(values)
    assert values["objects"]["f1"] is None
    assert values["objects"]["by_size"][-1]["to_m2"] is None
    assert (tmp_path / "scores" / "worst.html").read_text("utf-8").count("<figure>") == 0


# --- the command -----------------------------------------------------------------------------------------


def geoai(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> None:
    monkeypatch.setattr(sys, "argv", ["geoai", *map(str, words)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert not done.value.code, done.value.code


def test_command_shows_tables_and_writes_scores_and_cases(
    pairs: Path, network: RedRoofs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = pairs.parent / "out"
    geoai(monkeypatch, "evaluate", "--images", pairs, "--gsd", "0.3", "--output", output)
    shown = capsys.readouterr().out
    cells = [[cell.strip() for cell in line.split("│")] for line in shown.splitlines()]
    assert any(row[1:3] == ["objects by group", "F1"] and row[3].startswith("0.952 (") for row in cells)
    assert "predict buildings 10/10" in shown
    assert (output / "worst.html").read_text("utf-8").count("<figure>") == 11
    geoai(monkeypatch, "evaluate", "buildings", "--images", pairs, "--gsd", "0.3", "--json")
    assert json.loads(capsys.readouterr().out) == json.loads((output / "scores.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "expected one of --config, --images and --review, found none"),
        (
            "--images a --config b.yaml",
            "expected one of --config, --images and --review, found --config and --images",
        ),
        ("--images a", "expected --gsd with --images, found none"),
        (
            "--images a --gsd 0.3 --bounds 0 0 1 1",
            "expected no --bounds with --images, found (0.0, 0.0, 1.0, 1.0)",
        ),
        ("buildings --review a.gpkg", "expected no model with --review, found buildings"),
        ("--config a.yaml --layer b", "expected --labels with --layer, found none"),
        ("--config a.yaml --every 5", "expected no --every with --config, found 5"),
        ("--review a.gpkg --bounds 1 0 0 1", "expected --bounds LEFT BOTTOM RIGHT TOP, found 1 0 0 1"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(
    words: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["geoai", "evaluate", *words.split()])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 1
    assert capsys.readouterr().err == f"geoai: evaluate: {message}\n"
