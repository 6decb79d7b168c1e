"""The SQL of the audit: what it reads of one schema, by key. The kit's tables have the same names in all of them."""

from sqlalchemy import bindparam, func, select, text

from services.inventory.store import reservations, stock
from services.notification.store import correspondence
from services.order.store import orders
from services.payment.store import payments
from shared.store.driver import Statement

STATES = {"order": orders, "inventory": reservations, "payment": payments, "notification": correspondence}

STATE_OF = {
    service: Statement(select(table).where(table.c.order_id == func.any(bindparam("order_ids"))))
    for service, table in STATES.items()
}
STATE_IDS = {
    service: Statement(
        select(table.c.order_id)
        .where(table.c.order_id > bindparam("after"))
        .order_by(table.c.order_id)
        .limit(bindparam("limit"))
    )
    for service, table in STATES.items()
}

INTENT_IDS = Statement(
    text("SELECT DISTINCT stream_id AS order_id FROM intents WHERE stream_id > :after ORDER BY stream_id LIMIT :limit")
)

# The receipts of a SKU are logged on a stream of its own, which is no order's.
STREAM_IDS = Statement(
    text("""
    SELECT DISTINCT stream_id AS order_id FROM events
    WHERE stream_id > :after AND type <> 'stock.received.v1' ORDER BY stream_id LIMIT :limit
""")
)

# Backwards through what was committed last. Times follow the transactions' ids but for what ran side by side. They are
# ordered as they are stored: the name alone would be that of the text, in which 100 comes before 99.
CHANGED = Statement(
    text("""
    SELECT stream_id AS order_id, type, occurred_at, CAST(transaction_id AS text) AS transaction_id, position
    FROM events
    WHERE (transaction_id, position) < (CAST(CAST(:transaction_id AS text) AS xid8), CAST(:position AS bigint))
    ORDER BY events.transaction_id DESC, events.position DESC LIMIT :limit
""")
)

LOG = Statement(
    text("""
    SELECT event_id, stream_id, version, type, CAST(payload AS text) AS payload, causation_id, occurred_at,
           correlation_id
    FROM events WHERE stream_id = ANY(:order_ids) ORDER BY stream_id, version
""")
)

INBOX = Statement(text("SELECT event_id, type, outcome FROM inbox WHERE event_id = ANY(:event_ids)"))

OUTBOX = Statement(
    text("SELECT event_id, parked_at IS NOT NULL AS parked FROM outbox WHERE event_id = ANY(:event_ids)")
)

OUTBOX_IDS = Statement(text("SELECT event_id FROM outbox WHERE event_id > :after ORDER BY event_id LIMIT :limit"))
LOGGED_IDS = Statement(text("SELECT event_id FROM events WHERE event_id = ANY(:event_ids)"))

INTENTS = Statement(
    text("""
    SELECT intent_id, stream_id, kind, CAST(payload AS text) AS payload, causation_id, due_at,
           CAST(payload ->> 'after_s' AS double precision) AS after_s, parked_at IS NOT NULL AS parked,
           coalesce(last_error, '') AS last_error
    FROM intents WHERE stream_id = ANY(:order_ids) ORDER BY stream_id, position
""")
)

LETTERS_OF = Statement(
    text("""
    SELECT letter_id, lane, event_id, type, correlation_id, body, reason FROM dead_letters
    WHERE correlation_id = ANY(:order_ids) ORDER BY letter_id
""")
)
LETTERS = Statement(
    text("""
    SELECT letter_id, lane, event_id, type, correlation_id, body, reason FROM dead_letters
    WHERE letter_id > :after ORDER BY letter_id LIMIT :limit
""")
)

SHELVES = Statement(
    select(stock).where(stock.c.sku > bindparam("after")).order_by(stock.c.sku).limit(bindparam("limit"))
)

RECEIPTS = Statement(
    text("""
    SELECT stream_id, count(*) AS receipts, CAST(sum(CAST(payload ->> 'quantity' AS bigint)) AS bigint) AS quantity
    FROM events WHERE stream_id = ANY(:stream_ids) GROUP BY stream_id
""")
)

TAKEN = Statement(
    text("""
    SELECT line ->> 'sku' AS sku, status, CAST(sum(CAST(line ->> 'quantity' AS bigint)) AS bigint) AS quantity
    FROM reservations CROSS JOIN jsonb_array_elements(lines) AS line
    WHERE status IN ('held', 'committed') GROUP BY 1, 2
""")
)
