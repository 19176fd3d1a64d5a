"""Archives as QGIS takes them: a zipped project, a plugin to install. The same input gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from geoai.errors import PublishError
from geoai.files import appearing_whole

PLUGIN = Path(__file__).with_name("plugin")
PLUGIN_FILES = ("__init__.py", "metadata.txt", "words.json")


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a ZIP archive of texts by name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # no clock: same bytes
            target.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def write_plugin(path: Path) -> None:
    """Write the QGIS plugin that reviews by single keys, as the ZIP file that QGIS installs."""
    if path.suffix.lower() != ".zip":
        raise PublishError(f"{path}: expected a name that ends in .zip, which QGIS asks for")
    files = {f"geoai_review/{name}": (PLUGIN / name).read_text(encoding="utf-8") for name in PLUGIN_FILES}
    with appearing_whole(path) as target:
        target.write_bytes(zipped(files))
