"""A clock that is wrong: for our modules, and in a process of its own; events are written and read as ever."""

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
from shared.envelope import Logged, decode, encode
from shared.ids import new_id
from shared.vocabulary.inventory import StockCommitted
skew({AHEAD_S})
now = SystemClock().now()
seen = {{
    "clock": now.timestamp(),
    "placed_at": api.datetime.now(UTC).timestamp(),
    "ids": int.from_bytes(new_id().bytes[:6]) / 1000,
    "time": time.time(),
}}
assert type(now) is type(api.datetime.now(UTC)) is datetime and now.tzinfo is UTC
event = StockCommitted(order_id=new_id(), lines=())
logged = Logged(new_id(), event.kind.type, "inventory", event.model_dump_json().encode(), new_id(), None, None, now)
(read,) = decode(encode([logged]), event.kind.name)
assert read.event == event and type(read.occurred_at) is datetime
for what, seconds in seen.items():
    assert {AHEAD_S} - 1 < seconds - real < {AHEAD_S} + 60, (what, seconds - real)
assert time.monotonic() - monotonic < 60
print("skewed")
"""


def test_what_our_modules_take_for_the_time_of_day_is_ahead() -> None:
    """Ids, the clock's port, and the day of an order; how long something takes is measured as it is."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("skewed", "")
