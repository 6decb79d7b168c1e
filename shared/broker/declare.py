"""Declaring the topology: by the one user that may, before anything consumes."""

from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection

from shared.broker.publisher import open_connection
from shared.topology import Topology


async def declare(topology: Topology, connection: AbstractConnection) -> None:
    """Declare exchanges, queues and bindings. Doing it again changes nothing.

    Raises:
        ChannelPreconditionFailed: something of that name exists and differs.
    """
    channel = await connection.channel()
    exchanges = {
        e.name: await channel.declare_exchange(e.name, ExchangeType(e.type), durable=True) for e in topology.exchanges
    }
    queues = {q.name: await channel.declare_queue(q.name, durable=True, arguments=dict(q.arguments))
              for q in topology.queues}  # fmt: skip
    for binding in topology.bindings:
        await queues[binding.queue].bind(exchanges[binding.exchange], binding.routing_key)
    await channel.close()


async def declare_at(topology: Topology, broker_url: str) -> None:
    """Connect to `broker_url`, declare, disconnect."""
    connection = await open_connection(broker_url, "quartet topology")
    async with connection:
        await declare(topology, connection)
