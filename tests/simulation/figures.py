"""`python -m tests.simulation.figures`: how fast the simulator is, in seconds of a core, whatever else runs there."""

from time import process_time

from loguru import logger

from tests.simulation.campaign import play
from tests.simulation.explore import explore
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.windows import Watch
from tests.simulation.worlds import ONE, SETTINGS

EVERYWHERE: tuple[tuple[str, dict[str, int]], ...] = (("one", {}), ("two", {}), ("cancel", {"silence": 0}))
"""Worlds, with budgets instead of their own."""
SCHEDULES = 5_000


def main() -> None:
    """Play one order's world at random, and go everywhere in three worlds."""
    logger.remove()
    processes, watch, began_s = ProcessSteps(), Watch(), process_time()
    for number in range(SCHEDULES):
        play(ONE.world(), number, processes, watch)
    took_s = process_time() - began_s
    print(f"at random, one: {SCHEDULES:,} schedules in {took_s:.1f} s of a core ({SCHEDULES / took_s:,.0f} a second)")
    for name, budgets in EVERYWHERE:
        instead = "".join(f" --budget {each}={times}" for each, times in budgets.items())
        began_s = process_time()
        explored = explore(SETTINGS[name].world(**budgets))
        print(
            f"everywhere, {name}{instead}: {explored}, of which {process_time() - began_s:.1f} s of a core", flush=True
        )


if __name__ == "__main__":
    main()
