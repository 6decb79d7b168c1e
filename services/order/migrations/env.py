"""Runs the migrations of the order service."""

from shared.store.migrations import run_migrations

run_migrations("order")
