"""Errors as RFC 9457 problem details."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

RETRY_AFTER_S = 1
ERRORS_MAX = 20


class Problem(JSONResponse):
    """An answer that says what is wrong; `extra` members come beside (and may replace) the standard ones."""

    media_type = "application/problem+json"

    def __init__(self, code: int, slug: str, title: str, detail: str | None = None, **extra: Any) -> None:
        body = {"type": f"urn:quartet:provider:{slug}", "title": title, "status": code, "detail": detail}
        super().__init__(body | extra, status_code=code)


class Unanswered(Exception):  # noqa: N818  (named for what the merchant gets, which is no answer)
    """What became of the request is not told; asking again with the same key is safe."""

    status = 500
    slug = "internal-error"
    title = "Something went wrong"

    def problem(self) -> Problem:
        """Say it without a hint whether the effect happened, as a real failure would."""
        return Problem(self.status, self.slug, self.title, "The outcome is unknown. Ask again with the same key.")


class Failed(Unanswered):
    """The request broke off, before its effect or after it."""


class Withheld(Unanswered):
    """The effect is recorded, the answer was kept back until nobody waits for it."""

    status = 504
    slug = "timeout"
    title = "No answer in time"


class Stopping(Unanswered):
    """The program stops; nobody is kept waiting."""

    status = 503
    slug = "stopping"
    title = "The provider is stopping"


class Overloaded(Unanswered):
    """More is waiting than may wait."""

    status = 503
    slug = "overloaded"
    title = "Too much is waiting"


def install(app: FastAPI) -> None:
    """Make every error of this application a problem document."""
    app.add_exception_handler(Unanswered, _unanswered)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _broken)


async def _unanswered(_: Request, error: Exception) -> Problem:
    assert isinstance(error, Unanswered)
    problem = error.problem()
    if error.status == Overloaded.status:
        problem.headers["retry-after"] = str(RETRY_AFTER_S)
    return problem


async def _invalid(_: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    return Problem(422, "invalid", "The request is not valid", errors=_without_input(error.errors()))


async def _refused(_: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    problem = Problem(error.status_code, "http", HTTPStatus(error.status_code).phrase, error.detail)
    problem.headers.update(error.headers or {})
    return problem


async def _broken(_: Request, __: Exception) -> Problem:
    return Failed().problem()


def _without_input(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # What was sent is left out: it may be a payment token.
    return [{"where": list(error["loc"]), "what": error["msg"]} for error in errors[:ERRORS_MAX]]
