"""What can happen next in a world: whatever goes on by itself, and what may go wrong, as long as that is paid for."""

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

from services.order.events import Deadline
from tests.simulation.broker import DEAD, LANES, WAITS, Parcel
from tests.simulation.instants import Effect, Fault, Instant
from tests.simulation.process import Asking, Question
from tests.simulation.world import SERVICES, Action, World

CRASH, DUPLICATE, OUTAGE, BUG, SILENCE, STALL, EARLY, LOSS, HASTE, PAIR, TURN = (
    "crash", "duplicate", "outage", "bug", "silence", "stall", "early deadline", "loss", "early replay",
    "pair", "other replica",
)  # fmt: skip
BUDGETS = (CRASH, DUPLICATE, OUTAGE, BUG, SILENCE, STALL, EARLY, LOSS, HASTE, PAIR, TURN)
"""What misfortunes are paid from."""
DEADLY = "deadly"
"""What the deaths are paid from that an event causes which ends every process: then nobody has a choice."""

LAST = "notification"
"""Nobody hears what it does, so no order of its steps among those of the others makes any difference."""

AS_COMMITTED = (
    (Fault(Instant.COMMIT, Effect.CRASH), CRASH),
    (Fault(Instant.COMMITTED, Effect.CRASH), CRASH),
    (Fault(Instant.PUBLISH, Effect.HANG), CRASH),
    (Fault(Instant.PUBLISHED, Effect.CRASH), CRASH),
    (Fault(Instant.BEGIN, Effect.FAIL), OUTAGE),
    (Fault(Instant.COMMITTED, Effect.FAIL), OUTAGE),
    (Fault(Instant.PUBLISH, Effect.PART), OUTAGE),
)
"""What may go wrong while anything is reacted to."""
AS_DELIVERED = (
    *AS_COMMITTED,
    (Fault(Instant.ACK, Effect.FAIL), DUPLICATE),
    (Fault(Instant.PUBLISHED, Effect.FAIL), DUPLICATE),
    (Fault(Instant.COMMIT, Effect.FAIL), OUTAGE),
    (Fault(Instant.PUBLISH, Effect.FAIL), OUTAGE),
    (None, BUG),
    (Fault(Instant.SET_BACK, Effect.HANG), BUG),
    (Fault(Instant.SET_BACK, Effect.FAIL), BUG),
    (Fault(Instant.SET_BACK, Effect.PART), BUG),
    (Fault(Instant.IS_SET_BACK, Effect.CRASH), BUG),
)
"""What may go wrong while a message is reacted to."""
AS_ASKED = (*AS_COMMITTED, (None, BUG), (Fault(Instant.ANSWER, Effect.FAIL), DUPLICATE))
"""What may go wrong while a command is reacted to."""
AS_ANSWERED = (*AS_COMMITTED, (None, BUG), (Fault(Instant.RESCHEDULE, Effect.FAIL), BUG))
"""What may go wrong while an answer is reacted to."""
AS_SWEPT = (
    (Fault(Instant.PUBLISHED, Effect.CRASH), CRASH),
    (Fault(Instant.PUBLISHED, Effect.FAIL), DUPLICATE),
    (Fault(Instant.PUBLISH, Effect.FAIL), OUTAGE),
    (Fault(Instant.PUBLISH, Effect.PART), OUTAGE),
)
AS_KEPT = (
    (Fault(Instant.KEEP, Effect.CRASH), CRASH),
    (Fault(Instant.KEEP, Effect.FAIL), OUTAGE),
    (Fault(Instant.ACK, Effect.FAIL), DUPLICATE),
)
AS_DELETED = ((Fault(Instant.DELETE, Effect.FAIL), OUTAGE),)
FAULTS = {
    "deliver": AS_DELIVERED,
    "command": AS_ASKED,
    "answer": AS_ANSWERED,
    "poll": AS_COMMITTED,
    "sweep": AS_SWEPT,
    "drain": AS_KEPT,
    "tidy": AS_DELETED,
}


def choices(world: World) -> list[Action]:
    """Give every action that can be taken, with and without faults; none once everything is at rest."""
    return struck(world, steps(world), budgets_left(world))


def struck(world: World, going: list[Action], left: Collection[str]) -> list[Action]:
    """Give what goes on by itself, with and without what may go wrong in it, and what goes wrong beside it."""
    if not left:
        return going
    every = [each for step in going for each in (step, *faults_of(step, left))]
    return every + list(misfortunes(world, left))


def budgets_left(world: World) -> Collection[str]:
    """Give the misfortunes that may still happen."""
    return [budget for budget, times in world.budgets if times]


def steps(world: World) -> list[Action]:
    """Give what goes on by itself. What nobody else can tell the order of comes when nothing else is left."""
    return list(_steps(world, SERVICES[:-1])) or list(_steps(world, (LAST,))) or list(_at_last(world))


def faults_of(step: Action, left: Collection[str]) -> Iterator[Action]:
    """Give a step with what may go wrong in it."""
    for fault, budget in FAULTS.get(step.kind, ()) if step.fault is None else ():
        if budget in left:
            yield Action(step.kind, step.service, step.what, fault, budget)


