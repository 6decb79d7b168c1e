CREATE TABLE orders (
    order_id    uuid        PRIMARY KEY,
    version     bigint      NOT NULL CHECK (version > 0),
    customer_id text        NOT NULL,
    email       text        NOT NULL,
    lines       jsonb       NOT NULL CHECK (jsonb_typeof(lines) = 'array' AND jsonb_array_length(lines) > 0),
    amount      bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000),
    currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    placed_at   timestamptz NOT NULL,
    status      text        NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled')),
    reason      text        CHECK (reason IN ('out_of_stock', 'payment_declined', 'customer_request', 'deadline_passed')),
    stock       text        NOT NULL CHECK (stock IN ('open', 'committed', 'released')),
    money       text        NOT NULL CHECK (money IN ('open', 'voided', 'refunded')),
    settled     boolean     NOT NULL,
    CHECK ((reason IS NOT NULL) = (status = 'cancelled')),
    CHECK (stock = 'open' OR (stock = 'committed' AND status = 'confirmed')
                          OR (stock = 'released' AND status = 'cancelled')),
    CHECK (money = 'open' OR status = 'cancelled'),
    CHECK (settled = ((status = 'confirmed' AND stock = 'committed')
                   OR (status = 'cancelled' AND stock = 'released' AND money <> 'open')))
);
CREATE INDEX orders_status ON orders (status, order_id);
CREATE INDEX orders_customer_id ON orders (customer_id, order_id);

CREATE TABLE catalogue (
    sku        text   PRIMARY KEY CHECK (sku ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    name       text   NOT NULL,
    unit_price bigint NOT NULL CHECK (unit_price BETWEEN 1 AND 1000000000),
    currency   text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$')
);

GRANT SELECT, INSERT, UPDATE ON orders TO "{role}";
GRANT SELECT ON catalogue TO "{role}";
