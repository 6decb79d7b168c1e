"""One measurement of the four services: saturated, idle, at half load; and the check that makes it count."""

from dataclasses import dataclass

from benchmarks.dance.books import check
from benchmarks.dance.players import Quartet, playing
from benchmarks.dance.servers import Servers
from benchmarks.percentiles import Latency

WARM_UP_MAX_ORDERS = 500
IDLE_PER_S = 10.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How much is done at once. `orders` are placed with `in_flight` of them on their way."""

    name: str
    batch_max_events: int
    pack_max_events: int
    orders: int
    in_flight: int

    @property
    def warm_up_orders(self) -> int:
        """As many are placed before anything is measured."""
        return min(self.orders, WARM_UP_MAX_ORDERS)


BATCHED = Shape("batched", batch_max_events=500, pack_max_events=100, orders=12_000, in_flight=2_000)
ONE_BY_ONE = Shape("one by one", batch_max_events=1, pack_max_events=1, orders=600, in_flight=200)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it. Processor time is milliseconds for each order, by who used it."""

    orders_per_s: float
    cpu_ms: dict[str, float]
    idle: Latency
    half: Latency
    half_per_s: float

    @property
    def cpu_ms_in_all(self) -> float:
        """What an order costs the machine."""
        return sum(self.cpu_ms.values())


async def measure(servers: Servers, shape: Shape, seconds: float) -> Measured:
    """Run the services in a shape: saturated once, then idle and at half load for `seconds` each.

    Raises:
        DoesNotAddUpError: stock, money or mails do not agree with the orders.
    """
    async with playing(servers, shape.batch_max_events, shape.pack_max_events) as quartet:
        await quartet.order.tell("saturate", orders=shape.warm_up_orders, in_flight=shape.in_flight)
        before = await quartet.used()
        saturated = await quartet.order.tell("saturate", orders=shape.orders, in_flight=shape.in_flight)
        cpu_ms = (await quartet.used()).since(before, shape.orders)
        orders_per_s = shape.orders / saturated["seconds"]
        half_per_s = orders_per_s / 2
        idle = await _arrivals(quartet, IDLE_PER_S, seconds)
        half = await _arrivals(quartet, half_per_s, seconds)
        await check(servers, quartet, shape.warm_up_orders + shape.orders + idle.count + half.count)
    return Measured(orders_per_s, cpu_ms, idle, half, half_per_s)


async def _arrivals(quartet: Quartet, per_s: float, seconds: float) -> Latency:
    told = await quartet.order.tell("arrive", per_s=per_s, seconds=seconds)
    latency = Latency.of(told["latencies_ms"])
    assert latency is not None, "no order arrived"
    return latency
