"""What every HTTP application of Quartet has in common, whatever it serves."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from shared.http.body_limit import BodyLimit
from shared.http.problems import RESPONSES, add_problem_handlers

VERSION = "0.1.0"
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own would tell of paths, which name customers, and of errors in full."""


def new_application(name: str, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """Make one without routes: bodies have a bound, failures are problem details, nothing comes from a CDN."""
    app = FastAPI(
        title=f"Quartet: {name}",
        version=VERSION,
        docs_url=None,  # its pages load scripts from a CDN
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses=RESPONSES,
        telemetry=NO_TELEMETRY,
    )
    app.add_middleware(BodyLimit)
    add_problem_handlers(app)
    return app
