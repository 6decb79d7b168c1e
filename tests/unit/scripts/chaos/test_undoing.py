"""What was broken is undone to the end, whenever somebody asks for an end."""

import asyncio

import pytest

from scripts.chaos.undoing import to_the_end


async def test_a_cancellation_waits_for_the_undoing() -> None:
    """Ctrl-C in the middle of it, and another one, and a timeout on top: it is undone, and only then they count."""
    begun, may_end, undone = asyncio.Event(), asyncio.Event(), False

    async def undo() -> None:
        nonlocal undone
        begun.set()
        await may_end.wait()
        undone = True

    waiting = asyncio.create_task(to_the_end(undo()))
    await begun.wait()
    for _ in range(3):
        waiting.cancel()
        await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert undone


async def test_what_it_gives_and_what_it_raises_is_told() -> None:
    """As if it was waited for plainly; cancelled meanwhile, the failure is the reason that is given."""

    async def give() -> int:
        return 7

    async def fail(begun: asyncio.Event, may_end: asyncio.Event) -> None:
        begun.set()
        await may_end.wait()
        raise TimeoutError("it cannot be undone")

    assert await to_the_end(give()) == 7
    begun, may_end = asyncio.Event(), asyncio.Event()
    may_end.set()
    with pytest.raises(TimeoutError):
        await to_the_end(fail(begun, may_end))
    begun.clear()
    may_end.clear()
    waiting = asyncio.create_task(to_the_end(fail(begun, may_end)))
    await begun.wait()
    waiting.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError) as raised:
        await waiting
    assert isinstance(raised.value.__cause__, TimeoutError)
