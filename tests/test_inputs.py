"""What is delivered is not trusted: no file leads GDAL to another, and none makes it ask for all memory."""

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from conftest import WriteOrthophoto
from rasterio.crs import CRS
from rasterio.errors import RasterioIOError

from geoai.config import HeightSettings, MapSettings
from geoai.errors import ImageryError, MapError
from geoai.heights import check_heights
from geoai.inputs import HEIGHTS, ORTHOPHOTOS, PICTURES, open_raster
from geoai.maplayer import read_map
from geoai.samples import read_pairs

GREY = np.full((3, 100, 100), 90, np.uint8)
SECRET = np.full((3, 100, 100), 77, np.uint8)
ELSEWHERE = "expected overviews of its own, found those of "


class _Asked(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    """Serve on loopback; the test fails where anything was asked for."""
    _Asked.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Asked)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    assert _Asked.asked == []


def vrt_of(path: Path | str, *, side: int = 100, bands: int = 3) -> str:
    """Return a VRT that shows another file, as a mask too."""
    size = f'rasterXSize="{side}" rasterYSize="{side}"'
    source = f'<SourceFilename relativeToVRT="0">{path}</SourceFilename><SourceBand>1</SourceBand>'
    band = '<VRTRasterBand dataType="Byte" band="{}"><SimpleSource>{}</SimpleSource></VRTRasterBand>'
    flags = "".join(f'<MDI key="INTERNAL_MASK_FLAGS_{n}">2</MDI>' for n in (1, 2, 3))
    shown = "".join(band.format(n + 1, source) for n in range(bands))
    return f"<VRTDataset {size}>{shown}<Metadata>{flags}</Metadata></VRTDataset>"


def refusal(path: Path, drivers: dict[str, str] = ORTHOPHOTOS) -> str:
    with pytest.raises(RasterioIOError) as error, open_raster(path, drivers) as source:
        source.read(out_shape=(3, 50, 50))
    return str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [*ORTHOPHOTOS, *PICTURES])
@pytest.mark.parametrize("kind", ["vrt", "wms", "text"])
def test_a_list_of_other_files_under_an_images_name_is_not_opened(
    tmp_path: Path, host: str, suffix: str, kind: str
) -> None:
    address = f"<GDAL_WMS><Service name='TMS'><ServerUrl>{host}/${{z}}</ServerUrl></Service></GDAL_WMS>"
    text = {"vrt": vrt_of("/etc/passwd"), "wms": address, "text": f"/vsicurl/{host}/x.tif"}[kind]
    path = tmp_path / f"sheet{suffix}"
    path.write_text(text)
    message = refusal(path, ORTHOPHOTOS | PICTURES)
    assert "not recognized" in message or "not a JPEG" in message


@pytest.mark.slow
@pytest.mark.parametrize("beside", [".msk", ".ovr", ".MSK", ".OVR", ".msk.ovr", ".msk.msk"])
@pytest.mark.parametrize("target", ["file", "address"])
def test_a_mask_or_overviews_that_lead_elsewhere_are_not_opened(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, host: str, beside: str, target: str
) -> None:
    secret = write_orthophoto(tmp_path / "other" / "secret.tif", SECRET)
    path = write_orthophoto(tmp_path / "sheet.tif", GREY)
    if beside.count(".") == 2:  # the mask itself is one
        write_orthophoto(tmp_path / "sheet.tif.msk", GREY[:1])
    where = secret if target == "file" else f"/vsicurl/{host}/secret.tif"
    (tmp_path / f"sheet.tif{beside}").write_text(vrt_of(where, side=50))
    assert f"sheet.tif{beside}' not recognized" in refusal(path)


@pytest.mark.parametrize("beside", [".Msk", ".Ovr"])
def test_what_is_not_asked_for_by_name_is_not_read(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, beside: str
) -> None:
    path = write_orthophoto(tmp_path / "sheet.tif", GREY)
    write_orthophoto(tmp_path / f"x{beside}.tif", GREY[:1, ::2, ::2] * 0).rename(
        tmp_path / f"sheet.tif{beside}"
    )
    with open_raster(path, ORTHOPHOTOS) as source:
        assert source.files == [str(path)]
        assert source.overviews(1) == []
        assert source.dataset_mask().all()


