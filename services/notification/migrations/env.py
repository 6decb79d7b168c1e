"""Runs the migrations of the notification service."""

from shared.store.migrations import run_migrations

run_migrations("notification")
