"""A server in a container that Testcontainers makes: started, stopped, killed, frozen and restarted by a test."""

import asyncio
from collections.abc import Mapping

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from infra.native.program import Probe
from infra.ports import HOST

# Ryuk is one more image from a registry, and wants the engine's socket; `reaper` removes what a killed run leaves.
testcontainers_config.ryuk_disabled = True

START_TIMEOUT_S = 180.0
"""On a slow machine; after a crash a server reads its log first."""
STOP_TIMEOUT_S = 30
LOG_LINES = 30
LOOK_EVERY_S = 0.1


class Contained:
    """One container on fixed ports of this machine alone; loop-agnostic, as a `Running` is.

    Testcontainers connects to ports that the engine draws, by an address that it guesses; a server that is killed
    and started again has to come back to where it was, so here ports are bound, and asked over 127.0.0.1.
    """

    def __init__(self, container: DockerContainer, ports: Mapping[int, int], ready: Probe) -> None:
        self._container = container
        self._ready = ready
        for inside, outside in ports.items():
            # Testcontainers knows a number alone, and hands what it is given to docker-py, which takes an address too
            container.ports[f"{inside}/tcp"] = (HOST, outside)  # type: ignore[assignment]  # docker-py takes an address, testcontainers' type does not

    async def start(self) -> None:
        """Start it, or start it again on the data and the ports that it had, and wait until it is ready.

        Raises:
            AssertionError: it ended, or was not ready in time; with the end of its log.
        """
        await asyncio.to_thread(self._start)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not await self._ready():
                    await asyncio.to_thread(self._insist_that_it_runs)
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise self._failure(f"was not ready within {START_TIMEOUT_S:g} s") from None

    async def stop(self) -> None:
        """Ask it to end and wait for it."""
        await asyncio.to_thread(self._container.get_wrapped_container().stop, timeout=STOP_TIMEOUT_S)

    async def kill(self) -> None:
        """Kill it as a power cut would, and wait until it is gone."""
        server = self._container.get_wrapped_container()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.wait, timeout=STOP_TIMEOUT_S)

    async def restart(self) -> None:
        """Stop it and start it again on the same data."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Stop all that runs in it in its tracks: connections stay open, and nobody answers."""
        self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        """Let it go on."""
        self._container.get_wrapped_container().unpause()

    async def run(self, command: list[str], **environment: str) -> None:
        """Run a command in it.

        Raises:
            AssertionError: it failed; with what it wrote.
        """
        server = self._container.get_wrapped_container()
        done = await asyncio.to_thread(server.exec_run, command, environment=environment)
        assert done.exit_code == 0, done.output.decode(errors="replace")

    def log(self) -> bytes:
        """Read all that it has logged."""
        logged: bytes = self._container.get_wrapped_container().logs()
        return logged

    def _start(self) -> None:
        if self._container.status == "not_started":
            self._container.start()
        else:
            self._container.get_wrapped_container().start()

    def _insist_that_it_runs(self) -> None:
        self._container.reload()
        if self._container.status != "running":
            raise self._failure(f"is {self._container.status}")

    def _failure(self, what: str) -> AssertionError:
        lines = self.log().decode(errors="replace").splitlines()[-LOG_LINES:]
        return AssertionError("\n".join([f"the container of {self._container.image} {what}", *lines]))
