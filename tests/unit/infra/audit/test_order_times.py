"""When an order was placed at the earliest, by its id."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from infra.audit.audit import time_of
from shared.ids import new_id

LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def test_an_id_tells_its_time() -> None:
    """To the millisecond."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    assert before <= time_of(new_id(), LATEST) <= datetime.now(UTC)


@pytest.mark.parametrize("forged", [UUID(int=2**128 - 1), UUID("f0000000-0000-4000-8000-000000000000")])
def test_an_id_that_is_none_of_ours_is_no_later_than_now(forged: UUID) -> None:
    """Whoever made it up stops no audit."""
    assert time_of(forged, LATEST) == LATEST
