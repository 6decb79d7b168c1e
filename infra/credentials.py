"""The passwords and keys of one installation: drawn when first needed, kept in `secrets.env`."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from infra.ports import SCHEMAS
from infra.rabbitmq.users import USERS
from services.order.keys import DEVELOPMENT, draw

PASSWORD_BYTES = 24

SUPERUSER = "QUARTET_POSTGRES_PASSWORD"
OPERATOR_KEY = "QUARTET_OPERATOR_KEY"
CUSTOMERS = ("ann", "ben")
"""Who can order as soon as the stack is up, with a key that is good for development alone."""


def role_variable(role: str) -> str:
    """Name the variable with the password of a database role, such as `order_migrator`."""
    return f"QUARTET_{role.upper()}_PASSWORD"


def broker_variable(user: str) -> str:
    """Name the variable with the password of a broker user, such as `order` or `topology`."""
    return f"QUARTET_{user.upper()}_BROKER_PASSWORD"


def customer_variable(customer: str) -> str:
    """Name the variable with the development key of a customer, such as `ann`."""
    return f"QUARTET_{customer.upper()}_KEY"


AUDITOR = "auditor"
"""The database role that reads what the audit needs of every schema, and writes nothing."""
DATABASE_ROLES = (*(f"{service}_{kind}" for service in SCHEMAS for kind in ("service", "migrator")), AUDITOR)

VARIABLES = (
    SUPERUSER,
    *(role_variable(role) for role in DATABASE_ROLES),
    *(broker_variable(user) for user in USERS),
    OPERATOR_KEY,
    *map(customer_variable, CUSTOMERS),
)


def _draw(name: str) -> str:
    if name in map(customer_variable, CUSTOMERS):
        return draw(DEVELOPMENT)
    return secrets.token_urlsafe(PASSWORD_BYTES)


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Every secret by the name of its variable."""

    values: dict[str, str]

    @classmethod
    def read(cls, file: Path) -> "Credentials":
        """Read those that are there; none where there is no file."""
        lines = file.read_text().splitlines() if file.exists() else []
        pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return cls({name.strip(): value.strip() for name, _, value in pairs})

    @classmethod
    def read_or_draw(cls, file: Path) -> "Credentials":
        """Read them, and draw those that are missing."""
        known = cls.read(file).values
        drawn = {name: known.get(name) or _draw(name) for name in VARIABLES}
        if drawn != known:
            fresh = file.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
                output.writelines(f"{name}={value}\n" for name, value in (known | drawn).items())
            fresh.replace(file)
        return cls(known | drawn)

    @property
    def superuser(self) -> str:
        """The password of PostgreSQL's superuser."""
        return self.values[SUPERUSER]

    @property
    def operator_key(self) -> str:
        """What an operator shows to a service."""
        return self.values[OPERATOR_KEY]

    @property
    def customers(self) -> dict[str, str]:
        """The development key of each customer who has one."""
        named = {customer: self.values.get(customer_variable(customer)) for customer in CUSTOMERS}
        return {customer: key for customer, key in named.items() if key}

    def role(self, role: str) -> str:
        """The password of a database role."""
        return self.values[role_variable(role)]

    def broker(self, user: str) -> str:
        """The password of a broker user."""
        return self.values[broker_variable(user)]
