"""The operator's key: what customers may not do needs it."""

import secrets
from typing import Annotated

from fastapi import Depends, Security, params
from fastapi.security import APIKeyHeader

from shared.http.problems import ProblemError
from shared.settings import Settings

_SHOWN = APIKeyHeader(
    name="X-Operator-Key", scheme_name="operator", description="The key of whoever runs Quartet.", auto_error=False
)


def operator_only(settings: Settings) -> params.Depends:
    """Make the dependency of a route, or of a whole router, that answers 403 without the key."""
    expected = settings.operator_key.get_secret_value().encode()

    def check(shown: Annotated[str | None, Security(_SHOWN)]) -> None:
        if not secrets.compare_digest((shown or "").encode(), expected):
            raise ProblemError(403, "This needs the operator's key, in the header X-Operator-Key.")

    dependency: params.Depends = Depends(check)
    return dependency
