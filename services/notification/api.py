"""Notification over HTTP: it only tells, and only the operator."""

from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import select

from services.notification.events import Mail
from services.notification.settings import NotificationSettings
from services.notification.state import Progress
from services.notification.store import correspondence, from_row
from shared.http.operator import operator_only
from shared.runtime import Runtime
from shared.store.connection import by_whose_fault


class NotificationView(BaseModel):
    """One mail; to whom it went is not shown."""

    order_id: UUID
    kind: Mail
    progress: Progress


class NotificationPage(BaseModel):
    """The mails of an order, as they were recorded."""

    notifications: list[NotificationView]


def routes(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["notifications"], dependencies=[Depends(operator_only(settings.operator_key))])

    @router.get("/notifications", summary="What the customer of an order was told")
    async def show(order_id: UUID) -> NotificationPage:
        with by_whose_fault():
            async with runtime.engine.connect() as connection:
                query = select(correspondence).where(correspondence.c.order_id == order_id)
                row = (await connection.execute(query)).mappings().one_or_none()
        told = None if row is None else from_row(row)
        return NotificationPage(
            notifications=[
                NotificationView(order_id=order_id, kind=mail, progress=told.progress(mail))
                for mail in Mail
                if told is not None and told.progress(mail) is not Progress.NONE
            ]
        )

    return router
