"""What counts as a card number, and what only looks like one."""

import pytest

from shared.card_numbers import has_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        '{"note":"4111-1111-1111-1111"}',
        "card 4111 1111 1111 1111 2026",
        "378282246310005",
        "3782 822463 10005",
        "<6011111111111117>",
        "4222222222222",
        "4000000000000000006",
        '{"note":"my card:\\n4111 1111 1111 1111"}',  # as JSON writes a line feed
        '{"note":"\\t378282246310005"}',
    ],
)
def test_a_card_number(text: str) -> None:
    """Of any length, in one or in groups, wherever it stands."""
    assert has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit is wrong
        "ch_4111111111111111",
        "4111111111111111a",
        "0190d1a5-4111-1111-1111-111111111111",
        "0.4111111111111111",
        "1000000000000",
        "1795260000000000000",  # nanoseconds since 1970
        "411111111111",
    ],
)
def test_no_card_number(text: str) -> None:
    """Ids, amounts and times are none."""
    assert not has_card_number(text)
