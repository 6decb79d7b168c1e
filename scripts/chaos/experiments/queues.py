"""What somebody removed at the broker: a lane, a binding, a dead-letter queue."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from scripts.chaos.experiment import Experiment
from scripts.chaos.poison import poison
from scripts.chaos.undoing import to_the_end
from scripts.chaos.world import Look, World, insist, until
from scripts.operations import Operations
from scripts.refill import publish_again
from services.payment.reactions import reactions as payment
from shared.topology import Binding, Lane, dead_exchange, lanes_of
from shared.vocabulary.inventory import StockReserved

MENDED_TIMEOUT_S = 30.0
"""A service that verifies the topology while it runs has mended it by then; otherwise it is done by hand."""
LOOK_BACK = timedelta(minutes=1)
"""What a lane held when it was deleted is not older."""
MISSED_EVENTS, MISSED_TIMEOUT_S = 5, 10.0
TRIES_MAX = 5
"""The topology's watch may come by at once, and then nothing has met the gap: it is made again."""
LANE: Lane = next(lane for lane in lanes_of(payment) if lane.event is StockReserved)
BINDING = Binding(LANE.exchange, LANE.queue, LANE.event.kind.name)


async def delete_lane(world: World) -> int:
    """Delete payment's lane of reservations with all that lies in it, and bring back what it held."""
    since = datetime.now(UTC) - LOOK_BACK
    try:
        missed = await _missed(world, f"{LANE.queue} is deleted", partial(world.broker.delete, LANE.queue))
    finally:
        await to_the_end(_mended(world, partial(_there, world), since))
    return missed


async def remove_binding(world: World) -> int:
    """Remove the binding of payment's lane of reservations, and bring back what did not reach it."""
    since = datetime.now(UTC) - LOOK_BACK
    try:
        told = f"{LANE.queue} is bound to {LANE.exchange} no more"
        missed = await _missed(world, told, partial(world.broker.unbind, BINDING))
    finally:
        await to_the_end(_mended(world, partial(_bound, world), since))
    return missed


async def delete_dead_queue(world: World) -> int:
    """Delete payment's dead-letter queue while poison comes: nothing may be acked that is kept nowhere."""
    queue, hits = dead_exchange(payment.service), 0

    async def delivered() -> str:
        return "" if not (await world.broker.depths()).get(LANE.queue) else "poison lies in the lane"

    async def kept() -> str:
        return "" if await world.database.letters() == world.letters else "not every letter is kept"

    try:
        for _ in range(TRIES_MAX):
            await insist(kept, MENDED_TIMEOUT_S)  # or a letter that lies in the queue would be deleted with it
            await world.broker.delete(queue)
            world.say(f"{queue} is deleted")
            poisonous = await poison(world, LANE.event)
            world.letters += poisonous
            if await world.broker.missing(queue):
                hits = poisonous
                break
            world.say("it was declared again before anything met the gap")
        await insist(delivered, MENDED_TIMEOUT_S)
    finally:
        await to_the_end(world.broker.declare())
        world.say(f"{queue} is declared again")
    return hits


async def _missed(world: World, told: str, harm: Callable[[], Awaitable[None]]) -> int:
    """Do harm, and wait until enough events have missed the lane; where it is mended sooner, take what there is."""
    count = 0

    async def some() -> str:
        nonlocal count
        count = max(count, await world.database.missed(LANE.service, LANE.event))
        return "" if count >= MISSED_EVENTS else f"{count} events missed the lane"

    for _ in range(TRIES_MAX):
        await harm()
        world.say(told)
        await until(some, MISSED_TIMEOUT_S)
        world.say(f"{count} events have not reached payment")
        if count:
            break
    return count


async def _mended(world: World, look: Look, since: datetime) -> None:
    """Wait for somebody to mend the topology, or do it by hand; then have published again what did not arrive."""
    by_hand = await until(look, MENDED_TIMEOUT_S)
    if by_hand:
        await world.broker.declare()
    world.say(f"mended {'by hand' if by_hand else 'by itself'}")
    await insist(world.missing, MENDED_TIMEOUT_S)
    with Operations(world.credentials.operator_key) as operations:
        count = await asyncio.to_thread(publish_again, operations, LANE.queue, since)
    world.say(f"{count} events are published again from the log of their owner")


async def _there(world: World) -> str:
    return "the lane is missing" if await world.broker.missing(LANE.queue) else ""


async def _bound(world: World) -> str:
    return "" if await world.broker.bound(BINDING) else "the binding is missing"


EXPERIMENTS = (
    Experiment(
        "delete-lane",
        "A lane that was deleted is consumed again once it is declared, and what it held comes back from the log.",
        delete_lane,
    ),
    Experiment(
        "remove-binding",
        "What misses a lane whose binding was removed comes back from the log, each event once.",
        remove_binding,
    ),
    Experiment(
        "delete-dead-queue",
        "What cannot be set aside, because the dead-letter queue is gone, is not lost: it waits until it can be.",
        delete_dead_queue,
    ),
)
