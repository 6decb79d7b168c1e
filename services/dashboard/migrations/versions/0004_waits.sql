-- What a service has yet to react to: events on their way out, in its lane, or set back to be tried again.
CREATE TABLE waits (
    order_id uuid        NOT NULL,
    event_id uuid        NOT NULL,
    service  text        NOT NULL,
    name     text        NOT NULL,
    since    timestamptz NOT NULL,
    PRIMARY KEY (order_id, event_id, service)
);
GRANT SELECT, INSERT, DELETE ON waits TO "{role}";

-- The feeds are read from their beginning once more, and every story is told again.
DELETE FROM feeds;
