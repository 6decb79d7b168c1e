"""The supervisor, with small programs in the place of servers."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL, SIGSTOP

import psutil
import pytest

from infra.failure import StackError
from infra.home import REPOSITORY
from infra.native.child import Child
from infra.native.program import Owner, Restarts
from infra.native.seat import Seat
from infra.standing import State
from shared.backoff import Backoff
from tests.unit.infra.standins import FOR_EVER, lasting, once, program, seat_of, states, supervised, traces, until


async def test_programs_start_after_what_they_need(tmp_path: Path) -> None:
    """However they are listed; and a program that runs once counts when it has succeeded."""
    programs = (
        lasting(tmp_path, "service", needs=("migration",)),
        once(tmp_path, "migration", needs=("database",)),
        lasting(tmp_path, "database"),
    )
    async with supervised(tmp_path, *programs) as supervisor:
        await supervisor.start()
        assert traces(tmp_path) == ["database started", "migration ran", "service started"]
        assert states(supervisor) == {"service": State.READY, "migration": State.DONE, "database": State.READY}


async def test_they_stop_in_reverse_order(tmp_path: Path) -> None:
    """A service ends before the database that it writes to."""
    programs = (
        lasting(tmp_path, "database"),
        lasting(tmp_path, "service", needs=("database",)),
        lasting(tmp_path, "page", needs=("service",)),
    )
    async with supervised(tmp_path, *programs) as supervisor:
        await supervisor.start()
        await supervisor.stop()
        assert traces(tmp_path)[3:] == ["page ended", "service ended", "database ended"]
        assert set(states(supervisor).values()) == {State.STOPPED}


async def test_what_nobody_waits_for_starts_side_by_side(tmp_path: Path) -> None:
    """Two programs that each wait for the other's trace both become ready."""
    meet = "trace here; until grep -q '{other} here' traces; do :; done"
    programs = (
        once(tmp_path, "one", meet.format(other="two")),
        once(tmp_path, "two", meet.format(other="one")),
    )
    async with supervised(tmp_path, *programs) as supervisor:
        await supervisor.start()


async def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    """With the program's exit code and the end of its log, but nothing of an earlier run's."""
    (tmp_path / "migration.log").write_text("an earlier run\n")
    programs = (once(tmp_path, "migration", "echo no such table; exit 3"), lasting(tmp_path, "database"))
    async with supervised(tmp_path, *programs) as supervisor:
        with pytest.raises(StackError, match="migration ended with exit code 3") as failure:
            await supervisor.start()
        assert failure.value.lines == ("no such table",)
        assert seat_of(supervisor, "migration").state is State.FAILED


async def test_a_program_that_is_not_there_is_a_failed_start(tmp_path: Path) -> None:
    """It has no log to show."""
    missing = replace(lasting(tmp_path, "database"), argv=(str(tmp_path / "nowhere"),))
    async with supervised(tmp_path, missing) as supervisor:
        with pytest.raises(StackError, match="database cannot be started"):
            await supervisor.start()


async def test_a_program_that_is_not_ready_in_time_is_a_failed_start(tmp_path: Path) -> None:
    """It is stopped with the rest."""

    async def never() -> bool:
        return False

    slow = lasting(tmp_path, "service", ready=never, ready_timeout_s=0.2)
    async with supervised(tmp_path, slow, lasting(tmp_path, "database")) as supervisor:
        with pytest.raises(StackError, match=r"service was not ready within 0\.2 s"):
            await supervisor.start()
        await until(lambda: "service started" in traces(tmp_path))
        await supervisor.stop()
        assert not any(seat.running for seat in supervisor.seats)


async def test_a_program_that_ends_before_it_is_ready_is_a_failed_start(tmp_path: Path) -> None:
    """Nobody waits for its bound, and nobody tries again: a first start that fails is for a person."""

    async def never() -> bool:
        return False

    async with supervised(tmp_path, program(tmp_path, "service", "exit 0", ready=never)) as supervisor:
        with pytest.raises(StackError, match="service ended with exit code 0"):
            await supervisor.start()


async def test_a_start_can_be_broken_off(tmp_path: Path) -> None:
    """What had been started is stopped, and what had not is not started."""
    blocked = once(tmp_path, "migration", "trace began; " + FOR_EVER, needs=("database",))
    programs = (lasting(tmp_path, "database"), blocked, lasting(tmp_path, "service", needs=("migration",)))
    async with supervised(tmp_path, *programs) as supervisor:
        starting = asyncio.create_task(supervisor.start())
        await until(lambda: "migration began" in traces(tmp_path))
        starting.cancel()
        await asyncio.wait([starting])
        await supervisor.stop()
        assert not any(seat.running for seat in supervisor.seats)
        assert "service started" not in traces(tmp_path)


async def test_what_crashes_is_started_again(tmp_path: Path) -> None:
    """Under a new number, and the board says how often and why."""
    async with supervised(tmp_path, lasting(tmp_path, "service")) as supervisor:
        await supervisor.start()
        seat = supervisor.seats[0]
        assert seat.child
        first = seat.child.pid
        os.kill(first, SIGKILL)
        await until(lambda: seat.restarts == 1 and seat.state is State.READY)
        assert seat.child.pid != first
        assert seat.last_exit == -SIGKILL


