"""How much lies in the broker's queues, asked passively: nothing is declared, taken or put back."""

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity

from infra.topology import TABLES
from shared.topology import topology_of

TIMEOUT_S = 10.0


async def depths(broker_url: str) -> dict[str, int]:
    """Count the messages that lie ready in every queue of the topology; a queue that is not there holds none.

    Raises:
        AMQPError, OSError, TimeoutError: the broker is out of reach.
    """
    found = {}
    connection = await aio_pika.connect(broker_url, timeout=TIMEOUT_S)
    async with connection:
        channel = await connection.channel()
        for queue in topology_of(TABLES).queues:
            try:
                declared = await channel.declare_queue(queue.name, passive=True, timeout=TIMEOUT_S)
            except ChannelNotFoundEntity:  # which closes the channel
                channel = await connection.channel()
            else:
                found[queue.name] = declared.declaration_result.message_count or 0
    return found
