"""What the auditor may read of the kit's tables, and of the payment service's own."""

from pathlib import Path

from shared.store.migrations import KIT_0003, run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(KIT_0003, "payment_service")
    run_sql(Path(__file__).with_suffix(".sql"), "payment_service")
