"""One run of experiments: when it goes on, when it ends, and how it is interrupted."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from signal import SIGTERM

import httpx
import pytest

from infra.credentials import VARIABLES
from infra.home import Home
from infra.run import Mode, Run
from scripts.chaos import session as session_module
from scripts.chaos import world
from scripts.chaos.auditing import Auditor
from scripts.chaos.experiment import Experiment, Result, Verdict
from scripts.chaos.experiments import ALL
from scripts.chaos.session import Session
from scripts.shop import Shop
from tests.unit.scripts.chaos.fakes import FakeAuditor

PASSES = 20
"""Of the loop: more than it takes to handle a signal."""


class Told(Session):
    """Plays nothing, and comes to the verdict that it is told."""

    def __init__(self, directory: Path, verdict: Callable[[Experiment], Awaitable[Verdict]]) -> None:
        (directory / "secrets.env").write_text("".join(f"{name}=x\n" for name in VARIABLES))
        super().__init__(Home(directory), Run(Mode.NATIVE, 1), seed=1, rate=20.0)
        self.played: list[Experiment] = []
        self._auditor: Auditor = FakeAuditor()
        self._verdict = verdict

    async def _one(self, experiment: Experiment, shop: Shop) -> Verdict:
        self.played.append(experiment)
        verdict = await self._verdict(experiment)
        self.results.append(Result(experiment, verdict))
        return verdict


@pytest.mark.parametrize(
    ("verdict", "played"),
    [
        (Verdict.HELD, len(ALL)),
        (Verdict.BROKEN, len(ALL)),
        (Verdict.NOT_EXERCISED, len(ALL)),
        (Verdict.NOT_STEADY, 1),
    ],
)
async def test_it_goes_on_as_long_as_there_is_something_to_break(tmp_path: Path, verdict: Verdict, played: int) -> None:
    """From a state that is not steady nothing can be shown."""

    async def always(_: Experiment) -> Verdict:
        return verdict

    session = Told(tmp_path, always)
    await session.play(ALL)
    assert len(session.played) == played


async def test_in_the_end_everything_is_audited(tmp_path: Path) -> None:
    """What the looks of each experiment have missed breaks the last."""

    async def held(_: Experiment) -> Verdict:
        return Verdict.HELD

    session = Told(tmp_path, held)
    session._auditor = auditor = FakeAuditor(["stock is reserved: rosin"])
    await session.play(ALL[:2])
    assert auditor.asked_s == [None]
    assert [result.verdict for result in session.results] == [Verdict.HELD, Verdict.BROKEN]
    assert session.results[-1].findings == ["in the end, stock is reserved: rosin"]


class Keys:
    """Order, as far as it issues and revokes keys; it is away for the first `away` revocations."""

    def __init__(self, away: int = 0) -> None:
        self.open: list[str] = []
        self._away = away

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer, after whoever else asks at the same time has asked too."""
        await asyncio.sleep(0)
        path = request.url.path
        if request.method == "POST" and path.startswith("/customers/"):
            self.open.append(f"{path}/{len(self.open)}")
            return httpx.Response(201, json={"key_id": f"{len(self.open) - 1}", "key": "a key"})
        if request.method == "DELETE" and self._away:
            self._away -= 1
            raise httpx.ConnectError("away")
        if request.method == "DELETE":
            self.open.remove(path)
            return httpx.Response(204)
        return httpx.Response(201, json={"order_id": "1"})


@pytest.mark.parametrize("away", [0, 2])
@pytest.mark.parametrize("interrupted", [False, True])
async def test_no_key_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: int, interrupted: bool
) -> None:
    """Neither after an experiment nor after Ctrl-C, and where order comes back a little later; of two at once both."""
    monkeypatch.setattr(world, "LOOK_EVERY_MIN_S", 0.0)
    keys, ordered = Keys(away), 0

    class Ordering(Told):
        async def _one(self, experiment: Experiment, shop: Shop) -> Verdict:
            nonlocal ordered
            await asyncio.gather(*(shop.place({"rosin": 1}, "tok_approved", f"chaos-{ordered}") for _ in range(2)))
            ordered += 1
            assert len(keys.open) == 2  # its own: of the one before none is left
            if interrupted:
                os.kill(os.getpid(), SIGTERM)
                await asyncio.Event().wait()
            return await super()._one(experiment, shop)

    async def held(_: Experiment) -> Verdict:
        return Verdict.HELD

    monkeypatch.setattr(session_module, "Shop", partial(Shop, transport=httpx.MockTransport(keys)))
    session = Ordering(tmp_path, held)
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            await session.play(ALL[:2])
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    else:
        await session.play(ALL[:2])
    assert ordered == (1 if interrupted else 2)
    assert keys.open == []


async def test_asked_twice_to_end_it_undoes_all_the_same(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C again is no reason to leave something broken."""
    undone = False

    async def interrupted(_: Experiment) -> Verdict:
        nonlocal undone
        try:
            os.kill(os.getpid(), SIGTERM)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), SIGTERM)
            for _pass in range(PASSES):
                await asyncio.sleep(0)
            undone = True
        return Verdict.HELD

    session = Told(tmp_path, interrupted)
    with pytest.raises(KeyboardInterrupt):
        await session.play(ALL)
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    assert undone
    assert len(session.played) == 1
