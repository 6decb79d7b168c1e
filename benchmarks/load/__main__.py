"""`python -m benchmarks.load --rate 300 --seconds 120 [--web] [--seed N]`.

The exit code is 0 where the rate was held and everything adds up, 1 where not, 2 where there was nothing to load.
"""

import locust  # noqa: F401  # first of all: it patches modules that the others take things from

# isort: split
import argparse
import socket
import sys

import httpx
from rich.console import Console

from benchmarks.load.books import Shelves
from benchmarks.load.meter import WEB_HOST, WEB_PORT, Meter
from benchmarks.load.plan import orders_of
from benchmarks.load.report import show, write
from benchmarks.load.run import NotNowError, Wish, run_load
from infra.credentials import OPERATOR_KEY, Credentials
from infra.home import Home
from infra.ports import HOST, ORDER

PLAIN_WIDTH = 120
"""Characters in a line that goes to a file."""
FAILED, CANNOT, INTERRUPTED = 1, 2, 130


def main() -> int:
    """Parse, run, report."""
    try:
        wish = _wish()
        return _load(wish, Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH))
    except httpx.HTTPError as error:
        _complain(f"Quartet does not answer ({type(error).__name__}: {error}): `make up` first, or `make status`")
    except (NotNowError, ValueError) as error:
        _complain(str(error))
    except KeyboardInterrupt:
        _complain("interrupted; nothing was checked, and the orders go on to their ends")
        return INTERRUPTED
    return CANNOT


def _wish() -> Wish:
    parser = argparse.ArgumentParser("load", argparse.SUPPRESS, "Open-loop load over HTTP, checked afterwards.")
    parser.add_argument("--rate", type=float, default=300.0, help="orders a second")
    parser.add_argument("--seconds", type=float, default=120.0, help="for so long")
    parser.add_argument("--seed", type=int, default=1, help="what arrives when is drawn from it")
    parser.add_argument("--web", action="store_true", help="serve Locust's page while it runs")
    parsed = parser.parse_args()
    del sys.argv[1:]  # Locust's page would take them for options of its own
    orders_of(parsed.rate, parsed.seconds)
    if parsed.web:
        _insist_on_the_pages_port()
    return Wish(parsed.rate, parsed.seconds, parsed.seed, parsed.web)


def _insist_on_the_pages_port() -> None:
    try:
        socket.create_server((WEB_HOST, WEB_PORT)).close()
    except OSError as error:
        raise ValueError(f"Locust's page cannot be served on {WEB_HOST}:{WEB_PORT}: {error.strerror}") from error


def _load(wish: Wish, console: Console) -> int:
    home = Home.locate()
    operator_key = Credentials.read(home.secrets).values.get(OPERATOR_KEY, "")
    meter = Meter(f"http://{HOST}:{ORDER}")
    try:
        with Shelves(operator_key) as shelves:
            if wish.web:
                console.print(f"Locust's page: {meter.serve()}")
            run = run_load(wish, console, shelves, meter)
        show(console, run)
        console.print(f"report: {write(home.path / 'load', run, meter.html())}", soft_wrap=True)
    finally:
        meter.close()
    return 0 if run.succeeded else FAILED


def _complain(sentence: str) -> None:
    sys.stderr.write(f"load: {sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
