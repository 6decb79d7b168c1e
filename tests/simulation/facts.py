"""A world in memory as the facts that the audit judges: its rules are the invariants here, written once."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from infra.audit.facts import Bounds, Entry, Letter, Part, Reacted, Saga, Shelf, Waiting
from infra.audit.findings import Break, breaks_of
from infra.audit.rules import PARTS, SAGAS, SHELVES
from infra.audit.rules.rule import Kind, Rule
from services.inventory.state import Committed, Held
from shared.envelope import Logged
from shared.event import VOCABULARY
from shared.ports import LogEntry
from tests.simulation.store import START
from tests.simulation.tables import Tables
from tests.simulation.world import SERVICES, World

F = TypeVar("F")

BOUNDS = Bounds()
MUCH_LATER = START + timedelta(seconds=2 * BOUNDS.overdue_s)
"""When a world at rest is looked at: so long after its last step that every bound is over."""
CACHE_MAX = 200_000
INSTANT_SAGAS = tuple(rule for rule in SAGAS if rule.kind is Kind.INSTANT)


@lru_cache(CACHE_MAX)
def _entry(entry: LogEntry) -> Entry:
    logged: Logged = entry.logged
    assert logged.causation_id is not None
    return Entry(
        logged.event_id,
        entry.version,
        logged.type,
        logged.payload.decode(),
        VOCABULARY[logged.type].model_validate_json(logged.payload),
        logged.causation_id,
        logged.occurred_at,
        logged.correlation_id,
    )


def part(service: str, tables: Tables, order_id: UUID) -> Part:
    """Give what a schema holds of an order."""
    log = tuple(map(_entry, tables.logs.get(order_id, ())))
    state, version = tables.states.get(order_id, (None, 0))
    letters = [each for each in tables.letters.values() if each.correlation_id == order_id]
    return Part(
        service=service,
        order_id=order_id,
        now=MUCH_LATER,
        state=state,
        version=version,
        log=log,
        inbox={
            event_id: Reacted(event_id, row.type, row.outcome)
            for event_id, row in tables.inbox.items()
            if row.order_id == order_id
        },
        outbox={
            each.event_id: Waiting(each.type, START, parked=False) for each in log if each.event_id in tables.outbox
        },
        intents=tuple(
            Waiting(f"{kind} {row.claim.intent_id}", START, row.parked)
            for (stream, kind), row in tables.intents.items()
            if stream == order_id
        ),
        letters=tuple(
            Letter(each.letter_id, each.lane, each.event_id, each.type, each.body.decode(errors="replace"))
            for each in letters
        ),
        bounds=BOUNDS,
    )


def orders(world: World) -> list[UUID]:
    """Give every order that some schema knows of."""
    return sorted({key for tables in world.tables.values() for key in tables.states if isinstance(key, UUID)})


def saga(world: World, order_id: UUID) -> Saga:
    """Give an order as all four services and the provider know it."""
    parts = {service: part(service, world.tables[service], order_id) for service in SERVICES}
    return Saga(order_id, parts, world.provider.account(order_id).lines, bounds=BOUNDS)


def shelves(tables: Tables) -> Iterator[Shelf]:
    """Give the stock of every SKU, and what reservations add up to. All of it came in before the world began."""
    held, sold = dict[str, int](), dict[str, int]()
    for state, _ in tables.states.values():
        if isinstance(state, Held | Committed):
            sums = held if isinstance(state, Held) else sold
            for line in state.lines:
                sums[line.sku] = sums.get(line.sku, 0) + line.quantity
    for sku, (state, _) in tables.states.items():
        if isinstance(sku, str):
            level = state.level
            yield Shelf(sku, level, 1, 1, level.received, held.get(sku, 0), sold.get(sku, 0))


def broken_at_once(before: World, after: World) -> list[Break]:
    """Hold what a step has changed against the rules that hold at every instant."""
    breaks: list[Break] = []
    for service in SERVICES:
        if after.tables[service] is not before.tables[service]:
            breaks += _broken_in(service, before.tables[service], after.tables[service])
        if (
            after.memories[service] is not before.memories[service]
            or after.tables[service] is not before.tables[service]
        ):
            breaks += _unleased(service, after)
    if after.provider is not before.provider:
        for order_id, account in after.provider.accounts.items():
            if account != before.provider.account(order_id):
                breaks += _held(INSTANT_SAGAS, saga(after, order_id), str(order_id))
    return breaks


def _unleased(service: str, world: World) -> Iterator[Break]:
    """Whoever asks under the token that an intent has now holds its lease: nobody else may take it up."""
    for claim in world.memories[service].asking:
        found = world.tables[service].intent(claim)
        if found is not None and not found[1].leased:
            how = f"{service} gave its {claim.intent.kind} back while somebody else works on it"
            yield Break("leased", str(claim.correlation_id), how)


def _broken_in(service: str, before: Tables, after: Tables) -> tuple[Break, ...]:
    step = service, before.key, after.key
    if step not in _BROKEN:
        if len(_BROKEN) > CACHE_MAX:
            _BROKEN.clear()
        _BROKEN[step] = tuple(_breaks_in(service, before, after))
    return _BROKEN[step]


_BROKEN: dict[tuple[str, int, int], tuple[Break, ...]] = {}
"""What was found in a step of a schema before; the same step comes up in ever new company."""


def _breaks_in(service: str, before: Tables, after: Tables) -> Iterator[Break]:
    for order_id in _touched(before, after):
        yield from _held(PARTS, part(service, after, order_id), str(order_id))
    if service == "inventory":
        for shelf in shelves(after):
            yield from _held(SHELVES, shelf, shelf.sku)


def _touched(before: Tables, after: Tables) -> set[UUID]:
    """Name the orders that anything has changed of."""
    rows = after.inbox.items() ^ before.inbox.items()
    logs = [order_id for order_id, log in after.logs.items() if log != before.logs.get(order_id)]
    intents = [stream for (stream, _), _ in after.intents.items() ^ before.intents.items()]
    return {row.order_id for _, row in rows if row.order_id is not None} | {*logs, *intents}


def _held(rules: Iterable[Rule[F]], fact: F, about: str) -> Iterator[Break]:
    for rule in rules:
        yield from breaks_of(rule, fact, about)


def broken_at_rest(world: World) -> list[Break]:
    """Hold a world in which nothing can happen any more against all rules: much later, it must all have ended right."""
    breaks: list[Break] = []
    for order_id in orders(world):
        known = saga(world, order_id)
        breaks += _held(SAGAS, known, str(order_id))
        if known.order is not None and not known.order.settled:
            breaks.append(
                Break("settles", str(order_id), f"it is {known.order.status}, and its books are open for ever")
            )
    return breaks
