"""`quartet demo`: one order of each kind, each with its timeline as it happens."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import typer
from aio_pika.exceptions import AMQPError
from rich.console import Console

from infra.credentials import Credentials
from infra.home import Home
from infra.ports import AMQP, HOST, SERVICES
from infra.rabbitmq.users import VHOST
from scripts.listener import Heard, listening
from scripts.shop import Shop

EVENT_TIMEOUT_S = 20.0
OBSERVER = "observer"
COLOURS = {"order": "cyan", "inventory": "yellow", "payment": "magenta", "notification": "green"}

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of order: what is asked for, and what it must come to."""

    title: str
    sku: str
    quantity: int
    token: str
    status: str
    reason: str | None
    closing: frozenset[str]
    """The events after which every service has closed its books."""
    sold: int
    kept: bool
    """The money stays with the shop."""
    mails: Mapping[str, str]
    then_cancel: bool = False


KINDS = (
    Kind(
        title="Confirmed",
        sku="bow",
        quantity=2,
        token="tok_approved",  # noqa: S106 - a test token of the provider
        status="confirmed",
        reason=None,
        closing=frozenset({"stock.committed"}),
        sold=2,
        kept=True,
        mails={"confirmed": "sent"},
    ),
    Kind(
        title="Payment declined, and rolled back",
        sku="violin",
        quantity=1,
        token="tok_declined",  # noqa: S106 - a test token of the provider
        status="cancelled",
        reason="payment_declined",
        closing=frozenset({"stock.released", "payment.voided"}),
        sold=0,
        kept=False,
        mails={"cancelled": "sent"},
    ),
    Kind(
        title="Out of stock",
        sku="stradivarius",
        quantity=2,
        token="tok_approved",  # noqa: S106 - a test token of the provider
        status="cancelled",
        reason="out_of_stock",
        closing=frozenset({"stock.released", "payment.voided"}),
        sold=0,
        kept=False,
        mails={"cancelled": "sent"},
    ),
    Kind(
        title="Confirmed, then cancelled by the customer: restocked and refunded",
        sku="strings",
        quantity=3,
        token="tok_approved",  # noqa: S106 - a test token of the provider
        status="cancelled",
        reason="customer_request",
        closing=frozenset({"stock.released", "payment.refunded"}),
        sold=0,
        kept=False,
        mails={"confirmed": "sent", "cancelled": "sent"},
        then_cancel=True,
    ),
)


@app.command()
def demo() -> None:
    """Place an order of each kind and watch it end; exit with 1 if any did not end as it must."""
    logging.disable()  # what the libraries would log is said in one line below
    try:
        wrong = asyncio.run(_demo(Console(highlight=False)))
    except (httpx.HTTPError, AMQPError, OSError, TimeoutError, KeyError) as error:
        typer.echo(
            f"demo: Quartet does not answer ({type(error).__name__}): `make up` first, or `make status`", err=True
        )
        raise typer.Exit(2) from error
    raise typer.Exit(1 if wrong else 0)


async def _demo(console: Console) -> int:
    known = Credentials.read(Home.locate().secrets)
    broker_url = f"amqp://{OBSERVER}:{known.broker(OBSERVER)}@{HOST}:{AMQP}/{VHOST}"
    wrong = 0
    async with Shop(known.operator_key, known.customers) as shop, listening(broker_url, SERVICES) as heard:
        await shop.ready()
        await shop.settled((await shop.place({"rosin": 1}, "tok_approved"))["order_id"])  # opens every connection
        timelines = [Timeline(console, shop, heard, kind) for kind in KINDS]
        for timeline in timelines:
            wrong += not await timeline.play()
    confirmed_ms = timelines[0].took_ms["order.confirmed"]
    console.print(f"\nFrom POST to order.confirmed: {confirmed_ms:.1f} ms.")
    console.print(
        "[bold red]Not all ended as they must.[/]" if wrong else "[bold green]All four ended as they must.[/]"
    )
    return wrong


