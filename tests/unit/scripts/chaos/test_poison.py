"""Poison: every kind of it is set aside by the code that reads messages, and none is read as an event."""

from datetime import UTC, datetime

import pytest

from scripts.chaos.poison import bodies
from shared.envelope import Unreadable, decode
from shared.letters import letters_of
from shared.vocabulary.inventory import StockReserved

NAME = StockReserved.kind.name


@pytest.mark.parametrize("what", bodies(StockReserved))
def test_poison_is_one_letter(what: str) -> None:
    """So the experiment can count what was set aside."""
    body = bodies(StockReserved)[what]
    (read,) = decode(body, NAME)
    assert isinstance(read, Unreadable)
    assert len(letters_of(body, {}, datetime.now(UTC))) == 1


def test_poison_is_never_the_same_twice() -> None:
    """A letter is named by its content: what came before would not be counted again."""
    assert not set(bodies(StockReserved).values()) & set(bodies(StockReserved).values())
