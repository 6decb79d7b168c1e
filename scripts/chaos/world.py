"""The running stack, as experiments know it: programs, servers, the shop, and ways to wait for a state."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic

import httpx

from infra.credentials import Credentials
from infra.failure import StackError
from infra.home import Home
from infra.runner import Runner
from scripts.chaos.broker import AWAY as BROKER_AWAY
from scripts.chaos.broker import Broker
from scripts.chaos.database import AWAY as DATABASE_AWAY
from scripts.chaos.database import Database
from scripts.chaos.hosts import Hosts
from scripts.chaos.load import Load
from scripts.chaos.replica import Replica, replica
from scripts.shop import Shop
from shared.ports import WorldError

AWAY = (*BROKER_AWAY, *DATABASE_AWAY, httpx.HTTPError, StackError, WorldError)
"""What looking raises while something is away."""
LOOK_EVERY_MIN_S, LOOK_EVERY_MAX_S = 0.25, 2.0
PAUSES_PER_LOOK = 2
"""A pause is so many times as long as the look before it: looking at everything costs the servers something."""
RETURN_TIMEOUT_S = 90.0
"""A program that was ended is back by then: its delays double up to half a minute."""


@dataclass(slots=True)
class World:
    """What an experiment is given. `say` writes into its timeline."""

    home: Home
    credentials: Credentials
    runner: Runner
    hosts: Hosts
    database: Database
    broker: Broker
    shop: Shop
    load: Load
    chance: random.Random
    say: Callable[[str], None] = print
    letters: int = 0
    """So many dead letters there must be in the end."""

    async def one_of(self, service: str) -> str:
        """Name one replica of a service, drawn by chance."""
        return self.chance.choice(await self.hosts.names(service))

    def beside(self, service: str, clock_ahead_s: float = 0.0) -> AbstractAsyncContextManager[Replica]:
        """Run an extra replica of a service beside the stack, reached through proxies."""
        self.say(f"an extra replica of {service} starts")
        return replica(self.home, self.credentials, service, clock_ahead_s)

    async def returned(self, name: str, before: str) -> int:
        """Wait until a program that was `before` is another, by itself or because it is revived; then give 1."""

        async def another() -> str:
            now = await self.hosts.incarnation(name)
            if not now:
                await self.hosts.revive(name)
            return "" if now and now != before else f"{name} is not back"

        await insist(another, RETURN_TIMEOUT_S)
        self.say(f"{name} has ended, and is started again")
        return 1

    async def missing(self) -> str:
        """Say what is not ready; "" where everything is."""
        return ", ".join((await asyncio.to_thread(self.runner.standing)).missing)

    async def under_way(self) -> str:
        """Say what is not done yet, or not where it belongs; "" where nothing is."""
        counts = await self.database.unfinished() | await self.broker.depths()
        if (letters := await self.database.letters()) != self.letters:
            counts["dead letters more than expected"] = letters - self.letters
        return ", ".join(f"{what} {count}" for what, count in counts.items())


Look = Callable[[], Awaitable[str]]
"""Says what is missing; "" where nothing is."""


async def until(look: Look, timeout_s: float) -> str:
    """Look again and again until nothing is missing; give what still is when the time is over."""
    ends_s = monotonic() + timeout_s
    while True:
        began_s = monotonic()
        try:
            missing = await look()
        except AWAY as error:
            missing = repr(error)
        if not missing or monotonic() > ends_s:
            return missing
        pause_s = (monotonic() - began_s) * PAUSES_PER_LOOK
        await asyncio.sleep(min(max(pause_s, LOOK_EVERY_MIN_S), LOOK_EVERY_MAX_S))


async def insist(look: Look, timeout_s: float) -> None:
    """Wait until nothing is missing.

    Raises:
        TimeoutError: something still is when the time is over; it says what.
    """
    if missing := await until(look, timeout_s):
        raise TimeoutError(f"after {timeout_s:g} s: {missing}")
