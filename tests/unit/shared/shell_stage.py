"""The stage of the shell's tests."""

from collections.abc import Callable
from typing import Any

from shared.batch import Follow, Item, Result, pass_on
from shared.ids import new_id
from shared.ports import WorldError
from shared.reactions import Reactions
from shared.shell import Committed, Shell
from tests.unit.shared.fakes import FakeClock, FakeConfirmations, FakeStore
from tests.unit.shared.loop import running
from tests.unit.shared.toy import order, toy

BATCH_MAX_EVENTS = 10
LOST = WorldError("the connection is lost")


class Stage:
    """A shell over a world in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.confirmations = FakeConfirmations()
        self.commits: list[Committed] = []
        self.shell = self.born()

    def born(
        self,
        reactions: Reactions = toy,
        on_commit: Callable[[Committed], None] | None = None,
        follow: Follow = pass_on,
    ) -> Shell:
        """Give the shell of a new process over the same world."""
        return Shell(
            reactions,
            self.store,
            self.confirmations,
            self.clock,
            on_commit or self.commits.append,
            life=new_id(),
            batch_max_events=BATCH_MAX_EVENTS,
            waiting_max_works=3,
            follow=follow,
        )

    async def play(self, *items: Item) -> tuple[Result, ...]:
        """Submit one work and wait for its results."""
        async with running(self.shell.run()):
            return await self.shell.submit(*items)

    @property
    def plays(self) -> int:
        state = self.store.tables.states.get(order())
        return state.state.plays if state else 0


def kinds(results: tuple[Result, ...]) -> list[type[Any]]:
    return [type(result) for result in results]
