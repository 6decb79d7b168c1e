"""What a choreography must keep to, as a table. Each row names the function that says how a dance breaks it."""

from infra.choreography.checks import asking, paths, queues, undoing
from infra.choreography.checks.check import Check, Finding
from infra.choreography.graph import Choreography

CHECKS = (
    Check("owned", "every event has an owner, and nobody else causes it", paths.owned),
    Check("caused", "an event is caused by a reaction, unless it is a command or an answer", paths.caused),
    Check("heard", "somebody reacts to every event, unless it is final", paths.heard),
    Check("reachable", "a lane, a caller or an answer leads to every reaction", paths.reachable),
    Check("no-circle", "no event leads back to itself", paths.no_circle),
    Check("ends", "every path ends with a final event", paths.ends),
    Check("carried-out", "every intent has a performer, and its service reacts to each answer", asking.carried_out),
    Check("bounded", "how long an intent is asked again is a setting, or for ever on purpose", asking.bounded),
    Check("undone", "a cancellation undoes what takes a scarce good or changes the outside world", undoing.undone),
    Check("closed", "who undoes something closes the cancellation, once, on every path", undoing.closed),
    Check("lanes", "every lane has its queue, bindings, delays and dead letters", queues.lanes),
)


def findings(dance: Choreography) -> list[Finding]:
    """Hold a dance against every check."""
    return [Finding(check.name, how) for check in CHECKS for how in check.broken(dance)]
