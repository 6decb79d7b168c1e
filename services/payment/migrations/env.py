"""Runs the migrations of the payment service."""

from shared.store.migrations import run_migrations

run_migrations("payment")
