"""`python -m infra.auditor`: runs an audit when it is asked for one, until it is told to stop."""

import asyncio
import os
import sys
from importlib import import_module
from typing import Any

import uvicorn
from loguru import logger
from pydantic import ValidationError

from infra.auditor.desk import Desk
from infra.auditor.settings import Settings
from infra.auditor.web import create_app
from shared.logs import set_up_logs

GIVES_WAY = 10
"""Added to its niceness: where processors are scarce, those who dance go first."""
STOP_MAX_S = 1
CONNECTIONS_MAX = 64


def main() -> int:
    """Serve; the exit code is 2 where a setting is missing or wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = ", ".join(f"QUARTET_{'.'.join(map(str, e['loc'])).upper()} ({e['msg']})" for e in error.errors())
        sys.stderr.write(f"auditor: wrong settings: {wrong}\n")
        return 2

    async def look() -> dict[str, Any]:
        """Load what an audit takes, which is a second of a processor, beside whoever asks meanwhile; and run one."""
        looking = await asyncio.to_thread(import_module, "infra.auditor.looking")
        found: dict[str, Any] = await looking.found(looking.sources_of(settings))
        return found

    os.nice(GIVES_WAY)
    set_up_logs("auditor", settings.log_format, settings.log_level)
    logger.info("listening on http://{}:{}", settings.http_host, settings.http_port)
    uvicorn.run(
        create_app(Desk(look)),
        host=settings.http_host,
        port=settings.http_port,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_MAX_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
