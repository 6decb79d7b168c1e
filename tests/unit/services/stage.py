"""One service on stage: its reactions over a book in memory, batch after batch, as the shell runs them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.inventory.store import StockBook
from shared.batch import Batch, Item, Result
from shared.envelope import Envelope
from shared.event import Event
from shared.ids import derived_id
from shared.outcome import Advanced, Intent
from shared.ports import Book, LogEntry, Received, Record
from shared.reactions import Reactions
from shared.store.aggregates import AggregateBook, order_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def envelope(event: Event, number: int = 0) -> Envelope:
    """Wrap an event; one and the same event under two numbers is two events."""
    event_id = derived_id(UUID(int=0), event.kind.type, event.model_dump_json(), str(number))
    return Envelope(event_id, event, getattr(event, "order_id", event_id))


def order_book() -> AggregateBook[UUID]:
    """Give an empty book of a service with one aggregate an order."""
    return AggregateBook(order_of, lambda order_id: order_id, {})


def stock_book() -> StockBook:
    """Give inventory's empty book."""
    return StockBook({}, {})


class Stage:
    """Plays batches, and keeps all that they led to."""

    def __init__(self, table: Reactions, book: Book) -> None:
        self.book = book
        self.log: list[LogEntry] = []
        self.events: list[Event] = []
        """What advances caused, in order."""
        self.intended: list[Intent] = []
        self._table = table
        self._inbox: set[UUID] = set()

    def play(self, *batch: Envelope) -> tuple[list[Result], Record]:
        """React to a batch; an id that was reacted to before is a duplicate."""
        fresh = frozenset(each.event_id for each in batch) - self._inbox
        run = Batch(self._table, self.book, Received(fresh, NOW))
        results = [run.apply(Item(each)) for each in batch]
        self._inbox |= fresh - set(run.record.raised)
        self.log += run.record.entries
        for result in results:
            if isinstance(result, Advanced):
                self.events += result.events
                self.intended += result.intents
        return results, run.record

    def count(self, *kinds: type[Event] | type[Intent]) -> int:
        """Say how many events or intents of these kinds came about."""
        return sum(isinstance(each, kinds) for each in (*self.events, *self.intended))

    def state(self, event: Event) -> Any:
        """Give the state that an event is about."""
        return self.book.read(event)

    def gapless(self) -> bool:
        """Say whether every stream's versions in the log go 1, 2, 3 …"""
        streams: dict[UUID, list[int]] = {}
        for entry in self.log:
            streams.setdefault(entry.stream_id, []).append(entry.version)
        return all(versions == list(range(1, len(versions) + 1)) for versions in streams.values())


def twice(events: Iterable[Event]) -> list[Envelope]:
    """Give each event under two ids: a drawn id that repeats is a redelivery, another id a true second event."""
    return [envelope(event, number) for event in events for number in (1, 2)]


@st.composite
def histories(draw: st.DrawFn, lives: Sequence[Sequence[Event]], others: Iterable[Event]) -> list[Envelope]:
    """Draw a life, let some of it come early or late, and anything else in between, once or many times."""
    history = [envelope(event, 1) for event in draw(st.sampled_from(lives))]
    for _ in range(draw(st.integers(0, 3))):
        moved = history.pop(draw(st.integers(0, len(history) - 1)))
        history.insert(draw(st.integers(0, len(history))), moved)
    for other in draw(st.lists(st.sampled_from(twice(others)), max_size=8)):
        history.insert(draw(st.integers(0, len(history))), other)
    return history


@st.composite
def batches(draw: st.DrawFn, drawn: st.SearchStrategy[list[Envelope]]) -> list[list[Envelope]]:
    """Cut a history into batches."""
    history = draw(drawn)
    cuts = sorted(draw(st.sets(st.integers(0, len(history)), max_size=5)))
    return [history[start:end] for start, end in pairwise([0, *cuts, len(history)])]
