"""What is asked, what is written down, and what an ask can come to."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["captured", "declined", "refunded", "voided"]
Reason = Literal["card_declined", "insufficient_funds", "unknown_token"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A merchant's wish to charge `amount` minor units of `currency`, once for each `key`."""

    key: str
    amount: int
    currency: str
    token: str

    @property
    def token_hash(self) -> str:
        """A token is a secret: the ledger remembers only enough to tell whether it is the same one."""
        return hashlib.sha256(self.token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger. `amount` is in minor units; `currency` is None where nothing was captured."""

    line: int
    key: str
    kind: Kind
    id: str
    amount: int
    currency: str | None
    token_hash: str | None
    reason: Reason | None
    at: str

    def answers(self, ask: Ask) -> bool:
        """Tell whether this charge is the one that was asked for, or its key was used for another."""
        return (self.amount, self.currency, self.token_hash) == (ask.amount, ask.currency, ask.token_hash)


@dataclass(frozen=True, slots=True)
class FaultChange:
    """The fault rates as an operator set them, in JSON, and when."""

    change: int
    rates: str
    at: str


@dataclass(frozen=True, slots=True)
class Account:
    """All that the ledger knows of one key."""

    charge: Line | None = None
    undo: Line | None = None


@dataclass(frozen=True, slots=True)
class Charged:
    """The recorded charge, captured or declined; `created` when this very ask recorded it."""

    charge: Line
    created: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """The recorded undo; `created` when this very ask recorded it."""

    undo: Line
    created: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The key was closed by this undo and can never be charged."""

    undo: Line


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key stands for another amount, currency or token."""


ChargeOutcome = Charged | Refused | KeyReused