class Timeline:
    """Plays one order and prints what is heard of it; milliseconds count from the moment before `POST /orders`."""

    def __init__(self, console: Console, shop: Shop, heard: "asyncio.Queue[Heard]", kind: Kind) -> None:
        self._console = console
        self._shop = shop
        self._heard = heard
        self._kind = kind
        self._began_s = 0.0
        self.took_ms: dict[str, float] = {}
        """When each thing was first heard of."""

    async def play(self) -> bool:
        """Place the order, watch it to its end, and say whether that is the right one."""
        kind = self._kind
        self._console.print(f"\n[bold]{kind.title}[/]  {kind.quantity} × {kind.sku}, {kind.token}", soft_wrap=True)
        before = await self._shop.stock(kind.sku)
        self._began_s = time.perf_counter()
        order = await self._shop.place({kind.sku: kind.quantity}, kind.token)
        order_id = order["order_id"]
        self._line("order", "201 Created", f"order {order_id}")
        if kind.then_cancel:
            await self._until(order_id, {"stock.committed"})
            await self._shop.cancel(order)
            self._line("order", "200 OK", "the customer cancels")
        await self._until(order_id, kind.closing)
        return self._verdict(await self._surprises(order_id, before))

    async def _until(self, order_id: str, names: "frozenset[str] | set[str]") -> None:
        """Print what is heard of the order until each of `names` was heard."""
        missing = set(names)
        async with asyncio.timeout(EVENT_TIMEOUT_S):
            while missing:
                event = await self._heard.get()
                if event.order_id == order_id:
                    self._line(event.service, event.name, _detail(event))
                    missing.discard(event.name)

    async def _surprises(self, order_id: str, before: Mapping[str, int]) -> list[str]:
        """Hold order, stock, money and mails against what they must be; give what differs."""
        kind, shop = self._kind, self._shop
        order = await shop.settled(order_id)
        after = await shop.stock(kind.sku)
        captured, refunded = await shop.ledger(order_id)
        mails = await self._mails(order_id)
        seen = {
            "status": (order["status"], kind.status),
            "reason": (order["reason"], kind.reason),
            "settled": (order["settled"], True),
            "sold": (after["sold"] - before["sold"], kind.sold),
            "still reserved": (after["reserved"] - before["reserved"], 0),
            "kept by the provider's ledger": (captured - refunded, order["total"]["amount"] if kind.kept else 0),
            "mails": (mails, dict(kind.mails)),
        }
        for mail in mails:
            self._line("notification", "mail", f"“{mail}”")
        return [f"{what} is {is_}, not {must}" for what, (is_, must) in seen.items() if is_ != must]

    async def _mails(self, order_id: str) -> dict[str, str]:
        """Wait until every mail that must come is on its way, or the time is over."""
        ends_s = time.monotonic() + EVENT_TIMEOUT_S
        while True:
            mails = await self._shop.mails(order_id)
            if mails == self._kind.mails or time.monotonic() > ends_s:
                return mails
            await asyncio.sleep(0.05)

    def _verdict(self, surprises: list[str]) -> bool:
        for surprise in surprises:
            self._console.print(f"  [bold red]wrong[/] {surprise}")
        if not surprises:
            self._console.print("  [green]as it must: order, stock, the provider's ledger and the mails agree[/]")
        return not surprises

    def _line(self, service: str, what: str, detail: str) -> None:
        elapsed_ms = (time.perf_counter() - self._began_s) * 1000
        colour = COLOURS[service]
        line = f"  [dim]{elapsed_ms:8.1f} ms[/]  [{colour}]{service:<12}[/]  {what:<17} [dim]{detail}[/]"
        self._console.print(line.rstrip(), soft_wrap=True)
        self.took_ms.setdefault(what, elapsed_ms)


def _detail(event: Heard) -> str:
    """Say the most telling thing about an event."""
    data = event.data
    if "reason" in data:
        return str(data["reason"])
    if money := data.get("money") or data.get("total"):
        return f"{money['amount'] / 100:,.2f} {money['currency']}"
    return ", ".join(f"{line['quantity']} × {line['sku']}" for line in data.get("lines", ()))
