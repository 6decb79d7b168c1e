"""The attempts that led to an event of the log."""

from shared.store.migrations import KIT_0005, run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(KIT_0005, "payment_service")
