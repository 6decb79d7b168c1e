"""A place in a log as whoever walks over it hands it back: opaque to them, and nothing else is taken for one."""

from typing import Annotated

from pydantic import StringConstraints

Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9]{1,18}$")]
