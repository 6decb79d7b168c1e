"""What holds between an order, payment's books and the provider's ledger. Amounts are in minor units."""

from collections.abc import Iterator

from infra.audit.facts import Line, Saga
from services.order.state import Status
from services.payment.events import ChargeIntended, UndoResult
from services.payment.state import Closed
from shared.vocabulary.money import Money
from shared.vocabulary.payment import DeclineReason, PaymentCaptured, PaymentDeclined, PaymentRefunded

NEVER_DECIDED = (DeclineReason.PROVIDER_SILENT, DeclineReason.INVALID_CHARGE, DeclineReason.KEY_CLOSED)
"""Declined without a line of the provider's that says so."""


def total(saga: Saga, kind: str) -> int:
    """Add up the ledger's lines of a kind."""
    return sum(line.amount for line in saga.ledger if line.kind == kind)


def within_the_amount(saga: Saga) -> Iterator[str]:
    """No more is captured than the order costs, and no more refunded than was captured."""
    captured, refunded = total(saga, "captured"), total(saga, "refunded")
    if saga.order is not None and captured > saga.order.total.amount:
        yield f"{captured} captured for an order of {saga.order.total.amount}"
    if refunded > captured:
        yield f"{refunded} refunded of {captured}"


def line_by_line(saga: Saga) -> Iterator[str]:
    """Payment's books name the ledger's lines, all but those that it was never told of: a charge that was undone."""
    told, kept = set(_told(saga)), {_unnamed(line) for line in saga.ledger}
    undone = any(line.kind in ("voided", "refunded") for line in saga.ledger)
    for line in told - kept:
        yield f"payment tells of {line}, and the ledger does not"
    for line in kept - told:
        if not (undone and line.kind in ("captured", "declined")):
            yield f"the ledger tells of {line}, and payment does not"


def _told(saga: Saga) -> Iterator[Line]:
    intended: Money | None = None
    for entry in saga.parts["payment"].log:
        match entry.event:
            case ChargeIntended(money=money):
                intended = money
            case PaymentCaptured(money=money, charge_id=charge_id):
                yield Line("captured", charge_id, money.amount, money.currency)
            case PaymentDeclined(reason=reason) if reason not in NEVER_DECIDED and intended is not None:
                yield Line("declined", "", intended.amount, intended.currency)
            case PaymentRefunded(money=money, undo_id=undo_id):
                yield Line("refunded", undo_id, money.amount, money.currency)
    match saga.payment:
        case Closed(result=UndoResult.VOIDED, undo_id=str(undo_id)):
            yield Line("voided", undo_id, 0, None)


def _unnamed(line: Line) -> Line:
    """Leave the id of a declined charge out: payment keeps none."""
    return line._replace(id="") if line.kind == "declined" else line


def closed_for_good(saga: Saga) -> Iterator[str]:
    """Once a charge was intended, only an undo keeps the provider from charging a cancelled order."""
    asked = any(isinstance(entry.event, ChargeIntended) for entry in saga.parts["payment"].log)
    undone = any(line.kind in ("voided", "refunded") for line in saga.ledger)
    if _is(saga, Status.CANCELLED) and asked and not undone:
        yield "it is cancelled, and the provider would still charge its key"


def paid_once(saga: Saga) -> Iterator[str]:
    """A confirmed order has one full capture, and no refund."""
    if saga.order is None or saga.order.status is not Status.CONFIRMED:
        return
    price = saga.order.total
    captures = [(line.amount, line.currency) for line in saga.ledger if line.kind == "captured"]
    if captures != [(price.amount, price.currency)]:
        yield f"it is confirmed at {price.amount} {price.currency}, and captured is {captures}"
    if total(saga, "refunded"):
        yield f"it is confirmed, and {total(saga, 'refunded')} is refunded"


def nothing_kept(saga: Saga) -> Iterator[str]:
    """A cancelled order leaves no money with the shop."""
    if _is(saga, Status.CANCELLED) and (kept := total(saga, "captured") - total(saga, "refunded")):
        yield f"it is cancelled, and the shop keeps {kept}"


def known(saga: Saga) -> Iterator[str]:
    """The provider was asked for nothing but what an order is about."""
    if saga.ledger and saga.order is None:
        yield f"the provider has {len(saga.ledger)} lines under a key that is no order's"


def _is(saga: Saga, status: Status) -> bool:
    return saga.order is not None and saga.order.status is status
