-- The tables that every service has, beside its own. Run by its migration role, in its own schema.

CREATE TABLE events (
    event_id       uuid        PRIMARY KEY,
    stream_id      uuid        NOT NULL,
    version        bigint      NOT NULL CHECK (version > 0),
    type           text        NOT NULL,
    payload        jsonb       NOT NULL,
    correlation_id uuid        NOT NULL,
    causation_id   uuid        NOT NULL,
    traceparent    text,
    occurred_at    timestamptz NOT NULL,
    transaction_id xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    UNIQUE (stream_id, version)
);
-- Positions commit out of order: a reader pages by both, below the oldest running transaction.
CREATE INDEX events_feed ON events (transaction_id, position);

CREATE TABLE inbox (
    event_id    uuid        PRIMARY KEY,
    type        text        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    outcome     text        NOT NULL DEFAULT 'advanced' CHECK (outcome IN ('advanced', 'ignored', 'dead', 'dropped')),
    reason      text,
    CHECK ((outcome = 'advanced') = (reason IS NULL))
);
CREATE INDEX inbox_received_at ON inbox USING brin (received_at);

CREATE TABLE outbox (
    event_id     uuid        PRIMARY KEY,
    available_at timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0
);
CREATE INDEX outbox_available_at ON outbox (available_at);

CREATE TABLE intents (
    intent_id      uuid        PRIMARY KEY,
    stream_id      uuid        NOT NULL,
    kind           text        NOT NULL,
    payload        jsonb       NOT NULL,
    correlation_id uuid        NOT NULL,
    causation_id   uuid        NOT NULL,
    traceparent    text,
    position       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    due_at         timestamptz NOT NULL,
    leased_until   timestamptz,
    token          bigint      NOT NULL DEFAULT 0,
    attempts       integer     NOT NULL DEFAULT 0,
    raised         integer     NOT NULL DEFAULT 0,
    last_error     text,
    parked_at      timestamptz,
    UNIQUE (stream_id, kind)
);
CREATE INDEX intents_due_at ON intents (due_at) WHERE parked_at IS NULL;

CREATE TABLE requests (
    caller      text        NOT NULL,
    route       text        NOT NULL,
    key         text        NOT NULL,
    body_hash   text        NOT NULL,
    event_id    uuid        NOT NULL,
    status      integer     NOT NULL,
    body        jsonb       NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, route, key)
);
CREATE INDEX requests_answered_at ON requests USING brin (answered_at);

-- The log is append-only for the service itself.
GRANT SELECT, INSERT ON events TO "{role}";
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox, outbox, intents, requests TO "{role}";
