"""The operator at work: what is set aside by a faulty service, and asked over HTTP of one that is mended."""

from typing import Any

from services.notification.reactions import reactions
from shared.envelope import Envelope
from tests.integration.letters import kept
from tests.integration.reacting import raising
from tests.integration.stage import OPERATOR_KEY, Actor, Stage
from tests.integration.wire import confirmed, envelope, send

LANE = "notification.order.confirmed"
KEY = {"X-Operator-Key": OPERATOR_KEY}
INBOX = "notification_service.inbox"
LETTERS = "notification_service.dead_letters"


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
