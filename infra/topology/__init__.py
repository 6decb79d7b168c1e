"""The broker's topology: declared before anything consumes, and watched while everything runs."""

from services.inventory.reactions import reactions as inventory
from services.notification.reactions import reactions as notification
from services.order.reactions import reactions as order
from services.payment.reactions import reactions as payment
from shared.topology import Topology, listening_to, topology_of

TABLES = (order, inventory, payment, notification)
"""The reaction tables that it is derived from."""


def declared() -> Topology:
    """Give all that is declared: what the dance needs, and what listeners hear on."""
    return topology_of(TABLES) + listening_to(TABLES)
