"""The list of programs: their order, their ports, and what each of them knows."""

from pathlib import Path

import pytest

from infra import ports
from infra.credentials import (
    AUDITOR,
    CUSTOMERS,
    DATABASE_ROLES,
    OPERATOR_KEY,
    VARIABLES,
    Credentials,
    broker_variable,
    customer_variable,
    role_variable,
)
from infra.home import Home
from infra.native.install import Installed
from infra.native.program import Program
from infra.native.stack import Stack
from infra.ports import HOST, SERVICES
from infra.rabbitmq.users import OBSERVER, USERS, definitions, password_hash, permissions
from infra.run import SCALE_MAX

EPHEMERAL_FROM = 32_768
"""Where Linux takes the ports of outgoing connections from, unless told otherwise."""

OWN_SECRETS = {
    **{service: {role_variable(f"{service}_service"), broker_variable(service), OPERATOR_KEY} for service in SERVICES},
    **{f"migrate-{service}": {role_variable(f"{service}_migrator")} for service in SERVICES},
    "roles": {
        "QUARTET_POSTGRES_PASSWORD",
        *map(role_variable, DATABASE_ROLES),
    },
    **{name: {broker_variable("topology")} for name in ("topology", "topology-watch")},
    "provider": {OPERATOR_KEY},
    "dashboard": {
        role_variable("dashboard_service"),
        broker_variable("dashboard"),
        OPERATOR_KEY,
        customer_variable(CUSTOMERS[0]),
    },
    "migrate-dashboard": {role_variable("dashboard_migrator")},
    "auditor": {role_variable(AUDITOR), broker_variable(OBSERVER)},
    "seed": {role_variable("order_migrator"), OPERATOR_KEY, *map(customer_variable, CUSTOMERS)},
}


def programs_of(home: Path, scale: int) -> dict[str, Program]:
    credentials = Credentials({name: f"secret-of-{name.lower()}." for name in VARIABLES})
    stack = Stack(Home(home), credentials, Installed(Path("/server"), Path("/epmd")), scale)
    return {program.name: program for program in stack.programs()}


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, Program]:
    return programs_of(tmp_path, scale=1)


def test_every_program_knows_its_own_secrets_and_no_other(programs: dict[str, Program]) -> None:
    """Whatever leaks from one of them opens nothing but what is its own."""
    for name, program in programs.items():
        known = {
            variable for variable in VARIABLES if f"secret-of-{variable.lower()}." in " ".join(program.env.values())
        }
        assert known == OWN_SECRETS.get(name, set()), name


def test_no_secret_is_on_a_command_line(programs: dict[str, Program]) -> None:
    """Every user of the machine can read those; and none is in what is printed of a program."""
    for program in programs.values():
        assert "secret-of" not in " ".join(program.argv)
        assert "secret-of" not in repr(program)


def test_every_need_is_met_before(programs: dict[str, Program]) -> None:
    """A program comes after all that it needs, so there is no circle."""
    seen: set[str] = set()
    for name, program in programs.items():
        assert set(program.needs) <= seen, name
        seen.add(name)


def test_no_two_programs_want_one_port(programs: dict[str, Program]) -> None:
    """And none is where an outgoing connection may happen to sit."""
    taken = [port for program in programs.values() for port in program.ports]
    assert len(taken) == len(set(taken))
    assert max(taken) < EPHEMERAL_FROM
    assert set(SERVICES.values()) <= set(taken)
    assert {ports.POSTGRES, ports.AMQP, ports.EPMD} <= set(taken)


@pytest.mark.parametrize("scale", range(2, SCALE_MAX + 1))
def test_replicas_share_a_port_and_have_one_each(tmp_path: Path, scale: int) -> None:
    """The seed waits for all of them, and nobody else's port is among theirs."""
    programs = programs_of(tmp_path, scale)
    replicas = [f"{service}-{number}" for service in SERVICES for number in range(1, scale + 1)]
    assert set(programs["seed"].needs) == set(replicas) <= set(programs)
    own = [programs[name].ports[0] for name in replicas]
    others = [port for name, program in programs.items() if name not in replicas for port in program.ports]
    assert len({*own, *others, *SERVICES.values()}) == len(own) + len(others) + len(SERVICES)
    second = programs["inventory-2"]
    assert second.ports == (8022, SERVICES["inventory"])
    assert second.env["QUARTET_HTTP_REPLICA_PORT"] == "8022"
    assert second.env["QUARTET_HTTP_PORT"] == str(SERVICES["inventory"])
    assert {"auditor", "dashboard"} <= set(programs)


def test_a_service_that_is_alone_shares_nothing(programs: dict[str, Program]) -> None:
    """Its port is its own, so that a second one is refused."""
    assert all("QUARTET_HTTP_REPLICA_PORT" not in programs[service].env for service in SERVICES)


def test_whatever_lasts_can_be_asked_whether_it_is_ready(programs: dict[str, Program]) -> None:
    """And whatever runs once is asked for its exit code."""
    assert all((program.ready is None) is program.once for program in programs.values())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_addresses_that_it_needs(programs: dict[str, Program], service: str) -> None:
    """Its own role at the database, its own user at the broker."""
    env = programs[service].env
    assert env["QUARTET_DATABASE_URL"].startswith(f"postgresql://{service}_service:")
    assert env["QUARTET_DATABASE_URL"].endswith("@127.0.0.1:15432/quartet")
    assert env["QUARTET_BROKER_URL"].startswith(f"amqp://{service}:")
    assert env["QUARTET_BROKER_URL"].endswith("@127.0.0.1:25673/quartet")
    assert env["QUARTET_HTTP_PORT"] == str(SERVICES[service])


def test_the_dashboard_asks_the_auditor(programs: dict[str, Program], tmp_path: Path) -> None:
    """It reads every schema, and the programs' logs; the dashboard knows where it listens, and no password of it."""
    auditor, dashboard = programs["auditor"], programs["dashboard"]
    assert auditor.env["QUARTET_DATABASE_URL"].startswith("postgresql://auditor:")
    assert auditor.env["QUARTET_BROKER_URL"].startswith("amqp://observer:")
    assert auditor.env["QUARTET_LOGS"] == str(tmp_path / "logs")
    assert dashboard.env["QUARTET_AUDITOR_URL"] == f"http://{HOST}:{auditor.env['QUARTET_HTTP_PORT']}"
    assert auditor.ports == (ports.AUDITOR,)


def test_a_password_is_hashed_as_rabbitmq_does() -> None:
    """The example of RabbitMQ's guide to passwords."""
    salt = bytes.fromhex("908dc60a")
    assert password_hash("test12", salt) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_the_definitions_hold_no_password() -> None:
    """Only hashes, of the users that there are."""
    made = definitions({name: f"secret-of-{name}" for name in USERS})
    assert "secret-of" not in str(made)
    assert [user["name"] for user in made["users"]] == list(USERS)
    tags = {user["name"]: user["tags"] for user in made["users"] if user["tags"]}
    assert tags == {"topology": ["administrator"], "dashboard": ["management"]}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_declares_nothing(service: str) -> None:
    """An empty pattern would match everything; this one matches the empty name alone."""
    assert permissions(service)["configure"] == "^$"


def test_where_traces_go_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the standard variables of whoever starts it; a service is told nothing else of that shell."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setenv("SOMETHING_ELSE", "of this shell")
    programs = programs_of(tmp_path, 1)
    for service in SERVICES:
        assert programs[service].env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
        assert "SOMETHING_ELSE" not in programs[service].env
