"""The worlds in which two replicas of a service do something at the same time: where they begin, and what each does."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from services.payment.events import ChargeResult
from tests.simulation.choices import steps
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.story import order_of
from tests.simulation.world import Action, World, beginning
from tests.simulation.worlds import cancel, order_id, place, shelves

PLACED, CAPTURED = "inventory.order.placed", "order.payment.captured"
SWITCHES = frozenset({"feed by transaction", "feed horizon", "row locks", "sorted locks", "version guard"})
"""Safeguards that have nothing to do where transactions come one after the other; see `tests.simulation.store`."""
BEFORE_MAX_STEPS = 50
"""None of them begins so late."""

Both = tuple[Action, Action]


@dataclass(frozen=True)
class Overlap:
    """A world in which two steps of one service are taken at the same time. `begun` plays what comes before."""

    name: str
    about: str
    begun: Callable[[], World]
    meet: Callable[[World], Both]
    """Says what each of the replicas does."""
    is_read: bool = False
    """Whether somebody reads the service's log meanwhile."""

    @cached_property
    def world(self) -> World:
        """Where it begins."""
        return self.begun()

    @cached_property
    def actions(self) -> Both:
        """What each of the two does then."""
        return self.meet(self.world)


def _placed(*orders: dict[str, int], stock: dict[str, int]) -> Callable[[], World]:
    """Have orders placed, whose events are on their way to inventory."""

    def begun() -> World:
        commands = tuple(place(number, wanted) for number, wanted in enumerate(orders, start=1))
        world, processes = beginning(commands, shelves(stock), {}), ProcessSteps()
        for command in commands:
            world = take(world, Action("command", "order", command), processes) or world
        return world

    return begun


def _captured() -> World:
    """Have an order come as far as to its capture, which is on its way to order."""
    world = beginning((place(1, {"violin": 1}),), shelves({"violin": 1}), {}, decisions=(ChargeResult.CAPTURED,))
    processes = ProcessSteps()
    for _ in range(BEFORE_MAX_STEPS):
        if any(parcel.queue == CAPTURED for parcel in world.parcels):
            return world
        world = take(world, steps(world)[0], processes) or world
    raise AssertionError("the order is never paid")


def _deliver(world: World, queue: str, *numbers: int) -> Action:
    """Give the messages of some orders to a replica, in that order."""
    there = {order_of(parcel): parcel for parcel in world.parcels if parcel.queue == queue}
    return Action("deliver", queue.partition(".")[0], tuple(there[order_id(number)] for number in numbers))


def _asked(number: int) -> Action:
    """Have a customer ask for one and the same order, in the request of that number, under one key."""
    command = place(1, {"violin": 1})
    return Action("command", "order", command if number == 1 else command.again())


LAST = Overlap(
    "last", "two orders over one unit of stock come to two replicas of inventory at the same time",
    _placed({"violin": 1}, {"violin": 1}, stock={"violin": 1}),
    lambda world: (_deliver(world, PLACED, 1), _deliver(world, PLACED, 2)),
)  # fmt: skip
OPPOSITE = Overlap(
    "opposite", "two replicas of inventory get the same two messages, in opposite orders",
    _placed({"violin": 1}, {"violin": 1}, stock={"violin": 2}),
    lambda world: (_deliver(world, PLACED, 1, 2), _deliver(world, PLACED, 2, 1)),
)  # fmt: skip
READ = Overlap(
    "read", "two orders over different goods come to two replicas of inventory, and somebody reads its log",
    _placed({"violin": 1}, {"bow": 1}, stock={"violin": 1, "bow": 1}),
    lambda world: (_deliver(world, PLACED, 1), _deliver(world, PLACED, 2)),
    is_read=True,
)  # fmt: skip
VERDICT = Overlap(
    "verdict", "one replica of order hears that the money is there, while the customer cancels at the other", _captured,
    lambda world: (_deliver(world, CAPTURED, 1), Action("command", "order", cancel(1))),
)  # fmt: skip
ASKED = Overlap(
    "asked", "a customer who waits no longer asks the other replica of order, before the first has answered",
    lambda: beginning((), {}, {}), lambda _: (_asked(1), _asked(2)),
)  # fmt: skip
OVERLAPS = {each.name: each for each in (LAST, OPPOSITE, READ, VERDICT, ASKED)}
