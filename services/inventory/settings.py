"""Settings of inventory alone: it has none."""

from shared.settings import Settings


class InventorySettings(Settings):
    """What every service needs."""
