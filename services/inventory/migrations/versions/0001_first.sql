CREATE TABLE reservations (
    order_id uuid   PRIMARY KEY,
    version  bigint NOT NULL CHECK (version > 0),
    status   text   NOT NULL CHECK (status IN ('held', 'committed', 'rejected', 'released')),
    lines    jsonb  NOT NULL CHECK (jsonb_typeof(lines) = 'array'),
    CHECK ((jsonb_array_length(lines) > 0) = (status IN ('held', 'committed')))
);

CREATE TABLE stock (
    sku       text   PRIMARY KEY CHECK (sku ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    version   bigint NOT NULL CHECK (version > 0),
    receipts  bigint NOT NULL CHECK (receipts >= 0),
    received  bigint NOT NULL CHECK (received >= 0),
    available bigint NOT NULL CHECK (available >= 0),
    reserved  bigint NOT NULL CHECK (reserved >= 0),
    sold      bigint NOT NULL CHECK (sold >= 0),
    CHECK (received = available + reserved + sold)
);

GRANT SELECT, INSERT, UPDATE ON reservations, stock TO "{role}";
