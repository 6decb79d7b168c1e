"""When a program that was started counts as ready."""

import asyncio

from infra.native.child import Child
from infra.native.program import Program
from shared.backoff import Backoff

BETWEEN_PROBES = Backoff(first_s=0.05, most_s=0.5)


async def succeeded(child: Child) -> bool:
    """Wait for its end, and tell whether it did what it was to do once."""
    return await child.exited() == 0


async def became_ready(program: Program, child: Child) -> bool:
    """Wait until its probe says yes, or until it has ended: then it never will be ready.

    It waits for as long as neither happens; the caller sets the bound.
    """
    exiting = asyncio.create_task(child.exited())
    try:
        for delay_s in BETWEEN_PROBES.delays_s():
            if exiting.done():
                break
            if program.ready is None or await program.ready():
                return not exiting.done()
            await asyncio.wait([exiting], timeout=delay_s)
        return False
    finally:
        exiting.cancel()
