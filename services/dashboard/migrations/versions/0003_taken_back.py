"""What an inbox said can be taken back."""

from pathlib import Path

from shared.store.migrations import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go forward; there is no way back but a new migration."""
    run_sql(Path(__file__).with_suffix(".sql"), "dashboard_service")
