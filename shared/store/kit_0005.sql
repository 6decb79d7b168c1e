-- At which attempt the reaction succeeded that logged an event, or the intent was answered that led to it.
ALTER TABLE events ADD COLUMN attempts integer NOT NULL DEFAULT 1;
