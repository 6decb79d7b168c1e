-- Customers' keys, by their hash alone. A key is 256 random bits, so there is nothing to guess and a plain SHA-256 is
-- right: salt and slow hashes are for passwords, which people choose.
CREATE TABLE api_keys (
    key_hash    bytea       PRIMARY KEY CHECK (octet_length(key_hash) = 32),
    customer_id text        NOT NULL CHECK (customer_id ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);
CREATE INDEX api_keys_customer_id ON api_keys (customer_id, revoked_at, created_at);

-- The service issues and revokes. It never gives a key to another customer, and never forgets one.
GRANT SELECT, INSERT (key_hash, customer_id), UPDATE (revoked_at) ON api_keys TO "{role}";
