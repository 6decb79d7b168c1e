"""The SQL of an operator's hand: on dead letters, on what is parked, on the log, each act with its record.

As in `shared.store.statements`, rows are picked by an index, and locked sorted by key.
"""

from sqlalchemy import text

from shared.store.driver import Statement

RECORD = Statement(
    text("""
    INSERT INTO operator_actions (who, action, about, details)
    SELECT who, action, about, details
    FROM json_to_recordset(:rows) AS r(who text, action text, about text, details jsonb)
""")
)

RECORDED = Statement(
    text("""
    SELECT position, at, who, action, about, details FROM operator_actions
    WHERE position < :before ORDER BY position DESC LIMIT :limit
""")
)

# A page is bounded in bytes as well; its first letter is on it however long it is.
LETTERS = Statement(
    text("""
    SELECT letter_id, position, lane, type, correlation_id, body, error_class, reason, attempts,
           first_failed_at, last_failed_at, drained_at
    FROM (
        SELECT page.*, sum(octet_length(body)) OVER (ORDER BY position) AS bytes
        FROM (
            SELECT * FROM dead_letters
            WHERE position > :after
              AND (CAST(:letter_ids AS uuid[]) IS NULL OR letter_id = ANY(CAST(:letter_ids AS uuid[])))
              AND (CAST(:error_class AS text) IS NULL OR error_class = CAST(:error_class AS text))
              AND (CAST(:lanes AS text[]) IS NULL OR lane = ANY(CAST(:lanes AS text[])))
            ORDER BY position LIMIT :limit) AS page) AS weighed
    WHERE bytes <= :bytes_max OR bytes = octet_length(body)
    ORDER BY position
""")
)

LETTERS_LEFT = Statement(
    text("""
    SELECT count(*) AS number FROM dead_letters
    WHERE position > :after
      AND (CAST(:letter_ids AS uuid[]) IS NULL OR letter_id = ANY(CAST(:letter_ids AS uuid[])))
      AND (CAST(:error_class AS text) IS NULL OR error_class = CAST(:error_class AS text))
      AND (CAST(:lanes AS text[]) IS NULL OR lane = ANY(CAST(:lanes AS text[])))
""")
)

OUTCOMES = Statement(
    text("""
    SELECT event_id, outcome, reason, received_at FROM inbox WHERE event_id = ANY(CAST(:event_ids AS uuid[]))
""")
)

# Only what is dead: what was reacted to or dropped since must never be reacted to again. Its attempts are counted anew.
UNBURY = Statement(
    text("""
    WITH noted AS (
        DELETE FROM retries WHERE event_id = ANY(ARRAY(
            SELECT event_id FROM retries WHERE event_id = ANY(CAST(:event_ids AS uuid[]))
            ORDER BY event_id FOR UPDATE))
    )
    DELETE FROM inbox WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM inbox WHERE event_id = ANY(CAST(:event_ids AS uuid[])) AND outcome = 'dead'
        ORDER BY event_id FOR UPDATE))
""")
)

# By position as well: a letter that came back since it was read has another one, and stays.
REPLAYED = Statement(
    text("""
    DELETE FROM dead_letters WHERE letter_id = ANY(ARRAY(
        SELECT letter_id FROM dead_letters
        WHERE letter_id = ANY(CAST(:letter_ids AS uuid[])) AND position = ANY(CAST(:positions AS bigint[]))
        ORDER BY letter_id FOR UPDATE))
""")
)

DROP = Statement(
    text("""
    INSERT INTO inbox (event_id, type, outcome, reason)
    SELECT DISTINCT ON (event_id) event_id, type, 'dropped', CAST(:why AS text)
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:types AS text[])) AS r(event_id, type)
    ORDER BY event_id
    ON CONFLICT (event_id) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason
    WHERE inbox.outcome = 'dead'
""")
)

DISCARD = Statement(
    text("""
    DELETE FROM dead_letters WHERE letter_id = ANY(ARRAY(
        SELECT letter_id FROM dead_letters WHERE letter_id = ANY(CAST(:letter_ids AS uuid[]))
        ORDER BY letter_id FOR UPDATE))
""")
)

_PARKED = """
    SELECT id, what, kind, order_id, attempts, last_error, parked_at
    FROM (
        (SELECT event_id AS id, 'event' AS what,
                (SELECT type FROM events WHERE events.event_id = outbox.event_id) AS kind,
                (SELECT correlation_id FROM events WHERE events.event_id = outbox.event_id) AS order_id,
                attempts, last_error, parked_at
         FROM outbox WHERE parked_at IS NOT NULL AND event_id {meant} ORDER BY event_id LIMIT :limit)
        UNION ALL
        (SELECT intent_id, 'intent', kind, correlation_id, attempts, last_error, parked_at
         FROM intents WHERE parked_at IS NOT NULL AND intent_id {meant} ORDER BY intent_id LIMIT :limit)
    ) AS parked
    ORDER BY id LIMIT :limit
"""

PARKED = Statement(text(_PARKED.format(meant="> :after")))
PARKED_NAMED = Statement(text(_PARKED.format(meant="= ANY(CAST(:ids AS uuid[]))")))

# The outbox comes before the intents, as in every transaction of the shell.
RELEASE_UNSENT = Statement(
    text("""
    UPDATE outbox SET parked_at = NULL, available_at = now(), attempts = 0
    WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM outbox WHERE event_id = ANY(CAST(:ids AS uuid[])) AND parked_at IS NOT NULL
        ORDER BY event_id FOR UPDATE))
""")
)

RELEASE_INTENTS = Statement(
    text("""
    UPDATE intents SET parked_at = NULL, due_at = now(), leased_until = NULL, attempts = 0, raised = 0
    WHERE intent_id = ANY(ARRAY(
        SELECT intent_id FROM intents WHERE intent_id = ANY(CAST(:ids AS uuid[])) AND parked_at IS NOT NULL
        ORDER BY intent_id FOR UPDATE))
""")
)

# The subquery is fenced off: left alone the planner would look for the smallest from the beginning of the log.
REFILL_BEGINS = Statement(
    text("""
    SELECT CAST(min(transaction_id) AS text) AS transaction_id
    FROM (SELECT transaction_id FROM events WHERE occurred_at >= :since OFFSET 0) AS since
""")
)

# One walk over so many entries of the log, whatever their types. What waits in the outbox anyway gets the generation of
# this transaction too: it may have been published to the queue that is gone, and its confirm may still be on its way.
# Only what is parked stays as it is: nobody could write it as a message.
REFILL = Statement(
    text("""
    WITH lot AS MATERIALIZED (
        SELECT event_id, type, occurred_at, transaction_id, position FROM events
        WHERE (transaction_id, position) > (CAST(CAST(:transaction_id AS text) AS xid8), :position)
        ORDER BY transaction_id, position LIMIT :limit
    ), refilled AS (
        INSERT INTO outbox (event_id, available_at, generation)
        SELECT event_id, now(), CAST(CAST(pg_current_xact_id() AS text) AS bigint)
        FROM lot WHERE type = ANY(CAST(:types AS text[])) AND occurred_at >= :since
        ORDER BY event_id
        ON CONFLICT (event_id) DO UPDATE SET available_at = excluded.available_at, generation = excluded.generation
        WHERE outbox.parked_at IS NULL
        RETURNING event_id
    )
    SELECT CAST(transaction_id AS text) AS transaction_id, position,
           (SELECT count(*) FROM refilled) AS refilled, (SELECT count(*) FROM lot) AS walked
    FROM lot ORDER BY lot.transaction_id DESC, lot.position DESC LIMIT 1
""")
)
