"""`python -m infra.docker.configuration`: writes what the servers read into the volumes that they mount.

The official images are used as they are, and nothing of the checkout is mounted into a container: its files may be
readable by their owner alone, and an engine may run where they are not.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from infra.credentials import broker_variable
from infra.rabbitmq.users import USERS, definitions

SOURCE = Path(__file__).resolve().parents[1]
TARGET = Path("/configuration")
DEFINITIONS = "definitions.json"
READABLE = 0o644  # the volume is mounted where its readers are, and nowhere else


def main() -> int:
    """Write; the exit code is 2 where a password is missing."""
    try:
        passwords = {user: os.environ[broker_variable(user)] for user in USERS}
    except KeyError as error:
        sys.stderr.write(f"configuration: {error.args[0]} is not set\n")
        return 2
    write(SOURCE, TARGET, definitions(passwords))
    return 0


def write(source: Path, target: Path, users: dict[str, object]) -> None:
    """Write the files of both servers below `target`."""
    for name in ("postgresql.conf", "roles.sql"):
        shutil.copyfile(source / "postgres" / name, target / "postgres" / name)
    settings = (source / "rabbitmq" / "rabbitmq.conf").read_text()
    (target / "rabbitmq" / "rabbitmq.conf").write_text(
        f"{settings}load_definitions = {TARGET}/rabbitmq/{DEFINITIONS}\n"
    )
    (target / "rabbitmq" / DEFINITIONS).write_text(json.dumps(users, indent=1))
    for file in target.glob("*/*"):
        file.chmod(READABLE)


if __name__ == "__main__":
    sys.exit(main())
