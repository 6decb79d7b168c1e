"""Consistency: what the last audit found, and a new one.

The audit reads the schemas of all services, which no service may. So a program of its own runs it, and here it is only
asked.
"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ValidationError

from services.dashboard import documents
from services.dashboard.forms import ask
from services.dashboard.parts import Parts
from services.dashboard.rendering import render
from shared.http.problems import ProblemError

ANSWER_TIMEOUT_S = 5.0


class Audit(BaseModel):
    """What an audit found, or why there is nothing found."""

    at: datetime
    found: dict[str, Any] | None
    complaint: str


class Told(BaseModel):
    """What the auditor tells: whether an audit runs, and the last one."""

    running: bool
    last: Audit | None


def auditing(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(include_in_schema=False)
    can = parts.settings.auditor_url is not None
    url = f"{parts.settings.auditor_url}/audit"

    @router.get("/consistency")
    async def consistency() -> Response:
        told = await _told(parts, url) if can else None
        return render("consistency.html", page="consistency", behind=documents.behind(parts), can=can, told=told)

    @router.post("/consistency")
    async def run() -> Response:
        if not can:
            raise ProblemError(422, "No setting says where the auditor is.")
        await ask(parts.outside, "POST", url, timeout=ANSWER_TIMEOUT_S)
        return RedirectResponse("/consistency", 303)

    return router


async def _told(parts: Parts, url: str) -> Told | None:
    """Ask; None where the auditor does not answer in a way that makes sense."""
    try:
        return Told.model_validate(await ask(parts.outside, "GET", url, timeout=ANSWER_TIMEOUT_S))
    except (ProblemError, ValidationError):
        return None
