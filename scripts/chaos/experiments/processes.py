"""Services that are killed, or stopped in their tracks and woken too late; and everything killed at once."""

import asyncio
from functools import partial

from infra.ports import SERVICES
from scripts.chaos.experiment import Experiment
from scripts.chaos.world import World, insist

TRIES_MAX = 20
SLOW_PROVIDER_MS = 1_500
LEASES_TIMEOUT_S = 60.0
LEASED = "SELECT intent_id, leased_until FROM payment_service.intents WHERE leased_until > now() AND parked_at IS NULL"
STILL_LEASED = """
    SELECT count(*) FROM payment_service.intents JOIN unnest($1::uuid[], $2::timestamptz[]) AS seen(intent_id, until)
    USING (intent_id) WHERE leased_until = until AND leased_until > now()
"""


async def kill(service: str, world: World) -> int:
    """Kill one replica of a service, wherever it happens to be."""
    name = await world.one_of(service)
    before = await world.hosts.incarnation(name)
    try:
        await world.hosts.kill(name)
    finally:
        hits = await world.returned(name, before)
    return hits


async def kill_everything(world: World) -> int:
    """Kill every service and the broker, and stop the database, at once."""
    names = [name for program in (*SERVICES, "rabbitmq", "postgres") for name in await world.hosts.names(program)]
    before = {name: await world.hosts.incarnation(name) for name in names}
    try:
        for name in names:
            await (world.hosts.quit if name.startswith("postgres") else world.hosts.kill)(name)
    finally:
        hits = [await world.returned(name, before[name]) for name in sorted(names, key=_servers_first)]
    return sum(hits)


async def freeze_past_leases(world: World) -> int:
    """Stop a payment process while it holds leases, let another take its work over, and wake it."""
    name = await world.one_of("payment")
    try:
        await world.shop.faults(latency_ms=SLOW_PROVIDER_MS)
        leased = await _freeze_with_leases(world, name)
        async with world.beside("payment"):
            world.say(f"{name} sleeps, and holds {len(leased)} leases")

            async def passed() -> str:
                ids, times = [row["intent_id"] for row in leased], [row["leased_until"] for row in leased]
                held = await world.database.value(STILL_LEASED, ids, times)
                return f"{held} leases have not passed" if held else ""

            await insist(passed, LEASES_TIMEOUT_S)
            await world.hosts.thaw(name)
            world.say(f"{name} wakes; its leases have passed")
            await insist(world.missing, LEASES_TIMEOUT_S)
    finally:
        await world.hosts.thaw(name)
        await world.shop.faults()
    return len(leased)


async def _freeze_with_leases(world: World, name: str) -> list[dict[str, object]]:
    """Freeze it in a moment in which it holds leases; all that are held are its own, where it is alone."""
    for _ in range(TRIES_MAX):
        await world.hosts.freeze(name)
        if leased := await world.database.rows(LEASED):
            return list(leased)
        await world.hosts.thaw(name)
        await asyncio.sleep(world.chance.uniform(0, SLOW_PROVIDER_MS / 1000))
    return []


def _servers_first(name: str) -> int:
    return 0 if name.startswith(("rabbitmq", "postgres")) else 1


EXPERIMENTS = (
    *(
        Experiment(
            f"kill-{service}",
            f"Killing {service} with SIGKILL loses no order and doubles no effect; it comes back and goes on.",
            partial(kill, service),
        )
        for service in SERVICES
    ),
    Experiment(
        "freeze-payment",
        "A payment process that wakes after its leases have passed charges nobody twice, and nobody too late.",
        freeze_past_leases,
    ),
    Experiment(
        "kill-everything",
        "After every service, the broker and the database died at once, all orders go on to their right ends.",
        kill_everything,
    ),
)
