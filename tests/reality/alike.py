"""What is the same though it is spelled otherwise.

PostgreSQL keeps a payload as `jsonb` and gives it back with its keys in another order, and by its clock things happen
at another time than in a model whose time stands still. All else has to be equal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from uuid import UUID

import orjson

from shared.letters import Letter
from tests.simulation.broker import Parcel

CACHE_MAX = 10_000
NOBODY = UUID(int=0)


@lru_cache(CACHE_MAX)
def spelled(body: bytes) -> bytes:
    """Spell a message in one way, without the time."""
    events = [{name: value for name, value in event.items() if name != "time"} for event in orjson.loads(body)]
    return orjson.dumps(events, option=orjson.OPT_SORT_KEYS)


@lru_cache(CACHE_MAX)
def payload(data: bytes) -> bytes:
    """Spell what an event holds in one way."""
    return orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS)


def parcel(each: Parcel) -> Parcel:
    """Give what a message is like; it is named by its first event, or if it is replayed by a hash of its spelling."""
    is_named_by_event = each.message_id.encode() in each.body
    return each._replace(body=spelled(each.body), message_id=each.message_id if is_named_by_event else "")


def letter(each: Letter) -> Letter:
    """Give what a dead letter is like; its id is a hash of its spelling."""
    return replace(each, letter_id=NOBODY, body=spelled(each.body))


def parcels_like(parcels: Iterable[Parcel], wanted: Iterable[Parcel]) -> Iterator[Parcel]:
    """Find for each message one that is like it, none of them twice.

    Raises:
        StopIteration: there is none.
    """
    left = list(parcels)
    for each in wanted:
        found = next(other for other in left if parcel(other) == parcel(each))
        left.remove(found)
        yield found


def letter_like(letters: Iterable[Letter], wanted: Letter) -> Letter:
    """Find a letter like one of the model's."""
    return next(each for each in letters if letter(each) == letter(wanted))
