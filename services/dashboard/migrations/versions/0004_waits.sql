-- What a service has yet to react to: events on their way out, in its lane, or set back to be tried again. Rows come and
-- go with every event.
CREATE TABLE waits (
    order_id uuid        NOT NULL,
    event_id uuid        NOT NULL,
    service  text        NOT NULL,
    name     text        NOT NULL,
    since    timestamptz NOT NULL,
    PRIMARY KEY (order_id, event_id, service)
) WITH (autovacuum_vacuum_scale_factor = 0.01);
GRANT SELECT, INSERT, DELETE ON waits TO "{role}";

-- Whoever waits is asked about soon, and their story told again.
UPDATE orders SET asked_at = NULL WHERE waiting_since IS NOT NULL;
