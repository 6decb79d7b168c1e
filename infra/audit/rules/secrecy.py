"""What must not be written down: card numbers anywhere, payment tokens anywhere but where they wait."""

import re
from collections.abc import Iterable, Iterator

from infra.audit.facts import Letter, LogPage, Part
from shared.card_numbers import card_numbers, has_card_number

_TOKEN = re.compile(r'"(tok_\w+)"')
"""As the provider's tokens look; a customer's word that does not look so was never worth anything."""

MAY_HOLD_TOKENS = ("order.placed.v1", "charge")
"""The one event that carries the token, and the intent that waits with it."""


def no_card(part: Part) -> Iterator[str]:
    """No event or intent holds a card number."""
    for what, text in _texts(part):
        if has_card_number(text):
            yield f"{part.service} keeps a card number in {what}"


def no_token(part: Part) -> Iterator[str]:
    """No event or intent holds a payment token, but where it has to wait."""
    for what, text in _texts(part):
        if not what.startswith(MAY_HOLD_TOKENS) and _TOKEN.search(text):
            yield f"{part.service} keeps a payment token in {what}"


def no_secret_in_letter(letter: Letter) -> Iterator[str]:
    """No letter holds a card number, and none but of the event that carries it a payment token."""
    if has_card_number(letter.text):
        yield f"a card number is in the letter from {letter.lane}"
    if letter.type not in MAY_HOLD_TOKENS and _TOKEN.search(letter.text):
        yield f"a payment token is in the letter from {letter.lane}"


def no_card_in_log(page: LogPage) -> Iterator[str]:
    """No program wrote one into its log."""
    for place in card_numbers(page.text):
        line = page.line + page.text.count("\n", 0, place)
        yield f"a card number is in line {line}"


def _texts(part: Part) -> Iterable[tuple[str, str]]:
    """Give all that is written freely, each with its type first."""
    for entry in part.log:
        yield f"{entry.type} {entry.event_id}", entry.text
    for intent in part.intents:
        yield intent.what, intent.text
