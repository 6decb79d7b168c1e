"""`quartet key`: customers' keys, issued and revoked as the operator, over order's own HTTP interface."""

import re
from typing import Annotated
from urllib.parse import quote

import typer

from infra.failure import StackError
from scripts.operations import asking
from scripts.sentences import sentences
from services.order.keys import hash_of

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Customers' keys: issue, list, revoke.")

Customer = Annotated[str, typer.Argument(help="The customer's id.")]


@app.command()
def issue(context: typer.Context, customer: Customer) -> None:
    """Issue a key and print it; nobody can tell it again."""
    with sentences(), asking(context) as operations:
        issued = operations.post("order", _path(customer), {})
        if issued is None:
            raise StackError("order issues no key right now")
        typer.echo(issued["key"])


@app.command("list")
def list_keys(context: typer.Context, customer: Customer) -> None:
    """List a customer's keys by their ids, which are hashes: when each was issued, and when revoked."""
    with sentences(), asking(context) as operations:
        for key in (operations.get("order", _path(customer)) or {"keys": ()})["keys"]:
            revoked = f", revoked {key['revoked_at']}" if key["revoked_at"] else ""
            typer.echo(f"{key['key_id']}  issued {key['created_at']}{revoked}")


@app.command()
def revoke(
    context: typer.Context, customer: Customer, key: Annotated[str, typer.Argument(help="The key, or its id.")]
) -> None:
    """Revoke a key; within seconds it opens nothing any more."""
    key_id = key if re.fullmatch("[0-9a-f]{64}", key) else hash_of(key).hex()
    with sentences(), asking(context) as operations:
        if operations.delete("order", f"{_path(customer)}/{key_id}") is None:
            raise StackError(f"{customer} has no such key, or it was revoked before")
        typer.echo(f"Revoked; it opens nothing any more within seconds: {key_id}")


def _path(customer: str) -> str:
    return f"/customers/{quote(customer, safe='')}/keys"
