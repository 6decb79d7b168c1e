"""`python -m tests.integration.deadly`: notification, in a process that ends in the middle of one reaction.

Which one, says the environment: `QUARTET_DEADLY`, the id of an order.
"""

import os
from dataclasses import replace
from typing import Any

from services.notification.__main__ import service
from shared.outcome import Advanced, Ignored
from tests.integration.reacting import Function, wrapped

EXIT_CODE = 139


def end(function: Function, event: Any, state: Any) -> Advanced[Any] | Ignored:
    """End as a crash of the interpreter does: at once, and without a word."""
    if str(event.order_id) == os.environ["QUARTET_DEADLY"]:
        os._exit(EXIT_CODE)
    return function(event, state)


if __name__ == "__main__":
    replace(service, reactions=wrapped(service.reactions, end)).run()
