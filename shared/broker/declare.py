"""Declaring the topology: by the one user that may, before anything consumes."""

from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection

from shared.broker.publisher import open_connection
from shared.topology import Topology


async def declare(topology: Topology, connection: AbstractConnection) -> None:
    """Declare exchanges, queues and bindings; the ends of a binding may be there already. Again changes nothing.

    Raises:
        ChannelPreconditionFailed: something of that name exists and differs.
        ChannelNotFoundEntity: an end of a binding is missing.
    """
    channel = await connection.channel()
    for exchange in topology.exchanges:
        await channel.declare_exchange(exchange.name, ExchangeType(exchange.type), durable=True)
    for queue in topology.queues:
        await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
    for binding in topology.bindings:
        bound = await channel.get_queue(binding.queue, ensure=False)
        await bound.bind(binding.exchange, binding.routing_key)
    await channel.close()


async def declare_at(topology: Topology, broker_url: str) -> None:
    """Connect to `broker_url`, declare, disconnect."""
    connection = await open_connection(broker_url, "quartet topology")
    async with connection:
        await declare(topology, connection)
