"""RabbitMQ's own home: what a node needs is there, and nothing else; an unknown layout is left as it is."""

from pathlib import Path

import pytest

from infra.native.own_home import make_home, server_of

APPLICATIONS = {
    "rabbit": "kernel,stdlib,\n rabbit_common, ra",
    "rabbit_common": "kernel",
    "ra": "",
    "rabbitmq_management": "rabbit,cowboy",
    "cowboy": "crypto",
    "rabbitmq_mqtt": "rabbit",
}
MANAGEMENT = ["rabbitmq_management"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as Debian lays it out: the script on the way is a link."""
    package = tmp_path / "rabbitmq_server-4.0.0"
    for name, needs in APPLICATIONS.items():
        ebin = package / "plugins" / f"{name}-4.0.0" / "ebin"
        ebin.mkdir(parents=True)
        (ebin / f"{name}.app").write_text(f"{{application, '{name}', [{{applications, [{needs}]}}, {{env, [a]}}]}}.")
    (package / "escript").mkdir()
    (package / "sbin").mkdir()
    (package / "sbin" / "rabbitmq-server").write_text("#!/bin/sh\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rabbitmq-server").symlink_to(package / "sbin" / "rabbitmq-server")
    return package


def test_it_holds_what_is_needed(package: Path, tmp_path: Path) -> None:
    """All that the wanted plugins need, by way of others too; not what nobody wants. Made again it is the same."""
    for _ in range(2):
        make_home(tmp_path / "bin" / "rabbitmq-server", MANAGEMENT, tmp_path / "home")
        held = {file.stem for file in (tmp_path / "home" / "plugins").glob("*/ebin/*.app")}
        assert held == APPLICATIONS.keys() - {"rabbitmq_mqtt"}
    server = server_of(tmp_path / "home", package)
    assert server.resolve() == tmp_path / "home" / "sbin" / "rabbitmq-server"


def test_where_something_is_not_found_the_packages_home_is_used(package: Path, tmp_path: Path) -> None:
    """A plugin that lies in an archive, say: and no home of an earlier package is left."""
    script = tmp_path / "bin" / "rabbitmq-server"
    make_home(script, MANAGEMENT, tmp_path / "home")
    (package / "plugins" / "rabbitmq_management-4.0.0" / "ebin" / "rabbitmq_management.app").unlink()
    make_home(script, MANAGEMENT, tmp_path / "home")
    assert server_of(tmp_path / "home", script) == script


def test_where_one_is_packed_the_packages_home_is_used(package: Path, tmp_path: Path) -> None:
    """What is needed may be in there."""
    script = tmp_path / "bin" / "rabbitmq-server"
    (package / "plugins" / "cowboy-4.0.0.ez").touch()
    make_home(script, MANAGEMENT, tmp_path / "home")
    assert server_of(tmp_path / "home", script) == script


@pytest.mark.parametrize("name", ["a home", "a:home"])
def test_a_name_that_the_scripts_do_not_quote(package: Path, tmp_path: Path, name: str) -> None:
    """A home of its own would not be found there."""
    script = tmp_path / "bin" / "rabbitmq-server"
    make_home(script, MANAGEMENT, tmp_path / name)
    assert server_of(tmp_path / name, script) == script
