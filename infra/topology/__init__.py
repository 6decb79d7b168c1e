"""The broker's topology: declared before anything consumes, and watched while everything runs."""

from services.inventory.reactions import reactions as inventory
from services.notification.reactions import reactions as notification
from services.order.reactions import reactions as order
from services.payment.reactions import reactions as payment

TABLES = (order, inventory, payment, notification)
"""The reaction tables that it is derived from."""
