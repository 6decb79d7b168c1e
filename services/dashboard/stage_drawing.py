"""The stage as a diagram: on the left who tells what, on the right who reacts to it, and a curve for each lane.

Pure: from the document of the stage to places in an SVG.
"""

from collections.abc import Mapping
from typing import Any

from services.dashboard.dance import Dance
from services.dashboard.words import seconds

Document = Mapping[str, Any]

WIDTH, SIDE, TOP, EDGE = 1120, 350, 26, 2
HEAD, ROW, FOOT, GAP = 34, 27, 10, 18
SAID_MAX = 2
STROKE_LEAST, STROKE_MOST, STROKE_FULL_PER_MIN = 1.25, 5.0, 600


def drawing(dance: Dance, stage: Document) -> dict[str, Any]:
    """Give the cards, their rows and the curves between them."""
    services = {service["service"]: service for service in stage["services"]}
    told = {name: [e.name for e in dance.events.values() if e.owner == name and e.public] for name in dance.services}
    lanes = {name: [lane for lane in stage["lanes"] if lane["service"] == name] for name in dance.services}
    left, left_end = _cards([(name, events) for name, events in told.items() if events], 0)
    right, right_end = _cards([(name, rows) for name, rows in lanes.items() if rows], WIDTH - SIDE)
    height = max(left_end, right_end)
    _centre(left, (height - left_end) / 2)
    _centre(right, (height - right_end) / 2)
    for card in (*left, *right):
        card["service"] = services[card["name"]]
    starts = {row["of"]: row["y"] for card in left for row in card["rows"]}
    for card in left:
        for row in card["rows"]:
            row["rate"] = stage["rates"][row["of"]]
    for card in right:
        for row in card["rows"]:
            lane = row["of"]
            row |= {
                "lane": lane,
                "bad": _bad(lane),
                "slow": _slow(lane),
                "said": _said(lane),
            }
    curves = [_curve(starts[row["lane"]["event"]], row, stage) for card in right for row in card["rows"]]
    return {
        "left_of": -EDGE,
        "width": WIDTH + 2 * EDGE,
        "height": height + EDGE,
        "left": left,
        "right": right,
        "curves": curves,
        "side": SIDE,
    }


def _cards(rows_of: list[tuple[str, list[Any]]], x: int) -> tuple[list[dict[str, Any]], float]:
    cards, y = list[dict[str, Any]](), float(TOP)
    for name, rows in rows_of:
        high = HEAD + ROW * len(rows) + FOOT
        middles = [y + HEAD + ROW * number + ROW / 2 for number in range(len(rows))]
        cards.append(
            {
                "name": name,
                "x": x,
                "y": y,
                "w": SIDE,
                "h": high,
                "rows": [{"of": row, "y": middle} for row, middle in zip(rows, middles, strict=True)],
            }
        )
        y += high + GAP
    return cards, y - GAP


def _centre(cards: list[dict[str, Any]], down: float) -> None:
    for card in cards:
        card["y"] += down
        for row in card["rows"]:
            row["y"] += down


def _said(lane: Document) -> list[str]:
    """Say how a lane is, the worst first; there is room for two things."""
    said = [f"{lane['dead_letters']:,} dead"] if lane["dead_letters"] else []
    said += ["nobody listens"] if lane["unheard"] else []
    said += [f"{lane['retries']:,} to retry"] if lane["retries"] else []
    said += [f"{lane['stuck']:,} stuck, {seconds(lane['oldest_s'])}"] if lane["stuck"] else []
    said += ["1 event" if lane["events"] == 1 else f"{lane['events']:,} events"]
    return said[:SAID_MAX]


def _bad(lane: Document) -> bool:
    return bool(lane["dead_letters"]) or lane["unheard"]


def _slow(lane: Document) -> bool:
    return bool(lane["stuck"] or lane["retries"])


def _curve(start_y: float, row: Document, stage: Document) -> dict[str, Any]:
    lane = row["lane"]
    x1, x2, y2 = SIDE, WIDTH - SIDE, row["y"]
    middle = (x1 + x2) / 2
    share = min(stage["rates"][lane["event"]] / STROKE_FULL_PER_MIN, 1.0)
    return {
        "path": f"M{x1} {start_y}C{middle} {start_y} {middle} {y2} {x2} {y2}",
        "owner": lane["owner"],
        "event": lane["event"],
        "stroke": round(STROKE_LEAST + (STROKE_MOST - STROKE_LEAST) * share, 2),
        "bad": row["bad"],
        "slow": row["slow"],
    }
