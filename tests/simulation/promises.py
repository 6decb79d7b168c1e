"""What only the model can be asked: it sees the mail server, who asks for what when, and how much there was."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from infra.audit.findings import Break
from infra.audit.rules.together import goods
from services.inventory.state import Rejected
from services.notification.events import Mail
from services.notification.state import Correspondence, Progress
from services.order.events import Deadline
from services.order.state import Status
from services.payment.state import Closed, Undoing
from tests.simulation.world import World

MODEL_PROMISES = {
    "handed-over": "a mail that is said to be sent was handed over",
    "leased": "who carries out an intent has its lease, and nobody else",
    "ordered-once": "who asks again because there was no answer has one order",
    "refused": "nobody is refused what is there",
    "seen": "who reads a log page by page sees every event",
    "serial": "what two leave who work at the same time is what they would leave one after the other",
    "settles": "everything comes to rest, with every order closed",
    "takes-turns": "who wants a row that another holds waits until that one has ended, and it ends",
    "through": "whoever has begun something gets through with it",
    "withdrawn": "what was withdrawn is neither asked for nor waited for",
}
"""What the rules promise that the audit does not have, by their names."""


def unsent(world: World) -> Iterator[Break]:
    """A mail that is said to be sent was handed over."""
    for order_id, (state, _) in world.tables["notification"].states.items():
        for mail in Mail if isinstance(state, Correspondence) else ():
            if state.progress(mail) is Progress.SENT and (order_id, str(mail)) not in world.mails:
                yield Break("handed-over", str(order_id), f"its mail “{mail}” is sent, and nobody ever got it")


def ordered_twice(world: World) -> Iterator[Break]:
    """Who asks again, because there was no answer, has one order: in this world nobody wants a second."""
    customers = Counter(order.customer_id for order, _ in world.tables["order"].states.values())
    for order_id, (order, _) in world.tables["order"].states.items():
        if customers[order.customer_id] > 1:
            yield Break("ordered-once", str(order_id), "it is one of two orders, and there was one request for one")


def pointless(world: World) -> Iterator[Break]:
    """Nobody waits for a deadline any more once there is a verdict."""
    tables = world.tables["order"]
    for order_id, kind in tables.intents:
        if kind == Deadline.kind and tables.states[order_id][0].status is not Status.PENDING:
            yield Break("withdrawn", str(order_id), "its deadline waits on, though there is a verdict")


def withdrawn(before: World, after: World) -> Iterator[Break]:
    """Nobody asks for money once the order's undo is committed, nor means to."""
    payment = after.tables["payment"]
    states = before.tables["payment"].states
    for question in after.questions[len(before.questions) :]:
        is_meant = (question.order_id, question.kind) in payment.intents
        state, _ = (payment.states if is_meant else states).get(question.order_id, (None, 0))
        if question.kind == "charge" and isinstance(state, Undoing | Closed):
            yield Break("withdrawn", str(question.order_id), "its charge is asked for after its undo was committed")


def refused(before: World, after: World) -> Iterator[Break]:
    """Nobody is told that there is not enough while there is; asked where no other order takes or gives anything."""
    old, new = before.tables["inventory"].states, after.tables["inventory"].states
    changed = [key for key, state in new.items() if isinstance(key, UUID) and old.get(key) is not state]
    for order_id in changed if len(changed) == 1 else ():
        if order_id in old or not isinstance(new[order_id][0], Rejected):
            continue
        wanted = Counter[str]()
        for line in after.tables["order"].states[order_id][0].lines:
            wanted[line.sku] += line.quantity
        if all(sku in old and old[sku][0].level.available >= quantity for sku, quantity in wanted.items()):
            yield Break("refused", str(order_id), f"it wants {goods(wanted)}, and is refused though there is enough")
