"""`python -m tests.unit.benchmarks.open_loop PORT IN_FLIGHT_MAX`: a plan against a server; its course as JSON.

A process of its own, because Locust patches the one that imports it.
"""

import locust  # noqa: F401  # first of all: it patches modules that the others take things from

# isort: split
import json
import sys
import time
from dataclasses import asdict

from benchmarks.load.arrivals import Arrivals
from benchmarks.load.channel import Channel
from benchmarks.load.customer import Customer
from benchmarks.load.meter import Meter
from benchmarks.load.plan import draw

RATE, SECONDS, SEED = 50, 1, 2  # of all kinds there is one


def main() -> None:
    """Play."""
    port, in_flight_max = map(int, sys.argv[1:])
    meter = Meter("nowhere")
    channel = Channel("127.0.0.1", port, "a key", in_flight_max, meter)
    began_s = time.monotonic()
    arrivals = Arrivals(draw(RATE, SECONDS, SEED, 1), SECONDS, Customer(channel, "ann", began_s), meter, in_flight_max)
    arrivals.run(began_s)
    arrivals.drain()
    sys.stdout.write(json.dumps(asdict(arrivals.course)))
    meter.close()


if __name__ == "__main__":
    main()
