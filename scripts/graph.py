"""`quartet graph`: the choreography, read from the code, as a picture or for programs; held against its promises."""

from enum import StrEnum
from typing import Annotated

import typer

from infra.choreography.as_json import as_json
from infra.choreography.checks import CHECKS, findings
from infra.choreography.dot import dot
from infra.choreography.drawing import part, whole
from infra.choreography.graph import Choreography
from infra.choreography.mermaid import mermaid
from infra.choreography.reading import choreography
from infra.ports import SERVICES

BROKEN = 1
app = typer.Typer(add_completion=False)
Service = StrEnum("Service", list(SERVICES))  # type: ignore[misc]  # its names are not known to mypy


class Format(StrEnum):
    """How the dance is written."""

    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


@app.command()
def graph(
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.MERMAID,
    service: Annotated[Service | None, typer.Option(help="Draw the part of one service.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Hold it against every promise instead.")] = False,
) -> None:
    """Show who reacts to what, as the code says it; with --check exit with 1 where the dance breaks a promise."""
    dance = choreography()
    if check:
        _check(dance)
    elif form is Format.JSON:
        typer.echo(as_json(dance), nl=False)
    else:
        drawing = part(dance, service) if service else whole(dance)
        typer.echo(mermaid(drawing) if form is Format.MERMAID else dot(drawing), nl=False)


def _check(dance: Choreography) -> None:
    found = findings(dance)
    for finding in found:
        typer.echo(f"{finding.check}: {finding.how}")
    if found:
        raise typer.Exit(BROKEN)
    typer.echo(f"{len(dance.events)} events, {len(dance.reactions)} reactions, {len(dance.intents)} intents: "
               f"all {len(CHECKS)} checks hold")  # fmt: skip
