"""`docs/counterexamples.md`: what happens without each safeguard, as the simulator tells it."""

from collections.abc import Mapping

from tests.ablation.safeguard import Safeguard
from tests.ablation.safeguards import SAFEGUARDS
from tests.ablation.table import REPOSITORY

STORIES = REPOSITORY / "docs" / "counterexamples.md"
HEAD = """# What happens without it

Each safeguard of [guarantees.md](guarantees.md) can be switched off, and the simulator, which runs the real shell,
relay, intent workers and receiver through every order of things, then finds a promise that breaks. These are the
shortest such histories, as it tells them. `make ablation` finds them again, and fails if they are told otherwise here.

Some stories have two replicas of a service, each in the middle of a transaction; they are told row by row.

A safeguard of ours is taken out of the code, and what is a matter of SQL, of the broker or of the provider out of the
simulator's model of them. That the SQL itself upholds it is for its test in the table of the guarantees to show, on a
real server.
"""


def told(stories: Mapping[str, str]) -> str:
    """Write the document."""
    return "\n".join([HEAD, *(tale(each, stories[each.name]) for each in SAFEGUARDS)])


def tale(safeguard: Safeguard, story: str) -> str:
    """Write what happens without one safeguard."""
    steps = story.partition("\n")[2]
    return (
        f"## Without {safeguard.name}\n\n"
        f"The promise: {safeguard.promise} What upholds it: {safeguard.upheld_by}\n\n"
        f"```text\n{steps.rstrip()}\n```\n"
    )
