-- What the kit sets aside, and what an operator did about it. Run by the migration role, in its own schema.

-- Events of redelivered messages, each of which may be what ended the process that had it. Gone once it is survived.
CREATE TABLE suspects (
    event_id uuid        PRIMARY KEY,
    life     uuid        NOT NULL,
    runs     integer     NOT NULL DEFAULT 0,
    seen_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX suspects_seen_at ON suspects (seen_at);

CREATE TABLE dead_letters (
    letter_id       uuid        PRIMARY KEY,
    lane            text        NOT NULL,
    event_id        uuid,
    type            text,
    correlation_id  uuid,
    body            bytea       NOT NULL,
    error_class     text        NOT NULL,
    reason          text        NOT NULL,
    attempts        integer     NOT NULL,
    first_failed_at timestamptz NOT NULL,
    last_failed_at  timestamptz NOT NULL,
    drained_at      timestamptz NOT NULL DEFAULT now(),
    -- Where it stands in the pile; a letter that comes back goes to the end, and is another than the one replayed.
    position        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE
);

ALTER TABLE outbox ADD COLUMN last_error text, ADD COLUMN parked_at timestamptz;
DROP INDEX outbox_available_at;
CREATE INDEX outbox_available_at ON outbox (available_at) WHERE parked_at IS NULL;
CREATE INDEX outbox_parked ON outbox (event_id) WHERE parked_at IS NOT NULL;
CREATE INDEX intents_parked ON intents (intent_id) WHERE parked_at IS NOT NULL;
-- Where a refill begins; the log is written in the order of time.
CREATE INDEX events_occurred_at ON events USING brin (occurred_at);

CREATE TABLE operator_actions (
    position bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    who      text        NOT NULL,
    action   text        NOT NULL,
    about    text        NOT NULL,
    details  jsonb       NOT NULL DEFAULT '{}'
);

GRANT SELECT, INSERT, UPDATE, DELETE ON suspects, dead_letters TO "{role}";
GRANT SELECT, INSERT ON operator_actions TO "{role}";
