"""`python -m tests.ablation [NAME …]`: takes each safeguard out of a copy of the code, and expects its test to fail.

Then, with everything in place, the same tests have to pass. Exit code 1 if any of that is otherwise.
`--write` only writes the table of `docs/guarantees.md`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2

from tests.ablation.safeguard import Safeguard
from tests.ablation.safeguards import SAFEGUARDS
from tests.ablation.table import DOCUMENT, REPOSITORY, written

TEST_TIMEOUT_S = 300
PASSED, FAILED = 0, 1
"""Exit codes of pytest; all others mean that a test was not run as it should be."""


@contextmanager
def copied() -> Iterator[Path]:
    """Copy what git knows of the code, as it stands in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="quartet-ablation-") as directory:
        root = Path(directory)
        root.chmod(0o755)  # a database server that is not root has to get in
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                copy2(REPOSITORY / name, root / name)
        yield root


def run(root: Path, *tests: str) -> tuple[int, str]:
    """Run tests of a copy, and give pytest's exit code with the end of what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--servers=native", *tests],
        cwd=root, env=environment, timeout=TEST_TIMEOUT_S * len(tests), check=False, capture_output=True, text=True,
    )  # fmt: skip
    return ran.returncode, ran.stdout[-2_000:]


def missed(safeguard: Safeguard) -> bool:
    """Take a safeguard away and say whether its test fails then."""
    with copied() as root:
        for edit in safeguard.removed:
            edit.apply(root)
        code, told = run(root, safeguard.test)
    verdict = {PASSED: "NOT MISSED", FAILED: "missed"}.get(code, "NOT RUN")
    reasons = [line.partition(" - ")[2] for line in told.splitlines() if line.startswith("FAILED")]
    print(f"{safeguard.name:<40} {verdict:<10} {safeguard.test}\n    {reasons[0] if reasons else told}", flush=True)
    return code == FAILED


def main(names: list[str]) -> int:
    """Remove the named safeguards one after the other, or all; exit with 2 where one is not known."""
    if names == ["--write"]:
        DOCUMENT.write_text(written(DOCUMENT.read_text()))
        return 0
    known = {safeguard.name: safeguard for safeguard in SAFEGUARDS}
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"ablation: no such safeguard: {', '.join(unknown)}\n")
        return 2
    chosen = [known[name] for name in names or known]
    all_missed = [missed(safeguard) for safeguard in chosen]
    with copied() as root:
        code, told = run(root, *dict.fromkeys(safeguard.test for safeguard in chosen))
    print("with everything in place: " + ("all of these pass" if code == PASSED else told))
    return 0 if all(all_missed) and code == PASSED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
