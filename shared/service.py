"""A service as a program: `python -m services.NAME` serves HTTP and dances until it is told to stop."""

import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from loguru import logger
from pydantic import ValidationError

from shared.garbage import freeze_what_stays
from shared.http.application import VERSION, new_application
from shared.http.asyncapi import asyncapi_router
from shared.http.health import health_router
from shared.http.metrics import metrics_router
from shared.http.observing import observing_router
from shared.http.operations import operations_routers
from shared.http.operator import operator_only
from shared.intents import Performer
from shared.logs import set_up_logs
from shared.outcome import Intent
from shared.reactions import Reactions
from shared.runtime import Runtime
from shared.settings import Settings
from shared.store.postgres import States
from shared.tracing.serving import ServerSpans
from shared.tracing.spans import Recorder

CONNECTIONS_DRAIN_TIMEOUT_S = 2
KEEP_ALIVE_S = 75  # longer than clients and proxies keep idle connections, or they would send into one being closed
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Service(Generic[S]):
    """What makes a service: its reactions, its tables, what it does outside, its HTTP routes, its settings."""

    reactions: Reactions
    states: States
    settings: type[S]
    performers: Callable[[S], Mapping[type[Intent], Performer]]
    """Made from the settings, once: what carries out each kind of intent."""
    routes: Callable[[Runtime, S], APIRouter]

    def app(self, settings: S, on_failure: Callable[[], None] = lambda: None) -> FastAPI:
        """Make the HTTP application, whose life is that of the runtime inside."""
        recorder = recorder_to(settings.otlp_endpoint, self.reactions.service)
        performers = self.performers(settings)
        runtime = Runtime(self.reactions, self.states, performers, settings, on_failure=on_failure, recorder=recorder)

        @asynccontextmanager
        async def life(_: FastAPI) -> AsyncIterator[None]:
            async with runtime:
                yield

        app = new_application(self.reactions.service, life)
        app.state.runtime = runtime
        if recorder is not None:
            app.add_middleware(ServerSpans, recorder)
        app.include_router(health_router(runtime.checks))  # first, as it is asked first: FastAPI reads what it passes
        app.include_router(self.routes(runtime, settings))
        operator = [Depends(operator_only(settings.operator_key))]
        for router in operations_routers(self.reactions, runtime.desk, runtime.engine, settings):
            app.include_router(router, tags=["operations"], dependencies=operator)
        app.include_router(observing_router(self.reactions.service, runtime.engine, runtime.backlogs, settings))
        app.include_router(metrics_router(runtime.metrics, runtime.backlogs))
        app.include_router(asyncapi_router(self.reactions.service, VERSION, runtime.consumers.broker))
        return app

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; exit with 2 where a setting is missing, with 1 where a part failed."""
        try:
            settings = self.settings()
        except ValidationError as error:
            missing = ", ".join(f"QUARTET_{'.'.join(map(str, e['loc'])).upper()} ({e['msg']})" for e in error.errors())
            sys.exit(_usage(f"{self.reactions.service}: wrong settings: {missing}"))
        set_up_logs(self.reactions.service, settings.log_format, settings.log_level)
        failed = False

        def fail() -> None:
            nonlocal failed
            failed = server.should_exit = True

        server = uvicorn.Server(
            uvicorn.Config(
                self.app(settings, fail),
                host=settings.http_host,
                port=settings.http_port,
                log_config=None,
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=CONNECTIONS_DRAIN_TIMEOUT_S,
            )
        )
        freeze_what_stays()
        logger.info("listening on http://{}:{}", settings.http_host, settings.http_port)
        try:
            server.run(_replica_sockets(settings))
        except OSError as error:
            sys.exit(_usage(f"{self.reactions.service}: {error}"))
        sys.exit(1 if failed else 0)


def recorder_to(otlp_endpoint: str, service: str) -> Recorder | None:
    """Give who records the traces of a service; nobody where there is no endpoint to hand them over to."""
    if not otlp_endpoint:
        return None
    from shared.tracing.recording import otlp_recorder  # the SDK, which takes long to load

    return otlp_recorder(service, otlp_endpoint)


def _replica_sockets(settings: Settings) -> list[socket.socket] | None:
    """Open the port that replicas share and the one that is this replica's alone; None where it is the only one.

    The kernel hands each connection on the shared port to one of those that listen there.
    """
    if settings.http_replica_port is None:
        return None
    return [
        socket.create_server((settings.http_host, settings.http_port), reuse_port=True),
        socket.create_server((settings.http_host, settings.http_replica_port)),
    ]


def _usage(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2
