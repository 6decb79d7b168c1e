"""A running service: its parts put together, started, watched, and drained in the right order."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self

from loguru import logger
from sqlalchemy import text

from shared.batch import Item
from shared.broker.announcer import AmqpAnnouncer
from shared.broker.closing import within
from shared.broker.consumer import Consumers
from shared.broker.consuming import Consuming
from shared.broker.publisher import CONNECT_TIMEOUT_S, AmqpPublisher
from shared.clock import SystemClock
from shared.desk import Desk
from shared.http.commands import Commands
from shared.http.health import Check
from shared.ids import new_id
from shared.intents import IntentLimits, IntentWorkers, Performer
from shared.metrics import Metrics
from shared.narration import Narrator
from shared.news import News
from shared.outcome import Intent
from shared.ports import WorldError
from shared.reactions import Reactions
from shared.receiving import OnFailed, Receiver
from shared.relay import Relay, RelayLimits
from shared.retries import Failure, Retries
from shared.settings import Settings
from shared.shell import Committed, Shell
from shared.store.backlog import Backlogs
from shared.store.connection import connect
from shared.store.dead_letters import DeadLetters
from shared.store.postgres import PostgresStore, States
from shared.store.retry_notes import RetryNotes
from shared.topology import DELAY_TIERS_MS, news_exchange
from shared.tracing.spans import Recorder
from shared.tracing.tracing import Traced, Untraced

PRUNE_INTERVAL_S = 60.0
CLOSE_TIMEOUT_S = 1.0
WAITING_MAX_WORKS = 5_000


class Runtime:
    """One process of one service. Use it as an async context: inside, it works; leaving drains it."""

    def __init__(
        self,
        reactions: Reactions,
        states: States,
        performers: Mapping[type[Intent], Performer],
        settings: Settings,
        delay_tiers_ms: tuple[int, ...] = DELAY_TIERS_MS,
        on_failure: Callable[[], None] = lambda: None,
        recorder: Recorder | None = None,
    ) -> None:
        name, clock = reactions.service, SystemClock()
        relay_limits, intent_limits = RelayLimits(pack_max_events=settings.pack_max_events), IntentLimits()
        self._settings = settings
        self._on_failure = on_failure
        self._tasks: list[asyncio.Task[None]] = []
        self._consuming: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.metrics = metrics = Metrics(reactions, [intent.kind for intent in performers], clock)
        self._traces = traces = Traced(reactions, recorder, clock) if recorder else Untraced()
        narrator = Narrator(clock, traces.names)
        self.engine = connect(settings.database_url, f"quartet {name}")
        self.store = PostgresStore(
            name,
            self.engine,
            states,
            performers.keys(),
            grace_s=relay_limits.grace_s,
            lease_s=intent_limits.lease_s,
        )
        self.publisher = AmqpPublisher(settings.broker_url, f"quartet {name} relay")
        # apart from the relay: a publish that the broker refuses closes its channel, and takes its neighbours along
        self.retry_publisher = AmqpPublisher(settings.broker_url, f"quartet {name} retries")
        self.news = News(AmqpAnnouncer(news_exchange(name), self.publisher.opened).announce, clock)
        self.commit_listeners: list[Callable[[Committed], None]] = [
            narrator.committed,
            traces.committed,
            metrics.committed,
            self.news.committed,
        ]
        relaying = traces.publisher(metrics.relaying(self.publisher), "publish")
        self.relay = Relay(name, self.store, relaying, clock, relay_limits)
        self.shell = Shell(
            reactions,
            self.store,
            self.relay,
            clock,
            self._committed,
            life=new_id(),
            batch_max_events=settings.batch_max_events,
            waiting_max_works=WAITING_MAX_WORKS,
            follow=traces.follow,
        )
        traced = {intent.kind: traces.performer(performer) for intent, performer in performers.items()}
        by_kind = metrics.performing(traced)
        self.workers = IntentWorkers(by_kind, self.shell, self.store, clock, intent_limits)
        self.backlogs = Backlogs(name, self.engine, by_kind, lambda: self.shell.held_up)
        letters = DeadLetters(self.engine)
        self.retry_notes = RetryNotes(name, self.engine, delay_tiers_ms, clock)
        self._failure_listeners: list[OnFailed] = [traces.failed, self.retry_notes.failed]
        setting_back = metrics.setting_back(self.retry_publisher)
        self.desk = Desk(reactions, letters, traces.publisher(setting_back, "replay"))
        self.consumers = Consumers(
            settings.broker_url,
            reactions,
            Receiver(self.shell, Retries(setting_back, clock, delay_tiers_ms), letters, clock, self._failed),
            prefetch_max_messages=settings.prefetch_max_messages,
            drain_timeout_s=settings.drain_timeout_s,
        )
        self.consuming = Consuming(self.consumers, self.publisher.consumer_counts, self._stopping)
        self.commands = Commands(self.shell, self.store)

    @property
    def checks(self) -> Mapping[str, Check]:
        """What `/readyz` asks."""
        return {"database": self._ask_database, "broker": self._ask_broker}

    async def __aenter__(self) -> Self:
        """Start everything; what is out of reach is tried again until it is there."""
        self._start(self.shell.run())
        self._start(self.relay.run())
        self._start(self.news.run())
        self._consuming = [self._start(self.consuming.run())]
        self._start(self.workers.run())
        self._start(self.retry_notes.run())
        self._start(self._prune_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take nothing new, finish what was begun within the drain's time, and let everything go."""
        self._stopping.set()
        try:
            async with asyncio.timeout(self._settings.drain_timeout_s):
                await self.consumers.drain()
                await self.workers.drained()
                await self.shell.drained()
                await self.relay.flushed()
                await self.retry_notes.flushed()
            logger.info("drained")
        except TimeoutError:
            logger.warning("not all that was begun is finished; what is not committed comes again")
        await self._end_tasks()
        broker = (self.consumers.stop, self.publisher.close, self.retry_publisher.close)
        closes = (*broker, self.engine.dispose, self._traces.close)
        await asyncio.gather(*(within(CLOSE_TIMEOUT_S, close) for close in closes), return_exceptions=True)

    def _committed(self, committed: Committed) -> None:
        self.relay.offer(committed.unsent, committed.began_s)
        self.workers.offer(committed.claims, committed.began_s)
        for listener in self.commit_listeners:
            listener(committed)

    def _failed(self, item: Item, failure: Failure, began_s: float) -> None:
        for listener in self._failure_listeners:
            listener(item, failure, began_s)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part that fails takes the process with it, to be started afresh."""
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.opt(exception=error).critical("a part of the service failed")
            self._on_failure()

    async def _end_tasks(self) -> None:
        # an attempt to connect is let end by its own timeout: aio-pika takes no cancellation for an answer
        if self._consuming:
            await asyncio.wait(self._consuming, timeout=CONNECT_TIMEOUT_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _prune_for_ever(self) -> None:
        while True:
            try:
                while await self.store.prune(self._settings.inbox_retention_s):
                    pass
            except WorldError as error:
                logger.warning("old inbox rows could not be forgotten: {}", error)
            await asyncio.sleep(PRUNE_INTERVAL_S)

    async def _ask_database(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1 FROM inbox LIMIT 1"))

    async def _ask_broker(self) -> None:
        if idle := await self.consuming.idle():
            raise RuntimeError(f"not consumed: {', '.join(sorted(idle))}")
