"""Runs the migrations of the dashboard."""

from shared.store.migrations import run_migrations

run_migrations("dashboard")
