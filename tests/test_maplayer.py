"""Reading the digital map: every source gives the same columns, every fault one line."""

from __future__ import annotations

import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from rasterio.crs import CRS

from geoai.config import MapSettings
from geoai.errors import CRSError, MapError
from geoai.maplayer import read_map

SWEREF = CRS.from_epsg(3006)
COLUMNS = ["map_object_id", "theme", "map_status", "sigma_m", "map_date", "defect", "geometry"]


def square(east, size=10.0):
    return shapely.box(450_000 + east, 6_400_000, 450_000 + east + size, 6_400_000 + size)


def layer(**columns):
    geometry = columns.pop("geometry", [square(0), square(20), square(40)])
    return gpd.GeoDataFrame(columns or {"objid": ["a", "b", "c"]}, geometry=geometry, crs="EPSG:3006")


@pytest.fixture
def write(tmp_path):
    def write(frame, name="map.gpkg", **options):
        pyogrio.write_dataframe(frame, tmp_path / name, **options)
        return str(tmp_path / name)

    return write


def read(source, **keys):
    return read_map(MapSettings(source=source, **keys), SWEREF)


def fault(kind, source, **keys):
    """The message, with the source taken off; it must be one line and name the source."""
    with pytest.raises(kind) as caught:
        read(source, **keys)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{source}: ")
    return message.removeprefix(f"{source}: ")


@pytest.mark.parametrize(
    ("name", "driver"), [("m.gpkg", "GPKG"), ("m.shp", "ESRI Shapefile"), ("m.gdb", "OpenFileGDB")]
)
def test_every_kind_of_source_gives_the_same_objects(write, name, driver):
    mapped = read(write(layer(), name, driver=driver), id_column="objid")
    assert list(mapped.columns) == COLUMNS
    assert mapped.map_object_id.tolist() == ["a", "b", "c"]
    assert mapped.area.tolist() == pytest.approx([100.0] * 3)
    assert set(mapped.map_status) == {"current"}
    assert mapped.sigma_m.tolist() == [0.3] * 3
    assert mapped.map_date.isna().all()
    assert mapped.crs.to_epsg() == 3006
    assert mapped.geometry.is_valid.all()


def test_the_columns_of_the_map_are_read(write):
    source = write(
        layer(
            objid=[1.0, 2.0, None],
            state=["ok", "plan", "ok"],
            sigma=[0.1, None, 2.0],
            changed=["2020-05-01", None, "2021-06-02T10:00:00"],
        )
    )
    mapped = read(
        source,
        id_column="objid",
        status_column="state",
        planned=("plan",),
        sigma_column="sigma",
        date_column="changed",
        theme="house",
    )
    assert mapped.map_object_id.tolist() == ["1", "2", "fid-3"]
    assert mapped.map_status.tolist() == ["current", "planned", "current"]
    assert mapped.sigma_m.tolist() == [0.1, 0.3, 2.0]
    assert mapped.map_date.dt.strftime("%Y-%m-%d").tolist()[::2] == ["2020-05-01", "2021-06-02"]
    assert pd.isna(mapped.map_date[1])
    assert set(mapped.theme) == {"house"}


def test_a_true_date_column_is_read(write):
    changed = pd.to_datetime(["2020-05-01", None, "2021-06-02"])
    mapped = read(write(layer(changed=changed)), date_column="changed")
    assert mapped.map_date.dt.year.tolist()[::2] == [2020, 2021]


def test_without_an_id_column_the_feature_id_names_the_object(write):
    assert read(write(layer())).map_object_id.tolist() == ["1", "2", "3"]


def test_the_filter_leaves_the_rest_out(write):
    assert read(write(layer()), where="objid <> 'b'", id_column="objid").map_object_id.tolist() == ["a", "c"]


def test_pieces_of_one_object_are_joined_as_uncertain_as_the_worst_and_as_new_as_the_last(write):
    source = write(
        layer(
            objid=["a", "b", "a"],
            sigma=[0.1, 0.2, 0.9],
            changed=["2004-01-01", "2010-01-01", "2006-01-01"],
            geometry=[square(0), square(50), square(10)],
        )
    )
    mapped = read(source, id_column="objid", sigma_column="sigma", date_column="changed")
    assert mapped.map_object_id.tolist() == ["a", "b"]
    assert mapped.geometry[0].equals(shapely.box(450_000, 6_400_000, 450_020, 6_400_010))
    assert mapped.sigma_m.tolist() == [0.9, 0.2]
    assert mapped.map_date.dt.year.tolist() == [2006, 2010]


