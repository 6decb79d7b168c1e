"""Who may do what at the broker: RabbitMQ's definitions (`load_definitions`), made from passwords.

A service writes to its own exchanges and reads its own queues; it declares nothing. Nothing else exists: with
definitions to load, RabbitMQ makes neither its default user `guest` nor its default vhost.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Any

from infra.ports import SERVICES

VHOST = "quartet"
TOPOLOGY = "topology"
"""The user that declares exchanges, queues and bindings, and may look at everything."""
OBSERVER = "observer"
"""The user that hears every public event on queues of its own, and can publish nothing to anybody."""
DASHBOARD = "dashboard"
"""The user that takes the news from its own queue and looks at how much lies in the others, and can do nothing else."""
USERS = (TOPOLOGY, OBSERVER, DASHBOARD, *SERVICES)
TAGS = {TOPOLOGY: "administrator", DASHBOARD: "management"}
"""What opens the management interface to a user, and how wide."""

SALT_BYTES = 4


def definitions(passwords: Mapping[str, str]) -> dict[str, Any]:
    """Make the definitions from the passwords of `USERS`."""
    return {
        "vhosts": [{"name": VHOST}],
        "users": [
            {
                "name": name,
                "password_hash": password_hash(passwords[name], os.urandom(SALT_BYTES)),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": [TAGS[name]] if name in TAGS else [],
            }
            for name in USERS
        ],
        "permissions": [{"user": name, "vhost": VHOST, **permissions(name)} for name in USERS],
    }


def permissions(name: str) -> dict[str, str]:
    """Give a user's three patterns: of what it may declare, publish to and consume from."""
    if name == TOPOLOGY:
        return {"configure": ".*", "write": ".*", "read": ".*"}
    if name == OBSERVER:
        own = rf"{OBSERVER}\..*"
        return {"configure": f"^{own}$", "write": f"^{own}$", "read": rf"^({own}|({'|'.join(SERVICES)})\.events)$"}
    if name == DASHBOARD:
        return {"configure": "^$", "write": "^$", "read": rf"^{DASHBOARD}\.news$"}
    return {
        "configure": "^$",
        "write": rf"^{name}\.(events|delay\.[0-9]+ms|return|dead|news)$",
        "read": rf"^{name}\..*$",
    }


def password_hash(password: str, salt: bytes) -> str:
    """Hash as RabbitMQ does (its guide to passwords, "Computing Password Hash")."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
