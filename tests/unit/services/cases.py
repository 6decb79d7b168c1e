"""A row of a table of cases: in this state, this event leads to this."""

from dataclasses import dataclass
from typing import Any

import pytest

from shared.event import Event
from shared.outcome import Advanced, Ignored, ImpossibleError
from shared.reactions import Reactions


@dataclass(frozen=True, slots=True)
class Case:
    """What is expected of one reaction."""

    name: str
    state: Any
    event: Event
    outcome: Advanced[Any] | Ignored | ImpossibleError

    def __str__(self) -> str:
        return self.name

    def check(self, reactions: Reactions) -> None:
        """Run the reaction and hold what it answers against the row."""
        if isinstance(self.outcome, ImpossibleError):
            with pytest.raises(ImpossibleError) as raised:
                reactions.react(self.event, self.state)
            assert str(raised.value) == str(self.outcome)  # a person reads it with the dead letter
        else:
            assert reactions.react(self.event, self.state) == self.outcome