def test_touching_houses_with_ids_of_their_own_stay_apart(write):
    assert len(read(write(layer(objid=["a", "b"], geometry=[square(0), square(10)])), id_column="objid")) == 2


def test_an_object_cannot_be_current_and_planned(write):
    source = write(layer(objid=["a", "b", "b"], state=["ok", "ok", "plan"]))
    message = fault(MapError, source, id_column="objid", status_column="state", planned=("plan",))
    assert message == "expected one status for each object, found 'b' current and planned"


def test_other_statuses_are_left_out_and_counted(write, caplog):
    caplog.set_level(logging.INFO)
    source = write(layer(state=["ok", "plan", "gone"]))
    mapped = read(source, status_column="state", current=("ok",), planned=("plan",))
    assert mapped.map_object_id.tolist() == ["1", "2"]
    assert "1 features of another status left out" in caplog.text


def test_no_object_of_a_wanted_status_is_an_error(write):
    message = fault(MapError, write(layer(state=["x", "y", "x"])), status_column="state", current=("ok",))
    assert message == "expected state to be one of ok, found x, y"


def test_no_source_is_an_error():
    with pytest.raises(MapError, match=r"map\.source: expected the digital map .*, found none"):
        read(None)


def test_a_missing_file_is_an_error(tmp_path):
    assert fault(MapError, str(tmp_path / "map.gpkg")) == "expected a file or folder, found none"


def test_a_file_that_is_no_map_is_an_error(tmp_path):
    path = tmp_path / "map.gpkg"
    path.write_text("hello")
    message = "expected a source that OGR can open as GPKG, found another format"
    assert fault(MapError, str(path)) == message


def test_an_unknown_layer_lists_those_that_exist(write):
    write(layer(), layer="hus")
    source = write(layer(), layer="vag", append=True)
    assert fault(MapError, source, layer="tak") == "expected the layer 'tak', found hus, vag"
    assert fault(MapError, source) == "expected map.layer to name one of several layers, found hus, vag"
    assert len(read(source, layer="hus")) == 3


def test_tables_without_geometry_are_no_layers(write):
    write(layer(), layer="hus")
    source = write(pd.DataFrame({"style": ["x"]}), layer="layer_styles", append=True)
    assert len(read(source)) == 3
    assert fault(MapError, source, layer="layer_styles") == "expected the layer 'layer_styles', found hus"


@pytest.mark.parametrize("key", ["id_column", "status_column", "date_column", "sigma_column"])
def test_a_missing_column_lists_those_that_exist(write, key):
    message = fault(MapError, write(layer(objid=[1, 2, 3], name=["x", "y", "z"])), **{key: "fel"})
    assert message == f"expected the column 'fel' (map.{key}), found objid, name"


@pytest.mark.parametrize(("name", "driver"), [("m.gpkg", "GPKG"), ("m.shp", "ESRI Shapefile")])
@pytest.mark.parametrize("where", ["objid = = 'a'", "fel = 3"])
def test_a_wrong_filter_is_an_error(write, name, driver, where):
    message = fault(MapError, write(layer(), name, driver=driver), where=where)
    assert message.startswith(f"expected map.where to be a valid filter, found {where!r}: ")


def test_nothing_left_by_the_filter_and_an_empty_layer_are_errors(write):
    source = write(layer())
    assert (
        fault(MapError, source, where="objid = 'x'")
        == "expected polygons in 'map', found none where objid = 'x'"
    )
    empty = write(layer().iloc[:0], "empty.gpkg", geometry_type="Polygon")
    assert fault(MapError, empty) == "expected polygons in 'empty', found an empty layer"


def test_another_crs_is_an_error_unless_the_config_says_so(write):
    source = write(layer().to_crs(3008))
    message = fault(CRSError, source)
    assert message == "expected EPSG:3006, found EPSG:3008; set map.reproject to bring it over"
    brought = read(source, reproject=True)
    assert brought.crs.to_epsg() == 3006
    assert shapely.hausdorff_distance(brought.geometry[0], square(0)) < 0.001


