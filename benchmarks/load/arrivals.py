"""The open loop: every arrival begins when it is meant to, whether or not those before it are done.

An order's latency counts from its intended arrival, so a stall of the system, or of this program, is in the latency of
every order that it held up (Gil Tene: coordinated omission).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import gevent
from gevent.lock import BoundedSemaphore
from gevent.pool import Group

from benchmarks.load.customer import PATIENCE_S, Customer, Visit
from benchmarks.load.meter import Meter
from benchmarks.load.plan import Arrival

IN_FLIGHT_MAX_ORDERS = 900
"""Each holds a connection of ours and one of the order service, and a process usually may open 1,024 files."""
OVERTIME_FACTOR = 2.0
"""Arrivals that have not begun after so many times the planned duration are not begun any more, and counted."""


@dataclass(slots=True)
class Course:
    """What the arrivals came to."""

    visits: list[Visit] = field(default_factory=list)
    held_up: int = 0
    """Arrivals that began late because as many orders as allowed were in flight when they, or one before, were due."""
    not_begun: int = 0
    stopped: bool = False
    """Somebody pressed stop on Locust's page."""
    arriving_s: float = 0.0
    """From the beginning until the last arrival had begun."""


class Arrivals:
    """Lets a plan's arrivals happen."""

    def __init__(
        self, plan: Sequence[Arrival], seconds: float, customer: Customer, meter: Meter, in_flight_max: int
    ) -> None:
        self._plan = plan
        self._ends_after_s = seconds * OVERTIME_FACTOR
        self._customer = customer
        self._meter = meter
        self._places = BoundedSemaphore(in_flight_max)
        self._full_until_s = 0.0
        self._in_flight = Group()
        self.course = Course()

    def run(self, began_s: float) -> None:
        """Begin every arrival, and return when the last has begun; `began_s` is monotonic."""
        course = self.course
        for arrival in self._plan:
            gevent.sleep(max(0.0, began_s + arrival.at_s - time.monotonic()))
            if self._meter.runner.stop_asked or not self._place(began_s + arrival.at_s, began_s + self._ends_after_s):
                course.stopped = self._meter.runner.stop_asked
                course.not_begun = len(self._plan) - len(course.visits)
                break
            visit = Visit(arrival, began_late_s=time.monotonic() - began_s - arrival.at_s)
            course.visits.append(visit)
            self._meter.runner.in_flight += 1
            self._in_flight.spawn(self._play, visit)
        course.arriving_s = time.monotonic() - began_s

    def drain(self) -> None:
        """Wait for those in flight; each customer's patience has an end."""
        self._in_flight.join(timeout=2 * PATIENCE_S)

    def _place(self, intended_s: float, deadline_s: float) -> bool:
        if self._places.acquire(blocking=False):
            self.course.held_up += intended_s < self._full_until_s
            return True
        self.course.held_up += 1
        found = bool(self._places.acquire(timeout=max(0.0, deadline_s - time.monotonic())))
        self._full_until_s = time.monotonic()
        return found

    def _play(self, visit: Visit) -> None:
        try:
            self._customer.visit(visit)
        finally:
            self._meter.runner.in_flight -= 1
            self._places.release()
        if visit.settled_after_s is not None:
            self._meter.settled(visit.arrival.kind.name, visit.settled_after_s)
        else:
            self._meter.lost(visit.arrival.kind.name, visit.given_up or "given up")
