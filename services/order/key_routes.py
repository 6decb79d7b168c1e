"""Customers' keys, as the operator issues and revokes them. Only a key's hash is kept, so it is told once.

They do not go through the shell: it would keep the answer for whoever asks again, and the answer holds the key.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, StringConstraints

from services.order.keys import ISSUED, draw, hash_of
from services.order.settings import OrderSettings
from services.order.store import issue_key, keys_of, revoke_key
from shared.http.no_card_number import NO_CARD_NUMBER
from shared.http.operator import operator_only
from shared.http.problems import ProblemError
from shared.runtime import Runtime
from shared.store.aggregates import Row

CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"), NO_CARD_NUMBER]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


class IssuedKey(BaseModel):
    """A new key, shown this once."""

    customer_id: str
    key_id: str
    key: str


class KeyView(BaseModel):
    """What is known of a key; its id is the hash in hexadecimal."""

    key_id: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> "KeyView":
        """Show a row."""
        return cls(key_id=row["key_hash"].hex(), created_at=row["created_at"], revoked_at=row["revoked_at"])


class Keys(BaseModel):
    """The keys of a customer, those that open something first, then the newest."""

    keys: list[KeyView]


def key_routes(runtime: Runtime, settings: OrderSettings) -> APIRouter:
    """Make the operator's routes."""
    router = APIRouter(
        prefix="/customers/{customer_id}/keys",
        tags=["customers' keys"],
        dependencies=[Depends(operator_only(settings.operator_key))],
    )

    @router.post("", summary="Issue a key", status_code=201)
    async def issue(customer_id: CustomerId) -> IssuedKey:
        key = draw(ISSUED)
        await issue_key(runtime.engine, hash_of(key), customer_id)
        return IssuedKey(customer_id=customer_id, key_id=hash_of(key).hex(), key=key)

    @router.get("", summary="List the keys of a customer")
    async def list_keys(customer_id: CustomerId) -> Keys:
        return Keys(keys=[KeyView.of(row) for row in await keys_of(runtime.engine, customer_id)])

    @router.delete("/{key_id}", summary="Revoke a key", status_code=204)
    async def revoke(customer_id: CustomerId, key_id: KeyId) -> None:
        if not await revoke_key(runtime.engine, bytes.fromhex(key_id), customer_id):
            raise ProblemError(404, "This customer has no such key, or it was revoked before.")

    return router
