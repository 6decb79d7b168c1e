"""Events that are poisonous, come again and again, or are dated by a clock that is wrong."""

from collections import Counter

from infra.ports import HOST
from infra.topology import TABLES
from scripts.chaos.experiment import Experiment
from scripts.chaos.poison import poison
from scripts.chaos.schedule import PLENTY
from scripts.chaos.world import World, insist
from scripts.shop import Addresses, Shop

LETTERS_TIMEOUT_S = 60.0
STORM_EVENTS, STORM_TIMES = 150, 4
CLOCK_AHEAD_S = 600.0
MISDATED_ORDERS = 20
MISDATED = """
    SELECT count(*) FROM order_service.orders
    WHERE order_id = ANY($1::uuid[]) AND placed_at > now() + interval '5 minutes'
"""


async def poison_every_lane(world: World) -> int:
    """Put poison of every kind into every lane, and see each set aside."""
    before = world.letters
    readers = Counter(event for table in TABLES for event in table.consumed)
    for event, count in readers.items():
        world.letters += count * await poison(world, event)

    async def set_aside() -> str:
        letters = await world.database.letters()
        return "" if letters == world.letters else f"{letters - before} of {world.letters - before} set aside"

    await insist(set_aside, LETTERS_TIMEOUT_S)
    world.say("each was set aside, and kept as a dead letter")
    return await world.database.letters() - before


async def storm(world: World) -> int:
    """Publish the latest events of every service again and again, as their owners."""
    hits = 0
    for owner in filter(lambda table: table.published, TABLES):
        types = [event.kind.type for event in owner.published]
        recent = await world.database.recent(owner.service, types, STORM_EVENTS)
        for _ in range(STORM_TIMES):
            hits += await world.broker.republish(recent)
        world.say(f"{len(recent)} events of {owner.service} came again, {STORM_TIMES} times")
    return hits


async def wrong_clock(world: World) -> int:
    """Run an order process whose clock is ten minutes ahead, and place orders with it."""
    async with (
        world.beside("order", clock_ahead_s=CLOCK_AHEAD_S) as extra,
        Shop(
            world.credentials.operator_key,
            world.credentials.customers,
            addresses=Addresses(order=f"http://{HOST}:{extra.port}"),
        ) as shop,
    ):
        orders = [await shop.place({world.chance.choice(PLENTY): 1}, "tok_approved") for _ in range(MISDATED_ORDERS)]
        placed = [order["order_id"] for order in orders]
        world.load.placed += placed
        hits: int = await world.database.value(MISDATED, placed)
        world.say(f"{hits} orders are dated ten minutes ahead")
    return hits


EXPERIMENTS = (
    Experiment(
        "poison",
        "Messages that nobody can read are set aside at once, and nothing behind them waits.",
        poison_every_lane,
    ),
    Experiment("duplicate-storm", "Events that come again and again have their effect once.", storm),
    Experiment(
        "wrong-clock",
        "A process whose clock is ten minutes ahead ends no order early, late, or twice: the database judges time.",
        wrong_clock,
    ),
)
