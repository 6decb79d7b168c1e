"""`quartet dlq`: the dead letters of all services; look at them, replay them, drop them."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

import typer

from infra.failure import StackError
from infra.ports import SERVICES
from scripts.operations import Document, Operations, asking
from scripts.refill import owner_of
from scripts.sentences import sentences
from scripts.stack_screen import out, plain, rows_table

PAGE_MAX_LETTERS = 200
"""Of each service; what is left is said."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Dead letters: events that failed and were set aside."
)

Letters: TypeAlias = Annotated[list[UUID] | None, typer.Argument(help="Letters, by their ids.", show_default=False)]
Reason: TypeAlias = Annotated[str | None, typer.Option("--reason", help="Those of one error class.")]
Lane: TypeAlias = Annotated[str | None, typer.Option("--lane", help="Those of one lane, such as payment.order.placed.")]
All: TypeAlias = Annotated[bool, typer.Option("--all", help="Every letter of every service.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would become of each.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Ask no question.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_letters(context: typer.Context, reason: Reason = None, lane: Lane = None, as_json: AsJson = False) -> None:
    """List dead letters, with what the inbox holds of each and what a replay would come to."""
    with sentences(), asking(context) as operations:
        letters: list[Document] = []
        left = 0
        for service in _services(lane):
            page = operations.get(service, "/dead-letters", lane=lane, error_class=reason, limit=PAGE_MAX_LETTERS) or {
                "letters": [],
                "left": 0,
            }
            letters += [{"service": service, **letter} for letter in page["letters"]]
            left += page["left"]
        _insist_on_lane(lane, letters)
        if as_json:
            out.print_json(json.dumps({"letters": letters, "left": left}))
            return
        rows_table(letters, ("letter_id", "lane", "error_class", "last_failed_at", "replay"))
        out.print(f"{len(letters)} dead letters" + (f", and {left} more" if left else ""))


@app.command()
def show(
    context: typer.Context, letter: Annotated[UUID, typer.Argument(help="Its id.")], as_json: AsJson = False
) -> None:
    """Open one dead letter; what is personal or secret in it is masked."""
    with sentences(), asking(context) as operations:
        for service in SERVICES:
            if (found := operations.get(service, f"/dead-letters/{letter}")) is not None:
                break
        else:
            raise StackError(f"no service has a dead letter {letter}")
        if as_json:
            out.print_json(json.dumps({"service": service, **found}))
            return
        for name, value in {"service": service, **found}.items():
            out.print(f"{name:16}{plain(str(value))}", markup=False, soft_wrap=True)


@app.command()
def replay(
    context: typer.Context,
    letters: Letters = None,
    reason: Reason = None,
    lane: Lane = None,
    every: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to the lanes that they came from; the inbox drops what was reacted to."""
    with sentences():
        body = _meant(letters, reason, lane, every)
        _treat(context, "replay", body, lane, dry_run=dry_run, sure=yes or not every, as_json=as_json)


@app.command()
def drop(
    context: typer.Context,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record and for the inbox.")],
    letters: Letters = None,
    reason: Reason = None,
    lane: Lane = None,
    every: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good; copies of their events that come later are dropped."""
    with sentences():
        body = _meant(letters, reason, lane, every) | {"why": why}
        _treat(context, "drop", body, lane, dry_run=dry_run, sure=yes or not every, as_json=as_json)


def _meant(letters: Sequence[UUID] | None, reason: str | None, lane: str | None, every: bool) -> Document:
    said = {"letters": [str(each) for each in letters or ()], "error_class": reason, "lane": lane, "all": every}
    body = {name: value for name, value in said.items() if value}
    if len(body) != 1:
        raise StackError("say which letters are meant: their ids, --reason, --lane or --all")
    return body


def _services(lane: str | None) -> Sequence[str]:
    """Give those who may have letters of a lane.

    Raises:
        StackError: no service can have such a lane.
    """
    if lane is None:
        return tuple(SERVICES)
    service = lane.partition(".")[0]
    if service not in SERVICES:
        owner_of(lane)
    return (service,)


def _insist_on_lane(lane: str | None, letters: Sequence[Document]) -> None:
    """Tell a mistyped lane from one without letters; one of an earlier release may have left some.

    Raises:
        StackError: there is no such lane, and no letter of it.
    """
    if lane is not None and not letters:
        owner_of(lane)


def _treat(
    context: typer.Context, act: str, body: Document, lane: str | None, *, dry_run: bool, sure: bool, as_json: bool
) -> None:
    services = _services(lane)
    with asking(context) as operations:  # dry first, also where nobody is asked: a service that is away ends it there
        told = _asked(operations, act, dict.fromkeys(services, body | {"dry_run": True}))
        _insist_on_lane(lane, told["letters"])
        if not dry_run:
            if not sure:
                typer.confirm(f"{act} {_count(told)}?", abort=True, err=True)
            told = _done(operations, act, told, {"why": body["why"]} if "why" in body else {})
    if as_json:
        out.print_json(json.dumps(told))
    else:
        rows_table(told["letters"], ("letter_id", "lane", "inbox", *(["replay"] if act == "replay" else []), "done"))
    _verdict(act, told, len(body.get("letters", ())), dry_run=dry_run, quiet=as_json)


def _count(told: Document) -> str:
    """Say how many letters there are, and how many of them there is room for at once."""
    now, left = len(told["letters"]), told["left"]
    return f"{now} dead letters" + (f" of {now + left}" if left else "")


def _done(operations: Operations, act: str, would: Document, more: Document) -> Document:
    """Do it to those letters that were told of, and to no other: what came since has been seen by nobody."""
    meant: dict[str, list[str]] = defaultdict(list)
    for letter in would["letters"]:
        meant[letter["service"]].append(letter["letter_id"])
    bodies = {service: {"letters": ids, "dry_run": False, **more} for service, ids in meant.items()}
    return would | {"letters": _asked(operations, act, bodies)["letters"]}


def _asked(operations: Operations, act: str, bodies: Mapping[str, Document]) -> Document:
    """Ask services one by one, each with its own, and put their answers together."""
    told: Document = {"letters": [], "left": 0, "foreign": 0, "none_of": []}
    for service, body in bodies.items():
        answer = operations.post(service, f"/dead-letters/{act}", body)
        if answer is None:
            told["none_of"].append(service)
            continue
        told["letters"] += [{"service": service, **letter} for letter in answer["letters"]]
        told["left"] += answer["left"]
        told["foreign"] += answer["foreign"]
    return told


def _verdict(act: str, told: Document, asked: int, *, dry_run: bool, quiet: bool) -> None:
    """Say how it went.

    Raises:
        StackError: not all that was meant could be done.
    """
    letters: list[Document] = told["letters"]
    done = sum(letter["done"] for letter in letters)
    verb = {"replay": "replayed", "drop": "dropped"}[act]
    if not quiet:
        left = f"; {told['left']} are left, do it again" if told["left"] else ""
        out.print(f"{len(letters)} would be {verb}{left}" if dry_run else f"{done} {verb}{left}")
    wrong = {
        f"without a lane to go back to: {told['foreign']}": told["foreign"],
        f"without a lane to go back to: all that {', '.join(told['none_of'])} has of them": told["none_of"],
        f"not confirmed by the broker, and still there: {len(letters) - done}": not dry_run and done < len(letters),
        "no service has such a letter": asked and not letters and not told["none_of"] and not told["left"],
    }
    if problems := [sentence for sentence, holds in wrong.items() if holds]:
        raise StackError("; ".join(problems))
