-- A refill puts an event into the outbox anew, under a generation of its own: a confirm of an earlier publish is none of it.
ALTER TABLE outbox ADD COLUMN generation bigint NOT NULL DEFAULT 0;
