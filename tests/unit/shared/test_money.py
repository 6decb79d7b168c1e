"""Money: an integer number of minor units in one currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.vocabulary.money import AMOUNT_MAX, Money
from tests.unit.shared.generated import SOME


@SOME
@given(st.integers(0, AMOUNT_MAX // 2), st.integers(0, AMOUNT_MAX // 2))
def test_add(one: int, other: int) -> None:
    """Amounts of one currency add up."""
    total = Money(amount=one, currency="EUR") + Money(amount=other, currency="EUR")
    assert total == Money(amount=one + other, currency="EUR")


def test_currencies_do_not_mix() -> None:
    """Euros and dollars cannot be added."""
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(amount=1, currency="EUR") + Money(amount=1, currency="USD")


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1, 0.5, "a", None, float("nan")])
def test_amounts_are_bounded_integers(amount: object) -> None:
    """No debt, no float, nothing beyond the bound."""
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


@pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "", "EUR\n", "ÄÖÜ", None])
def test_currencies_are_codes(currency: object) -> None:
    """A currency is three capital letters."""
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": 1, "currency": currency})


def test_sums_stay_within_the_bound() -> None:
    """A sum beyond the bound is refused as well."""
    with pytest.raises(ValueError, match="less than or equal"):
        Money(amount=AMOUNT_MAX, currency="EUR") + Money(amount=1, currency="EUR")
