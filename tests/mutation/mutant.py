"""A mutant, as mutmut names it and as a person would."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

KEPT = Path(__file__).with_name("survivors.toml")
NOTICED = ("killed", "timeout", "segfault")
"""What mutmut says of a mutant that a test noticed: it failed, it did not end, it took the process along."""


class Place(NamedTuple):
    """Where a mutant differs, and how: what it is known by in `survivors.toml`, whatever mutmut counts it as."""

    function: str
    change: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """What mutmut calls it, and what became of it."""

    name: str
    status: str

    @property
    def survived(self) -> bool:
        """Every test passed, or none looked."""
        return self.status not in NOTICED

    @property
    def function(self) -> str:
        """What was changed: `shared.shell.Shell.run`, which mutmut calls `shared.shell.xǁShellǁrun__mutmut_1`."""
        return re.sub(r"\.xǁ|\.x_|ǁ", ".", self.name.partition("__mutmut_")[0])

    @property
    def module(self) -> str:
        """Where that stands."""
        return re.split(r"\.x[ǁ_]", self.name)[0]


def listed(results: str) -> Iterator[Mutant]:
    """Read `mutmut results --all`; what it was not told to look at is left out."""
    for line in results.splitlines():
        name, _, status = line.strip().rpartition(": ")
        if name and status != "not checked":
            yield Mutant(name, status)


def change(diff: str) -> str:
    """Say what `mutmut show` shows: the lines as they are in the mutant, or those that it is without."""
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    added = [line[1:].strip() for line in lines if line.startswith("+")]
    removed = [line[1:].strip() for line in lines if line.startswith("-")]
    return " ".join(added) or " ".join(["without", *removed])


@cache
def reasons() -> dict[Place, str]:
    """Read why mutants may survive."""
    kept: dict[str, dict[str, str]] = tomllib.loads(KEPT.read_text())
    return {Place(function, how): why for function, whys in kept.items() for how, why in whys.items()}
