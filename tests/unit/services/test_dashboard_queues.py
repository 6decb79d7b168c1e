"""What the dashboard reads from the broker's management interface."""

from typing import Any

import httpx
import pytest

from services.dashboard.queues import UNHEARD_AFTER_S, Queues

LANE = {"name": "payment.order.placed", "messages": 3, "consumers": 0}


def asking(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> Queues:
    """Give who asks an interface that answers so, one after another."""
    left = list(answers)

    async def answer(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/api/queues/quartet?columns=name%2Cmessages%2Cconsumers"
        assert request.headers["authorization"].startswith("Basic ")
        told = left.pop(0)
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    return Queues("http://127.0.0.1:1", "amqp://dashboard:secret@127.0.0.1:2/quartet")


async def test_a_queue_that_nobody_takes_from_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that has just come is not known to the interface yet; one that came back begins the while anew."""
    now_s = 100.0
    monkeypatch.setattr("services.dashboard.queues.time.monotonic", lambda: now_s)
    queues = asking(monkeypatch, [LANE], [LANE], [LANE | {"consumers": 1}], [LANE])
    unheard = []
    for passed_s in (0.0, UNHEARD_AFTER_S, 1.0, 1.0):
        now_s += passed_s
        unheard.append((await queues.depths()).queues["payment.order.placed"].unheard)
    assert unheard == [False, True, False, False]


async def test_an_interface_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said, and so is one that nobody named."""
    queues = asking(monkeypatch, httpx.Response(401), httpx.Response(200, text="nonsense"))
    for _ in range(2):
        told = await queues.depths()
        assert (dict(told.queues), "does not answer" in (told.why or "")) == ({}, True)
    assert (await Queues(None, None).depths()).why == "no setting says where the broker is"
