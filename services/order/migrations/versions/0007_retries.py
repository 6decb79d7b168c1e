"""The events that will be tried again."""

from shared.store.migrations import KIT_0006, run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(KIT_0006, "order_service")
