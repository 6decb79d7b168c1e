"""The experiments undo what they broke, however they end."""

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from infra.failure import StackError
from scripts.chaos import world as waiting
from scripts.chaos.experiments import queues, servers
from scripts.chaos.experiments.processes import kill_everything
from scripts.chaos.experiments.queues import TRIES_MAX, _missed, delete_dead_queue
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


class QuickWatch:
    """A broker whose queue is declared again at once, but for the last deletion; nothing lies in it, all is kept."""

    def __init__(self, deletions: int) -> None:
        self.deletions = self.published = 0
        self._gap_at = deletions

    async def delete(self, _: str) -> None:
        """Delete it."""
        self.deletions += 1

    async def missing(self, _: str) -> bool:
        """Tell whether somebody declared it since."""
        return self.deletions == self._gap_at

    async def publish(self, _: str, __: str, *messages: bytes) -> None:
        """Take messages."""
        self.published += len(messages)

    async def depths(self) -> dict[str, int]:
        """Find nothing."""
        return {}

    async def letters(self) -> int:
        """Count what was set aside."""
        return self.published

    async def declare(self) -> None:
        """Declare it again."""


@pytest.mark.parametrize(("gap_at", "deletions", "hit"), [(1, 1, True), (3, 3, True), (99, TRIES_MAX, False)])
async def test_a_queue_that_is_declared_again_too_soon_is_deleted_again(gap_at: int, deletions: int, hit: bool) -> None:
    """Or nothing has met the gap, and nothing is shown."""
    place, broker = world(), QuickWatch(gap_at)
    place.broker = place.database = cast("Any", broker)
    hits = await delete_dead_queue(place)
    assert (broker.deletions, hits > 0) == (deletions, hit)
    assert place.letters == broker.published


@pytest.mark.parametrize(("hits_at", "tries"), [(1, 1), (3, 3), (99, TRIES_MAX)])
async def test_a_lane_that_is_mended_before_anything_missed_it_is_harmed_again(
    hits_at: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who looks after the topology may come by at once."""
    monkeypatch.setattr(queues, "MISSED_TIMEOUT_S", 0.0)
    place, harmed = world(), 0

    class Watched:
        async def missed(self, *_: object) -> int:
            return int(harmed == hits_at)

    async def harm() -> None:
        nonlocal harmed
        harmed += 1

    place.database = cast("Any", Watched())
    assert await _missed(place, "harmed", harm) == (1 if hits_at <= TRIES_MAX else 0)
    assert harmed == tries


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
