"""What holds for the stock of one SKU, at every instant."""

from collections.abc import Iterator

from infra.audit.facts import Shelf


def adds_up(shelf: Shelf) -> Iterator[str]:
    """No number is negative, and what came in is somewhere."""
    level = shelf.level
    if min(level.received, level.available, level.reserved, level.sold) < 0:
        yield f"{level} is negative"
    if level.received != level.available + level.reserved + level.sold:
        yield f"{level} does not add up"


def held_for_orders(shelf: Shelf) -> Iterator[str]:
    """What is reserved or sold is so for orders."""
    if shelf.level.reserved != shelf.held:
        yield f"{shelf.level.reserved} are counted as reserved, and orders hold {shelf.held}"
    if shelf.level.sold != shelf.committed:
        yield f"{shelf.level.sold} are counted as sold, and orders have bought {shelf.committed}"


def received_as_logged(shelf: Shelf) -> Iterator[str]:
    """What came in is what the receipts in the log add up to."""
    told, is_ = (shelf.logged_receipts, shelf.logged_quantity), (shelf.receipts, shelf.level.received)
    if told != is_:
        yield f"{is_[1]} came in {is_[0]} receipts, and the log tells of {told[1]} in {told[0]}"
