"""The broker as an experiment sees it: looked at and mended as the topology's user, published to as an owner."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from uuid import uuid4

import aio_pika
import httpx
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, ChannelNotFoundEntity

from infra.credentials import Credentials
from infra.ports import AMQP, HOST, RABBITMQ_MANAGEMENT
from infra.rabbitmq.users import TOPOLOGY, VHOST
from infra.topology import TABLES
from shared.broker.declare import declare_at
from shared.envelope import CONTENT_TYPE, Logged, encode
from shared.topology import Binding, events_exchange, topology_of

TIMEOUT_S = 5.0
PUBLISH_MAX_MESSAGES = 25
"""So many wait for their confirms together: one by one, a busy broker takes minutes for a storm."""
AWAY = (OSError, TimeoutError, AMQPError, ChannelInvalidStateError, httpx.HTTPError)
"""What it raises while the node is away."""
DECLARED = topology_of(TABLES)
MISSING = -1
"""Stands for the number of messages of a queue that is not there."""


class Broker:
    """Asks over a connection of its own each time: the node may have been restarted since the last."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def answers(self) -> bool:
        """Tell whether one can open a channel."""
        try:
            async with await self._connection(TOPOLOGY) as connection:
                await connection.channel()
        except AWAY:
            return False
        return True

    async def depths(self) -> dict[str, int]:
        """Count the messages that lie in queues; those without any are left out, one that is missing has MISSING."""
        names = [queue.name for queue in DECLARED.queues]
        async with await self._connection(TOPOLOGY) as connection:
            counts = await asyncio.gather(*(_depth(connection, name) for name in names))
        return {name: count for name, count in zip(names, counts, strict=True) if count}

    async def missing(self, queue: str) -> bool:
        """Tell whether a queue is not there; of no other, because it may be declared again in the meantime."""
        async with await self._connection(TOPOLOGY) as connection:
            return await _depth(connection, queue) == MISSING

    async def delete(self, queue: str) -> None:
        """Delete a queue with all that lies in it."""
        async with await self._connection(TOPOLOGY) as connection:
            await (await connection.channel()).queue_delete(queue, timeout=TIMEOUT_S)

    async def unbind(self, binding: Binding) -> None:
        """Remove a binding."""
        async with await self._connection(TOPOLOGY) as connection:
            queue = await (await connection.channel()).get_queue(binding.queue, ensure=False)
            await queue.unbind(binding.exchange, binding.routing_key, timeout=TIMEOUT_S)

    async def bound(self, binding: Binding) -> bool:
        """Tell whether a binding is there."""
        path = f"bindings/{VHOST}/e/{binding.exchange}/q/{binding.queue}"
        found = (await self._manage(path)).raise_for_status().json()
        return any(one["routing_key"] == binding.routing_key for one in found)

    async def declare(self) -> None:
        """Declare the whole topology again, as `make up` does."""
        await declare_at(DECLARED, self._url(TOPOLOGY))

    async def alarmed(self) -> bool:
        """Tell whether an alarm is on, which blocks all who publish."""
        return (await self._manage("health/checks/alarms")).status_code != httpx.codes.OK

    async def republish(self, events: Iterable[Logged]) -> int:
        """Publish logged events again, as their owners do; say how many were confirmed."""
        bodies: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
        for logged in events:
            bodies[logged.owner, logged.routing_key].append(encode([logged]))
        for (owner, routing_key), messages in bodies.items():
            await self.publish(owner, routing_key, *messages)
        return sum(map(len, bodies.values()))

    async def publish(self, owner: str, routing_key: str, *bodies: bytes) -> None:
        """Publish messages to a service's exchange, as its own user: persistent, mandatory, confirmed."""
        async with await self._connection(owner) as connection:
            channel = await connection.channel(on_return_raises=True)
            exchange = await channel.get_exchange(events_exchange(owner), ensure=False)
            messages = [
                aio_pika.Message(
                    body,
                    content_type=CONTENT_TYPE,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    message_id=f"chaos {uuid4()}",
                )
                for body in bodies
            ]
            for start in range(0, len(messages), PUBLISH_MAX_MESSAGES):
                some = messages[start : start + PUBLISH_MAX_MESSAGES]
                publishing = (exchange.publish(one, routing_key, mandatory=True, timeout=TIMEOUT_S) for one in some)
                await asyncio.gather(*publishing)

    def _url(self, user: str) -> str:
        return f"amqp://{user}:{self._credentials.broker(user)}@{HOST}:{AMQP}/{VHOST}"

    async def _connection(self, user: str) -> aio_pika.abc.AbstractConnection:
        return await aio_pika.connect(self._url(user), timeout=TIMEOUT_S)

    async def _manage(self, path: str) -> httpx.Response:
        auth = (TOPOLOGY, self._credentials.broker(TOPOLOGY))
        async with httpx.AsyncClient(auth=auth, timeout=TIMEOUT_S, trust_env=False) as client:
            return await client.get(f"http://{HOST}:{RABBITMQ_MANAGEMENT}/api/{path}")


async def _depth(connection: aio_pika.abc.AbstractConnection, queue: str) -> int:
    channel = await connection.channel()  # a queue that is missing closes it
    try:
        found = await channel.declare_queue(queue, passive=True, timeout=TIMEOUT_S)
    except ChannelNotFoundEntity:
        return MISSING
    await channel.close()
    return found.declaration_result.message_count or 0
