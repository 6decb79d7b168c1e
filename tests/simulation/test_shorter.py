"""What a campaign finds is told in as few steps as can be found."""

from pathlib import Path

from tests.simulation.campaign import play
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.shorter import Tale, follow, is_possible, shortened
from tests.simulation.shown import replayed
from tests.simulation.spread import Campaign, run
from tests.simulation.steps import take
from tests.simulation.story import tell

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulation.md"
WITHOUT_INBOX = Campaign(1, removed=("inbox",))
SCHEDULES = 40
STEPS_MAX = 7
"""Placed, told to somebody, told again, and what goes wrong so that it is told again."""


def _first_broken() -> tuple[int, Tale, ProcessSteps]:
    processes = ProcessSteps(WITHOUT_INBOX.removed)
    for number in range(SCHEDULES):
        world = WITHOUT_INBOX.beginning(number)
        schedule = play(world, WITHOUT_INBOX.chance(number), processes)
        if schedule.breaks:
            return number, Tale(world, schedule), processes
    raise AssertionError("without an inbox nothing breaks")


def test_a_broken_promise_is_told_in_few_steps() -> None:
    """Orders and steps that have nothing to do with it are left out, and what is left still breaks it."""
    _, tale, processes = _first_broken()
    short = shortened(tale, processes)
    assert len(short.schedule.actions) < len(tale.schedule.actions)
    assert len(short.schedule.actions) <= STEPS_MAX
    assert {each.rule for each in short.schedule.breaks} & {each.rule for each in tale.schedule.breaks}
    assert follow(short.beginning, short.schedule.actions, processes).breaks == short.schedule.breaks
    assert shortened(tale, ProcessSteps(WITHOUT_INBOX.removed)).schedule.actions == short.schedule.actions


def test_the_document_tells_the_shortest_story() -> None:
    """It is the one that is told by the command that plays it again."""
    _, tale, processes = _first_broken()
    beginning, schedule = shortened(tale, processes)
    told = tell(replayed(beginning, schedule.actions, WITHOUT_INBOX.removed), schedule.breaks)
    assert "\n".join(told) in DOCUMENT.read_text()


def test_the_first_that_breaks_is_told_by_its_number() -> None:
    """Whatever is played on other cores meanwhile."""
    number, _, _ = _first_broken()
    assert run(WITHOUT_INBOX, SCHEDULES).broken == [number]


def test_a_step_is_possible_while_it_can_be_taken() -> None:
    """Every step of a schedule is possible where it was taken, and what nobody has sent cannot be delivered."""
    processes, campaign = ProcessSteps(), Campaign(1)
    for number in range(20):
        beginning = world = campaign.beginning(number)
        for action in play(world, campaign.chance(number), processes).actions:
            assert is_possible(world, action)
            assert action.kind != "deliver" or not is_possible(beginning, action)
            after = take(world, action, processes)
            assert after is not None
            world = after
