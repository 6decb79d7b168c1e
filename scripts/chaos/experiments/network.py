"""A network that delays, drops and cuts, between an extra replica of payment and both of its servers."""

import random
from collections.abc import Callable
from functools import partial

from scripts.chaos.experiment import Experiment
from scripts.chaos.proxy import Cutting, OneWay, Slow, Toxic, Way
from scripts.chaos.world import World, insist

DELAY_MAX_S = 0.3
CUT_ONE_IN = 40
HITS = 60
"""So often the network harms; then it is well again."""
HARM_TIMEOUT_S = 90.0
SWALLOWED = 10
"""Less comes where nothing is answered."""


async def harm(make: Callable[[random.Random], Toxic], hits: int, world: World) -> int:
    """Put a toxic on both connections of an extra replica until it has harmed so often, and let it end well."""
    async with world.beside("payment") as extra:
        toxic = make(world.chance)
        extra.database.toxic = extra.broker.toxic = toxic
        world.say("the network of the extra replica is harmed")

        async def harmed() -> str:
            return "" if toxic.hits >= hits else f"harmed {toxic.hits} of {hits} times"

        await insist(harmed, HARM_TIMEOUT_S)
        extra.database.toxic = extra.broker.toxic = None
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
        partial(harm, partial(Cutting, CUT_ONE_IN), HITS // 4),
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
