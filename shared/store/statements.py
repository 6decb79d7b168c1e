"""The SQL of the tables that every service has. Every statement takes its rows sorted by key, but for those that its
transaction has itself put there, and where it skips what others hold.

Rows go in as one JSON array, so a statement has the same text for one row and for a thousand. It has the same plan
too, and a good one, whatever the planner believes of a table that was empty a minute ago: rows are picked by `= ANY`
of an array that is made first, another row is looked up in a subquery for each, and no join is left that could be
done the other way round (see `PLANS` in `shared.store.connection`).
"""

from sqlalchemy import text

from shared.store.driver import Statement

ANSWERED = Statement(
    text("""
    SELECT found.*
    FROM json_to_recordset(:rows) AS r(caller text, route text, key text) CROSS JOIN LATERAL (
        SELECT caller, route, key, body_hash, status, body FROM requests
        WHERE caller = r.caller AND route = r.route AND key = r.key LIMIT 1) AS found
""")
)

RECEIVE = Statement(
    text("""
    WITH fresh AS (
        INSERT INTO inbox (event_id, type)
        SELECT event_id, type FROM json_to_recordset(:rows) AS r(event_id uuid, type text)
        ORDER BY event_id
        ON CONFLICT DO NOTHING
        RETURNING event_id
    )
    SELECT now() AS now, array_agg(event_id) AS fresh FROM fresh
""")
)

IGNORE = Statement(
    text("""
    UPDATE inbox SET outcome = 'ignored', reason = r.reason
    FROM json_to_recordset(:rows) AS r(event_id uuid, reason text)
    WHERE inbox.event_id = r.event_id
      AND inbox.event_id = ANY(ARRAY(SELECT event_id FROM json_to_recordset(:rows) AS r(event_id uuid)))
""")
)

FORGET_RAISED = Statement(text("DELETE FROM inbox WHERE event_id = ANY(:event_ids)"))

SURVIVED = Statement(
    text("""
    DELETE FROM suspects WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM suspects WHERE event_id = ANY(:event_ids) ORDER BY event_id FOR UPDATE))
""")
)

# What this statement inserts its own query does not see: only those that were there before come back.
WATCH = Statement(
    text("""
    WITH watched AS (
        INSERT INTO suspects (event_id, life)
        SELECT DISTINCT event_id, CAST(:life AS uuid) FROM unnest(CAST(:event_ids AS uuid[])) AS r(event_id)
        ORDER BY event_id
        ON CONFLICT DO NOTHING
    )
    SELECT event_id FROM suspects WHERE event_id = ANY(CAST(:event_ids AS uuid[])) AND life <> CAST(:life AS uuid)
""")
)

SUSPECT = Statement(
    text("""
    UPDATE suspects SET life = CAST(:life AS uuid),
        runs = runs + CASE WHEN life = CAST(:life AS uuid) THEN 0 ELSE 1 END
    WHERE event_id = :event_id
    RETURNING runs
""")
)

PRUNE_SUSPECTS = Statement(
    text("""
    DELETE FROM suspects WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM suspects WHERE seen_at < now() - make_interval(secs => :retention_s) LIMIT :limit
        FOR UPDATE SKIP LOCKED))
""")
)

# Every event goes into the log, the public ones into the outbox as well.
LOG = Statement(
    text("""
    WITH entries AS MATERIALIZED (
        SELECT * FROM json_to_recordset(:rows) AS r(
            event_id uuid, stream_id uuid, version bigint, type text, payload jsonb,
            correlation_id uuid, causation_id uuid, traceparent text, occurred_at timestamptz, public boolean,
            attempts integer)
    ), posted AS (
        INSERT INTO outbox (event_id, available_at)
        SELECT event_id, now() + make_interval(secs => :grace_s) FROM entries WHERE public
        ORDER BY event_id
    )
    INSERT INTO events
        (event_id, stream_id, version, type, payload, correlation_id, causation_id, traceparent, occurred_at, attempts)
    SELECT event_id, stream_id, version, type, payload, correlation_id, causation_id, traceparent, occurred_at, attempts
    FROM entries
    ORDER BY stream_id, version
""")
)

# Only what stands there as it was published: a refill that came between has given the row another generation.
DELETE_CONFIRMED = Statement(
    text("""
    DELETE FROM outbox WHERE event_id = ANY(ARRAY(
        SELECT outbox.event_id
        FROM outbox, unnest(CAST(:event_ids AS uuid[]), CAST(:generations AS bigint[])) AS r(event_id, generation)
        WHERE outbox.event_id = r.event_id AND outbox.generation = r.generation
          AND outbox.event_id = ANY(CAST(:event_ids AS uuid[]))
        ORDER BY outbox.event_id FOR UPDATE OF outbox))
""")
)

CLAIM_UNSENT = Statement(
    text("""
    WITH claimed AS (
        UPDATE outbox SET available_at = now() + make_interval(secs => :grace_s), attempts = attempts + 1
        WHERE event_id = ANY(ARRAY(
            SELECT event_id FROM outbox WHERE available_at <= now() AND parked_at IS NULL
            ORDER BY available_at LIMIT :limit FOR UPDATE SKIP LOCKED))
        RETURNING event_id, generation
    ), unsent AS MATERIALIZED (
        SELECT * FROM events WHERE event_id = ANY(ARRAY(SELECT event_id FROM claimed))
    )
    SELECT event_id, type, CAST(payload AS text) AS payload, correlation_id, causation_id, traceparent, occurred_at,
           generation
    FROM unsent JOIN claimed USING (event_id)
    ORDER BY transaction_id, position
""")
)

