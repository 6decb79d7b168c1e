"""The operator at work: what is set aside by a faulty service, and asked over HTTP of one that is mended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from services.notification.reactions import reactions
from shared.envelope import Envelope
from shared.runtime import Runtime
from tests.integration.letters import kept
from tests.integration.outside import OPERATOR_KEY
from tests.integration.reacting import raising
from tests.integration.stage import PROGRAMS, Actor, Stage
from tests.integration.wire import confirmed, envelope, send
from tests.waiting import eventually

LANE = "notification.order.confirmed"
KEY = {"X-Operator-Key": OPERATOR_KEY}
INBOX = "notification_service.inbox"
LETTERS = "notification_service.dead_letters"
SENT = "notification_service.events", "type = 'notification.sent.v1'"
UNREADABLE = orjson.dumps([{"specversion": "1.0", "type": "order.confirmed.v1", "data": {"email": "who@example.org"}}])


async def set_aside(stage: Stage, count: int = 1) -> list[Envelope]:
    """Have notification set so many confirmations aside, because all its reactions raise."""
    envelopes = [envelope(confirmed()) for _ in range(count)]
    async with stage.runtime("notification", raising(reactions, lambda _: True)):
        await send(stage.auditor, *envelopes)
        await kept(stage.auditor, "notification", count)
    return envelopes


async def looked(actor: Actor, path: str, **query: Any) -> Any:
    """Look at something with the key."""
    answer = await actor.http.get(path, params=query, headers=KEY)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def operated(actor: Actor, path: str, **body: Any) -> Any:
    """Do something with the key."""
    answer = await actor.http.post(path, json=body, headers=KEY)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def acts(actor: Actor) -> list[Any]:
    """Read the record, the oldest act first: what was done, about what, with which details."""
    found = (await looked(actor, "/operator-actions"))["actions"]
    assert all(act["who"] == "operator" for act in found)
    return [(act["action"], act["about"], act["details"]) for act in reversed(found)]


async def mails(stage: Stage, count: int) -> None:
    """Wait until so many mails are sent and nothing is left to do, and insist that it was no more."""

    async def look() -> None:
        assert await stage.auditor.count(*SENT) == count

    await eventually(look)
    await stage.auditor.done("notification")
    await look()


async def stranger(stage: Stage) -> None:
    """Send notification something that it cannot read."""
    await stage.auditor.publish("order.events", "order.confirmed", UNREADABLE, "strange")


@asynccontextmanager
async def quiet(stage: Stage) -> AsyncIterator[Runtime]:
    """Give the parts of a notification that consumes nothing."""
    program, settings = PROGRAMS["notification"], stage.settings("notification")
    runtime = Runtime(program.reactions, program.states, program.performers(settings), settings)  # never entered
    yield runtime
    await runtime.retry_publisher.close()
    await runtime.engine.dispose()
