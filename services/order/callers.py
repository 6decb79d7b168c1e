"""Who asks: a customer, by their key, or the operator. What is another's does not exist for a customer."""

import time
from collections import OrderedDict
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncEngine

from services.order.keys import DEVELOPMENT, hash_of
from services.order.settings import OrderSettings
from services.order.store import customer_of
from shared.http.operator import GivenOperatorKey, is_operator
from shared.http.problems import ProblemError

KNOWN_MAX_KEYS = 10_000
"""Of 100 bytes or so each; the one looked up longest ago is forgotten first."""
BEARER = HTTPBearer(scheme_name="CustomerKey", description="A customer's key.", auto_error=False)

GivenKey = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
"""The header `Authorization: Bearer …`, whatever it holds."""


class Callers:
    """Knows customers by their keys: looked up when first seen, and again when that was `key_max_age_s` ago."""

    def __init__(self, engine: AsyncEngine, settings: OrderSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        """By hash: whose key it is, and when that was looked up (monotonic seconds)."""

    async def customer(self, given: GivenKey) -> str:
        """Give the id of the customer who asks.

        Raises:
            ProblemError: 401, no key, an unknown or a revoked one, or a development key outside development.
            WorldError: the database does not answer.
        """
        if given is None:
            raise _unknown("This needs a customer's key, in the header Authorization: Bearer …", "Bearer")
        customer_id = await self._customer_of(given.credentials)
        if customer_id is None:
            raise _unknown("This key opens nothing here.", 'Bearer error="invalid_token"')
        return customer_id

    async def reader(self, request: Request, given: GivenKey, operator_key: GivenOperatorKey) -> str | None:
        """Give the id of the customer who reads, or None for the operator, who may read what is anybody's.

        Who shows both is a customer, or nobody: a wrong key is never overlooked because another one is right.
        Raises as `customer` does.
        """
        if "Authorization" not in request.headers and is_operator(operator_key, self._settings.operator_key):
            return None
        return await self.customer(given)

    async def _customer_of(self, key: str) -> str | None:
        if key.startswith(DEVELOPMENT) and self._settings.environment != "development":
            return None
        key_hash, now_s = hash_of(key), time.monotonic()
        customer_id, looked_up_s = self._known.get(key_hash, ("", float("-inf")))
        if now_s - looked_up_s < self._settings.key_max_age_s:
            return customer_id
        self._known.pop(key_hash, None)
        found = await customer_of(self._engine, key_hash)
        if found is not None:  # what nobody knows is not kept: guesses would push out what is known
            self._known[key_hash] = found, now_s
            if len(self._known) > KNOWN_MAX_KEYS:
                self._known.popitem(last=False)
        return found


def _unknown(detail: str, challenge: str) -> ProblemError:
    return ProblemError(401, detail, {"WWW-Authenticate": challenge})
