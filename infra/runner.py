"""What each way of running the stack can do. `infra.native` and `infra.docker` know nothing of each other."""

from collections.abc import Iterator
from typing import Protocol

from infra.screen import Screen
from infra.standing import Standing


class Runner(Protocol):
    """One way. Every method may raise StackError; none is called by two commands at once, but `standing` and `logs`."""

    def up(self, scale: int, screen: Screen) -> bool:
        """Bring the stack up, each service `scale` times; tell whether it had to be, or was up already.

        Raises:
            StackError: it does not come up; nothing of it is left running.
            KeyboardInterrupt: a person did not want to wait; nothing of it is left running either.
        """

    def runs(self) -> bool:
        """Tell whether anything of it runs."""

    def down(self, screen: Screen) -> bool:
        """Stop everything and wait until it is gone; tell whether anything ran."""

    def reset(self, screen: Screen) -> None:
        """Stop everything, then delete all data and logs of this way."""

    def standing(self, memory: bool = False) -> Standing:
        """Look how it stands; with `memory`, also what each program holds, which may take seconds."""

    def logs(self, name: str, lines: int, follow: bool) -> Iterator[str]:
        """Give the last lines of what a program wrote, or all of them by time; then what comes, if asked."""

    def migrate(self) -> None:
        """Bring the schema of every service up to date, while the stack is up."""
