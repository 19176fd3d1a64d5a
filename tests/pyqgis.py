"""Running a script in the system's QGIS, which is another Python than the one the tests run in."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"

BEFORE = """
import json, os, sys
from qgis.core import *
application = QgsApplication([], True)
application.initQgis()
"""
# The answer goes by file, because Qt writes on stdout; Qt's tear-down is skipped, because it may crash.
AFTER = """
with open(sys.argv[-1], "w") as file:
    json.dump(answer, file)
sys.stdout.flush()
os._exit(0)
"""


def _environment(home: Path) -> dict[str, str]:
    """Return an environment without this Python's own variables, without a screen, with a home of its own."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return inherited | {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(home), "HOME": str(home)}


@functools.cache
def qgis_version() -> int | None:
    """Return the version of the system's QGIS (32216 for 3.22.16), None where PyQGIS is not installed."""
    if not Path(PYTHON).exists():
        return None
    with tempfile.TemporaryDirectory() as home:
        found = subprocess.run(
            [PYTHON, "-c", "from qgis.core import Qgis; print(Qgis.QGIS_VERSION_INT)"],
            capture_output=True,
            text=True,
            env=_environment(Path(home)),
            timeout=120,
        )
    return int(found.stdout) if found.returncode == 0 else None


def run_in_qgis(script: str, *arguments: object) -> tuple[Any, str]:
    """Run *script* in QGIS offscreen with sys.argv[1:] = *arguments*; return its `answer` and what QGIS said.

    Raises RuntimeError with QGIS's messages where the script fails.
    """
    with tempfile.TemporaryDirectory() as home:
        out = Path(home) / "answer.json"
        done = subprocess.run(
            [PYTHON, "-c", BEFORE + script + AFTER, *(str(argument) for argument in arguments), str(out)],
            capture_output=True,
            text=True,
            env=_environment(Path(home)),
            timeout=300,
        )
        if done.returncode != 0 or not out.exists():
            raise RuntimeError(f"QGIS ended with {done.returncode}: {done.stderr}")
        return json.loads(out.read_text()), done.stderr


RENDER = """
project = QgsProject.instance()
assert project.read(sys.argv[1]), project.error()
extent = [float(value) for value in sys.argv[2].split(",")] if sys.argv[2] else None
theme, out, width, height = sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6])
settings = QgsMapSettings()
root = project.layerTreeRoot()
layers = [layer for layer in root.layerOrder() if root.findLayer(layer).isVisible()]
if theme:
    themes = project.mapThemeCollection()
    assert theme in themes.mapThemes(), themes.mapThemes()
    settings.setLayerStyleOverrides(themes.mapThemeStyleOverrides(theme))
    layers = themes.mapThemeVisibleLayers(theme)
settings.setLayers(layers)
settings.setDestinationCrs(project.crs())
settings.setTransformContext(project.transformContext())
from qgis.PyQt.QtCore import QSize
settings.setOutputSize(QSize(width, height))
settings.setOutputDpi(96)
settings.setBackgroundColor(project.backgroundColor())
view = project.viewSettings().defaultViewExtent()
settings.setExtent(QgsRectangle(*extent) if extent else QgsRectangle(view))
settings.setFlag(QgsMapSettings.Antialiasing, True)
settings.setFlag(QgsMapSettings.UseAdvancedEffects, True)
job = QgsMapRendererParallelJob(settings)
job.start()
job.waitForFinished()
assert job.renderedImage().save(out), out
answer = {"layers": [layer.name() for layer in layers], "scale": settings.scale(),
          "errors": [error.message for error in job.errors()]}
"""


def render(
    project: Path,
    out: Path,
    *,
    extent: tuple[float, float, float, float] | None = None,
    theme: str = "",
    size: tuple[int, int] = (1600, 1000),
) -> dict[str, Any]:
    """Draw *project* into the PNG *out*: *extent* (left, bottom, right, top; metres) or its own view.

    The layers are those of *theme*, else those checked. Returns the layers drawn, the scale (1:…) and errors.
    """
    view = ",".join(repr(value) for value in extent) if extent else ""
    answer, _ = run_in_qgis(RENDER, project, view, theme, out, *size)
    return dict(answer)
