"""What the stage's diagram says of a lane."""

import pytest

from services.dashboard.dance import dance
from services.dashboard.stage_drawing import drawing


@pytest.mark.parametrize(
    ("lane", "said"),
    [
        ({"events": 0}, ["0 events"]),
        ({"events": 1}, ["1 event"]),
        ({"events": 1_234, "unheard": True}, ["nobody listens", "1,234 events"]),
        ({"events": 3, "retries": 2}, ["2 to retry", "3 events"]),
        ({"events": 5, "dead_letters": 2, "stuck": 3, "oldest_s": 61.0}, ["2 dead", "3 stuck, 1 min 1 s"]),
    ],
)
def test_a_lane_says_how_it_is(lane: dict[str, object], said: list[str]) -> None:
    """The worst first."""
    steps = dance()
    calm = {"events": 0, "unheard": False, "retries": 0, "dead_letters": 0, "stuck": 0, "oldest_s": None}
    lanes = [
        {**calm, "service": service, "event": event, "owner": steps.events[event].owner, **lane}
        for service, event in steps.lanes
    ]
    services = [{"service": name} for name in steps.services]
    picture = drawing(steps, {"services": services, "lanes": lanes, "rates": dict.fromkeys(steps.events, 0)})
    rows = [row for card in picture["right"] for row in card["rows"]]
    assert rows
    assert all(row["said"] == said for row in rows)
