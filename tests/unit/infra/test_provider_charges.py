"""One key, one charge; and once undone, never again."""

import asyncio
from typing import Any

import httpx
import pytest

from infra.provider.limits import BODY_MAX_BYTES
from infra.provider.problems import Withheld
from tests.unit.infra.merchant import DEADLINE_S, HandPatience, Merchant


def outcome(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("token", "code", "status", "reason"),
    [
        ("tok_approved", 200, "captured", None),
        ("tok_late", 200, "captured", None),
        ("tok_declined", 402, "declined", "card_declined"),
        ("tok_insufficient_funds", 402, "declined", "insufficient_funds"),
        ("tok_nobody_knows", 402, "declined", "unknown_token"),
    ],
)
async def test_token(merchant: Merchant, token: str, code: int, status: str, reason: str | None) -> None:
    """Each token has its outcome, and asking again tells the same without a second charge."""
    first, again = await merchant.charge("order", token), await merchant.charge("order", token)

    assert first.status_code == code
    assert first.json() == {
        "id": first.json()["id"],
        "key": "order",
        "status": status,
        "reason": reason,
        "amount": 1200,
        "currency": "EUR",
    }  # fmt: skip  (one line says it better than six)
    assert first.json()["id"].startswith("ch_")
    assert outcome(again) == outcome(first)
    assert await merchant.kinds("order") == [status]


async def test_flaky_token(merchant: Merchant) -> None:
    """The first two asks fail without effect, then it works."""
    for _ in range(2):
        assert (await merchant.charge("order", "tok_flaky")).status_code == 500
        assert (await merchant.query("order")).status_code == 404
    assert (await merchant.charge("order", "tok_flaky")).json()["status"] == "captured"
    assert (await merchant.charge("order", "tok_flaky")).json()["status"] == "captured"
    assert await merchant.kinds("order") == ["captured"]


async def test_timeout_captured_token(patient: Merchant, patience: HandPatience) -> None:
    """It is captured durably while the first answer is withheld; a later ask is answered at once."""
    withheld = asyncio.create_task(patient.charge("order", "tok_timeout_captured"))
    await patience.begun()

    assert (await patient.query("order")).json()["charge"]["status"] == "captured"
    assert (await patient.charge("order", "tok_timeout_captured")).json()["status"] == "captured"
    assert not withheld.done()

    patience.over()
    assert (await withheld).status_code == 504
    assert patience.pauses_ms == [30_000]
    assert patient.teller.withheld == 0
    assert await patient.injected() == {"declines": 0, "timeouts": 0, "errors": 0, "latencies": 0}


async def test_withheld_answer_ends_when_nobody_waits(patient: Merchant, patience: HandPatience) -> None:
    """A merchant who hangs up frees what was held for him."""
    hung_up = asyncio.Event()

    async def gone() -> None:
        await hung_up.wait()

    await patient.set_faults(timeout_rate=1)
    withheld = asyncio.create_task(patient.teller.undo("order", gone))
    await patience.begun()
    assert patient.teller.withheld == 1

    hung_up.set()
    with pytest.raises(Withheld):
        await asyncio.wait_for(withheld, DEADLINE_S)
    assert patient.teller.withheld == 0


async def test_late_token_is_one_decision(patient: Merchant, patience: HandPatience) -> None:
    """Asks that come while the bank thinks wait for that same decision; other parameters are refused."""
    asks = [asyncio.create_task(patient.charge("order", "tok_late")) for _ in range(5)]
    await patience.begun()

    assert (await patient.query("order")).status_code == 404
    assert (await patient.charge("order", "tok_approved")).status_code == 422
    assert (await patient.charge("order", "tok_late", amount=1)).status_code == 422
    assert not any(ask.done() for ask in asks)

    patience.over()
    answers = [outcome(answer) for answer in await asyncio.gather(*asks)]
    assert answers[0][0] == 200
    assert answers == answers[:1] * 5
    assert patience.pauses_ms == [1_500]
    assert await patient.kinds("order") == ["captured"]


async def test_late_charge_is_refused_when_undone_meanwhile(patient: Merchant, patience: HandPatience) -> None:
    """The undo wins: it answers voided at once, and the late charge is refused."""
    late = asyncio.create_task(patient.charge("order", "tok_late"))
    await patience.begun()
    undone = await patient.undo("order")
    patience.over()

    assert undone.json()["status"] == "voided"
    refused = await late
    assert refused.status_code == 409
    assert refused.json()["status"] == "refused"
    assert refused.json()["id"] == undone.json()["id"]
    assert await patient.kinds("order") == ["voided"]


async def test_late_decision_survives_who_asked(patient: Merchant, patience: HandPatience) -> None:
    """A merchant who hangs up does not undo the decision that others wait for."""
    first = asyncio.create_task(patient.charge("order", "tok_late"))
    await patience.begun()
    second = asyncio.create_task(patient.charge("order", "tok_late"))
    first.cancel()
    patience.over()

    assert (await second).json()["status"] == "captured"
    assert patience.pauses_ms == [1_500]
    assert await patient.kinds("order") == ["captured"]


