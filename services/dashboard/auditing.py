"""Consistency: what the last audit found, and a new one, run as the command that a setting names.

The audit reads the schemas of all services, which no service may. So it is a program of its own, and here only started.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from services.dashboard import documents
from services.dashboard.parts import Parts
from services.dashboard.rendering import render

AUDIT_TIMEOUT_S = 300.0
BREAKS_SHOWN_MAX = 100
COMPLAINT_MAX_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, or why there is nothing found."""

    at: datetime
    found: dict[str, Any] | None
    complaint: str = ""


class Auditor:
    """Runs one audit at a time, and remembers the last."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._running: asyncio.Task[None] | None = None
        self.last: Audit | None = None

    @property
    def can(self) -> bool:
        """Whether a setting names what runs it."""
        return bool(self._command)

    @property
    def busy(self) -> bool:
        """Whether one runs right now."""
        return self._running is not None and not self._running.done()

    def start(self) -> None:
        """Begin one, unless one runs."""
        if self.can and not self.busy:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            self.last = await self._audit()
        except (OSError, TimeoutError, ValueError) as error:
            self.last = Audit(datetime.now(UTC), None, f"the audit could not be run ({type(error).__name__})")

    async def _audit(self) -> Audit:
        process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(AUDIT_TIMEOUT_S):
                told, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if not told.strip():
            said = complaint.decode(errors="replace").strip()[-COMPLAINT_MAX_CHARACTERS:]
            return Audit(datetime.now(UTC), None, said or f"it ended with {process.returncode} and said nothing")
        return Audit(datetime.now(UTC), orjson.loads(told))


def auditing(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(include_in_schema=False)
    auditor = Auditor(parts.settings.audit_command)

    @router.get("/consistency")
    async def consistency() -> Response:
        return render("consistency.html", page="consistency", behind=documents.behind(parts), auditor=auditor,
                      audit=auditor.last, shown_max=BREAKS_SHOWN_MAX)  # fmt: skip

    @router.post("/consistency")
    async def run() -> Response:
        auditor.start()
        return RedirectResponse("/consistency", 303)

    return router
