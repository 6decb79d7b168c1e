"""A schedule told so that a person understands it without the code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from infra.audit.findings import EVERY_RULE, Break
from tests.simulation.broker import Parcel
from tests.simulation.choices import BUG, DUPLICATE, EARLY, STALL
from tests.simulation.instants import Effect, Instant
from tests.simulation.promises import MODEL_PROMISES
from tests.simulation.world import Action, World

Step = tuple[World, Action, World]
PROMISES = {rule.name: rule.promise for rule in EVERY_RULE} | MODEL_PROMISES
"""By the names of the rules."""

WENT_WRONG = {
    (Instant.COMMIT, Effect.CRASH): "It dies before the commit: nothing of that has happened.",
    (Instant.COMMIT, Effect.FAIL): "The database is away for a moment; it runs the batch again.",
    (Instant.COMMITTED, Effect.CRASH): "It dies right after the commit.",
    (Instant.COMMITTED, Effect.FAIL): "The answer of the commit is lost; it runs the batch again.",
    (Instant.PUBLISH, Effect.HANG): "It dies before any of that is published.",
    (Instant.PUBLISH, Effect.FAIL): "The broker does not take it.",
    (Instant.PUBLISHED, Effect.CRASH): "It is published, and the process dies before it hears so.",
    (Instant.PUBLISHED, Effect.FAIL): "It is published, and the confirmation is lost.",
    (Instant.ACK, Effect.FAIL): "The ack is lost.",
    (Instant.SET_BACK, Effect.HANG): "It dies before the copy that waits is published.",
    (Instant.IS_SET_BACK, Effect.CRASH): "It dies before the copy that waits is confirmed.",
    (Instant.KEEP, Effect.CRASH): "It dies before the letter is kept.",
    (Instant.BEGIN, Effect.FAIL): "The database is away for a moment; it begins the batch again.",
    (Instant.PUBLISH, Effect.PART): "The broker takes the first of it alone.",
    (Instant.SET_BACK, Effect.FAIL): "The broker does not take the copy that waits at first; it is sent again.",
    (Instant.SET_BACK, Effect.PART): "The broker takes the first copy alone at first; the others are sent again.",
    (Instant.RESCHEDULE, Effect.FAIL): "The database is away: the intent waits for the end of its lease.",
    (Instant.KEEP, Effect.FAIL): "The database is away for a moment; the letter is kept later.",
    (Instant.ANSWER, Effect.FAIL): "The answer is lost on its way.",
    (Instant.DELETE, Effect.FAIL): "The database is away: it deletes them later.",
}


def tell(steps: Sequence[Step], breaks: Sequence[Break]) -> Iterator[str]:
    """Tell a schedule, a line a step, and how it ends."""
    for number, step in enumerate(steps, start=1):
        yield f"{number:3}. {sentence(*step)}"
    yield from ending(breaks)


def ending(breaks: Sequence[Break]) -> Iterator[str]:
    """Tell what is wrong in the end, and what was promised."""
    for rule, broken in groupby(sorted(breaks, key=lambda each: each.rule), lambda each: each.rule):
        for each in broken:
            about = f"order {number_of(UUID(each.about))}" if _is_id(each.about) else each.about
            yield f"  ✗  {each.how} ({rule}, {about})"
        yield f"     Promised was: {PROMISES[rule]}."


def sentence(before: World, action: Action, after: World) -> str:
    """Tell one step."""
    told = BEGIN[action.kind](before, action)
    if caused := _caused(before, action, after):
        told += f" → {', '.join(caused)}"
    wrong = WENT_WRONG[action.fault] if action.fault is not None else ""
    if action.budget == BUG:
        wrong = f"A bug makes the reaction raise{'; the event is set back' * (action.kind == 'deliver')}. {wrong}"
    return f"{told}. {wrong}".rstrip() if not told.endswith(".") else f"{told} {wrong}".rstrip()


def _caused(before: World, action: Action, after: World) -> list[str]:
    """Name what was logged."""
    if action.service not in after.tables:
        return []
    old, new = before.tables[action.service].logs, after.tables[action.service].logs
    return [
        entry.logged.type.rpartition(".")[0] for stream, log in new.items() for entry in log[len(old.get(stream, ())) :]
    ]


def _messages(_: World, action: Action) -> str:
    names = " and ".join(event_of(parcel) for parcel in action.what)
    again = " again" if any(parcel.redelivered for parcel in action.what) else ""
    return f"{action.service} gets {names}{again}"


def event_of(parcel: Parcel) -> str:
    """Name the event of a message, and its order."""
    name = (parcel.target or parcel.queue).partition(".")[2]
    return f"{name} of order {number_of(order_of(parcel))}"


def order_of(parcel: Parcel) -> UUID:
    """Give the order that the first event of a message is about."""
    return UUID(parcel.body.partition(b'"subject":"')[2][:36].decode())


def number_of(order_id: UUID) -> str:
    """Read an order's number off its id, and in which request it was asked for. See `worlds.order_id`, `Command`."""
    *_, asked, number = str(order_id).split("-")
    asks = int(asked, 16) - int("8000", 16)
    return f"{int(number)}{f' (of request {asks + 1})' if asks else ''}"


