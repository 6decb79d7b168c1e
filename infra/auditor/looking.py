"""One audit, from the auditor's settings to a document. Whoever imports this loads all that an audit takes."""

import gc
from functools import partial
from typing import Any

from infra.audit.audit import Scope, Sources, audit
from infra.audit.document import document_of
from infra.audit.logs import pages_in
from infra.auditor.settings import Settings

BREAKS_TOLD_MAX = 100
"""So many breaks are told one by one: a page has no room for more, and is fetched every other second."""


def sources_of(settings: Settings) -> Sources:
    """Say where the books are."""
    return Sources(
        database_url=settings.database_url,
        broker_url=settings.broker_url,
        provider_url=settings.provider_url,
        logs=partial(pages_in, settings.logs) if settings.logs else None,
    )


async def found(sources: Sources) -> dict[str, Any]:
    """Hold all books against all rules.

    Raises:
        RefusedError, OUT_OF_REACH: as an audit does.
    """
    gc.disable()  # as the command does: what was read is let go with its last reference
    try:
        document = document_of(await audit(sources, Scope()))
    finally:
        gc.enable()
    return document | {"breaks": document["breaks"][:BREAKS_TOLD_MAX]}
