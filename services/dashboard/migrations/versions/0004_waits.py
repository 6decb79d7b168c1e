"""What every service has yet to react to."""

from pathlib import Path

from shared.store.migrations import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(Path(__file__).with_suffix(".sql"), "dashboard_service")
