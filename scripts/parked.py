"""`quartet parked`: intents and events that wait for a person; look at them, release them."""

import json
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import typer

from infra.failure import StackError
from infra.ports import SERVICES
from scripts.operations import Document, Operations, asking
from scripts.sentences import sentences
from scripts.stack_screen import out, rows_table

PAGE_MAX_ROWS = 200
"""Of each service."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Intents and events that are parked, until a person releases them."
)


@app.command("list")
def list_parked(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """List what is parked, with the last error."""
    with sentences(), asking(context) as operations:
        parked: list[Document] = []
        for service in SERVICES:
            page = operations.get(service, "/parked", limit=PAGE_MAX_ROWS) or {"parked": []}
            parked += [{"service": service, **one} for one in page["parked"]]
        if as_json:
            out.print_json(json.dumps({"parked": parked}))
            return
        rows_table(parked, ("id", "service", "kind", "order_id", "attempts", "parked_at", "last_error"))
        out.print(f"{len(parked)} parked")


@app.command()
def release(
    context: typer.Context,
    ids: Annotated[list[UUID] | None, typer.Argument(help="What to release, by id.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is parked.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be released.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no question.")] = False,
) -> None:
    """Have what is parked tried anew at once, with all its attempts before it."""
    with sentences(), asking(context) as operations:
        if bool(ids) == every:
            raise StackError("say what to release: ids, or --all")
        asked = {"all": True} if every else {"ids": [str(each) for each in ids or ()]}
        # looked at first: a service that is away ends it before anything is changed
        found = _released(operations, dict.fromkeys(SERVICES, asked | {"dry_run": True}))
        count = sum(len(answer["ids"]) for answer in found.values())
        more = "; there are more, do it again" if any(answer["more"] for answer in found.values()) else ""
        if ids and not count:
            raise StackError("nothing of that id is parked")
        if dry_run:
            out.print(f"{count} would be released{more}")
            return
        if every and count and not yes:
            typer.confirm(f"Release {count} that {'is' if count == 1 else 'are'} parked?", abort=True, err=True)
        done = _released(operations, {name: {"ids": answer["ids"]} for name, answer in found.items() if answer["ids"]})
        out.print(f"{sum(len(answer['ids']) for answer in done.values())} released{more}")


def _released(operations: Operations, asked: Mapping[str, Document]) -> dict[str, Document]:
    answers = {service: operations.post(service, "/parked/release", body) for service, body in asked.items()}
    return {service: answer for service, answer in answers.items() if answer}
