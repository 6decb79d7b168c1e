"""`python -m services.inventory`."""

from services.inventory.api import routes
from services.inventory.effects import performers
from services.inventory.reactions import reactions
from services.inventory.settings import InventorySettings
from services.inventory.store import states
from shared.service import Service

service = Service(reactions, states, InventorySettings, performers, routes)

if __name__ == "__main__":
    service.run()
