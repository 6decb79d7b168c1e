"""`python -m scripts.seed`: a small catalogue with stock, and customers with keys. Running it again changes nothing."""

import asyncio
import os
import sys
from collections.abc import Mapping

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.credentials import CUSTOMERS, customer_variable
from services.order.keys import hash_of
from shared.store.connection import connect, rows_json

CURRENCY = "EUR"
CATALOGUE = (
    # SKU, name, price in minor units, stock
    ("rosin", "Rosin", 950, 1000),
    ("strings", "A set of strings", 7_900, 1000),
    ("bow", "A bow", 45_000, 500),
    ("violin", "A violin", 320_000, 200),
    ("stradivarius", "The one and only", 1_000_000_000, 1),
)
HTTP_TIMEOUT_S = 15.0

_OFFER = text("""
    INSERT INTO catalogue (sku, name, unit_price, currency)
    SELECT sku, name, unit_price, currency
    FROM json_to_recordset(:rows) AS r(sku text, name text, unit_price bigint, currency text)
    ON CONFLICT (sku) DO NOTHING
""")

_INTRODUCE = text("""
    INSERT INTO api_keys (key_hash, customer_id) VALUES (:key_hash, :customer_id) ON CONFLICT DO NOTHING
""")


async def introduce(database_url: str, keys: Mapping[str, str]) -> None:
    """Give customers their development keys, as order's migration role: nobody has to be asked, nor told."""
    engine = connect(database_url, "quartet seed")
    rows = [{"key_hash": hash_of(key), "customer_id": customer} for customer, key in keys.items()]
    async with engine.begin() as connection:
        await connection.execute(_INTRODUCE, rows)
    await engine.dispose()


async def offer(database_url: str) -> None:
    """Put the goods into order's catalogue, as its migration role: the service itself may only read prices."""
    engine = connect(database_url, "quartet seed")
    rows = [{"sku": sku, "name": name, "unit_price": price, "currency": CURRENCY} for sku, name, price, _ in CATALOGUE]
    async with engine.begin() as connection:
        await connection.execute(_OFFER, {"rows": rows_json(rows)})
    await engine.dispose()


async def stock(inventory_url: str, operator_key: str) -> None:
    """Bring goods that inventory has never heard of; the way every receipt goes."""
    async with httpx.AsyncClient(base_url=inventory_url, timeout=HTTP_TIMEOUT_S, trust_env=False) as client:
        for sku, _, _, quantity in CATALOGUE:
            known = await client.get(f"/stock/{sku}")
            if known.status_code == 200:
                continue
            headers = {"Idempotency-Key": f"seed {sku}", "X-Operator-Key": operator_key}
            received = await client.post(f"/stock/{sku}/receipts", json={"quantity": quantity}, headers=headers)
            received.raise_for_status()


async def _seed() -> None:
    order_database_url = os.environ["QUARTET_ORDER_DATABASE_URL"]
    await introduce(order_database_url, {name: os.environ[customer_variable(name)] for name in CUSTOMERS})
    await offer(order_database_url)
    await stock(os.environ["QUARTET_INVENTORY_URL"], os.environ["QUARTET_OPERATOR_KEY"])


def main() -> int:
    """Seed; the exit code is 2 where something is out of reach."""
    try:
        asyncio.run(_seed())
    except KeyError as error:
        sys.stderr.write(f"seed: {error.args[0]} is not set\n")
    except (DBAPIError, httpx.HTTPError, OSError, TimeoutError) as error:
        sys.stderr.write(f"seed: {type(error).__name__}: {error}\n")
    else:
        sys.stdout.write(f"{len(CATALOGUE)} goods in the catalogue, with stock; {len(CUSTOMERS)} customers with keys\n")
        return 0
    return 2


if __name__ == "__main__":
    sys.exit(main())