async def test_it_tries_again_even_if_it_cannot_be_started(tmp_path: Path) -> None:
    """A binary may be gone for a moment, in the middle of an upgrade."""
    tool = tmp_path / "tool"
    tool.symlink_to("/bin/bash")
    service = lasting(tmp_path, "service")
    async with supervised(tmp_path, replace(service, argv=(str(tool), *service.argv[1:]))) as supervisor:
        await supervisor.start()
        seat = supervisor.seats[0]
        tool.unlink()
        assert seat.child
        os.kill(seat.child.pid, SIGKILL)
        await until(lambda: seat.restarts >= 2)
        tool.symlink_to("/bin/bash")
        await until(lambda: seat.state is State.READY)


def test_the_delay_grows_until_the_program_has_been_healthy(tmp_path: Path) -> None:
    """It doubles up to its bound; a crash after a long healthy time is the first again."""
    restarts = Restarts(backoff=Backoff(first_s=1, most_s=4), healthy_after_s=3600)
    seat = Seat(lasting(tmp_path, "service", restarts=restarts), tmp_path / "service.log")
    delays = []
    for _ in range(4):
        seat.become_ready()
        delays.append(seat.crash(1))
    assert delays == [1, 2, 4, 4]
    seat.become_ready()
    assert seat.ready_since
    seat.ready_since -= 3601
    assert seat.crash(1) == 1


async def test_who_does_not_end_is_killed_at_its_bound(tmp_path: Path) -> None:
    """With the helpers in its process group."""
    stubborn = program(
        tmp_path, "service", "trap '' TERM; trace started; while :; do sleep 60; done", stop_timeout_s=0.2
    )
    async with supervised(tmp_path, stubborn) as supervisor:
        await supervisor.start()
        await until(lambda: traces(tmp_path) == ["service started"])
        assert supervisor.seats[0].child
        helpers = psutil.Process(supervisor.seats[0].child.pid).children()
        await supervisor.stop()
        assert supervisor.seats[0].last_exit == -SIGKILL
        assert psutil.wait_procs(helpers, timeout=5)[1] == []


async def test_a_frozen_program_is_stopped_in_order(tmp_path: Path) -> None:
    """It is woken to hear that it should end."""
    async with supervised(tmp_path, lasting(tmp_path, "service")) as supervisor:
        await supervisor.start()
        assert supervisor.seats[0].child
        os.kill(supervisor.seats[0].child.pid, SIGSTOP)
        await supervisor.stop()
        assert traces(tmp_path) == ["service started", "service ended"]


async def test_a_program_inherits_nothing(tmp_path: Path) -> None:
    """Neither the environment nor the input of the supervisor."""
    os.environ["QUARTET_TEST_SECRET"] = "secret"
    try:
        async with supervised(
            tmp_path, once(tmp_path, "service", "env; read line && echo got input; true")
        ) as supervisor:
            await supervisor.start()
    finally:
        del os.environ["QUARTET_TEST_SECRET"]
    log = (tmp_path / "service.log").read_text()
    assert "PATH=/usr/bin:/bin" in log
    assert "secret" not in log
    assert "got input" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_root_can_start_a_program_as_somebody_else(tmp_path: Path) -> None:
    """With no group of root's left."""
    somebody = once(tmp_path, "database", "id -u; id -G", owner=Owner(uid=65534, gid=65534))
    async with supervised(tmp_path, replace(somebody, cwd=Path("/"))) as supervisor:
        await supervisor.start()
    assert (tmp_path / "database.log").read_text().split() == ["65534", "65534"]


PARENT = """
import asyncio, sys
from pathlib import Path
from tests.unit.infra.standins import FOR_EVER, lasting, program, supervised

async def main():
    here = Path(sys.argv[1])
    deaf = program(here, "deaf", "trap '' TERM INT; trace started; " + FOR_EVER)
    async with supervised(here, lasting(here, "service"), deaf) as supervisor:
        await supervisor.start()
        print(*(seat.child.pid for seat in supervisor.seats), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
async def test_nothing_survives_a_killed_supervisor(tmp_path: Path) -> None:
    """The kernel kills its programs, those too that ignore every polite signal."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(tmp_path)), stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY
    )
    assert parent.stdout
    orphans = [psutil.Process(int(pid)) for pid in (await parent.stdout.readline()).split()]
    parent.kill()
    await parent.wait()
    assert len(orphans) == 2
    assert psutil.wait_procs(orphans, timeout=5)[1] == []


async def test_the_end_of_a_child_can_be_asked_for_again(tmp_path: Path) -> None:
    """Whoever asks late gets the same answer, and killing what has ended is harmless."""
    child = Child(once(tmp_path, "service"), tmp_path / "service.log")
    assert await child.exited() == 0
    assert await child.exited() == 0
    assert await child.kill() == 0
