"""Places orders in the order service's own process, as its HTTP route does, and notes when each is settled."""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.dance.servers import PRICES
from services.order.api import placed
from services.order.events import PlacementRequested
from services.order.state import Order
from shared import ports
from shared.ids import new_id
from shared.outcome import Advanced
from shared.runtime import Runtime
from shared.shell import Committed
from shared.vocabulary.money import Money
from shared.vocabulary.order import OrderLine

SETTLED_TIMEOUT_S = 120.0
DEADLINE_S = 600.0
"""Of an order: never, within a run."""
LINES_MAX = 3


class Placing:
    """One run after another. Latencies are milliseconds from the intended placement to the commit that settles."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._draw = random.Random(1)
        self._began_s: dict[UUID, float] = {}
        self._latencies_ms: list[float] = []
        self._settled = asyncio.Condition()
        self._room = asyncio.Event()
        self._wanted = 0
        self._done = asyncio.Event()
        runtime.commit_listeners.append(self._committed)

    async def saturate(self, orders: int, in_flight: int) -> dict[str, Any]:
        """Keep `in_flight` orders on their way until `orders` are settled."""
        self._start(orders)
        began_s = time.perf_counter()
        placing = []
        for _ in range(orders):
            while len(self._began_s) >= in_flight:
                self._room.clear()
                await self._room.wait()
            placing.append(self._place(time.perf_counter()))
        return await self._ended(placing, began_s)

    async def arrive(self, per_s: float, seconds: float) -> dict[str, Any]:
        """Place orders at random times, `per_s` on average, however many are on their way (an open loop)."""
        orders = int(per_s * seconds)
        self._start(orders)
        began_s = intended_s = time.perf_counter()
        placing = []
        for _ in range(orders):
            intended_s += self._draw.expovariate(per_s)
            await asyncio.sleep(intended_s - time.perf_counter())
            placing.append(self._place(intended_s))
        return await self._ended(placing, began_s)

    def _start(self, orders: int) -> None:
        self._began_s.clear()
        self._latencies_ms = []
        self._wanted = orders
        self._done.clear()

    async def _ended(self, placing: list[asyncio.Task[None]], began_s: float) -> dict[str, Any]:
        await asyncio.gather(*placing)
        async with asyncio.timeout(SETTLED_TIMEOUT_S):
            await self._done.wait()
        return {"seconds": time.perf_counter() - began_s, "latencies_ms": self._latencies_ms}

    def _place(self, intended_s: float) -> asyncio.Task[None]:
        event = self._request()
        self._began_s[event.order_id] = intended_s
        return asyncio.create_task(self._run(event))

    async def _run(self, event: PlacementRequested) -> None:
        asked = ports.Request(event.customer_id, "POST /orders", str(event.order_id), "")
        answer = await self._runtime.commands.run(event, event.order_id, asked, placed)
        assert answer.status_code == 201, answer.body

    def _request(self) -> PlacementRequested:
        skus = self._draw.sample(sorted(PRICES), self._draw.randint(1, LINES_MAX))
        lines = tuple(OrderLine(sku=sku, quantity=1, unit_price=PRICES[sku]) for sku in skus)
        return PlacementRequested(
            order_id=new_id(),
            customer_id=f"customer-{self._draw.randrange(1000)}",
            email="customer@example.org",
            lines=lines,
            total=Money(amount=sum(line.quantity * line.unit_price for line in lines), currency="EUR"),
            payment_token="tok_approved",  # noqa: S106 - a test token of the provider
            placed_at=datetime.now(UTC),
            deadline_s=DEADLINE_S,
        )

    def _committed(self, committed: Committed) -> None:
        now_s = time.perf_counter()
        for result in committed.results:
            if isinstance(result, Advanced) and isinstance(result.state, Order) and result.state.settled:
                began_s = self._began_s.pop(result.state.order_id, None)
                if began_s is not None:
                    self._latencies_ms.append((now_s - began_s) * 1000)
        self._room.set()
        if len(self._latencies_ms) == self._wanted:
            self._done.set()
