"""Reviewing with single keys in QGIS: the next open signal, a decision, the next one.

It runs in QGIS's own Python (3.9 and later), on Qt 5 and Qt 6, and imports nothing of geoai.
"""

from __future__ import annotations

import json
import string
from functools import partial
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsDataSourceUri,
    QgsFeatureRequest,
    QgsProject,
    QgsValueMapFieldFormatter,
)
from qgis.gui import QgsRubberBand
from qgis.PyQt import QtGui, QtWidgets
from qgis.PyQt.QtCore import Qt

QAction = getattr(QtGui, "QAction", None) or QtWidgets.QAction  # Qt 6, Qt 5

PUT_BEFORE = (
    '"lifecycle" <> \'gone\' AND "policy_group" IS NULL '
    "AND \"class\" NOT IN ('below_min', 'not_assessable', 'confirmed')"
)
"""The rows of discrepancy that are put before a reviewer, decided or not."""
OPEN = "\"status\" = 'open'"
ASKED_AGAIN = 'coalesce("reopened_at" > "reviewed_at", "reopened_at" IS NOT NULL)'
"""The rows that were opened again since they were decided on; reviews of older versions cannot tell."""

WRITTEN = ("status", "reject_reason", "reviewed_by", "reviewed_at")
CONTEXT, CLOSEST = 3, 500
"""A signal fills a third of the canvas, but a shed is shown with the plot around it, at 1:500."""

WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


def say(key: str, *values: object) -> str:
    """Return the words *key* in the language of QGIS."""
    language = "sv" if QgsApplication.locale().startswith("sv") else "en"
    return str(WORDS[key][language]).format(*values)


def review_layers() -> list[Any]:
    """Return the project's layers on a table of signals, in a GeoPackage or in PostGIS."""
    return [layer for layer in QgsProject.instance().mapLayers().values() if holds_signals(layer)]


def holds_signals(layer: Any) -> bool:
    """Return whether a layer shows a table of signals."""
    if layer.providerType() == "postgres":
        return bool(QgsDataSourceUri(layer.source()).table() == "discrepancy")
    return "layername=discrepancy" in layer.source().split("|")


