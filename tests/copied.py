"""A copy of the code, for whoever changes it to see what the tests say."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2

from infra.home import REPOSITORY


@contextmanager
def copied(prefix: str) -> Iterator[Path]:
    """Copy what git knows of the code, as it stands in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix=prefix) as directory:
        root = Path(directory)
        root.chmod(0o755)  # a database server that is not root has to get in
        for name in filter(None, listed.stdout.split("\0")):
            if (REPOSITORY / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                copy2(REPOSITORY / name, root / name)
        yield root
