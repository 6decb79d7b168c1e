"""Exponential backoff with jitter that is told, not drawn: the same seed waits the same."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds that double from `first_s` up to `most_s`, and stay there."""

    first_s: float
    most_s: float

    def delay_s(self, attempts: int) -> float:
        """Give the wait after so many failed attempts, counted from 1."""
        doublings = min(attempts - 1, 62)  # beyond that any first delay is far past any sensible most
        return min(self.first_s * 2.0**doublings, self.most_s)

    def delays_s(self) -> Iterator[float]:
        """Give one delay after another, without end."""
        attempts = 0
        while True:
            attempts += 1
            yield self.delay_s(attempts)


def jittered(delay: float, seed: str) -> float:
    """Shorten `delay` by up to a quarter, by a hash of `seed`: a crowd spreads out, a run can be repeated."""
    share = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=4).digest()) / 2**32
    return delay * (1.0 - share / 4.0)
