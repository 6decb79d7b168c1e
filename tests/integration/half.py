"""Half a process: a shell and a relay over the real store and the real broker, acting only when a test says so."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from shared.broker.publisher import AmqpPublisher
from shared.clock import SystemClock
from shared.ids import new_id
from shared.ports import Message, NotConfirmedError
from shared.relay import Relay, RelayLimits
from shared.runtime import Runtime
from shared.shell import Committed, Shell
from shared.store.postgres import PostgresStore
from tests.integration.stage import PROGRAMS, Stage

SWEEP_MAX_EVENTS = 40
PACK_MAX_EVENTS = 10


class Watched:
    """A publisher that counts the events it is given, by their ids, and hands them on."""

    def __init__(self, publisher: AmqpPublisher) -> None:
        self._publisher = publisher
        self.events: Counter[str] = Counter()

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Count and publish."""
        messages = tuple(messages)
        self.events.update(event["id"] for message in messages for event in orjson.loads(message.body))
        return await self._publisher.publish(messages)


@dataclass(frozen=True, slots=True)
class Half:
    """A process without consumers, workers and timers: it reacts to what it is given, and publishes."""

    store: PostgresStore
    shell: Shell
    relay: Relay
    published: Counter[str]
    """The events that were given to the broker, and how often."""


@asynccontextmanager
async def replica(stage: Stage, service: str) -> AsyncIterator[Half]:
    """Run it as a second replica that is given events by hand, and that leaves in order: nothing is left to sweep."""
    async with half(stage, service) as process:
        yield process
        await process.relay.flushed()


@asynccontextmanager
async def half(stage: Stage, service: str, *, publishes: bool = True) -> AsyncIterator[Half]:
    """Run it; at the end it is gone at once, and what it knew of its outbox with it.

    Where it does not publish what it has just committed, it leaves that to whoever sweeps.
    """
    program, clock = PROGRAMS[service], SystemClock()
    settings = stage.settings(service)
    parts = Runtime(program.reactions, program.states, program.performers(settings), settings)  # never entered
    watched = Watched(parts.publisher)
    limits = RelayLimits(sweep_max_events=SWEEP_MAX_EVENTS, pack_max_events=PACK_MAX_EVENTS)
    relay = Relay(service, parts.store, watched, clock, limits)

    def on_commit(committed: Committed) -> None:
        if publishes:
            relay.offer(committed.unsent, committed.began_s)

    bounds: dict[str, Any] = {"batch_max_events": 500, "waiting_max_works": 100}
    shell = Shell(program.reactions, parts.store, relay, clock, on_commit, life=new_id(), **bounds)
    running = asyncio.create_task(shell.run())
    try:
        yield Half(parts.store, shell, relay, watched.events)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await parts.publisher.close()
        await parts.engine.dispose()
