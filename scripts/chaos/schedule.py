"""What happens when, drawn from a seed: which orders arrive, and which experiment comes after which. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LINES_MAX = 3
QUANTITY_MAX = 3
PLENTY = ("rosin", "strings", "bow", "violin")
SCARCE = {"stradivarius": 2}
"""There is one of it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """A kind of order; among all it comes `share` times as often as one with 1."""

    share: int
    token: str
    scarce: bool = False
    cancels: bool = False


MANNERS = (
    Manner(60, "tok_approved"),
    Manner(8, "tok_declined"),
    Manner(4, "tok_insufficient_funds"),
    Manner(4, "tok_timeout_captured"),
    Manner(4, "tok_late"),
    Manner(4, "tok_flaky"),
    Manner(6, "tok_approved", scarce=True),
    Manner(10, "tok_approved", cancels=True),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An order that a customer places `after_s` seconds after the one before, whatever has become of that."""

    number: int
    after_s: float
    token: str
    quantities: dict[str, int]
    cancels: bool


def arrivals(rate: float, orders_max: int, seed: str) -> Iterator[Arrival]:
    """Draw arrivals that are independent of each other, `rate` a second (a Poisson process), up to a bound."""
    chance = random.Random(seed)
    for number in range(orders_max):
        (manner,) = chance.choices(MANNERS, [manner.share for manner in MANNERS])
        skus = chance.sample(PLENTY, chance.randint(1, LINES_MAX))
        quantities = {sku: chance.randint(1, QUANTITY_MAX) for sku in skus}
        yield Arrival(
            number,
            chance.expovariate(rate),
            manner.token,
            quantities | SCARCE if manner.scarce else quantities,
            manner.cancels,
        )


def rounds(names: Sequence[str], seed: int) -> Iterator[str]:
    """Draw one name after another, without end: all of them, in an order of chance, before any comes again."""
    chance = random.Random(seed)
    while names:
        yield from chance.sample(names, len(names))