class ReviewKeys:
    """The keys, while they are switched on: they work when the map canvas has the focus, nowhere else."""

    def __init__(self, iface: Any) -> None:
        self.iface, self.canvas = iface, iface.mapCanvas()
        self.started = False  # whether the layer is in edit mode because of us

    def initGui(self) -> None:  # noqa: N802
        """Build the toolbar, the keys and the counter."""
        self.bar = self.iface.addToolBar("geoai")
        self.bar.setObjectName("geoai_review")
        self.switch = self._action("review", "F8", lambda: None)
        self.switch.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        self.switch.setCheckable(True)
        self.switch.toggled.connect(self.turn)
        self.keys = [
            self._action("confirm", "Q", partial(self.decide, "confirmed")),
            self._action("reject", "W", self.ask_reason),
            self._action("unclear", "E", partial(self.decide, "unclear")),
            self._action("next", "D", self.step),
            self._action("previous", "A", partial(self.step, back=True)),
            self._action("undo", "Z", self.undo),
        ]
        self.mark = QgsRubberBand(self.canvas)
        self.mark.setStrokeColor(QtGui.QColor(255, 255, 0))
        self.mark.setFillColor(QtGui.QColor(0, 0, 0, 0))
        self.mark.setWidth(2)
        self.label = QtWidgets.QLabel()
        self.iface.statusBarIface().addPermanentWidget(self.label)
        QgsProject.instance().layersWillBeRemoved.connect(self.stop)
        self.turn(False)

    def unload(self) -> None:
        """Take everything off again."""
        QgsProject.instance().layersWillBeRemoved.disconnect(self.stop)
        self.switch.setChecked(False)
        for action in (self.switch, *self.keys):
            self.iface.unregisterMainWindowAction(action)
            action.deleteLater()
        self.canvas.scene().removeItem(self.mark)
        self.iface.statusBarIface().removeWidget(self.label)
        self.bar.deleteLater()

    def _action(self, name: str, key: str, call: Any) -> Any:
        action = QAction(say(name), self.iface.mainWindow())
        action.setObjectName(f"geoai_{name}")
        action.setIconText(f"{say(name)} [{key}]")  # what the toolbar shows
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _=False: call())
        self.iface.registerMainWindowAction(action, key)  # so that the key can be changed in the settings
        self.bar.addAction(action)
        self.canvas.addAction(action)
        return action

    def turn(self, on: bool) -> None:
        """Start with the most urgent open signal, or stop."""
        whole = [layer for layer in review_layers() if not layer.subsetString()]  # decided ones as well
        self.layer: Any = whole[0] if on and whole else None
        self.current: int | None = None  # fid of the signal that is shown
        self.history: list[tuple[int, dict[str, Any]]] = []  # fid, and its values before the decision
        usable = self.layer is not None and self.layer.supportsEditing()
        self.enable(usable)
        self.label.setVisible(usable)
        self.mark.reset()
        if usable:
            self.step()
        elif on:
            self.warn("no_review") if self.layer is None else self.warn("read_only", self.layer.source())
            self.switch.setChecked(False)

    def enable(self, on: bool) -> None:
        """Let the keys work, or not."""
        for action in self.keys:
            action.setEnabled(on)

    def stop(self) -> None:
        """Switch off: a layer of the project goes away."""
        self.switch.setChecked(False)

    def warn(self, key: str, *values: object) -> None:
        """Say *key* in the message bar, for ten seconds."""
        self.iface.messageBar().pushMessage(say("review"), say(key, *values), Qgis.MessageLevel.Warning, 10)

    def ranked(self) -> list[tuple[int, bool]]:
        """Return the fid of all that is put before a reviewer, the most urgent first, and if it waits."""
        waits = f"({OPEN} OR {ASKED_AGAIN})" if "reopened_at" in self.layer.fields().names() else OPEN
        waiting = set(self.fids(f"{PUT_BEFORE} AND {waits}"))
        return [(fid, fid in waiting) for fid in self.fids(PUT_BEFORE)]

    def fids(self, expression: str) -> list[int]:
        """Return the rows that an expression holds for, the most urgent first."""
        request = QgsFeatureRequest().setFilterExpression(expression)
        request.setSubsetOfAttributes([])
        request.setFlags(QgsFeatureRequest.NoGeometry)
        request.addOrderBy('"priority"', False, False)
        request.addOrderBy("$id")
        return [row.id() for row in self.layer.getFeatures(request)]

    def step(self, back: bool = False) -> None:
        """Show the open signal after the current one, or before it; after the last comes the first."""
        ranked = self.ranked()[:: -1 if back else 1]
        fids = [fid for fid, _ in ranked]
        after = fids.index(self.current) + 1 if self.current in fids else 0
        waiting = [fid for fid, waits in ranked[after:] + ranked[:after] if waits]
        if waiting:
            self.show(waiting[0])
        else:
            self.count()
            self.warn("done")

    def show(self, fid: int) -> None:
        """Zoom to a signal and flash it; it is what is decided on next."""
        self.current = fid
        geometry = self.layer.getFeature(fid).geometry()
        view = self.canvas.mapSettings().layerToMapCoordinates(self.layer, geometry.boundingBox())
        view.scale(CONTEXT)
        self.canvas.setExtent(view)
        if self.canvas.scale() < CLOSEST:
            self.canvas.zoomScale(CLOSEST)
        self.canvas.refresh()
        self.canvas.setFocus()
        self.mark.setToGeometry(geometry, self.layer)
        self.canvas.flashGeometries([geometry], self.layer.crs())
        self.count()

    def count(self) -> None:
        """Say in the status bar how much is decided."""
        decided = [not waits for _, waits in self.ranked()]
        self.label.setText(say("count", sum(decided), len(decided)))

    def ask_reason(self) -> None:
        """Ask why the signal is rejected: one more key, or a click; Escape rejects nothing."""
        if not self.in_view():
            return
        menu = QtWidgets.QMenu(self.canvas)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        setup = self.layer.editorWidgetSetup(self.layer.fields().indexOf("reject_reason"))
        for key, choice in enumerate(setup.config().get("map", [])):  # in the review's language
            for words, code in choice.items():
                reason = None if code == QgsValueMapFieldFormatter.NULL_VALUE else code
                action = menu.addAction(f"&{(string.digits + string.ascii_lowercase)[key]}  {words}")
                action.triggered.connect(lambda _=False, reason=reason: self.decide("rejected", reason))
        self.enable(False)  # a key belongs to the menu now
        menu.aboutToHide.connect(partial(self.enable, True))
        menu.popup(self.canvas.mapToGlobal(self.canvas.rect().topLeft()))  # the signal is in the middle

    def in_view(self) -> bool:
        """Return whether the current signal is seen: nobody decides on what lies elsewhere. Else show it."""
        if self.current is None:
            self.step()
            return False
        box = self.layer.getFeature(self.current).geometry().boundingBox()
        settings = self.canvas.mapSettings()
        seen: bool = settings.extent().intersects(settings.layerToMapCoordinates(self.layer, box))
        if not seen:
            self.show(self.current)
        return seen

    def decide(self, status: str, reason: str | None = None) -> None:
        """Write the decision on the current signal and go on to the next."""
        if not self.in_view() or self.current is None:
            return
        row = self.layer.getFeature(self.current)
        if (row["status"], row["reject_reason"] or None) != (status, reason):  # not a second attempt to save
            self.history.append((self.current, {name: row[name] for name in WRITTEN}))
        if self.write(self.current, {"status": status, "reject_reason": reason}):
            self.step()

    def undo(self) -> None:
        """Put the last decision back to what it was, and show its signal."""
        if not self.history:
            self.warn("nothing")
            return
        fid, before = self.history[-1]
        if self.write(fid, before, sign=False):
            self.history.pop()
            self.show(fid)

    def write(self, fid: int, values: dict[str, Any], sign: bool = True) -> bool:
        """Change a row and save at once; *sign* lets the layer fill in who and when. Return whether saved."""
        if not self.layer.isEditable():
            self.started = self.layer.startEditing()
        fields = self.layer.fields()
        changes = {fields.indexOf(name): value for name, value in values.items()}
        self.layer.beginEditCommand(say("review"))
        self.layer.changeAttributeValues(fid, changes, {}, not sign)
        self.layer.endEditCommand()
        if not self.layer.commitChanges(stopEditing=self.started):
            errors = " ".join(self.layer.commitErrors())
            self.warn("failed", f"{say('locked')} {errors}" if "database is locked" in errors else errors)
            return False
        self.started = False
        for layer in review_layers():
            layer.triggerRepaint()
        return True


def classFactory(iface: Any) -> ReviewKeys:  # noqa: N802
    """Return the plugin; QGIS calls this."""
    return ReviewKeys(iface)
