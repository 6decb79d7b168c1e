"""A home of RabbitMQ's own, with the plugins that a node runs and no others.

Erlang looks for every module in the directory of every plugin that the package brings, whether or not anybody runs it:
50,000 files that are not there, half of what a start costs. The package's home stays as it is; after its upgrade a
stack that runs has to be started anew (`make down`, `make up`).
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

SERVER = "rabbitmq-server"
CORE = "rabbit"
NEEDS = re.compile(r"\{\s*applications\s*,\s*\[([^\]]*)\]")
NAME = re.compile(r"\w+")
UNSPEAKABLE = re.compile(r"[\s:]")
"""What the package's scripts do not quote, and what parts one path from the next."""


def make_home(server: Path, plugins: Iterable[str], home: Path) -> None:
    """Make it anew, of the package that `server` is the script of; none where that is laid out in another way."""
    shutil.rmtree(home, ignore_errors=True)
    scripts = server.resolve().parent
    package = scripts.parent
    needed = _needed(_applications(package / "plugins"), (CORE, *plugins))
    if not needed or UNSPEAKABLE.search(str(home)):
        return
    (home / "plugins").mkdir(parents=True)
    for directory in needed:
        (home / "plugins" / directory.name).symlink_to(directory)
    (home / "escript").symlink_to(package / "escript")
    shutil.copytree(scripts, home / "sbin")  # copied: a script's home is where it really lies


def server_of(home: Path, otherwise: Path) -> Path:
    """Give the script that starts the node from its home, or the package's where there is none."""
    server = home / "sbin" / SERVER
    return server if server.exists() else otherwise


def _applications(plugins: Path) -> Mapping[str, Path]:
    """Find the directory of every application, by its name; none where some are packed, and could be needed."""
    if any(plugins.glob("*.ez")):
        return {}
    return {file.stem: file.parents[1] for file in plugins.glob("*/ebin/*.app")}


def _needed(found: Mapping[str, Path], wanted: Iterable[str]) -> list[Path]:
    """Give the directories of what is wanted, and of all that it needs and is not Erlang's; none if some is missing."""
    ahead, needed = list(wanted), dict[str, Path]()
    if not found.keys() >= set(ahead):
        return []
    while ahead:
        name = ahead.pop()
        if name in found and name not in needed:
            needed[name] = found[name]
            told = NEEDS.search((found[name] / "ebin" / f"{name}.app").read_text())
            ahead += NAME.findall(told[1]) if told else []
    return list(needed.values())
