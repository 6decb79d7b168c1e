"""The course of every experiment: steady state, load, fault and its undoing, quiescence, audit, verdict."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from scripts.chaos.auditing import Auditor, broken_promises
from scripts.chaos.experiment import Experiment, Moment, Result, Verdict, judge
from scripts.chaos.load import stock_up
from scripts.chaos.world import AWAY, Look, World, until

STEADY_TIMEOUT_S = 60.0
WARM_ORDERS, WARM_TIMEOUT_S = 20, 60.0
"""So many orders are placed before the fault, and again after it, or nothing is shown by it."""
ASK_AGAIN = frozenset({"502", "503"})
"""Not now, says a service; and Docker's front for one that ended before it answered, where natively nobody answers."""
READY_TIMEOUT_S = 120.0
QUIET_TIMEOUT_S = 240.0
"""Longer than the longest delay of a retry and the deadline of an order together."""
SINCE_MARGIN_S = 60.0
"""An experiment's audit looks so much further back than to its begin; when all are through, everything is audited."""


class Course:
    """One run of one experiment over a world whose load has not begun."""

    def __init__(self, experiment: Experiment, world: World, auditor: Auditor, tell: Callable[[Moment], None]) -> None:
        self.result = Result(experiment)
        self._tell = tell
        self._world = world
        self._auditor = auditor
        self._began_s = monotonic()
        world.say = self._say

    async def run(self) -> Result:
        """Run it; whatever goes wrong is a finding. Ctrl-C ends it when the fault is undone."""
        try:
            if await self._steady():
                await self._break()
        finally:
            await self._world.load.abandon()
            self._sum_up()
        return self.result

    async def _steady(self) -> bool:
        """Tell whether there is a steady state to begin from."""
        world = self._world
        missing = await until(world.missing, STEADY_TIMEOUT_S) or await until(self._prepared, STEADY_TIMEOUT_S)
        if missing:
            self._find(f"not steady before the fault: {missing}")
            self.result.verdict = Verdict.NOT_STEADY
            return False
        self._say("steady")
        return True

    async def _prepared(self) -> str:
        """Bring stock, take the dead letters of earlier days for granted, and say what is under way."""
        await stock_up(self._world.shop)
        self._world.letters = await self._world.database.letters()
        return await self._world.under_way()

    async def _break(self) -> None:
        result, world = self.result, self._world
        result.load_from_s = self._at_s()
        world.load.begin()
        await self._orders_flow("before")
        self._say("the fault begins")
        with self._lasting():
            try:
                async with asyncio.timeout(result.experiment.fault_timeout_s):
                    result.hits = await result.experiment.fault(world)
            except (*AWAY, AssertionError) as error:
                self._find(f"the fault went wrong: {error!r}")
                if (task := asyncio.current_task()) and task.cancelling():  # Ctrl-C, and the undoing has failed as well
                    raise asyncio.CancelledError from error
        self._say(f"the fault is over; it hit {result.hits} times")
        await self._orders_flow("after")
        await self._calm_down()
        result.verdict = judge(result.findings, result.hits)

    async def _calm_down(self) -> None:
        world = self._world
        await world.load.end()
        self._say(f"{len(world.load.placed)} orders were placed, and no more come")
        await self._insist("not ready", world.missing, READY_TIMEOUT_S)
        await self._insist("not done", world.under_way, QUIET_TIMEOUT_S)
        for told, count in world.load.answers.items():
            if told.startswith("5") and told not in ASK_AGAIN:
                self._find(f"{count} requests were answered {told}")
        await self._audit()

    async def _audit(self) -> None:
        try:
            broken = await broken_promises(self._world.database, self._world.load)
            for violation in broken + await self._auditor.run(self._at_s() + SINCE_MARGIN_S):
                self._find(violation)
        except AWAY as error:
            self._find(f"the audit could not be run: {error!r}")
        self._say("audited")

    async def _orders_flow(self, when: str) -> None:
        """Insist that orders are placed."""
        load = self._world.load
        goal = len(load.placed) + WARM_ORDERS

        async def placed() -> str:
            return "" if len(load.placed) >= goal else f"{goal - len(load.placed)} of {WARM_ORDERS} orders"

        await self._insist(f"no orders {when} the fault", placed, WARM_TIMEOUT_S)

    async def _insist(self, otherwise: str, look: Look, timeout_s: float) -> None:
        if missing := await until(look, timeout_s):
            self._find(f"{otherwise} within {timeout_s:g} s: {missing}")

    @contextmanager
    def _lasting(self) -> Iterator[None]:
        began_s = self._at_s()
        try:
            yield
        finally:
            self.result.fault_s = (began_s, self._at_s())

    def _find(self, finding: str) -> None:
        self.result.findings.append(finding)
        self._say(f"✗ {finding}")

    def _say(self, what: str) -> None:
        self.result.timeline.append(moment := Moment(self._at_s(), what))
        self._tell(moment)

    def _at_s(self) -> float:
        return monotonic() - self._began_s

    def _sum_up(self) -> None:
        result, load = self.result, self._world.load
        result.orders, result.answers = len(load.placed), dict(load.answers)
        seconds = range(max((second for second, _ in load.by_second), default=-1) + 1)
        result.by_second = [(load.by_second[second, True], load.by_second[second, False]) for second in seconds]
        result.took_s = self._at_s()
