"""Payment over HTTP: it only tells, and only the operator."""

from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import select

from services.payment.settings import PaymentSettings
from services.payment.store import payments
from shared.http.operator import operator_only
from shared.http.problems import ProblemError
from shared.runtime import Runtime
from shared.store.connection import by_whose_fault
from shared.vocabulary.money import Money


class PaymentView(BaseModel):
    """What became of an order's money."""

    order_id: UUID
    status: str
    money: Money | None
    charge_id: str | None
    undo_id: str | None
    decline_reason: str | None


def routes(runtime: Runtime, settings: PaymentSettings) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["payments"], dependencies=[Depends(operator_only(settings.operator_key))])

    @router.get("/payments/{order_id}", summary="What became of an order's money")
    async def show(order_id: UUID) -> PaymentView:
        with by_whose_fault():
            async with runtime.engine.connect() as connection:
                found = await connection.execute(select(payments).where(payments.c.order_id == order_id))
                row = found.mappings().one_or_none()
        if row is None:
            raise ProblemError(404, "No payment is known for this order.")
        money = None if row["amount"] is None else Money(amount=row["amount"], currency=row["currency"])
        return PaymentView(money=money, **{k: row[k] for k in PaymentView.model_fields if k != "money"})

    return router
