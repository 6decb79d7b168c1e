"""What becomes of a message: its events into the shell, those that failed set back, and the ack at the very end.

It knows a message by a narrow door, so a simulator can run this very code over a broker of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from loguru import logger

from shared.backoff import Backoff
from shared.batch import Deadly, Item, Raised, Result
from shared.envelope import Unreadable, apart, decode
from shared.letters import Keeper, Letter, bare_letter, letters_of
from shared.ports import Clock, RefusedError, WorldError
from shared.retries import FIRST_FAILED_AT, LAST_FAILED_AT, Failure, Retries, attempts_so_far
from shared.shell import Shell, StoppedError
from shared.topology import Lane

STRANGERS_TEXT_MAX_CHARACTERS = 40
"""So much of an id or a time in a message's own words is sent on: ours are no longer, and what is too long for its
place in a message could never be published."""
DRAIN_BACKOFF = Backoff(first_s=0.2, most_s=5.0)

OnFailed: TypeAlias = Callable[[Item, Failure, float], None]
"""Is told of an event that failed before it is set back, and since when it was here, by the monotonic clock."""


class Delivery(Protocol):
    """A message as the broker delivers it."""

    @property
    def body(self) -> bytes:
        """What it holds."""

    @property
    def message_id(self) -> str | None:
        """What its sender calls it."""

    @property
    def redelivered(self) -> bool | None:
        """Whether somebody had it before, and did not ack it."""

    @property
    def headers(self) -> Mapping[str, Any]:
        """What is written on it; nothing of that is trusted."""

    async def ack(self) -> Any:
        """Have the broker forget it. Raises whatever the connection does: then it comes again."""


class Receiver:
    """Handles the messages of one service's lanes and of its dead letters."""

    def __init__(
        self, shell: Shell, retries: Retries, keeper: Keeper, clock: Clock, on_failed: OnFailed = lambda *_: None
    ) -> None:
        self._shell = shell
        self._retries = retries
        self._keeper = keeper
        self._clock = clock
        self._on_failed = on_failed

    async def handle(self, lane: Lane, message: Delivery) -> None:
        """React to what a message holds, and ack it once all of that is taken care of."""
        try:
            failures = await self._react(lane, message)
        except StoppedError:  # not acked: it goes back to its lane when the connection closes
            return
        except Exception as error:  # noqa: BLE001 - a message that nobody can handle must not block its lane
            logger.opt(exception=error).error("a message of {} cannot be handled", lane.queue)
            whole, name, now = _name(message, 0), type(error).__name__, self._clock.now()
            failures = [_failure(message, whole, message.body, name, "cannot be handled", now, retryable=True)]
        if failures:
            await self._retries.set_back(lane, failures)
        await _ack(message)

    async def drain(self, message: Delivery) -> None:
        """Keep a dead letter, and only then ack it; what can never be kept as it is takes no room from the others."""
        letters: list[Letter] = []
        for delay_s in DRAIN_BACKOFF.delays_s():
            try:
                letters = letters or letters_of(message.body, message.headers, self._clock.now())
                await self._keeper.keep(letters)
                break
            except WorldError as error:
                logger.warning("{} dead letters not kept yet, again in {:.1f} s: {}", len(letters), delay_s, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt would meet it again
                why = f"it cannot be kept as it is: {type(error).__name__}"
                logger.error("a dead letter is kept bare in {:.1f} s: {}", delay_s, why)
                letters = [bare_letter(message.body, message.headers, why, self._clock.now())]
            await self._clock.sleep(delay_s)
        await _ack(message)

    async def _react(self, lane: Lane, message: Delivery) -> list[Failure]:
        """Have the shell react to the events of a message, and say what is to be set back of it."""
        began_s, parts = self._clock.monotonic_s(), _parts(lane, message)
        items = [part for part in parts if isinstance(part, Item)]
        results = iter(await self._shell.submit(*items) if items else ())
        answers = [(part, part if isinstance(part, Unreadable) else next(results)) for part in parts]
        failed = [
            index for index, (_, answer) in enumerate(answers) if isinstance(answer, Unreadable | Raised | Deadly)
        ]
        if not failed:
            return []
        bodies, now = apart(message.body, failed), self._clock.now()
        failures = [_failed(message, i, *answers[i], body, now) for i, body in zip(failed, bodies, strict=True)]
        for index, failure in zip(failed, failures, strict=True):
            if isinstance(item := parts[index], Item):
                self._on_failed(item, failure, began_s)
        # a body that cannot be taken apart goes once, and is tried again if any of its events may be
        return list({each.body: each for each in sorted(failures, key=lambda each: each.retryable)}.values())


def _parts(lane: Lane, message: Delivery) -> list[Item | Unreadable]:
    """Read what a message holds."""
    redelivered, last_failed_at = bool(message.redelivered), _at(message, LAST_FAILED_AT)
    attempts = attempts_so_far(message.headers) + 1
    return [
        read
        if isinstance(read, Unreadable)
        else Item(read, redelivered=redelivered, last_failed_at=last_failed_at, attempts=attempts)
        for read in decode(message.body, lane.event.kind.name)
    ]


async def _ack(message: Delivery) -> None:
    try:
        await message.ack()
    except Exception as error:  # noqa: BLE001 - a lost connection: the message comes again, and changes nothing
        logger.info("an ack was lost, {} comes again: {}", message.message_id, error)


def _failed(
    message: Delivery, index: int, part: Item | Unreadable, answer: Result | Unreadable, body: bytes, now: datetime
) -> Failure:
    """Say how an event failed: it is tried again, unless it cannot be read or has ended processes."""
    if isinstance(part, Unreadable):
        return _failure(message, _name(message, index), body, "Unreadable", part.reason, now, retryable=False)
    event_id = str(part.envelope.event_id)
    if isinstance(answer, Deadly):
        reason = f"{answer.runs} processes ended while they reacted to it"
        return _failure(message, event_id, body, "Deadly", reason, now, retryable=False)
    assert isinstance(answer, Raised)
    error_class = _class_of(answer.error)
    return _failure(message, event_id, body, error_class, f"{error_class}: {answer.error}", now, retryable=True)


def _class_of(error: Exception) -> str:
    """Name what went wrong: where the database refused something, as it does."""
    return error.kind if isinstance(error, RefusedError) else type(error).__name__


def _failure(
    message: Delivery, event_id: str, body: bytes, error_class: str, reason: str, now: datetime, *, retryable: bool
) -> Failure:
    return Failure(
        event_id=event_id,
        body=body,
        attempts=attempts_so_far(message.headers) + 1,
        error_class=error_class,
        reason=reason,
        failed_at=now,
        first_failed_at=_at(message, FIRST_FAILED_AT),
        retryable=retryable,
    )


def _name(message: Delivery, index: int) -> str:
    """Name a part of a message that has no readable id of its own."""
    return f"{(message.message_id or '')[:STRANGERS_TEXT_MAX_CHARACTERS]}#{index}"


def _at(message: Delivery, header: str) -> str | None:
    at = message.headers.get(header)
    return at if isinstance(at, str) and len(at) <= STRANGERS_TEXT_MAX_CHARACTERS else None
