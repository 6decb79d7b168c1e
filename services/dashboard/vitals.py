"""How the services do right now: what waits in each, and how deep the queues are. Asked when somebody looks."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.dashboard.feeds import Services, SilentError
from services.dashboard.queues import Depth, Depths, Queues

FRESH_S = 1.0
"""So long an answer serves everybody who looks."""
ANSWER_TIMEOUT_S = 1.0
SILENCE_FRESH_S = 5.0
"""So long a service that did not answer is not asked again: else every look would wait for it."""


class Outbox(BaseModel):
    """What the broker has not confirmed."""

    waiting: int
    oldest_s: float | None
    parked: int


class Inbox(BaseModel):
    """The events that a service has taken: about how many it remembers, and since when none has come."""

    about: int | None
    newest_s: float | None


class Intents(BaseModel):
    """What is to be done outside, of one kind."""

    kind: str
    waiting: int
    due: int
    oldest_due_s: float | None
    parked: int


class Retried(BaseModel):
    """The events of one lane that failed and are tried again."""

    lane: str
    events: int
    attempts: int
    oldest_s: float


class Letters(BaseModel):
    """What was set aside of one lane for one reason."""

    lane: str
    error_class: str
    letters: int
    oldest_s: float | None


class HeldUp(BaseModel):
    """A batch that a service runs again and again; every reaction waits behind it."""

    since: datetime
    events: int
    error: str


class Backlog(BaseModel):
    """What waits in a service."""

    service: str
    held_up: HeldUp | None = None
    outbox: Outbox
    inbox: Inbox
    intents: list[Intents]
    retries: list[Retried] = []
    dead_letters: list[Letters]


@dataclass(frozen=True, slots=True)
class Vitals:
    """What was answered; a service that is in `silent` answered nothing."""

    backlogs: Mapping[str, Backlog] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    depths: Depths = field(default_factory=lambda: Depths({}))

    def queue(self, name: str) -> Depth | None:
        """Find a queue."""
        return self.depths.queues.get(name)

    def held_up(self, service: str) -> str | None:
        """Say what a service does not get done, and why; None: nothing, as far as it answers."""
        backlog = self.backlogs.get(service)
        if backlog is None or (held_up := backlog.held_up) is None:
            return None
        what = "an event" if held_up.events == 1 else f"{held_up.events:,} events"
        return f"{service} tries {what} again and again, since {held_up.since:%H:%M:%S} UTC: {held_up.error}"

    def retries(self, service: str, lane: str | None = None) -> int | None:
        """Count the events of a service, or of one lane, that failed and are tried again; None: it does not answer."""
        if (backlog := self.backlogs.get(service)) is None:
            return None
        return sum(retried.events for retried in backlog.retries if lane in (None, retried.lane))

    def letters(self, lane: str) -> int:
        """Count what was set aside of a lane."""
        told = (letters for backlog in self.backlogs.values() for letters in backlog.dead_letters)
        return sum(letters.letters for letters in told if letters.lane == lane)

    @property
    def all_letters(self) -> int:
        """Count all that was set aside."""
        return sum(each.letters for backlog in self.backlogs.values() for each in backlog.dead_letters)

    @property
    def all_parked(self) -> int:
        """Count what waits for a person in outboxes and among intents."""
        outboxes = sum(backlog.outbox.parked for backlog in self.backlogs.values())
        return outboxes + sum(each.parked for backlog in self.backlogs.values() for each in backlog.intents)


class Pulse:
    """Asks all of them at once, and not more often than `FRESH_S`."""

    def __init__(self, services: Services, queues: Queues) -> None:
        self._services = services
        self._queues = queues
        self._lock = asyncio.Lock()
        self._taken_s = float("-inf")
        self._last = Vitals()
        self._silences: dict[str, tuple[float, SilentError]] = {}

    async def take(self) -> Vitals:
        """Give what is known, no older than `FRESH_S`."""
        async with self._lock:
            if time.monotonic() - self._taken_s > FRESH_S:
                self._last = await self._ask()
                self._taken_s = time.monotonic()
            return self._last

    async def _ask(self) -> Vitals:
        names = self._services.names
        depths, *answers = await asyncio.gather(self._queues.depths(), *map(self._backlog, names))
        told = dict(zip(names, answers, strict=True))
        return Vitals(
            {name: answer for name, answer in told.items() if isinstance(answer, Backlog)},
            {name: answer.why for name, answer in told.items() if isinstance(answer, SilentError)},
            depths,
        )

    async def _backlog(self, service: str) -> Any:
        since_s, silence = self._silences.get(service, (float("-inf"), None))
        if silence and time.monotonic() - since_s < SILENCE_FRESH_S:
            return silence
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return Backlog.model_validate(await self._services.document(service, "/backlog"))
        except SilentError as error:
            return error
        except TimeoutError:
            silence = SilentError(service, f"nothing within {ANSWER_TIMEOUT_S:g} s")
            self._silences[service] = time.monotonic(), silence
            return silence
        except ValueError:
            return SilentError(service, "/backlog makes no sense")
