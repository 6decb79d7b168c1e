"""Two schemas are taken for the same only where they are."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.simulation.explore import explore
from tests.simulation.tables import Tables, without
from tests.simulation.worlds import ONE, order_id

HERE = order_id(1)


def _tables(service: str, rows: str) -> Tables:
    """Find a schema that has such rows."""
    found = list[Tables]()
    world = ONE.world(crash=0, duplicate=0)
    explore(world, watch=lambda _, __, after: found.append(after.tables[service]))
    return next(tables for tables in found if getattr(tables, rows))


def _with(tables: Tables, rows: str, key: object, row: object) -> Tables:
    changed: dict[str, Any] = {rows: {**getattr(tables, rows), key: row}}
    return replace(tables, **changed)


def test_a_key_tells_states_and_versions_apart() -> None:
    """A state that its log does not lead to is held against the rules, whatever was seen before."""
    tables = _tables("payment", "states")
    state, version = tables.states[HERE]
    assert _with(tables, "states", HERE, (state, version + 1)).key != tables.key
    assert _with(tables, "states", HERE, (None, version)).key != tables.key


def test_a_key_tells_payloads_apart() -> None:
    """The id of an event says what caused it, and not what it tells."""
    tables = _tables("payment", "logs")
    (entry, *rest) = tables.logs[HERE]
    other = entry._replace(logged=entry.logged._replace(payload=b"{}"))
    assert _with(tables, "logs", HERE, (other, *rest)).key != tables.key


def test_a_key_tells_intents_apart() -> None:
    """What is asked counts, and whose turn it is; how many intents there were before does not."""
    tables = _tables("payment", "intents")
    ((place, row),) = tables.intents.items()
    later = row._replace(position=row.position + 1)
    assert _with(tables, "intents", place, later).key == tables.key
    other = row._replace(claim=replace(row.claim, intent_id=UUID(int=1)))
    before, after = ({**tables.intents, (place[0], "other"): other._replace(position=each)} for each in (-1, 99))
    assert replace(tables, intents=before).key != replace(tables, intents=after).key
    assert replace(tables, intents=without(tables.intents, {place})).key != tables.key


@pytest.mark.parametrize("rows", ["inbox", "outbox", "answers"])
def test_a_key_tells_of_every_row(rows: str) -> None:
    """One row less is another schema."""
    tables = _tables("order", rows)
    nothing: dict[str, Any] = {rows: {}}
    assert replace(tables, **nothing).key != tables.key