def test_degrees_are_an_error(write):
    assert "found EPSG:4326" in fault(CRSError, write(layer().to_crs(4326)))


def test_no_crs_is_an_error(tmp_path):
    path = tmp_path / "map.shp"
    pyogrio.write_dataframe(layer(), path, driver="ESRI Shapefile")
    path.with_suffix(".prj").unlink()
    assert fault(CRSError, str(path)) == "expected EPSG:3006, found no CRS"


def test_a_height_system_beside_the_crs_does_not_count(write):
    mapped = read(write(layer().set_crs(5845, allow_override=True)))
    assert mapped.crs.to_epsg() == 3006


def test_a_layer_of_lines_is_an_error(write):
    lines = layer(geometry=list(shapely.boundary([square(0), square(20), square(40)])), objid=list("abc"))
    assert fault(MapError, write(lines)) == "expected polygons, found 3 LineString"


def lines_of(source, **keys):
    return read_map(MapSettings(source=source, **keys), SWEREF, lines=True)


def road(*points):
    return shapely.LineString([(450_000 + x, 6_400_000 + y) for x, y in points])


def test_where_lines_will_do_a_layer_of_lines_is_read_and_pieces_of_one_road_are_one(write):
    geometry = [road((0, 0), (50, 0)), road((50, 0), (90, 40)), road((0, 100), (80, 100))]
    mapped = lines_of(write(layer(geometry=geometry, objid=["a", "a", "b"])), id_column="objid")
    assert list(mapped.columns) == COLUMNS
    assert mapped.map_object_id.tolist() == ["a", "b"]
    assert mapped.length.tolist() == pytest.approx([50 + np.hypot(40, 40), 80])
    assert set(mapped.geom_type) <= {"LineString", "MultiLineString"}
    polygons = lines_of(write(layer(), "other.gpkg"))
    assert set(polygons.geom_type) == {"Polygon"}


def test_lines_and_polygons_in_one_layer_are_one_line_of_error(tmp_path):
    frame = layer(objid=list("abc"), geometry=[square(0), road((0, 0), (9, 0)), road((0, 5), (9, 5))])
    frame.to_file(tmp_path / "map.geojson", driver="GeoJSON")
    with pytest.raises(MapError) as caught:
        lines_of(str(tmp_path / "map.geojson"))
    assert str(caught.value) == (
        f"{tmp_path / 'map.geojson'}: expected polygons or lines in one layer, "
        "found 2 LineString, 1 Polygon; map.where can choose"
    )


def test_lines_without_length_and_points_beside_lines_are_counted_and_left_out(tmp_path, caplog):
    still = shapely.LineString([(450_000, 6_400_000)] * 2)
    frame = layer(
        objid=list("abc"), geometry=[still, shapely.Point(450_000, 6_400_000), road((0, 5), (9, 5))]
    )
    frame.to_file(tmp_path / "map.geojson", driver="GeoJSON")
    mapped = lines_of(str(tmp_path / "map.geojson"), id_column="objid")
    assert mapped.map_object_id.tolist() == ["c"]
    assert "2 features without length left out" in caplog.text
    layer(objid=["a"], geometry=[still]).to_file(tmp_path / "still.geojson", driver="GeoJSON")
    with pytest.raises(MapError, match="expected lines, found 1 LineString without length"):
        lines_of(str(tmp_path / "still.geojson"))


def test_among_polygons_other_features_are_counted_and_left_out(tmp_path, caplog):
    frame = layer(objid=list("abc"), geometry=[square(0), shapely.Point(450_000, 6_400_000), None])
    frame.to_file(tmp_path / "map.geojson", driver="GeoJSON")
    mapped = read(str(tmp_path / "map.geojson"), id_column="objid")
    assert mapped.map_object_id.tolist() == ["a"]
    assert "2 features without area left out" in caplog.text


