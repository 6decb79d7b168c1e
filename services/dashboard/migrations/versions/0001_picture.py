"""The dashboard's picture of the dance."""

from pathlib import Path

from shared.store.migrations import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(Path(__file__).with_suffix(".sql"), "dashboard_service")
