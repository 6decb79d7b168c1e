"""What a run came to: whether the rate was held, on what it saturated, and whether everything adds up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load.cpu import OURSELVES, Shares
from benchmarks.percentiles import Latency

BACKLOG_MAX_S = 2.0
"""More than so many seconds' worth of orders in flight when the last one arrives, and the system falls behind."""
BACKLOG_MIN_ORDERS = 100
"""Fewer in flight are a hiccup, whatever the rate."""
LATE_MAX_MS = 100.0
CORE_FULL = 0.9
MACHINE_FULL = 0.95


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that is told of a run."""

    rate: float
    seconds: float
    seed: int
    planned: int
    placed: int
    settled: int
    held_up: int
    not_begun: int
    in_flight_at_the_end: int
    stopped: bool
    arriving_s: float
    settled_per_s: float
    """While orders arrived."""
    began_late: Latency | None
    """How much later than intended this program began an order; it is part of the order's latency."""
    kinds: Mapping[str, Latency | None]
    requests: Mapping[str, Latency | None]
    answers: Mapping[str, int]
    given_up: Mapping[str, int]
    shares: Shares
    off: Sequence[str]
    """Whatever does not add up."""

    @property
    def saturated(self) -> bool:
        """More arrived than was done."""
        backlog_max = max(BACKLOG_MIN_ORDERS, self.rate * BACKLOG_MAX_S)
        return (self.held_up > 0 or self.in_flight_at_the_end > backlog_max) and not self.stopped

    @property
    def succeeded(self) -> bool:
        """The rate was held, every order settled, and all adds up."""
        return not (self.off or self.saturated or self.given_up or (self.not_begun and not self.stopped))


def sentences(run: Run) -> list[str]:
    """Say it, the most important first."""
    told = []
    if run.off:
        told.append(f"OFF: {len(run.off):,} things do not add up.")
    else:
        told.append("Everything settled and adds up: orders, stock, and the provider's ledger.")
    if run.given_up:
        told.append(f"LOST: {sum(run.given_up.values()):,} orders were given up, see below.")
    if run.stopped:
        told.append(f"Stopped on Locust's page after {run.arriving_s:.0f} s.")
    elif run.saturated:
        told.append(
            f"SATURATED at {run.settled_per_s:.0f} orders/s: {run.held_up:,} arrivals had to wait for a place, "
            f"{run.not_begun:,} were never begun, {run.in_flight_at_the_end:,} orders were in flight at the end. "
            f"{_bottleneck(run.shares)}"
        )
    else:
        told.append(f"{run.rate:g} orders/s held for {run.seconds:g} s. {_bottleneck(run.shares)}")
    if run.began_late and run.began_late.p99_ms > LATE_MAX_MS and not run.held_up:
        told.append(
            f"This program itself began one order in a hundred {run.began_late.p99_ms:,.0f} ms or more too late, "
            "for want of a processor: that is in the latencies."
        )
    return told


def _bottleneck(shares: Shares) -> str:
    name, cores = next(iter(shares.programs.items()))
    if shares.programs.get(OURSELVES, 0.0) >= CORE_FULL:
        return "The load generator used a whole core: the figures are its own limit, not Quartet's."
    if cores >= CORE_FULL:
        return f"The busiest was {name}, with {cores:.2f} of the one core that it can use."
    if shares.busy >= MACHINE_FULL * shares.cores:
        ours = f"most was used by {name} ({cores:.2f}), {shares.elsewhere:.2f} by what is not ours"
        return f"The machine's {shares.cores} cores were full; {ours}."
    return f"{shares.busy:.2f} of {shares.cores} cores were busy; the busiest was {name} ({cores:.2f})."
