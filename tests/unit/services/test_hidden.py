"""What is personal or secret stays out of every text that a person may log."""

from typing import Any

import pytest
from fastapi import FastAPI

from services.order.api import PlaceOrder
from shared.http.problems import add_problem_handlers
from tests.unit.services import builders as b
from tests.unit.shared.http import client


@pytest.mark.parametrize("state", [b.PENDING, b.AWAITING_STOCK, b.told()], ids=lambda state: type(state).__name__)
def test_a_state_hides_it(state: Any) -> None:
    """A state may end up in a traceback, with its `repr`."""
    assert b.EMAIL not in repr(state)
    assert b.TOKEN not in repr(state)


async def test_a_refused_mail_address_is_not_echoed() -> None:
    """A validator's own words quote the value; ours do not."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/orders")
    async def orders(body: PlaceOrder) -> None:
        raise AssertionError(body)

    async with client(app) as http:
        answer = await http.post("/orders", json={"email": "anna@☕zzyzx.example"})
    assert answer.status_code == 422
    assert "zzyzx" not in answer.text
