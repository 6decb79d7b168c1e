"""`python -m services.dashboard`: listens, and shows what it hears, until it is told to stop."""

import os
import sys

import uvicorn
from loguru import logger
from pydantic import ValidationError

from services.dashboard.app import create_app
from services.dashboard.settings import DashboardSettings
from shared.logs import set_up_logs

GIVES_WAY = 10
"""Added to its niceness: where processors are scarce, those who dance go first."""
CONNECTIONS_DRAIN_TIMEOUT_S = 2


def main() -> int:
    """Serve; the exit code is 2 where a setting is missing or wrong, and 1 where a part failed."""
    try:
        settings = DashboardSettings()
    except ValidationError as error:
        missing = ", ".join(f"QUARTET_{'.'.join(map(str, e['loc'])).upper()} ({e['msg']})" for e in error.errors())
        sys.stderr.write(f"dashboard: wrong settings: {missing}\n")
        return 2
    os.nice(GIVES_WAY)
    set_up_logs("dashboard", settings.log_format, settings.log_level)
    logger.info("listening on http://{}:{}", settings.http_host, settings.http_port)
    failed = False

    def fail() -> None:
        nonlocal failed
        failed = server.should_exit = True

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, on_failure=fail),
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=CONNECTIONS_DRAIN_TIMEOUT_S,
        )
    )
    server.run()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
