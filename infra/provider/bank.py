"""What the bank decides: a test token and the faults of the moment make a plan. Pure."""

from dataclasses import dataclass
from typing import Literal

from infra.provider.faults import Fault
from infra.provider.records import Reason


@dataclass(frozen=True, slots=True)
class Manner:
    """How the bank treats one token; a `reason` declines it, `failures` is how many first asks fail."""

    reason: Reason | None = None
    late: bool = False
    withholds_first: bool = False
    failures: int = 0


MANNERS = {
    "tok_approved": Manner(),
    "tok_declined": Manner(reason="card_declined"),
    "tok_insufficient_funds": Manner(reason="insufficient_funds"),
    "tok_timeout_captured": Manner(withholds_first=True),
    "tok_late": Manner(late=True),
    "tok_flaky": Manner(failures=2),
}
UNKNOWN = Manner(reason="unknown_token")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer reaches whoever asked: after `latency_ms`, broken off before or after the effect, or
    withheld always, or the first time only."""

    latency_ms: int = 0
    fails: Literal["before", "after"] | None = None
    withheld: Literal["always", "first"] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a charge that nobody has asked for before."""

    reason: Reason | None
    reason_injected: bool
    late: bool
    failures: int
    delivery: Delivery


def plan_charge(token: str, fault: Fault) -> Plan:
    """Decide a charge; a fault declines only what would have been captured."""
    manner = MANNERS.get(token, UNKNOWN)
    injected = fault.declines and manner.reason is None
    delivery = plan_undo(fault)
    if manner.withholds_first and delivery.withheld is None:
        delivery = Delivery(delivery.latency_ms, delivery.fails, "first")
    return Plan("card_declined" if injected else manner.reason, injected, manner.late, manner.failures, delivery)


def plan_undo(fault: Fault) -> Delivery:
    """Decide how the answer to an undo travels; what it says is the ledger's business alone."""
    return Delivery(fault.latency_ms, fault.fails, "always" if fault.withholds else None)
