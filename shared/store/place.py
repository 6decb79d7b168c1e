"""A place in a log: where a walk over it goes on."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the log: after everything up to it. Written as `TRANSACTION-POSITION`."""

    transaction_id: int
    position: int

    def __str__(self) -> str:
        """Write it."""
        return f"{self.transaction_id}-{self.position}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read it.

        Raises:
            ValueError: it is no place.
        """
        transaction_id, _, position = text.partition("-")
        return cls(int(transaction_id), int(position))


BEGINNING = Place(0, 0)
"""Before everything."""
