"""Prices: the catalogue's, never the client's."""

import asyncio

import pytest

from services.order.catalogue import Catalogue
from shared.http.problems import ProblemError
from shared.ports import WorldError
from shared.vocabulary.money import AMOUNT_MAX, Money
from shared.vocabulary.order import OrderLine
from tests.unit.services.engine import FakeEngine

ROWS = [
    {"sku": "mug", "unit_price": 1_000, "currency": "EUR"},
    {"sku": "pen", "unit_price": 500, "currency": "EUR"},
    {"sku": "cap", "unit_price": 700, "currency": "USD"},
    {"sku": "car", "unit_price": AMOUNT_MAX // 2, "currency": "EUR"},
]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(lambda _: ROWS)


async def test_prices_and_total(engine: FakeEngine) -> None:
    """Each line has the catalogue's price, and the total is their sum, up to the bound."""
    catalogue = Catalogue(engine.real, 60)
    lines, total = await catalogue.price({"mug": 2, "pen": 1}, "EUR")
    assert lines == (
        OrderLine(sku="mug", quantity=2, unit_price=1_000),
        OrderLine(sku="pen", quantity=1, unit_price=500),
    )
    assert total == Money(amount=2_500, currency="EUR")
    assert (await catalogue.price({"car": 2}, "EUR"))[1].amount == AMOUNT_MAX


@pytest.mark.parametrize(
    ("quantities", "detail"),
    [
        ({"mug": 1, "hat": 1}, "There is no hat to be had for EUR."),
        ({"cap": 1}, "There is no cap to be had for EUR."),
        ({"car": 3}, f"An order may come to {AMOUNT_MAX} minor units at the most."),
        ({"car": 2, "pen": 1}, f"An order may come to {AMOUNT_MAX} minor units at the most."),
    ],
)
async def test_refused(engine: FakeEngine, quantities: dict[str, int], detail: str) -> None:
    """What is not in the catalogue, is not sold in this currency, or costs too much, is refused with its reason."""
    with pytest.raises(ProblemError) as refused:
        await Catalogue(engine.real, 60).price(quantities, "EUR")
    assert (refused.value.status, refused.value.detail) == (422, detail)


async def test_read_again_when_old(engine: FakeEngine) -> None:
    """A catalogue that is young enough is not read again; one of no age at all is read each time."""
    for max_age_s, reads in ((60, 1), (0, 3)):
        engine.asked.clear()
        catalogue = Catalogue(engine.real, max_age_s)
        for _ in range(3):
            await catalogue.price({"mug": 1}, "EUR")
        assert len(engine.asked) == reads


async def test_the_database_is_away(engine: FakeEngine) -> None:
    """It is the world's fault, and over when the database is back."""
    engine.failures.append(OSError("refused"))
    catalogue = Catalogue(engine.real, 60)
    with pytest.raises(WorldError):
        await catalogue.price({"mug": 1}, "EUR")
    assert (await catalogue.price({"mug": 1}, "EUR"))[1].amount == 1_000


async def test_who_comes_while_it_is_read_shares_that_reading(engine: FakeEngine) -> None:
    """Before a frozen database everybody waits for one time-out, and nobody for those of all who came before."""
    catalogue = Catalogue(engine.real, 0)

    async def asked_at_once() -> list[object]:
        asks = [catalogue.price({"mug": 1}, "EUR") for _ in range(3)]
        return list(await asyncio.gather(*asks, return_exceptions=True))

    engine.failures.append(OSError("no answer"))
    assert [type(answer) for answer in await asked_at_once()] == [WorldError] * 3
    assert (engine.failures, engine.asked) == ([], [])
    assert [type(answer) for answer in await asked_at_once()] == [tuple] * 3
    assert len(engine.asked) == 1
