"""What a search among overlapping transactions, or one way through them, comes to, as it is printed."""

import sys
from collections.abc import Sequence

from infra.audit.findings import Break
from tests.simulation.overlap.explore import explore
from tests.simulation.overlap.meeting import Meeting
from tests.simulation.overlap.story import sentence, waiting
from tests.simulation.overlap.worlds import Overlap
from tests.simulation.shown import BROKEN, HELD, USAGE, chosen, without
from tests.simulation.story import ending

CONFLICT = " Somebody else was there first: it runs again."


def everywhere(overlap: Overlap, removed: Sequence[str], crashes: int) -> int:
    """Go everywhere, and tell the shortest way that breaks a promise."""
    print(f"{overlap.name}: {overlap.about}; {f'crash up to {crashes}' if crashes else 'nothing goes wrong'}")
    explored = explore(overlap, removed, crashes)
    print(explored)
    if not explored.breaks:
        print("No promise breaks.")
        return HELD
    path = ".".join(map(str, explored.path))
    budget = f" --budget crash={crashes}" if crashes else ""
    print(f"\nA promise breaks: quartet simulate --world {overlap.name}{budget} --path {path}{without(removed)}")
    return along(overlap, path, removed, crashes)


def along(overlap: Overlap, path: str, removed: Sequence[str], crashes: int) -> int:
    """Tell the way that takes these of the choices, and what it breaks."""
    meeting, breaks, lines = Meeting(overlap, removed, crashes), list[Break](), list[str]()
    for place in path.split("."):
        if (choice := chosen(place, meeting.choices())) is None:
            sys.stderr.write(f"simulate: {place!r} leads nowhere after {len(lines)} steps\n")
            return USAGE
        told, conflicts = sentence(meeting, choice), meeting.conflicts
        breaks += meeting.take(choice)
        lines.append(f"{len(lines) + 1:3}. {told}{CONFLICT if meeting.conflicts > conflicts else ''}")
    print(f"     {overlap.about[:1].upper()}{overlap.about[1:]}.")
    for line in (*lines, *(f"     {each}" for each in waiting(meeting)), *ending(breaks)):
        print(line)
    return BROKEN if breaks else HELD
