"""The simulator's store port over the real store: every question goes to PostgreSQL, and only time is a choice."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any
from uuid import UUID

from services.inventory.store import states as inventory
from services.notification.store import states as notification
from services.order.store import states as order
from services.payment.store import states as payment
from shared.envelope import Logged
from shared.intents import IntentLimits
from shared.letters import Letter
from shared.ports import Claim, Posted, WorldError
from shared.relay import RelayLimits
from shared.store.dead_letters import DeadLetters
from shared.store.postgres import PostgresStore
from tests.reality.database import Line
from tests.reality.reading import INTENTS
from tests.simulation.instants import Instant
from tests.simulation.store import At
from tests.simulation.tables import Tables

STATES: Any = {"inventory": inventory, "notification": notification, "order": order, "payment": payment}


class DiedError(BaseException):
    """What ends a transaction whose process is no more."""


class Across:
    """Has the methods of something that lives elsewhere. Each is asked there, and who asks stands still meanwhile."""

    def __init__(self, there: Any, line: Line) -> None:
        self._there = there
        self._line = line

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Give the method of that name, to be asked there."""

        async def ask(*arguments: Any, **named: Any) -> Any:
            return self._line.ask(getattr(self._there, name)(*arguments, **named))

        return ask


class RealStore(Across):
    """One process's way to its schema, with the doors of `MemoryStore`."""

    def __init__(self, line: Line, at: At) -> None:
        intents, grace_s, lease_s = INTENTS[line.service].values(), RelayLimits().grace_s, IntentLimits().lease_s
        states = STATES[line.service]
        store = PostgresStore(line.service, line.engine, states, intents, grace_s=grace_s, lease_s=lease_s)
        super().__init__(store, line)
        self.tables = Tables()
        """As they were read before the step."""
        self.removed: Collection[str] = ()
        self._open: Transacting | None = None
        self._letters = Across(DeadLetters(line.engine), line)
        self._at = at

    def _set_available(self, event_ids: Collection[UUID]) -> None:
        self._line.let_graces_pass(event_ids)

    def _set_due(self, intent_ids: Collection[UUID]) -> None:
        self._line.let_leases_pass(intent_ids)

    available = property(fset=_set_available, doc="Outbox rows whose grace is over as of now.")
    due = property(fset=_set_due, doc="Intents whose time has come as of now, and whose lease is over.")

    def transaction(self) -> "Transacting":
        """Begin; what was done is there once the block has ended."""
        self._open = Transacting(self._there.transaction(), self._line, self._at)
        return self._open

    async def claim_unsent(self, limit: int, grace_s: float) -> Sequence[tuple[Logged, Posted]]:
        """Give outbox rows whose grace is over, in the model's order: none is promised."""
        claimed = self._line.ask(self._there.claim_unsent(limit, grace_s))
        return sorted(claimed, key=lambda row: row[1].event_id)

    async def delete_confirmed(self, confirmed: Collection[Posted]) -> None:
        """Delete outbox rows."""
        await self._at(Instant.DELETE)
        self._line.ask(self._there.delete_confirmed(confirmed))

    async def reschedule(self, claim: Claim, after_s: float, error: str, **how: bool) -> None:
        """Give back what was not answered."""
        await self._at(Instant.RESCHEDULE)
        self._line.ask(self._there.reschedule(claim, after_s, error, **how))

    async def keep(self, letters: Sequence[Letter]) -> None:
        """Keep dead letters."""
        await self._at(Instant.KEEP)
        await self._letters.keep(letters)

    def die(self) -> None:
        """Break every connection, in the middle of whatever was done on it."""
        self._line.cut()
        if self._open is not None:
            self._open.abandon()
        self._line.close()


class Transacting:
    """One transaction, from BEGIN to COMMIT. What goes wrong at its commit does so in the database."""

    def __init__(self, transaction: Any, line: Line, at: At) -> None:
        self._transaction = transaction
        self._line = line
        self._at = at
        self._is_open = False

    async def __aenter__(self) -> Across:
        await self._at(Instant.BEGIN)
        begun = self._line.ask(self._transaction.__aenter__())
        self._is_open = True
        return Across(begun, self._line)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._end(kind, error, trace)
            return
        try:
            await self._at(Instant.COMMIT)
        except WorldError:
            self._line.cut()
            self._end(None, None, None)
            raise AssertionError("it has committed on a connection that is gone") from None
        self._end(None, None, None)
        try:
            await self._at(Instant.COMMITTED)
        except WorldError:
            self._line.cut()
            raise

    def abandon(self) -> None:
        """End what nobody will end any more, if it is open; its connection is gone."""
        if self._is_open:
            with suppress(DiedError, WorldError):
                self._end(DiedError, DiedError(), None)

    def _end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_open = False
        self._line.ask(self._transaction.__aexit__(kind, error, trace))
