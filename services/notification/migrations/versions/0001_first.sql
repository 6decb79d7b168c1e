CREATE TABLE correspondence (
    order_id  uuid   PRIMARY KEY,
    version   bigint NOT NULL CHECK (version > 0),
    email     text   NOT NULL,
    confirmed text   NOT NULL CHECK (confirmed IN ('none', 'recorded', 'sent', 'undeliverable')),
    cancelled text   NOT NULL CHECK (cancelled IN ('none', 'recorded', 'sent', 'undeliverable')),
    reason    text,
    CHECK (confirmed <> 'none' OR cancelled <> 'none'),
    CHECK ((reason IS NOT NULL) = (cancelled <> 'none'))
);

GRANT SELECT, INSERT, UPDATE ON correspondence TO "{role}";
