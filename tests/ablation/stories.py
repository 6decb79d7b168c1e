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

Four are not told by the simulator, because only a real database has locks and transactions that overlap. What happens
without them is played by their tests, which are in the table:

- **sorted locks**: one batch has locked A and wants B, the other has locked B and wants A. The database ends one.
- **version guard**: two have read version 3 and each writes its own version 4. What the first one wrote is gone.
- **feed horizon**: a transaction has taken position 7 and still runs; the next one takes 8 and commits. Who reads on
  behind 8 never sees 7.
- **feed by transaction**: who commits last may have the lowest position, far below what was read long ago.
"""


def told(stories: Mapping[str, str]) -> str:
    """Write the document."""
    tales = [tale(each, stories[each.name]) for each in SAFEGUARDS if each.name in stories]
    return "\n".join([HEAD, *tales])


def tale(safeguard: Safeguard, story: str) -> str:
    """Write what happens without one safeguard."""
    steps = story.partition("\n")[2]
    return (
        f"## Without {safeguard.name}\n\n"
        f"The promise: {safeguard.promise} What upholds it: {safeguard.upheld_by}\n\n"
        f"```text\n{steps.rstrip()}\n```\n"
    )
