"""Free text that is taken over HTTP and written down for good: a card number in it is refused at the door."""

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from shared.card_numbers import has_card_number


def _no_card_number(text: str) -> str:
    if has_card_number(text):
        raise PydanticCustomError("card_number", "A card number is never taken: what is written here stays for good")
    return text


NO_CARD_NUMBER = AfterValidator(_no_card_number)
"""What a text is annotated with that goes into a log, a record or a row."""
