"""`python -m services.order`."""

from services.order.api import routes
from services.order.effects import performers
from services.order.reactions import reactions
from services.order.settings import OrderSettings
from services.order.store import states
from shared.service import Service

service = Service(reactions, states, OrderSettings, performers, routes)

if __name__ == "__main__":
    service.run()
