"""The payment provider: it declines, it is silent, it is gone."""

from scripts.chaos.experiment import Experiment
from scripts.chaos.undoing import to_the_end
from scripts.chaos.world import World, insist

INJECTED, INJECTED_TIMEOUT_S = 20, 90.0
DECLINE_RATE, TIMEOUT_RATE = 0.5, 0.7
GIVEN_UP_MIN, GIVEN_UP_TIMEOUT_S = 10, 150.0
"""Longer than an order's deadline."""
GIVEN_UP = """
    SELECT (SELECT count(*) FROM order_service.orders WHERE reason = 'deadline_passed')
         + (SELECT count(*) FROM payment_service.events
            WHERE type = 'payment.declined.v1' AND payload->>'reason' = 'provider_silent')
"""


async def decline(world: World) -> int:
    """Have the provider decline half of what it would capture."""
    return await _inject(world, "declines", decline_rate=DECLINE_RATE)


async def be_silent(world: World) -> int:
    """Have the provider do most of what it is asked, and not answer."""
    return await _inject(world, "timeouts", timeout_rate=TIMEOUT_RATE)


async def be_gone(world: World) -> int:
    """Kill the provider, and when it is back freeze it, until orders have given up on it."""
    (name,) = await world.hosts.names("provider")
    before = await world.hosts.incarnation(name)
    given_up_before: int = await world.database.value(GIVEN_UP)
    given_up = 0

    async def enough() -> str:
        nonlocal given_up
        given_up = await world.database.value(GIVEN_UP) - given_up_before
        return "" if given_up >= GIVEN_UP_MIN else f"{given_up} orders have given up"

    try:
        await world.hosts.kill(name)
        await world.returned(name, before)
        await world.hosts.freeze(name)
        world.say("the provider is silent")
        await insist(enough, GIVEN_UP_TIMEOUT_S)
        world.say(f"{given_up} orders have given up on it, not knowing whether they were charged")
    finally:
        await to_the_end(_well_again(world, name))
    return given_up


async def _well_again(world: World, name: str) -> None:
    await world.hosts.revive(name)
    await world.hosts.thaw(name)
    world.say("the provider is well again")


async def _inject(world: World, what: str, **rates: float) -> int:
    before = (await world.shop.faults())["injected"][what]
    injected = 0

    async def enough() -> str:
        nonlocal injected
        injected = (await world.shop.faults(**rates))["injected"][what] - before
        return "" if injected >= INJECTED else f"{injected} of {INJECTED} {what}"

    try:
        world.say(f"the provider's faults are set: {rates}")
        await insist(enough, INJECTED_TIMEOUT_S)
    finally:
        await to_the_end(world.shop.faults())
        world.say("the provider is well again")
    return injected


EXPERIMENTS = (
    Experiment(
        "payment-declines", "Payments that are declined end in orders cancelled, and stock given back.", decline
    ),
    Experiment(
        "payment-silence",
        "A charge whose answer never came is captured once or undone; silence is never taken for “not charged”.",
        be_silent,
    ),
    Experiment(
        "payment-gone",
        "While the provider is gone orders are taken, and each ends right: captured once, or cancelled and undone.",
        be_gone,
    ),
)
