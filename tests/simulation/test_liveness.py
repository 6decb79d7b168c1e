"""What never comes to rest breaks a promise too, and is told as a story like any other."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from shared.ports import Claim, Posted
from shared.relay import Relay
from tests.simulation.explore import NEVER, explore
from tests.simulation.loop import StepLoop
from tests.simulation.shown import BROKEN, along, everywhere
from tests.simulation.store import MemoryStore
from tests.simulation.worlds import ONE

CALM = ONE.world(crash=0, duplicate=0)


def test_a_round_without_a_way_out_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is deleted the same is published for ever: there is no end, and that is a counterexample."""

    async def keep(self: MemoryStore, confirmed: Collection[Posted]) -> None:
        pass

    monkeypatch.setattr(MemoryStore, "delete_confirmed", keep)
    assert everywhere(CALM, "one", ()) == BROKEN
    told = capsys.readouterr().out
    assert NEVER in told
    assert "1. A customer’s request: place 1 → order.placed." in told
    assert "--path" not in told, "playing it shows only that it has not ended yet"


def test_what_is_published_ever_again_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that never notes what was confirmed publishes the same again, and the heap of copies is a break."""
    sweep = Relay.sweep

    async def forgetful(self: Relay) -> int:
        known = set(self._confirmed)
        swept = await sweep(self)
        self._confirmed &= known
        return swept

    monkeypatch.setattr(Relay, "sweep", forgetful)
    found = explore(ONE.world(crash=0, duplicate=0, outage=1)).counterexample
    assert found is not None
    assert {each.rule for each in found.breaks} == {"settles"}


def test_a_step_that_never_ends_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a break of its own, and the path that is printed shows it."""

    async def reschedule(self: MemoryStore, claim: Claim, *_: Any, **__: Any) -> None:
        await _spin()

    monkeypatch.setattr(MemoryStore, "reschedule", reschedule)
    world = ONE.world(crash=0, duplicate=0, silence=1)
    assert everywhere(world, "one", ()) == BROKEN
    told = capsys.readouterr().out
    assert "payment goes on and on" in told
    path = told.partition("--path ")[2].split()[0]
    assert along(world, path, ()) == BROKEN
    assert "payment goes on and on" in capsys.readouterr().out


def test_a_loop_stops_at_its_bound() -> None:
    """What is always ready does not run for ever."""
    loop = StepLoop()
    task = loop.run(_spin())
    assert loop.is_endless
    assert task is not None
    assert not task.done()


async def _spin() -> None:
    while True:  # noqa: ASYNC110 - it waits for nothing, which is the point
        await asyncio.sleep(0)
