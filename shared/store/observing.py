"""The SQL of looking on: what was logged, in the order in which it may be read, and what waits. It changes nothing.

As in `shared.store.statements`, rows are picked by an index.
"""

from sqlalchemy import text

from shared.store.driver import Statement

_LOGGED = """
    SELECT event_id, stream_id, version, type, payload, correlation_id, causation_id, traceparent, occurred_at,
           attempts, CAST(transaction_id AS text) AS transaction_id, position
    FROM events
"""

# Below the oldest transaction that runs nothing is added any more. Positions are given out before they are committed,
# so the one that is committed last may have the lowest; a transaction that is over has all of its own. They are
# ordered as they are stored: the name alone would be that of the text, in which 100 comes before 99.
FEED = Statement(
    text(
        _LOGGED
        + """
    WHERE (transaction_id, position) > (CAST(CAST(:transaction_id AS text) AS xid8), CAST(:position AS bigint))
      AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY events.transaction_id, events.position LIMIT :limit
"""
    )
)

FEED_HEAD = Statement(
    text("""
    SELECT CAST(transaction_id AS text) AS transaction_id, position FROM events
    WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY events.transaction_id DESC, events.position DESC LIMIT 1
""")
)

LOG_OF = Statement(text(_LOGGED + "WHERE stream_id = :order_id ORDER BY version LIMIT :limit"))

# A count walks along an index, from where nothing lies below, and stops at its bound. The oldest event is looked for
# among those with the lowest ids, which begin with the time; what a refill put back is older than its waiting.
OUTBOX = Statement(
    text("""
    SELECT
        (SELECT count(*) FROM (
            SELECT 1 FROM outbox WHERE parked_at IS NULL AND available_at > '-infinity' LIMIT :rows_max) AS rows
        ) AS waiting,
        (SELECT CAST(extract(epoch FROM now() - min(occurred_at)) AS double precision) FROM events
         WHERE event_id = ANY(ARRAY(
            SELECT event_id FROM outbox
            WHERE parked_at IS NULL AND generation = 0 AND event_id > CAST(:first AS uuid)
            ORDER BY event_id LIMIT :oldest_max))
        ) AS oldest_s,
        (SELECT count(*) FROM (
            SELECT 1 FROM outbox WHERE parked_at IS NOT NULL AND event_id > CAST(:first AS uuid) LIMIT :rows_max
         ) AS rows) AS parked
""")
)

# The inbox holds weeks of events: how many they are is PostgreSQL's own estimate, from when it last looked.
INBOX = Statement(
    text("""
    SELECT
        (SELECT CAST(nullif(reltuples, -1) AS bigint) FROM pg_class WHERE oid = CAST('inbox' AS regclass)) AS about,
        (SELECT CAST(extract(epoch FROM clock_timestamp() - max(received_at)) AS double precision) FROM inbox
         WHERE received_at > '-infinity') AS newest_s
""")
)

INTENTS = Statement(
    text("""
    SELECT kind,
           count(*) FILTER (WHERE NOT parked) AS waiting,
           count(*) FILTER (WHERE NOT parked AND due_at <= now()) AS due,
           CAST(extract(epoch FROM now() - min(due_at) FILTER (WHERE NOT parked AND due_at <= now()))
                AS double precision) AS oldest_due_s,
           count(*) FILTER (WHERE parked) AS parked
    FROM (
        (SELECT kind, due_at, false AS parked FROM intents
         WHERE parked_at IS NULL AND due_at > '-infinity' ORDER BY due_at LIMIT :rows_max)
        UNION ALL
        (SELECT kind, due_at, true FROM intents
         WHERE parked_at IS NOT NULL AND intent_id > CAST(:first AS uuid) LIMIT :rows_max)
    ) AS waiting
    GROUP BY kind
""")
)

LETTERS = Statement(
    text("""
    SELECT lane, error_class, count(*) AS letters,
           CAST(extract(epoch FROM now() - min(drained_at)) AS double precision) AS oldest_s
    FROM (SELECT lane, error_class, drained_at FROM dead_letters WHERE position > 0
          ORDER BY position LIMIT :rows_max) AS letters
    GROUP BY lane, error_class ORDER BY lane, error_class
""")
)

# An event that failed and that the inbox does not know waits to be tried again. The inbox is looked up for each: a join
# would read all of it.
RETRIES = Statement(
    text("""
    SELECT lane, count(*) AS events, max(attempts) AS attempts,
           greatest(CAST(extract(epoch FROM now() - min(failed_at)) AS double precision), 0) AS oldest_s
    FROM (SELECT lane, attempts, failed_at FROM retries AS r
          WHERE event_id > CAST(:first AS uuid)
            AND (SELECT 1 FROM inbox AS i WHERE i.event_id = r.event_id) IS NULL LIMIT :rows_max) AS waiting
    GROUP BY lane ORDER BY lane
""")
)

RETRIES_OF = Statement(
    text("""
    SELECT event_id, attempts, error_class, failed_at, due_at,
           due_at < now() - make_interval(secs => :back_within_s) AS overdue
    FROM retries
    WHERE event_id = ANY(CAST(:event_ids AS uuid[]))
""")
)

INTENTS_OF = Statement(
    text("""
    SELECT intent_id AS key, kind, due_at, leased_until, attempts, raised, last_error, parked_at, causation_id
    FROM intents WHERE stream_id = :order_id ORDER BY position LIMIT :limit
""")
)
