"""One run: bring stock, let the orders arrive, wait until all is settled, check the books."""

import gc
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import gevent
from rich.console import Console

from benchmarks.load.arrivals import IN_FLIGHT_MAX_ORDERS, Arrivals, Course
from benchmarks.load.audit import Books, Stock, Told, discrepancies
from benchmarks.load.books import Shelves
from benchmarks.load.channel import Channel
from benchmarks.load.cpu import Shares, Watch
from benchmarks.load.customer import Customer
from benchmarks.load.kinds import KINDS, SCARCE
from benchmarks.load.meter import Meter
from benchmarks.load.plan import Arrival, demand, draw
from benchmarks.load.progress import report_progress
from benchmarks.load.verdict import Run
from benchmarks.percentiles import Latency
from infra.ports import HOST, ORDER

QUIET_PATIENCE_S = 15.0
SETTLE_PATIENCE_S = 60.0
LEAD_S = 0.2
"""Between the last preparation and the first possible arrival."""
SCARCE_MAX = 100
"""More of it, and an order that wants them all would be refused for its total."""


class NotNowError(Exception):
    """The system is up, and not in a state in which a run could be checked."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    rate: float
    seconds: float
    seed: int
    web: bool


def run_load(wish: Wish, console: Console, shelves: Shelves, meter: Meter) -> Run:
    """Run.

    Raises:
        httpx.HTTPError: the books cannot be read.
        NotNowError: something else is under way, or there is too much of what must be scarce.
    """
    before = shelves.quiet_stock(QUIET_PATIENCE_S)
    if before is None:
        raise NotNowError("stock is held for orders that are not settled: let them end first (`make status`)")
    plan = draw(wish.rate, wish.seconds, wish.seed, _scarce_quantity(before))
    customer_id = f"load-{uuid4()}"
    received = _stock_up(shelves, before, plan, customer_id)
    ledger_end = shelves.ledger_end()
    console.print(
        f"{len(plan):,} orders at {wish.rate:g}/s for {wish.seconds:g} s, seed {wish.seed}, as {customer_id}",
        soft_wrap=True,
    )
    course, shares, in_flight = _load(wish, plan, (customer_id, shelves.key(customer_id)), console, meter)
    console.print("checking the books of order, inventory and the provider")
    after = Books(shelves.settled_orders(customer_id, SETTLE_PATIENCE_S), shelves.stock(), shelves.money(ledger_end))
    kinds = {visit.order_id: visit.arrival.kind for visit in course.visits if visit.order_id}
    gave_up = {visit.order_id for visit in course.visits if visit.order_id and visit.settled_after_s is None}
    told = Told(kinds, len(course.visits) - len(kinds), gave_up)
    off = discrepancies(told, before, received, after)
    return _told(wish, plan, course, meter, shares, in_flight, off)


def _scarce_quantity(stock: dict[str, Stock]) -> int:
    available = stock[SCARCE].available if SCARCE in stock else 0
    if available > SCARCE_MAX:
        raise NotNowError(f"there are {available:,} of {SCARCE}, too many for an order that must run out of stock")
    return available + 1


def _stock_up(shelves: Shelves, before: dict[str, Stock], plan: Sequence[Arrival], run: str) -> dict[str, int]:
    received = {
        sku: max(0, wanted - (before[sku].available if sku in before else 0)) for sku, wanted in demand(plan).items()
    }
    for sku, quantity in received.items():
        shelves.receive(sku, quantity, run)
    return received


def _load(
    wish: Wish, plan: Sequence[Arrival], customer: tuple[str, str], console: Console, meter: Meter
) -> tuple[Course, Shares, int]:
    customer_id, key = customer
    channel = Channel(HOST, ORDER, key, IN_FLIGHT_MAX_ORDERS, meter)
    began_s = time.monotonic() + LEAD_S
    arrivals = Arrivals(plan, wish.seconds, Customer(channel, customer_id, began_s), meter, IN_FLIGHT_MAX_ORDERS)
    gc.freeze()  # the plan is long and stays: to walk through it again and again would hold up arrivals
    meter.begin()
    progress = gevent.spawn(report_progress, console, meter, arrivals.course, began_s)
    watch = Watch()
    arrivals.run(began_s)
    shares, in_flight = watch.shares(), meter.runner.in_flight
    arrivals.drain()
    progress.kill()
    meter.end()
    channel.close()
    return arrivals.course, shares, in_flight


def _told(
    wish: Wish, plan: Sequence[Arrival], course: Course, meter: Meter, shares: Shares, in_flight: int, off: list[str]
) -> Run:
    settled = [(visit, visit.settled_after_s) for visit in course.visits if visit.settled_after_s is not None]
    in_time = sum(visit.arrival.at_s + after_s <= course.arriving_s for visit, after_s in settled)
    taken_ms = {
        kind.name: [after_s * 1000 for visit, after_s in settled if visit.arrival.kind is kind] for kind in KINDS
    }
    taken_ms["all"] = [after_s * 1000 for _, after_s in settled]
    return Run(
        rate=wish.rate,
        seconds=wish.seconds,
        seed=wish.seed,
        planned=len(plan),
        placed=sum(visit.order_id is not None for visit in course.visits),
        settled=len(settled),
        held_up=course.held_up,
        not_begun=course.not_begun,
        in_flight_at_the_end=in_flight,
        stopped=course.stopped,
        arriving_s=course.arriving_s,
        settled_per_s=in_time / course.arriving_s,
        began_late=Latency.of([visit.began_late_s * 1000 for visit in course.visits]),
        kinds={name: Latency.of(values_ms) for name, values_ms in taken_ms.items()},
        requests={name: Latency.of(values_ms) for name, values_ms in sorted(meter.requests_ms.items())},
        answers={f"{name} {told}": count for (name, told), count in sorted(meter.requests.items())},
        given_up=dict(
            Counter(visit.given_up or "still under way" for visit in course.visits if visit.settled_after_s is None)
        ),
        shares=shares,
        off=off,
    )
