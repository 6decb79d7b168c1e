-- What the audit reads: never the requests, whose bodies it has no use for. A schema has the name of its service's role.
GRANT USAGE ON SCHEMA "{role}" TO auditor;
GRANT SELECT ON events, inbox, outbox, intents, dead_letters TO auditor;
