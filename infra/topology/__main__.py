"""`python -m infra.topology`: declares the topology; with `--watch` it looks after it until it is told to stop."""

import asyncio
import sys
from contextlib import suppress
from functools import partial

from aio_pika.exceptions import AMQPError
from pydantic import ValidationError

from infra.topology import declared
from infra.topology.management import Management
from infra.topology.settings import Settings, WatchSettings
from infra.topology.watch import Watch
from shared.broker.declare import declare_at
from shared.logs import set_up_logs
from shared.topology import Topology

WATCH = "--watch"


def main(arguments: list[str]) -> int:
    """Declare, or watch; the exit code is 2 where something is missing, or the broker refuses or is out of reach."""
    if arguments not in ([], [WATCH]):
        return _usage(f"it takes {WATCH}, or nothing")
    topology = declared()
    try:
        return _watch(topology, WatchSettings()) if arguments else _declare(topology, Settings())
    except ValidationError as error:
        return _usage(", ".join(f"QUARTET_{'.'.join(map(str, e['loc'])).upper()} ({e['msg']})" for e in error.errors()))


def _declare(topology: Topology, settings: Settings) -> int:
    try:
        asyncio.run(declare_at(topology, settings.broker_url))
    except (AMQPError, OSError, TimeoutError) as error:
        return _usage(f"{type(error).__name__}: {error}")
    sys.stdout.write(f"{len(topology.exchanges)} exchanges, {len(topology.queues)} queues\n")
    return 0


def _watch(topology: Topology, settings: WatchSettings) -> int:
    set_up_logs("topology", settings.log_format, settings.log_level)
    declare = partial(declare_at, broker_url=settings.broker_url)
    watch = Watch(topology, Management(settings.management_url, settings.broker_url), declare)
    with suppress(KeyboardInterrupt):
        asyncio.run(watch.run(settings.looked))
    return 0


def _usage(line: str) -> int:
    sys.stderr.write(f"topology: {line}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
