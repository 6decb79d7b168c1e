"""`python -m infra.topology`: declares the broker's topology, derived from the reaction tables of all services."""

import asyncio
import os
import sys

from aio_pika.exceptions import AMQPError

from services.inventory.reactions import reactions as inventory
from services.notification.reactions import reactions as notification
from services.order.reactions import reactions as order
from services.payment.reactions import reactions as payment
from shared.broker.declare import declare_at
from shared.topology import topology_of

TABLES = (order, inventory, payment, notification)


def main() -> int:
    """Declare; the exit code is 2 where the broker is out of reach or refuses."""
    topology = topology_of(TABLES)
    try:
        asyncio.run(declare_at(topology, os.environ["QUARTET_BROKER_URL"]))
    except KeyError:
        sys.stderr.write("topology: QUARTET_BROKER_URL is not set\n")
        return 2
    except (AMQPError, OSError, TimeoutError) as error:
        sys.stderr.write(f"topology: {type(error).__name__}: {error}\n")
        return 2
    sys.stdout.write(f"{len(topology.exchanges)} exchanges, {len(topology.queues)} queues\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
