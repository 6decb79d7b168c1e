"""The copy of the provider's ledger: page by page, from any moment on, found by key."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.audit.books import PAGE_MAX_LINES, ledger_copy
from infra.audit.facts import Line

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
SECONDS = PAGE_MAX_LINES + 50


class Provider:
    """Writes one line a second, and counts the pages that it is asked for."""

    def __init__(self) -> None:
        self.pages = 0
        self.lines = [self.line(number) for number in range(1, SECONDS + 1)]

    def line(self, number: int) -> dict[str, object]:
        at = (BEGAN + timedelta(seconds=number)).isoformat()
        return {
            "line": number,
            "key": f"k{number}",
            "kind": "captured",
            "id": "ch",
            "amount": 5,
            "currency": "EUR",
            "at": at,
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.pages += 1
        after, limit = int(request.url.params["after"]), int(request.url.params["limit"])
        page = self.lines[after : after + limit]
        following = after + limit if after + limit < len(self.lines) else None
        return httpx.Response(200, json={"lines": page, "next": following})


@pytest.fixture
def provider() -> Provider:
    return Provider()


def asking(provider: Provider) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(provider.answer), base_url="http://provider")


async def test_every_line_is_found_by_its_key(provider: Provider) -> None:
    """Over several pages, and what comes later at the next look."""
    async with asking(provider) as http:
        with ledger_copy(http) as ledger:
            await ledger.catch_up()
            assert ledger.of(["k1", f"k{SECONDS}"]) == {
                key: (Line("captured", "ch", 5, "EUR"),) for key in ("k1", f"k{SECONDS}")
            }
            provider.lines.append(provider.line(SECONDS + 1))
            assert ledger.of([f"k{SECONDS + 1}"]) == {}
            await ledger.catch_up()
            assert len(ledger.of([f"k{SECONDS + 1}"])) == 1


async def test_a_key_that_nobody_asked_for_is_unseen(provider: Provider) -> None:
    """So a charge of no order comes to light."""
    async with asking(provider) as http:
        with ledger_copy(http, after=SECONDS - 3) as ledger:
            await ledger.catch_up()
            ledger.of([f"k{SECONDS - 1}"])
            assert set(ledger.unseen(limit=10)) == {f"k{SECONDS - 2}", f"k{SECONDS}"}


async def test_the_keys_of_late_are_told_and_nothing_is_copied(provider: Provider) -> None:
    """Over several pages, from the first line of that moment on."""
    async with asking(provider) as http:
        with ledger_copy(http) as ledger:
            assert await ledger.keys_since(BEGAN + timedelta(seconds=SECONDS - 2)) == {
                f"k{SECONDS - 2}", f"k{SECONDS - 1}", f"k{SECONDS}",
            }  # fmt: skip
            assert len(await ledger.keys_since(BEGAN)) == SECONDS
            assert await ledger.keys_since(BEGAN + timedelta(seconds=SECONDS + 1)) == set()
            assert list(ledger.unseen(limit=10)) == []
            await ledger.catch_up()
            assert len(set(ledger.unseen(limit=2 * SECONDS))) == SECONDS


@pytest.mark.parametrize("second", [0, 1, 2, 3, 500, SECONDS - 1, SECONDS, SECONDS + 9])
async def test_what_is_older_is_skipped(provider: Provider, second: int) -> None:
    """In a few steps, and no line too many: the first that is copied is the first of that moment or later."""
    async with asking(provider) as http:
        with ledger_copy(http) as ledger:
            await ledger.skip_to(BEGAN + timedelta(seconds=second))
            assert provider.pages < 30
            await ledger.catch_up()
            kept = set(ledger.unseen(limit=2 * SECONDS))
    assert kept == {f"k{number}" for number in range(max(second, 1), SECONDS + 1)}
