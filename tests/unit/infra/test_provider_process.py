"""The provider as a real process: nothing that it answered is lost, and it stops when it is told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.unit.infra.merchant import DEADLINE_S
from tests.unit.infra.programs import free_port, program

PROVIDER = "infra.provider"
CLIENTS = 20
ANSWERED_MIN = 200
STOP_MAX_S = 2.0
CHARGE = {"amount": 1200, "currency": "EUR", "token": "tok_approved"}


def environment(path: Path, port: int) -> dict[str, object]:
    return {"QUARTET_PROVIDER_PORT": port, "QUARTET_PROVIDER_LEDGER": path, "QUARTET_OPERATOR_KEY": "the operator's"}


async def shop(http: httpx.AsyncClient, name: int, answered: list[dict[str, Any]], enough: asyncio.Event) -> None:
    """Charge and undo without end, until the provider is gone."""
    for number in range(100_000):
        key = f"order-{name}-{number}"
        try:
            charged = await http.post("/v1/charges", json=CHARGE | {"key": key})
            answered.append(charged.json())
            if number % 3 == 0:
                answered.append((await http.post(f"/v1/charges/{key}/undo")).json())
        except httpx.TransportError:
            return
        if len(answered) >= ANSWERED_MIN:
            enough.set()


async def ledger_lines(http: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    lines: dict[str, dict[str, Any]] = {}
    after: int | None = 0
    while after is not None:
        page = (await http.get(f"/v1/ledger?limit=1000&after={after}")).json()
        lines |= {line["id"]: line for line in page["lines"]}
        after = page["next"]
    return lines


async def test_kill_9_loses_nothing_that_was_answered(ledger_path: Path) -> None:
    """Killed in the middle of the load and started again, it knows every answer it ever gave."""
    answered: list[dict[str, Any]] = []
    port, enough = free_port(), asyncio.Event()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        async with program(PROVIDER, **environment(ledger_path, port)) as process:
            shops = [asyncio.create_task(shop(http, name, answered, enough)) for name in range(CLIENTS)]
            await asyncio.wait_for(enough.wait(), 20)
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*shops)
            assert await process.wait() == -signal.SIGKILL

        async with program(PROVIDER, **environment(ledger_path, port)):
            lines = await ledger_lines(http)
            for told in answered:
                recorded = lines[told["id"]]
                for member in ("key", "amount", "currency"):
                    assert recorded[member] == told[member]
                assert recorded["kind"] == told["status"]
    assert len(answered) >= ANSWERED_MIN


async def test_sigterm_stops_it_while_answers_are_withheld(ledger_path: Path) -> None:
    """It lets go of what it withholds and what it still thinks about, and is gone within two seconds."""
    port = free_port()
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
        program(PROVIDER, **environment(ledger_path, port), QUARTET_PROVIDER_LATE_MS=60_000) as process,
    ):
        asked = [
            asyncio.create_task(http.post("/v1/charges", json=CHARGE | {"key": f"{token}-{number}", "token": token}))
            for token in ("tok_timeout_captured", "tok_late")
            for number in range(3)
        ]
        async with asyncio.timeout(DEADLINE_S):
            while len(await ledger_lines(http)) < 3:  # all three that are withheld are captured
                pass
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), STOP_MAX_S)
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {503, 504}


async def test_without_the_operators_key_it_does_not_start(ledger_path: Path) -> None:
    """One line says what is missing: there is no key that everybody knows."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROVIDER,
        env={"PATH": os.defpath, "QUARTET_PROVIDER_LEDGER": str(ledger_path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert said.decode() == "provider: wrong settings: QUARTET_OPERATOR_KEY (Field required)\n"
