"""The experiments undo what they broke, however they end."""

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from infra.failure import StackError
from scripts.chaos import world as waiting
from scripts.chaos.experiments import servers
from scripts.chaos.experiments.processes import kill_everything
from scripts.chaos.experiments.servers import freeze_for_long
from tests.unit.scripts.chaos.fakes import world
from tests.unit.test_past_proxies import REPOSITORY


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again without a pause."""
    monkeypatch.setattr(waiting, "LOOK_EVERY_MIN_S", 0.0)


class FakeHosts:
    """One replica of each program, which stay dead until they are revived; one cannot be killed."""

    def __init__(self, immortal: str) -> None:
        self._immortal = immortal
        self.lives: dict[str, int] = {}
        self.dead: set[str] = set()

    async def names(self, program: str) -> Sequence[str]:
        """Name it."""
        self.lives[f"{program}-1"] = 1
        return [f"{program}-1"]

    async def incarnation(self, name: str) -> str:
        """Give its life."""
        return "" if name in self.dead else str(self.lives[name])

    async def kill(self, name: str) -> None:
        """Kill it, if it can be."""
        if name == self._immortal:
            raise StackError(f"{name} does not run")
        self.dead.add(name)

    quit = kill

    async def revive(self, name: str) -> None:
        """Begin another life."""
        self.dead.remove(name)
        self.lives[name] += 1


class FrozenHosts:
    """One server, which answers unless it is frozen."""

    def __init__(self) -> None:
        self.frozen: set[str] = set()
        self.look: Callable[[], None] = lambda: None

    async def names(self, program: str) -> Sequence[str]:
        """Name it."""
        return [program]

    async def freeze(self, name: str) -> None:
        """Freeze it."""
        self.frozen.add(name)

    async def thaw(self, name: str) -> None:
        """Let it go on."""
        self.frozen.remove(name)

    async def answers(self) -> bool:
        """Tell whether it answers, and that somebody asked."""
        self.look()
        return not self.frozen


async def test_everything_that_was_killed_is_revived_where_the_killing_was_ended_halfway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that was not killed never comes back as another; those that were must not wait for it."""
    monkeypatch.setattr(waiting, "RETURN_TIMEOUT_S", 0.1)
    place, hosts = world(), FakeHosts(immortal="payment-1")
    place.hosts = cast("Any", hosts)
    with pytest.raises(TimeoutError, match="is not back"):
        await kill_everything(place)
    assert hosts.dead == set()
    assert hosts.lives["order-1"] == hosts.lives["inventory-1"] == 2


async def test_a_long_outage_is_watched_to_its_end_and_then_customers_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They stay away meanwhile: no crowd waits before a shop that cannot serve."""
    for duration in ("OUTAGE_FLOWS_S", "OUTAGE_LOOKS_EVERY_S"):
        monkeypatch.setattr(servers, duration, 0.0)
    monkeypatch.setattr(servers, "OUTAGE_S", 0.05)
    place, hosts = world(), FrozenHosts()
    place.hosts = cast("Any", hosts)
    place.database = cast("Any", hosts)
    looks: list[bool] = []
    hosts.look = lambda: looks.append(place.load.is_open)
    assert await freeze_for_long("postgres", place) == len(looks) > 0
    assert not any(looks)
    assert place.load.is_open
    assert hosts.frozen == set()


def undoings() -> Iterator[tuple[str, ast.expr]]:
    """Find what is awaited where an experiment undoes something."""
    for file in (REPOSITORY / "scripts" / "chaos" / "experiments").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            for statement in node.finalbody if isinstance(node, ast.Try) else ():
                for inner in ast.walk(statement):
                    if isinstance(inner, ast.Await):
                        yield f"{file.name}:{inner.lineno}", inner.value


@pytest.mark.parametrize("awaited", [pytest.param(value, id=place) for place, value in undoings()])
def test_whatever_is_undone_is_undone_to_the_end(awaited: ast.expr) -> None:
    """Ctrl-C may come just then; only a look whether it helped may be broken off."""
    assert isinstance(awaited, ast.Call)
    assert ast.unparse(awaited.func) in {"to_the_end", "insist"}
