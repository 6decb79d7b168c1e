"""Waiting for a state of the world."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from scripts.chaos import world as waiting
from scripts.chaos.world import insist, until
from tests.unit.scripts.chaos.fakes import world


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again without a pause."""
    monkeypatch.setattr(waiting, "LOOK_EVERY_MAX_S", 0.0)


class FakeHosts:
    """Tells one incarnation after another, and notes who is revived."""

    def __init__(self, *incarnations: str) -> None:
        self._incarnations: Iterator[str] = iter(incarnations)
        self.revived: list[str] = []

    async def incarnation(self, name: str) -> str:
        """Give the next."""
        return next(self._incarnations)

    async def revive(self, name: str) -> None:
        """Note it."""
        self.revived.append(name)


async def test_a_program_is_revived_once_it_has_ended() -> None:
    """To start one that is still ending changes nothing, and it would stay dead."""
    place, hosts = world(), FakeHosts("before", "before", "", "after")
    place.hosts = cast("Any", hosts)
    assert await place.returned("postgres-1", "before") == 1
    assert hosts.revived == ["postgres-1"]


async def test_what_cannot_be_asked_is_asked_again() -> None:
    """A server that is away is the very thing that is waited for."""
    answers: Iterator[OSError | str] = iter([OSError("away"), "", "never asked"])

    async def look() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert await until(look, 10.0) == ""


async def test_when_the_time_is_over_it_says_what_is_missing() -> None:
    """And `insist` raises it."""

    async def look() -> str:
        return "the moon"

    assert await until(look, 0.0) == "the moon"
    with pytest.raises(TimeoutError, match="after 0 s: the moon"):
        await insist(look, 0.0)
