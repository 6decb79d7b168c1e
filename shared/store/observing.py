"""The SQL of looking on: what was logged, in the order in which it may be read, and what waits. It changes nothing.

As in `shared.store.statements`, rows are picked by an index.
"""

from sqlalchemy import text

from shared.store.driver import Statement

_LOGGED = """
    SELECT event_id, stream_id, version, type, payload, correlation_id, causation_id, traceparent, occurred_at,
           CAST(transaction_id AS text) AS transaction_id, position
    FROM events
"""

# Below the oldest transaction that runs nothing is added any more. Positions are given out before they are committed,
# so the one that is committed last may have the lowest; a transaction that is over has all of its own.
FEED = Statement(
    text(
        _LOGGED
        + """
    WHERE (transaction_id, position) > (CAST(CAST(:transaction_id AS text) AS xid8), CAST(:position AS bigint))
      AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY transaction_id, position LIMIT :limit
"""
    )
)

FEED_HEAD = Statement(
    text("""
    SELECT CAST(transaction_id AS text) AS transaction_id, position FROM events
    WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY transaction_id DESC, position DESC LIMIT 1
""")
)

LOG_OF = Statement(text(_LOGGED + "WHERE stream_id = :order_id ORDER BY version LIMIT :limit"))
