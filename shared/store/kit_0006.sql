-- The events that failed and will be tried again, noted for who looks on: nothing that dances reads it. One that the
-- inbox knows was reacted to or set aside since.
CREATE TABLE retries (
    event_id    uuid        PRIMARY KEY,
    lane        text        NOT NULL,
    attempts    integer     NOT NULL,
    error_class text        NOT NULL,
    failed_at   timestamptz NOT NULL,
    due_at      timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01);
GRANT SELECT, INSERT, UPDATE, DELETE ON retries TO "{role}";
