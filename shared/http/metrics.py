"""`/metrics`: what this process counts, for Prometheus, and how much its service has not done yet."""

import asyncio
import time

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from shared.metrics import Metrics
from shared.ports import WorldError
from shared.store.backlog import Backlogs

BACKLOG_MAX_AGE_S = 5.0
"""However often it is scraped, the backlog is counted no more often than that."""
BACKLOG_TIMEOUT_S = 2.0
"""Less than a scrape waits: without a database there is still all the rest to tell."""


def metrics_router(metrics: Metrics, backlogs: Backlogs) -> APIRouter:
    """Serve one process's metrics, to anybody: there is nothing personal in them."""
    router = APIRouter(tags=["health"])
    counted_at_s = -BACKLOG_MAX_AGE_S

    @router.get("/metrics", summary="What Prometheus reads", response_class=PlainTextResponse)
    async def scrape() -> Response:
        nonlocal counted_at_s
        if (now_s := time.monotonic()) - counted_at_s >= BACKLOG_MAX_AGE_S:
            counted_at_s = now_s  # before the wait: who asks meanwhile is shown what was counted last
            try:
                async with asyncio.timeout(BACKLOG_TIMEOUT_S):
                    metrics.show(await backlogs.now())
            except (WorldError, TimeoutError):
                metrics.show(None)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
