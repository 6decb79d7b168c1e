"""A clock that is wrong: for our modules, and in a process of its own."""

import subprocess
import sys

from infra.home import REPOSITORY

AHEAD_S = 600
PROGRAM = f"""
import time
from datetime import UTC, datetime
real, monotonic = time.time(), time.monotonic()
import services.order.__main__
from services.order import api
from scripts.chaos.skewed import skew
from shared.clock import SystemClock
from shared.ids import new_id
skew({AHEAD_S})
now = SystemClock().now()
seen = {{
    "clock": now.timestamp(),
    "placed_at": api.datetime.now(UTC).timestamp(),
    "ids": int.from_bytes(new_id().bytes[:6]) / 1000,
    "time": time.time(),
}}
assert isinstance(now, datetime) and now.tzinfo is UTC
for what, seconds in seen.items():
    assert {AHEAD_S} - 1 < seconds - real < {AHEAD_S} + 60, (what, seconds - real)
assert time.monotonic() - monotonic < 60
print("skewed")
"""


def test_what_our_modules_take_for_the_time_of_day_is_ahead() -> None:
    """Ids, the clock's port, and the day of an order; how long something takes is measured as it is."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("skewed", "")
