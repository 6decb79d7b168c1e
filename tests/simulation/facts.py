"""A world in memory as the facts that the audit judges: its rules are the invariants here, written once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple, TypeVar
from uuid import UUID

from infra.audit.facts import Bounds, Entry, Letter, Part, Reacted, Saga, Shelf, Waiting
from infra.audit.findings import Break, breaks_of
from infra.audit.rules import PARTS, SAGAS, SHELVES
from infra.audit.rules.rule import Kind, Rule
from services.inventory.state import Committed, Held
from shared.envelope import Logged
from shared.event import VOCABULARY
from shared.ports import LogEntry
from tests.simulation.promises import ordered_twice, pointless, refused, unsent, withdrawn
from tests.simulation.store import START
from tests.simulation.tables import OWNERS, Tables
from tests.simulation.world import SERVICES, World

F = TypeVar("F")

BOUNDS = Bounds()
MUCH_LATER = START + timedelta(seconds=2 * BOUNDS.overdue_s)
"""When a world at rest is looked at: so long after its last step that every bound is over."""
CACHE_MAX = 50_000
COPIES_MAX = 12
"""Of one message in one queue: more than there are misfortunes to make them."""
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


class Known(NamedTuple):
    """What a schema holds of an order, and which of the rules that hold at every instant it breaks."""

    part: Part
    breaks: tuple[Break, ...]


_KNOWN: dict[tuple[str, UUID, int], Known] = {}
"""What was known before; the same order comes up in ever new company."""


def _known(service: str, tables: Tables, order_id: UUID) -> Known:
    alone = tables.alone(order_id)
    asked = service, order_id, alone.key
    if asked not in _KNOWN:
        if len(_KNOWN) > CACHE_MAX:
            _KNOWN.clear()
        part = _part(service, alone, order_id)
        _KNOWN[asked] = Known(part, tuple(_held(PARTS, part, str(order_id))))
    return _KNOWN[asked]


def _part(service: str, tables: Tables, order_id: UUID) -> Part:
    """Give what a schema holds of an order, from its rows alone."""
    log = tuple(map(_entry, tables.logs.get(order_id, ())))
    state, version = tables.states.get(order_id, (None, 0))
    return Part(
        service=service,
        order_id=order_id,
        now=MUCH_LATER,
        state=state,
        version=version,
        log=log,
        inbox={event_id: Reacted(event_id, row.type, row.outcome) for event_id, row in tables.inbox.items()},
        outbox={
            event_id: Waiting(row.entry.logged.type, START, parked=False) for event_id, row in tables.outbox.items()
        },
        intents=tuple(
            Waiting(f"{kind} {row.claim.intent_id}", START, row.parked) for (_, kind), row in tables.intents.items()
        ),
        letters=tuple(
            Letter(each.letter_id, each.lane, each.event_id, each.type, each.body.decode(errors="replace"))
            for each in tables.letters.values()
        ),
        bounds=BOUNDS,
    )


def orders(world: World) -> list[UUID]:
    """Give every order that some schema knows of."""
    return sorted({key for tables in world.tables.values() for key in tables.states if isinstance(key, UUID)})


def saga(world: World, order_id: UUID) -> Saga:
    """Give an order as all four services and the provider know it."""
    parts = {service: _known(service, world.tables[service], order_id).part for service in SERVICES}
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
    if after.tables["inventory"] is not before.tables["inventory"]:
        breaks += refused(before, after)
    if after.tables["order"] is not before.tables["order"]:
        breaks += pointless(after)
    if len(after.tables["order"].states) > len(before.tables["order"].states):
        breaks += ordered_twice(after)
    return [*breaks, *withdrawn(before, after), *_endless(before, after)]


def _endless(before: World, after: World) -> Iterator[Break]:
    """What goes on and on in one step, or publishes the same ever again, never lets the world come to rest."""
    if after.endless:
        yield Break("settles", "all of them", f"{after.endless} goes on and on, and its step never ends")
    if len(before.parcels) < len(after.parcels) > COPIES_MAX:
        copies = Counter((parcel.queue, parcel.message_id) for parcel in after.parcels)
        for (queue, _), many in copies.items():
            if many > COPIES_MAX:
                yield Break("settles", "all of them", f"{many} copies of one message lie in {queue}")


def _unleased(service: str, world: World) -> Iterator[Break]:
    """Whoever asks under the token that an intent has now holds its lease: nobody else may take it up."""
    for claim in world.asking(service):
        found = world.tables[service].intent(claim)
        if found is not None and not found[1].leased:
            how = f"{service} gave its {claim.intent.kind} back while somebody else works on it"
            yield Break("leased", str(claim.correlation_id), how)


@lru_cache(CACHE_MAX)
def _broken_in(service: str, before: Tables, after: Tables) -> tuple[Break, ...]:
    """Hold a step of a schema against the rules; the very same step comes up in ever new company."""
    return tuple(_breaks_in(service, before, after))


def _breaks_in(service: str, before: Tables, after: Tables) -> Iterator[Break]:
    for order_id in _touched(before, after):
        yield from _known(service, after, order_id).breaks
    if service == "inventory" and after.states != before.states:
        for shelf in shelves(after):
            yield from _held(SHELVES, shelf, shelf.sku)


def _touched(before: Tables, after: Tables) -> set[UUID]:
    """Name the orders that anything has changed of."""
    owners = {
        owner(key, row)
        for name, owner in OWNERS.items()
        for here, there in permutations((getattr(before, name), getattr(after, name)))
        for key, row in here.items()
        if there.get(key) is not row
    }
    return {owner for owner in owners if isinstance(owner, UUID)}


def _held(rules: Iterable[Rule[F]], fact: F, about: str) -> Iterator[Break]:
    for rule in rules:
        yield from breaks_of(rule, fact, about)


def broken_at_rest(world: World) -> list[Break]:
    """Hold a world in which nothing can happen any more against all rules: much later, it must all have ended right."""
    breaks = [*unsent(world)]
    for order_id in orders(world):
        known = saga(world, order_id)
        breaks += _held(SAGAS, known, str(order_id))
        if known.order is not None and not known.order.settled:
            breaks.append(
                Break("settles", str(order_id), f"it is {known.order.status}, and its books are open for ever")
            )
    return breaks
