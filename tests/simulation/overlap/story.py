"""What happens in a meeting, told so that a person understands it without the code."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from services.inventory.state import Level
from shared.ports import LogEntry
from tests.simulation.broker import events_of
from tests.simulation.overlap.meeting import READER, Choice, Meeting, Replica
from tests.simulation.overlap.schema import Row
from tests.simulation.overlap.transactions import Kind, Step
from tests.simulation.story import event_of, number_of
from tests.simulation.world import Action


def sentence(meeting: Meeting, choice: Choice) -> str:
    """Tell what is about to happen."""
    if choice.who == READER:
        return _reads(meeting)
    who = f"{choice.who.capitalize()} replica"
    replica = meeting.replicas[choice.who]
    if choice.step is None:
        again = "the customer asks again" if replica.action.kind == "command" else "what it had not acked comes anew"
        return f"{who} dies{_in_what(replica)}. It is started again, and {again}."
    begun = "" if replica.store.is_in_the_middle else " begins a transaction, and"
    return f"{who}{begun} {DONE[choice.step.kind](meeting, choice.step)}."


def _in_what(replica: Replica) -> str:
    if replica.next == Step(Kind.TELL):
        return " right after the commit"
    return ", and its transaction with it" if replica.store.is_in_the_middle else " before it has begun"


def waiting(meeting: Meeting) -> Iterator[str]:
    """Tell who waits for whom."""
    for who, step in meeting.at_work.items():
        for row in step.locks:
            if (holder := meeting.schema.holder(row)) not in (None, who):
                yield f"{who.capitalize()} replica waits for {_row(meeting, row)}, which {holder} holds."


def _reads(meeting: Meeting) -> str:
    told = " and ".join(f"{_logged(e)} at position {place.position}" for place, e in meeting.schema.page(meeting.place))
    running = meeting.schema.running
    oldest = min(running, default=0)
    below = f", as far as to the transaction of {running[oldest]}" if oldest == meeting.schema.horizon else ""
    return f"Somebody reads the next page of the log{below}: {told}."


def _receives(meeting: Meeting, step: Step) -> str:
    ((_, event_id),) = step.rows
    name = _names(meeting)[str(event_id)]
    known = event_id in meeting.schema.tables.inbox
    return f"finds {name} in the inbox" if known else f"puts {name} into the inbox"


def _rows(meeting: Meeting, step: Step) -> str:
    return " and ".join(_row(meeting, row) for row in step.rows)


def _row(meeting: Meeting, row: Row) -> str:
    return ROWS[row[0]](meeting, row[1])


def _state_row(_: Meeting, key: object) -> str:
    return f"the row of order {number_of(key)}" if isinstance(key, UUID) else f"the stock of {key}"


def _read(meeting: Meeting, step: Step) -> str:
    """Tell rows with what stands in them, as far as that is a matter of numbers."""
    states = meeting.schema.tables.states
    levels = [states[key][0].level for _, key in step.rows if isinstance(key, str)]
    return _rows(meeting, step) + "".join(map(_level, levels))


def _saved(meeting: Meeting, step: Step) -> str:
    return _rows(meeting, step) + "".join(_level(each) for each in step.written if isinstance(each, Level))


def _level(level: Level) -> str:
    return f" ({level.available} for sale, {level.reserved} reserved)"


def _logs(meeting: Meeting, step: Step) -> str:
    first = len(meeting.schema.taken) + 1
    names = [str(type_).rpartition(".")[0] for type_ in step.written]
    return "logs " + " and ".join(f"{name} at position {number}" for number, name in enumerate(names, start=first))


def _logged(entry: LogEntry) -> str:
    return f"{entry.logged.type.rpartition('.')[0]} of order {number_of(entry.logged.correlation_id)}"


def _names(meeting: Meeting) -> Mapping[str, str]:
    """Name the events that the replicas have got, by their ids."""
    return dict(name for replica in meeting.replicas.values() for name in _names_in(replica.action))


def _names_in(action: Action) -> Sequence[tuple[str, str]]:
    if action.kind == "command":
        return [(str(action.what.event_id), f"the request “{action.what.name}”")]
    return [(str(event_id), event_of(parcel)) for parcel in action.what for event_id in events_of(parcel.body)]


def _request(_: Meeting, identity: object) -> str:
    assert isinstance(identity, tuple)
    return f"the answer to “{identity[-1]}”"


def _version(_: Meeting, key: object) -> str:
    assert isinstance(key, tuple)
    stream, version = key
    return f"version {version} in the log of order {number_of(stream)}"


ROWS: Mapping[str, Callable[[Meeting, object], str]] = {
    "events": _version,
    "inbox": lambda meeting, key: f"the place of {_names(meeting)[str(key)]} in the inbox",
    "requests": _request,
    "states": _state_row,
}
"""What the rows of each table are called."""
DONE: Mapping[Kind, Callable[[Meeting, Step], str]] = {
    Kind.ASK: lambda meeting, step: f"looks for {_rows(meeting, step)}",
    Kind.RECEIVE: _receives,
    Kind.LOAD: lambda meeting, step: f"locks and reads {_read(meeting, step)}",
    Kind.READ: lambda meeting, step: f"reads {_read(meeting, step)}, and locks nothing",
    Kind.SAVE: lambda meeting, step: f"writes {_saved(meeting, step)}",
    Kind.LOG: _logs,
    Kind.ANSWER: lambda meeting, step: f"writes down {_rows(meeting, step)}",
    Kind.COMMIT: lambda meeting, step: "commits",
    Kind.TELL: lambda meeting, step: "tells everybody, and is through with it",
}
"""What a replica does in each kind of step."""
