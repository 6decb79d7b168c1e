"""What a user does with the stack: up, demo, a crowd while a service is killed, down; and the README's commands."""

import asyncio
import json
import re
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest

from infra.credentials import CUSTOMERS
from infra.ports import HOST, ORDER
from infra.run import Mode
from scripts.shop import Shop
from services.order.keys import hash_of
from tests.e2e.casualties import identities, kill, remains
from tests.e2e.conftest import REPOSITORY, Checkout, on
from tests.e2e.crowd import SKUS, Wish, all_ended, place_all, wishes
from tests.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

ORDERS = 240
TWICE = ((Mode.NATIVE, 2), (Mode.DOCKER, 2))
"""The README's commands, in either mode, are for a stack where every service is there once."""
KILL_AFTER_ORDERS = 90
READY_AGAIN_TIMEOUT_S = 180.0
REVOKED_TIMEOUT_S = 60.0
RUN_ELSEWHERE = {
    "make check": "`make test`, which runs this test, runs the same",
    "make test": "it is what runs this test",
}
NATIVE_ELSEWHERE = {"make chaos NAME=kill-payment": "test_chaos.py runs another experiment natively, at SCALE=2"}


def readme_commands() -> list[str]:
    """Give what the README tells to type, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def test_the_readme_is_true(checkout: Checkout) -> None:
    """Every command of the README works, in its order, from a fresh copy to nothing left running."""
    elsewhere = RUN_ELSEWHERE | (NATIVE_ELSEWHERE if checkout.mode is Mode.NATIVE else {})
    commands = [command for command in readme_commands() if command not in elsewhere]
    assert commands[:2] == ["make up", "make demo"]
    checkout.begin_anew()
    keys = ""
    for command in commands:
        if command.startswith(". "):  # what a shell remembers, each command here has to be told again
            keys = f"{command.partition('#')[0]}; "
        printed = checkout.type(keys + command)
        if command == "make up":
            assert printed.count("Authorization: Bearer dev_") == len(CUSTOMERS)
        if command.startswith("curl"):
            json.loads(printed)
    with pytest.raises(ConnectionRefusedError), socket.create_connection((HOST, ORDER), timeout=1):
        pass
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(checkout.path) in " ".join(p.info["cmdline"] or ())]
    if checkout.mode is Mode.DOCKER:
        assert remains(checkout.path) == []


def test_a_port_in_use_is_one_clear_line(checkout: Checkout) -> None:
    """`make up` names the port, leaves nothing running, and exits with 2."""
    checkout.begin_anew()
    with socket.create_server((HOST, ORDER)):
        printed = checkout.type("make up", exit_code=2)
    assert str(ORDER) in printed
    assert "Traceback" not in printed
    assert "not running" in checkout.type("make down")


@on(*TWICE)
def test_demo_shows_four_ends(stack: Checkout) -> None:
    """The demo prints a timeline for each kind of order and says that all ended as they must."""
    printed = stack.type("make demo")
    assert printed.count("as it must") == 4
    for event in ("payment.captured", "payment.declined", "stock.rejected", "payment.refunded", "stock.released"):
        assert event in printed


@on(*TWICE)
def test_up_twice_is_harmless(stack: Checkout) -> None:
    """A second `make up` changes no process, and another SCALE is refused."""
    before = identities(stack)
    stack.type(f"make up SCALE={stack.scale}")
    assert "`make down` first" in stack.type("make up SCALE=4", exit_code=2)
    assert identities(stack) == before


@on((Mode.NATIVE, 2))
async def test_a_key_opens_until_it_is_revoked(stack: Checkout) -> None:
    """`quartet key issue` prints one that works at once; revoked, it works no more; what cannot be is one line."""
    key = stack.type(".venv/bin/quartet key issue carl").strip()
    key_id = hash_of(key).hex()
    assert stack.type(".venv/bin/quartet key list carl").startswith(f"{key_id}  issued ")
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{ORDER}", headers=headers) as client:
        assert (await client.get("/orders")).json() == {"orders": [], "next": None}
        stack.type(f".venv/bin/quartet key revoke carl {key}")

        async def is_refused() -> None:
            assert (await client.get("/orders")).status_code == 401

        await eventually(is_refused, REVOKED_TIMEOUT_S)
    assert ", revoked " in stack.type(".venv/bin/quartet key list carl")
    for wrong in (f"revoke carl {key}", f"revoke carl {'0' * 64}", "issue 'no customer'"):
        assert stack.type(f".venv/bin/quartet key {wrong}", exit_code=2).count("\n") == 1


@on(*TWICE)
async def test_a_crowd_while_a_service_is_killed(stack: Checkout) -> None:
    """Orders of 50 clients all end, and stock and money add up, though payment is killed in the middle."""
    placed: list[str] = []
    restarts_before = restarts(stack.status())
    async with Shop(stack.operator_key) as shop:
        before = {sku: await shop.stock(sku) for sku in SKUS}

        def until_the_kill_and_on() -> Iterator[Wish]:
            for number, wish in enumerate(wishes(ORDERS, seed=1)):
                if number == KILL_AFTER_ORDERS:
                    kill(stack, "payment")
                yield wish

        await place_all(shop, until_the_kill_and_on(), placed)
        ends = await all_ended(shop, placed)
        after = {sku: await shop.stock(sku) for sku in SKUS}
    assert not ends.wrong
    assert sum(ends.by_end.values()) == len(set(placed)) == ORDERS
    assert {"out_of_stock", "payment_declined", "customer_request"} <= {reason for _, reason in ends.by_end if reason}
    for sku in SKUS:
        assert after[sku]["sold"] - before[sku]["sold"] == ends.sold[sku]
        assert after[sku]["reserved"] == 0
    (brought_back,) = restarts(await ready_again(stack)) - restarts_before
    assert brought_back.partition("-")[0] == "payment"


def restarts(status: dict[str, Any]) -> Counter[str]:
    """Count how often each program was brought back."""
    return Counter({line["name"]: line["restarts"] for line in status["programs"]})


async def ready_again(stack: Checkout) -> dict[str, Any]:
    """Wait until everything is ready, and give the status."""

    async def look() -> dict[str, Any]:
        printed = await asyncio.to_thread(stack.type, ".venv/bin/quartet status --json || true")
        told: dict[str, Any] = json.loads(printed)
        assert told["ready"], printed
        return told

    return await eventually(look, READY_AGAIN_TIMEOUT_S)
