"""The outside parties as real programs: the payment provider with its own ledger, and the mail sink."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from infra.home import REPOSITORY
from infra.native.environment import inherited
from infra.native.probes import http_ok
from infra.native.program import Program
from infra.native.running import Running, free_ports
from infra.ports import HOST

LATE_MS = 300
OPERATOR_KEY = "operator"
PAGE_MAX_LINES = 1_000
AUTHORITIES = httpx.create_ssl_context()
"""Read once: it takes longer than most answers."""


@dataclass(frozen=True, slots=True)
class Money:
    """What the provider's ledger says of one order, in minor units."""

    captured: int = 0
    refunded: int = 0


class Outside:
    """Provider and mail sink, and what their own books say."""

    def __init__(self, provider: Running, ports: tuple[int, int, int]) -> None:
        self.provider = provider
        provider_port, smtp_port, mail_port = ports
        self.provider_url = f"http://{HOST}:{provider_port}"
        self.smtp_url = f"smtp://{HOST}:{smtp_port}"
        self._mail_url = f"http://{HOST}:{mail_port}"
        self._last_line = 0

    async def ledger(self, after: int = 0) -> list[dict[str, Any]]:
        """Read all lines of the provider's ledger past line `after`."""
        lines: list[dict[str, Any]] = []
        following: int | None = after
        async with httpx.AsyncClient(verify=AUTHORITIES, base_url=self.provider_url) as http:
            while following is not None:
                page = (await http.get("/v1/ledger", params={"after": following, "limit": PAGE_MAX_LINES})).json()
                lines += page["lines"]
                following = page["next"]
        return lines

    async def last_line(self) -> int:
        """Give the number of the ledger's last line."""
        for line in await self.ledger(self._last_line):
            self._last_line = line["line"]
        return self._last_line

    async def money(self, after: int = 0) -> dict[str, Money]:
        """Add the ledger up by order: what was captured and what was refunded."""
        books: dict[str, Money] = {}
        for line in await self.ledger(after):
            money = books.get(line["key"], Money())
            captured = line["amount"] if line["kind"] == "captured" else 0
            refunded = line["amount"] if line["kind"] == "refunded" else 0
            books[line["key"]] = Money(money.captured + captured, money.refunded + refunded)
        return books

    @asynccontextmanager
    async def faults(self, **rates: float) -> AsyncIterator[None]:
        """Have the provider misbehave at these rates until the end of the block."""
        headers = {"X-Operator-Key": OPERATOR_KEY}
        async with httpx.AsyncClient(verify=AUTHORITIES, base_url=self.provider_url, headers=headers) as http:
            (await http.put("/v1/faults", json=rates)).raise_for_status()
            try:
                yield
            finally:
                (await http.put("/v1/faults", json={})).raise_for_status()

    async def mails(self, email: str) -> list[str]:
        """Give the subjects of all mails that an address was sent, the oldest first, each as often as it arrived."""
        async with httpx.AsyncClient(verify=AUTHORITIES, base_url=self._mail_url) as http:
            page = (await http.get("/messages", params={"to": email})).json()
        assert page["next"] is None
        return [mail["subject"] for mail in reversed(page["messages"]) for _ in range(mail["arrivals"])]


def _program(name: str, listening: tuple[int, ...], **variables: str) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-m", f"infra.{name}"),
        env=inherited(**variables),
        cwd=REPOSITORY,
        ports=listening,
        ready=partial(http_ok, listening[0], "/livez"),
    )


@asynccontextmanager
async def outside_parties(directory: Path) -> AsyncIterator[Outside]:
    """Start both with their books in `directory`; end them at the end, even when frozen."""
    provider_port, smtp_port, mail_port = ports = free_ports(3)
    ledger = str(directory / "ledger.sqlite")
    provider = _program(
        "provider",
        (provider_port,),
        QUARTET_PROVIDER_PORT=str(provider_port),
        QUARTET_PROVIDER_LEDGER=ledger,
        QUARTET_PROVIDER_LATE_MS=str(LATE_MS),
        QUARTET_OPERATOR_KEY=OPERATOR_KEY,
    )
    mail = _program(
        "mail",
        (mail_port, smtp_port),
        QUARTET_MAIL_SMTP_PORT=str(smtp_port),
        QUARTET_MAIL_HTTP_PORT=str(mail_port),
        QUARTET_MAIL_DIRECTORY=str(directory / "mail"),
    )
    programs = [Running([program], directory) for program in (provider, mail)]
    try:
        for handle in programs:
            await handle.start()
        yield Outside(programs[0], (ports[0], ports[1], ports[2]))
    finally:
        for handle in programs:
            await handle.stop()
