"""Run the mail sink: `python -m infra.mail`."""

import uvicorn

from infra.mail.settings import Settings
from infra.mail.web import create_app

STOP_MAX_S = 1
CONNECTIONS_MAX = 256


def main() -> None:
    """Serve SMTP and HTTP on one loop until SIGTERM or SIGINT."""
    settings = Settings()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.http_port,
        lifespan="on",
        ws="none",
        access_log=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_MAX_S,
    )


if __name__ == "__main__":
    main()
