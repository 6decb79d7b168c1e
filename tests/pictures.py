"""The dashboard's picture beside what it has to equal: what the services themselves have logged and hold for so."""

from infra.ports import SERVICES

LOGGED = " UNION ALL ".join(
    f"SELECT '{service}' AS service, event_id, correlation_id, type, version, attempts FROM {service}_service.events"  # noqa: S608 - ours
    for service in SERVICES
)
"""Who logged what."""
TOLD = "SELECT service, event_id, order_id, type, version, attempts FROM dashboard_service.events"
"""The same, as the dashboard was told it."""
STANDING = """
    SELECT order_id,
           CASE status WHEN 'pending' THEN 'running' WHEN 'confirmed' THEN 'completed' ELSE 'compensated' END AS status,
           true AS settled, reason
    FROM order_service.orders
"""
"""How order has its orders once everything has settled, in the dashboard's words."""
SHOWN = "SELECT order_id, status, settled, reason FROM dashboard_service.orders"
"""The same, as the dashboard has it."""
