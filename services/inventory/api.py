"""Inventory over HTTP: everybody may look at the stock, which tells of no customer; the operator brings new goods."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from services.inventory.events import ReceiptRequested
from services.inventory.settings import InventorySettings
from services.inventory.state import Holding, Level
from services.inventory.store import level_of, stock
from shared import ports
from shared.http.commands import IdempotencyKey, body_hash, required, traceparent_of
from shared.http.no_card_number import NO_CARD_NUMBER
from shared.http.operator import operator_only
from shared.http.problems import ProblemError
from shared.ids import new_id
from shared.outcome import Outcome
from shared.runtime import Runtime
from shared.store.actions import OPERATOR
from shared.store.connection import by_whose_fault
from shared.vocabulary.order import Quantity, Sku

PAGE_MAX_SKUS = 500

RecordedKey = Annotated[IdempotencyKey, NO_CARD_NUMBER]
"""An operator's acts are recorded with their keys."""


class StockView(BaseModel):
    """The stock of one SKU: received = available + reserved + sold."""

    sku: str
    received: int
    available: int
    reserved: int
    sold: int
    location: str

    @classmethod
    def of(cls, sku: str, level: Level) -> "StockView":
        """Show a level."""
        return cls(
            sku=sku,
            received=level.received,
            available=level.available,
            reserved=level.reserved,
            sold=level.sold,
            location=f"/stock/{sku}",
        )


class StockPage(BaseModel):
    """Stock by SKU; `next` continues the list as `after`."""

    stock: list[StockView]
    next: str | None


class Receipt(BaseModel):
    """Goods that arrive."""

    model_config = ConfigDict(extra="forbid")

    quantity: Quantity


def routes(runtime: Runtime, settings: InventorySettings) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["stock"])

    @router.get("/stock", summary="List the stock by SKU")
    async def list_stock(
        after: Sku | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_MAX_SKUS)] = 100
    ) -> StockPage:
        query = select(stock).order_by(stock.c.sku).limit(limit)
        with by_whose_fault():
            async with runtime.engine.connect() as connection:
                found = await connection.execute(query.where(stock.c.sku > after) if after else query)
                views = [StockView.of(row["sku"], level_of(row)) for row in found.mappings()]
        return StockPage(stock=views, next=views[-1].sku if len(views) == limit else None)

    @router.get("/stock/{sku}", summary="Look at the stock of one SKU")
    async def show(sku: Sku) -> StockView:
        with by_whose_fault():
            async with runtime.engine.connect() as connection:
                found = await connection.execute(select(stock).where(stock.c.sku == sku))
                row = found.mappings().one_or_none()
        if row is None:
            raise ProblemError(404, "There was never any stock of this SKU.")
        return StockView.of(sku, level_of(row))

    @router.post(
        "/stock/{sku}/receipts",
        summary="Bring new goods",
        status_code=201,
        response_model=StockView,
        dependencies=[Depends(operator_only(settings.operator_key))],
    )
    async def receive(request: Request, sku: Sku, body: Receipt, idempotency_key: RecordedKey = None) -> Response:
        key, receipt_id = required(idempotency_key), new_id()
        event = ReceiptRequested(receipt_id=receipt_id, sku=sku, quantity=body.quantity)
        asked = ports.Request(OPERATOR, f"POST /stock/{sku}/receipts", key, body_hash(body), action="receipt")

        def answer(_: Outcome[Any], holding: Holding) -> ports.Answer:
            return ports.Answer(201, StockView.of(sku, holding.level(sku)).model_dump())

        return await runtime.commands.run(event, receipt_id, asked, answer, traceparent_of(request))

    return router
