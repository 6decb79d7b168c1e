"""What only the model can be asked is asked: each rule sees the bug that it is there for."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.inventory.state import Holding
from services.order.state import Status
from shared.envelope import Envelope
from shared.ports import Received, Record
from shared.vocabulary.inventory import StockLine
from tests.simulation.explore import Explored, explore
from tests.simulation.process import Process
from tests.simulation.store import MemoryTransaction
from tests.simulation.world import OTHER_LIFE, World
from tests.simulation.worlds import CANCEL, GOOD, ONE, order_id


def _rules(explored: Explored) -> set[str]:
    assert explored.counterexample is not None
    return {each.rule for each in explored.counterexample.breaks}


def test_a_good_order_is_confirmed() -> None:
    """With goods for it, money for it and no deadline, whatever order things come in: and nothing else happens."""
    explored = explore(GOOD.world(duplicate=1))
    assert explored.counterexample is None
    assert {_status(end) for end in explored.ends.values()} == {Status.CONFIRMED}


def _status(world: World) -> Status:
    status: Status = world.tables["order"].states[order_id(1)][0].status
    return status


def test_a_mail_that_nobody_got(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that is only said to be sent is missed."""

    async def post(*_: Any) -> bool:
        return True

    monkeypatch.setattr(Process, "post", post)
    assert _rules(explore(GOOD.world())) == {"handed-over"}


def test_the_last_unit_is_for_sale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for all that is there is not refused."""

    def missing(self: Holding, lines: Iterable[StockLine]) -> tuple[str, ...]:
        return tuple(line.sku for line in lines if self.level(line.sku).available <= line.quantity)

    monkeypatch.setattr(Holding, "missing", missing)
    assert "refused" in _rules(explore(GOOD.world()))


def test_what_is_withdrawn_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A charge whose order was cancelled is not taken up again, even if it would be refunded in the end."""
    write = MemoryTransaction.write

    async def forgetful(self: MemoryTransaction, book: Any, record: Record) -> Any:
        record.withdrawn = {place for place in record.withdrawn if place[1] != "charge"}
        return await write(self, book, record)

    monkeypatch.setattr(MemoryTransaction, "write", forgetful)
    assert _rules(explore(CANCEL.world(**{"crash": 0, "early deadline": 0}))) == {"withdrawn"}


@pytest.mark.parametrize("where", ["looked up", "stored"])
def test_who_asks_again_has_one_order(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose answer was lost is asked again, with ids that nobody saw before, and places nothing more."""
    write = MemoryTransaction.write

    async def answered(*_: Any) -> dict[Any, Any]:
        return {}

    async def forgetful(self: MemoryTransaction, book: Any, record: Record) -> Any:
        return await write(self, book, replace(record, answers=[]))

    assert explore(ONE.world(crash=0, duplicate=1)).counterexample is None
    name, bug = {"looked up": ("answered", answered), "stored": ("write", forgetful)}[where]
    monkeypatch.setattr(MemoryTransaction, name, bug)
    assert _rules(explore(ONE.world(crash=0, duplicate=1))) == {"ordered-once"}


def test_replicas_share_what_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inbox that a process keeps to itself is good enough for one replica, and not for two."""
    receive = MemoryTransaction.receive

    async def alone(self: MemoryTransaction, envelopes: Sequence[Envelope]) -> Received:
        process: Any = self._store._at.__self__  # type: ignore[attr-defined]  # it is a method of the process
        if process.memory.life >= OTHER_LIFE:
            self.tables = replace(self.tables, inbox={})
        return await receive(self, envelopes)

    monkeypatch.setattr(MemoryTransaction, "receive", alone)
    calm = {"crash": 0, "duplicate": 1}
    assert explore(ONE.world(**calm)).counterexample is None
    assert "caused" in _rules(explore(ONE.world(**calm, **{"other replica": 1})))


def test_a_verdict_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline that waits on after the verdict changes nothing, and is missed all the same."""
    write = MemoryTransaction.write

    async def forgetful(self: MemoryTransaction, book: Any, record: Record) -> Any:
        record.withdrawn = {place for place in record.withdrawn if place[1] != "deadline"}
        return await write(self, book, record)

    monkeypatch.setattr(MemoryTransaction, "write", forgetful)
    assert _rules(explore(ONE.world(crash=0, duplicate=0))) == {"withdrawn"}
