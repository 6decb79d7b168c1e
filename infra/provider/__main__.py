"""Run the provider: `python -m infra.provider`."""

import socket
import sys

import uvicorn
from pydantic import ValidationError

from infra.provider.api import create_app
from infra.provider.patience import Patience
from infra.provider.settings import Settings

STOP_MAX_S = 1  # the backstop: whatever has not ended by then is cancelled
KEEP_ALIVE_S = 75  # longer than clients keep idle connections, or they would send into one being closed
CONNECTIONS_MAX = 4096


class Server(uvicorn.Server):
    """A server that, when told to stop, first lets go of the answers that are being withheld."""

    def __init__(self, config: uvicorn.Config, patience: Patience) -> None:
        super().__init__(config)
        self.patience = patience

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every wait, then stop as ever."""
        self.patience.stop()
        await super().shutdown(sockets)


def main() -> None:
    """Serve until SIGTERM or SIGINT; exit with 2 where a setting is missing or wrong."""
    try:
        settings, patience = Settings(), Patience()
    except ValidationError as error:
        wrong = ", ".join(f"{'.'.join(map(str, e['loc']))} ({e['msg']})" for e in error.errors())
        sys.stderr.write(f"provider: wrong settings: {wrong}\n")
        sys.exit(2)
    config = uvicorn.Config(
        create_app(settings, patience=patience),
        host=settings.host,
        port=settings.port,
        lifespan="on",
        ws="none",
        access_log=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_MAX_S,
    )
    Server(config, patience).run()


if __name__ == "__main__":
    main()
