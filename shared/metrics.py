"""What a process counts and times for Prometheus, in a registry of its own.

Nothing that decides knows of it: it listens to commits, and stands at the ports between the relay and the broker and
between the intent workers and the outside parties. A batch costs it some microseconds, however many events it has.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from shared.batch import Answered, Duplicate, Item, KeyReused, Raised, Result
from shared.counted import Answering, CountedPublisher, counted_performer
from shared.event import Event
from shared.intents import Performer
from shared.outcome import Advanced, Ignored
from shared.ports import Clock, Message, Publisher
from shared.reactions import Reactions
from shared.shell import Committed
from shared.store.backlog import Backlog
from shared.topology import dead_exchange, lanes_of, return_exchange

# When a counter began is not read in this format, and would be a third of what is sent.
disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs has no types

BATCH_EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
COMMIT_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
REACTING_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)
PERFORMING_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 6, 12)
SAGA_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Upper bounds of the buckets."""

OUTCOMES: Mapping[type, str] = {Advanced: "advanced", Ignored: "ignored", Duplicate: "duplicate", Raised: "raised"}
RESULTS: Mapping[type, str] = {**OUTCOMES, Answered: "answered_before", KeyReused: "key_reused"}
ANSWERS: tuple[Answering, ...] = ("answered", "unanswered", "not_asked")
ELSEWHERE = "elsewhere"
"""The lane of a dead letter that came from none of ours: what a stranger wrote on it is no label."""


