"""One run of experiments, one after the other, on the stack that is up."""

import asyncio
import random
from collections.abc import Iterable
from signal import SIGHUP, SIGINT, SIGTERM

from infra.credentials import Credentials
from infra.docker.project import Project
from infra.home import Home
from infra.run import Mode, Run
from infra.runner import Runner
from scripts.chaos import screen
from scripts.chaos.auditing import Auditor, Promises
from scripts.chaos.broker import Broker
from scripts.chaos.course import Course
from scripts.chaos.database import Database
from scripts.chaos.docker import DockerHosts
from scripts.chaos.experiment import Experiment, Result, Verdict
from scripts.chaos.hosts import Hosts
from scripts.chaos.load import Load
from scripts.chaos.native import NativeHosts
from scripts.chaos.schedule import arrivals
from scripts.chaos.vitals import Vital, look
from scripts.chaos.world import AWAY, World, until
from scripts.shop import Shop
from scripts.stack import RUNNERS
from scripts.stack_screen import out

ORDERS_MAX = 50_000
"""Of one experiment."""
REVOKE_TIMEOUT_S = 30.0


class Session:
    """Plays experiments; `results` and `vitals` hold what was seen, also where it was interrupted."""

    def __init__(self, home: Home, stack: Run, seed: int, rate: float) -> None:
        """`rate` is in orders a second."""
        self.stack = stack
        self.results: list[Result] = []
        self.vitals: list[Vital] = []
        self._home = home
        self._seed = seed
        self._rate = rate
        self._credentials = Credentials.read(home.secrets)
        self._runner: Runner = RUNNERS[stack.mode](home)
        self._hosts: Hosts = NativeHosts(home) if stack.mode is Mode.NATIVE else DockerHosts(Project(home))
        self._database = Database(self._credentials.superuser)
        self._auditor: Auditor = Promises(home)

    async def play(self, experiments: Iterable[Experiment]) -> None:
        """Play them until one finds no steady state to begin from.

        Raises:
            KeyboardInterrupt: somebody pressed Ctrl-C, and what was broken is undone.
        """
        _undo_when_interrupted()
        async with Shop(self._credentials.operator_key) as shop:
            try:
                for experiment in experiments:
                    try:
                        verdict = await self._one(experiment, shop)
                    finally:
                        await _revoke_keys(shop)
                    if verdict is Verdict.NOT_STEADY:
                        return
                await self._audit_everything()
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None

    async def _one(self, experiment: Experiment, shop: Shop) -> Verdict:
        screen.announce(experiment)
        course = Course(experiment, self._world(shop), self._auditor, screen.tell)
        self.results.append(course.result)
        await course.run()
        self.vitals += await asyncio.to_thread(look, self._runner)
        screen.conclude(course.result)
        return course.result.verdict

    async def _audit_everything(self) -> None:
        """Hold everything against every promise, which is too much after each of many experiments."""
        try:
            broken = await self._auditor.run()
        except AWAY as error:
            broken = [f"the audit could not be run: {error!r}"]
        out.print(f"\neverything is audited: {len(broken) or 'no'} rules are broken")
        if broken:
            last = self.results[-1]
            last.findings += [f"in the end, {violation}" for violation in broken]
            last.verdict = Verdict.BROKEN

    def _world(self, shop: Shop) -> World:
        seed = f"{self._seed} {len(self.results)}"
        return World(
            home=self._home,
            credentials=self._credentials,
            runner=self._runner,
            hosts=self._hosts,
            database=self._database,
            broker=Broker(self._credentials),
            shop=shop,
            load=Load(shop, arrivals(self._rate, ORDERS_MAX, seed)),
            chance=random.Random(seed),
        )


async def _revoke_keys(shop: Shop) -> None:
    """Leave no key behind that would place orders for ever, also after Ctrl-C; what was broken is undone by now."""

    async def revoked() -> str:
        await shop.revoke_issued()
        return ""

    if missing := await until(revoked, REVOKE_TIMEOUT_S):
        out.print(f"the keys of its customers could not be revoked: {missing}")


def _undo_when_interrupted() -> None:
    """Let Ctrl-C, SIGTERM or a closed terminal end what runs, once: a second must not end the undoing."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    asked = False

    def end() -> None:
        nonlocal asked
        if task and not asked:
            asked = True
            out.print("interrupted; first, what was broken is undone")
            task.cancel()

    for signal in (SIGINT, SIGTERM, SIGHUP):
        loop.add_signal_handler(signal, end)
