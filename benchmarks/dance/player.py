"""`python -m benchmarks.dance.player NAME`: one service as a process, without HTTP, told what to do over its input.

Each line in is a JSON object `{"do": …}`, each is answered with one line out. `order` places the orders.
"""

import asyncio
import resource
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import uvloop

from benchmarks.dance.outside import Books, performers
from benchmarks.dance.placing import Placing
from services.inventory.__main__ import service as inventory
from services.notification.__main__ import service as notification
from services.order.__main__ import service as order
from services.payment.__main__ import service as payment
from shared.garbage import freeze_what_stays
from shared.logs import set_up_logs
from shared.runtime import Runtime
from shared.service import Service

SERVICES: Mapping[str, Service[Any]] = {
    service.reactions.service: service for service in (order, inventory, payment, notification)
}
READY_POLL_S = 0.1


async def play(name: str) -> None:
    """Run the service until the standard input ends."""
    service, books = SERVICES[name], Books()
    freeze_what_stays()
    settings = service.settings()
    set_up_logs(name, settings.log_format, settings.log_level)
    carried_out = performers(name, books) or service.performers(settings)
    runtime = Runtime(service.reactions, service.states, carried_out, settings)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with runtime:
        await _consuming(runtime)
        _say({"ready": name})
        placing = Placing(runtime)
        while line := await lines.readline():
            _say(await _do(orjson.loads(line), placing, books))


async def _do(told: dict[str, Any], placing: Placing, books: Books) -> dict[str, Any]:
    match told["do"]:
        case "saturate":
            return await placing.saturate(told["orders"], told["in_flight"])
        case "arrive":
            return await placing.arrive(told["per_s"], told["seconds"])
        case "usage":
            used = resource.getrusage(resource.RUSAGE_SELF)
            return {"cpu_s": used.ru_utime + used.ru_stime}
        case "books":
            return {"captured": {str(key): amount for key, amount in books.captured.items()}}
    raise ValueError(f"nothing here does {told['do']}")


async def _consuming(runtime: Runtime) -> None:
    while True:
        answers = await asyncio.gather(*(check() for check in runtime.checks.values()), return_exceptions=True)
        if not any(answers):
            return
        await asyncio.sleep(READY_POLL_S)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(answer).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(play(sys.argv[1]))
