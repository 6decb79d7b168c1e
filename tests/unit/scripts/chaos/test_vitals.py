"""What programs hold, from one look to the next."""

from typing import Any, cast

from infra.standing import Line, Phase, Standing, State
from scripts.chaos.vitals import Growth, Vital, growths, look


def test_growth_is_that_of_the_longest_life() -> None:
    """A program that was killed begins anew, and small: that is no proof of anything."""
    looks = [
        Vital("order", 1, 70, 20),
        Vital("order", 2, 60, 20),
        Vital("postgres", 1, 100, None),
        Vital("order", 2, 61, 21),
        Vital("order", 2, 62, 22),
    ]
    order, postgres = growths(looks)
    assert order == Growth("order", 3, looks[1], looks[4])
    assert postgres == Growth("postgres", 1, looks[2], looks[2])


def test_what_runs_is_looked_at() -> None:
    """What ran once holds nothing any more."""

    def line(name: str, uptime_s: float | None, memory_bytes: int | None) -> Line:
        return Line(name, State.READY, None, uptime_s, 0, None, (), memory_bytes, True)

    class Still:
        def standing(self, memory: bool) -> Standing:
            return Standing(Phase.UP, (line("order", 12.0, 70 * 1024 * 1024), line("seed", None, None)), "nowhere")

    (order,) = look(cast("Any", Still()))
    assert (order.program, order.memory_mb, order.files) == ("order", 70, None)
