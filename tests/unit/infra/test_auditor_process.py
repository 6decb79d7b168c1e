"""The auditor as a real process."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress

import httpx

from tests.unit.infra.programs import free_port, program
from tests.waiting import eventually

STOP_MAX_S = 5.0
SETTINGS = {
    "QUARTET_DATABASE_URL": "postgresql://auditor:secret@127.0.0.1:1/quartet",
    "QUARTET_BROKER_URL": "amqp://observer:secret@127.0.0.1:1/quartet",
    "QUARTET_PROVIDER_URL": "http://127.0.0.1:1",
}
HEAVY = {"aio_pika", "fastapi", "httpx", "sqlalchemy"}
LOADED = f"import sys, infra.auditor.__main__; print({HEAVY} & set(sys.modules) or 'nothing')"
IMPORT_MAX_S = 60.0


async def test_it_lives_without_anybody_and_says_why_it_cannot_audit() -> None:
    """Nothing has to be up before it is asked for an audit; then it says what is not; SIGTERM ends it."""
    port = free_port()
    async with (
        program("infra.auditor", QUARTET_HTTP_PORT=port, **SETTINGS) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):

        async def begin() -> None:
            with suppress(httpx.ConnectError):
                assert (await http.post("/audit")).status_code == 202
                return
            raise AssertionError

        async def look() -> None:
            told = (await http.get("/audit")).json()
            assert told["last"] is not None
            assert "Connection refused" in told["last"]["complaint"]

        await eventually(begin)
        await eventually(look)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), STOP_MAX_S)


def test_nothing_of_an_audit_is_loaded_before_one_is_asked_for() -> None:
    """Whoever starts the stack does not pay for it."""
    command = [sys.executable, "-c", LOADED]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=IMPORT_MAX_S)
    assert told.stdout.strip() == "nothing"


def test_without_its_settings_it_says_which() -> None:
    """In a line, with the exit code of a wrong setting, and none of what was given."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("QUARTET_")} | SETTINGS
    command = [sys.executable, "-m", "infra.auditor"]
    known.pop("QUARTET_BROKER_URL")
    ended = subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=IMPORT_MAX_S)
    assert ended.returncode == 2
    assert "QUARTET_BROKER_URL" in ended.stderr
    assert "secret" not in ended.stderr
