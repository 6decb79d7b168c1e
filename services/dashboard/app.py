"""The dashboard as an HTTP application: pages, the same as JSON, and news as they come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from loguru import logger
from starlette.staticfiles import StaticFiles

from services.dashboard.api import api
from services.dashboard.auditing import auditing
from services.dashboard.guard import Guard
from services.dashboard.letters import letters
from services.dashboard.pages import pages
from services.dashboard.parts import Parts
from services.dashboard.rendering import add_error_pages
from services.dashboard.settings import DashboardSettings
from services.dashboard.trying import trying
from shared.http.application import new_application
from shared.http.health import health_router

STATIC = Path(__file__).with_name("static")


def create_app(
    settings: DashboardSettings,
    transport: httpx.AsyncBaseTransport | None = None,
    on_failure: Callable[[], None] = lambda: None,
) -> FastAPI:
    """Put it together; it follows the feeds for as long as it lives."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        parts: Parts = app.state.parts
        following = asyncio.create_task(parts.follower.run())
        following.add_done_callback(ended)
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await parts.close()

    def ended(task: "asyncio.Task[None]") -> None:
        """Without its following the dashboard would show an old picture for ever: it ends, to be started afresh."""
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.opt(exception=error).critical("the feeds are no longer followed")
            on_failure()

    parts = Parts.of(settings, transport)
    app = new_application("dashboard", life)
    app.state.parts = parts
    app.add_middleware(Guard, names=settings.http_names)
    add_error_pages(app)
    for routes in (pages, letters, auditing, trying, api):
        app.include_router(routes(parts))
    app.include_router(health_router(parts.checks))
    app.mount("/static", StaticFiles(directory=STATIC))
    return app
