"""The shapes on the wire, in and out."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from infra.provider.records import FaultChange, Line

AMOUNT_MAX_MINOR = 10**12
KEY_MAX_CHARS = 128
TOKEN_MAX_CHARS = 128
KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"  # safe in a path, as it is


class ChargeBody(BaseModel):
    """What a merchant sends; `amount` is in minor units of `currency` (ISO 4217)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key: str = Field(min_length=1, max_length=KEY_MAX_CHARS, pattern=KEY_PATTERN)
    amount: int = Field(ge=1, le=AMOUNT_MAX_MINOR)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    token: str = Field(min_length=1, max_length=TOKEN_MAX_CHARS)


def charge_of(line: Line) -> dict[str, Any]:
    """Show a charge as merchants know it."""
    return {
        "id": line.id,
        "key": line.key,
        "status": line.kind,
        "reason": line.reason,
        "amount": line.amount,
        "currency": line.currency,
    }


def undo_of(line: Line) -> dict[str, Any]:
    """Show an undo as merchants know it."""
    return {
        "id": line.id,
        "key": line.key,
        "status": line.kind,
        "amount": line.amount,
        "currency": line.currency,
    }


def line_of(line: Line) -> dict[str, Any]:
    """Show a line of the ledger, without what only a charge's answer tells."""
    return {
        "line": line.line,
        "key": line.key,
        "kind": line.kind,
        "id": line.id,
        "amount": line.amount,
        "currency": line.currency,
        "at": line.at,
    }


def change_of(change: FaultChange) -> dict[str, Any]:
    """Show a change of the fault rates."""
    return {"change": change.change, "at": change.at, "rates": json.loads(change.rates)}
