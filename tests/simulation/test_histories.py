"""What the model can make is written down, and what it cannot is told."""

from tests.simulation.histories import KNOWN, known, made, written
from tests.simulation.world import SERVICES


def test_the_file_is_what_the_model_makes() -> None:
    """`python -m tests.simulation.histories` has been run."""
    assert KNOWN.read_text() == written(made())


def test_a_history_that_nothing_leads_to_is_not_known() -> None:
    """Each service's log can be right and all of them together wrong; a mail may still be to come."""
    logs = {
        "order": ("order.placed.v1", "order.confirmed.v1", "order.stock_book_closed.v1"),
        "inventory": ("stock.reserved.v1", "stock.committed.v1"),
        "payment": ("payment.amount_learned.v1", "payment.charge_intended.v1", "payment.captured.v1"),
        "notification": ("notification.recorded.v1", "notification.sent.v1"),
    }
    lines = known()
    assert tuple(logs[service] for service in SERVICES) in lines
    assert tuple((logs | {"notification": ()})[service] for service in SERVICES) in lines
    declined = (*logs["payment"][:2], "payment.declined.v1")
    assert tuple((logs | {"payment": declined})[service] for service in SERVICES) not in lines
    assert tuple((logs | {"inventory": logs["inventory"][:1]})[service] for service in SERVICES) not in lines
