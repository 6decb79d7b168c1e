"""Runs the migrations of the inventory service."""

from shared.store.migrations import run_migrations

run_migrations("inventory")
