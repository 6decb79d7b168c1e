"""What an experiment may do to the programs of the stack; each way of running it does so in its own words."""

from collections.abc import Sequence
from typing import Protocol


class Hosts(Protocol):
    """The programs of this stack and of no other. Every method raises StackError where a program is not there."""

    async def names(self, program: str) -> Sequence[str]:
        """Name a program's replicas, such as `payment-1`; one where it runs once."""

    async def incarnation(self, name: str) -> str:
        """Give what changes when it is started anew; "" while it does not run."""

    async def kill(self, name: str) -> None:
        """End it at once, with SIGKILL."""

    async def quit(self, name: str) -> None:
        """Tell it to quit with SIGQUIT, which PostgreSQL takes for an immediate stop."""

    async def freeze(self, name: str) -> None:
        """Stop it and its workers in their tracks: connections stay open, and nobody answers."""

    async def thaw(self, name: str) -> None:
        """Let it go on; one that is not frozen stays as it is."""

    async def revive(self, name: str) -> None:
        """Start it again, where nobody else does; one that runs stays as it is."""

    async def rabbitmqctl(self, *arguments: str) -> None:
        """Run RabbitMQ's own command on its node."""
