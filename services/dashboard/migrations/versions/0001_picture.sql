-- What the four feeds told. All of it can be dropped: it is read again from their beginning.
CREATE TABLE events (
    event_id     uuid        PRIMARY KEY,
    order_id     uuid        NOT NULL,
    service      text        NOT NULL,
    name         text        NOT NULL,
    type         text        NOT NULL,
    stream_id    uuid        NOT NULL,
    version      bigint      NOT NULL,
    causation_id uuid        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    public       boolean     NOT NULL,
    traceparent  text,
    data         jsonb       NOT NULL
);
CREATE INDEX events_order ON events (order_id);
CREATE INDEX events_newest ON events (occurred_at DESC);

-- How far each feed is read: written in the transaction that stores what was read.
CREATE TABLE feeds (
    service text PRIMARY KEY,
    place   text NOT NULL
);

-- What a service's inbox says of an event that nothing came of.
CREATE TABLE verdicts (
    service  text        NOT NULL,
    event_id uuid        NOT NULL,
    order_id uuid        NOT NULL,
    outcome  text        NOT NULL,
    why      text,
    at       timestamptz,
    PRIMARY KEY (service, event_id)
);
CREATE INDEX verdicts_order ON verdicts (order_id);

-- One row for each order, told from its events. An id begins with the time, so the newest has the greatest.
CREATE TABLE orders (
    order_id      uuid        PRIMARY KEY,
    status        text        NOT NULL CHECK (status IN ('running', 'completed', 'compensating', 'compensated')),
    settled       boolean     NOT NULL,
    reason        text,
    customer_id   text,
    placed_at     timestamptz NOT NULL,
    last_event    text        NOT NULL,
    last_at       timestamptz NOT NULL,
    events        integer     NOT NULL,
    waiting_for   text,
    waiting_kind  text,
    -- Empty where only time has to pass.
    waiting_since timestamptz,
    asked_at      timestamptz,
    CHECK ((waiting_for IS NULL) = (waiting_kind IS NULL)),
    CHECK (waiting_since IS NULL OR waiting_for IS NOT NULL)
);
CREATE INDEX orders_status ON orders (status, order_id DESC);
CREATE INDEX orders_customer ON orders (customer_id, order_id DESC);
CREATE INDEX orders_waiting ON orders (waiting_since) WHERE waiting_since IS NOT NULL;

GRANT SELECT, INSERT ON events TO "{role}";
GRANT SELECT, INSERT, UPDATE ON feeds, verdicts, orders TO "{role}";
