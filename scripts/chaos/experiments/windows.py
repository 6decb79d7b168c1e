"""Crashes in the narrowest moments: forced by a proxy that cuts exactly there, and a SIGKILL right after.

The victim is an extra replica of payment, so the stack's own is left to do its work.
"""

import asyncio

from scripts.chaos.experiment import Experiment
from scripts.chaos.proxy import Losing, Way
from scripts.chaos.world import World, insist

BASIC_ACK = b"\x00\x00\x00\x0d\x00\x3c\x00\x50"
"""The size, class and method of an AMQP 0-9-1 frame `basic.ack`: to a client a confirm, to the broker an ack."""
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's message `CommandComplete` for a COMMIT."""
HIT_TIMEOUT_S = 60.0
SEEN_TIMEOUT_S = 20.0
LOST_COMMITS = 5
CONFIRMED_AND_KEPT = """
    SELECT count(*) FROM payment_service.outbox AS o JOIN order_service.inbox AS i USING (event_id)
    WHERE i.received_at < now() - interval '1 second'
"""
"""Events that order has reacted to, so the broker had them, and that the outbox still holds."""


async def between_confirm_and_delete(world: World) -> int:
    """Kill payment when the broker has confirmed an event, and payment has not heard of it."""
    async with world.beside("payment") as extra:
        extra.broker.toxic = losing = Losing(BASIC_ACK, Way.TO_CLIENT)
        await _hit(losing)
        await extra.process.kill()
        world.say("killed: the broker has confirmed, and the outbox does not know")
        seen = 0

        async def kept() -> str:
            nonlocal seen
            seen = max(seen, await world.database.value(CONFIRMED_AND_KEPT))
            return "" if seen else "no event is both in the outbox and in the inbox of order"

        await insist(kept, SEEN_TIMEOUT_S)
        world.say(f"{seen} events lie in payment's outbox that order has reacted to")
    return seen


async def between_commit_and_ack(world: World) -> int:
    """Kill payment when it has committed a message, and its ack has not reached the broker."""
    async with world.beside("payment") as extra:
        extra.broker.toxic = losing = Losing(BASIC_ACK, Way.TO_SERVER)
        await _hit(losing)
        await extra.process.kill()
        world.say(f"killed: {losing.hits} acks of what was committed have not reached the broker")
    return losing.hits


async def lose_commits(world: World) -> int:
    """Cut the connection to the database where the answer to a COMMIT is on its way; several times, then kill."""
    lost = 0
    async with world.beside("payment") as extra:
        for _ in range(LOST_COMMITS):
            extra.database.toxic = losing = Losing(COMMITTED, Way.TO_CLIENT)
            await _hit(losing)
            lost += losing.hits
            extra.database.toxic = None
        await extra.process.kill()
        world.say(f"killed, after {lost} commits whose answers were lost")
    return lost


async def _hit(losing: Losing) -> None:
    async with asyncio.timeout(HIT_TIMEOUT_S):
        await losing.hit.wait()


EXPERIMENTS = (
    Experiment(
        "kill-confirmed",
        "A crash between the broker's confirm and the outbox's delete costs a duplicate, which every inbox drops.",
        between_confirm_and_delete,
    ),
    Experiment(
        "kill-committed",
        "A crash between the commit and the ack costs a redelivery, which the inbox drops.",
        between_commit_and_ack,
    ),
    Experiment(
        "lose-commits",
        "A commit whose answer is lost is found out, and nothing is done twice or not at all.",
        lose_commits,
    ),
)
