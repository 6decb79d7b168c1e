"""What `docker-compose.yml` promises: doors on this machine alone, small rights, own secrets, the same as natively."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from infra import ports
from infra.auditor.web import NAMES
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
from infra.docker.programs import ONCE, PORTS, PROGRAMS
from infra.home import REPOSITORY, Home
from infra.native.install import Installed
from infra.native.postgres import INITDB_OPTIONS
from infra.native.rabbitmq import EMULATOR_ARGUMENTS
from infra.native.stack import Stack
from infra.ports import HOST, SERVICES
from infra.rabbitmq.users import OBSERVER
from services.order.keys import DEVELOPMENT, KEY_BYTES
from services.order.settings import OrderSettings

Service = dict[str, Any]

FILE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
ALL = cast("dict[str, Service]", FILE["services"])
STOCK_IMAGES = {"postgres": "postgres:17", "rabbitmq": "rabbitmq:4-management", "roles": "postgres:17"}
OURS = {name: service for name, service in ALL.items() if name not in STOCK_IMAGES}
LASTING = {name: service for name, service in ALL.items() if name not in ONCE}
SECRET = re.compile(r"\$\{(\w+)")

OWN_SECRETS = {
    **{service: {role_variable(f"{service}_service"), broker_variable(service), OPERATOR_KEY} for service in SERVICES},
    **{f"migrate-{service}": {role_variable(f"{service}_migrator")} for service in SERVICES},
    "postgres": {"QUARTET_POSTGRES_PASSWORD"},
    "roles": {
        "QUARTET_POSTGRES_PASSWORD",
        *map(role_variable, DATABASE_ROLES),
    },
    "configuration": {name for name in VARIABLES if name.endswith("_BROKER_PASSWORD")},
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


def published(service: Service) -> list[tuple[str, int, int]]:
    """Read its ports: the address, the port there, the port inside."""
    triples = [port.split(":") for port in service.get("ports", ())]
    return [(host, int(outside), int(inside)) for host, outside, inside in triples]


def test_it_holds_the_programs_that_the_commands_know() -> None:
    """In the order that they are named in: each after what it needs."""
    assert set(ALL) == set(PROGRAMS)
    for name, service in ALL.items():
        for need in service.get("depends_on", ()):
            assert PROGRAMS.index(need) < PROGRAMS.index(name), (name, need)


def test_every_port_is_on_this_machine_alone() -> None:
    """And none is published twice."""
    doors = [door for service in ALL.values() for door in published(service)]
    assert {host for host, _, _ in doors} == {HOST}
    assert len({outside for _, outside, _ in doors}) == len(doors)


def test_the_ports_are_those_of_a_native_run(tmp_path: Path) -> None:
    """All but those that are used inside alone: by Erlang, and by the dashboard to ask the auditor."""
    inside_only = {ports.EPMD, ports.RABBITMQ_DISTRIBUTION, ports.AUDITOR}
    credentials = Credentials(dict.fromkeys(VARIABLES, "secret"))
    programs = Stack(Home(tmp_path), credentials, Installed(Path("/server"), Path("/epmd"))).programs()
    native = {port for program in programs for port in program.ports} - inside_only
    assert {outside for service in ALL.values() for _, outside, _ in published(service)} == native
    assert {port for numbers in PORTS.values() for port in numbers} == native


def test_the_programs_are_those_of_a_native_run(tmp_path: Path) -> None:
    """But Erlang's port mapper, which comes with the broker's image, and what only containers need."""
    credentials = Credentials(dict.fromkeys(VARIABLES, "secret"))
    programs = Stack(Home(tmp_path), credentials, Installed(Path("/server"), Path("/epmd"))).programs()
    assert {program.name for program in programs} - {"epmd"} == set(PROGRAMS) - {"configuration", "front"}
    assert {program.name for program in programs if program.once} == set(ONCE) - {"configuration", "observability"}
    for program in programs:
        if program.argv[1:2] == ("-m",):
            assert ALL[program.name]["command"][1:] == list(program.argv[1:]), program.name


def test_both_ways_are_for_development(tmp_path: Path) -> None:
    """They draw keys for customers, which are taken in development alone; a service says so only when it is told."""
    credentials = Credentials(dict.fromkeys(VARIABLES, "secret"))
    programs = Stack(Home(tmp_path), credentials, Installed(Path("/server"), Path("/epmd"))).programs()
    native = {program.name: program.env.get("QUARTET_ENVIRONMENT") for program in programs}
    assert {name for name, environment in native.items() if environment == "development"} == set(SERVICES)
    for service in SERVICES:
        assert ALL[service]["environment"]["QUARTET_ENVIRONMENT"] == "development"
    assert OrderSettings.model_fields["environment"].default == "production"


def test_the_keys_that_are_drawn_are_those_that_are_refused_elsewhere(tmp_path: Path) -> None:
    """One for each customer, drawn once, and marked."""
    drawn = Credentials.read_or_draw(tmp_path / "secrets.env")
    assert set(drawn.customers) == set(CUSTOMERS)
    assert all(key.startswith(DEVELOPMENT) and len(key) > KEY_BYTES for key in drawn.customers.values())
    assert len(set(drawn.customers.values())) == len(CUSTOMERS)
    assert Credentials.read_or_draw(tmp_path / "secrets.env").customers == drawn.customers


@pytest.mark.parametrize("name", VARIABLES)
def test_no_secret_has_a_default(name: str) -> None:
    """Whoever forgets them is told who draws them."""
    text = (REPOSITORY / "docker-compose.yml").read_text()
    assert f"${{{name}:?make up draws the passwords}}" in text
    assert not re.search(rf"\${name}\b|\${{{name}(?!:\?)", text)


def test_every_container_is_given_its_own_secrets_and_no_other() -> None:
    """By its environment, and by nothing else: what is on a command line, everybody can read."""
    for name, service in ALL.items():
        known = set(SECRET.findall(str(service.get("environment", "")))) & set(VARIABLES)
        assert known == OWN_SECRETS.get(name, set()), name
        rest = {key: value for key, value in service.items() if key != "environment"}
        assert not set(SECRET.findall(str(rest))) & set(VARIABLES), name


@pytest.mark.parametrize("name", OURS)
def test_ours_have_few_rights(name: str) -> None:
    """Nothing to write to, no capability, none to be had."""
    service = OURS[name]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "user" not in service  # as the image says, see below


def test_the_images_run_as_nobody_in_particular() -> None:
    """Every stage that runs ends with a user who is not root."""
    stages = re.split(r"^FROM ", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    by_name = {stage.split("\n")[0].rsplit(" ", 1)[1]: stage for stage in stages}
    for name in {service["build"]["target"] for service in ALL.values() if "build" in service}:
        users = re.findall(r"^USER (\d+)", by_name[name], re.MULTILINE)
        assert users, name
        assert int(users[-1]) > 0
    assert ALL["roles"]["user"] == "65534:65534"


@pytest.mark.parametrize("name", ALL)
def test_everything_is_bounded(name: str) -> None:
    """In memory and in its log; and none gains rights, whoever it runs as."""
    service = ALL[name]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")


@pytest.mark.parametrize("name", LASTING)
def test_whatever_lasts_says_how_it_is(name: str) -> None:
    """A service whether it is ready, the outside parties whether they live."""
    test = LASTING[name]["healthcheck"]["test"]
    assert test[0] == "CMD"
    if name in SERVICES:
        assert test[-2:] == [str(SERVICES[name]), "/readyz"]


def test_the_auditor_has_no_door_outside() -> None:
    """It reads everything; the dashboard asks it inside, under the name that it answers to."""
    assert published(ALL["auditor"]) == []
    assert ALL["dashboard"]["environment"]["QUARTET_AUDITOR_URL"] == f"http://auditor:{ports.AUDITOR}"
    assert ALL["auditor"]["environment"]["QUARTET_HTTP_PORT"] == ports.AUDITOR
    assert ALL["auditor"]["healthcheck"]["test"][-2:] == [str(ports.AUDITOR), "/livez"]
    assert "auditor" in NAMES


def test_the_front_opens_last() -> None:
    """When its ports answer, all is there."""
    needs = ALL["front"]["depends_on"]
    assert needs["seed"] == {"condition": "service_completed_successfully"}
    assert all(needs[service] == {"condition": "service_healthy"} for service in SERVICES)
    assert {outside for _, outside, _ in published(ALL["front"])} == set(SERVICES.values())


def test_the_front_knows_every_service() -> None:
    """At its port, and as many replicas as there may be."""
    configuration = (REPOSITORY / "infra" / "docker" / "haproxy.cfg").read_text()
    for service, port in SERVICES.items():
        assert f"bind :{port}\n    server-template {service}- 4 {service}:{port}\n" in configuration


def test_the_servers_are_set_up_as_natively() -> None:
    """What is not in the files that both ways read is the same in both places."""
    arguments = ALL["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert set(arguments) == set(INITDB_OPTIONS) - {"--no-instructions"}
    assert EMULATOR_ARGUMENTS.startswith(ALL["rabbitmq"]["environment"]["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"])
    assert {name: ALL[name]["image"] for name in STOCK_IMAGES} == STOCK_IMAGES


def test_only_volumes_of_its_own_are_mounted() -> None:
    """Nothing of this machine, whose files the containers' users may not read; the users' hashes for one alone."""
    mounts = {name: service.get("volumes", []) for name, service in ALL.items()}
    assert {mount.split(":")[0] for every in mounts.values() for mount in every} == set(FILE["volumes"])
    readers = {name for name, every in mounts.items() if any("rabbitmq-configuration" in mount for mount in every)}
    assert readers == {"configuration", "rabbitmq"}
    assert "rabbitmq-configuration:/configuration/rabbitmq:ro" in mounts["rabbitmq"]
