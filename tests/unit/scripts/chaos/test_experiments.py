"""The experiments undo what they broke, however they end."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

from infra.failure import StackError
from scripts.chaos import world as waiting
from scripts.chaos.experiments.processes import kill_everything
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