async def test_concurrent_charges_of_one_key(merchant: Merchant) -> None:
    """However many ask at once, one charge is made and all are told of it."""
    answers = await asyncio.gather(*(merchant.charge("order") for _ in range(50)))
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert await merchant.kinds("order") == ["captured"]


async def test_concurrent_charge_and_undo(merchant: Merchant) -> None:
    """Whatever the order, the money is back at the end, and who came after the undo was refused."""
    keys = [f"order-{number}" for number in range(30)]
    moves = [move(key) for key in keys for move in (merchant.charge, merchant.undo, merchant.charge)]
    await asyncio.gather(*moves)
    for key in keys:
        assert await merchant.kinds(key) in (["captured", "refunded"], ["voided"])
        assert (await merchant.charge(key)).status_code == 409


@pytest.mark.parametrize(
    ("token", "status", "amount", "currency"),
    [
        ("tok_approved", "refunded", 1200, "EUR"),
        ("tok_declined", "voided", 0, None),
        (None, "voided", 0, None),
    ],
)
async def test_undo(merchant: Merchant, token: str | None, status: str, amount: int, currency: str | None) -> None:
    """An undo gives back all that was captured, says the same ever after, and closes the key for good."""
    if token:
        await merchant.charge("order", token)
    first, again = await merchant.undo("order"), await merchant.undo("order")

    assert first.status_code == 200
    expected = {"key": "order", "status": status, "amount": amount, "currency": currency}
    assert first.json() == {"id": first.json()["id"], **expected}
    assert first.json()["id"].startswith("un_")
    assert outcome(again) == outcome(first)

    late = await merchant.charge("order", token or "tok_approved")
    assert late.status_code == 409
    assert late.headers["content-type"] == "application/problem+json"
    assert (late.json()["status"], late.json()["id"]) == ("refused", first.json()["id"])
    assert (await merchant.kinds("order"))[-1] == status


@pytest.mark.parametrize(
    "other", [{"amount": 1201}, {"currency": "USD"}, {"token": "tok_declined"}, {"token": "tok_late"}]
)
async def test_key_used_for_another_charge(merchant: Merchant, other: dict[str, Any]) -> None:
    """A key stands for one amount, currency and token."""
    await merchant.charge("order")
    reused = await merchant.charge("order", **other)
    assert reused.status_code == 422
    assert reused.json()["type"].endswith("key-reused")
    assert await merchant.kinds("order") == ["captured"]


async def test_query(merchant: Merchant) -> None:
    """A key is shown with its charge and its undo; an unknown one is not found."""
    assert (await merchant.query("order")).status_code == 404
    charge = (await merchant.charge("order")).json()
    assert (await merchant.query("order")).json() == {"key": "order", "charge": charge, "undo": None}
    undo = (await merchant.undo("order")).json()
    assert (await merchant.query("order")).json() == {"key": "order", "charge": charge, "undo": undo}


VALID = {"key": "order", "amount": 1200, "currency": "EUR", "token": "tok_approved"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": 10**12 + 1},
        {"amount": 12.5},
        {"amount": "12"},
        {"amount": True},
        {"currency": "eur"},
        {"currency": "EURO"},
        {"currency": "EUR\n"},
        {"currency": None},
        {"key": ""},
        {"key": "k" * 129},
        {"key": "a/b"},
        {"key": ".."},
        {"key": "order\n"},
        {"token": ""},
        {"token": "t" * 129},
        {"more": 1},
    ],
)  # fmt: skip  (a table)
async def test_invalid_charge(merchant: Merchant, wrong: dict[str, Any]) -> None:
    """What is not valid is refused with a problem that never repeats what was sent."""
    response = await merchant.http.post("/v1/charges", json=VALID | {"token": "tok_secret"} | wrong)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"]
    assert "tok_secret" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/v1/charges/%20/undo", 422),
        ("GET", "/v1/charges/" + "k" * 129, 422),
        ("GET", "/v1/ledger?limit=1001", 422),
        ("GET", "/v1/ledger?after=-1", 422),
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/charges", 405),
    ],
)
async def test_every_error_is_a_problem(merchant: Merchant, method: str, path: str, code: int) -> None:
    """RFC 9457 for what the framework refuses too."""
    response = await merchant.http.request(method, path)
    assert response.status_code == code
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == code


async def test_body_is_bounded(merchant: Merchant) -> None:
    """A body is not read further than its bound."""
    response = await merchant.http.post("/v1/charges", content=b" " * (BODY_MAX_BYTES + 1))
    assert response.status_code == 413
    assert (await merchant.http.get("/livez")).status_code == 200
