"""Commands over HTTP: each is an event through the shell, and its answer is kept under its idempotency key.

Source: IETF draft "The Idempotency-Key HTTP Header Field": 400 when the key is missing, 422 when it comes again with
another body, 409 while the first request is in flight, otherwise the first answer again.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from shared import ports
from shared.batch import Answered, Item, KeyReused
from shared.envelope import Envelope
from shared.event import Event
from shared.http.problems import CONTENT_TYPE, ProblemError, problem_body, unavailable
from shared.ids import new_id
from shared.outcome import Advanced, Ignored
from shared.ports import Store
from shared.shell import Shell
from shared.tracing.context import TRACEPARENT

COMMAND_TIMEOUT_S = 10.0
IDEMPOTENCY_KEY_MAX_CHARACTERS = 200

IdempotencyKey = Annotated[str | None, Header(max_length=IDEMPOTENCY_KEY_MAX_CHARACTERS, min_length=1)]
"""The header `Idempotency-Key`."""


class Commands:
    """Takes commands to one service's shell."""

    def __init__(self, shell: Shell, store: Store) -> None:
        self._shell = shell
        self._store = store
        self._in_flight: set[tuple[str, str, str]] = set()

    async def run(
        self,
        event: Event,
        correlation_id: UUID,
        request: ports.Request,
        answer: Callable[[Advanced[Any] | Ignored, Any], ports.Answer],
        traceparent: str | None = None,
    ) -> Response:
        """Run a command and give its answer; the answer is stored with what the command did, or neither is.

        Raises:
            ProblemError: 409 in flight, 422 key reused, 500 the reaction raised, 503 too busy or not answered in
                time: then the same key may be asked again, and tells what became of it.
            ValueError: the event is no command.
        """
        if not event.kind.command:
            raise ValueError(f"{event.kind.type} is no command")
        if request.identity in self._in_flight:
            raise ProblemError(409, "The first request with this Idempotency-Key is still in flight.")
        if self._shell.is_full:
            raise ProblemError(503, "Too much is waiting here right now.", {"Retry-After": "1"})
        self._in_flight.add(request.identity)
        envelope = Envelope(new_id(), event, correlation_id, traceparent=traceparent)
        done = self._shell.submit(Item(envelope, request, answer))
        done.add_done_callback(lambda _: self._in_flight.discard(request.identity))
        try:
            (result,) = await asyncio.wait_for(asyncio.shield(done), COMMAND_TIMEOUT_S)
        except TimeoutError:
            return unavailable("Not answered in time. Ask again with the same Idempotency-Key to learn the outcome.")
        if isinstance(result, Answered):
            return _response(result.answer)
        if isinstance(result, KeyReused):
            raise ProblemError(422, "This Idempotency-Key was used before, for another request.")
        raise ProblemError(500, "The command failed and changed nothing.")

    async def first_answer(self, request: ports.Request) -> Response | None:
        """Find how a request was answered before, for one that would be refused today; None if it was not.

        Raises:
            WorldError: the database does not answer.
        """
        async with self._store.transaction() as transaction:
            answered = await transaction.answered([request])
        body_hash, answer = answered.get(request.identity, (None, None))
        return _response(answer) if answer is not None and body_hash == request.body_hash else None


def required(key: str | None) -> str:
    """Insist on an idempotency key.

    Raises:
        ProblemError: 400, there is none.
    """
    if key is None:
        raise ProblemError(400, "This request needs an Idempotency-Key header.")
    return key


def body_hash(body: BaseModel | None) -> str:
    """Hash what a command asks for: white space, the order of fields and defaults of later days make no difference."""
    asked = None if body is None else body.model_dump(mode="json", exclude_unset=True)
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def traceparent_of(request: Request) -> str | None:
    """Read the W3C trace context of a request; one that is malformed counts as none."""
    traceparent = request.headers.get("traceparent", "")
    return traceparent if TRACEPARENT.fullmatch(traceparent) else None


def refusal(status: int, detail: str, **members: Any) -> ports.Answer:
    """Answer a command with a problem."""
    return ports.Answer(status, problem_body(status, detail, **members))


def _response(answer: ports.Answer) -> Response:
    body = orjson.dumps(answer.body)
    if answer.status >= 400:
        return Response(body, answer.status, media_type=CONTENT_TYPE)
    headers = {"Location": answer.body["location"]} if answer.status == 201 else {}
    return Response(body, answer.status, headers, media_type="application/json")
