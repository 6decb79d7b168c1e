"""Services that are killed, or stopped in their tracks and woken too late; and everything killed at once."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import starmap

from infra.ports import SERVICES
from scripts.chaos.experiment import Experiment
from scripts.chaos.undoing import to_the_end
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
        hits = await to_the_end(world.returned(name, before))
    return hits


async def kill_everything(world: World) -> int:
    """Kill every service and the broker, and stop the database, at once."""
    names = [name for program in (*SERVICES, "rabbitmq", "postgres") for name in await world.hosts.names(program)]
    before = {name: await world.hosts.incarnation(name) for name in names}
    harmed: dict[str, str] = {}
    try:
        for name in names:
            harmed[name] = before[name]
            await (world.hosts.quit if name.startswith("postgres") else world.hosts.kill)(name)
    finally:
        hits = await to_the_end(_all_returned(world, harmed))
    return hits


async def _all_returned(world: World, harmed: Mapping[str, str]) -> int:
    """Wait for all of them at once: one that does not come back keeps no other from being revived."""
    hits = await asyncio.gather(*starmap(world.returned, harmed.items()), return_exceptions=True)
    for hit in hits:
        if isinstance(hit, BaseException):
            raise hit
    return len(hits)


async def freeze_past_leases(world: World) -> int:
    """Stop payment's processes while they hold leases, let another take their work over, and wake them."""
    names = await world.hosts.names("payment")
    try:
        await world.shop.faults(latency_ms=SLOW_PROVIDER_MS)
        leased = await _freeze_with_leases(world, names)
        async with world.beside("payment"):
            world.say(f"{', '.join(names)} sleep, and hold {len(leased)} leases")

            async def passed() -> str:
                ids, times = [row["intent_id"] for row in leased], [row["leased_until"] for row in leased]
                held = await world.database.value(STILL_LEASED, ids, times)
                return f"{held} leases have not passed" if held else ""

            await insist(passed, LEASES_TIMEOUT_S)
            await _thaw(world, names)
            world.say("awake; the leases have passed")
            await insist(world.missing, LEASES_TIMEOUT_S)
    finally:
        await to_the_end(_well_again(world, names))
    return len(leased)


async def _freeze_with_leases(world: World, names: Sequence[str]) -> list[dict[str, object]]:
    """Freeze all replicas in a moment in which leases are held: whoever has one is asleep."""
    for _ in range(TRIES_MAX):
        for name in names:
            await world.hosts.freeze(name)
        if leased := await world.database.rows(LEASED):
            return list(leased)
        await _thaw(world, names)
        await asyncio.sleep(world.chance.uniform(0, SLOW_PROVIDER_MS / 1000))
    return []


async def _thaw(world: World, names: Sequence[str]) -> None:
    for name in names:
        await world.hosts.thaw(name)


async def _well_again(world: World, names: Sequence[str]) -> None:
    try:
        await _thaw(world, names)
    finally:
        await to_the_end(world.shop.faults())


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
