"""Two worlds held against each other, the model's and the real one: everything that lasts, and where it differs."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from services.inventory.store import Shelf
from shared.ports import LogEntry, Posted
from tests.reality import alike
from tests.simulation.process import Memory
from tests.simulation.tables import Tables
from tests.simulation.world import World

Seen: TypeAlias = Mapping[Any, Any]
"""What there is of something, by what names it."""
Generations: TypeAlias = Mapping[int, int]
"""The model's number of a refill, by the database's."""


def differences(model: World, real: World, services: Iterable[str], generations: Generations) -> Iterator[str]:
    """Tell what differs in some schemas, what their processes remember, and what is on its way."""
    for service in services:
        here, there = _tables(model.tables[service], {}), _tables(real.tables[service], generations)
        for table, expected in here.items():
            yield from _between(f"{service}’s {table}", expected, there[table])
        remembered = _memory(model.memories[service], {}), _memory(real.memories[service], generations)
        yield from _between(f"what {service} remembers:", *remembered)
    yield from _between("on its way:", _under_way(model), _under_way(real))


def _between(what: str, model: Seen, real: Seen) -> Iterator[str]:
    for name in model.keys() | real.keys():
        expected, found = model.get(name, "nothing"), real.get(name, "nothing")
        if expected != found:
            yield f"{what} {name}\n    in the model: {expected}\n    in reality:   {found}"


def _tables(tables: Tables, generations: Generations) -> Mapping[str, Seen]:
    return {
        "state of": {key: (_state(state), version) for key, (state, version) in tables.states.items()},
        "inbox:": {event_id: (row.type, row.outcome) for event_id, row in tables.inbox.items()},
        "log of": {stream: tuple(map(_entry, log)) for stream, log in tables.logs.items()},
        "outbox:": dict.fromkeys(_posted(tables.posted, generations), "it waits"),
        "intent": {
            place: (row.claim.intent, row.claim.intent_id, row.claim.causation_id, row.claim.attempts, row.claim.token,
                    row.claim.raised, row.leased, row.parked)
            for place, row in tables.intents.items()
        },
        "intents in their order, of": _in_order(tables),
        "suspect": tables.suspects,
        "letter:": Counter(map(alike.letter, tables.letters.values())),
        "answer to": tables.answers,
    }  # fmt: skip


def _state(state: Any) -> Any:
    return (state.level, state.receipts) if isinstance(state, Shelf) else state


def _entry(entry: LogEntry) -> tuple[Any, ...]:
    logged = entry.logged._replace(payload=alike.payload(entry.logged.payload), occurred_at=None)  # type: ignore[arg-type]  # time is no part of it
    return entry.version, entry.public, *logged


def _in_order(tables: Tables) -> Seen:
    kinds: dict[Hashable, list[str]] = {}
    for (stream, kind), _ in sorted(tables.intents.items(), key=lambda item: item[1].position):
        kinds.setdefault(stream, []).append(kind)
    return kinds


def _posted(rows: Iterable[Posted], generations: Generations) -> Iterator[Posted]:
    for row in rows:
        yield row._replace(generation=generations.get(row.generation, row.generation))


def _memory(memory: Memory, generations: Generations) -> Seen:
    asking = {(claim.intent_id, claim.token): claim.attempts for claim in memory.asking}
    return {"its life": memory.life, "confirmed": frozenset(_posted(memory.confirmed, generations)), "asking": asking}


def _under_way(world: World) -> Seen:
    return {
        "messages": Counter(map(alike.parcel, world.parcels)),
        "questions": Counter(world.questions),
        "answers": dict(world.answers),
        "mails": Counter(world.mails),
        "the provider’s accounts": dict(world.provider.accounts),
        "commands": [command.name for command in world.commands],
    }
