"""Quartet's programs, what each of them needs, and what each may know."""

import sys
from dataclasses import dataclass
from functools import partial

from infra import ports
from infra.credentials import AUDITOR, CUSTOMERS, DATABASE_ROLES, Credentials, customer_variable, role_variable
from infra.home import REPOSITORY, Home
from infra.native.environment import inherited
from infra.native.install import Installed
from infra.native.once import migration, once
from infra.native.postgres import Postgres
from infra.native.probes import http_ok, noted_lately
from infra.native.program import Program
from infra.native.rabbitmq import RabbitMQ
from infra.ports import HOST, SCHEMAS, SERVICES, replica_port
from infra.rabbitmq.users import DASHBOARD, OBSERVER, TOPOLOGY, USERS
from infra.run import replica_names

PROVIDER_URL = f"http://{HOST}:{ports.PROVIDER}"
MANAGEMENT_URL = f"http://{HOST}:{ports.RABBITMQ_MANAGEMENT}"
SMTP_URL = f"smtp://{HOST}:{ports.MAIL_SMTP}"
INVENTORY_URL = f"http://{HOST}:{ports.INVENTORY}"
AUDITOR_URL = f"http://{HOST}:{ports.AUDITOR}"


@dataclass(frozen=True, slots=True)
class Stack:
    """The whole system on this machine. Each program is given its own secrets, and no other's."""

    home: Home
    credentials: Credentials
    installed: Installed
    scale: int = 1

    @property
    def postgres(self) -> Postgres:
        """The database server."""
        return Postgres(self.home.postgres, ports.POSTGRES, self.credentials.superuser)

    @property
    def rabbitmq(self) -> RabbitMQ:
        """The broker."""
        passwords = {user: self.credentials.broker(user) for user in USERS}
        return RabbitMQ(self.home.rabbitmq, self.installed, passwords)

    def programs(self) -> tuple[Program, ...]:
        """Give every program."""
        return (
            self.postgres.program(),
            *self.rabbitmq.programs(),
            self.roles(),
            *self.migrations(needs=("roles",)),
            once("topology", "infra.topology", needs=("rabbitmq",), QUARTET_BROKER_URL=self.rabbitmq.url(TOPOLOGY)),
            self.topology_watch(),
            self.provider(),
            self.mail(),
            *(replica for service in SERVICES for replica in self.replicas(service)),
            self.seed(),
            self.auditor(),
            self.dashboard(),
        )

    def roles(self) -> Program:
        """Make the database, the schemas and the roles."""
        passwords = {role_variable(role): self.credentials.role(role) for role in DATABASE_ROLES}
        return self.postgres.roles(passwords, needs=("postgres",))

    def migrations(self, needs: tuple[str, ...] = ()) -> tuple[Program, ...]:
        """Bring the schema of every service up to date."""
        return tuple(migration(name, self._database_url(f"{name}_migrator"), needs) for name in SCHEMAS)

    def topology_watch(self) -> Program:
        """Look after the topology while everything runs."""
        return Program(
            name="topology-watch",
            argv=(sys.executable, "-m", "infra.topology", "--watch"),
            env=inherited(
                PYTHONUNBUFFERED="1",
                QUARTET_BROKER_URL=self.rabbitmq.url(TOPOLOGY),
                QUARTET_MANAGEMENT_URL=MANAGEMENT_URL,
                QUARTET_LOOKED=str(self.home.topology_looked),
            ),
            cwd=REPOSITORY,
            needs=("topology",),
            ready=partial(noted_lately, self.home.topology_looked),
        )

    def provider(self) -> Program:
        """The payment provider, an outside party."""
        return _lasting(
            "provider",
            "infra.provider",
            "/livez",
            (ports.PROVIDER,),
            QUARTET_PROVIDER_LEDGER=str(self.home.provider_ledger),
            QUARTET_OPERATOR_KEY=self.credentials.operator_key,
        )

    def mail(self) -> Program:
        """The sink that mails arrive at."""
        listening, directory = (ports.MAIL_HTTP, ports.MAIL_SMTP), str(self.home.mail)
        return _lasting("mail", "infra.mail", "/livez", listening, QUARTET_MAIL_DIRECTORY=directory)

    def replicas(self, service: str) -> tuple[Program, ...]:
        """One of the four services, as often as it runs."""
        names = replica_names(service, self.scale)
        if self.scale == 1:
            return (self.service(service, service, None),)
        return tuple(self.service(service, name, replica_port(service, n)) for n, name in enumerate(names, start=1))

    def service(self, service: str, name: str, own_port: int | None) -> Program:
        """One replica. With a port of its own, which says whether it is ready, it shares the service's port."""
        shared = SERVICES[service]
        alone = {} if own_port is None else {"QUARTET_HTTP_REPLICA_PORT": str(own_port)}
        return _lasting(
            name,
            f"services.{service}",
            "/readyz",
            (shared,) if own_port is None else (own_port, shared),
            needs=("postgres", "rabbitmq", f"migrate-{service}", "topology", "provider", "mail"),
            QUARTET_DATABASE_URL=self._database_url(f"{service}_service"),
            QUARTET_BROKER_URL=self.rabbitmq.url(service),
            QUARTET_HTTP_PORT=str(shared),
            QUARTET_PROVIDER_URL=PROVIDER_URL,
            QUARTET_SMTP_URL=SMTP_URL,
            QUARTET_OPERATOR_KEY=self.credentials.operator_key,
            QUARTET_ENVIRONMENT="development",
            **alone,
        )

    def seed(self) -> Program:
        """Fill the catalogue and the shelves, and give the first customers their keys."""
        return once(
            "seed",
            "scripts.seed",
            needs=tuple(name for service in SERVICES for name in replica_names(service, self.scale)),
            QUARTET_ORDER_DATABASE_URL=self._database_url("order_migrator"),
            QUARTET_INVENTORY_URL=INVENTORY_URL,
            QUARTET_OPERATOR_KEY=self.credentials.operator_key,
            **{customer_variable(customer): key for customer, key in self.credentials.customers.items()},
        )

    def auditor(self) -> Program:
        """What reads everything, for the dashboard. It needs nobody before it is asked for an audit."""
        return _lasting(
            "auditor",
            "infra.auditor",
            "/livez",
            (ports.AUDITOR,),
            QUARTET_DATABASE_URL=self._database_url(AUDITOR),
            QUARTET_BROKER_URL=self.rabbitmq.url(OBSERVER),
            QUARTET_PROVIDER_URL=PROVIDER_URL,
            QUARTET_HTTP_PORT=str(ports.AUDITOR),
            QUARTET_LOGS=str(self.home.logs),
        )

    def dashboard(self) -> Program:
        """What shows it all: it only listens, so nobody needs it, and one is enough for any scale."""
        return _lasting(
            "dashboard",
            "services.dashboard",
            "/readyz",
            (ports.DASHBOARD,),
            needs=("postgres", "rabbitmq", "migrate-dashboard"),
            QUARTET_DATABASE_URL=self._database_url("dashboard_service"),
            QUARTET_BROKER_URL=self.rabbitmq.url(DASHBOARD),
            QUARTET_MANAGEMENT_URL=MANAGEMENT_URL,
            QUARTET_HTTP_PORT=str(ports.DASHBOARD),
            QUARTET_OPERATOR_KEY=self.credentials.operator_key,
            QUARTET_PROVIDER_URL=PROVIDER_URL,
            QUARTET_AUDITOR_URL=AUDITOR_URL,
            QUARTET_CUSTOMER_KEY=self.credentials.customers[CUSTOMERS[0]],
            **{f"QUARTET_{name.upper()}_URL": f"http://{HOST}:{port}" for name, port in SERVICES.items()},
        )

    def _database_url(self, role: str) -> str:
        return self.postgres.url(role, self.credentials.role(role))


def _lasting(
    name: str, module: str, ready_path: str, listening: tuple[int, ...], needs: tuple[str, ...] = (), **variables: str
) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-m", module),
        env=inherited(PYTHONUNBUFFERED="1", **variables),
        cwd=REPOSITORY,
        needs=needs,
        ports=listening,
        ready=partial(http_ok, listening[0], ready_path),
        ready_timeout_s=150.0,
        stop_timeout_s=20.0,
    )
