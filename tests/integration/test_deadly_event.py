"""An event that ends every process which reacts to it: it is found and set aside, and its neighbours go through."""

from functools import partial
from pathlib import Path

import pytest

from shared.shell import SUSPECT_RUNS_MAX
from tests.integration.deadly import EXIT_CODE
from tests.integration.letters import kept
from tests.integration.processes import begun
from tests.integration.stage import Stage
from tests.integration.wire import confirmed, envelope, send

pytestmark = [pytest.mark.integration, pytest.mark.outage, pytest.mark.once]

LANE = "notification.order.confirmed"
ENDS = 1 + SUSPECT_RUNS_MAX
"""One process ends in a batch of many messages, one with this message alone, and each of the others with this event."""


async def test_the_one_is_set_aside_and_all_others_have_their_effect(stage: Stage, tmp_path: Path) -> None:
    """It lies between others of its message, and its message between others that the process had fetched."""
    messages = [[envelope(confirmed()) for _ in range(5)] for _ in range(4)]
    deadly = messages[1][2]
    for message in messages:
        await send(stage.auditor, *message)
    program = partial(begun, stage, "notification", "tests.integration.deadly", tmp_path)
    for _ in range(ENDS):
        async with program(QUARTET_DEADLY=str(deadly.correlation_id)) as child:
            assert await child.exited() == EXIT_CODE
    async with program(QUARTET_DEADLY=str(deadly.correlation_id)):
        (letter,) = await kept(stage.auditor, "notification")
        await stage.auditor.let_leases_pass("notification")  # of mails that the ended processes meant to send
        await stage.auditor.done("notification")
    assert (letter["event_id"], letter["lane"], letter["error_class"]) == (deadly.event_id, LANE, "Deadly")
    good = {one.correlation_id for message in messages for one in message} - {deadly.correlation_id}
    sent = await stage.auditor.rows("SELECT order_id FROM notification_service.correspondence WHERE confirmed = 'sent'")
    assert {row["order_id"] for row in sent} == good
    assert await stage.auditor.count("notification_service.suspects") == 0
