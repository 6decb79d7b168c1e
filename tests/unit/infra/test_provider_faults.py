"""Faults are injected as they were set, counted where they happened, and never invent or lose a charge."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.provider.bank import Delivery, plan_charge, plan_undo
from infra.provider.faults import Fault, FaultRates, Faults
from infra.provider.schema import open_for_writing
from tests.unit.infra.merchant import OPERATOR_KEY, HandPatience, Merchant, provider

NONE = {"declines": 0, "timeouts": 0, "errors": 0, "latencies": 0}


@pytest.mark.parametrize(
    ("token", "fault", "reason", "injected"),
    [
        ("tok_approved", Fault(), None, False),
        ("tok_approved", Fault(declines=True), "card_declined", True),
        ("tok_late", Fault(declines=True), "card_declined", True),
        ("tok_declined", Fault(declines=True), "card_declined", False),
        ("tok_insufficient_funds", Fault(declines=True), "insufficient_funds", False),
        ("tok_nobody_knows", Fault(declines=True), "unknown_token", False),
    ],
)
def test_fault_declines_only_what_would_be_captured(
    token: str, fault: Fault, reason: str | None, injected: bool
) -> None:
    plan = plan_charge(token, fault)
    assert (plan.reason, plan.reason_injected) == (reason, injected)


@pytest.mark.parametrize(
    ("token", "fault", "delivery"),
    [
        ("tok_approved", Fault(), Delivery()),
        ("tok_approved", Fault(withholds=True), Delivery(withheld="always")),
        ("tok_timeout_captured", Fault(), Delivery(withheld="first")),
        ("tok_timeout_captured", Fault(withholds=True), Delivery(withheld="always")),
        ("tok_approved", Fault(fails="after", latency_ms=5), Delivery(latency_ms=5, fails="after")),
        (None, Fault(declines=True), Delivery()),
        (None, Fault(withholds=True, latency_ms=5), Delivery(latency_ms=5, withheld="always")),
    ],
)
def test_how_an_answer_travels(token: str | None, fault: Fault, delivery: Delivery) -> None:
    assert (plan_charge(token, fault).delivery if token else plan_undo(fault)) == delivery


def test_a_seed_replays_the_same_faults() -> None:
    rates = FaultRates(decline_rate=0.3, timeout_rate=0.3, error_rate=0.3)
    runs = [[Faults(chance, rates).draw() for _ in range(100)] for chance in (Random(7), Random(7))]
    assert runs[0] == runs[1]
    assert len({(fault.declines, fault.withholds, fault.fails) for fault in runs[0]}) == 8
    assert not any(fault.fails and fault.withholds for fault in runs[0])


async def test_put_replaces_the_rates_and_keeps_the_counts(merchant: Merchant) -> None:
    assert (await merchant.set_faults(decline_rate=1, latency_ms=1)).status_code == 200
    await merchant.charge("order")
    reported = (await merchant.set_faults(error_rate=0.5)).json()
    assert reported == {
        "decline_rate": 0,
        "timeout_rate": 0,
        "error_rate": 0.5,
        "latency_ms": 0,
        "injected": NONE | {"declines": 1, "latencies": 1},
    }  # fmt: skip  (one line says it better than five)
    assert (await merchant.http.get("/v1/faults")).json() == reported


@pytest.mark.parametrize(
    "wrong",
    [
        {"decline_rate": 1.1},
        {"timeout_rate": -0.1},
        {"error_rate": "0.5"},
        {"latency_ms": 60_001},
        {"latency_ms": 0.5},
        {"timeouts_rate": 1},
    ],
)  # fmt: skip  (a table)
async def test_wrong_rates_change_nothing(merchant: Merchant, wrong: dict[str, Any]) -> None:
    await merchant.set_faults(decline_rate=1)
    assert (await merchant.set_faults(**wrong)).status_code == 422
    assert (await merchant.http.get("/v1/faults")).json()["decline_rate"] == 1


@pytest.mark.parametrize("headers", [{}, {"X-Operator-Key": ""}, {"X-Operator-Key": f"{OPERATOR_KEY}s"}])
async def test_faults_need_the_operators_key(merchant: Merchant, headers: dict[str, str]) -> None:
    """Nobody else sets them, and an attempt changes and records nothing."""
    refused = await merchant.http.put("/v1/faults", json={"decline_rate": 1}, headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert (await merchant.http.get("/v1/faults")).json()["decline_rate"] == 0
    assert (await merchant.http.get("/v1/faults/changes")).json() == {"changes": [], "next": None}


async def test_every_change_is_recorded_and_stays(ledger_path: Path) -> None:
    """With its time, in order, in pages, over a restart, and nothing rewrites it."""
    async with provider(ledger_path) as merchant:
        for rate in (0.25, 0.5, 0):
            await merchant.set_faults(error_rate=rate)
    async with provider(ledger_path) as merchant:
        first = (await merchant.http.get("/v1/faults/changes?limit=2")).json()
        rest = (await merchant.http.get(f"/v1/faults/changes?after={first['next']}")).json()
    changes = first["changes"] + rest["changes"]
    assert [change["rates"]["error_rate"] for change in changes] == [0.25, 0.5, 0]
    assert [change["change"] for change in changes] == [1, 2, 3]
    assert rest["next"] is None
    assert all(datetime.fromisoformat(change["at"]).tzinfo for change in changes)
    with closing(open_for_writing(ledger_path)) as connection:
        for statement in ("UPDATE fault_changes SET rates = '{}'", "DELETE FROM fault_changes"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


async def test_injected_decline_is_counted_once_and_recorded(merchant: Merchant) -> None:
    await merchant.set_faults(decline_rate=1)
    first = await merchant.charge("order")
    await merchant.charge("order")
    await merchant.charge("other", "tok_declined")
    assert (first.status_code, first.json()["reason"]) == (402, "card_declined")
    assert await merchant.injected() == NONE | {"declines": 1}
    await merchant.set_faults()
    assert (await merchant.charge("order")).json() == first.json()


async def test_timeout_comes_after_the_effect(merchant: Merchant) -> None:
    """Of a charge and of an undo: no answer, and yet it is done."""
    await merchant.set_faults(timeout_rate=1)
    assert (await merchant.charge("order")).status_code == 504
    assert (await merchant.charge("order")).status_code == 504
    assert await merchant.kinds("order") == ["captured"]
    assert (await merchant.undo("order")).status_code == 504
    assert await merchant.kinds("order") == ["captured", "refunded"]
    assert await merchant.injected() == NONE | {"timeouts": 3}


async def test_errors_come_before_and_after_the_effect(ledger_path: Path) -> None:
    """Half of the errors hide an effect, and nobody can tell which; asking again finds the one charge."""
    keys = [f"order-{number}" for number in range(40)]
    async with provider(ledger_path, chance=Random(7)) as merchant:
        await merchant.set_faults(error_rate=1)
        answers = [await merchant.charge(key) for key in keys]
        assert {answer.status_code for answer in answers} == {500}
        assert len({answer.text for answer in answers}) == 1
        recorded = [key for key in keys if await merchant.kinds(key)]
        assert 10 < len(recorded) < 30

        assert (await merchant.undo("undone")).status_code == 500
        assert await merchant.injected() == NONE | {"errors": 41}

        await merchant.set_faults()
        for key in keys:
            assert (await merchant.charge(key)).status_code == 200
            assert await merchant.kinds(key) == ["captured"]


async def test_latency_comes_before_the_effect(patient: Merchant, patience: HandPatience) -> None:
    await patient.set_faults(latency_ms=250)
    patience.over()
    await patient.charge("order")
    await patient.undo("order")
    assert patience.pauses_ms == [250, 250]
    assert await patient.injected() == NONE | {"latencies": 2}


async def test_a_seeded_storm_keeps_the_promises(ledger_path: Path) -> None:
    """Under every fault at once, whoever asks until answered learns the one truth that is in the ledger."""
    async with provider(ledger_path, chance=Random(11)) as merchant:
        await merchant.set_faults(decline_rate=0.3, timeout_rate=0.3, error_rate=0.3)
        statuses: dict[int, int] = {}
        for number in range(60):
            for _ in range(50):
                answer = await merchant.charge(f"order-{number}")
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                if answer.status_code < 500:
                    break
            assert await merchant.kinds(f"order-{number}") == [answer.json()["status"]]
        injected = await merchant.injected()
        assert injected == {
            "declines": statuses[402],
            "timeouts": statuses[504],
            "errors": statuses[500],
            "latencies": 0,
        }
