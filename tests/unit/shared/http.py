"""HTTP without a server: an application, asked in process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import FastAPI

PROBLEM = "application/problem+json"


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Ask `app`; what it raises is answered as by a server."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://quartet") as http:
        yield http


def check_problem(response: httpx.Response, status: int, detail: str | None = None) -> dict[str, Any]:
    """Insist on an RFC 9457 document, and give it."""
    document: dict[str, Any] = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == PROBLEM
    assert document["type"] == "about:blank"
    assert document["title"] == HTTPStatus(status).phrase
    assert document["status"] == status
    assert isinstance(document["detail"], str)
    if detail is not None:
        assert document["detail"] == detail
    return document
