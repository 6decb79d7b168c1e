"""`python -m services.notification`."""

from services.notification.api import routes
from services.notification.effects import performers
from services.notification.reactions import reactions
from services.notification.settings import NotificationSettings
from services.notification.store import states
from shared.service import Service

service = Service(reactions, states, NotificationSettings, performers, routes)

if __name__ == "__main__":
    service.run()
