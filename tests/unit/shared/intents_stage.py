"""Intent workers over a shell and a store in memory."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from shared.backoff import Backoff
from shared.ids import derived_id, new_id
from shared.intents import IntentLimits, IntentWorkers, Reply
from shared.ports import Claim, WorldError
from shared.shell import Committed, Shell
from tests.unit.shared.fakes import FakeClock, FakeConfirmations, FakeStore, StoredIntent
from tests.unit.shared.toy import Encore, Encored, order, toy

LIMITS = IntentLimits(
    performing_max=3,
    answering_max=6,
    waiting_max=4,
    poll_max=4,
    answers_raised_max=4,
    backoff=Backoff(first_s=1.0, most_s=8.0),
)


CAUSE = UUID("0190d1a5-0000-7000-8000-000000000002")


LOST = WorldError("the connection is lost")


class Stage:
    """Workers over a shell and a store in memory. They answer `Encored`, once `outside` lets them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.store = FakeStore(clock, lease_s=LIMITS.lease_s)
        self.shell = Shell(
            toy,
            self.store,
            FakeConfirmations(),
            clock,
            self._committed,
            life=new_id(),
            batch_max_events=10,
            waiting_max_works=10,
        )
        self.workers = IntentWorkers({Encore.kind: self.perform}, self.shell, self.store, clock, LIMITS)
        self.performed: list[Claim] = []
        self.at_once = 0
        self.at_once_most = 0
        self.outside = asyncio.Event()
        self.outside.set()
        self.errors: list[BaseException] = []
        """What the performer raises, first to last, before it answers."""
        self.answers: list[Reply] = []
        """What it answers, first to last, before it answers just so."""

    async def end(self) -> None:
        """End what a test has left standing outside, while there is a loop to end it in."""
        for task in (standing := list(self.workers._running)):
            task.cancel()
        await asyncio.gather(*standing, return_exceptions=True)

    def _committed(self, committed: Committed) -> None:
        self.workers.offer(committed.claims, committed.began_s)

    async def perform(self, claim: Claim) -> Reply:
        self.performed.append(claim)
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            await self.outside.wait()
        finally:
            self.at_once -= 1
        if self.errors:
            raise self.errors.pop(0)
        return self.answers.pop(0) if self.answers else Reply(Encored(order_id=claim.intent.order_id))

    def intend(self, *about: int, after_s: float = 0, leased_s: float = 0) -> Sequence[Claim]:
        """Store intents of as many orders, and give the claims that leased them."""
        now_s = self.clock.monotonic_s()
        for number in about:
            place = (order(number), Encore.kind)
            claim = Claim(derived_id(order(number), "encore"), Encore(order_id=order(number)), order(number), CAUSE,
                          None, attempts=int(leased_s > 0), token=int(leased_s > 0))  # fmt: skip
            self.store.tables.intents[place] = StoredIntent(claim, now_s + after_s, now_s + leased_s)
        return [self.row(number).claim for number in about]

    def row(self, about: int = 1) -> StoredIntent:
        """Give the row of an order's intent."""
        return self.store.tables.intents[order(about), Encore.kind]

    @property
    def done(self) -> bool:
        """Nothing waits any more."""
        return not self.store.tables.intents
