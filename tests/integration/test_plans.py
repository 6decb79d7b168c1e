"""The plans of the kit's statements: the same good ones, whatever the planner believes of the tables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.audit import statements as audit
from infra.ports import SERVICES
from services.inventory.store import states as inventory
from services.notification.store import states as notification
from services.order import store as order_store
from services.order.store import states as order
from services.payment.store import states as payment
from shared.store import dead_letters, observing, operating, retry_notes, statements
from shared.store.aggregates import Aggregates
from shared.store.connection import connect
from shared.store.driver import Statement
from tests.integration.auditor import Auditor
from tests.integration.servers import Servers

SUMMED = {"TAKEN", "LETTERS_OF"}
"""Statements of the audit that look at a whole table: a sum over all reservations, and the few letters there are."""
ORDERED = {"FEED", "FEED_HEAD", "CHANGED"}
"""Statements that walk along an index, in its order: a sort would be over all that is left of the log, and of texts."""
LOOKED_UP = {"ANSWERED"}
"""Statements that look one row up for each row given: a nested loop by their own wording."""
AGGREGATES: Mapping[str, tuple[Aggregates[Any], ...]] = {
    "order": (order._aggregates,),
    "inventory": (inventory._reservations, inventory._stock),
    "payment": (payment._aggregates,),
    "notification": (notification._aggregates,),
}


def kit_statements() -> dict[str, Statement]:
    """Give the kit's statements by name."""
    modules = (statements, dead_letters, operating, observing, retry_notes)
    return {n: one for module in modules for n, one in vars(module).items() if isinstance(one, Statement)}


def nodes_of(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give a plan's node and all below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


async def plan_of(servers: Servers, service: str, statement: Statement) -> list[Mapping[str, Any]]:
    """Ask for the plan that a prepared statement of a service keeps."""
    engine = connect(servers.database_url(f"{service}_service"), "test")
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver
        await driver.execute("SET plan_cache_mode = force_generic_plan")
        await driver.execute(f"PREPARE one AS {statement.sql}")
        parameters = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement.sql))))
        plan = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE one({parameters})".replace("()", ""))
    await engine.dispose()
    return list(nodes_of(plan[0]["Plan"]))


@pytest.fixture
async def empty_and_analyzed(auditor: Auditor) -> None:
    """The planner was told of tables with nothing in them, which is when its plans are at their worst."""
    for service in SERVICES:
        for table in (
            "events",
            "inbox",
            "outbox",
            "intents",
            "requests",
            "suspects",
            "retries",
            "dead_letters",
            "operator_actions",
        ):
            await auditor.rows(f"VACUUM ANALYZE {service}_service.{table}")
    for table in (
        "order_service.orders",
        "order_service.api_keys",
        "inventory_service.reservations",
        "payment_service.payments",
    ):
        await auditor.rows(f"VACUUM ANALYZE {table}")


@pytest.mark.usefixtures("empty_and_analyzed")
async def test_no_table_is_scanned_and_no_join_is_quadratic(servers: Servers) -> None:
    """Every statement of the kit picks its rows by an index, and none compares every row with every row."""
    for name, statement in kit_statements().items():
        for node in await plan_of(servers, "payment", statement):
            assert node["Node Type"] != "Seq Scan", (name, node)
            assert "Join Filter" not in node, (name, node)
            assert not node["Node Type"].startswith("Index") or "Index Cond" in node, (name, node)
            assert node["Node Type"] != "Nested Loop" or name in LOOKED_UP, (name, node)
            assert node["Node Type"] != "Sort" or name not in ORDERED, (name, node)


@pytest.mark.usefixtures("empty_and_analyzed")
@pytest.mark.parametrize("service", AGGREGATES)
async def test_so_it_is_with_the_states(servers: Servers, service: str) -> None:
    """Aggregates are loaded and updated by their keys, a batch of them in one pass."""
    for aggregates in AGGREGATES[service]:
        for statement in (aggregates._select, aggregates._update):
            for node in await plan_of(servers, service, statement):
                assert node["Node Type"] not in {"Seq Scan", "Nested Loop"}, (statement.sql, node)


@pytest.mark.usefixtures("empty_and_analyzed")
async def test_so_it_is_with_the_customers_keys(servers: Servers) -> None:
    """A key is found by its hash, a customer's by the customer, however many there are."""
    statements = [one for one in vars(order_store).values() if isinstance(one, Statement)]
    assert len(statements) == 4
    for statement in statements:
        for node in await plan_of(servers, "order", statement):
            assert node["Node Type"] not in {"Seq Scan", "Nested Loop", "Sort"}, (statement.sql, node)


def audit_statements(service: str) -> dict[str, Statement]:
    """Give the audit's statements over a service's schema by name."""
    own = {name: one for name, one in vars(audit).items() if isinstance(one, Statement) and name not in SUMMED}
    if service != "inventory":
        own = {name: one for name, one in own.items() if name != "SHELVES"}
    return own | {"STATE_OF": audit.STATE_OF[service], "STATE_IDS": audit.STATE_IDS[service]}


@pytest.mark.usefixtures("empty_and_analyzed")
@pytest.mark.parametrize("service", SERVICES)
async def test_an_audit_goes_by_key(servers: Servers, service: str) -> None:
    """It costs what it is asked about, however much there is beside that."""
    for name, statement in audit_statements(service).items():
        for node in await plan_of(servers, service, statement):
            assert node["Node Type"] != "Seq Scan", (name, node)
            assert node["Node Type"] != "Sort" or name not in ORDERED, (name, node)
            assert not node["Node Type"].startswith("Index") or "Index Cond" in node, (name, node)