def _is_id(text: str) -> bool:
    return len(text) == 36


def _sweep(_: World, action: Action) -> str:
    late = " (a confirmation was not noted in time)" if action.budget == DUPLICATE else ""
    return f"{action.service} publishes what lies in its outbox{late}"


def _poll(before: World, action: Action) -> str:
    there = [row.claim for row in before.tables[action.service].intents.values()]
    claims = (*there, *before.asking(action.service))  # who asks may not have heard that it is done
    kind = next(claim.intent.kind for claim in claims if claim.intent_id == action.what)
    if action.budget == STALL:
        return f"{action.service} has not done its {kind} within the lease, and takes it up a second time"
    if kind == "deadline":
        return "The order’s deadline passes" + (", early" if action.budget == EARLY else "")
    return f"{action.service} takes up its {kind} again"


def _handle(before: World, action: Action) -> str:
    question, decision = action.what
    who = "The provider" if question.service == "payment" else "The mail server"
    mail = f"given the mail “{question.kind}”"
    what = {"charge": "asked for the money", "undo": "asked to undo"}.get(question.kind, mail)
    account = before.provider.account(question.order_id)
    result = ""
    if question.kind == "charge":
        decided = account.charge[0] if account.charge else ("key_closed" if account.undo else decision)
        result = f": {decided}"
    return f"{who} is {what} of order {number_of(question.order_id)}{result}"


def _answer(before: World, action: Action) -> str:
    answer = before.answers[action.service, action.what]
    return f"{action.service} gets the answer: {answer[0] if isinstance(answer, tuple) else 'accepted'}"


_ASKS = {False: "’s request", True: " has no answer, and asks again"}
BEGIN: Mapping[str, Callable[[World, Action], str]] = {
    "command": lambda _, action: f"A customer{_ASKS[action.what.asks > 1]}: {action.what.name}",
    "deliver": _messages,
    "drain": lambda _, action: f"{action.service} keeps a dead letter of order {number_of(order_of(action.what))}",
    "sweep": _sweep,
    "tidy": lambda _, action: f"{action.service} deletes what was confirmed from its outbox",
    "poll": _poll,
    "wait": lambda _, action: f"The wait of {event_of(action.what)} is over",
    "handle": _handle,
    "answer": _answer,
    "silence": lambda _, action: f"{action.service} waits for an answer in vain",
    "turn": lambda _, action: f"Another replica of {action.service} goes on",
    "crash": lambda _, action: f"{action.service} dies and is started again",
    "lose": lambda _, action: f"The queue {action.what} is deleted, with all that lies in it",
    "declare": lambda _, action: f"The watch over the topology declares {action.what}",
    "refill": lambda _, action: f"An operator refills {action.what} from the log of {action.service}",
    "release": lambda _, action: f"An operator has {action.service} try its parked {action.what[1]} anew",
    "replay": lambda _, action: f"An operator replays {action.what.type} at {action.service}",
}
