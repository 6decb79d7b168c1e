"""The command `quartet`: each of its commands lives in a module of its own."""

from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

from scripts import stack
from scripts.sentences import Understood

LATER = {
    "demo": "scripts.demo",
    "order": "scripts.order",
    "watch": "scripts.watch",
    "stats": "scripts.stats",
    "audit": "scripts.audit",
    "graph": "scripts.graph",
    "simulate": "scripts.simulate",
    "key": "scripts.keys",
    "dlq": "scripts.dlq",
    "parked": "scripts.parked",
    "refill": "scripts.refill",
    "chaos": "scripts.chaos.command",
}
"""What knows more than how to run it all; the `app` of each module. To import that takes longer than `status` does."""


class Commands(Understood):
    """Imports what is `LATER` only when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List all."""
        self._import(*LATER)
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give one; None if there is none, and then all are there to be suggested."""
        if cmd_name not in self.commands:
            self._import(*(LATER.keys() & {cmd_name} or LATER))
        return super().get_command(ctx, cmd_name)

    def _import(self, *names: str) -> None:
        for name in names:
            if name not in self.commands:
                command = get_command(import_module(LATER[name]).app)
                command.name = name  # which the list of commands goes by
                self.add_command(command)


app = typer.Typer(
    name="quartet",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Quartet: four services, no conductor.",
)

app.command()(stack.up)
app.command()(stack.down)
app.command()(stack.reset)
app.command()(stack.status)
app.command()(stack.logs)
app.command()(stack.migrate)

if __name__ == "__main__":
    app()
