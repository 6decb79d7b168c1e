"""What a payment card's number looks like: none is ever taken from a customer, and none may be written down."""

import re
from collections.abc import Iterator

_CARD = re.compile(
    r"[2-6](?:(?<![\w.-].)|(?<=\\[bfnrt].))[0-9]{3}"
    r"(?:[0-9]{9,15}|(?:[ -][0-9]{4}){3}|(?<=3...)[ -][0-9]{6}[ -][0-9]{5})(?![\w-])"
)
"""13 to 19 digits (ISO/IEC 7812-1), in one or in the groups on a card. Those of payment networks begin with 2 to 6.
What touches a letter, a hyphen or a point is part of an id or of a number; the letter of a JSON escape is none."""


def has_card_number(text: str) -> bool:
    """Tell whether a text holds digits that are a card number by their length, place and check digit (Luhn)."""
    return any(True for _ in card_numbers(text))


def card_numbers(text: str) -> Iterator[int]:
    """Give where card numbers begin in a text, which may be JSON."""
    return (match.start() for match in _CARD.finditer(text) if _luhn(match.group()))


def _luhn(text: str) -> bool:
    """Check the check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(each) for each in reversed(text) if each.isdigit()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0
