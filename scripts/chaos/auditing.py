"""What must hold once nothing is under way any more, whatever was broken before."""

from collections import defaultdict
from typing import Protocol

from infra.audit.audit import Scope, audit
from infra.home import Home
from scripts.audit import sources_of
from scripts.chaos.database import Database
from scripts.chaos.load import Load

NAMED_MAX = 3
"""So many of those that break a rule are named."""


class Auditor(Protocol):
    """Looks at everything that is kept."""

    async def run(self, since_s: float | None = None) -> list[str]:
        """Name every violation, one line each; nothing if all is as it must be.

        With `since_s` it looks at what has changed in the last so many seconds alone.
        """


ORDERS = "SELECT order_id FROM order_service.orders WHERE order_id = ANY($1::uuid[])"
ORDERS_OF = "SELECT order_id FROM order_service.orders WHERE customer_id = $1"


async def broken_promises(database: Database, load: Load) -> list[str]:
    """Hold what customers were told against the orders that are there: none is lost, and none is there twice.

    Raises:
        OSError, TimeoutError, PostgresError, InterfaceError: the orders cannot be read.
    """
    there = {str(row[0]) for row in await database.rows(ORDERS, load.placed)}
    own = {str(row[0]) for row in await database.rows(ORDERS_OF, load.customer)}
    found = []
    if lost := sorted(set(load.placed) - there):
        found.append(_line("an order that was answered 201 is not there", lost))
    if len(untold := sorted(own - set(load.placed))) > load.lost:
        found.append(_line(f"more orders than the {load.lost} without an answer are there untold", untold))
    return found


class Promises:
    """`quartet audit`, with every rule: the four schemas, the queues, the logs, and the provider's ledger."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def run(self, since_s: float | None = None) -> list[str]:
        """Name every rule that is broken, one line each.

        Raises:
            WorldError, HTTPError, AMQPError, OSError, TimeoutError: a book is out of reach.
        """
        findings = await audit(sources_of(self._home), Scope(since_s))
        about: defaultdict[str, list[str]] = defaultdict(list)
        for broken in findings.breaks:
            about[f"{broken.rule} ({broken.how})"].append(broken.about)
        return [_line(rule, names) for rule, names in about.items()]


def _line(rule: str, broken: list[str]) -> str:
    more = f" and {len(broken) - NAMED_MAX} more" if len(broken) > NAMED_MAX else ""
    return f"{rule}: {', '.join(broken[:NAMED_MAX])}{more}"
