"""The payment provider, as payment understands it: an answer, or nothing is known."""

import asyncio
from typing import Any

import httpx
import pytest

from services.payment.events import ChargeResult, UndoResult
from services.payment.provider import DECLINES, UNDONE, WHOLE_ANSWER_TIMEOUT_S, Provider, ProviderError
from shared.intents import IntentLimits
from tests.unit.services.builders import ORDER, PRICE, TOKEN

NOWHERE = "http://127.0.0.1:1"


def provider(status: int, document: Any) -> tuple[Provider, list[httpx.Request]]:
    """Give a client of a provider that always answers this, and what it is asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=document)

    return Provider("http://provider", lambda: httpx.MockTransport(answer)), asked


@pytest.mark.parametrize(
    ("status", "document", "result"),
    [
        (200, {"id": "ch_1", "status": "captured"}, (ChargeResult.CAPTURED, "ch_1")),
        (402, {"id": "ch_1", "reason": "card_declined"}, (ChargeResult.CARD_DECLINED, "ch_1")),
        (402, {"id": "ch_1", "reason": "insufficient_funds"}, (ChargeResult.INSUFFICIENT_FUNDS, "ch_1")),
        (402, {"id": "ch_1", "reason": "unknown_token"}, (ChargeResult.UNKNOWN_TOKEN, "ch_1")),
        (402, {"id": "ch_1", "reason": "bad weather"}, (ChargeResult.DECLINED, "ch_1")),
        (402, {"id": "ch_1", "reason": ["card_declined"]}, (ChargeResult.DECLINED, "ch_1")),
        (402, {"id": "ch_1"}, (ChargeResult.DECLINED, "ch_1")),
        (409, {"id": "ch_1"}, (ChargeResult.KEY_CLOSED, "ch_1")),
        (422, {"title": "no"}, (ChargeResult.INVALID_CHARGE, "")),
    ],
)
async def test_charge(status: int, document: Any, result: tuple[ChargeResult, str]) -> None:
    """Each answer that says what became of the charge is understood; a reason of tomorrow declines all the same."""
    client, asked = provider(status, document)
    assert await client.charge(ORDER, PRICE, TOKEN) == result
    assert asked[0].url.path == "/v1/charges"
    assert httpx.Response(200, content=asked[0].content).json() == {
        "key": str(ORDER),
        "amount": 2_500,
        "currency": "EUR",
        "token": TOKEN,
    }


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (500, {"id": "ch_1"}),
        (503, {}),
        (404, {"id": "ch_1"}),
        (429, {"id": "ch_1"}),
        (200, {}),
        (200, {"id": 7, "status": "captured"}),
        (200, {"id": "", "status": "captured"}),
        (200, {"id": "ch\0", "status": "captured"}),
        (200, {"id": "ch_\ud800", "status": "captured"}),
        (200, {"id": "c" * 201, "status": "captured"}),
        (200, {"id": "ch_1"}),
        (200, {"id": "ch_1", "status": "pending"}),
        (200, {"id": "ch_1", "status": "captured", "amount": 2_499, "currency": "EUR"}),
        (200, {"id": "ch_1", "status": "captured", "amount": 2_500, "currency": "USD"}),
        (200, []),
        (200, None),
        (402, {"reason": "card_declined"}),
        (409, "closed"),
    ],
)
async def test_charge_unanswered(status: int, document: Any) -> None:
    """Any other answer says nothing: it is never taken for "captured", nor for "not charged"."""
    client, _ = provider(status, document)
    with pytest.raises(ProviderError):
        await client.charge(ORDER, PRICE, TOKEN)


@pytest.mark.parametrize("status", sorted(UNDONE))
async def test_undo(status: str) -> None:
    """The provider says what it took to close the key."""
    client, asked = provider(200, {"id": "un_1", "status": status})
    assert await client.undo(ORDER) == (UNDONE[status], "un_1")
    assert asked[0].url.path == f"/v1/charges/{ORDER}/undo"


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (404, {"id": "un_1", "status": "voided"}),
        (500, {"id": "un_1", "status": "voided"}),
        (200, {"id": "un_1"}),
        (200, {"id": "un_1", "status": "pending"}),
        (200, {"status": "voided"}),
        (200, {"id": "un\0", "status": "voided"}),
        (200, {"id": "un_1", "status": ["voided"]}),
        (200, []),
    ],
)
async def test_undo_unanswered(status: int, document: Any) -> None:
    """Silence, or a query that finds nothing, is never taken for "nothing was captured"."""
    client, _ = provider(status, document)
    with pytest.raises(ProviderError):
        await client.undo(ORDER)


async def test_an_answer_too_deep_to_read() -> None:
    """Is none, like any other that cannot be read."""
    deep = httpx.Response(200, content=b"[" * 100_000)
    with pytest.raises(ProviderError, match="no answer: RecursionError"):
        await Provider("http://provider", lambda: httpx.MockTransport(lambda _: deep)).undo(ORDER)


async def test_an_answer_that_trickles() -> None:
    """A provider that begins and never ends is cut off, before the intent worker would."""

    async def silent(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    client = Provider("http://provider", lambda: httpx.MockTransport(silent))
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(ProviderError, match="no answer: TimeoutError"):
        await client.undo(ORDER)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(WHOLE_ANSWER_TIMEOUT_S, abs=0.5)
    assert IntentLimits().perform_timeout_s > WHOLE_ANSWER_TIMEOUT_S


async def test_no_answer_at_all() -> None:
    """A provider that is not there has not answered."""
    with pytest.raises(ProviderError, match="no answer: ConnectError"):
        await Provider(NOWHERE).charge(ORDER, PRICE, TOKEN)


def test_every_result_is_known() -> None:
    """The provider's words lead to our results, each to one of its own."""
    ours = {ChargeResult.CAPTURED, ChargeResult.DECLINED, ChargeResult.KEY_CLOSED, ChargeResult.INVALID_CHARGE}
    assert {*DECLINES.values(), *ours, ChargeResult.SILENT} == set(ChargeResult)
    assert set(UNDONE.values()) == set(UndoResult)
