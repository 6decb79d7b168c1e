"""Schedules of the simulator on a real PostgreSQL: what happens in memory happens there too, step by step.

`python -m tests.reality` plays more of them.
"""

from collections.abc import Iterator

import pytest
from loguru import logger

from tests.integration.servers import Servers
from tests.reality.database import Database, databases
from tests.reality.lockstep import HARDSHIPS, DifferenceError, Manner, compare
from tests.reality.teeth import TEETH, Tooth

pytestmark = [pytest.mark.integration, pytest.mark.once]

SEED = 1
SCHEDULES, HARD_SCHEDULES, RACED_SCHEDULES, TOOTH_MAX_SCHEDULES = 12, len(HARDSHIPS), 8, 40
RACES = 0.3
"""So many of the steps are two at once."""


@pytest.fixture(scope="module")
def database(servers: Servers) -> Iterator[Database]:
    """The session's PostgreSQL. The kit logs nothing meanwhile: what goes wrong here goes wrong on purpose."""
    logger.disable("shared")
    with databases(servers.database_url) as database:
        yield database
    logger.enable("shared")


def test_what_happens_in_memory_happens_in_postgresql(database: Database) -> None:
    """Schedules of a campaign, with all misfortunes, come to the same in every step."""
    steps = sum(compare(database, SEED, number).steps for number in range(SCHEDULES))
    assert steps > 10 * SCHEDULES


def test_so_it_does_where_the_same_goes_wrong_over_and_over(database: Database) -> None:
    """Each misfortune in turn, so often that letters are kept and replayed, leases lost, queues refilled."""
    steps = sum(compare(database, SEED, number, Manner(is_hard=True)).steps for number in range(HARD_SCHEDULES))
    assert steps > 10 * HARD_SCHEDULES


@pytest.mark.parametrize("setting", ["late", "deadly"])
def test_so_it_does_in_the_worlds_that_are_not_drawn(database: Database, setting: str) -> None:
    """A lane that is declared late; an event that ends every process which reacts to it."""
    compare(database, SEED, 0, Manner(setting))


def test_two_replicas_at_once_come_to_one_after_the_other(database: Database) -> None:
    """However two transactions meet, they leave what they would have left one after the other, and never deadlock."""
    races = sum(compare(database, SEED, number, Manner(races=RACES)).races for number in range(RACED_SCHEDULES))
    assert races > RACED_SCHEDULES


@pytest.mark.parametrize("tooth", TEETH, ids=lambda tooth: tooth.name)
def test_sql_that_is_wrong_is_told(database: Database, tooth: Tooth, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each statement that says something else than it should leads to a difference."""
    for statement, right, wrong in tooth.breaks:
        assert right in statement.sql
        monkeypatch.setattr(statement, "sql", statement.sql.replace(right, wrong))

    def play() -> None:
        for number in range(tooth.tells, tooth.tells + TOOTH_MAX_SCHEDULES):
            compare(database, SEED, number, tooth.manner)

    with pytest.raises(DifferenceError):
        play()
