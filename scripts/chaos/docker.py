"""Programs that run in containers: `docker` commands on this project's containers, and on no others."""

import asyncio
from collections.abc import Sequence

from infra.docker.containers import Container, containers_of
from infra.docker.engine import ask
from infra.docker.project import Project
from infra.failure import StackError


class DockerHosts:
    """The project's containers. What `docker kill` has ended the engine leaves dead, as a person's wish."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def names(self, program: str) -> Sequence[str]:
        """Name a program's containers, by their numbers."""
        found = [one for one in await self._containers() if one.service == program]
        return [_name(one) for one in sorted(found, key=lambda one: one.number)]

    async def incarnation(self, name: str) -> str:
        """Give its container and when that was started."""
        one = await self._container(name)
        return f"{one.id} {one.started_at}" if one.status in {"running", "paused"} else ""

    async def kill(self, name: str) -> None:
        """Have the engine send SIGKILL."""
        await self._do(name, "kill")

    async def quit(self, name: str) -> None:
        """Have the engine send SIGQUIT to its first process."""
        await self._do(name, "kill", "--signal", "QUIT")

    async def freeze(self, name: str) -> None:
        """Pause every process in it."""
        await self._do(name, "pause")

    async def thaw(self, name: str) -> None:
        """Let them go on."""
        if (await self._container(name)).status == "paused":
            await self._do(name, "unpause")

    async def revive(self, name: str) -> None:
        """Start its container again, unless it runs; Docker refuses to start one that is paused."""
        if not await self.incarnation(name):
            await self._do(name, "start")

    async def rabbitmqctl(self, *arguments: str) -> None:
        """Run the command in the broker's container."""
        (broker,) = [one for one in await self._containers() if one.service == "rabbitmq"]
        await asyncio.to_thread(ask, "exec", broker.id, "rabbitmqctl", "--quiet", *arguments)

    async def _do(self, name: str, verb: str, *options: str) -> None:
        one = await self._container(name)
        await asyncio.to_thread(ask, verb, *options, one.id)

    async def _container(self, name: str) -> Container:
        for one in await self._containers():
            if _name(one) == name:
                return one
        raise StackError(f"there is no container of {name}")

    async def _containers(self) -> tuple[Container, ...]:
        return await asyncio.to_thread(containers_of, self._project)


def _name(one: Container) -> str:
    return f"{one.service}-{one.number}"
