"""`python -m services.payment`."""

from services.payment.api import routes
from services.payment.effects import performers
from services.payment.reactions import reactions
from services.payment.settings import PaymentSettings
from services.payment.store import states
from shared.service import Service

service = Service(reactions, states, PaymentSettings, performers, routes)

if __name__ == "__main__":
    service.run()
