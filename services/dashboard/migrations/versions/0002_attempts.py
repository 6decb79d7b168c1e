"""The attempts that led to an event, as the feeds tell them."""

from pathlib import Path

from shared.store.migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(Path(__file__).with_suffix(".sql"), "dashboard_service")
