"""The audit itself: a look at everything, and a second one at what seemed to be broken."""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import httpx
from aio_pika.exceptions import AMQPError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.audit.books import HTTP_TIMEOUT_S, Ledger, ledger_copy
from infra.audit.facts import Bounds, LogPage
from infra.audit.findings import EVERY_RULE, Break, Findings, confirm, hold_order
from infra.audit.lanes import depths
from infra.audit.logs import LOG_MAX_CHARACTERS
from infra.audit.reading import CHUNK_MAX_ORDERS, Look, look
from infra.audit.rules import LETTERS, LOG_PAGES, OUTBOXES, SHELVES
from infra.audit.rules.rule import Kind, Rule
from shared.ids import TIME_BYTES
from shared.ports import WorldError
from shared.store.connection import by_whose_fault, connect

UNKNOWN_KEYS_MAX = 10_000
"""So many keys that no schema knows are looked up one by one."""
AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""As payment writes an order's id."""
KNOWN = "known"
"""The rule about such keys."""
CLOCKS_APART_S = 900.0
"""More than the clocks of an order and of the provider may differ by."""
OUT_OF_REACH = (WorldError, httpx.HTTPError, AMQPError, OSError, TimeoutError)
"""What is raised where a book cannot be read."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the books are. `ledger_after` is the last line of the ledger that is of an earlier world."""

    database_url: str
    broker_url: str
    provider_url: str
    logs: Callable[[], Iterable[LogPage]] | None = tuple
    """Reads what the programs wrote, as far as it is there; None where that is out of reach."""
    ledger_after: int = 0
    transport: httpx.AsyncBaseTransport | None = None
    """Another way to the provider than over the network."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked: everything, or what came about in the last `since_s` seconds; all rules, or the instant ones."""

    since_s: float | None = None
    instant: bool = False
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def changed_s(self) -> float | None:
        """How far back an order may have changed last: what broke a bound since then was touched before that bound."""
        if self.since_s is None or self.instant:
            return self.since_s
        return self.since_s + max(self.bounds.overdue_s, self.bounds.settled_for_s)

    @property
    def rules(self) -> list[Rule[Any]]:
        """The rules that can be told."""
        return [
            rule
            for rule in EVERY_RULE
            if (rule.kind is Kind.INSTANT or not self.instant) and not (rule.whole and self.since_s is not None)
        ]


async def audit(sources: Sources, scope: Scope) -> Findings:
    """Hold all books against the rules.

    Raises:
        OUT_OF_REACH: one of these, a book is out of reach.
        RefusedError: what is stored cannot even be read.
    """
    began_s = time.monotonic()
    findings = Findings.of(rule for rule in scope.rules if sources.logs or rule not in LOG_PAGES)
    async with _Auditor.at(sources, scope, findings) as auditor:
        doubtful = await auditor.look_at_everything()
        if not scope.instant:
            await auditor.look_again(doubtful)
    await _hold_logs(findings, sources.logs)
    findings.took_s = time.monotonic() - began_s
    return findings


async def _hold_logs(findings: Findings, logs: Callable[[], Iterable[LogPage]] | None) -> None:
    if logs is None:
        rules = ", ".join(rule.name for rule in LOG_PAGES)
        findings.unread.append(f"the programs' logs, which are out of reach here: `quartet audit` asks {rules}")
        return
    files = set()
    for page in logs():
        await asyncio.sleep(0)  # as above: they may be long
        findings.hold(LOG_PAGES, page, page.file)
        files.add(page.file)
        if page.is_cut:
            findings.unread.append(f"{page.file} after its first {LOG_MAX_CHARACTERS >> 20} Mi characters")
    if not files:
        findings.unread.append("the programs' logs: there are none")


