"""A network that delays, drops and cuts, between an extra replica of payment and both of its servers."""

import asyncio
import random
from collections.abc import Callable
from functools import partial

from scripts.chaos.experiment import Experiment
from scripts.chaos.proxy import Cutting, OneWay, Slow, Toxic, Way
from scripts.chaos.world import World, insist

DELAY_MAX_S = 0.3
CUT_ONE_IN = 40
HARM_MIN_S, HARM_TIMEOUT_S = 15.0, 90.0
"""Longer than it takes to miss two heartbeats of the broker; then it goes on until it has harmed often enough."""
HITS, CUTS, SWALLOWED = 60, 15, 10


async def harm(make: Callable[[random.Random], Toxic], hits_min: int, world: World) -> int:
    """Put a toxic on both connections of an extra replica until it has harmed so often, and let it end well."""
    async with world.beside("payment") as extra:
        toxic = make(world.chance)
        extra.database.toxic = extra.broker.toxic = toxic
        world.say("the network of the extra replica is harmed")
        await asyncio.sleep(HARM_MIN_S)

        async def harmed() -> str:
            return "" if toxic.hits >= hits_min else f"harmed {toxic.hits} of {hits_min} times"

        await insist(harmed, HARM_TIMEOUT_S)
        for proxy in (extra.database, extra.broker):
            proxy.toxic = None
            proxy.cut()  # what was swallowed never comes: no connection goes on behind a gap
        world.say("its network is well again")
    return toxic.hits


def _one_way(swallowed: Way, _: random.Random) -> OneWay:
    return OneWay(swallowed)


EXPERIMENTS = (
    Experiment(
        "slow-network",
        "A network that delays every packet makes payment slow, and nothing else.",
        partial(harm, partial(Slow, DELAY_MAX_S), HITS),
    ),
    Experiment(
        "cut-network",
        "Connections that are cut anywhere, in the middle of whatever they carry, lose and double nothing.",
        partial(harm, partial(Cutting, CUT_ONE_IN), CUTS),
    ),
    *(
        Experiment(
            f"one-way-{name}",
            f"A network that drops all that travels {way.value}, in silence, loses and doubles nothing.",
            partial(harm, partial(_one_way, way), SWALLOWED),
        )
        for name, way in (("to-server", Way.TO_SERVER), ("to-client", Way.TO_CLIENT))
    ),
)
