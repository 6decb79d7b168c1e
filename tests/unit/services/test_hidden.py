"""What is personal or secret stays out of every text that a person may log."""

from typing import Any

import pytest
from fastapi import FastAPI

from services.order.api import PlaceOrder
from shared.http.problems import add_problem_handlers
from tests.unit.services import builders as b
from tests.unit.shared.http import client

CARD = "4111111111111111"
ORDER = {
    "email": b.EMAIL,
    "currency": "EUR",
    "lines": [{"sku": "mug", "quantity": 1}],
    "payment_token": b.TOKEN,
}


@pytest.mark.parametrize("state", [b.PENDING, b.AWAITING_STOCK, b.told()], ids=lambda state: type(state).__name__)
def test_a_state_hides_it(state: Any) -> None:
    """A state may end up in a traceback, with its `repr`."""
    assert b.EMAIL not in repr(state)
    assert b.TOKEN not in repr(state)


def an_app() -> FastAPI:
    """Take orders, if they are valid."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/orders")
    async def orders(body: PlaceOrder) -> None:
        """Take it."""

    return app


async def test_a_refused_mail_address_is_not_echoed() -> None:
    """A validator's own words quote the value; ours do not."""
    async with client(an_app()) as http:
        answer = await http.post("/orders", json={**ORDER, "email": "anna@☕zzyzx.example"})
    assert answer.status_code == 422
    assert "zzyzx" not in answer.text


@pytest.mark.parametrize("wrong", [{"payment_token": CARD}, {"email": f"{CARD}@example.com"}], ids=str)
async def test_a_card_number_is_not_taken(wrong: dict[str, str]) -> None:
    """Whoever sends one by mistake would have it in logs that are for ever; it is not echoed either."""
    async with client(an_app()) as http:
        assert (await http.post("/orders", json=ORDER)).is_success
        answer = await http.post("/orders", json=ORDER | wrong)
    assert answer.status_code == 422
    assert "card number" in answer.text
    assert CARD not in answer.text
