"""What an audit found: for each rule how much was held against it, and what breaks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from infra.audit.facts import Saga
from infra.audit.rules import LETTERS, LOG_PAGES, OUTBOXES, PARTS, SAGAS, SHELVES, between
from infra.audit.rules.rule import Kind, Rule

F = TypeVar("F")

BROKEN_MAX = 10_000
"""So many breaks are told one by one; of those past it the number."""
EVERY_RULE: tuple[Rule[Any], ...] = (*PARTS, *SHELVES, *OUTBOXES, *LETTERS, *LOG_PAGES, *SAGAS)


class Break(NamedTuple):
    """One fact that breaks one rule: `about` names the order, the SKU, the letter, the service or the file."""

    rule: str
    about: str
    how: str


@dataclass(slots=True)
class Tally:
    """How many facts were held against a rule, and how many break it."""

    checked: int = 0
    broken: int = 0


@dataclass(slots=True)
class Findings:
    """Filled while the audit reads. Rules that it leaves out have no tally."""

    tallies: dict[str, Tally]
    breaks: list[Break] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Logs that nothing can be said of, or not of all that is in them."""
    orders: int = 0
    took_s: float = 0.0

    @classmethod
    def of(cls, rules: Iterable[Rule[Any]]) -> "Findings":
        """Begin with nothing found."""
        return cls({rule.name: Tally() for rule in rules})

    @property
    def is_clean(self) -> bool:
        """No rule is broken."""
        return not any(tally.broken for tally in self.tallies.values())

    @property
    def broken(self) -> Mapping[str, int]:
        """The rules that are broken, with how often."""
        return {name: tally.broken for name, tally in self.tallies.items() if tally.broken}

    def hold(self, rules: Iterable[Rule[F]], fact: F, about: str) -> None:
        """Hold a fact against rules."""
        for rule in rules:
            if rule.name in self.tallies:
                self.tallies[rule.name].checked += 1
                self.note(breaks_of(rule, fact, about))

    def note(self, breaks: list[Break]) -> None:
        """Note how one fact breaks one rule; nothing where it does not."""
        if breaks:
            self.tallies[breaks[0].rule].broken += 1
            self.breaks += breaks[: BROKEN_MAX - len(self.breaks)]


def breaks_of(rule: Rule[F], fact: F, about: str) -> list[Break]:
    """Give all ways in which a fact breaks a rule."""
    return [Break(rule.name, about, how) for how in rule.broken(fact)]


def hold_order(findings: Findings, saga: Saga) -> bool:
    """Hold an order against all rules about it; tell whether it has to be looked at again.

    What lies between the books is not noted yet: they were read one after another.
    """
    about = str(saga.order_id)
    for part in saga.parts.values():
        findings.hold(PARTS, part, about)
    rules = [rule for rule in between(saga) if rule.name in findings.tallies]
    findings.hold([rule for rule in rules if rule.kind is Kind.INSTANT], saga, about)
    doubtful = False
    for rule in rules:
        if rule.kind is not Kind.INSTANT:
            findings.tallies[rule.name].checked += 1
            doubtful = doubtful or bool(breaks_of(rule, saga, about))
    return doubtful


def confirm(findings: Findings, saga: Saga) -> None:
    """Note what lies between the books of an order, now that it was looked at again."""
    for rule in between(saga):
        if rule.name in findings.tallies and rule.kind is not Kind.INSTANT:
            findings.note(breaks_of(rule, saga, str(saga.order_id)))
