"""The books of an evening: what four schemas, the provider's ledger and the mailboxes must agree on at the end."""

from typing import Any

from infra.audit.audit import Scope, Sources, audit
from infra.audit.facts import Bounds
from infra.audit.findings import Findings
from tests.integration.outside import Outside
from tests.integration.stage import Stage
from tests.waiting import eventually

NOTHING_WAITS = Bounds(settled_for_s=0, overdue_s=0)
"""Bounds for a world that is quiescent: everything is at rest, and nothing may wait for anything."""


async def agree(stage: Stage, *, dead: int = 0) -> None:
    """Wait until nothing is under way any more, and insist that every promise is kept."""
    await stage.auditor.quiescent(dead=dead)
    findings = await audited(stage)
    assert findings.is_clean, "\n".join(map(str, findings.breaks))
    assert findings.orders == await stage.auditor.count("order_service.orders")


async def audited(stage: Stage, scope: Scope | None = None, **others: Any) -> Findings:
    """Hold everything against every promise, as `quartet audit` does; `others` are sources that are not the stage's."""
    given: dict[str, Any] = {
        "database_url": stage.servers.database_url("auditor"),
        "broker_url": stage.servers.broker_url("observer"),
        "provider_url": stage.outside.provider_url,
        "ledger_after": stage.ledger_after,
    }
    return await audit(Sources(**given | others), scope or Scope(bounds=NOTHING_WAITS))


async def mails_are(outside: Outside, email: str, *subjects: str) -> None:
    """Insist that an address got these mails, in this order, each of them once."""

    async def look() -> None:
        assert await outside.mails(email) == list(subjects)

    await eventually(look)
