"""Callers that wait for an order to settle: told at once by this process, and soon of what another one does."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from services.order.state import Order
from services.order.store import to_row
from services.order.waiting import SettledWaiters
from shared.batch import Answered, Duplicate, Result
from shared.outcome import Advanced, Ignored
from shared.ports import Answer, WorldError
from shared.shell import Committed
from tests.unit.services.builders import DEAD, ORDER, PENDING, SOLD, STANDING
from tests.unit.services.engine import FakeEngine, Rows
from tests.unit.shared.loop import until

POLL_S = 0.25
WAIT_S = 30.0
MANY = 100


class Stage:
    """Waiters over orders in memory."""

    def __init__(self) -> None:
        self.orders: dict[UUID, Order] = {}
        self.newcomers: list[asyncio.Task[Order | None]] = []
        self.engine = FakeEngine(self._find)
        self.waiters = SettledWaiters(self.engine.real, POLL_S)

    def _find(self, parameters: Mapping[str, Any]) -> Rows:
        found = [(order_id, self.orders[order_id]) for order_id in parameters["order_ids"] if order_id in self.orders]
        return [{"order_id": order_id, **to_row(order)} for order_id, order in found]

    def wait(self, order_id: UUID = ORDER, customer_id: str | None = None) -> asyncio.Task[Order | None]:
        return asyncio.create_task(self.waiters.wait(order_id, WAIT_S, customer_id))

    async def newcomer(self, order_id: UUID) -> None:
        """Begin to wait for an order that never settles, and see that it was looked for."""
        looks = len(self.engine.asked)
        self.orders[order_id] = PENDING
        self.newcomers.append(self.wait(order_id))
        await until(lambda: len(self.engine.asked) > looks)

    def commit(self, *results: Result) -> None:
        self.waiters.committed(Committed([], results, [], [], 0))


@pytest.fixture
async def stage() -> Stage:
    return Stage()


def advanced(order: Order) -> Advanced[Any]:
    return Advanced(order, (), (), ())


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def test_settled_already(stage: Stage) -> None:
    """Who comes late does not wait."""
    stage.orders[ORDER] = SOLD
    began_s = now_s()
    assert await stage.wait() == SOLD
    assert now_s() - began_s < POLL_S


async def test_a_stranger_is_turned_away_at_once(stage: Stage) -> None:
    """Another's order that goes on is told as soon as one that is not there, and its customer waits on."""
    stage.orders[ORDER] = PENDING
    own, strange = stage.wait(customer_id=PENDING.customer_id), stage.wait(customer_id="a stranger")
    began_s = now_s()
    assert await strange is None
    assert now_s() - began_s < POLL_S
    stage.commit(advanced(SOLD))
    assert await own == SOLD


async def test_no_such_order(stage: Stage) -> None:
    """Nobody waits for what is not there."""
    began_s = now_s()
    assert await stage.wait() is None
    assert now_s() - began_s < POLL_S


@pytest.mark.parametrize(
    "result", [advanced(SOLD), Answered(Answer(200, {}), advanced(SOLD))], ids=["event", "command"]
)
async def test_told_by_a_commit(stage: Stage, result: Result) -> None:
    """What this process commits is told without another look."""
    stage.orders[ORDER] = PENDING
    waiting = stage.wait()
    await until(lambda: stage.engine.asked)
    looks = len(stage.engine.asked)
    stage.commit(Ignored("so"), Duplicate(), advanced(STANDING), result)
    assert await waiting == SOLD
    assert len(stage.engine.asked) - looks <= 1


async def test_seen_by_a_look(stage: Stage) -> None:
    """What another replica commits is seen at the next look."""
    stage.orders[ORDER] = PENDING
    waiting = stage.wait()
    await until(lambda: stage.engine.asked)
    stage.orders[ORDER] = SOLD
    began_s = now_s()
    assert await waiting == SOLD
    assert now_s() - began_s <= 2 * POLL_S


async def test_seen_though_others_come(stage: Stage) -> None:
    """However many newcomers have to be looked for, those who wait already are looked for in their turn."""
    stage.orders[ORDER] = PENDING
    waiting = stage.wait()
    await until(lambda: stage.engine.asked)
    stage.orders[ORDER] = SOLD
    for number in range(MANY):
        await stage.newcomer(UUID(int=number))
    assert waiting.done()


async def test_not_in_time(stage: Stage) -> None:
    """Who waited long enough is told how the order stands."""
    stage.orders[ORDER] = DEAD
    began_s = now_s()
    assert await stage.wait() == DEAD
    assert now_s() - began_s == pytest.approx(WAIT_S, abs=0.5)


async def test_one_look_for_all(stage: Stage) -> None:
    """However many wait, a look is one query; and nobody looks when nobody waits."""
    orders = [UUID(int=number) for number in range(MANY)]
    stage.orders = dict.fromkeys(orders, PENDING)
    waiting = [stage.wait(order_id) for order_id in orders for _ in range(2)]
    await until(lambda: len(stage.engine.asked) >= 3)
    assert [len(asked["order_ids"]) for asked in stage.engine.asked[:3]] == [MANY] * 3
    stage.orders = dict.fromkeys(orders, SOLD)
    assert all(order is not None and order.settled for order in await asyncio.gather(*waiting))
    looks = len(stage.engine.asked)
    with pytest.raises(TimeoutError):
        await until(lambda: len(stage.engine.asked) > looks + 1, 10 * POLL_S)


async def test_the_database_is_away(stage: Stage) -> None:
    """A look that fails is taken again."""
    stage.orders[ORDER] = SOLD
    stage.engine.failures = [OSError("refused"), WorldError("refused")]
    assert await stage.wait() == SOLD


async def test_a_caller_that_goes_away(stage: Stage) -> None:
    """One waits on when another one leaves."""
    stage.orders[ORDER] = PENDING
    leaves, stays = stage.wait(), stage.wait()
    await until(lambda: stage.engine.asked)
    leaves.cancel()
    stage.orders[ORDER] = SOLD
    assert await stays == SOLD
