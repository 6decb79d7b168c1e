"""What must not lie in a dead letter."""

import pytest

from infra.audit.facts import Letter
from infra.audit.rules.secrecy import no_secret_in_letter
from tests.unit.services import builders as b


@pytest.mark.parametrize(("type_", "broken"), [("order.placed.v1", 0), ("order.confirmed.v1", 1), (None, 1)])
def test_a_token_in_a_letter(type_: str | None, broken: int) -> None:
    """Only a letter of the event that carries the token may hold one."""
    letter = Letter(b.ORDER, "payment.order.placed", None, type_, '{"payment_token":"tok_approved"}')
    assert len(list(no_secret_in_letter(letter))) == broken
