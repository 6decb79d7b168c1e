"""The audit has teeth: whatever is spoilt in the books breaks the rule about it, and no other."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from aio_pika.exceptions import AMQPError

from infra.audit import audit as auditing
from infra.audit.audit import Scope
from infra.audit.books import ledger_copy
from infra.audit.facts import Bounds
from infra.audit.findings import EVERY_RULE, Break, Findings
from infra.audit.lanes import depths
from infra.audit.logs import pages_in
from infra.audit.reading import look
from infra.audit.rules.rule import Kind
from infra.ports import SERVICES
from shared.broker.declare import declare_at
from shared.ports import WorldError
from shared.store.connection import connect
from tests.integration.auditor import Auditor
from tests.integration.books import NOTHING_WAITS, audited
from tests.integration.evening import Evening, played
from tests.integration.servers import topology
from tests.integration.spoilt import WAYS, Spoilt
from tests.integration.stage import Stage

pytestmark = [pytest.mark.integration, pytest.mark.once]

STOCK_CHECKS = """
    SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = 'inventory_service.stock'::regclass AND contype = 'c'
"""


@pytest.fixture(scope="module")
def memory() -> list[Evening]:
    """Holds the evening, once it was played."""
    return []


@pytest_asyncio.fixture
async def evening(stage: Stage, memory: list[Evening]) -> Evening:
    """The evening as it was played, in a database that had nothing in it."""
    if not memory:
        memory.append(await played(stage))
        await stage.auditor.wipe()
    whole = memory[0]
    await whole.put_back(stage.auditor)
    return Evening(whole.orders, whole.rows, [dict(line) for line in whole.lines])


async def spoil(auditor: Auditor, evening: Evening, way: Spoilt) -> None:
    """Do it."""
    for statement in way.statements:
        await auditor.rows(statement.format(**evening.orders))
    way.forge(evening)


async def found(stage: Stage, evening: Evening, scope: Scope | None = None) -> Findings:
    """Audit the evening's books."""
    return await audited(stage, scope, transport=evening.provider(), ledger_after=0)


async def test_an_evening_is_clean(stage: Stage, evening: Evening) -> None:
    """Nothing is found where nothing was spoilt; every rule has something to look at where an evening leaves it any."""
    findings = await found(stage, evening)
    assert findings.breaks == []
    assert findings.orders == len(evening.orders)
    assert {name for name, tally in findings.tallies.items() if not tally.checked} == {
        "no-secret-letter",
        "no-card-log",
        "in-the-log",
    }
    assert findings.unread == ["the programs' logs: there are none"]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_teeth(stage: Stage, evening: Evening, way: Spoilt) -> None:
    """What is spoilt breaks its rules and no other, and the order is named."""
    checks = await stage.auditor.rows(STOCK_CHECKS)
    try:
        await spoil(stage.auditor, evening, way)
        findings = await found(stage, evening)
    finally:
        await stage.auditor.wipe()
        for check in checks:
            await stage.auditor.rows(
                f"ALTER TABLE inventory_service.stock DROP CONSTRAINT IF EXISTS {check['conname']}"
            )
            await stage.auditor.rows(
                f"ALTER TABLE inventory_service.stock ADD CONSTRAINT {check['conname']} {check['definition']}"
            )
    assert set(findings.broken) == set(way.breaks), findings.breaks
    assert {each.rule for each in findings.breaks} == set(way.breaks)


def test_every_rule_is_seen_to_break() -> None:
    """No rule is there that nothing above breaks; that of the logs has a test of its own."""
    assert {rule.name for rule in EVERY_RULE} == {"no-card-log", *(name for way in WAYS for name in way.breaks)}


async def test_a_card_in_a_log(stage: Stage, evening: Evening, tmp_path: Path) -> None:
    """A program that wrote a card number into its log is named with the line."""
    (tmp_path / "order.log").write_text('{"message": "placed"}\n{"message": "card 4111111111111111 was refused"}\n')
    logs = partial(pages_in, tmp_path)
    findings = await audited(stage, transport=evening.provider(), ledger_after=0, logs=logs)
    assert findings.breaks == [Break("no-card-log", "order.log", "a card number is in line 2")]


async def test_only_the_instant_rules(stage: Stage, evening: Evening) -> None:
    """While the dance goes on, nothing is asked of what lies between the books, nor of the broker."""
    findings = await audited(
        stage,
        Scope(instant=True, bounds=NOTHING_WAITS),
        transport=evening.provider(),
        ledger_after=0,
        broker_url="amqp://127.0.0.1:1",
    )
    assert findings.is_clean
    assert set(findings.tallies) == {rule.name for rule in EVERY_RULE if rule.kind is Kind.INSTANT}


