"""The adding up: what the customers did against the order's, inventory's and the provider's books."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.load.kinds import Kind


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of one SKU, as inventory tells it."""

    received: int
    available: int
    reserved: int
    sold: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order, as the order service tells it; `total` in minor units."""

    status: str
    reason: str | None
    settled: bool
    total: int
    quantities: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Account:
    """What the provider's ledger says of one key since the run began, in minor units."""

    captured: int = 0
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """All books of one run, read when it is over: its orders, all stock, and the ledger's lines since it began."""

    orders: Mapping[str, Ordered]
    stock: Mapping[str, Stock]
    money: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class Told:
    """What the customers know: the kind of each order that was answered 201, and how many never got an answer.

    The orders of customers who `gave_up` on the way may end in any way, but must end.
    """

    kinds: Mapping[str, Kind]
    unanswered: int
    gave_up: Collection[str] = ()


def discrepancies(told: Told, before: Mapping[str, Stock], received: Mapping[str, int], after: Books) -> list[str]:
    """Name everything that is off, one line each; nothing if all adds up."""
    return [
        *_wrong_ends(told, after.orders),
        *_wrong_stock(before, received, after),
        *_wrong_money(after),
    ]


def _wrong_ends(told: Told, orders: Mapping[str, Ordered]) -> Iterator[str]:
    for order_id, kind in told.kinds.items():
        order = orders.get(order_id)
        if order is None:
            yield f"order {order_id} ({kind.name}) was answered 201, and is not there"
        elif not order.settled:
            yield f"order {order_id} ({kind.name}) is not settled: {_end(order.status, order.reason)}"
        elif (order.status, order.reason) != (kind.status, kind.reason) and order_id not in told.gave_up:
            must = _end(kind.status, kind.reason)
            yield f"order {order_id} ({kind.name}) ended as {_end(order.status, order.reason)}, not {must}"
    unknown = [order_id for order_id in orders if order_id not in told.kinds]
    if len(unknown) > told.unanswered:
        yield (
            f"{len(unknown)} orders are there that no customer was told of ({', '.join(unknown[:3])}), "
            f"where only {told.unanswered} never got an answer"
        )


def _wrong_stock(before: Mapping[str, Stock], received: Mapping[str, int], after: Books) -> Iterator[str]:
    sold: Counter[str] = Counter()
    for order in after.orders.values():
        if order.status == "confirmed":
            sold.update(order.quantities)
    for sku in sorted(before.keys() | after.stock.keys()):
        was, is_ = before.get(sku, Stock(0, 0, 0, 0)), after.stock.get(sku, Stock(0, 0, 0, 0))
        must = {
            "received": was.received + received.get(sku, 0),
            "available": was.available + received.get(sku, 0) - sold[sku] + was.reserved,
            "reserved": 0,
            "sold": was.sold + sold[sku],
        }
        for what, quantity in must.items():
            if (found := getattr(is_, what)) != quantity:
                yield f"stock of {sku}: {what} is {found:,}, not {quantity:,}"


def _wrong_money(after: Books) -> Iterator[str]:
    for order_id, order in after.orders.items():
        account = after.money.get(order_id, Account())
        must = order.total if order.status == "confirmed" else 0
        if (kept := account.captured - account.refunded) != must:
            yield (
                f"order {order_id} is {_end(order.status, order.reason)}: the provider captured {account.captured:,} "
                f"and refunded {account.refunded:,}, which leaves {kept:,}, not {must:,}"
            )
    for key in after.money.keys() - after.orders.keys():
        yield f"the provider was asked to charge or undo {key}, which is no order of this run"


def _end(status: str, reason: str | None) -> str:
    return f"{status} ({reason})" if reason else status
