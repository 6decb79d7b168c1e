"""`quartet key`: customers' keys, issued and revoked as the operator, over order's own HTTP interface."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import quote

import httpx
import typer

from infra.credentials import OPERATOR_KEY, Credentials
from infra.home import Home
from infra.ports import HOST, ORDER
from services.order.keys import hash_of

HTTP_TIMEOUT_S = 15.0
FAILED = 2

app = typer.Typer(no_args_is_help=True, help="Customers' keys: issue, list, revoke.")

Customer = Annotated[str, typer.Argument(help="The customer's id.")]


@app.command()
def issue(customer: Customer) -> None:
    """Issue a key and print it; nobody can tell it again."""
    with _order() as order:
        typer.echo(order.post(_path(customer)).raise_for_status().json()["key"])


@app.command("list")
def list_keys(customer: Customer) -> None:
    """List a customer's keys by their ids, which are hashes: when each was issued, and when revoked."""
    with _order() as order:
        keys = order.get(_path(customer)).raise_for_status().json()["keys"]
    for key in keys:
        revoked = f", revoked {key['revoked_at']}" if key["revoked_at"] else ""
        typer.echo(f"{key['key_id']}  issued {key['created_at']}{revoked}")


@app.command()
def revoke(customer: Customer, key: Annotated[str, typer.Argument(help="The key, or its id.")]) -> None:
    """Revoke a key; within seconds it opens nothing any more."""
    key_id = key if re.fullmatch("[0-9a-f]{64}", key) else hash_of(key).hex()
    with _order() as order:
        order.delete(f"{_path(customer)}/{key_id}").raise_for_status()
    typer.echo(f"Revoked; it opens nothing any more within seconds: {key_id}")


def _path(customer: str) -> str:
    return f"/customers/{quote(customer, safe='')}/keys"


@contextmanager
def _order() -> Iterator[httpx.Client]:
    """Speak to order as the operator; what goes wrong is one line and exit code 2."""
    operator_key = Credentials.read(Home.locate().secrets).values.get(OPERATOR_KEY, "")
    headers = {"X-Operator-Key": operator_key}
    try:
        with httpx.Client(base_url=f"http://{HOST}:{ORDER}", headers=headers, timeout=HTTP_TIMEOUT_S) as client:
            yield client
    except httpx.HTTPStatusError as error:
        _complain(f"order says: {error.response.json()['detail']}")
    except (httpx.HTTPError, OSError) as error:
        _complain(f"order does not answer ({type(error).__name__}): `make up` first, or `make status`")


def _complain(sentence: str) -> None:
    typer.echo(f"key: {sentence}", err=True)
    raise typer.Exit(FAILED)
