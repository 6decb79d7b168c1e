"""What programs may know of the shell that started them: little, and no secret."""

import os

PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
PASSED_ON_PREFIXES = ("OTEL_",)  # where telemetry goes is said by the standard variables


def inherited(**more: str) -> dict[str, str]:
    """Give the start of a program's environment, and `more` on top."""
    known = {
        name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    return {"LANG": "C.UTF-8", "PATH": os.defpath} | known | more
