"""What the buttons of the review do. This text goes into the style and runs in QGIS's Python (3.9 and later).

It knows nothing of geoai; `actions` adds the words, the rows that wait and the call.
"""

from typing import Any

from qgis.core import Qgis, QgsDataSourceUri, QgsFeatureRequest, QgsProject, QgsValueMapFieldFormatter
from qgis.PyQt.QtWidgets import QInputDialog
from qgis.utils import iface

WORDS: dict[str, str] = {}  # in the review's language
WAITING = ""  # expression: the rows that wait for a decision
CONTEXT, CLOSEST = 3, 500  # a signal fills a third of the canvas, at 1:500 at the most


def decide(layer: Any, fid: int, status: str, reason: Any = None) -> None:
    """Write a decision and go on; saved at once, unless the reviewer is editing the layer herself."""
    own = not layer.isEditable() and layer.startEditing()
    fields = layer.fields()
    layer.beginEditCommand(WORDS["review"])
    layer.changeAttributeValues(
        fid, {fields.indexOf("status"): status, fields.indexOf("reject_reason"): reason}
    )
    layer.endEditCommand()
    if own and not layer.commitChanges():
        tell("; ".join(layer.commitErrors()))
        return  # the decision stays in the layer's edits: saving again is enough
    go_on(layer, fid)


def reject(layer: Any, fid: int) -> None:
    """Ask for the reason, then reject; nothing is written where the question is cancelled."""
    setup = layer.editorWidgetSetup(layer.fields().indexOf("reject_reason"))
    reasons = {words: code for choice in setup.config()["map"] for words, code in choice.items()}
    parent = iface.mainWindow() if iface else None
    words, sure = QInputDialog.getItem(parent, WORDS["review"], WORDS["why"], list(reasons), 0, False)
    if sure:
        unknown = reasons[words] == QgsValueMapFieldFormatter.NULL_VALUE
        decide(layer, fid, "rejected", None if unknown else reasons[words])


def go_on(layer: Any, fid: int) -> None:
    """Select and show the signal that waits after *fid*, by priority; after the last comes the first."""
    request = QgsFeatureRequest().setFilterExpression(f"({WAITING}) OR $id = {fid}")
    request.setSubsetOfAttributes(["priority"], layer.fields()).setFlags(QgsFeatureRequest.NoGeometry)
    request.addOrderBy('"priority"', False, False)
    request.addOrderBy("$id")
    fids = [row.id() for row in layer.getFeatures(request)]
    at = fids.index(fid) if fid in fids else -1
    following = fids[at + 1 :] + fids[: max(at, 0)]
    layer.selectByIds(following[:1])
    if not following:
        tell(WORDS["done"])
    elif iface:
        canvas = iface.mapCanvas()
        box = layer.getFeature(following[0]).geometry().boundingBox()
        box.scale(CONTEXT)
        canvas.setExtent(canvas.mapSettings().layerToMapCoordinates(layer, box))
        if canvas.scale() < CLOSEST:
            canvas.zoomScale(CLOSEST)
        canvas.refresh()
        canvas.flashFeatureIds(layer, following[:1])


def copy_suggestion(layer: Any, fid: int) -> None:
    """Put the outline that is suggested for the signal on the clipboard: Ctrl+V in the map's layer."""
    key = layer.getFeature(fid)["discrepancy_id"]
    layers = QgsProject.instance().mapLayers().values()
    for outlines in [each for each in layers if holds_suggestions(each)]:
        outlines.selectByExpression(f"\"discrepancy_id\" = '{key}'")
        if outlines.selectedFeatureCount():
            iface.copySelectionToClipboard(outlines)
            tell(WORDS["copied"], Qgis.Success)
            return
    tell(WORDS["no_suggestion"])


def holds_suggestions(layer: Any) -> bool:
    """Return whether a layer shows the table of suggestions, in a GeoPackage or in PostGIS."""
    if layer.providerType() == "postgres":
        return bool(QgsDataSourceUri(layer.source()).table() == "suggestion")
    return "layername=suggestion" in layer.source().split("|")


def tell(text: str, level: Any = Qgis.Warning) -> None:
    """Say it in the message bar, where there is one."""
    if iface:
        iface.messageBar().pushMessage(WORDS["review"], text, level, 6)
