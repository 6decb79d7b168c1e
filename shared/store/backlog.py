"""What one service has not done yet: its outbox, its intents, its retries, its dead letters, counted; and its inbox."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.batch import HeldUp
from shared.store import observing as sql
from shared.store.connection import by_whose_fault
from shared.store.driver import driving

COUNT_MAX_ROWS = 100_000
"""A count stops there: so many, or more."""
OLDEST_MAX_ROWS = 1_000
"""Among so many rows of the outbox the oldest is looked for."""
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Unsent:
    """The rows of the outbox. Those that are confirmed and about to be deleted are among those that wait."""

    waiting: int
    oldest_s: float | None
    """Since the oldest of them was logged; what a refill put back does not count."""
    parked: int


@dataclass(frozen=True, slots=True)
class Known:
    """The events that the inbox knows, and drops if they come again. None of them waits."""

    about: int | None
    """So many, as the database estimates; None: it has not looked yet."""
    newest_s: float | None
    """Since the last of them came; None: there is none."""


@dataclass(frozen=True, slots=True)
class Intended:
    """The intents of one kind. `due` ones are being carried out, or wait for their turn."""

    kind: str
    waiting: int = 0
    due: int = 0
    oldest_due_s: float | None = None
    """Since the first of them became due; an attempt that failed sets another time."""
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Retried:
    """The events of one lane that failed and are tried again: how often at the most, and since when at the longest."""

    lane: str
    events: int
    attempts: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Dead:
    """The dead letters of one lane and one class of error; `oldest_s` is how long the first of them lies there."""

    lane: str
    error_class: str
    letters: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """All of it."""

    service: str
    outbox: Unsent
    inbox: Known
    intents: Sequence[Intended]
    """Of every kind, also where there are none."""
    retries: Sequence[Retried]
    dead_letters: Sequence[Dead]
    held_up: HeldUp | None = None
    """What every reaction waits behind; None: whatever comes is reacted to."""


class Backlogs:
    """Counts one service's backlog, as often as it is asked, in five statements."""

    def __init__(
        self,
        service: str,
        engine: AsyncEngine,
        kinds: Iterable[str],
        held_up: Callable[[], HeldUp | None] = lambda: None,
    ) -> None:
        self._service = service
        self._held_up = held_up
        self._engine = engine
        self._kinds = sorted(kinds)

    async def now(self) -> Backlog:
        """Count. Raises `WorldError`."""
        bounds = {"rows_max": COUNT_MAX_ROWS, "first": FIRST}
        with by_whose_fault():
            async with driving(self._engine) as driver:
                (unsent,) = await sql.OUTBOX.rows(driver, **bounds, oldest_max=OLDEST_MAX_ROWS)
                (known,) = await sql.INBOX.rows(driver)
                intended = {row["kind"]: Intended(**row) for row in await sql.INTENTS.rows(driver, **bounds)}
                retried = [Retried(**row) for row in await sql.RETRIES.rows(driver, **bounds)]
                dead = [Dead(**row) for row in await sql.LETTERS.rows(driver, **bounds)]
        kinds = sorted({*self._kinds, *intended})
        waiting = [intended.get(kind, Intended(kind)) for kind in kinds]
        return Backlog(self._service, Unsent(**unsent), Known(**known), waiting, retried, dead, self._held_up())
