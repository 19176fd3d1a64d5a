"""The buttons of the review in QGIS: decide, go on, copy a suggestion; in the table, the form and on the map.

They are Python, which QGIS 4 runs only in a project that the user trusts: the form is enough without them.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from geoai.publish.texts import ACTIONS, Language

CODE = Path(__file__).with_name("actioncode.py")
PYTHON = "1"
"""QGIS's number for an action in Python."""
BUTTONS = {
    "confirm": "decide({layer}, {fid}, 'confirmed')",
    "reject": "reject({layer}, {fid})",
    "unclear": "decide({layer}, {fid}, 'unclear')",
    "next": "go_on({layer}, {fid})",
    "suggestion": "copy_suggestion({layer}, {fid})",
}
WIDTH_PX = 420
"""Width of the column of buttons: QGIS does not fit it to them."""


def review_actions(waiting: str, language: Language) -> Element:
    """Return the element attributeactions; *waiting* is QGIS's expression for what waits for a decision."""
    words = {key: text.say(language) for key, text in ACTIONS.items()}
    settings = f"\nWORDS.update({words!r})\nWAITING = {waiting!r}\n"
    element = Element("attributeactions")
    SubElement(element, "defaultAction", {"key": "Canvas", "value": action_id("confirm")})
    for name, call in BUTTONS.items():
        # QGIS fills in what stands in [% %] before it runs the text
        target = {"layer": "QgsProject.instance().mapLayer('[% @layer_id %]')", "fid": "[% $id %]"}
        action = SubElement(
            element,
            "actionsetting",
            {
                "id": action_id(name),
                "type": PYTHON,
                "name": words[name],
                "shortTitle": words[name],
                "icon": "",
                "capture": "0",
                "isEnabledOnlyWhenEditable": "0",
                "notificationMessage": "",
                "action": CODE.read_text(encoding="utf-8") + settings + call.format(**target) + "\n",
            },
        )
        for scope in ("Canvas", "Feature"):
            SubElement(action, "actionScope", {"id": scope})
    return element


def add_buttons(container: Element) -> None:
    """Add the buttons to a container of the form."""
    for name in BUTTONS:
        attributes = {"name": action_id(name), "ActionUUID": action_id(name), "showLabel": "0"}
        SubElement(container, "attributeEditorAction", attributes)


def action_id(name: str) -> str:
    """Return the id by which QGIS knows a button, the same in every review."""
    return "{" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"geoai:action:{name}")) + "}"
