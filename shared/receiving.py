"""What becomes of a message: its events into the shell, those that failed set back, and the ack at the very end.

It knows a message by a narrow door, so a simulator can run this very code over a broker of its own.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from loguru import logger

from shared.backoff import Backoff
from shared.batch import Deadly, Item, Raised, Result
from shared.envelope import Envelope, Read, Unreadable, apart, decode
from shared.letters import Keeper, Letter, bare_letter, letters_of
from shared.ports import Clock, WorldError
from shared.retries import FIRST_FAILED_AT, Failure, Retries, attempts_so_far
from shared.shell import Shell, StoppedError
from shared.topology import Lane

STRANGERS_TEXT_MAX_CHARACTERS = 40
"""So much of an id or a time in a message's own words is sent on: ours are no longer, and what is too long for its
place in a message could never be published."""
DRAIN_BACKOFF = Backoff(first_s=0.2, most_s=5.0)


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

    def __init__(self, shell: Shell, retries: Retries, keeper: Keeper, clock: Clock) -> None:
        self._shell = shell
        self._retries = retries
        self._keeper = keeper
        self._clock = clock

    async def handle(self, lane: Lane, message: Delivery) -> None:
        """React to what a message holds, and ack it once all of that is taken care of."""
        try:
            failures = await self._react(lane, message)
        except StoppedError:  # not acked: it goes back to its lane when the connection closes
            return
        except Exception as error:  # noqa: BLE001 - a message that nobody can handle must not block its lane
            logger.opt(exception=error).error("a message of {} cannot be handled", lane.queue)
            whole = _name(message, 0)
            failures = [
                _failure(message, whole, message.body, type(error).__name__, "cannot be handled", retryable=True)
            ]
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
        reads = decode(message.body, lane.event.kind.name)
        redelivered = bool(message.redelivered)
        items = [Item(read, redelivered=redelivered) for read in reads if isinstance(read, Envelope)]
        results = iter(await self._shell.submit(*items) if items else ())
        answers = [(read, read if isinstance(read, Unreadable) else next(results)) for read in reads]
        failed = [
            index for index, (_, answer) in enumerate(answers) if isinstance(answer, Unreadable | Raised | Deadly)
        ]
        bodies = apart(message.body, failed) if failed else []
        failures = [_failed(message, index, *answers[index], body) for index, body in zip(failed, bodies, strict=True)]
        # a body that cannot be taken apart goes once, and is tried again if any of its events may be
        return list({each.body: each for each in sorted(failures, key=lambda each: each.retryable)}.values())


async def _ack(message: Delivery) -> None:
    try:
        await message.ack()
    except Exception as error:  # noqa: BLE001 - a lost connection: the message comes again, and changes nothing
        logger.info("an ack was lost, {} comes again: {}", message.message_id, error)


def _failed(message: Delivery, index: int, read: Read, answer: Result | Unreadable, body: bytes) -> Failure:
    """Say how an event failed: it is tried again, unless it cannot be read or has ended processes."""
    if isinstance(read, Unreadable):
        return _failure(message, _name(message, index), body, "Unreadable", read.reason, retryable=False)
    event_id = str(read.event_id)
    if isinstance(answer, Deadly):
        reason = f"{answer.runs} processes ended while they reacted to it"
        return _failure(message, event_id, body, "Deadly", reason, retryable=False)
    assert isinstance(answer, Raised)
    error_class = type(answer.error).__name__
    return _failure(message, event_id, body, error_class, f"{error_class}: {answer.error}", retryable=True)


def _failure(
    message: Delivery, event_id: str, body: bytes, error_class: str, reason: str, *, retryable: bool
) -> Failure:
    return Failure(
        event_id=event_id,
        body=body,
        attempts=attempts_so_far(message.headers) + 1,
        error_class=error_class,
        reason=reason,
        first_failed_at=_first_failed_at(message),
        retryable=retryable,
    )


def _name(message: Delivery, index: int) -> str:
    """Name a part of a message that has no readable id of its own."""
    return f"{(message.message_id or '')[:STRANGERS_TEXT_MAX_CHARACTERS]}#{index}"


def _first_failed_at(message: Delivery) -> str | None:
    at = message.headers.get(FIRST_FAILED_AT)
    return at if isinstance(at, str) and len(at) <= STRANGERS_TEXT_MAX_CHARACTERS else None
