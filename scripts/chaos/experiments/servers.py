"""The broker and the database: killed, frozen, or out of disk."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic

from scripts.chaos.experiment import Experiment
from scripts.chaos.undoing import to_the_end
from scripts.chaos.world import World, insist

FROZEN_LOOKS = 4
"""So often a frozen server is asked, and each time it does not answer for some seconds."""
OUTAGE_S, OUTAGE_FLOWS_S, OUTAGE_LOOKS_EVERY_S = 300.0, 10.0, 10.0
"""A long outage lasts so long; orders arrive in its first seconds, and then customers stay away."""
OUTAGE_TIMEOUT_S = OUTAGE_S + 60.0
ALARM_TIMEOUT_S = 30.0
BLOCKED_ORDERS, BLOCKED_TIMEOUT_S = 40, 60.0
KEPT_WAITING = """
    SELECT count(*) FROM order_service.outbox JOIN order_service.events USING (event_id)
    WHERE occurred_at < now() - interval '1 second'
"""
"""Without an alarm the broker has an event within milliseconds."""
DISK_LIMIT_TOO_HIGH, DISK_LIMIT = "1000000GB", "200MB"  # the latter as in infra/rabbitmq/rabbitmq.conf


async def kill_broker(world: World) -> int:
    """Kill RabbitMQ's node."""
    (name,) = await world.hosts.names("rabbitmq")
    before = await world.hosts.incarnation(name)
    try:
        await world.hosts.kill(name)
    finally:
        hits = await to_the_end(world.returned(name, before))
        await insist(partial(_back, world.broker.answers), ALARM_TIMEOUT_S)
    return hits


async def stop_database(world: World) -> int:
    """Have PostgreSQL stop at once, without a checkpoint: it recovers from its log when it starts again."""
    (name,) = await world.hosts.names("postgres")
    before = await world.hosts.incarnation(name)
    try:
        await world.hosts.quit(name)
    finally:
        hits = await to_the_end(world.returned(name, before))
        await insist(partial(_back, world.database.answers), ALARM_TIMEOUT_S)
    return hits


async def freeze(program: str, world: World) -> int:
    """Stop a server in its tracks: it accepts connections, and does not answer."""
    (name,) = await world.hosts.names(program)
    answers = world.broker.answers if program == "rabbitmq" else world.database.answers
    try:
        await world.hosts.freeze(name)
        world.say(f"{name} is frozen")
        silent = [not await answers() for _ in range(FROZEN_LOOKS)]
    finally:
        await to_the_end(world.hosts.thaw(name))
        world.say(f"{name} goes on")
    return sum(silent)


async def freeze_for_long(program: str, world: World) -> int:
    """Stop a server in its tracks for longer than any retry waits; who had begun something asks on all the while."""
    (name,) = await world.hosts.names(program)
    answers = world.broker.answers if program == "rabbitmq" else world.database.answers
    ends_s, silent = monotonic() + OUTAGE_S, 0
    try:
        await world.hosts.freeze(name)
        world.say(f"{name} is frozen for {OUTAGE_S:g} s")
        await asyncio.sleep(OUTAGE_FLOWS_S)
        world.load.pause()
        while monotonic() < ends_s:
            silent += not await answers()
            await asyncio.sleep(min(OUTAGE_LOOKS_EVERY_S, max(0.0, ends_s - monotonic())))
    finally:
        await to_the_end(world.hosts.thaw(name))
        world.load.go_on()
        world.say(f"{name} goes on")
    return silent


async def fill_disk(world: World) -> int:
    """Have the broker believe that its disk is full: it takes no message from anybody until there is room."""
    placed = 0

    async def alarmed() -> str:
        return "" if await world.broker.alarmed() else "no alarm"

    async def blocked() -> str:
        count = len(world.load.placed) - placed
        return "" if count >= BLOCKED_ORDERS else f"{count} orders were taken during the alarm"

    try:
        await world.hosts.rabbitmqctl("set_disk_free_limit", DISK_LIMIT_TOO_HIGH)
        await insist(alarmed, ALARM_TIMEOUT_S)
        placed = len(world.load.placed)
        world.say("the alarm is on")
        await insist(blocked, BLOCKED_TIMEOUT_S)
        waiting: int = await world.database.value(KEPT_WAITING)
        world.say(f"{waiting} events of orders that were taken wait in order's outbox")
    finally:
        await to_the_end(world.hosts.rabbitmqctl("set_disk_free_limit", DISK_LIMIT))
    return waiting


async def _back(answers: Callable[[], Awaitable[bool]]) -> str:
    return "" if await answers() else "it does not answer"


EXPERIMENTS = (
    Experiment(
        "kill-broker", "Killing the broker loses no event: outboxes keep what it has not confirmed.", kill_broker
    ),
    Experiment(
        "stop-database",
        "An immediate stop of the database undoes what was not committed, and it is all done again.",
        stop_database,
    ),
    Experiment(
        "freeze-broker",
        "A broker that accepts and does not answer is given up in bounded time, and nothing is lost.",
        partial(freeze, "rabbitmq"),
    ),
    Experiment(
        "freeze-database",
        "A database that accepts and does not answer is given up in bounded time, and nothing is done twice.",
        partial(freeze, "postgres"),
    ),
    *(
        Experiment(
            f"long-{what}-outage",
            f"Five minutes without an answer from the {what} set no event aside, and what waited is done afterwards.",
            partial(freeze_for_long, program),
            fault_timeout_s=OUTAGE_TIMEOUT_S,
            by_name_alone=True,
        )
        for what, program in (("broker", "rabbitmq"), ("database", "postgres"))
    ),
    Experiment(
        "disk-alarm",
        "While the broker's disk alarm blocks all who publish, orders are taken and kept, and then go on.",
        fill_disk,
    ),
)
