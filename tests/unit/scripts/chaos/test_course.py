"""The course of an experiment, and its verdict: what it must be for each way that it can go."""

import asyncio

import httpx
import pytest

from scripts.chaos import course
from scripts.chaos.course import Course
from scripts.chaos.experiment import Result, Verdict, judge
from scripts.chaos.world import World
from tests.unit.scripts.chaos.fakes import FakeAuditor, FakeDatabase, FakeShop, FakeWorld, experiment, world


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look once where the state is never reached."""
    for bound in ("STEADY_TIMEOUT_S", "READY_TIMEOUT_S", "QUIET_TIMEOUT_S"):
        monkeypatch.setattr(course, bound, 0.0)


async def hit(_: World) -> int:
    """A fault that hit."""
    return 7


async def run(place: FakeWorld, fault: object = hit, auditor: FakeAuditor | None = None, **others: float) -> Result:
    """Run an experiment."""
    tried = experiment(fault, **others)  # type: ignore[arg-type]  # tests give functions
    return await Course(tried, place, auditor or FakeAuditor(), lambda _: None).run()


@pytest.mark.parametrize(
    ("findings", "hits", "verdict"),
    [
        ([], 1, Verdict.HELD),
        ([], 0, Verdict.NOT_EXERCISED),
        (["a violation"], 1, Verdict.BROKEN),
        (["a violation"], 0, Verdict.BROKEN),
    ],
)
def test_the_verdict(findings: list[str], hits: int, verdict: Verdict) -> None:
    """A fault that never hit proves nothing; what broke is told all the same."""
    assert judge(findings, hits) is verdict


async def test_it_holds_where_nothing_is_wrong() -> None:
    """With a timeline from the steady state to the audit."""
    result = await run(world())
    assert (result.verdict, result.hits, result.findings) == (Verdict.HELD, 7, [])
    assert result.orders >= 2 * course.WARM_ORDERS
    told = [moment.what for moment in result.timeline]
    assert (told[0], told[-1]) == ("steady", "audited")
    assert result.fault_s is not None
    assert sum(well for well, _ in result.by_second) == result.answers["2xx"]


async def test_a_violation_breaks_it() -> None:
    """Whatever the audit names, which looks at all that has changed since it began, and some time before."""
    auditor = FakeAuditor(["stock is reserved: rosin"])
    result = await run(world(), auditor=auditor)
    (since_s,) = auditor.asked_s
    assert since_s is not None
    assert result.fault_s is not None
    assert since_s > result.fault_s[1] + course.SINCE_MARGIN_S
    assert (result.verdict, result.findings) == (Verdict.BROKEN, ["stock is reserved: rosin"])


async def test_an_order_that_was_promised_and_is_lost_breaks_it() -> None:
    """An audit of what is there cannot see what is not."""
    result = await run(world(database=FakeDatabase(there=[])))
    (finding,) = result.findings
    assert finding.startswith("an order that was answered 201 is not there: ")


async def test_an_order_that_is_there_twice_breaks_it() -> None:
    """Its customer was told of one, however often it was asked for."""
    result = await run(world(database=FakeDatabase(own=["another"])))
    assert result.findings == ["more orders than the 0 without an answer are there untold: another"]


async def test_what_is_never_done_breaks_it() -> None:
    """A service that does not come back, or an order that does not end."""
    place = world()

    async def leave_something(_: World) -> int:
        place.not_ready, place.unfinished = "payment", "open orders 1"
        return 1

    result = await run(place, leave_something)
    assert result.verdict is Verdict.BROKEN
    assert [finding.split(":")[1].strip() for finding in result.findings] == ["payment", "open orders 1"]


async def test_a_crash_of_the_api_breaks_it() -> None:
    """503 says not now, 502 that it ended before it answered; 500 says that something was not foreseen."""
    request = httpx.Request("POST", "http://nowhere")
    statuses = iter([500, 503, 502])

    def answer() -> None:
        for status in statuses:
            response = httpx.Response(status, request=request)
            raise httpx.HTTPStatusError("no", request=request, response=response)

    result = await run(world(FakeShop(answer)))
    assert result.findings == ["1 requests were answered 500"]
    assert (result.answers["503"], result.answers["502"]) == (1, 1)


async def test_a_fault_that_raises_is_a_finding() -> None:
    """The rest of the course goes on: what is left is still audited."""

    async def fail(_: World) -> int:
        raise TimeoutError("it never came")

    result = await run(world(), fail)
    assert result.verdict is Verdict.BROKEN
    assert result.findings == ["the fault went wrong: TimeoutError('it never came')"]
    assert result.timeline[-1].what == "audited"


async def test_a_fault_is_bounded() -> None:
    """It is undone when its time is over."""
    undone = False

    async def hang(_: World) -> int:
        nonlocal undone
        try:
            await asyncio.Event().wait()
        finally:
            undone = True
        return 1

    result = await run(world(), hang, fault_timeout_s=0.0)
    assert result.verdict is Verdict.BROKEN
    assert undone


async def test_nothing_is_broken_where_something_is_wrong_before() -> None:
    """The fault is not even begun."""
    place, begun = world(), False
    place.not_ready = "payment"

    async def begin(_: World) -> int:
        nonlocal begun
        begun = True
        return 1

    result = await run(place, begin)
    assert (result.verdict, begun, result.orders) == (Verdict.NOT_STEADY, False, 0)
    assert result.findings == ["not steady before the fault: payment"]


async def test_dead_letters_of_earlier_days_are_taken_for_granted_and_stock_is_brought() -> None:
    """Neither must make an experiment fail that has not caused it."""
    shop, place = FakeShop(available=3), world()
    place.database, place.shop = FakeDatabase(kept=5), shop  # type: ignore[assignment]  # fakes
    await run(place)
    assert place.letters == 5
    assert set(shop.received) == {"rosin", "strings", "bow", "violin"}


async def test_interrupted_it_undoes_the_fault_first() -> None:
    """Ctrl-C cancels it; what was broken is whole again by the time that it has ended, and no orders come any more."""
    begun, undone = asyncio.Event(), False

    async def fault(_: World) -> int:
        nonlocal undone
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # undoing takes its time
            undone = True
        return 1

    place = world()
    course_ = Course(experiment(fault), place, FakeAuditor(), lambda _: None)
    running = asyncio.create_task(course_.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert undone
    assert course_.result.verdict is Verdict.INTERRUPTED
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_interrupted_it_ends_also_where_the_undoing_fails() -> None:
    """Or one could not get out of it."""
    begun = asyncio.Event()

    async def fault(_: World) -> int:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            raise TimeoutError("it cannot be undone")

    course_ = Course(experiment(fault), world(), FakeAuditor(), lambda _: None)
    running = asyncio.create_task(course_.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert course_.result.findings == ["the fault went wrong: TimeoutError('it cannot be undone')"]
