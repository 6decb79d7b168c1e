"""The trace context: read from what may be anything, and named after what it is about."""

import pytest

from shared.tracing.context import SpanContext, is_declined, read
from tests.unit.shared.tracing_stage import TRACE, UNRECORDED, given


def test_it_is_written_as_it_was_read() -> None:
    """The trace, the span, and that it is recorded."""
    assert given() == SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)
    assert str(given()) == TRACE
    assert str(SpanContext(1, 2)) == f"00-{1:032x}-{2:016x}-01"


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "00-1-2-01",
        TRACE.upper(),
        TRACE + "\n",
        TRACE + "-more",
        f"00-{0:032x}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{0:016x}-01",
        UNRECORDED,
    ],
)
def test_what_is_no_context_of_a_recorded_span(traceparent: str | None) -> None:
    """It counts as none."""
    assert read(traceparent) is None


@pytest.mark.parametrize(("traceparent", "declined"), [(UNRECORDED, True), (TRACE, False), ("", False), ("00-", False)])
def test_who_has_decided_that_nobody_records_it(traceparent: str, declined: bool) -> None:
    """Only who says so."""
    assert is_declined(traceparent) is declined


def test_a_span_is_named_after_what_it_is_about() -> None:
    """Twice the same, and nothing else like it; in its own trace."""
    names = [given().named("reaction", "order", "1"), given().named("reaction", "order", "1")]
    others = {given().named("reaction", "order", "2"), given().named("reaction", "orde", "r1"), given().another()}
    assert names[0] == names[1]
    assert names[0] not in others
    assert len(others) == 3
    assert {name.trace_id for name in (*names, *others)} == {given().trace_id}
