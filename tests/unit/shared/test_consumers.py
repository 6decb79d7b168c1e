"""What is consumed: a lane for each event of the table, and what was set aside."""

from typing import cast

from services.payment.reactions import reactions
from shared.broker.consumer import Consumers
from shared.receiving import Receiver


def test_a_lane_for_each_event() -> None:
    """The consumers listen to the lanes of the service's table, and to what it set aside."""
    nobody = cast("Receiver", None)
    consumers = Consumers("amqp://nowhere", reactions, nobody, prefetch_max_messages=10, drain_timeout_s=1)
    assert {lane.queue for lane in consumers.lanes} == {
        "payment.order.placed",
        "payment.order.cancelled",
        "payment.stock.reserved",
    }
    assert len(consumers.broker.subscribers) == 4
