"""What a search among overlapping transactions, or one way through them, comes to, as it is printed."""

import sys
from collections.abc import Sequence

from infra.audit.findings import Break
from tests.simulation.overlap.explore import explore
from tests.simulation.overlap.meeting import Meeting
from tests.simulation.overlap.story import afterwards, sentence, waiting
from tests.simulation.overlap.worlds import Overlap
from tests.simulation.shown import BROKEN, HELD, USAGE, without
from tests.simulation.story import ending


def everywhere(overlap: Overlap, removed: Sequence[str], crashes: int) -> int:
    """Go everywhere, and tell the shortest way that breaks a promise."""
    print(f"{overlap.name}: {overlap.about}; {f'crash up to {crashes}' if crashes else 'nothing goes wrong'}")
    explored = explore(overlap, removed, crashes)
    print(explored)
    if not explored.breaks:
        print("No promise breaks.")
        return HELD
    path = ".".join(map(str, explored.path))
    budget = f" --budget 'crash={crashes}'"
    print(f"\nA promise breaks: quartet simulate --world {overlap.name}{budget} --path {path}{without(removed)}")
    return along(overlap, path, removed, crashes)


def along(overlap: Overlap, path: str, removed: Sequence[str], crashes: int) -> int:
    """Tell the way that takes these of the choices, and what it breaks."""
    meeting, breaks = Meeting(overlap, removed, crashes), list[Break]()
    for number, place in enumerate(path.split("."), start=1):
        choices = meeting.choices()
        if not place.isdigit() or int(place) >= len(choices):
            sys.stderr.write(f"simulate: {place} leads nowhere after {number - 1} steps\n")
            return USAGE
        told = sentence(meeting, choice := choices[int(place)])
        breaks += meeting.take(choice)
        print(f"{number:3}. {told}{afterwards(meeting, choice)}")
    for line in waiting(meeting):
        print(f"     {line}")
    for line in ending(breaks):
        print(line)
    return BROKEN if breaks else HELD