class Metrics:
    """Of one process of one service. The gauges show a backlog, which somebody has to count."""

    def __init__(self, reactions: Reactions, kinds: Iterable[str], clock: Clock) -> None:
        self.registry = CollectorRegistry()
        self.service = reactions.service
        self._clock = clock
        self._lanes = frozenset(lane.queue for lane in lanes_of(reactions))
        ProcessCollector(registry=self.registry)
        self._listen(reactions)
        self._stand_at_ports(reactions, kinds)
        self._watch()

    def _listen(self, reactions: Reactions) -> None:
        counted = self.counter("quartet_reactions", "Events that a batch reacted to.", "event", "outcome")
        self._reactions = partial(counted.labels, self.service)
        self._known: dict[tuple[type[Event], str], Counter] = {
            (row.event, outcome): self._reactions(row.event.kind.name, outcome)
            for row in reactions
            for outcome in OUTCOMES.values()
        }
        sizes = self.histogram("quartet_batch_events", "Events in one transaction.", BATCH_EVENTS)
        commits = self.histogram("quartet_commit_seconds", "One transaction, from its beginning.", COMMIT_S)
        reacting = self.histogram("quartet_reacting_seconds", "The reactions in it.", REACTING_S)
        self._batch_events = sizes.labels(self.service)
        self._commit_s = commits.labels(self.service)
        self._reacting_s = reacting.labels(self.service)

    def _stand_at_ports(self, reactions: Reactions, kinds: Iterable[str]) -> None:
        self._messages = self.counter("quartet_relay_messages", "Messages of the relay.", "event", "result")
        for event in reactions.published:
            self._messages.labels(self.service, event.kind.name, "confirmed")
            self._messages.labels(self.service, event.kind.name, "refused")
        self._retries = self.counter("quartet_retries", "Events sent to wait for another attempt.", "lane")
        self._set_aside = self.counter("quartet_set_aside", "Events sent to the dead letters.", "lane")
        self._replays = self.counter("quartet_replays", "Dead letters sent back to their lane.", "lane")
        for lane in self._lanes:
            for counter in (self._retries, self._set_aside, self._replays):
                counter.labels(self.service, lane)
        self._intents = self.counter("quartet_intents", "Attempts to carry out an intent.", "kind", "result")
        self._intent_s = self.histogram("quartet_intent_seconds", "One such attempt.", PERFORMING_S, "kind")
        for kind in kinds:
            for answering in ANSWERS:
                self._intents.labels(self.service, kind, answering)

    def _watch(self) -> None:
        gauge = partial(Gauge, registry=self.registry)
        own, by_kind, by_lane = ("service",), ("service", "kind"), ("service", "lane")
        self._outbox = gauge("quartet_outbox_waiting", "Rows that wait in the outbox.", own)
        self._outbox_age_s = gauge("quartet_outbox_oldest_seconds", "Age of the oldest of them.", own)
        self._outbox_parked = gauge("quartet_outbox_parked", "Rows that wait for a person.", own)
        self._waiting = gauge("quartet_intents_waiting", "Intents that are not done.", by_kind)
        self._due = gauge("quartet_intents_due", "Those of them that are due.", by_kind)
        self._due_s = gauge("quartet_intents_oldest_due_seconds", "Since the first of them was due.", by_kind)
        self._parked = gauge("quartet_intents_parked", "Intents that wait for a person.", by_kind)
        self._letters = gauge("quartet_dead_letters", "Dead letters in the table.", by_lane)
        self._held_up_s = gauge("quartet_held_up_seconds", "For how long one batch is tried again and again.", own)
        self._gauges = (
            self._held_up_s,
            self._outbox, self._outbox_age_s, self._outbox_parked,
            self._waiting, self._due, self._due_s, self._parked, self._letters,
        )  # fmt: skip

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """Make a counter; its first label is the service."""
        return Counter(name, text, ("service", *labels), registry=self.registry)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """Make a histogram; its first label is the service."""
        return Histogram(name, text, ("service", *labels), buckets=buckets, registry=self.registry)

    def committed(self, committed: Committed) -> None:
        """Count a batch."""
        self._batch_events.observe(len(committed.items))
        self._commit_s.observe(self._clock.monotonic_s() - committed.began_s)
        self._reacting_s.observe(committed.reacting_s)
        for what, count in Tally(map(_told, committed.items, committed.results)).items():
            if (child := self._known.get(what)) is None:
                event, outcome = what
                child = self._known[what] = self._reactions(event.kind.name, outcome)
            child.inc(count)

    def relaying(self, publisher: Publisher) -> Publisher:
        """Count what the relay publishes."""

        def tell(message: Message, confirmed: bool) -> None:
            self._messages.labels(self.service, message.routing_key, "confirmed" if confirmed else "refused").inc()

        return CountedPublisher(publisher, tell)

    def setting_back(self, publisher: Publisher) -> Publisher:
        """Count what is tried again later, set aside, and replayed, once the broker has it."""
        elsewhere = {dead_exchange(self.service): self._set_aside, return_exchange(self.service): self._replays}

        def tell(message: Message, confirmed: bool) -> None:
            if confirmed:
                elsewhere.get(message.exchange, self._retries).labels(self.service, message.routing_key).inc()

        return CountedPublisher(publisher, tell)

    def performing(self, performers: Mapping[str, Performer]) -> Mapping[str, Performer]:
        """Count and time what is asked of outside parties."""

        def counted(kind: str, performer: Performer) -> Performer:
            results = {answering: self._intents.labels(self.service, kind, answering) for answering in ANSWERS}
            times = self._intent_s.labels(self.service, kind)

            def tell(answering: Answering, took_s: float) -> None:
                results[answering].inc()
                if answering != "not_asked":
                    times.observe(took_s)

            return counted_performer(performer, self._clock, tell)

        return {kind: counted(kind, performer) for kind, performer in performers.items()}

    def show(self, backlog: Backlog | None) -> None:
        """Set the gauges; where the backlog is not known there is nothing to show, least of all what it was before."""
        for gauge in self._gauges:
            gauge.clear()
        if backlog is None:
            return
        self._outbox.labels(self.service).set(backlog.outbox.waiting)
        self._outbox_age_s.labels(self.service).set(backlog.outbox.oldest_s or 0)
        self._outbox_parked.labels(self.service).set(backlog.outbox.parked)
        since = backlog.held_up and self._clock.now() - backlog.held_up.since
        self._held_up_s.labels(self.service).set(since.total_seconds() if since else 0)
        for each in backlog.intents:
            labels = self.service, each.kind
            self._waiting.labels(*labels).set(each.waiting)
            self._due.labels(*labels).set(each.due)
            self._due_s.labels(*labels).set(each.oldest_due_s or 0)
            self._parked.labels(*labels).set(each.parked)
        for lane in (*self._lanes, ELSEWHERE):
            self._letters.labels(self.service, lane).set(0)
        for dead in backlog.dead_letters:
            lane = dead.lane if dead.lane in self._lanes else ELSEWHERE
            self._letters.labels(self.service, lane).inc(dead.letters)


class Sagas:
    """How long orders take from placing to settling, by what they came to."""

    def __init__(self, metrics: Metrics, outcomes: Iterable[str]) -> None:
        self._service = metrics.service
        self._saga_s = metrics.histogram("quartet_saga_seconds", "From placed to settled.", SAGA_S, "outcome")
        self._late = metrics.counter("quartet_settled_late", "Orders settled after their deadline.")
        self._late.labels(self._service)
        for outcome in outcomes:
            self._saga_s.labels(self._service, outcome)

    def settled(self, outcome: str, took_s: float, *, late: bool) -> None:
        """Note that an order has settled."""
        self._saga_s.labels(self._service, outcome).observe(took_s)
        if late:
            self._late.labels(self._service).inc()


def _told(item: Item, result: Result) -> tuple[type[Event], str]:
    """Give what a result counts as."""
    outcome = result.outcome if isinstance(result, Answered) and result.outcome is not None else result
    return type(item.envelope.event), RESULTS[type(outcome)]