def test_no_folder_is_listed_to_open_a_sheet(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_orthophoto(tmp_path / "sheet.tif", GREY)

    def listed(*_: object) -> None:
        raise AssertionError("1,500 sheets are listed for each tile")

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, listed)
    open_raster(path, ORTHOPHOTOS).close()


@pytest.mark.parametrize("kind", ["tag", "aux.xml", "tag of the overviews", "aux.xml of the mask"])
def test_overviews_named_in_metadata_are_not_opened(
    tmp_path: Path, write_orthophoto: WriteOrthophoto, host: str, kind: str
) -> None:
    path = write_orthophoto(tmp_path / "sheet.tif", GREY)
    bearer, where = path, f"/vsicurl/{host}/x.vrt"
    if kind.endswith("overviews"):
        bearer = write_orthophoto(tmp_path / "sheet.tif.ovr", GREY[:, :50, :50])
    if kind.endswith("mask"):
        bearer = write_orthophoto(tmp_path / "sheet.tif.msk", GREY[:1])
    if kind.startswith("tag"):
        with rasterio.open(bearer, "r+", driver="GTiff") as target:
            target.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=where)
    else:
        item = f'<MDI key="OVERVIEW_FILE">{where}</MDI>'
        text = f'<PAMDataset><Metadata domain="OVERVIEWS">{item}</Metadata></PAMDataset>'
        bearer.with_name(f"{bearer.name}.aux.xml").write_text(text)
    assert refusal(path) == f"{bearer.name}: {ELSEWHERE}{where}"


def test_masks_overviews_and_places_beside_a_sheet_are_used(
    tmp_path: Path, write_orthophoto: WriteOrthophoto
) -> None:
    path = tmp_path / "sheet.jpg"
    with rasterio.open(path, "w", driver="JPEG", width=100, height=100, count=3, dtype="uint8") as target:
        target.write(GREY)
    (tmp_path / "sheet.jgw").write_text("0.2\n0\n0\n-0.2\n450020.1\n6400999.9\n")
    pam = "<PAMDataset><SRS>EPSG:3006</SRS></PAMDataset>"
    (tmp_path / "sheet.jpg.aux.xml").write_text(pam)
    mask = np.full((1, 100, 100), 255, np.uint8)
    mask[:, :50] = 0
    masking = write_orthophoto(tmp_path / "sheet.jpg.msk.tif", mask)
    with rasterio.open(masking, "r+") as target:
        target.update_tags(INTERNAL_MASK_FLAGS_1=2, INTERNAL_MASK_FLAGS_2=2, INTERNAL_MASK_FLAGS_3=2)
    masking.rename(tmp_path / "sheet.jpg.msk")
    write_orthophoto(tmp_path / "sheet.jpg.ovr.tif", SECRET[:, :50, :50]).rename(tmp_path / "sheet.jpg.ovr")
    with open_raster(path, ORTHOPHOTOS) as source:
        assert (source.crs.to_epsg(), source.transform.c) == (3006, 450_020.0)
        assert (source.dataset_mask() > 0).mean() == 0.5
        assert source.overviews(1) == [2]


@pytest.mark.parametrize(
    ("profile", "found"),
    [
        ({"blockxsize": 65_536, "blockysize": 65_536}, "1e+12 px in "),
        ({"tiled": False, "compress": "deflate"}, "1e+12 px in "),
        ({"width": 20_000, "height": 20_000, "blockxsize": 19_456, "blockysize": 19_456}, "19456 × 19456"),
    ],
)
def test_a_small_file_that_says_to_be_a_country_are_refused_without_memory_for_it(
    tmp_path: Path, profile: dict[str, Any], found: str
) -> None:
    path = tmp_path / "bomb.tif"
    size = {"width": 10**6, "height": 10**6, "count": 3, "dtype": "uint8", "crs": "EPSG:3006"}
    options = {"driver": "GTiff", "SPARSE_OK": True, "BIGTIFF": "YES", "tiled": True}
    with rasterio.open(path, "w", **(options | size | profile)):
        pass
    assert path.stat().st_size < 20_000_000
    assert found in refusal(path)


