"""What holds inside one schema for one order, at every instant."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from infra.audit.facts import Part, Unfoldable, Unreadable
from services.notification.events import NotificationRecorded, SendCancelled, SendConfirmed
from services.notification.state import Correspondence, Progress
from services.order.events import Deadline
from services.order.state import Order, Status
from services.payment.events import Charge, Undo
from services.payment.state import Charging, Undoing
from shared.ids import derived_id
from shared.outcome import Intent
from shared.vocabulary.order import OrderCancelled, OrderConfirmed


def gapless(part: Part) -> Iterator[str]:
    """A log's versions are 1, 2, 3 … up to its state's."""
    versions = [entry.version for entry in part.log]
    if versions != list(range(1, part.version + 1)):
        yield f"{part.service} logged the versions {versions}, and its state is at {part.version}"


def allowed(part: Part) -> Iterator[str]:
    """Every logged step is one that some reaction takes."""
    if isinstance(part.told, Unfoldable):
        yield f"{part.service} logged {part.told.why}"


def as_told(part: Part) -> Iterator[str]:
    """The state is what its log folds to, where it does."""
    if isinstance(part.stored, Unreadable):
        yield f"{part.service} stored {part.stored.why}"
    elif not isinstance(part.told, Unfoldable) and part.told != part.stored:
        yield f"{part.service} stored {_text(part.stored)}, and its log tells {_text(part.told)}"


def _text(state: object) -> str:
    return "nothing" if state is None else repr(state)


def one_effect(part: Part) -> Iterator[str]:
    """An event's effects are named by it and logged in one go, so that there is no second time."""
    seen = set()
    for cause, entries in groupby(part.log, lambda entry: entry.causation_id):
        if cause in seen:
            yield f"{part.service} logged effects of {cause} twice"
        seen.add(cause)
        for ordinal, entry in enumerate(entries, start=1):
            if entry.event_id != derived_id(cause, entry.type, str(ordinal)):
                yield f"{part.service} logged {entry.type} {entry.event_id}, which is no name for an effect of {cause}"


def correlated(part: Part) -> Iterator[str]:
    """Every event of an order carries the order's id, under which logs and traces are searched."""
    for entry in part.log:
        if entry.correlation_id != part.order_id:
            yield f"{part.service} logged {entry.type} {entry.event_id} as one of {entry.correlation_id}"


def own_address(part: Part) -> Iterator[str]:
    """Order tells of an order with the address that it was placed with, which is not told here."""
    if not isinstance(part.state, Order):
        return
    for entry in part.log:
        if isinstance(entry.event, OrderConfirmed | OrderCancelled) and entry.event.email != part.state.email:
            yield f"{part.service} logged {entry.type} {entry.event_id} with an address that is not the order's"


def caused(part: Part) -> Iterator[str]:
    """Nothing was logged but for an event that went through the inbox, and advanced."""
    for entry in part.remembered:
        cause = part.inbox.get(entry.causation_id)
        if cause is None:
            yield f"{part.service} logged {entry.type} for {entry.causation_id}, which its inbox does not know"
        elif cause.outcome != "advanced":
            why = f"which its inbox has as {cause.outcome}"
            yield f"{part.service} logged {entry.type} for {cause.type} {cause.event_id}, {why}"


def effective(part: Part) -> Iterator[str]:
    """What the inbox calls advanced left something in the log."""
    causes = {entry.causation_id for entry in part.log}
    for row in part.inbox.values():
        if row.outcome == "advanced" and row.event_id not in causes:
            yield f"the inbox of {part.service} has {row.type} {row.event_id} as done, and nothing is logged for it"


def intended(part: Part) -> Iterator[str]:
    """Whoever waits for an answer has the intent that asks for it: without one nobody ever will."""
    kinds = {intent.kind for intent in part.intents}
    for awaited in _awaited(part.state):
        if awaited.kind not in kinds:
            yield f"{part.service} waits for the answer to {awaited.kind}, and nothing is there that asks"


def _awaited(state: Any) -> Iterator[type[Intent]]:
    """Give the intents without which a state would wait for ever."""
    match state:
        case Order(status=Status.PENDING):
            yield Deadline
        case Charging():
            yield Charge
        case Undoing():
            yield Undo
        case Correspondence():
            if state.confirmed is Progress.RECORDED:
                yield SendConfirmed
            if state.cancelled is Progress.RECORDED:
                yield SendCancelled


def one_notification(part: Part) -> Iterator[str]:
    """A mail of a kind is recorded once."""
    mails = Counter(entry.event.mail for entry in part.log if isinstance(entry.event, NotificationRecorded))
    for mail, times in mails.items():
        if times > 1:
            yield f'"{mail}" was recorded {times} times'


def dead_is_kept(part: Part) -> Iterator[str]:
    """What the inbox calls dead is among the dead letters."""
    kept = {letter.event_id for letter in part.letters}
    for row in part.inbox.values():
        if row.outcome == "dead" and row.event_id not in kept:
            yield f"{part.service} set {row.type} {row.event_id} aside, and keeps no letter of it"
