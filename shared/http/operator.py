"""The operator's key: what only an operator may see or do is asked for with it."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader
from pydantic import SecretStr

from shared.http.problems import ProblemError

OPERATOR_KEY = APIKeyHeader(
    name="X-Operator-Key", scheme_name="OperatorKey", description="The operator's key.", auto_error=False
)

GivenOperatorKey = Annotated[str | None, Depends(OPERATOR_KEY)]
"""The header `X-Operator-Key`, whatever it holds."""


def is_operator(given: str | None, operator_key: SecretStr) -> bool:
    """Tell whether this is the operator's key; how long that takes does not tell how much of it is right."""
    return given is not None and secrets.compare_digest(given.encode(), operator_key.get_secret_value().encode())


def operator_only(operator_key: SecretStr) -> Callable[[str | None], Awaitable[None]]:
    """Make a dependency that lets nobody but the operator pass; everybody else is answered 403."""

    async def insist(given: GivenOperatorKey) -> None:
        if not is_operator(given, operator_key):
            raise ProblemError(403, "This needs the operator's key, in the header X-Operator-Key.")

    return insist
