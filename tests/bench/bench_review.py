"""How a long review opens in QGIS: uv run python tests/bench/bench_review.py [SIGNALS …]

Writes reviews of so many signals (8 × 8 m, 25 m apart, each with a picture of 8 kB) and works in them with
the installed QGIS, offscreen. Prints seconds of wall time by step, and the size of the file.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

sys.path.insert(0, str(Path(__file__).parents[1]))
from pyqgis import run_in_qgis
from review_case import BOTTOM, LEFT, make_case, signals

from geoai.publish import review
from geoai.publish.texts import CLASSES

STEPS = """
import time
from qgis.PyQt.QtCore import QSize
answer, start = {}, time.perf_counter()
def done(step):
    global start
    answer[step] = round(time.perf_counter() - start, 2)
    start = time.perf_counter()
project = QgsProject.instance()
project.read(sys.argv[1])
done("open the project")
layer = project.mapLayer("geoai_layer_to_review")
answer["signals that wait"] = layer.featureCount()
done("count what waits")
request = QgsFeatureRequest().setFlags(QgsFeatureRequest.NoGeometry)
request.setSubsetOfAttributes(["status"], layer.fields())
request.addOrderBy('"priority"', False, False)
first = layer.getFeature(next(layer.getFeatures(request)).id())
done("the most urgent, as the buttons ask")
columns = layer.attributeTableConfig().columns()
shown = [column.name for column in columns if column.name and not column.hidden]
request = QgsFeatureRequest().setSubsetOfAttributes(shown, layer.fields())
rows = sum(1 for _ in layer.getFeatures(request))
done("load the attribute table")
request.setFilterExpression("\\"class\\" = 'missing'")
rows = sum(1 for _ in layer.getFeatures(request))
done("filter one class")
def draw(step, metres):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(project.crs())
    settings.setOutputSize(QSize(1600, 1000))
    box = first.geometry().boundingBox()
    box.grow(metres / 2)
    settings.setExtent(box)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    done(step)
draw("draw 400 m", 400)
draw("draw 2 km", 2000)
draw("draw everything", 20000)
layer.startEditing()
layer.changeAttributeValue(first.id(), layer.fields().indexOf("status"), "confirmed")
assert layer.commitChanges()
done("decide and save")
"""


def measure(count: int) -> dict[str, float]:
    """Write a review of *count* signals, work in it, and return seconds by step."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = make_case(folder / "flight")
        side = int(np.ceil(np.sqrt(count)))
        x, y = LEFT + 25.0 * (np.arange(count) % side), BOTTOM + 25.0 * (np.arange(count) // side)
        codes = [list(CLASSES)[number % len(CLASSES)] for number in range(count)]
        found = signals(codes, list(shapely.box(x, y, x + 8, y + 8)))
        picture = os.urandom(8000)
        review.cut_chips = lambda *_, **__: [picture] * count  # cutting them is not what is measured
        start = time.perf_counter()
        path = case.write(folder / "run", discrepancies=found)
        written = round(time.perf_counter() - start, 2)
        answer, _ = run_in_qgis(STEPS, path.with_suffix(".qgz"))
        return {"signals": count, "MB": path.stat().st_size >> 20, "write": written, **answer}


def main() -> None:
    """Measure each size and print the steps side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    print(pd.DataFrame([measure(size) for size in parser.parse_args().sizes]).T.to_string(header=False))


if __name__ == "__main__":
    main()