def test_a_large_empty_sheet_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "empty.tif"
    profile = {"driver": "GTiff", "width": 30_000, "height": 30_000, "count": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile, SPARSE_OK=True, tiled=True, nodata=0):
        pass
    with open_raster(path, ORTHOPHOTOS) as source:
        assert source.shape == (30_000, 30_000)


def test_no_name_of_a_file_is_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(f"{host.replace('//', '')}.tif")
    path.write_text("")
    assert "not recognized" in refusal(path)


# --- heights, training images ----------------------------------------------------------------------------


def test_heights_are_what_their_suffix_says(tmp_path: Path, write_orthophoto: WriteOrthophoto) -> None:
    heights = write_orthophoto(tmp_path / "dsm.tif", GREY[:1].astype(np.float32))
    crs = pyproj.CRS.from_epsg(3006)
    mosaic = vrt_of(heights, bands=1).replace("<VRTRasterBand", "<SRS>EPSG:3006</SRS><VRTRasterBand", 1)
    for name in ("named.vrt", "hidden.tif"):
        (tmp_path / name).write_text(mosaic)
    check_heights(crs, HeightSettings(ndsm=tmp_path / "named.vrt"))
    with pytest.raises(
        ImageryError, match=r"hidden\.tif: expected a readable height raster, found .* not rec"
    ):
        check_heights(crs, HeightSettings(ndsm=tmp_path / "hidden.tif"))
    with pytest.raises(ImageryError, match=r"dsm\.img: expected .*\.tif, \.tiff, \.asc, \.vrt"):
        check_heights(crs, HeightSettings(ndsm=tmp_path / "dsm.img"))
    assert set(HEIGHTS) == {".tif", ".tiff", ".asc", ".vrt"}


def test_training_images_are_what_their_suffix_says(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_text(vrt_of("/etc/passwd"))
    with pytest.raises(ImageryError, match=r"1\.png: expected a readable image, found .* not recognized"):
        list(read_pairs(tmp_path, gsd_m=0.3))


# --- maps ------------------------------------------------------------------------------------------------


def read(path: Path) -> gpd.GeoDataFrame:
    return read_map(MapSettings(source=str(path)), CRS.from_epsg(3006))


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    path = tmp_path / "houses.gpkg"
    gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10)], crs=3006).to_file(path, layer="houses")
    return path


def ogr_vrt(source: Path | str) -> str:
    name = "<OGRVRTDataSource><OGRVRTLayer name='houses'><SrcDataSource>{}</SrcDataSource>"
    return name.format(source) + "</OGRVRTLayer></OGRVRTDataSource>"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".geojson"])
@pytest.mark.parametrize("kind", ["vrt", "wfs", "pipeline"])
def test_a_list_of_other_sources_under_a_maps_name_is_not_opened(
    tmp_path: Path, host: str, suffix: str, kind: str
) -> None:
    path = tmp_path / f"map{suffix}"
    vrt = ogr_vrt(f"/vsicurl/{host}/map.gpkg")
    wfs = f"<OGRWFSDataSource><URL>{host}/wfs</URL></OGRWFSDataSource>"
    pipeline = '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read x"}'
    path.write_text({"vrt": vrt, "wfs": wfs, "pipeline": pipeline}[kind])
    with pytest.raises(MapError, match=r"expected a source that OGR can open as .*, found another format"):
        read(path)


def test_a_list_of_other_sources_within_a_geojson_is_not_opened(tmp_path: Path, host: str) -> None:
    path = tmp_path / "map.geojson"
    path.write_text('{"type": "FeatureCollection", "x": "' + ogr_vrt(f"/vsicurl/{host}/map.gpkg") + '"}')
    with pytest.raises(MapError, match="as GeoJSON, found another format"):
        read(path)


def test_a_list_of_other_sources_that_the_settings_name_is_followed(tmp_path: Path, houses: Path) -> None:
    path = tmp_path / "map.vrt"
    path.write_text(ogr_vrt(houses))
    assert len(read(path)) == 1


def test_another_kind_of_file_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "map.kml"
    path.write_text("<kml/>")
    with pytest.raises(MapError, match=r"map\.kml: expected a folder or \.gpkg, \.shp, .*, found \.kml"):
        read(path)
