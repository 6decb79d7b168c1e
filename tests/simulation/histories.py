"""What the four services log of an order: every history that the model can make, and those that really happened.

Whatever really happened has to be one of them. Where it is not, either the model is wrong or what ran is.
`python -m tests.simulation.histories` writes down those that the model can make.
"""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from loguru import logger

from infra.audit.audit import Sources
from infra.audit.books import ledger_copy
from infra.audit.facts import Bounds, Saga
from infra.audit.reading import look
from shared.store.connection import by_whose_fault, connect
from tests.simulation.explore import explore
from tests.simulation.facts import orders
from tests.simulation.world import SERVICES, World
from tests.simulation.worlds import CANCEL, Setting

KNOWN = Path(__file__).with_name("known_histories.json")
ALWAYS = {"duplicate": 0, "crash": 0, "silence": 2, "early deadline": 1}
"""Duplicates and crashes change no history; that is what all else here is about."""
MAILS = {"mail_decisions": (True, False)}
TELLING: tuple[Setting, ...] = (
    replace(CANCEL, budgets=ALWAYS, more=MAILS),
    replace(CANCEL, budgets=ALWAYS, more=MAILS, stock={"violin": 0}),
    replace(CANCEL, budgets=ALWAYS, more=MAILS, commands=CANCEL.commands[:1]),
)
"""Worlds of one order, in which everything happens that can happen to one."""

History: TypeAlias = Mapping[str, tuple[str, ...]]
"""By service, the types of what it logged."""
Line: TypeAlias = tuple[tuple[str, ...], ...]
"""A history in the order of `SERVICES`."""


def made() -> set[Line]:
    """Make every history that the model can make."""
    ends = [end for setting in TELLING for end in explore(setting.world()).ends.values()]
    return {_line(history) for end in ends for history in _histories(end)}


def _histories(world: World) -> Iterable[History]:
    for order_id in orders(world):
        logs = {service: world.tables[service].logs.get(order_id, ()) for service in SERVICES}
        yield {service: tuple(entry.logged.type for entry in log) for service, log in logs.items()}


def _line(history: History) -> Line:
    return tuple(history[service] for service in SERVICES)


def written(lines: Collection[Line]) -> str:
    """Write histories, a line each, so that a change of them can be read."""
    return "[\n" + ",\n".join(json.dumps(line) for line in sorted(lines)) + "\n]\n"


def known() -> frozenset[Line]:
    """Read what the model can make. The customer may be told after everything else is done."""
    told = SERVICES.index("notification")
    lines = [tuple(map(tuple, logs)) for logs in json.loads(KNOWN.read_text())]
    return frozenset(
        (*line[:told], line[told][:so_far], *line[told + 1 :])
        for line in lines
        for so_far in range(len(line[told]) + 1)
    )


async def strange(sources: Sources) -> tuple[int, list[tuple[UUID, History]]]:
    """Say how many orders of a stack are at rest, and which of them have histories that the model cannot make.

    Raises:
        WorldError: the database is out of reach.
    """
    seen, lines, found = 0, known(), list[tuple[UUID, History]]()
    async for saga in _at_rest(sources):
        seen += 1
        history = {service: tuple(entry.type for entry in part.log) for service, part in saga.parts.items()}
        if _line(history) not in lines:
            found.append((saga.order_id, history))
    return seen, found


async def _at_rest(sources: Sources) -> AsyncIterator[Saga]:
    engine = connect(sources.database_url, "quartet histories")
    try:
        with by_whose_fault(), ledger_copy(None) as ledger:  # type: ignore[arg-type]  # nobody asks it for anything
            async with look(engine, ledger, {}, Bounds()) as taken:
                async for ids in taken.all_ids():
                    for saga in await taken.sagas(ids):
                        if saga.order is not None and saga.is_at_rest:
                            yield saga
    finally:
        await engine.dispose()


if __name__ == "__main__":
    logger.remove()
    KNOWN.write_text(written(made()))
