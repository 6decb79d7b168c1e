"""Order over HTTP: place, look, wait, list, cancel; a customer what is theirs, the operator looks at all."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from services.order.callers import Callers
from services.order.catalogue import Catalogue
from services.order.events import CancellationRequested, PlacementRequested
from services.order.key_routes import CustomerId, key_routes
from services.order.sagas import timed
from services.order.settings import OrderSettings
from services.order.state import Order, Status
from services.order.store import find, page
from services.order.waiting import SettledWaiters
from shared import ports
from shared.http.commands import IdempotencyKey, body_hash, required, traceparent_of
from shared.http.no_card_number import NO_CARD_NUMBER
from shared.http.problems import ProblemError
from shared.ids import new_id
from shared.outcome import Outcome
from shared.runtime import Runtime
from shared.vocabulary.money import Currency, Money
from shared.vocabulary.order import LINES_MAX, CancelReason, OrderLine, Quantity, Sku

PAGE_MAX_ORDERS = 200
EMAIL_MAX_CHARACTERS = 254
TOKEN_MAX_CHARACTERS = 128


class LineRequest(BaseModel):
    """So many of one SKU; the price is the catalogue's."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    quantity: Quantity


class PlaceOrder(BaseModel):
    """What a customer asks for; who that is, the key says."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[EmailStr, Field(max_length=EMAIL_MAX_CHARACTERS), NO_CARD_NUMBER]
    currency: Currency
    lines: Annotated[list[LineRequest], Field(min_length=1, max_length=LINES_MAX)]
    payment_token: Annotated[
        str,
        StringConstraints(pattern=r"^[!-~]+$", max_length=TOKEN_MAX_CHARACTERS),
        NO_CARD_NUMBER,
    ]


class OrderView(BaseModel):
    """An order as its customer reads it."""

    order_id: UUID
    customer_id: str
    status: Status
    reason: CancelReason | None
    settled: bool
    total: Money
    lines: list[OrderLine]
    placed_at: datetime
    location: str

    @classmethod
    def of(cls, order: Order) -> "OrderView":
        """Show what may be shown."""
        return cls(
            order_id=order.order_id,
            customer_id=order.customer_id,
            status=order.status,
            reason=order.reason,
            settled=order.settled,
            total=order.total,
            lines=list(order.lines),
            placed_at=order.placed_at,
            location=f"/orders/{order.order_id}",
        )


class OrderPage(BaseModel):
    """Orders, the newest first; `next` continues the list as `before`."""

    orders: list[OrderView]
    next: UUID | None


def routes(runtime: Runtime, settings: OrderSettings) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["orders"])
    callers = Callers(runtime.engine, settings)
    _commands(router, runtime, settings, callers)
    _queries(router, runtime, settings, callers)
    router.include_router(key_routes(runtime, settings))
    return router


def _commands(router: APIRouter, runtime: Runtime, settings: OrderSettings, callers: Callers) -> None:
    """What a customer tells us to do."""
    catalogue = Catalogue(runtime.engine, settings.catalogue_max_age_s)

    @router.post("/orders", summary="Place an order", status_code=201, response_model=OrderView)
    async def place(
        request: Request,
        body: PlaceOrder,
        customer_id: Annotated[str, Depends(callers.customer)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        asked = ports.Request(customer_id, "POST /orders", required(idempotency_key), body_hash(body))
        try:
            lines, total = await catalogue.price(_merged(body.lines), body.currency)
        except ProblemError:  # what was accepted once is not refused because the catalogue has changed since
            if (first := await runtime.commands.first_answer(asked)) is not None:
                return first
            raise
        order_id = new_id()
        event = PlacementRequested(
            order_id=order_id,
            customer_id=customer_id,
            email=body.email,
            lines=lines,
            total=total,
            payment_token=body.payment_token,
            placed_at=datetime.now(UTC),
            deadline_s=settings.order_deadline_s,
        )
        return await runtime.commands.run(event, order_id, asked, placed, traceparent_of(request))

    @router.post("/orders/{order_id}/cancel", summary="Cancel an order", response_model=OrderView)
    async def cancel(
        request: Request,
        order_id: UUID,
        customer_id: Annotated[str, Depends(callers.customer)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Cancel what is pending or confirmed; what is cancelled stays so. Without a key each request stands alone."""
        _theirs(await find(runtime.engine, order_id), customer_id)
        key = idempotency_key or str(new_id())
        asked = ports.Request(customer_id, f"POST /orders/{order_id}/cancel", key, body_hash(None))
        event = CancellationRequested(order_id=order_id)
        return await runtime.commands.run(event, order_id, asked, _cancelled, traceparent_of(request))


def _queries(router: APIRouter, runtime: Runtime, settings: OrderSettings, callers: Callers) -> None:
    """What a customer or the operator asks."""
    waiters = SettledWaiters(runtime.engine, settings.wait_poll_s)
    runtime.commit_listeners += (waiters.committed, timed(runtime.metrics, settings.order_deadline_s))

    @router.get("/orders", summary="List orders, the newest first")
    async def list_orders(
        reader: Annotated[str | None, Depends(callers.reader)],
        status: Status | None = None,
        customer_id: CustomerId | None = None,
        before: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX_ORDERS)] = 50,
    ) -> OrderPage:
        """List one's own, or as the operator everybody's, or those of one customer."""
        found = await page(
            runtime.engine, owner=reader, status=status, customer_id=customer_id, before=before, limit=limit
        )
        return OrderPage(
            orders=[OrderView.of(order) for order in found],
            next=found[-1].order_id if len(found) == limit else None,
        )

    @router.get("/orders/{order_id}", summary="Read an order, or wait until it is settled")
    async def show(
        order_id: UUID,
        reader: Annotated[str | None, Depends(callers.reader)],
        wait: Annotated[float, Query(ge=0, le=settings.wait_max_s)] = 0,
    ) -> OrderView:
        order = await (waiters.wait(order_id, wait, reader) if wait else find(runtime.engine, order_id))
        return OrderView.of(_theirs(order, reader))


def _theirs(order: Order | None, reader: str | None) -> Order:
    """Insist that an order is the reader's, who is the operator where None; another's is not told from none."""
    if order is None or reader not in (None, order.customer_id):
        raise ProblemError(404, "There is no such order.")
    return order


def placed(_: Outcome[Any], order: Order) -> ports.Answer:
    return ports.Answer(201, _body(order))


def _cancelled(_: Outcome[Any], order: Order) -> ports.Answer:
    return ports.Answer(200, _body(order))


def _body(order: Order) -> dict[str, Any]:
    return OrderView.of(order).model_dump(mode="json")


def _merged(lines: list[LineRequest]) -> dict[str, int]:
    """Insist that each SKU is asked for once: two lines of one would be two answers to one question."""
    quantities = {line.sku: line.quantity for line in lines}
    if len(quantities) < len(lines):
        raise ProblemError(422, "Each SKU may stand in one line only.")
    return quantities
