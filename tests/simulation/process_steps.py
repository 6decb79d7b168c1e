"""What one process does in one step: told by its tables, its memory and what comes to it, and by nothing else.

So the same step need not be done twice. In a world of four services most steps are, in ever new company, and looking
up what the real code did the first time is what makes it possible to go everywhere. Of its tables and its memory only
what is of the orders that the step is about matters, so whatever has become of other orders is company too.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from infra.topology import TABLES
from services.payment.provider import ProviderError
from shared.batch import Answered, Item
from shared.envelope import Envelope
from shared.ports import Answer, Request, WorldError
from tests.simulation.broker import LANES, Parcel, orders_of
from tests.simulation.choices import BUG, DUPLICATE
from tests.simulation.instants import Instant
from tests.simulation.process import Handed, Memory, Process, Question
from tests.simulation.states import states_of
from tests.simulation.store import At, MemoryStore
from tests.simulation.tables import Tables
from tests.simulation.world import Action

KNOWN_MAX_STEPS = 200_000
TABLE_OF = {table.service: table for table in TABLES}


class Done(NamedTuple):
    """What a process left behind."""

    tables: Tables
    memory: Memory
    sent: tuple[Parcel, ...]
    questions: tuple[Question, ...]
    unacked: tuple[Parcel, ...]
    died: bool
    is_endless: bool
    heard: UUID | None
    """The order that a customer is told of, if there was an answer and it got home."""


class ProcessSteps:
    """Does steps with real processes, and remembers what came of them. `removed` names safeguards that are off.

    Where it is not `parting`, a process is shown all orders in each step.
    """

    def __init__(self, removed: Collection[str] = (), *, parting: bool = True) -> None:
        self.removed = removed
        self._parting = parting
        self._processes: dict[str, Process] = {}
        self._known: dict[Any, Done | None] = {}
        self._tables: dict[tuple[str, int], Tables] = {}
        self._memories: dict[tuple[str, Any], Memory] = {}

    def do(self, tables: Tables, memory: Memory, action: Action, subject: Any, gone: frozenset[str]) -> Done | None:
        """Do a step while queues are `gone`, or look up what came of it; None where what was to go wrong did not."""
        if not self._parting:
            return self._do(tables, memory, action, subject, gone)
        orders = set(_orders(tables, memory, action, subject))
        (near, far), (own, others) = tables.apart(orders), memory.apart(orders)
        done = self._do(near, own, action, subject, gone)
        if done is None or (far is None and not others):
            return done
        return done._replace(
            tables=done.tables if far is None else done.tables.beside(far),
            memory=done.memory if done.died else done.memory.beside(others),
        )

    def _do(self, tables: Tables, memory: Memory, action: Action, subject: Any, gone: frozenset[str]) -> Done | None:
        manner = action.kind, action.fault, action.budget in (BUG, DUPLICATE)
        asked = (action.service, tables.key, memory.key, manner, subject, gone)
        if asked not in self._known:
            if len(self._known) > KNOWN_MAX_STEPS:
                for known in (self._known, self._tables, self._memories):
                    known.clear()
            self._known[asked] = self._done(tables, memory, action, subject, gone)
        return self._known[asked]

    def _done(self, tables: Tables, memory: Memory, action: Action, subject: Any, gone: frozenset[str]) -> Done | None:
        process = self._process(action.service, memory)
        done = done_by(process, tables, action, subject, gone)
        if action.fault is not None and process.fault is not None and not done.is_endless:
            return None
        return done._replace(
            tables=self._tables.setdefault((action.service, done.tables.key), done.tables),
            memory=self._memories.setdefault((action.service, done.memory.key), done.memory),
        )

    def _process(self, service: str, memory: Memory) -> Process:
        process = self._processes.get(service)
        if process is None or not process.is_as(memory):
            process = self._processes[service] = Process(TABLE_OF[service], memory, partial(self._schema, service))
        return process

    def _schema(self, service: str, at: At) -> MemoryStore:
        return MemoryStore(states_of(service), at, self.removed)


def done_by(process: Process, tables: Tables, action: Action, subject: Any, gone: frozenset[str]) -> Done:
    """Have a process do a step; `process.fault` is left where what was to go wrong did not come up."""
    process.table.raises = action.budget == BUG
    process.gone = gone
    handed: list[Handed] = []
    after = process.run(tables, WORK[action.kind](process, action, subject, handed), action.fault)
    return Done(
        after,
        process.memory,
        tuple(process.sent),
        tuple(process.questions),
        tuple(message.parcel._replace(redelivered=True) for message in handed if not message.acked),
        process.is_dead,
        process.loop.is_endless,
        process.heard,
    )


def _orders(tables: Tables, memory: Memory, action: Action, subject: Any) -> Iterable[UUID]:
    """Name the orders that a step is about. What lies in the outbox is shown in every step."""
    match action.kind:
        case "command":
            return action.what.order_id, UUID(action.what.customer_id)
        case "deliver":
            return (order_id for parcel in subject for order_id in orders_of(parcel.body))
        case "drain":
            return orders_of(subject.body)
        case "poll":
            return (stream for (stream, _), row in tables.intents.items() if row.claim.intent_id == subject)
        case "answer" | "silence":
            return (claim.correlation_id for claim in memory.asking if claim.intent_id == action.what.intent_id)
    return ()


async def _command(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    command = action.what
    request = Request(command.customer_id, f"POST {command.name}", command.name, "hash")
    envelope = Envelope(command.event_id, command.event, command.order_id)
    (result,) = await process.shell.submit(Item(envelope, request, lambda _, order: Answer(200, str(order.order_id))))
    if isinstance(result, Answered):
        with suppress(WorldError):
            await process.at(Instant.ANSWER)
            process.heard = UUID(result.answer.body)


async def _deliver(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    for parcel in subject:
        handed.append(message := Handed(parcel, process.at))
        process.loop.create_task(process.receiver.handle(LANES[parcel.queue], message))


async def _drain(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    handed.append(message := Handed(subject, process.at))
    await process.receiver.drain(message)


async def _sweep(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    """Publish what lies in the outbox: what is confirmed and not deleted yet only where the delete takes too long."""
    confirmed = () if action.budget == DUPLICATE else process.memory.confirmed
    process.store.available = {posted.event_id for posted in process.store.tables.posted - set(confirmed)}
    await process.relay.sweep()


async def _tidy(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    await process.relay.flushed()


async def _poll(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    process.store.due = {subject}
    await process.workers.poll()


async def _answer(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    await process.answered(*subject)


async def _silence(process: Process, action: Action, subject: Any, handed: list[Handed]) -> None:
    await process.answered(subject, ProviderError("no answer"))


WORK: Mapping[str, Callable[[Process, Action, Any, list[Handed]], Any]] = {
    "command": _command,
    "deliver": _deliver,
    "drain": _drain,
    "sweep": _sweep,
    "tidy": _tidy,
    "poll": _poll,
    "answer": _answer,
    "silence": _silence,
}
"""What a process does in each kind of step."""
