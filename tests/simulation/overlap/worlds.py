"""The worlds in which two replicas of a service do something at the same time: where they begin, and what each does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from services.payment.events import ChargeResult
from tests.simulation.choices import steps
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.story import order_of
from tests.simulation.world import Action, World, beginning
from tests.simulation.worlds import cancel, order_id, place, shelves

PLACED, CANCELLED, CAPTURED = "inventory.order.placed", "inventory.order.cancelled", "order.payment.captured"
OTHER_REQUEST = 5
"""The first of the requests that come to the other replica: those before it are for whoever asks the first again."""
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
    safeguards: frozenset[str]
    """Those that have something to do in it, and can be switched off."""
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


@dataclass
class _Play:
    """A world that is played up to where the two meet."""

    world: World
    processes: ProcessSteps = field(default_factory=ProcessSteps)

    def do(self, action: Action) -> None:
        """Take a step."""
        self.world = take(self.world, action, self.processes) or self.world

    def until(self, queue: str) -> World:
        """Go on by itself until a message lies in a queue."""
        for _ in range(BEFORE_MAX_STEPS):
            if any(parcel.queue == queue for parcel in self.world.parcels):
                return self.world
            self.do(steps(self.world)[0])
        raise AssertionError(f"nothing ever comes to {queue}")


def _placed(*orders: dict[str, int], stock: dict[str, int]) -> Callable[[], World]:
    """Have orders placed, whose events are on their way to inventory."""

    def begun() -> World:
        play = _Play(beginning((), shelves(stock), {}))
        for number, wanted in enumerate(orders, start=1):
            play.do(Action("command", "order", place(number, wanted)))
        return play.world

    return begun


def _captured() -> World:
    """Have an order come as far as to its capture, which is on its way to order."""
    stock = shelves({"violin": 1})
    play = _Play(beginning((place(1, {"violin": 1}),), stock, {}, decisions=(ChargeResult.CAPTURED,)))
    return play.until(CAPTURED)


def _placed_and_cancelled() -> World:
    """Have an order placed and cancelled, both on their way to inventory."""
    play = _Play(_placed({"violin": 1}, stock={"violin": 1})())
    play.do(Action("command", "order", cancel(1)))
    return play.world


def _held_and_cancelled() -> World:
    """Have an order hold the last violin, its cancellation on its way, and another order that wants it too."""
    play = _Play(_placed({"violin": 1}, stock={"violin": 1})())
    play.do(_deliver(play.world, PLACED, 1))
    play.do(Action("command", "order", cancel(1)))
    play.do(Action("command", "order", place(2, {"violin": 1})))
    return play.world


def _deliver(world: World, queue: str, *numbers: int, is_again: bool = False) -> Action:
    """Give the messages of some orders to a replica, in that order; those that come again are settled one by one."""
    there = {order_of(parcel): parcel for parcel in world.parcels if parcel.queue == queue}
    parcels = (there[order_id(number)]._replace(redelivered=is_again) for number in numbers)
    return Action("deliver", queue.partition(".")[0], tuple(parcels))


def _asked(number: int) -> Action:
    """Have a customer ask for one and the same order, in the request of that number, under one key."""
    command = place(1, {"violin": 1})
    for _ in range(number - 1):
        command = command.again()
    return Action("command", "order", command)


LAST = Overlap(
    "last", "two orders over one unit of stock come to two replicas of inventory",
    _placed({"violin": 1}, {"violin": 1}, stock={"violin": 1}),
    lambda world: (_deliver(world, PLACED, 1), _deliver(world, PLACED, 2)),
    frozenset({"row locks", "version guard"}),
)  # fmt: skip
RELEASED = Overlap(
    "released", "one replica of inventory releases the last violin, while the other gets an order for it",
    _held_and_cancelled,
    lambda world: (_deliver(world, CANCELLED, 1), _deliver(world, PLACED, 2)),
    frozenset({"row locks"}),
)  # fmt: skip
CROSSED = Overlap(
    "crossed", "an order and its cancellation come to two replicas of inventory, which have not heard of it",
    _placed_and_cancelled,
    lambda world: (_deliver(world, PLACED, 1), _deliver(world, CANCELLED, 1)),
    frozenset(),
)  # fmt: skip
OPPOSITE = Overlap(
    "opposite", "two replicas of inventory get the same two messages, in opposite orders",
    _placed({"violin": 1}, {"violin": 1}, stock={"violin": 2}),
    lambda world: (_deliver(world, PLACED, 1, 2), _deliver(world, PLACED, 2, 1)),
    frozenset({"inbox", "sorted locks"}),
)  # fmt: skip
READ = Overlap(
    "read", "two orders over different goods come to two replicas of inventory, and somebody reads its log",
    _placed({"violin": 1}, {"bow": 1}, stock={"violin": 1, "bow": 1}),
    lambda world: (_deliver(world, PLACED, 1), _deliver(world, PLACED, 2)),
    frozenset({"feed by transaction", "feed horizon"}), is_read=True,
)  # fmt: skip
PAGES = Overlap(
    "pages", "one replica of inventory gets two orders in one transaction, the other gets one; somebody reads the log",
    _placed({"violin": 1}, {"viola": 1}, {"bow": 1}, stock={"violin": 1, "viola": 1, "bow": 1}),
    lambda world: (_deliver(world, PLACED, 1, 2), _deliver(world, PLACED, 3)),
    frozenset({"feed by transaction", "feed horizon"}), is_read=True,
)  # fmt: skip
LONG = Overlap(
    "long", "one replica of inventory gets an order, the other two, each in a transaction; somebody reads the log",
    _placed({"violin": 1}, {"viola": 1}, {"bow": 1}, stock={"violin": 1, "viola": 1, "bow": 1}),
    lambda world: (_deliver(world, PLACED, 1), _deliver(world, PLACED, 2, 3, is_again=True)),
    frozenset({"feed by transaction", "feed horizon"}), is_read=True,
)  # fmt: skip
VERDICT = Overlap(
    "verdict", "one replica of order hears that the money is there, while the customer cancels at the other", _captured,
    lambda world: (_deliver(world, CAPTURED, 1), Action("command", "order", cancel(1))),
    frozenset({"row locks", "unique versions", "version guard"}),
)  # fmt: skip
ASKED = Overlap(
    "asked", "a customer who waits no longer asks the other replica of order, before the first has answered",
    lambda: beginning((), {}, {}), lambda _: (_asked(1), _asked(OTHER_REQUEST)),
    frozenset({"one answer"}),
)  # fmt: skip
OVERLAPS = {each.name: each for each in (LAST, RELEASED, CROSSED, OPPOSITE, READ, PAGES, LONG, VERDICT, ASKED)}
SWITCHES = frozenset(name for each in OVERLAPS.values() for name in each.safeguards)
"""All safeguards that can be switched off in one of them."""
