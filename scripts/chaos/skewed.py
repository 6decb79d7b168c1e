"""`python -m scripts.chaos.skewed SERVICE SECONDS`: a service whose clock is wrong, ahead by so many seconds.

The code of the service is as it is; what it asks for the time of day is replaced in this process before it starts.
The clock that only measures how long something takes stays as it is, as it does on a machine whose date is wrong.
"""

import importlib
import sys
import time
from datetime import datetime, timedelta, tzinfo

from pydantic_core.core_schema import CoreSchema, datetime_schema

NANOSECONDS = 1_000_000_000
OURS = ("services.", "shared.")


def skew(ahead_s: float) -> None:
    """Set the clock of this process wrong, for all of our modules that have been imported."""
    real_time, real_time_ns = time.time, time.time_ns

    class Skewed(datetime):
        """Who asks for the time of day is told a wrong one; it is a plain time, and all else is as ever."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # plain ones can be written as JSON
            return datetime.now(tz) + timedelta(seconds=ahead_s)

        @classmethod
        def fromisoformat(cls, text: str) -> datetime:  # type: ignore[override]  # as above
            return datetime.fromisoformat(text)

        @classmethod
        def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
            return datetime_schema()

    time.time = lambda: real_time() + ahead_s
    time.time_ns = lambda: real_time_ns() + int(ahead_s * NANOSECONDS)
    for name, module in list(sys.modules.items()):
        if name.startswith(OURS) and getattr(module, "datetime", None) is datetime:
            module.datetime = Skewed  # type: ignore[attr-defined]  # what the module imported by this name


def main(service: str, ahead_s: float) -> None:
    """Run the service."""
    program = importlib.import_module(f"services.{service}.__main__").service
    skew(ahead_s)
    program.run()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
