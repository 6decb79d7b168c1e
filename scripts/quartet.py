"""The command `quartet`: each of its commands lives in a module of its own."""

import typer

from scripts import audit, demo, dlq, graph, keys, parked, refill, simulate, stack
from scripts.chaos import command as chaos
from scripts.sentences import Understood

app = typer.Typer(
    name="quartet",
    cls=Understood,
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
app.command()(demo.demo)
app.command("audit")(audit.run)
app.command()(graph.graph)
app.command(context_settings=simulate.PASSED_ON)(simulate.simulate)
app.add_typer(keys.app, name="key")
app.add_typer(dlq.app, name="dlq")
app.add_typer(parked.app, name="parked")
app.command()(refill.refill)
app.add_typer(chaos.app, name="chaos")

if __name__ == "__main__":
    app()
