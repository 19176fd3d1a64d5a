"""What the writers of QGIS's XML made when it was last looked at: python tests/golden.py writes it anew.

Look at the difference, and at QGIS, before it is committed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.etree import ElementTree

from review_case import make_case

from geoai.publish.project import Bookmark, review_project
from geoai.publish.qml import xml_text
from geoai.publish.style import layer_styles
from geoai.publish.tables import DISCREPANCY, MAP_STATUS, SAMPLE

FOLDER = Path(__file__).parent / "data" / "golden"


def made() -> dict[str, str]:
    """Return the texts by file name: the styles that people work with, in Swedish, and a project."""
    styles = layer_styles("sv")
    texts = {f"{table.name}.qml": xml_text(styles[table]) for table in (DISCREPANCY, MAP_STATUS, SAMPLE)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = make_case(folder / "flight")
        text = review_project(
            folder / "run",
            crs="EPSG:3006",
            extent=(450_000.0, 6_400_000.0, 450_200.0, 6_400_200.0),
            bookmarks=[Bookmark("1. Saknas i kartan", (450_020.0, 6_400_020.0, 450_100.0, 6_400_100.0))],
            orthophoto=case.orthophoto,
            probability=case.probability,
            earlier=case.orthophoto,
            title="Granskning F1",
            language="sv",
            extra=["sample", "quality_grid", "registration"],
        )
    # the styles within the project are those of the other files: here its own parts
    root = ElementTree.fromstring(text)
    for layer in root.iter("maplayer"):
        for part in [part for part in layer if part.tag not in KEPT]:
            layer.remove(part)
    ElementTree.indent(root)
    texts["review.qgs"] = ElementTree.tostring(root, encoding="unicode") + "\n"
    return texts


KEPT = {"id", "datasource", "layername", "provider", "map-layer-style-manager", "pipe"}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
