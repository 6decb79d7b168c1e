"""What `compose.observe.yml` promises: it adds what observes, in the same bounds, and changes nothing else."""

import json
import subprocess
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import yaml

from infra import ports
from infra.credentials import VARIABLES
from infra.docker.programs import OBSERVER_PORTS, OBSERVERS, ONCE, PORTS, needed
from infra.docker.project import OBSERVE_FILE, Project
from infra.home import REPOSITORY, Home
from infra.ports import HOST, SERVICES
from infra.run import Mode, Run

Service = dict[str, Any]

BASE = cast("dict[str, Service]", yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"])
FILE = yaml.safe_load(OBSERVE_FILE.read_text())
ALL = cast("dict[str, Service]", FILE["services"])
ADDED = {name: service for name, service in ALL.items() if name not in BASE}
HERE = OBSERVE_FILE.parent
THERE = "/configuration/observability"
SCRAPED = yaml.safe_load((HERE / "prometheus.yml").read_text())


def test_it_adds_the_programs_that_the_commands_know() -> None:
    """In an order in which each comes after what it needs."""
    assert tuple(ADDED) == OBSERVERS
    for name, service in ADDED.items():
        for need in service.get("depends_on", ()):
            assert OBSERVERS.index(need) < OBSERVERS.index(name), (name, need)


def test_the_services_hand_their_traces_over_and_are_else_as_they_were() -> None:
    """To a program that is there."""
    for name in SERVICES:
        assert list(ALL[name]) == ["environment"]
        (variable,) = ALL[name]["environment"].items()
        assert variable[0] == "OTEL_EXPORTER_OTLP_ENDPOINT"
        assert urlsplit(variable[1]).hostname in ADDED
    assert set(ALL) == {*SERVICES, *OBSERVERS}


def test_every_port_is_on_this_machine_alone_and_nobody_elses() -> None:
    """And where `make up` says that it is."""
    doors = [(name, *port.split(":")) for name, service in ADDED.items() for port in service.get("ports", ())]
    assert {(name, host, int(outside)) for name, host, outside, _ in doors} == {
        (name, HOST, port) for name, (port,) in OBSERVER_PORTS.items()
    }
    assert not set(needed(observe=False)) & {port for numbers in OBSERVER_PORTS.values() for port in numbers}
    assert len(needed(observe=True)) == len(needed(observe=False)) + len(OBSERVER_PORTS)
    assert set(needed(observe=False)) == {port for numbers in PORTS.values() for port in numbers}


@pytest.mark.parametrize("name", ADDED)
def test_everything_is_bounded(name: str) -> None:
    """In memory, in its log, in its rights, and in its version."""
    service = ADDED[name]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    assert name in ONCE or service["healthcheck"]["test"][0] == "CMD"
    assert service["image"].startswith("${") or service["image"].rpartition(":")[2][-1].isdigit()


def test_it_is_given_no_secret() -> None:
    """Nobody can sign in where everybody may look."""
    text = OBSERVE_FILE.read_text()
    assert not [name for name in VARIABLES if name in text]
    assert ADDED["grafana"]["environment"]["GF_AUTH_BASIC_ENABLED"] == "false"
    assert ADDED["grafana"]["environment"]["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"


def test_only_volumes_of_its_own_are_mounted() -> None:
    """Their readers may only read."""
    mounts = [mount for service in ADDED.values() for mount in service.get("volumes", ())]
    assert {mount.split(":")[0] for mount in mounts} == set(FILE["volumes"])
    assert [mount for mount in mounts if mount.startswith("observability:") and not mount.endswith(":ro")] == [
        f"observability:{THERE}"
    ]


def test_what_is_configured_is_there() -> None:
    """Each path inside is that of a file here, which the image brings along."""
    assert f"--config.file={THERE}/prometheus.yml" in ADDED["prometheus"]["command"]
    assert ADDED["observability"]["command"][-2:] == ["infra/observability/.", THERE]
    provisioning = ADDED["grafana"]["environment"]["GF_PATHS_PROVISIONING"]
    assert (HERE / provisioning.removeprefix(f"{THERE}/") / "datasources").is_dir()
    assert THERE in (REPOSITORY / "Dockerfile").read_text()


def test_every_service_is_scraped_and_the_broker() -> None:
    """At its own port, whichever replicas it has."""
    jobs = {job["job_name"]: job for job in SCRAPED["scrape_configs"]}
    for name, port in SERVICES.items():
        (found,) = jobs[name]["dns_sd_configs"]
        assert (found["names"], found["port"], found["type"]) == ([name], port, "A")
    assert f"{ports.RABBITMQ_PROMETHEUS}:15692" in str(BASE["rabbitmq"]["ports"])
    assert jobs["rabbitmq"]["static_configs"] == [{"targets": ["rabbitmq:15692"]}]
    assert set(jobs) == {*SERVICES, "rabbitmq"}


def test_the_dashboard_asks_those_who_are_there() -> None:
    """At the ports that they listen on inside."""
    sources = yaml.safe_load((HERE / "provisioning" / "datasources" / "quartet.yml").read_text())["datasources"]
    for source in sources:
        at = urlsplit(source["url"])
        assert str(ADDED[str(at.hostname)]["ports"][0]).endswith(f":{at.port}")


def test_a_project_is_observed_when_it_was_brought_up_so(tmp_path: Path) -> None:
    """Every later command reads both files then, and knows their programs; otherwise neither."""
    home = Home(tmp_path)
    project = Project(home)
    assert str(OBSERVE_FILE) not in project.compose("up")
    Run(Mode.DOCKER, 1, observe=True).write(home.running)
    files = [argument for argument in project.compose("up") if argument.endswith(".yml")]
    assert files == [str(REPOSITORY / "docker-compose.yml"), str(OBSERVE_FILE)]
    assert project.programs[-len(OBSERVERS) :] == OBSERVERS
    Run(Mode.DOCKER, 1).write(home.running)
    assert not set(OBSERVERS) & set(project.programs)


def test_compose_understands_both_files_together(tmp_path: Path) -> None:
    """Where there is Compose, by its own word; it needs no engine for that."""
    home = Home(tmp_path)
    home.secrets.write_text("".join(f"{name}=secret\n" for name in VARIABLES))
    Run(Mode.DOCKER, 1, observe=True).write(home.running)
    command = ["docker", *Project(home).compose("config", "--format", "json")]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no docker command here")
    if "is not a docker command" in told.stderr or "unknown flag: --project-name" in told.stderr:
        pytest.skip("docker is there without Compose")
    assert told.returncode == 0, told.stderr
    merged = json.loads(told.stdout)["services"]
    assert set(merged) == {*BASE, *OBSERVERS}
    for name in SERVICES:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://jaeger:4318"}
        assert merged[name]["environment"].items() >= variables.items()
        assert set(merged[name]["environment"]) == {*BASE[name]["environment"], *variables}
