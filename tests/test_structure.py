"""The shape of the code: which way imports point, and what may be imported when."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import geoai

PACKAGE = Path(geoai.__file__).parent
LAYERS = [
    {"errors", "redaction"},
    {"grid", "storage", "settingsfile"},
    {"watchconfig", "inputs", "files"},
    {"config"},
    {"raster", "vector", "postgis"},
    {"network", "calibration", "heights", "outlines", "estimators", "locks"},
    {"mlm", "partition", "alignment", "stac", "stacio"},
    {"segmenter"},
    {
        "model",
        "flight",
        "matching",
        "suggestions",
        "extents",
        "evidence",
        "registration",
        "division",
        "identity",
        "traits",
        "scene",
        "visibility",
        "history",
        "stretches",
        "stacapi",
    },
    {"recolouring", "rules", "download", "delivery", "watchrecord"},
    {
        "samples",
        "tiling",
        "catalog",
        "prediction",
        "polygons",
        "maplayer",
        "compare",
        "policy",
        "publish",
    },
    {"inventory", "inspection", "lines", "traced", "scoring", "contactsheet", "sources", "mining", "curves"},
    {"verdicts", "ledgerfile"},
    {"sampling", "shared", "watch"},
    {"mapquality", "dispatch"},
    {"quality"},
    {"reportwords"},
    {"reportviews"},
    {"report"},
    {"task", "resampling", "sightings"},
    {"training", "demo", "scorecard", "ledger"},
    {"card", "lessons", "merging"},
    {"packing"},
    {"assessment", "cases", "tilejobs"},
    {"engine", "pruning"},
    {"pipeline"},
    {"plan"},
    {"evaluation"},
    {"commands"},
    {"cli"},
]
HEAVY = ["torch", "torchgeo", "segmentation_models_pytorch", "geopandas", "rasterio", "numpy", "prefect"]


def imports_of(path: Path) -> set[str]:
    """Return the modules of geoai that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "geoai":
            found |= {alias.name for alias in node.names if not alias.name.startswith("__")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("geoai."):
            found.add(str(node.module).split(".")[1])
    return found


def layer_of(module: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if module in layer)


def modules() -> list[tuple[str, Path]]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return [(path.relative_to(PACKAGE).with_suffix("").parts[0], path) for path in paths]


@pytest.mark.parametrize(("module", "path"), [m for m in modules() if m[0] != "__init__"])
def test_imports_point_one_way(module: str, path: Path) -> None:
    for imported in imports_of(path) - {module}:
        assert layer_of(imported) < layer_of(module), f"{path.name} imports {imported}"


def test_no_stage_knows_prefect() -> None:
    for _, path in modules():
        assert "import prefect" not in path.read_text(encoding="utf-8"), path
        assert "from prefect" not in path.read_text(encoding="utf-8"), path


def test_the_command_line_answers_without_loading_anything_heavy() -> None:
    code = f"import geoai.cli, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
