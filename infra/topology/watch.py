"""The watch: every few seconds a look, a line for each thing that is not as it should be, and what is missing again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
from aio_pika.exceptions import AMQPError
from loguru import logger

from infra.topology.drift import Drift, Found, Part, drift_of, faults_among, lanes_to_refill, name_of, topology_with
from shared.topology import Topology

LOOK_INTERVAL_S = 3.0
LOOK_TIMEOUT_S = 20.0
"""For a look and what it leads to; a broker that is frozen keeps nobody longer."""
SINCE_MARGIN_S = 900.0
"""How long before it came into a queue an event may have been logged: it was tried for more than a minute, an outage
of minutes kept it in the outbox, and clocks differ. Too much costs duplicates, which every inbox drops."""


class Broker(Protocol):
    """Where the watch looks."""

    async def found(self) -> Found:
        """Read all there is."""

    async def close(self) -> None:
        """Disconnect."""


class Watch:
    """Keeps a broker's topology as it is wanted; `declare` raises AMQPError where the broker refuses."""

    def __init__(self, wanted: Topology, broker: Broker, declare: Callable[[Topology], Awaitable[None]]) -> None:
        self._wanted = wanted
        self._broker = broker
        self._declare = declare
        self._away = False
        self._told: set[str] = set()
        """Of the last look: what stays as it is, is told once."""
        self._sound: dict[str, datetime] = {}
        """By name: when a queue was last seen empty, all else last seen at all. What came before is not lost."""

    async def run(self, looked: Path) -> None:
        """Look until cancelled, and note each look that succeeded in the file `looked`."""
        logger.info("watching {} queues, {} bindings", len(self._wanted.queues), len(self._wanted.bindings))
        try:
            while True:
                if await self.look():
                    _note(looked)
                await asyncio.sleep(LOOK_INTERVAL_S)
        finally:
            await self._broker.close()

    async def look(self) -> bool:
        """Look once, tell, and declare what is missing; say whether there was anything to see. It never raises."""
        # gathered: a connection that misses its heartbeats ends whoever waits for it in CancelledError
        (error,) = await asyncio.gather(self._look(), return_exceptions=True)
        if error is None:
            if self._away:
                logger.info("the broker answers again")
        elif not isinstance(error, httpx.HTTPError | AMQPError | OSError | TimeoutError | ValueError):
            logger.opt(exception=error).error("a look at the topology failed")
        elif not self._away:
            logger.warning("the topology cannot be looked at: {}: {}", type(error).__name__, error)
        self._away = error is not None
        return error is None

    async def _look(self) -> None:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            found = await self._broker.found()
            drift = drift_of(self._wanted, found)
            self._tell(drift)
            self._note_sound(found, drift)
            if drift.missing:
                await self._make_good(drift.missing)

    def _tell(self, drift: Drift) -> None:
        lines = {name_of(part): self._loss(part) for part in faults_among(drift.missing)}
        lines |= {line: line for line in (*drift.differing, *drift.extra)}
        for name, line in lines.items():
            if name not in self._told:
                logger.error("{}", line)
        self._told = set(lines)

    def _loss(self, part: Part) -> str:
        """Say in one line what is missing, and how what it cost is brought back."""
        lanes = lanes_to_refill(self._wanted, part)
        at = self._sound.get(name_of(part))
        since = f"{at - timedelta(seconds=SINCE_MARGIN_S):%Y-%m-%dT%H:%M:%SZ}" if at else "…"
        refill = "; ".join(f"quartet refill {lane.queue} --since {since}" for lane in lanes)
        return f"{name_of(part)} was missing, and is declared again" + (f"; refill with: {refill}" if refill else "")

    def _note_sound(self, found: Found, drift: Drift) -> None:
        now = datetime.now(UTC)
        empty = {queue.name for queue in found.queues if queue.messages == 0}
        sound: list[Part] = [queue for queue in self._wanted.queues if queue.name in empty]
        others: list[Part] = [*self._wanted.exchanges, *self._wanted.bindings]
        sound += [part for part in others if part not in drift.missing]
        self._sound |= dict.fromkeys(map(name_of, sound), now)

    async def _make_good(self, missing: Sequence[Part]) -> None:
        """Declare all at once; where the broker refuses some of it, one by one, so that the rest is there."""
        try:
            await self._declare(topology_with(missing))
        except AMQPError:
            for part in missing:
                try:
                    await self._declare(topology_with([part]))
                except AMQPError as error:
                    logger.error("{} cannot be declared: {}", name_of(part), error)


def _note(looked: Path) -> None:
    looked.write_text(f"{time.time():.0f}\n")