async def test_a_look_is_of_one_instant(stage: Stage, evening: Evening) -> None:
    """Whatever happens while it reads, it sees each schema as it was when it began, every table of it."""
    engine = connect(stage.servers.database_url("auditor"), "test")
    sold = UUID(evening.orders["sold"])
    async with httpx.AsyncClient(transport=evening.provider(), base_url="http://provider") as http:
        with ledger_copy(http) as ledger:
            async with look(engine, ledger, {}, NOTHING_WAITS) as taken:
                (before,) = await taken.sagas([sold])
                for name in SERVICES:
                    await stage.auditor.rows(f"DELETE FROM {name}_service.inbox")  # noqa: S608 - ours
                    await stage.auditor.rows(f"DELETE FROM {name}_service.events")  # noqa: S608 - ours
                await stage.auditor.rows("UPDATE order_service.orders SET version = 99")
                (after,) = await taken.sagas([sold])
    await engine.dispose()
    assert {name: part.log for name, part in after.parts.items()} == {n: p.log for n, p in before.parts.items()}
    assert after.parts["order"].version == before.parts["order"].version != 99


async def test_how_deep_the_queues_are(stage: Stage) -> None:
    """The observer may ask, and a queue that somebody deleted holds nothing."""
    await stage.auditor.publish("order.events", "order.placed", b"[]")
    gone = "inventory.order.placed"
    await stage.auditor.delete(gone)
    try:
        found = await depths(stage.servers.broker_url("observer"))
    finally:
        await declare_at(topology(), stage.servers.broker_url("topology"))
    assert gone not in found
    assert found["payment.order.placed"] == 1
    assert found["notification.dead"] == 0


@pytest.mark.parametrize("missing", ["database_url", "broker_url", "provider_url"])
async def test_a_book_that_is_out_of_reach(stage: Stage, missing: str) -> None:
    """It is said, and nothing is found."""
    nowhere = {"database_url": "postgresql://auditor:x@127.0.0.1:1/quartet", "broker_url": "amqp://127.0.0.1:1"}
    with pytest.raises((WorldError, httpx.HTTPError, AMQPError, OSError)):
        await audited(stage, None, **{missing: nowhere.get(missing, "http://127.0.0.1:1")})


async def age(stage: Stage, evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every book of all orders but one look two hours older; those of `back`, the last, begin then.

    Their ids stay as young as they are, so clocks are said to be further apart than they ever are.
    """
    monkeypatch.setattr(auditing, "CLOCKS_APART_S", 3 * 3_600.0)
    for service in SERVICES:
        await stage.auditor.rows(
            f"UPDATE {service}_service.events SET occurred_at = occurred_at - interval '2 hours'"  # noqa: S608 - ours
            " WHERE stream_id <> $1::uuid OR version = 1",
            evening.orders["back"],
        )
    for line in evening.lines:
        if line["key"] != evening.orders["back"]:
            line["at"] = (datetime.fromisoformat(line["at"]) - timedelta(hours=2)).isoformat()


async def test_only_what_changed(stage: Stage, evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that nothing happened to since is not looked at, whatever is wrong with it; the others are, whole."""
    await age(stage, evening, monkeypatch)
    await stage.auditor.rows(
        "UPDATE payment_service.payments SET charge_id = 'forged' WHERE order_id = $1::uuid", evening.orders["sold"]
    )
    findings = await found(stage, evening, Scope(since_s=3600, bounds=NOTHING_WAITS))
    assert findings.orders == 1
    assert findings.is_clean
    assert not {"stock-held", "stock-received"} & findings.tallies.keys()
    everything = await found(stage, evening)
    assert set(everything.broken) == {"as-told"}


async def test_what_changed_at_the_provider_alone(
    stage: Stage, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charge of late is looked into, whether nothing else has happened to its order for long, or there is none."""
    await age(stage, evening, monkeypatch)
    evening.forge("captured", evening.orders["sold"], 1)
    evening.forge("captured", str(uuid4()), 1)
    evening.forge("captured", "gift", 1)
    findings = await found(stage, evening, Scope(since_s=3600, bounds=NOTHING_WAITS))
    assert set(findings.broken) == {"within-amount", "paid-once", "line-by-line", "known"}
    assert findings.broken["known"] == 2


async def test_what_has_become_overdue_since(stage: Stage, evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that waits for longer than the bound was touched before it, and before what is asked about."""
    await age(stage, evening, monkeypatch)
    (open_,) = (way for way in WAYS if way.breaks == ("ends",))
    await spoil(stage.auditor, evening, open_)
    late = Bounds(settled_for_s=0, overdue_s=7_000)
    assert set((await found(stage, evening, Scope(since_s=600, bounds=late))).broken) == {"ends"}
    in_time = Bounds(settled_for_s=0, overdue_s=9_000)
    assert (await found(stage, evening, Scope(since_s=600, bounds=in_time))).is_clean
