"""What must never be true cannot be stored; what was answered is on the disk; who waits shares a commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.provider import entries, writer
from infra.provider.problems import Failed, Overloaded, Stopping
from infra.provider.records import Ask, Charged
from infra.provider.schema import open_for_reading, open_for_writing
from infra.provider.writer import GroupCommit
from tests.unit.infra.merchant import DEADLINE_S, Merchant, provider

ASK = Ask("order", 1200, "EUR", "tok_approved")
HASH = ASK.token_hash

CAPTURED = ("order", "captured", 1200, "EUR", HASH, None)
DECLINED = ("order", "declined", 1200, "EUR", HASH, "card_declined")
REFUNDED = ("order", "refunded", 1200, "EUR", None, None)
VOIDED = ("order", "voided", 0, None, None, None)


def insert(connection: sqlite3.Connection, *row: Any, verb: str = "INSERT") -> None:
    connection.execute(
        f"{verb} INTO lines (id, at, key, kind, amount, currency, token_hash, reason)"
        " VALUES ('x', 'now', ?, ?, ?, ?, ?, ?)",
        row,
    )


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([CAPTURED, CAPTURED], id="two charges"),
        pytest.param([CAPTURED, DECLINED], id="captured, then declined"),
        pytest.param([DECLINED, CAPTURED], id="declined, then captured"),
        pytest.param([VOIDED, VOIDED], id="two voids"),
        pytest.param([CAPTURED, REFUNDED, REFUNDED], id="two refunds"),
        pytest.param([VOIDED, CAPTURED], id="captured after a void"),
        pytest.param([VOIDED, DECLINED], id="declined after a void"),
        pytest.param([CAPTURED, REFUNDED, CAPTURED], id="captured after a refund"),
        pytest.param([REFUNDED], id="a refund of nothing"),
        pytest.param([DECLINED, REFUNDED], id="a refund of a decline"),
        pytest.param([CAPTURED, ("order", "refunded", 1199, "EUR", None, None)], id="a refund in part"),
        pytest.param([CAPTURED, ("order", "refunded", 1200, "USD", None, None)], id="another currency"),
        pytest.param([CAPTURED, VOIDED], id="a void of what was captured"),
        pytest.param([("order", "voided", 1, "EUR", None, None)], id="a void that moves money"),
        pytest.param([("order", "captured", 0, "EUR", HASH, None)], id="a capture of nothing"),
        pytest.param([("order", "captured", 1200, "EUR", None, None)], id="a charge of no token"),
        pytest.param([("order", "declined", 1200, "EUR", HASH, None)], id="a decline without a reason"),
        pytest.param([("order", "lost", 1200, "EUR", HASH, None)], id="another kind"),
    ],
)
@pytest.mark.parametrize("verb", ["INSERT", "REPLACE"])
def test_the_database_refuses(ledger_path: Path, rows: list[tuple[Any, ...]], verb: str) -> None:
    connection = open_for_writing(ledger_path)
    *fine, wrong = rows
    for row in fine:
        insert(connection, *row)
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, *wrong, verb=verb)
    connection.close()


@pytest.mark.parametrize("change", ["UPDATE lines SET amount = 1", "DELETE FROM lines"])
def test_the_ledger_is_append_only(ledger_path: Path, change: str) -> None:
    connection = open_for_writing(ledger_path)
    insert(connection, *CAPTURED)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    connection.close()


def test_a_commit_reaches_the_disk(ledger_path: Path) -> None:
    """WAL with synchronous FULL (2): SQLite then syncs the log before a commit returns."""
    connection = open_for_writing(ledger_path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


def test_the_reader_cannot_write(ledger_path: Path) -> None:
    writing, reading = open_for_writing(ledger_path), open_for_reading(ledger_path)
    with pytest.raises(sqlite3.OperationalError):
        insert(reading, *CAPTURED)
    reading.close()
    writing.close()


def test_a_ledger_of_another_version_is_refused(ledger_path: Path) -> None:
    connection = open_for_writing(ledger_path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RuntimeError, match="version 99"):
        open_for_writing(ledger_path)


def test_the_token_is_not_in_the_file(ledger_path: Path) -> None:
    connection = open_for_writing(ledger_path)
    entries.charge(connection, ASK, None)
    connection.close()
    assert b"tok_approved" not in b"".join(file.read_bytes() for file in ledger_path.parent.iterdir())


async def test_the_ledger_survives_a_reopen(ledger_path: Path) -> None:
    async with provider(ledger_path) as merchant:
        charge = (await merchant.charge("order")).json()
        undo = (await merchant.undo("other")).json()
        lines = (await merchant.http.get("/v1/ledger")).json()
    async with provider(ledger_path) as merchant:
        assert (await merchant.http.get("/v1/ledger")).json() == lines
        assert (await merchant.charge("order")).json() == charge
        assert (await merchant.undo("other")).json() == undo
        assert (await merchant.charge("other")).status_code == 409


async def test_pages_hold_every_line_once(merchant: Merchant) -> None:
    for number in range(5):
        await merchant.charge(f"order-{number}")
    pages, after = [], 0
    for _ in range(3):
        page = (await merchant.http.get(f"/v1/ledger?after={after}&limit=2")).json()
        pages.append([line["line"] for line in page["lines"]])
        after = page["next"]
    assert pages == [[1, 2], [3, 4], [5]]
    assert after is None
    assert (await merchant.http.get("/v1/ledger?after=3&limit=2")).json()["next"] is None


async def test_summary(merchant: Merchant) -> None:
    assert (await merchant.http.get("/v1/ledger/summary")).json() == {"lines": 0, "totals": []}
    await merchant.charge("a", amount=100)
    await merchant.charge("b", amount=250)
    await merchant.charge("c", amount=7, currency="USD")
    await merchant.charge("d", "tok_declined", amount=9)
    await merchant.undo("a")
    await merchant.undo("nobody")
    assert (await merchant.http.get("/v1/ledger/summary")).json() == {
        "lines": 6,
        "totals": [
            {"kind": "captured", "currency": "EUR", "count": 2, "amount": 350},
            {"kind": "captured", "currency": "USD", "count": 1, "amount": 7},
            {"kind": "declined", "currency": "EUR", "count": 1, "amount": 9},
            {"kind": "refunded", "currency": "EUR", "count": 1, "amount": 100},
            {"kind": "voided", "currency": None, "count": 1, "amount": 0},
        ],
    }


class Gated(sqlite3.Connection):
    """A connection whose commits wait at a gate, or break."""

    at_gate: threading.Event
    gate: threading.Event
    broken = False

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self.at_gate.set()
            assert self.gate.wait(DEADLINE_S)
            if self.broken:
                raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *rest)


@pytest.fixture
def gated(ledger_path: Path) -> Gated:
    open_for_writing(ledger_path).close()
    connection = sqlite3.connect(ledger_path, isolation_level=None, check_same_thread=False, factory=Gated)
    connection.at_gate, connection.gate = threading.Event(), threading.Event()
    return connection


def charging(key: str) -> Callable[[sqlite3.Connection], Any]:
    return lambda connection: entries.charge(connection, Ask(key, 1200, "EUR", "tok_approved"), None)


async def test_answers_come_after_the_commit_and_waiting_asks_share_one(gated: Gated) -> None:
    """One commit is held at a gate: nothing is answered; the 99 that come meanwhile share the next."""
    with ThreadPoolExecutor(1) as thread:
        async with GroupCommit(gated, thread).running() as group:
            first = asyncio.create_task(group.write(charging("first")))
            assert await asyncio.to_thread(gated.at_gate.wait, DEADLINE_S)
            others = [asyncio.create_task(group.write(charging(f"order-{number}"))) for number in range(99)]
            await asyncio.to_thread(gated.at_gate.wait, DEADLINE_S)
            assert not first.done()

            gated.gate.set()
            outcomes = await asyncio.gather(first, *others)
            assert all(isinstance(outcome, Charged) and outcome.created for outcome in outcomes)
            assert group.commits == 2
    gated.close()


async def test_a_commit_that_fails_answers_nobody_and_the_next_one_works(gated: Gated) -> None:
    gated.broken = True
    gated.gate.set()
    with ThreadPoolExecutor(1) as thread:
        async with GroupCommit(gated, thread).running() as group:
            failed = await asyncio.gather(*(group.write(charging(key)) for key in ("a", "b")), return_exceptions=True)
            assert [type(failure) for failure in failed] == [Failed, Failed]
            assert entries.totals(gated) == []
            gated.broken = False
            assert (await group.write(charging("a"))).created
    gated.close()


async def test_a_refused_write_fails_alone(gated: Gated) -> None:
    """A write that breaks a constraint takes nothing of its neighbours with it."""
    gated.gate.set()
    with ThreadPoolExecutor(1) as thread:
        async with GroupCommit(gated, thread).running() as group:
            outcomes = await asyncio.gather(
                group.write(charging("a")),
                group.write(lambda connection: insert(connection, *REFUNDED)),
                group.write(charging("b")),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [Charged, Failed, Charged]
            assert group.commits == 1
        with pytest.raises(Stopping):
            await group.write(charging("c"))
    assert entries.totals(gated)[0]["count"] == 2
    gated.close()


async def test_waiting_writes_are_bounded(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_MAX_WORKS", 0)
    with ThreadPoolExecutor(1) as thread:
        async with GroupCommit(gated, thread).running() as group:
            with pytest.raises(Overloaded):
                await group.write(charging("a"))
    gated.close()


@pytest.mark.parametrize(("host", "status"), [("evil.example:8090", 421), ("[", 421), ("127.0.0.1:8090", 200)])
async def test_the_ledger_is_read_under_its_own_names_alone(merchant: Merchant, host: str, status: int) -> None:
    """A page from elsewhere that has its own name point here reads nothing; the probe names nobody."""
    assert (await merchant.http.get("/v1/ledger", headers={"host": host})).status_code == status
    assert (await merchant.http.get("/livez", headers={"host": ""})).status_code == 200
