"""What a schema of PostgreSQL holds, read from outside as the value that the simulator keeps it in."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson

from services.inventory import store as inventory
from services.notification import store as notification
from services.order import store as order
from services.payment import store as payment
from shared.event import VOCABULARY
from shared.letters import Letter
from shared.outcome import Intent
from shared.ports import Answer, Claim, LogEntry
from shared.store.postgres import logged_of
from tests.reality.database import Database
from tests.simulation.process_steps import TABLE_OF
from tests.simulation.tables import InboxRow, IntentRow, OutboxRow, Tables


def _shelf(row: Any) -> inventory.Shelf:
    return inventory.Shelf(inventory.level_of(row), row["receipts"])


STATES: Mapping[str, Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "order": {"orders": ("order_id", order.from_row)},
    "inventory": {"reservations": ("order_id", inventory.from_row), "stock": ("sku", _shelf)},
    "payment": {"payments": ("order_id", payment.from_row)},
    "notification": {"correspondence": ("order_id", notification.from_row)},
}
"""The tables of each service's own, with their keys, and how a row is read."""
KIT = {
    "events": "ORDER BY t.version",
    "inbox": "",
    "outbox": "",
    "intents": "ORDER BY t.position",
    "suspects": "",
    "dead_letters": "",
    "requests": "",
}
"""The tables that every service has, and in which order they are read."""
INTENTS: Mapping[str, Mapping[str, type[Intent]]] = {
    service: {intent.kind: intent for row in table for intent in row.intends} for service, table in TABLE_OF.items()
}
"""What each service intends, by kind."""


def _everything_of(service: str) -> str:
    """Write the statement that reads a whole schema at one moment, a column for each table."""
    tables = KIT | dict.fromkeys(STATES[service], "")
    columns = [
        f"(SELECT array_agg(t {order_by}) FROM {service}_service.{table} AS t) AS {table}"  # noqa: S608 - ours
        for table, order_by in tables.items()
    ]
    return f"SELECT {', '.join(columns)}"


EVERYTHING = {service: _everything_of(service) for service in STATES}


def read(database: Database, service: str) -> Tables:
    """Read all that is committed. Generations are those of the database."""
    (schema,) = database.rows(EVERYTHING[service])
    entries = {row["event_id"]: _entry(row, service) for row in schema["events"] or ()}
    logs: dict[UUID, tuple[LogEntry, ...]] = {}
    for entry in entries.values():
        logs[entry.stream_id] = (*logs.get(entry.stream_id, ()), entry)
    return Tables(
        states={
            row[key]: (state_of(row), row["version"])
            for table, (key, state_of) in STATES[service].items()
            for row in schema[table] or ()
        },
        inbox={row["event_id"]: InboxRow(row["type"], None, row["outcome"]) for row in schema["inbox"] or ()},
        logs=logs,
        outbox={
            row["event_id"]: OutboxRow(entries[row["event_id"]], row["generation"]) for row in schema["outbox"] or ()
        },
        intents={
            (row["stream_id"], row["kind"]): _intent(row, INTENTS[service][row["kind"]])
            for row in schema["intents"] or ()
        },
        suspects={row["event_id"]: (row["life"], row["runs"]) for row in schema["suspects"] or ()},
        letters={row["letter_id"]: _letter(row) for row in schema["dead_letters"] or ()},
        answers={
            (row["caller"], row["route"], row["key"]): (row["body_hash"], Answer(row["status"], row["body"]))
            for row in schema["requests"] or ()
        },
    )


def _entry(row: Any, owner: str) -> LogEntry:
    logged = logged_of({**row, "payload": orjson.dumps(row["payload"]).decode()}, owner)
    return LogEntry(row["stream_id"], row["version"], logged, VOCABULARY[logged.type].kind.public)


def _intent(row: Any, kind: type[Intent]) -> IntentRow:
    claim = Claim(
        intent_id=row["intent_id"],
        intent=kind.model_validate(row["payload"]),
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
        attempts=row["attempts"],
        token=row["token"],
        raised=row["raised"],
    )
    return IntentRow(claim, row["position"], row["leased_until"] is not None, row["parked_at"] is not None)


def _letter(row: Any) -> Letter:
    return Letter(**{name: row[name] for name in Letter.__dataclass_fields__})
