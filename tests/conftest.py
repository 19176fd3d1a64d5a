"""Makers shared by the tests: small rasters whose pixels tell where they lie."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import settings
from numpy.typing import NDArray
from postgis_server import karta, server, template  # noqa: F401, fixtures
from pystac.validation import JsonSchemaSTACValidator, RegisteredValidator
from s3_server import s3  # noqa: F401, a fixture

from geoai.raster import gdal_environment

# Containers like to forbid bytecode; each of the many processes that tests start would compile torch anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Tests kill processes, not the machine: GDAL's GeoPackages need not wait for the disk.
os.environ["OGR_SQLITE_SYNCHRONOUS"] = "OFF"

settings.register_profile("whole", deadline=None)  # a busy machine is no counter-example
settings.register_profile("plain", settings.get_profile("whole"), max_examples=33)

WriteOrthophoto = Callable[..., Path]


def pytest_configure(config: pytest.Config) -> None:
    """Try laws on all their examples where slow tests run as well, on a third of them in the plain suite."""
    settings.load_profile("plain" if config.getoption("markexpr") == "not slow" else "whole")


def examples(most: int) -> int:
    """Return how many examples a law that takes its time is tried on, where the whole suite has *most*."""
    return max(5, most * settings().max_examples // 100)


@pytest.fixture(scope="session")
def write_orthophoto() -> WriteOrthophoto:
    """Return a maker of orthophoto files: data (band, row, col), upper left corner, GSD, and what else."""

    def write(
        path: Path,
        data: NDArray[Any],
        *,
        left: float = 450_000.0,
        top: float = 6_401_000.0,
        gsd_m: float = 0.2,
        crs: str | None = "EPSG:3006",
        mask: NDArray[np.bool_] | None = None,
        transform: Affine | None = None,
        **profile: Any,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        settings = {
            "driver": "GTiff",
            "dtype": data.dtype,
            "count": len(data),
            "height": data.shape[1],
            "width": data.shape[2],
            "crs": crs,
            "transform": transform or Affine(gsd_m, 0, left, 0, -gsd_m, top),
        }
        with gdal_environment(), rasterio.open(path, "w", **(settings | profile)) as target:
            target.write(data)
            if mask is not None:
                target.write_mask(mask)
        return path

    return write


class Kept:
    """A folder made once, which each test gets at the same place as it was: what a run writes names paths."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._copy = folder, folder.with_name(f"{folder.name}.kept")
        shutil.copytree(folder, self._copy)

    def put_back(self) -> Path:
        shutil.rmtree(self.folder)
        shutil.copytree(self._copy, self.folder)
        return self.folder


def ground(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return smooth colours (band, …) that differ from place to place; *x*, *y* in metres."""
    waves = (np.sin(x / 7.0) + np.cos(y / 11.0), np.cos(x / 13.0) - np.sin(y / 5.0), np.sin((x + y) / 17.0))
    return np.stack([np.clip(128 + 55 * wave, 1, 254) for wave in waves]).astype(np.uint8)


def ground_image(left: float, top: float, gsd_m: float, height: int, width: int) -> NDArray[np.uint8]:
    """Return the `ground` under a raster as (band, row, col)."""
    x = left + (np.arange(width) + 0.5) * gsd_m
    y = top - (np.arange(height) + 0.5) * gsd_m
    return ground(x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :])


@pytest.fixture(autouse=True)
def log_that_speaks() -> Iterator[None]:
    """Undo what a test that runs the command line in this process sets: it silences the library's log."""
    yield
    logging.getLogger("geoai").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real data named by GEOAI_TEST_DATA, or skip."""
    folder = os.environ.get("GEOAI_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GEOAI_TEST_DATA names no folder of real data")
    return Path(folder)


class OfflineValidator(JsonSchemaSTACValidator):
    """Validates against extension schemas in a folder; asking for any other is an error, not a download."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        for path in folder.glob("*.json"):
            schema = json.loads(path.read_text())
            self.schema_cache[schema["$id"].rstrip("#")] = schema

    def _get_schema(self, schema_uri: str) -> dict[str, Any]:
        schema: dict[str, Any] = self.schema_cache[schema_uri.rstrip("#")]
        return schema


@pytest.fixture
def stac_schemas() -> Iterator[None]:
    """Have pystac validate against the extension schemas in the folder GEOAI_STAC_SCHEMAS, or skip."""
    folder = os.environ.get("GEOAI_STAC_SCHEMAS")
    if not folder:
        pytest.skip("GEOAI_STAC_SCHEMAS names no folder of STAC extension schemas")
    before = RegisteredValidator.get_validator()
    RegisteredValidator.set_validator(OfflineValidator(Path(folder)))
    yield
    RegisteredValidator.set_validator(before)