DEFER_UNSENT = Statement(
    text("""
    UPDATE outbox SET available_at = now() + make_interval(secs => least(power(2, least(attempts, 10)), :most_s))
    WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM outbox WHERE event_id = ANY(:event_ids) ORDER BY event_id FOR UPDATE))
""")
)

PARK_UNSENT = Statement(
    text("""
    UPDATE outbox SET parked_at = now(), last_error = r.error
    FROM json_to_recordset(:rows) AS r(event_id uuid, error text)
    WHERE outbox.event_id = r.event_id
      AND outbox.event_id = ANY(ARRAY(
        SELECT event_id FROM outbox
        WHERE event_id = ANY(ARRAY(SELECT event_id FROM json_to_recordset(:rows) AS r(event_id uuid)))
        ORDER BY event_id FOR UPDATE))
""")
)

WITHDRAW = Statement(
    text("""
    DELETE FROM intents WHERE intent_id = ANY(ARRAY(
        SELECT intent_id FROM intents WHERE intent_id = ANY(ARRAY(
            SELECT unnest(CAST(:completed AS uuid[]))
            UNION ALL
            SELECT (SELECT intent_id FROM intents AS i WHERE i.stream_id = r.stream_id AND i.kind = r.kind)
            FROM json_to_recordset(:withdrawn) AS r(stream_id uuid, kind text)))
        ORDER BY intent_id FOR UPDATE))
""")
)

# What is due now, and first in its stream, is leased to the process that writes it: it is carried out at once.
INTEND = Statement(
    text("""
    INSERT INTO intents (intent_id, stream_id, kind, payload, correlation_id, causation_id, traceparent,
                         due_at, leased_until, token, attempts)
    SELECT intent_id, stream_id, kind, payload, correlation_id, causation_id, traceparent,
           now() + make_interval(secs => after_s),
           CASE WHEN hot THEN now() + make_interval(secs => :lease_s) END,
           CASE WHEN hot THEN 1 ELSE 0 END,
           CASE WHEN hot THEN 1 ELSE 0 END
    FROM (
        SELECT r.*, after_s = 0 AND row_number() OVER (PARTITION BY stream_id ORDER BY ordinal) = 1
                    AND (SELECT 1 FROM intents AS earlier WHERE earlier.stream_id = r.stream_id LIMIT 1) IS NULL
                    AS hot
        FROM json_to_recordset(:rows) AS r(
            intent_id uuid, stream_id uuid, kind text, payload jsonb, correlation_id uuid, causation_id uuid,
            traceparent text, after_s double precision, ordinal integer)
    ) AS r
    ORDER BY stream_id, ordinal
    RETURNING intent_id, token
""")
)

CLAIM_INTENTS = Statement(
    text("""
    UPDATE intents
    SET leased_until = now() + make_interval(secs => :lease_s), token = token + 1, attempts = attempts + 1
    WHERE intent_id = ANY(ARRAY(
        SELECT intent_id FROM intents AS due
        WHERE due_at <= now() AND parked_at IS NULL AND (leased_until IS NULL OR leased_until <= now())
          AND position = (SELECT min(position) FROM intents AS same WHERE same.stream_id = due.stream_id)
        ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING intent_id, kind, CAST(payload AS text) AS payload, correlation_id, causation_id, traceparent,
              attempts, raised, token,
              CAST(coalesce(extract(epoch FROM now() - (
                  SELECT occurred_at FROM events WHERE events.event_id = intents.causation_id
              )), 0) AS double precision) AS age_s
""")
)

RESCHEDULE = Statement(
    text("""
    UPDATE intents
    SET due_at = now() + make_interval(secs => :after_s), leased_until = NULL, last_error = :error,
        raised = raised + CAST(CAST(:raised AS boolean) AS integer),
        attempts = attempts - 1 + CAST(CAST(:asked AS boolean) AS integer)
    WHERE intent_id = :intent_id AND token = :token
""")
)

# An intent that was claimed and never started: its attempt does not count.
RELEASE = Statement(
    text("""
    UPDATE intents SET leased_until = NULL, attempts = attempts - 1
    FROM json_to_recordset(:rows) AS r(intent_id uuid, token bigint)
    WHERE intents.intent_id = r.intent_id AND intents.token = r.token
      AND intents.intent_id = ANY(ARRAY(
        SELECT intent_id FROM intents
        WHERE intent_id = ANY(ARRAY(SELECT intent_id FROM json_to_recordset(:rows) AS r(intent_id uuid)))
        ORDER BY intent_id FOR UPDATE))
""")
)

PARK = Statement(
    text("""
    UPDATE intents SET parked_at = now(), leased_until = NULL, last_error = :error
    WHERE intent_id = :intent_id AND token = :token
""")
)

ANSWER = Statement(
    text("""
    INSERT INTO requests (caller, route, key, body_hash, event_id, status, body)
    SELECT caller, route, key, body_hash, event_id, status, body
    FROM json_to_recordset(:rows) AS r(
        caller text, route text, key text, body_hash text, event_id uuid, status integer, body jsonb)
    ORDER BY caller, route, key
""")
)

PRUNE_INBOX = Statement(
    text("""
    DELETE FROM inbox WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM inbox WHERE received_at < now() - make_interval(secs => :retention_s) LIMIT :limit
        FOR UPDATE SKIP LOCKED))
""")
)

PRUNE_REQUESTS = Statement(
    text("""
    DELETE FROM requests WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM requests
        WHERE answered_at < now() - make_interval(secs => :retention_s) LIMIT :limit
        FOR UPDATE SKIP LOCKED))
""")
)
