"""An evening that was played once and is put back as it was for every test that spoils it in another way."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.integration.auditor import Auditor
from tests.integration.shop import LocalShop
from tests.integration.stage import Stage

TABLES = """
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname LIKE '%\\_service' AND tablename <> 'alembic_version' ORDER BY name
"""


@dataclass(slots=True)
class Evening:
    """One order of each kind, all of them ended, and every book that tells of them."""

    orders: dict[str, str]
    """Ids by kind: `sold`, `back` is refunded, `declined`, and `short` of stock, which was never charged."""
    rows: dict[str, str]
    """Every table's rows as JSON."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """The provider's ledger."""

    async def put_back(self, auditor: Auditor) -> None:
        """Fill the empty tables with what was in them."""
        for name, rows in self.rows.items():
            await auditor.rows(
                f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::{name}, $1)",  # noqa: S608 - ours
                rows,
            )

    def provider(self) -> httpx.MockTransport:
        """Serve the ledger as it was, or as it was forged."""

        def page(request: httpx.Request) -> httpx.Response:
            after, limit = int(request.url.params["after"]), int(request.url.params["limit"])
            lines = [line for line in self.lines if line["line"] > after]
            following = lines[limit - 1]["line"] if len(lines) > limit else None
            return httpx.Response(200, json={"lines": lines[:limit], "next": following})

        return httpx.MockTransport(page)

    def forge(self, kind: str, key: str, amount: int) -> None:
        """Add a line to the ledger."""
        last = self.lines[-1]
        line = {"line": last["line"] + 1, "key": key, "kind": kind, "id": "forged", "amount": amount}
        self.lines.append({**line, "currency": "EUR" if amount else None, "at": last["at"]})


async def played(stage: Stage) -> Evening:
    """Play one order of each kind to its end, and keep all that is written of it."""
    await stage.offer(rosin=10, bow=1)
    actors = await stage.start_all()
    async with LocalShop(stage, actors) as shop:
        sold = await shop.bought({"rosin": 2})
        declined = await shop.bought({"rosin": 1}, "tok_declined")
        short = await shop.bought({"bow": 2})
        back = await shop.bought({"rosin": 3})
        await shop.cancel(back)
        await shop.settled(back["order_id"])
        await stage.auditor.quiescent()
    for actor in actors.values():
        await actor.stop()
    kinds = {"sold": sold, "declined": declined, "short": short, "back": back}
    rows = {
        row["name"]: await stage.auditor.value(f"SELECT coalesce(json_agg(t), '[]')::text FROM {row['name']} AS t")  # noqa: S608 - ours
        for row in await stage.auditor.rows(TABLES)
    }
    lines = await stage.outside.ledger(stage.ledger_after)
    return Evening({kind: order["order_id"] for kind, order in kinds.items()}, rows, lines)
