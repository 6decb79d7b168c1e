"""What an experiment is, and what one run of it came to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from scripts.chaos.world import World

STEADY = "Every program is ready, nothing is under way, and orders settle."
FAULT_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """A fault, and what is believed of it.

    `fault` does the harm while orders arrive, undoes it however it ends, Ctrl-C included, and gives how often it
    really hit, from what was counted where it hit: 0 is an experiment that proves nothing.
    """

    name: str
    hypothesis: str
    fault: Callable[[World], Awaitable[int]]
    steady_state: str = STEADY
    fault_timeout_s: float = FAULT_TIMEOUT_S
    """By then the fault is over, or has gone wrong."""
    by_name_alone: bool = False
    """It lasts so long that it is run where somebody asks for it by its name, and not among all."""


class Verdict(StrEnum):
    """How an experiment ended."""

    HELD = "held"
    BROKEN = "broken"  # the hypothesis is
    NOT_EXERCISED = "not exercised"  # the fault never hit
    NOT_STEADY = "not steady"  # there was nothing to break: something was wrong before
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened `at_s` seconds after the experiment began."""

    at_s: float
    what: str


@dataclass(slots=True)
class Result:
    """One run of an experiment."""

    experiment: Experiment
    verdict: Verdict = Verdict.INTERRUPTED
    hits: int = 0
    findings: list[str] = field(default_factory=list)
    """What contradicts the hypothesis, one line each."""
    timeline: list[Moment] = field(default_factory=list)
    orders: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    """How often requests were answered so: `2xx`, a status, or `no answer`."""
    by_second: list[tuple[int, int]] = field(default_factory=list)
    """In each second of load, requests answered with success, and not."""
    load_from_s: float = 0.0
    fault_s: tuple[float, float] | None = None
    """From when to when it lasted."""
    took_s: float = 0.0


def judge(findings: list[str], hits: int) -> Verdict:
    """Say how an experiment ended that began from a steady state: what broke counts before what was not exercised."""
    if findings:
        return Verdict.BROKEN
    return Verdict.HELD if hits > 0 else Verdict.NOT_EXERCISED