def _steps(world: World, services: tuple[str, ...]) -> Iterator[Action]:
    """Give what goes on by itself."""
    for parcel in dict.fromkeys(parcel for parcel in world.parcels if parcel.service in services):
        if parcel.queue != world.deadly or DEADLY in budgets_left(world):
            yield _moved(parcel, world.deadly)
    for command in world.commands:
        if command.service in services and not any(command.after == other.name for other in world.commands):
            yield Action("command", command.service, command)
    yield from (each for each in _seen_outside(world) if each.service in services)
    for service, asking in world.answers:
        if service in services and asking in (Asking(c.intent_id, c.token) for c in world.memories[service].asking):
            yield Action("answer", service, asking)
    for service in services:
        yield from _own(world, service)
    for queue in sorted(world.gone | world.lossy):
        yield Action("declare" if queue in world.gone else "refill", LANES[queue].event.kind.owner, queue)


def _seen_outside(world: World) -> Iterator[Action]:
    """Give the questions that an outside party can see now, with what it may decide: once, and then the same again."""
    for question in dict.fromkeys(world.questions):
        yield from (Action("handle", question.service, (question, each)) for each in _decisions(world, question))


def _decisions(world: World, question: Question) -> Sequence[Any]:
    if question.kind in ("charge", "undo"):
        is_open = question.kind == "charge" and world.provider.account(question.order_id).charge is None
        return world.decisions if is_open else world.decisions[:1]
    return world.mail_decisions


def _moved(parcel: Parcel, deadly: str) -> Action:
    if parcel.queue == deadly:
        return Action("deliver", parcel.service, (parcel,), Fault(Instant.COMMIT, Effect.CRASH), DEADLY)
    if parcel.queue in LANES:
        return Action("deliver", parcel.service, (parcel,))
    return Action("wait" if parcel.queue in WAITS else "drain", DEAD.get(parcel.queue, parcel.service), parcel)


def _own(world: World, service: str) -> Iterator[Action]:
    """Give what a service does by itself: it sweeps its outbox, and looks for intents that nobody works on."""
    if world.tables[service].posted - world.confirmed(service):
        yield Action("sweep", service)
    at_work = {claim.intent_id for claim in world.asking(service)}
    for intent_id, kind in _first_of_each(world, service):
        if intent_id not in at_work and kind != Deadline.kind:
            yield Action("poll", service, intent_id)


def _at_last(world: World) -> Iterator[Action]:
    """Give what waits for everything else to be over: deletes, the deadline of what hangs, and an operator."""
    for service in SERVICES:
        if world.memories[service].confirmed:
            yield Action("tidy", service)
            return
    for service in SERVICES:
        if world.others[service].confirmed or world.others[service].asking:
            yield Action("turn", service)
            return
    for service in SERVICES:
        yield from _letters(world, service)
        for place, row in world.tables[service].intents.items():
            if row.parked:
                yield Action("release", service, place)
    for intent_id, _ in _first_of_each(world, "order"):
        yield Action("poll", "order", intent_id)


def _letters(world: World, service: str, budget: str = "") -> Iterator[Action]:
    """Have an operator replay dead letters."""
    for _, letter in sorted(world.tables[service].letters.items()):
        yield Action("replay", service, letter, budget=budget)


def misfortunes(world: World, left: Collection[str]) -> Iterator[Action]:
    """Give what goes wrong between the steps."""
    if EARLY in left:
        for intent_id, _ in _first_of_each(world, "order"):
            yield Action("poll", "order", intent_id, budget=EARLY)
    if LOSS in left:
        for queue in sorted(LANES.keys() - world.gone):
            yield Action("lose", LANES[queue].event.kind.owner, queue, budget=LOSS)
    for service in SERVICES:
        yield from _at_a_service(world, service, left)


def _at_a_service(world: World, service: str, left: Collection[str]) -> Iterator[Action]:
    memory = world.memories[service]
    if TURN in left:
        yield Action("turn", service, budget=TURN)
    if CRASH in left and (memory.confirmed or memory.asking):
        yield Action("crash", service, budget=CRASH)
    if DUPLICATE in left and world.tables[service].posted & memory.confirmed:
        yield Action("sweep", service, budget=DUPLICATE)
    for claim in memory.asking if SILENCE in left else ():
        yield from _silent(service, Asking(claim.intent_id, claim.token))
    for intent_id in dict.fromkeys(claim.intent_id for claim in world.asking(service) if STALL in left):
        yield Action("poll", service, intent_id, budget=STALL)
    if HASTE in left:
        yield from _letters(world, service, HASTE)
    if PAIR in left:
        lying = dict.fromkeys(each for each in world.parcels if each.service == service and each.queue in LANES)
        for pair in combinations(lying, 2):
            yield Action("deliver", service, pair, budget=PAIR)
            yield Action("deliver", service, pair, Fault(Instant.PUBLISH, Effect.PART), PAIR)


def _silent(service: str, asking: Asking) -> Iterator[Action]:
    """Let who asks an outside party wait in vain."""
    yield Action("silence", service, asking, budget=SILENCE)
    yield Action("silence", service, asking, Fault(Instant.RESCHEDULE, Effect.FAIL), SILENCE)


def _first_of_each(world: World, service: str) -> list[tuple[UUID, str]]:
    """Give the first intent of each stream, which is the one that may be claimed, and its kind."""
    first: dict[UUID, tuple[int, UUID, str, bool]] = {}
    for (stream, kind), row in world.tables[service].intents.items():
        if stream not in first or row.position < first[stream][0]:
            first[stream] = row.position, row.claim.intent_id, kind, row.parked
    return sorted((intent_id, kind) for _, intent_id, kind, is_parked in first.values() if not is_parked)
