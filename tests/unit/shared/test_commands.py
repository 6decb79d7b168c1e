"""Commands over HTTP: the Idempotency-Key draft, answer by answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, cast
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from shared import ports
from shared.batch import Answered, Duplicate, Item, KeyReused, Raised, Result
from shared.http.commands import (
    COMMAND_TIMEOUT_S,
    Commands,
    IdempotencyKey,
    body_hash,
    refusal,
    required,
    traceparent_of,
)
from shared.http.problems import add_problem_handlers
from shared.shell import Shell, StoppedError
from tests.unit.shared.fakes import FakeClock, FakeStore
from tests.unit.shared.http import PROBLEM, check_problem, client
from tests.unit.shared.loop import until
from tests.unit.shared.toy import Cue, Encored, order

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PLACED = Answered(ports.Answer(201, {"location": "/orders/1", "plays": 1}))


class Piece(BaseModel):
    name: str
    tempo: int = 100


class FakeShell:
    """Takes commands; the test answers them."""

    def __init__(self) -> None:
        self.is_full = False
        self.waiting: list[tuple[Item, asyncio.Future[tuple[Result, ...]]]] = []
        self.submitted = 0

    def submit(self, item: Item) -> asyncio.Future[tuple[Result, ...]]:
        done: asyncio.Future[tuple[Result, ...]] = asyncio.get_running_loop().create_future()
        self.waiting.append((item, done))
        self.submitted += 1
        return done

    async def settle(self, result: Result) -> Item:
        """Answer the command that has waited longest."""
        await until(lambda: self.waiting)
        item, done = self.waiting.pop(0)
        done.set_result((result,))
        return item


class Stage:
    """A service with one command over a shell that the test plays."""

    def __init__(self, http: httpx.AsyncClient, shell: FakeShell) -> None:
        self.http = http
        self.shell = shell

    def ask(self, key: str | None = "key", name: str = "a", caller: str = "anna", **headers: str) -> asyncio.Task[Any]:
        """Begin to ask."""
        sent = {"x-caller": caller, **headers, **({} if key is None else {"idempotency-key": key})}
        return asyncio.create_task(self.http.post("/pieces", json={"name": name}, headers=sent))

    async def answered(self, result: Result, **asked: Any) -> httpx.Response:
        """Ask, settle, and give the answer."""
        asking = self.ask(**asked)
        await self.shell.settle(result)
        return cast("httpx.Response", await asking)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    app, shell = FastAPI(), FakeShell()
    commands = Commands(cast("Shell", shell), FakeStore(FakeClock()))
    add_problem_handlers(app)

    @app.post("/pieces")
    async def play(
        request: Request, body: Piece, x_caller: Annotated[str, Header()], idempotency_key: IdempotencyKey = None
    ) -> Response:
        asked = ports.Request(x_caller, "POST /pieces", required(idempotency_key), body_hash(body))
        event = Cue(order_id=order())
        return await commands.run(event, order(), asked, lambda *_: PLACED.answer, traceparent_of(request))

    async with client(app) as http:
        yield Stage(http, shell)


async def test_only_a_command_enters() -> None:
    """An event that others cause cannot be had by asking."""
    commands = Commands(cast("Shell", FakeShell()), FakeStore(FakeClock()))
    asked = ports.Request("anna", "POST /pieces", "key", "hash")
    with pytest.raises(ValueError, match=r"toy\.encored\.v1 is no command"):
        await commands.run(Encored(order_id=order()), order(), asked, lambda *_: PLACED.answer)


async def test_a_command_enters_the_shell(stage: Stage) -> None:
    """As an event with an id of its own, its correlation and trace, its request, and the way to answer it."""
    asking = stage.ask(traceparent=TRACE)
    item = await stage.shell.settle(PLACED)
    await asking
    assert item.envelope.event == Cue(order_id=order())
    assert (item.envelope.correlation_id, item.envelope.traceparent) == (order(), TRACE)
    assert item.envelope.event_id.version == 7
    assert item.request == ports.Request("anna", "POST /pieces", "key", body_hash(Piece(name="a")))
    assert item.answer is not None


async def test_created(stage: Stage) -> None:
    """What is created says where it is."""
    response = await stage.answered(PLACED)
    assert (response.status_code, response.json()) == (201, PLACED.answer.body)
    assert response.headers["location"] == "/orders/1"


async def test_done(stage: Stage) -> None:
    """What is done is told, and stands nowhere else."""
    response = await stage.answered(Answered(ports.Answer(200, {"plays": 2})))
    assert (response.status_code, response.json()) == (200, {"plays": 2})
    assert "location" not in response.headers


async def test_refused_for_a_reason(stage: Stage) -> None:
    """A refusal that was stored is a problem, each time it is told."""
    response = await stage.answered(Answered(refusal(422, "Not this one.", sku="mug")))
    assert check_problem(response, 422, "Not this one.")["sku"] == "mug"


async def test_400_without_a_key(stage: Stage) -> None:
    """The key is required."""
    check_problem(await stage.ask(key=None), 400, "This request needs an Idempotency-Key header.")
    assert stage.shell.submitted == 0


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_422_for_a_strange_key(stage: Stage, key: str) -> None:
    """A key has bounds."""
    check_problem(await stage.ask(key=key), 422)
    assert stage.shell.submitted == 0


async def test_409_in_flight(stage: Stage) -> None:
    """While the first request is in flight, the same key is refused and enters nothing; then it may be asked again."""
    first = stage.ask()
    await until(lambda: stage.shell.waiting)
    check_problem(await stage.ask(), 409)
    check_problem(await stage.ask(name="other body"), 409)
    assert stage.shell.submitted == 1
    await stage.shell.settle(PLACED)
    assert (await first).status_code == 201
    assert (await stage.answered(PLACED)).status_code == 201


async def test_keys_are_each_callers_own(stage: Stage) -> None:
    """Another key, and another caller's same key, are in nobody's way."""
    asking = [stage.ask(), stage.ask(key="other"), stage.ask(caller="bert")]
    await until(lambda: len(stage.shell.waiting) == 3)
    for _ in asking:
        await stage.shell.settle(PLACED)
    assert [response.status_code for response in await asyncio.gather(*asking)] == [201, 201, 201]


async def test_422_reused(stage: Stage) -> None:
    """The same key with another body is refused."""
    response = await stage.answered(KeyReused())
    check_problem(response, 422, "This Idempotency-Key was used before, for another request.")


@pytest.mark.parametrize("result", [Raised(ValueError("zzyzx")), Duplicate()], ids=repr)
async def test_500(stage: Stage, result: Result) -> None:
    """A command whose reaction raised says so, nothing of why, and may be asked again."""
    response = await stage.answered(result)
    check_problem(response, 500)
    assert "zzyzx" not in response.text
    assert (await stage.answered(PLACED)).status_code == 201


async def test_503_too_busy(stage: Stage) -> None:
    """Where too much waits, a command is told to come again, and does not wait as well."""
    stage.shell.is_full = True
    response = await stage.ask()
    check_problem(response, 503)
    assert response.headers["retry-after"] == "1"
    assert stage.shell.submitted == 0
    stage.shell.is_full = False
    assert (await stage.answered(PLACED)).status_code == 201


async def test_503_not_in_time(stage: Stage) -> None:
    """A command that is not answered in time goes on: the key is in flight until it is done, then it is answered."""
    began_s = asyncio.get_running_loop().time()
    response = await stage.ask()
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(COMMAND_TIMEOUT_S, abs=0.5)
    check_problem(response, 503)
    assert response.headers["retry-after"] == "1"
    check_problem(await stage.ask(), 409)
    item, done = stage.shell.waiting[0]
    assert not done.cancelled()
    await stage.shell.settle(PLACED)
    assert (await stage.answered(PLACED)).status_code == 201
    assert item.request is not None


async def test_503_as_the_process_ends(stage: Stage) -> None:
    """A command of which nobody knows whether it was done may be asked again, elsewhere, with the same key."""
    asking = stage.ask()
    await until(lambda: stage.shell.waiting)
    stage.shell.waiting[0][1].set_exception(StoppedError("this process is ending"))
    response = await asking
    check_problem(response, 503)
    assert response.headers["retry-after"] == "1"


async def test_a_caller_that_hangs_up(stage: Stage) -> None:
    """What a caller asked for goes on without him, and his key stays in flight until it is done."""
    asking = stage.ask()
    await until(lambda: stage.shell.waiting)
    asking.cancel()
    await asyncio.wait([asking])
    assert not stage.shell.waiting[0][1].cancelled()
    check_problem(await stage.ask(), 409)
    await stage.shell.settle(PLACED)
    assert (await stage.answered(PLACED)).status_code == 201


def test_the_body_counts_as_understood() -> None:
    """White space and the order of fields make no difference; a value does; no body is one of its own."""
    texts = ['{"name":"a","tempo":100}', '{ "tempo": 100,\n "name": "a" }']
    assert len({body_hash(Piece.model_validate_json(text)) for text in texts}) == 1
    others = [Piece(name="a"), Piece(name="b"), Piece(name="a", tempo=99), None]
    assert len({body_hash(each) for each in others}) == 4


def test_a_field_of_tomorrow() -> None:
    """A request that is asked again after a release has the same hash, though the body has a new default by then."""

    class Later(Piece):
        loud: bool = False

    assert body_hash(Later(name="a")) == body_hash(Piece(name="a"))


ASKED = ports.Request("anna", "POST /pieces", "key", "hash")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (ASKED, 201),
        (replace(ASKED, body_hash="other"), None),
        (replace(ASKED, key="other"), None),
        (replace(ASKED, caller="bert"), None),
    ],
)
async def test_first_answer(asked: ports.Request, status: int | None) -> None:
    """What was answered before is found, for the same request alone."""
    store = FakeStore(FakeClock())
    store.tables.answers[ASKED.identity] = (ASKED.body_hash, PLACED.answer)
    found = await Commands(cast("Shell", FakeShell()), store).first_answer(asked)
    assert (found and found.status_code) == status


@pytest.mark.parametrize(
    ("header", "understood"),
    [
        (TRACE, TRACE),
        ("", None),
        ("00-0af7651916cd43dd8448eb211c80319c", None),
        (TRACE.upper(), None),
        (f"{TRACE}-more", None),
        ("nonsense", None),
    ],
)
def test_trace_context(header: str, understood: str | None) -> None:
    """Only a well-formed `traceparent` is taken along."""
    request = Request({"type": "http", "headers": [(b"traceparent", header.encode())]})
    assert traceparent_of(request) == understood


def test_refusals_are_problems() -> None:
    """A refusal that is stored has the document that is told."""
    answer = refusal(409, "Not now.", order=str(UUID(int=1)))
    assert answer.status == 409
    assert answer.body == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Not now.",
        "order": str(UUID(int=1)),
    }
    assert PROBLEM == "application/problem+json"
