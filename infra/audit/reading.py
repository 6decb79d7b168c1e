"""One look at everything: a snapshot of each schema, the ledger and the queues, given as facts, some orders at a time.

The schemas are read one after another while the dance goes on, so what they say together is judged of orders that had
come to rest before.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.audit import statements as sql
from infra.audit.books import Ledger
from infra.audit.facts import Bounds, Letter, Line, Part, Posted, Reacted, Saga, Shelf, Waiting
from infra.audit.schema import Rows, Schema, letter_of, snapshot
from infra.ports import SERVICES
from services.inventory.state import Level
from services.inventory.store import level_of
from shared.ids import stream_id

CHUNK_MAX_ORDERS = 500
CHANGES_MAX_ROWS = 5_000
SIDE_BY_SIDE_S = 60.0
"""Longer than any transaction: what was committed earlier by so much was begun earlier, too."""
FIRST = UUID(int=0)
NEWEST = {"transaction_id": str(2**64 - 1), "position": 2**63 - 1}


class Look:
    """What was there when the snapshots were taken."""

    def __init__(self, schemas: Mapping[str, Schema], ledger: Ledger, lanes: Mapping[str, int], bounds: Bounds) -> None:
        self._schemas = schemas
        self._ledger = ledger
        self._lanes = lanes
        self._bounds = bounds

    @property
    def began(self) -> datetime:
        """When the first snapshot was taken, by the database's clock."""
        return min(schema.now for schema in self._schemas.values())

    async def all_ids(self) -> AsyncIterator[list[UUID]]:
        """Give the ids of all orders that any schema holds a row, a log or an intent of, in their order, in chunks."""
        after = FIRST
        while True:
            found: set[UUID] = set()
            for service, schema in self._schemas.items():
                for statement in (sql.STATE_IDS[service], sql.STREAM_IDS, sql.INTENT_IDS):
                    rows = await schema.rows(statement, after=after, limit=CHUNK_MAX_ORDERS)
                    found.update(row["order_id"] for row in rows)
            if not found:
                return
            ids = sorted(found)[:CHUNK_MAX_ORDERS]
            yield ids
            after = ids[-1]

    async def changed_ids(self, since_s: float) -> list[UUID]:
        """Give the ids of all orders that something was logged of in the last `since_s` seconds, in their order."""
        found: set[UUID] = set()
        for schema in self._schemas.values():
            horizon = schema.now - timedelta(seconds=since_s)
            place = dict(NEWEST)
            while rows := list(await schema.rows(sql.CHANGED, **place, limit=CHANGES_MAX_ROWS)):
                found.update(
                    r["order_id"] for r in rows if r["occurred_at"] > horizon and r["type"] != "stock.received.v1"
                )
                last = rows[-1]
                if last["occurred_at"] < horizon - timedelta(seconds=SIDE_BY_SIDE_S):
                    break
                place = {"transaction_id": last["transaction_id"], "position": last["position"]}
        return sorted(found)

    async def sagas(self, order_ids: Collection[UUID]) -> list[Saga]:
        """Read some orders."""
        rows = {service: await schema.read(order_ids) for service, schema in self._schemas.items()}
        lines = self._ledger.of([str(order_id) for order_id in order_ids])
        about = {order_id: set(_named(rows, order_id)) for order_id in order_ids}
        parts: dict[UUID, dict[str, Part]] = {order_id: {} for order_id in order_ids}
        for service, schema in self._schemas.items():
            inbox = await schema.inbox(set().union(*about.values()))
            for order_id in order_ids:
                known = {event_id: inbox[event_id] for event_id in about[order_id] if event_id in inbox}
                parts[order_id][service] = _part(schema, rows[service], order_id, known, self._bounds)
        return [self._saga(order_id, parts[order_id], lines) for order_id in order_ids]

    def _saga(self, order_id: UUID, parts: Mapping[str, Part], lines: Mapping[str, tuple[Line, ...]]) -> Saga:
        return Saga(order_id, parts, lines.get(str(order_id), ()), self._lanes, self._bounds)

    async def shelves(self, *, whole: bool) -> AsyncIterator[Shelf]:
        """Read the stock of every SKU; with `whole` beside the sums over all that is logged, which takes a scan."""
        inventory = self._schemas["inventory"]
        taken = {(r["sku"], r["status"]): r["quantity"] for r in await inventory.rows(sql.TAKEN)} if whole else {}
        after, known = "", set[str]()
        while rows := list(await inventory.rows(sql.SHELVES, after=after, limit=CHUNK_MAX_ORDERS)):
            streams = {stream_id("stock", row["sku"]): row["sku"] for row in rows} if whole else {}
            receipts = {
                streams[r["stream_id"]]: (r["receipts"], r["quantity"])
                for r in await inventory.rows(sql.RECEIPTS, stream_ids=list(streams))
            }
            for row in rows:
                known.add(sku := row["sku"])
                held, committed = taken.get((sku, "held"), 0), taken.get((sku, "committed"), 0)
                yield Shelf(sku, level_of(row), row["receipts"], *receipts.get(sku, (0, 0)), held, committed)
            after = rows[-1]["sku"]
        for sku in sorted({sku for sku, _ in taken} - known):  # held or sold, and no stock at all
            yield Shelf(sku, Level(), 0, 0, 0, taken.get((sku, "held"), 0), taken.get((sku, "committed"), 0))

    async def letters(self) -> AsyncIterator[tuple[str, Letter]]:
        """Read every dead letter, each with its service."""
        for service, schema in self._schemas.items():
            after = FIRST
            while rows := list(await schema.rows(sql.LETTERS, after=after, limit=CHUNK_MAX_ORDERS)):
                for row in rows:
                    yield service, letter_of(row)
                after = rows[-1]["letter_id"]

    async def posted(self) -> AsyncIterator[tuple[str, Posted]]:
        """Read every row of the outboxes, each with its service."""
        for service, schema in self._schemas.items():
            after = FIRST
            while rows := list(await schema.rows(sql.OUTBOX_IDS, after=after, limit=CHUNK_MAX_ORDERS)):
                ids = [row["event_id"] for row in rows]
                logged = {row["event_id"] for row in await schema.rows(sql.LOGGED_IDS, event_ids=ids)}
                for event_id in ids:
                    yield service, Posted(event_id, event_id in logged)
                after = ids[-1]


