"""The generation of what waits in the outbox."""

from shared.store.migrations import KIT_0004, run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(KIT_0004, "order_service")
