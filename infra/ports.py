"""Where everything listens: fixed ports on 127.0.0.1 alone.

All lie below 32768, where Linux takes the ports of outgoing connections from: a client that happens to hold
one of ours would keep a server from coming up.
"""

HOST = "127.0.0.1"

DASHBOARD = 8000
ORDER = 8001
INVENTORY = 8002
PAYMENT = 8003
NOTIFICATION = 8004

PROVIDER = 8090
AUDITOR = 8091
MAIL_SMTP = 8025
MAIL_HTTP = 8026

POSTGRES = 15432
AMQP = 25673
RABBITMQ_MANAGEMENT = 15673
RABBITMQ_PROMETHEUS = 15693
RABBITMQ_DISTRIBUTION = 25674
EPMD = 14369

GRAFANA = 13000
PROMETHEUS = 19090
JAEGER = 16686

REPLICA_STEP = 10
"""From a service's port to those of its replicas, where it runs several times natively: 8011, 8021, …"""

SERVICES = {"order": ORDER, "inventory": INVENTORY, "payment": PAYMENT, "notification": NOTIFICATION}
"""The four services, each with the port of its HTTP interface."""

SCHEMAS = (*SERVICES, "dashboard")
"""Who has a schema with two roles of its own: the four that dance, and who only listens to them."""


def replica_port(service: str, number: int) -> int:
    """Give the port that a replica listens on alone, beside the one that it shares; numbers count from 1."""
    return SERVICES[service] + REPLICA_STEP * number
