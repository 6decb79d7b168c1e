"""The sink as a real process."""

import asyncio
import signal
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx

from tests.unit.infra.programs import free_port, program

STOP_MAX_S = 2.0


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Killed right after a 250 and started again, it shows the message; SIGTERM ends it, open sessions or not."""
    smtp_port, http_port = free_port(), free_port()
    environment: dict[str, object] = {
        "QUARTET_MAIL_SMTP_PORT": smtp_port,
        "QUARTET_MAIL_HTTP_PORT": http_port,
        "QUARTET_MAIL_DIRECTORY": tmp_path,
    }
    message = EmailMessage()
    message["From"], message["To"] = "shop@example.com", "ann@example.com"
    message["Message-ID"] = "<one@quartet>"

    async with program("infra.mail", **environment) as process:
        await aiosmtplib.send(message, hostname="127.0.0.1", port=smtp_port)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async with program("infra.mail", **environment) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{http_port}") as http:
            (shown,) = (await http.get("/messages")).json()["messages"]
        assert (shown["message_id"], shown["arrivals"]) == ("<one@quartet>", 1)

        session = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp_port)
        await session.connect()
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), STOP_MAX_S)
        session.close()
