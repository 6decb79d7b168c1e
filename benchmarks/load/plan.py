"""What will arrive and when, drawn from a seed before the load begins."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load.kinds import KINDS, PLENTY, SCARCE, Kind

RATE_MAX = 5_000
SECONDS_MAX = 3_600
ORDERS_MAX = 250_000
"""Every order of a run is held in memory, and looked at again when the books are checked."""
LINES_MAX = 3
QUANTITY_MAX = 3


@dataclass(frozen=True, slots=True)
class Arrival:
    """An order that a customer intends to place `at_s` seconds after the load begins."""

    number: int
    at_s: float
    kind: Kind
    token: str
    quantities: dict[str, int]


def draw(rate: float, seconds: float, seed: int, scarce_quantity: int) -> list[Arrival]:
    """Draw `rate * seconds` arrivals at times independent of each other: a Poisson process, given their number.

    Raises:
        ValueError: a bound of this module is exceeded.
    """
    orders = orders_of(rate, seconds)
    chance = random.Random(seed)
    times_s = sorted(chance.uniform(0, seconds) for _ in range(orders))
    kinds = chance.choices(KINDS, [kind.share for kind in KINDS], k=orders)
    return [
        Arrival(number, at_s, kind, chance.choice(kind.tokens), _quantities(chance, kind, scarce_quantity))
        for number, (at_s, kind) in enumerate(zip(times_s, kinds, strict=True))
    ]


def orders_of(rate: float, seconds: float) -> int:
    """Say how many orders that makes.

    Raises:
        ValueError: that is not within the bounds.
    """
    if not 0 < rate <= RATE_MAX:
        raise ValueError(f"the rate must be above 0 and at most {RATE_MAX:,} orders/s, not {rate:g}")
    if not 0 < seconds <= SECONDS_MAX:
        raise ValueError(f"the seconds must be above 0 and at most {SECONDS_MAX:,}, not {seconds:g}")
    orders = round(rate * seconds)
    if not 1 <= orders <= ORDERS_MAX:
        raise ValueError(f"a run must be of 1 to {ORDERS_MAX:,} orders, not {orders:,}")
    return orders


def demand(arrivals: Sequence[Arrival]) -> Counter[str]:
    """Say how many of each plentiful SKU are asked for, were all of it held at once."""
    wanted: Counter[str] = Counter()
    for arrival in arrivals:
        wanted.update(arrival.quantities)
    del wanted[SCARCE]
    return wanted


def _quantities(chance: random.Random, kind: Kind, scarce_quantity: int) -> dict[str, int]:
    skus = chance.sample(PLENTY, chance.randint(1, LINES_MAX))
    quantities = {sku: chance.randint(1, QUANTITY_MAX) for sku in skus}
    return quantities | {SCARCE: scarce_quantity} if kind.scarce else quantities