@asynccontextmanager
async def look(engine: AsyncEngine, ledger: Ledger, lanes: Mapping[str, int], bounds: Bounds) -> AsyncIterator[Look]:
    """Take the snapshots, which last until the end of the block."""
    async with AsyncExitStack() as snapshots:
        schemas = {service: await snapshots.enter_async_context(snapshot(engine, service)) for service in SERVICES}
        yield Look(schemas, ledger, lanes, bounds)


def _named(rows: Mapping[str, Rows], order_id: UUID) -> Iterator[UUID]:
    """Name every event that a log or a letter of an order knows of."""
    for each in rows.values():
        for entry in each.logs.get(order_id, ()):
            yield entry.event_id
            yield entry.causation_id
        for letter in each.letters.get(order_id, ()):
            if letter.event_id is not None:
                yield letter.event_id


def _part(schema: Schema, rows: Rows, order_id: UUID, inbox: Mapping[UUID, Reacted], bounds: Bounds) -> Part:
    state, version = rows.states.get(order_id, (None, 0))
    log = rows.logs.get(order_id, ())
    return Part(
        service=schema.service,
        order_id=order_id,
        now=schema.now,
        state=state,
        version=version,
        log=log,
        inbox=inbox,
        outbox={
            entry.event_id: Waiting(f"{entry.type} {entry.event_id}", entry.occurred_at, rows.outbox[entry.event_id])
            for entry in log
            if entry.event_id in rows.outbox
        },
        intents=rows.intents.get(order_id, ()),
        letters=rows.letters.get(order_id, ()),
        bounds=bounds,
    )
