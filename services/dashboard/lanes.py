"""An order as a sequence diagram: a lane for each service, time downwards, an arrow from each cause to what it caused.

Pure: from the document of an order to places in an SVG, in its own units, which are pixels where nothing is scaled.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

GUTTER, LANE, HEAD, ROW, FOOT = 92, 218, 40, 42, 14
BOX, HIGH = 194, 28
CHARACTER = 7.0
"""About so wide is one in a box; a longer name is cut, and whole where the mouse rests on it."""
BEND = 26


def sequence(order: Document, services: Sequence[str]) -> dict[str, Any]:
    """Give the boxes and the arrows of an order."""
    left = {service: GUTTER + LANE * number + (LANE - BOX) // 2 for number, service in enumerate(services)}
    boxes = [_event(event, left, row) for row, event in enumerate(order["log"])]
    waits = [wait for wait in order["next"] if wait["kind"] != "timer"]
    boxes += [_ghost(wait, left, len(boxes) + row) for row, wait in enumerate(waits)]
    at = {box["id"]: box for box in boxes if box["id"]}
    return {
        "width": GUTTER + LANE * len(services) + 8,
        "height": HEAD + ROW * len(boxes) + FOOT,
        "head": HEAD,
        "lanes": [
            {"name": service, "x": left[service], "middle": left[service] + BOX // 2, "w": BOX} for service in services
        ],
        "boxes": boxes,
        "arrows": [_arrow(at[box["cause"]], box) for box in boxes if box["cause"] in at],
    }


def _event(event: Document, left: Mapping[str, int], row: int) -> dict[str, Any]:
    return {
        **_place(event["service"], left, row),
        "id": event["event_id"],
        "cause": event["cause"],
        "name": event["name"],
        "label": _label(event),
        "ghost": False,
        "late": False,
        "public": event["public"],
        "since_ms": event["since_ms"],
        "after_ms": event["after_ms"],
        "answered": event["answered"],
    }


def _ghost(wait: Document, left: Mapping[str, int], row: int) -> dict[str, Any]:
    return {
        **_place(wait["service"], left, row),
        "id": None,
        "cause": wait["event_id"],
        "name": wait["name"],
        "label": _cut(wait["name"].partition(".")[2]),
        "ghost": True,
        "late": wait["overdue_since"] is not None or wait["kind"] == "dead letter",
        "kind": wait["kind"],
        "waits_s": wait["waits_s"],
        "answered": None,
    }


def _place(service: str, left: Mapping[str, int], row: int) -> dict[str, Any]:
    y = HEAD + ROW * row + (ROW - HIGH) // 2
    return {"service": service, "x": left.get(service, GUTTER), "y": y, "w": BOX, "h": HIGH, "middle": y + HIGH // 2}


def _label(event: Document) -> str:
    """Name an event, and the attempt that it took."""
    again = f" ↻{event['attempts']}" if event["attempts"] > 1 else ""
    return _cut(event["name"], len(again)) + again


def _cut(name: str, less: int = 0) -> str:
    most = int((BOX - 16) / CHARACTER) - less
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _arrow(start: Document, end: Document) -> dict[str, Any]:
    """Bend around what lies between: out at the side that faces the other lane, in at the side that faces back."""
    right = end["x"] > start["x"]
    same = end["x"] == start["x"]
    x1 = start["x"] if same or not right else start["x"] + BOX
    x2 = end["x"] if same or right else end["x"] + BOX
    turn1, turn2 = (-BEND, -BEND) if same else (BEND, -BEND) if right else (-BEND, BEND)
    path = f"M{x1} {start['middle']}C{x1 + turn1} {start['middle']} {x2 + turn2} {end['middle']} {x2} {end['middle']}"
    return {"path": path, "service": end["service"], "ghost": end["ghost"], "late": end["late"]}
