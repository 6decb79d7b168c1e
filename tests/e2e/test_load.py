"""`make load` on a stack that is up: it passes, and it finds what somebody spoils behind Quartet's back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from infra.run import Mode
from scripts.shop import Addresses
from tests.e2e.conftest import Checkout, on

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    # in one mode: the README's `make load` is run in both
    on((Mode.NATIVE, 2)),
]

LOAD = ".venv/bin/python -m benchmarks.load"
AT = Addresses()
BEGIN_TIMEOUT_S = 120.0
ASK_AGAIN_S = 0.1


@pytest.fixture(scope="module")
def loaded(stack: Checkout) -> Checkout:
    """The stack, with a first load that passed; `make load` installs what it needs."""
    printed = stack.type("make load RATE=10 SECONDS=10")
    assert "Everything settled and adds up" in printed
    assert "10 orders/s held for 10 s" in printed
    for kind in ("confirmed", "declined", "out of stock", "cancelled at once", "confirmed, then cancelled"):
        assert f"\n{kind} " in printed
    return stack


def test_a_load_passes_and_leaves_a_report(loaded: Checkout) -> None:
    """The HTML report is Locust's, with the verdict and every kind on top."""
    *_, report = sorted((loaded.path / ".quartet" / "load").glob("*.html"))
    assert 'id="quartet"' in report.read_text()
    assert report.with_suffix(".json").exists()


async def charge_a_stranger(client: httpx.AsyncClient, _: str) -> dict[str, str]:
    """Capture money at the provider that no order asked for."""
    body = {"key": str(uuid4()), "amount": 100, "currency": "EUR", "token": "tok_approved"}
    (await client.post(f"{AT.provider}/v1/charges", json=body)).raise_for_status()
    return {f"{AT.provider}/v1/charges/{body['key']}/undo": f"{body['key']}, which is no order of this run"}


async def refund_in_secret(client: httpx.AsyncClient, customer_id: str) -> dict[str, str]:
    """Give the money of some confirmed orders back behind Quartet's back; some of them might be cancelled yet."""
    await newest(client, customer_id=customer_id, status="confirmed")
    filters = {"customer_id": customer_id, "status": "confirmed", "limit": "10"}
    orders = (await client.get(f"{AT.order}/orders", params=filters)).raise_for_status().json()["orders"]
    for order in orders:
        (await client.post(f"{AT.provider}/v1/charges/{order['order_id']}/undo")).raise_for_status()
    return {
        f"{AT.order}/orders/{order['order_id']}/cancel": f"order {order['order_id']} is confirmed: the provider"
        for order in orders
    }


@pytest.mark.parametrize("spoil", [charge_a_stranger, refund_in_secret])
async def test_what_is_spoilt_during_a_load_is_found(
    loaded: Checkout, spoil: Callable[[httpx.AsyncClient, str], Awaitable[dict[str, str]]]
) -> None:
    """Exit code 1, and the key or the order by name. A spoiler says with which URL the harm is undone afterwards."""
    async with httpx.AsyncClient(headers={"X-Operator-Key": loaded.operator_key}) as client:
        before = await newest(client)
        load = asyncio.create_task(asyncio.to_thread(loaded.type, f"{LOAD} --rate 20 --seconds 5", 1))
        order = await newest(client, unlike=before["customer_id"])
        told = await spoil(client, order["customer_id"])
        printed = await load
        issued = (await client.post(f"{AT.order}/customers/{order['customer_id']}/keys")).raise_for_status().json()
        for undo in told:
            (await client.post(undo, headers={"Authorization": f"Bearer {issued['key']}"})).raise_for_status()
    assert any(line in printed for line in told.values())
    assert "OFF:" in printed
    assert "Everything settled and adds up" not in printed


def test_arguments_beyond_the_bounds_are_one_clear_line(loaded: Checkout) -> None:
    """Exit code 2, before anything is placed."""
    for arguments in ("--rate five", "--seconds 1000000"):
        assert loaded.type(f"{LOAD} {arguments}", exit_code=2).count("\n") == 1


async def newest(client: httpx.AsyncClient, unlike: str | None = None, **filters: str) -> dict[str, str]:
    """Give the newest order that fits, once there is one; not of the customer `unlike`."""
    ends_s = time.monotonic() + BEGIN_TIMEOUT_S
    while time.monotonic() < ends_s:
        page = (await client.get(f"{AT.order}/orders", params={"limit": "1", **filters})).raise_for_status().json()
        order: dict[str, str]
        for order in page["orders"]:
            if order["customer_id"] != unlike:
                return order
        await asyncio.sleep(ASK_AGAIN_S)
    raise AssertionError("no such order")
