"""Faults that can be set while the program runs, and how often each was really injected."""

from dataclasses import asdict, dataclass, field
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LATENCY_MAX_MS = 60_000


class FaultRates(BaseModel):
    """Rates are probabilities from 0 to 1; what is not given is 0."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    decline_rate: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    timeout_rate: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    error_rate: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    latency_ms: int = Field(default=0, ge=0, le=LATENCY_MAX_MS)


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one request; an error excludes a timeout."""

    declines: bool = False
    withholds: bool = False
    fails: Literal["before", "after"] | None = None
    latency_ms: int = 0


@dataclass(slots=True)
class Injected:
    """Counted where it happened, since the program started."""

    declines: int = 0
    timeouts: int = 0
    errors: int = 0
    latencies: int = 0


@dataclass(slots=True)
class Faults:
    """The rates of the moment, drawn from `chance`."""

    chance: Random
    rates: FaultRates = field(default_factory=FaultRates)
    injected: Injected = field(default_factory=Injected)

    def draw(self) -> Fault:
        """Draw what befalls the next request, always with four numbers, so that a seed replays a run."""
        declines, errs, before, withholds = (self.chance.random() for _ in range(4))
        fails: Literal["before", "after"] | None = None
        if errs < self.rates.error_rate:
            fails = "before" if before < 0.5 else "after"
        return Fault(
            declines=declines < self.rates.decline_rate,
            withholds=fails is None and withholds < self.rates.timeout_rate,
            fails=fails,
            latency_ms=self.rates.latency_ms,
        )

    def report(self) -> dict[str, object]:
        """Show the rates and the counts as the wire has them."""
        return {**self.rates.model_dump(), "injected": asdict(self.injected)}
