"""Errors as RFC 9457 problem details: every answer that is not a success is `application/problem+json`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from loguru import logger
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from shared.ports import WorldError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 1


class Problem(BaseModel):
    """The document (RFC 9457); some problems add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {CONTENT_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, description in (("4XX", "What was asked cannot be."), ("5XX", "What was asked could not be done."))
}
"""What OpenAPI says of every route: whatever is no success is such a document."""


class ProblemError(Exception):
    """Ends a request with a problem. `members` are added to the document, `headers` to the answer."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members


def problem_body(status: int, detail: str, **members: Any) -> dict[str, Any]:
    """Make the document; its type is `about:blank`, so its title is the status's own phrase."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """Answer with a problem."""
    return JSONResponse(
        problem_body(status, detail, **members), status, headers=dict(headers or {}), media_type=CONTENT_TYPE
    )


def unavailable(detail: str) -> Response:
    """Answer 503: the same request may succeed later."""
    return problem(503, detail, {"Retry-After": str(RETRY_AFTER_S)})


def add_problem_handlers(app: FastAPI) -> None:
    """Turn every error of `app` into a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(WorldError, _world)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(error.status, error.detail, error.headers, **error.members)


async def _invalid(_: Request, error: Exception) -> Response:
    """Name the fields that are wrong, never their values: those may be personal."""
    assert isinstance(error, RequestValidationError)
    errors = [{"field": ".".join(map(str, e["loc"])), "error": _said(e["type"], e["msg"])} for e in error.errors()]
    if any(e["type"] == "json_invalid" for e in error.errors()):
        return problem(400, "The body is not JSON.", errors=errors)
    return problem(422, "The request is not valid.", errors=errors)


def _said(kind: str, message: str) -> str:
    """Say what is wrong; a validator's own words may quote the value."""
    return "Not a valid value" if kind == "value_error" else message


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), error.headers)


async def _world(request: Request, error: Exception) -> Response:
    logger.warning("{} {}: {}", request.method, request.url.path, error)
    return unavailable("The database does not answer right now.")


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.opt(exception=error).error("{} {} failed", request.method, request.url.path)
    return problem(500, "Something went wrong here.")
