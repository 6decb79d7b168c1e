"""`python -m tests.mutation [NAME …]`: changes a copy of the code bit by bit, and expects the unit tests to notice.

What is changed, and which tests are asked, stands in `pyproject.toml`, for mutmut. NAME is a mutant's, or a pattern:
`shared.shell.*`. Whatever survives is printed, unless `survivors.toml` says why it may. Exit code 1 if anything does
for no reason, or a reason is kept for nothing.
"""

import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from tests.copied import copied
from tests.mutation.mutant import Mutant, Place, change, listed, reasons
from tests.mutation.undecorated import undecorated


def main(names: list[str]) -> int:
    """Try all mutants, or those that are named."""
    with copied("quartet-mutants-") as root:
        undecorate(root)
        mutmut(root, "run", *names)
        mutants = list(listed(told(root, "results", "--all", "true")))
        diffs = {mutant: told(root, "show", mutant.name) for mutant in mutants if mutant.survived}
    places = {mutant: Place(mutant.function, change(diff)) for mutant, diff in diffs.items()}
    unexplained = [mutant for mutant, place in places.items() if place not in reasons()]
    needless = [] if names else sorted(reasons().keys() - places.values())
    for mutant in unexplained:
        print(f"\n{mutant.function} survives as: {places[mutant].change}\n{diffs[mutant]}")
    print(*summary(mutants, unexplained), sep="\n")
    for place in needless:
        print(f"{place.function} has no such survivor any more: {place.change}")
    return 1 if unexplained or needless else 0


def undecorate(root: Path) -> None:
    """Rewrite in a copy what is to be changed there."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["mutmut"]
    for pattern in settings["only_mutate"]:
        for file in root.glob(pattern):
            file.write_text(undecorated(file.read_text()))


def mutmut(root: Path, *arguments: str, stdout: int | None = None) -> str | None:
    """Run mutmut in a copy. Raises CalledProcessError."""
    ran = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, text=True, stdout=stdout,
    )  # fmt: skip
    return ran.stdout


def told(root: Path, *arguments: str) -> str:
    """Run mutmut in a copy, and give what it prints. Raises CalledProcessError."""
    return mutmut(root, *arguments, stdout=subprocess.PIPE) or ""


def summary(mutants: Collection[Mutant], unexplained: Collection[Mutant]) -> Iterable[str]:
    """Say for each module what became of its mutants."""
    for module in sorted({mutant.module for mutant in mutants}):
        statuses = Counter(mutant.status for mutant in mutants if mutant.module == module)
        became = ", ".join(f"{number} {status}" for status, number in statuses.most_common())
        why = sum(mutant.module == module for mutant in unexplained)
        yield f"{module:<32} {statuses.total():>4} mutants: {became}; {why} survived for no reason"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
