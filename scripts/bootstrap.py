"""Make `.venv` and fill it from a lock file, showing how far it is. Runs before anything is installed.

python3 scripts/bootstrap.py requirements.txt
"""

import fcntl
import re
import subprocess
import sys
import time
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
SHOW_EVERY_S = 4.0  # a line, where there is no terminal to write over
LOG_LINES = 15

RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
STAMPS = {RUNTIME: [".runtime"], DEVELOPMENT: [".runtime", ".development"]}  # the second holds all of the first


class Progress:
    """One line that says what is being installed, written over on a terminal."""

    def __init__(self, wanted: int) -> None:
        """`wanted` is the number of packages in the lock file."""
        self._wanted = wanted
        self._met: set[str] = set()
        self._told_at = time.monotonic()

    def read(self, line: str) -> None:
        """Take in a line of pip's."""
        met = re.match(r"(?:Collecting|Requirement already satisfied:|Building wheel for) ([\w.-]+)", line)
        if met:
            self._met.add(met[1])
            self._tell(f"{min(len(self._met), self._wanted)} of {self._wanted} packages: {met[1]}")
        elif line.startswith("Installing collected packages") and len(self._met) > 1:
            self._tell(f"unpacking {self._wanted} packages", always=True)

    def _tell(self, text: str, always: bool = False) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\033[K  {text}")
        elif always or time.monotonic() - self._told_at > SHOW_EVERY_S:
            self._told_at = time.monotonic()
            sys.stdout.write(f"  {text}\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the line clean."""
        if sys.stdout.isatty():
            sys.stdout.write("\r\033[K")


def make_venv() -> None:
    """Make the environment, unless there is one that works."""
    check = f"import pip, sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0:
        return
    print(f"making .venv with Python {sys.version.split()[0]}", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        stop("the virtual environment cannot be made", (made.stdout + made.stderr).splitlines())


def pip(arguments: list[str], progress: Progress) -> None:
    """Run pip and show how far it is."""
    lines: list[str] = []
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *arguments]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            progress.read(lines[-1])
    progress.end()
    if process.returncode:
        stop("pip could not install what Quartet needs", lines)


def stop(sentence: str, lines: list[str]) -> None:
    """End with the lines that explain it, and one that says what it is."""
    for line in lines[-LOG_LINES:]:
        print(f"  {line}", file=sys.stderr)
    print(f"quartet: {sentence}", file=sys.stderr)
    sys.exit(2)


def main(requirements: str) -> None:
    """Install a lock file and Quartet itself, and leave the stamps that `make` goes by."""
    began = time.monotonic()
    wanted = len(re.findall(r"^[\w.-]+(?:\[[^\]]*\])?==", (REPOSITORY / requirements).read_text(), re.MULTILINE))
    with (REPOSITORY / requirements).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would spoil each other's work
        make_venv()
        print(f"installing {wanted} packages from {requirements}", flush=True)
        progress = Progress(wanted)
        # Python compiles a module when it is first imported: few of them ever are
        pip(["--no-compile", "--require-hashes", "-r", requirements], progress)
        pip(["--no-deps", "--no-build-isolation", "-e", "."], Progress(wanted=1))
        for stamp in STAMPS[requirements]:
            (VENV / stamp).touch()
    print(f"installed in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
