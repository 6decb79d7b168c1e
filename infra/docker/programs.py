"""The programs of the compose files, in the order that they start in, and the ports that they publish."""

from collections.abc import Mapping
from itertools import chain

from infra import ports
from infra.ports import SCHEMAS, SERVICES

MIGRATIONS = tuple(f"migrate-{service}" for service in SCHEMAS)
ONCE = ("configuration", "roles", *MIGRATIONS, "topology", "seed", "observability")
PROGRAMS = (
    *("configuration", "postgres", "rabbitmq", "roles", *MIGRATIONS, "topology", "topology-watch"),
    *("provider", "mail", *SERVICES, "seed", "front", "auditor", "dashboard"),
)

OBSERVERS = ("observability", "prometheus", "jaeger", "grafana")
"""What `OBSERVE=1` adds, by `infra/observability/compose.observe.yml`."""

PORTS: Mapping[str, tuple[int, ...]] = {
    "postgres": (ports.POSTGRES,),
    "rabbitmq": (ports.AMQP, ports.RABBITMQ_MANAGEMENT, ports.RABBITMQ_PROMETHEUS),
    "provider": (ports.PROVIDER,),
    "mail": (ports.MAIL_HTTP, ports.MAIL_SMTP),
    "dashboard": (ports.DASHBOARD,),
    **{service: (port,) for service, port in SERVICES.items()},
}
"""Who answers where. The services' ports are published by `front`, which hands on to any of their replicas."""

OBSERVER_PORTS: Mapping[str, tuple[int, ...]] = {
    "prometheus": (ports.PROMETHEUS,),
    "jaeger": (ports.JAEGER,),
    "grafana": (ports.GRAFANA,),
}


def needed(observe: bool) -> dict[int, str]:
    """Give every port with who needs it."""
    all_ports = {**PORTS, **(OBSERVER_PORTS if observe else {})}
    return dict(chain.from_iterable(((port, name) for port in numbers) for name, numbers in all_ports.items()))
