"""The kit's tables, and the order service's own."""

from pathlib import Path

from shared.store.migrations import KIT_0001, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(KIT_0001, "order_service")
    run_sql(Path(__file__).with_suffix(".sql"), "order_service")
