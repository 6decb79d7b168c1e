"""What runs: which of the two ways brought the stack up, and how often each service runs."""

import contextlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

SCALE_MAX = 4


class Mode(StrEnum):
    """The two ways to run the stack."""

    DOCKER = "docker"
    NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Run:
    """The run of a checkout, as `up` writes it down for every later command."""

    mode: Mode
    scale: int
    observe: bool = False
    """With metrics, alerts and traces beside it; in Docker alone."""

    def __str__(self) -> str:
        observed = " and OBSERVE=1" if self.observe else ""
        return f"{'in Docker' if self.mode is Mode.DOCKER else 'natively'}, with SCALE={self.scale}{observed}"

    @classmethod
    def read(cls, path: Path) -> "Run | None":
        """Read what was written, or nothing if there is nothing that can be read."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            told = json.loads(path.read_text())
            return cls(Mode(told["mode"]), int(told["scale"]), bool(told.get("observe", False)))
        return None

    def write(self, path: Path) -> None:
        """Replace what was written before, at once and whole."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)


def replica_names(service: str, scale: int) -> tuple[str, ...]:
    """Name the replicas of a service: `order` where it is alone, else `order-1`, `order-2`, …"""
    return (service,) if scale == 1 else tuple(f"{service}-{number}" for number in range(1, scale + 1))


def is_called(name: str, wanted: str) -> bool:
    """Tell whether a program is meant: by its name, or as one of the replicas of that name; "" means all."""
    service, _, number = name.rpartition("-")
    return wanted in {"", name} or (wanted == service and number.isdigit())
