"""The dashboard's stories, held against worlds of which everything is known, at every step of them."""

import random
from collections.abc import Iterator
from uuid import UUID

from services.dashboard.dance import dance
from services.dashboard.log import Asked, Happened, Verdict
from services.dashboard.story import Kind, Status, Story, tell
from services.order.state import Order
from tests.simulation.campaign import play
from tests.simulation.facts import orders
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.world import Action, World
from tests.simulation.worlds import drawn

SCHEDULES = 30


def test_every_story_is_what_the_world_knows() -> None:
    """Whatever happens in whatever order: what is open is named, and what is over is not waited for."""
    processes, seen = ProcessSteps(), set[object]()

    def watch(_: World, action: Action, after: World) -> None:
        for order_id in orders(after):
            story, order = _story(after, order_id), _order(after, order_id)
            seen.add(story.status)
            seen.update(wait.kind for wait in story.waits)
            assert story.settled or story.waits, action
            if story.settled:
                assert order is not None
                assert order.settled, action
            assert _meant(story) == _recorded(after, order_id), action

    for number in range(SCHEDULES):
        end = play(drawn(random.Random(number)).world(), number, processes, watch).end
        for order_id in orders(end):
            story, order = _story(end, order_id), _order(end, order_id)
            assert order is not None
            assert story.settled is order.settled
            assert [wait for wait in story.waits if wait.kind is not Kind.LETTER] == []
    assert seen >= {*Status, Kind.REACTION, Kind.INTENT, Kind.TIMER}


def _story(world: World, order_id: UUID) -> Story:
    verdicts = {
        Asked(service, event_id): Verdict(row.outcome)
        for service, tables in world.tables.items()
        for event_id, row in tables.inbox.items()
    }
    return tell(dance(), _log(world, order_id), verdicts)


def _log(world: World, order_id: UUID) -> Iterator[Happened]:
    for service, tables in world.tables.items():
        for entry in tables.logs.get(order_id, ()):
            logged = entry.logged
            assert logged.causation_id is not None
            yield Happened(
                logged.event_id, order_id, service, logged.routing_key, logged.type, entry.version,
                logged.causation_id, logged.occurred_at, entry.public,
            )  # fmt: skip


def _order(world: World, order_id: UUID) -> Order | None:
    order: Order | None
    order, _ = world.tables["order"].states.get(order_id, (None, 0))
    return order


def _meant(story: Story) -> list[str]:
    return sorted(wait.name for wait in story.waits if wait.kind in (Kind.INTENT, Kind.TIMER))


def _recorded(world: World, order_id: UUID) -> list[str]:
    return sorted(
        f"{service}.{kind}"
        for service, tables in world.tables.items()
        for stream, kind in tables.intents
        if stream == order_id
    )
