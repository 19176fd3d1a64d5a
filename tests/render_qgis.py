"""Draw a review as QGIS shows it: python tests/render_qgis.py FOLDER OUT.png [--extent …] [--theme …]."""

from __future__ import annotations

import argparse
from pathlib import Path

from pyqgis import render


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder that holds review.qgz")
    parser.add_argument("out", type=Path, help="PNG to write")
    parser.add_argument("--extent", type=float, nargs=4, metavar=("LEFT", "BOTTOM", "RIGHT", "TOP"))
    parser.add_argument("--theme", default="", help="map theme, e.g. Granskning; default: the layers checked")
    parser.add_argument("--size", type=int, nargs=2, default=(1600, 1000), metavar=("WIDTH", "HEIGHT"))
    given = parser.parse_args()
    extent = tuple(given.extent) if given.extent else None
    print(
        render(
            given.folder / "review.qgz", given.out, extent=extent, theme=given.theme, size=tuple(given.size)
        )
    )


if __name__ == "__main__":
    main()