class _Auditor:
    """Goes through the books, and notes what it finds."""

    def __init__(self, engine: AsyncEngine, ledger: Ledger, broker_url: str, scope: Scope, findings: Findings) -> None:
        self._engine = engine
        self._ledger = ledger
        self._broker_url = broker_url
        self._scope = scope
        self._findings = findings

    @classmethod
    @asynccontextmanager
    async def at(cls, sources: Sources, scope: Scope, findings: Findings) -> AsyncIterator["_Auditor"]:
        """Open the books, and close them at the end of the block."""
        engine = connect(sources.database_url, "quartet audit")
        try:
            async with _provider(sources) as http:
                with ledger_copy(http, sources.ledger_after) as ledger:
                    yield cls(engine, ledger, sources.broker_url, scope, findings)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[Look]:
        """Look, and at the queues first: what is on its way then has left its outbox before."""
        lanes = {} if self._scope.instant else await depths(self._broker_url)
        with by_whose_fault():
            async with look(self._engine, self._ledger, lanes, self._scope.bounds) as taken:
                yield taken

    async def look_at_everything(self) -> list[UUID]:
        """Hold everything against the rules; give the orders that have to be looked at again."""
        doubtful: list[UUID] = []
        async with self._looking() as taken:
            async for shelf in taken.shelves(whole=self._scope.since_s is None):
                self._findings.hold(SHELVES, shelf, shelf.sku)
            async for service, posted in taken.posted():
                self._findings.hold(OUTBOXES, posted, service)
            async for service, letter in taken.letters():
                self._findings.hold(LETTERS, letter, f"{service} {letter.letter_id}")
            async for order_ids in self._order_ids(taken):
                for saga in await taken.sagas(order_ids):
                    await asyncio.sleep(0)  # whoever has this run answers others meanwhile
                    self._findings.orders += 1
                    if hold_order(self._findings, saga):
                        doubtful.append(saga.order_id)
        return doubtful

    async def _order_ids(self, taken: Look) -> AsyncIterator[Sequence[UUID]]:
        """Give the orders that are asked about in chunks, once the ledger's lines about them are there."""
        if self._scope.changed_s is None:
            await self._ledger.catch_up()
            async for order_ids in taken.all_ids():
                yield order_ids
        elif changed := await self._changed(taken, self._scope.changed_s):
            await self._ledger.skip_to(time_of(changed[0], taken.began) - timedelta(seconds=CLOCKS_APART_S))
            await self._ledger.catch_up()
            for chunk in _chunks(changed):
                yield chunk

    async def _changed(self, taken: Look, changed_s: float) -> list[UUID]:
        """Give the orders that changed of late in any book, the ledger too: what only that tells of is sought most."""
        keys = await self._ledger.keys_since(taken.began - timedelta(seconds=changed_s))
        return sorted({*await taken.changed_ids(changed_s), *self._orders_of(keys)})

    async def look_again(self, doubtful: Sequence[UUID]) -> None:
        """Look again at orders, and at the keys of the ledger that are none: what still breaks a rule, breaks it."""
        unseen = self._ledger.unseen(UNKNOWN_KEYS_MAX) if self._scope.since_s is None else ()
        unknown = list(self._orders_of(unseen))
        if not doubtful and not unknown:
            return
        async with self._looking() as taken:
            await self._ledger.catch_up()
            for chunk in _chunks([*doubtful, *unknown]):
                for saga in await taken.sagas(chunk):
                    confirm(self._findings, saga)

    def _orders_of(self, keys: Iterable[str]) -> Iterator[UUID]:
        """Give the orders that keys of the ledger are; one that is no id of ours needs no look."""
        for key in keys:
            if AN_ID.fullmatch(key):
                yield UUID(key)
            elif KNOWN in self._findings.tallies:
                self._findings.note([Break(KNOWN, key, "the provider has lines under it, and it is no order's id")])


def _provider(sources: Sources) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=sources.provider_url,
        verify=_authorities(),
        timeout=HTTP_TIMEOUT_S,
        transport=sources.transport,
        trust_env=False,
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Whom TLS trusts: it takes long to load, and many audits may be held in one process."""
    return httpx.create_ssl_context()


def time_of(order_id: UUID, latest: datetime) -> datetime:
    """Read the time that an id begins with, of when it was made; one that is none of ours may name any."""
    time_s = int.from_bytes(order_id.bytes[:TIME_BYTES]) / 1000
    return datetime.fromtimestamp(min(time_s, latest.timestamp()), UTC)


def _chunks(order_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(order_ids), CHUNK_MAX_ORDERS):
        yield order_ids[start : start + CHUNK_MAX_ORDERS]
