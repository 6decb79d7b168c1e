"""The payment provider as a value: what it decided under each key, and its ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from infra.audit.facts import Line
from services.payment.events import ChargeResult, UndoResult
from shared.vocabulary.money import Money

Answer = tuple[ChargeResult | UndoResult, str]
"""A result, and the provider's id of what it did."""


class Account(NamedTuple):
    """What was decided under one key."""

    charge: Answer | None = None
    undo: Answer | None = None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Provider:
    """All keys."""

    accounts: Mapping[UUID, Account] = field(default_factory=dict)

    @cached_property
    def key(self) -> int:
        """A hash of all of it."""
        return hash(frozenset(self.accounts.items()))

    def account(self, key: UUID) -> Account:
        """Give what was decided under a key."""
        return self.accounts.get(key, Account())

    def charge(
        self, key: UUID, money: Money, result: ChargeResult, *, is_keyed: bool = True
    ) -> tuple["Provider", Answer]:
        """Charge with `result`, unless the key was charged before, or is closed for good.

        Where who asks names no key, or ever new ones, it is charged each time.
        """
        account = self.account(key)
        if account.charge is not None and is_keyed:
            return self, account.charge
        if account.undo is not None:
            return self, (ChargeResult.KEY_CLOSED, f"refused-{key.hex[-4:]}")
        answer = result, f"charge-{key.hex[-4:]}"
        kind = "captured" if result is ChargeResult.CAPTURED else "declined"
        line = Line(kind, answer[1], money.amount, money.currency)
        return self._with(key, account._replace(charge=answer, lines=(*account.lines, line))), answer

    def undo(self, key: UUID) -> tuple["Provider", Answer]:
        """Close the key: what was captured goes back, what was not never will be."""
        account = self.account(key)
        if account.undo is not None:
            return self, account.undo
        captured = next((line for line in account.lines if line.kind == "captured"), None)
        if captured is not None:
            answer = UndoResult.REFUNDED, f"undo-{key.hex[-4:]}"
            line = Line("refunded", answer[1], captured.amount, captured.currency)
        else:
            answer = UndoResult.VOIDED, f"undo-{key.hex[-4:]}"
            line = Line("voided", answer[1], 0, None)
        return self._with(key, account._replace(undo=answer, lines=(*account.lines, line))), answer

    def _with(self, key: UUID, account: Account) -> "Provider":
        return replace(self, accounts={**self.accounts, key: account})
