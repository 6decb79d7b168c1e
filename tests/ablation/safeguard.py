"""What a safeguard is, and how it is taken out of a copy of the code."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a file, and what stands there once the safeguard is gone."""

    file: str
    old: str
    new: str

    def place(self, root: Path) -> str:
        """Give the file's text.

        Raises:
            LookupError: the piece does not stand there exactly once, so nobody can tell what to take away.
        """
        text = (root / self.file).read_text()
        if text.count(self.old) != 1:
            raise LookupError(f"{self.file} has {text.count(self.old)} times what is to be taken away: {self.old!r}")
        return text

    def apply(self, root: Path) -> None:
        """Take the piece away. Raises as `place` does."""
        (root / self.file).write_text(self.place(root).replace(self.old, self.new))


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A promise, what upholds it, how to remove that, and a test that fails then: a node id of pytest's."""

    name: str
    promise: str
    upheld_by: str
    removed: tuple[Edit, ...]
    test: str
    simulated: str
    """What `quartet simulate` is told to find a counterexample."""

    @property
    def file(self) -> str:
        """Where it stands."""
        return self.removed[0].file
