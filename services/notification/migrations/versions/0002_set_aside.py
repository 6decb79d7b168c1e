"""The kit's tables of what is set aside."""

from shared.store.migrations import KIT_0002, run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(KIT_0002, "notification_service")
