"""How a reservation is folded from its log: the same steps as in `state.py`, told by what was logged alone."""

from services.inventory.state import Committed, Held, Rejected, Released, Reservation
from shared.event import Event
from shared.outcome import ImpossibleError
from shared.vocabulary.inventory import StockCommitted, StockRejected, StockReleased, StockReserved


def evolve(reservation: Reservation | None, event: Event) -> Reservation:
    """Give the state that a logged event leads to.

    Raises:
        ImpossibleError: no reaction logs it in this state.
    """
    match reservation, event:
        case None, StockReserved(order_id=order_id, lines=lines):
            return Held(order_id, lines)
        case None, StockRejected(order_id=order_id):
            return Rejected(order_id)
        case Held(order_id, held), StockCommitted(lines=lines) if lines == held:
            return Committed(order_id, lines)
        case ((None | Rejected()), StockReleased(order_id=order_id, lines=(), restocked=False)):
            return Released(order_id)
        case Held(order_id, held), StockReleased(lines=lines, restocked=False) if lines == held:
            return Released(order_id)
        case Committed(order_id, sold), StockReleased(lines=lines, restocked=True) if lines == sold:
            return Released(order_id)
    raise ImpossibleError(f"{event.kind.name} for a reservation that is {type(reservation).__name__}")


def as_logged(reservation: Reservation) -> Reservation:
    """Give a state without what its log does not tell: it tells everything."""
    return reservation
