"""`python -m tests.ablation [NAME …]`: takes each safeguard out of a copy of the code, and expects it to be missed.

Its test has to fail, and the simulator has to find a counterexample, which is the story in `docs/counterexamples.md`.

Then, with everything in place, the same tests have to pass. Exit code 1 if any of that is otherwise.
`--write` only writes the table of `docs/guarantees.md`.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.ablation.safeguard import Safeguard
from tests.ablation.safeguards import SAFEGUARDS
from tests.ablation.stories import STORIES, tale, told
from tests.ablation.table import DOCUMENT, written
from tests.copied import copied
from tests.simulation.overlap.worlds import SWITCHES as OVERLAP_SWITCHES
from tests.simulation.store import SWITCHES

PREFIX = "quartet-ablation-"
TEST_TIMEOUT_S = 300
PASSED, FAILED = 0, 1
"""Exit codes of pytest; all others mean that a test was not run as it should be."""


def run(root: Path, *tests: str) -> tuple[int, str]:
    """Run tests of a copy, and give pytest's exit code with the end of what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--servers=native", *tests],
        cwd=root, env=environment, timeout=TEST_TIMEOUT_S * len(tests), check=False, capture_output=True, text=True,
    )  # fmt: skip
    return ran.returncode, ran.stdout[-2_000:]


def simulate(root: Path, safeguard: Safeguard) -> tuple[int, str]:
    """Have the simulator of a copy look for a counterexample; give its exit code, and the story that it tells."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    without = ["--without", safeguard.name] if safeguard.name in SWITCHES | OVERLAP_SWITCHES else []
    ran = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *shlex.split(safeguard.simulated), *without],
        cwd=root, env=environment, timeout=TEST_TIMEOUT_S, check=False, capture_output=True, text=True,
    )  # fmt: skip
    return ran.returncode, ran.stdout.partition("\n\n")[2] or ran.stdout + ran.stderr[-2_000:]


def missed(safeguard: Safeguard, stories: dict[str, str]) -> bool:
    """Take a safeguard away and say whether its test fails then, and the simulator finds a counterexample."""
    with copied(PREFIX) as root:
        for edit in safeguard.removed:
            edit.apply(root)
        code, told = run(root, safeguard.test)
        found, story = simulate(root, safeguard)
    verdict = {PASSED: "NOT MISSED", FAILED: "missed"}.get(code, "NOT RUN")
    reasons = [line.partition(" - ")[2] for line in told.splitlines() if line.startswith("FAILED")]
    print(f"{safeguard.name:<40} {verdict:<10} {safeguard.test}\n    {reasons[0] if reasons else told}", flush=True)
    if found != FAILED:
        print(f"{safeguard.name:<40} NO COUNTEREXAMPLE {story}", flush=True)
    stories[safeguard.name] = story
    return code == FAILED and found == FAILED


def main(names: list[str]) -> int:
    """Remove the named safeguards one after the other, or all; exit with 2 where one is not known.

    With `--write` only the documents are written; with `--stories` only the simulator looks, and its stories are.
    """
    if names == ["--write"]:
        DOCUMENT.write_text(written(DOCUMENT.read_text()))
        return 0
    if names == ["--stories"]:
        STORIES.write_text(told(stories := {each.name: _story(each) for each in SAFEGUARDS}))
        return 0 if all(stories.values()) else 1
    known = {safeguard.name: safeguard for safeguard in SAFEGUARDS}
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"ablation: no such safeguard: {', '.join(unknown)}\n")
        return 2
    chosen, stories = [known[name] for name in names or known], dict[str, str]()
    all_missed = [missed(safeguard, stories) for safeguard in chosen]
    stale = [each.name for each in chosen if tale(each, stories[each.name]) not in STORIES.read_text()]
    if stale:
        print(f"docs/counterexamples.md is not up to date: {', '.join(stale)}. Type python -m tests.ablation --stories")
    with copied(PREFIX) as root:
        code, text = run(root, *dict.fromkeys(safeguard.test for safeguard in chosen))
    print("with everything in place: " + ("all of these pass" if code == PASSED else text))
    return 0 if all(all_missed) and code == PASSED and not stale else 1


def _story(safeguard: Safeguard) -> str:
    with copied(PREFIX) as root:
        for edit in safeguard.removed:
            edit.apply(root)
        code, story = simulate(root, safeguard)
    print(f"{safeguard.name:<40} {'counterexample' if code == FAILED else 'NOT FOUND: ' + story}", flush=True)
    return story if code == FAILED else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
