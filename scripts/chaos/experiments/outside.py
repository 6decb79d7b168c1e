"""The payment provider: it declines, it is silent, it is gone."""

from scripts.chaos.experiment import Experiment
from scripts.chaos.world import World, insist

INJECTED, INJECTED_TIMEOUT_S = 20, 90.0
DECLINE_RATE, TIMEOUT_RATE = 0.5, 0.7
GONE_ORDERS, GONE_TIMEOUT_S = 200, 60.0
ASKED_IN_VAIN = "SELECT count(*) FROM payment_service.intents WHERE attempts > 1"


async def decline(world: World) -> int:
    """Have the provider decline half of what it would capture."""
    return await _inject(world, "declines", decline_rate=DECLINE_RATE)


async def be_silent(world: World) -> int:
    """Have the provider do most of what it is asked, and not answer."""
    return await _inject(world, "timeouts", timeout_rate=TIMEOUT_RATE)


async def be_gone(world: World) -> int:
    """Kill the provider, and when it is back freeze it, for longer than payment goes on asking."""
    (name,) = await world.hosts.names("provider")
    before = await world.hosts.incarnation(name)
    placed = len(world.load.placed)

    async def enough() -> str:
        return "" if len(world.load.placed) - placed >= GONE_ORDERS else "too few orders have met its silence"

    try:
        await world.hosts.kill(name)
        await world.returned(name, before)
        await world.hosts.freeze(name)
        world.say("the provider is silent")
        await insist(enough, GONE_TIMEOUT_S)
        hits: int = await world.database.value(ASKED_IN_VAIN)
        world.say(f"{hits} charges and undoings were asked for in vain")
    finally:
        await world.hosts.revive(name)
        await world.hosts.thaw(name)
    return hits


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
        await world.shop.faults()
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