def test_invalid_polygons_are_repaired_and_counted(write, caplog):
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    spike = shapely.Polygon([(0, 0), (10, 0), (10, 10), (10, 20), (10, 10), (0, 10)])
    frame = layer(objid=["bow", "spike"], geometry=[bow, spike])
    mapped = read(write(frame), id_column="objid")
    assert mapped.geometry.is_valid.all()
    assert mapped.area.tolist() == pytest.approx([50.0, 100.0])
    assert mapped.geom_type.tolist() == ["MultiPolygon", "Polygon"]
    assert "2 invalid polygons repaired" in caplog.text
    assert mapped["defect"].tolist() == ["self_intersects", "self_overlaps"]


def test_an_object_is_as_defect_as_the_worst_of_its_pieces(write):
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    spike = shapely.Polygon([(0, 0), (10, 0), (10, 10), (10, 20), (10, 10), (0, 10)])
    frame = layer(objid=["a", "a", "b", "b"], geometry=[bow, spike, square(60), square(80)])
    assert read(write(frame), id_column="objid")["defect"].tolist() == ["self_overlaps", ""]


VRT = """<OGRVRTDataSource><OGRVRTLayer name="map"><SrcDataSource relativeToVRT="1">map.csv</SrcDataSource>
<GeometryType>{kind}</GeometryType><LayerSRS>EPSG:3006</LayerSRS></OGRVRTLayer></OGRVRTDataSource>"""


@pytest.mark.parametrize(
    ("kind", "wkt", "area_m2"),
    [
        ("wkbCurvePolygon", "CURVEPOLYGON (CIRCULARSTRING (0 0, 10 10, 20 0, 10 -10, 0 0))", np.pi * 100),
        ("wkbMultiSurface", "MULTISURFACE (CURVEPOLYGON ((0 0, 4 0, 4 4, 0 0)))", 8.0),
        ("wkbPolygonM", "POLYGON M ((0 0 7, 4 0 7, 4 4 7, 0 0 7))", 8.0),
        ("wkbPolygonZM", "POLYGON ZM ((0 0 1 7, 4 0 1 7, 4 4 1 7, 0 0 1 7))", 8.0),
        ("wkbPolygon25D", "POLYGON Z ((0 0 1, 4 0 1, 4 4 1, 0 0 1))", 8.0),
    ],
)
def test_curves_heights_and_measures_become_plain_polygons(tmp_path, kind, wkt, area_m2):
    (tmp_path / "map.csv").write_text(f'id;WKT\na;"{wkt}"\n')
    (tmp_path / "map.vrt").write_text(VRT.format(kind=kind))
    mapped = read(str(tmp_path / "map.vrt"), id_column="id")
    assert not mapped.geometry.has_z.any()
    assert not shapely.has_m(mapped.geometry.to_numpy()).any()
    assert mapped.area.tolist() == pytest.approx([area_m2], rel=1e-3)


@pytest.mark.parametrize(
    ("key", "kind"), [("sigma_column", "number of metres"), ("date_column", "date (YYYY-MM-DD)")]
)
def test_an_unreadable_column_is_an_error_and_a_few_unreadable_values_are_logged(write, caplog, key, kind):
    good = "0.5" if key == "sigma_column" else "2020-01-01"
    source = write(layer(value=["?", "?", None]))
    assert fault(MapError, source, **{key: "value"}) == f"expected value to be a {kind}, found '?'"
    mapped = read(write(layer(value=["?", good, None]), "some.gpkg"), **{key: "value"})
    if key == "sigma_column":
        assert mapped.sigma_m.tolist() == [0.3, 0.5, 0.3]
    else:
        assert mapped.map_date.notna().tolist() == [False, True, False]
    assert "1 values of value taken as unknown, e.g. '?'" in caplog.text


def test_a_negative_standard_error_is_taken_as_unknown(write):
    assert read(write(layer(s=[-1.0, 0.1, 0.0])), sigma_column="s").sigma_m.tolist() == [0.3, 0.1, 0.0]


@pytest.mark.parametrize(
    "source",
    [
        "PG:host=none dbname=karta user=anna password=hemligt",
        "PG:host=none dbname=karta user=anna password='hem ligt'",
        "PG:postgresql://anna:hemligt@none/karta",
    ],
)
def test_a_database_password_is_never_shown(source):
    with pytest.raises(MapError) as caught:
        read(source)
    assert "hem" not in str(caught.value)
    assert "karta" in str(caught.value)
    assert "\n" not in str(caught.value)
