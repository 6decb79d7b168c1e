"""How long orders take, told by the commits that settle them."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.order.state import Order, Status
from shared.batch import Answered
from shared.metrics import Metrics, Sagas
from shared.outcome import Advanced
from shared.shell import Committed
from shared.vocabulary.order import CancelReason

OUTCOMES = (Status.CONFIRMED, *CancelReason)


def timed(metrics: Metrics, deadline_s: float) -> Callable[[Committed], None]:
    """Make a listener to commits. A customer who cancels what is settled takes their own time: that is never late."""
    sagas = Sagas(metrics, OUTCOMES)

    def listen(committed: Committed) -> None:
        for result in committed.results:
            outcome = result.outcome if isinstance(result, Answered) else result
            if isinstance(outcome, Advanced) and isinstance(outcome.state, Order) and outcome.state.settled:
                order: Order = outcome.state
                took_s = (datetime.now(UTC) - order.placed_at).total_seconds()
                late = took_s > deadline_s and order.reason is not CancelReason.CUSTOMER_REQUEST
                sagas.settled(order.reason or order.status, took_s, late=late)

    return listen
