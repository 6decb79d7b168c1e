"""Documents in which the code writes what it knows better: between marks, and nowhere else."""

from collections.abc import Iterable, Mapping


def filled(document: str, blocks: Mapping[tuple[str, str], Iterable[str]]) -> str:
    """Give a document with the lines of each block between the two marks that belong to it.

    Raises:
        LookupError: a mark does not stand there exactly once.
    """
    for marks, lines in blocks.items():
        if any(document.count(mark) != 1 for mark in marks):
            raise LookupError(f"the document does not have each of {marks!r} once")
        begin, end = marks
        before, _, rest = document.partition(begin)
        document = before + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]
    return document
