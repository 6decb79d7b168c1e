"""What inventory does outside: nothing."""

from collections.abc import Mapping

from services.inventory.settings import InventorySettings
from shared.intents import Performer
from shared.outcome import Intent


def performers(_: InventorySettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    return {}
