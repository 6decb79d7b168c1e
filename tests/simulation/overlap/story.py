"""What happens in a meeting, told so that a person understands it without the code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from tests.simulation.broker import events_of
from tests.simulation.overlap.meeting import READER, Choice, Meeting
from tests.simulation.overlap.schema import Row
from tests.simulation.overlap.transactions import Kind, Step
from tests.simulation.story import event_of, number_of
from tests.simulation.world import Action

def sentence(meeting: Meeting, choice: Choice) -> str:
    """Tell what is about to happen."""
    if choice.who == READER:
        page = meeting.schema.page(meeting.place)
        there = " and ".join(f"{_logged(e.logged.type, e.stream_id)} at position {at.position}" for at, e in page)
        return f"Somebody reads on in the log of {meeting.service}, and sees {there}."
    who = f"{choice.who.capitalize()} replica of {meeting.service}"
    if choice.step is None:
        return f"{who} dies, and its transaction with it; it is started again."
    return f"{who} {DONE[choice.step.kind](meeting, choice.step)}."


def afterwards(meeting: Meeting, choice: Choice) -> str:
    """Tell what came of it, where that is not what one would think."""
    if choice.step is None or choice.who == READER:
        return ""
    following = meeting.replicas[choice.who].next
    is_conflict = choice.step.kind in (Kind.SAVE, Kind.LOG) and following and following.kind is Kind.RECEIVE
    return " Somebody else was there first: it runs again." if is_conflict else ""


def waiting(meeting: Meeting) -> Iterator[str]:
    """Tell who waits for whom."""
    for who, replica in meeting.replicas.items():
        for row in replica.next.locks if replica.next else ():
            if (holder := meeting.schema.holder(row)) not in (None, who):
                yield f"{who.capitalize()} replica waits for {_row(meeting, row)}, which {holder} holds."


def _rows(meeting: Meeting, step: Step) -> str:
    return " and ".join(_row(meeting, row) for row in step.rows)


def _row(meeting: Meeting, row: Row) -> str:
    table, key = row
    if table == "inbox":
        return f"the inbox row of {_names(meeting)[str(key)]}"
    return f"the row of order {number_of(key)}" if isinstance(key, UUID) else f"the stock of {key}"


def _read(meeting: Meeting, step: Step) -> str:
    """Tell rows with what stands in them, as far as that is a matter of numbers."""
    states = meeting.schema.tables.states
    levels = [states[key][0].level.available for _, key in step.rows if isinstance(key, str)]
    return _rows(meeting, step) + "".join(f": {available} for sale" for available in levels)


def _logs(meeting: Meeting, step: Step) -> str:
    first = len(meeting.schema.taken) + 1
    names = [type_.rpartition(".")[0] for type_ in step.logged]
    told = " and ".join(f"{name} at position {number}" for number, name in enumerate(names, start=first))
    return f"logs {told}" if told else "writes its answer down"


def _logged(type_: str, order_id: UUID) -> str:
    return f"{type_.rpartition('.')[0]} of order {number_of(order_id)}"


def _names(meeting: Meeting) -> Mapping[str, str]:
    """Name the events that the replicas have got, by their ids."""
    return dict(name for replica in meeting.replicas.values() for name in _names_in(replica.action))


def _names_in(action: Action) -> Sequence[tuple[str, str]]:
    if action.kind == "command":
        return [(str(action.what.event_id), f"the request “{action.what.name}”")]
    return [(str(event_id), event_of(parcel)) for parcel in action.what for event_id in events_of(parcel.body)]


DONE: Mapping[Kind, Callable[[Meeting, Step], str]] = {
    Kind.RECEIVE: lambda meeting, step: f"writes {_rows(meeting, step)}",
    Kind.LOAD: lambda meeting, step: f"locks {_read(meeting, step)}",
    Kind.READ: lambda meeting, step: f"reads {_read(meeting, step)}. It locks nothing",
    Kind.SAVE: lambda meeting, step: f"writes {_rows(meeting, step)}",
    Kind.LOG: _logs,
    Kind.COMMIT: lambda meeting, step: "commits",
}
"""What a replica does in each kind of step."""
