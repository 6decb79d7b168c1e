"""What `quartet chaos` shows in a terminal: the timeline as it happens, and the table at the end."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from scripts.chaos.experiment import Experiment, Moment, Result, Verdict
from scripts.stack_screen import out

STYLES = {
    Verdict.HELD: "green",
    Verdict.BROKEN: "red",
    Verdict.NOT_EXERCISED: "yellow",
    Verdict.NOT_STEADY: "red",
    Verdict.INTERRUPTED: "yellow",
}


def catalogue(experiments: Sequence[Experiment]) -> None:
    """Show what there is to run."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("hypothesis")
    for experiment in experiments:
        table.add_row(experiment.name, experiment.hypothesis)
    out.print(table)


def announce(experiment: Experiment) -> None:
    """Say what is believed, before it is tried."""
    out.print(f"\n[bold]{experiment.name}[/]")
    out.print(f"  steady state: {experiment.steady_state}", style="dim", markup=False, soft_wrap=True)
    out.print(f"  hypothesis:   {experiment.hypothesis}", style="dim", markup=False, soft_wrap=True)


def tell(moment: Moment) -> None:
    """Show a moment of a timeline as it comes."""
    out.print(f"  {moment.at_s:7.1f} s  {moment.what}", markup=False, soft_wrap=True)


def conclude(result: Result) -> None:
    """Say how an experiment ended."""
    out.print(Text(f"  {result.verdict}", STYLES[result.verdict]))


def summary(results: Sequence[Result]) -> None:
    """Show all of them in a table."""
    table = Table(box=None, pad_edge=False)
    table.add_column("experiment", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for heading in ("hits", "orders", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("findings")
    for result in results:
        table.add_row(
            result.experiment.name, Text(result.verdict, STYLES[result.verdict]), str(result.hits), str(result.orders),
            f"{result.took_s:.0f}", Text("\n".join(result.findings)),
        )  # fmt: skip
    out.print()
    out.print(table)
